"""`to_uint8`, and `Images` bound to info and drawing plain arrays."""

import sys
import warnings
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_image_saver import Batch, Images, to_uint8
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.render.function import FunctionRenderer

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64", "bfloat16"]


def dtype_of(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def bind(render, outputs, *, inputs=None, targets=None, activations=(None,), **info):
    batch = Batch(inputs, targets, outputs)
    info = OutputInfo(**{"names": ("prediction",), "activations": activations, "chosen": 0, **info})
    return render.bind(batch, info)


def draw(render, outputs, *, inputs=None, targets=None, **info):
    bound = bind(render, outputs, inputs=inputs, targets=targets, **info)
    rendered = bound(Batch(inputs, targets, outputs))
    return SimpleNamespace(panels=rendered.panels, findings=bound.findings(rendered.counts))


def grey(*values, dtype=np.float32):
    """One grey image of one row."""
    return np.array(values, dtype).reshape(1, 1, -1, 1)


# to_uint8


def test_to_uint8_keeps_what_the_naive_answer_ruins():
    image = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    naive = image.astype(np.uint8) * 255
    assert naive.tolist() == [[0, 0], [0, 255]]
    assert to_uint8(image).tolist() == [[0, 64], [128, 255]]


def test_to_uint8_does_not_wrap_as_the_naive_answer_does():
    image = np.array([[-1.0, 256.0, 300.0]], np.float32)
    with pytest.warns(UserWarning, match="clipped"):
        assert to_uint8(image, value_range=(0, 255)).tolist() == [[0, 255, 255]]


@pytest.mark.parametrize("dtype", FLOATS)
def test_to_uint8_of_floats_means_0_to_1(dtype):
    image = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32).astype(dtype_of(dtype))
    assert to_uint8(image).tolist() == [[0, 64, 128, 255]]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_to_uint8_of_integers_means_0_to_255(dtype):
    image = np.array([[0, 1, 100, 127]], dtype)
    assert to_uint8(image).tolist() == [[0, 1, 100, 127]]


def test_to_uint8_of_uint8_is_the_same():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_uint8(image), image)


def test_to_uint8_of_bool_is_black_and_white():
    assert to_uint8(np.array([[True, False]])).tolist() == [[255, 0]]


def test_to_uint8_of_integers_beyond_bytes_clips_and_warns():
    with pytest.warns(UserWarning, match=r"50\.0% .*value_range=\(0, 255\).*from -5 to 70000"):
        mapped = to_uint8(np.array([[-5, 0, 255, 70_000]], np.int32))
    assert mapped.tolist() == [[0, 0, 255, 255]]


@pytest.mark.parametrize(
    ("dtype", "limits", "values", "expected"),
    [
        pytest.param("uint16", (0, 65_535), [0, 32_768, 65_535], [0, 128, 255], id="uint16"),
        pytest.param("int8", (-128, 127), [-128, 0, 127], [0, 128, 255], id="int8"),
        pytest.param("uint8", (0, 1), [0, 1, 1], [0, 255, 255], id="uint8 masks"),
        pytest.param("float64", (-1, 1), [-1, 0, 1], [0, 128, 255], id="tanh"),
        pytest.param("float32", (0, 255), [0, 127.4, 255], [0, 127, 255], id="bytes as floats"),
    ],
)
def test_to_uint8_with_value_range_maps_it_to_bytes(dtype, limits, values, expected):
    assert to_uint8(np.array([values], dtype), value_range=limits).tolist() == [expected]


@pytest.mark.parametrize(
    "shape",
    [(4, 5), (7, 4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4), (7, 4, 5, 1), (7, 4, 5, 3)],
    ids=str,
)
def test_to_uint8_keeps_the_shape(shape):
    image = np.linspace(0, 1, num=int(np.prod(shape)), dtype=np.float32).reshape(shape)
    mapped = to_uint8(image)
    assert mapped.shape == shape
    np.testing.assert_array_equal(mapped, np.rint(image * np.float32(255)).astype(np.uint8))


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        pytest.param((), r"\(\)", id="scalar"),
        pytest.param((3,), r"\(3,\)", id="vector"),
        pytest.param((1, 2, 2, 2), r"\(1, 2, 2, 2\)", id="2 channels"),
        pytest.param((1, 2, 2, 5), r"\(1, 2, 2, 5\)", id="5 channels"),
        pytest.param((1, 1, 2, 2, 3), r"\(1, 1, 2, 2, 3\)", id="video"),
        pytest.param((0, 2, 2, 3), r"\(0, 2, 2, 3\)", id="no images"),
        pytest.param((2, 0, 3), r"\(2, 0, 3\)", id="no width"),
    ],
)
def test_to_uint8_of_another_shape_shows_it(shape, shown):
    with pytest.raises(ValueError, match=f"`images` must have the shape .* got shape {shown}"):
        to_uint8(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        pytest.param(np.zeros((2, 2), complex), "complex128", id="complex"),
        pytest.param(np.full((2, 2), None), "object", id="objects"),
        pytest.param([["a", "b"]], "<U1", id="text"),
        pytest.param(None, "object", id="none"),
    ],
)
def test_to_uint8_of_another_dtype_shows_it(images, shown):
    with pytest.raises(TypeError, match=f"`images` must be bool, integer or float.*dtype {shown}"):
        to_uint8(images)


def test_to_uint8_with_reversed_range_shows_it():
    with pytest.raises(ValueError, match=r"`value_range` must be \(low, high\).*got \(1, -1\)"):
        to_uint8(np.zeros((2, 2)), value_range=(1, -1))


def test_to_uint8_of_grey_with_nan_turns_rgb_and_warns_with_the_count():
    image = np.array([[0.0, np.nan], [np.inf, 1.0]], np.float32)
    with pytest.warns(UserWarning, match="2 pixels of the image are NaN or infinite") as caught:
        mapped = to_uint8(image)
    magenta = [255, 0, 255]
    assert mapped.tolist() == [[[0, 0, 0], magenta], [magenta, [255, 255, 255]]]
    assert caught[0].filename == __file__


def test_to_uint8_of_rgba_with_nan_is_opaque_magenta():
    image = np.array([[[0.0, 0.0, 0.0, np.nan], [1.0, 0.0, 0.0, 0.0]]])
    with pytest.warns(UserWarning, match="1 pixels"):
        mapped = to_uint8(image)
    assert mapped.tolist() == [[[255, 0, 255, 255], [255, 0, 0, 0]]]


def test_to_uint8_of_clipped_values_warns_at_the_caller():
    with pytest.warns(UserWarning, match=r"75\.0% .*from -1 to 4") as caught:
        to_uint8(np.array([[-1.0, 0.5, 2.0, 4.0]]))
    assert caught[0].filename == __file__


def test_to_uint8_of_tensors_from_another_library_works():
    class Tensor:
        dtype = "torch.bfloat16"

        def __init__(self, values, calls=()):
            self.values, self.calls = values, calls

        def __getattr__(self, name):
            if name not in ("detach", "cpu", "float"):
                raise AttributeError(name)
            return lambda: Tensor(self.values, (*self.calls, name))

        def __array__(self, dtype=None, copy=None):
            assert self.calls == ("detach", "cpu", "float")
            return np.array(self.values, np.float32)

    assert to_uint8(Tensor([[0.0, 1.0]])).tolist() == [[0, 255]]


@st.composite
def arrays(draw, name):
    """Images of a dtype, any finite or non-finite values, and any layout."""
    dtype = np.dtype("float32" if name == "bfloat16" else name)
    shape = draw(
        st.one_of(
            st.tuples(*[st.integers(1, 4)] * 2),
            st.tuples(*[st.integers(1, 3)] * 3, st.sampled_from([1, 3, 4])),
        )
    )
    elements = hnp.from_dtype(dtype)
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        telling = [np.nan, np.inf, -np.inf, largest, -largest, 0.0, 1.0, -1e-3, 0.5]
        elements = st.one_of(elements, st.sampled_from(telling).map(dtype.type))
    array = draw(hnp.arrays(dtype, shape, elements=elements))
    if name == "bfloat16":
        with np.errstate(over="ignore"):
            array = array.astype(ml_dtypes.bfloat16)
    layout = draw(st.sampled_from(["plain", "fortran", "reversed", "stepped", "read-only"]))
    if layout == "fortran":
        array = np.asfortranarray(array)
    elif layout == "reversed":
        array = array[::-1, ::-1]
    elif layout == "stepped":
        array = np.repeat(array, 2, axis=0)[::2]
    elif layout == "read-only":
        array.flags.writeable = False
    return array


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_to_uint8_of_any_array_follows_the_formula(dtype, data):
    array = data.draw(arrays(dtype))
    ranges = [None, (-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (0.25, 0.75)]
    limits = data.draw(st.sampled_from(ranges))
    before = array.tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # clipping and NaN; others stay errors
        mapped = to_uint8(array, value_range=limits)
    assert array.tobytes() == before
    assert mapped.dtype == np.uint8
    if array.dtype == np.bool_:
        expected = np.where(array, 255, 0)
        finite = np.ones(array.shape, bool)
    elif array.dtype == np.uint8 and limits is None:
        expected = array
        finite = np.ones(array.shape, bool)
    else:
        integers = array.dtype.kind in "ui"
        low, high = limits or ((0.0, 255.0) if integers else (0.0, 1.0))
        with np.errstate(over="ignore", invalid="ignore"):
            values = array.astype(np.float32)
            scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
            expected = np.rint(np.clip(np.nan_to_num(scaled), 0, 255)).astype(np.uint8)
        finite = np.isfinite(values)
    pixels = finite if array.ndim == 2 else finite.all(-1)
    if pixels.all():
        np.testing.assert_array_equal(mapped, expected)
        return
    expected = expected[..., np.newaxis] if array.ndim == 2 else expected
    colored = np.repeat(expected, 3, -1) if expected.shape[-1] == 1 else expected.copy()
    colored[~pixels] = (255, 0, 255, 255)[: colored.shape[-1]]
    np.testing.assert_array_equal(mapped, colored)


# Images: the range


def test_images_with_value_range_maps_by_it():
    rendered = draw(Images(value_range=(-1, 1)), grey(-1, 0, 1))
    assert rendered.panels["prediction"].ravel().tolist() == [0, 128, 255]
    assert rendered.findings == ()


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        pytest.param("tanh", [128, 159, 191], id="tanh"),
        pytest.param("sigmoid", [0, 64, 128], id="sigmoid"),
        pytest.param("hard_sigmoid", [0, 64, 128], id="hard sigmoid"),
    ],
)
def test_images_take_the_range_of_the_last_activation_not_of_the_data(end, expected):
    rendered = draw(Images(), grey(0.0, 0.25, 0.5), activations=(end,))
    assert rendered.panels["prediction"].ravel().tolist() == expected


def test_images_draw_later_batches_by_the_same_range():
    bound = bind(Images(), grey(0.0, 0.01), activations=("tanh",))
    rendered = bound(Batch(None, None, grey(-1.0, 0.01, 3.0)))
    assert rendered.panels["prediction"].ravel().tolist() == [0, 129, 255]
    (finding,) = bound.findings(rendered.counts)
    assert "33.3% of the prediction's values lie outside value_range=(-1, 1)" in finding.text
    assert "from -1 to 3" in finding.text


def test_images_with_value_range_override_the_last_activation():
    rendered = draw(Images(value_range=(0, 1)), grey(0.0, 0.5, 1.0), activations=("tanh",))
    assert rendered.panels["prediction"].ravel().tolist() == [0, 128, 255]


@pytest.mark.parametrize("end", [None, "relu", "linear", "elu"])
def test_images_of_floats_with_no_range_to_be_known_show_the_values(end):
    rule = (
        r"`value_range` must be given for the panel 'prediction'.*float32.*from -3\.5 to 7\. "
        r"Pass Images\(value_range="
    )
    with pytest.raises(ValueError, match=rule):
        bind(Images(), grey(-3.5, np.nan, 7.0), activations=(end,))


def test_images_of_a_softmax_name_segmentation():
    scores = np.full((1, 2, 2, 3), 1 / 3, np.float32)
    with pytest.raises(ValueError, match=r"ends in a softmax.*render=Segmentation"):
        bind(Images(), scores, activations=("softmax",))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        pytest.param(grey(0, 7, 255, dtype=np.uint8), [0, 7, 255], id="uint8"),
        pytest.param(grey(False, True, dtype=np.bool_), [0, 255], id="bool"),
        pytest.param(grey(0, 7, 255, dtype=np.int64), [0, 7, 255], id="int64"),
    ],
)
def test_images_of_integers_need_no_range(outputs, expected):
    rendered = draw(Images(), outputs)
    assert rendered.panels["prediction"].ravel().tolist() == expected


def test_images_with_range_by_panel_map_each_by_its_own():
    render = Images(value_range={"prediction": (-1, 1), "target": (0, 255), "input": (0, 1)})
    rendered = draw(render, grey(-1, 1), inputs=grey(0, 1), targets=grey(0, 255))
    assert {name: panel.ravel().tolist() for name, panel in rendered.panels.items()} == {
        "input": [0, 255],
        "prediction": [0, 255],
        "target": [0, 255],
    }


def test_images_with_range_of_an_unknown_panel_list_the_panels():
    rule = "`value_range` has no panel 'output'; there are: input, prediction, target"
    with pytest.raises(ValueError, match=rule):
        bind(Images(value_range={"output": (0, 1)}), grey(0, 1))


def test_images_with_reversed_range_show_it():
    with pytest.raises(ValueError, match=r"`value_range` must be .*got \(1\.0, -1\.0\).*\(-1, 1\)"):
        Images(value_range=(1.0, -1.0))


def test_images_with_reversed_range_of_a_panel_name_it():
    with pytest.raises(ValueError, match=r"`value_range\['target'\]` must be .*got \(1, 1\)"):
        Images(value_range={"target": (1, 1)})


def test_images_tell_the_ranges_of_their_panels():
    bound = bind(Images(), grey(0, 1), inputs=grey(3, dtype=np.uint8), activations=("tanh",))
    assert bound.ranges == {"input": None, "prediction": (-1.0, 1.0)}


# Images: panels


def test_images_draw_input_prediction_target_in_that_order():
    rendered = draw(Images((0, 1)), grey(0.5), inputs=grey(0.0), targets=grey(1.0))
    assert {name: panel.tolist() for name, panel in rendered.panels.items()} == {
        "input": [[[[0]]]],
        "prediction": [[[[128]]]],
        "target": [[[[255]]]],
    }
    assert list(rendered.panels) == ["input", "prediction", "target"]


def test_images_with_panels_draw_those_in_their_order():
    render = Images((0, 1), panels=("target", "prediction"))
    rendered = draw(render, grey(0.5), inputs=grey(0.0), targets=grey(1.0))
    assert list(rendered.panels) == ["target", "prediction"]


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(np.zeros((1, 16), np.float32), id="vectors"),
        pytest.param(np.zeros((1, 7, 5), np.float32), id="sequences"),
        pytest.param(np.zeros((1, 4, 4, 2), np.float32), id="2 channels"),
        pytest.param(np.zeros((1, 4, 4, 12), np.float32), id="one-hot maps"),
        pytest.param([grey(0.0), grey(1.0)], id="two inputs"),
        pytest.param(None, id="none"),
    ],
)
def test_images_of_inputs_that_are_none_leave_them_out(inputs):
    assert list(draw(Images((0, 1)), grey(0.5), inputs=inputs).panels) == ["prediction"]


def test_images_of_noise_leave_it_out_though_it_has_the_shape_of_images():
    noise = np.zeros((1, 4, 4, 3), np.float32)
    rendered = draw(Images((0, 1)), np.ones((1, 4, 4, 3)), inputs=noise, noise=True)
    assert list(rendered.panels) == ["prediction"]


def test_images_of_noise_draw_it_when_asked():
    render = Images((0, 1), panels=("input", "prediction"))
    rendered = draw(render, grey(1.0), inputs=grey(0.0), noise=True)
    assert rendered.panels["input"].tolist() == [[[[0]]]]


def test_images_of_grey_inputs_without_channel_axis_draw_them():
    inputs = np.array([[[0.0, 1.0]]], np.float32)
    rendered = draw(Images((0, 1)), grey(0.5, 0.5), inputs=inputs)
    assert rendered.panels["input"].tolist() == [[[[0], [255]]]]


def test_images_of_one_named_input_draw_it():
    rendered = draw(Images((0, 1)), grey(0.5), inputs={"photo": grey(1.0)})
    assert rendered.panels["input"].tolist() == [[[[255]]]]


@pytest.mark.parametrize(
    ("panels", "shown"),
    [
        pytest.param("prediction", "'prediction'", id="text"),
        pytest.param((), r"\(\)", id="none"),
        pytest.param((1, 2), r"\(1, 2\)", id="numbers"),
        pytest.param(("input", "input"), r"\('input', 'input'\)", id="twice"),
    ],
)
def test_images_with_invalid_panels_show_them(panels, shown):
    with pytest.raises(ValueError, match=f"`panels` must .*got {shown}"):
        Images((0, 1), panels=panels)


def test_images_with_an_unknown_panel_list_the_panels():
    render = Images((0, 1), panels=("inputs", "prediction"))
    rule = "`panels` has no panel 'inputs'; there are: input, prediction, target"
    with pytest.raises(ValueError, match=rule):
        bind(render, grey(0.5))


@pytest.mark.parametrize(
    ("panel", "reason"),
    [
        pytest.param("input", "pass `input_image`", id="input"),
        pytest.param("target", "the samples have no targets", id="target"),
    ],
)
def test_images_with_a_panel_that_cannot_be_drawn_say_why(panel, reason):
    render = Images((0, 1), panels=(panel, "prediction"))
    with pytest.raises(ValueError, match=f"`panels` names '{panel}', but .*{reason}"):
        bind(render, grey(0.5), inputs=np.zeros((1, 9)))


def test_images_of_several_sizes_leave_them_for_the_grid():
    inputs = np.zeros((1, 2, 2, 3), np.float32)
    outputs = np.ones((1, 8, 8, 3), np.float32)
    rendered = draw(Images((0, 1)), outputs, inputs=inputs, targets=outputs)
    assert [panel.shape for panel in rendered.panels.values()] == [
        (1, 2, 2, 3),
        (1, 8, 8, 3),
        (1, 8, 8, 3),
    ]


def test_images_of_targets_of_another_size_show_both():
    rule = r"targets must be as large as .*shape \(1, 3, 3, 1\).*prediction of .*\(8, 8\)"
    with pytest.raises(ValueError, match=rule):
        bind(
            Images((0, 1)),
            np.ones((1, 8, 8, 1)),
            inputs=np.ones((1, 4, 4, 1)),
            targets=np.ones((1, 3, 3, 1)),
        )


@pytest.mark.parametrize("channels", [2, 5])
def test_images_of_other_channels_show_the_shape(channels):
    rule = rf"cannot be drawn.*C in {{1, 3, 4}}, not \(1, 4, 4, {channels}\).*`Segmentation`"
    with pytest.raises(ValueError, match=rule):
        bind(Images((0, 1)), np.zeros((1, 4, 4, channels), np.float32))


@pytest.mark.parametrize("shape", [(8,), (8, 10), (1, 2, 4, 4, 3)], ids=str)
def test_images_of_another_rank_show_the_shape(shape):
    with pytest.raises(ValueError, match=r"cannot be drawn: images have the shape .*not \("):
        bind(Images((0, 1)), np.zeros(shape, np.float32))


def test_images_of_targets_in_no_shape_of_images_leave_them_out():
    for targets in (np.zeros((1, 10)), np.zeros((1, 4, 4, 7)), np.zeros((1, 9, 9))):
        rendered = draw(Images((0, 1)), np.ones((1, 4, 4, 1)), targets=targets)
        assert list(rendered.panels) == ["prediction"]


def test_images_of_grey_outputs_without_channel_axis_are_drawn():
    rendered = draw(Images((0, 1)), np.array([[[0.0, 1.0]]]))
    assert rendered.panels["prediction"].tolist() == [[[[0], [255]]]]


def test_images_of_float_targets_take_the_range_of_the_prediction():
    render = Images({"prediction": (-1, 1)})
    rendered = draw(render, grey(0.0), inputs=grey(-1.0), targets=grey(1.0))
    assert {name: panel.tolist() for name, panel in rendered.panels.items()} == {
        "input": [[[[0]]]],
        "prediction": [[[[128]]]],
        "target": [[[[255]]]],
    }


@pytest.mark.parametrize("dtype", ["uint8", "bool"])
def test_images_of_integers_beside_a_float_range_leave_them_as_they_are(dtype):
    """`value_range` is that of floats: "uint8 and bool as they are"."""
    values = grey(0, 7, dtype=dtype)
    rendered = draw(Images((-1, 1)), grey(0.0, 0.0), inputs=values, targets=values)
    assert rendered.panels["target"].tolist() == rendered.panels["input"].tolist()
    assert rendered.panels["target"].ravel().tolist() == [0, 7 if dtype == "uint8" else 255]
    assert rendered.findings == ()


@pytest.mark.parametrize(
    ("given", "advice"),
    [("inputs", r"Pass input_range=\(0, 1\) if"), ("targets", r'value_range={"target": \(0, 1\)}')],
)
def test_images_of_uint8_masks_of_0_and_1_say_that_they_are_black(given, advice):
    batch = {"inputs": None, "targets": None, given: grey(0, 1, dtype="uint8")}
    with pytest.warns(UserWarning, match="uint8 with 1 as its largest value.*" + advice):
        rendered = draw(Images((0, 1)), grey(0.0, 0.0), **batch)
    assert rendered.panels[given[:-1]].ravel().tolist() == [0, 1]


def test_images_of_complex_outputs_are_refused():
    with pytest.raises(TypeError, match=r"`prediction` must be bool, integer or float.*complex"):
        bind(Images((0, 1)), np.zeros((1, 2, 2, 1), complex))


def test_images_channels_first_are_drawn_channels_last():
    outputs = np.array([[[[1.0, 0.0]], [[0.0, 0.0]], [[0.0, 1.0]]]], np.float32)  # (1, 3, 1, 2)
    rendered = draw(Images((0, 1)), outputs, inputs=outputs, targets=outputs, channels_first=True)
    for panel in rendered.panels.values():
        assert panel.tolist() == [[[[255, 0, 0], [0, 0, 255]]]]
    assert len(rendered.panels) == 3


# Images: the input panel


def test_images_of_float_inputs_map_them_by_value_range():
    rendered = draw(Images((-1, 1)), grey(0.0), inputs=grey(-1.0, 1.0))
    assert rendered.panels["input"].ravel().tolist() == [0, 255]


def test_images_of_uint8_inputs_leave_them_as_they_are():
    rendered = draw(Images((-1, 1)), grey(0.0), inputs=grey(0, 9, 255, dtype=np.uint8))
    assert rendered.panels["input"].ravel().tolist() == [0, 9, 255]
    assert rendered.findings == ()


def test_images_with_input_range_map_inputs_by_it():
    render = Images((-1, 1), input_range=(0, 255))
    rendered = draw(render, grey(0.0), inputs=grey(0, 255))
    assert rendered.panels["input"].ravel().tolist() == [0, 255]


def test_images_with_input_range_by_channel_undo_a_normalisation():
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photo = np.array([[[[0, 128, 255], [10, 20, 30]]]], np.uint8)
    normalised = ((photo / 255 - mean) / std).astype(np.float32)
    render = Images((0, 1), input_range=((0 - mean) / std, (1 - mean) / std))
    rendered = draw(render, np.zeros((1, 1, 2, 3), np.float32), inputs=normalised)
    np.testing.assert_array_equal(rendered.panels["input"], photo)


def test_images_with_clipped_inputs_name_input_range():
    render = Images((0, 1), input_range=(0, 1))
    rendered = draw(render, grey(0.5), inputs=grey(0.0, 200.0))
    (finding,) = rendered.findings
    assert "50.0% of the input's values lie outside input_range=(0, 1)" in finding.text


def test_images_with_input_image_get_the_inputs_as_they_are_structured():
    inputs = {"noise": np.zeros((1, 8)), "edges": np.array([[[0.0, 1.0]]])}
    render = Images((0, 1), input_image=lambda batch: batch["edges"])
    rendered = draw(render, grey(0.5, 0.5), inputs=inputs)
    assert rendered.panels["input"].tolist() == [[[[0], [255]]]]


def test_images_with_input_image_turn_bgr_right():
    bgr = np.array([[[[1.0, 0.0, 0.5]]]], np.float32)
    render = Images((0, 1), input_image=lambda x: x[..., ::-1])
    rendered = draw(render, np.zeros((1, 1, 1, 3), np.float32), inputs=bgr)
    assert rendered.panels["input"].tolist() == [[[[128, 0, 255]]]]


def test_images_with_input_image_that_gives_none_show_what_it_gave():
    render = Images((0, 1), input_image=lambda x: np.zeros((1, 2, 2, 7)))
    with pytest.raises(ValueError, match=r"`input_image` must return images .*\(1, 2, 2, 7\)"):
        bind(render, grey(0.5), inputs=grey(0.5))


# Images: several outputs

TWO = {"names": ("depth", "rgb"), "activations": ("sigmoid", "tanh")}


def two_outputs():
    return {"depth": grey(0.0, 1.0), "rgb": np.array([[[[-1.0, 0, 1], [1, 1, 1]]]], np.float32)}


def test_images_of_several_outputs_without_a_choice_list_them():
    rule = r"`output` must say which of the model's 2 outputs.*'depth'.*\(1, 1, 2, 1\).*'rgb'.*3\)"
    with pytest.raises(ValueError, match=rule):
        bind(Images(), two_outputs(), **TWO, chosen=None)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param(0, [[[[0], [255]]]], id="depth"),
        pytest.param(1, [[[[0, 128, 255], [255, 255, 255]]]], id="rgb"),
    ],
)
def test_images_of_a_chosen_output_take_its_own_activation(chosen, expected):
    rendered = draw(Images(), two_outputs(), **TWO, chosen=chosen)
    assert list(rendered.panels) == ["prediction"]
    assert rendered.panels["prediction"].tolist() == expected


def test_images_with_panels_of_named_outputs_draw_each():
    rendered = draw(Images(panels=("rgb", "depth")), two_outputs(), **TWO, chosen=None)
    assert {name: panel.tolist() for name, panel in rendered.panels.items()} == {
        "rgb": [[[[0, 128, 255], [255, 255, 255]]]],
        "depth": [[[[0], [255]]]],
    }


def test_images_of_several_outputs_take_the_target_of_the_chosen():
    targets = {"depth": grey(1.0, 0.0), "rgb": np.ones((1, 1, 2, 3), np.float32)}
    rendered = draw(Images(), two_outputs(), targets=targets, **TWO, chosen=0)
    assert rendered.panels["target"].tolist() == [[[[255], [0]]]]


def test_images_of_a_named_output_with_no_range_to_be_known_show_how_to_pass_it():
    render = Images(panels=("rgb", "depth"))
    info = {"names": ("depth", "rgb"), "activations": (None, "tanh"), "chosen": None}
    rule = r"panel 'depth'.*from 0 to 1\..*value_range=\{\"depth\": \(-1, 1\)\}"
    with pytest.raises(ValueError, match=rule):
        bind(render, two_outputs(), **info)


def test_images_with_a_panel_of_an_unknown_output_list_the_outputs():
    render = Images(panels=("depth", "rbg"))
    with pytest.raises(ValueError, match=r"no panel 'rbg'; there are: .*depth, rgb"):
        bind(render, two_outputs(), **TWO, chosen=None)


# Images: non-finite values and colormaps


def test_images_of_nan_are_magenta_and_said_with_their_count():
    rendered = draw(Images((0, 1)), grey(np.nan, 1.0))
    assert rendered.panels["prediction"].tolist() == [[[[255, 0, 255], [255, 255, 255]]]]
    (finding,) = rendered.findings
    assert "1 pixels of the prediction are NaN or infinite" in finding.text


RAMP = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 7)], axis=1)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(RAMP, id="ints"),
        pytest.param(RAMP.astype(np.uint8), id="uint8"),
        pytest.param(RAMP / 255, id="floats"),
        pytest.param(RAMP.tolist(), id="lists"),
    ],
)
def test_images_with_colormap_table_colour_predictions_and_targets(table):
    rendered = draw(
        Images((0, 1), colormap=table), grey(0.0, 1.0), inputs=grey(1.0), targets=grey(0.5, 0.0)
    )
    assert rendered.panels["input"].tolist() == [[[[255]]]]
    assert rendered.panels["prediction"].tolist() == [[[[0, 255, 7], [255, 0, 7]]]]
    assert rendered.panels["target"].tolist() == [[[[128, 127, 7], [0, 255, 7]]]]


def test_images_with_colormap_keep_non_finite_pixels_magenta():
    rendered = draw(Images((0, 1), colormap=RAMP), grey(np.nan, 1.0, 0.0))
    expected = [[[[255, 0, 255], [255, 0, 7], [0, 255, 7]]]]
    assert rendered.panels["prediction"].tolist() == expected


def test_images_with_colormap_name_take_matplotlibs():
    rendered = draw(Images((0, 1), colormap="viridis"), grey(0.0, 1.0))
    assert rendered.panels["prediction"].tolist() == [[[[68, 1, 84], [253, 231, 37]]]]


def test_images_with_unknown_colormap_name_show_it():
    with pytest.raises(ValueError, match=r"`colormap` must be .*got 'viridies'.*viridis"):
        Images(colormap="viridies")


def test_images_with_colormap_name_without_matplotlib_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"colormap='magma'.*keras-image-saver\[colormaps\]"):
        Images(colormap="magma")


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        pytest.param(np.zeros((255, 3)), r"shape \(255, 3\)", id="255 rows"),
        pytest.param(np.zeros((256, 4)), r"shape \(256, 4\)", id="4 columns"),
        pytest.param(np.zeros((256, 3), bool), "dtype bool", id="bool"),
        pytest.param(np.full((256, 3), 2.0), "from 2 to 2", id="floats over 1"),
        pytest.param(np.full((256, 3), 256), "from 256 to 256", id="ints over 255"),
        pytest.param(np.full((256, 3), -1), "from -1 to -1", id="negative ints"),
    ],
)
def test_images_with_invalid_colormap_table_show_it(table, shown):
    with pytest.raises(ValueError, match=f"`colormap` .*{shown}"):
        Images(colormap=table)


def test_images_with_colormap_and_colours_only_say_so():
    with pytest.raises(ValueError, match=r"`colormap` colours .*one channel.*'prediction': 3"):
        bind(Images((0, 1), colormap=RAMP), np.zeros((1, 2, 2, 3), np.float32))


# Images: what comes in stays as it is


def test_images_leave_the_arrays_of_the_batch():
    arrays = [np.full((1, 2, 2, 3), value, np.float32) for value in (0.5, np.nan, 7.0)]
    before = [array.copy() for array in arrays]
    inputs, outputs, targets = arrays
    draw(Images((0, 1)), outputs, inputs=inputs, targets=targets)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


# A renderer of one's own


def custom(function, outputs, *, whole=True, **info):
    return draw(FunctionRenderer(function, whole=whole), outputs, **info)


def test_custom_draws_what_it_returns_in_its_order():
    panels = {
        "error": np.array([[[0.0, 0.5]]], np.float32),
        "mask": np.array([[[[True], [False]]]]),
        "bytes": np.array([[[[1, 2, 3], [4, 5, 6]]]], np.uint8),
    }
    rendered = custom(lambda batch: panels, grey(0.5))
    assert {name: panel.tolist() for name, panel in rendered.panels.items()} == {
        "error": [[[[0], [128]]]],
        "mask": [[[[255], [0]]]],
        "bytes": [[[[1, 2, 3], [4, 5, 6]]]],
    }
    assert list(rendered.panels) == ["error", "mask", "bytes"]


def test_custom_gets_inputs_targets_and_outputs():
    got = []

    def render(batch):
        got.append(batch)
        return {"prediction": batch.outputs}

    inputs, targets, outputs = grey(0.1), grey(0.2), grey(0.3)
    custom(render, outputs, inputs=inputs, targets=targets)
    for name, mine in (("inputs", inputs), ("targets", targets)):
        np.testing.assert_array_equal(getattr(got[-1], name), mine)
    assert got[-1].outputs is outputs


def test_custom_with_an_output_chosen_gets_that_one():
    rendered = custom(
        lambda batch: {"prediction": batch.outputs}, two_outputs(), whole=False, **TWO, chosen=0
    )
    assert rendered.panels["prediction"].tolist() == [[[[0], [255]]]]


def test_custom_floats_outside_0_to_1_are_clipped_and_said():
    rendered = custom(lambda batch: {"heat": batch.outputs}, grey(0.0, 9.0))
    assert rendered.panels["heat"].ravel().tolist() == [0, 255]
    assert "50.0% of the heat's values" in rendered.findings[0].text


@pytest.mark.parametrize(
    ("returned", "error", "shown"),
    [
        pytest.param(None, TypeError, "got None", id="nothing"),
        pytest.param({}, TypeError, r"got {}", id="empty"),
        pytest.param(np.zeros((1, 2, 2, 3)), TypeError, r"shape \(1, 2, 2, 3\)", id="an array"),
        pytest.param({"a": np.zeros((2, 2))}, ValueError, r"\(2, 2\).*'a'", id="one image"),
        pytest.param({"a": np.zeros((1, 2, 2, 2))}, ValueError, r"2, 2\).*'a'", id="2 channels"),
        pytest.param({"a": np.full((1, 2, 2), None)}, TypeError, "'a'.*object", id="objects"),
        pytest.param({"a": np.zeros((0, 2, 2))}, ValueError, "'a': 0", id="no images"),
        pytest.param(
            {"a": np.zeros((1, 2, 2)), "b": np.zeros((2, 2, 2))},
            ValueError,
            "'a': 1, 'b': 2",
            id="other counts",
        ),
    ],
)
def test_custom_that_returns_no_panels_shows_what_it_returned(returned, error, shown):
    with pytest.raises(error, match=f"render.*{shown}"):
        custom(lambda batch: returned, grey(0.5))
