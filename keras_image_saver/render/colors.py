"""Colours: of class ids by a palette, of grey by a colour table, and laid over images."""

from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    CHANNELS,
    MAGENTA,
    Array,
    UInt8Array,
    as_array,
    describe,
    without_float_errors,
)
from keras_image_saver.checks import check_int, check_number, is_int

# The VOC devkit draws its "void" label, 255, in this colour: entry 255 of the same table.
_IGNORED = (224, 224, 192)
_VOC_COLORS = 256


def voc_palette(num_classes: int = _VOC_COLORS) -> UInt8Array:
    """Return the colour table of the PASCAL VOC devkit (`VOCcode/VOClabelcolormap.m`).

    The bits of the class id are dealt in turn to red, green and blue, from the highest bit down.

    Args:
        num_classes: Number of colours.

    Returns:
        uint8, shape (num_classes, 3).

    Example:
        >>> voc_palette(4).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    ids = np.arange(num_classes, dtype=np.int64)
    table = np.zeros((num_classes, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            table[:, channel] |= (((ids >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return table


def check_palette(palette: Any, num_classes: int | None) -> UInt8Array:
    """Return the colours of the classes: uint8, (num_classes, 3); of all that there are for None.

    Raises:
        ValueError: If `palette` is no table of colours, or has too few.
    """
    check_int("num_classes", num_classes, 1, optional=True)
    if isinstance(palette, str):
        if palette != "voc":
            raise ValueError(f'`palette` must be "voc" or colours of your own, got {palette!r}.')
        return voc_palette(_VOC_COLORS if num_classes is None else num_classes)
    table = _as_table(palette)
    if table.ndim != 2 or table.shape[1] != 3 or table.dtype.kind not in "ui" or not len(table):
        raise ValueError(
            f"`palette` must be (K, 3) integers from 0 to 255, got {describe(table)}. "
            "For two classes: ((0, 0, 0), (255, 255, 255))."
        )
    colors = _as_bytes(table, "palette")
    if num_classes is not None and len(colors) < num_classes:
        raise ValueError(
            f"`palette` must have a colour for each of the {num_classes} classes, got {len(colors)}."
        )
    return colors[:num_classes]


def colorize(
    class_map: Any,
    *,
    palette: Any = "voc",
    num_classes: int | None = None,
    ignore_index: int | None = None,
) -> UInt8Array:
    """Colour a class map.

    Args:
        class_map: Integers or bool, any shape, usually (H, W) or (N, H, W). Of a picture of Pillow's
            with a palette, as masks often are, the indices.
        palette: "voc" (see `voc_palette`), or colours of one's own: (K, 3), integers 0 to 255.
        num_classes: Number of classes. None means as many as the palette has colours (VOC: 256).
        ignore_index: The id of pixels that do not count; drawn (224, 224, 192), VOC's void colour.

    Returns:
        uint8, shape (*class_map.shape, 3). Ids that no class has are magenta (255, 0, 255).

    Raises:
        TypeError: If `class_map` is not an array of integers.
        ValueError: If the palette has fewer colours than there are classes, `ignore_index` is no int,
            or ids are masked.

    Example:
        >>> colorize(np.array([0, 1, 255]), ignore_index=255).tolist()
        [[0, 0, 0], [128, 0, 0], [224, 224, 192]]
    """
    ids = as_array(class_map, "class_map", as_ids=True)
    if ids.dtype == np.bool_:
        ids = ids.astype(np.uint8)
    if ids.dtype.kind not in "ui":
        raise TypeError(
            f"`class_map` must be integers, got {describe(ids)}. Take argmax(scores, -1) first."
        )
    check_ignore_index(ignore_index)
    colors = check_palette(palette, num_classes)
    count = len(colors)
    # Most class maps hold classes and nothing else. Two passes that find this out are cheaper than
    # the table below.
    ignored = ignore_index is not None and 0 <= ignore_index < count
    if ids.size and not ignored and ids.min() >= 0 and ids.max() < count:
        # NumPy takes by indices that fit its own integer, which uint64 may not.
        indices = ids.astype(np.intp) if ids.dtype == np.uint64 else ids
        return np.take(colors, indices, axis=0)
    # Else every id becomes an entry of one table: the classes, then magenta, then the ignored.
    table = np.concatenate([colors, np.array([MAGENTA, _IGNORED], np.uint8)])
    entries = np.full(ids.shape, count, np.intp)
    np.copyto(entries, ids, where=(ids >= 0) & (ids < count), casting="unsafe")
    if ignore_index is not None:
        entries[ids == ignore_index] = count + 1
    return np.take(table, entries, axis=0)


def check_ignore_index(ignore_index: Any) -> None:
    """Refuse what is no id.

    Raises:
        ValueError: If it is neither an int nor None.
    """
    if ignore_index is not None and not is_int(ignore_index):
        raise ValueError(f"`ignore_index` must be one int or None, got {ignore_index!r}.")


@without_float_errors
def overlay(images: Any, colors: Any, weight: float) -> UInt8Array:
    """Lay colours over images: rint((1 - weight) * image + weight * color).

    Args:
        images: uint8, shape (..., C), C in {1, 3, 4}; grey becomes RGB, alpha is dropped.
        colors: uint8, shape (..., 3), of the same height and width.
        weight: Share of the colours, 0 to 1.

    Returns:
        uint8, shape (..., 3).

    Raises:
        ValueError: If the shapes do not fit, or `weight` is outside [0, 1].

    Example:
        >>> overlay(np.full((1, 1, 1), 100, np.uint8), np.array([[[200, 0, 0]]], np.uint8), 0.5)
        array([[[150,  50,  50]]], dtype=uint8)
    """
    photos, tints = as_array(images, "images"), as_array(colors, "colors")
    check_number("weight", weight, 0, 1)
    if photos.dtype != np.uint8 or tints.dtype != np.uint8:
        raise ValueError(
            f"`images` and `colors` must be uint8, got {photos.dtype} and {tints.dtype}. "
            "Use to_uint8 and colorize first."
        )
    fits = photos.shape[:-1] == tints.shape[:-1] and tints.shape[-1:] == (3,)
    if not fits or not photos.ndim or photos.shape[-1] not in CHANNELS:
        raise ValueError(
            "`images` must have 1, 3 or 4 channels, and `colors` the same shape with 3, got images "
            f"of shape {photos.shape} and colors of shape {tints.shape}."
        )
    share = float(weight)  # of float16, 1 - weight would be one too
    mixed = np.float32(1 - share) * photos[..., :3] + np.float32(share) * tints
    blended: UInt8Array = np.rint(mixed).astype(np.uint8)
    return blended


@without_float_errors
def check_colormap(colormap: Any) -> UInt8Array:
    """Return a (256, 3) uint8 table from a table, or from the name of one of Matplotlib's.

    Raises:
        ValueError: If there is no such name, or the table is not valid.
        ImportError: If `colormap` is a name and Matplotlib is not installed.
    """
    table = _matplotlib_table(colormap) if isinstance(colormap, str) else _as_table(colormap)
    if table.shape != (256, 3) or table.dtype.kind not in "uif":
        raise ValueError(f"`colormap` must be a (256, 3) table, got {describe(table)}.")
    if table.dtype.kind != "f":
        return _as_bytes(table, "colormap")
    if not (np.all(table >= 0) and np.all(table <= 1)):
        raise ValueError(
            "`colormap` as floats must lie in [0, 1], got values from "
            f"{table.min():g} to {table.max():g}."
        )
    scaled: UInt8Array = np.rint(table * 255).astype(np.uint8)
    return scaled


def apply_colormap(mapped: UInt8Array, table: UInt8Array) -> UInt8Array:
    """Colour what was grey by a table; magenta pixels stay magenta.

    Args:
        mapped: uint8 (..., 1); or (..., 3) where pixels that are not finite made grey images RGB.
        table: uint8 (256, 3).
    """
    colored: UInt8Array = np.take(table, mapped[..., 0], axis=0)
    if mapped.shape[-1] == 3:
        # What was grey has three equal channels, so unequal ones tell the magenta pixels.
        colored[mapped[..., 0] != mapped[..., 1]] = MAGENTA
    return colored


def _as_table(given: Any) -> Array:
    try:
        return np.asarray(given)
    except ValueError:  # NumPy refuses rows of different lengths; as objects they can be described
        return np.array(given, object)


def _matplotlib_table(name: str) -> Array:
    try:
        from matplotlib import colormaps
    except ImportError:
        raise ImportError(
            f"colormap={name!r} is one of Matplotlib's, which is not installed. Install "
            'the extra with `pip install "keras-image-saver[colormaps]"`, or pass a (256, 3) '
            "table."
        ) from None
    if name not in colormaps:
        raise ValueError(
            f"`colormap` must be a (256, 3) table or a name that Matplotlib knows, got "
            f"{name!r}. Names are, for example: viridis, magma, turbo, gray."
        )
    table: Array = colormaps[name](np.linspace(0, 1, 256))[:, :3]
    return table


def _as_bytes(table: Array, name: str) -> UInt8Array:
    """Return integers as uint8; a cast alone would wrap what lies outside."""
    if table.min() < 0 or table.max() > 255:
        raise ValueError(
            f"`{name}` must hold 0 to 255, got values from {table.min()} to {table.max()}."
        )
    return table.astype(np.uint8)
