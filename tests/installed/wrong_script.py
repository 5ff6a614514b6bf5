"""What types must refuse: each line has one error, of the code that its comment says, and why.

`.ci/run` compares them with what mypy finds, all of it and nothing else.
"""

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

keras_image_saver.ImagesSaver("runs", photos)  # attr-defined: no such name
ImageSaver("runs")  # call-arg: no samples
ImageSaver("runs", photos, colums=2)  # call-arg: no such argument
ImageSaver("runs", photos, None)  # call-arg: options have names
ImageSaver("runs", photos, every_epochs="2")  # arg-type: a text is no number
ImageSaver("runs", photos, previous="remove")  # arg-type: not one of the words
ImageSaver("runs", photos, on_error="stop")  # arg-type: not one of the words
ImageSaver("runs", photos, render=Images)  # arg-type: the class, not one of it
ImageSaver("runs", photos, render=lambda batch: batch.output)  # attr-defined: a batch has `outputs`
ImageSaver("runs", photos, listeners=[lambda one: one.epochs])  # attr-defined: has `epoch`
Images((0, 1), (0, 1))  # call-arg: options have names
Segmentation("voc")  # arg-type: a number of classes comes first
latents("64", 16)  # arg-type: a text is no number

run = Run.open("runs")
inputs, targets = run.samples  # misc: it is no pair
for snapshot in run:
    snapshot.epoch = 1  # misc: it is read alone
frames: int = timelapse(run, "run.webp")  # assignment: it is a path
timelapse(run, "run.webp", fps="10")  # arg-type: a text is no number
text: str = encode_image(photos[0])  # assignment: it is bytes
save_image("grid.png", photos, quality=90)  # call-arg: no such argument
