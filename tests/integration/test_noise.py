"""Two passes with the same weights draw the same, or it is said before training."""

import random
import re
import time

import numpy as np
import pytest
import tensorflow as tf
from support.models import KERAS_3, autoencoder, floats, names, only_keras_3, only_tensorflow, read
from support.training import PREDICTION, Meddler, fit

from keras_image_saver import ImageSaver

keras = tf.keras
layers = keras.layers
X = floats(4, 8, 8, 1)
DIFFER = r"Two passes .* differ by up to (\d+) of 255.*SeedGenerator.*default_rng.*in `samples`"


class Global(layers.Layer):
    """Draws from Keras's global seed generator, which a layer should not."""

    def call(self, inputs):
        return inputs + 0.2 * keras.random.normal(keras.ops.shape(inputs))


class Forgetful(layers.Layer):
    """Draws from TensorFlow, without a seed."""

    def call(self, inputs):
        return inputs + 0.2 * tf.random.normal(tf.shape(inputs))


class ByNumPy(layers.Layer):
    """Draws from NumPy's global state by Python code that a trace calls."""

    def call(self, inputs):
        noise = tf.numpy_function(lambda: np.float32(np.random.normal()), [], tf.float32)
        return inputs + 0.2 * tf.ensure_shape(noise, ())


class Shared(layers.Layer):
    """Draws from TensorFlow's global generator."""

    def call(self, inputs):
        return inputs + 0.2 * tf.random.get_global_generator().normal(tf.shape(inputs))


class Own(layers.Layer):
    """Draws from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.generator = tf.random.Generator.from_seed(3)

    def call(self, inputs):
        return inputs + 0.2 * self.generator.normal(tf.shape(inputs))


def drawing(layer):
    model = keras.Sequential([keras.Input((8, 8, 1)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def by_numpy(model, inputs):
    return np.asarray(model(inputs)) + 0.1 * np.random.normal(size=inputs.shape)


def by_python(model, inputs):
    return np.asarray(model(inputs)) + 0.1 * random.random()


def by_fresh_generator(model, inputs):
    return np.asarray(model(inputs)) + np.random.default_rng(1).normal(size=inputs.shape)


def by_seeding(model, inputs):
    np.random.seed(1)
    return by_numpy(model, inputs)


def dropping(model, inputs):
    return keras.layers.Dropout(0.5)(inputs, training=True)


def noisy_panels(batch):
    return {"prediction": np.random.random((4, 8, 8, 1))}


only_where_it_traces = pytest.mark.skipif(
    not KERAS_3 or keras.backend.backend() == "jax", reason="JAX refuses it in a trace"
)


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        pytest.param(Global, {}, id="global seed generator", marks=only_where_it_traces),
        pytest.param(Forgetful, {}, id="unseeded op", marks=only_tensorflow),
        pytest.param(ByNumPy, {}, id="NumPy in a trace", marks=only_tensorflow),
        pytest.param(None, {"predict": by_numpy}, id="NumPy in predict", marks=only_tensorflow),
        pytest.param(None, {"predict": by_python}, id="Python in predict", marks=only_tensorflow),
        pytest.param(None, {"predict": dropping}, id="a layer made in predict"),
        pytest.param(None, {"render": noisy_panels}, id="NumPy in render"),
    ],
)
def test_passes_that_differ_are_said_before_training_and_states_are_as_before(
    tmp_path, layer, options
):
    model = autoencoder() if layer is None else drawing(layer())
    options = {"render": PREDICTION, **options}
    before, after = [], []

    def states():
        return random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2]

    saver = ImageSaver(tmp_path, X, **options)
    notes = Meddler("on_epoch_begin", lambda epoch, logs: before.append(states()))
    noted = Meddler("on_epoch_begin", lambda epoch, logs: after.append(states()))
    with pytest.warns(UserWarning, match=DIFFER) as said:
        fit(model, X, notes, saver, noted)
    # PyTorch warns of its own, too.
    assert sum(re.search(DIFFER, str(one.message)) is not None for one in said) == 1
    assert before == after
    assert names(tmp_path) == ["0001.png", "0002.png"]


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        pytest.param(Own, {}, id="own generator", marks=only_tensorflow),
        pytest.param(None, {}, id="plain"),
        pytest.param(None, {"predict": by_fresh_generator}, id="predict", marks=only_tensorflow),
        pytest.param(None, {"predict": by_seeding}, id="predict that seeds", marks=only_tensorflow),
        pytest.param(Forgetful, {"rehearse": False}, id="unrehearsed", marks=only_tensorflow),
    ],
)
def test_passes_that_draw_the_same_are_not_news(tmp_path, layer, options):
    model = autoencoder() if layer is None else drawing(layer())
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION, **options))


@only_tensorflow
def test_passes_that_differ_are_logged_where_the_model_is_built_by_its_first_batch(tmp_path, lines):
    model = keras.Sequential([Forgetful(), layers.Dense(1)])
    model.compile("sgd", "mse")
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION))
    assert lines()[0].startswith("Two passes over the same samples")


def test_slow_pass_is_made_once_and_that_is_logged(tmp_path, lines, monkeypatch):
    monkeypatch.setattr("keras_image_saver.drawer.LONG_PASS_S", 0.05)
    seen = []

    def slow(model, inputs):
        seen.append(len(inputs))
        time.sleep(0.06)
        return np.random.random((len(inputs), 8, 8, 1))

    saver = ImageSaver(tmp_path, X, predict=slow, render=PREDICTION, batch_size=2)
    fit(autoencoder(), X, saver, epochs=1)
    assert seen == [2, 2, 2]
    assert [line.split(" took ")[0] for line in lines()] == ["The first pass"]


@only_keras_3
@only_tensorflow
@pytest.mark.parametrize("layer", [Own, Shared])
def test_generator_of_tensorflow_draws_the_same_at_every_epoch(tmp_path, layer):
    tf.random.set_global_generator(tf.random.Generator.from_seed(7))
    model = drawing(layer())
    model.compile(keras.optimizers.SGD(0.0), "mse")
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION, save_initial=True))
    first = read(tmp_path / "0000.png")
    for epoch in (1, 2):
        np.testing.assert_array_equal(read(tmp_path / f"000{epoch}.png"), first)


@pytest.mark.parametrize("count", [5, 4, 3])
def test_predict_of_fixed_batch_size_gets_no_other(tmp_path, count):
    def fixed(model, inputs):
        assert inputs.shape[0] == 3
        return np.asarray(keras.ops.convert_to_numpy(inputs)) if KERAS_3 else inputs

    saver = ImageSaver(
        tmp_path,
        floats(count, 8, 8, 1),
        predict=fixed,
        batch_size=3,
        render=PREDICTION,
        on_error="raise",
    )
    fit(autoencoder(), X, saver)
    assert names(tmp_path) == ["0001.png", "0002.png"]


@only_keras_3
@pytest.mark.parametrize("rehearse", [True, False])
@pytest.mark.filterwarnings("ignore:Two passes")
def test_first_draw_from_keras_global_generator_takes_no_seed_from_training(tmp_path, rehearse):
    """Where nothing has drawn before, Keras seeds that generator from Python's global state."""

    def drawing(model, inputs):
        return keras.ops.convert_to_numpy(keras.random.uniform((2, 8, 8, 1)))

    def trained(*savers):
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        fit(autoencoder(), X, *savers)
        return random.random(), np.asarray(keras.ops.convert_to_numpy(keras.random.uniform((3,))))

    alone = trained()
    saver = ImageSaver(tmp_path, None, predict=drawing, render=PREDICTION, rehearse=rehearse)
    beside = trained(saver)
    assert beside[0] == alone[0]
    np.testing.assert_array_equal(beside[1], alone[1])
    assert names(tmp_path) == ["0001.png", "0002.png"]
