"""Class maps: from scores or targets to integer ids, and from ids to colours.

A class map is an integer array (N, H, W). `NOT_FINITE` stands for pixels whose values are not finite; it
and every other id that no class has are drawn magenta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from keras_image_saver.arrays import CHANNELS, MAGENTA, Array, UInt8Array, as_array, describe
from keras_image_saver.checks import check_int, check_number
from keras_image_saver.render.base import NOT_FINITE

Decision: TypeAlias = Literal["ids", "threshold", "multi_label", "argmax"]

# The VOC devkit draws its "void" label, 255, in this colour: entry 255 of the same table.
_IGNORED = (224, 224, 192)
_VOC_COLORS = 256
# What is beyond it is no id, and would not fit an integer.
_LARGEST_ID = 2.0**31


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


def colorize(
    class_map: Any,
    *,
    palette: Any = "voc",
    num_classes: int | None = None,
    ignore_index: int | None = None,
) -> UInt8Array:
    """Colour a class map.

    Args:
        class_map: Integers or bool, any shape, usually (H, W) or (N, H, W).
        palette: "voc" (see `voc_palette`), or colours of one's own: (K, 3), integers 0 to 255.
        num_classes: Number of classes. None means as many as the palette has colours (VOC: 256).
        ignore_index: The id of pixels that do not count; drawn (224, 224, 192), VOC's void colour.

    Returns:
        uint8, shape (*class_map.shape, 3). Ids that no class has are magenta (255, 0, 255).

    Raises:
        TypeError: If `class_map` is not an array of integers.
        ValueError: If the palette has fewer colours than there are classes.

    Example:
        >>> colorize(np.array([0, 1, 255]), ignore_index=255).tolist()
        [[0, 0, 0], [128, 0, 0], [224, 224, 192]]
    """
    ids = as_array(class_map)
    if ids.dtype.kind not in "bui":
        raise TypeError(
            f"`class_map` must be integers, got {describe(ids)}. Take argmax(scores, -1) first."
        )
    colors = check_palette(palette, num_classes)
    ignored = ignore_index is not None and 0 <= ignore_index < len(colors)
    plain = ids.size and ids.dtype != np.bool_ and not ignored
    if plain and ids.min() >= 0 and ids.max() < len(colors):
        return np.take(colors, ids, axis=0)
    ids = ids.astype(np.int64)
    # Every id becomes an entry of one table: the classes, then magenta, then the ignored.
    count = len(colors)
    table = np.concatenate([colors, np.array([MAGENTA, _IGNORED], np.uint8)])
    entries = np.where((ids >= 0) & (ids < count), ids, count).astype(np.intp)
    if ignore_index is not None:
        entries[ids == ignore_index] = count + 1
    return np.take(table, entries, axis=0)


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
    photos, tints = as_array(images), as_array(colors)
    check_number("weight", weight, 0, 1)
    if photos.dtype != np.uint8 or tints.dtype != np.uint8:
        raise ValueError(
            f"`images` and `colors` must be uint8, got {photos.dtype} and {tints.dtype}. "
            "Use to_uint8 and colorize first."
        )
    fits = photos.shape[:-1] == tints.shape[:-1] and tints.shape[-1:] == (3,)
    if not fits or photos.shape[-1] not in CHANNELS:
        raise ValueError(
            "`images` must have 1, 3 or 4 channels, and `colors` the same shape with 3, got images "
            f"of shape {photos.shape} and colors of shape {tints.shape}."
        )
    mixed = np.float32(1 - weight) * photos[..., :3] + np.float32(weight) * tints
    blended: UInt8Array = np.rint(mixed).astype(np.uint8)
    return blended


def check_palette(palette: Any, num_classes: int | None) -> UInt8Array:
    """Return the colours of the classes, (num_classes, 3) uint8."""
    check_int("num_classes", num_classes, 1, optional=True)
    if isinstance(palette, str):
        if palette != "voc":
            raise ValueError(f'`palette` must be "voc" or colours of your own, got {palette!r}.')
        return voc_palette(_VOC_COLORS if num_classes is None else num_classes)
    try:
        table = np.asarray(palette)
    except ValueError:  # rows of different lengths
        table = np.array(palette, object)
    if table.ndim != 2 or table.shape[1] != 3 or table.dtype.kind not in "ui" or not len(table):
        raise ValueError(
            f"`palette` must be (K, 3) integers from 0 to 255, got {describe(table)}. "
            "For two classes: ((0, 0, 0), (255, 255, 255))."
        )
    if table.min() < 0 or table.max() > 255:
        raise ValueError(
            f"`palette` must hold 0 to 255, got values from {table.min()} to {table.max()}."
        )
    if num_classes is not None and len(table) < num_classes:
        raise ValueError(
            f"`palette` must have a colour for each of the {num_classes} classes, got {len(table)}."
        )
    return table[:num_classes].astype(np.uint8)


@dataclass(frozen=True)
class Classes:
    """How the scores and targets of one model become class maps.

    Attributes:
        decision: "ids" (outputs are ids), "threshold" (one channel), "multi_label", or "argmax".
        channels: Number of score channels, or of classes where outputs have one channel.
        count: Number of classes that are drawn, the background of multi-label included.
        limit: What a score must exceed, by "threshold" and "multi_label".
    """

    decision: Decision
    channels: int
    count: int
    limit: np.float32

    def of_scores(self, scores: Array) -> Array:
        """Return the class map (N, H, W) of outputs, channels last, or of ids decided already."""
        if self.decision == "ids" or (scores.ndim == 3 and scores.dtype == np.int32):
            ids = _without_channel(scores)
            return ids if ids.dtype == np.int32 else ids.astype(np.int64)
        if scores.dtype.kind == "f":
            scores = scores.astype(np.float32, copy=False)
        if self.decision == "threshold":
            scores = _without_channel(scores)[..., np.newaxis]
            ids = (scores[..., 0] > self.limit).astype(np.int64)
        elif self.decision == "multi_label":
            ids = _topmost(scores > self.limit)
        else:
            ids = np.argmax(scores, axis=-1)
        return _masked(ids, scores)

    def of_target(self, values: Array) -> Array:
        """Return the class map (N, H, W) of ids, (N, H, W[, 1]), or of a one-hot target."""
        if is_one_hot(values, self.channels):
            hot = _topmost(values > 0.5) if self.decision == "multi_label" else values.argmax(-1)
            return _masked(hot, values)
        ids = _without_channel(values)
        if ids.dtype.kind != "f":
            return ids.astype(np.int64)
        finite = np.isfinite(ids)
        whole = np.rint(np.clip(np.where(finite, ids, 0), -_LARGEST_ID, _LARGEST_ID))
        return np.where(finite, whole, NOT_FINITE).astype(np.int64)


def is_one_hot(values: Array, channels: int) -> bool:
    """Tell a one-hot target (N, H, W, channels) from ids."""
    return values.ndim == 4 and values.shape[3] == channels and channels > 1


def logit(probability: float) -> float:
    """Return log(p / (1 - p)): sigmoids differ between backends near the threshold, logits do not."""
    return float(np.log(probability / (1 - probability)))


def _without_channel(values: Array) -> Array:
    return values[..., 0] if values.ndim == 4 else values


def _topmost(hits: Array) -> Array:
    """Return 1 + the last channel that is hit, 0 where none is."""
    ids: Array = np.max(hits * np.arange(1, hits.shape[-1] + 1), axis=-1)
    return ids


def _masked(ids: Array, values: Array) -> Array:
    """Mark the pixels whose values are not all finite as `NOT_FINITE`."""
    if values.dtype.kind != "f":
        return ids
    return np.where(np.isfinite(values).all(-1), ids, NOT_FINITE)


def color_table(colormap: Any) -> Array:
    """Return a (256, 3) uint8 table from a table, or from the name of one of Matplotlib's."""
    if isinstance(colormap, str):
        try:
            from matplotlib import colormaps
        except ImportError:
            raise ImportError(
                f"colormap={colormap!r} is one of Matplotlib's, which is not installed. Install "
                'the extra with `pip install "keras-image-saver[colormaps]"`, or pass a (256, 3) '
                "table."
            ) from None
        if colormap not in colormaps:
            raise ValueError(
                f"`colormap` must be a (256, 3) table or a name that Matplotlib knows, got "
                f"{colormap!r}. Names are, for example: viridis, magma, turbo, gray."
            )
        colormap = colormaps[colormap](np.linspace(0, 1, 256))[:, :3]
    table = np.asarray(colormap)
    if table.shape != (256, 3) or table.dtype.kind not in "uif":
        raise ValueError(f"`colormap` must be a (256, 3) table, got {describe(table)}.")
    if table.dtype.kind == "f":
        if not (np.all(table >= 0) and np.all(table <= 1)):
            raise ValueError(
                "`colormap` as floats must lie in [0, 1], got values from "
                f"{table.min():g} to {table.max():g}."
            )
        scaled: Array = np.rint(table * 255).astype(np.uint8)
        return scaled
    if table.min() < 0 or table.max() > 255:
        raise ValueError(
            f"`colormap` must hold 0 to 255, got values from {table.min()} to {table.max()}."
        )
    return table.astype(np.uint8)


def apply_colormap(mapped: UInt8Array, table: Array) -> UInt8Array:
    """Colour what was grey by a table; magenta pixels stay magenta."""
    colored: UInt8Array = np.take(table, mapped[..., 0], axis=0)
    if mapped.shape[-1] == 3:
        colored[mapped[..., 0] != mapped[..., 1]] = MAGENTA
    return colored
