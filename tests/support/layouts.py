"""The same values in other layouts in memory: what callers hand over need not be plain."""

import numpy as np


def _strides(array):
    """Every second item of each axis, which runs backwards."""
    wide = array[tuple(slice(None, None, -1) for _ in array.shape)]
    for axis in range(array.ndim):
        wide = np.repeat(wide, 2, axis)
    return wide[tuple(slice(None, None, -2) for _ in array.shape)]


def _read_only(array):
    found = array.copy()
    found.flags.writeable = False
    return found


def _swapped(array):
    """The other order of bytes; dtypes that are not NumPy's own have one only."""
    return array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder())


LAYOUTS = {
    "plain": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "strides": _strides,
    "read-only": _read_only,
    "swapped bytes": _swapped,
    "swapped bytes and strides": lambda array: _strides(_swapped(array)),
}
