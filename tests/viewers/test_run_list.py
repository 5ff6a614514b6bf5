"""The table of the runs in a folder."""

import json
import time

import pytest
from support.folders import flat, write_run

from keras_image_saver.viewers.run_list import list_runs, overview_of

pytestmark = pytest.mark.numpy

PICTURE = flat((1, 2, 3))


def write(folder, epochs=2, *, ago=0.0, **options):
    return write_run(folder, [PICTURE] * epochs, time=time.time() - ago, **options)


def test_runs_are_a_line_each_the_newest_first(tmp_path):
    write(
        tmp_path / "b",
        3,
        ago=600,
        about={"state": "finished"},
        logs=[{"loss": 0.25, "n": "NaN"}] * 3,
    )
    write(tmp_path / "a", 2, ago=3 * 86_400, about={"state": "failed"}, logs=[{}] * 2)
    write(tmp_path / "c", 1, ago=10, logs=[{"loss": 1.0}])
    (tmp_path / "none").mkdir()
    (tmp_path / "file.txt").write_text("-")
    lines = list_runs(str(tmp_path)).splitlines()
    assert lines == [
        "run  state     snapshots  last epoch  age     last logs and measures",
        f"c                      1           1  {lines[1].split()[3]} s    loss 1",
        "b    finished          3           3  10 min  loss 0.25, n nan",
        "a    failed            2           2  3 days",
    ]


def test_runs_set_aside_are_counted_with_the_run_that_took_their_place(tmp_path):
    write(tmp_path / "a")
    for number in (1, 2):
        write(tmp_path / "a" / f"previous-{number}")
    (tmp_path / "a" / "unrecorded-1").mkdir()
    _, line = list_runs(str(tmp_path)).splitlines()
    assert line.startswith("a (2 previous)  ")


def test_run_of_which_nothing_came_yet_is_as_old_as_its_beginning(tmp_path):
    write_run(tmp_path / "new", [], about={"state": "running", "started": time.time() - 7300})
    _, line = list_runs(str(tmp_path)).splitlines()
    assert line.split() == ["new", "running", "0", "2", "hours"]


def test_last_epoch_is_that_of_the_last_picture_that_there_was(tmp_path):
    write(tmp_path / "a", 3)
    record = tmp_path / "a" / "snapshots.jsonl"
    first, second, third = map(json.loads, record.read_text().splitlines())
    measures = {"mae": {"mean": 0.125, "least": 0, "most": 1, "nan": 0, "worst": [[3, 1.0]]}}
    changed = [first, second | {"removed": True, "metrics": measures}, third | {"file": None}]
    record.write_text("".join(json.dumps(one) + "\n" for one in changed))
    _, line = list_runs(str(tmp_path)).splitlines()
    assert line.split()[1:3] == ["1", "2"]
    assert line.endswith("loss 0.5, mae 0.125")


def test_run_that_cannot_be_read_is_a_line_that_says_why_and_hides_no_other(tmp_path):
    write(tmp_path / "good")
    write(tmp_path / "newer", format=2)
    (tmp_path / "broken\x1b").mkdir()
    (tmp_path / "broken\x1b" / "snapshots.jsonl").write_text("no entry\n")
    _, *lines = list_runs(str(tmp_path)).splitlines()
    assert lines[0].startswith("good ")
    assert r"broken\x1b  cannot be read" in lines[1]
    assert "must have a line that can be read" in lines[1]
    assert "newer keras_image_saver" in lines[2]


def test_folder_with_a_record_of_its_own_is_a_run_whatever_is_in_it(tmp_path):
    write(tmp_path)
    write(tmp_path / "previous-1")
    assert overview_of(str(tmp_path)).startswith("run       ")


@pytest.mark.parametrize("folder", ["", "none"])
def test_folder_without_any_run_is_an_error(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match=r"no record of a run \(snapshots\.jsonl\)"):
        overview_of(str(tmp_path / folder))
