"""A small U-Net finds shapes in photos; each picture shows photo, prediction and truth side by side.

Discs, squares and triangles, cut from other places and tinted, are pasted into crops of scikit-learn's
two sample photos, so the truth is known to the pixel. The model takes pixels from 0 to 255 and
rescales them itself, which is why `input_range` is stated. File names carry the validation loss.

    python examples/segment_photos.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tensorflow import keras

from keras_image_saver import ImageSaver, Run, Segmentation

try:
    from sklearn.datasets import load_sample_images
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

layers = keras.layers

SIZE = 64
BATCH_SIZE = 16
CLASSES = ("background", "disc", "square", "triangle")


def draw_shape(rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """A shape's class and the pixels that it covers, bool (SIZE, SIZE)."""
    shape = int(rng.integers(1, len(CLASSES)))
    radius = rng.uniform(11, 20)
    x, y = rng.uniform(radius, SIZE - radius, 2)
    mask = Image.new("1", (SIZE, SIZE))
    draw = ImageDraw.Draw(mask)
    if CLASSES[shape] == "disc":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    else:
        corners = 4 if CLASSES[shape] == "square" else 3
        draw.regular_polygon((x, y, radius), corners, rng.uniform(0, 360), fill=1)
    return shape, np.asarray(mask)


def make_data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Photos, float32 (N, SIZE, SIZE, 3) in 0 to 255, and class ids, uint8 (N, SIZE, SIZE)."""
    rng = np.random.default_rng(seed)
    photos = load_sample_images().images

    def crop() -> np.ndarray:
        photo = photos[rng.integers(len(photos))]
        top, left = (rng.integers(side - SIZE + 1) for side in photo.shape[:2])
        return photo[top : top + SIZE, left : left + SIZE]

    x = np.empty((count, SIZE, SIZE, 3), np.float32)
    y = np.zeros((count, SIZE, SIZE), np.uint8)
    for photo, classes in zip(x, y, strict=False):
        photo[:] = crop()
        for _ in range(rng.integers(1, 3)):
            shape, covered = draw_shape(rng)
            # Tinted photo, so that neither colour nor texture alone gives a shape away.
            photo[covered] = 0.3 * crop()[covered] + 0.7 * rng.uniform(0, 255, 3)
            classes[covered] = shape
    return x, y


def build_unet() -> keras.Model:
    def convolve(tensor, filters: int):
        for _ in range(2):
            tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False)(tensor)
            # The usual 0.99 would need more steps than a run this short has.
            tensor = layers.BatchNormalization(momentum=0.9)(tensor)
            tensor = layers.ReLU()(tensor)
        return tensor

    photo = keras.Input((SIZE, SIZE, 3))
    tensor = layers.Rescaling(1 / 127.5, offset=-1)(photo)
    skips = []
    for filters in (8, 16, 32):
        tensor = convolve(tensor, filters)
        skips.append(tensor)
        tensor = layers.MaxPooling2D()(tensor)
    tensor = convolve(tensor, 48)
    for filters in (32, 16, 8):
        tensor = layers.UpSampling2D()(tensor)
        tensor = layers.Concatenate()([tensor, skips.pop()])
        tensor = convolve(tensor, filters)
    scores = layers.Conv2D(len(CLASSES), 1, activation="softmax")(tensor)
    return keras.Model(photo, scores, name="unet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("runs/segment_photos"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    x_train, y_train = make_data(2048, seed=1)
    x_val, y_val = make_data(64, seed=2)
    unet = build_unet()
    rate = keras.optimizers.schedules.CosineDecay(5e-3, args.epochs * len(x_train) // BATCH_SIZE)
    unet.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    saver = ImageSaver(
        args.output / "{epoch:03d}-{val_loss:.3f}.png",
        (x_val, y_val),
        num_samples=8,
        columns=2,
        render=Segmentation(
            class_names=CLASSES,
            background_class=0,
            overlay=0.7,
            input_range=(0, 255),
            panels=("input", "prediction", "target", "error"),
        ),
        metrics=["iou"],
    )
    unet.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=args.epochs,
        validation_data=(x_val, y_val),
        verbose=2,
        callbacks=[saver],
    )
    print(f"The last picture is {list(Run.open(args.output))[-1].path}")
    print(f"The page of the run is {args.output / 'index.html'}")


if __name__ == "__main__":
    main()
