"""Scores and targets to class maps."""

import numpy as np
import pytest

from keras_image_saver.render.base import NOT_FINITE, ClassDecision
from keras_image_saver.render.class_map import Classes, logit


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
