"""Inputs that went through the preprocessing of `keras.applications`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.models import keras
from support.rendering import draw

from keras_image_saver import Images, Segmentation

MODES = ["caffe", "tf", "torch"]
# Every byte in every channel, black and white among them.
PHOTO = (
    np.random.default_rng(0)
    .permuted(np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 3)), axis=0)
    .reshape(1, 16, 16, 3)
)


def preprocessed(mode):
    """The application that prepares inputs in a mode, as its user calls it."""
    application = {"caffe": "resnet50", "tf": "mobilenet_v2", "torch": "densenet"}[mode]
    prepare = getattr(keras.applications, application).preprocess_input
    return prepare(PHOTO.astype(np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_input_range_of_a_mode_undoes_it(mode):
    inputs = preprocessed(mode)
    render = Images((0, 1), input_range=mode)
    rendered = draw(render, np.zeros((1, 16, 16, 3), np.float32), inputs=inputs)
    np.testing.assert_array_equal(rendered.panels["input"], PHOTO)
    assert not rendered.findings


@pytest.mark.parametrize("mode", MODES)
def test_input_range_of_a_mode_undoes_it_under_an_overlay(mode):
    ids = np.zeros((1, 16, 16), np.int64)
    render = Segmentation(2, input_range=mode, overlay=0.5, background_class=0)
    rendered = draw(render, ids, inputs=preprocessed(mode))
    np.testing.assert_array_equal(rendered.panels["input"], PHOTO)
    np.testing.assert_array_equal(rendered.panels["prediction"], PHOTO)
    assert not rendered.findings


@pytest.mark.parametrize("mode", MODES)
def test_input_range_of_a_mode_is_of_what_input_image_returns(mode):
    inputs = {"a": preprocessed(mode), "b": np.zeros((1, 3))}
    render = Images((0, 1), input_range=mode, input_image=lambda x: x["a"])
    rendered = draw(render, np.zeros((1, 16, 16, 3), np.float32), inputs=inputs)
    np.testing.assert_array_equal(rendered.panels["input"], PHOTO)


@pytest.mark.parametrize("mode", MODES)
def test_input_range_of_a_mode_is_of_channels_first_too(mode):
    inputs = np.moveaxis(preprocessed(mode), -1, 1)
    outputs = np.zeros((1, 3, 16, 16), np.float32)
    render = Images((0, 1), input_range=mode)
    rendered = draw(render, outputs, inputs=inputs, channels_first=True)
    np.testing.assert_array_equal(rendered.panels["input"], PHOTO)


def test_input_range_of_an_unknown_mode_is_refused():
    with pytest.raises(
        ValueError, match=r'`input_range` must be .*"caffe", "tf", "torch", got \'tv\''
    ):
        Images(input_range="tv")


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("mode", ["caffe", "torch"])
@pytest.mark.parametrize("render", [Images, Segmentation])
def test_mode_of_three_channels_is_refused_by_its_name_for_others(render, mode, channels):
    inputs, outputs = np.zeros((1, 4, 4, channels), np.float32), np.zeros((1, 4, 4, 1), np.float32)
    rule = (
        rf"`input_range` must be \(low, high\) .*, got '{mode}' for shape \(1, 4, 4, {channels}\)"
    )
    render = (
        render(input_range=mode) if render is Segmentation else Images((0, 1), input_range=mode)
    )
    with pytest.raises(ValueError, match=rule):
        draw(render, outputs, inputs=inputs)


def test_mode_of_one_range_is_of_any_channels():
    inputs = np.linspace(-1, 1, 16, dtype=np.float32).reshape(1, 4, 4, 1)
    rendered = draw(Images((0, 1), input_range="tf"), np.zeros_like(inputs), inputs=inputs)
    assert rendered.panels["input"][0, [0, -1], [0, -1], 0].tolist() == [0, 255]


def shares_of(values, mode):
    """Undo `preprocess_input`, as red, green and blue from 0 to 1."""
    if mode == "tf":
        return (values + 1) / 2
    if mode == "caffe":
        return (values + np.array([103.939, 116.779, 123.68]))[..., ::-1] / 255
    return values * [0.229, 0.224, 0.225] + [0.485, 0.456, 0.406]


@pytest.mark.numpy
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
    mode=st.sampled_from(MODES),
    bad=st.none() | st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_input_range_of_a_mode_undoes_it_for_any_inputs(data, shape, dtype, mode, bad):
    far = 300 if mode == "caffe" else 4
    values = data.draw(hnp.arrays(np.float64, (*shape, 3), elements=st.floats(-far, far)))
    is_bad = np.zeros(shape, bool)
    if bad is not None:
        values[0, -1, 0, 1], is_bad[0, -1, 0] = bad, True
    inputs = LAYOUTS[data.draw(st.sampled_from([*LAYOUTS]))](values.astype(dtype))
    before = inputs.tobytes()
    outputs = np.zeros((*shape, 1), np.float32)
    panel = draw(Images((0, 1), input_range=mode), outputs, inputs=inputs).panels["input"]
    assert inputs.tobytes() == before
    assert (panel[is_bad] == (255, 0, 255)).all()
    exact = 255 * np.clip(shares_of(inputs.astype(np.float64), mode), 0, 1)
    # A hundredth of a byte is for what float32 cannot tell from the half between two bytes.
    assert (np.abs(panel - exact)[~is_bad] <= 0.51).all()
