"""Values that are odd, in pictures and logs: they are shown, kept and said, and nothing fails."""

import math
import os

import numpy as np
import pytest
import tensorflow as tf
from support.models import autoencoder, floats, read, tiles
from support.recorded import saved_and_missed
from support.training import PREDICTION, Meddler, X, fit, train

from keras_image_saver import Images, ImageSaver, Run

keras = tf.keras

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


class Logged(keras.callbacks.Callback):
    """Adds to the logs of each epoch, as metrics and schedules do."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.values)


def test_nan_from_epoch_2_on_is_magenta_and_said_once(tmp_path, lines):
    model = autoencoder()

    def before(epoch):
        if epoch == 2:
            model.set_weights([np.full_like(value, np.nan) for value in model.get_weights()])

    saver = ImageSaver(tmp_path / "{epoch}-{loss:.2f}.png", X, render=PREDICTION)
    train(saver, before=before, model=model, epochs=4)
    saved = list(Run.open(str(tmp_path)))
    assert [one.epoch for one in saved] == [1, 2, 3, 4]
    assert math.isfinite(saved[0].logs["loss"])
    assert [math.isnan(one.logs["loss"]) for one in saved[1:]] == [True] * 3
    assert [os.path.basename(one.path) for one in saved[1:]] == [f"{n}-nan.png" for n in (2, 3, 4)]
    assert read(saved[0].path).ndim == 2
    for snapshot in saved[1:]:
        assert np.all(tiles(read(snapshot.path), 4, (8, 8)) == (255, 0, 255))
    (line,) = lines()
    assert "Epoch 2" in line
    assert "256 pixels" in line


class Unprintable:
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def test_logs_with_nan_arrays_and_keys_that_are_no_identifiers_are_kept(tmp_path, lines):
    values = {
        "nan": float("nan"),
        "infinite": np.float64("-inf"),
        "per class/iou.top-1": np.array([0.5, 1.0]),
        "confusion": np.arange(100).reshape(10, 10),
        "tensor": tf.constant(2.5),
        "": 1,
        "None": None,
        "text": "a\nb",
    }
    path = tmp_path / "{epoch}-{per class/iou.top-1}-{nan:.1f}-{tensor:.1f}.png"
    train(ImageSaver(path, X), others=[Logged(values)], epochs=2)
    saved = list(Run.open(str(tmp_path)))
    assert [os.path.basename(one.path) for one in saved] == [
        f"{epoch}-_0.5__1.0_-nan-2.5.png" for epoch in (1, 2)
    ]
    logs = dict(saved[1].logs)
    assert math.isnan(logs.pop("nan"))
    assert logs.pop("loss") > 0
    assert logs == {
        "infinite": -math.inf,
        "per class/iou.top-1": [0.5, 1.0],
        "confusion": "array of shape (10, 10)",
        "tensor": 2.5,
        "": 1,
        "None": "None",
        "text": "a\nb",
    }
    assert lines() == []


def test_logs_that_cannot_be_read_end_no_training(tmp_path):
    train(ImageSaver(tmp_path, X), others=[Logged({"odd": Unprintable(), "fine": 1})], epochs=2)
    assert saved_and_missed(tmp_path) == ([1, 2], [])
    assert [one.logs["fine"] for one in Run.open(str(tmp_path))] == [1, 1]


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
