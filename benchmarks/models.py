"""What is drawn: small models as people train them, and pictures of several kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

WORKLOADS = ((64, 64), (16, 256), (64, 256))


def dcgan_generator(side: int, latent: int = 64) -> Any:
    """The generator of a small DCGAN: noise to RGB in [-1, 1]."""
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((latent,)), layers.Dense(8 * 8 * 64)])
    model.add(layers.Reshape((8, 8, 64)))
    size, filters = 8, 64
    while size < side:
        size, filters = size * 2, max(8, filters // 2)
        model.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.Conv2D(3, 3, padding="same", activation="tanh"))
    return model


class Stored(tf.keras.layers.Layer):
    """Outputs that are there already: what takes time then is not the model's."""

    def __init__(self, outputs: np.ndarray) -> None:
        super().__init__()
        self.outputs = tf.constant(outputs)

    def call(self, inputs: Any) -> Any:
        rows = tf.shape(inputs)[0]
        return tf.cond(rows == len(self.outputs), lambda: self.outputs, lambda: self.outputs[:rows])


def stored(inputs: np.ndarray, outputs: np.ndarray) -> Any:
    """Return a model of such inputs that computes nothing."""
    given = tf.keras.Input(inputs.shape[1:])
    return tf.keras.Model(given, Stored(outputs)(given))


def segmenter(side: int, classes: int) -> Any:
    """A small network from photos to class scores."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((side, side, 3)),
            layers.Conv2D(8, 3, strides=4, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.UpSampling2D(4, interpolation="bilinear"),
            layers.Conv2D(classes, 1),
        ]
    )


def photo_tiles(count: int, side: int) -> np.ndarray:
    """Cut tiles out of scikit-learn's two photos: uint8 (count, side, side, 3)."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    rng = np.random.default_rng(0)
    tiles = []
    for number in range(count):
        photo = photos[number % len(photos)]
        y, x = (int(rng.integers(0, limit - side + 1)) for limit in photo.shape[:2])
        tiles.append(photo[y : y + side, x : x + side])
    return np.stack(tiles)


def photos_of(count: int, side: int) -> np.ndarray:
    """Return photos, enlarged where they are too small: float32 (count, side, side, 3), 0 to 255."""
    tiles = photo_tiles(count, min(side, 400)).astype(np.float32)
    return tf.image.resize(tiles, (side, side)).numpy()


def class_maps(count: int, side: int, classes: int = 21) -> np.ndarray:
    """Draw maps of discs, an id each: int (count, side, side)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side]
    maps = np.zeros((count, side, side), np.int64)
    for one in maps:
        for _ in range(6):
            center_y, center_x = rng.uniform(0, side, 2)
            inside = np.hypot(y - center_y, x - center_x) < rng.uniform(0.05, 0.3) * side
            one[inside] = rng.integers(1, classes)
    return maps
