"""Storage that fails: snapshots are missed until there is room again, and training goes on."""

import contextlib
import errno
import os
import shutil
import subprocess

import pytest
import tensorflow as tf
from support.models import floats, names
from support.recorded import left_over, saved_and_missed, saver_threads
from support.storage import full_device
from support.training import Meddler, X, fit, train, untrained

from keras_image_saver import ImageSaver, ImageSaverError, Run

keras = tf.keras

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("warnings_are_errors")]


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


on_linux = pytest.mark.skipif(
    not os.path.exists("/dev/full"),
    reason="only Linux has /dev/full, which gives a true ENOSPC without a full disk",
)


@pytest.fixture(params=["tmpfs", pytest.param("/dev/full", marks=on_linux)])
def disk(request, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "/dev/full":
        with contextlib.ExitStack() as stack:
            yield FullDevice(folder, stack)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    may = shutil.which("mount") is not None
    if not may or subprocess.run(mount, check=False, capture_output=True).returncode:
        # Only root may mount, in some containers not even root, so that the attempt alone tells. The
        # same tests run with the other parameter, which needs no right and gives the same ENOSPC.
        pytest.skip("no right to mount a file system")  # and /dev/full stands in
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
    *page, kept, first, record, run, summary = lines()
    # Only if there was room for an empty record does the page come to be written.
    assert len(page) <= 1
    for line in page:
        assert f"The page in {disk.folder / 'run'} could not be written: [Errno 28]" in line
    assert f"could not be kept in {disk.folder / 'run/samples.npz'}: OSError" in kept
    assert run.startswith(f"{disk.folder / 'run/run.json'} could not be written: OSError")
    assert "epoch 1" in first
    assert f"The record in {disk.folder / 'run'} could not be written to the end: OSError" in record
    assert "0 pictures have no entry in it" in record
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


def test_folder_that_goes_bad_in_training_does_not_stop_it(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), untrained()
    folder = tmp_path / "run"

    def meddle(epoch, logs):
        if epoch == 1:
            shutil.rmtree(folder)
            folder.write_text("in the way")
        if epoch == 2:
            folder.unlink()

    saver = ImageSaver(folder, x, background=False)
    fit(model, x, saver, Meddler("on_epoch_begin", meddle), epochs=3)
    assert names(tmp_path) == ["run/0003.png"]
    assert len(lines()) == 2


@pytest.mark.parametrize("epochs", [5, 2], ids=["at the next hook", "at the end of training"])
def test_on_error_raise_raises_what_failed_behind_the_training(disk, epochs):
    folder = disk.folder / "run"
    saver = ImageSaver(folder, X, on_error="raise")
    begun = []

    def before(epoch):
        begun.append(epoch)
        if epoch == 2:
            disk.fill()

    model = untrained()
    match = r"epoch 2, .*0002\.png.*No space left"
    with pytest.raises(ImageSaverError, match=match) as info:
        train(saver, before=before, epochs=epochs, model=model)
    assert info.value.cause.errno == errno.ENOSPC
    assert begun == ([1, 2, 3] if epochs == 5 else [1, 2])
    disk.empty()
    assert saved_and_missed(folder)[0] == [1]


def test_record_that_cannot_be_written_from_some_point_on_is_said_once_and_at_the_end(
    tmp_path, lines
):
    folder = tmp_path / "run"
    saver = ImageSaver(folder, X)
    record, kept = folder / "snapshots.jsonl", tmp_path / "kept.jsonl"

    def before(epoch):
        if epoch == 3:  # no file takes the place of a folder
            record.rename(kept)
            record.mkdir()

    train(saver, before=before)
    assert names(folder) == [f"{epoch:04d}.png" for epoch in range(1, 6)]
    first, last = lines()
    assert f"Epoch 3, {folder / '0003.png'}: the record could not be written: IsADirec" in first
    assert f"The record in {folder} could not be written to the end: IsADirectoryError" in last
    assert "3 pictures have no entry in it" in last
    record.rmdir()
    kept.rename(record)
    train(saver, epochs=1)  # the same object remembers them
    assert saved_and_missed(folder) == ([1, 2, 3, 4, 5, 6], [])
    assert lines() == [first, last]
