"""Models as people write them, each through real training, and the pixels that come of it."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    ALL_PANELS,
    GAN,
    INPUT_PREDICTION,
    KERAS_3,
    VOC,
    VOID,
    assert_drawn,
    autoencoder,
    class_ids,
    discriminator,
    drawn,
    floats,
    gan,
    generator,
    names,
    only_tensorflow,
    panels,
    photos,
    read,
    run,
    tiles,
    unet,
)
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, Segmentation, colorize, latents, overlay, to_uint8

keras = tf.keras
layers = keras.layers

# Images to images


def test_autoencoder_draws_input_and_prediction_in_the_range_of_its_sigmoid(tmp_path):
    model, x = autoencoder(), floats(6, 8, 8, 1)
    fit_data(model, x, x, saver=ImageSaver(tmp_path / "ae", x[:5]))
    assert names(tmp_path) == ["ae/0001.png", "ae/0002.png"]
    found = panels(read(tmp_path / "ae/0002.png"), 5, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["input"], to_uint8(x[:5]))
    assert_drawn(found["prediction"], drawn(model, x[:5], (0, 1)))


def test_autoencoder_with_targets_draws_three_panels_in_columns_of_samples(tmp_path):
    model, x = autoencoder(channels=3, activation="tanh"), floats(5, 8, 8, 3, low=-1)
    fit_data(model, x, x, saver=ImageSaver(tmp_path / "ae", (x, x[::-1]), columns=2))
    found = panels(read(tmp_path / "ae/0002.png"), 5, (8, 8), ALL_PANELS, columns=2)
    assert_drawn(found["input"], to_uint8(x, value_range=(-1, 1)))
    assert_drawn(found["prediction"], drawn(model, x, (-1, 1)))
    assert_drawn(found["target"], to_uint8(x[::-1], value_range=(-1, 1)))


@only_tensorflow
def test_super_resolution_enlarges_the_smaller_input_beside_its_output(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(12, 3, padding="same"),
            layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2), output_shape=(16, 16, 3)),
        ]
    )
    model.compile("sgd", "mse")
    x, y = floats(3, 8, 8, 3), floats(3, 16, 16, 3, seed=1)
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=Images(value_range=(0, 1))))
    found = panels(read(tmp_path / "0002.png"), 3, (16, 16), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(x).repeat(2, axis=1).repeat(2, axis=2))
    assert_drawn(found["prediction"], to_uint8(run(model, x).clip(0, 1)))
    assert_drawn(found["target"], to_uint8(y))


@pytest.mark.parametrize("colormap", ["table", "viridis"])
def test_depth_with_colormap_colours_prediction_and_target_but_not_the_photo(tmp_path, colormap):
    if colormap == "viridis":
        colormaps = pytest.importorskip("matplotlib").colormaps
        table = np.rint(colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
    else:
        ramp = np.arange(256, dtype=np.uint8)
        table = np.stack([ramp, 255 - ramp, ramp // 2], axis=1)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(1, 3, padding="same", activation="relu")]
    )
    model.compile("sgd", "mae")
    x, depth = photos(4), floats(4, 8, 8, high=10.0, seed=2)
    render = Images(value_range=(0, 10), colormap=table if colormap == "table" else colormap)
    x_train = x.astype(np.float32) / 255
    fit_data(
        model, x_train, depth[..., None], saver=ImageSaver(tmp_path, (x, depth), render=render)
    )
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], x)
    levels = to_uint8(depth, value_range=(0, 10))
    np.testing.assert_array_equal(found["target"], table[levels])
    outputs = run(model, x.astype(np.float32))
    levels = to_uint8(outputs[..., 0].clip(0, 10), value_range=(0, 10))
    assert (found["prediction"] == table[levels]).all(-1).mean() > 0.9


def test_inputs_normalised_by_imagenet_statistics_are_shown_as_the_photos_they_were(tmp_path):
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photo = photos(4)
    x = ((photo / 255 - mean) / std).astype(np.float32)
    model = autoencoder(channels=3)
    render = Images(input_range=((0 - mean) / std, (1 - mean) / std))
    fit_data(model, x, photo / np.float32(255), saver=ImageSaver(tmp_path, x, render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), INPUT_PREDICTION)
    np.testing.assert_array_equal(found["input"], photo)
    assert_drawn(found["prediction"], drawn(model, x, (0, 1)))


def test_channels_first_model_is_drawn_with_its_channels_last(tmp_path):
    model = keras.Sequential(
        [keras.Input((3, 8, 10)), layers.Dense(10, activation="tanh"), layers.Dense(10, "sigmoid")]
    )
    model.compile("sgd", "mse")
    x = floats(2, 3, 8, 10)
    keras.backend.set_image_data_format("channels_first")
    try:
        fit_data(model, x, x, saver=ImageSaver(tmp_path, (x, x)))
    finally:
        keras.backend.set_image_data_format("channels_last")
    found = panels(read(tmp_path / "0002.png"), 2, (8, 10), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(np.moveaxis(x, 1, -1)))
    assert_drawn(found["prediction"], to_uint8(run(model, x).transpose(0, 2, 3, 1)))


# GANs


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
    assert picture.shape == (32, 32, 3)
    assert_drawn(tiles(picture, 9, (8, 8)), drawn(model.generator, noise, (-1, 1)))


@only_tensorflow
def test_gan_held_by_a_model_reference_draws_that_model(tmp_path):
    model, noise = gan(channels=1), latents(5, 4)
    saver = ImageSaver(tmp_path, noise, model=model.generator)
    fit_data(model, floats(4, 8, 8, 1, low=-1), saver=saver)
    picture = read(tmp_path / "0002.png")
    assert picture.shape == (22, 32)
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
    assert picture.shape == (18, 18)
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
    assert picture.shape == (22, 32)
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


# Models that draw


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
    assert picture.shape == (22, 32, 3)
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


# Segmentation


def test_unet_with_softmax_draws_photo_prediction_and_target_in_voc_colours(tmp_path):
    model, x, y = unet(3, "softmax"), floats(4, 8, 8, 3), class_ids(4)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
    saver = ImageSaver(
        tmp_path / "{epoch:03d}-{val_loss:.3f}.png",
        data,
        num_samples=3,
        render=Segmentation(num_classes=3, input_range=(0, 1)),
    )
    history = fit_data(model, data, saver=saver, validation_data=data).history
    assert names(tmp_path) == [f"{n:03d}-{v:.3f}.png" for n, v in enumerate(history["val_loss"], 1)]
    found = panels(read(tmp_path / names(tmp_path)[-1]), 3, (8, 8), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(x[:3]))
    np.testing.assert_array_equal(found["prediction"], VOC[run(model, x[:3]).argmax(-1)])
    np.testing.assert_array_equal(found["target"], VOC[y[:3]])


def test_unet_with_a_single_logit_draws_two_classes_by_a_threshold(tmp_path):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = unet(1, None, loss=loss)
    x, y = floats(4, 8, 8, 3), class_ids(4, classes=2)[..., None].astype(np.float32)
    palette = ((10, 20, 30), (255, 255, 255))
    render = Segmentation(from_logits=True, threshold=0.6, palette=palette, input_range=(0, 1))
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    colors = np.array(palette, np.uint8)
    hits = run(model, x)[..., 0] > np.log(0.6 / 0.4)
    np.testing.assert_array_equal(found["prediction"], colors[hits.astype(int)])
    np.testing.assert_array_equal(found["target"], colors[y[..., 0].astype(int)])


def test_unet_with_sigmoid_channels_draws_each_label_over_its_threshold(tmp_path):
    model = unet(3, "sigmoid", loss="binary_crossentropy")
    x = photos(4)
    y = np.rint(floats(4, 8, 8, 3, seed=3))
    render = Segmentation(multi_label=True)
    fit_data(model, x / np.float32(255), y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], x)

    def topmost(hits):
        return np.max(hits * np.array([1, 2, 3]), axis=-1)

    outputs = run(model, x)
    np.testing.assert_array_equal(found["prediction"], VOC[topmost(outputs > 0.5)])
    np.testing.assert_array_equal(found["target"], VOC[topmost(y > 0.5).astype(int)])


def test_unet_with_rescaling_inside_shows_its_float_photos_from_0_to_255(tmp_path):
    inner = unet(2, "softmax")
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, inner(layers.Rescaling(1 / 255)(inputs)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    photo, y = photos(3), class_ids(3, classes=2)
    x = photo.astype(np.float32)
    render = Segmentation(2, input_range=(0, 255), overlay=0.5)
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 3, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], photo)
    ids = run(model, x).argmax(-1)
    np.testing.assert_array_equal(found["prediction"], overlay(photo, VOC[ids], 0.5))
    np.testing.assert_array_equal(found["target"], overlay(photo, VOC[y], 0.5))


def test_segmentation_of_inputs_normalised_by_imagenet_shows_the_photos(tmp_path):
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photo, y = photos(2), class_ids(2)
    x = ((photo / 255 - mean) / std).astype(np.float32)
    render = Segmentation(3, input_range=((0 - mean) / std, (1 - mean) / std))
    fit_data(unet(3, "softmax"), x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 2, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], photo)


def test_targets_with_a_channel_axis_and_ignored_pixels_show_the_void_colour(tmp_path):
    y = class_ids(3).astype(np.uint8)[..., None]
    y[:, 0] = y[:, :, 3] = 255
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
    model, x = unet(3, "softmax", loss=loss), photos(3)
    data = tf.data.Dataset.from_tensor_slices((x / np.float32(255), y)).batch(3)
    render = Segmentation(3, ignore_index=255)
    fit_data(model, data, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 3, (8, 8), ALL_PANELS)
    expected = VOC[np.where(y == 255, 0, y)[..., 0]]
    expected[y[..., 0] == 255] = VOID
    np.testing.assert_array_equal(found["target"], expected)


def test_scores_smaller_than_the_photo_are_enlarged_beside_it(tmp_path):
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(3, 4, strides=4, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = photos(2, size=16)
    y = class_ids(2, size=4)
    saver = ImageSaver(tmp_path, (x, class_ids(2, size=16)), render=Segmentation(3))
    fit_data(model, x / np.float32(255), y, saver=saver)
    found = panels(read(tmp_path / "0002.png"), 2, (16, 16), ALL_PANELS)
    ids = run(model, x.astype(np.float32)).argmax(-1).repeat(4, axis=1).repeat(4, axis=2)
    np.testing.assert_array_equal(found["prediction"], VOC[ids])
    np.testing.assert_array_equal(found["target"], VOC[class_ids(2, size=16)])


# Several inputs and outputs


def two_headed(as_dict):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(inputs)
    image = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="image")(x)
    label = layers.Dense(3, activation="softmax", name="label")(layers.Flatten()(x))
    outputs = {"image": image, "label": label} if as_dict else [label, image]
    model = keras.Model(inputs, outputs)
    losses = {"image": "mse", "label": "sparse_categorical_crossentropy"}
    model.compile("sgd", losses if as_dict else [losses["label"], losses["image"]])
    return model


@pytest.mark.parametrize("output", ["image", 0, -2], ids=str)
def test_model_with_a_dict_of_outputs_draws_the_one_that_is_named(tmp_path, output):
    model, x = two_headed(as_dict=True), floats(4, 8, 8, 1)
    y = {"image": x, "label": np.zeros((4, 1), np.int32)}
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), output=output))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["prediction"], to_uint8(run(model, x)["image"]))
    assert_drawn(found["target"], to_uint8(x))


@pytest.mark.parametrize("output", ["image", 1, -1], ids=str)
def test_model_with_a_list_of_outputs_draws_the_one_that_is_named(tmp_path, output):
    model, x = two_headed(as_dict=False), floats(4, 8, 8, 1)
    y = [np.zeros((4, 1), np.int32), x]
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), output=output))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["prediction"], to_uint8(run(model, x)[1]))
    assert_drawn(found["target"], to_uint8(x))


def test_output_that_is_named_prediction_is_a_panel_beside_another(tmp_path):
    inputs = keras.Input((8, 8, 1))
    outputs = [
        layers.Conv2D(1, 3, padding="same", activation="sigmoid", name=name)(inputs)
        for name in ("prediction", "edges")
    ]
    model, x = keras.Model(inputs, outputs), floats(2, 8, 8, 1)
    model.compile("sgd", ["mse", "mse"])
    render = Images(panels=("prediction", "edges"))
    fit_data(model, x, [x, x], saver=ImageSaver(tmp_path, x, render=render), epochs=1)
    found = panels(read(tmp_path / "0001.png"), 2, (8, 8), ("prediction", "edges"))
    assert_drawn(found["prediction"], to_uint8(run(model, x)[0]))
    assert_drawn(found["edges"], to_uint8(run(model, x)[1]))


def deep_supervision():
    inputs = x = keras.Input((8, 8, 1))
    outputs = []
    for depth in range(8):
        x = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
        end = layers.Conv2D(1, 1, activation="sigmoid", name=f"side{depth}")
        outputs.append(end(x))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse"] * 8)
    return model


def test_deep_supervision_with_eight_outputs_draws_one_of_them_or_several_panels(tmp_path):
    model, x = deep_supervision(), floats(3, 8, 8, 1)
    shown = ("input", "side0", "side7")
    savers = [
        ImageSaver(tmp_path / "last", (x, x), output=-1),
        ImageSaver(tmp_path / "some", x, render=Images(input_range=(0, 1), panels=shown)),
    ]
    fit_data(model, x, [x] * 8, saver=savers)
    outputs = run(model, x)
    last = panels(read(tmp_path / "last/0002.png"), 3, (8, 8), ALL_PANELS)
    assert_drawn(last["prediction"], to_uint8(outputs[7]))
    assert_drawn(last["target"], to_uint8(x))
    some = panels(read(tmp_path / "some/0002.png"), 3, (8, 8), shown)
    assert_drawn(some["input"], to_uint8(x))
    assert_drawn(some["side0"], to_uint8(outputs[0]))
    assert_drawn(some["side7"], to_uint8(outputs[7]))


@pytest.mark.parametrize("form", ["list", "dict", "dataset"])
def test_functional_model_with_two_inputs_draws_from_every_form_of_samples(tmp_path, form):
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    x = layers.Concatenate()([left, right])
    outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    model = keras.Model(
        {"left": left, "right": right} if form != "list" else [left, right], outputs
    )
    model.compile("sgd", "mse")
    one, other = floats(4, 8, 8, 1), floats(4, 8, 8, 1, seed=1)
    inputs = [one, other] if form == "list" else {"right": other, "left": one}
    samples = (inputs, one)
    if form == "dataset":
        samples = tf.data.Dataset.from_tensor_slices(samples).batch(2)
    key = 1 if form == "list" else "right"
    render = Images(input_image=lambda inputs: inputs[key])
    data = samples if isinstance(samples, tuple) else (samples,)
    fit_data(model, *data, saver=ImageSaver(tmp_path, samples, render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(other))
    assert_drawn(found["prediction"], drawn(model, inputs, (0, 1)))
    assert_drawn(found["target"], to_uint8(one))


# How models are run


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("end", ["sigmoid", "float32 activation"])
def test_mixed_precision_model_is_drawn_from_its_half_precision(tmp_path, policy, end):
    before = keras.mixed_precision.global_policy() if not KERAS_3 else keras.config.dtype_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        inputs = keras.Input((8, 8, 1))
        last = "sigmoid" if end == "sigmoid" else None
        outputs = layers.Conv2D(1, 3, padding="same", activation=last)(inputs)
        if end != "sigmoid":
            outputs = layers.Activation("sigmoid", dtype="float32")(outputs)
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "mse")
        x = floats(4, 8, 8, 1)
        fit_data(model, x, x, saver=ImageSaver(tmp_path, x))
        expected = drawn(model, x, (0, 1))
    finally:
        keras.mixed_precision.set_global_policy(before)
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), INPUT_PREDICTION)
    assert_drawn(found["prediction"], expected)


class Impure(keras.Model):
    """A model that leaves TensorFlow in the middle: it cannot be traced."""

    def __init__(self):
        super().__init__()
        self.scale = layers.Dense(1, kernel_initializer="ones")

    def call(self, inputs):
        level = float(np.asarray(tf.reduce_mean(inputs).numpy()))
        return self.scale(inputs) * 0.5 + level * 0.0


@only_tensorflow
def test_model_that_needs_run_eagerly_is_called_directly(tmp_path):
    model, x = Impure(), floats(5, 8, 8, 1)
    model(x)
    model.compile("sgd", "mse", run_eagerly=True)
    fit_data(model, x, x, saver=ImageSaver(tmp_path, x, render=Images((0, 1)), batch_size=2))
    found = panels(read(tmp_path / "0002.png"), 5, (8, 8), INPUT_PREDICTION)
    outputs = np.asarray(model(tf.constant(x), training=False))
    assert_drawn(found["prediction"], to_uint8(np.clip(outputs, 0, 1)))


@only_tensorflow
def test_tf_function_loop_saves_what_it_watches(tmp_path):
    model, optimizer = generator(channels=1), keras.optimizers.SGD(1e-2)
    noise, target = latents(4, 4), floats(4, 8, 8, 1, low=-1)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(noise):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(noise, training=True) - target) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    saver = ImageSaver(tmp_path / "{epoch:02d}-{g_loss:.3f}.png", noise)
    expected = {}
    with saver.watch(model):
        assert names(tmp_path) == []
        for epoch in range(3):
            loss = step(tf.constant(np.asarray(noise)))
            saver.save(epoch=epoch, logs={"g_loss": loss})
            expected[f"{epoch + 1:02d}-{float(loss):.3f}.png"] = drawn(model, noise, (-1, 1))
    assert names(tmp_path) == sorted(expected)
    for name, images in expected.items():
        assert_drawn(tiles(read(tmp_path / name), 4, (8, 8)), images)
