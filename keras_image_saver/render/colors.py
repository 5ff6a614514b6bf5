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
from keras_image_saver.checks import check_number, is_int
from keras_image_saver.render.palettes import as_bytes, as_table, check_palette

# The VOC devkit draws its "void" label, 255, in this colour: entry 255 of the same table.
_IGNORED = (224, 224, 192)


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
        palette: "voc", the PASCAL VOC devkit's table, or "cityscapes", the 19 classes that Cityscapes is
            trained on; or colours of one's own: (K, 3), integers 0 to 255.
        num_classes: Number of classes. None means as many as the palette has colours (VOC: 256,
            Cityscapes: 19).
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
    table = _matplotlib_table(colormap) if isinstance(colormap, str) else as_table(colormap)
    if table.shape != (256, 3) or table.dtype.kind not in "uif":
        raise ValueError(f"`colormap` must be a (256, 3) table, got {describe(table)}.")
    if table.dtype.kind != "f":
        return as_bytes(table, "colormap")
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
        colored[(mapped == MAGENTA).all(-1)] = MAGENTA
    return colored


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
