"""NumPy's archives with a mark, by which a file is known to be of a run."""

import io
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from keras_image_saver.arrays import Array


def packed(arrays: Mapping[str, Array], mark: str) -> bytes:
    """Return arrays as `.npz`, without pickle, and marked by its comment, which NumPy does not look at.

    >>> import io
    >>> content = packed({"x": np.arange(3)}, "mine")
    >>> np.load(io.BytesIO(content))["x"], mark_of(io.BytesIO(content))
    (array([0, 1, 2]), 'mine')
    """
    # In memory, so that the file itself is written at once.
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.comment = mark.encode("ascii")
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return content.getvalue()


def mark_of(content: BinaryIO) -> str | None:
    """Return the mark of an open archive, "" if it has none; None if it is no archive."""
    try:
        with zipfile.ZipFile(content) as archive:
            return archive.comment.decode("latin-1")
    except Exception:  # zipfile fails in many ways
        return None
    finally:
        content.seek(0)
