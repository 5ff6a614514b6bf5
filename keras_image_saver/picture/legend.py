"""What the colours of a class map mean: a legend, to stand under a grid."""

from collections.abc import Iterator, Sequence

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture.grid import blank
from keras_image_saver.picture.text import cut, draw_texts, text_height, text_widths
from keras_image_saver.render.base import NamedClass

# Pixels between the tiles and the legend, or a colour and its name; and between the entries.
_NEAR, _APART = 4, 12
_MARGIN = 2


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
    names = cut([one.name for one in legend], tile_width, width - 2 * padding - side - _NEAR)
    wide = text_widths(names, tile_width)
    places = list(_places([side + _NEAR + one for one in wide], padding, width - padding))
    rows = places[-1][0] + 1
    picture = blank(_NEAR + rows * height + padding, width, 3, pad_value)
    texts = []
    for one, name, (row, x) in zip(legend, names, places, strict=True):
        y = _NEAR + row * height
        picture[y + _MARGIN : y + _MARGIN + side, x : x + side] = one.color
        texts.append((y, x + side + _NEAR, name))
    return draw_texts(picture, texts, tile_width, pad_value)


def _places(widths: Sequence[int], left: int, right: int) -> Iterator[tuple[int, int]]:
    """Yield the row and the x of each entry."""
    row, x = 0, left
    for wide in widths:
        if x > left and x + wide > right:
            row, x = row + 1, left
        yield row, x
        x += wide + _APART
