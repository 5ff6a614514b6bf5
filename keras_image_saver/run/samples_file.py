"""The samples of a run as a file beside its pictures."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import map_leaves
from keras_image_saver.run.files import SAMPLES
from keras_image_saver.run.record import reason_of
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples

MOST_MIB = 64


def keep_samples(samples: Samples, folder: str, say: Callable[[str], None], *, ours: bool) -> None:
    """Write samples into a run's folder, and say so where they are not kept, or that fails.

    Args:
        samples: What is drawn.
        folder: The run's folder.
        say: Tells the user a line.
        ours: Whether a file of that name in the folder is the run's own.
    """
    if samples.inputs is None:
        return
    mib = sum(array.nbytes for array in samples.arrays.values()) / 2**20
    if mib > MOST_MIB:
        say(
            f"The samples take {mib:.0f} MiB and are not kept beside the pictures ({MOST_MIB} MiB "
            "at most): a resumed run will draw what it is given."
        )
        return
    file = storage_of(folder) / SAMPLES
    try:
        if not ours and SAMPLES in storage_of(folder).names():
            say(f"{SAMPLES} in {folder} is there already and not ours; the samples are not kept.")
        else:
            file.replace(lambda opened: save_samples(samples, opened))
    except Exception as error:
        say(f"The samples could not be kept in {file.path}: {reason_of(error)}")


def save_samples(samples: Samples, file: Any) -> None:
    """Write samples into an open binary file, as `.npz`, without pickle."""
    # NumPy leaves its archive open where a file fails, which Python reports when it is collected.
    archive = io.BytesIO()
    np.savez(archive, **_stored(samples))
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
    first, second = _stored(one), _stored(other)
    return all(np.array_equal(first[name], second[name]) for name in first)


def _stored(samples: Samples) -> dict[str, Any]:
    """Return the arrays, strings as bytes of fixed length, since objects would be pickled."""
    return {
        name: array.astype("S") if array.dtype.kind == "O" else array
        for name, array in samples.arrays.items()
    }
