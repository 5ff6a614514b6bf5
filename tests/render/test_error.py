"""Pictures of errors: exact pixels of tiny panels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.any_images import images_of
from support.layouts import LAYOUTS
from support.pixels import INTEGERS
from support.rendering import bind, draw

from keras_image_saver import Batch, Images, Segmentation
from keras_image_saver.render.base import Surface
from keras_image_saver.render.error import draw_wrong_classes, error_table, errors_of_images
from keras_image_saver.render.measures import evaluate

BLACK, WHITE, MAGENTA = [0, 0, 0], [255, 255, 255], [255, 0, 255]
RED, YELLOW, BLUE = [255, 0, 0], [255, 255, 0], [0, 112, 255]
UNIT = Images((0, 1), panels=("error",))


def pixels(*values, dtype=np.float32):
    """One sample of one row of grey pixels."""
    return np.array(values, dtype).reshape(1, 1, -1, 1)


def row_of(rendered, name="error"):
    return rendered.panels[name][0, 0].tolist()


# Images


def test_error_table_goes_from_black_over_red_and_yellow_to_white():
    table = error_table()
    assert table[[0, 32, 128, 255]].tolist() == [BLACK, RED, YELLOW, WHITE]
    assert (np.diff(table.astype(int), axis=0) >= 0).all()
    assert (np.diff(table.astype(int).sum(1)) > 0).all()


def test_error_of_images_is_the_difference_over_the_width_of_the_range():
    outputs, targets = pixels(0, 32 / 255, 0, 1), pixels(0, 0, 128 / 255, 0)
    assert row_of(draw(UNIT, outputs, targets=targets)) == [BLACK, RED, YELLOW, WHITE]
    wide = Images((-1, 1), panels=("error",))
    rendered = draw(wide, outputs * 2 - 1, targets=targets * 2 - 1)
    assert row_of(rendered) == [BLACK, RED, YELLOW, WHITE]


def test_error_of_several_channels_is_their_mean():
    outputs = np.array([0.2, 0.0, 0.4], np.float32).reshape(1, 1, 1, 3)
    rendered = draw(UNIT, outputs, targets=np.zeros_like(outputs))
    assert row_of(rendered) == [error_table()[51].tolist()]


@pytest.mark.parametrize(
    "value_range", [(-1, 1), ((-1, -1, 0), (1, 3, 2)), (0, 255)], ids=["one", "by channel", "bytes"]
)
def test_error_has_the_measured_error_as_its_mean(value_range):
    rng = np.random.default_rng(0)
    outputs, targets = (rng.uniform(0, 1, (2, 5, 6, 3)).astype(np.float32) for _ in range(2))
    batch = Batch(None, targets, outputs)
    bound = bind(Images(value_range, panels=("error",)), outputs, targets=targets)
    counts = bound(batch).counts["error"]
    high = bound.ranges["error"][1]
    mae = evaluate(["mae"], [bound.measured(batch)[""]])["mae"].samples
    found = [bound._errors(batch.rows(i, i + 1)).mean() / high for i in range(2)]
    np.testing.assert_allclose(found, mae, rtol=1e-5)
    assert counts.clipped == 0


def test_error_of_integer_targets_compares_them_by_their_own_range():
    targets = pixels(0, 255, 51, dtype=np.uint8)
    rendered = draw(Images((-1, 1), panels=("error",)), pixels(-1, 1, -1), targets=targets)
    assert row_of(rendered) == [BLACK, BLACK, error_table()[51].tolist()]


def test_error_of_pixels_as_they_are_is_drawn_over_bytes():
    bytes_ = pixels(10, 42, dtype=np.uint8)
    rendered = draw(Images(panels=("error",)), bytes_, targets=np.full_like(bytes_, 10))
    assert row_of(rendered) == [BLACK, RED]


def test_error_may_have_a_range_of_its_own():
    render = Images({"prediction": (0, 1), "error": (0, 0.25)}, panels=("error",))
    rendered = draw(render, pixels(0.125, 0.25, 0.5), targets=pixels(0, 0, 0))
    assert row_of(rendered) == [YELLOW, WHITE, WHITE]
    assert "33.3% of the error's values lie outside" in rendered.findings[0].text


def test_error_that_is_not_finite_is_magenta():
    rendered = draw(UNIT, pixels(np.nan, 0, 0), targets=pixels(0, np.inf, 0))
    assert row_of(rendered) == [MAGENTA, MAGENTA, BLACK]


def test_error_is_not_touched_by_a_colormap():
    table = np.full((256, 3), 7, np.uint8)
    render = Images((0, 1), panels=("prediction", "error"), colormap=table)
    rendered = draw(render, pixels(1, 1), targets=pixels(0, 1))
    assert row_of(rendered) == [WHITE, BLACK]
    assert row_of(rendered, "prediction") == [[7] * 3] * 2
    with pytest.raises(ValueError, match=r"images of one channel, got none but inputs and errors"):
        bind(Images((0, 1), panels=("error",), colormap=table), pixels(1), targets=pixels(0))


@pytest.mark.parametrize("render", [Images((0, 1)), Segmentation()], ids=["Images", "Segmentation"])
def test_error_is_drawn_only_when_asked_for(render):
    outputs = pixels(0, 1)
    assert list(draw(render, outputs, targets=outputs).panels) == ["prediction", "target"]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (None, "names 'error', but the samples have no targets"),
        (
            np.zeros((1, 2, 2, 1), np.float32),
            r"names 'error', but the targets are images of \(2, 2, 1\) .* of \(1, 2, 1\)",
        ),
        (
            np.zeros((1, 1, 2, 3), np.float32),
            r"images of \(1, 2, 3\) and the predictions of \(1, 2, 1\)",
        ),
    ],
    ids=["none", "another size", "other channels"],
)
def test_error_of_images_without_targets_that_fit_is_refused(targets, said):
    with pytest.raises(ValueError, match=f"`panels` .*{said}"):
        bind(UNIT, pixels(0, 1), inputs=np.zeros((1, 2, 2, 1), np.float32), targets=targets)


def test_error_without_a_chosen_output_is_refused():
    outputs = {"a": pixels(0, 1), "b": pixels(0, 1)}
    with pytest.raises(ValueError, match="names 'error', but `output` does not say which"):
        bind(
            UNIT,
            outputs,
            targets=pixels(0, 1),
            names=("a", "b"),
            activations=(None, None),
            chosen=None,
        )


def test_output_that_is_named_error_is_still_drawn_by_its_name():
    outputs = {"error": pixels(0, 1), "image": pixels(1, 0)}
    rendered = draw(
        Images((0, 1)), outputs, names=("error", "image"), activations=(None, None), chosen=None
    )
    assert rendered.panels["error"].tolist() == [[[[0], [255]]]]


# Segmentation


def ids(*values):
    return np.array([[values]])


def test_error_of_classes_is_red_over_a_dimmed_grey_input():
    photo = np.array([[[[200, 200, 200], [100, 100, 100], [255, 0, 0]]]], np.uint8)
    render = Segmentation(3, panels=("error",))
    rendered = draw(render, ids(0, 1, 2), inputs=photo, targets=ids(0, 2, 2))
    assert row_of(rendered) == [[100] * 3, RED, [38] * 3]  # rint(0.299 * 255 / 2)


@pytest.mark.parametrize("level", [0, 101, 255])
def test_error_over_an_input_that_is_known_in_colour_is_the_same(level):
    photo = np.full((1, 1, 2, 1), level, np.uint8)
    batch = Batch(photo, ids(0, 0), ids(0, 1))
    render = Segmentation(2, panels=("input", "error"))
    bound = bind(render, batch.outputs, inputs=photo, targets=batch.targets)
    found = bound(batch, Surface(known={"input": np.repeat(photo, 3, axis=-1)}))
    assert list(found.panels) == ["error"]
    assert row_of(found) == row_of(bound(batch)) == [[level // 2] * 3, RED]


def test_error_of_classes_without_an_input_is_over_black():
    rendered = draw(Segmentation(3, panels=("error",)), ids(0, 1), targets=ids(0, 2))
    assert row_of(rendered) == [BLACK, RED]


def test_error_of_classes_has_missed_foreground_in_blue():
    render = Segmentation(3, panels=("error",), background_class=1)
    rendered = draw(render, ids(1, 1, 0, 0), targets=ids(1, 2, 1, 2))
    assert row_of(rendered) == [BLACK, BLUE, RED, RED]


def test_error_of_one_channel_knows_its_background():
    scores = pixels(0.1, 0.1, 0.9, 0.9)
    rendered = draw(Segmentation(panels=("error",)), scores, targets=ids(0, 1, 0, 1))
    assert row_of(rendered) == [BLACK, BLUE, RED, BLACK]


@pytest.mark.parametrize("ignored", [255, 2])
def test_error_of_classes_leaves_out_ignored_pixels(ignored):
    render = Segmentation(3, panels=("error",), ignore_index=ignored)
    rendered = draw(render, ids(0, 1, 1), targets=ids(ignored, ignored, 0))
    assert row_of(rendered) == [BLACK, BLACK, RED]


def test_error_of_classes_leaves_out_pixels_without_a_target():
    targets = np.array([[[0.0, np.nan]]])
    rendered = draw(Segmentation(3, panels=("error",)), ids(1, 1), targets=targets)
    assert row_of(rendered) == [RED, BLACK]


def test_error_of_scores_that_are_not_finite_is_magenta_and_said():
    scores = np.array([[[[1, 0], [np.nan, 0]]]], np.float32)
    rendered = draw(Segmentation(panels=("error",)), scores, targets=ids(0, 0))
    assert row_of(rendered) == [BLACK, MAGENTA]
    assert [(one.kind, one.panel) for one in rendered.findings] == [("non-finite", "prediction")]


def test_error_of_small_scores_has_the_size_of_the_input():
    photo = np.full((1, 2, 4, 1), 100, np.uint8)
    rendered = draw(Segmentation(2, panels=("error",)), ids(0, 1), inputs=photo, targets=ids(0, 0))
    assert rendered.panels["error"][0, 1].tolist() == [[50] * 3, [50] * 3, RED, RED]


def test_error_of_classes_checks_targets_that_have_no_panel():
    with pytest.raises(ValueError, match=r"`num_classes` must cover .*target with the ids 7"):
        bind(Segmentation(3, panels=("error",)), ids(0, 1), targets=ids(0, 7))


def test_error_of_classes_without_targets_is_refused():
    with pytest.raises(ValueError, match="names 'error', but the samples have no targets"):
        bind(Segmentation(3, panels=("error",)), ids(0, 1))


# Any errors, in float64


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    sides=st.tuples(*[st.integers(1, 4)] * 3),
    bad=st.none() | st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_errors_of_any_images_are_those_of_float64(data, sides, bad):
    (outputs, of_outputs, x), (targets, of_targets, y) = (
        data.draw(images_of((*sides, 2))) for _ in range(2)
    )
    low, high = of_outputs or (0.0, 255.0)
    width = 1.0 if isinstance(low, tuple) else high - low
    is_bad = np.zeros(sides, bool)
    if bad is not None and outputs.dtype.kind == "f":
        outputs = outputs.copy()
        outputs[0, -1, 0, 1], is_bad[0, -1, 0] = bad, True
    before = outputs.tobytes(), targets.tobytes()
    found = errors_of_images(outputs, of_outputs, targets, of_targets)
    assert (outputs.tobytes(), targets.tobytes()) == before
    assert (found.shape, found.dtype) == ((*sides, 1), np.float32)
    np.testing.assert_array_equal(np.isfinite(found[..., 0]), ~is_bad)
    expected = width * np.abs(x - y).mean(-1)
    np.testing.assert_allclose(found[~is_bad, 0], expected[~is_bad], rtol=1e-4, atol=2e-6 * width)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
    dtype=st.sampled_from(INTEGERS),
    channels=st.sampled_from([None, 1, 3, 4]),
    background=st.none() | st.integers(0, 3),
)
def test_wrong_classes_of_any_maps_are_drawn_pixel_by_pixel(
    data, shape, dtype, channels, background
):
    layouts = st.sampled_from([*LAYOUTS]).map(LAYOUTS.get)

    def drawn(kind, shape, elements=None):
        return data.draw(layouts)(data.draw(hnp.arrays(kind, shape, elements=elements)))

    outputs, targets = (drawn(dtype, shape, st.integers(0, 3)) for _ in range(2))
    counted = drawn("bool", shape)
    photo = None if channels is None else drawn("uint8", (*shape, channels))
    picture = draw_wrong_classes(outputs, targets, counted, photo, background)
    assert picture.shape == (*shape, 3)
    for place in np.ndindex(shape):
        if not counted[place] or outputs[place] == targets[place]:
            levels = [0] if photo is None else photo[place].tolist()[:3]
            red, green, blue = levels if len(levels) == 3 else levels * 3
            expected = [(77 * red + 150 * green + 29 * blue) // 512] * 3
        else:
            expected = BLUE if outputs[place] == background else RED
        assert picture[place].tolist() == expected
