"""A DCGAN learns handwritten digits; each picture shows what it makes of the same 64 noise vectors.

The noise is drawn once, from a seed: where a tile differs from the picture before, training has
changed it. The generator ends in a tanh, so its value range need not be stated. Epoch 0 is the
untrained generator.

    python examples/gan_digits.py
    keras-image-saver timelapse runs/gan_digits gan_digits.webp
    keras-image-saver strip runs/gan_digits gan_digits_strip.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from keras_image_saver import ImageSaver, Run, latents

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(
        'scikit-learn is missing: pip install "keras-image-saver[examples]"'
    ) from error

layers = keras.layers

LATENT_DIM = 32
PICTURES = 30  # About as many are saved, however many epochs there are.


def load_images() -> np.ndarray:
    """The 1,797 digits of scikit-learn, enlarged from 8x8: float32 (N, 32, 32, 1) in [-1, 1]."""
    digits = load_digits().images[..., None] / 8.0 - 1.0
    # Strokes touch the border of the originals; a margin keeps neighbours in the grid apart.
    digits = tf.image.resize(digits, (14, 14), method="bicubic").numpy().clip(-1.0, 1.0)
    digits = np.pad(digits, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1.0)
    # Enlarged as the generator enlarges its own, or the discriminator would tell them by that.
    return tf.image.resize(digits, (32, 32), method="bilinear").numpy()


def build_generator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(4 * 4 * 128, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((4, 4, 128)),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
            layers.UpSampling2D(2, interpolation="bilinear"),
        ],
        name="generator",
    )


def build_discriminator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.AveragePooling2D(2),
            layers.Conv2D(48, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(96, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ],
        name="discriminator",
    )


class GAN(keras.Model):
    """A generator and a discriminator, trained side by side on the non-saturating loss."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = build_generator()
        self.discriminator = build_discriminator()
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.d_loss = keras.metrics.Mean(name="d_loss")

    def compile(
        self, g_optimizer: keras.optimizers.Optimizer, d_optimizer: keras.optimizers.Optimizer
    ) -> None:
        super().compile()
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.g_loss, self.d_loss]

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        noise = tf.random.normal((tf.shape(real)[0], LATENT_DIM))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake_logits = self.discriminator(self.generator(noise, training=True), training=True)
            real_logits = self.discriminator(real, training=True)
            g_loss = self.cross_entropy(tf.ones_like(fake_logits), fake_logits)
            # Labels short of 1 keep the discriminator from growing certain on so few images.
            d_loss = self.cross_entropy(0.9 * tf.ones_like(real_logits), real_logits)
            d_loss += self.cross_entropy(tf.zeros_like(fake_logits), fake_logits)
        for tape, loss, model, optimizer in (
            (g_tape, g_loss, self.generator, self.g_optimizer),
            (d_tape, d_loss, self.discriminator, self.d_optimizer),
        ):
            weights = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.g_loss.update_state(g_loss)
        self.d_loss.update_state(d_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path("runs/gan_digits"))
    args = parser.parse_args()
    print(f"The pictures will be in {args.output}")

    keras.utils.set_random_seed(7)
    gan = GAN()
    gan.compile(
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    )
    saver = ImageSaver(
        args.output / "{epoch:04d}.png",
        latents(64, LATENT_DIM, seed=7),
        model="generator",
        metrics=["diversity"],
        every_epochs=max(1, args.epochs // PICTURES),
        save_initial=True,
    )
    gan.fit(load_images(), batch_size=32, epochs=args.epochs, verbose=2, callbacks=[saver])
    print(f"The last picture is {list(Run.open(args.output))[-1].path}")
    print(f"The page of the run is {args.output / 'index.html'}")


if __name__ == "__main__":
    main()
