"""Processes that are killed: nothing is torn, and the next start goes on with what is there."""

import contextlib
import hashlib
import json
import os
import random
import signal
import time

import numpy as np
import pytest
from support.models import keras, names, read

from keras_image_saver import Run, encode_image, write_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow",
        reason="what is killed is the same on every backend",
    ),
]

STEPS = 4


def times(few, many):
    """How often a test kills: `.ci/run` alone asks for many."""
    return pytest.mark.parametrize("kills", [few, pytest.param(many, marks=pytest.mark.exhaustive)])


TRAIN = """
    import os, signal, sys
    import numpy as np
    import tensorflow as tf
    from keras_image_saver import Images, ImageSaver

    keras = tf.keras
    steps, folder, kind, first, last = sys.argv[1:]
    steps, first, last = int(steps), int(first), int(last)

    class Killer(keras.callbacks.Callback):
        # In the midst of the sixth epoch: a kill while Keras writes its backup would break that.
        def on_epoch_begin(self, epoch, logs=None):
            self.due = epoch == 5

        def on_train_batch_end(self, batch, logs=None):
            if self.due and batch == 1:
                os.kill(os.getpid(), signal.SIGKILL)

    x = np.zeros((2 * steps, 4, 4, 1), np.float32)
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")]
    )
    model.compile("sgd", "mse", run_eagerly=True)  # nothing is traced: the start is quick
    options = {"render": Images((0, 1), panels=("prediction",))}
    by_batches = kind in ("batches", "deleting")
    if by_batches:
        options["every_batches"] = 1
    if kind == "deleting":
        options["previous"] = "delete"
    path = "{epoch:02d}/{step:04d}.png" if by_batches else "{epoch:02d}.png"
    callbacks = [ImageSaver(os.path.join(folder, path), x[:2], **options)]
    if not by_batches:
        callbacks.append(keras.callbacks.BackupAndRestore(folder + "-backup"))
    if kind == "killed":
        callbacks.append(Killer())
    model.fit(x, x, batch_size=2, verbose=0, initial_epoch=first, epochs=last, callbacks=callbacks)
    os._exit(0)
"""


class Trainings:
    """Trains in processes that can be killed, one at a time."""

    def __init__(self, forks):
        self.forks = forks
        self.ended = forks.has_ended

    def start(self, folder, kind, first, last):
        self.forks.start(TRAIN, STEPS, folder, kind, first, last)

    def kill(self):
        return self._tell(self.forks.kill())

    def wait(self):
        """Wait for the end of training, or of the process by a kill; tell whether it was a kill."""
        return self._tell(self.forks.wait())

    def _tell(self, ended):
        assert ended in (0, -signal.SIGKILL), f"the training failed: {self.forks.printed()}"
        return ended != 0

    def train(self, *arguments):
        self.start(*arguments)
        assert not self.wait()


@pytest.fixture
def server(forks):
    return Trainings(forks)


def wait_until(condition, seconds=60):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.002)


def told(folder):
    """The snapshots that the record tells; every file that it names is there and decodes."""
    if not (folder / "snapshots.jsonl").exists():
        return []
    run = Run.open(str(folder))
    assert run.missed == []
    for snapshot in run:
        assert read(snapshot.path).size
    return list(run)


def assert_every_picture_decodes(folder):
    for path in folder.rglob("*.png"):
        assert read(path).size, path


def left_over(folder):
    return [path.name for path in folder.rglob(".keras_image_saver-*")]


def count_pictures(folder):
    """Count them in the folder's own subfolders, or in itself; cheap enough to ask again and again."""
    if not folder.is_dir():
        return 0
    count = 0
    for place in [folder, *(one for one in os.scandir(folder) if one.name.isdecimal())]:
        with contextlib.suppress(FileNotFoundError):  # its last picture was moved a moment ago
            count += sum(name.endswith(".png") for name in os.listdir(place))
    return count


@times(4, 50)
def test_run_that_is_killed_is_whole_each_time_and_completed(server, tmp_path, kills):
    folder, random_ = tmp_path / "run", random.Random(3)
    done = killed = 0
    for _ in range(kills):
        least = count_pictures(folder) + random_.randrange(4)
        server.start(folder, "batches", done, 1_000)
        wait_until(lambda least=least: server.ended() or count_pictures(folder) >= least)
        time.sleep(random_.uniform(0, 0.03))  # any moment of the start, or of the next writes
        killed += server.kill()
        assert_every_picture_decodes(folder)
        steps = [snapshot.step for snapshot in told(folder)]
        assert steps == list(range(1, len(steps) + 1))
        done = len(steps) // STEPS
    assert killed == kills
    server.train(folder, "batches", done, done + 2)
    found = [(one.epoch, one.batch, one.step) for one in told(folder)]
    assert found == [
        (epoch + 1, batch + 1, epoch * STEPS + batch + 1)
        for epoch in range(done + 2)
        for batch in range(STEPS)
    ]
    # What was killed in its first epoch was begun anew, and set aside if it had pictures.
    of_this_run = [name for name in names(folder) if not name.startswith("previous-")]
    assert of_this_run == [f"{epoch:02d}/{step:04d}.png" for epoch, _, step in found]
    assert done >= kills // 10
    for aside in folder.glob("previous-*"):
        assert told(aside)
    assert left_over(folder) == []


OLD = 500  # snapshots of the earlier run, so that a move of them takes a while


def make_earlier_run(folder):
    picture = encode_image(np.zeros((2, 2, 1), np.uint8), "png", metadata={"epoch": 1})
    entries = []
    for step in range(1, OLD + 1):
        file = f"{(step - 1) // 100:02d}/{step:04d}.png"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(picture)
        entries.append(
            {"format": 1, "epoch": 1, "batch": step, "step": step, "file": file, "logs": {}}
        )
    for number in range(0, OLD, 256):
        full = number + 256 < OLD
        name = f"snapshots-{number // 256:04d}.jsonl" if full else "snapshots.jsonl"
        lines = [json.dumps(entry) + "\n" for entry in entries[number : number + 256]]
        (folder / name).write_text("".join(lines))
    np.savez(folder / "samples.npz", x=np.zeros((2, 4, 4, 1), np.float32))


@pytest.mark.exhaustive
def test_run_that_is_killed_while_it_is_set_aside_is_kept_whole(server, tmp_path):
    random_, killed, runs = random.Random(3), 0, 0
    while killed < 20:
        folder, runs = tmp_path / str(runs), runs + 1
        make_earlier_run(folder)
        files = names(folder)
        aside = folder / "previous-1"
        while True:
            moved = count_pictures(aside)
            server.start(folder, "batches", 0, 1)
            wait_until(
                lambda aside=aside, moved=moved: server.ended() or count_pictures(aside) > moved
            )
            time.sleep(random_.uniform(0, 0.03))
            server.kill()
            told(folder)  # what the record names is there, whatever has been moved
            for name in files:
                assert (folder / name).exists() or (aside / name).exists(), name
            if not (aside / ".moving").exists():
                break
            killed += 1
        assert names(aside) == files
        assert [one.step for one in told(aside)] == list(range(1, OLD + 1))
        with np.load(aside / "samples.npz") as kept:
            assert kept["x"].shape == (2, 4, 4, 1)
        server.train(folder, "batches", 0, 1)
        assert [one.step for one in told(folder)] == [1, 2, 3, 4]
        assert names(aside) == files


EARLIER = 40  # pictures of the earlier run, each another one


def make_folder_of_several(folder):
    """A run of the first version with its page, and files of the user's own beside it."""
    entries = []
    for step in range(1, EARLIER + 1):
        file = f"{(step - 1) // STEPS + 1:02d}/{step:04d}.png"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        picture = np.full((2, 2, 1), step, np.uint8)
        (folder / file).write_bytes(encode_image(picture, metadata={"step": step}))
        place = {"epoch": (step - 1) // STEPS + 1, "batch": (step - 1) % STEPS + 1, "step": step}
        entries.append({"format": 1, **place, "file": file, "logs": {}})
    (folder / "snapshots.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    np.savez(folder / "samples.npz", x=np.zeros((2, 4, 4, 1), np.float32))
    write_page(folder)
    own = {"photo.png": b"mine", "01/notes.txt": b"mine", "elsewhere/0001.png": b"mine"}
    for name, content in own.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return own


def hashes(paths):
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def in_place(folder, *, after=0):
    """The pictures of the run that is in the folder, of the epochs after one."""
    return [path for path in folder.glob("[0-9]*/*.png") if int(path.parent.name) > after]


@times(4, 25)
def test_folder_of_several_runs_survives_kills_at_any_moment(server, tmp_path, kills):
    """Runs that begin, resume and delete: every start is possible, and no picture of anyone's gone."""
    folder, random_ = tmp_path / "run", random.Random(7)
    own = make_folder_of_several(folder)
    killed = 0
    while killed < kills:
        before = hashes(folder.rglob("*.png"))
        kind = random_.choice(["begins", "begins", "resumes", "deletes"])
        # What the record has when the process is killed before it ends the move of the run.
        done = max((one.step for one in told(folder)), default=0) // STEPS
        first = random_.randint(1, done) if kind == "resumes" and done else 0
        may_go = {
            "begins": set(),
            "resumes": hashes(in_place(folder, after=first)) if first else set(),
            "deletes": hashes(in_place(folder)),
        }[kind]
        server.start(folder, "deleting" if kind == "deletes" else "batches", first, 1_000)
        if random_.random() < 0.4:  # in the midst of its start
            wait_until(lambda: server.ended() or (folder / ".keras_image_saver.lock").exists())
            time.sleep(random_.uniform(0, 0.06))
        else:
            least = count_pictures(folder) + random_.randrange(6)
            wait_until(lambda least=least: server.ended() or count_pictures(folder) >= least)
            time.sleep(random_.uniform(0, 0.03))
        was_killed = server.kill()
        assert was_killed, f"the start was refused: {kind} at {first}"
        killed += was_killed
        assert_every_picture_decodes_or_is_own(folder, own)
        assert before - may_go <= hashes(folder.rglob("*.png"))
        told(folder)
        for name, content in own.items():
            assert (folder / name).read_bytes() == content
    server.train(folder, "batches", 0, 2)
    assert [one.step for one in told(folder)] == list(range(1, 2 * STEPS + 1))
    asides = list(folder.glob("previous-*"))
    for aside in asides:
        assert not (aside / ".moving").exists()
        told(aside)
    assert len(asides) >= kills // 8
    assert left_over(folder) == []
    assert not list(folder.glob("unrecorded-*"))


def assert_every_picture_decodes_or_is_own(folder, own):
    for path in folder.rglob("*.png"):
        if path.relative_to(folder).as_posix() not in own:
            assert read(path).size, path


def test_backup_and_restore_after_a_kill_goes_on_with_the_run(server, tmp_path):
    folder = tmp_path / "run"
    server.start(folder, "killed", 0, 8)
    assert server.wait()
    before = [one.epoch for one in told(folder)]
    assert before[:3] == [1, 2, 3]
    server.train(folder, "backup", 0, 8)
    assert not (folder / "previous-1").exists()  # it was resumed, not begun anew
    saved = told(folder)
    # Two snapshots may be on their way to storage when the backup of their epoch is written.
    assert {one.epoch for one in saved} | {4, 5} == set(range(1, 9))
    assert [(one.epoch, one.step) for one in saved] == [
        (epoch, STEPS * epoch) for epoch in sorted({one.epoch for one in saved})
    ]
    assert {one.epoch for one in saved} >= set(before)
