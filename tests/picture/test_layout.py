"""Where tiles stand: planned, recorded, and found again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_image_saver.picture.layout import Layout, layout_of, plan, sample_box

pytestmark = pytest.mark.numpy


def test_plan_with_several_panels_in_one_column_is_a_row_a_sample():
    layout = plan({"input": (4, 6), "prediction": (4, 6)}, 3, columns=1, padding=2)
    assert (layout.rows, layout.columns, layout.panels) == (3, 1, ("input", "prediction"))
    assert (layout.origin, layout.stride, layout.size) == ((2, 2), (6, 8), (20, 18))
    assert [layout.tile_at(2, panel) for panel in (0, 1)] == [(14, 2), (14, 10)]


def test_plan_with_several_panels_and_columns_puts_so_many_samples_in_a_row():
    layout = plan({"input": (1, 1), "prediction": (1, 1)}, 5, columns=2, padding=0)
    assert (layout.rows, layout.size) == (3, (3, 4))
    assert layout.tile_at(3, 1) == (1, 3)
    assert layout.tile_at(4, 0) == (2, 0)


@pytest.mark.parametrize(
    ("count", "panels", "columns"),
    [(1, 3, 1), (2, 2, 1), (3, 2, 1), (4, 2, 1), (5, 2, 2), (16, 3, 2), (24, 3, 3), (64, 2, 6)],
)
def test_plan_with_several_panels_is_nearest_to_a_square(count, panels, columns):
    sizes = {str(panel): (64, 64) for panel in range(panels)}
    assert plan(sizes, count, columns=None, padding=2).columns == columns


@pytest.mark.parametrize("count", [2, 3, 7, 16, 40, 100, 1024])
@pytest.mark.parametrize("panels", [2, 3, 4])
@pytest.mark.parametrize("size", [(64, 64), (64, 96), (48, 32)], ids=str)
def test_plan_with_several_panels_is_no_sliver(count, panels, size):
    sizes = {str(panel): size for panel in range(panels)}
    layout = plan(sizes, count, columns=None, padding=2, caption_size=(12, 50))
    height, width = layout.size
    # A row of a few samples may be long whatever is done.
    limit = max(2, panels * size[1] / size[0] / count)
    assert 1 / 2 <= width / height <= 1.05 * limit
    assert layout.columns * layout.rows - count < layout.columns


def test_plan_keeps_samples_in_a_row_further_apart_than_their_panels():
    layout = plan({"a": (4, 6), "b": (4, 6)}, 5, columns=3, padding=2)
    assert [layout.tile_at(0, panel)[1] for panel in (0, 1)] == [2, 10]
    assert [layout.tile_at(sample, 0)[1] for sample in (1, 2)] == [2 + 16 + 6, 2 + 2 * (16 + 6)]
    assert layout.size == (2 + 2 * 6, 2 + 3 * 16 + 2 * 6)
    assert layout.geometry()["sample_gap"] == [0, 6]


@pytest.mark.parametrize(
    ("panels", "columns", "padding"), [("a", 3, 2), ("ab", 1, 2), ("ab", 3, 0)], ids=str
)
def test_geometry_without_a_gap_between_samples_has_none(panels, columns, padding):
    sizes = dict.fromkeys(panels, (4, 6))
    geometry = plan(sizes, 5, columns=columns, padding=padding).geometry()
    assert list(geometry) == [
        "origin", "tile", "stride", "columns", "count", "panels", "enlargement"
    ]  # fmt: skip


def test_plan_enlarges_by_what_it_is_told_or_more():
    sizes = {"a": (4, 6), "b": (4, 6)}
    factors = [
        plan(sizes, 1, columns=1, padding=1, caption_size=(9, wide), enlargement=2).enlargement
        for wide in (0, 12, 13)
    ]
    assert factors == [2, 2, 3]


def test_plan_with_names_has_room_under_each_row():
    layout = plan({"a": (4, 6)}, 3, columns=2, padding=1, name_height=5)
    # Between rows there is more, so that a name is nearer to its own tile.
    assert [layout.tile_at(sample, 0) for sample in (0, 1, 2)] == [(1, 1), (1, 8), (14, 1)]
    assert layout.size == (1 + 2 * (4 + 5 + 1) + 3, 15)
    assert layout.geometry()["sample_gap"] == [8, 0]
    one_row = plan({"a": (4, 6)}, 2, columns=2, padding=1, name_height=5)
    assert (one_row.size[0], one_row.geometry()["sample_gap"]) == (11, [5, 0])


def test_plan_with_slices_puts_them_side_by_side_and_panels_below_one_another():
    layout = plan(
        dict.fromkeys("ab", (4, 6)), 3, columns=2, padding=1, caption_size=(5, 2), slices=(0, 7)
    )
    assert [layout.tile_at(0, 0, place) for place in (0, 1)] == [(6, 1), (6, 8)]
    assert layout.tile_at(0, 1, 1) == (6 + 4 + 1 + 5, 8)
    assert layout.tile_at(1, 0, 0) == (6, 1 + 2 * 7 + 3)
    assert layout.tile_at(2, 0, 0) == (6 + 2 * 10 + 3, 1)
    assert layout.size == (6 + 2 * 10 + 3 + 10 + 4 + 1, 1 + 4 * 7 + 3)
    geometry = layout.geometry()
    assert (geometry["slices"], geometry["sample_gap"]) == ([0, 7], [3, 3])
    assert sample_box(geometry, 0) == (6, 1, 14, 13)
    assert sample_box(geometry, 1, ["b"]) == (16, 18, 4, 13)
    assert layout_of(json.loads(json.dumps(geometry))) == layout


@pytest.mark.parametrize(
    ("panels", "slices", "columns", "gap"),
    [
        pytest.param("a", (), 3, 0, id="one tile"),
        pytest.param("a", (4,), 3, 0, id="one slice"),
        pytest.param("a", (4, 5), 2, 6, id="two slices"),
        pytest.param("a", (4, 5, 6), 2, 6, id="three slices"),
        pytest.param("ab", (), 2, 6, id="two panels"),
        pytest.param("ab", (4,), 2, 6, id="one slice of two panels"),
    ],
)
def test_samples_stand_apart_where_one_has_several_tiles(panels, slices, columns, gap):
    sizes = dict.fromkeys(panels, (4, 4))
    layout = plan(sizes, 7, columns=columns, padding=2, slices=slices)
    # Rows stand apart where tiles of one sample stand below one another.
    below = 6 if slices and len(panels) > 1 else 0
    assert layout.sample_gap == (below, gap)
    assert plan(sizes, 2, columns=2, padding=2, slices=slices).sample_gap == (0, gap)
    # Nobody says how many there are in a row: their root where each has one tile.
    assert (plan(sizes, 7, columns=None, padding=2, slices=slices).columns == 3) is (gap == 0)


@pytest.mark.parametrize("slices", [(), (0, 3, 7)], ids=str)
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 2), (3, 3)])
def test_tiles_of_a_picture_are_where_the_layout_says(slices, count, columns):
    layout = plan(
        dict.fromkeys("ab", (2, 3)),
        count,
        columns=columns,
        padding=2,
        caption_size=(4, 2),
        name_height=3,
        slices=slices,
    )
    picture = np.arange(np.prod(layout.size) * 3, dtype=np.int64).reshape(*layout.size, 3)
    tiles = layout.tiles(picture)
    assert tiles.shape == (layout.rows, columns, 2, max(1, len(slices)), 2, 3, 3)
    for sample in range(count):
        for panel in range(2):
            for place in range(layout.depth):
                y, x = layout.tile_at(sample, panel, place)
                tile = tiles[sample // columns, sample % columns, panel, place]
                np.testing.assert_array_equal(tile, picture[y : y + 2, x : x + 3])


def test_layout_of_a_geometry_is_the_layout():
    sizes = dict.fromkeys("ab", (4, 5))
    for columns in (1, 2):
        layout = plan(sizes, 5, columns=columns, padding=2, pad_value=9, caption_size=(9, 3))
        assert layout_of(json.loads(json.dumps(layout.geometry()))) == layout


def test_layout_of_a_geometry_that_tells_the_least_is_plain():
    told = {"origin": [1, 2], "tile": [3, 4], "stride": [5, 6], "columns": 2, "count": 3}
    found = layout_of({**told, "panels": ["a", 7]})
    assert found == Layout((1, 2), (3, 4), (5, 6), 2, 3, ("a", "7"))
    assert (found.enlargement, found.sample_gap, found.slices) == (1, (0, 0), ())
    assert (found.pad_value, found.foot) == (0, 0)


def test_layout_of_the_first_version_has_black_gaps_of_one_width():
    geometry = plan({"a": (1, 1), "b": (1, 1)}, 4, columns=2, padding=1, pad_value=9).geometry()
    del geometry["sample_gap"], geometry["pad_value"]
    found = layout_of(geometry)
    assert (found.sample_gap, found.pad_value) == ((0, 0), 0)
    assert found.tile_at(1, 0) == (1, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": 5},
        {"tile": [1]},
        {"stride": ["a", "b"]},
        {"columns": 0},
        {"count": float("inf")},
        {"panels": []},
        {"enlargement": None},
        {"sample_gap": 3},
        {"pad_value": "grey"},
        {"pad_value": 256},
        {"pad_value": True},
    ],
    ids=str,
)
def test_layout_of_nonsense_says_so(change):
    geometry = plan({"a": (4, 4)}, 5, columns=None, padding=0).geometry()
    with pytest.raises(ValueError, match="no record of where its tiles stand"):
        layout_of(geometry | change)


def test_plan_with_captions_starts_below_them():
    layout = plan({"a": (4, 6), "b": (4, 6)}, 2, columns=1, padding=1, caption_size=(9, 6))
    assert (layout.origin, layout.enlargement) == ((10, 1), 1)
    assert layout.size == (9 + 2 * 5 + 1, 2 * 7 + 1)


@pytest.mark.parametrize(
    ("caption_width", "factor"), [(6, 1), (7, 2), (12, 2), (13, 3)], ids="{}".format
)
def test_plan_with_wide_captions_enlarges_tiles_by_a_whole_factor(caption_width, factor):
    sizes = {"a": (4, 6), "b": (4, 6)}
    layout = plan(sizes, 1, columns=None, padding=1, caption_size=(9, caption_width))
    assert (layout.enlargement, layout.tile) == (factor, (4 * factor, 6 * factor))


def test_plan_with_panels_of_several_sizes_takes_the_largest():
    layout = plan({"input": (2, 3), "prediction": (8, 6)}, 1, columns=None, padding=0)
    assert layout.tile == (8, 6)


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("panels", [None, ["b"], ["b", "c"]], ids=str)
def test_sample_box_is_where_the_layout_put_a_sample(columns, panels):
    sizes = dict.fromkeys("abc", (4, 5))
    layout = plan(sizes, 5, columns=columns, padding=2, caption_size=(9, 3))
    names = panels or list("abc")
    for sample in range(5):
        y, x, height, width = sample_box(layout.geometry(), sample, panels)
        assert (y, x) == layout.tile_at(sample, "abc".index(names[0]))
        end = layout.tile_at(sample, "abc".index(names[-1]))
        assert (y + height, x + width) == (end[0] + 4, end[1] + 5)


@pytest.mark.parametrize("sample", [-1, 5, 6])
def test_sample_box_of_no_sample_says_how_many_there_are(sample):
    geometry = plan({"a": (4, 4)}, 5, columns=None, padding=0).geometry()
    with pytest.raises(ValueError, match=f"there are 5 samples, numbered from 0, got {sample}"):
        sample_box(geometry, sample)


def test_sample_box_of_an_unknown_panel_or_geometry_says_so():
    geometry = plan({"a": (4, 4)}, 5, columns=None, padding=0).geometry()
    for broken, panels in ((geometry, ["z"]), ({}, None), (geometry | {"columns": 0}, None)):
        with pytest.raises(ValueError, match="no record of where its tiles stand"):
            sample_box(broken, 0, panels)


def test_geometry_of_numpys_ints_is_json():
    layout = plan({"a": (1, 1)}, np.int64(3), columns=np.int64(2), padding=np.int64(1))
    assert json.loads(json.dumps(layout.geometry()))["columns"] == 2


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3),
    count=st.integers(1, 7),
    columns=st.none() | st.integers(1, 8),
    slices=st.lists(st.integers(0, 9), max_size=3, unique=True),
    options=st.fixed_dictionaries(
        {
            "padding": st.integers(0, 3),
            "pad_value": st.integers(0, 255),
            "caption_size": st.just((0, 0)) | st.tuples(st.integers(1, 5), st.integers(1, 9)),
            "name_height": st.integers(0, 5),
            "enlargement": st.integers(1, 3),
        }
    ),
)
def test_tiles_of_any_plan_lie_apart_within_the_picture(sizes, count, columns, slices, options):
    sizes = {str(number): size for number, size in enumerate(sizes)}
    layout = plan(sizes, count, columns=columns, slices=slices, **options)
    assert layout_of(json.loads(json.dumps(layout.geometry()))) == replace(layout, foot=0)
    used = np.zeros(layout.size, int)
    padding, (above, _) = options["padding"], options["caption_size"]
    (height, width), tiles = layout.tile, 0
    for sample in range(count):
        for panel in range(len(sizes)):
            for place in range(layout.depth):
                y, x = layout.tile_at(sample, panel, place)
                used[y : y + height, x : x + width] += 1
                tiles += 1
                # Captions are above the first row, and above each where there are slices.
                free = padding + (above if slices or y == layout.origin[0] else 0)
                assert used[y - free : y, x - padding : x + width + padding].sum() == 0
        # And a name is below the last panel.
        assert used[y + height :][: options["name_height"] + padding, x : x + width].sum() == 0
    assert (used.sum(), used.max()) == (tiles * height * width, 1)
