"""A session without Keras: what is on disk, what comes of jobs, and in which order."""

import inspect
import json
import os
import threading

import numpy as np
import pytest
from support.disk import Calls
from support.storage import replacing

from keras_image_saver import Run
from keras_image_saver.progress import Moment
from keras_image_saver.render.base import Finding
from keras_image_saver.run.bystander import Bystander
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.lock import next_order
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.session import Session
from keras_image_saver.run.storage import Local, storage_of
from keras_image_saver.run.template import Template
from keras_image_saver.samples import Samples

SAMPLES = Samples(np.zeros((2, 3), np.float32))
GEOMETRY = {"columns": 1}


def save(job):
    """Write a picture; what is drawn of it is the job's drawing."""
    storage_of(job.path).replace(lambda file: file.write(f"run {job.run}".encode()))
    return Saved(GEOMETRY, job.drawing)


def explain(file):
    """Tell the run of what `save` wrote; "unknown" stands for what a format cannot tell."""
    text = file.read().decode()
    return {} if text == "unknown" else {"run": text[4:]} if text.startswith("run ") else None


@pytest.fixture
def opened(tmp_path):
    """A function that makes a session and opens it; all are closed in the end."""
    sessions = []

    def make(*, epochs_done=0, save=save, say=pytest.fail, samples=SAMPLES, due=True, **options):
        options = {"background": False, "previous": "keep", "page": None, **options}
        options = {"about": {}, "explain": explain, **options}
        session = Session(Template(tmp_path / "run"), save, say=say, **options)
        sessions.append(session)
        start = session.open(next_order(), samples, epochs_done, lambda epoch: due)
        return session, start

    yield make
    for session in sessions:
        session.close()


def job(folder, epoch=1, **changes):
    fields = {"logs": {"loss": 0.5}, "path": f"{folder}/run/{epoch:04d}.png", **changes}
    return Job(Moment(epoch, 4, 4 * epoch), **fields)


def entries(folder):
    lines = (folder / "run" / "snapshots.jsonl").read_text().splitlines()
    return [(one["epoch"], one["file"], one.get("reason")) for one in map(json.loads, lines)]


@pytest.mark.parametrize("background", [False, True])
def test_session_writes_pictures_record_and_samples_and_tells_of_each(tmp_path, opened, background):
    session, start = opened(background=background)
    assert (start.samples, start.steps, start.warnings) == (SAMPLES, 0, ())
    assert not session.has_begun
    session.begin(SAMPLES)
    assert session.has_begun
    image = np.zeros((2, 2, 3), np.uint8)
    for epoch in (1, 2):
        session.submit(job(tmp_path, epoch, drawing=image))
    assert session.close()
    first, second = session.collect()
    assert list(session.collect()) == []
    assert first.snapshot.image is image
    assert (first.path, first.error, first.findings) == (first.snapshot.path, None, ())
    assert (second.snapshot.epoch, second.snapshot.batch, second.snapshot.step) == (2, 4, 8)
    assert second.snapshot.logs == {"loss": 0.5}
    assert second.snapshot.geometry == GEOMETRY
    assert [one.path for one in Run.open(tmp_path / "run")] == [first.path, second.path]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "0001.png",
        "0002.png",
        "run.json",
        "samples.npz",
        "snapshots.jsonl",
    ]


def test_record_stands_before_the_first_picture(tmp_path, opened):
    seen = []

    def look(job):
        seen.extend(entries(tmp_path))
        return save(job)

    session, _ = opened(save=look)
    session.begin(SAMPLES)
    assert entries(tmp_path) == []
    session.submit(job(tmp_path))
    assert seen == []
    assert entries(tmp_path) == [(1, "0001.png", None)]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="syncs are told apart there")
def test_picture_lasts_before_its_entry_does(tmp_path, opened, monkeypatch):
    session, _ = opened()
    session.begin(SAMPLES)
    calls = Calls(tmp_path / "run", monkeypatch)
    session.submit(job(tmp_path))
    names = ("0001.png", "snapshots.jsonl")
    assert calls == [
        call
        for name in names
        for call in (
            ("sync", "a temporary"),
            ("rename", f"a temporary to {name}"),
            ("sync", "."),
        )
    ]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="syncs are told apart there")
def test_earlier_run_that_is_set_aside_lasts_record_first(tmp_path, opened, monkeypatch):
    session, _ = opened()
    session.begin(SAMPLES)
    session.submit(job(tmp_path))
    session.close()
    session, _ = opened()
    calls = Calls(tmp_path / "run", monkeypatch)
    session.begin(SAMPLES)
    to = "previous-1"
    record = calls.index(("rename", f"snapshots.jsonl to {to}/snapshots.jsonl"))
    picture = calls.index(("rename", f"0001.png to {to}/0001.png"))
    new = calls.index(("rename", "a temporary to snapshots.jsonl"))
    assert record < picture < new
    # What was moved is in its new folder, and gone from the old one, before the next thing is done.
    for begin, end in ((record, picture), (picture, new)):
        synced = [name for what, name in calls[begin:end] if what == "sync"]
        assert synced[:2] == [to, "."]


def test_job_that_fails_is_missed_and_the_next_one_saved(tmp_path, opened):
    error = ValueError("broken")

    def fail(job):
        if job.moment.epoch == 1:
            raise error
        return Saved({}, findings=(Finding("clipped", "prediction", "2 %"),))

    session, _ = opened(save=fail)
    session.begin(SAMPLES)
    for epoch in (1, 2):
        session.submit(job(tmp_path, epoch))
    failed, saved = session.collect()
    assert failed.error is error
    assert (failed.snapshot.path, failed.snapshot.missed) == ("", "ValueError: broken")
    assert failed.path == f"{tmp_path}/run/0001.png"
    assert [finding.text for finding in saved.findings] == ["2 %"]
    assert entries(tmp_path) == [(1, None, "ValueError: broken"), (2, "0002.png", None)]


def test_snapshot_that_is_missed_waits_for_no_storage_and_is_recorded_later(tmp_path, opened):
    session, _ = opened()
    session.begin(SAMPLES)
    session.miss(job(tmp_path), RuntimeError("no\n memory"))
    assert entries(tmp_path) == []
    (outcome,) = session.collect()
    assert outcome.snapshot.missed == "RuntimeError: no memory"
    assert session.close()
    assert entries(tmp_path) == [(1, None, "RuntimeError: no memory")]


def test_outcome_comes_once_the_record_is_written(tmp_path, opened):
    entered, go = threading.Event(), threading.Event()

    def hold(path, replace):
        if path.endswith("snapshots.jsonl"):
            entered.set()
            assert go.wait(30)
        replace()

    session, _ = opened(background=True)
    session.begin(Samples(None))
    assert session.close()
    with replacing(hold):
        session.submit(job(tmp_path))
        assert entered.wait(30)
        assert list(session.collect()) == []
        go.set()
        assert session.close()
    assert len(list(session.collect())) == 1


class OpError(Exception):
    """As `tf.errors.OpError`, which is no OSError."""


@pytest.mark.parametrize("error", [PermissionError, OpError, TypeError])
@pytest.mark.parametrize("recovers", [True, False])
def test_record_that_cannot_be_written_is_told_with_each_outcome_and_said_at_the_end(
    tmp_path, opened, error, recovers
):
    said = []
    session, _ = opened(say=said.append)
    session.begin(SAMPLES)

    def fail(path, replace):
        if path.endswith(".jsonl"):
            raise error("odd")
        replace()

    folder = f"{tmp_path}/run"
    with replacing(fail):
        for epoch in (1, 2, 3):
            session.submit(job(tmp_path, epoch))
        session.miss(job(tmp_path, 4), ValueError("not drawn"))
        outcomes = list(session.collect())
        assert [type(outcome.unrecorded) for outcome in outcomes] == [*[error] * 3, type(None)]
        assert [outcome.error for outcome in outcomes][:3] == [None] * 3
        if not recovers:
            assert session.close()
            assert said == [
                f"The record in {folder} could not be written to the end: {error.__name__}: odd. "
                "3 pictures have no entry in it."
            ]
            return
    assert session.close()
    assert said == []
    assert [epoch for epoch, _, _ in entries(tmp_path)] == [1, 2, 3, 4]


def test_session_resumes_a_run_and_tells_what_was_lost(tmp_path, opened):
    session, _ = opened()
    session.begin(SAMPLES)
    session.submit(job(tmp_path, 1))
    session.close()
    said = []
    session, start = opened(epochs_done=2, say=said.append)
    assert start.steps == 8
    assert [line for line in said if "no snapshot of 1 epochs" in line] == said != []
    session.begin(start.samples)
    session.submit(job(tmp_path, 3))
    assert entries(tmp_path) == [
        (1, "0001.png", None),
        (2, None, "training ended before it was written"),
        (3, "0003.png", None),
    ]


def test_is_due_is_asked_on_the_callers_thread(tmp_path, opened):
    """It may be the user's function."""
    session, _ = opened()
    session.begin(SAMPLES)
    session.submit(job(tmp_path, 1))
    session.close()
    threads = []

    def due(epoch):
        threads.append(threading.get_ident())
        return False

    session = Session(
        Template(tmp_path / "run"),
        save,
        say=pytest.fail,
        background=False,
        previous="keep",
        page=None,
        about={},
        explain=explain,
    )
    session.open(next_order(), SAMPLES, 3, due)
    session.abandon()
    assert threads == [threading.get_ident()] * 2


def test_lines_that_cannot_be_read_are_handed_back_once(tmp_path, opened, recwarn):
    session, _ = opened()
    session.begin(SAMPLES)
    session.submit(job(tmp_path))
    session.close()
    with open(tmp_path / "run" / "snapshots.jsonl", "a") as file:
        file.write("torn\n")
    text = f"1 lines of the record in '{tmp_path}/run' cannot be read and are left out, of "
    text += "snapshots.jsonl."
    for epochs_done in (1, 0):
        session, start = opened(epochs_done=epochs_done)
        assert start.warnings == (text,)
        if not epochs_done:
            session.begin(SAMPLES)
            assert (tmp_path / "run" / "previous-1" / "0001.png").exists()
        session.close()
    assert not recwarn.list


def test_samples_that_are_none_need_no_file_that_can_be_read(tmp_path, opened):
    (tmp_path / "run" / "samples.npz").mkdir(parents=True)
    _, start = opened(epochs_done=1, samples=Samples(None))
    assert start.samples == Samples(None)


def test_page_follows_the_record_and_how_the_run_stands(tmp_path, opened):
    seen = []

    def follow(name, found):
        about = isinstance(found, dict)
        seen.append((name, found["state"] if about else [one["epoch"] for one in found]))

    session, _ = opened(page=follow)
    assert seen == []
    session.begin(SAMPLES)
    session.submit(job(tmp_path))
    begun = [("run.json", "running"), ("snapshots.jsonl", [])]
    assert seen == [*begun, ("snapshots.jsonl", [1])]
    session.close("failed")
    assert seen[3:] == [("run.json", "failed")]
    session.open(0, SAMPLES, 0, lambda epoch: True)
    assert seen[4:] == [("run.json", "running")]


def test_session_that_is_abandoned_leaves_no_folder(tmp_path, opened):
    session, _ = opened()
    assert (tmp_path / "run").is_dir()
    session.abandon()
    assert list(tmp_path.iterdir()) == []


def test_worker_of_several_counts_steps_and_draws_rows_as_the_others_do(tmp_path, opened):
    """The others see neither the record nor the kept samples."""
    six, five = (Samples(np.ones((rows, 3)), from_dataset=True) for rows in (6, 5))
    for alone in (True, False):
        session, _ = opened(samples=six, previous="delete", alone=alone)
        session.begin(six)
        session.submit(job(tmp_path))
        session.close()
        session, start = opened(samples=five, epochs_done=1, alone=alone)
        session.abandon()
        assert (len(start.samples), start.steps) == ((6, 4) if alone else (5, 0))
        assert len(start.warnings) == (0 if alone else 1)


# Snapshots that do not stay


KEEP = Retention(max_to_keep=2)


def marked(folder):
    """Each epoch, and whether it is marked as removed, as the newest file of the record says."""
    lines = (folder / "run" / "snapshots.jsonl").read_text().splitlines()
    return [(one["epoch"], one.get("removed", False)) for one in map(json.loads, lines)]


def pictures(folder):
    return sorted(int(path.stem) for path in (folder / "run").glob("*.png"))


def hear(session):
    """Be a listener that hears of what there is."""
    return [outcome.snapshot.epoch for outcome in session.collect()]


def keeping(opened, folder, epochs, **options):
    session, start = opened(retention=KEEP, **options)
    session.begin(start.samples)
    for epoch in epochs:
        session.submit(job(folder, epoch))
        hear(session)
    session.close()


@pytest.mark.parametrize("background", [False, True])
def test_newest_and_first_stay_and_the_record_names_the_others_as_removed(
    tmp_path, opened, background
):
    keeping(opened, tmp_path, range(1, 7), background=background)
    assert pictures(tmp_path) == [1, 5, 6]
    assert marked(tmp_path) == [(epoch, epoch in (2, 3, 4)) for epoch in range(1, 7)]
    run = Run.open(tmp_path / "run")
    assert ([one.epoch for one in run], run.missed) == ([1, 5, 6], [])
    assert [(one.epoch, one.removed) for one in run.removed] == [(2, True), (3, True), (4, True)]
    assert run.removed[0].path == f"{tmp_path}/run/0002.png"


def test_snapshot_stays_until_it_was_told_of(tmp_path, opened):
    session, _ = opened(retention=KEEP)
    session.begin(SAMPLES)
    for epoch in range(1, 7):
        session.submit(job(tmp_path, epoch))
    assert pictures(tmp_path) == [1, 2, 3, 4, 5, 6]
    heard = session.collect()
    for epoch in (1, 2, 3):  # the third one is being told of
        assert next(heard).snapshot.epoch == epoch
    session.submit(job(tmp_path, 7))
    assert pictures(tmp_path) == [1, 3, 4, 5, 6, 7]
    list(heard)
    assert session.close()
    assert pictures(tmp_path) == [1, 6, 7]
    assert marked(tmp_path) == [(epoch, 1 < epoch < 6) for epoch in range(1, 8)]


def test_mark_stands_in_the_record_before_the_file_goes(tmp_path, opened, monkeypatch):
    seen, remove = [], Local.remove

    def look(place):
        if place.path.endswith(".png"):
            seen.append((place.path[-8:], marked(tmp_path)[1:3]))
        remove(place)

    monkeypatch.setattr(Local, "remove", look)
    keeping(opened, tmp_path, range(1, 6))
    assert seen == [
        ("0002.png", [(2, True), (3, False)]),
        ("0003.png", [(2, True), (3, True)]),
    ]


def test_file_stays_while_the_record_cannot_be_written(tmp_path, opened):
    session, _ = opened(retention=KEEP)
    session.begin(SAMPLES)

    def fail(path, replace):
        if path.endswith(".jsonl"):
            raise PermissionError
        replace()

    with replacing(fail):
        for epoch in range(1, 6):
            session.submit(job(tmp_path, epoch))
            hear(session)
        assert pictures(tmp_path) == [1, 2, 3, 4, 5]
    session.close()
    assert pictures(tmp_path) == [1, 4, 5]


def test_file_goes_also_where_the_values_of_samples_cannot_be_written(tmp_path, opened):
    def measured(job):
        save(job)
        metrics = {"mse": np.zeros(2, np.float32)}
        return Saved(GEOMETRY, metrics=metrics, summary={"mse": {"mean": 0.0}})

    session, _ = opened(retention=KEEP, save=measured, say=lambda line: None)
    session.begin(SAMPLES)
    (tmp_path / "run" / "snapshots-metrics.npz").write_text("mine")
    for epoch in range(1, 6):
        session.submit(job(tmp_path, epoch))
        hear(session)
    session.close()
    assert pictures(tmp_path) == [1, 4, 5]
    assert (tmp_path / "run" / "snapshots-metrics.npz").read_text() == "mine"


@pytest.mark.parametrize("content", ["run of somebody else", "no picture"])
def test_file_that_is_not_the_runs_own_is_not_removed(tmp_path, opened, content):
    session, _ = opened(retention=KEEP)
    session.begin(SAMPLES)
    for epoch in range(1, 6):
        session.submit(job(tmp_path, epoch))
        if epoch == 2:
            (tmp_path / "run" / "0002.png").write_text(content)
        hear(session)
    session.close()
    assert pictures(tmp_path) == [1, 2, 4, 5]
    assert (tmp_path / "run" / "0002.png").read_text() == content
    assert [one.epoch for one in Run.open(tmp_path / "run").removed] == [2, 3]


def test_file_of_a_format_that_tells_nothing_is_the_runs_own_by_its_record(tmp_path, opened):
    def unmarked(job):
        storage_of(job.path).replace(lambda file: file.write(b"unknown"))
        return Saved(GEOMETRY)

    keeping(opened, tmp_path, range(1, 6), save=unmarked)
    assert pictures(tmp_path) == [1, 4, 5]


def test_file_that_cannot_be_removed_is_said_once_and_tried_again(tmp_path, opened, monkeypatch):
    said, remove, broken = [], Local.remove, [True]

    def fail(place):
        if broken[0] and place.path.endswith(".png"):
            raise PermissionError("read-only")
        remove(place)

    monkeypatch.setattr(Local, "remove", fail)
    session, _ = opened(retention=KEEP, say=said.append)
    session.begin(SAMPLES)
    for epoch in range(1, 7):
        session.submit(job(tmp_path, epoch))
        hear(session)
    assert pictures(tmp_path) == [1, 2, 3, 4, 5, 6]
    broken[0] = False
    session.close()
    assert pictures(tmp_path) == [1, 5, 6]
    again = "It is tried again with each snapshot."
    assert said == [f"{tmp_path}/run/0002.png could not be removed: read-only. {again}"]


def test_picture_that_is_written_again_stays(tmp_path, opened):
    """A loop of one's own may save an epoch twice."""
    keeping(opened, tmp_path, [1, 2, 3, 2, 4])
    assert pictures(tmp_path) == [1, 2, 4]
    assert [one.epoch for one in Run.open(tmp_path / "run")] == [1, 2, 4]
    keeping(opened, tmp_path, [2, 2, 3, 4, 5, 3, 6], epochs_done=1)
    assert [one.epoch for one in Run.open(tmp_path / "run")] == [1, 3, 6] == pictures(tmp_path)


# What a kill leaves half done; each state is made by hand, and each start completes it


@pytest.fixture
def killed(tmp_path, opened):
    """A function that leaves a run of five epochs as a kill between two steps does."""

    def leave(*, marks, there):
        session, _ = opened()
        session.begin(SAMPLES)
        for epoch in range(1, 6):
            session.submit(job(tmp_path, epoch))
        session.close()
        record = tmp_path / "run" / "snapshots.jsonl"
        found = [json.loads(line) for line in record.read_text().splitlines()]
        lines = [{**one, "removed": True} if one["epoch"] in marks else one for one in found]
        record.write_text("".join(json.dumps(line) + "\n" for line in lines))
        for epoch in {1, 2, 3, 4, 5} - set(there):
            (tmp_path / "run" / f"{epoch:04d}.png").unlink()

    return leave


STATES = [
    pytest.param((), (1, 2, 3, 4, 5), id="before the marks"),
    pytest.param((2, 3), (1, 2, 3, 4, 5), id="before the first file"),
    pytest.param((2, 3), (1, 3, 4, 5), id="between two files"),
    pytest.param((2, 3), (1, 4, 5), id="behind the last"),
]


@pytest.mark.parametrize(("marks", "there"), STATES)
def test_resumed_run_completes_what_a_kill_left(tmp_path, opened, killed, marks, there):
    killed(marks=marks, there=there)
    keeping(opened, tmp_path, [6], epochs_done=5)
    assert pictures(tmp_path) == [1, 5, 6]
    assert marked(tmp_path) == [(epoch, epoch in (2, 3, 4)) for epoch in range(1, 7)]
    assert Run.open(tmp_path / "run").missed == []


@pytest.mark.parametrize(("marks", "there"), STATES[1:])
@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_new_run_completes_what_a_kill_left_of_the_one_before(
    tmp_path, opened, killed, marks, there, previous
):
    killed(marks=marks, there=there)
    session, _ = opened(previous=previous)
    session.begin(SAMPLES)
    session.submit(job(tmp_path, 2))
    assert pictures(tmp_path) == [2]
    aside = tmp_path / "run" / "previous-1"
    if previous == "delete":
        assert not aside.exists()
        return
    assert sorted(path.name for path in aside.glob("*.png")) == [
        "0001.png",
        "0004.png",
        "0005.png",
    ]
    run = Run.open(aside)
    assert [[one.epoch for one in some] for some in (run, run.removed, run.missed)] == [
        [1, 4, 5],
        [2, 3],
        [],
    ]


def test_start_leaves_what_is_not_the_runs_under_a_name_that_was_removed(tmp_path, opened, killed):
    killed(marks=(2, 3), there=(1, 4, 5))
    (tmp_path / "run" / "0003.png").write_text("run of somebody else")
    keeping(opened, tmp_path, [6], epochs_done=5)
    assert pictures(tmp_path) == [1, 3, 5, 6]


def test_run_that_is_resumed_behind_removed_snapshots_draws_them_again(tmp_path, opened):
    keeping(opened, tmp_path, range(1, 8))
    keeping(opened, tmp_path, [5, 6], epochs_done=4)
    run = Run.open(tmp_path / "run")
    assert [one.epoch for one in run] == [1, 5, 6]
    assert [one.epoch for one in run.removed] == [2, 3, 4]
    assert run.missed == []


def test_run_that_is_resumed_with_fewer_to_keep_has_fewer_at_once(tmp_path, opened):
    session, _ = opened()
    session.begin(SAMPLES)
    for epoch in range(1, 8):
        session.submit(job(tmp_path, epoch))
    session.close()
    session, start = opened(retention=KEEP, epochs_done=7)
    assert len(pictures(tmp_path)) == 7  # nothing goes before the rehearsal is over
    session.begin(start.samples)
    session.close()
    assert pictures(tmp_path) == [1, 6, 7]


# Bystander


def test_bystander_has_the_methods_of_a_session():
    def methods(kind):
        return {
            name: inspect.signature(method)
            for name, method in vars(kind).items()
            if inspect.isfunction(method) and not name.startswith("_")
        }

    assert methods(Bystander) == methods(Session)


def test_bystander_has_no_folder_and_tells_what_came_of_each_pass():
    session, error = Bystander(), ValueError("no memory")
    start = session.open(1, SAMPLES, 3, lambda epoch: True)
    assert (start.samples, start.steps, start.warnings) == (SAMPLES, 0, ())
    assert not session.has_begun
    session.begin(SAMPLES)
    assert session.has_begun
    session.submit(job("nowhere", 1))
    session.miss(job("nowhere", 2), error)
    drawn, missed = session.collect()
    assert (drawn.snapshot.path, drawn.error, drawn.is_drawn) == ("", None, True)
    assert (missed.snapshot.missed, missed.error) == ("ValueError: no memory", error)
    assert not missed.is_drawn
    assert list(session.collect()) == []
    session.abandon()
    assert session.flush()
    assert session.close()
