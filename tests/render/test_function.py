"""What `render` may be: a renderer of ours, or a function of the user's own."""

import re

import numpy as np
import pytest
from support.rendering import draw

from keras_image_saver import Images, Segmentation
from keras_image_saver.render.base import Batch, OutputInfo
from keras_image_saver.render.function import FunctionRenderer, as_renderer


def grey(*values, dtype=np.float32):
    """One grey image of one row."""
    return np.array(values, dtype).reshape(1, 1, -1, 1)


# The argument


def test_as_renderer_of_none_is_images():
    renderer = as_renderer(None, whole=True)
    assert type(renderer) is Images
    assert not renderer.runs_user_code


@pytest.mark.parametrize("render", [Images((0, 1)), Segmentation(3)], ids=["images", "classes"])
def test_as_renderer_of_a_renderer_is_it(render):
    assert as_renderer(render, whole=True) is render


def test_as_renderer_of_a_function_runs_the_users_code():
    renderer = as_renderer(lambda batch: {}, whole=False)
    assert renderer.runs_user_code
    assert renderer.whole is False


@pytest.mark.parametrize("render", [Images, "images", {"prediction": 1}, 3], ids=repr)
def test_as_renderer_of_anything_else_shows_it(render):
    rule = "`render` must be Images(...), Segmentation(...) or a function render(batch), got "
    with pytest.raises(TypeError, match=re.escape(f"{rule}{render!r}.")):
        as_renderer(render, whole=True)


# A function of the user's own


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
    outputs = {"depth": grey(0.0, 1.0), "rgb": np.ones((1, 1, 2, 3), np.float32)}
    rendered = custom(
        lambda batch: {"prediction": batch.outputs},
        outputs,
        whole=False,
        names=("depth", "rgb"),
        chosen=0,
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


def in_place(x):
    x *= 0
    return x


def test_function_gets_copies_of_the_samples_and_its_buffers_are_copied():
    inputs, buffer = np.ones((2, 3, 3, 1), np.float32), np.full((2, 3, 3, 1), 7, np.uint8)

    def render(batch):
        in_place(batch.inputs)
        in_place(batch.targets[0])
        return {"prediction": buffer}

    batch = Batch(inputs, [inputs.copy()], inputs)
    info = OutputInfo(("prediction",), (None,), 0)
    rendered = FunctionRenderer(render, whole=True).bind(batch, info)(batch)
    assert inputs.min() == batch.targets[0].min() == 1
    in_place(buffer)
    assert rendered.panels["prediction"].min() == 7
