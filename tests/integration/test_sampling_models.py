"""Models that draw samples: VAE, diffusion, PixelCNN."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    INPUT_PREDICTION,
    KERAS_3,
    assert_drawn,
    drawn,
    floats,
    names,
    only_tensorflow,
    panels,
    read,
    tiles,
)
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, latents, to_uint8

keras = tf.keras
layers = keras.layers


class Sampling(layers.Layer):
    """Draws a code; under Keras 3 from a seed generator of its own, as Keras's example does."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(3) if KERAS_3 else 3

    def call(self, inputs):
        mean, log_var = inputs
        if KERAS_3:
            noise = keras.random.normal(tf.shape(mean), seed=self.seed)
        else:
            noise = tf.random.normal(tf.shape(mean), seed=self.seed)
        return mean + tf.exp(0.5 * log_var) * noise


class VAE(keras.Model):
    """The VAE of Keras's examples, which also has a `call`: reconstructions are drawn."""

    def __init__(self):
        super().__init__()
        inputs = keras.Input((8, 8, 1))
        x = layers.Flatten()(inputs)
        mean, log_var = layers.Dense(2)(x), layers.Dense(2)(x)
        code = Sampling()([mean, log_var])
        self.encoder = keras.Model(inputs, [mean, log_var, code])
        self.decoder = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(64, activation="sigmoid"),
                layers.Reshape((8, 8, 1)),
            ]
        )

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[2])

    def train_step(self, data):
        with tf.GradientTape() as tape:
            mean, log_var, code = self.encoder(data)
            difference = tf.reduce_mean((data - self.decoder(code)) ** 2)
            loss = difference - 0.1 * tf.reduce_mean(1 + log_var - mean**2 - tf.exp(log_var))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


@only_tensorflow
def test_vae_draws_latents_through_its_decoder(tmp_path):
    model, codes = VAE(), latents(4, 2)
    model.compile("sgd")
    fit_data(model, floats(4, 8, 8, 1), saver=ImageSaver(tmp_path, codes, model="decoder"))
    picture = read(tmp_path / "0002.png")
    assert_drawn(tiles(picture, 4, (8, 8)), drawn(model.decoder, codes, (0, 1)))


@only_tensorflow
def test_vae_that_draws_at_inference_shows_reconstructions(tmp_path):
    model, x = VAE(), floats(4, 8, 8, 1)
    model.compile("sgd")
    saver = ImageSaver(tmp_path, x, render=Images(value_range=(0, 1)))
    fit_data(model, x, saver=saver)
    assert names(tmp_path) == ["0001.png", "0002.png"]
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["input"], to_uint8(x))
    assert found["prediction"].std() > 0


@only_tensorflow
@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no seed generators: its noise cannot be fixed")
def test_vae_with_frozen_weights_draws_the_same_picture_at_every_epoch(tmp_path):
    model, x = VAE(), floats(4, 8, 8, 1)
    model.compile(keras.optimizers.SGD(0.0))
    saver = ImageSaver(tmp_path, x, render=Images(value_range=(0, 1)), save_initial=True)
    fit_data(model, x, saver=saver, epochs=3)
    assert names(tmp_path) == ["0000.png", "0001.png", "0002.png", "0003.png"]
    first = read(tmp_path / "0000.png")
    for name in names(tmp_path):
        np.testing.assert_array_equal(read(tmp_path / name), first)


class Diffusion(keras.Model):
    """The DDIM of Keras's examples, cut down: a normaliser, a network, a reverse diffusion."""

    def __init__(self):
        super().__init__()
        self.normalizer = layers.Normalization()
        self.network = keras.Sequential(
            [keras.Input((8, 8, 4)), layers.Conv2D(3, 3, padding="same")]
        )

    def denormalize(self, images):
        images = self.normalizer.mean + images * self.normalizer.variance**0.5
        return tf.clip_by_value(images, 0.0, 1.0)

    def reverse_diffusion(self, noise, steps):
        images = noise
        for step in range(steps):
            time = tf.fill(tf.shape(images[..., :1]), 1.0 - step / steps)
            images -= self.network(tf.concat([images, time], axis=-1), training=False) / steps
        return images

    def train_step(self, images):
        images = self.normalizer(images, training=True)
        noise = tf.random.normal(tf.shape(images))
        with tf.GradientTape() as tape:
            time = tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) * tf.ones_like(noise[..., :1])
            mixed = (1 - time) * images + time * noise
            predicted = self.network(tf.concat([mixed, time], axis=-1), training=True)
            loss = self.compute_noise_loss(noise, predicted)
        weights = self.network.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"n_loss": loss}

    def compute_noise_loss(self, noise, predicted):
        return tf.reduce_mean(tf.abs(noise - predicted))


@only_tensorflow
def test_diffusion_sampler_draws_the_same_noise_through_predict(tmp_path):
    data = floats(8, 8, 8, 3)
    model, noise = Diffusion(), latents(5, 8, 8, 3)
    model.normalizer.adapt(data)
    model.compile("sgd")

    def sample(model, noise):
        return model.denormalize(model.reverse_diffusion(noise, 3))

    saver = ImageSaver(tmp_path, noise, render=Images(value_range=(0, 1)), predict=sample)
    fit_data(model, data, saver=saver)
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (70, 104, 3)
    expected = to_uint8(np.asarray(sample(model, np.asarray(noise))))
    assert_drawn(tiles(picture, 5, (8, 8)), expected)


class MaskedConv2D(layers.Layer):
    """A convolution that sees only what comes before its pixel."""

    def __init__(self, filters, activation):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, padding="same", activation=activation)

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.mask = np.zeros(self.conv.kernel.shape, np.float32)
        self.mask[0] = self.mask[1, 0] = 1.0

    def call(self, inputs):
        kernel = self.conv.kernel * self.mask
        outputs = tf.nn.conv2d(inputs, kernel, 1, "SAME") + self.conv.bias
        return self.conv.activation(outputs)


@only_tensorflow
def test_pixelcnn_draws_pixel_by_pixel_through_predict(tmp_path):
    size = 4
    model = keras.Sequential([keras.Input((size, size, 1)), MaskedConv2D(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")

    def sample(model, noise):
        pixels = np.zeros(noise.shape, np.float32)
        for row in range(size):
            for column in range(size):
                chances = np.asarray(model(tf.constant(pixels), training=False))
                drawn_here = chances[:, row, column] > np.asarray(noise)[:, row, column]
                pixels[:, row, column] = drawn_here
        return pixels

    noise = floats(4, size, size, 1)
    data = np.rint(floats(4, size, size, 1, seed=1))
    render = Images(value_range=(0, 1), panels=("prediction",))
    fit_data(model, data, data, saver=ImageSaver(tmp_path, noise, predict=sample, render=render))
    found = tiles(read(tmp_path / "0002.png"), 4, (size, size))
    np.testing.assert_array_equal(found, to_uint8(sample(model, noise)))
    assert set(np.unique(found)) == {0, 255}
