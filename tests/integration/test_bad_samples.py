"""Samples that do not fit the model: said before training, in our words, Keras's error chained."""

import re

import numpy as np
import pytest
import tensorflow as tf
from support.models import autoencoder, floats, keras, layers, names, only_tensorflow

from keras_image_saver import Images, ImageSaver

X = floats(4, 8, 8, 1)


def two_inputs():
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    x = layers.Concatenate()([left, right])
    return keras.Model([left, right], layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x))


def pairs(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(4)


def refusal(folder, model, samples, error=ValueError, **arguments):
    """The error that a start raises; nothing is left of it."""
    saver = ImageSaver(folder / "run", samples, **arguments)
    with pytest.raises(error) as info, saver.watch(model):
        pytest.fail("the loop began")
    assert names(folder) == []
    return info.value


TAKES = r"It takes left: shape \(None, 8, 8, 1\) and dtype float32; right: shape \(None, 8, 8, 1\)"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(
            pairs(X, X),
            r"The dataset yields tuples of 2, read as \(x, y\) as `fit` reads it: the model is shown x "
            r'alone\. Two inputs are \(\(left, right\), y\) or {"left": left, "right": right}\.',
            id="dataset of pairs",
        ),
        pytest.param(
            (X, X),
            r"It is a tuple of 2, read as \(x, y\).* Two inputs are \[left, right\], "
            r"\(\[left, right\], y\) or {",
            id="tuple",
        ),
        pytest.param(
            pairs(X, X, X[:, 0, 0, 0]), r"of 3, read as \(x, y, sample_weight\)", id="three"
        ),
    ],
)
def test_tuple_of_two_inputs_is_told_how_it_was_read(tmp_path, samples, expected):
    error = refusal(tmp_path, two_inputs(), samples)
    message = str(error)
    assert re.search(r"^`samples` must be what the model takes: \w+ raised ", message), message
    assert re.search(TAKES, message), message
    assert "`samples` has x: shape (4, 8, 8, 1) and dtype float32; y: shape (4, 8, 8, 1)" in message
    assert re.search(expected, message), message
    # Keras's own error, and its own words: it cuts the chain of what leaves `fit`.
    assert isinstance(error.__cause__, Exception)
    assert type(error.__cause__).__name__ in message
    assert len(message) < 1_000


def test_samples_of_another_shape_are_told_beside_what_the_model_takes(tmp_path):
    message = str(refusal(tmp_path, autoencoder(), floats(4, 8, 8, 3)))
    assert re.search(r"raised \w+: .*It takes .*shape \(None, 8, 8, 1\) and dtype float32", message)
    assert "`samples` has x: shape (4, 8, 8, 3) and dtype float32." in message
    assert "tuple" not in message


def test_arrays_that_keras_prints_are_left_out_and_what_it_says_of_them_stays(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    message = str(refusal(tmp_path, model, np.zeros((2, 3, 8, 1), np.float32)))
    assert "0." not in message
    assert re.search(r"raised \w+: .*(xpected shape|incompatible)", message), message


def test_several_inputs_of_a_sequential_are_refused_where_keras_takes_the_first(tmp_path):
    message = str(refusal(tmp_path, autoencoder(), [X, X]))
    assert "a Sequential has one input, got 2 arrays of inputs" in message
    assert "inputs and targets are a tuple (x, y)" in message


class TwoInOne(keras.Model):
    """Unpacks its inputs, as two rows of one input can be too."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, inputs, training=None):
        left, right = inputs
        return self.dense(tf.concat([left, right], -1))


@only_tensorflow
def test_tuple_that_happens_to_be_drawn_by_rows_is_told_how_it_was_read(tmp_path):
    model, two = TwoInOne(), X[:2]
    model([two, two])
    message = str(refusal(tmp_path, model, (two, two), render=Images((0, 1))))
    assert "`model` must return a row a sample, got shape (8, 8, 1)" in message
    assert "read as (x, y)" in message


@only_tensorflow
def test_subclassed_model_is_told_by_its_call(tmp_path):
    model = TwoInOne()
    model([X, X])
    assert "It takes what its call(inputs, training) takes" in str(refusal(tmp_path, model, (X, X)))


def test_failing_predict_is_told_with_its_own_error_chained(tmp_path):
    def predict(model, inputs):
        raise KeyError("denormalize")

    error = refusal(tmp_path, autoencoder(), (X, X), predict=predict)
    assert isinstance(error.__cause__, KeyError)
    assert re.search(
        r"^`predict` raised KeyError: 'denormalize'\. It was called with x: shape \(\d, 8, 8, 1\)",
        str(error),
    )
    assert "read as (x, y)" in str(error)


@pytest.mark.parametrize("argument", ["render", "input_image"])
def test_failing_function_of_the_users_is_told_with_what_it_was_shown(tmp_path, argument):
    def fails(shown):
        raise IndexError("out of bounds")

    render = fails if argument == "render" else Images((0, 1), input_image=fails)
    error = refusal(tmp_path, autoencoder(), (X, X), render=render)
    assert isinstance(error.__cause__, IndexError)
    told = rf"^`{argument}` raised IndexError: out of bounds\. It was called with inputs: shape \(\d, 8"
    assert re.search(told, str(error))


@pytest.mark.parametrize("kind", ["XlaRuntimeError", "OutOfMemoryError"])
def test_want_of_memory_of_other_backends_is_not_told_of_the_samples(tmp_path, kind):
    text = "RESOURCE_EXHAUSTED: Out of memory" if kind == "XlaRuntimeError" else "CUDA"
    exhausted = type(kind, (RuntimeError,), {})(text)

    def predict(model, inputs):
        raise exhausted

    assert refusal(tmp_path, autoencoder(), X, RuntimeError, predict=predict) is exhausted


def test_want_of_memory_is_not_told_of_the_samples(tmp_path):
    def predict(model, inputs):
        raise MemoryError("no room")

    error = refusal(tmp_path, autoencoder(), X, MemoryError, predict=predict)
    assert str(error) == "no room"


def test_error_of_samples_leaves_fit_with_what_keras_said(tmp_path):
    model = two_inputs()
    model.compile("sgd", "mse")
    y = np.zeros((4, 8, 8, 1), np.float32)
    with pytest.raises(ValueError, match=r"raised \w+: .*(expects 2 |expected structure)") as info:
        model.fit([X, X], y, verbose=0, callbacks=[ImageSaver(tmp_path, (X, X))])
    assert "`samples` must be what the model takes" in str(info.value)
