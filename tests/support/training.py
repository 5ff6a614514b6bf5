"""Short trainings of tiny models."""

from keras_image_saver import Images
from keras_image_saver.run.writer import flush_all
from support.models import autoencoder, floats, keras

X = floats(4, 8, 8, 1)
PREDICTION = Images((0, 1), panels=("prediction",))


def fit(model, x, *callbacks, epochs=2, **options):
    """Train an autoencoder, or a GAN, in batches of two."""
    options = {"batch_size": 2, "shuffle": False, "verbose": 0, **options}
    y = None if hasattr(model, "generator") else x
    return model.fit(x, y, epochs=epochs, callbacks=list(callbacks), **options)


def fit_x(model, *callbacks, **options):
    return fit(model, X, *callbacks, **options)


def fit_data(model, *data, saver, epochs=2, **options):
    """Train a model with whatever data it takes."""
    callbacks = saver if isinstance(saver, list) else [saver]
    # Keras 3 warns of its own default, shuffle=True, where the data is a dataset.
    options = {"epochs": epochs, "shuffle": False, "verbose": 0, **options}
    return model.fit(*data, callbacks=callbacks, **options)


def train(saver, *, before=None, epochs=5, model=None, others=()):
    """Train to the end, and tell that it was the end."""
    model = model or autoencoder()
    callbacks = [*others, *([Before(before)] if before else []), saver]
    history = model.fit(X, X, batch_size=2, epochs=epochs, verbose=0, callbacks=callbacks)
    assert len(history.history["loss"]) == epochs
    return model


class Meddler(keras.callbacks.Callback):
    """Runs a function at a moment of training."""

    def __init__(self, moment, function):
        super().__init__()
        setattr(self, moment, lambda number, logs=None: function(number, logs))


class Before(keras.callbacks.Callback):
    """Runs a function before each epoch, once what was queued is done."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def on_epoch_begin(self, epoch, logs=None):
        assert flush_all()
        self.function(epoch + 1)
