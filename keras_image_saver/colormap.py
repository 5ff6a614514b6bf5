"""Colormaps: from one channel to three, by a table of 256 colours."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_image_saver.render import MAGENTA, Array, UInt8Images, describe


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


def apply_colormap(mapped: UInt8Images, table: Array) -> UInt8Images:
    """Colour what was grey by a table; magenta pixels stay magenta."""
    colored: UInt8Images = np.take(table, mapped[..., 0], axis=0)
    if mapped.shape[-1] == 3:
        colored[mapped[..., 0] != mapped[..., 1]] = MAGENTA
    return colored
