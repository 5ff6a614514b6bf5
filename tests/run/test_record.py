import itertools
import json
import math
import os
import time

import numpy as np
import pytest
from support.storage import replacing

from keras_image_saver import Run
from keras_image_saver.run.found import cut
from keras_image_saver.run.lines import Line, line_of, read_record, record_files
from keras_image_saver.run.record import (
    SEGMENT,
    Record,
    Snapshot,
    entry_of,
    reason_of,
    snapshot_of,
)
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.storage import Local
from keras_image_saver.run.values import StoredValues


def entry(epoch, *, file="{:04d}.png", batch=4, **changes):
    name = file.format(epoch) if file else None
    found = {"format": 1, "epoch": epoch, "batch": batch, "step": epoch * 4, "file": name}
    return found | {"time": 1.5, "logs": {}, "missed": name is None} | changes


def write(folder, entries, name="snapshots.jsonl"):
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def snapshot(folder, epoch, **changes):
    fields = {"batch": 4, "step": epoch * 4, "path": f"{folder}/{epoch:04d}.png", "time": 2.0}
    return Snapshot(epoch, **(fields | changes))


def test_run_gives_snapshots_with_paths_and_logs_in_the_order_of_steps(tmp_path):
    write(tmp_path, [entry(2, logs={"loss": 0.5}), entry(1, logs={"loss": "NaN", "a/b": [1]})])
    run = Run.open(str(tmp_path))
    assert [(one.epoch, one.step) for one in run] == [(1, 4), (2, 8)]
    assert [one.path for one in run] == [f"{tmp_path}/0001.png", f"{tmp_path}/0002.png"]
    first, second = run
    assert math.isnan(first.logs["loss"])
    assert first.logs["a/b"] == [1]
    assert second.logs == {"loss": 0.5}
    assert len(run) == 2
    assert run.missed == []


def test_run_keeps_missed_snapshots_apart(tmp_path):
    write(tmp_path, [entry(1), entry(2, file=None, reason="OSError: disk full")])
    run = Run.open(str(tmp_path))
    assert [one.epoch for one in run] == [1]
    assert [(one.epoch, one.path, one.missed) for one in run.missed] == [
        (2, "", "OSError: disk full")
    ]


def test_run_takes_the_last_entry_of_a_key(tmp_path):
    write(tmp_path, [entry(1, logs={"loss": 1}), entry(2), entry(1, logs={"loss": 2})])
    assert [(one.epoch, one.logs) for one in Run.open(str(tmp_path))] == [(1, {"loss": 2}), (2, {})]


def test_run_without_a_record_names_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        Run.open(str(tmp_path))


def test_run_from_a_newer_version_says_so(tmp_path):
    write(tmp_path, [entry(1, format=7)])
    with pytest.raises(ValueError, match=r"newer keras_image_saver \(format 7, this one reads 1\)"):
        Run.open(str(tmp_path))


def test_run_with_unreadable_lines_reads_the_others_and_says_how_many(tmp_path):
    write(tmp_path, [entry(1), '{"epoch": 2, "ba', "[]", "", entry(3)])
    with pytest.warns(UserWarning, match="2 lines of the record"):
        run = Run.open(str(tmp_path))
    assert [one.epoch for one in run] == [1, 3]


def test_run_keeps_what_it_does_not_know(tmp_path):
    write(tmp_path, [entry(1, invented={"a": 1})])
    assert [one.epoch for one in Run.open(str(tmp_path))] == [1]


@pytest.mark.parametrize(
    "file",
    [
        "../secret.png",
        "a/../../b.png",
        "/etc/passwd",
        "C:\\x.png",
        "..\\x.png",
        "gs://b/x.png",
        "",
        "a/..",
    ],
)
def test_run_refuses_a_file_outside_its_folder(tmp_path, file):
    write(tmp_path, [entry(1) | {"file": file}])
    with pytest.raises(ValueError, match="names a file outside its folder"):
        Run.open(str(tmp_path))


def test_run_refuses_a_file_that_a_link_leads_outside(tmp_path):
    (tmp_path / "run").mkdir()
    os.symlink(tmp_path, tmp_path / "run" / "link")
    write(tmp_path / "run", [entry(1) | {"file": "link/x.png"}])
    with pytest.raises(ValueError, match=r"outside its folder, 'link/x\.png'"):
        Run.open(str(tmp_path / "run"))


def test_record_writes_one_entry_a_line_with_relative_files_and_plain_json(tmp_path):
    record = Record(str(tmp_path))
    record.add(snapshot(tmp_path, 1, logs={"loss": float("nan")}, path=f"{tmp_path}/a/1.png"))
    record.add(snapshot(tmp_path, 2, path="", missed="OSError: full"))
    record.write()
    lines = (tmp_path / "snapshots.jsonl").read_text().splitlines()
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in lines)
    assert (first["file"], first["logs"], first["missed"]) == ("a/1.png", {"loss": "NaN"}, False)
    assert (second["file"], second["missed"], second["reason"]) == (None, True, "OSError: full")


@pytest.mark.parametrize("count", [1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 3])
@pytest.mark.parametrize("each", [True, False], ids=["written each", "written once"])
def test_record_splits_into_segments_of_at_most_256(tmp_path, count, each):
    record = Record(str(tmp_path))
    for epoch in range(1, count + 1):
        record.add(snapshot(tmp_path, epoch))
        if each:
            record.write()
    record.write()
    names = record_files(str(tmp_path))
    full = (count - 1) // SEGMENT
    assert names == [f"snapshots-{n:04d}.jsonl" for n in range(full)] + ["snapshots.jsonl"]
    sizes = [len((tmp_path / name).read_text().splitlines()) for name in names]
    assert sizes == [SEGMENT] * full + [count - full * SEGMENT]
    assert [one.epoch for one in Run.open(str(tmp_path))] == list(range(1, count + 1))


def test_record_costs_the_same_however_long_the_run_is(tmp_path):
    written = []

    def counted(path, replace):
        replace()
        written.append(os.path.getsize(path))

    record = Record(str(tmp_path))
    with replacing(counted):
        for epoch in range(1, 6 * SEGMENT + 1):
            record.add(snapshot(tmp_path, epoch))
            record.write()
    assert len(written) == 6 * SEGMENT + 5
    assert max(written[-SEGMENT:]) < 1.1 * max(written[:SEGMENT])


def keep(folder, count, most, **options):
    """A record of so many epochs, of which few pictures stay, written each and told of at once."""
    record = Record(str(folder), retention=Retention(most), **options)
    for epoch in range(1, count + 1):
        record.add(snapshot(folder, epoch))
        record.write()
        record.free(snapshot(folder, epoch))
    return record


def epochs(some):
    return [one.epoch for one in some]


@pytest.fixture
def short_segments(monkeypatch):
    """Files of the record hold four lines."""
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 4)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 13])
@pytest.mark.parametrize("count", [5, 14])
def test_record_marks_what_is_removed_in_any_segment(tmp_path, count, most, short_segments):
    record, gone = Record(str(tmp_path), retention=Retention(most)), []
    for epoch in range(1, count + 1):
        record.add(snapshot(tmp_path, epoch))
        record.write()
        gone += record.take_removed()
        record.free(snapshot(tmp_path, epoch))
    run = Run.open(str(tmp_path))
    newest = range(max(2, count - most + 1), count + 1)
    assert epochs(run) == [1, *newest]
    assert epochs(run.removed) == [*range(2, newest[0])]
    assert gone == [one.path for one in run.removed]
    assert run.missed == []


@pytest.mark.parametrize("most", [1, 3, 4, 10])
def test_record_that_marks_costs_the_same_however_long_the_run_is(tmp_path, most, short_segments):
    written = []

    def counted(path, replace):
        replace()
        written.append(os.path.getsize(path))

    with replacing(counted):
        record = keep(tmp_path, 60, most)
    assert len(written) <= 2 * 60 + 60 // 4  # at most the newest file and one more, or a full one
    longest = os.path.getsize(tmp_path / "snapshots-0005.jsonl")  # of four lines, marked
    assert max(written) < 1.1 * longest
    assert len(record._newest) <= most + 2 * 4


def test_record_that_keeps_all_holds_no_full_segment_in_memory(tmp_path, short_segments):
    assert len(keep(tmp_path, 11, None)._newest) == 3


def test_mark_that_storage_lacks_is_written_with_the_next_entry(tmp_path, short_segments):
    def full(path, replace):
        raise OSError(28, "No space left on device")

    record = keep(tmp_path, 6, 2)
    with replacing(full):
        for epoch in (7, 8):
            record.add(snapshot(tmp_path, epoch))
            record.free(snapshot(tmp_path, epoch))
            with pytest.raises(OSError, match="No space"):
                record.write()
    assert [path[-8:] for path in record.take_removed()] == ["0002.png", "0003.png", "0004.png"]
    record.write()
    assert not record.is_behind
    assert [path[-9:] for path in record.take_removed()] == ["/0005.png", "/0006.png"]
    assert record.take_removed() == []
    assert epochs(Run.open(str(tmp_path))) == [1, 7, 8]


def test_mark_keeps_what_this_version_does_not_know_of_an_entry(tmp_path):
    entries = [entry(epoch, future={"epoch": epoch}) for epoch in (1, 2, 3)]
    write(tmp_path, entries)
    Record(str(tmp_path), read_record(str(tmp_path)).lines, retention=Retention(1)).rewrite()
    lines = (tmp_path / "snapshots.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        entries[0],
        {**entries[1], "removed": True},
        entries[2],
    ]


def test_run_is_neither_stopped_nor_slow_where_snapshots_were_removed(tmp_path):
    """What was removed tells of the interval between snapshots too."""
    now = time.time()
    entries = [
        entry(epoch, time=now - 100 + epoch, removed=1 < epoch < 99) for epoch in range(1, 100)
    ]
    assert Run(str(tmp_path), map(spelled, entries), {"state": "running"}).state == "running"
    late = [{**one, "time": one["time"] - 50} for one in map(spelled, entries)]
    assert Run(str(tmp_path), late, {"state": "running"}).state == "stopped"


def spelled(one):
    return {**one, "file": one["file"].format(one["epoch"])}


def test_record_keeps_entries_while_storage_fails_and_writes_them_later(tmp_path):
    def full(path, replace):
        raise OSError(28, "No space left on device")

    record = Record(str(tmp_path))
    with replacing(full):
        for epoch in range(1, SEGMENT + 3):
            record.add(snapshot(tmp_path, epoch))
            with pytest.raises(OSError, match="No space"):
                record.write()
    assert record.is_behind
    assert record_files(str(tmp_path)) == []
    record.write()
    assert not record.is_behind
    assert len(Run.open(str(tmp_path))) == SEGMENT + 2


def test_record_rewritten_after_a_cut_has_no_segment_left_over(tmp_path):
    record = Record(str(tmp_path))
    for epoch in range(1, 3 * SEGMENT + 1):
        record.add(snapshot(tmp_path, epoch))
    record.write()
    Record(str(tmp_path), cut(read_record(str(tmp_path)).lines, SEGMENT + 10)).rewrite()
    assert record_files(str(tmp_path)) == ["snapshots-0000.jsonl", "snapshots.jsonl"]
    assert len(Run.open(str(tmp_path))) == SEGMENT + 10


def test_record_tells_when_another_run_has_written_in_its_folder(tmp_path):
    record = Record(str(tmp_path))
    record.add(snapshot(tmp_path, 1))
    record.write()
    record.check_ours()
    write(tmp_path, [entry(9)])
    with pytest.raises(ValueError, match=r"another run has begun since .*Use a new ImageSaver"):
        record.check_ours()
    (tmp_path / "snapshots.jsonl").unlink()
    record.check_ours()


def test_record_that_is_being_written_is_ours(tmp_path):
    """As by what an interrupted `fit` left queued, when the next one begins."""
    found = []
    record = Record(str(tmp_path), mirror=lambda name, entries: found.append(record.check_ours()))
    for epoch in (1, 2):
        record.add(snapshot(tmp_path, epoch))
        record.write()
    assert found == [None, None]


# Lines that cannot be read


def odd_lines():
    """What no entry of ours says."""
    good = json.dumps(entry(2))
    yield "cut", good[:40]
    yield "conflict", "<<<<<<< HEAD"
    yield "brackets", "[" * 200_000
    yield "deep logs", json.dumps(entry(2, logs={"a": 0})).replace("0}", "[" * 60 + "]" * 60 + "}")
    yield "null", "null"
    yield "no batch", '{"epoch": 2}'
    changes = {
        "epoch": [None, "2", 2.0, -1, True, [2], 10**400],
        "batch": [None, {}, -1, False],
        "step": [None, 1.5, "8", -3, 2**60],
        "time": ["now", None, [], -1.0, 10**15, True],
        "logs": ["text", [1], 5],
        "geometry": ["text", [1], 5],
        "file": [5, [], {}, True, "a\0.png", "\ud800.png"],
        "format": ["1", None, 0, -1, 1.5, True],
    }
    for name, values in changes.items():
        for value in values:
            yield f"{name} {value!r:.9}", json.dumps(entry(2) | {name: value})
    for name in ("epoch", "step", "time"):
        for value in ("1e999", "-1e999", "NaN", "Infinity"):
            yield f"{name} {value}", json.dumps(entry(2) | {name: "odd"}).replace('"odd"', value)


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in odd_lines()])
def test_odd_line_is_left_out_said_and_kept(tmp_path, line):
    write(tmp_path, [entry(1), line, entry(3)])
    with pytest.warns(UserWarning, match="1 lines of the record .* left out, of snapshots.jsonl"):
        run = Run.open(str(tmp_path))
    assert [one.epoch for one in run] == [1, 3]
    before = (tmp_path / "snapshots.jsonl").read_bytes()
    Record(str(tmp_path), read_record(str(tmp_path)).lines).rewrite()
    assert (tmp_path / "snapshots.jsonl").read_bytes() == before


def test_numbers_that_json_lacks_are_read_in_logs(tmp_path):
    write(tmp_path, [json.dumps(entry(1, logs={"a": 0})).replace("0}", "[NaN, 1e999, -1e999]}")])
    (one,) = Run.open(str(tmp_path))
    assert math.isnan(one.logs["a"][0])
    assert one.logs["a"][1:] == [math.inf, -math.inf]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_record_that_an_editor_saved_is_read_and_kept(tmp_path, mark, end):
    lines = [json.dumps(entry(epoch, invented=[1.50])).encode() for epoch in (1, 2)]
    (tmp_path / "snapshots.jsonl").write_bytes(mark + end.join(lines) + b"\n")
    before = (tmp_path / "snapshots.jsonl").read_bytes()
    assert [one.epoch for one in Run.open(str(tmp_path))] == [1, 2]
    Record(str(tmp_path), read_record(str(tmp_path)).lines).rewrite()
    assert (tmp_path / "snapshots.jsonl").read_bytes() == before


@pytest.mark.parametrize("content", ["mine", "[]\n5\n", "{}", "\0" * 300])
def test_record_of_which_no_line_can_be_read_is_refused(tmp_path, content):
    (tmp_path / "snapshots.jsonl").write_text(content)
    with pytest.raises(ValueError, match=r"must have a line that can be read, got \d of snapshots"):
        Run.open(str(tmp_path))


def test_record_without_a_line_is_a_run_without_snapshots(tmp_path):
    (tmp_path / "snapshots.jsonl").write_text("\n \n")
    assert len(Run.open(str(tmp_path))) == 0


# A record that grows while it is read


def test_reader_misses_nothing_while_a_file_of_the_record_fills_up(tmp_path, monkeypatch):
    """At each look of the reader at storage, the writer goes on by one file."""
    record = Record(str(tmp_path))
    for epoch in range(1, 2 * SEGMENT + 1):
        record.add(snapshot(tmp_path, epoch))
    record.write()
    steps, epochs = [], itertools.count(2 * SEGMENT + 1)

    def grow():
        """Write the next file of what is added; two are due where one fills up."""
        if not steps:
            record.add(snapshot(tmp_path, next(epochs)))
            pending = []
            with replacing(lambda path, replace: pending.append(replace)):
                record.write()
            steps.extend(pending)
        steps.pop(0)()

    for looks in range(1, 12):
        count = looks
        names, opened = Local.names, Local.open

        def counted(method):
            def call(place):
                nonlocal count
                count -= 1
                if count == 0:
                    grow()
                return method(place)

            return call

        before = len(Run.open(str(tmp_path)))
        with monkeypatch.context() as patch:
            patch.setattr(Local, "names", counted(names))
            patch.setattr(Local, "open", counted(opened))
            found = len(Run.open(str(tmp_path)))
        assert before <= found <= before + 1


def test_reader_tries_again_where_the_run_was_moved_meanwhile(tmp_path, monkeypatch):
    old, new = [entry(1), entry(2)], [entry(7)]
    write(tmp_path, old[:1], "snapshots-0000.jsonl")
    write(tmp_path, old[1:])
    names = Local.names

    def moved(place):
        found = names(place)
        if (tmp_path / "snapshots-0000.jsonl").exists():
            (tmp_path / "snapshots-0000.jsonl").unlink()
            write(tmp_path, new)
        return found

    monkeypatch.setattr(Local, "names", moved)
    assert [one.epoch for one in Run.open(str(tmp_path))] == [7]


# Entries and snapshots

FULL = {
    "format": 1,
    "epoch": 3,
    "batch": 4,
    "step": 12,
    "file": "a/0003.png",
    "time": 1.235,
    "logs": {"loss": "NaN", "top": [1.0, "Infinity"]},
    "missed": False,
    "weights": "ema",
    "metrics": {"mae": {"mean": "NaN", "least": 0, "most": 1, "nan": 2, "worst": [[0, "NaN"]]}},
    "geometry": {"columns": 2},
}


def test_entry_says_of_a_snapshot_what_there_is_to_say():
    summary = {"mae": {"mean": math.nan, "least": 0, "most": 1, "nan": 2, "worst": [[0, math.nan]]}}
    logs = {"loss": math.nan, "top": [1.0, math.inf]}
    told = {"geometry": {"columns": 2}, "weights": "ema", "summary": summary}
    full = Snapshot(3, 4, 12, "run/a/0003.png", logs, 1.23456, **told)
    assert entry_of("run", full) == FULL
    assert list(entry_of("run", full)) == list(FULL)
    assert entry_of("run", Snapshot(0, 0, 0, "", missed="full")) == {
        "format": 1, "epoch": 0, "batch": 0, "step": 0, "file": None, "time": 0.0, "logs": {},
        "missed": True, "reason": "full", "geometry": {},
    }  # fmt: skip


def test_snapshot_says_what_its_entry_does():
    found = snapshot_of("run", FULL)
    assert (found.epoch, found.batch, found.step, found.path) == (3, 4, 12, "run/a/0003.png")
    assert (found.time, found.missed, found.weights, found.removed) == (1.235, "", "ema", False)
    assert (found.geometry, found.image) == ({"columns": 2}, None)
    assert math.isnan(found.logs["loss"])
    assert found.logs["top"] == [1.0, math.inf]
    assert found.summary["mae"]["most"] == 1
    assert math.isnan(found.summary["mae"]["worst"][0][1])
    assert (dict(found.metrics), dict(found.class_metrics)) == ({}, {})  # no file has any
    assert entry_of("run", found) == FULL
    assert snapshot_of("run", {**FULL, "removed": True}).removed


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, "unknown"),
        ({"reason": None}, "unknown"),
        ({"reason": "OSError: full"}, "OSError: full"),
    ],
)
def test_snapshot_of_a_poor_entry_is_plain(changes, missed):
    found = snapshot_of("run", {"epoch": 1, "batch": 2, **changes})
    assert found == Snapshot(1, 2, 0, "", missed=missed)
    # Files of values are looked at where there are measures, and then only once they are asked for.
    assert isinstance(found.metrics, dict)
    assert isinstance(found.class_metrics, dict)
    measured = snapshot_of("run", FULL)
    assert isinstance(measured.metrics, StoredValues)
    assert isinstance(measured.class_metrics, StoredValues)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (ValueError("two\n  lines\tand  more"), "ValueError: two lines and more"),
        (ValueError("x" * 201), f"ValueError: {'x' * 200}"),
        (KeyError(), "KeyError: "),
    ],
    ids=repr,
)
def test_reason_of_a_missed_snapshot_is_one_line(error, reason):
    assert reason_of(error) == reason


# What follows a record


def test_mirror_follows_each_file_that_is_written_or_removed(tmp_path, short_segments):
    heard = []
    record = Record(str(tmp_path), mirror=lambda *one: heard.append(one))
    for epoch in range(1, 6):
        record.add(snapshot(tmp_path, epoch))
    record.write()
    assert [(name, epochs_of(found)) for name, found in heard] == [
        ("snapshots-0000.jsonl", [1, 2, 3, 4]),
        ("snapshots.jsonl", [5]),
    ]
    del heard[:]
    lines = read_record(str(tmp_path)).lines
    Record(
        str(tmp_path), [lines[0], Line(b"odd", None)], mirror=lambda *one: heard.append(one)
    ).rewrite()
    assert [(name, found and epochs_of(found)) for name, found in heard] == [
        ("snapshots.jsonl", [1]),
        ("snapshots-0000.jsonl", None),
    ]


def epochs_of(entries):
    return [one["epoch"] for one in entries]


def test_record_tells_how_many_pictures_storage_has_no_entry_of(tmp_path, short_segments):
    record = Record(str(tmp_path), [line_of(entry(1)), line_of(entry(2))])
    # Those that were read have their pictures there.
    assert (record.pictures_behind, record.is_behind) == (2, True)
    record.write()
    assert (record.pictures_behind, record.is_behind) == (0, False)
    for epoch in (3, 4, 5, 6):
        record.add(snapshot(tmp_path, epoch, path="" if epoch == 4 else f"{tmp_path}/{epoch}.png"))
    assert (record.pictures_behind, record.is_behind) == (3, True)
    record.write()
    assert (record.pictures_behind, record.is_behind) == (0, False)
    record.add(snapshot(tmp_path, 7))
    assert record.pictures_behind == 1


def test_record_that_is_added_to_while_it_is_written_is_behind(tmp_path):
    record = Record(str(tmp_path))
    record.add(snapshot(tmp_path, 1))

    def add(path, replace):
        replace()
        record.add(snapshot(tmp_path, 2))

    with replacing(add):
        record.write()
    assert (record.is_behind, record.pictures_behind) == (True, 1)


def test_record_without_a_file_is_not_made_by_being_rewritten(tmp_path):
    Record(str(tmp_path), [line_of(entry(1))]).rewrite()
    assert record_files(str(tmp_path)) == []


def test_values_of_samples_that_cannot_be_written_leave_the_entries(tmp_path, monkeypatch):
    record = Record(str(tmp_path))
    values = {"metrics": {"mae": np.zeros(2, np.float32)}, "summary": {}}
    record.add(snapshot(tmp_path, 1, **values))
    (tmp_path / "snapshots-metrics.npz").mkdir()
    with pytest.raises(OSError, match=r"snapshots-metrics\.npz"):
        record.write()
    assert record.is_behind
    assert epochs(Run.open(str(tmp_path))) == [1]
    (tmp_path / "snapshots-metrics.npz").rmdir()
    record.write()
    assert not record.is_behind
    assert (tmp_path / "snapshots-metrics.npz").is_file()
