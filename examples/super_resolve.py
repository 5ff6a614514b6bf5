"""Super-resolution by two of blurred photos: each picture shows input, prediction and truth.

A small network learns on scikit-learn's two sample photos, blurred as by a lens and halved; the
pictures show parts of them that it never trains on. The model ends in an addition, so its value range
is stated. The small inputs are enlarged to the size of the others, pixel by pixel.

    python examples/super_resolve.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from tensorflow import keras

from keras_image_saver import Images, ImageSaver, Run

try:
    from sklearn.datasets import load_sample_images
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

layers = keras.layers

SCALE = 2
BLUR = 1.4  # standard deviation, in pixels of the photo
SPLIT = 260  # Left of this column is for validation.
MIN_DETAIL = 0.02
BATCH_SIZE = 16


def make_data(
    photos: list[np.ndarray], count: int, side: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Blurred, small crops and sharp ones: float32 (N, side, side, 3), and SCALE as large, in 0 to 1."""
    rng = np.random.default_rng(seed)
    blur = ImageFilter.GaussianBlur(BLUR)
    halves = [np.asarray(Image.fromarray(one).filter(blur).reduce(SCALE)) for one in photos]
    small, sharp = [], []
    while len(sharp) < count:
        number = rng.integers(len(photos))
        top, left = (rng.integers(length - side) for length in halves[number].shape[:2])
        crop = halves[number][top : top + side, left : left + side] / np.float32(255)
        top, left, size = SCALE * top, SCALE * left, SCALE * side
        truth = photos[number][top : top + size, left : left + size] / np.float32(255)
        # Sky and leaves out of focus have nothing to restore.
        if np.abs(truth - crop.repeat(SCALE, 0).repeat(SCALE, 1)).mean() > MIN_DETAIL:
            small.append(crop)
            sharp.append(truth)
    return np.stack(small), np.stack(sharp)


def build_model() -> keras.Model:
    """A network of the detail that the bilinear enlargement lacks, for photos of any size."""
    small = keras.Input((None, None, 3))
    features = layers.Conv2D(32, 3, padding="same", activation="relu")(small)
    for _ in range(4):
        detail = layers.Conv2D(32, 3, padding="same", activation="relu")(features)
        detail = layers.Conv2D(32, 3, padding="same")(detail)
        features = layers.Add()([features, detail])
    detail = layers.Conv2DTranspose(3, 2 * SCALE, strides=SCALE, padding="same")(features)
    blurred = layers.UpSampling2D(SCALE, interpolation="bilinear")(small)
    return keras.Model(small, layers.Add()([blurred, detail]), name="super_resolution")


def psnr(images: np.ndarray, truth: np.ndarray) -> float:
    """The mean over images of 0 to 1, in decibels."""
    errors = ((images.clip(0, 1) - truth) ** 2).mean(axis=(1, 2, 3))
    return float(-10 * np.log10(errors).mean())


def enlarge(small: np.ndarray) -> np.ndarray:
    """The bicubic enlargement, which needs no network."""
    pictures = [Image.fromarray(one) for one in np.rint(small * 255).astype(np.uint8)]
    size = (SCALE * small.shape[2], SCALE * small.shape[1])
    return np.stack([picture.resize(size, Image.Resampling.BICUBIC) for picture in pictures]) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, default=Path("runs/super_resolve"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    photos = load_sample_images().images
    x_train, y_train = make_data([photo[:, SPLIT:] for photo in photos], 1024, 24, seed=1)
    x_val, y_val = make_data([photo[:, :SPLIT] for photo in photos], 24, 48, seed=4)
    model = build_model()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, args.epochs * len(x_train) // BATCH_SIZE)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mae")
    saver = ImageSaver(
        args.output,
        (x_val, y_val),
        num_samples=6,
        columns=2,
        render=Images(
            value_range=(0, 1),
            panels={"input": "low resolution", "prediction": "restored", "target": "original"},
        ),
        metrics=["psnr"],
    )
    model.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=args.epochs,
        validation_data=(x_val, y_val),
        verbose=2,
        callbacks=[saver],
    )
    print(
        f"Mean PSNR: {psnr(enlarge(x_val), y_val):.2f} dB by bicubic enlargement, "
        f"{psnr(model.predict(x_val, verbose=0), y_val):.2f} dB restored"
    )
    print(f"The last picture is {list(Run.open(args.output))[-1].path}")
    print(f"The page of the run is {args.output / 'index.html'}")


if __name__ == "__main__":
    main()
