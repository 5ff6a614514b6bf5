"""Storage that does not answer costs training one wait."""

import threading

import pytest
import tensorflow as tf
from support.recorded import saved_and_missed, saver_threads
from support.storage import answering, replacing
from support.training import X, train
from support.waiting import wait_until

from keras_image_saver import ImageSaver, Run
from keras_image_saver.run.writer import flush_all

keras = tf.keras

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


class Hanging:
    """A file system that does not answer until it is told to; tells who waited in vain."""

    def __init__(self, waits):
        self.answers = threading.Event()
        self.answers.set()
        self.all_waits = waits

    def replace(self, path, replace):
        assert self.answers.is_set() or self.answers.wait(60)
        replace()

    @property
    def waits(self):
        main = threading.main_thread()
        return [one for one in self.all_waits if not one.met and one.thread is main]


@pytest.fixture
def hanging(waits, stall_limit):
    stall_limit(0.3)
    found = Hanging(waits)
    with replacing(found.replace):
        yield found
        found.answers.set()
        wait_until(lambda: not saver_threads())


def test_storage_that_hangs_costs_training_one_wait_and_goes_on_when_it_answers(
    tmp_path, hanging, lines
):
    saver = ImageSaver(tmp_path, X)
    limits = []

    class Storage(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                assert flush_all()
                hanging.answers.clear()
            if epoch == 6:
                limits.extend(one.limit for one in hanging.waits)
                hanging.answers.set()
                wait_until(lambda: not saver_threads())

    train(saver, others=[Storage()], epochs=8)
    # 2 is being written, 3 waits, 4 waited for room, 5 and 6 did not.
    assert limits == [0.3, 0.0, 0.0]
    assert saved_and_missed(tmp_path) == ([1, 2, 3, 7, 8], [4, 5, 6])
    assert {one.missed for one in Run.open(str(tmp_path)).missed} == {
        "TimeoutError: storage does not answer"
    }
    first, summary = lines()
    assert f"epoch 4, {tmp_path / '0004.png'}, was missed: TimeoutError" in first
    assert summary == "3 of 8 snapshots were missed, the first at epoch 4."


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_storage_that_hangs_bounds_the_end_of_training(tmp_path, hanging, lines, epochs):
    saver = ImageSaver(tmp_path, X)

    def hang(epoch):
        hanging.answers.clear()

    train(saver, before=lambda epoch: hang(epoch) if epoch == 1 else None, epochs=1)
    assert sum(one.seconds for one in hanging.waits) < 1.5 * 0.3
    assert any("Storage does not answer" in line for line in lines())
    # A second `fit` of the same object costs nothing more at each snapshot.
    hanging.all_waits.clear()
    train(saver, epochs=epochs)
    assert sum(one.seconds for one in hanging.waits) < 2.5 * 0.3
    hanging.answers.set()
    wait_until(lambda: not saver_threads())
    saved, missed = saved_and_missed(tmp_path)
    assert saved[0] == 1
    assert sorted(saved + missed) == list(range(1, epochs + 2))


@pytest.mark.parametrize("moment", ["looking into", "preparing"])
def test_storage_that_hangs_before_training_is_an_error_within_the_limit(
    tmp_path, stall_limit, moment
):
    answers = threading.Event()

    def hang(*args, **kwargs):
        assert answers.wait(60)

    name = "clear_temporaries" if moment == "looking into" else "probe"
    stall_limit(0.2)
    trained = []
    message = rf"{moment} '.*run' took longer than 0\.2 s"
    with answering(name, hang), pytest.raises(TimeoutError, match=message):
        train(ImageSaver(tmp_path / "run", X), before=trained.append, epochs=1)
    assert trained in ([], [1])  # the epoch had begun, and no batch was trained
    answers.set()
