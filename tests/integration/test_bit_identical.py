"""The callback changes nothing: weights and history are equal to the last bit with and without it."""

import random
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from support.models import GAN, KERAS_3, autoencoder, discriminator, floats, generator, names, read

from keras_image_saver import Images, ImageSaver, latents

keras = tf.keras
layers = keras.layers

BACKEND = keras.backend.backend()
TENSORFLOW = BACKEND == "tensorflow"
only_keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no seed generators")
SequenceBase = getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence

needs_tensorflow = pytest.mark.skipif(not TENSORFLOW, reason="written in TensorFlow")
# Its dropout and normalisation draw and keep what no one else can put back: docs/guarantees.md says so.
not_torch = pytest.mark.skipif(BACKEND == "torch", reason="training=True is not held there")


def photos_of_training():
    return floats(24, 8, 8, 1)


def dataset(x, y=None, *, batch=4):
    data = tf.data.Dataset.from_tensor_slices(x if y is None else (x, y))
    return data.shuffle(24, seed=3).batch(batch)


class NumPyGlobalState(SequenceBase):
    """Draws each batch from NumPy's global state, as augmentations do."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        noise = np.random.random((4, 8, 8, 1)).astype(np.float32)
        return noise, noise


class Sampling(layers.Layer):
    """A VAE's sampling layer: it owns its seed generator and draws at inference too."""

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, mean):
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)
        return mean + 0.3 * noise


class LazyGenerator(keras.Model):
    """A generator that is not built before its first call."""

    def __init__(self):
        super().__init__()
        self.normalise = layers.BatchNormalization()
        self.dense = layers.Dense(64, activation="tanh")
        self.reshape = layers.Reshape((8, 8, 1))

    def call(self, noise, training=False):
        return self.reshape(self.dense(self.normalise(noise, training=training)))


def plain(optimizer="adam", **compiled):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid", dtype="float32"),
        ]
    )
    model.compile(optimizer, "mse", **compiled)
    return model


def plain_by_sgd():
    """The same where no optimizer's state is asked: Adam's makes a quarter of what is traced."""
    return plain("sgd")


def vae():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(4),
            Sampling(),
            layers.Dropout(0.2),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape((8, 8, 1)),
        ]
    )
    model.compile("sgd", "mse")
    return model


def mixed():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        return plain_by_sgd()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def gan_of(make_generator, optimizer=keras.optimizers.SGD):
    model = GAN(make_generator(), discriminator(8, 1), latent_dim=4)
    model.compile(
        d_optimizer=optimizer(1e-2),
        g_optimizer=optimizer(1e-2),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def compiled(*parts, optimizer="sgd", **options):
    model = keras.Sequential([keras.Input((8, 8, 1), **options), *parts])
    model.compile(optimizer, "mse")
    return model


def conv():
    # Keras 2 warns where an unseeded one is asked twice, as a traced `build` does.
    start = keras.initializers.GlorotUniform(3)
    return layers.Conv2D(1, 3, padding="same", activation="sigmoid", kernel_initializer=start)


class Generating(layers.Layer):
    """Owns a generator of TensorFlow's, and draws from it whenever it is called."""

    def __init__(self):
        super().__init__()
        self.generator = tf.random.Generator.from_seed(5)

    def call(self, inputs):
        return inputs + 0.3 * self.generator.normal(tf.shape(inputs))


class PlainCounter(layers.Layer):
    """Counts its calls in a variable that no Keras knows of, and scales by the count."""

    def __init__(self):
        super().__init__()
        self.held = {"count": [tf.Variable(0.0, trainable=False)]}

    def call(self, inputs):
        count = self.held["count"][0].assign_add(1.0)
        return inputs / (1.0 + 0.01 * count)


class Notebook:
    """Holds a variable, and is nothing that Keras or TensorFlow looks into."""

    def __init__(self):
        self.count = tf.Variable(0.0, trainable=False)


class HiddenCounter(layers.Layer):
    """Counts its calls where no one looks for variables, and scales by the count."""

    def __init__(self):
        super().__init__()
        self.notebook = Notebook()

    def call(self, inputs):
        count = self.notebook.count.assign_add(1.0)
        return inputs / (1.0 + 0.01 * count)


class GloballyGenerating(layers.Layer):
    """Draws from TensorFlow's global generator whenever it is called."""

    def call(self, inputs):
        return inputs + 0.3 * tf.random.get_global_generator().normal(tf.shape(inputs))


class ByNumPy(layers.Layer):
    """Draws from NumPy's global state by Python code that a trace calls."""

    def call(self, inputs):
        noise = tf.numpy_function(lambda: np.float32(np.random.normal()), [], tf.float32)
        return inputs + 0.3 * tf.ensure_shape(noise, ())


class Measured(layers.Layer):
    """Updates a metric whenever it is called."""

    def __init__(self):
        super().__init__()
        self.brightness = keras.metrics.Mean(name="brightness")

    def call(self, inputs):
        self.brightness.update_state(inputs)
        return inputs


class InnerFunction(keras.Model):
    """Has a `tf.function` of its own, and counts and normalises in it."""

    def __init__(self):
        super().__init__()
        self.normalise = layers.BatchNormalization()
        self.conv = conv()
        self.drop = layers.Dropout(0.3)

    def build(self, shape):
        self.normalise.build(shape)
        self.conv.build(shape)
        self.drop.build(shape)
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros", trainable=False, dtype="float32"
        )
        self.built = True  # Keras 2 leaves that to a model's own `build`

    @tf.function
    def call(self, inputs, training=False):
        self.count.assign_add(1.0)
        return self.conv(self.drop(self.normalise(inputs, training=training), training=training))


class Unseeded(layers.Layer):
    """Draws from Keras's global seed generator whenever it is called."""

    def call(self, inputs):
        return inputs + 0.3 * keras.random.normal(keras.ops.shape(inputs))


def recurrent():
    inputs = keras.Input(batch_shape=(4, 8, 8, 1)) if KERAS_3 else keras.Input((8, 8, 1), 4)
    x = layers.LSTM(8, stateful=True, return_sequences=True)(layers.Reshape((8, 8))(inputs))
    model = keras.Model(inputs, layers.Reshape((8, 8, 1))(x))
    model.compile("sgd", "mse")
    return model


def inner_function():
    model = InnerFunction()
    model.build((None, 8, 8, 1))
    model.compile("sgd", "mse")
    return model


def spectral():
    # Up to TensorFlow 2.15 Keras cannot train its own in a graph.
    old = not KERAS_3 and tf.__version__.startswith("2.1")
    kind = None if old else getattr(layers, "SpectralNormalization", None)
    first = layers.Conv2D(2, 3, padding="same")
    first = first if kind is None else kind(first)
    return compiled(first, layers.BatchNormalization(), conv())


def averaging():
    return compiled(conv(), optimizer=keras.optimizers.Adam(1e-2, use_ema=True))


def as_in_training(model, inputs):
    return model(inputs, training=True)


def by_numpy(model, inputs):
    noise = np.random.normal(size=inputs.shape).astype(np.float32)
    outputs = model(inputs, training=False)
    return (keras.ops.convert_to_numpy(outputs) if KERAS_3 else outputs) + 0.1 * noise


def by_numpy_seeded(model, inputs):
    np.random.seed(3)
    return by_numpy(model, inputs)


def by_all(model, inputs):
    noise = random.random() + tf.random.normal(inputs.shape)
    if KERAS_3:
        noise = noise + keras.ops.convert_to_numpy(keras.random.normal((1,)))
    return keras.ops.convert_to_numpy(model(inputs)) + noise if KERAS_3 else model(inputs) + noise


def random_metric(targets, outputs):
    return by_all(lambda inputs: inputs, outputs)


def by_its_own_predict(model, inputs):
    return model.predict(inputs, verbose=0)


def fit_arrays(model, callbacks):
    x = photos_of_training()
    return model.fit(x, x, batch_size=4, epochs=3, verbose=0, callbacks=callbacks)


def fit_dataset(model, callbacks):
    x = photos_of_training()
    return model.fit(dataset(x), epochs=3, shuffle=False, verbose=0, callbacks=callbacks)


def fit_sequence(model, callbacks):
    return model.fit(NumPyGlobalState(), epochs=3, verbose=0, callbacks=callbacks)


MODELS = {
    "plain model": (plain, fit_arrays),
    "GAN with train_step": (
        lambda: gan_of(lambda: generator(4, 8, 1), keras.optimizers.Adam),
        fit_dataset,
    ),
    "GAN whose generator is not built": (lambda: gan_of(LazyGenerator), fit_dataset),
    "VAE with a seed generator": (vae, fit_arrays),
    "steps_per_execution=4": (lambda: plain("sgd", steps_per_execution=4), fit_arrays),
    "mixed precision": (mixed, fit_arrays),
    "Sequence on NumPy's global state": (plain_by_sgd, fit_sequence),
    "recurrent, stateful": (recurrent, fit_arrays),
    "a tf.random.Generator": (lambda: compiled(Generating(), conv()), fit_arrays),
    "a plain tf.Variable": (lambda: compiled(PlainCounter(), conv()), fit_arrays),
    "a tf.Variable in an object of its own": (
        lambda: compiled(HiddenCounter(), conv()),
        fit_arrays,
    ),
    "TensorFlow's global generator": (lambda: compiled(GloballyGenerating(), conv()), fit_arrays),
    "NumPy in a trace": (lambda: compiled(ByNumPy(), conv()), fit_arrays),
    "a metric updated in call": (lambda: compiled(conv(), Measured()), fit_arrays),
    "averages of weights": (averaging, fit_arrays),
    "averages of weights, drawn": (averaging, fit_arrays),
    "an inner tf.function": (inner_function, fit_arrays),
    "unseeded keras.random": (lambda: compiled(Unseeded(), conv()), fit_arrays),
    "spectral and batch normalisation, training": (spectral, fit_arrays),
    "dropout, training": (plain_by_sgd, fit_arrays),
    "seeded dropout, training": (
        lambda: compiled(layers.Dropout(0.3, seed=4), layers.BatchNormalization(), conv()),
        fit_arrays,
    ),
    "predict draws by NumPy": (plain_by_sgd, fit_arrays),
    "predict seeds NumPy": (plain_by_sgd, fit_arrays),
    "predict, where NumPy makes the data": (plain_by_sgd, fit_sequence),
    "predict draws by all": (plain_by_sgd, fit_arrays),
    "predict calls predict": (plain_by_sgd, fit_arrays),
    "metrics draw by all": (plain_by_sgd, fit_arrays),
}
# What a saver is given for some of them.
OPTIONS = {
    "recurrent, stateful": {"render": Images((-1, 1), input_range=(0, 1))},
    "averages of weights, drawn": {"weights": ("raw", "ema")},
    "spectral and batch normalisation, training": {"predict": as_in_training},
    "dropout, training": {"predict": as_in_training},
    "seeded dropout, training": {"predict": as_in_training},
    "predict draws by NumPy": {"predict": by_numpy},
    "predict seeds NumPy": {"predict": by_numpy_seeded},
    "predict, where NumPy makes the data": {"predict": by_its_own_predict},
    "predict draws by all": {"predict": by_all},
    "predict calls predict": {"predict": by_its_own_predict},
    "metrics draw by all": {"metrics": ["change", random_metric]},
}
NEEDS = {
    "GAN with train_step": needs_tensorflow,
    "GAN whose generator is not built": needs_tensorflow,
    "VAE with a seed generator": only_keras_3,
    "steps_per_execution=4": pytest.mark.skipif(
        BACKEND == "torch", reason="PyTorch refuses steps_per_execution"
    ),
    "recurrent, stateful": pytest.mark.skipif(
        BACKEND == "torch", reason="Keras cannot train it on PyTorch"
    ),
    "a tf.random.Generator": needs_tensorflow,
    "a plain tf.Variable": needs_tensorflow,
    "a tf.Variable in an object of its own": needs_tensorflow,
    "TensorFlow's global generator": needs_tensorflow,
    "NumPy in a trace": needs_tensorflow,
    "an inner tf.function": needs_tensorflow,
    "unseeded keras.random": pytest.mark.skipif(
        not KERAS_3 or BACKEND == "jax", reason="Keras 2 has none, JAX refuses it in a trace"
    ),
    "spectral and batch normalisation, training": not_torch,
    "dropout, training": not_torch,
    "seeded dropout, training": not_torch,
    "a metric updated in call": needs_tensorflow,
}


def trained(build, fit, make_savers):
    """Train from one seed; the weights, the history, and what is drawn next from global states."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    tf.random.set_global_generator(tf.random.Generator.from_seed(7))
    model = build()
    history = fit(model, make_savers()).history
    drawn = random.random(), np.random.random(), float(tf.random.uniform(()))
    drawn += (float(tf.random.get_global_generator().normal(())),)
    return [np.array(weight) for weight in model.get_weights()], history, drawn


@cache
def trained_alone(build, fit):
    """What is trained without a saver, which several savers are compared with."""
    return trained(build, fit, list)


def savers_of(name, folder):
    """A saver of given arrays or drawn latents, and one of a dataset that saves batches too."""
    noisy = name.startswith("GAN")
    options = {"model": "generator", "render": Images((-1, 1))} if noisy else {}
    options |= {"render": Images((0, 1)), **OPTIONS.get(name, {})} if not noisy else {}
    if name.startswith("Sequence"):
        first, rows = NumPyGlobalState(), NumPyGlobalState()
    elif noisy:
        first, rows = latents(5, 4), dataset(np.asarray(latents(9, 4)))
    else:
        x = photos_of_training()
        x[0] = 0  # a black sample leaves a batch's statistics at zero
        first, rows = x[:5], tf.data.Dataset.from_tensor_slices((x, x)).batch(4)
    return [
        ImageSaver(folder / "arrays", first, batch_size=2, num_samples=5, **options),
        ImageSaver(folder / "rows", rows, num_samples=5, every_batches=2, **options),
    ]


@pytest.mark.filterwarnings("ignore:Two passes over the same samples")
@pytest.mark.filterwarnings("ignore:The optimizer keeps moving averages")
@pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDS.get(name, ())) for name in MODELS])
def test_training_is_bit_identical_with_and_without_the_callback(name, tmp_path):
    build, fit = MODELS[name]
    weights, history, drawn = trained_alone(build, fit)
    with_saver, its_history, its_drawn = trained(build, fit, lambda: savers_of(name, tmp_path))
    assert len(weights) == len(with_saver) > 0
    for one, other in zip(weights, with_saver, strict=True):
        np.testing.assert_array_equal(one, other)
    assert its_history == history
    assert its_drawn == drawn
    assert names(tmp_path / "arrays") == ["0001.png", "0002.png", "0003.png"]
    assert len(names(tmp_path / "rows")) == (6 if "steps" in name else 9)


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no seed generators")
def test_frozen_vae_draws_the_same_picture_at_every_epoch(tmp_path):
    keras.utils.set_random_seed(7)
    model = vae()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    saver = ImageSaver(
        tmp_path, photos_of_training()[:5], batch_size=2, save_initial=True, every_batches=3
    )
    fit_arrays(model, [saver])
    found = names(tmp_path)
    assert found == ["00000000.png", *(f"{step:08d}.png" for step in range(3, 19, 3))]
    first = read(tmp_path / found[0])
    for name in found[1:]:
        np.testing.assert_array_equal(read(tmp_path / name), first)


def test_frozen_model_draws_the_same_picture_at_every_epoch_of_a_shuffled_dataset(tmp_path):
    keras.utils.set_random_seed(7)
    model = autoencoder()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = photos_of_training()
    fit_arrays(model, [ImageSaver(tmp_path, dataset(x, x), num_samples=5)])
    first = read(tmp_path / "0001.png")
    for epoch in (2, 3):
        np.testing.assert_array_equal(read(tmp_path / f"{epoch:04d}.png"), first)
