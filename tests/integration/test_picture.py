"""The grid that is drawn of samples, by a renderer of ours or the user's own."""

import numpy as np
import tensorflow as tf
from support.models import assert_drawn, autoencoder, drawn, floats, panels, read, run, tiles
from support.training import PREDICTION, fit

from keras_image_saver import ImageSaver, to_uint8

keras = tf.keras
layers = keras.layers


def test_grid_takes_columns_padding_and_pad_value(tmp_path):
    x, model = floats(5, 8, 8, 1), autoencoder()
    grid = {"columns": 4, "padding": 3, "pad_value": 200}
    fit(model, x[:4], ImageSaver(tmp_path, x, render=PREDICTION, **grid))
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (2 * 35 + 3, 4 * 35 + 3)
    assert_drawn(tiles(picture, 5, (8, 8), **grid), drawn(model, x, (0, 1)))


def test_one_sample_keeps_its_padding(tmp_path):
    x, model = floats(2, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x[:1], render=PREDICTION))
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (36, 36)
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
