"""A diffusion model learns handwritten digits; each picture shows what it makes of the same noise.

The noise is the sample: it is drawn once, from a seed, and the sampler (DDIM) draws nothing more, so
that each digit grows out of its own noise, epoch by epoch. `predict` says how the model draws, and
`weights` that its averaged weights do, as is usual with such models. Epoch 0 is the untrained model.

    python examples/diffusion_digits.py
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from keras_image_saver import Images, ImageSaver, Run, latents

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

layers = keras.layers

STEPS = 12
BATCH_SIZE = 32
PICTURES = 15  # About as many are saved, however many epochs there are.


def load_images() -> np.ndarray:
    """The 1,797 digits of scikit-learn: float32 (N, 8, 8, 1) in [-1, 1]."""
    return (load_digits().images[..., None] / 8 - 1).astype(np.float32)


def build_network() -> keras.Model:
    """A small U-Net that finds the velocity of a mixture, whose angle it is told."""
    mixed, angle = keras.Input((8, 8, 1)), keras.Input((1,))
    told = layers.Dense(64, activation="swish")(angle)

    def convolve(tensor, filters: int):
        hidden = layers.Conv2D(filters, 3, padding="same", activation="swish")(tensor)
        # What the angle says is added to all pixels alike.
        everywhere = layers.Reshape((1, 1, filters))(layers.Dense(filters)(told))
        hidden = layers.Conv2D(filters, 3, padding="same")(layers.Add()([hidden, everywhere]))
        if tensor.shape[-1] != filters:
            tensor = layers.Conv2D(filters, 1)(tensor)
        return layers.Activation("swish")(layers.Add()([tensor, hidden]))

    fine = convolve(layers.Conv2D(32, 3, padding="same")(mixed), 32)
    coarse = convolve(layers.AveragePooling2D(2)(fine), 64)
    joined = layers.Concatenate()([layers.UpSampling2D(2)(coarse), fine])
    velocity = layers.Conv2D(1, 3, padding="same")(convolve(joined, 32))
    return keras.Model([mixed, angle], velocity, name="network")


class Diffusion(keras.Model):
    """Leads from noise to images, along cos(angle) * image + sin(angle) * noise.

    The network finds its derivative by the angle, the velocity of Salimans and Ho (2022), from which
    both image and noise follow.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = build_network()
        self.v_loss = keras.metrics.Mean(name="v_loss")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.v_loss]

    def train_step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        noise = tf.random.normal(tf.shape(images))
        angle = tf.random.uniform((tf.shape(images)[0], 1), 0, np.pi / 2)
        cos, sin = (part[:, None, None] for part in (tf.cos(angle), tf.sin(angle)))
        with tf.GradientTape() as tape:
            found = self.network([cos * images + sin * noise, angle], training=True)
            loss = tf.reduce_mean((found - (cos * noise - sin * images)) ** 2)
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.v_loss.update_state(loss)
        return {"v_loss": self.v_loss.result()}

    def reverse_diffusion(self, noise: tf.Tensor) -> tf.Tensor:
        images = noise
        angles = np.linspace(np.pi / 2, 0, STEPS + 1, dtype=np.float32)
        for angle, next_angle in itertools.pairwise(angles):
            found = self.network([images, tf.fill((len(noise), 1), angle)], training=False)
            clean = tf.clip_by_value(np.cos(angle) * images - np.sin(angle) * found, -1, 1)
            noise = np.sin(angle) * images + np.cos(angle) * found
            images = np.cos(next_angle) * clean + np.sin(next_angle) * noise
        return images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path("runs/diffusion_digits"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    images = load_images()
    diffusion = Diffusion()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, args.epochs * len(images) // BATCH_SIZE)
    diffusion.compile(keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.99))
    saver = ImageSaver(
        args.output / "{epoch:04d}.png",
        latents(64, 8, 8, 1, seed=7),
        predict=lambda model, noise: model.reverse_diffusion(noise),
        weights="ema",
        render=Images(value_range=(-1, 1)),
        every_epochs=max(1, args.epochs // PICTURES),
        save_initial=True,
    )
    diffusion.fit(images, batch_size=BATCH_SIZE, epochs=args.epochs, verbose=2, callbacks=[saver])
    print(f"The last picture is {list(Run.open(args.output))[-1].path}")
    print(f"The page of the run is {args.output / 'index.html'}")


if __name__ == "__main__":
    main()
