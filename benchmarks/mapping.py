"""From values to the finished grid: time against a copy of the same values, and memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.measure import Table, Target, medians, ms, ratio, round_robin
from benchmarks.models import WORKLOADS
from keras_image_saver import Batch, Images, Segmentation
from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.picture.compose import Drawing, Tiling, compose
from keras_image_saver.render.base import OutputInfo


def composing(values: Any, render: Any) -> tuple[Any, Any]:
    """Return the function that composes a grid of `values`, and the renderer bound to them."""
    nothing = Batch(None, None, None)
    info = OutputInfo(("prediction",), (None,), chosen=0)
    bound = render.bind(replace(nothing, outputs=values), info)
    # A copy: what `memcpy` reads may not be warmed for it by what is composed.
    halves = np.array_split(values.copy(), 2)
    drawing = Drawing(bound, nothing, [half for half in halves if len(half)])
    return lambda: compose(drawing, Tiling()), bound


def tables() -> tuple[list[Table], list[Target]]:
    table = Table(
        "Floats to the finished grid, in two chunks",
        ("", "memcpy, ms", "in range, ms", "", "a third clipped, ms", "", "memory beyond the grid"),
        note="Non-finite values, clipping and the range are found on the way. `memcpy` copies the same "
        "floats to memory that is there already.",
    )
    targets = []
    rng = np.random.default_rng(0)
    for count, side in WORKLOADS:
        values = rng.uniform(-1, 1, (count, side, side, 3)).astype(np.float32)
        clipped = np.where(np.abs(values) > 2 / 3, values * 2, values)
        copy = np.empty_like(values)
        ours, _ = composing(values, Images((-1, 1)))
        beyond, _ = composing(clipped, Images((-1, 1)))
        middle = medians(
            round_robin(
                {"memcpy": partial(np.copyto, copy, values), "ours": ours, "clipped": beyond},
                rounds=31,
            )
        )
        tracemalloc.start()
        grid = ours().image.nbytes
        extra = (tracemalloc.get_traced_memory()[1] - grid) / 2**20
        tracemalloc.stop()
        shares = [middle[name] / middle["memcpy"] for name in ("ours", "clipped")]
        title = f"{count} × {side}²"
        table.rows.append(
            (
                title,
                ms(middle["memcpy"]),
                ms(middle["ours"]),
                ratio(shares[0]),
                ms(middle["clipped"]),
                ratio(shares[1]),
                f"{extra:.1f} MiB",
            )
        )
        targets += [
            Target(f"{title}: mapping to the grid, of a memcpy", shares[0], 3),
            Target(f"{title}: the same, a third clipped", shares[1], 4),
            Target(f"{title}: memory beyond the grid", extra, 8, unit=" MiB"),
        ]
    found, met = classes(rng)
    return [table, found], [*targets, met]


def classes(rng: np.random.Generator) -> tuple[Table, Target]:
    scores = rng.normal(size=(8, 512, 512, 21)).astype(np.float32)
    maps = np.repeat(np.repeat(rng.integers(0, 21, (8, 32, 32)), 16, 1), 16, 2)
    scores += 8 * np.eye(21, dtype=np.float32)[maps]
    tensor = tf.constant(scores)
    _, bound = composing(scores, Segmentation())
    decide = decide_on_device(bound.class_decision, 0, channels_first=False)
    ids = np.asarray(decide(tensor))
    coloured, _ = composing(ids, Segmentation(21))
    times = round_robin(
        {
            "np.argmax alone": lambda: np.argmax(scores, axis=-1),
            "tf.argmax alone": lambda: np.asarray(tf.argmax(tensor, axis=-1)),
            "our decision on the device, with the copy": lambda: np.asarray(decide(tensor)),
            "ids to coloured tiles": coloured,
            "both": lambda: (np.asarray(decide(tensor)), coloured()),
        }
    )
    middle = medians(times)
    floor = middle["np.argmax alone"]
    table = Table(
        "Scores of 21 classes to coloured tiles, 8 × 512²",
        ("", "ms", "of np.argmax"),
        [(name, ms(value), ratio(value / floor)) for name, value in middle.items()],
    )
    return table, Target(
        "Scores of 21 classes to tiles, of `np.argmax` alone", middle["both"] / floor, 0.4
    )
