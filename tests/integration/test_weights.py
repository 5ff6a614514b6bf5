"""Which weights draw: those in the model, or the averages that its optimizer keeps."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.models import (
    KERAS_3,
    assert_drawn,
    drawn,
    floats,
    only_tensorflow,
    panels,
    read,
    tiles,
)
from support.training import fit

from keras_image_saver import Images, ImageSaver, Run, to_uint8

keras = tf.keras
layers = keras.layers

START = keras.initializers.Constant(0.2)
X = floats(4, 8, 8, 1)
PREDICTION = Images((0, 1), panels=("prediction",))
only_swapping = pytest.mark.skipif(
    not hasattr(keras.callbacks, "SwapEMAWeights"), reason="this Keras has no SwapEMAWeights"
)


def averaging(**options):
    """A model that is one number on its way to 1, well before its average."""
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Dense(1, use_bias=False, kernel_initializer=START)]
    )
    options = {"use_ema": True, "ema_momentum": 0.5, **options}
    model.compile(keras.optimizers.SGD(0.5, **options), "mse")
    return model


class Weights(keras.callbacks.Callback):
    """Notes the weight and, by its own arithmetic, the average, at the end of each batch."""

    def __init__(self):
        super().__init__()
        self.raw, self.ema, self.noted = None, None, []

    def on_train_batch_end(self, batch, logs=None):
        if KERAS_3 and keras.backend.backend() == "jax":
            return
        self.raw = np.array(self.model.get_weights()[0])
        # Keras 3 begins with the first weights after a step, Keras 2 with those before it.
        start = self.raw if KERAS_3 else np.full_like(self.raw, 0.2)
        before = start if self.ema is None else self.ema
        self.ema = np.float32(0.5) * before + np.float32(0.5) * self.raw

    def on_epoch_end(self, epoch, logs=None):
        self.noted.append((self.raw, self.ema))


def images_by(weight):
    return to_uint8(X * weight.reshape(()), value_range=(0, 1))


def weights_of(folder):
    return [snapshot.weights for snapshot in Run.open(folder)]


@only_tensorflow
@pytest.mark.parametrize("weights", ["raw", "ema"])
def test_weights_that_are_chosen_draw_and_training_keeps_its_own(tmp_path, weights):
    model, noting = averaging(), Weights()
    saver = ImageSaver(tmp_path, X, render=PREDICTION, weights=weights, save_initial=True)
    fit(model, X, noting, saver)
    assert weights_of(tmp_path) == ["raw", weights, weights]
    assert_drawn(tiles(read(tmp_path / "0000.png"), 4, (8, 8)), images_by(np.float32(0.2)))
    pictures = [tiles(read(tmp_path / f"000{epoch}.png"), 4, (8, 8)) for epoch in (1, 2)]
    for picture, (raw, ema) in zip(pictures, noting.noted, strict=True):
        assert np.abs(images_by(raw).astype(int) - images_by(ema)).max() > 5
        assert_drawn(picture, images_by(raw if weights == "raw" else ema))


@only_tensorflow
def test_both_weights_are_a_panel_each_beside_one_input(tmp_path):
    model, noting = averaging(), Weights()
    fit(model, X, noting, ImageSaver(tmp_path, X, render=Images((0, 1)), weights=("raw", "ema")))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ("input", "raw", "ema"))
    raw, ema = noting.noted[-1]
    np.testing.assert_array_equal(found["input"][..., 0], to_uint8(X)[..., 0])
    assert_drawn(found["raw"], images_by(raw))
    assert_drawn(found["ema"], images_by(ema))
    last = list(Run.open(tmp_path))[-1]
    assert (last.weights, last.geometry["panels"]) == ("raw+ema", ["input", "raw", "ema"])
    with Image.open(tmp_path / "0002.png") as picture:
        assert "raw+ema" in json.dumps(picture.text)


def test_averages_draw_what_keras_leaves_in_the_model_at_the_end(tmp_path):
    model = averaging()
    fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION, weights="ema"))
    assert weights_of(tmp_path) == ["ema", "ema"]
    assert_drawn(tiles(read(tmp_path / "0002.png"), 4, (8, 8)), drawn(model, X, (0, 1)))


def test_users_renderer_draws_by_both_weights(tmp_path):
    def render(batch):
        return {"input": batch.inputs, "mask": np.asarray(batch.outputs) > 0.1}

    fit(averaging(), X, ImageSaver(tmp_path, X, render=render, weights=("ema", "raw")))
    last = list(Run.open(tmp_path))[-1]
    assert last.geometry["panels"] == ["input", "mask ema", "mask raw"]


def test_averages_that_nobody_asked_about_are_said_before_training(tmp_path):
    with pytest.warns(UserWarning, match=r"keeps moving averages.*pictures are of the raw") as said:
        fit(averaging(), X, ImageSaver(tmp_path, X, render=PREDICTION))
    assert sum("moving averages" in str(one.message) for one in said) == 1
    assert weights_of(tmp_path) == ["raw", "raw"]


def test_averages_that_nobody_keeps_are_refused_with_what_there_is(tmp_path):
    model = averaging(use_ema=False)
    saver = ImageSaver(tmp_path / "run", X, render=PREDICTION, weights="ema")
    with pytest.raises(ValueError, match=r"`weights` must be \"raw\".*optimizer \(SGD, use_ema=Fa"):
        fit(model, X, saver)
    assert os.listdir(tmp_path) == []


def test_averages_of_another_model_are_refused(tmp_path):
    model, other = averaging(), averaging()
    model.optimizer.build(model.trainable_variables)
    saver = ImageSaver(tmp_path, X, render=PREDICTION, weights="ema", model=other)
    with pytest.raises(ValueError, match=r"`weights` must be .*optimizer \(SGD, use_ema=True\)"):
        fit(model, X, saver)


def test_averages_of_two_optimizers_are_refused(tmp_path):
    model = averaging()
    model.second = keras.optimizers.SGD(0.5, use_ema=True)
    for optimizer in (model.optimizer, model.second):
        optimizer.build(model.trainable_variables)
    with pytest.raises(
        ValueError, match=r"optimizer \(SGD.*averages of what draws\), second \(SGD"
    ):
        fit(model, X, ImageSaver(tmp_path, X, render=PREDICTION, weights="ema"))


@pytest.mark.parametrize("weights", ["average", ("raw", "raw"), (), 1, ("raw", None), ["ema", "x"]])
def test_other_weights_are_refused_at_construction(tmp_path, weights):
    with pytest.raises(ValueError, match="`weights` must be None"):
        ImageSaver(tmp_path, X, weights=weights)


# SwapEMAWeights


@only_swapping
@only_tensorflow
@pytest.mark.parametrize("first", [True, False], ids=["swapped before us", "after us"])
def test_averages_draw_wherever_another_callback_swaps_them(tmp_path, first):
    model, noting = averaging(), Weights()
    saver = ImageSaver(tmp_path, X, render=PREDICTION, weights="ema")
    swapper = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    fit(model, X, noting, *((swapper, saver) if first else (saver, swapper)))
    assert weights_of(tmp_path) == ["ema", "ema"]
    for epoch, (_, ema) in enumerate(noting.noted, 1):
        assert_drawn(tiles(read(tmp_path / f"000{epoch}.png"), 4, (8, 8)), images_by(ema))


@only_swapping
def test_raw_weights_are_refused_where_averages_are_swapped_in_before_us(tmp_path):
    swapper = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    saver = ImageSaver(tmp_path / "run", X, render=PREDICTION, weights="raw")
    with pytest.raises(ValueError, match=r"`weights` must be \"ema\".*Place ImageSaver before it"):
        fit(averaging(), X, swapper, saver)
    assert os.listdir(tmp_path) == []


@only_swapping
@only_tensorflow
def test_averages_that_are_in_the_model_are_recorded_as_such(tmp_path):
    swapper = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    saver = ImageSaver(tmp_path, X, render=PREDICTION)
    with pytest.warns(UserWarning, match="pictures are of the averages at each epoch's end"):
        fit(averaging(), X, swapper, saver)
    assert weights_of(tmp_path) == ["ema", "ema"]


@only_swapping
@only_tensorflow
def test_raw_weights_draw_beside_validation_of_averages(tmp_path):
    model, noting = averaging(), Weights()
    swapper = keras.callbacks.SwapEMAWeights()
    saver = ImageSaver(tmp_path, X, render=PREDICTION, weights="raw")
    fit(model, X, noting, swapper, saver, validation_data=(X, X))
    assert weights_of(tmp_path) == ["raw", "raw"]
    raw, _ = noting.noted[-1]
    assert_drawn(tiles(read(tmp_path / "0002.png"), 4, (8, 8)), images_by(raw))
