"""One palette of 256 colours for a whole GIF: with one a frame, what stays the same would flicker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from keras_image_saver.arrays import MAGENTA, UInt8Array

_COLORS = 256
# The last index leaves a pixel as it is.
_TRANSPARENT = _COLORS - 1
# Gaps, captions and pixels that are not finite have their exact colours, outside of the averages.
_FIXED_COLORS = np.array(((0, 0, 0), (255, 255, 255), MAGENTA), np.uint8)
_PIXELS_IN_CUT = 200_000


@dataclass(frozen=True)
class Palette:
    """The colours of a GIF, the same for all frames.

    Attributes:
        colors: uint8 (256, 3).
        picture: What Pillow maps by, or None where grey levels are their own indices.
        transparent: The index that leaves a pixel as it is, or None.
    """

    colors: UInt8Array
    picture: Any = None
    transparent: int | None = None

    def indices(self, image: UInt8Array) -> UInt8Array:
        """Map (H, W, C) to indices (H, W), each pixel by itself: dithering would flicker."""
        if self.picture is None:
            return image[..., 0]
        mapped = Image.fromarray(image).quantize(palette=self.picture, dither=Image.Dither.NONE)
        return np.asarray(mapped)


def shared_palette(images: Sequence[UInt8Array]) -> Palette:
    """Return one palette for a whole animation.

    Args:
        images: Some of its frames, uint8 (H, W, C), C in {1, 3}. Grey ones keep their 256 levels,
            and colours are kept where there are few; else the palette is a median cut.
    """
    if images[0].shape[2] == 1:
        return Palette(np.repeat(np.arange(_COLORS, dtype=np.uint8)[:, np.newaxis], 3, axis=1))
    room = _TRANSPARENT - len(_FIXED_COLORS)
    found = _few_colors(images, room)
    if found is None:
        found = _median_cut(images, room)
    known = np.concatenate([_FIXED_COLORS, found])
    # Pillow maps a colour to the first of equal ones. What is left over repeats the first colour, so
    # nothing is ever mapped to it, nor to the transparent index at the end.
    colors = np.concatenate([known, np.repeat(known[:1], _COLORS - len(known), axis=0)])
    picture = Image.new("P", (1, 1))
    picture.putpalette(colors.tobytes())
    return Palette(colors, picture, _TRANSPARENT)


def _few_colors(images: Sequence[UInt8Array], most: int) -> UInt8Array | None:
    """Return the colours of the images, (N, 3), or None if there are more than `most`."""
    found = np.zeros((0,), np.uint32)
    for image in images:
        # One number a pixel, 0xRRGGBB, is sorted many times as fast as rows of three.
        red, green, blue = np.moveaxis(image.astype(np.uint32), -1, 0)
        found = np.union1d(found, red << 16 | green << 8 | blue)
        if len(found) > most:
            return None
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=-1).astype(np.uint8)


def _median_cut(images: Sequence[UInt8Array], count: int) -> UInt8Array:
    """Return `count` colours for the images, (N, 3), from an even choice of their pixels."""
    # An odd step does not fall into line with tiles and rows, whose sizes are mostly even.
    step = max(1, sum(image.size // 3 for image in images) // _PIXELS_IN_CUT) | 1
    pixels = np.concatenate([image.reshape(-1, 3)[::step] for image in images])
    cut: Any = Image.fromarray(pixels[np.newaxis]).quantize(count, Image.Quantize.MEDIANCUT)
    return np.array(cut.getpalette()[: 3 * count], np.uint8).reshape(-1, 3)
