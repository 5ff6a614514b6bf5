"""Models of clips and of volumes: a tile a slice, through `fit`."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support.models import OF_IDS, assert_drawn, class_ids, floats, read, run

from keras_image_saver import Images, ImageSaver, Run, Segmentation, colorize, to_uint8
from keras_image_saver.picture.layout import layout_of

keras = tf.keras
layers = keras.layers

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)


def next_frames():
    return keras.Sequential(
        [
            keras.Input((5, 8, 8, 1)),
            layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True),
            layers.Conv3D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


def unet_3d(classes=3):
    inputs = keras.Input((4, 8, 8, 1))
    down = layers.Conv3D(4, 3, padding="same", activation="relu")(inputs)
    deep = layers.Conv3D(4, 3, padding="same", activation="relu")(layers.MaxPooling3D(2)(down))
    up = layers.Concatenate()([layers.UpSampling3D(2)(deep), down])
    return keras.Model(inputs, layers.Conv3D(classes, 1, activation="softmax")(up))


def tiles_of(folder, epoch):
    """(samples, panels, slices, H, W, C) of a run's picture, at their own size, and its geometry."""
    snapshot = list(Run.open(str(folder)))[epoch - 1]
    geometry = snapshot.geometry
    layout, factor = layout_of(geometry), geometry["enlargement"]
    picture = read(snapshot.path)
    tiles = layout.tiles(picture[..., None] if picture.ndim == 2 else picture)
    small = tiles[..., ::factor, ::factor, :]
    return small.reshape(-1, *small.shape[2:])[: layout.count], geometry


def drawn_outputs(model, x):
    return np.asarray(run(model, x), np.float32)


def test_frames_that_a_convlstm_predicts(tmp_path):
    clips = floats(3, 6, 8, 8, 1)
    x, y, model = clips[:, :-1], clips[:, 1:], next_frames()
    model.compile("adam", "mse")
    saver = ImageSaver(tmp_path, (x, y), render=Images(slices=3), sample_names=["a", "b", "c"])
    model.fit(x, y, epochs=2, verbose=0, callbacks=[saver])
    found, geometry = tiles_of(tmp_path, 2)
    assert geometry["panels"] == ["input", "prediction", "target"]
    assert geometry["slices"] == [0, 2, 4]
    for panel, values in enumerate((x, drawn_outputs(model, x), y)):
        expected = to_uint8(values[:, [0, 2, 4]].reshape(-1, 8, 8, 1)).reshape(3, 3, 8, 8, 1)
        assert_drawn(found[:, panel].reshape(-1, 8, 8, 1), expected.reshape(-1, 8, 8, 1))
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["settings"]["sample_names"] == ["a", "b", "c"]
    assert about["settings"]["render"]["slices"] == 3


def test_volumes_that_a_3d_unet_segments(tmp_path):
    x, y, model = floats(2, 4, 8, 8, 1), class_ids(8).reshape(2, 4, 8, 8), unet_3d()
    model.compile("adam", OF_IDS)
    render = Segmentation(input_range=(0, 1), slices=(0, -1), class_names=["air", "bone", "lung"])
    saver = ImageSaver(tmp_path, (x, y), render=render, metrics=["iou"])
    model.fit(x, y, epochs=2, verbose=0, callbacks=[saver])
    found, geometry = tiles_of(tmp_path, 2)
    assert geometry["slices"] == [0, 3]
    ids = drawn_outputs(model, x).argmax(-1)
    for panel, values in ((1, ids), (2, y)):
        expected = colorize(values[:, [0, 3]].reshape(-1, 8, 8))
        same = found[:, panel].reshape(-1, 8, 8, 3) == expected
        assert same.mean() > 0.95
    assert_drawn(
        found[:, 0, :, ..., :1].reshape(-1, 8, 8, 1), to_uint8(x[:, [0, 3]].reshape(-1, 8, 8, 1))
    )
    (last,) = list(Run.open(str(tmp_path)))[-1:]
    assert last.metrics["iou"].shape == (2,)  # of whole volumes
    hits = [
        [
            ((a == k) & (b == k)).sum() / max(1, ((a == k) | (b == k)).sum())
            for k in range(3)
            if ((a == k) | (b == k)).any()
        ]
        for a, b in zip(ids, y, strict=True)
    ]
    np.testing.assert_allclose(last.metrics["iou"], [np.mean(one) for one in hits], atol=0.05)
