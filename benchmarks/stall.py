"""How long `on_epoch_end` holds training up, and where the time goes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import peers, processor
from benchmarks.measure import (
    Table,
    Target,
    Times,
    above,
    error,
    measure,
    medians,
    ms,
    ratio,
    round_robin,
)
from benchmarks.models import WORKLOADS, class_maps, dcgan_generator, photos_of, segmenter
from benchmarks.processor import CAREFUL, INLINE, OPENCV, OURS, TENSORBOARD, forward
from benchmarks.savers import Epochs, end, settles
from keras_image_saver import Images, ImageSaver, Segmentation, latents
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.compose import Tiling, compose
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples

FLOOR, PREDICT = "forward pass alone", "predict_on_batch of all samples"
KERAS, MATPLOTLIB = "array_to_img, a PNG an image", "matplotlib figure"
ROUNDS = 9


def stall(count: int, side: int) -> Times:
    """Return the milliseconds of each way."""
    model, noise = dcgan_generator(side), latents(count, 64)
    with tempfile.TemporaryDirectory() as folder:
        careful = peers.GridCallback(model, noise, folder)
        rows: dict[str, Callable[[], Any]] = {
            FLOOR: forward(model, noise),
            PREDICT: lambda: model.predict_on_batch(noise),
            OURS: Epochs(ImageSaver(f"{folder}/ours", noise), model),
            INLINE: Epochs(ImageSaver(f"{folder}/inline", noise, background=False), model),
            OPENCV: peers.opencv_grid(model, noise, folder),
            TENSORBOARD: peers.tensorboard(model, noise, folder),
            KERAS: peers.array_to_img(model, noise, folder),
            CAREFUL: lambda: careful.on_epoch_end(0),
            MATPLOTLIB: peers.matplotlib_figure(model, noise, folder),
        }
        times = measure(rows, after=settles(rows), rounds=ROUNDS)
        end(rows)
    return times


def segmentation(count: int = 8, side: int = 512, classes: int = 21) -> Times:
    model, photos = segmenter(side, classes), photos_of(count, side)
    samples = (photos, class_maps(count, side, classes))
    options = {"render": Segmentation(input_range=(0, 255))}
    with tempfile.TemporaryDirectory() as folder:
        rows: dict[str, Callable[[], Any]] = {
            FLOOR: forward(model, photos),
            OURS: Epochs(ImageSaver(f"{folder}/ours", samples, **options), model),
            INLINE: Epochs(
                ImageSaver(f"{folder}/inline", samples, background=False, **options), model
            ),
            MATPLOTLIB: peers.matplotlib_maps(model, photos, folder),
        }
        times = measure(rows, after=settles(rows), rounds=ROUNDS)
        end(rows)
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
            },
            rounds=ROUNDS,
        )


def tables() -> tuple[list[Table], list[Target], dict[str, dict[str, float]]]:
    """Measure all workloads.

    Returns:
        The tables, the targets, and for the plot the medians by workload.
    """
    found, targets, plotted = [], [], {}
    for count, side in WORKLOADS:
        title = f"{count} images of {side}²"
        times = stall(count, side).wall
        middle, more = medians(times), above(times, FLOOR)
        plotted[title] = middle
        table = Table(
            f"`on_epoch_end`, {title}, a small DCGAN's generator",
            ("", "blocked, ms", "above the forward pass, ms", "of cv2's"),
        )
        for name in times:
            share = "" if name == FLOOR else ratio(more[name] / more[OPENCV])
            extra = "" if name == FLOOR else ms(more[name])
            table.rows.append((name, ms(middle[name]), extra, share))
        found.append(table)
        targets.append(
            Target(
                f"{title}: blocked with `background=True`, of 1.05 × `predict_on_batch` + 1 ms",
                middle[OURS] / (1.05 * middle[PREDICT] + 1),
                1.0,
            )
        )
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
    more_tables, more_targets = processor.tables()
    found += more_tables
    targets += more_targets
    times = segmentation().wall
    middle, more = medians(times), above(times, FLOOR)
    plotted["8 class maps of 512², 21 classes"] = middle
    found.append(
        Table(
            "`on_epoch_end`, 8 photos of 512², 21 classes: input, prediction, target",
            ("", "blocked, ms", "above the forward pass, ms"),
            [(name, ms(middle[name]), "" if name == FLOOR else ms(more[name])) for name in times],
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
    lengths = [len(rows) for rows in medians_by_workload.values()]
    figure, axes = plt.subplots(
        len(lengths),
        1,
        figsize=(8, 0.26 * sum(lengths) + 0.6 * len(lengths)),
        sharex=True,
        gridspec_kw={"height_ratios": lengths},
    )
    for axis, (title, rows) in zip(axes, medians_by_workload.items(), strict=True):
        names = sorted(rows, key=rows.get, reverse=True)
        ours = {FLOOR: "#999999", PREDICT: "#999999", OURS: "#d95f02", INLINE: "#f4a582"}
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
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
