"""The forward pass: the way that was chosen against the ways that Keras offers."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.measure import Table, medians, ms, ratio, resident_mib, round_robin
from benchmarks.models import dcgan_generator
from keras_image_saver import latents
from keras_image_saver.model.inference import Inference
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.samples import Samples

CALLS = 300


def tables() -> tuple[list[Table], list]:
    model, noise = dcgan_generator(64), latents(64, 64)
    tensor = tf.constant(noise)
    chosen, samples = Inference(DrawnModel(model, model), 64), Samples(noise, noise=True)
    rows = {
        "ours: one traced function, state put back": lambda: chosen.run(samples),
        "model(x, training=False)": lambda: np.asarray(model(tensor, training=False)),
        "predict": lambda: model.predict(noise, verbose=0, batch_size=64),
        "predict_on_batch": lambda: model.predict_on_batch(noise),
    }
    middle = medians(round_robin(rows))
    table = Table(
        "64 images of 64², a small DCGAN's generator",
        ("", "ms", "of ours", f"memory growth over {CALLS} calls, MiB"),
    )
    first = next(iter(middle.values()))
    for name, call in rows.items():
        before = resident_mib()
        for _ in range(CALLS):
            call()
        table.rows.append(
            (name, ms(middle[name]), ratio(middle[name] / first), f"{resident_mib() - before:.1f}")
        )
    return [table], []
