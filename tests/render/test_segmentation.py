"""`Segmentation` bound to info and drawing plain arrays."""

import ml_dtypes
import numpy as np
import pytest
from support.rendering import bind, draw

from keras_image_saver import Batch, Segmentation
from keras_image_saver.render.base import NOT_FINITE, NamedClass

BLACK, RED, GREEN, YELLOW = [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]
MAGENTA, VOID, WHITE = [255, 0, 255], [224, 224, 192], [255, 255, 255]


def row(*pixels, dtype=np.float32):
    """One image of one row: scores or ids of each pixel."""
    return np.array([[pixels]], dtype)


def drawn(rendered, name="prediction"):
    """The one row of a panel."""
    return rendered.panels[name][0, 0].tolist()


# Scores to classes


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_segmentation_of_scores_draws_the_highest(dtype):
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    scores = row([0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [-5, 3, 1]).astype(kind).astype(np.float32)
    assert drawn(draw(Segmentation(), scores)) == [BLACK, GREEN, RED]


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(row(0.2, 0.9, 0.5), id="(N, H, W)"),
        pytest.param(row([0.2], [0.9], [0.5]), id="(N, H, W, 1)"),
    ],
)
@pytest.mark.parametrize("num_classes", [None, 1, 2])
def test_segmentation_of_one_channel_draws_what_exceeds_a_half(outputs, num_classes):
    assert drawn(draw(Segmentation(num_classes), outputs)) == [BLACK, RED, BLACK]


def test_segmentation_with_threshold_compares_with_it():
    outputs = row([0.2], [0.5], [0.9])
    assert drawn(draw(Segmentation(threshold=0.1), outputs)) == [RED, RED, RED]
    assert drawn(draw(Segmentation(threshold=0.8), outputs)) == [BLACK, BLACK, RED]


def test_segmentation_from_logits_compares_with_the_logit_of_threshold():
    outputs = row([-3.0], [0.1], [1.3], [1.4])  # log(0.8 / 0.2) = 1.386
    render = Segmentation(from_logits=True, threshold=0.8)
    assert drawn(draw(render, outputs)) == [BLACK, BLACK, BLACK, RED]
    assert drawn(draw(Segmentation(from_logits=True), outputs)) == [BLACK, RED, RED, RED]


@pytest.mark.parametrize("from_logits", [False, True])
def test_segmentation_of_scores_does_not_mind_from_logits(from_logits):
    assert drawn(draw(Segmentation(from_logits=from_logits), row([-7.0, 9.0]))) == [RED]


@pytest.mark.parametrize(
    ("outputs", "shown"),
    [
        pytest.param(row([-3.0], [4.5]), r"from -3 to 4\.5", id="logits"),
        pytest.param(row([0.5], [1.01]), r"from 0\.5 to 1\.01", id="over 1"),
        pytest.param(row([np.nan], [2.0]), "from 2 to 2", id="beside a NaN"),
    ],
)
def test_segmentation_of_logits_without_from_logits_shows_the_values(outputs, shown):
    with pytest.raises(ValueError, match=f"`from_logits` must be True.*{shown}.*from_logits=True"):
        bind(Segmentation(), outputs)


def test_segmentation_of_multi_label_logits_without_from_logits_shows_the_values():
    with pytest.raises(ValueError, match=r"`from_logits` must be True.*from -3 to 4"):
        bind(Segmentation(multi_label=True), row([-3.0, 4.0]))


def test_segmentation_of_a_sigmoid_with_from_logits_is_refused():
    with pytest.raises(ValueError, match=r"`from_logits` must be False.*sigmoid, got True"):
        bind(Segmentation(from_logits=True), row([0.2]), activations=("sigmoid",))


def test_segmentation_of_probabilities_a_rounding_over_1_is_fine():
    assert drawn(draw(Segmentation(), row([1.0000001], [-1e-7]))) == [RED, BLACK]


def test_segmentation_of_a_sigmoid_of_several_channels_asks_for_multi_label():
    rule = r"`multi_label` must be given .* sigmoid of 3 channels, got None\. True .*False"
    with pytest.raises(ValueError, match=rule):
        bind(Segmentation(), row([0.1, 0.9, 0.2]), activations=("sigmoid",))


def test_segmentation_with_multi_label_draws_channels_over_the_threshold():
    scores = row([0.9, 0.1], [0.1, 0.9], [0.9, 0.9], [0.1, 0.2])
    rendered = draw(Segmentation(multi_label=True), scores, activations=("sigmoid",))
    assert drawn(rendered) == [RED, GREEN, GREEN, BLACK]


def test_segmentation_with_multi_label_false_draws_the_highest():
    scores = row([0.9, 0.1], [0.1, 0.2])
    rendered = draw(Segmentation(multi_label=False), scores, activations=("sigmoid",))
    assert drawn(rendered) == [BLACK, RED]


@pytest.mark.parametrize(
    "palette",
    [
        pytest.param([(1, 1, 1), (2, 2, 2)], id="without background"),
        pytest.param([(0, 0, 0), (1, 1, 1), (2, 2, 2)], id="with background"),
    ],
)
def test_segmentation_with_multi_label_and_own_palette_may_leave_out_the_background(palette):
    scores = row([0.9, 0.1], [0.1, 0.9], [0.1, 0.2])
    rendered = draw(Segmentation(multi_label=True, palette=palette), scores)
    assert drawn(rendered) == [[1, 1, 1], [2, 2, 2], BLACK]


def test_segmentation_with_multi_label_of_one_channel_is_refused():
    with pytest.raises(ValueError, match=r"`multi_label` needs .*several channels.*\(1, 1, 1, 1\)"):
        bind(Segmentation(multi_label=True), row([0.9]))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_segmentation_of_integers_draws_ids(dtype):
    assert drawn(draw(Segmentation(4), row(0, 2, 3, dtype=dtype))) == [BLACK, GREEN, YELLOW]
    assert drawn(draw(Segmentation(4), row([2], [1], dtype=dtype))) == [GREEN, RED]


def test_segmentation_of_bool_draws_two_classes():
    assert drawn(draw(Segmentation(1), row(False, True, dtype=bool))) == [BLACK, RED]


def test_segmentation_of_ids_without_num_classes_has_those_of_the_palette():
    render = Segmentation(palette=[(9, 9, 9), (8, 8, 8)])
    assert drawn(draw(render, row(0, 1, dtype=np.int64))) == [[9, 9, 9], [8, 8, 8]]
    assert drawn(draw(Segmentation(), row(255, dtype=np.uint8))) == [VOID]


@pytest.mark.parametrize(
    ("outputs", "num_classes", "fits"),
    [
        pytest.param(row([0.1, 0.2, 0.7]), 4, 3, id="scores"),
        pytest.param(row([0.1]), 3, 2, id="one channel"),
        pytest.param(row([0.1, 0.2]), 3, 2, id="multi-label"),
    ],
)
def test_segmentation_with_num_classes_that_do_not_fit_shows_both(outputs, num_classes, fits):
    render = Segmentation(num_classes, multi_label=True if fits == 2 and outputs.size > 1 else None)
    with pytest.raises(
        ValueError, match=f"`num_classes` must fit.*got {num_classes} .*pass {fits}"
    ):
        bind(render, outputs)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (1, 2, 3, 4, 5)], ids=str)
def test_segmentation_of_another_rank_shows_it(shape):
    with pytest.raises(ValueError, match=r"Segmentation draws outputs of shape .*got shape \("):
        bind(Segmentation(), np.zeros(shape, np.float32))


def test_segmentation_channels_first_reads_scores_inputs_and_targets():
    scores = np.moveaxis(row([0, 1, 0], [0, 0, 1]), -1, 1)
    photo = np.moveaxis(row([1, 2, 3], [4, 5, 6], dtype=np.uint8), -1, 1)
    one_hot = np.moveaxis(row([1, 0, 0], [0, 1, 0], dtype=np.uint8), -1, 1)
    rendered = draw(Segmentation(), scores, inputs=photo, targets=one_hot, channels_first=True)
    assert drawn(rendered, "input") == [[1, 2, 3], [4, 5, 6]]
    assert drawn(rendered) == [RED, GREEN]
    assert drawn(rendered, "target") == [BLACK, RED]


def test_segmentation_channels_first_reads_ids_with_a_channel():
    scores = np.moveaxis(row([0, 1, 0], [0, 0, 1]), -1, 1)
    ids = np.array([[[[2, 1]]]], np.uint8)  # (N, 1, H, W)
    rendered = draw(Segmentation(), scores, targets=ids, channels_first=True)
    assert drawn(rendered, "target") == [GREEN, RED]


def test_segmentation_of_several_outputs_without_a_choice_lists_them():
    outputs = [row([0.1]), row([0.9])]
    info = {"names": ("coarse", "fine"), "activations": (None, None)}
    rule = r"`output` must say which of the model's 2 outputs.*'coarse'.*'fine'"
    with pytest.raises(ValueError, match=rule):
        bind(Segmentation(), outputs, **info, chosen=None)
    assert drawn(draw(Segmentation(), outputs, **info, chosen=1)) == [RED]


def test_segmentation_draws_later_batches_as_the_first():
    bound = bind(Segmentation(), row([0.4]))
    later = bound(Batch(None, None, row([5.0], [0.6], [np.nan])))
    assert later.panels["prediction"][0, 0].tolist() == [RED, RED, MAGENTA]


# Targets


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(row(2, 0, dtype=np.uint8), id="ids"),
        pytest.param(row([2], [0], dtype=np.int32), id="ids with a channel"),
        pytest.param(row(2.0, 0.0), id="float ids"),
        pytest.param(row([0, 0, 1], [1, 0, 0], dtype=np.uint8), id="one-hot ints"),
        pytest.param(row([0, 0, 1], [1, 0, 0]), id="one-hot floats"),
        pytest.param(row([0, 0, 1], [1, 0, 0], dtype=bool), id="one-hot bool"),
    ],
)
def test_segmentation_of_any_form_of_target_draws_the_same(target):
    rendered = draw(Segmentation(3), row([1, 0, 0], [0, 1, 0]), targets=target)
    assert drawn(rendered, "target") == [GREEN, BLACK]
    assert drawn(rendered) == [BLACK, RED]


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(row(1, 0, dtype=np.uint8), id="ids"),
        pytest.param(row(True, False, dtype=bool), id="bool"),
        pytest.param(row(1.0, 0.0), id="floats"),
        pytest.param(row([0, 1], [1, 0]), id="one-hot"),
    ],
)
def test_segmentation_of_one_channel_draws_any_form_of_target(target):
    rendered = draw(Segmentation(), row([0.1], [0.9]), targets=target)
    assert drawn(rendered, "target") == [RED, BLACK]


def test_segmentation_of_targets_with_several_labels_draws_the_last_on_top():
    target = row([1, 1], [0, 0], [1, 0], dtype=np.uint8)
    scores = row([0.9, 0.9], [0.1, 0.1], [0.9, 0.1])
    rendered = draw(Segmentation(multi_label=True), scores, targets=target)
    assert drawn(rendered, "target") == drawn(rendered) == [GREEN, BLACK, RED]


def test_segmentation_of_fractional_targets_rounds_and_warns_once():
    bound = bind(Segmentation(3), row(*[[1, 0, 0]] * 4), targets=row(0.4, 1.6, 1.0, 2.0))
    (text,) = bound.warnings
    assert text.startswith("2 of 4 class ids")
    assert text.endswith("bilinearly? Use nearest.")
    rendered = bound(Batch(None, row(0.4, 1.6, 1.0, 2.0), row(*[[1, 0, 0]] * 4)))
    assert drawn(rendered, "target") == [BLACK, GREEN, RED, GREEN]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_segmentation_with_ignore_index_draws_void(dtype):
    target = row([255], [1], dtype=dtype)
    rendered = draw(Segmentation(2, ignore_index=255), row([1, 0], [1, 0]), targets=target)
    assert drawn(rendered, "target") == [VOID, RED]
    assert rendered.findings == ()


def test_segmentation_with_negative_ignore_index_draws_void():
    target = row(-1, 1, dtype=np.int32)
    rendered = draw(Segmentation(2, ignore_index=-1), row([1, 0], [1, 0]), targets=target)
    assert drawn(rendered, "target") == [VOID, RED]


def test_segmentation_of_ids_beyond_the_classes_shows_them():
    target = row(0, 3, 255, 255, dtype=np.uint8)
    rule = r"`num_classes` must cover .*got 2 classes and a target with the ids 3, 255 in 3 of 4"
    with pytest.raises(ValueError, match=rule + ".*ignore_index=255"):
        bind(Segmentation(), row(*[[1, 0]] * 4), targets=target)


def test_segmentation_of_predicted_ids_beyond_the_classes_shows_them():
    with pytest.raises(ValueError, match="got 3 classes and a prediction with the ids 3 in 1 of 2"):
        bind(Segmentation(3), row(0, 3, dtype=np.int64))


def test_segmentation_of_later_ids_beyond_the_classes_is_magenta_and_counted():
    bound = bind(Segmentation(3), row(0, 1, dtype=np.int64))
    rendered = bound(Batch(None, None, row(3, -1, 2, dtype=np.int64)))
    assert drawn(rendered) == [MAGENTA, MAGENTA, GREEN]
    (finding,) = bound.findings(rendered.counts)
    assert "2 pixels of the prediction have class ids outside the 3 classes" in finding.text


def test_segmentation_of_non_finite_scores_is_magenta_and_counted():
    rendered = draw(Segmentation(), row([np.nan, 1.0], [0.0, 1.0]))
    assert drawn(rendered) == [MAGENTA, RED]
    (finding,) = rendered.findings
    assert "1 pixels of the prediction have NaN or infinite values" in finding.text


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        pytest.param(np.zeros((1, 4)), r"shape \(1, 4\)", id="rank 2"),
        pytest.param(np.zeros((1, 4, 4, 5)), r"shape \(1, 4, 4, 5\)", id="other channels"),
        pytest.param(np.zeros((1, 4, 4, 1, 1)), r"shape \(1, 4, 4, 1, 1\)", id="rank 5"),
    ],
)
def test_segmentation_of_targets_of_another_shape_shows_it(target, shown):
    with pytest.raises(
        ValueError, match=rf"(?s)argets must be class ids.*\(N, H, W, 3\), got {shown}"
    ):
        bind(Segmentation(), np.zeros((1, 4, 4, 3), np.float32), targets=target)


def test_segmentation_of_targets_of_another_size_shows_it():
    rule = r"argets must be as large as the scores or the input, got .*\(1, 5, 5\)"
    with pytest.raises(ValueError, match=rule):
        bind(Segmentation(), np.zeros((1, 4, 4, 3)), targets=np.zeros((1, 5, 5), np.uint8))


def test_segmentation_of_targets_of_the_inputs_size_draws_them():
    rendered = draw(
        Segmentation(),
        np.zeros((1, 2, 2, 3), np.float32),
        inputs=np.zeros((1, 4, 4, 3), np.uint8),
        targets=np.ones((1, 4, 4), np.uint8),
    )
    assert rendered.panels["target"].tolist() == [[[RED] * 4] * 4]


def test_segmentation_with_panels_may_leave_out_targets_that_do_not_fit():
    render = Segmentation(panels=("prediction",))
    rendered = draw(render, row([1, 0]), targets=np.zeros((1, 9)))
    assert list(rendered.panels) == ["prediction"]


# Inputs, panels, overlay


def test_segmentation_draws_input_prediction_target_in_that_order():
    rendered = draw(
        Segmentation(input_range=(0, 1)), row([1, 0]), inputs=row([0.5]), targets=row(1, dtype=int)
    )
    assert list(rendered.panels) == ["input", "prediction", "target"]
    assert drawn(rendered, "input") == [[128]]


@pytest.mark.parametrize(
    ("inputs", "input_range", "expected"),
    [
        pytest.param(row([1, 2, 3], dtype=np.uint8), None, [1, 2, 3], id="uint8"),
        pytest.param(row([1, 2, 300], dtype=np.int32), None, [1, 2, 255], id="int32"),
        pytest.param(row([0, 51, 255]), (0, 255), [0, 51, 255], id="floats 0 to 255"),
        pytest.param(row([-1, 0, 1]), (-1, 1), [0, 128, 255], id="floats -1 to 1"),
        pytest.param(
            row([-1, 0, 1]), ((-1, 0, 0), (1, 1, 2)), [0, 0, 128], id="one range a channel"
        ),
    ],
)
def test_segmentation_with_input_range_maps_inputs_by_it(inputs, input_range, expected):
    rendered = draw(Segmentation(input_range=input_range), row([1, 0]), inputs=inputs)
    assert drawn(rendered, "input") == [expected]


def test_segmentation_of_float_inputs_without_range_shows_the_values():
    rule = r"`input_range` must be given for float32 inputs, got None; .*from -2\.5 to 2\. "
    with pytest.raises(ValueError, match=rule):
        bind(Segmentation(), row([1, 0]), inputs=row([-2.5, 0, 2]))


def test_segmentation_without_the_input_panel_needs_no_range():
    render = Segmentation(panels=("prediction",))
    assert drawn(draw(render, row([1, 0]), inputs=row([-2.5, 0, 2]))) == [BLACK]


def test_segmentation_with_input_image_draws_what_it_returns():
    inputs = [row([0.0, 0.5, 1.0]), np.zeros((1, 9))]
    render = Segmentation(input_range=(0, 1), input_image=lambda x: x[0][..., ::-1])
    assert drawn(draw(render, row([1, 0]), inputs=inputs), "input") == [[255, 128, 0]]


def test_segmentation_with_overlay_mixes_photo_and_colours():
    rendered = draw(
        Segmentation(overlay=0.5, ignore_index=255),
        row([0, 1], [1, 0]),
        inputs=row([100, 100, 100], [10, 20, 30], dtype=np.uint8),
        targets=row(255, 1, dtype=np.uint8),
    )
    assert drawn(rendered, "input") == [[100, 100, 100], [10, 20, 30]]
    assert drawn(rendered) == [[114, 50, 50], [5, 10, 15]]
    assert drawn(rendered, "target") == [[162, 162, 146], [69, 10, 15]]


def test_segmentation_with_overlay_keeps_bad_pixels_magenta():
    inputs = row([100, 100, 100], [0, 0, 0], dtype=np.uint8)
    rendered = draw(Segmentation(overlay=0.5), row([np.nan, 1], [1, 0]), inputs=inputs)
    assert drawn(rendered) == [MAGENTA, BLACK]


def test_segmentation_with_overlay_enlarges_small_scores_to_the_input():
    photo = np.full((1, 2, 4, 3), 200, np.uint8)
    rendered = draw(Segmentation(overlay=1.0), row([1, 0], [0, 1]), inputs=photo)
    assert rendered.panels["prediction"].tolist() == [[[BLACK, BLACK, RED, RED]] * 2]


def test_segmentation_with_overlay_and_no_input_panel_draws_over_the_input():
    render = Segmentation(overlay=0.5, panels=("prediction",))
    rendered = draw(render, row([0, 1]), inputs=row([100, 100, 100], dtype=np.uint8))
    assert list(rendered.panels) == ["prediction"]
    assert drawn(rendered) == [[114, 50, 50]]


def test_segmentation_with_overlay_and_no_image_to_lie_over_is_refused():
    with pytest.raises(ValueError, match=r"`overlay` needs an image.*`input_image`"):
        bind(Segmentation(overlay=0.5), row([0, 1]), inputs=np.zeros((1, 9)))


def test_segmentation_of_noise_leaves_it_out():
    inputs = row([0, 0, 0], dtype=np.uint8)
    assert list(draw(Segmentation(), row([1, 0]), inputs=inputs, noise=True).panels) == [
        "prediction"
    ]


def test_segmentation_leaves_the_arrays_of_the_batch():
    arrays = row([100, 100, 100], dtype=np.uint8), row([0.5, np.nan]), row([1.0])
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    inputs, outputs, targets = arrays
    draw(Segmentation(overlay=0.5), outputs, inputs=inputs, targets=targets)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        pytest.param({"num_classes": 0}, "`num_classes` .*got 0", id="no classes"),
        pytest.param({"num_classes": 2.0}, r"`num_classes` .*got 2\.0", id="float classes"),
        pytest.param({"num_classes": True}, "`num_classes` .*got True", id="bool classes"),
        pytest.param({"threshold": 0}, "`threshold` .*got 0", id="threshold 0"),
        pytest.param({"threshold": 1.0}, r"`threshold` .*got 1\.0", id="threshold 1"),
        pytest.param({"threshold": 1.4}, r"`threshold` .*got 1\.4.*from_logits", id="a logit"),
        pytest.param({"overlay": 1.5}, r"`overlay` .*0 to 1, got 1\.5", id="overlay over 1"),
        pytest.param({"overlay": True}, "`overlay` .*got True", id="overlay bool"),
        pytest.param({"input_range": (1, 0)}, r"`input_range` .*got \(1, 0\)", id="reversed"),
        pytest.param({"palette": "VOC"}, "`palette` .*got 'VOC'", id="unknown palette"),
        pytest.param({"panels": "input"}, "`panels` .*got 'input'", id="panels text"),
    ],
)
def test_segmentation_with_invalid_argument_shows_it(arguments, shown):
    with pytest.raises(ValueError, match=shown):
        Segmentation(**arguments)


def test_segmentation_with_an_unknown_panel_lists_the_panels():
    render = Segmentation(panels=("image", "prediction"))
    with pytest.raises(ValueError, match="no panel 'image'; there are: input, prediction, target"):
        bind(render, row([1, 0]))


def test_segmentation_with_a_target_panel_and_no_targets_says_so():
    render = Segmentation(panels=("prediction", "target"))
    with pytest.raises(ValueError, match="'target', but the samples have no targets"):
        bind(render, row([1, 0]))


def test_segmentation_with_fewer_colours_than_classes_counts_them():
    render = Segmentation(palette=[(0, 0, 0), (1, 1, 1)])
    with pytest.raises(ValueError, match=r"`palette` must have .*3 classes, got 2"):
        bind(render, row([1, 0, 0]))


# Names and the background


def test_segmentation_has_a_legend_of_the_classes_that_have_names():
    bound = bind(Segmentation(4, class_names={2: "cat", 0: "none"}), row(0, 3, dtype=np.int64))
    assert bound.legend() == (NamedClass(0, "none", (0, 0, 0)), NamedClass(2, "cat", (0, 128, 0)))
    assert bind(Segmentation(4), row(0, 3, dtype=np.int64)).legend() == ()


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("none", "cat"), [(0, "none"), (1, "cat")]), (["cat"], [(1, "cat")])],
    ids=["with none", "without"],
)
def test_segmentation_of_one_channel_needs_no_name_for_none(names, expected):
    legend = bind(Segmentation(class_names=names), row(0.2, 0.9)).legend()
    assert [(one.class_id, one.name) for one in legend] == expected


def test_segmentation_of_several_labels_names_its_channels():
    render = Segmentation(multi_label=True, class_names=("cat", "dog", "cow"))
    legend = bind(render, row([0.1, 0.2, 0.3])).legend()
    assert [(one.class_id, one.name) for one in legend] == [(1, "cat"), (2, "dog"), (3, "cow")]


def test_segmentation_with_other_names_than_classes_is_refused():
    with pytest.raises(ValueError, match="`class_names` must have a name for each class, 3, got 2"):
        bind(Segmentation(class_names=("a", "b")), row([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="each class, 3, got 21"):
        bind(Segmentation(class_names="voc"), row([0.1, 0.2, 0.3]))


def test_legend_has_the_colour_that_ignored_pixels_are_drawn_in():
    ids = row(0, 1, dtype=np.int64)
    bound = bind(Segmentation(2, ignore_index=0, class_names=["void", "cat"]), ids)
    assert [one.color for one in bound.legend()] == [(224, 224, 192), (128, 0, 0)]


GREY = np.full((1, 1, 3, 1), 100, np.uint8)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"overlay": 0.5, "background_class": 1}, [0, 2]),
        ({"overlay": 0.5, "background_class": 1, "ignore_index": 1}, [0, 1, 2]),
        ({"background_class": 1}, [0, 1, 2]),
        ({"overlay": 0.5}, [0, 1, 2]),
    ],
    ids=["bare", "ignored", "no overlay", "no background"],
)
def test_legend_leaves_out_the_class_that_no_panel_colours(settings, shown):
    render = Segmentation(3, class_names=["a", "b", "c"], **settings)
    bound = bind(render, row(0, 1, 2, dtype=np.int64), inputs=GREY)
    assert [one.class_id for one in bound.legend()] == shown
    assert [one.name for one in bound.named_classes()] == ["a", "b", "c"]
    rendered = draw(render, row(0, 1, 2, dtype=np.int64), inputs=GREY)
    # What a legend names is what differs from the grey of the input.
    assert [n for n, pixel in enumerate(drawn(rendered)) if pixel != [100] * 3] == shown


def test_error_alone_has_no_legend_of_colours_that_are_not_in_it():
    render = Segmentation(3, class_names=["a", "b", "c"], panels=["input", "error"])
    bound = bind(
        render, row(0, 1, 2, dtype=np.int64), inputs=GREY, targets=row(0, 1, 1, dtype=np.int64)
    )
    assert bound.legend() == ()
    assert [(one.name, one.is_bare) for one in bound.named_classes()] == [
        ("a", True),
        ("b", True),
        ("c", True),
    ]


def test_overlay_leaves_the_background_class_bare():
    render = Segmentation(3, overlay=0.5, background_class=1)
    rendered = draw(render, row(0, 1, 2, dtype=np.int64), inputs=GREY)
    assert drawn(rendered) == [[50] * 3, [100] * 3, [50, 114, 50]]
    photo = np.array([[[[9, 8, 7, 255]] * 3]], np.uint8)
    rendered = draw(render, row(0, 1, 2, dtype=np.int64), inputs=photo)
    assert drawn(rendered)[1] == [9, 8, 7]


@pytest.mark.parametrize("multi_label", [None, True], ids=["one channel", "several labels"])
def test_overlay_leaves_bare_what_has_none_of_the_classes(multi_label):
    scores = row([0.1], [0.9], [0.1]) if multi_label is None else row([0, 0], [0.9, 0], [0, 0])
    render = Segmentation(overlay=0.5, multi_label=multi_label)
    rendered = draw(render, scores, inputs=GREY)
    assert drawn(rendered) == [[100] * 3, [114, 50, 50], [100] * 3]


def test_overlay_by_argmax_colours_every_class():
    rendered = draw(Segmentation(3, overlay=0.5), row(0, 1, 0, dtype=np.int64), inputs=GREY)
    assert drawn(rendered)[0] == [50] * 3


def test_background_class_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"`background_class` must be one of the 3 classes.*got 3"):
        bind(Segmentation(background_class=3), row([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match=r"`background_class` must be an int, 0 or more.*got True"):
        Segmentation(background_class=True)


# What is measured


def test_segmentation_measures_the_class_maps_that_it_draws():
    scores = row([0.8, 0.1], [0.1, 0.2], [np.nan, 1])
    targets = row(1, 255, 0, dtype=np.uint8)
    batch = Batch(None, targets, scores)
    found = bind(Segmentation(ignore_index=255), scores, targets=targets).measured(batch)[""]
    assert found.outputs.tolist() == [[[0, 1, NOT_FINITE]]]
    assert found.targets.tolist() == [[[1, 255, 0]]]
    assert (found.count, found.ignore_index) == (2, 255)


@pytest.mark.parametrize(
    "targets", [None, np.zeros((1, 5)), np.zeros((1, 9, 9, 1))], ids=["none", "labels", "larger"]
)
def test_segmentation_without_targets_that_are_class_maps_has_none_to_measure(targets):
    scores = row([0.8, 0.1])
    render = Segmentation(panels=("prediction",))
    found = bind(render, scores, targets=targets).measured(Batch(None, targets, scores))[""]
    assert found.targets is None
