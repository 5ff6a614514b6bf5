"""Text drawn into pictures, with the font that Pillow brings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_image_saver.arrays import UInt8Array

_CAPTION_ASPECT = 8
_CAPTION_SIZES = (10, 20)
_CAPTION_LENGTH = 32
_LINE_MARGIN = 4
# The widest of a run's lines is nearly always among the longest few.
_LONGEST_TRIED = 64


def caption_size(names: Sequence[str], width: int) -> tuple[int, int]:
    """Return the (height, width) that captions need above tiles of `width` pixels."""
    font = _font(width)
    boxes = [font.getbbox(_shorten(name)) for name in names]
    ascent, descent = font.getmetrics()
    height = max(ascent + descent, *(box[3] for box in boxes))
    return math.ceil(height), math.ceil(max(box[2] - min(0, box[0]) for box in boxes))


def draw_captions(
    image: UInt8Array, captions: Sequence[tuple[int, int, str]], width: int, background: int
) -> UInt8Array:
    """Write captions into a picture with Pillow's built-in font.

    Args:
        image: uint8, shape (H, W, C).
        captions: (y, x, text), the upper left corner of each.
        width: Width of a tile before it was enlarged, as given to `caption_size`.
        background: Grey level under the captions; the text is white on dark, black on light.

    Returns:
        uint8, shape (H, W, C).
    """
    level = 255 if background < 128 else 0
    channels = image.shape[2]
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    draw = ImageDraw.Draw(picture)
    # Fonts are loaded when drawn with, never kept: Pillow's font object cannot be copied.
    font = _font(width)
    color: Any = level if channels == 1 else (level,) * 3 + (255,) * (channels - 3)
    for y, x, caption in captions:
        text = _shorten(caption)
        overhang = min(0, font.getbbox(text)[0])  # a "j" begins left of its origin
        draw.text((x - overhang, y), text, fill=color, font=font)
    drawn = np.asarray(picture)
    return drawn[..., np.newaxis] if channels == 1 else drawn


def line_size(texts: Iterable[str], width: int) -> tuple[int, int, int]:
    """Find the largest font size at which each of the texts fits on a line of `width` pixels.

    Returns:
        (font size, line height, width that the longest text needs): the width is larger than
        `width` where even the smallest font does not fit.
    """
    longest = sorted(set(texts), key=len)[-_LONGEST_TRIED:]
    low, high = _CAPTION_SIZES
    for size in range(high, low - 1, -1):
        font: Any = ImageFont.load_default(size)
        needed = math.ceil(max(font.getlength(text) for text in longest)) + 2 * _LINE_MARGIN
        if needed <= width:
            break
    return size, sum(font.getmetrics()) + _LINE_MARGIN, needed


def draw_line(text: str, font_size: int, height: int, width: int) -> UInt8Array:
    """Write one line of text, white on black, centred: uint8 (height, width, 1)."""
    picture = Image.new("L", (width, height))
    font = ImageFont.load_default(font_size)
    x = max(_LINE_MARGIN, (width - round(font.getlength(text))) // 2)
    ImageDraw.Draw(picture).text((x, _LINE_MARGIN // 2), text, fill=255, font=font)
    return np.asarray(picture)[..., np.newaxis]


def _font(width: int) -> Any:
    low, high = _CAPTION_SIZES
    return ImageFont.load_default(min(high, max(low, width // _CAPTION_ASPECT)))


def _shorten(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _CAPTION_LENGTH else line[: _CAPTION_LENGTH - 1] + "…"
