"""Processor time a snapshot beyond the forward pass: what busy cores take from training.

The model has its outputs already, so that what is measured is not lost in what a pass takes more or
less from round to round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks import peers
from benchmarks.measure import Table, Target, above, measure, ms, ratio
from benchmarks.models import (
    WORKLOADS,
    class_maps,
    photo_tiles,
    photos_of,
    segmenter,
    stored,
)
from benchmarks.savers import Epochs, WithoutFast, end, settles
from keras_image_saver import Images, ImageSaver, Segmentation, latents
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.picture import formats
from keras_image_saver.picture.compose import Tiling, compose
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.samples import Samples

PASS, BEFORE = "forward pass", "all panels anew, Pillow's PNG"
OURS, INLINE = "ImageSaver", "ImageSaver, background=False"
PLAIN, PLAIN_INLINE = f"{OURS}, without `fast`", f"{INLINE}, without `fast`"
SAVERS = (OURS, INLINE, PLAIN, PLAIN_INLINE)
CAREFUL, OPENCV = "20 careful lines", "20 careful lines, cv2.imwrite"
TENSORBOARD = "tf.summary.image of all samples"


def forward(model: Any, inputs: Any) -> Callable[[], Any]:
    """The floor: one traced call, and its outputs in the host's memory."""
    call = tf.function(lambda x: model(x, training=False))
    tensor = tf.constant(inputs)
    return lambda: np.asarray(call(tensor))


def savers(model: Any, samples: Any, folder: str, **options: Any) -> dict[str, Epochs]:
    """Return a saver in training for each of the rows `SAVERS`."""
    made = {}
    for number, name in enumerate(SAVERS):
        kind = WithoutFast if name in (PLAIN, PLAIN_INLINE) else Epochs
        background = name in (OURS, PLAIN)
        saver = ImageSaver(f"{folder}/{number}", samples, background=background, **options)
        made[name] = kind(saver, model)
    return made


def as_before(model: Any, samples: Samples, render: Any, folder: str) -> Callable[[], None]:
    """Draw each snapshot as if it were the first, and have Pillow encode it at its fastest."""
    pipeline = Pipeline(render, None, None, None, Tiling(), formats.PNG)
    drawer = pipeline.bind(DrawnModel(model, model), samples)

    def on_epoch_end() -> None:
        drawing = drawer.draw()
        drawing.kept.backdrop = None
        image = compose(drawing, Tiling()).image
        Image.fromarray(image).save(f"{folder}/before.png", compress_level=1)

    return on_epoch_end


def grids(count: int, side: int) -> dict[str, float]:
    """Return the milliseconds of processor time of each way beyond the pass: a grid of a GAN."""
    noise = latents(count, 64)
    model = stored(noise, photo_tiles(count, side) / np.float32(127.5) - 1)
    with tempfile.TemporaryDirectory() as folder:
        careful = peers.GridCallback(model, noise, folder)
        rows: dict[str, Callable[[], Any]] = {
            PASS: forward(model, noise),
            **savers(model, noise, folder, render=Images((-1, 1))),
            OPENCV: peers.opencv_grid(model, noise, folder),
            CAREFUL: lambda: careful.on_epoch_end(0),
            TENSORBOARD: peers.tensorboard(model, noise, folder),
        }
        times = measure(rows, after=settles(rows))
        end(rows)
    return above(times.cpu, PASS)


def maps(count: int = 8, side: int = 512, classes: int = 21) -> dict[str, float]:
    """Return the same of class maps beside their photos and targets."""
    photos = photos_of(count, side)
    scores = np.concatenate([segmenter(side, classes)(rows) for rows in np.split(photos, count)])
    model = stored(photos, scores)
    samples, render = (photos, class_maps(count, side, classes)), Segmentation(input_range=(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        rows: dict[str, Callable[[], Any]] = {
            PASS: forward(model, photos),
            **savers(model, samples, folder, render=render),
            BEFORE: as_before(model, Samples(*samples), render, folder),
        }
        times = measure(rows, after=settles(rows))
        end(rows)
    return above(times.cpu, PASS)


def tables() -> tuple[list[Table], list[Target]]:
    found, targets = [], []
    names = (*SAVERS, OPENCV, CAREFUL, TENSORBOARD)
    spent = {f"{count} × {side}²": grids(count, side) for count, side in WORKLOADS}
    columns = [part for title in spent for part in (title, "of cv2's")]
    table = Table(
        "Processor time a snapshot beyond the forward pass, ms",
        ("", *columns),
        note="Of all threads, until the file is written. The model has its outputs already: photos.",
    )
    for name in names:
        row = [name]
        for cpu in spent.values():
            row += [ms(cpu[name]), ratio(cpu[name] / cpu[OPENCV])]
        table.rows.append(row)
    found.append(table)
    for title, cpu in spent.items():
        for name in SAVERS:
            limit = 1.0 if name in (PLAIN, PLAIN_INLINE) else 0.6
            what = f"{title}: processor time beyond the pass, {name}, of cv2's"
            targets.append(Target(what, cpu[name] / cpu[OPENCV], limit))
    cpu = maps()
    found.append(
        Table(
            "The same, 8 photos of 512², 21 classes: input, prediction, target",
            ("", "ms", "of the last"),
            [(name, ms(cpu[name]), ratio(cpu[name] / cpu[BEFORE])) for name in (*SAVERS, BEFORE)],
        )
    )
    targets += [
        Target(
            f"8 class maps of 512²: processor time beyond the pass, {name}, of drawing all anew",
            cpu[name] / cpu[BEFORE],
            1 / 3,
        )
        for name in (OURS, PLAIN)
    ]
    return found, targets
