"""What the colours of a class map mean: a legend, to stand under a grid."""

import functools
from collections.abc import Iterator, Sequence

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture.grid import blank
from keras_image_saver.picture.text import cut, draw_texts, text_height, text_widths
from keras_image_saver.render.base import NamedClass

# Pixels between the tiles and the legend, or a colour and its name; and between the entries.
_NEAR, _APART = 4, 12
_MARGIN = 2
_WIDEST = 2**16  # pixels of a name, in which no picture is as wide


def draw_legend(
    legend: Sequence[NamedClass], width: int, tile_width: int, pad_value: int, padding: int = 0
) -> UInt8Array:
    """Draw a legend of as many rows as it needs; a name that is wider than the picture is cut.

    Args:
        legend: The classes, in order.
        width: Width of the picture, in pixels.
        tile_width: Width of a tile before it was enlarged: the font is that of the captions.
        pad_value: Grey level behind it.
        padding: What stays free at the left, and under it.

    Returns:
        uint8, shape (height, width, 3).
    """
    height = text_height(tile_width)
    side = height - 2 * _MARGIN  # of the square that shows the colour
    titles = tuple(one.name for one in legend)
    names, places = _arranged(titles, width, tile_width, padding)
    picture = blank(legend_height(legend, width, tile_width, padding), width, 3, pad_value)
    texts = []
    for one, name, (row, x) in zip(legend, names, places, strict=True):
        y = _NEAR + row * height
        picture[y + _MARGIN : y + _MARGIN + side, x : x + side] = one.color
        texts.append((y, x + side + _NEAR, name))
    return draw_texts(picture, texts, tile_width, pad_value)


def legend_height(
    legend: Sequence[NamedClass], width: int, tile_width: int, padding: int = 0
) -> int:
    """Return the height of the legend that `draw_legend` draws; 0 for one without classes."""
    if not legend:
        return 0
    _, places = _arranged(tuple(one.name for one in legend), width, tile_width, padding)
    return _NEAR + (places[-1][0] + 1) * text_height(tile_width) + padding


@functools.lru_cache(
    maxsize=128
)  # a layout is chosen out of many widths, at each snapshot the same
def _arranged(
    titles: tuple[str, ...], width: int, tile_width: int, padding: int
) -> tuple[list[str], list[tuple[int, int]]]:
    """Return what is written of each name, and the row and the x of each entry."""
    side = text_height(tile_width) - 2 * _MARGIN
    room = width - 2 * padding - side - _NEAR
    entries = list(zip(titles, *_written(titles, tile_width), strict=True))
    names = [
        name if wide <= room else cut([title], tile_width, room)[0] for title, name, wide in entries
    ]
    taken = [side + _NEAR + min(wide, room) for _, _, wide in entries]
    return names, list(_places(taken, padding, width - padding))


@functools.lru_cache(maxsize=8)
def _written(titles: tuple[str, ...], tile_width: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return what is written of each name where there is room, and how wide it is."""
    names = cut(titles, tile_width, _WIDEST)
    return tuple(names), tuple(text_widths(names, tile_width))


def _places(widths: Sequence[int], left: int, right: int) -> Iterator[tuple[int, int]]:
    """Yield the row and the x of each entry."""
    row, x = 0, left
    for wide in widths:
        if x > left and x + wide > right:
            row, x = row + 1, left
        yield row, x
        x += wide + _APART
