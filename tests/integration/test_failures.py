"""Failures during training: `fit` goes to its end, and what is on disk is told truthfully."""

import contextlib
import errno
import math
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest
import tensorflow as tf
from support.models import assert_drawn, autoencoder, drawn, names, read, tiles
from support.recorded import left_over, saved_and_missed, saver_threads
from support.storage import answering, full_device, replacing
from support.training import PREDICTION, X, train
from support.waiting import wait_until

from keras_image_saver import ImageSaver, ImageSaverError, Run
from keras_image_saver.run.writer import flush_all

keras = tf.keras
layers = keras.layers

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


class Logged(keras.callbacks.Callback):
    """Adds to the logs of each epoch, as metrics and schedules do."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.values)


# Storage that fails


class SmallDisk:
    """A real file system of 256 KiB; filled to the last page."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self):
        with contextlib.suppress(OSError), open(self.folder / "ballast", "ab", 0) as file:
            while True:
                file.write(b"\0" * 4096)

    def empty(self):
        (self.folder / "ballast").unlink()


class FullDevice:
    """Every file that is opened for writing is /dev/full, until it is emptied."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.stack = stack

    def fill(self):
        self.stack.enter_context(full_device())

    def empty(self):
        self.stack.close()


@pytest.fixture(params=["tmpfs", "/dev/full"])
def disk(request, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "/dev/full":
        # Linux has it; elsewhere nothing but a full disk gives a true ENOSPC.
        if not os.path.exists("/dev/full"):
            pytest.skip("this system has no /dev/full")
        with contextlib.ExitStack() as stack:
            yield FullDevice(folder, stack)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    # Only root may mount; the other parameter needs no rights, so that ENOSPC is met all the same.
    may = shutil.which("mount") is not None
    if not may or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system cannot be mounted here (/dev/full stands in)")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a `fit` that raised has its lock file open until the next one begins.
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("background", [True, False], ids=["background", "inline"])
def test_disk_full_misses_snapshots_until_there_is_room_again(disk, background, lines):
    folder = disk.folder / "run"
    saver = ImageSaver(folder, X, background=background)

    def before(epoch):
        if epoch == 2:
            disk.fill()
        if epoch == 4:
            # The record could not grow, and is whole all the same.
            assert saved_and_missed(folder) == ([1], [])
            disk.empty()

    train(saver, before=before)
    assert saved_and_missed(folder) == ([1, 4, 5], [2, 3])
    reasons = {one.missed for one in Run.open(str(folder)).missed}
    assert reasons == {f"OSError: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}"}
    assert names(folder) == ["0001.png", "0004.png", "0005.png"]
    assert left_over(folder) == []
    first, summary = lines()
    assert f"epoch 2, {folder / '0002.png'}, was missed: OSError" in first
    assert summary == "2 of 5 snapshots were missed, the first at epoch 2."


def test_disk_full_from_the_first_batch_to_the_end_leaves_training_alone(disk, lines):
    saver = ImageSaver(disk.folder / "run", X)

    class Fill(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            disk.fill()

    train(saver, epochs=3, others=[Fill()])
    assert names(disk.folder / "run") == []
    *page, kept, first, summary = lines()
    # Only if there was room for an empty record does the page come to be written.
    assert len(page) <= 1
    for line in page:
        assert f"The page in {disk.folder / 'run'} could not be written: [Errno 28]" in line
    assert f"could not be kept in {disk.folder / 'run/samples.npz'}: OSError" in kept
    assert "epoch 1" in first
    assert summary == "3 of 3 snapshots were missed, the first at epoch 1."
    disk.empty()
    train(saver, epochs=1)  # the same object goes on, and remembers what was missed
    assert saved_and_missed(disk.folder / "run") == ([4], [1, 2, 3])


def test_folder_deleted_then_a_file_in_its_place(tmp_path, lines):
    folder = tmp_path / "runs" / "ae"
    saver = ImageSaver(folder, X)

    def before(epoch):
        if epoch == 2:
            shutil.rmtree(tmp_path / "runs")
        if epoch == 3:
            shutil.rmtree(folder)
            folder.write_text("in the way")
        if epoch == 5:
            assert folder.read_text() == "in the way"
            folder.unlink()

    train(saver, before=before)
    assert names(tmp_path) == ["runs/ae/0005.png"]
    assert [one.epoch for one in Run.open(str(folder)).missed] == [3, 4]
    first, summary = lines()
    assert f"epoch 3, {folder / '0003.png'}, was missed: FileExistsError" in first
    assert summary == "2 of 5 snapshots were missed, the first at epoch 3."
    assert saver_threads() == []


# The user's code that fails


def test_renderer_that_raises_at_epoch_3_misses_that_one(tmp_path, lines):
    calls = []

    def render(batch):
        calls.append(threading.current_thread())
        if len(calls) == 4:  # the first is the rehearsal
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
        if len(calls) > 2:
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
        if len(calls) == 3:
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
    first, summary = lines()
    # Keras on PyTorch makes a RuntimeError of what it cannot raise again.
    torch = keras.backend.backend() == "torch"
    reason = "RuntimeError" if torch else "ResourceExhaustedError"
    assert f"epoch 2, {tmp_path / '0002.png'}, was missed: {reason}" in first
    assert summary == "2 of 4 snapshots were missed, the first at epoch 2."


def test_nan_from_epoch_2_on_is_magenta_and_said_once(tmp_path, lines):
    model = autoencoder()

    def before(epoch):
        if epoch == 2:
            model.set_weights([np.full_like(value, np.nan) for value in model.get_weights()])

    saver = ImageSaver(tmp_path / "{epoch}-{loss:.2f}.png", X, render=PREDICTION)
    train(saver, before=before, model=model, epochs=4)
    saved = list(Run.open(str(tmp_path)))
    assert [one.epoch for one in saved] == [1, 2, 3, 4]
    assert math.isfinite(saved[0].logs["loss"])
    assert [math.isnan(one.logs["loss"]) for one in saved[1:]] == [True] * 3
    assert [os.path.basename(one.path) for one in saved[1:]] == [f"{n}-nan.png" for n in (2, 3, 4)]
    assert read(saved[0].path).ndim == 2
    for snapshot in saved[1:]:
        assert np.all(tiles(read(snapshot.path), 4, (8, 8)) == (255, 0, 255))
    (line,) = lines()
    assert "Epoch 2" in line
    assert "256 pixels" in line


class Unprintable:
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def test_logs_with_nan_arrays_and_keys_that_are_no_identifiers_are_kept(tmp_path, lines):
    values = {
        "nan": float("nan"),
        "infinite": np.float64("-inf"),
        "per class/iou.top-1": np.array([0.5, 1.0]),
        "confusion": np.arange(100).reshape(10, 10),
        "tensor": tf.constant(2.5),
        "": 1,
        "None": None,
        "text": "a\nb",
    }
    path = tmp_path / "{epoch}-{per class/iou.top-1}-{nan:.1f}-{tensor:.1f}.png"
    train(ImageSaver(path, X), others=[Logged(values)], epochs=2)
    saved = list(Run.open(str(tmp_path)))
    assert [os.path.basename(one.path) for one in saved] == [
        f"{epoch}-_0.5__1.0_-nan-2.5.png" for epoch in (1, 2)
    ]
    logs = dict(saved[1].logs)
    assert math.isnan(logs.pop("nan"))
    assert logs.pop("loss") > 0
    assert logs == {
        "infinite": -math.inf,
        "per class/iou.top-1": [0.5, 1.0],
        "confusion": "array of shape (10, 10)",
        "tensor": 2.5,
        "": 1,
        "None": "None",
        "text": "a\nb",
    }
    assert lines() == []


def test_logs_that_cannot_be_read_end_no_training(tmp_path):
    train(ImageSaver(tmp_path, X), others=[Logged({"odd": Unprintable(), "fine": 1})], epochs=2)
    assert saved_and_missed(tmp_path) == ([1, 2], [])
    assert [one.logs["fine"] for one in Run.open(str(tmp_path))] == [1, 1]


# on_error="raise"


@pytest.mark.parametrize("epochs", [5, 2], ids=["at the next hook", "at the end of training"])
def test_on_error_raise_raises_what_failed_behind_the_training(disk, epochs):
    folder = disk.folder / "run"
    saver = ImageSaver(folder, X, on_error="raise")
    begun = []

    def before(epoch):
        begun.append(epoch)
        if epoch == 2:
            disk.fill()

    model = autoencoder()
    match = r"epoch 2, .*0002\.png.*No space left"
    with pytest.raises(ImageSaverError, match=match) as info:
        train(saver, before=before, epochs=epochs, model=model)
    assert info.value.cause.errno == errno.ENOSPC
    assert begun == ([1, 2, 3] if epochs == 5 else [1, 2])
    disk.empty()
    assert saved_and_missed(folder)[0] == [1]


def test_on_error_raise_raises_what_a_listener_raised(tmp_path):
    cause = ConnectionError("tracker is away")

    def broken(snapshot):
        raise cause

    with pytest.raises(ImageSaverError, match="listener broken failed at epoch 1") as info:
        train(ImageSaver(tmp_path, X, listeners=[broken], on_error="raise"), epochs=3)
    assert info.value.cause is cause


# Storage that hangs


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


# Listeners


def test_listeners_hear_on_the_training_thread_in_order_of_the_written_file(tmp_path):
    heard = []

    def listener(snapshot):
        pixels = read(snapshot.path)  # it is there, and whole
        image = snapshot.image
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(pixels, image[..., 0] if pixels.ndim == 2 else image)
        heard.append((snapshot, threading.current_thread()))

    saver = ImageSaver(
        tmp_path / "{epoch}-{batch}-{step}.png",
        X,
        render=PREDICTION,
        every_epochs=1,
        every_batches=1,
        save_initial=True,
        listeners=[listener],
    )
    model = train(saver, epochs=3)
    snapshots = [one for one, _ in heard]
    expected = [(0, 0, 0), (1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4), (3, 1, 5), (3, 2, 6)]
    assert [(one.epoch, one.batch, one.step) for one in snapshots] == expected
    assert {thread for _, thread in heard} == {threading.main_thread()}
    assert_drawn(tiles(snapshots[-1].image, 4, (8, 8)), drawn(model, X, (0, 1)))
    assert [one.path for one in Run.open(str(tmp_path))] == [one.path for one in snapshots]
    assert all(one.logs["loss"] > 0 for one in snapshots[1:])
    assert saver_threads() == []


def test_listener_hears_of_the_files_that_were_written_after_a_failure_and_of_no_other(tmp_path):
    heard, calls = [], []

    def render(batch):
        calls.append(None)
        if len(calls) == 3:
            raise OSError("no")
        return {"prediction": batch.outputs}

    train(ImageSaver(tmp_path, X, render=render, listeners=[heard.append]), epochs=3)
    assert [one.epoch for one in heard] == [1, 3]


# The end of the interpreter

ENDINGS = """
    import atexit, os, signal, sys, threading, warnings
    import numpy as np
    import tensorflow as tf
    from keras_image_saver import ImageSaver
    from keras_image_saver.run.storage import Local

    folder = sys.argv[1]
    for ending in ("raise", "SIGINT", "SIGTERM", "end"):
        child = os.fork()
        if child == 0:
            break
        os.waitpid(child, 0)
    else:
        os._exit(0)

    # From here on in a process for each ending.
    warnings.simplefilter("error")
    ends = threading.Event()
    atexit.register(ends.set)  # runs before what the package registered
    replace = Local.replace

    def replace_at_the_end(file, write):
        if file.path.endswith(".png"):
            ends.wait(60)
        replace(file, write)

    Local.replace = replace_at_the_end

    class Ending(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch < 2:
                return
            if ending == "raise":
                raise ValueError("broken")
            os.kill(os.getpid(), getattr(signal, ending))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    x = np.zeros((2, 8, 8, 1), np.float32)
    model = tf.keras.Sequential(
        [tf.keras.Input((8, 8, 1)), tf.keras.layers.Conv2D(1, 1, activation="sigmoid")]
    )
    model.compile("sgd", "mse")
    saver = ImageSaver(os.path.join(folder, ending), x)
    if ending != "end":
        model.fit(x, x, epochs=9, verbose=0, callbacks=[saver, Ending()])
    saver.set_params({"steps": 1})
    saver.set_model(model)
    saver.on_train_begin()
    for epoch in range(2):
        saver.on_epoch_begin(epoch)
        model.train_on_batch(x, x)
        saver.on_epoch_end(epoch, {})
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_what_is_queued_is_written_however_the_script_ends(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(ENDINGS), str(tmp_path)]
    subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)
    for ending in ("raise", "SIGINT", "SIGTERM", "end"):
        assert saved_and_missed(tmp_path / ending) == ([1, 2], []), ending
        assert names(tmp_path / ending) == ["0001.png", "0002.png"]
        assert left_over(tmp_path / ending) in ([], [".keras_image_saver.lock"])
