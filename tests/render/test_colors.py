"""Class ids to colours, and colours over images."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.pixels import INTEGERS, bit_interleaved
from support.versions import refuses_ragged

from keras_image_saver import colorize, overlay
from keras_image_saver.render.colors import apply_colormap, check_colormap

MAGENTA = [255, 0, 255]
VOID = [224, 224, 192]


# colorize


@pytest.mark.parametrize("dtype", INTEGERS)
def test_colorize_of_any_integer_type_looks_up_the_palette(dtype):
    colors = colorize(np.array([[0, 1], [2, 127]], dtype))
    assert colors.dtype == np.uint8
    assert colors.tolist() == [[[0, 0, 0], [128, 0, 0]], [[0, 128, 0], bit_interleaved(127)]]


def test_colorize_of_bool_is_two_classes():
    assert colorize(np.array([False, True])).tolist() == [[0, 0, 0], [128, 0, 0]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 1)], ids=str)
def test_colorize_adds_a_channel_axis(shape):
    assert colorize(np.ones(shape, np.uint8)).tolist() == np.full((*shape, 3), [128, 0, 0]).tolist()


@pytest.mark.parametrize(
    ("dtype", "class_id"), [("uint8", 3), ("uint8", 255), ("int64", -1), ("int64", 2**40)]
)
def test_colorize_of_ids_outside_the_classes_is_magenta(dtype, class_id):
    ids = np.array([2, class_id], dtype)
    assert colorize(ids, num_classes=3).tolist() == [[0, 128, 0], MAGENTA]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("ignored", [-1, 2, 255])
def test_colorize_with_ignore_index_draws_void(dtype, ignored):
    known = np.iinfo(dtype)
    held = known.min <= ignored <= known.max
    ids = np.array([1, ignored if held else 1], dtype)
    expected = [[128, 0, 0], VOID if held else [128, 0, 0]]
    assert colorize(ids, ignore_index=ignored, num_classes=3).tolist() == expected


def test_colorize_with_own_palette_takes_its_colours():
    palette = [(1, 2, 3), (255, 254, 253)]
    expected = [[255, 254, 253], [1, 2, 3], MAGENTA]
    assert colorize(np.array([1, 0, 2]), palette=palette).tolist() == expected


def test_colorize_with_fewer_classes_than_colours_draws_only_those():
    palette = [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    expected = [[2, 2, 2], MAGENTA]
    assert colorize(np.array([1, 2]), palette=palette, num_classes=2).tolist() == expected


@pytest.mark.parametrize(
    "values", [np.zeros((2, 2)), np.zeros((2, 2), np.float16)], ids=["f8", "f2"]
)
def test_colorize_of_floats_says_argmax(values):
    with pytest.raises(TypeError, match=r"`class_map` must be integers.*\(2, 2\).*float.*argmax"):
        colorize(values)


@pytest.mark.parametrize(
    ("palette", "shown"),
    [
        pytest.param("ade20k", "'ade20k'", id="unknown name"),
        pytest.param([(0.0, 0.5, 1.0)], "float64", id="floats"),
        pytest.param([(0, 0)], r"\(1, 2\)", id="two channels"),
        pytest.param([], r"\(0,\)", id="empty"),
        pytest.param([(0, 0, 256)], "from 0 to 256", id="over 255"),
        pytest.param([(0, 0, -1)], "from -1 to 0", id="negative"),
        pytest.param([(0, 0, 0), (1, 2)], "object", id="ragged", marks=refuses_ragged),
        pytest.param(None, "object", id="none"),
    ],
)
def test_colorize_with_invalid_palette_shows_it(palette, shown):
    with pytest.raises(ValueError, match=f"`palette` must .*{shown}"):
        colorize(np.array([0]), palette=palette)


def test_colorize_with_too_few_colours_counts_them():
    with pytest.raises(ValueError, match=r"`palette` must have .*of the 3 classes, got 2"):
        colorize(np.array([0]), palette=[(0, 0, 0), (1, 1, 1)], num_classes=3)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    ids=st.sampled_from([*INTEGERS, "bool"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=3, max_side=4))
    ),
    num_classes=st.integers(1, 300),
    ignore_index=st.none() | st.sampled_from([-1, 0, 255]),
)
def test_colorize_of_any_class_map_draws_each_id(ids, num_classes, ignore_index):
    ids = np.repeat(ids, 2, axis=0)[::-2]  # not contiguous
    ids.flags.writeable = False
    before = ids.tolist()
    colors = colorize(ids, num_classes=num_classes, ignore_index=ignore_index)
    assert ids.tolist() == before
    assert colors.shape == (*ids.shape, 3)
    for index in np.ndindex(ids.shape):
        class_id = int(ids[index])
        if class_id == ignore_index:
            expected = VOID
        else:
            expected = bit_interleaved(class_id) if 0 <= class_id < num_classes else MAGENTA
        assert colors[index].tolist() == expected


# overlay


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        pytest.param(0, [100, 101, 102], id="photo alone"),
        pytest.param(0.25, [125, 76, 140], id="a quarter"),
        pytest.param(0.5, [150, 50, 178], id="half"),
        pytest.param(1, [200, 0, 255], id="colours alone"),
    ],
)
def test_overlay_mixes_by_weight(weight, expected):
    photo = np.array([[[[100, 101, 102]]]], np.uint8)
    colors = np.array([[[[200, 0, 255]]]], np.uint8)
    assert overlay(photo, colors, weight).tolist() == [[[expected]]]


def test_overlay_of_grey_turns_rgb():
    photo = np.full((1, 1, 1), 100, np.uint8)
    assert overlay(photo, np.array([[[200, 0, 100]]], np.uint8), 0.5).tolist() == [[[150, 50, 100]]]


def test_overlay_of_rgba_drops_alpha():
    photo = np.full((1, 1, 4), 100, np.uint8)
    assert overlay(photo, np.array([[[200, 0, 100]]], np.uint8), 0.5).tolist() == [[[150, 50, 100]]]


def test_overlay_leaves_the_callers_arrays():
    photo, colors = np.full((1, 2, 2, 3), 9, np.uint8), np.full((1, 2, 2, 3), 200, np.uint8)
    photo.flags.writeable = colors.flags.writeable = False
    overlay(photo, colors, 0.5)
    assert (int(photo.max()), int(colors.min())) == (9, 200)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), True, "0.5", None], ids=repr)
def test_overlay_with_invalid_weight_shows_it(weight):
    photo = np.zeros((1, 1, 3), np.uint8)
    with pytest.raises(ValueError, match=f"`weight` must be a number from 0 to 1, got {weight!r}"):
        overlay(photo, photo, weight)


@pytest.mark.parametrize("weight", [np.float32(0.5), np.float64(0.5), np.float16(0.5)], ids=repr)
def test_overlay_with_numpy_weight_mixes(weight):
    photo, colors = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 200, np.uint8)
    assert overlay(photo, colors, weight).tolist() == [[[100, 100, 100]]]


@pytest.mark.parametrize(
    ("photo", "colors", "shown"),
    [
        pytest.param(
            (2, 2, 3),
            (2, 3, 3),
            r"images of shape \(2, 2, 3\) and colors of shape \(2, 3, 3\)",
            id="other size",
        ),
        pytest.param(
            (2, 2, 3),
            (2, 2, 1),
            r"images of shape \(2, 2, 3\) and colors of shape \(2, 2, 1\)",
            id="grey colours",
        ),
        pytest.param((2, 2, 2), (2, 2, 3), r"\(2, 2, 2\)", id="photo of 2 channels"),
    ],
)
def test_overlay_of_other_shapes_shows_them(photo, colors, shown):
    with pytest.raises(ValueError, match=f"`(images|colors)` must .*{shown}"):
        overlay(np.zeros(photo, np.uint8), np.zeros(colors, np.uint8), 0.5)


def test_overlay_of_floats_names_to_uint8():
    with pytest.raises(ValueError, match=r"must be uint8, got float64 and uint8.*to_uint8"):
        overlay(np.zeros((1, 1, 3)), np.zeros((1, 1, 3), np.uint8), 0.5)


@pytest.mark.parametrize("photo", [(), (3,), (2, 2)], ids=str)
def test_overlay_of_what_has_no_channels_shows_it(photo):
    with pytest.raises(ValueError, match=r"`images` must have 1, 3 or 4 channels"):
        overlay(np.zeros(photo, np.uint8), np.zeros((*photo[:-1], 1), np.uint8), 0.5)


def test_overlay_that_mixes_all_of_both_says_nothing_of_floats():
    with np.errstate(all="raise"):
        found = overlay(np.full((1, 3), 9, np.uint8), np.full((1, 3), 200, np.uint8), 1e-44)
    assert found.tolist() == [[9, 9, 9]]


# Colour tables

RAMP = np.linspace(0, 1, 256)[:, None].repeat(3, 1)


def test_colormap_of_floats_becomes_bytes():
    table = RAMP.copy()
    table[:3, 0] = 0, 1, 0.5
    found = check_colormap(table)
    assert found.dtype == np.uint8
    assert found[:3, 0].tolist() == [0, 255, 128]
    assert found[:, 1].tolist() == list(range(256))


def test_colormap_of_a_name_is_matplotlibs():
    matplotlib = pytest.importorskip("matplotlib", reason="of the extra `colormaps`")
    expected = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    assert np.abs(check_colormap("viridis") - expected.astype(int)).max() <= 1
    assert check_colormap("gray").tolist() == [[level] * 3 for level in range(256)]
    with pytest.raises(ValueError, match=r"`colormap` must be .* knows, got 'viridies'"):
        check_colormap("viridies")


def test_colormap_of_a_name_without_matplotlib_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"colormap='gray'.*keras-image-saver\[colormaps\]"):
        check_colormap("gray")


def changed(value, dtype=float):
    table = np.zeros((256, 3), dtype)
    table[7, 1] = value
    return table


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param(changed(1.001), r"lie in \[0, 1\], got values from 0 to 1\.001", id="above"),
        pytest.param(changed(-0.001), r"lie in \[0, 1\], got values from -0\.001 to 0", id="below"),
        pytest.param(changed(np.nan), r"lie in \[0, 1\], got values from nan to nan", id="nan"),
        pytest.param(changed(256, int), "must hold 0 to 255, got values from 0 to 256", id="256"),
        pytest.param(changed(-1, int), "must hold 0 to 255, got values from -1 to 0", id="-1"),
        pytest.param(changed(1, bool), "table, got .* dtype bool", id="bool"),
        pytest.param(np.zeros((255, 3)), r"table, got shape \(255, 3\)", id="255 colours"),
        pytest.param(np.zeros((256, 4)), r"table, got shape \(256, 4\)", id="RGBA"),
        pytest.param(
            [[0, 0, 0], [1]],
            r"table, got shape \(2,\) and dtype object",
            id="ragged",
            marks=refuses_ragged,
        ),
    ],
)
def test_colormap_that_is_no_table_of_colours_is_refused(table, said):
    with pytest.raises(ValueError, match=f"`colormap` .*{said}"):
        check_colormap(table)


LAYERS = st.sampled_from([*LAYOUTS]).map(LAYOUTS.get)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    channels=st.sampled_from([1, 3, 4]),
    weight=st.floats(0, 1),
)
def test_overlay_of_any_images_is_that_of_float64(data, shape, channels, weight):
    photos = data.draw(hnp.arrays(np.uint8, (*shape, channels)))
    tints = data.draw(hnp.arrays(np.uint8, (*shape, 3)))
    found = overlay(data.draw(LAYERS)(photos), data.draw(LAYERS)(tints), weight)
    exact = (1 - weight) * photos[..., :3].astype(float) + weight * tints
    assert (found.dtype, found.shape) == (np.uint8, tints.shape)
    assert np.abs(found - exact).max() <= 0.5001


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=2, max_dims=3, max_side=4),
    dtype=st.sampled_from(["uint8", "int64", "float16", "float64"]),
)
def test_any_colormap_draws_each_pixel_and_leaves_magenta(data, shape, dtype):
    levels = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 256, (256, 3))
    table = (levels if dtype in ("uint8", "int64") else levels / 255).astype(dtype)
    grey = data.draw(hnp.arrays(np.uint8, (*shape, 1)))
    bad = data.draw(hnp.arrays(bool, shape))
    checked = check_colormap(data.draw(LAYERS)(table))
    mapped = np.where(bad[..., None], np.uint8(MAGENTA), grey)
    found = apply_colormap(data.draw(LAYERS)(mapped), checked)
    bytes_ = np.rint(table * 255.0) if np.dtype(dtype).kind == "f" else table
    for place in np.ndindex(shape):
        expected = MAGENTA if bad[place] else bytes_[grey[place][0]].tolist()
        assert found[place].tolist() == expected
    np.testing.assert_array_equal(apply_colormap(grey, checked)[~bad], found[~bad])
