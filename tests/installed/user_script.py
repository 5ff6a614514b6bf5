"""A user's script: all public names with all arguments, and what is read of what comes back.

`.ci/run` checks it with `mypy --strict` against the installed wheel, and runs it, outside of the
checkout.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image
from typing_extensions import assert_type

import keras_image_saver
from keras_image_saver import (
    Batch,
    Images,
    ImageSaver,
    ImageSaverError,
    NotebookDisplay,
    Run,
    Segmentation,
    Snapshot,
    TensorBoardImages,
    colorize,
    compare,
    encode_image,
    latents,
    make_grid,
    overlay,
    save_image,
    strip,
    tiles,
    timelapse,
    to_uint8,
    write_page,
)

layers = tf.keras.layers
photos = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 3)).astype(np.float32)
maps = np.arange(4 * 8 * 8).reshape(4, 8, 8) % 3


def model_of(channels: int, activation: str) -> Any:
    model = tf.keras.Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(channels, 3, padding="same", activation=activation)]
    )
    model.compile("sgd", "sparse_categorical_crossentropy" if activation == "softmax" else "mse")
    return model


# What a user writes for a saver


def halves(batch: Batch) -> dict[str, npt.NDArray[np.float32]]:
    return {"input": batch.inputs / 2, "prediction": batch.outputs / 2, "target": batch.targets}


def sampled(model: Any, inputs: Any) -> Any:
    return model(inputs, training=False)


def offset(targets: Any, outputs: Any) -> Any:
    return tf.reduce_mean(targets - outputs, axis=(1, 2, 3))


def in_a_notebook() -> ImageSaver:
    return ImageSaver("runs/shown", photos, listeners=[NotebookDisplay(width=400)])


class Heard:
    """A listener with state."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def __call__(self, snapshot: Snapshot) -> None:
        self.epochs.append(snapshot.epoch)

    def close(self) -> None:
        self.is_open = False


# Savers

heard = Heard()
autoencoder = model_of(3, "sigmoid")
saver = ImageSaver(
    "runs/photos/{step:04d}.jpg",
    (photos, photos),
    model=autoencoder,
    predict=sampled,
    output=0,
    render=Images(
        (0, 1),
        input_range="tf",
        input_image=lambda inputs: inputs * 2 - 1,
        panels={"input": "photo", "prediction": "drawn", "error": "wrong"},
        colormap=None,
        slices=None,
        slice_axis=1,
    ),
    num_samples=4,
    batch_size=2,
    weights="raw",
    metrics=["mae", offset],
    every_epochs=lambda epoch: epoch < 10 or epoch % 10 == 0,
    every_batches=1,
    save_initial=True,
    columns=2,
    padding=1,
    pad_value=0,
    sample_names=["a", "b", "c", "d"],
    encoder_options={"quality": 90},
    rehearse=True,
    on_error="raise",
    background=False,
    previous="delete",
    max_to_keep=5,
    keep_period=2,
    page=True,
    listeners=[
        heard,
        TensorBoardImages("logs", "photos", step="epoch"),
    ],
)
autoencoder.fit(photos, photos, epochs=2, batch_size=2, verbose=0, callbacks=[saver])
assert heard.epochs == [0, 1, 1, 2, 2]
assert not heard.is_open

segmenter = model_of(3, "softmax")
classes = Segmentation(
    3,
    palette="voc",
    from_logits=False,
    threshold=0.5,
    multi_label=False,
    ignore_index=255,
    overlay=0.5,
    input_range=(0.0, 1.0),
    input_image=None,
    panels=["input", "prediction", "target"],
    class_names={1: "small", 2: "large"},
    background_class=0,
    slices=None,
    slice_axis=1,
)
with ImageSaver(
    "runs/maps/{step:04d}.png", (photos, maps), render=classes, metrics={"IoU": "iou"}
).watch(segmenter) as watching:
    assert_type(watching, ImageSaver)
    for step in range(2):
        loss = segmenter.train_on_batch(photos, maps)
        watching.save(epoch=step, batch=None, step=step, logs={"loss": loss})

noise = latents(4, 8, 8, 3, seed=7, truncation=2.0, interpolate=2)
assert_type(noise, npt.NDArray[np.float32])
drawer = ImageSaver("runs/own", (photos, photos), render=halves, listeners=[])
try:
    autoencoder.fit(noise, noise, epochs=1, verbose=0, callbacks=[drawer])
except ImageSaverError as error:
    assert_type(str(error), str)

# What reads a run

run = Run.open("runs/maps")
assert_type(run.id, str)
assert_type(run.state, str)
assert_type(len(run), int)
assert_type(list(run), list[Snapshot])
assert_type(run.missed + run.removed, list[Snapshot])
for snapshot in run:
    assert_type(snapshot.epoch, int)
    assert_type(snapshot.path, str)
    assert_type(snapshot.image, npt.NDArray[np.uint8] | None)
    assert 0 <= snapshot.metrics["IoU"].mean() <= 1
    assert snapshot.logs["loss"] > 0
kept = run.samples
if kept is not None:
    inputs, targets = kept
    assert inputs.shape == photos.shape
    assert targets.shape == maps.shape

film = timelapse(
    run,
    "maps.webp",
    fps=5,
    hold_last_s=1,
    sample=0,
    caption="epoch {epoch}",
    last=2,
    scale=4,
    encoder_options={"lossless": True},
    max_pixels=None,
)
assert_type(film, str)
still = strip(run, "maps.png", epochs=2, samples=2, spacing="even", scale=4, max_pixels=1_000_000)
assert_type(still, str)
cut = tiles(
    run, "cut", epochs=[1, 2], samples=range(2), panels=["prediction"], max_pixels=1_000_000
)
assert_type(cut, list[str])
assert_type(compare(["runs/maps", "runs/own"], "compare.html"), str)
assert_type(write_page("runs"), str)

# Pictures without a model

pixels = to_uint8(photos, value_range=(0, 1))
assert_type(pixels, npt.NDArray[np.uint8])
colors = colorize(maps, palette="voc", num_classes=3, ignore_index=None)
shown = make_grid(overlay(pixels, colors, 0.5), columns=2, padding=1, pad_value=255)
assert_type(shown, npt.NDArray[np.uint8])
encoded = encode_image(shown, "png", options={"compress_level": 6}, metadata={"epoch": 1})
assert_type(encoded, bytes)
save_image(
    "grid.webp",
    photos,
    value_range=(0, 1),
    columns=2,
    padding=1,
    pad_value=0,
    encoder_options={"quality": 90},
)
for path in (film, still, cut[0], "grid.webp"):
    with Image.open(path) as picture:
        assert picture.width >= 8
assert_type(keras_image_saver.__version__, str)
