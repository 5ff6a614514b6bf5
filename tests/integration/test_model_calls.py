"""How the model is called: traced or not, in chunks, by `predict`, in half precision."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    INPUT_PREDICTION,
    KERAS_3,
    assert_drawn,
    autoencoder,
    discriminator,
    drawn,
    floats,
    gan,
    generator,
    names,
    only_tensorflow,
    panels,
    read,
    regularised,
    tiles,
    watched,
)
from support.training import PREDICTION, fit, fit_data

from keras_image_saver import Images, ImageSaver, latents, to_uint8

keras = tf.keras
layers = keras.layers


# How the model is called


@only_tensorflow
def test_model_is_traced_once_for_the_whole_run_whatever_the_last_chunk(tmp_path):
    x = floats(5, 8, 8, 1)
    model, calls = watched()
    fit(model, x, epochs=3)
    fit(model, x, epochs=1)
    without = len(calls)
    model, calls = watched()
    saver = ImageSaver(tmp_path, x, render=Images((0, 1)), batch_size=2, save_initial=True)
    fit(model, x, saver, epochs=3)
    fit(model, x, saver, epochs=1)
    assert len(names(tmp_path)) == 5
    assert len(calls) - without == 1
    assert calls[-1][1:] == (8, 8, 1)


@only_tensorflow
def test_untraceable_model_is_called_directly_with_chunks_of_one_size(tmp_path):
    x = floats(5, 8, 8, 1)
    model, calls = watched(traceable=False)
    calls.clear()
    fit(model, x, ImageSaver(tmp_path, x, render=PREDICTION, batch_size=2))
    eager = [shape for shape in calls if None not in shape]
    assert {shape[0] for shape in eager} == {2}
    expected = to_uint8(np.asarray(model(tf.constant(x), training=False)))
    assert_drawn(tiles(read(tmp_path / "0002.png"), 5, (8, 8)), expected)


def test_chunks_of_any_size_draw_the_same_picture(tmp_path):
    x, model = floats(5, 8, 8, 1), regularised()
    savers = [
        ImageSaver(tmp_path / str(size), x, render=PREDICTION, batch_size=size)
        for size in (1, 2, 3, 5, 32)
    ]
    fit(model, x[:4], *savers, epochs=1)
    expected = drawn(model, x, (0, 1))
    for folder in ("1", "2", "3", "5", "32"):
        assert_drawn(tiles(read(tmp_path / folder / "0001.png"), 5, (8, 8)), expected)


class Unread(dict):
    """Logs of a batch, which are on the device until someone reads them."""

    def items(self):
        raise AssertionError("the logs were read")


def test_batches_are_counted_without_reading_their_logs(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}.png", x)
    saver.set_model(model)
    saver.on_train_begin()
    saver.on_epoch_begin(0)
    for batch in range(3):
        saver.on_train_batch_begin(batch, Unread())
        saver.on_train_batch_end(batch, Unread())
    saver.on_epoch_end(0)
    saver.on_train_end()
    assert names(tmp_path) == ["1-3.png"]
    assert saver._supports_tf_logs  # Keras 2 reads them itself for what does not say so
    # Keras 3 goes on reporting batches from a thread, on JAX and PyTorch, to what says so.
    assert saver.async_safe
    assert not ImageSaver(tmp_path, x, every_batches=1).async_safe


@pytest.mark.parametrize(
    ("save_initial", "expected"),
    [(False, [2] * (2 + 6)), (True, [2] * (6 + 6))],
    ids=["rehearsed with a chunk, twice", "rehearsed with all, for the initial picture"],
)
def test_predict_gets_tensors_in_the_samples_structure_a_chunk_at_a_time(
    tmp_path, save_initial, expected
):
    x, model, seen = floats(5, 8, 8, 1), autoencoder(), []

    def predict(given, inputs):
        assert given is model
        assert keras.ops.is_tensor(inputs["image"]) if KERAS_3 else tf.is_tensor(inputs["image"])
        assert tf.executing_eagerly()
        seen.append(len(inputs["image"]))
        return {"out": 1.0 - inputs["image"]}

    samples = {"image": x, "other": np.arange(5)}
    saver = ImageSaver(
        tmp_path,
        samples,
        predict=predict,
        batch_size=2,
        save_initial=save_initial,
        render=PREDICTION,
    )
    fit(model, x[:4], saver)
    assert seen == expected
    assert_drawn(tiles(read(tmp_path / "0002.png"), 5, (8, 8)), to_uint8(1 - x))


def test_predict_without_samples_draws_what_it_returns(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()

    def predict(model, inputs):
        assert inputs is None
        return model(x[:3], training=False)

    fit(model, x, ImageSaver(tmp_path, None, predict=predict, render=Images((0, 1))))
    assert_drawn(tiles(read(tmp_path / "0002.png"), 3, (8, 8)), drawn(model, x[:3], (0, 1)))


def test_model_is_named_by_a_dotted_path(tmp_path):
    outer, x = autoencoder(), floats(4, 8, 8, 1)
    outer.part = gan(channels=1)
    noise = latents(4, 4)
    fit(outer, x, ImageSaver(tmp_path, noise, model="part.generator"))
    found = tiles(read(tmp_path / "0002.png"), 4, (8, 8))
    assert_drawn(found, drawn(outer.part.generator, noise, (-1, 1)))


@only_tensorflow
def test_generator_that_is_replaced_between_fits_is_drawn_anew(tmp_path):
    model, noise = gan(channels=1), latents(4, 4)
    saver = ImageSaver(tmp_path, noise, model="generator")
    fit(model, floats(2, 8, 8, 1, low=-1), saver, epochs=1)
    model.generator = keras.Sequential([model.generator, layers.UpSampling2D(2)])
    model.discriminator = discriminator(16, 1)
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD(), model.loss_fn)
    fit(model, floats(2, 16, 16, 1, low=-1), saver, epochs=1)
    assert names(tmp_path) == ["0001.png", "0002.png"]
    found = tiles(read(tmp_path / "0002.png"), 4, (16, 16))
    assert_drawn(found, drawn(model.generator, noise, (-1, 1)))


# How models are run


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("end", ["sigmoid", "float32 activation"])
def test_mixed_precision_model_is_drawn_from_its_half_precision(tmp_path, policy, end):
    before = keras.mixed_precision.global_policy() if not KERAS_3 else keras.config.dtype_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        inputs = keras.Input((8, 8, 1))
        last = "sigmoid" if end == "sigmoid" else None
        outputs = layers.Conv2D(1, 3, padding="same", activation=last)(inputs)
        if end != "sigmoid":
            outputs = layers.Activation("sigmoid", dtype="float32")(outputs)
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "mse")
        x = floats(4, 8, 8, 1)
        fit_data(model, x, x, saver=ImageSaver(tmp_path, x))
        expected = drawn(model, x, (0, 1))
    finally:
        keras.mixed_precision.set_global_policy(before)
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["prediction"], expected)


class Impure(keras.Model):
    """A model that leaves TensorFlow in the middle: it cannot be traced."""

    def __init__(self):
        super().__init__()
        self.scale = layers.Dense(1, kernel_initializer="ones")

    def call(self, inputs):
        level = float(np.asarray(tf.reduce_mean(inputs).numpy()))
        return self.scale(inputs) * 0.5 + level * 0.0


@only_tensorflow
def test_model_that_needs_run_eagerly_is_called_directly(tmp_path):
    model, x = Impure(), floats(5, 8, 8, 1)
    model(x)
    model.compile("sgd", "mse", run_eagerly=True)
    fit_data(model, x, x, saver=ImageSaver(tmp_path, x, render=Images((0, 1)), batch_size=2))
    found = panels(read(tmp_path / "0002.png"), 5, (8, 8), INPUT_PREDICTION)
    outputs = np.asarray(model(tf.constant(x), training=False))
    assert_drawn(found["prediction"], to_uint8(np.clip(outputs, 0, 1)))


@only_tensorflow
def test_tf_function_loop_saves_what_it_watches(tmp_path):
    model, optimizer = generator(channels=1), keras.optimizers.SGD(1e-2)
    noise, target = latents(4, 4), floats(4, 8, 8, 1, low=-1)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(noise):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(noise, training=True) - target) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(
            # In a graph the `zip` of TensorFlow 2.12 takes no `strict`.
            zip(gradients, model.trainable_variables)  # noqa: B905
        )
        return loss

    saver = ImageSaver(tmp_path / "{epoch:02d}-{g_loss:.3f}.png", noise)
    expected = {}
    with saver.watch(model):
        assert names(tmp_path) == []
        for epoch in range(3):
            loss = step(tf.constant(np.asarray(noise)))
            saver.save(epoch=epoch, logs={"g_loss": loss})
            expected[f"{epoch + 1:02d}-{float(loss):.3f}.png"] = drawn(model, noise, (-1, 1))
    assert names(tmp_path) == sorted(expected)
    for name, images in expected.items():
        assert_drawn(tiles(read(tmp_path / name), 4, (8, 8)), images)
