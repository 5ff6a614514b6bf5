"""What `ImageSaver` does in training, beyond what is drawn: names, schedules, care, failures."""

import copy
import json
import pickle
import random
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image
from support.models import (
    BACKEND,
    KERAS_3,
    Counter,
    assert_drawn,
    autoencoder,
    discriminator,
    drawn,
    floats,
    gan,
    names,
    only_keras_3,
    only_tensorflow,
    panels,
    read,
    regularised,
    run,
    tiles,
    watched,
)
from support.rendering import failing_render
from support.training import PREDICTION, Meddler, fit

import keras_image_saver
from keras_image_saver import Images, ImageSaver, ImageSaverError, latents, to_uint8
from keras_image_saver.run.writer import flush_all

keras = tf.keras
layers = keras.layers

pytestmark = [
    # Keras 3 says that a dataset of unknown length has ended, as it always does in `fit`.
    pytest.mark.filterwarnings("ignore:.*input ran out of data:UserWarning"),
    # Keras 3's BackupAndRestore, with NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]

# File names


def test_template_takes_log_keys_with_dots_and_slashes_and_makes_values_safe(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    values = {"val/mean.iou": np.float32(0.256), "tag": "a/b c", "deep.key": tf.constant(3)}
    meddler = Meddler("on_epoch_end", lambda epoch, logs: logs.update(values))
    path = tmp_path / "{epoch:02d}-{val/mean.iou:.2f}-{deep.key}-{tag}.png"
    fit(model, x, meddler, ImageSaver(path, x))
    assert names(tmp_path) == ["01-0.26-3-a_b_c.png", "02-0.26-3-a_b_c.png"]
    assert lines() == []


def test_template_with_a_missing_log_key_keeps_the_picture_and_says_so_once(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path / "{epoch:02d}-{val_los:.3f}.png", x), epochs=3)
    assert names(tmp_path) == ["01.png", "02.png", "03.png"]
    (line,) = lines()
    assert "val_los" in line
    assert "epoch, batch, step, loss" in line
    assert str(tmp_path / "01.png") in line


def test_template_may_put_fields_into_folders(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path / "run" / "epoch-{epoch}" / "image.png", x))
    assert names(tmp_path) == ["run/epoch-1/image.png", "run/epoch-2/image.png"]


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif", "bmp", "gif", "avif"])
def test_suffix_names_the_format(tmp_path, suffix):
    x, model = floats(4, 8, 8, 3), autoencoder(channels=3)
    saver = ImageSaver(tmp_path / f"{{epoch}}.{suffix}", x, render=PREDICTION, columns=4)
    fit(model, x, saver, epochs=1)
    with Image.open(tmp_path / f"1.{suffix}") as picture:
        assert picture.size == (42, 12)
        pixels = np.array(picture.convert("RGB"))
        kind = picture.format
    assert kind == {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    if suffix in ("webp", "tif", "bmp"):
        assert_drawn(tiles(pixels, 4, (8, 8), columns=4), drawn(model, x, (0, 1)))


def test_file_tells_its_epoch_step_logs_range_and_the_version(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    savers = [ImageSaver(tmp_path / end / f"{{epoch}}.{end}", x) for end in ("png", "jpg")]
    history = fit(model, x, *savers).history
    with Image.open(tmp_path / "png/2.png") as picture:
        text = dict(picture.text)
    with Image.open(tmp_path / "jpg/2.jpg") as picture:
        described = json.loads(picture.getexif()[ExifTags.Base.ImageDescription])
    assert (text["epoch"], text["batch"], text["step"]) == ("2", "2", "4")
    assert json.loads(text["logs"])["loss"] == pytest.approx(history["loss"][1])
    assert json.loads(text["value_range"]) == {"input": [0, 1], "prediction": [0, 1]}
    assert keras_image_saver.__version__ in text["Software"]
    assert (described["epoch"], described["step"]) == (2, 4)
    assert described["logs"]["loss"] == pytest.approx(history["loss"][1])


# When


def test_every_epochs_saves_each_so_many_and_no_other(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x, every_epochs=2), epochs=5)
    assert names(tmp_path) == ["0002.png", "0004.png"]


def test_every_batches_counts_over_the_run_and_names_by_step(tmp_path):
    x, model = floats(10, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x[:4], every_batches=3))
    assert names(tmp_path) == ["00000003.png", "00000006.png", "00000009.png"]


class Wrapped(keras.Model):
    """A model whose part can be drawn by its name."""

    def __init__(self):
        super().__init__()
        self.inner = autoencoder()

    def call(self, inputs, training=None):
        return self.inner(inputs, training=training)


@pytest.mark.parametrize("part", [None, "inner"], ids=["whole model", "its part by name"])
def test_every_batches_shows_the_weights_of_its_batch(tmp_path, part):
    x, model, weights = floats(6, 8, 8, 1), Wrapped(), []
    model(x)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    saver = ImageSaver(tmp_path, x[:4], model=part, render=PREDICTION, every_batches=1)
    # On JAX the weights stay with the epoch's loop; `callback.model` brings them to the model.
    looker = Meddler("on_train_batch_end", lambda batch, logs: weights.append(current(looker)))
    fit(model, x, saver, looker)
    assert len(weights) == 6
    for step, values in enumerate(weights, 1):
        model.set_weights(values)
        picture = read(tmp_path / f"{step:08d}.png")
        assert_drawn(tiles(picture, 4, (8, 8)), drawn(model, x[:4], (0, 1)))


def current(callback):
    return [np.array(value) for value in callback.model.get_weights()]


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch refuses steps_per_execution")
def test_every_batches_under_steps_per_execution_saves_once_a_multiple_is_crossed(tmp_path):
    x, model = floats(12, 8, 8, 1), autoencoder()
    model.compile("adam", "mse", steps_per_execution=4)
    path = tmp_path / "{step}-{epoch}-{batch}.png"
    fit(model, x, ImageSaver(path, x[:4], every_batches=3))
    assert names(tmp_path) == ["10-2-4.png", "12-2-6.png", "4-1-4.png", "6-1-6.png"]


def test_epochs_and_batches_on_one_step_are_one_snapshot_the_epochs(tmp_path, lines):
    x, model = floats(12, 8, 8, 1), autoencoder()
    path = tmp_path / "{epoch}-{batch}-{val_loss:.3f}.png"
    saver = ImageSaver(path, x[:4], every_epochs=1, every_batches=3)
    losses = fit(model, x, saver, validation_data=(x, x)).history["val_loss"]
    epochs = [f"{epoch}-6-{loss:.3f}.png" for epoch, loss in enumerate(losses, 1)]
    assert names(tmp_path) == sorted(["1-3.png", "2-3.png", *epochs])
    assert len(lines()) == 1
    assert_drawn(
        panels(read(tmp_path / epochs[1]), 4, (8, 8), ("input", "prediction"))["prediction"],
        drawn(model, x[:4], (0, 1)),
    )


def test_epochs_and_batches_that_do_not_meet_are_snapshots_each(tmp_path):
    x, model = floats(8, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}.png", x[:4], every_epochs=2, every_batches=3)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-3.png", "2-2.png", "2-4.png"]


def test_batch_snapshot_on_the_last_step_of_an_epoch_that_is_not_due_is_kept(tmp_path):
    x, model = floats(8, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}.png", x[:4], every_epochs=2, every_batches=4)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-4.png", "2-4.png"]


def test_dataset_of_unknown_length_is_counted_batch_by_batch(tmp_path):
    x, model = floats(10, 8, 8, 1), autoencoder()
    signature = (tf.TensorSpec((2, 8, 8, 1)), tf.TensorSpec((2, 8, 8, 1)))

    def batches():
        for start in range(0, 10, 2):
            yield x[start : start + 2], x[start : start + 2]

    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    savers = [
        ImageSaver(tmp_path / "a", x[:4], every_batches=2),
        ImageSaver(tmp_path / "b" / "{epoch}-{batch}-{step}.png", x[:4]),
    ]
    model.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=savers)
    assert names(tmp_path / "a") == [f"{step:08d}.png" for step in (2, 4, 6, 8, 10)]
    assert names(tmp_path / "b") == ["1-5-5.png", "2-5-10.png"]


def test_save_initial_draws_the_untrained_model_as_epoch_0(tmp_path):
    x, model = floats(5, 8, 8, 1), autoencoder()
    before = drawn(model, x, (0, 1))
    saver = ImageSaver(tmp_path, x, save_initial=True, render=PREDICTION, batch_size=2)
    fit(model, x, saver, epochs=1)
    assert names(tmp_path) == ["0000.png", "0001.png"]
    assert_drawn(tiles(read(tmp_path / "0000.png"), 5, (8, 8)), before)
    assert_drawn(tiles(read(tmp_path / "0001.png"), 5, (8, 8)), drawn(model, x, (0, 1)))


def test_initial_snapshot_is_not_drawn_again_when_fit_is_called_after_an_interrupt(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = drawn(model, x, (0, 1))
    saver = ImageSaver(tmp_path, x, save_initial=True, render=PREDICTION)

    def interrupt(batch, logs):
        saver.model.set_weights([value + 1 for value in saver.model.get_weights()])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, x, saver, Meddler("on_train_batch_end", interrupt))
    fit(model, x, saver, epochs=1)
    assert names(tmp_path) == ["0000.png", "0001.png"]
    assert_drawn(tiles(read(tmp_path / "0000.png"), 4, (8, 8)), before)


def test_initial_epoch_is_the_runs_epoch_and_has_no_initial_snapshot(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, save_initial=True)
    fit(model, x, saver, initial_epoch=3, epochs=5)
    assert names(tmp_path) == ["4-8.png", "5-10.png"]


def test_second_fit_with_the_same_object_goes_on_counting(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, save_initial=True)
    fit(model, x, saver, epochs=2)
    fit(model, x, saver, epochs=1)
    fit(model, x, saver, epochs=2)
    assert names(tmp_path) == ["0-0.png", "1-2.png", "2-4.png", "3-6.png", "4-8.png", "5-10.png"]


def test_second_fit_that_states_its_initial_epoch_is_not_counted_twice(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x)
    fit(model, x, saver, epochs=2)
    fit(model, x, saver, initial_epoch=2, epochs=4)
    assert names(tmp_path) == ["1-2.png", "2-4.png", "3-6.png", "4-8.png"]


def test_backup_and_restore_resumes_at_its_own_epoch(tmp_path):
    x = floats(4, 8, 8, 1)

    def interrupt(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    backup = tmp_path / "backup"
    for resumed in (False, True):
        saver = ImageSaver(tmp_path / f"run-{resumed}", x)
        callbacks = [keras.callbacks.BackupAndRestore(str(backup)), saver]
        if resumed:
            fit(autoencoder(), x, *callbacks, epochs=4)
        else:
            with pytest.raises(KeyboardInterrupt):
                fit(autoencoder(), x, *callbacks, Meddler("on_epoch_begin", interrupt), epochs=4)
    assert names(tmp_path / "run-False") == ["0001.png", "0002.png"]
    assert names(tmp_path / "run-True") == ["0003.png", "0004.png"]


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
    fit(model, x, *savers, epochs=1)
    expected = drawn(model, x, (0, 1))
    for folder in ("1", "2", "3", "5", "32"):
        assert_drawn(tiles(read(tmp_path / folder / "0001.png"), 5, (8, 8)), expected)


def test_batch_hooks_are_not_defined_where_epochs_are_enough(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver, by_batches = ImageSaver(tmp_path / "a", x), ImageSaver(tmp_path, x, every_batches=1)
    fit(model, x, saver, by_batches, epochs=1)
    plain = keras.callbacks.Callback
    for name in ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"):
        assert getattr(saver, name).__func__ is getattr(plain, name)
    assert by_batches.on_train_batch_end.__func__ is not plain.on_train_batch_end


@pytest.mark.parametrize(
    ("save_initial", "expected"),
    [(False, [1, 2, 2, 1, 2, 2, 1]), (True, [2, 2, 1, 2, 2, 1, 2, 2, 1])],
    ids=["rehearsed with one row", "rehearsed with all, for the initial picture"],
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
    fit(model, x, saver)
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


# The picture


def test_grid_takes_columns_padding_and_pad_value(tmp_path):
    x, model = floats(5, 8, 8, 1), autoencoder()
    grid = {"columns": 4, "padding": 3, "pad_value": 200}
    fit(model, x, ImageSaver(tmp_path, x, render=PREDICTION, **grid))
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (2 * 11 + 3, 4 * 11 + 3)
    assert_drawn(tiles(picture, 5, (8, 8), **grid), drawn(model, x, (0, 1)))


def test_one_sample_keeps_its_padding(tmp_path):
    x, model = floats(2, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x[:1], render=PREDICTION))
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (12, 12)
    assert_drawn(tiles(picture, 1, (8, 8)), drawn(model, x[:1], (0, 1)))


def test_samples_are_fixed_whatever_becomes_of_the_callers_array(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    mine = x.copy()
    saver = ImageSaver(tmp_path, mine)
    mine[:] = 0
    fit(model, x, saver)
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ("input", "prediction"))
    assert_drawn(found["input"], to_uint8(x))


def test_own_renderer_gets_inputs_targets_outputs_and_names_its_panels(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()

    def render(batch):
        assert isinstance(batch.inputs["a"], np.ndarray)
        error = np.abs(batch.outputs - batch.targets)
        return {"error": error, "mask": error[..., 0] > 0.25, "plain": to_uint8(batch.targets)}

    samples = ({"a": x}, x[::-1])
    saver = ImageSaver(tmp_path, samples, render=render, predict=lambda m, i: m(i["a"]))
    fit(model, x, saver)
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ("error", "mask", "plain"))
    error = np.abs(run(model, x) - x[::-1])
    assert_drawn(found["error"], to_uint8(error))
    assert (found["mask"][..., 0] == np.where(error[..., 0] > 0.25, 255, 0)).mean() > 0.98
    np.testing.assert_array_equal(found["plain"], to_uint8(x[::-1]))


def test_own_renderer_gets_the_chosen_output_alone(tmp_path):
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, [layers.Flatten()(inputs), layers.Conv2D(1, 1)(inputs)])
    model.compile("sgd", ["mse", "mse"])
    x, shapes = floats(4, 8, 8, 1), []

    def render(batch):
        shapes.append(np.shape(batch.outputs))
        return {"prediction": np.zeros((len(batch.outputs), 8, 8, 1))}

    saver = ImageSaver(tmp_path, x, render=render, output=1)
    model.fit(x, [x.reshape(4, -1), x], verbose=0, callbacks=[saver])
    assert set(shapes) == {(4, 8, 8, 1)}


# Harmless


def weights_after(build, train, saver=None):
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


# Failures


def test_failures_are_logged_once_a_kind_and_later_snapshots_are_there(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    failures = [None, None, OSError("disk full"), OSError("disk full"), MemoryError("no room")]
    history = fit(model, x, ImageSaver(tmp_path, x, render=failing_render(*failures)), epochs=5)
    assert len(history.history["loss"]) == 5
    assert names(tmp_path) == ["0001.png", "0005.png"]
    first, second, summary = lines()
    assert "epoch 2" in first
    assert str(tmp_path / "0002.png") in first
    assert "OSError: disk full" in first
    assert "epoch 4" in second
    assert "MemoryError: no room" in second
    assert summary == "3 of 5 snapshots were missed, the first at epoch 2."


def test_folder_that_goes_bad_in_training_does_not_stop_it(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    folder = tmp_path / "run"

    def meddle(epoch, logs):
        if epoch == 1:
            shutil.rmtree(folder)
            folder.write_text("in the way")
        if epoch == 2:
            folder.unlink()

    saver = ImageSaver(folder, x, background=False)
    fit(model, x, saver, Meddler("on_epoch_begin", meddle), epochs=3)
    assert names(tmp_path) == ["run/0003.png"]
    assert len(lines()) == 2


def test_on_error_raise_raises_at_the_hook_with_epoch_path_and_cause(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    cause = OSError("disk full")
    render = failing_render(None, None, cause)
    saver = ImageSaver(tmp_path, x, render=render, on_error="raise")
    with pytest.raises(ImageSaverError, match=r"epoch 2, .*0002\.png.*OSError: disk full") as info:
        fit(model, x, saver, epochs=4)
    assert info.value.cause is cause  # `fit` raises anew "from None"
    assert flush_all()
    assert names(tmp_path) == ["0001.png"]


def test_on_error_raise_chains_the_cause(tmp_path):
    x, model, cause = floats(4, 8, 8, 1), autoencoder(), OSError("disk full")
    saver = ImageSaver(tmp_path, x, render=failing_render(None, cause), on_error="raise")
    with pytest.raises(ImageSaverError, match="epoch 1, ") as info, saver.watch(model):
        saver.save(epoch=0)
    assert info.value.__cause__ is cause


def test_interrupt_in_a_renderer_is_not_taken_for_a_failure(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    render = failing_render(None, None, KeyboardInterrupt())
    saver = ImageSaver(tmp_path, x, render=render)
    with pytest.raises(KeyboardInterrupt):
        fit(model, x, saver, epochs=4)
    assert flush_all()  # as the interpreter's exit does
    assert names(tmp_path) == ["0001.png"]


def test_clipping_is_said_once_with_share_range_and_path(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    render = Images((0, 0.25), input_range=(0, 1))
    fit(model, x, ImageSaver(tmp_path, x, render=render), epochs=3)
    (line,) = lines()
    assert "Epoch 1" in line
    assert "prediction" in line
    assert "value_range=(0, 0.25)" in line
    assert "%" in line


def test_outputs_that_are_not_finite_are_magenta_and_said_once(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    broken = [np.full_like(value, np.nan) for value in model.get_weights()]
    meddler = Meddler(
        "on_epoch_begin", lambda epoch, logs: model.set_weights(broken) if epoch == 1 else None
    )
    fit(model, x, ImageSaver(tmp_path, x, render=PREDICTION), meddler, epochs=4)
    assert read(tmp_path / "0001.png").ndim == 2
    found = tiles(read(tmp_path / "0004.png"), 4, (8, 8))
    assert np.all(found == (255, 0, 255))
    (line,) = lines()
    assert "Epoch 2" in line
    assert "256 pixels" in line


def test_inputs_that_are_clipped_are_warned_of_before_training(tmp_path):
    x, model = floats(4, 8, 8, 1, high=2), autoencoder()
    with pytest.warns(UserWarning, match=r"input's values lie outside input_range=\(0, 1\)"):
        fit(model, x, ImageSaver(tmp_path, x))


# Loops without `fit`


def test_save_outside_watch_says_where_it_belongs(tmp_path):
    saver = ImageSaver(tmp_path, latents(2, 4))
    with pytest.raises(RuntimeError, match=r"with saver\.watch\(model\)"):
        saver.save(epoch=0)


def test_watch_refuses_wrong_arguments_before_the_loop(tmp_path):
    saver = ImageSaver(tmp_path / "run", floats(2, 8, 8, 1))
    model = autoencoder(activation=None)
    with pytest.raises(ValueError, match="must be given"), saver.watch(model):
        pytest.fail("the loop began")
    assert names(tmp_path) == []


def test_watch_counts_by_step_and_sums_up(tmp_path, lines):
    x, model = floats(2, 8, 8, 1), autoencoder()
    render = failing_render(None, None, ValueError("no"))
    with ImageSaver(tmp_path / "{step:06d}.png", x, render=render).watch(model) as saver:
        for step in range(3):
            saver.save(step=step)
    assert names(tmp_path) == ["000001.png", "000003.png"]
    assert lines()[-1] == "1 of 3 snapshots were missed, the first at epoch 0."


def test_watch_holds_a_gan_by_the_name_of_its_generator(tmp_path):
    model, noise = gan(), latents(4, 4)
    saver = ImageSaver(tmp_path, noise, model="generator")
    with saver.watch(model):
        saver.save(epoch=4)
    assert names(tmp_path) == ["0005.png"]
    found = tiles(read(tmp_path / "0005.png"), 4, (8, 8))
    assert_drawn(found, drawn(model.generator, noise, (-1, 1)))


# Copies


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("options", [{}, {"every_batches": 2}], ids=["epochs", "batches"])
def test_copies_of_a_callback_begin_a_run_of_their_own(tmp_path, copied, options):
    x, model, other = floats(4, 8, 8, 1), autoencoder(), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, render=PREDICTION, **options)
    fresh = copied(saver)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-2.png", "2-4.png"]
    used = copied(saver)
    fit(other, x, fresh)
    assert names(tmp_path) == ["1-2.png", "2-4.png", "previous-1/1-2.png", "previous-1/2-4.png"]
    assert_drawn(tiles(read(tmp_path / "2-4.png"), 4, (8, 8)), drawn(other, x, (0, 1)))
    fit(model, x, used, epochs=1)
    earlier = [f"previous-{run}/{name}" for run in (1, 2) for name in ("1-2.png", "2-4.png")]
    assert names(tmp_path) == ["1-2.png", *earlier]
    assert_drawn(tiles(read(tmp_path / "1-2.png"), 4, (8, 8)), drawn(model, x, (0, 1)))


def test_callback_with_a_model_reference_refuses_to_be_copied(tmp_path):
    saver = ImageSaver(tmp_path, latents(2, 4), model=discriminator())
    with pytest.raises(TypeError, match='Pass the name of an attribute, such as model="generator"'):
        copy.deepcopy(saver)


def test_second_loop_that_starts_at_0_goes_on_with_the_run(tmp_path):
    model = autoencoder()
    saver = ImageSaver(tmp_path, floats(2, 8, 8, 1))
    for _ in range(2):
        with saver.watch(model):
            for epoch in range(2):
                saver.save(epoch=epoch)
    model.fit(floats(2, 8, 8, 1), floats(2, 8, 8, 1), verbose=0, callbacks=[saver])
    assert names(tmp_path) == [f"000{number}.png" for number in range(1, 6)]


def test_error_in_fit_keeps_its_cause(tmp_path):
    def failing(batch):
        raise OSError("no space")

    saver = ImageSaver(
        tmp_path, floats(2, 8, 8, 1), render=failing, rehearse=False, on_error="raise"
    )
    with pytest.raises(ImageSaverError, match="OSError: no space") as info:
        autoencoder().fit(floats(2, 8, 8, 1), floats(2, 8, 8, 1), verbose=0, callbacks=[saver])
    assert isinstance(info.value.cause, OSError)
