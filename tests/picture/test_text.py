"""Text drawn into pictures: captions of tiles, and whole lines."""

import numpy as np
import pytest

from keras_image_saver.picture.layout import plan
from keras_image_saver.picture.text import (
    caption_size,
    cut,
    draw_captions,
    draw_line,
    draw_texts,
    line_size,
    text_height,
    text_widths,
)


def captioned(names, tile_width, *, tile_height=None, padding=2, count=2, channels=3, pad_value=0):
    """Draw captions as they are drawn in a run, over black tiles, or white ones on white."""
    sizes = dict.fromkeys(names, (tile_height or tile_width, tile_width))
    wanted = caption_size(names, tile_width)
    layout = plan(sizes, count, columns=None, padding=padding, caption_size=wanted)
    picture = np.full((*layout.size, channels), pad_value, np.uint8)
    if channels == 4:
        picture[..., 3] = 255
    captions = [
        (0 + padding, layout.tile_at(0, panel)[1], name) for panel, name in enumerate(names)
    ]
    return layout, captions, picture, draw_captions(picture, captions, tile_width, pad_value)


# Of 255: the rim of a letter that begins left of its place, which nobody sees.
FAINT = 16
PANELS = ("input", "prediction", "target")


@pytest.mark.parametrize("tile_width", [1, 8, 28, 32, 64, 80, 128, 160, 256, 512])
@pytest.mark.parametrize("padding", [0, 2])
def test_draw_captions_stand_in_the_band_above_their_tiles(tile_width, padding):
    layout, captions, _, drawn = captioned(PANELS, tile_width, padding=padding)
    top = captions[0][0]
    ink = (drawn > 0).any(-1)
    assert not ink[layout.origin[0] :].any()
    assert not ink[:top].any()
    for panel in range(len(PANELS)):
        x = layout.tile_at(0, panel)[1]
        assert ink[top : layout.origin[0], x : x + layout.tile[1]].sum() > 20
        ink[top : layout.origin[0], x : x + layout.tile[1]] = False
    assert not ink.any()


@pytest.mark.parametrize("tile_width", [8, 28, 64, 128, 256])
@pytest.mark.parametrize("names", [PANELS, ("Ågypq|", "jjjjjj"), ("M" * 40, "x")], ids=str)
def test_draw_captions_are_not_cropped(names, tile_width):
    layout, captions, picture, _ = captioned(names, tile_width, count=1, padding=0)
    roomy = np.pad(picture, ((50, 50), (50, 200), (0, 0)))
    for y, x, name in captions:
        alone = draw_captions(roomy, [(y + 50, x + 50, name)], tile_width, 0)
        inside = np.zeros(roomy.shape[:2], bool)
        inside[50 + y : 50 + y + layout.origin[0], 50 + x : 50 + x + layout.tile[1]] = True
        assert alone[~inside].max() < FAINT, name
        assert alone[inside].max() > 200, name


@pytest.mark.parametrize(("channels", "color"), [(1, [255]), (3, [255] * 3), (4, [255] * 4)])
def test_draw_captions_in_any_channels_are_white_on_black(channels, color):
    *_, drawn = captioned(PANELS, 128, channels=channels)
    assert drawn.shape[2] == channels
    assert drawn.dtype == np.uint8
    assert (drawn == color).all(-1).any()
    if channels == 4:
        assert (drawn[..., 3] == 255).all()


def test_draw_captions_on_white_are_black():
    *_, drawn = captioned(PANELS, 128, pad_value=255)
    assert (drawn == 0).all(-1).any()


def test_draw_captions_leave_the_callers_picture():
    _, captions, picture, _ = captioned(PANELS, 64)
    before = picture.copy()
    draw_captions(picture, captions, 64, 0)
    np.testing.assert_array_equal(picture, before)
    picture.flags.writeable = False
    draw_captions(picture, captions, 64, 0)


def test_draw_captions_shorten_long_names():
    long, longer = caption_size(["x" * 60], 64), caption_size(["x" * 600], 64)
    assert long == longer


def test_draw_captions_of_several_lines_are_one():
    one, several = caption_size(["a b"], 64), caption_size(["a\n b"], 64)
    assert one == several


def test_caption_size_of_prediction_needs_more_than_an_mnist_tile():
    assert caption_size(PANELS, 28)[1] > 28


def test_caption_size_grows_with_the_tiles():
    assert caption_size(PANELS, 256)[0] > caption_size(PANELS, 28)[0]


def test_line_size_is_the_largest_font_that_fits():
    sizes = [line_size(["short", "epoch 1000"], width)[0] for width in (40, 80, 500)]
    assert sizes[0] == 10
    assert sizes[0] < sizes[1] < sizes[2] == 20
    needed = line_size(["epoch 1000"], 40)[2]
    assert line_size(["epoch 1000"], needed)[::2] == (10, needed)


def test_draw_line_writes_white_on_black_within_its_line():
    size, height, needed = line_size(["yÅgj"], 200)
    line = draw_line("yÅgj", size, height, needed)
    assert (line.shape, line.dtype) == ((height, needed, 1), np.uint8)
    assert line.max() == 255
    assert not line[[0, -1]].any()
    assert not line[:, [0, -1]].any()
    wide = draw_line("yÅgj", size, height, 200)
    left, right = wide.any(axis=(0, 2)).nonzero()[0][[0, -1]]
    assert abs(left - (199 - right)) < 5


@pytest.mark.parametrize("room", [0, 1, 3, 10, 40, 200])
@pytest.mark.parametrize("text", ["", "7", "jjj", "a prompt of many words", "W" * 500, "a\tb\nc"])
def test_cut_text_fits_its_room_and_begins_as_it_did(text, room):
    (found,) = cut([text], 64, room)
    (width,) = text_widths([found], 64)
    assert width <= room
    plain = " ".join(text.split())
    assert found == plain or plain.startswith(found.removesuffix("…").rstrip())
    longer = plain[: len(found.removesuffix("…")) + 1] + "…"
    if found != plain:
        assert text_widths([longer], 64)[0] > room or plain[len(found) - 1 :].startswith(" ")


def test_cut_text_that_fits_is_whole():
    assert cut(["cat.jpg", "two  words"], 64, 300) == ["cat.jpg", "two words"]


def test_text_is_drawn_within_its_height_and_width():
    (text,) = cut(["Ågypqj"], 64, 200)
    height, (width,) = text_height(64), text_widths([text], 64)
    picture = draw_texts(np.zeros((height + 20, width + 20, 1), np.uint8), [(5, 5, text)], 64, 0)
    picture = picture.copy()
    assert picture.max() > 200
    picture[5 : 5 + height, 5 : 5 + width] = 0
    assert picture.max() < FAINT


def test_letters_with_marks_are_written_without_them():
    """Pillow's font has none of them, and would write a box for each."""
    blank = np.zeros((14, 60, 1), np.uint8)
    with_marks, plain = (
        draw_captions(blank, [(0, 0, text)], 64, 0) for text in ("dög né", "dog ne")
    )
    np.testing.assert_array_equal(with_marks, plain)
    assert plain.max() > 200
