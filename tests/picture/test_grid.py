"""Where tiles stand, and the tiling itself, by exact matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_image_saver import make_grid
from keras_image_saver.picture.grid import Canvas, blank, check_grid, most_channels, paste
from keras_image_saver.picture.layout import plan


def ones_to(count, height=1, width=1, channels=1):
    """`count` images, the first all 1, the second all 2, and so on."""
    values = np.arange(1, count + 1, dtype=np.uint8)
    return np.tile(values[:, None, None, None], (1, height, width, channels))


def grid_of(images, **arguments):
    return make_grid(images, **arguments)[..., 0].tolist()


# make_grid


def test_make_grid_of_one_image_keeps_its_padding():
    assert grid_of(ones_to(1), padding=1) == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_make_grid_with_full_rows_goes_row_by_row():
    assert grid_of(ones_to(4), padding=0) == [[1, 2], [3, 4]]


def test_make_grid_with_partial_row_pads_last_tiles():
    assert grid_of(ones_to(5), padding=0) == [[1, 2, 3], [4, 5, 0]]


def test_make_grid_with_padding_and_pad_value_fills_gaps_and_empty_tiles():
    assert grid_of(ones_to(3, 1, 2), padding=1, pad_value=9) == [
        [9, 9, 9, 9, 9, 9, 9],
        [9, 1, 1, 9, 2, 2, 9],
        [9, 9, 9, 9, 9, 9, 9],
        [9, 3, 3, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9, 9],
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param(1, [[1], [2], [3]], id="one"),
        pytest.param(2, [[1, 2], [3, 0]], id="two"),
        pytest.param(3, [[1, 2, 3]], id="all"),
        pytest.param(5, [[1, 2, 3, 0, 0]], id="more than images"),
    ],
)
def test_make_grid_with_columns_puts_so_many_in_a_row(columns, expected):
    assert grid_of(ones_to(3), columns=columns, padding=0) == expected


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3), (10, 4), (16, 4), (17, 5)]
)
def test_make_grid_without_columns_has_the_root_of_the_count(count, columns):
    rows = -(-count // columns)
    assert make_grid(ones_to(count), padding=0).shape == (rows, columns, 1)


def test_make_grid_pads_by_two_pixels_of_black_unless_said():
    grid = make_grid(np.full((1, 1, 1, 3), 255, np.uint8))
    assert grid.shape == (5, 5, 3)
    assert np.argwhere(grid[..., 0]).tolist() == [[2, 2]]


def test_make_grid_of_rgb_pads_all_channels():
    grid = make_grid(np.array([[[[1, 2, 3]]]], np.uint8), padding=1, pad_value=7)
    assert grid[0].tolist() == [[7, 7, 7]] * 3
    assert grid[1, 1].tolist() == [1, 2, 3]


def test_make_grid_of_rgba_has_opaque_gaps_and_keeps_alpha():
    grid = make_grid(np.array([[[[1, 2, 3, 4]]]], np.uint8), padding=1, pad_value=7)
    assert grid[0].tolist() == [[7, 7, 7, 255]] * 3
    assert grid[1, 1].tolist() == [1, 2, 3, 4]


def test_make_grid_keeps_pixels_where_they_are_in_an_image():
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    assert grid_of(image, padding=0) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        pytest.param(np.zeros((1, 2, 2, 3)), "dtype float64", id="floats"),
        pytest.param(np.zeros((1, 2, 2, 3), bool), "dtype bool", id="bool"),
        pytest.param(np.zeros((2, 2, 3), np.uint8), r"shape \(2, 2, 3\)", id="one image"),
        pytest.param(np.zeros((1, 2, 2, 2), np.uint8), r"\(1, 2, 2, 2\)", id="2 channels"),
        pytest.param(np.zeros((1, 2, 2, 5), np.uint8), r"\(1, 2, 2, 5\)", id="5 channels"),
        pytest.param(np.zeros((0, 2, 2, 3), np.uint8), r"\(0, 2, 2, 3\)", id="no images"),
        pytest.param(np.zeros((1, 0, 2, 3), np.uint8), r"\(1, 0, 2, 3\)", id="no height"),
    ],
)
def test_make_grid_of_other_images_shows_them(images, shown):
    with pytest.raises(ValueError, match=rf"`images` must be uint8 \(N, H, W, C\).*{shown}"):
        make_grid(images)


INVALID = [
    pytest.param({"columns": 0}, "`columns` must be an int, 1 or more, got 0", id="columns 0"),
    pytest.param({"columns": 2.0}, r"`columns` must be .*got 2\.0", id="columns float"),
    pytest.param({"columns": True}, "`columns` must be .*got True", id="columns bool"),
    pytest.param({"padding": -1}, "`padding` must be an int, 0 or more, got -1", id="padding -1"),
    pytest.param({"padding": None}, "`padding` must be .*got None", id="padding none"),
    pytest.param({"padding": "2"}, "`padding` must be .*got '2'", id="padding text"),
    pytest.param({"pad_value": 256}, "`pad_value` must be an int from 0 to 255, got 256", id="256"),
    pytest.param({"pad_value": -1}, "`pad_value` must be .*got -1", id="pad_value -1"),
    pytest.param({"pad_value": 0.5}, r"`pad_value` must be .*got 0\.5", id="pad_value float"),
]


@pytest.mark.parametrize(("arguments", "shown"), INVALID)
def test_make_grid_with_invalid_argument_shows_it(arguments, shown):
    with pytest.raises(ValueError, match=shown):
        make_grid(ones_to(1), **arguments)


@pytest.mark.parametrize(("arguments", "shown"), INVALID)
def test_check_grid_with_invalid_argument_shows_it(arguments, shown):
    with pytest.raises(ValueError, match=shown):
        check_grid(**{"columns": None, "padding": 2, "pad_value": 0, **arguments})


def test_check_grid_takes_numpy_ints():
    check_grid(np.int64(3), np.uint8(2), np.uint8(255))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 12),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    channels=st.sampled_from([1, 3, 4]),
    columns=st.none() | st.integers(1, 14),
    padding=st.integers(0, 3),
    pad_value=st.integers(0, 255),
    seed=st.integers(0, 9),
)
def test_make_grid_shows_every_image_and_nothing_else(
    count, size, channels, columns, padding, pad_value, seed
):
    (height, width), rng = size, np.random.default_rng(seed)
    images = rng.integers(0, 256, (channels, width, height, count), np.uint8).T  # not contiguous
    images.flags.writeable = False
    before = images.copy()
    grid = make_grid(images, columns=columns, padding=padding, pad_value=pad_value)
    across = columns or int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    expected = np.full(
        (down * (height + padding) + padding, across * (width + padding) + padding, channels),
        pad_value,
        np.uint8,
    )
    if channels == 4:
        expected[..., 3] = 255
    for number, image in enumerate(images):
        y = padding + number // across * (height + padding)
        x = padding + number % across * (width + padding)
        expected[y : y + height, x : x + width] = image
    np.testing.assert_array_equal(grid, expected)
    np.testing.assert_array_equal(images, before)


# Several panels


def tiled(panels, *, columns=None, padding=0, caption_size=(0, 0), pad_value=0):
    sizes = {name: images.shape[1:3] for name, images in panels.items()}
    count = len(next(iter(panels.values())))
    layout = plan(
        sizes,
        count,
        columns=columns,
        padding=padding,
        caption_size=caption_size,
        pad_value=pad_value,
    )
    canvas = Canvas(layout, most_channels(panels))
    canvas.place(panels)
    return canvas.image


def test_canvas_filled_by_batches_is_that_of_all_their_samples():
    panels = {"a": np.arange(5 * 2 * 3 * 3, dtype=np.uint8).reshape(5, 2, 3, 3)}
    panels["b"] = panels["a"][..., :1] + 100
    whole = tiled(panels, columns=2, padding=1)
    layout = plan({"a": (2, 3), "b": (2, 3)}, 5, columns=2, padding=1)
    canvas = Canvas(layout, 3)
    for rows in (slice(0, 2), slice(2, 5)):
        canvas.place({name: x[rows] for name, x in panels.items()})
    np.testing.assert_array_equal(canvas.image, whole)


def test_room_of_a_canvas_is_the_next_samples_tile():
    layout = plan({"a": (2, 3), "b": (1, 3)}, 2, columns=1, padding=1)
    canvas = Canvas(layout, 1)
    first = {"a": np.full((1, 2, 3, 1), 7, np.uint8), "b": np.full((1, 1, 3, 1), 8, np.uint8)}
    canvas.place(first)
    room = canvas.room({name: images.shape[1:] for name, images in first.items()}, 1)
    assert list(room) == ["a"]  # what is to be enlarged is placed later
    room["a"][...] = 9
    canvas.place({"a": room["a"], "b": first["b"] + 2})
    assert canvas.image[..., 0].tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 7, 7, 7, 0, 8, 8, 8, 0],
        [0, 7, 7, 7, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 9, 9, 9, 0, 10, 10, 10, 0],
        [0, 9, 9, 9, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_room_of_a_grey_canvas_has_none_for_coloured_images():
    layout = plan({"a": (1, 1)}, 2, columns=1, padding=0)
    canvas = Canvas(layout, 1)
    canvas.place({"a": np.zeros((1, 1, 1, 1), np.uint8)})
    assert canvas.room({"a": (1, 1, 3)}, 1) == {}


def test_room_of_several_samples_is_their_part_of_a_row():
    layout = plan({"a": (1, 2), "b": (1, 2)}, 5, columns=3, padding=1)
    canvas = Canvas(layout, 1)
    shapes = {"a": (1, 2, 1), "b": (1, 2, 1)}
    levels = {"a": 1, "b": 5}
    for count in (1, 2, 2):
        room = canvas.room(shapes, count)
        for name, images in room.items():
            images[...] = np.arange(count).reshape(-1, 1, 1, 1) + levels[name] + 10 * count
        canvas.place(room)
    assert canvas.image[..., 0].tolist() == [
        [0] * 25,
        [0, 11, 11, 0, 15, 15, *[0] * 4, 21, 21, 0, 25, 25, *[0] * 4, 22, 22, 0, 26, 26, 0],
        [0] * 25,
        [0, 21, 21, 0, 25, 25, *[0] * 4, 22, 22, 0, 26, 26, *[0] * 10],
        [0] * 25,
    ]


def test_canvas_over_a_picture_leaves_that_as_it_is():
    layout = plan({"a": (1, 1)}, 2, columns=2, padding=0)
    before = np.full((1, 2, 1), 7, np.uint8)
    canvas = Canvas.over(layout, before)
    canvas.place({"a": np.array([[[[255, 0, 255]]]], np.uint8)})
    assert canvas.image.tolist() == [[[255, 0, 255], [7, 7, 7]]]
    assert before.tolist() == [[[7], [7]]]


def test_grey_canvas_turns_coloured_with_the_first_batch_that_is():
    layout = plan({"a": (1, 1)}, 3, columns=3, padding=0)
    greys = [{"a": np.full((1, 1, 1, 1), level, np.uint8)} for level in (10, 20)]
    magenta = {"a": np.array([[[[255, 0, 255]]]], np.uint8)}
    canvas = Canvas(layout, 1)
    for panels in (greys[0], magenta, greys[1]):
        canvas.place(panels)
    assert canvas.image.tolist() == [[[10, 10, 10], [255, 0, 255], [20, 20, 20]]]


def test_tile_with_two_panels_is_a_row_a_sample():
    panels = {"input": ones_to(3), "prediction": 10 * ones_to(3)}
    assert tiled(panels, columns=1)[..., 0].tolist() == [[1, 10], [2, 20], [3, 30]]


def test_tile_with_two_panels_and_columns_keeps_samples_together():
    panels = {"input": ones_to(3), "prediction": 10 * ones_to(3)}
    assert tiled(panels, columns=2)[..., 0].tolist() == [[1, 10, 2, 20], [3, 30, 0, 0]]


def test_tile_enlarges_small_panels_by_nearest_neighbour():
    small = np.array([[1, 2], [3, 4]], np.uint8).reshape(1, 2, 2, 1)
    panels = {"input": small, "prediction": ones_to(1, 4, 4)}
    assert tiled(panels)[:, :4, 0].tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [3, 3, 4, 4],
        [3, 3, 4, 4],
    ]


def test_tile_with_wide_captions_enlarges_all_panels_alike():
    image = np.array([[1, 2]], np.uint8).reshape(1, 1, 2, 1)
    grid = tiled({"a": image, "b": image + 2}, caption_size=(3, 3), pad_value=9)
    assert grid[..., 0].tolist() == [[9] * 8] * 3 + [[1, 1, 2, 2, 3, 3, 4, 4]] * 2


def test_tile_of_panels_of_other_proportions_centres_them():
    wide = np.array([[1, 2]], np.uint8).reshape(1, 1, 2, 1)
    grid = tiled({"input": wide, "prediction": ones_to(1, 4, 4)}, pad_value=9)
    assert grid[:, :4, 0].tolist() == [[9] * 4, [1, 1, 2, 2], [1, 1, 2, 2], [9] * 4]


def test_tile_of_a_tall_panel_beside_a_wide_one_centres_both():
    tall = np.array([[1], [2]], np.uint8).reshape(1, 2, 1, 1)
    grid = tiled({"input": tall, "prediction": ones_to(1, 2, 4)}, pad_value=9)
    assert grid[:, :4, 0].tolist() == [[9, 1, 9, 9], [9, 2, 9, 9]]


def test_tile_of_grey_beside_rgb_turns_it_rgb():
    rgb = np.array([[[[1, 2, 3]]]], np.uint8)
    assert tiled({"input": ones_to(1) * 9, "prediction": rgb}).tolist() == [[[9, 9, 9], [1, 2, 3]]]


def test_tile_beside_rgba_is_opaque():
    rgba = np.array([[[[1, 2, 3, 0]]]], np.uint8)
    rgb = np.array([[[[4, 5, 6]]]], np.uint8)
    grid = tiled({"a": rgba, "b": rgb, "c": ones_to(1)})
    assert grid.tolist() == [[[1, 2, 3, 0], [4, 5, 6, 255], [1, 1, 1, 255]]]


def test_tile_keeps_magenta_pixels_beside_grey_panels():
    magenta = np.array([[[[255, 0, 255]]]], np.uint8)
    grid = tiled({"input": ones_to(1), "prediction": magenta})
    assert grid.tolist() == [[[1, 1, 1], [255, 0, 255]]]


def test_canvas_with_slices_puts_those_of_a_sample_side_by_side():
    sizes = {"a": (1, 1), "b": (1, 1)}
    layout = plan(sizes, 3, columns=2, padding=0, slices=(4, 9))
    canvas = Canvas(layout, 1)
    values = np.arange(1, 7, dtype=np.uint8).reshape(6, 1, 1, 1)
    assert canvas.room({"a": (1, 1, 1), "b": (1, 1, 1)}, 1) == {}
    for rows in (slice(0, 2), slice(2, 6)):
        canvas.place({"a": values[rows], "b": values[rows] + 10})
    assert canvas.image[..., 0].tolist() == [
        [1, 2, 3, 4],
        [11, 12, 13, 14],
        [5, 6, 0, 0],
        [15, 16, 0, 0],
    ]


@pytest.mark.parametrize(
    ("size", "tile", "box"),
    [
        pytest.param((1, 1), (4, 4), (0, 0, 4, 4), id="a dot"),
        pytest.param((2, 2), (4, 6), (0, 1, 4, 4), id="a square in a wide tile"),
        pytest.param((2, 2), (7, 4), (1, 0, 4, 4), id="a square in a tall tile"),
        pytest.param((2, 3), (4, 6), (0, 0, 4, 6), id="of the tile's proportions"),
        pytest.param((1, 9), (3, 4), (1, 0, 1, 4), id="a line across"),
        pytest.param((9, 1), (5, 4), (0, 1, 5, 1), id="a line down"),
        pytest.param((2, 5), (5, 5), (1, 0, 2, 5), id="wide"),
        pytest.param((5, 2), (5, 5), (0, 1, 5, 2), id="tall"),
        pytest.param((3, 2), (4, 4), (0, 1, 4, 2), id="tall, of odd sides"),
    ],
)
def test_image_is_put_into_its_tile_in_proportion_and_in_the_middle(size, tile, box):
    layout = plan({"a": (1, 1), "b": tile}, 3, columns=2, padding=1, pad_value=9)
    images = ones_to(3, *size)
    placed, put = Canvas(layout, 1), Canvas(layout, 1)
    placed.place({"a": images})
    for sample, image in enumerate(images):
        put.put(image, sample, 0)
    expected = np.full((*layout.size, 1), 9, np.uint8)
    for sample in range(3):
        y, x = layout.tile_at(sample, 0)
        expected[y + box[0] :, x + box[1] :][: box[2], : box[3]] = sample + 1
    np.testing.assert_array_equal(placed.image, expected)
    np.testing.assert_array_equal(put.image, expected)


def test_room_is_for_images_that_fill_their_tile_with_the_pictures_channels():
    layout = plan({"a": (2, 3), "b": (2, 3)}, 1, columns=1, padding=1)
    shapes = {"b": (2, 3, 3), "a": (2, 3, 1)}
    room = Canvas(layout, 3).room(shapes, 1)
    assert {name: views.shape for name, views in room.items()} == {"b": (1, 2, 3, 3)}
    assert list(Canvas(layout, 1).room(shapes, 1)) == ["a"]


def test_canvas_over_a_picture_has_room_for_its_first_sample():
    layout = plan({"a": (1, 1)}, 2, columns=2, padding=0)
    canvas = Canvas.over(layout, np.zeros((1, 2, 1), np.uint8))
    canvas.room({"a": (1, 1, 1)}, 1)["a"][...] = 5
    assert canvas.image[..., 0].tolist() == [[5, 0]]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("level", [0, 7])
def test_blank_picture_is_of_one_level_and_opaque(channels, level):
    found = blank(1, 2, channels, level)
    assert (found.dtype, found.shape) == (np.uint8, (1, 2, channels))
    assert found[0, 1].tolist() == [level, level, level, 255][:channels]


@pytest.mark.parametrize(
    ("picture", "image", "expected"),
    [
        pytest.param(1, [5], [5], id="grey into grey"),
        pytest.param(3, [5], [5, 5, 5], id="grey into RGB"),
        pytest.param(4, [5], [5, 5, 5, 9], id="grey into RGBA"),
        pytest.param(3, [5, 6, 7], [5, 6, 7], id="RGB into RGB"),
        pytest.param(4, [5, 6, 7], [5, 6, 7, 9], id="RGB into RGBA"),
        pytest.param(4, [5, 6, 7, 8], [5, 6, 7, 8], id="RGBA into RGBA"),
    ],
)
def test_paste_spreads_grey_and_keeps_the_pictures_alpha(picture, image, expected):
    pictures = np.full((2, 3, 4, picture), 9, np.uint8)
    paste(pictures, np.broadcast_to(np.array(image, np.uint8), (2, 2, 1, len(image))), 1, 2)
    wanted = np.full((2, 3, 4, picture), 9, np.uint8)
    wanted[:, 1:3, 2] = expected
    np.testing.assert_array_equal(pictures, wanted)
