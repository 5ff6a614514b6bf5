"""What a line of a record must be to be an entry; records as a whole are tested with `record`."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_image_saver.run import lines
from keras_image_saver.run.lines import (
    NewerError,
    key_of,
    line_of,
    read_content,
    read_entries,
    read_float,
    read_line,
    read_record,
    record_files,
)

YEAR_10000 = 253_402_300_800  # in seconds


def entry(**changes):
    return {"epoch": 3, "batch": 4, **changes}


def read(value):
    """The entry in a line that holds this, None if it cannot be read."""
    raw = json.dumps(value).encode()
    line = read_line(raw, "runs")
    assert line.raw == raw
    return line.entry


def summary(**changes):
    found = {"mean": 0.5, "least": 0, "most": 1.5, "nan": 2, "worst": [[0, 1.5], [7, "NaN"]]}
    return {"mae": {**found, **changes}}


def without(name):
    (found,) = summary().values()
    return {"mae": {one: value for one, value in found.items() if one != name}}


def nested(depth):
    """So many lists in one another."""
    return [nested(depth - 1)] if depth else 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epoch": 0, "batch": 0, "step": 0},
        {"epoch": 2**53 - 1, "batch": 2**53 - 1, "step": 2**53 - 1},
        {"format": 1},
        {"time": 0},
        {"time": 0.0},
        {"time": YEAR_10000 - 1},
        {"time": YEAR_10000 - 0.5},
        {"logs": None, "geometry": None, "metrics": None, "file": None},
        {"logs": {}, "geometry": {}, "metrics": {}},
        {"logs": {"a": nested(30)}},
        {"metrics": summary()},
        {"metrics": summary(worst=[])},
        {"metrics": without("nan")},
        {"metrics": summary(mean="NaN", least="-Infinity", most="Infinity")},
        {"file": "a/0001.png"},
        {"file": "größe ☂.png"},
        {"removed": True},
        {"removed": False},
        {"invented": [1, {"a": None}]},
    ],
    ids=str,
)
def test_entry_is_read_as_it_is(changes):
    assert read(entry(**changes)) == entry(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 2**53},
        {"batch": 2**53},
        {"step": 2**53},
        {"time": YEAR_10000},
        {"time": YEAR_10000 + 0.5},
        {"time": -0.5},
        {"logs": {"a": nested(31)}},
        {"invented": nested(32)},
        {"metrics": [summary()]},
        {"metrics": {"mae": 0.5}},
        {"metrics": {**summary(), "mse": None}},
        {"metrics": summary(mean="0.5")},
        {"metrics": summary(least=True)},
        {"metrics": summary(most=None)},
        {"metrics": without("mean")},
        {"metrics": without("least")},
        {"metrics": without("most")},
        {"metrics": without("worst")},
        {"metrics": summary(nan=-1)},
        {"metrics": summary(nan=0.0)},
        {"metrics": summary(worst={})},
        {"metrics": summary(worst=[[0, 1.5], 7])},
        {"metrics": summary(worst=[[0]])},
        {"metrics": summary(worst=[[0, 1.5, 2]])},
        {"metrics": summary(worst=[[-1, 1.5]])},
        {"metrics": summary(worst=[[0.0, 1.5]])},
        {"metrics": summary(worst=[[0, "1.5"]])},
        {"metrics": summary(worst=["01"])},
        {"removed": 1},
        {"removed": None},
    ],
    ids=str,
)
def test_what_is_no_entry_is_not_read(changes):
    assert read(entry(**changes)) is None


@pytest.mark.parametrize("value", [[], [{"epoch": 1, "batch": 1}], "epoch batch", 3, None], ids=str)
def test_line_that_is_no_dict_is_no_entry(value):
    assert read(value) is None


@pytest.mark.parametrize("missing", ["epoch", "batch"])
def test_entry_without_its_place_in_the_run_is_none(missing):
    assert read({name: 1 for name in ("epoch", "batch", "step") if name != missing}) is None


@pytest.mark.parametrize("version", [2, 2**60], ids=str)
@pytest.mark.parametrize("epoch", [1, "of another kind"])
def test_line_of_a_newer_version_is_refused_whatever_else_it_holds(version, epoch):
    raw = json.dumps({"format": version, "epoch": epoch}).encode()
    with pytest.raises(NewerError, match=rf"'runs' was .* \(format {version}, this one reads 1\)"):
        read_line(raw, "runs")


@pytest.mark.parametrize("version", [0, -1, True, 1.5, "2", None], ids=str)
def test_line_of_no_version_is_no_entry(version):
    assert read(entry(format=version)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "\\a",
        "c:a.png",
        "C:/a",
        "gs://b/a",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "..\\a",
        "a\\..\\b",
    ],
)
def test_file_that_leads_out_of_the_folder_is_refused(name):
    with pytest.raises(ValueError, match="The record in 'runs' names a file outside its folder, '"):
        read(entry(file=name))


@pytest.mark.parametrize("name", ["a..b", "..a/b", "a../b", "...", "ab:c", "1:/a"])
def test_file_with_dots_or_colons_in_its_name_is_inside(name):
    assert read(entry(file=name))["file"] == name


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"epoch": 3, "batch": 4, "step": 25}, (3, 4, 0)),
        ({"epoch": 3, "batch": 0, "step": 25}, (3, 0, 25)),
        ({"epoch": 3, "batch": 4}, (3, 4, 0)),
        ({"epoch": 0, "batch": 0}, (0, 0, 0)),
        ({"epoch": 3}, (3, 0, 0)),
    ],
)
def test_key_is_of_epoch_and_batch_or_of_the_step_where_there_is_none(given, key):
    assert key_of(given) == key
    assert line_of(given).key == key


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), ("-1e3", -1000.0), ("1e999", "Infinity"), ("-1e999", "-Infinity")],
)
def test_number_too_large_for_a_float_is_read_as_text(text, value):
    assert read_float(text) == value
    assert type(read_float(text)) is type(value)


def test_line_of_what_json_lacks_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        line_of(entry(logs={"loss": math.nan}))
    assert json.loads(line_of(entry(logs={"what": {1, 2}})).raw)["logs"] == {"what": "{1, 2}"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53 - 1) | st.floats(0, 1e9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)
NAMES = ["epoch", "batch", "step", "time", "file", "logs", "metrics", "geometry", "removed", "x"]


@settings(max_examples=60, deadline=None)
@given(found=st.dictionaries(st.sampled_from(NAMES), VALUES), cut=st.integers(0, 99))
def test_any_line_is_an_entry_of_known_types_or_none(found, cut):
    raw = line_of(found).raw
    assert json.loads(raw) == found
    for part in (raw, raw[:cut]):
        try:
            line = read_line(part, "runs")
        except ValueError as error:
            assert "outside its folder" in str(error)  # noqa: PT017 - most lines are read
            continue
        assert line.raw == part
        if line.entry is not None:
            assert line.entry == found
            epoch, batch, step = line.key
            assert all(type(one) is int and 0 <= one < 2**53 for one in (epoch, batch, step))
            assert isinstance(found.get("logs") or {}, dict)
            assert found.get("file") is None or isinstance(found["file"], str)
            assert 0 <= float(found.get("time", 0)) < math.inf


# Files of lines


def write(folder, name, *texts):
    (folder / name).write_text("".join(f"{text}\n" for text in texts))


def test_entries_of_some_files_come_with_what_to_warn_of(tmp_path):
    write(tmp_path, "snapshots.jsonl", json.dumps(entry(epoch=1)), "{", "", "[]")
    write(tmp_path, "snapshots-0000.jsonl", json.dumps(entry(epoch=0)), "odd")
    write(tmp_path, "snapshots-0001.jsonl", json.dumps(entry(epoch=2)))
    names = ["snapshots-0000.jsonl", "snapshots.jsonl", "snapshots-0009.jsonl"]
    entries, (warning,) = read_entries(str(tmp_path), names)
    assert [one["epoch"] for one in entries] == [0, 1]
    assert warning.startswith(f"3 lines of the record in {str(tmp_path)!r} cannot be read")
    assert warning.endswith("of snapshots-0000.jsonl, snapshots.jsonl.")
    assert read_entries(str(tmp_path), ["snapshots-0001.jsonl"])[1] == ()
    assert record_files(str(tmp_path)) == [
        "snapshots-0000.jsonl", "snapshots-0001.jsonl", "snapshots.jsonl"
    ]  # fmt: skip


def test_reading_tells_the_files_of_which_no_line_can_be_read(tmp_path):
    write(tmp_path, "snapshots-0000.jsonl", "odd", "odder")
    write(tmp_path, "snapshots-0001.jsonl", "odd", json.dumps(entry(epoch=1)))
    write(tmp_path, "snapshots-0002.jsonl")
    write(tmp_path, "snapshots.jsonl", json.dumps(entry(epoch=2)), json.dumps(entry(epoch=1)))
    found = read_record(str(tmp_path))
    assert found.unreadable == ("snapshots-0000.jsonl",)
    # Of two with one key the last stands, where it stood; odd ones stay where they are.
    assert [line.raw for line in found.lines[:3]] == [b"odd", b"odder", b"odd"]
    assert [one["epoch"] for one in found.entries] == [2, 1]
    assert len(found.lines) == 5
    assert "3 lines of the record" in found.warnings[0]


@pytest.mark.parametrize(("changes", "count"), [(0, 1), (1, 2), (99, 5)])
def test_record_that_changes_meanwhile_is_read_again_five_times_at_most(
    tmp_path, monkeypatch, changes, count
):
    write(tmp_path, "snapshots.jsonl", json.dumps(entry(epoch=0)))
    looks = []

    def names(folder):
        looks.append(folder)
        epoch = min(len(looks), changes)
        write(tmp_path, "snapshots.jsonl", json.dumps(entry(epoch=epoch)))
        return ["snapshots.jsonl"]

    monkeypatch.setattr(lines, "record_files", names)
    assert len(read_record(str(tmp_path)).entries) == 1
    assert len(looks) == 2 * count


def test_folder_without_a_record_has_none(tmp_path):
    assert read_record(str(tmp_path)) is None
    assert read_record(str(tmp_path / "nothing")) is None
    assert read_content(str(tmp_path), "snapshots.jsonl") is None
    write(tmp_path, "snapshots-0000.jsonl")
    found = read_record(str(tmp_path))
    assert (found.lines, found.warnings, found.unreadable) == ((), (), ())
