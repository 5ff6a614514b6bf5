"""Short trainings of tiny models."""

from keras_image_saver import Images
from keras_image_saver.run.writer import flush_all
from support.models import floats, keras

X = floats(4, 8, 8, 1)
PREDICTION = Images((0, 1), panels=("prediction",))


class Untrained(keras.Sequential):
    """A model whose `fit` calls the hooks that Keras's own calls, in their order, and trains nothing."""

    def fit(
        self,
        x,
        y=None,
        *,
        batch_size=32,
        epochs=1,
        callbacks=(),
        initial_epoch=0,
        verbose=0,
        shuffle=True,
    ):
        steps = -(-len(x) // batch_size)
        hooks = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=self, verbose=verbose, epochs=epochs, steps=steps
        )
        self.stop_training = False
        logs = {}
        hooks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            for batch in range(steps):
                hooks.on_train_batch_begin(batch)
                logs = {"loss": 1 / (1 + epoch * steps + batch)}
                hooks.on_train_batch_end(batch, logs)
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        hooks.on_train_end(logs)
        return self.history


def untrained(activation="sigmoid"):
    """An autoencoder for tests of what stands behind a training, where none has to take place.

    A `fit` of Keras takes a quarter of a second, most of which makes its functions and its dataset anew.
    """
    model = Untrained(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation=activation)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def fit(model, x, *callbacks, epochs=2, **options):
    """Train an autoencoder, or a GAN, in batches of two; one left over Keras cannot train on PyTorch."""
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
    model = model or untrained()
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
