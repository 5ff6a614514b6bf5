"""What is drawn is the model as it is now, and the model is as it was."""

import pytest
import tensorflow as tf
from support.models import (
    BACKEND,
    assert_drawn,
    autoencoder,
    drawn,
    floats,
    generator,
    only_keras_3,
    only_tensorflow,
    panels,
    read,
    tiles,
    watched,
)
from support.training import PREDICTION, fit

from keras_image_saver import Images, ImageSaver, latents, to_uint8

keras = tf.keras
layers = keras.layers
X = floats(4, 8, 8, 1)


class Stack(keras.Model):
    """Layers in a list, to which some may be added."""

    def __init__(self, activation="sigmoid"):
        super().__init__()
        self.parts = [layers.Dense(1)]
        self.end = layers.Activation(activation)

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return self.end(inputs)


def stack(**kwargs):
    model = Stack(**kwargs)
    model(X)
    model.compile("sgd", "mse")
    return model


def assert_drawn_now(folder, epoch, model, value_range=(0, 1)):
    picture = tiles(read(folder / f"000{epoch}.png"), 4, (8, 8))
    assert_drawn(picture, drawn(model, X, value_range))


@only_tensorflow
def test_layer_that_is_added_between_fits_is_drawn(tmp_path):
    model = autoencoder()
    saver = ImageSaver(tmp_path, X, render=PREDICTION)
    fit(model, X, saver, epochs=1)
    model.add(
        layers.Conv2D(1, 3, padding="same", kernel_initializer=keras.initializers.Constant(0.1))
    )
    model.compile("sgd", "mse")
    fit(model, X, saver, epochs=1)
    assert_drawn_now(tmp_path, 2, model)


def swap_activation(model):
    model.end.activation = keras.activations.softsign
    model.compile("sgd", "mse")


def enable_lora(model):
    model.parts[0].enable_lora(1)
    model.compile(keras.optimizers.SGD(5.0), "mse")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(swap_activation, marks=only_tensorflow),
        pytest.param(enable_lora, marks=only_keras_3),
    ],
)
def test_model_that_is_changed_between_fits_is_drawn_as_it_is(tmp_path, change):
    model = stack()
    saver = ImageSaver(tmp_path, X, render=PREDICTION)
    fit(model, X, saver, epochs=1)
    change(model)
    fit(model, X, saver, epochs=1)
    assert_drawn_now(tmp_path, 2, model)


@only_tensorflow
def test_weights_that_are_others_in_the_midst_of_a_loop_are_drawn(tmp_path):
    model = generator(channels=1)
    noise = latents(4, 4)
    saver = ImageSaver(tmp_path, noise)
    with saver.watch(model):
        saver.save(epoch=0)
        model.add(layers.Conv2D(1, 3, padding="same", activation="tanh"))
        saver.save(epoch=1)
    found = tiles(read(tmp_path / "0002.png"), 4, (8, 8))
    assert_drawn(found, drawn(model, noise, (-1, 1)))


@only_tensorflow
def test_each_watch_draws_anew_and_says_that_the_range_is_another(tmp_path, lines):
    model = generator(channels=1)
    noise = latents(4, 4)
    saver = ImageSaver(tmp_path, noise)
    with saver.watch(model):
        saver.save(epoch=0)
    model.layers[-1].activation = keras.activations.sigmoid
    with saver.watch(model):
        saver.save(epoch=0)
    assert_drawn(tiles(read(tmp_path / "0002.png"), 4, (8, 8)), drawn(model, noise, (0, 1)))
    (line,) = lines()
    assert "the prediction is drawn in the range (0, 1), and was in (-1, 1)" in line


@only_tensorflow
def test_second_fit_of_the_same_model_keeps_its_trace(tmp_path):
    model, calls = watched()
    saver = ImageSaver(tmp_path, X, render=PREDICTION)
    fit(model, X, saver, epochs=1)
    before = len(calls)
    for _ in range(3):
        fit(model, X, saver, epochs=1)
    assert len(calls) == before


# What our passes leave


class Growing(keras.Model):
    """A generator that trains by its parts, and gets another one while it does."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(64, activation="tanh")]
        self.image = layers.Reshape((8, 8, 1))

    def call(self, noise):
        for block in self.blocks:
            noise = block(noise)
        return self.image(noise)

    def grow(self):
        self.blocks = [*self.blocks, layers.Dense(64, activation="tanh")]


class GrowingGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = Growing()

    def train_step(self, real):
        noise = tf.random.normal((2, 4))
        with tf.GradientTape() as tape:
            for block in self.generator.blocks:
                noise = block(noise)
            loss = tf.reduce_mean(noise**2)
        weights = self.generator.blocks[0].trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@only_keras_3
@only_tensorflow
@pytest.mark.parametrize("save_initial", [False, True])
def test_growing_generator_that_only_we_call_whole_can_grow(tmp_path, save_initial):
    model, noise = GrowingGAN(), latents(4, 4)
    model.generator.blocks[0].build((None, 4))
    options = {"model": "generator", "render": Images((-1, 1)), "save_initial": save_initial}
    saver = ImageSaver(tmp_path, noise, **options)
    for epoch in (1, 2):
        model.compile("sgd")
        model.fit(floats(4, 8, 8, 1), batch_size=2, epochs=1, verbose=0, callbacks=[saver])
        found = tiles(read(tmp_path / f"000{epoch}.png"), 4, (8, 8))
        assert_drawn(found, drawn(model.generator, noise, (-1, 1)))
        model.generator.grow()


class CountsUnbuilt(keras.Model):
    """Counts its calls, and has no weights before the first."""

    def __init__(self):
        super().__init__()
        self.image = layers.Dense(1, activation="sigmoid")

    def build(self, shape):
        self.image.build(shape)
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros", trainable=False, dtype="float32"
        )

    def call(self, inputs):
        self.count.assign_add(1.0)
        return self.image(inputs)


@only_keras_3
@pytest.mark.skipif(BACKEND == "torch", reason="builds by running there")
def test_variables_that_the_initial_picture_makes_are_as_they_began(tmp_path):
    model = CountsUnbuilt()
    model.compile("sgd", "mse")
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION, save_initial=True))
    assert float(keras.ops.convert_to_numpy(model.count.value)) == 4


def test_samples_of_a_start_that_failed_are_not_those_of_the_next(tmp_path):
    model, given = autoencoder(), floats(4, 8, 8, 1, seed=9)
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION), epochs=1)
    fails = [True]

    def render(batch):
        if fails:
            raise OSError("no")
        return {"input": batch.inputs}

    # A dataset may be shuffled, so that a run that is resumed draws the samples that it kept.
    saver = ImageSaver(tmp_path, tf.data.Dataset.from_tensor_slices(given).batch(4), render=render)
    with pytest.raises(ValueError, match="`render` raised OSError: no"):
        fit(model, X, saver, epochs=2, initial_epoch=1)
    fails.clear()
    fit(model, X, saver, epochs=1)
    found = panels(read(tmp_path / "0001.png"), 4, (8, 8), ("input",), columns=2)
    assert_drawn(found["input"], to_uint8(given))
