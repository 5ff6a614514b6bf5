"""The samples of a run as a file beside its pictures."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, map_leaves
from keras_image_saver.samples import Samples


def save_samples(samples: Samples, file: Any) -> None:
    """Write samples into an open binary file, as `.npz`, without pickle."""
    arrays: dict[str, Any] = {name: _without_objects(x) for name, x in samples.arrays.items()}
    # NumPy leaves its archive open where a file fails, which Python reports when it is collected.
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    file.write(archive.getbuffer())


def load_samples(content: Any, like: Samples) -> Samples | None:
    """Read samples that `save_samples` wrote; None if their structure is not that of `like`.

    Args:
        content: An open binary file.
        like: Samples of the structure to restore.
    """
    with np.load(content, allow_pickle=False) as kept:
        names = list(like.arrays)
        if sorted(names) != sorted(kept.files):
            return None
        arrays = iter([kept[name] for name in names])  # in the order of their structures

    def restore(structure: Any) -> Any:
        return map_leaves(lambda array: None if array is None else next(arrays), structure)

    return replace(like, inputs=restore(like.inputs), targets=restore(like.targets))


def same_samples(one: Samples, other: Samples) -> bool:
    """Tell whether two samples of one structure hold the same values."""
    first, second = one.arrays, other.arrays
    return all(
        np.array_equal(_without_objects(array), _without_objects(second[name]))
        for name, array in first.items()
    )


def samples_bytes(samples: Samples) -> int:
    """Return the memory that samples take."""
    return sum(array.nbytes for array in samples.arrays.values())


def _without_objects(array: Array) -> Array:
    return array.astype("S") if array.dtype.kind == "O" else array
