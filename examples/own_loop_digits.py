"""A variational autoencoder learns handwritten digits in a loop of its own, without `fit`.

`watch` takes what draws, here the decoder, and `save` saves a picture whenever the loop says so. The
latent space has two axes, and the samples are a plane of its codes: each picture is a map of the digits
that the decoder knows. Keras 3 trains it on any backend.

    python examples/own_loop_digits.py
    KERAS_BACKEND=jax python examples/own_loop_digits.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tensorflow import keras

from keras_image_saver import ImageSaver, Run

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

if not hasattr(keras, "ops"):
    raise SystemExit("Keras 3 is needed here, and this is Keras 2.")
layers = keras.layers

SIDE = 12  # digits a row of the map
BATCH_SIZE = 64
PICTURES = 30  # About as many are saved, however many epochs there are.


def load_images() -> np.ndarray:
    """The 1,797 digits of scikit-learn: float32 (N, 8, 8, 1) in [0, 1]."""
    return (load_digits().images[..., None] / 16).astype(np.float32)


class Sampling(layers.Layer):
    """Draws a code from the normal distribution of each image, and keeps these near a common one."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.generator = keras.random.SeedGenerator(7)

    def call(self, moments):
        mean, log_var = keras.ops.split(moments, 2, axis=-1)
        divergence = keras.ops.sum(mean**2 + keras.ops.exp(log_var) - log_var - 1, axis=-1) / 2
        # The cross-entropy is a mean over 64 pixels.
        self.add_loss(keras.ops.mean(divergence) / 64)
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.generator)
        return mean + keras.ops.exp(log_var / 2) * noise


def build_encoder() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(4),
            Sampling(),
        ],
        name="encoder",
    )


def build_decoder() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(256, activation="relu"),
            layers.Dense(8 * 8, activation="sigmoid"),
            layers.Reshape((8, 8, 1)),
        ],
        name="decoder",
    )


def make_plane() -> np.ndarray:
    """SIDE x SIDE codes, float32 (N, 2), row by row."""
    axis = np.linspace(-2, 2, SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--output", type=Path, default=Path("runs/own_loop_digits"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    images = load_images()
    encoder, decoder = build_encoder(), build_decoder()
    autoencoder = keras.Sequential([encoder, decoder])
    autoencoder.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy")

    saver = ImageSaver(args.output / "{epoch:04d}-{loss:.3f}.png", make_plane(), columns=SIDE)
    every = max(1, args.epochs // PICTURES)
    rng = np.random.default_rng(7)
    with saver.watch(decoder):
        for epoch in range(args.epochs):
            batches = np.array_split(rng.permutation(len(images)), len(images) // BATCH_SIZE)
            losses = [autoencoder.train_on_batch(images[batch], images[batch]) for batch in batches]
            loss = float(np.mean(losses))
            print(f"Epoch {epoch + 1}/{args.epochs} - loss: {loss:.4f}")
            if (epoch + 1) % every == 0:
                saver.save(epoch=epoch, logs={"loss": loss})
    print(f"The last picture is {list(Run.open(args.output))[-1].path}")
    print(f"The page of the run is {args.output / 'index.html'}")


if __name__ == "__main__":
    main()
