"""The legend under a grid."""

import numpy as np
import pytest

from keras_image_saver.picture import legend
from keras_image_saver.render.base import NamedClass

pytestmark = pytest.mark.numpy


def draw_legend(entries, *rest):
    return legend.draw_legend([NamedClass(i, *one) for i, one in enumerate(entries)], *rest)


RED, BLUE = (255, 0, 0), (0, 0, 255)


def squares(picture, color):
    """(y, x) of the upper left corners of what is of one colour, and the side of each."""
    found = (picture == color).all(-1)
    rows = np.flatnonzero(found.any(1))
    columns = np.flatnonzero(found.any(0))
    return rows[0], columns[0], len(rows), len(columns)


def test_legend_has_a_square_of_each_colour_with_its_name_behind():
    picture = draw_legend((("sky", RED), ("road", BLUE)), 200, 64, 56, 2)
    assert (picture.dtype, picture.shape[1:]) == (np.uint8, (200, 3))
    y, x, height, width = squares(picture, RED)
    assert (x, height, width) == (2, width, height)
    other = squares(picture, BLUE)
    assert other[0] == y  # on one row, behind the first name
    between = picture[:, x + width : other[1]]
    assert between.max() > 200
    assert picture[:, other[1] + width :].max() > 200
    assert (picture[: min(y, 4)] == 56).all()


def test_legend_has_as_many_rows_as_it_needs():
    entries = [(f"class {number}", (number, 9, 9)) for number in range(21)]
    heights = [draw_legend(entries, width, 64, 56).shape[0] for width in (4000, 600, 300, 100)]
    assert heights == sorted(heights)
    assert len(set(heights)) == 4
    narrow = draw_legend(entries, 100, 64, 56)
    for _, color in entries:
        assert (narrow == color).all(-1).any()


def test_legend_cuts_a_name_that_is_wider_than_the_picture():
    long, longer = (draw_legend(((name, RED),), 60, 64, 56, 2) for name in ("m" * 99, "m" * 999))
    np.testing.assert_array_equal(long, longer)
    assert (long[:, -2:] == 56).all()


def test_legend_on_white_is_written_in_black():
    picture = draw_legend((("sky", RED),), 100, 64, 255)
    assert picture[:, 20:].min() < 50


def test_legend_is_written_as_large_as_captions():
    small, large = (draw_legend((("sky", RED),), 300, tile, 56).shape[0] for tile in (28, 256))
    assert small < large
