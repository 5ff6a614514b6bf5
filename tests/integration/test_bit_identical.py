"""The callback changes nothing: weights and history are equal to the last bit with and without it."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import GAN, KERAS_3, autoencoder, discriminator, floats, generator, names, read

from keras_image_saver import Images, ImageSaver, latents

keras = tf.keras
layers = keras.layers

TENSORFLOW = keras.backend.backend() == "tensorflow"
SequenceBase = getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence

needs_tensorflow = pytest.mark.skipif(not TENSORFLOW, reason="a train_step in TensorFlow")


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


def plain(**compiled):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid", dtype="float32"),
        ]
    )
    model.compile("adam", "mse", **compiled)
    return model


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
    model.compile("adam", "mse")
    return model


def mixed():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        return plain()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def gan_of(make_generator):
    model = GAN(make_generator(), discriminator(8, 1), latent_dim=4)
    model.compile(
        d_optimizer=keras.optimizers.Adam(1e-2),
        g_optimizer=keras.optimizers.Adam(1e-2),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


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
    "GAN with train_step": (lambda: gan_of(lambda: generator(4, 8, 1)), fit_dataset),
    "GAN whose generator is not built": (lambda: gan_of(LazyGenerator), fit_dataset),
    "VAE with a seed generator": (vae, fit_arrays),
    "steps_per_execution=4": (lambda: plain(steps_per_execution=4), fit_arrays),
    "mixed precision": (mixed, fit_arrays),
    "Sequence on NumPy's global state": (plain, fit_sequence),
}
NEEDS = {
    "GAN with train_step": needs_tensorflow,
    "GAN whose generator is not built": needs_tensorflow,
    "VAE with a seed generator": pytest.mark.skipif(
        not KERAS_3, reason="Keras 2 has no seed generators"
    ),
    "steps_per_execution=4": pytest.mark.skipif(
        keras.backend.backend() == "torch", reason="PyTorch refuses steps_per_execution"
    ),
}


def trained(build, fit, make_savers):
    """Train from one seed; the weights, the history and the model."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = build()
    history = fit(model, make_savers()).history
    return [np.array(weight) for weight in model.get_weights()], history, model


def savers_of(name, folder):
    """A saver of given arrays or drawn latents, and one of a dataset that saves batches too."""
    noisy = name.startswith("GAN")
    options = {"model": "generator", "render": Images((-1, 1))} if noisy else {}
    if name.startswith("Sequence"):
        first, rows = NumPyGlobalState(), NumPyGlobalState()
    elif noisy:
        first, rows = latents(5, 4), dataset(np.asarray(latents(9, 4)))
    else:
        x = photos_of_training()
        first, rows = x[:5], tf.data.Dataset.from_tensor_slices((x, x)).batch(4)
    return [
        ImageSaver(folder / "arrays", first, batch_size=2, num_samples=5, **options),
        ImageSaver(folder / "rows", rows, num_samples=5, every_batches=2, **options),
    ]


@pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDS.get(name, ())) for name in MODELS])
def test_training_is_bit_identical_with_and_without_the_callback(name, tmp_path):
    build, fit = MODELS[name]
    weights, history, _ = trained(build, fit, list)
    with_saver, its_history, _ = trained(build, fit, lambda: savers_of(name, tmp_path))
    assert len(weights) == len(with_saver) > 0
    for one, other in zip(weights, with_saver, strict=True):
        np.testing.assert_array_equal(one, other)
    assert its_history == history
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
