"""GANs as people write them, each through real training, and the pixels that come of it."""

import numpy as np
import tensorflow as tf
from support.models import (
    ALL_PANELS,
    GAN,
    INPUT_PREDICTION,
    VOC,
    assert_drawn,
    class_ids,
    discriminator,
    drawn,
    floats,
    gan,
    generator,
    names,
    only_tensorflow,
    panels,
    read,
    tiles,
)
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, colorize, latents, to_uint8

keras = tf.keras
layers = keras.layers


@only_tensorflow
def test_gan_with_own_train_step_and_compile_draws_its_generator(tmp_path):
    model, noise = gan(), latents(9, 4, seed=7)
    saver = ImageSaver(tmp_path / "{epoch:04d}-{g_loss:.2f}.png", noise, model="generator")
    history = fit_data(model, floats(8, 8, 8, 3, low=-1), saver=saver, batch_size=4)
    losses = history.history["g_loss"]
    assert names(tmp_path) == [
        f"{epoch:04d}-{loss:.2f}.png" for epoch, loss in enumerate(losses, 1)
    ]
    picture = read(tmp_path / names(tmp_path)[-1])
    assert picture.shape == (104, 104, 3)
    assert_drawn(tiles(picture, 9, (8, 8)), drawn(model.generator, noise, (-1, 1)))


@only_tensorflow
def test_gan_held_by_a_model_reference_draws_that_model(tmp_path):
    model, noise = gan(channels=1), latents(5, 4)
    saver = ImageSaver(tmp_path, noise, model=model.generator)
    fit_data(model, floats(4, 8, 8, 1, low=-1), saver=saver)
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (70, 104)
    assert_drawn(tiles(picture, 5, (8, 8)), drawn(model.generator, noise, (-1, 1)))


class WGAN(GAN):
    """Wasserstein loss with gradient penalty, the critic trained twice a step."""

    def compile(self, d_optimizer, g_optimizer):
        super().compile(d_optimizer, g_optimizer, None)

    def gradient_penalty(self, real, fake):
        mixed = real + tf.random.uniform((tf.shape(real)[0], 1, 1, 1)) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(mixed)
            scores = self.discriminator(mixed, training=True)
        slopes = tf.sqrt(tf.reduce_sum(tape.gradient(scores, mixed) ** 2, axis=[1, 2, 3]) + 1e-8)
        return tf.reduce_mean((slopes - 1.0) ** 2)

    def train_step(self, real):
        real = real[0] if isinstance(real, tuple) else real
        for _ in range(2):
            noise = tf.random.normal((tf.shape(real)[0], self.latent_dim))
            with tf.GradientTape() as tape:
                fake = self.generator(noise, training=True)
                d_loss = tf.reduce_mean(self.discriminator(fake, training=True))
                d_loss -= tf.reduce_mean(self.discriminator(real, training=True))
                d_loss += 10.0 * self.gradient_penalty(real, fake)
            weights = self.discriminator.trainable_variables
            self.d_optimizer.apply_gradients(
                zip(tape.gradient(d_loss, weights), weights, strict=True)
            )
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((tf.shape(real)[0], self.latent_dim)))
            g_loss = -tf.reduce_mean(self.discriminator(fake, training=True))
        weights = self.generator.trainable_variables
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


@only_tensorflow
def test_wgan_whose_generator_is_cropped_after_its_tanh_needs_no_range(tmp_path):
    cropped = keras.Sequential([*generator(size=8, channels=1).layers, layers.Cropping2D(1)])
    model = WGAN(cropped, discriminator(6, 1))
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
    noise = latents(4, 4)
    fit_data(
        model, floats(4, 6, 6, 1, low=-1), saver=ImageSaver(tmp_path, noise, model="generator")
    )
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (78, 78)
    assert_drawn(tiles(picture, 4, (6, 6)), drawn(cropped, noise, (-1, 1)))


class ConditionalGAN(GAN):
    """Noise joined with one-hot labels; the critic sees the labels as constant maps."""

    def train_step(self, data):
        images, labels = data
        noise = tf.concat([tf.random.normal((tf.shape(images)[0], 4)), labels], axis=1)
        maps = labels[:, None, None, :] * tf.ones_like(images)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.discriminator(tf.concat([self.generator(noise), maps], axis=-1))
            real = self.discriminator(tf.concat([images, maps], axis=-1))
            g_loss = self.loss_fn(tf.ones_like(fake), fake)
            d_loss = self.loss_fn(tf.zeros_like(fake), fake)
            d_loss += self.loss_fn(tf.ones_like(real), real)
        for loss, part, optimizer in (
            (d_loss, self.discriminator, self.d_optimizer),
            (g_loss, self.generator, self.g_optimizer),
        ):
            gradients = tape.gradient(loss, part.trainable_variables)
            optimizer.apply_gradients(zip(gradients, part.trainable_variables, strict=True))
        return {"g_loss": g_loss}


@only_tensorflow
def test_conditional_gan_draws_noise_joined_with_labels_a_column_a_class(tmp_path):
    model = ConditionalGAN(generator(4 + 3, 8, 1), discriminator(8, 4))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD(), loss)
    labels = np.eye(3, dtype=np.float32)
    samples = np.concatenate([latents(2, 4).repeat(3, axis=0), np.tile(labels, (2, 1))], axis=1)
    saver = ImageSaver(tmp_path, samples, model="generator", columns=3)
    fit_data(model, floats(6, 8, 8, 1, low=-1), np.tile(labels, (2, 1)), saver=saver)
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (70, 104)
    assert_drawn(tiles(picture, 6, (8, 8), columns=3), drawn(model.generator, samples, (-1, 1)))


def translator(name):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(3, 3, padding="same")(x)
    return keras.Model(inputs, layers.Activation("tanh")(x), name=name)


class CycleGAN(keras.Model):
    """The CycleGAN of Keras's examples, with its own `compile` arguments."""

    def __init__(self):
        super().__init__()
        self.gen_G, self.gen_F = translator("gen_G"), translator("gen_F")
        self.disc_X, self.disc_Y = discriminator(name="disc_X"), discriminator(name="disc_Y")

    def compile(self, optimizer_factory):
        super().compile()
        parts = (self.gen_G, self.gen_F, self.disc_X, self.disc_Y)
        self.optimizers_of_parts = [optimizer_factory() for _ in parts]

    def train_step(self, data):
        real_x, real_y = data
        with tf.GradientTape(persistent=True) as tape:
            fake_y, fake_x = self.gen_G(real_x, training=True), self.gen_F(real_y, training=True)
            cycle = tf.reduce_mean(tf.abs(self.gen_F(fake_y) - real_x))
            cycle += tf.reduce_mean(tf.abs(self.gen_G(fake_x) - real_y))
            g_loss = 10.0 * cycle + tf.reduce_mean((self.disc_Y(fake_y) - 1) ** 2)
            f_loss = 10.0 * cycle + tf.reduce_mean((self.disc_X(fake_x) - 1) ** 2)
            x_loss = tf.reduce_mean((self.disc_X(real_x) - 1) ** 2 + self.disc_X(fake_x) ** 2)
            y_loss = tf.reduce_mean((self.disc_Y(real_y) - 1) ** 2 + self.disc_Y(fake_y) ** 2)
        parts = (self.gen_G, self.gen_F, self.disc_X, self.disc_Y)
        losses = (g_loss, f_loss, x_loss, y_loss)
        for loss, part, optimizer in zip(losses, parts, self.optimizers_of_parts, strict=True):
            gradients = tape.gradient(loss, part.trainable_variables)
            optimizer.apply_gradients(zip(gradients, part.trainable_variables, strict=True))
        return {"G_loss": g_loss, "F_loss": f_loss}


@only_tensorflow
def test_cyclegan_with_two_savers_draws_both_generators_of_image_samples(tmp_path):
    model = CycleGAN()
    model.compile(keras.optimizers.SGD)
    horses, zebras = floats(4, 8, 8, 3, low=-1), floats(4, 8, 8, 3, low=-1, seed=1)
    data = tf.data.Dataset.from_tensor_slices((horses, zebras)).batch(2)
    savers = [
        ImageSaver(tmp_path / "G", horses[:2], model="gen_G"),
        ImageSaver(tmp_path / "F/{epoch}.png", zebras[:3], model="gen_F"),
    ]
    fit_data(model, data, saver=savers)
    assert names(tmp_path) == ["F/1.png", "F/2.png", "G/0001.png", "G/0002.png"]
    to_zebra = panels(read(tmp_path / "G/0002.png"), 2, (8, 8), INPUT_PREDICTION)
    assert_drawn(to_zebra["input"], to_uint8(horses[:2], value_range=(-1, 1)))
    assert_drawn(to_zebra["prediction"], drawn(model.gen_G, horses[:2], (-1, 1)))
    to_horse = panels(read(tmp_path / "F/2.png"), 3, (8, 8), INPUT_PREDICTION)
    assert_drawn(to_horse["prediction"], drawn(model.gen_F, zebras[:3], (-1, 1)))


def test_spade_like_generator_shows_its_label_map_through_input_image(tmp_path):
    noise, mask = keras.Input((4,), name="latent"), keras.Input((8, 8, 3), name="mask")
    x = layers.Reshape((8, 8, 2))(layers.Dense(128)(noise))
    x = layers.Concatenate()([x, layers.Conv2D(2, 3, padding="same")(mask)])
    model = keras.Model([noise, mask], layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    model.compile("sgd", "mae")
    ids = class_ids(4)
    samples = [latents(4, 4), np.eye(3, dtype=np.float32)[ids]]
    render = Images(input_image=lambda inputs: colorize(inputs[1].argmax(-1)))
    y = floats(4, 8, 8, 3, low=-1)
    fit_data(model, samples, y, saver=ImageSaver(tmp_path, (samples, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], VOC[ids])
    assert_drawn(found["prediction"], drawn(model, samples, (-1, 1)))
    assert_drawn(found["target"], to_uint8(y, value_range=(-1, 1)))
