"""Volumes and clips: which slices are drawn, and that everything else is cut alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import LAYOUTS

from keras_image_saver import Batch, Images, Segmentation, colorize, to_uint8
from keras_image_saver.picture.compose import Drawing, Kept, compose
from keras_image_saver.picture.layout import layout_of
from keras_image_saver.picture.tiling import Tiling
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.render.slices import Slices, check_slices, slices_of

pytestmark = pytest.mark.numpy

RNG = np.random.default_rng(0)
INFO = OutputInfo(("prediction",), (None,), 0)
FIRST = OutputInfo(("prediction",), (None,), 0, channels_first=True)


def volumes(*shape):
    return RNG.uniform(0, 1, shape).astype(np.float32)


def bound_of(render, outputs, inputs=None, targets=None, info=INFO):
    return render.bind(Batch(inputs, targets, outputs), info)


def drawn(render, outputs, inputs=None, targets=None, info=INFO):
    batch = Batch(inputs, targets, outputs)
    return render.bind(batch, info)(batch).panels


def numbers(wanted, depth):
    return slices_of(
        wanted, 1, np.zeros((1, depth, 2, 2, 1)), channels_first=False, as_ids=False
    ).numbers


@pytest.mark.parametrize(
    ("wanted", "depth", "expected"),
    [
        (1, 5, (2,)),
        (1, 1, (0,)),
        (2, 8, (2, 6)),
        (4, 4, (0, 1, 2, 3)),
        (3, 10, (1, 5, 8)),
        (5, 10, (1, 3, 5, 7, 9)),
        ((0, 5, -1), 10, (0, 5, 9)),
        ((7, 2), 10, (7, 2)),
    ],
)
def test_slices_are_evenly_spaced_or_those_that_are_named(wanted, depth, expected):
    assert numbers(wanted, depth) == expected


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_images_draws_the_slices_of_each_sample_one_after_another(axis):
    values = volumes(2, 4, 5, 6, 3)
    (panel,) = drawn(Images((0, 1), slices=(0, 3), slice_axis=axis), values).values()
    cut = np.moveaxis(values, axis, 1)[:, [0, 3]]
    np.testing.assert_array_equal(panel, to_uint8(cut.reshape(-1, *cut.shape[2:])))


def test_inputs_and_targets_are_cut_alike():
    x, y, out = volumes(2, 6, 4, 4, 1), volumes(2, 6, 4, 4), volumes(2, 6, 4, 4, 1)
    panels = drawn(Images((0, 1), slices=2), out, x, y)
    assert list(panels) == ["input", "prediction", "target"]
    for name, values in (("input", x[..., 0]), ("prediction", out[..., 0]), ("target", y)):
        expected = to_uint8(values[:, [1, 4]].reshape(4, 4, 4))
        np.testing.assert_array_equal(panels[name][..., 0], expected)


def test_slices_with_channels_first_are_cut_by_the_axes_of_channels_last():
    out, x = volumes(2, 3, 6, 4, 5), volumes(2, 1, 6, 4, 5)
    panels = drawn(Images((0, 1), slices=(5,)), out, x, info=FIRST)
    np.testing.assert_array_equal(panels["prediction"], to_uint8(np.moveaxis(out, 1, -1)[:, 5]))
    np.testing.assert_array_equal(panels["input"][..., 0], to_uint8(x[:, 0, 5]))


def test_one_range_holds_for_all_slices():
    values = np.linspace(0, 1, 8, dtype=np.float32).reshape(1, 8, 1, 1, 1).repeat(2, 2).repeat(2, 3)
    (panel,) = drawn(Images((0, 1), slices=(0, 3)), values).values()
    assert panel[:, 0, 0, 0].tolist() == [0, round(255 * 3 / 7)]


def test_input_of_another_depth_is_left_out_and_refused_where_it_is_asked_for():
    out, x = volumes(2, 6, 4, 4, 1), volumes(2, 5, 4, 4, 1)
    assert list(drawn(Images((0, 1), slices=2), out, x)) == ["prediction"]
    with pytest.raises(ValueError, match=r"`panels` names 'input', but .* as many slices along"):
        drawn(Images((0, 1), slices=2, panels=("input", "prediction")), out, x)


def test_input_image_makes_volumes_that_are_cut():
    out, x = volumes(2, 6, 4, 4, 1), {"a": volumes(2, 6, 4, 4, 1), "b": volumes(2, 3)}
    render = Images((0, 1), slices=2, input_image=lambda inputs: inputs["a"] / 2)
    shown = render.images_of_inputs(x, INFO)
    assert shown.shape == (2, 6, 4, 4, 1)
    batch = Batch(x, None, out, shown)
    panels = render.bind(batch, INFO)(batch).panels
    expected = to_uint8((x["a"] / 2)[:, [1, 4]].reshape(4, 4, 4, 1))
    np.testing.assert_array_equal(panels["input"], expected)
    with pytest.raises(ValueError, match="`input_image` must return volumes of 6 slices along"):
        render.bind(Batch(x, None, out, shown[:, :5]), INFO)


@pytest.mark.parametrize("kind", ["scores", "ids", "device ids", "one channel"])
def test_segmentation_draws_slices_of_scores_and_of_ids(kind):
    ids = RNG.integers(0, 2, (2, 6, 4, 5))
    outputs = {
        "scores": np.eye(2, dtype=np.float32)[ids],
        "ids": ids,
        "device ids": ids.astype(np.int32),
        "one channel": ids[..., None].astype(np.float32),
    }[kind]
    panels = drawn(Segmentation(2, slices=(0, 4)), outputs, targets=ids)
    expected = colorize(ids[:, [0, 4]].reshape(4, 4, 5))
    for name in ("prediction", "target"):
        np.testing.assert_array_equal(panels[name], expected)


@pytest.mark.parametrize("hot", [False, True])
def test_segmentation_along_the_last_axis_lies_over_the_input(hot):
    ids, x = RNG.integers(0, 3, (1, 4, 4, 6)), volumes(1, 4, 4, 6, 1)
    scores = np.eye(3, dtype=np.float32)[ids]
    render = Segmentation(input_range=(0, 1), overlay=1.0, slices=(2, 5), slice_axis=3)
    panels = drawn(render, scores, x, scores if hot else ids[..., None])
    expected = colorize(np.moveaxis(ids, 3, 1)[:, [2, 5]].reshape(2, 4, 4))
    np.testing.assert_array_equal(panels["prediction"], expected)
    np.testing.assert_array_equal(panels["target"], expected)
    assert panels["input"].shape == (2, 4, 4, 1)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_ids_as_large_as_the_input_are_targets_of_smaller_scores(kind):
    ids, x = RNG.integers(0, 3, (2, 6, 8, 10)), volumes(2, 6, 8, 10, 1)
    scores = np.eye(3, dtype=np.float32)[ids[:, :, ::2, ::2]]
    batch = Batch(x, ids.astype(kind), scores)
    bound = Segmentation(input_range=(0, 1), slices=(0, 4)).bind(batch, INFO)
    expected = colorize(ids[:, [0, 4]].reshape(4, 8, 10))
    np.testing.assert_array_equal(bound(batch).panels["target"], expected)
    (measured,) = bound.measured(batch).values()
    np.testing.assert_array_equal(measured.targets, ids.reshape(2, 48, 10))


def test_picture_has_a_tile_for_each_slice_also_where_inputs_are_drawn_once():
    out, x = volumes(3, 6, 20, 20, 1), volumes(3, 6, 20, 20, 1)
    samples, kept = Batch(x, None, None), Kept()
    bound = bound_of(Images((0, 1), slices=(1, 4)), out, x)
    assert bound.slices == (1, 4)
    for values in (out, out[::-1].copy()):
        chunks = [values[:2], values[2:]]
        picture = compose(Drawing(bound, samples, chunks, kept=kept), Tiling())
        geometry = picture.layout.geometry()
        assert geometry["slices"] == [1, 4]
        tiles, factor = layout_of(geometry).tiles(picture.image), geometry["enlargement"]
        for sample in range(3):
            place = divmod(sample, geometry["columns"])
            for panel, of_panel in enumerate((x, values)):
                found = tiles[place][panel, :, ::factor, ::factor]
                np.testing.assert_array_equal(found, to_uint8(of_panel[sample, [1, 4]]))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"slices": 0}, "`slices` must be an int, 1 or more, got 0"),
        ({"slices": ()}, "`slices` must be a number of slices, or a list .*got \\(\\)"),
        ({"slices": (1, 1)}, r"different numbers of them, got \(1, 1\)"),
        ({"slices": "all"}, "got 'all'"),
        ({"slices": (0.5,)}, r"got \(0\.5,\)"),
        ({"slices": True}, "got True"),
        ({"slices": 2, "slice_axis": 0}, "`slice_axis` must be an int from 1 to 3, got 0"),
        ({"slices": 2, "slice_axis": 4}, "from 1 to 3, got 4"),
        ({"slice_axis": 3}, "`slice_axis` needs `slices`, got slice_axis=3 without"),
    ],
    ids=str,
)
@pytest.mark.parametrize("render", [Images, Segmentation])
def test_slices_that_are_none_are_refused(render, arguments, shown):
    with pytest.raises(ValueError, match=shown):
        render(**arguments)


@pytest.mark.parametrize(
    ("render", "outputs", "shown"),
    [
        (Images((0, 1), slices=2), (2, 8, 8, 3), r"`slices` must be None unless .*\(2, 8, 8, 3\)"),
        (Segmentation(slices=2), (2, 8, 8, 3), r"slices=2 for outputs of shape \(2, 8, 8, 3\)"),
        (Images((0, 1), slices=9), (2, 8, 4, 4, 1), "at most the 8 slices .*slice_axis=1, got 9"),
        (Images((0, 1), slices=(0, 8)), (2, 8, 4, 4, 1), "from 0 to 7, got 8"),
        (
            Images((0, 1), slices=(-5,), slice_axis=3),
            (2, 8, 4, 4, 1),
            "the 4 slices .*slice_axis=3, from 0 to 3, got -5",
        ),
    ],
    ids=["images", "scores of images", "too many", "beyond", "before"],
)
def test_outputs_without_such_slices_are_refused(render, outputs, shown):
    with pytest.raises(ValueError, match=shown):
        bound_of(render, volumes(*outputs))


@pytest.mark.parametrize("render", [Images((0, 1)), Segmentation()])
def test_volumes_without_slices_are_refused_with_the_way(render):
    with pytest.raises(ValueError, match="of volumes or clips pass slices=8"):
        bound_of(render, volumes(2, 8, 4, 4, 3))


def test_check_slices_keeps_plain_ints():
    assert check_slices(np.int64(3), 1) == 3
    assert check_slices(range(2), 1) == (0, 1)
    assert check_slices(None, 1) is None


def test_slices_of_one_slice_by_two_numbers_are_refused():
    with pytest.raises(ValueError, match=r"`slices` must name each slice once, got \(-1, 7\) of 8"):
        numbers((-1, 7), 8)


def test_volumes_with_other_slices_than_the_prediction_are_not_drawn_and_that_is_said():
    bound = bound_of(
        Images((0, 1), slices=1),
        volumes(1, 8, 4, 4, 1),
        volumes(1, 4, 4, 4, 1),
        volumes(1, 6, 4, 4, 1),
    )
    assert list(bound.ranges) == ["prediction"]
    assert [text.split(":")[0] for text in bound.warnings] == [
        "No input is drawn",
        "No target is drawn",
    ]
    assert "shape (1, 6, 4, 4, 1)" in bound.warnings[1]
    assert "slice_axis=1 than the prediction's 8" in bound.warnings[1]
    ids = np.zeros((1, 6, 4, 4), np.uint8)
    (text,) = bound_of(Segmentation(slices=1), volumes(1, 8, 4, 4, 3), targets=ids).warnings
    assert text.startswith("No target is drawn: of shape (1, 6, 4, 4)")
    render = Images((0, 1), slices=1, panels=("prediction",))
    assert bound_of(render, volumes(1, 8, 4, 4, 1), volumes(1, 4, 4, 4, 1)).warnings == ()


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=st.tuples(*[st.integers(1, 4)] * 5),
    axis=st.integers(1, 3),
    layout=st.sampled_from([*LAYOUTS]),
    first=st.booleans(),
    is_stack=st.booleans(),
)
def test_slices_of_any_volume_are_those_that_are_named(data, shape, axis, layout, first, is_stack):
    volumes = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    numbers = data.draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, unique=True))
    given = volumes
    if first and shape[4] > 1 and shape[3] > 1:
        given = np.moveaxis(volumes, -1, 1)
    else:
        first = False
    slices = Slices(axis, shape[1:4], tuple(numbers), first, is_stack=is_stack)
    found = slices.cut(LAYOUTS[layout](given))
    expected = [[volume.take(number, axis - 1) for number in numbers] for volume in volumes]
    join = np.concatenate if is_stack else np.stack
    images = np.stack([join(one) for one in expected])
    np.testing.assert_array_equal(found, images if is_stack else np.concatenate(images))
