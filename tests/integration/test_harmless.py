"""Training goes on as without the callback: weights, variables, random states, the folder."""

import random

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    BACKEND,
    KERAS_3,
    Counter,
    autoencoder,
    floats,
    gan,
    names,
    only_keras_3,
    only_tensorflow,
    read,
    regularised,
    watched,
)
from support.training import PREDICTION, Meddler, fit

from keras_image_saver import Images, ImageSaver, latents

keras = tf.keras
layers = keras.layers


def weights_after(build, train, saver=None):
    keras.backend.clear_session()  # layers of other names may be compiled in another order
    keras.utils.set_random_seed(11)
    model = build()
    train(model, [] if saver is None else [saver])
    return [np.array(value) for value in model.get_weights()]


def assert_same_weights(build, train, make_saver):
    plain, saved = weights_after(build, train), weights_after(build, train, make_saver())
    assert len(plain) == len(saved)
    for one, other in zip(plain, saved, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("options", [{}, {"every_batches": 1}, {"save_initial": True}], ids=str)
def test_training_with_dropout_and_batch_normalisation_is_bit_identical(tmp_path, options):
    x = floats(8, 8, 8, 1)

    def train(model, callbacks):
        model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=callbacks)

    assert_same_weights(regularised, train, lambda: ImageSaver(tmp_path, x[:3], **options))


@only_tensorflow
def test_training_of_a_gan_that_draws_noise_is_bit_identical(tmp_path):
    x = floats(4, 8, 8, 3, low=-1)

    def train(model, callbacks):
        model.fit(x, batch_size=2, epochs=2, verbose=0, callbacks=callbacks)

    def saver():
        return ImageSaver(tmp_path, latents(3, 4), model="generator")

    assert_same_weights(gan, train, saver)


class Noisy(layers.Layer):
    """Adds noise from a seed generator of its own, at inference too."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(3)

    def call(self, inputs):
        return inputs + 0.1 * keras.random.normal(keras.ops.shape(inputs), seed=self.seed)


@only_keras_3
def test_training_of_a_model_that_draws_at_inference_is_bit_identical(tmp_path):
    x = floats(8, 8, 8, 1)

    def build():
        return keras.Sequential(
            [keras.Input((8, 8, 1)), layers.Conv2D(1, 3, padding="same"), Noisy()]
        )

    def train(model, callbacks):
        model.compile("adam", "mse")
        model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=callbacks)

    def saver():
        return ImageSaver(tmp_path, x[:5], batch_size=2, render=Images((0, 1)), every_batches=1)

    assert_same_weights(build, train, saver)


class Counting(layers.Layer):
    """Counts its calls in a variable, as no layer should and some do."""

    def build(self, shape):
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros", trainable=False, dtype="float32"
        )

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs


def test_variables_that_a_pass_changes_are_put_back(tmp_path):
    x = floats(8, 8, 8, 1)
    counting = Counting()
    conv = layers.Conv2D(1, 3, padding="same", activation="sigmoid")
    model = keras.Sequential([keras.Input((8, 8, 1)), counting, conv])
    model.compile("sgd", "mse")
    start = float(counting.count.numpy())
    fit(model, x, ImageSaver(tmp_path, x[:5], batch_size=2, render=Images((0, 1))))
    assert float(counting.count.numpy()) - start == 8


class LazyGenerator(keras.Model):
    """A generator as subclassers write it: not built before its first call."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(16)
        self.reshape = layers.Reshape((4, 4, 1))
        self.up = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")

    def call(self, noise):
        return self.up(self.reshape(self.dense(noise)))


TANH = Images((-1, 1))


@only_tensorflow
@pytest.mark.parametrize(
    "save_initial", [False, pytest.param(True, marks=only_keras_3)], ids=["", "save_initial"]
)
def test_training_of_an_unbuilt_generator_is_bit_identical(tmp_path, save_initial):
    x = floats(4, 8, 8, 3, low=-1)

    def train(model, callbacks):
        model.fit(x, batch_size=2, epochs=2, verbose=0, callbacks=callbacks)

    def saver():
        options = {"render": TANH, "save_initial": save_initial}
        return ImageSaver(tmp_path, latents(3, 4), model="generator", **options)

    assert_same_weights(lambda: gan(LazyGenerator()), train, saver)
    assert {"0001.png", "0002.png"} <= set(names(tmp_path))


@only_keras_3
@pytest.mark.skipif(
    BACKEND != "tensorflow", reason="Keras notes the shape of each call that is not traced"
)
def test_initial_picture_builds_a_model_for_batches_of_any_size(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", "mse")
    x = floats(4, 8, 8, 1)
    saver = ImageSaver(tmp_path, x, render=PREDICTION, save_initial=True)
    model.fit(x, x, verbose=0, callbacks=[saver])
    assert model.output_shape == (None, 8, 8, 1)


@pytest.mark.skipif(KERAS_3, reason="in Keras 3 weights do not depend on when a model is built")
def test_initial_snapshot_of_an_unbuilt_generator_is_refused_in_keras_2(tmp_path):
    saver = ImageSaver(tmp_path / "run", latents(3, 4), model="generator", save_initial=True)
    with pytest.raises(ValueError, match="`save_initial` must be False"):
        gan(LazyGenerator()).fit(floats(4, 8, 8, 3), verbose=0, callbacks=[saver])
    assert names(tmp_path) == []


@only_tensorflow
def test_unbuilt_generator_is_rehearsed_after_its_first_batch(tmp_path):
    x, counter = floats(6, 8, 8, 3, low=-1), Counter()
    saver = ImageSaver(tmp_path / "run", latents(3, 4), model="generator")
    with pytest.raises(ValueError, match="`value_range` must be given"):
        gan(LazyGenerator()).fit(x, batch_size=2, verbose=0, callbacks=[saver, counter])
    assert counter.batches == 1
    assert names(tmp_path) == []


def test_rehearsal_leaves_weights_folder_and_random_states_as_they_were(tmp_path):
    x, model = floats(4, 8, 8, 1), regularised()
    before = [np.array(value) for value in model.get_weights()]
    random.seed(3)
    np.random.seed(3)
    states = random.getstate(), np.random.get_state()[1].copy()
    seen = []

    def look(batch, logs):
        if not seen:
            seen.append(names(tmp_path))
            for value, old in zip(model.get_weights(), before, strict=True):
                np.testing.assert_array_equal(value, old)
            assert random.getstate() == states[0]
            np.testing.assert_array_equal(np.random.get_state()[1], states[1])

    fit(model, x, ImageSaver(tmp_path / "a" / "b", x), Meddler("on_train_batch_begin", look))
    assert seen == [[]]


@only_tensorflow
def test_without_rehearsal_nothing_runs_before_training_and_errors_are_logged(tmp_path, lines):
    x = floats(4, 8, 8, 1)
    model, calls = watched()
    calls.clear()
    seen = []
    saver = ImageSaver(tmp_path, x, rehearse=False)
    looker = Meddler("on_train_batch_begin", lambda batch, logs: seen.append(len(calls)))
    fit(model, x, saver, looker)
    assert seen[0] == 0
    assert names(tmp_path) == []
    first, last = lines()
    assert "epoch 1" in first
    assert "must be given" in first
    assert last == "2 of 2 snapshots were missed, the first at epoch 1."


def test_without_rehearsal_pictures_are_the_same(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path / "a", x), ImageSaver(tmp_path / "b", x, rehearse=False))
    np.testing.assert_array_equal(read(tmp_path / "a/0002.png"), read(tmp_path / "b/0002.png"))
