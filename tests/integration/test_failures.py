"""Failures during training: `fit` goes to its end, and what is on disk is told truthfully."""

import threading
import warnings

import numpy as np
import pytest
import tensorflow as tf
from support.models import autoencoder, floats, names
from support.recorded import saved_and_missed
from support.rendering import failing_render
from support.storage import replacing
from support.training import PREDICTION, X, fit, train, untrained

from keras_image_saver import ImageSaver, ImageSaverError
from keras_image_saver.run.writer import flush_all

keras = tf.keras
layers = keras.layers

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def test_renderer_that_raises_at_epoch_3_misses_that_one(tmp_path, lines):
    calls = []

    def render(batch):
        calls.append(threading.current_thread())
        if len(calls) == 5:  # the first two are the rehearsal
            raise ZeroDivisionError("render is broken")
        return {"prediction": batch.outputs}

    train(ImageSaver(tmp_path, X, render=render))
    assert saved_and_missed(tmp_path) == ([1, 2, 4, 5], [3])
    assert set(calls) == {threading.main_thread()}
    first, summary = lines()
    assert f"epoch 3, {tmp_path / '0003.png'}, was missed" in first
    assert "ZeroDivisionError: render is broken" in first
    assert summary == "1 of 5 snapshots were missed, the first at epoch 3."


def test_renderer_that_warns_misses_nothing_where_warnings_are_not_errors(tmp_path, lines):
    def render(batch):
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        return {"prediction": batch.outputs}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(ImageSaver(tmp_path, X, render=render), epochs=2)
    assert saved_and_missed(tmp_path) == ([1, 2], [])
    assert lines() == []


def test_listener_that_raises_is_said_once_and_the_others_hear_of_each_snapshot(tmp_path, lines):
    heard = []

    def broken(snapshot):
        raise ConnectionError(f"tracker is away at {snapshot.epoch}")

    train(ImageSaver(tmp_path, X, listeners=[broken, heard.append]), epochs=3)
    assert [one.epoch for one in heard] == [1, 2, 3]
    assert saved_and_missed(tmp_path) == ([1, 2, 3], [])
    (line,) = lines()
    assert "The listener broken failed at epoch 1" in line
    assert str(tmp_path / "0001.png") in line
    assert "ConnectionError('tracker is away at 1')" in line


def test_a_listener_and_a_renderer_that_fail_alike_are_two_kinds(tmp_path, lines):
    calls = []

    def render(batch):
        calls.append(None)
        if len(calls) > 3:  # the first two are the rehearsal
            raise ValueError("render is broken")
        return {"prediction": batch.outputs}

    def broken(snapshot):
        raise ValueError("listener is broken")

    train(ImageSaver(tmp_path, X, render=render, listeners=[broken]), epochs=3)
    *kinds, summary = lines()
    assert len(kinds) == 2
    for text in ("listener is broken", "render is broken"):
        assert sum(text in line for line in kinds) == 1
    assert summary == "2 of 3 snapshots were missed, the first at epoch 2."


def test_summary_names_the_first_epoch_that_was_missed_whichever_was_known_first(tmp_path, lines):
    drawing_failed = threading.Event()
    calls = []

    def render(batch):
        calls.append(None)
        if len(calls) == 4:  # the first two are the rehearsal
            raise ValueError("render is broken")
        return {"prediction": batch.outputs}

    def fail(path, replace):
        if path.endswith("0001.png"):
            assert drawing_failed.wait(60)
            raise OSError("disk is broken")

    class Go(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                drawing_failed.set()

    with replacing(fail):
        train(ImageSaver(tmp_path, X, render=render), others=[Go()], epochs=3)
    *kinds, summary = lines()
    assert ["render is broken" in line for line in kinds] == [True, False]
    assert summary == "2 of 3 snapshots were missed, the first at epoch 1."


class Exhausting(keras.Model):
    """Runs out of memory when it draws, but not when it trains."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(1, 3, padding="same", activation="sigmoid")
        self.normalise = layers.BatchNormalization()
        self.exhausted = False

    def call(self, inputs, training=False):
        if self.exhausted and not training:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return self.conv(self.normalise(inputs, training=training))


def test_forward_pass_out_of_memory_misses_snapshots_and_changes_no_weight(tmp_path, lines):
    def trained(saver=None):
        keras.utils.set_random_seed(5)
        model = Exhausting()
        model(X[:2])
        model.compile("adam", "mse", run_eagerly=True)

        def exhaust(epoch):
            model.exhausted = epoch in (2, 3)

        if saver is None:
            model.fit(X, X, batch_size=2, epochs=4, verbose=0)
        else:
            train(saver, before=exhaust, model=model, epochs=4)
        return model.get_weights()

    saved = trained(ImageSaver(tmp_path, X, render=PREDICTION))
    for one, other in zip(saved, trained(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert saved_and_missed(tmp_path) == ([1, 4], [2, 3])
    first, *fewer, summary = lines()
    # Keras on PyTorch makes a RuntimeError of what it cannot raise again, which tells of no memory.
    torch = keras.backend.backend() == "torch"
    told = ["from here on 2 samples go through the model at a time" in line for line in fewer]
    assert told == ([] if torch else [True])
    reason = "RuntimeError" if torch else "ResourceExhaustedError"
    assert f"epoch 2, {tmp_path / '0002.png'}, was missed: {reason}" in first
    assert summary == "2 of 4 snapshots were missed, the first at epoch 2."


def test_failures_are_logged_once_a_kind_and_later_snapshots_are_there(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), untrained()
    failures = [None, OSError("disk full"), OSError("disk full"), MemoryError("no room")]
    history = fit(model, x, ImageSaver(tmp_path, x, render=failing_render(*failures)), epochs=5)
    assert len(history.history["loss"]) == 5
    assert names(tmp_path) == ["0001.png", "0005.png"]
    first, second, summary = lines()
    assert "epoch 2" in first
    assert str(tmp_path / "0002.png") in first
    assert "OSError: disk full" in first
    assert "epoch 4" in second
    assert "MemoryError: no room" in second
    assert summary == "3 of 5 snapshots were missed, the first at epoch 2."


def test_interrupt_in_a_renderer_is_not_taken_for_a_failure(tmp_path):
    x, model = floats(4, 8, 8, 1), untrained()
    render = failing_render(None, KeyboardInterrupt())
    saver = ImageSaver(tmp_path, x, render=render)
    with pytest.raises(KeyboardInterrupt):
        fit(model, x, saver, epochs=4)
    assert flush_all()  # as the interpreter's exit does
    assert names(tmp_path) == ["0001.png"]


# on_error="raise"


def test_on_error_raise_raises_what_a_listener_raised(tmp_path):
    cause = ConnectionError("tracker is away")

    def broken(snapshot):
        raise cause

    with pytest.raises(ImageSaverError, match="listener broken failed at epoch 1") as info:
        train(ImageSaver(tmp_path, X, listeners=[broken], on_error="raise"), epochs=3)
    assert info.value.cause is cause


def test_on_error_raise_raises_at_the_hook_with_epoch_path_and_cause(tmp_path):
    x, model = floats(4, 8, 8, 1), untrained()
    cause = OSError("disk full")
    render = failing_render(None, cause)
    saver = ImageSaver(tmp_path, x, render=render, on_error="raise")
    with pytest.raises(ImageSaverError, match=r"epoch 2, .*0002\.png.*OSError: disk full") as info:
        fit(model, x, saver, epochs=4)
    assert info.value.cause is cause  # `fit` raises anew "from None"
    assert flush_all()
    assert names(tmp_path) == ["0001.png"]


def test_on_error_raise_chains_the_cause(tmp_path):
    x, model, cause = floats(4, 8, 8, 1), untrained(), OSError("disk full")
    saver = ImageSaver(tmp_path, x, render=failing_render(cause), on_error="raise")
    with pytest.raises(ImageSaverError, match="epoch 1, ") as info, saver.watch(model):
        saver.save(epoch=0)
    assert info.value.__cause__ is cause


def test_error_in_fit_keeps_its_cause(tmp_path):
    render = failing_render(OSError("no space"))
    saver = ImageSaver(tmp_path, floats(2, 8, 8, 1), render=render, on_error="raise")
    with pytest.raises(ImageSaverError, match="OSError: no space") as info:
        autoencoder().fit(floats(2, 8, 8, 1), floats(2, 8, 8, 1), verbose=0, callbacks=[saver])
    assert isinstance(info.value.cause, OSError)
