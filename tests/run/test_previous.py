import json

import pytest
from support import page_runs

from keras_image_saver.run.previous import check_beginning, complete_move, page_files, set_aside
from keras_image_saver.run.storage import Local
from keras_image_saver.run.template import Template


def make_run(folder, files=("0001.png", "sub/0002.png"), entries=None):
    entries = entries or [
        {"format": 1, "epoch": number, "batch": 1, "step": number, "file": name}
        for number, name in enumerate(files, 1)
    ]
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    folder.mkdir(exist_ok=True)
    (folder / "snapshots.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    (folder / "samples.npz").write_bytes(b"samples")
    for name in ("index.html", "snapshots.js"):
        (folder / name).write_text("// keras_image_saver page: of this run")


def tree(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


RUN = [
    "0001.png",
    "index.html",
    "samples.npz",
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


class Killed(BaseException):
    pass


@pytest.mark.parametrize("again", [False, True], ids=["killed once", "killed twice"])
def test_a_move_killed_at_any_step_is_completed_at_the_next_start(tmp_path, monkeypatch, again):
    """At every system call, and at every one of the redo."""

    def killing_after(steps):
        left = [steps]

        def counted(function):
            def call(*arguments, **options):
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
                return function(*arguments, **options)

            return call

        return counted

    def attempt(steps, action):
        """Run `action`, killed after so many steps; True if it came to its end."""
        counted = killing_after(steps)
        with monkeypatch.context() as patch:
            for name in ("move", "replace", "remove"):
                patch.setattr(Local, name, counted(getattr(Local, name)))
            try:
                action()
            except Killed:
                return False
        return True

    for steps in range(20):
        for redo in range(20 if again else 1):
            run = tmp_path / f"{steps}-{redo}"
            run.mkdir()
            make_run(run)
            ended = attempt(steps, lambda run=run: set_aside(str(run), "keep"))
            redone = again and attempt(redo, lambda run=run: complete_move(str(run)))
            complete_move(str(run))
            if (run / "snapshots.jsonl").exists():  # the move had not begun
                assert tree(run) == RUN
            else:
                assert tree(run) == [f"previous-1/{name}" for name in RUN]
            if redone:
                break
        if ended:
            assert steps >= 5
            return
    pytest.fail("the move never came to its end")


def test_complete_move_leaves_the_next_runs_files_where_an_old_one_was_deleted(tmp_path):
    make_run(tmp_path)
    set_aside(str(tmp_path), "keep")
    (tmp_path / "previous-1" / "0001.png").unlink()
    (tmp_path / "0001.png").write_text("of the new run")
    complete_move(str(tmp_path))
    assert (tmp_path / "0001.png").read_text() == "of the new run"


def test_set_aside_refuses_a_newer_record_and_changes_nothing(tmp_path):
    make_run(tmp_path, entries=[{"format": 2, "epoch": 1, "batch": 1, "file": "0001.png"}])
    for previous in ("keep", "delete"):
        with pytest.raises(ValueError, match="newer keras_image_saver"):
            set_aside(str(tmp_path), previous)
    assert tree(tmp_path) == RUN


PICTURE = [{"epoch": 1, "batch": 1, "file": "0001.png"}]
MISSED = [{"epoch": 1, "batch": 1, "file": None}]


@pytest.mark.parametrize(
    ("entries", "previous"),
    [(PICTURE, "delete"), (MISSED, "keep"), ([], "keep")],
    ids=["deleted", "without a picture", "empty"],
)
def test_check_beginning_allows_what_remote_storage_can_do(entries, previous):
    check_beginning(Template("ram://allowed"), entries, previous)


def test_check_beginning_refuses_to_move_where_storage_cannot():
    with pytest.raises(ValueError, match=r"got 'ram://refused': a move would .*\"delete\""):
        check_beginning(Template("ram://refused"), PICTURE, "keep")


def test_check_beginning_refuses_pictures_that_no_record_tells_of(tmp_path):
    template = Template(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"mine")
    check_beginning(template, [], "keep")
    (tmp_path / "0007.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"must not name files .*/0007\.png' belongs to no run"):
        check_beginning(template, [], "keep")
    make_run(tmp_path)
    check_beginning(template, PICTURE, "keep")


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
    assert page_files(str(tmp_path)) == ["index.html", "snapshots.js"]
