"""Text drawn into pictures: captions of tiles, and whole lines."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture.fonts import Fonts, lettered

# Font sizes in pixels: smaller letters cannot be read, larger ones only take room from the tiles.
_SMALLEST, _LARGEST = 10, 20
# A caption's font has one pixel for so many of the tile's width.
_TILE_WIDTH_PER_SIZE = 8
_LONGEST_CAPTION = 32
_LINE_MARGIN = 4
# Measuring each of thousands of lines is slow, and the widest is nearly always among the longest.
_LINES_MEASURED = 64


def caption_size(captions: Sequence[str], width: int) -> tuple[int, int]:
    """Return the (height, width) that captions need above tiles of `width` pixels."""
    fonts = _caption_fonts(width)
    boxes = [fonts.box(caption_text(caption)) for caption in captions]
    # A glyph may reach below what the font says of itself.
    height = max(fonts.height, *(box[3] for box in boxes))
    return math.ceil(height), math.ceil(max(box[2] - min(0, box[0]) for box in boxes))


def caption_text(caption: str) -> str:
    """Return a caption on one line, shortened where it is long."""
    line = lettered(" ".join(caption.split()))
    return line if len(line) <= _LONGEST_CAPTION else line[: _LONGEST_CAPTION - 1] + "…"


def draw_captions(
    image: UInt8Array, captions: Sequence[tuple[int, int, str]], width: int, background: int
) -> UInt8Array:
    """Write captions into a copy of a picture.

    Args:
        image: uint8, shape (H, W, C).
        captions: (y, x, text), the upper left corner of each.
        width: Width of a tile before it was enlarged, as given to `caption_size`.
        background: Grey level under the captions; the text is white on dark, black on light.

    Returns:
        uint8, shape (H, W, C).
    """
    shortened = [(y, x, caption_text(caption)) for y, x, caption in captions]
    return draw_texts(image, shortened, width, background)


def draw_texts(
    image: UInt8Array, texts: Sequence[tuple[int, int, str]], width: int, background: int
) -> UInt8Array:
    """Write what `cut` returned into a copy of a picture; as `draw_captions`."""
    level = 255 if background < 128 else 0
    channels = image.shape[2]
    # Pillow's grey pictures have no channel axis, and its colours for them are plain numbers.
    color: Any = level if channels == 1 else (level,) * 3 + (255,) * (channels - 3)
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    fonts = _caption_fonts(width)
    for y, x, text in texts:
        overhang = min(0, fonts.box(text)[0])  # a "j" begins left of its origin
        fonts.draw(picture, x - overhang, y, text, color)
    return np.asarray(picture).reshape(image.shape)


def cut(texts: Iterable[str], width: int, room: int) -> list[str]:
    """Return texts on one line each, cut to `room` pixels in the captions' font.

    Args:
        texts: What is to be written.
        width: Width of a tile before it was enlarged, which the font follows.
        room: How wide a text may be.
    """
    fonts = _caption_fonts(width)
    return [_cut(" ".join(text.split()), fonts, room) for text in texts]


def _cut(text: str, fonts: Fonts, room: int) -> str:
    # No letter is narrower than a pixel, so that a long prompt need not be measured as a whole.
    line = lettered(text[: max(1, room)])
    if len(text) <= room and _ink(line, fonts) <= room:
        return line
    low, high = 0, len(line)
    while low < high:  # the most letters that fit with the ellipsis
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _ink(line[:middle] + "…", fonts) <= room else (low, middle - 1)
        )
    return line[:low].rstrip() + "…" if low else line[:1] if _ink(line[:1], fonts) <= room else ""


def _ink(text: str, fonts: Fonts) -> int:
    """Return how many pixels a text reaches over."""
    left, _, right, _ = fonts.box(text)
    return math.ceil(right - min(0, left))


def text_height(width: int) -> int:
    """Return the height of a line in the captions' font."""
    return _caption_fonts(width).height


def text_widths(texts: Iterable[str], width: int) -> list[int]:
    """Return how many pixels each text reaches over in the captions' font."""
    fonts = _caption_fonts(width)
    return [_ink(text, fonts) for text in texts]


def line_size(texts: Iterable[str], width: int) -> tuple[int, int, int]:
    """Find the largest font size at which each of the texts fits on a line of `width` pixels.

    Returns:
        (font size, line height, width that the longest text needs): the width is larger than
        `width` where even the smallest font does not fit.
    """
    longest = sorted({lettered(text) for text in texts}, key=len)[-_LINES_MEASURED:]
    for size in range(_LARGEST, _SMALLEST - 1, -1):
        fonts = Fonts(size)
        needed = math.ceil(max(map(fonts.length, longest))) + 2 * _LINE_MARGIN
        if needed <= width:
            break
    return size, fonts.height + _LINE_MARGIN, needed


def draw_line(text: str, font_size: int, height: int, width: int) -> UInt8Array:
    """Write one line of text, white on black, centred: uint8 (height, width, 1)."""
    picture = Image.new("L", (width, height))
    fonts, text = Fonts(font_size), lettered(text)
    x = max(_LINE_MARGIN, (width - round(fonts.length(text))) // 2)
    fonts.draw(picture, x, _LINE_MARGIN // 2, text, 255)
    return np.asarray(picture)[..., np.newaxis]


def _caption_fonts(width: int) -> Fonts:
    return Fonts(min(_LARGEST, max(_SMALLEST, width // _TILE_WIDTH_PER_SIZE)))
