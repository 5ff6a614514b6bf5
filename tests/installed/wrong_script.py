"""What types must refuse: each line has the error that it names, or mypy calls its comment unused."""

import numpy as np

import keras_image_saver
from keras_image_saver import (
    Images,
    ImageSaver,
    Run,
    Segmentation,
    encode_image,
    latents,
    save_image,
    timelapse,
)

photos = np.zeros((4, 8, 8, 3), np.float32)

keras_image_saver.ImagesSaver("runs", photos)  # type: ignore[attr-defined]
ImageSaver("runs")  # type: ignore[call-arg]
ImageSaver("runs", photos, colums=2)  # type: ignore[call-arg]
ImageSaver("runs", photos, None)  # type: ignore[call-arg]
ImageSaver("runs", photos, every_epochs="2")  # type: ignore[arg-type]
ImageSaver("runs", photos, previous="remove")  # type: ignore[arg-type]
ImageSaver("runs", photos, on_error="stop")  # type: ignore[arg-type]
ImageSaver("runs", photos, render=Images)  # type: ignore[arg-type]
ImageSaver("runs", photos, render=lambda batch: batch.output)  # type: ignore[attr-defined]
ImageSaver("runs", photos, listeners=[lambda snapshot: snapshot.epochs])  # type: ignore[attr-defined]
Images((0, 1), (0, 1))  # type: ignore[call-arg]
Segmentation("voc")  # type: ignore[arg-type]
latents("64", 16)  # type: ignore[arg-type]

run = Run.open("runs")
inputs, targets = run.samples  # type: ignore[misc]
for snapshot in run:
    snapshot.epoch = 1  # type: ignore[misc]
frames: int = timelapse(run, "run.webp")  # type: ignore[assignment]
timelapse(run, "run.webp", fps="10")  # type: ignore[arg-type]
text: str = encode_image(photos[0])  # type: ignore[assignment]
save_image("grid.png", photos, quality=90)  # type: ignore[call-arg]
