"""When snapshots are saved, and how epochs and steps are counted over several `fit`s."""

import copy
import pickle

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    BACKEND,
    assert_drawn,
    autoencoder,
    drawn,
    floats,
    names,
    panels,
    read,
    tiles,
)
from support.training import PREDICTION, Meddler, fit

from keras_image_saver import ImageSaver, ImageSaverError, Run

keras = tf.keras

pytestmark = [
    # Keras 3 says that a dataset of unknown length has ended, as it always does in `fit`.
    pytest.mark.filterwarnings("ignore:.*input ran out of data:UserWarning"),
    # Keras 3's BackupAndRestore, with NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]


def test_every_epochs_saves_each_so_many_and_no_other(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x, every_epochs=2), epochs=5)
    assert names(tmp_path) == ["0002.png", "0004.png"]


def dense_at_first(epoch):
    return epoch < 3 or epoch % 3 == 0


def test_every_epochs_as_a_function_says_which_epochs_also_where_a_run_resumes(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path, x, every_epochs=dense_at_first)
    fit(model, x, pickle.loads(pickle.dumps(saver)), epochs=4)
    assert names(tmp_path) == ["0001.png", "0002.png", "0003.png"]
    assert Run.open(tmp_path).about["settings"]["every_epochs"] == "dense_at_first"
    fit(model, x, copy.deepcopy(saver), initial_epoch=7, epochs=9)
    run = Run.open(tmp_path)
    assert [one.epoch for one in run] == [1, 2, 3, 9]
    assert [one.epoch for one in run.missed] == [6]  # it was trained elsewhere
    assert [line for line in lines() if "1 epochs that were trained before, 6" in line]


def test_every_epochs_as_a_function_that_fails_before_training_is_an_error(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    with pytest.raises(
        TypeError, match="`every_epochs` must return True or False, got 1 for epoch 1"
    ):
        fit(model, x, ImageSaver(tmp_path / "run", x, every_epochs=lambda epoch: epoch % 5))
    assert names(tmp_path) == []


@pytest.mark.parametrize("on_error", ["warn", "raise"])
def test_every_epochs_as_a_function_that_fails_later_is_said_once(tmp_path, lines, on_error):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path, x, every_epochs=lambda epoch: {1: False}[epoch], on_error=on_error)
    if on_error == "raise":
        with pytest.raises(ImageSaverError, match="for 2 it failed: KeyError: 2"):
            fit(model, x, saver, epochs=3)
        return
    fit(model, x, saver, epochs=3)
    assert names(tmp_path) == ["0002.png", "0003.png"]
    (line,) = lines()
    assert "for 2 it failed: KeyError: 2" in line


def test_every_batches_counts_over_the_run_and_names_by_step(tmp_path):
    x, model = floats(10, 8, 8, 1), autoencoder()
    fit(model, x, ImageSaver(tmp_path, x[:4], every_batches=3))
    assert names(tmp_path) == ["00000003.png", "00000006.png", "00000009.png"]


class Wrapped(keras.Model):
    """A model whose part can be drawn by its name."""

    def __init__(self):
        super().__init__()
        self.inner = autoencoder()

    def call(self, inputs, training=None):
        return self.inner(inputs, training=training)


@pytest.mark.parametrize("part", [None, "inner"], ids=["whole model", "its part by name"])
def test_every_batches_shows_the_weights_of_its_batch(tmp_path, part):
    x, model, weights = floats(6, 8, 8, 1), Wrapped(), []
    model(x)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    saver = ImageSaver(tmp_path, x[:4], model=part, render=PREDICTION, every_batches=1)
    # On JAX the weights stay with the epoch's loop; `callback.model` brings them to the model.
    looker = Meddler("on_train_batch_end", lambda batch, logs: weights.append(current(looker)))
    fit(model, x, saver, looker)
    assert len(weights) == 6
    for step, values in enumerate(weights, 1):
        model.set_weights(values)
        picture = read(tmp_path / f"{step:08d}.png")
        assert_drawn(tiles(picture, 4, (8, 8)), drawn(model, x[:4], (0, 1)))


def current(callback):
    return [np.array(value) for value in callback.model.get_weights()]


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch refuses steps_per_execution")
def test_every_batches_under_steps_per_execution_saves_once_a_multiple_is_crossed(tmp_path):
    x, model = floats(12, 8, 8, 1), autoencoder()
    model.compile("adam", "mse", steps_per_execution=4)
    path = tmp_path / "{step}-{epoch}-{batch}.png"
    fit(model, x, ImageSaver(path, x[:4], every_batches=3))
    assert names(tmp_path) == ["10-2-4.png", "12-2-6.png", "4-1-4.png", "6-1-6.png"]


def test_epochs_and_batches_on_one_step_are_one_snapshot_the_epochs(tmp_path, lines):
    x, model = floats(12, 8, 8, 1), autoencoder()
    path = tmp_path / "{epoch}-{batch}-{val_loss:.3f}.png"
    saver = ImageSaver(path, x[:4], every_epochs=1, every_batches=3)
    losses = fit(model, x, saver, validation_data=(x, x)).history["val_loss"]
    epochs = [f"{epoch}-6-{loss:.3f}.png" for epoch, loss in enumerate(losses, 1)]
    assert names(tmp_path) == sorted(["1-3.png", "2-3.png", *epochs])
    assert len(lines()) == 1
    assert_drawn(
        panels(read(tmp_path / epochs[1]), 4, (8, 8), ("input", "prediction"))["prediction"],
        drawn(model, x[:4], (0, 1)),
    )


def test_epochs_and_batches_that_do_not_meet_are_snapshots_each(tmp_path):
    x, model = floats(8, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}.png", x[:4], every_epochs=2, every_batches=3)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-3.png", "2-2.png", "2-4.png"]


def test_batch_snapshot_on_the_last_step_of_an_epoch_that_is_not_due_is_kept(tmp_path):
    x, model = floats(8, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}.png", x[:4], every_epochs=2, every_batches=4)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-4.png", "2-4.png"]


def test_dataset_of_unknown_length_is_counted_batch_by_batch(tmp_path):
    x, model = floats(10, 8, 8, 1), autoencoder()
    signature = (tf.TensorSpec((2, 8, 8, 1)), tf.TensorSpec((2, 8, 8, 1)))

    def batches():
        for start in range(0, 10, 2):
            yield x[start : start + 2], x[start : start + 2]

    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    savers = [
        ImageSaver(tmp_path / "a", x[:4], every_batches=2),
        ImageSaver(tmp_path / "b" / "{epoch}-{batch}-{step}.png", x[:4]),
    ]
    model.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=savers)
    assert names(tmp_path / "a") == [f"{step:08d}.png" for step in (2, 4, 6, 8, 10)]
    assert names(tmp_path / "b") == ["1-5-5.png", "2-5-10.png"]


def test_save_initial_draws_the_untrained_model_as_epoch_0(tmp_path):
    x, model = floats(5, 8, 8, 1), autoencoder()
    before = drawn(model, x, (0, 1))
    saver = ImageSaver(tmp_path, x, save_initial=True, render=PREDICTION, batch_size=2)
    fit(model, x[:4], saver, epochs=1)
    assert names(tmp_path) == ["0000.png", "0001.png"]
    assert_drawn(tiles(read(tmp_path / "0000.png"), 5, (8, 8)), before)
    assert_drawn(tiles(read(tmp_path / "0001.png"), 5, (8, 8)), drawn(model, x, (0, 1)))


def test_initial_snapshot_is_not_drawn_again_when_fit_is_called_after_an_interrupt(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = drawn(model, x, (0, 1))
    saver = ImageSaver(tmp_path, x, save_initial=True, render=PREDICTION)

    def interrupt(batch, logs):
        saver.model.set_weights([value + 1 for value in saver.model.get_weights()])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, x, saver, Meddler("on_train_batch_end", interrupt))
    fit(model, x, saver, epochs=1)
    assert names(tmp_path) == ["0000.png", "0001.png"]
    assert_drawn(tiles(read(tmp_path / "0000.png"), 4, (8, 8)), before)


def test_initial_epoch_is_the_runs_epoch_and_has_no_initial_snapshot(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, save_initial=True)
    fit(model, x, saver, initial_epoch=3, epochs=5)
    assert names(tmp_path) == ["4-8.png", "5-10.png"]


def test_second_fit_with_the_same_object_goes_on_counting(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, save_initial=True)
    fit(model, x, saver, epochs=2)
    fit(model, x, saver, epochs=1)
    fit(model, x, saver, epochs=2)
    assert names(tmp_path) == ["0-0.png", "1-2.png", "2-4.png", "3-6.png", "4-8.png", "5-10.png"]


def test_second_fit_that_states_its_initial_epoch_is_not_counted_twice(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x)
    fit(model, x, saver, epochs=2)
    fit(model, x, saver, initial_epoch=2, epochs=4)
    assert names(tmp_path) == ["1-2.png", "2-4.png", "3-6.png", "4-8.png"]


def test_backup_and_restore_resumes_at_its_own_epoch(tmp_path):
    x = floats(4, 8, 8, 1)

    def interrupt(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    backup = tmp_path / "backup"
    for resumed in (False, True):
        saver = ImageSaver(tmp_path / f"run-{resumed}", x)
        callbacks = [keras.callbacks.BackupAndRestore(str(backup)), saver]
        if resumed:
            fit(autoencoder(), x, *callbacks, epochs=4)
        else:
            with pytest.raises(KeyboardInterrupt):
                fit(autoencoder(), x, *callbacks, Meddler("on_epoch_begin", interrupt), epochs=4)
    assert names(tmp_path / "run-False") == ["0001.png", "0002.png"]
    assert names(tmp_path / "run-True") == ["0003.png", "0004.png"]


class Stops(keras.callbacks.Callback):
    """Stops training in the midst of an epoch, as `TerminateOnNaN` does."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            self.model.stop_training = True


@pytest.mark.parametrize("first", [True, False], ids=["before the saver", "after it"])
def test_epoch_that_is_stopped_has_the_batches_that_it_had(tmp_path, first):
    x, model = floats(16, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}-{step}.png", x[:2])
    for epochs in (3, 1):
        stops = Stops(1, 1)
        fit(model, x, *([stops, saver] if first else [saver, stops]), epochs=epochs)
    assert names(tmp_path) == ["1-8-8.png", "2-2-10.png", "3-8-18.png"]
    assert [one.step for one in Run.open(str(tmp_path))] == [8, 10, 18]


def test_epoch_that_training_stops_after_has_all_its_batches(tmp_path):
    x, model = floats(8, 8, 8, 1), autoencoder()

    def stop(epoch, logs):
        model.stop_training = True

    saver = ImageSaver(tmp_path / "{epoch}-{batch}-{step}.png", x[:2])
    fit(model, x, Meddler("on_epoch_end", stop), saver)
    assert names(tmp_path) == ["1-4-4.png"]


@pytest.mark.parametrize("other", [False, True], ids=["the same model", "another"])
def test_saver_that_is_given_to_evaluate_inside_fit_counts_and_draws_what_is_trained(
    tmp_path, other
):
    x, model = floats(8, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{batch}-{step}.png", x[:2], render=PREDICTION)
    evaluated = autoencoder() if other else model

    def evaluate(epoch, logs):
        evaluated.evaluate(x[:2], x[:2], batch_size=2, verbose=0, callbacks=[saver])

    for hook in ("on_epoch_begin", "on_epoch_end"):
        fit(model, x, Meddler(hook, evaluate), saver)
    assert names(tmp_path) == ["1-4-4.png", "2-4-8.png", "3-4-12.png", "4-4-16.png"]
    found = tiles(read(tmp_path / "4-4-16.png"), 2, (8, 8))
    assert_drawn(found, drawn(model, x[:2], (0, 1)))


def test_step_of_a_fit_that_was_interrupted_is_not_drawn_in_the_next(tmp_path):
    x, model = floats(4, 8, 8, 1), autoencoder()
    saver = ImageSaver(tmp_path / "{step}.png", x[:2], every_epochs=1, every_batches=1)

    def interrupt(batch, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, x, saver, Meddler("on_train_batch_end", interrupt))
    fit(model, x, saver, epochs=1)
    # The first was held back until a batch follows in its epoch, and none did.
    assert names(tmp_path) == ["2.png", "3.png"]
