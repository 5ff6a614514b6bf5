"""Scores and targets to class maps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.pixels import FLOATS, INTEGERS, dtype_of

from keras_image_saver.render.base import NOT_FINITE, ClassDecision
from keras_image_saver.render.class_map import Classes, choose_decision, logit


def test_logit_of_a_half_is_zero():
    assert logit(0.5) == 0


def test_logit_undoes_the_sigmoid():
    assert 1 / (1 + np.exp(-logit(0.9))) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("shape", "channels", "expected"),
    [
        pytest.param((1, 2, 2, 3), 3, True, id="one-hot"),
        pytest.param((1, 2, 2, 3), 4, False, id="other channels"),
        pytest.param((1, 2, 2, 1), 1, False, id="ids with a channel"),
        pytest.param((1, 2, 3), 3, False, id="ids"),
    ],
)
def test_is_one_hot_tells_by_the_last_axis(shape, channels, expected):
    classes = Classes("argmax", channels, channels, np.float32(0.5))
    assert classes.is_one_hot(np.zeros(shape)) is expected


def test_of_scores_by_argmax_masks_non_finite_scores():
    classes = Classes("argmax", 3, 3, np.float32(0.5))
    scores = np.array([[[[0.1, 0.7, 0.2], [np.nan, 9, 0], [np.inf, 0, 0], [3, 2, -np.inf]]]])
    assert classes.of_scores(scores).tolist() == [[[1, NOT_FINITE, NOT_FINITE, NOT_FINITE]]]


def test_of_scores_by_argmax_of_a_tie_takes_the_first():
    classes = Classes("argmax", 3, 3, np.float32(0.5))
    assert classes.of_scores(np.array([[[[0, 2, 2]]]])).tolist() == [[[1]]]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 3, 1)], ids=str)
def test_of_scores_by_threshold_takes_what_exceeds_it(shape):
    classes = Classes("threshold", 2, 2, np.float32(0.5))
    scores = np.array([0.5, 0.500001, np.nan], np.float32).reshape(shape)
    assert classes.of_scores(scores).tolist() == [[[0, 1, NOT_FINITE]]]


def test_of_scores_of_several_labels_draws_the_last_on_top():
    classes = Classes("multi_label", 3, 4, np.float32(0.5))
    scores = np.array([[[[0.9, 0.1, 0.1], [0.9, 0.1, 0.8], [0.1, 0.5, 0.2], [np.nan, 1, 0]]]])
    assert classes.of_scores(scores).tolist() == [[[1, 3, 0, NOT_FINITE]]]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 3, 1)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_of_scores_of_ids_keeps_them(shape, dtype):
    classes = Classes("ids", 5, 5, np.float32(0.5))
    ids = np.array([0, 1, 1], dtype).reshape(shape)
    assert classes.of_scores(ids).tolist() == [[[0, 1, 1]]]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(np.array([[[0, 255]]], np.uint8), [[[0, 255]]], id="uint8 ids"),
        pytest.param(np.array([[[[0], [2]]]], np.int32), [[[0, 2]]], id="ids with a channel"),
        pytest.param(np.array([[[1.0, np.nan]]]), [[[1, NOT_FINITE]]], id="float ids"),
        pytest.param(np.array([[[0.4, 1.6, -1.0]]]), [[[0, 2, -1]]], id="fractional ids"),
        pytest.param(np.array([[[[0, 0, 1], [1, 0, 0]]]], bool), [[[2, 0]]], id="one-hot bool"),
        pytest.param(
            np.array([[[[0.0, 1, 0], [np.nan, 1, 0]]]]), [[[1, NOT_FINITE]]], id="one-hot floats"
        ),
    ],
)
def test_of_target_returns_ids(target, expected):
    assert Classes("argmax", 3, 3, np.float32(0.5)).of_target(target).tolist() == expected


def test_of_target_of_several_labels_draws_the_last_on_top():
    classes = Classes("multi_label", 3, 4, np.float32(0.5))
    target = np.array([[[[1, 0, 1], [0, 1, 0], [0, 0, 0]]]])
    assert classes.of_target(target).tolist() == [[[3, 2, 0]]]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ("argmax", ClassDecision(True, np.float32(0.25))),
        ("threshold", ClassDecision(False, np.float32(0.25))),
        ("multi_label", ClassDecision(False, np.float32(0.25))),
        ("ids", None),
    ],
)
def test_on_device_is_the_same_decision_where_there_is_one(decision, expected):
    assert Classes(decision, 3, 3, np.float32(0.25)).on_device == expected


@pytest.mark.parametrize(
    ("decision", "has_none"),
    [("argmax", False), ("ids", False), ("threshold", True), ("multi_label", True)],
)
def test_class_0_means_none_where_each_channel_is_by_itself(decision, has_none):
    assert Classes(decision, 3, 3, np.float32(0.5)).has_none is has_none


def test_of_scores_of_what_the_device_has_decided_is_that():
    ids = np.array([[[2, 0]]], np.int32)
    assert Classes("argmax", 3, 3, np.float32(0.5)).of_scores(ids) is ids
    # Of another integer they are scores, by which a threshold decides.
    decided = Classes("threshold", 1, 2, np.float32(0.5)).of_scores(ids.astype(np.int64))
    assert decided.tolist() == [[[1, 0]]]


@pytest.mark.parametrize("decision", ["ids", "argmax"], ids=["outputs", "targets"])
def test_ids_beyond_any_class_stay_beyond(decision):
    classes = Classes(decision, 5, 5, np.float32(0.5))
    classify = classes.of_scores if decision == "ids" else classes.of_target
    ids = np.array([[[3, 2**31 - 1, 2**64 - 1]]], np.uint64)
    assert classify(ids).tolist() == [[[3, 2**31 - 1, 2**31]]]
    assert classify(ids).dtype == np.int64
    assert classify(np.array([[[-1, 2**40]]])).tolist() == [[[-1, 2**40]]]


def test_of_target_of_floats_beyond_any_class_stays_beyond():
    target = np.array([[[2.0**31, -(2.0**31), 1e300, -1e300, 2.0**31 - 1]]])
    expected = [2**31, -(2**31), 2**31, -(2**31), 2**31 - 1]
    with np.errstate(all="raise"):
        assert Classes("ids", 3, 3, np.float32(0)).of_target(target).tolist() == [[expected]]


def test_scores_beyond_float32_are_no_error_but_not_finite():
    with np.errstate(all="raise"):
        found = Classes("argmax", 2, 2, np.float32(0.5)).of_scores(np.array([[[[1e300, 0.0]]]]))
    assert found.tolist() == [[[NOT_FINITE]]]


@pytest.mark.parametrize("of", ["scores", "target"])
def test_nan_that_signals_is_no_error_but_not_finite(of):
    values = np.array([[[0x7FA00000, 0x3F800000]]], np.uint32).view(np.float32)
    with np.errstate(all="raise"):
        if of == "target":
            found = Classes("ids", 3, 3, np.float32(0.5)).of_target(values)
        else:
            found = Classes("threshold", 1, 2, np.float32(0.5)).of_scores(values)
    assert found.tolist() == [[[NOT_FINITE, 1]]]


def test_of_target_of_several_labels_takes_what_exceeds_a_half():
    target = np.array([[[[0.5, 0.0], [0.6, 0.5], [0.0, 1.0]]]])
    assert Classes("multi_label", 2, 3, np.float32(9)).of_target(target).tolist() == [[[0, 1, 2]]]


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        pytest.param((1, 2, 2), "uint8", True, id="ids"),
        pytest.param((1, 2, 2, 1), "float32", True, id="ids with a channel"),
        pytest.param((1, 2, 2, 3), "bool", True, id="one-hot"),
        pytest.param((1, 2, 2, 2), "uint8", False, id="other channels"),
        pytest.param((2, 2), "uint8", False, id="one map"),
        pytest.param((2, 1), "uint8", False, id="numbers"),
        pytest.param((1, 2, 2, 1, 1), "uint8", False, id="a volume with a channel"),
        pytest.param((1, 2, 2, 2, 3), "uint8", False, id="a volume"),
        pytest.param((1, 2, 2), "complex64", False, id="complex"),
    ],
)
def test_target_is_told_by_its_shape_and_dtype(shape, dtype, expected):
    classes, target = Classes("argmax", 3, 3, np.float32(0.5)), np.zeros(shape, dtype)
    assert classes.is_target(target) is expected
    if expected:
        classes.check_target(target)
    elif dtype == "complex64":
        with pytest.raises(TypeError, match="`target` must be bool, integer or float, got"):
            classes.check_target(target)
    else:
        with pytest.raises(
            ValueError, match=r"one-hot \(N, H, W, 3\), got shape .*To leave them out"
        ):
            classes.check_target(target)


@pytest.mark.parametrize(
    ("target", "count"),
    [
        pytest.param(np.array([[[0.5, 1.0, 2.25, np.nan, np.inf]]]), 2, id="floats"),
        pytest.param(np.array([[[1, 2, 3]]]), 0, id="integers"),
        pytest.param(np.full((1, 1, 1, 3), 0.3), 0, id="one-hot"),
        pytest.param(np.full((1, 1, 2, 1), 0.3), 2, id="floats with a channel"),
    ],
)
def test_fractional_ids_are_counted(target, count):
    assert Classes("argmax", 3, 3, np.float32(0.5)).fractional_ids(target) == count


@pytest.mark.parametrize(
    ("shape", "dtype", "multi_label", "activation", "expected"),
    [
        ((1, 2, 3), "uint8", None, None, "ids"),
        ((1, 2, 3), "bool", False, "sigmoid", "ids"),
        ((1, 2, 3), "float32", None, "sigmoid", "threshold"),
        ((1, 2, 3, 1), "int64", None, None, "ids"),
        ((1, 3, 1, 1), "float16", False, None, "threshold"),
        ((1, 1, 1, 3), "float32", None, None, "argmax"),
        ((1, 2, 1, 3), "float32", None, "softmax", "argmax"),
        ((1, 2, 3, 2), "int32", None, None, "argmax"),
        ((1, 2, 3, 2), "float32", False, "sigmoid", "argmax"),
        ((1, 2, 3, 2), "float32", True, "sigmoid", "multi_label"),
        ((1, 2, 3, 2), "uint8", True, None, "multi_label"),
    ],
)
def test_decision_follows_from_shape_dtype_and_activation(
    shape, dtype, multi_label, activation, expected
):
    assert choose_decision(np.zeros(shape, dtype), multi_label, activation) == expected


@pytest.mark.parametrize(
    ("shape", "dtype", "multi_label", "activation", "error", "said"),
    [
        ((2, 3), "float32", None, None, ValueError, r"draws outputs of .* dtype float32\."),
        ((1, 1, 2, 2, 3), "float32", None, None, ValueError, r"dtype float32; .*slices"),
        ((1, 1, 2, 2, 3, 1), "float32", None, None, ValueError, r"dtype float32\."),
        ((1, 2, 3), "float32", True, None, ValueError, "`multi_label` needs outputs of several"),
        ((1, 2, 3, 1), "uint8", True, None, ValueError, "`multi_label` needs outputs of several"),
        ((1, 2, 2, 3), "float32", None, "sigmoid", ValueError, "a sigmoid of 3 channels, got None"),
        ((1, 2, 3), "complex64", None, None, TypeError, "`output` must be bool"),
    ],
)
def test_outputs_that_are_no_classes_are_refused(
    shape, dtype, multi_label, activation, error, said
):
    with pytest.raises(error, match=said):
        choose_decision(np.zeros(shape, dtype), multi_label, activation)


# Any array, pixel by pixel in Python's own numbers


@st.composite
def any_array(draw, dtype, shape):
    """Numbers that tell one decision from another, of any dtype and layout."""
    telling = [-1.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 100.0]
    if dtype in FLOATS:
        telling += [0.4999, 0.5001, 2.5, math.nan, math.inf, -math.inf]
    elif dtype.startswith("u"):
        telling = [abs(one) for one in telling]
    array = draw(hnp.arrays(np.float64, shape, elements=st.sampled_from(telling)))
    return LAYOUTS[draw(st.sampled_from([*LAYOUTS]))](array.astype(dtype_of(dtype)))


def decided(scores, decision, limit):
    """The class of one pixel."""
    if not all(map(math.isfinite, scores)):
        return NOT_FINITE
    if decision == "argmax":
        return scores.index(max(scores))
    return max((number for number, one in enumerate(scores, 1) if one > limit), default=0)


# Others are cast to float32 where they are read.
NUMPYS_FLOATS = [one for one in FLOATS if one != "bfloat16"]


@pytest.mark.parametrize("decision", ["argmax", "multi_label", "threshold"])
@settings(max_examples=60, deadline=None)
@given(data=st.data(), dtype=st.sampled_from([*NUMPYS_FLOATS, *INTEGERS]))
def test_of_scores_of_any_array_decides_each_pixel(decision, data, dtype):
    channels = 1 if decision == "threshold" else data.draw(st.integers(2, 4))
    scores = data.draw(
        any_array(dtype, (*data.draw(hnp.array_shapes(min_dims=3, max_dims=3)), channels))
    )
    limit = np.float32(data.draw(st.sampled_from([0.0, 0.25, 0.5])))
    before = scores.tobytes()
    found = Classes(decision, channels, channels + 1, limit).of_scores(scores)
    assert scores.tobytes() == before
    pixels = scores.astype(np.float64).reshape(-1, channels).tolist()
    assert found.shape == scores.shape[:3]
    assert found.ravel().tolist() == [decided(one, decision, limit) for one in pixels]


@settings(max_examples=100, deadline=None)
@given(data=st.data(), dtype=st.sampled_from([*NUMPYS_FLOATS, *INTEGERS, "bool"]))
def test_of_target_of_any_ids_is_those_ids(data, dtype):
    shape = data.draw(hnp.array_shapes(min_dims=3, max_dims=3))
    ids = data.draw(any_array(dtype, (*shape, 1)))
    found = Classes("argmax", 3, 3, np.float32(0.5)).of_target(ids)
    expected = [
        round(one) if math.isfinite(one) else NOT_FINITE
        for one in ids.astype(np.float64).ravel().tolist()
    ]
    assert found.shape == shape
    assert found.ravel().tolist() == expected
