"""Models from images to images, each through real training, and the pixels that come of it."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    ALL_PANELS,
    INPUT_PREDICTION,
    assert_drawn,
    autoencoder,
    drawn,
    floats,
    names,
    only_tensorflow,
    panels,
    photos,
    read,
    run,
)
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, to_uint8

keras = tf.keras
layers = keras.layers


def test_autoencoder_draws_input_and_prediction_in_the_range_of_its_sigmoid(tmp_path):
    model, x = autoencoder(), floats(6, 8, 8, 1)
    fit_data(model, x, x, saver=ImageSaver(tmp_path / "ae", x[:5]))
    assert names(tmp_path) == ["ae/0001.png", "ae/0002.png"]
    found = panels(read(tmp_path / "ae/0002.png"), 5, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["input"], to_uint8(x[:5]))
    assert_drawn(found["prediction"], drawn(model, x[:5], (0, 1)))


def test_autoencoder_with_targets_draws_three_panels_in_columns_of_samples(tmp_path):
    model, x = autoencoder(channels=3, activation="tanh"), floats(5, 8, 8, 3, low=-1)
    fit_data(model, x, x, saver=ImageSaver(tmp_path / "ae", (x, x[::-1]), columns=2))
    found = panels(read(tmp_path / "ae/0002.png"), 5, (8, 8), ALL_PANELS, columns=2)
    assert_drawn(found["input"], to_uint8(x, value_range=(-1, 1)))
    assert_drawn(found["prediction"], drawn(model, x, (-1, 1)))
    assert_drawn(found["target"], to_uint8(x[::-1], value_range=(-1, 1)))


def test_tanh_model_with_inputs_from_0_to_1_is_told_before_training(tmp_path):
    """A whole rehearsal: what is said comes as a warning, and the picture is as it was said."""
    model, x = autoencoder(channels=3, activation="tanh"), floats(5, 8, 8, 3)
    with pytest.warns(UserWarning, match=r"inputs' values go from 0.*input_range=\(0, 1\)"):
        fit_data(model, x, x, saver=ImageSaver(tmp_path / "pale", x))
    found = panels(read(tmp_path / "pale/0002.png"), 5, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["input"], to_uint8(x, value_range=(-1, 1)))
    fit_data(
        model, x, x, saver=ImageSaver(tmp_path / "right", x, render=Images(input_range=(0, 1)))
    )
    found = panels(read(tmp_path / "right/0002.png"), 5, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["input"], to_uint8(x))


@only_tensorflow
def test_super_resolution_enlarges_the_smaller_input_beside_its_output(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(12, 3, padding="same"),
            layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2), output_shape=(16, 16, 3)),
        ]
    )
    model.compile("sgd", "mse")
    x, y = floats(3, 8, 8, 3), floats(3, 16, 16, 3, seed=1)
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=Images(value_range=(0, 1))))
    found = panels(read(tmp_path / "0002.png"), 3, (16, 16), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(x).repeat(2, axis=1).repeat(2, axis=2))
    assert_drawn(found["prediction"], to_uint8(run(model, x).clip(0, 1)))
    assert_drawn(found["target"], to_uint8(y))


@pytest.mark.parametrize("colormap", ["table", "viridis"])
def test_depth_with_colormap_colours_prediction_and_target_but_not_the_photo(tmp_path, colormap):
    if colormap == "viridis":
        colormaps = pytest.importorskip("matplotlib").colormaps
        table = np.rint(colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
    else:
        ramp = np.arange(256, dtype=np.uint8)
        table = np.stack([ramp, 255 - ramp, ramp // 2], axis=1)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(1, 3, padding="same", activation="relu")]
    )
    model.compile("sgd", "mae")
    x, depth = photos(4), floats(4, 8, 8, high=10.0, seed=2)
    render = Images(value_range=(0, 10), colormap=table if colormap == "table" else colormap)
    x_train = x.astype(np.float32) / 255
    fit_data(
        model, x_train, depth[..., None], saver=ImageSaver(tmp_path, (x, depth), render=render)
    )
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], x)
    levels = to_uint8(depth, value_range=(0, 10))
    np.testing.assert_array_equal(found["target"], table[levels])
    outputs = run(model, x.astype(np.float32))
    levels = to_uint8(outputs[..., 0].clip(0, 10), value_range=(0, 10))
    assert (found["prediction"] == table[levels]).all(-1).mean() > 0.9


def test_inputs_normalised_by_imagenet_statistics_are_shown_as_the_photos_they_were(tmp_path):
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photo = photos(4)
    x = ((photo / 255 - mean) / std).astype(np.float32)
    model = autoencoder(channels=3)
    render = Images(input_range=((0 - mean) / std, (1 - mean) / std))
    fit_data(model, x, photo / np.float32(255), saver=ImageSaver(tmp_path, x, render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), INPUT_PREDICTION)
    np.testing.assert_array_equal(found["input"], photo)
    assert_drawn(found["prediction"], drawn(model, x, (0, 1)))


def test_channels_first_model_is_drawn_with_its_channels_last(tmp_path):
    model = keras.Sequential(
        [keras.Input((3, 8, 10)), layers.Dense(10, activation="tanh"), layers.Dense(10, "sigmoid")]
    )
    model.compile("sgd", "mse")
    x = floats(2, 3, 8, 10)
    keras.backend.set_image_data_format("channels_first")
    try:
        fit_data(model, x, x, saver=ImageSaver(tmp_path, (x, x)))
    finally:
        keras.backend.set_image_data_format("channels_last")
    found = panels(read(tmp_path / "0002.png"), 2, (8, 10), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(np.moveaxis(x, 1, -1)))
    assert_drawn(found["prediction"], to_uint8(run(model, x).transpose(0, 2, 3, 1)))
