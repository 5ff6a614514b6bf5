"""Starts that are killed at each of their steps in storage, one after another, in one process."""

from functools import partial

import numpy as np
import pytest
from support.storage import killed_after

from keras_image_saver import Run
from keras_image_saver.progress import Moment
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.lines import read_record
from keras_image_saver.run.lock import Lock, next_order
from keras_image_saver.run.record import Record
from keras_image_saver.run.session import Session
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.template import Template
from keras_image_saver.samples import Samples
from keras_image_saver.viewers.page import Page

SAMPLES = Samples(np.zeros((2, 3), np.float32))


def save(job):
    content = f"{job.run} {job.moment.epoch}".encode()
    storage_of(job.path).replace(lambda file: file.write(content))
    return Saved({})


def explain(file):
    """Tell what `save` wrote; "unknown" stands for a format without metadata."""
    run, *_ = file.read().decode().split(" ")
    return {} if run == "unknown" else {"run": run} if len(run) == 32 else None


def start(folder, epochs, *, first=0, previous="keep"):
    """Train, as far as a run's folder is concerned."""
    session = Session(
        Template(folder / "{epoch:04d}.png"),
        save,
        say=pytest.fail,
        background=False,
        previous=previous,
        page=Page(str(folder), pytest.fail).follow,
        about={"settings": {"filepath": "{epoch:04d}.png"}},
        explain=explain,
    )
    try:
        session.open(next_order(), SAMPLES, first, lambda epoch: True)
        session.begin(SAMPLES)
        for epoch in range(first + 1, epochs + 1):
            path = f"{folder}/{epoch:04d}.png"
            session.submit(Job(Moment(epoch, 2, 2 * epoch), {}, path))
        assert all(outcome.error is None for outcome in session.collect())
        session.close()
    finally:
        session.abandon()
        held = Lock._held.pop(
            storage_of(str(folder)).real_path, None
        )  # as if the process had ended
        if held is not None and held.file is not None:
            held.file.close()


def make_folder(folder):
    """A run of three epochs with a picture that it did not come to record, and one of nobody's."""
    start(folder, 4)
    lines = read_record(str(folder)).lines
    Record(str(folder), lines[:3]).write()
    (folder / "0009.png").write_text("unknown 9")
    (folder / "photo.png").write_text("mine")


def pictures(folder):
    return {path.read_text() for path in folder.rglob("*.png")}


def assert_records_are_true(folder):
    """No record names what is not there."""
    for record in folder.rglob("snapshots.jsonl"):
        for snapshot in Run.open(record.parent):
            assert storage_of(snapshot.path).exists(), snapshot.path


@pytest.mark.filterwarnings("ignore:Of 1 files")
@pytest.mark.parametrize("previous", ["keep", "delete"])
@pytest.mark.parametrize("first", [0, 2], ids=["begins", "resumes"])
@pytest.mark.parametrize(
    "again",
    [False, pytest.param(True, marks=pytest.mark.exhaustive)],
    ids=["killed once", "killed twice"],
)
def test_start_that_is_killed_at_any_step_leaves_every_start_possible(
    tmp_path, previous, first, again
):
    made = tmp_path / "made"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_image_saver.run.record.SEGMENT", 2)
        make_folder(made)
        steps = 0
        ended = False
        while not ended:
            folder = tmp_path / f"{steps}"
            copy(made, folder)
            before = pictures(folder)
            train = partial(start, folder, first + 2, first=first, previous=previous)
            ended = killed_after(steps, train)
            if again:
                killed_after(steps // 2, train)
            if previous == "keep":
                # Resumed, the run draws its own pictures of later epochs anew.
                redrawn = {one for one in before if first and one[-1] in "34"}
                assert before - redrawn <= pictures(folder)
            assert {"mine", "unknown 9"} <= pictures(folder)
            start(folder, 9, previous=previous)
            assert [one.epoch for one in Run.open(folder)] == list(range(1, 10))
            assert {"mine", "unknown 9"} <= pictures(folder)
            if previous == "keep" and not first:
                assert before <= pictures(folder)
            assert_records_are_true(folder)
            assert not list(folder.rglob(".*"))
            steps += 1
        assert steps > 15


def copy(made, folder):
    for path in made.rglob("*"):
        (folder / path.relative_to(made)).parent.mkdir(parents=True, exist_ok=True)
        (folder / path.relative_to(made)).write_bytes(path.read_bytes())
