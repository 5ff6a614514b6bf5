"""How long `on_epoch_end` holds training up, and where the time goes."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import peers
from benchmarks.measure import Table, Target, above, error, medians, ms, ratio, round_robin
from benchmarks.models import WORKLOADS, class_maps, dcgan_generator, photo_tiles, segmenter
from keras_image_saver import Images, ImageSaver, Segmentation, latents
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.compose import Tiling, compose
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples

OURS, INLINE, FLOOR = "ImageSaver", "ImageSaver, background=False", "forward pass alone"
KERAS, MATPLOTLIB, CAREFUL = "array_to_img, a PNG an image", "matplotlib figure", "20 careful lines"
OPENCV = "20 careful lines, cv2.imwrite"


class Epochs:
    """A saver in training: calling it is an epoch's end, and `settle` waits for what is behind."""

    def __init__(self, saver: ImageSaver, model: Any) -> None:
        self.saver = saver
        self.epoch = 0
        saver.set_model(model)
        saver.set_params({"epochs": 10_000, "steps": 1, "verbose": 0})
        saver.on_train_begin()
        saver.on_epoch_begin(0)

    def __call__(self) -> None:
        self.saver.on_epoch_end(self.epoch, {"loss": 1.0})
        self.epoch += 1

    def settle(self) -> None:
        for thread in threading.enumerate():
            if thread.name == "keras_image_saver":
                thread.join()  # it ends when nothing is left to write
        self.saver.on_epoch_begin(self.epoch)

    def end(self) -> None:
        self.saver.on_train_end()


def forward(model: Any, inputs: Any) -> Callable[[], Any]:
    """The floor: one traced call, and its outputs in the host's memory."""
    call = tf.function(lambda x: model(x, training=False))
    tensor = tf.constant(inputs)
    return lambda: np.asarray(call(tensor))


def stall(count: int, side: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the milliseconds of each way, and the CPU seconds a snapshot of ours and of the careful."""
    model, noise = dcgan_generator(side), latents(count, 64)
    with tempfile.TemporaryDirectory() as folder:
        ours = Epochs(ImageSaver(f"{folder}/ours", noise, batch_size=count), model)
        inline = Epochs(
            ImageSaver(f"{folder}/inline", noise, batch_size=count, background=False), model
        )
        careful = peers.GridCallback(model, noise, folder)
        rows: dict[str, Callable[[], Any]] = {
            FLOOR: forward(model, noise),
            OURS: ours,
            INLINE: inline,
            CAREFUL: lambda: careful.on_epoch_end(0),
            OPENCV: peers.opencv_grid(model, noise, folder),
            KERAS: peers.array_to_img(model, noise, folder),
            MATPLOTLIB: peers.matplotlib_figure(model, noise, folder),
        }
        times = round_robin(rows, after={OURS: ours.settle, INLINE: inline.settle})
        cpu: dict[str, list[float]] = {OURS: [], INLINE: [], CAREFUL: [], FLOOR: []}
        for _ in range(15):
            for name in cpu:
                started = time.process_time()
                rows[name]()
                {OURS: ours.settle, INLINE: inline.settle}.get(name, int)()
                cpu[name].append(time.process_time() - started)
        ours.end()
        inline.end()
    return times, {name: statistics.median(values) for name, values in cpu.items()}


def segmentation(count: int = 8, side: int = 512, classes: int = 21) -> dict[str, list[float]]:
    model = segmenter(side, classes)
    photos = photo_tiles(count, min(side, 400)).astype(np.float32)
    photos = tf.image.resize(photos, (side, side)).numpy()
    samples = (photos, class_maps(count, side, classes))
    with tempfile.TemporaryDirectory() as folder:
        render = Segmentation(input_range=(0, 255))
        ours = Epochs(ImageSaver(f"{folder}/ours", samples, render=render), model)
        inline = Epochs(
            ImageSaver(f"{folder}/inline", samples, render=render, background=False), model
        )
        times = round_robin(
            {
                FLOOR: forward(model, photos),
                OURS: ours,
                INLINE: inline,
                MATPLOTLIB: peers.matplotlib_maps(model, photos, folder),
            },
            after={OURS: ours.settle, INLINE: inline.settle},
        )
        ours.end()
        inline.end()
    return times


def breakdown(count: int, side: int) -> dict[str, list[float]]:
    """Return the milliseconds of each stage of one snapshot, one after another."""
    model, noise = dcgan_generator(side), latents(count, 64)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(Images(), None, None, count, Tiling(), formats.PNG)
        drawer = pipeline.bind(DrawnModel(model, model), Samples(noise, noise=True))
        pipeline.rehearse(drawer, whole=True)
        call = tf.function(lambda x: model(x, training=False))
        tensor = tf.constant(noise)
        kept: dict[str, Any] = {}

        def encode() -> None:
            kept["bytes"] = encoder.encode(kept["picture"].image, formats.PNG)

        def run(name: str, function: Callable[[], Any]) -> Callable[[], None]:
            def timed() -> None:
                kept[name] = function()

            return timed

        def write() -> None:
            storage_of(f"{folder}/one.png").replace(lambda file: file.write(kept["bytes"]))

        return round_robin(
            {
                "inference": run("outputs", lambda: call(tensor)),
                "device to host": run("host", lambda: np.asarray(kept["outputs"])),
                "our whole pass": run("drawing", drawer.draw),
                "mapping and grid": run("picture", lambda: compose(kept["drawing"], Tiling())),
                "encoding (PNG)": encode,
                "writing, with fsync": write,
            }
        )


def tables() -> tuple[list[Table], list[Target], dict[str, dict[str, float]]]:
    """Measure all workloads.

    Returns:
        The tables, the targets, and for the plot the medians by workload.
    """
    found, targets, plotted = [], [], {}
    cpu_rows = []
    for count, side in WORKLOADS:
        title = f"{count} images of {side}²"
        times, cpu = stall(count, side)
        middle, more = medians(times), above(times, FLOOR)
        plotted[title] = middle
        table = Table(
            f"`on_epoch_end`, {title}, a small DCGAN's generator",
            ("", "blocked, ms", "above the forward pass, ms", "of the careful lines'"),
        )
        for name in times:
            share = "" if name == FLOOR else ratio(more[name] / more[CAREFUL])
            extra = "" if name == FLOOR else ms(more[name])
            table.rows.append((name, ms(middle[name]), extra, share))
        found.append(table)
        allowed = 1.05 * middle[FLOOR] + 1
        targets += [
            Target(
                f"{title}: blocked with `background=True`, of 1.05 × the forward pass + 1 ms",
                middle[OURS] / allowed,
                1.0,
            ),
            Target(
                f"{title}: `background=False`, time above the forward pass, of the careful lines'",
                more[INLINE] / more[CAREFUL],
                0.5,
            ),
        ]
        if side == 64:
            # What cannot be told from nothing counts as the error of its median.
            least = max(more[OURS], error(times[OURS], times[FLOOR]))
            targets += [
                Target(
                    f"{title}: time above the pass, how much less than {name}'s",
                    more[name] / least,
                    limit,
                    at_least=True,
                )
                for name, limit in ((KERAS, 50), (MATPLOTLIB, 300))
            ]
        spent = {name: seconds - cpu[FLOOR] for name, seconds in cpu.items()}
        cpu_rows.append((title, *(ms(spent[name] * 1e3) for name in (OURS, INLINE, CAREFUL))))
        targets.append(
            Target(
                f"{title}: CPU time a snapshot beyond the forward pass, of the careful lines'",
                spent[OURS] / spent[CAREFUL],
                0.5,
            )
        )
    found.append(
        Table(
            "CPU time a snapshot, beyond the forward pass, ms",
            ("", OURS, INLINE, CAREFUL),
            cpu_rows,
        )
    )
    times = segmentation()
    middle, more = medians(times), above(times, FLOOR)
    plotted["8 class maps of 512², 21 classes"] = middle
    found.append(
        Table(
            "`on_epoch_end`, 8 photos of 512², 21 classes: input, prediction, target",
            ("", "blocked, ms", "above the forward pass, ms", ""),
            [
                (name, ms(middle[name]), "" if name == FLOOR else ms(more[name]), "")
                for name in times
            ],
            "The floor has the photos on the device already and hands all scores to the host; the saver "
            "brings the photos there, decides the class on the device and hands over ids.",
        )
    )
    split = Table(
        "Where the time goes, ms",
        ("", *(f"{count} × {side}²" for count, side in WORKLOADS)),
        note="Each stage alone, on one thread. `our whole pass` is inference with the copy, chunks, "
        "and state put back, the part that always blocks training.",
    )
    stages = [medians(breakdown(count, side)) for count, side in WORKLOADS]
    split.rows = [(name, *(ms(one[name]) for one in stages)) for name in stages[0]]
    found.append(split)
    return found, targets, plotted


def plot(medians_by_workload: dict[str, dict[str, float]], path: str) -> None:
    """Draw the milliseconds that each way holds training up, on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "keras_image_saver"
    figure, axes = plt.subplots(
        len(medians_by_workload), 1, figsize=(8, 1.9 * len(medians_by_workload)), sharex=True
    )
    for axis, (title, rows) in zip(axes, medians_by_workload.items(), strict=True):
        names = sorted(rows, key=rows.get, reverse=True)
        ours = {FLOOR: "#999999", OURS: "#d95f02", INLINE: "#f4a582"}
        colors = [ours.get(name, "#7570b3") for name in names]
        bars = axis.barh(names, [rows[name] for name in names], color=colors)
        axis.bar_label(bars, [f"{ms(rows[name])} ms" for name in names], padding=3, fontsize=8)
        axis.set_xscale("log")
        axis.set_title(title, loc="left", fontsize=10)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("time for which on_epoch_end blocks training, ms", fontsize=9)
    every = [value for rows in medians_by_workload.values() for value in rows.values()]
    axes[-1].set_xlim(min(every) / 3, 2 * max(every))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
    plt.close(figure)
    os.stat(path)
