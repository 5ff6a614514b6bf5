"""Whatever is lost of a run where the power fails, its record is true and a start goes on from there.

Each story of trainings is recorded once, operation by operation of its local disk; then each folder that
may be left of it is looked at, and started in.
"""

import itertools
import json
import operator
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from support.crashes import Operation, Recorder, Volume, read_tree, subsets, write_tree
from support.sessions import Trainings, explain, values

from keras_image_saver import Run
from keras_image_saver.run.files import (
    LATEST_SCRIPT,
    MOVING,
    PAGE,
    RECORD,
    RUN_FILE,
    is_page_name,
    is_temporary,
    previous_number,
    script_name,
    twin_name,
)
from keras_image_saver.run.lines import read_entries, record_files
from keras_image_saver.run.previous import complete
from keras_image_saver.run.run_file import read_run
from keras_image_saver.run.values import values_files
from keras_image_saver.viewers.page import page_html, write_page

OWN = {"run/photo.png": b"mine", "run/notes.txt": b"mine too"}  # the user's, beside the run


@pytest.fixture
def memory():
    """A folder that no disk is waited for in, where the system has one."""
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def one_thread_and_short_segments(monkeypatch):
    def refuse(thread):
        raise RuntimeError("there are as many threads as the system allows")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 2)
    monkeypatch.setattr("keras_image_saver.run.values.ROWS", 2)
    monkeypatch.setattr("keras_image_saver.viewers.page.twins.EVERY_S", 0.0)


# Stories


def begins(train):
    train(5)


def resumes(train):
    train(6, killed=True)
    train(5, first=3)
    train(6, first=5)


def keeps_few(train):
    train(7, keep=2)
    train(8, first=5, keep=2)


def sets_aside(train):
    train(5)
    train(2)
    train(1)


def deletes(train):
    train(5)
    train(2, previous="delete")


def all_of_it(train):
    train(3, killed=True)
    train(5, first=2, keep=2)
    train(3)
    train(2, previous="delete", killed=True)
    train(4, first=2)


STORIES = [begins, resumes, keeps_few, sets_aside, deletes, all_of_it]


class Told(NamedTuple):
    """What was said by some moment; see `Trainings`."""

    snapshots: frozenset = frozenset()
    epochs: int = 0


NOTHING = Told()


class Recorded(NamedTuple):
    """A story: what there was before, what was done, what was said when, and what there was then.

    What was said stands by the number of operations that were done before it.
    """

    before: dict
    operations: list
    told: list
    after: dict
    name: str


def recorded(memory, story, name, before, told=NOTHING):
    real = memory / "recorded"
    real.mkdir()
    write_tree(before, real)
    recorder, said = Recorder(real), []

    def heard(trainings):
        said.append((len(recorder.operations), Told(trainings.told, trainings.epochs)))

    with recorder.recording():
        story(Trainings(real / "run", name, told.snapshots, heard).train)
    after = read_tree(real)
    shutil.rmtree(real)
    return Recorded(before, recorder.operations, said, after, name)


# Pictures in the run's own folder, which has files of the user's, or in one an epoch, in one to be made.
PLACES = {
    "flat": ("{epoch:04d}.png", {"run": None, **OWN}),
    "deep": ("{epoch:02d}/picture.png", {}),
}

_told = {}  # stories that have been recorded, by their names and places


def told_of(memory, story, place):
    """Return a story that begins with nothing, recorded once."""
    if (story, place) not in _told:
        _told[story, place] = recorded(memory, story, *PLACES[place])
    return _told[story, place]


each_story = pytest.mark.parametrize("story", STORIES)
each_place = pytest.mark.parametrize("place", PLACES)


def left(story, most=None):
    """Yield what may be left of a story where the power fails, and what was said by then.

    It fails after each operation, or after so many that are drawn. Of all that may be left then one is
    drawn, or several where it fails after each and much may be lost.
    """
    random, volume, count = Random(3), Volume(story.before), len(story.operations)
    some = {*random.sample(range(count), min(most or count, count))}
    for number, operation in enumerate(story.operations):
        volume.do(operation)
        told = [told for before, told in story.told if before <= number + 1][-1]
        draws = 1 if most else min(5, 1 + len(volume.pending) // 3)
        for _ in range(draws if number in some else 0):
            yield volume.drawn(random), told


# What must hold


def folders(root):
    """Return the run's folder, and those to which runs were moved."""
    return [root, *(root / name for name in sorted(os.listdir(root)) if previous_number(name))]


def is_moving(root):
    return any((one / MOVING).exists() for one in folders(root))


def assert_records_are_true(root, told, *, started):
    """Each picture that a record names is whole and the one that it tells of; what was told is there.

    As long as a run is being moved, its record and its pictures may stand in two folders.
    """
    found = set()
    moving = [] if started or not is_moving(root) else folders(root)
    for folder in folders(root):
        if not record_files(str(folder)):
            assert not started, f"{folder} has no record"
            continue
        run = Run.open(folder)
        assert run.id or not started
        for one in run:
            name = os.path.relpath(one.path, folder)
            there = [place / name for place in (folder, *moving) if (place / name).exists()]
            assert there, f"{one.path} is not there"
            said = json.loads(there[0].read_bytes())
            assert (said["epoch"], said["step"]) == (one.epoch, one.step)
            assert run.id in (said["run"], "")
            found.add((said["run"], one.epoch))
            # Of a picture without an entry nothing tells what each sample had.
            if not moving and (one.metrics or (said["run"], one.epoch) in told):
                assert one.metrics["mae"].tolist() == values(one.epoch).tolist()
        # Without its `run.json`, nothing but its pictures tells which run it is.
        removed = {one.epoch for one in run.removed}
        found |= {one for one in told if one[1] in removed and run.id in (one[0], "")}
        assert started is False or run.samples is None or run.samples.inputs.shape == (2, 3)
    assert told <= found, f"{told - found} were lost"


def page_parts(folder):
    """Return what the scripts of a page hand to it, and their twins to others; each of them is whole."""
    found = {}
    for path in filter(lambda path: is_page_name(path.name), folder.iterdir()):
        text = path.read_text()
        if path.name == PAGE:
            assert text == page_html()
            continue
        pattern = r"// .*\nkerasImageSaver\((.*)\);\n"
        if path.suffix == ".html":
            pattern = r"(?s)<!DOCTYPE html>.*application/json\">\[(.*?)\]</script>.*</html>\n"
        whole = re.fullmatch(pattern, text)
        assert whole, f"{path} is torn"
        _, part = json.loads(f"[{whole[1]}]")
        found[path.name] = json.loads(part)
    return found


def assert_page_tells_the_record(folder):
    parts, names = page_parts(folder), record_files(str(folder))
    for name in names:
        entries, _ = read_entries(str(folder), [name])
        assert parts[script_name(name)]["entries"] == entries
    assert parts[script_name(RECORD)]["segments"] == len(names) - 1
    assert (folder / PAGE).exists()
    # Of a file that is gone a script may be left, which no other one names.
    for name in (*names, *values_files(str(folder)), RUN_FILE, LATEST_SCRIPT):
        assert parts[script_name(name)] == parts[twin_name(script_name(name))]


def assert_is_in_order(root, told):
    """What a training that came to its end leaves."""
    assert_records_are_true(root, told, started=True)
    assert_page_tells_the_record(root)
    assert not is_moving(root)
    assert [path for path in root.rglob("*") if is_temporary(path.name)] == []


def pictures(root):
    """The whole pictures below, and which snapshots they are of."""
    found = {}
    for path in filter(os.path.isfile, root.rglob("*.png")):
        content = path.read_bytes()
        if content not in OWN.values():
            said = json.loads(content)
            found[content] = (said["run"], said["epoch"])
    return found


def run_in(root):
    about, _ = read_run(str(root))
    return {} if about is None else about


def going(root):
    """The snapshots whose pictures go at the next start, if they are there still."""
    if run_in(root).get("state") == "deleting":
        return {one for one in pictures(root).values() if one[0] == run_in(root)["id"]}
    removed = Run.open(root).removed if record_files(str(root)) else ()
    return {(run_in(root).get("id"), one.epoch) for one in removed}


# Ways to go on


def begin(root, told, name):
    before, goes = pictures(root), going(root)
    Trainings(root, name).train(1)
    after = pictures(root)
    assert {one for content, one in before.items() if content not in after} <= goes
    assert_is_in_order(root, told.snapshots)
    assert [one.epoch for one in Run.open(root)] == [1]


def resume(root, told, name, *, earlier=0):
    first = max(1, told.epochs - earlier)
    redrawn = {one for one in told.snapshots if one[0] == run_in(root).get("id") and one[1] > first}
    Trainings(root, name).train(first + 1, first=first)
    assert_is_in_order(root, told.snapshots - redrawn)
    run = Run.open(root)
    epochs = sorted(one.epoch for one in (*run, *run.missed, *run.removed))
    # It begins later where nothing was recorded when it was gone on with before.
    assert epochs == [*range(epochs[0], first + 2)]


def resume_earlier(root, told, name):
    resume(root, told, name, earlier=1)


def delete(root, told, name):
    complete(str(root), explain)
    gone = {one for one in told.snapshots if one[0] == run_in(root).get("id")}
    Trainings(root, name).train(1, previous="delete")
    assert_is_in_order(root, told.snapshots - gone)
    assert not gone & {*pictures(root).values()}


def only_look(root, told, name):
    assert_records_are_true(root, told.snapshots, started=False)
    page_parts(root)
    if record_files(str(root)):
        write_page(str(root))
        page_parts(root)


WAYS = [only_look, begin, resume, resume_earlier, delete]


def go_on(memory, tree, told, name, way):
    """Go on from what is left, in a folder of its own."""
    root = memory / "left"
    root.mkdir()
    write_tree(tree, root)
    own = {path: content for path, content in OWN.items() if path in tree}
    if (root / "run").exists() or told.snapshots or way is not only_look:
        way(root / "run", told, name)
    after = read_tree(root)
    assert {path: after.get(path) for path in own} == own
    shutil.rmtree(root)


def check(memory, name, states):
    """Go on from what is left, one way after another."""
    for (tree, told), way in zip(states, itertools.cycle(WAYS)):
        go_on(memory, tree, told, name, way)


@each_place
@each_story
def test_what_is_done_again_in_memory_leaves_the_folder_of_the_real_disk(memory, story, place):
    found = told_of(memory, story, place)
    volume = Volume(found.before)
    for operation in found.operations:
        volume.do(operation)
    assert volume.now() == found.after
    assert any(told.snapshots for _, told in found.told)


@each_place
@each_story
@pytest.mark.parametrize("most", [10, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_run_goes_on_from_what_is_left_where_the_power_fails(memory, story, place, most):
    found = told_of(memory, story, place)
    check(memory, found.name, left(found, most))


@pytest.mark.parametrize("most", [2, pytest.param(10, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(("first", "previous"), [(0, "keep"), (0, "delete"), (1, "keep")])
def test_power_may_fail_again_in_the_start_after(memory, first, previous, most):
    before = told_of(memory, all_of_it, "flat")
    for tree, told in left(before, most):
        done = first and max(1, told.epochs)
        goes_on = operator.methodcaller("__call__", done + 2, first=done, previous=previous)
        found = recorded(memory, goes_on, before.name, tree, told)
        check(memory, before.name, left(found, 5))


# The layer itself


@pytest.mark.parametrize("kind", ["force", "sync_folder"])
def test_what_is_not_made_to_last_is_noticed(memory, kind):
    story = recorded(memory, operator.methodcaller("__call__", 1), *PLACES["flat"])
    lasting = [one for one in story.operations if one.kind != kind]
    assert len(lasting) < len(story.operations)
    with pytest.raises((AssertionError, ValueError, UserWarning, pytest.fail.Exception)):
        check(memory, story.name, left(story._replace(operations=lasting), 100))


def test_deletion_whose_steps_may_last_in_any_order_is_noticed(memory, monkeypatch):
    def deletes_at_once(train):
        train(3)
        train(0, previous="delete")

    monkeypatch.setattr("keras_image_saver.run.moves.sync_all", lambda files: None)
    story = recorded(memory, deletes_at_once, *PLACES["flat"])
    with pytest.raises((AssertionError, ValueError), match=r"is not there|belongs to no run"):
        check(memory, story.name, reversed([*left(story)]))


def done(*operations, before=None):
    volume = Volume(before or {"a": None, "b": None, "a/old": b"1"})
    for operation in operations:
        volume.do(Operation(*operation))
    return [
        {path: content for path, content in tree.items() if content is not None}
        for tree in volume.left(Random(1))
    ]


def test_file_that_is_not_forced_may_be_empty_torn_or_whole():
    write = ("write", "a/new", "", b"1234")
    assert done(("create", "a/new"), write, ("sync_folder", "a")) == [
        {"a/old": b"1", "a/new": content} for content in (b"", b"12", bytes(4), b"1234")
    ]
    assert done(("create", "a/new"), write, ("force", "a/new"), ("sync_folder", "a")) == [
        {"a/old": b"1", "a/new": b"1234"}
    ]


def test_names_of_a_folder_that_is_not_synced_may_be_those_before():
    rename = ("rename", "a/old", "a/new")
    assert done(rename) == [{"a/old": b"1"}, {"a/new": b"1"}]
    assert done(rename, ("sync_folder", "b")) == [{"a/old": b"1"}, {"a/new": b"1"}]
    assert done(rename, ("sync_folder", "a")) == [{"a/new": b"1"}]
    assert done(("unlink", "a/old")) == [{"a/old": b"1"}, {}]


def test_file_on_its_way_to_another_folder_has_one_name_or_both_and_never_none():
    rename = ("rename", "a/old", "b/new")
    one, both, other = {"a/old": b"1"}, {"a/old": b"1", "b/new": b"1"}, {"b/new": b"1"}
    assert done(rename) == [one, one, both, other]  # the old name stays where the new one is lost
    assert done(rename, ("sync_folder", "b")) == [both, other]
    assert done(rename, ("sync_folder", "a")) == [other]
    assert done(rename, ("sync_folder", "b"), ("sync_folder", "a")) == [other]


def test_what_is_in_a_folder_that_is_lost_is_lost_with_it():
    made = [("make_folder", "c"), ("create", "c/new"), ("sync_folder", "c")]
    assert done(*made) == [{"a/old": b"1"}, {"a/old": b"1", "c/new": b""}]
    assert done(*made, ("sync_folder", ".")) == [{"a/old": b"1", "c/new": b""}]


def test_many_changes_are_lost_alone_from_one_on_and_all_but_one():
    ways = subsets(8, Random(1))
    assert len(subsets(5, Random(1))) == 32
    assert len(ways) == len({*ways}) > 8 + 8 + 8
    for number in range(8):
        alone = tuple(other == number for other in range(8))
        assert {alone, tuple(not one for one in alone)} < {*ways}
        assert tuple(other < number for other in range(8)) in ways
