"""What numbers beside the samples cost: each measure beside a snapshot's own work, and the record."""

from __future__ import annotations

import tempfile
from functools import partial
from time import process_time
from typing import Any

import numpy as np

from benchmarks.mapping import composing
from benchmarks.measure import Table, Target, medians, ms, round_robin
from benchmarks.models import WORKLOADS
from keras_image_saver import Batch, Images, Segmentation, encode_image
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.render.measuring import Measuring
from keras_image_saver.render.summaries import summarize
from keras_image_saver.run.record import Record, Snapshot
from keras_image_saver.viewers.page import Page

OF_IMAGES = ("mae", "psnr", "ssim", "change", "diversity")
OF_CLASSES = ("accuracy", "iou", "dice", "change")
SNAPSHOTS, SAMPLES = 512, 1024


def tables() -> tuple[list[Table], list[Target]]:
    record, target = recording()
    return [measures(), record], [target]


def measures() -> Table:
    names = tuple(dict.fromkeys(OF_IMAGES + OF_CLASSES))
    table = Table(
        "A measure's milliseconds beside those of the snapshot: mapping, tiling and the PNG",
        ("", "snapshot, ms", *(f"{name}, ms" for name in names)),
        note="Each measure alone; those of class maps share their counts where several are asked for.",
    )
    rng = np.random.default_rng(0)
    for count, side in WORKLOADS:
        outputs = rng.uniform(-1, 1, (count, side, side, 3)).astype(np.float32)
        targets = rng.uniform(-1, 1, outputs.shape).astype(np.float32)
        row(table, names, f"{count} × {side}²", Images((-1, 1)), outputs, targets, OF_IMAGES)
    ids = rng.integers(0, 21, (8, 512, 512)).astype(np.int32)
    wrong = np.where(rng.random(ids.shape) < 0.1, 0, ids).astype(np.int32)
    row(table, names, "8 × 512², 21 classes", Segmentation(21), ids, wrong, OF_CLASSES)
    return table


def row(
    table: Table, names: Any, title: str, render: Any, outputs: Any, targets: Any, fitting: Any
) -> None:
    batch = Batch(None, targets, outputs)
    bound = render.bind(batch, OutputInfo(("prediction",), (None,), chosen=0))
    compose, _ = composing(outputs, render)
    functions: dict[str, Any] = {"snapshot": lambda: encode_image(compose().image)}
    for name in fitting:
        measuring = Measuring({name: name})
        measuring(bound, [batch])  # what changes is compared with this
        functions[name] = partial(measuring, bound, [batch])
    middle = medians(round_robin(functions, rounds=15))
    table.rows.append(
        (
            title,
            ms(middle["snapshot"]),
            *(ms(middle[name]) if name in middle else "" for name in names),
        )
    )


def recording() -> tuple[Table, Target]:
    """Processor time of an entry with three measures of 1,024 samples, and of one with none."""
    rng = np.random.default_rng(0)
    each = {}
    for title, names in (("none", ()), ("three measures", ("mae", "psnr", "ssim"))):
        times = []
        with tempfile.TemporaryDirectory() as folder:
            page = Page(folder, print)
            record = Record(folder, mirror=page.follow)
            for epoch in range(1, SNAPSHOTS + 1):
                metrics = {name: rng.random(SAMPLES).astype(np.float32) for name in names}
                found = {name: summarize(one, more_is_worse=True) for name, one in metrics.items()}
                summary = {name: one.entry() for name, one in found.items()}
                started = process_time()
                path = f"{folder}/{epoch:04d}.png"
                record.add(Snapshot(epoch, 1, epoch, path, metrics=metrics, summary=summary))
                record.write()
                times.append(1000 * (process_time() - started))
        each[title] = float(np.median(times)), float(np.max(times))
    table = Table(
        f"An entry of the record, its page and values: {SAMPLES:,} samples, {SNAPSHOTS} snapshots",
        ("metrics", "processor time, median ms", "most, ms"),
        note="Files of values hold 131,072 of them and are written anew with each row, so the most is "
        "that of one that is nearly full.",
    )
    table.rows += [(title, ms(median), ms(most)) for title, (median, most) in each.items()]
    most = each["three measures"][1]
    return table, Target("entry with 3 measures of 1,024 samples: the most", most, 50, unit=" ms")
