import io
import json
import os

import numpy as np
import pytest
from support import page_runs
from support.disk import Calls
from support.storage import killed_after

from keras_image_saver.run import previous as previous_module
from keras_image_saver.run.found import Found, find
from keras_image_saver.run.lines import line_of
from keras_image_saver.run.previous import check_movable, clear_temporaries, complete, page_files
from keras_image_saver.run.samples_file import save_samples
from keras_image_saver.run.template import Template
from keras_image_saver.run.values import Row, ValuesFile
from keras_image_saver.samples import Samples

ID = "0123456789abcdef" * 2


def explain(file):
    """A format in which pictures say nothing, as a BMP; those of `make_run` hold their names."""
    return {} if file.read().endswith(b".png") else None


def set_aside(folder, previous):
    found = find(Template(f"{folder}/{{epoch}}/image.png"), 0, explain)
    previous_module.set_aside(folder, previous, found)


def samples(run=ID):
    """A samples' file; one without a run is as 0.1.0 wrote it."""
    file = io.BytesIO()
    if run is None:
        np.savez(file, x=np.zeros((2, 3)))
    else:
        save_samples(Samples(np.zeros((2, 3))), file, run=run)
    return file.getvalue()


def about(run=ID, **changes):
    fields = {"format": 1, "id": run, "versions": {"keras_image_saver": "1.0"}}
    return json.dumps(fields | {"state": "finished"} | changes)


def make_run(folder, files=("0001.png", "sub/0002.png"), entries=None, run=ID):
    entries = entries or [
        {"format": 1, "epoch": number, "batch": 1, "step": number, "file": name}
        for number, name in enumerate(files, 1)
    ]
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    folder.mkdir(exist_ok=True)
    (folder / "snapshots.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    (folder / "samples.npz").write_bytes(samples(run))
    if run is not None:
        (folder / "run.json").write_text(about(run))
        values = ValuesFile(str(folder))
        values.add(Row((1, 1, 0), {"mae": np.zeros(2, np.float32)}, {}))
        values.write()
    for name in ("index.html", "snapshots.js"):
        (folder / name).write_text("// keras_image_saver page: of this run")


def tree(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


RUN = [
    "0001.png",
    "index.html",
    "run.json",
    "samples.npz",
    "snapshots-metrics.npz",
    "snapshots.js",
    "snapshots.jsonl",
    "sub/0002.png",
]


def test_set_aside_moves_record_samples_and_files_with_their_subfolders(tmp_path):
    make_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    set_aside(str(tmp_path), "keep")
    assert tree(tmp_path) == ["notes.txt", *(f"previous-1/{name}" for name in RUN)]
    make_run(tmp_path)
    set_aside(str(tmp_path), "keep")
    assert tree(tmp_path / "previous-2") == RUN
    assert tree(tmp_path / "previous-1") == RUN


def test_set_aside_with_delete_removes_what_the_record_names_and_nothing_else(tmp_path):
    make_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    set_aside(str(tmp_path), "delete")
    assert tree(tmp_path) == ["notes.txt"]


@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_set_aside_leaves_a_page_that_is_not_ours(tmp_path, previous):
    make_run(tmp_path)
    (tmp_path / "index.html").write_text("mine")
    (tmp_path / "snapshots-0000.js").write_text("mine")
    set_aside(str(tmp_path), previous)
    left = [name for name in tree(tmp_path) if not name.startswith("previous-")]
    assert left == ["index.html", "snapshots-0000.js"]


def test_set_aside_simply_replaces_a_record_without_snapshots(tmp_path):
    make_run(tmp_path, files=(), entries=[{"epoch": 1, "batch": 1, "file": None}])
    set_aside(str(tmp_path), "keep")
    assert tree(tmp_path) == []


def test_set_aside_without_a_record_leaves_everything(tmp_path):
    (tmp_path / "samples.npz").write_text("mine")
    set_aside(str(tmp_path), "delete")
    assert tree(tmp_path) == ["samples.npz"]


def make_long_run(folder, run):
    """A run whose record has two segments."""
    make_run(folder, run=run)
    first, second = (folder / "snapshots.jsonl").read_text().splitlines()
    (folder / "snapshots-0000.jsonl").write_text(first + "\n")
    (folder / "snapshots-0001.jsonl").write_text(second + "\n")
    (folder / "snapshots.jsonl").write_text("")


@pytest.mark.parametrize("run", [ID, None], ids=["", "of 0.1.0"])
@pytest.mark.parametrize("again", [False, True], ids=["killed once", "killed twice"])
@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_run_killed_at_any_step_is_gone_or_there_at_the_next_start(tmp_path, run, again, previous):
    """At every step of storage, and at every one of the redo."""
    ends = []
    for steps in range(30):
        for redo in range(30 if again else 1):
            folder = tmp_path / f"{steps}-{redo}"
            folder.mkdir()
            make_long_run(folder, run)
            whole = tree(folder)
            ended = killed_after(steps, lambda folder=folder: set_aside(str(folder), previous))
            redone = again and killed_after(
                redo, lambda folder=folder: complete(str(folder), explain)
            )
            complete(str(folder), explain)
            clear_temporaries(str(folder), 1)  # as each start does
            found = tree(folder)
            gone = {
                "keep": [f"previous-1/{name}" for name in whole],
                # What 0.1.0 wrote has no mark, so it may be anyone's.
                "delete": [] if run else ["samples.npz"],
            }
            ends.append([whole, gone[previous]].index(found))
            if redone:
                break
        if ended:
            assert ends[0] == 0
            assert ends[-1] == 1
            assert steps >= 9
            return
    pytest.fail("it never came to its end")


def test_move_of_0_1_0_that_was_killed_is_completed(tmp_path):
    """It kept no list of what it moves."""
    make_run(tmp_path, run=None)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "previous-1").mkdir()
    (tmp_path / "previous-1" / ".moving").write_text("")
    (tmp_path / "snapshots.jsonl").rename(tmp_path / "previous-1" / "snapshots.jsonl")
    complete(str(tmp_path), explain)
    expected = [name for name in RUN if name not in ("run.json", "snapshots-metrics.npz")]
    assert tree(tmp_path) == ["notes.txt", *(f"previous-1/{name}" for name in expected)]


@pytest.mark.parametrize("list_", ["", '{"files": ["snapshots.jsonl"]}', "[1]"])
def test_move_of_which_nothing_has_come_is_undone(tmp_path, list_):
    make_run(tmp_path)
    (tmp_path / "previous-1").mkdir()
    (tmp_path / "previous-1" / ".moving").write_text(list_)
    complete(str(tmp_path), explain)
    assert tree(tmp_path) == RUN
    assert not (tmp_path / "previous-1").exists()


def test_lists_of_files_never_lead_outside_the_folder(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    folder = tmp_path / "run"
    make_run(folder)
    (folder / "previous-1").mkdir()
    (folder / "snapshots.jsonl").rename(folder / "previous-1" / "snapshots.jsonl")
    (folder / "previous-1" / ".moving").write_text('{"files": ["../mine.txt", 5]}')
    (folder / "run.json").write_text(about(state="deleting", files=["../mine.txt", None]))
    complete(str(folder), explain)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not (folder / "run.json").exists()


def test_samples_that_are_not_the_runs_are_left_where_they_are(tmp_path):
    for previous in ("keep", "delete"):
        for content in (b"mine", samples("f" * 32), samples(None)):
            make_run(tmp_path)
            (tmp_path / "samples.npz").write_bytes(content)
            set_aside(str(tmp_path), previous)
            assert (tmp_path / "samples.npz").read_bytes() == content


def test_complete_leaves_the_next_runs_files_where_an_old_one_was_deleted(tmp_path):
    make_run(tmp_path)
    set_aside(str(tmp_path), "keep")
    (tmp_path / "previous-1" / "0001.png").unlink()
    (tmp_path / "0001.png").write_text("of the new run")
    complete(str(tmp_path), explain)
    assert (tmp_path / "0001.png").read_text() == "of the new run"


def test_set_aside_refuses_a_newer_record_and_changes_nothing(tmp_path):
    make_run(tmp_path, entries=[{"format": 2, "epoch": 1, "batch": 1, "file": "0001.png"}])
    for previous in ("keep", "delete"):
        with pytest.raises(ValueError, match="newer keras_image_saver"):
            set_aside(str(tmp_path), previous)
    assert tree(tmp_path) == RUN


def found(file, **changes):
    lines = (line_of({"epoch": 1, "batch": 1, "file": file}),)
    return Found(lines, is_recorded=True, **changes)


@pytest.mark.parametrize(
    ("one", "previous"),
    [(found("0001.png"), "delete"), (found(None), "keep"), (Found(), "keep")],
    ids=["deleted", "without a picture", "empty"],
)
def test_check_movable_allows_what_remote_storage_can_do(one, previous):
    check_movable("ram://allowed", one, previous)


def test_check_movable_refuses_to_move_where_storage_cannot():
    with pytest.raises(ValueError, match=r"got 'ram://refused': a move would .*\"delete\""):
        check_movable("ram://refused", found("0001.png"), "keep")


def test_a_record_from_elsewhere_never_moves_or_deletes_files_outside(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    make_run(tmp_path / "run", entries=[{"epoch": 1, "batch": 1, "file": "../precious.txt"}])
    for previous in ("keep", "delete"):
        with pytest.raises(ValueError, match=r"outside its folder, '\.\./precious\.txt'"):
            set_aside(str(tmp_path / "run"), previous)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_page_files_are_those_that_are_ours(tmp_path):
    page_runs.make_run(tmp_path, 1)
    (tmp_path / "snapshots-0000.js").write_text("mine")
    (tmp_path / "page.html").write_text("keras_image_saver page")
    scripts = ("latest", "run", "snapshots")
    of_each = [f"{name}.{suffix}" for name in scripts for suffix in ("html", "js")]
    assert page_files(str(tmp_path)) == ["index.html", *of_each]


def test_clear_temporaries_leaves_other_files(tmp_path):
    for name in (".keras_image_saver-0.tmp", ".keras_image_saver.lock", "a.tmp"):
        (tmp_path / name).write_bytes(b"")
    clear_temporaries(str(tmp_path), 0)
    assert sorted(os.listdir(tmp_path)) == [".keras_image_saver.lock", "a.tmp"]


def test_clear_temporaries_removes_folders_to_which_nothing_has_been_moved(tmp_path):
    (tmp_path / "previous-1").mkdir()
    (tmp_path / "previous-1" / ".keras_image_saver-0.tmp").write_bytes(b"half")
    (tmp_path / "previous-2").mkdir()
    (tmp_path / "previous-2" / "notes.txt").write_text("mine")
    (tmp_path / "other").mkdir()
    clear_temporaries(str(tmp_path), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "previous-2"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="syncs are told apart there")
@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_what_is_removed_is_gone_for_good_before_its_record_is(tmp_path, previous, monkeypatch):
    entry = {"format": 1, "epoch": 1, "batch": 1, "step": 1, "file": "sub/1.png", "removed": True}
    kept = {**entry, "epoch": 2, "step": 2, "file": "2.png", "removed": False}
    make_run(tmp_path, files=("2.png",), entries=[entry, kept])
    (tmp_path / "sub").mkdir()
    calls = Calls(tmp_path, monkeypatch)
    set_aside(str(tmp_path), previous)
    assert calls[0] == ("sync", "sub")
