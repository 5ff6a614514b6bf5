"""What people write instead: each as its tutorial has it, in a few lines."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image


def array_to_img(model: Any, latents: Any, folder: str) -> Callable[[], None]:
    """The Keras GAN tutorials: one PNG an image, each stretched to its own contrast."""

    def on_epoch_end() -> None:
        images = model(latents) * 255
        for number, image in enumerate(images.numpy()):
            tf.keras.utils.array_to_img(image).save(os.path.join(folder, f"{number}.png"))

    return on_epoch_end


def matplotlib_figure(model: Any, latents: Any, folder: str) -> Callable[[], None]:
    """The TensorFlow DCGAN tutorial: a figure of axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = math.ceil(math.sqrt(len(latents)))

    def on_epoch_end() -> None:
        predictions = model(latents, training=False)
        figure = plt.figure(figsize=(4, 4))
        for number in range(predictions.shape[0]):
            plt.subplot(columns, columns, number + 1)
            plt.imshow(np.asarray(predictions[number]) * 0.5 + 0.5)
            plt.axis("off")
        plt.savefig(os.path.join(folder, "figure.png"))
        plt.close(figure)

    return on_epoch_end


class GridCallback(tf.keras.callbacks.Callback):
    """The careful twenty lines: fixed noise, a stated range, one grid, NumPy and Pillow."""

    def __init__(self, model: Any, latents: Any, folder: str) -> None:
        super().__init__()
        self.draw = tf.function(lambda z: model(z, training=False))
        self.latents = tf.constant(latents)
        self.path = os.path.join(folder, "grid-{:04d}.png")

    def grid(self) -> np.ndarray:
        images = self.draw(self.latents).numpy()
        count, height, width, channels = images.shape
        images = np.rint(np.clip((images + 1) * 127.5, 0, 255)).astype(np.uint8)
        columns = math.ceil(math.sqrt(count))
        rows = math.ceil(count / columns)
        padded = np.zeros((rows * columns, height + 2, width + 2, channels), np.uint8)
        padded[:count, 2:, 2:] = images
        grid = padded.reshape(rows, columns, height + 2, width + 2, channels)
        return grid.swapaxes(1, 2).reshape(rows * (height + 2), columns * (width + 2), channels)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        Image.fromarray(self.grid()).save(self.path.format(epoch))


def opencv_grid(model: Any, latents: Any, folder: str) -> Callable[[], None]:
    """The same grid through OpenCV's `imwrite`."""
    import cv2

    callback = GridCallback(model, latents, folder)

    def on_epoch_end() -> None:
        cv2.imwrite(os.path.join(folder, "cv2.png"), callback.grid()[..., ::-1])

    return on_epoch_end


def tensorboard(model: Any, latents: Any, folder: str) -> Callable[[], None]:
    """What TensorBoard's users write: all samples, each a PNG of its own in the event file."""
    draw = tf.function(lambda z: model(z, training=False))
    inputs = tf.constant(latents)
    writer = tf.summary.create_file_writer(os.path.join(folder, "events"))

    def on_epoch_end() -> None:
        images = draw(inputs) / 2 + 0.5
        with writer.as_default():
            tf.summary.image("samples", images, step=0, max_outputs=len(latents))
        writer.flush()

    return on_epoch_end


def matplotlib_maps(model: Any, photos: Any, folder: str) -> Callable[[], None]:
    """Segmentation tutorials: a figure a sample, the photo beside its mask."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    def on_epoch_end() -> None:
        masks = np.argmax(model.predict(photos, verbose=0), axis=-1)
        for number, (photo, mask) in enumerate(zip(photos, masks, strict=True)):
            figure, axes = plt.subplots(1, 2, figsize=(8, 4))
            axes[0].imshow(photo / 255)
            axes[1].imshow(mask, cmap="tab20", vmin=0, vmax=20)
            figure.savefig(os.path.join(folder, f"{number}.png"))
            plt.close(figure)

    return on_epoch_end
