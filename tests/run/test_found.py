"""What is found where training begins; what is done with it is tested with `previous` and `resume`."""

import json

import numpy as np
import pytest

from keras_image_saver.run.found import Found, cut, entries_of, find, steps_at
from keras_image_saver.run.lines import Line, line_of
from keras_image_saver.run.pictures import InFolder
from keras_image_saver.run.template import Template

RUN = "0123456789abcdef" * 2


def entry(epoch, **changes):
    return {"epoch": epoch, "batch": 4, "step": 4 * epoch, "file": f"{epoch}.png", **changes}


def found_of(*entries, own=None, named=None, **changes):
    pictures = InFolder(named or {}, own or {})
    return Found(tuple(map(line_of, entries)), pictures=pictures, **changes)


@pytest.mark.parametrize(
    ("entries", "epoch", "steps"),
    [
        pytest.param([], 5, 0, id="none"),
        pytest.param([entry(3, step=300)], 3, 300, id="of that epoch"),
        pytest.param([entry(3, step=300)], 5, 500, id="of an earlier epoch"),
        pytest.param([entry(3, step=100)], 4, 133, id="rounded down"),
        pytest.param([entry(3, step=300)], 2, 300, id="of a later epoch"),
        pytest.param([entry(0, step=7)], 5, 7, id="of the untrained model"),
        pytest.param([entry(1, step=10)], 2, 20, id="of the first epoch"),
        pytest.param([entry(2, step=20), entry(1, step=10)], 2, 20, id="not in order"),
        pytest.param([{"epoch": 1, "batch": 1}, entry(2, step=6)], 2, 6, id="without a step"),
        pytest.param([{"epoch": 1, "batch": 1}], 2, 0, id="without any step"),
    ],
)
def test_steps_at_an_epochs_end_are_those_of_the_newest_entry(entries, epoch, steps):
    assert steps_at(epoch, entries) == steps


def test_cut_keeps_lines_up_to_an_epoch_and_what_cannot_be_read():
    odd = Line(b"{", None)
    lines = [line_of(entry(1)), odd, line_of(entry(3)), line_of(entry(2))]
    assert cut(lines, 2) == [lines[0], odd, lines[3]]
    assert entries_of(lines) == [entry(1), entry(3), entry(2)]


def test_files_are_those_that_the_record_names_or_has_named_once_each():
    found = found_of(
        entry(1), entry(2, file=None), entry(3), entry(4, file="1.png"), passed=("3.png", "9.png")
    )
    assert found.files == ["1.png", "3.png", "9.png"]


@pytest.mark.parametrize(
    ("about", "is_recorded", "expected"),
    [
        (None, True, True),
        (None, False, False),
        ({}, True, False),
        ({"samples": None}, True, False),
        ({"samples": {"unmarked": True}}, True, True),
        ({"samples": {"unmarked": 1}}, True, False),
        ({"samples": {}}, True, False),
    ],
    ids=str,
)
def test_samples_without_a_mark_are_those_of_the_first_version(about, is_recorded, expected):
    assert Found(about=about, is_recorded=is_recorded).has_unmarked_samples is expected


def test_pictures_that_are_passed_over_are_those_that_tell_no_run():
    found = found_of(
        entry(1), entry(2), entry(3), named={"2.png": {"run": RUN}, "3.png": {}}, passed=("8.png",)
    )
    assert found.passed_over([entry(1), entry(7, file=None)]) == ["3.png", "8.png"]


def said(epoch, **changes):
    return {"epoch": epoch, "batch": 4, "step": 4 * epoch, "time": 10.0, "run": RUN, **changes}


def test_pictures_without_an_entry_get_theirs_in_the_order_of_the_run():
    own = {"a.png": said(3), "b.png": said(2), "c.png": said(1), "d.png": said(4)}
    found = found_of(entry(1), own=own, about={"resumed": 10})
    first, second = (line.entry for line in found.unentered(3, "runs"))
    assert first == {
        "format": 1, "epoch": 2, "batch": 4, "step": 8, "time": 10.0, "file": "b.png", "missed": False
    }  # fmt: skip
    assert (second["epoch"], second["file"]) == (3, "a.png")


@pytest.mark.parametrize(("time", "epochs"), [(9.9, []), (10.0, [2]), (10.1, [2])])
def test_pictures_from_before_the_run_was_gone_on_with_get_no_entry(time, epochs):
    found = found_of(own={"a.png": said(2, time=time)}, about={"resumed": 10.0})
    assert [line.entry["epoch"] for line in found.unentered(2, "runs")] == epochs


@pytest.mark.parametrize(("resumed", "count"), [(0, 1), (0.5, 0)])
def test_picture_that_tells_no_time_is_from_the_beginning(resumed, count):
    told = {name: one for name, one in said(2).items() if name != "time"}
    assert (
        len(found_of(own={"a.png": told}, about={"resumed": resumed}).unentered(2, "runs")) == count
    )


@pytest.mark.parametrize("about", [None, {}, {"resumed": "10"}, {"resumed": None}], ids=str)
def test_pictures_of_a_run_that_was_never_gone_on_with_get_no_entry(about):
    assert found_of(own={"a.png": said(2)}, about=about).unentered(2, "runs") == []


@pytest.mark.parametrize(
    ("told", "count"),
    [
        pytest.param({"logs": "left out", "geometry": "left out"}, 1, id="too long for JPEG"),
        pytest.param({"logs": {"loss": 1}, "weights": "ema"}, 1, id="all"),
        pytest.param({"epoch": "3"}, 0, id="no number"),
        pytest.param({"time": -1}, 0, id="no time"),
        pytest.param({"epoch": None}, 0, id="no epoch"),
    ],
)
def test_entry_of_a_picture_has_what_can_be_read_of_it(told, count):
    found = found_of(own={"a.png": {**said(3), **told}}, about={"resumed": 1.5})
    lines = found.unentered(9, "runs")
    assert len(lines) == count
    for line in lines:
        expected = {name: one for name, one in told.items() if one != "left out"}
        assert {name: line.entry.get(name) for name in told} == {
            name: expected.get(name) for name in told
        }


def explain(file):
    """Pictures here hold what they say; what is no JSON is no picture of ours."""
    return json.loads(file.read())


def write(folder, entries, about=None, **pictures):
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in entries)
    (folder / "snapshots.jsonl").write_text(lines)
    if about is not None:
        versions = {"keras_image_saver": "1.0"}
        fields = {"format": 1, "id": RUN, "versions": versions, "state": "finished", **about}
        (folder / "run.json").write_text(json.dumps(fields))
    for name, said_of_it in pictures.items():
        (folder / f"{name}.png").write_text(json.dumps(said_of_it))


def find_in(folder, epochs_done=0, **options):
    return find(Template(f"{folder}/{{epoch}}.png"), epochs_done, explain, **options)


def test_find_in_an_empty_folder_finds_no_run(tmp_path):
    assert find_in(tmp_path) == Found()


def test_find_tells_a_run_whose_file_is_gone_by_its_newest_picture(tmp_path):
    pictures = {"1": {"run": "other"}, "2": {"run": RUN}}
    write(tmp_path, [entry(1), entry(2), entry(3)], **pictures)
    found = find_in(tmp_path, 3)
    assert (found.id, found.about, found.is_recorded) == (RUN, None, True)
    (tmp_path / "1.png").unlink()
    (tmp_path / "2.png").unlink()
    assert find_in(tmp_path, 3).id is None


@pytest.mark.parametrize(("count", "shown"), [(1, "1.png"), (3, "3.png"), (4, "3.png and more")])
def test_find_warns_of_pictures_that_tell_no_run(tmp_path, count, shown):
    write(tmp_path, [], {}, **{str(number): {} for number in range(1, count + 1)})
    (tmp_path / "unrecorded-4").mkdir()
    found = find_in(tmp_path)
    assert found.unknown == tuple(f"{number}.png" for number in range(1, count + 1))
    (warning,) = found.warnings
    assert warning.startswith(f"Of {count} files in {str(tmp_path)!r} ")
    assert f"{shown}: they are moved to '{tmp_path}/unrecorded-5'" in warning


def test_find_of_a_run_that_is_gone_on_with_tells_what_it_left(tmp_path):
    mine = {str(epoch): {"run": RUN, "epoch": epoch, "batch": 4, "step": 40} for epoch in (1, 2, 4)}
    write(tmp_path, [entry(1), entry(2, step=9)], {}, **mine)
    found = find_in(tmp_path, 3)
    # What training does not come to is not looked at.
    assert (list(found.pictures.named), list(found.pictures.own)) == ([], ["4.png"])
    assert (found.unknown, found.warnings, found.samples) == ((), (), None)
    found = find_in(tmp_path)
    assert (list(found.pictures.named), list(found.pictures.own)) == (["1.png", "2.png"], ["4.png"])


@pytest.mark.parametrize(
    ("epochs_done", "deletes", "unknown"),
    [(0, False, ()), (0, True, ("snapshots-0000.jsonl", "samples.npz")), (2, True, ())],
)
def test_find_where_a_run_is_to_be_deleted_spares_what_may_be_anyones(
    tmp_path, epochs_done, deletes, unknown
):
    write(tmp_path, [entry(1), entry(2)])
    (tmp_path / "snapshots-0000.jsonl").write_text("mine\n")
    with open(tmp_path / "samples.npz", "wb") as file:
        np.savez(file, x=np.zeros((2, 3)))
    found = find_in(tmp_path, epochs_done, deletes=deletes)
    assert found.unknown == unknown
    assert (found.samples is not None) is bool(epochs_done)
    if found.samples is not None:
        found.samples.close()
