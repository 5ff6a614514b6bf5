"""`Images` bound to info and drawing plain arrays."""

import re
import sys

import numpy as np
import pytest
from support.rendering import bind, draw

from keras_image_saver import Batch, Images


def grey(*values, dtype=np.float32):
    """One grey image of one row."""
    return np.array(values, dtype).reshape(1, 1, -1, 1)


# The range


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


# Panels


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
        pytest.param(None, id="none"),
    ],
)
def test_images_of_inputs_that_are_none_leave_them_out(inputs):
    assert list(draw(Images((0, 1)), grey(0.5), inputs=inputs).panels) == ["prediction"]


@pytest.mark.parametrize(
    ("inputs", "panels"),
    [
        pytest.param([grey(0.0), grey(1.0)], {"input 0": 0, "input 1": 255}, id="list"),
        pytest.param({"b": grey(1.0), "a": grey(0.0)}, {"a": 0, "b": 255}, id="dict"),
        pytest.param(
            {"target": grey(1.0), "a": grey(0.0)}, {"a": 0, "input target": 255}, id="ours"
        ),
        pytest.param(
            [grey(1.0), np.zeros((1, 7), np.float32)], {"input": 255}, id="one and a vector"
        ),
        pytest.param(
            {"a": grey(1.0), "ids": np.zeros((1, 1, 1), np.int64)}, {"input": 255}, id="ids"
        ),
    ],
)
def test_images_of_several_inputs_are_panels_by_their_names(inputs, panels):
    rendered = draw(Images((0, 1)), grey(0.5), inputs=inputs)
    assert list(rendered.panels) == [*panels, "prediction"]
    for name, level in panels.items():
        assert rendered.panels[name].tolist() == [[[[level]]]]


def test_images_of_several_inputs_have_one_range_and_order_of_channels():
    # What `preprocess_input` of mode "caffe" makes of blue: BGR, without ImageNet's means.
    bgr = np.zeros((1, 2, 2, 3), np.float32) + np.float32([255 - 103.939, -116.779, -123.68])
    render = Images((0, 1), input_range="caffe", panels=("input 1", "prediction"))
    rendered = draw(render, np.ones((1, 2, 2, 3)), inputs=[bgr, bgr])
    assert list(rendered.panels) == ["input 1", "prediction"]
    assert rendered.panels["input 1"][0, 0, 0].tolist() == [0, 0, 255]


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
    bound = bind(Images((0, 1)), grey(0.0, 0.0), **batch)
    (text,) = bound.warnings
    assert re.search("uint8 with 1 as its largest value.*" + advice, text)
    rendered = bound(Batch(outputs=grey(0.0, 0.0), **batch))
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


# The input panel


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


# Several outputs

TWO = {"names": ("depth", "rgb"), "activations": ("sigmoid", "tanh")}


def two_outputs():
    return {"depth": grey(0.0, 1.0), "rgb": np.array([[[[-1.0, 0, 1], [1, 1, 1]]]], np.float32)}


def test_images_of_several_outputs_without_a_choice_draw_each_by_its_name():
    rendered = draw(Images(), two_outputs(), **TWO, chosen=None)
    assert {name: images.tolist() for name, images in rendered.panels.items()} == {
        "depth": [[[[0], [255]]]],
        "rgb": [[[[0, 128, 255], [255, 255, 255]]]],
    }


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


def test_images_of_a_chosen_output_that_is_no_image_name_it_and_the_others():
    outputs = two_outputs() | {"rgb": np.zeros((1, 5), np.float32)}
    with pytest.raises(ValueError, match="The output 'rgb' of 'depth', 'rgb' cannot be drawn: "):
        draw(Images(), outputs, **TWO, chosen=1)


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


# Non-finite values and colormaps


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


# What comes in stays as it is


def test_images_leave_the_arrays_of_the_batch():
    arrays = [np.full((1, 2, 2, 3), value, np.float32) for value in (0.5, np.nan, 7.0)]
    before = [array.copy() for array in arrays]
    inputs, outputs, targets = arrays
    draw(Images((0, 1)), outputs, inputs=inputs, targets=targets)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


# Inputs that the range of the outputs does not fit


def warned(inputs, render=None, activation="tanh"):
    """What is said of inputs (a value a pixel) to a model of images that ends in `activation`."""
    images = np.array(inputs).reshape(-1, 1, 2, 1)
    outputs = np.zeros(images.shape, np.float32)
    render = Images() if render is None else render
    return bind(render, outputs, inputs=images, activations=(activation,)).warnings


@pytest.mark.parametrize(
    ("inputs", "render", "limits"),
    [
        pytest.param([[0.0, 1.0], [0.2, 0.7]], Images(), r"\(-1, 1\)", id="tanh"),
        pytest.param([[0.0, 0.6]], Images(), r"\(-1, 1\)", id="dark"),
        pytest.param([[0.1, 0.9]], Images((-1, 1)), r"\(-1, 1\)", id="value_range"),
        pytest.param([[0.0, 1.0]], Images((0, 255)), r"\(0, 255\)", id="bytes"),
        pytest.param([[0, 1]], Images(), r"\(0, 255\)", id="integers of 0 and 1"),
    ],
)
def test_images_of_inputs_from_0_to_1_in_a_wider_range_warn(inputs, render, limits):
    (text,) = warned(inputs, render)
    assert re.search(rf"drawn in {limits}.*input_range=\(0, 1\).*input_range={limits}", text)


@pytest.mark.parametrize(
    ("inputs", "render"),
    [
        pytest.param([[-1.0, 1.0]], Images(), id="in the range"),
        pytest.param([[-0.01, 1.0]], Images(), id="hardly negative"),
        pytest.param([[0.0, 1.01]], Images((-2, 2)), id="over 1"),
        pytest.param([[0.4, 0.9]], Images(), id="bright, which tells nothing"),
        pytest.param([[0.0, 0.0], [0.0, 0.0]], Images(), id="black"),
        pytest.param([[1.0, 1.0]], Images(), id="white"),
        pytest.param([[np.nan, np.nan]], Images(), id="NaN"),
        pytest.param([[0.0, 1.0]], Images(input_range=(-1, 1)), id="input_range is given"),
        pytest.param([[0.0, 1.0]], Images({"input": (-1, 1)}), id="given by panel"),
        pytest.param([[0.0, 1.0]], Images((0, 1)), id="fits"),
        pytest.param([[0.0, 1.0]], Images(panels=["prediction"]), id="not drawn"),
        pytest.param(np.array([[0, 2]], np.uint8), Images(), id="bytes as they are"),
    ],
)
def test_images_of_inputs_that_may_fit_their_range_say_nothing(inputs, render):
    assert warned(inputs, render) == ()


def test_images_of_inputs_from_0_to_1_say_nothing_where_a_sigmoid_ends_the_model():
    assert warned([[0.0, 1.0]], activation="sigmoid") == ()


@pytest.mark.parametrize("spread", [0, 1])
def test_images_of_inputs_from_0_to_1_warn_in_a_range_by_channel_that_is_wide_in_each(spread):
    """ImageNet's ranges, given for the outputs; one that is narrow in a channel is left alone."""
    inputs = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 2, 2, 3)
    limits = ((-2.1, -2.0, 0.0), (2.2, 2.4, 1.0 + spread))
    bound = bind(Images(limits), np.zeros_like(inputs), inputs=inputs)
    assert len(bound.warnings) == spread
