"""Storage that does not answer costs training one wait."""

import threading

import pytest
import tensorflow as tf
from support.recorded import saved_and_missed, saver_threads, tree
from support.storage import answering, replacing
from support.training import Meddler, X, fit_x, train, untrained
from support.waiting import wait_until

from keras_image_saver import ImageSaver, Run
from keras_image_saver.run.storage import Local
from keras_image_saver.run.writer import flush_all

keras = tf.keras

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("warnings_are_errors")]


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


@pytest.mark.parametrize("background", [True, False], ids=["background", "inline"])
def test_storage_that_hangs_costs_training_one_wait_and_goes_on_when_it_answers(
    tmp_path, hanging, lines, background
):
    saver = ImageSaver(tmp_path, X, background=background)
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
    # 2 is being written, 3 waits, 4 waited for room, 5 and 6 did not; inline 2 was waited for.
    assert [limit for limit in limits if limit > 0.01] == [pytest.approx(0.3, abs=0.01)]
    assert len(limits) >= 3
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

    name = "contents" if moment == "looking into" else "probe"
    stall_limit(0.2)
    trained = []
    message = rf"{moment} '.*run' took longer than 0\.2 s"
    with answering(name, hang), pytest.raises(TimeoutError, match=message):
        train(ImageSaver(tmp_path / "run", X), before=trained.append, epochs=1)
    assert trained in ([], [1])  # the epoch had begun, and no batch was trained
    answers.set()


class FirstHangs:
    """A file system that hangs at one kind of file, once, until it is told to answer."""

    def __init__(self, suffix):
        self.suffix = suffix
        self.entered = threading.Event()
        self.answers = threading.Event()

    def replace(self, path, replace):
        if path.endswith(self.suffix) and not self.entered.is_set():
            self.entered.set()
            assert self.answers.wait(60)
        replace()

    def answer(self, stall_limit):
        self.answers.set()
        stall_limit(30)
        assert flush_all()


class Interrupt(keras.callbacks.Callback):
    """Interrupts training at the end of its second epoch, once the saver before it has been called."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("background", [True, False], ids=["background", "inline"])
@pytest.mark.parametrize("ending", ["the end", "an interrupt"])
def test_folder_is_not_let_go_while_an_earlier_training_may_still_write_to_it(
    tmp_path, stall_limit, ending, background
):
    stall_limit(0.2)
    storage = FirstHangs("0002.png")
    with replacing(storage.replace):
        first = ImageSaver(tmp_path, X, background=background)
        if ending == "the end":
            train(first, epochs=2)
        else:
            with pytest.raises(KeyboardInterrupt):
                fit_x(untrained(), first, Interrupt(), epochs=3)
        assert storage.entered.wait(30)
        before = tree(tmp_path)
        with pytest.raises(ValueError, match=r"an earlier training .* still being written"):
            train(ImageSaver(tmp_path, X), epochs=1)
        assert tree(tmp_path) == before
        storage.answer(stall_limit)
        train(ImageSaver(tmp_path, X), epochs=3)
    assert saved_and_missed(tmp_path) == ([1, 2, 3], [])
    # The late files are the earlier run's, and were set aside with it.
    assert saved_and_missed(tmp_path / "previous-1") == ([1, 2], [])


def test_start_that_hangs_changes_nothing_once_storage_answers(tmp_path, stall_limit):
    train(ImageSaver(tmp_path, X), epochs=2)
    before = tree(tmp_path)
    stall_limit(0.2)
    storage = FirstHangs("")
    probe = Local.probe
    with answering("probe", lambda place, *_: storage.replace(place.path, lambda: probe(place))):
        with pytest.raises(TimeoutError, match="does not answer: preparing"):
            train(ImageSaver(tmp_path, X), epochs=1)
        with pytest.raises(ValueError, match=r"an earlier training .* still being written"):
            train(ImageSaver(tmp_path, X), epochs=1)
        storage.answer(stall_limit)
        assert tree(tmp_path) == before
        train(ImageSaver(tmp_path, X), epochs=1)
    assert saved_and_missed(tmp_path) == ([1], [])
    assert saved_and_missed(tmp_path / "previous-1") == ([1, 2], [])


def test_saver_that_trains_again_while_its_storage_hangs_keeps_its_folder(tmp_path, stall_limit):
    stall_limit(0.2)
    storage = FirstHangs("0001.png")
    saver, refused = ImageSaver(tmp_path, X), []

    def start_another():
        with pytest.raises(ValueError, match="another ImageSaver of this process"):
            train(ImageSaver(tmp_path, X), epochs=1)
        refused.append(True)

    def look(epoch, logs):
        if epoch == 1:
            storage.answer(stall_limit)
            thread = threading.Thread(target=start_another)
            thread.start()
            thread.join()

    with replacing(storage.replace):
        train(saver, epochs=1)
        train(saver, epochs=3, others=[Meddler("on_epoch_begin", look)])
    assert refused == [True]
    assert saved_and_missed(tmp_path) == ([1, 2, 3, 4], [])
