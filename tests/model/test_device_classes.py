"""The class decision on the device, against that of the host."""

import numpy as np
import pytest
import tensorflow as tf

from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.render.base import NOT_FINITE
from keras_image_saver.render.class_map import Classes


def telling(*shape):
    """Scores with ties, zeros of both signs, and values that are not finite."""
    rng = np.random.default_rng(0)
    scores = rng.integers(-3, 4, shape).astype(np.float32) / 2
    scores[rng.random(shape) < 0.1] = -0.0
    for odd in (np.nan, np.inf, -np.inf):
        scores[rng.random(shape) < 0.1 / shape[-1]] = odd
    return scores


@pytest.mark.parametrize(
    ("decision", "channels"),
    [
        ("threshold", 1),
        *((decision, n) for decision in ("argmax", "multi_label") for n in (2, 21, 64, 65, 150)),
    ],
)
def test_decision_on_the_device_is_that_of_the_host(decision, channels):
    classes = Classes(decision, max(2, channels), channels + 1, np.float32(0.5))
    scores = telling(2, 9, 11, channels)
    (ids,) = decide_on_device(classes.on_device, 0, channels_first=False)([tf.constant(scores)])
    expected = classes.of_scores(scores)
    assert 0 < np.count_nonzero(expected == NOT_FINITE) < expected.size / 2
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_decision_on_the_device_of_other_floats(dtype):
    scores = tf.cast(telling(2, 5, 7, 4), dtype)
    classes = Classes("argmax", 4, 4, np.float32(0.5))
    ids = decide_on_device(classes.on_device, 0, channels_first=False)(scores)
    np.testing.assert_array_equal(ids, classes.of_scores(tf.cast(scores, tf.float32).numpy()))


def test_decision_on_the_device_channels_first_and_without_a_channel():
    scores = telling(2, 5, 7, 4)
    classes = Classes("argmax", 4, 4, np.float32(0.5))
    first = tf.constant(np.moveaxis(scores, -1, 1))
    ids = decide_on_device(classes.on_device, 0, channels_first=True)(first)
    np.testing.assert_array_equal(ids, classes.of_scores(scores))
    classes = Classes("threshold", 2, 2, np.float32(0.5))
    ids = decide_on_device(classes.on_device, 0, channels_first=False)(tf.constant(scores[..., 0]))
    np.testing.assert_array_equal(ids, classes.of_scores(scores[..., 0]))


def test_decision_leaves_other_outputs_and_integers():
    classes = Classes("argmax", 3, 3, np.float32(0.5))
    decide = decide_on_device(classes.on_device, 1, channels_first=False)
    other, scores = tf.constant([1.0]), tf.constant(telling(1, 2, 2, 3))
    outputs = decide({"a": other, "b": scores})
    assert outputs["a"] is other
    assert outputs["b"].shape == (1, 2, 2)
    integers = tf.ones((1, 2, 2, 3), tf.int32)
    assert decide([other, integers])[1] is integers


def test_decision_that_cannot_be_compiled_is_left_to_the_host_for_good(monkeypatch):
    calls = []

    def broken(*args, **kwargs):
        calls.append(args)
        raise tf.errors.InternalError(None, None, "ptxas is missing")

    monkeypatch.setattr(tf, "function", lambda *args, **kwargs: broken)
    classes = Classes("argmax", 3, 3, np.float32(0.5))
    decide = decide_on_device(classes.on_device, 0, channels_first=False)
    scores = tf.constant(telling(1, 2, 2, 3))
    assert decide([scores])[0] is scores
    assert decide([scores])[0] is scores
    assert len(calls) == 1
