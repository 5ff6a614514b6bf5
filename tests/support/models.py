"""Tiny models as people write them, and ways to look into the pictures that are drawn of them."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_image_saver import to_uint8
from keras_image_saver.run.files import is_page_name

keras = tf.keras
layers = keras.layers

GAP = 56  # the grey level of gaps where no `pad_value` is given

KERAS_3 = hasattr(keras, "ops")
BACKEND = keras.backend.backend()  # "tensorflow" in Keras 2 too

only_keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no seed generators")
only_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="trains or runs by GradientTape or tf.function"
)


# Data


def floats(count, *shape, low=0.0, high=1.0, seed=0):
    """Random float32 values, the same in every test."""
    return np.random.default_rng(seed).uniform(low, high, (count, *shape)).astype(np.float32)


def photos(count=4, size=8, channels=3, seed=0):
    """Random uint8 images."""
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def class_ids(count=4, size=8, classes=3, seed=1):
    """Random class maps, int32 (count, size, size)."""
    return np.random.default_rng(seed).integers(0, classes, (count, size, size), dtype=np.int32)


# Models


def autoencoder(size=8, channels=1, activation="sigmoid"):
    model = keras.Sequential(
        [
            keras.Input((size, size, channels)),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.Conv2D(channels, 3, padding="same", activation=activation),
        ]
    )
    model.compile("sgd", "mse")
    return model


def dense_end(activation, channels=1):
    """A model that is little but its last layer."""
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Dense(channels, activation)])
    model.compile("sgd", "mse")
    return model


def regularised(size=8):
    """An autoencoder with what makes training random and stateful: dropout, batch normalisation."""
    model = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            layers.Conv2D(2, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile("sgd", "mse")
    return model


def generator(latent_dim=4, size=8, channels=3, name="generator"):
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(size // 2 * (size // 2) * 2),
            layers.Reshape((size // 2, size // 2, 2)),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh"),
        ],
        name=name,
    )


def discriminator(size=8, channels=3, name="discriminator"):
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            layers.Conv2D(2, 3, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name=name,
    )


class GAN(keras.Model):
    """The DCGAN of Keras's examples: its own `compile` and `train_step`, and no `call`."""

    def __init__(self, generator_model, discriminator_model, latent_dim=4):
        super().__init__()
        self.generator = generator_model
        self.discriminator = discriminator_model
        self.latent_dim = latent_dim
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        count = tf.shape(real)[0]
        noise = tf.random.normal((count, self.latent_dim))
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            fake_scores = self.discriminator(self.generator(noise, training=True), training=True)
            real_scores = self.discriminator(real, training=True)
            d_loss = self.loss_fn(tf.ones_like(real_scores), real_scores)
            d_loss += self.loss_fn(tf.zeros_like(fake_scores), fake_scores)
            g_loss = self.loss_fn(tf.ones_like(fake_scores), fake_scores)
        for tape, loss, model, optimizer in (
            (d_tape, d_loss, self.discriminator, self.d_optimizer),
            (g_tape, g_loss, self.generator, self.g_optimizer),
        ):
            weights = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def gan(generator_model=None, size=8, channels=3, latent_dim=4):
    model = GAN(
        generator_model or generator(latent_dim, size, channels),
        discriminator(size, channels),
        latent_dim,
    )
    model.compile(
        d_optimizer=keras.optimizers.SGD(1e-3),
        g_optimizer=keras.optimizers.SGD(1e-3),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def _crossentropy_of_ids(ids, probabilities):
    ids = keras.ops.one_hot(keras.ops.cast(ids, "int32"), probabilities.shape[-1])
    return keras.losses.categorical_crossentropy(ids, probabilities)


# On PyTorch, Keras's own fails for images in the backward pass: "grad_input must be contiguous".
OF_IDS = _crossentropy_of_ids if BACKEND == "torch" else "sparse_categorical_crossentropy"


def unet(classes, activation, *, size=8, channels=3, loss=OF_IDS):
    inputs = keras.Input((size, size, channels))
    skip = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D()(skip)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D()(x)
    x = layers.Concatenate()([x, skip])
    model = keras.Model(inputs, layers.Conv2D(classes, 1, activation=activation)(x))
    model.compile("sgd", loss)
    return model


class Watched(keras.Model):
    """Notes what it is called with when it is not training; not traceable then, if asked."""

    def __init__(self, calls, *, traceable=True):
        super().__init__()
        self.calls = lambda shape: calls.append(tuple(shape))
        self.traceable = traceable
        self.conv = layers.Conv2D(1, 3, padding="same", activation="sigmoid")

    def call(self, inputs, training=False):
        if not training:
            self.calls(inputs.shape)
            if not self.traceable:
                inputs = tf.constant(inputs.numpy())
        return self.conv(inputs)


def watched(**kwargs):
    calls = []
    model = Watched(calls, **kwargs)
    model(np.zeros((1, 8, 8, 1), np.float32))
    model.compile("sgd", "mse")
    return model, calls


# Looking at what was done

VOC = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)], np.uint8)
VOID = (224, 224, 192)
INPUT_PREDICTION = ("input", "prediction")
ALL_PANELS = ("input", "prediction", "target")


class Counter(keras.callbacks.Callback):
    """Counts the batches that `fit` began."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.batches += 1


def names(folder):
    """The files under a folder, by relative path, without what a run keeps beside its pictures."""
    beside = {"run.json", "samples.npz", "snapshots.jsonl", "snapshots-metrics.npz"}
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in beside
        and not is_page_name(path.name)
        and path.name[0] != "."
    )


def read(path):
    """A picture's pixels, uint8 (H, W) or (H, W, C)."""
    with Image.open(path) as picture:
        return np.array(picture)


def run(model, inputs):
    """A model's outputs as it stands, by a call as plain as can be."""
    if BACKEND != "tensorflow":
        outputs = model(inputs, training=False)
        return tf.nest.map_structure(keras.ops.convert_to_numpy, outputs)
    tensors = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    return tf.nest.map_structure(np.asarray, tf.function(model)(tensors, training=False))


def drawn(model, inputs, value_range):
    """The uint8 images that a model draws."""
    return to_uint8(np.asarray(run(model, inputs), np.float32), value_range=value_range)


def tiles(picture, count, size, *, columns=None, padding=2, pad_value=GAP):
    """Cut a grid of one panel into its images, (count, H, W, C), and check the gaps."""
    columns = columns or int(np.ceil(np.sqrt(count)))
    return cut(picture, count, size, ("",), columns, padding, pad_value)[""]


def panels(picture, count, size, panel_names, *, columns=None, padding=2, pad_value=GAP):
    """Cut a picture with captions into {panel: (count, H, W, C)}.

    The caption's room, the tiles' enlargement and, unless they are given, the columns follow from the
    picture's size.
    """
    return cut(picture, count, size, panel_names, columns, padding, pad_value)


def measured(picture, count, size, panel_names, columns, padding):
    """The height of the captions, by what factor tiles were enlarged, and how far apart samples are."""
    across = columns * len(panel_names)
    apart = 3 * padding if columns > 1 and len(panel_names) > 1 else 0
    factor, rest = divmod(
        picture.shape[1] - padding - (columns - 1) * apart - across * padding, across * size[1]
    )
    rows = int(np.ceil(count / columns))
    caption = picture.shape[0] - rows * (size[0] * factor + padding) - padding
    fits = caption == 0 if tuple(panel_names) == ("",) else 8 <= caption <= 40
    return (caption, factor, apart) if fits and rest == 0 else None


def cut(picture, count, size, panel_names, columns, padding, pad_value):
    picture = picture[..., None] if picture.ndim == 2 else picture
    height, width = size
    choices = [columns] if columns else range(1, count + 1)
    found = {one: measured(picture, count, size, panel_names, one, padding) for one in choices}
    columns = next((one for one in choices if found[one]), None)
    assert columns, f"tiles of {size} pixels do not fit into a picture of {picture.shape}"
    caption, factor, apart = found[columns]
    across = len(panel_names)
    covered = np.zeros(picture.shape[:2], bool)
    covered[: caption + padding if caption else 0] = True
    found = {name: [] for name in panel_names}
    slot = width * factor + padding
    for sample in range(count):
        row, column = divmod(sample, columns)
        for number, name in enumerate(panel_names):
            y = caption + padding + row * (height * factor + padding)
            x = padding + column * (across * slot + apart) + number * slot
            tile = picture[y : y + height * factor, x : x + width * factor]
            covered[y : y + height * factor, x : x + width * factor] = True
            small = tile[::factor, ::factor]
            blocks = small.repeat(factor, axis=0).repeat(factor, axis=1)
            np.testing.assert_array_equal(tile, blocks, err_msg="a tile is not plainly enlarged")
            found[name].append(small)
    gaps = picture[~covered][:, : min(3, picture.shape[2])]
    assert np.all(gaps == pad_value), "gaps and empty tiles have the grey level of pad_value"
    if caption:
        text = picture[: caption + padding, :, 0] != pad_value
        for number in range(columns * across):
            column, panel = divmod(number, across)
            start = padding + column * (across * slot + apart) + panel * slot
            shown = text[:, start : start + slot].any()
            assert shown == (column < count), f"no caption over column {number}"
        assert not text[:, :padding].any()
    return {name: np.stack(images) for name, images in found.items()}


def assert_drawn(actual, expected):
    """Compare pixels; rounding may differ where another program computed the floats."""
    expected = np.asarray(expected)
    expected = expected[..., None] if expected.ndim == 3 else expected
    assert actual.shape == expected.shape
    far = np.abs(actual.astype(int) - expected.astype(int))
    assert far.max() <= 1, f"{(far > 1).sum()} of {far.size} values differ, by up to {far.max()}"
    assert (far == 0).mean() > 0.95
