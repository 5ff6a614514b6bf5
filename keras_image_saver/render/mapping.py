"""The one mapping from values to bytes.

It subtracts, then multiplies, in float32: no compiler can fuse that into one rounding, so every backend
gives the same bytes.
"""

import functools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    CHANNELS,
    MAGENTA,
    PIECE,
    Array,
    Range,
    UInt8Array,
    as_array,
    describe,
    without_float_errors,
)
from keras_image_saver.render.base import Finding, PixelCounts, findings, show_range
from keras_image_saver.render.coarse import coarse
from keras_image_saver.render.ranges import (
    Scale,
    check_dtype,
    check_range,
    default_range,
    float32_scale,
)

_WHOLE = np.float32(2**23)


def to_uint8(images: Any, *, value_range: Any = None) -> UInt8Array:
    """Map an image, or images, to uint8 by a stated value range.

    The bytes are rint(clip((float32(x) - low) * float32(255 / (high - low)), 0, 255)). Pixels that
    are not finite become magenta (255, 0, 255), grey images turning RGB for it.

    Args:
        images: An array or tensor of shape (H, W), (N, H, W), (H, W, C) or (N, H, W, C), C in
            {1, 3, 4}; bool, integer or float of any width. Three axes whose last is 1, 3 or 4 are
            one image (H, W, C).
        value_range: (low, high), the values that become 0 and 255; each one number, or one a
            channel. None: uint8 as it is, bool as 0 and 255, other integers (0, 255), and floats
            (0, 1).

    Returns:
        uint8 of the same shape; uint8 without a range is returned as it is, not copied.

    Raises:
        ValueError: If the shape is none of these, or the range is not low < high.
        TypeError: If the dtype is not bool, integer or float.

    Warns:
        UserWarning: If pixels are not finite, or if more than 1 % of the values were clipped.

    Example:
        >>> to_uint8(np.array([[-1.0, 0.0, 1.0]]), value_range=(-1, 1))
        array([[  0, 128, 255]], dtype=uint8)
    """
    mapped, said = convert(images, value_range)
    for finding in said:
        warnings.warn(finding.text, stacklevel=2)
    return mapped


def convert(images: Any, value_range: Any) -> tuple[UInt8Array, tuple[Finding, ...]]:
    """Do the work of `to_uint8`, and return what there is to warn of."""
    array = as_array(images, "images")
    check_dtype(array, "images")
    plain = array.ndim == 2 or (array.ndim == 3 and array.shape[2] not in CHANNELS)
    deep = array.ndim == 4 and array.shape[3] not in CHANNELS
    if array.ndim not in (2, 3, 4) or deep or not array.size:
        raise ValueError(
            "`images` must have the shape (H, W), (N, H, W), (H, W, C) or (N, H, W, C) with C in "
            f"{{1, 3, 4}}, and no side of 0, got {describe(array)}."
        )
    if value_range is None:
        value_range = default_range(array.dtype)
    else:
        value_range = check_range(value_range, "value_range")
    mapped, counts = map_to_uint8(array[..., np.newaxis] if plain else array, value_range)
    said = tuple(findings(counts, "image", value_range, "value_range"))
    text = (
        None
        if value_range is None or array.dtype == np.bool_
        else coarse(value_range, "value_range")
    )
    if text is not None:
        said += (Finding("coarse", "image", text),)
    return mapped[..., 0] if plain and mapped.shape[-1] == 1 else mapped, said


# A value beyond float32 becomes infinite, and so magenta.
@without_float_errors
def map_to_uint8(
    images: Array,
    value_range: Range | None,
    out: UInt8Array | None = None,
    argument: str = "value_range",
) -> tuple[UInt8Array, PixelCounts]:
    """Map values to bytes: rint(clip((float32(x) - low) * float32(255 / (high - low)), 0, 255)).

    Args:
        images: (..., C), bool, integer or float; never changed. bool is 0 or 255.
        value_range: The values that become 0 and 255. None leaves uint8 as it is.
        out: Where floats and integers may be mapped to: uint8, not used if of another shape.
        argument: What set the range, for the error.

    Returns:
        uint8 of the same shape, `out` or a new array, except that C = 1 becomes 3 where a pixel is
        not finite: such pixels are magenta, in RGBA with full alpha. And what was counted on the way.

    Raises:
        ValueError: If a range by channel has another number of channels than `images`.
    """
    counts = PixelCounts()
    if images.dtype == np.bool_:
        return np.where(images, np.uint8(255), np.uint8(0)), counts
    if value_range is None:
        if images.dtype != np.uint8:
            raise ValueError(f"`value_range` must be given for {images.dtype} images, got None.")
        return images, counts
    scale = _scale(value_range, images.shape[-2:], argument)
    fits = out is not None and out.shape == images.shape
    mapped = out if out is not None and fits else np.empty(images.shape, np.uint8)
    buffers = _Buffers()
    bad: Array | None = None
    for piece in _pieces(images.shape):
        values = images[piece]
        finite = _map_piece(values, scale, mapped[piece], buffers, counts)
        if finite is not None:
            if bad is None:
                bad = np.zeros(images.shape[:-1], np.bool_)
            bad[piece] = ~finite.reshape(values.shape).all(-1)
    if bad is None:
        return mapped, counts
    counts.non_finite_pixels = int(np.count_nonzero(bad))
    return _paint(mapped, bad), counts


class _Buffers:
    """Memory that serves all pieces of an array, so that it stays in the cache with the values."""

    def __init__(self) -> None:
        self._kept: dict[str, Array] = {}

    def of(self, values: Array, use: str) -> Array:
        """Return float32 of the values' shape, the same for each use of it."""
        kept = self._kept.get(use)
        if kept is None or kept.size < values.size:
            kept = self._kept[use] = np.empty(values.size, np.float32)
        return kept[: values.size].reshape(values.shape)


@functools.lru_cache(maxsize=64)  # a grid is mapped sample by sample
def _scale(value_range: Range, shape: tuple[int, ...], argument: str) -> Scale:
    """Return what maps images of a shape: as scalars, or a row of pixels long by channel."""
    low, high = (np.asarray(end, np.float64) for end in value_range)
    if low.ndim and low.shape != shape[-1:]:
        raise ValueError(
            f"`{argument}` must have one value a channel, got {show_range(value_range)} for "
            f"images of {shape[-1]} channels."
        )
    scale = float32_scale(low, high)
    if not low.ndim:
        return scale
    # NumPy is slow at inner loops over three channels, so a row of pixels is one loop.
    least, most, factor = (np.tile(part, shape[-2]) for part in scale)
    return least, most, factor


def _map_piece(
    values: Array, scale: Scale, out: Array, buffers: _Buffers, counts: PixelCounts
) -> Array | None:
    """Map one piece into `out` by way of buffers; return which values are finite, None if all are."""
    low, high, factor = scale
    by_channel = bool(low.ndim)
    floats = values
    if values.dtype != np.float32:
        floats = buffers.of(values, "floats")
        np.copyto(floats, values, casting="unsafe")
    if by_channel:
        floats = floats.reshape(-1, low.size)
    floats, least, most, finite = _finite(floats, low)
    lowest, highest = _ends(least, most)
    counts.low, counts.high = min(counts.low, lowest), max(counts.high, highest)
    counts.values += values.size
    scaled = buffers.of(floats, "scaled")
    # One range for all channels is compared as plain floats: on a piece of this size each call of
    # NumPy costs as much as a pass over it.
    beyond: bool = (
        bool((least < low).any() or (most > high).any())
        if by_channel
        else lowest < float(low) or highest > float(high)
    )
    if beyond:
        # The scale makes the range's ends 0 and 255, so that what is clipped before it gets the bytes
        # that it would get by being clipped after it, and shows by having changed.
        clipped = np.clip(floats, low, high, out=scaled)
        counts.clipped += int(np.count_nonzero(np.not_equal(clipped, floats)))
        floats = clipped
    # Nothing is subtracted by a range that begins at 0: a pass that is saved.
    if by_channel or low:
        floats = np.subtract(floats, low, out=scaled)
    np.multiply(floats, factor, out=scaled)
    # From 2²³ on float32 holds whole numbers alone, so the addition rounds, half to even as `rint` does,
    # and leaves the byte as the last one of the float's bits. That cast is cheaper than one from float.
    np.add(scaled, _WHOLE, out=scaled)
    np.copyto(out, scaled.view(np.int32).reshape(values.shape), casting="unsafe")
    return finite


def _finite(floats: Array, low: Array) -> tuple[Array, Array, Array, Array | None]:
    """Return values with `low` in place of NaN and infinities, their ends, and which were finite.

    The ends are those of the finite values, by channel where `low` is. None: all were finite.
    """
    axis = 0 if low.ndim else None
    # One pass tells of everything: NaN and infinities carry through min and max.
    least, most = np.minimum.reduce(floats, axis), np.maximum.reduce(floats, axis)
    if all(map(math.isfinite, _ends(least, most))):
        return floats, least, most, None
    finite = np.isfinite(floats)
    least = floats.min(axis, initial=np.inf, where=finite)
    most = floats.max(axis, initial=-np.inf, where=finite)
    # Magenta is painted over them at last; until then they must not count as clipped.
    return np.where(finite, floats, low), least, most, finite


def _ends(least: Array, most: Array) -> tuple[float, float]:
    return (float(least.min()), float(most.max())) if least.ndim else (float(least), float(most))


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[slice | int, ...]]:
    """Cut (N, H, W, C) or (H, W, C) into blocks of images, or of rows, of at most `PIECE` values."""
    size = math.prod(shape[1:])
    if len(shape) > 3 and size > PIECE:
        for index in range(shape[0]):
            for rest in _pieces(shape[1:]):
                yield (index, *rest)
        return
    step = max(1, PIECE // size)
    for start in range(0, shape[0], step):
        yield (slice(start, start + step),)


def _paint(mapped: UInt8Array, bad: Array) -> UInt8Array:
    """Make the pixels in `bad` magenta; grey images become RGB, in a new array."""
    if mapped.shape[-1] == 1:
        mapped = np.repeat(mapped, 3, axis=-1)
    mapped[bad] = MAGENTA if mapped.shape[-1] == 3 else (*MAGENTA, 255)
    return mapped
