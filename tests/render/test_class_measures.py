"""Measures of class maps: exact values of tiny maps, and what scikit-learn finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, f1_score, jaccard_score
from support.layouts import LAYOUTS

from keras_image_saver.render.base import (
    NOT_FINITE,
)
from keras_image_saver.render.class_measures import (
    accuracy,
    change,
    class_accuracy,
    class_dice,
    class_iou,
    count_classes,
    dice,
    iou,
)
from keras_image_saver.render.measured import MeasuredClasses

RNG = np.random.default_rng(4)


def counts(targets, outputs, count=3, **kwargs):
    """Counts of samples of one row each."""
    targets, outputs = (np.array(rows)[:, np.newaxis] for rows in (targets, outputs))
    return count_classes([MeasuredClasses(outputs, count, targets, **kwargs)])


# By hand


def test_class_measures_average_over_the_classes_that_occur():
    # Class 0: 2 of 3 pixels; class 1: 1 of 2; class 2 does not occur.
    found = counts([[0, 0, 0, 1]], [[0, 0, 1, 1]])
    assert accuracy(found).tolist() == [0.75]
    np.testing.assert_allclose(class_iou(found), [[2 / 3, 1 / 2, np.nan]])
    np.testing.assert_allclose(iou(found), [(2 / 3 + 1 / 2) / 2])
    np.testing.assert_allclose(class_dice(found), [[4 / 5, 2 / 3, np.nan]])
    np.testing.assert_allclose(dice(found), [(4 / 5 + 2 / 3) / 2])
    np.testing.assert_allclose(class_accuracy(found), [[2 / 3, 1, np.nan]])


def test_class_that_is_only_predicted_counts_as_one_that_occurs():
    found = counts([[0, 0]], [[0, 2]])
    np.testing.assert_allclose(class_iou(found), [[1 / 2, np.nan, 0]])
    assert iou(found).tolist() == [0.25]


@pytest.mark.parametrize(
    ("left_out", "ignore_index"),
    [(255, 255), (2, 2), (-1, -1), (NOT_FINITE, None)],
    ids=["beyond the classes", "one of the classes", "negative", "no target"],
)
def test_pixels_that_are_left_out_change_nothing(left_out, ignore_index):
    found = counts([[0, 0, 1, left_out]], [[0, 1, 1, 1]], ignore_index=ignore_index)
    rest = counts([[0, 0, 1]], [[0, 1, 1]])
    for one in (accuracy, iou, dice):
        assert one(found).tolist() == one(rest).tolist()


def test_prediction_that_is_no_class_is_wrong_and_no_class_to_average_over():
    for wrong, ignore_index in ((NOT_FINITE, None), (2, 2)):
        found = counts([[0, 0, 1]], [[0, wrong, 1]], ignore_index=ignore_index)
        np.testing.assert_allclose(class_iou(found), [[1 / 2, 1, np.nan]])
        np.testing.assert_allclose(accuracy(found), [2 / 3])


def test_sample_without_a_pixel_that_counts_has_nan():
    found = counts([[9, 9], [0, 0]], [[0, 1], [0, 0]], ignore_index=9)
    for one in (accuracy, iou, dice):
        np.testing.assert_array_equal(one(found), [np.nan, 1])
    np.testing.assert_array_equal(class_iou(found.pooled()), [[1, np.nan, np.nan]])


@pytest.mark.parametrize("larger", ["targets", "outputs"])
def test_maps_of_two_sizes_are_compared_at_the_larger(larger):
    small, large = np.array([[[0, 1]]]), np.array([[[0, 1, 1, 1], [0, 0, 1, 2]]])
    pair = {"targets": large, "outputs": small}
    if larger == "outputs":
        pair = {"targets": small, "outputs": large}
    found = count_classes([MeasuredClasses(count=3, **pair)])
    assert accuracy(found).tolist() == [6 / 8]


def test_change_is_the_share_of_pixels_that_have_another_class():
    now, before = np.array([[[0, 1]], [[2, 2]]]), np.array([[[0, 2]], [[2, 2]]])
    assert change(MeasuredClasses(now, 3, previous=before)).tolist() == [0.5, 0]
    assert np.isnan(change(MeasuredClasses(now, 3))).all()
    assert np.isnan(change(MeasuredClasses(now, 3, previous=before[:, :, :1]))).all()


# By scikit-learn


@pytest.mark.parametrize(
    ("classes", "dtype"), [(2, np.uint8), (5, np.int64), (5, np.int32), (300, np.int32)]
)
def test_class_measures_are_those_of_scikit_learn(classes, dtype):
    targets = RNG.integers(0, min(classes, 9), (6, 8, 9)).astype(dtype)
    outputs = np.where(RNG.random(targets.shape) < 0.5, targets, (targets + 1) % classes)
    outputs[0] = targets[0]
    parts = [
        MeasuredClasses(outputs[rows].astype(dtype), classes, targets[rows])
        for rows in (slice(0, 4), slice(4, 6))
    ]
    found = count_classes(parts)
    pairs = [(a.ravel(), b.ravel()) for a, b in zip(targets, outputs, strict=True)]
    np.testing.assert_allclose(accuracy(found), [accuracy_score(*pair) for pair in pairs])
    expected = [jaccard_score(*pair, average="macro") for pair in pairs]
    np.testing.assert_allclose(iou(found), expected)
    np.testing.assert_allclose(dice(found), [f1_score(*pair, average="macro") for pair in pairs])
    together = targets.ravel(), outputs.ravel()
    known = np.unique(together)
    pooled = class_iou(found.pooled())[0]
    np.testing.assert_allclose(pooled[known], jaccard_score(*together, average=None))


# Any class maps, pixel by pixel


def counted(targets, outputs, count, ignore_index):
    """Accuracy, and by class intersection, union and sizes, of one sample."""
    pairs = [
        (target, output)
        for target, output in zip(targets, outputs, strict=True)
        if 0 <= target < count and target != ignore_index
    ]
    by_class = []
    for one in range(count):
        of_output = 0 if one == ignore_index else sum(output == one for _, output in pairs)
        both, of_target = pairs.count((one, one)), sum(target == one for target, _ in pairs)
        by_class.append((both, of_target, of_output))
    return sum(both for both, _, _ in by_class), len(pairs), by_class


@settings(max_examples=50, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from([np.int32, np.int64]),
    shape=hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
    ignore_index=st.none() | st.sampled_from([-1, 1, 255]),
)
def test_measures_of_any_class_maps_are_those_of_a_plain_loop(data, dtype, shape, ignore_index):
    count = 3
    ids = st.sampled_from([-1, 0, 1, 2, 3, 255, NOT_FINITE])
    targets, outputs = (
        LAYOUTS[data.draw(st.sampled_from(["plain", "fortran", "strides", "read-only"]))](
            data.draw(hnp.arrays(dtype, shape, elements=ids))
        )
        for _ in range(2)
    )
    found = count_classes([MeasuredClasses(outputs, count, targets, ignore_index)])
    for index in range(shape[0]):
        one, other = (maps[index].ravel().tolist() for maps in (targets, outputs))
        hits, pixels, by_class = counted(one, other, count, ignore_index)
        share = hits / pixels if pixels else np.nan
        np.testing.assert_allclose(accuracy(found)[index], share)
        unions = [(both, a + b - both) for both, a, b in by_class]
        expected = [both / union if union else np.nan for both, union in unions]
        np.testing.assert_allclose(class_iou(found)[index], expected)
        known = [value for value in expected if not np.isnan(value)]
        np.testing.assert_allclose(iou(found)[index], np.mean(known) if known else np.nan)
        expected = [2 * both / (a + b) if a + b else np.nan for both, a, b in by_class]
        np.testing.assert_allclose(class_dice(found)[index], expected)
