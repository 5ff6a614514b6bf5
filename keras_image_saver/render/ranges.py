"""Value ranges: what they must be, and which one values have where nobody says it."""

import reprlib
from typing import Any, TypeAlias

import numpy as np

from keras_image_saver.arrays import (
    CHANNELS,
    Array,
    Range,
    as_array,
    describe,
    without_float_errors,
)
from keras_image_saver.checks import is_number

# A range in float32, low and high, and the bytes of one unit.
Scale: TypeAlias = tuple[Array, Array, Array]


def check_dtype(array: Array, name: str) -> None:
    """Refuse what no picture can be made of.

    Raises:
        TypeError: If `array` is not bool, integer or float.
    """
    if array.dtype.kind not in "buif":
        raise TypeError(f"`{name}` must be bool, integer or float, got {describe(array)}.")


@without_float_errors
def check_range(value_range: Any, name: str) -> Range:
    """Return a range as floats, or as one tuple of floats a channel.

    Raises:
        ValueError: If it is not (low, high) with low < high, both finite, or if float32 cannot hold
            it: ends that are one value to it, or so near or far that their scale is none.
    """
    try:
        low, high = (_range_end(end) for end in value_range)
        shapes = {(), *((channels,) for channels in CHANNELS)}
        valid = low.shape == high.shape and low.shape in shapes
        valid = valid and bool(np.isfinite([low, high]).all() and (low < high).all())
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        raise ValueError(
            f"`{name}` must be (low, high) with low < high, each one number or one a channel, got "
            f"{_shown(value_range)}. For a tanh generator pass (-1, 1)."
        )
    least, most, factor = float32_scale(low, high)
    if not (np.isfinite([least, most, most - least, factor]).all() and (least < most).all()):
        raise ValueError(
            f"`{name}` must be (low, high) that float32, in which values are mapped, can hold and "
            f"tell apart, got {_shown(value_range)}. Shift or scale the values, and the range with them."
        )
    if low.ndim:
        return tuple(low.tolist()), tuple(high.tolist())
    return float(low), float(high)


def _shown(value_range: Any) -> str:
    """Write what was given for a range, cut where it is long."""
    return describe(value_range) if hasattr(value_range, "shape") else reprlib.repr(value_range)


def _range_end(end: Any) -> Array:
    """Return one end of a range in float64.

    Raises:
        TypeError: If it holds anything but real numbers.
        OverflowError: If one of them is beyond float64.
    """
    array = as_array(end)
    # Python's ints beyond 64 bits, and its fractions, come as objects.
    is_real = all(map(is_number, array.flat)) if array.dtype.kind == "O" else True
    if array.dtype.kind not in "buifO" or not is_real:
        raise TypeError
    return array.astype(np.float64)


def float32_scale(low: Array, high: Array) -> Scale:
    """Return a range in float32, and the bytes of one unit: such that `high` is 255 exactly."""
    least, most = low.astype(np.float32), high.astype(np.float32)
    # The factor is rounded once, from float64: from rounded ends it would be another one.
    factor = np.asarray(255 / (high - low)).astype(np.float32)
    # Where float32 knows few values between the ends, rounding moves them by more than half a byte.
    # It is their own distance that counts then: with the other one white would be grey, or black,
    # since a byte wraps.
    is_white = np.rint((most - least) * factor) == 255
    own = np.asarray(255 / (most.astype(np.float64) - least)).astype(np.float32)
    return least, most, np.where(is_white, factor, own)


def default_range(dtype: Any) -> Range | None:
    """Return the range that a dtype has by itself; None for uint8 and bool, which are pixels.

    Floats have none by themselves either: (0, 1) is for where nothing else could tell, as in
    `to_uint8`. A model's outputs ask for a range instead.
    """
    if dtype in (np.uint8, np.bool_):
        return None
    return (0.0, 1.0) if np.dtype(dtype).kind == "f" else (0.0, 255.0)


@without_float_errors
def extent(values: Array) -> tuple[float, float]:
    """Return the smallest and largest finite value; NaN where there is none."""
    finite = values.astype(np.float32)
    finite = finite[np.isfinite(finite)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
