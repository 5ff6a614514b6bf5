"""What a renderer gets and gives, and what it does by default."""

import numpy as np
import pytest

from keras_image_saver import Batch
from keras_image_saver.render.base import (
    BoundRenderer,
    OutputInfo,
    PixelCounts,
    Rendered,
    Renderer,
)

ONE = OutputInfo(("prediction",), ("tanh",), 0)


def test_batch_rows_are_views_of_every_part():
    array = np.arange(6).reshape(3, 2)
    rows = Batch([array], None, {"a": array}, array).rows(1, 3)
    assert rows.targets is None
    for part in (rows.inputs[0], rows.outputs["a"], rows.shown):
        assert part.tolist() == [[2, 3], [4, 5]]
        assert np.shares_memory(part, array)


@pytest.mark.parametrize(
    ("panel", "chosen", "index", "activation"),
    [
        pytest.param("rgb", None, 1, "tanh", id="an output's own name"),
        pytest.param("prediction", 0, 0, "sigmoid", id="the prediction"),
        pytest.param("input", 1, 1, "tanh", id="the input, as the prediction"),
        pytest.param("target", None, None, None, id="no prediction"),
    ],
)
def test_output_info_tells_the_output_of_a_panel(panel, chosen, index, activation):
    info = OutputInfo(("depth", "rgb"), ("sigmoid", "tanh"), chosen)
    assert info.index(panel) == index
    assert info.activation(panel) == activation


def test_pixel_counts_add_up_and_keep_the_widest_ends():
    counts = PixelCounts(-1.0, 2.0, 10, 1, 2, 3)
    counts.add(PixelCounts(0.0, 5.0, 20, 4, 0, 1))
    counts.add(PixelCounts())
    assert counts == PixelCounts(-1.0, 5.0, 30, 5, 2, 4)


def test_rendered_of_nothing_is_its_own():
    Rendered().counts["prediction"] = PixelCounts()
    assert not Rendered().counts


class Blind(Renderer):
    def bind(self, batch, info):
        return BoundBlind(ranges={})


class BoundBlind(BoundRenderer):
    def __call__(self, batch, surface=None):
        return Rendered()


def test_renderer_by_default_runs_no_user_code_and_makes_no_images_of_inputs():
    assert not Blind().runs_user_code
    assert Blind().images_of_inputs(np.ones((1, 2, 2)), ONE) is None


def test_renderer_must_say_how_it_binds_and_draws():
    with pytest.raises(TypeError, match="bind"):
        Renderer()
    with pytest.raises(TypeError, match="__call__"):
        BoundRenderer(ranges={})


def test_bound_renderer_by_default_asks_for_nothing_and_has_nothing_to_say():
    bound = Blind().bind(Batch(None, None, None), ONE)
    assert bound.class_decision is None
    assert bound.warnings == bound.fixed == ()
    assert bound.check_samples(Batch(None, None, None)) is None
    assert bound.findings({"prediction": PixelCounts()}) == ()
