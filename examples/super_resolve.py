"""Super-resolution by four; each picture shows input, prediction and truth side by side.

A small sub-pixel network learns on crops of scikit-learn's two sample photos; the pictures show
crops of a part of them that it never trains on. The model ends in a linear layer, so its value range
is stated. The small inputs are enlarged to the size of the others.

    python examples/super_resolve.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tensorflow import keras

from keras_image_saver import Images, ImageSaver

try:
    from sklearn.datasets import load_sample_images
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

layers = keras.layers

SCALE = 4
SIZE = 96
SPLIT = 260  # Left of this column is for validation.
MIN_DETAIL = 0.02
BATCH_SIZE = 16


def make_data(photos: list[np.ndarray], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops averaged over SCALE x SCALE pixels, and the crops: float32 (N, H, W, 3) in 0 to 1."""
    rng = np.random.default_rng(seed)
    side = SIZE // SCALE
    small, sharp = [], []
    while len(sharp) < count:
        photo = photos[rng.integers(len(photos))]
        top, left = (rng.integers(length - SIZE + 1) for length in photo.shape[:2])
        crop = photo[top : top + SIZE, left : left + SIZE].astype(np.float32) / 255
        blocks = crop.reshape(side, SCALE, side, SCALE, 3)
        # Sky and leaves out of focus have nothing to restore.
        if blocks.std(axis=(1, 3)).mean() > MIN_DETAIL:
            small.append(blocks.mean(axis=(1, 3)))
            sharp.append(crop)
    return np.stack(small), np.stack(sharp)


def build_model() -> keras.Model:
    side = SIZE // SCALE
    small = keras.Input((side, side, 3))
    features = layers.Conv2D(48, 5, padding="same", activation="relu")(small)
    for _ in range(3):
        detail = layers.Conv2D(48, 3, padding="same", activation="relu")(features)
        detail = layers.Conv2D(48, 3, padding="same")(detail)
        features = layers.Add()([features, detail])
    features = layers.Conv2D(3 * SCALE**2, 3, padding="same")(features)
    # Depth to space: each pixel's SCALE x SCALE colours move to where they belong.
    blocks = layers.Reshape((side, side, SCALE, SCALE, 3))(features)
    rows = layers.Permute((1, 3, 2, 4, 5))(blocks)
    return keras.Model(small, layers.Reshape((SIZE, SIZE, 3))(rows), name="super_resolution")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--output", type=Path, default=Path("runs/super_resolve"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    photos = load_sample_images().images
    x_train, y_train = make_data([photo[:, SPLIT:] for photo in photos], 1024, seed=1)
    x_val, y_val = make_data([photo[:, :SPLIT] for photo in photos], 32, seed=4)
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
            panels={
                "input": "low resolution",
                "prediction": "restored",
                "target": "original",
                "error": "error",
            },
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
    pictures = args.output.glob("*.png")
    print(f"The last picture is {max(pictures, key=lambda path: path.stat().st_mtime)}")


if __name__ == "__main__":
    main()
