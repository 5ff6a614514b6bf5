"""What is in the folder and is not the run's is never replaced, moved without a word, or deleted."""

import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from support.models import names, only_tensorflow, read
from support.recorded import left_over, numbered, recorded, tree
from support.storage import Killed
from support.training import PREDICTION, Meddler, X, fit_x, untrained

from keras_image_saver import ImageSaver, Run, encode_image
from keras_image_saver.run.storage import Local, Remote, storage_of

pytestmark = pytest.mark.once

OWN = np.full((3, 3, 3), 7, np.uint8)


def picture(suffix="png", **metadata):
    """A picture of somebody's, or of the first version of this package, which wrote no run's id."""
    return encode_image(OWN, suffix, metadata=metadata or None)


def unrecord(folder, *epochs):
    """Take lines out of the record, as if a kill had come between the pictures and them."""
    record = folder / "snapshots.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    kept = [json.dumps(line) + "\n" for line in lines if line["epoch"] not in epochs]
    record.write_text("".join(kept))


def as_first_version(folder):
    """Make a run as the first version of this package left it."""
    (folder / "run.json").unlink()
    for path in folder.glob("0*.*"):
        metadata = {"epoch": 1, "logs": {}}
        path.write_bytes(encode_image(read(path), path.suffix, metadata=metadata))
    with np.load(folder / "samples.npz") as kept:
        arrays = dict(kept)
    np.savez(folder / "samples.npz", **arrays)


# Samples


def archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"mine", archive(x=X[::-1]), archive(faces=X)],
    ids=["no archive", "our names", "other names"],
)
@pytest.mark.parametrize("resumed", [False, True], ids=["begun", "resumed"])
def test_samples_of_the_users_own_survive_every_start(tmp_path, lines, content, resumed):
    (tmp_path / "samples.npz").write_bytes(content)
    model = untrained()
    for number in range(3):
        epoch = number if resumed else 0
        saver = ImageSaver(tmp_path, X, previous="delete")
        fit_x(model, saver, initial_epoch=epoch, epochs=epoch + 1)
        assert (tmp_path / "samples.npz").read_bytes() == content
    assert len(recorded(tmp_path)) == (3 if resumed else 1)
    assert all(
        "there already and not of this run; the samples are not kept" in one for one in lines()
    )


def test_samples_of_a_run_of_the_first_version_are_read_and_go_where_it_goes(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    as_first_version(tmp_path)
    content = (tmp_path / "samples.npz").read_bytes()
    for epoch in (1, 2):
        saver = ImageSaver(tmp_path, X[::-1].copy())
        with pytest.warns(UserWarning, match="`samples` are not those that the run"):
            fit_x(model, saver, initial_epoch=epoch, epochs=epoch + 1)
        assert (tmp_path / "samples.npz").read_bytes() == content
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    assert (tmp_path / "previous-1" / "samples.npz").read_bytes() == content
    assert recorded(tmp_path / "previous-1") == numbered(1, 2, 3)


@only_tensorflow
def test_samples_of_text_are_drawn_again_as_they_were(tmp_path):
    words = [["ä", "日本語"], ["Ω", "ß"]]
    data = [tf.data.Dataset.from_tensor_slices(one).batch(2) for one in words]
    seen = []

    def predict(model, inputs):
        seen.append([one.decode() for one in np.asarray(inputs).ravel().tolist()])
        return np.zeros((len(inputs), 8, 8, 1), np.float32)

    for epoch in (0, 1):
        saver = ImageSaver(tmp_path, data[epoch], predict=predict, render=PREDICTION)
        fit_x(untrained(), saver, initial_epoch=epoch, epochs=epoch + 1)
    assert seen[-1] == words[0]


# Pictures that no record names


@pytest.mark.parametrize(
    "content",
    [picture(), picture(run="0" * 32, epoch=3), b"no picture"],
    ids=["plain", "of another run", "no picture"],
)
@pytest.mark.parametrize("initial_epoch", [0, 2])
@pytest.mark.parametrize("run", [False, True], ids=["no run", "a run"])
def test_picture_of_somebody_is_refused_by_name(tmp_path, content, initial_epoch, run):
    model = untrained()
    if run:
        fit_x(model, ImageSaver(tmp_path, X))
    (tmp_path / "0003.png").write_bytes(content)
    before = tree(tmp_path)
    with pytest.raises(
        ValueError, match=r"`filepath` must not name files .*/0003\.png' belongs to"
    ):
        fit_x(model, ImageSaver(tmp_path, X), initial_epoch=initial_epoch, epochs=4)
    assert tree(tmp_path) == before


def test_picture_of_an_epoch_that_is_done_is_in_nobodys_way(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X, every_epochs=2))
    (tmp_path / "0001.png").write_bytes(picture())
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=2, epochs=3)
    assert recorded(tmp_path) == numbered(2, 3)
    assert (tmp_path / "0001.png").read_bytes() == picture()


@pytest.mark.parametrize("suffix", ["bmp", "png"])
@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_picture_of_which_nothing_tells_whose_it_is_is_moved_and_said(
    tmp_path, suffix, initial_epoch
):
    """A BMP, or one of the first version."""
    model, path = untrained(), tmp_path / f"{{epoch:04d}}.{suffix}"
    fit_x(model, ImageSaver(path, X, render=PREDICTION))
    for name in ("0003", "0004"):
        (tmp_path / f"{name}.{suffix}").write_bytes(picture(suffix, epoch=3))
    for number in (1, 2):
        message = rf"2 files in .* 0003\.{suffix}, 0004\.{suffix}: .*unrecorded-{number}'"
        with pytest.warns(UserWarning, match=message):
            fit_x(
                model,
                ImageSaver(path, X, render=PREDICTION, previous="delete"),
                initial_epoch=initial_epoch,
                epochs=initial_epoch + 1,
            )
        for name in ("0003", "0004"):
            moved = tmp_path / f"unrecorded-{number}" / f"{name}.{suffix}"
            assert moved.read_bytes() == picture(suffix, epoch=3)
            (tmp_path / f"{name}.{suffix}").write_bytes(moved.read_bytes())
        if initial_epoch:
            unrecord(tmp_path, 3)
    expected = [f"000{n}.{suffix}" for n in ((1, 2, 3, 4) if initial_epoch else (1, 3, 4))]
    assert [name for name in names(tmp_path) if "/" not in name] == expected


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif"])
def test_picture_that_a_kill_left_without_an_entry_is_the_runs_own(tmp_path, suffix):
    model, path = untrained(), tmp_path / f"{{epoch:04d}}-{{loss}}.{suffix}"
    fit_x(model, ImageSaver(path, X, render=PREDICTION), epochs=3)
    unrecord(tmp_path, 2, 3)
    before = tree(tmp_path)
    left = [name for name in before if name.startswith(("0002", "0003"))]
    fit_x(model, ImageSaver(path, X, render=PREDICTION), initial_epoch=2, epochs=3)
    assert len(Run.open(tmp_path)) == 3  # one was drawn anew, one has its entry again
    # Another template: what is set aside goes by what the run's own was.
    fit_x(model, ImageSaver(tmp_path / "{epoch}.png", X), epochs=1)
    assert recorded(tmp_path) == [(1, "1.png")]
    aside = tree(tmp_path / "previous-1")
    assert {name: aside[name] for name in left if name.startswith("0002")} == {
        name: before[name] for name in left if name.startswith("0002")
    }
    assert not any(name.startswith("000") for name in tree(tmp_path))


def test_pictures_of_a_run_that_was_cut_by_resuming_are_set_aside_with_it(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=5)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1, epochs=2)
    before = tree(tmp_path)
    fit_x(model, ImageSaver(tmp_path, X), epochs=5)
    aside = tree(tmp_path / "previous-1")
    for epoch in range(1, 6):
        assert aside[f"{epoch:04d}.png"] == before[f"{epoch:04d}.png"]
    assert recorded(tmp_path / "previous-1") == numbered(1, 2)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4, 5)


def test_pictures_of_a_run_of_the_first_version_that_was_cut_are_set_aside_with_it(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=4)
    as_first_version(tmp_path)
    before = tree(tmp_path)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=2, epochs=3)
    fit_x(model, ImageSaver(tmp_path, X), epochs=4)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4)
    assert (tmp_path / "previous-1" / "0004.png").read_bytes() == before["0004.png"]
    assert recorded(tmp_path / "previous-1") == numbered(1, 2, 3)


def test_file_that_comes_while_the_model_trains_is_not_overwritten(tmp_path, lines):
    def put(epoch, logs):
        if epoch == 1:
            (tmp_path / "0002.png").write_bytes(picture())

    fit_x(untrained(), Meddler("on_epoch_begin", put), ImageSaver(tmp_path, X), epochs=3)
    assert (tmp_path / "0002.png").read_bytes() == picture()
    run = Run.open(tmp_path)
    assert [one.epoch for one in run] == [1, 3]
    assert [one.epoch for one in run.missed] == [2]
    assert "0002.png' is there already, not of this run" in run.missed[0].missed
    assert any("0002.png' is there already" in line for line in lines())


def test_remote_picture_of_somebody_is_not_overwritten():
    url, model = "ram://test_own_files/ae", untrained()
    fit_x(model, ImageSaver(url, X), epochs=1)
    mine = storage_of(f"{url}/0003.png")
    mine.replace(lambda file: file.write(picture()))
    for initial_epoch in (0, 1):
        saver = ImageSaver(url, X, previous="delete")
        with pytest.raises(ValueError, match=r"`filepath` must not name .*/0003\.png' belongs to"):
            fit_x(model, saver, initial_epoch=initial_epoch)
    with mine.open() as file:
        assert file.read() == picture()


# Records that are odd


def cut_line(content):
    return content[:-40]


def merge_conflict(content):
    first, *others = content.splitlines(keepends=True)
    mine, theirs = b"<<<<<<< HEAD\n", b"=======\n" + first + b">>>>>>> theirs\n"
    return mine + first + theirs + b"".join(others)


EDITS = {
    "a mark": lambda content: b"\xef\xbb\xbf" + content,
    "a cut line": cut_line,
    "nothing left": lambda content: b"",
    "a merge conflict": merge_conflict,
    "an odd value": lambda content: content.replace(b'"epoch": 2', b'"epoch": 1e999'),
    "lines of Windows": lambda content: content.replace(b"\n", b"\r\n"),
}


@pytest.mark.filterwarnings("ignore:.* lines of the record in .* cannot be read")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_run_whose_record_was_edited_is_set_aside_whole(tmp_path, edit):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=3)
    record = tmp_path / "snapshots.jsonl"
    record.write_bytes(edit(record.read_bytes()))
    before = tree(tmp_path)
    fit_x(model, ImageSaver(tmp_path, X), epochs=4)
    assert tree(tmp_path / "previous-1") == before
    assert recorded(tmp_path) == numbered(1, 2, 3, 4)


@pytest.mark.filterwarnings("ignore:.* lines of the record in .* cannot be read")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_run_whose_record_was_edited_is_resumed_and_its_lines_are_kept(tmp_path, edit):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=3)
    record = tmp_path / "snapshots.jsonl"
    edited = edit(record.read_bytes().replace(b'{"format"', b'{"invented": 1.50, "format"'))
    record.write_bytes(edited)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=3, epochs=4)
    kept = record.read_bytes()
    # An entry that stands there twice is kept once: where it stood last.
    expected = edited.splitlines()
    first = next((line for line in expected if expected.count(line) > 1), None)
    if first is not None:
        expected.remove(first)
    assert kept.splitlines()[: len(expected)] == expected
    assert json.loads(kept.splitlines()[-1])["epoch"] == 4
    assert sorted(name for name in names(tmp_path)) == [f"000{n}.png" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("initial_epoch", [0, 2])
@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_record_of_something_else_is_refused_and_left(tmp_path, initial_epoch, previous):
    (tmp_path / "snapshots.jsonl").write_text('{"mine": 1}\n[2]\n')
    before = tree(tmp_path)
    saver = ImageSaver(tmp_path, X, previous=previous)
    with pytest.raises(ValueError, match="must have a line that can be read, got 2 of snapshots"):
        fit_x(untrained(), saver, initial_epoch=initial_epoch, epochs=3)
    assert tree(tmp_path) == before


# Two kills, and a half-done deletion


def test_kill_before_the_entry_and_one_before_the_new_record_leave_every_start_possible(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=3)
    unrecord(tmp_path, 3)
    before = tree(tmp_path)
    whole = shutil.copytree(tmp_path, tmp_path.parent / "whole")
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    # As if the second process had been killed before it wrote anything.
    for name in ("run.json", "snapshots.jsonl", "0001.png", "samples.npz"):
        (tmp_path / name).unlink()
    fit_x(model, ImageSaver(tmp_path, X), epochs=4)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4)
    aside = tree(tmp_path / "previous-1")
    assert {name: aside[name] for name in before} == tree(whole)


def killed_after(removals, kind, train):
    """Train, killed after so many files were removed; True if it came to its end."""
    remove, replace = kind.remove, kind.replace
    replacing = []

    def counted(place):
        nonlocal removals
        if not replacing and not place.path.endswith("-probe"):
            if not removals:
                raise Killed
            removals -= 1
        remove(place)

    def marked(place, write):
        replacing.append(place)  # remote storage removes what it replaces
        replace(place, write)
        replacing.pop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "remove", counted)
        patch.setattr(kind, "replace", marked)
        try:
            train()
        except Killed:
            return False
    return True


@pytest.mark.parametrize("kind", [Local, Remote])
def test_deletion_that_was_killed_is_completed_and_no_record_names_what_is_gone(tmp_path, kind):
    model = untrained()
    options = {"page": False, "background": False}
    for removals in range(12):
        folder = f"ram://killed/{removals}" if kind is Remote else str(tmp_path / str(removals))
        fit_x(model, ImageSaver(folder, X, **options), epochs=1)
        saver = ImageSaver(folder, X, previous="delete", **options)
        ended = killed_after(removals, kind, lambda saver=saver: fit_x(model, saver, epochs=1))
        saver.on_train_end()
        if "snapshots.jsonl" in storage_of(folder).names():
            for snapshot in Run.open(folder):
                assert storage_of(snapshot.path).exists()
        fit_x(model, ImageSaver(folder, X, previous="delete", **options), epochs=1)
        expected = ["0001.png", "run.json", "samples.npz", "snapshots.jsonl"]
        assert sorted(storage_of(folder).names()) == expected
        if ended:
            break
    assert ended
    assert removals == 4


def test_temporaries_in_folders_of_earlier_runs_are_removed(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    (tmp_path / "unrecorded-1").mkdir()
    for folder in ("previous-1", "unrecorded-1", "."):
        (tmp_path / folder / ".keras_image_saver-0.tmp").write_bytes(b"half")
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1)
    assert left_over(tmp_path) == []


def test_samples_of_the_first_version_are_moved_where_its_run_is_deleted(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    as_first_version(tmp_path)
    content = (tmp_path / "samples.npz").read_bytes()
    with pytest.warns(UserWarning, match=r"samples\.npz: they are moved to"):
        fit_x(model, ImageSaver(tmp_path, X, previous="delete"), epochs=1)
    assert (tmp_path / "unrecorded-1" / "samples.npz").read_bytes() == content
    assert (tmp_path / "samples.npz").exists()  # those of the new run
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1, epochs=2)
    assert [epoch for epoch, _ in recorded(tmp_path)] == [1, 2]


def name_in_record(folder, name, epoch):
    """Let the record name a file as the picture of an epoch."""
    record = folder / "snapshots.jsonl"
    named = json.loads(record.read_text().splitlines()[0]) | {"epoch": epoch, "file": name}
    record.write_text(record.read_text() + json.dumps(named) + "\n")


@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_file_that_a_record_names_and_that_is_no_picture_of_the_run_stays_where_it_is(
    tmp_path, previous
):
    """A file of one's own, the lock, and pictures of another run and of an earlier one."""
    model = untrained()
    for _ in range(2):
        fit_x(model, ImageSaver(tmp_path, X), epochs=2)
    mine = {"model.keras": b"mine", "other.png": picture(run="0" * 32), "sub/notes": b"mine"}
    mine["previous-1/0002.png"] = (tmp_path / "previous-1" / "0002.png").read_bytes()
    for epoch, (name, content) in enumerate(mine.items(), 3):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        name_in_record(tmp_path, name, epoch)
    for epoch, name in enumerate((".keras_image_saver.lock", "sub", "run.json"), 9):
        name_in_record(tmp_path, name, epoch)
    fit_x(model, ImageSaver(tmp_path, X, previous=previous), epochs=2)
    now = tree(tmp_path)
    assert {name: now[name] for name in mine} == mine
    assert recorded(tmp_path) == numbered(1, 2)
    assert left_over(tmp_path) == []
    aside = names(tmp_path / "previous-2") if previous == "keep" else []
    assert aside == (["0001.png", "0002.png"] if previous == "keep" else [])


@pytest.mark.parametrize("previous", ["keep", "delete"])
@pytest.mark.parametrize("initial_epoch", [0, 1])
def test_file_in_the_place_of_a_picture_that_the_record_names_is_refused_by_name(
    tmp_path, previous, initial_epoch
):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=2)
    (tmp_path / "0002.png").write_bytes(b"mine")
    before = tree(tmp_path)
    saver = ImageSaver(tmp_path, X, previous=previous)
    with pytest.raises(ValueError, match=r"`filepath` must not name .*/0002\.png' belongs to"):
        fit_x(model, saver, initial_epoch=initial_epoch, epochs=2)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_folder_that_is_called_like_a_picture_is_refused_by_name(tmp_path, initial_epoch):
    model = untrained()
    if initial_epoch:
        fit_x(model, ImageSaver(tmp_path, X), epochs=2)
    (tmp_path / "0003.png").mkdir()
    (tmp_path / "0003.png" / "notes").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(ValueError, match=r"`filepath` must not name .*/0003\.png' belongs to"):
        fit_x(model, ImageSaver(tmp_path, X), initial_epoch=initial_epoch, epochs=4)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("previous", ["keep", "delete"])
def test_run_whose_run_file_is_gone_is_known_by_its_newest_picture(tmp_path, previous):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=3)
    run = Run.open(tmp_path).id
    unrecord(tmp_path, 3)
    (tmp_path / "run.json").unlink()
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1, epochs=2)
    assert recorded(tmp_path) == numbered(1, 2)
    assert Run.open(tmp_path).id == run
    (tmp_path / "run.json").unlink()
    fit_x(model, ImageSaver(tmp_path, X, previous=previous), epochs=4)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4)
    assert Run.open(tmp_path).id != run
    aside = [f"000{epoch}.png" for epoch in (1, 2, 3)] if previous == "keep" else []
    assert names(tmp_path / "previous-1") == aside


@pytest.mark.parametrize("place", ["run", "previous-1"])
def test_lists_of_what_is_to_go_are_believed_only_as_far_as_files_are_the_runs(tmp_path, place):
    """A folder from elsewhere, as if its deletion, or its move, had been killed."""
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    mine = {"model.keras": b"mine", "0002.png": b"mine", "index.htm": b"mine", "previous-2/a": b"b"}
    for name, content in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    listed = ["snapshots.jsonl", "0001.png", *mine, ".keras_image_saver.lock", "previous-2", "."]
    about = json.loads((tmp_path / "run.json").read_text())
    if place == "run":
        (tmp_path / "run.json").write_text(
            json.dumps(about | {"state": "deleting", "files": listed})
        )
    else:
        (tmp_path / place).mkdir()
        (tmp_path / place / ".moving").write_text(json.dumps({"files": ["run.json", *listed]}))
        (tmp_path / "run.json").rename(tmp_path / place / "run.json")
    fit_x(model, ImageSaver(tmp_path / "{epoch}.jpg", X), epochs=1)
    now = tree(tmp_path)
    assert {name: now[name] for name in mine} == mine
    assert recorded(tmp_path) == [(1, "1.jpg")]
    assert "0001.png" not in now


def test_file_that_is_called_like_one_of_the_record_and_is_none_is_not_deleted_with_it(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    (tmp_path / "snapshots-0007.jsonl").write_bytes(b"mine")
    with pytest.warns(UserWarning, match=r"snapshots-0007\.jsonl: they are moved|cannot be read"):
        fit_x(model, ImageSaver(tmp_path, X, previous="delete"), epochs=1)
    assert tree(tmp_path / "unrecorded-1") == {"snapshots-0007.jsonl": b"mine"}
    assert recorded(tmp_path) == numbered(1)


@pytest.mark.parametrize("suffix", ["bmp", "png"])
def test_run_whose_pictures_do_not_tell_whose_they_are_is_cut_and_resumed_again(tmp_path, suffix):
    """Also on remote storage, where nothing can be moved."""
    model, options = untrained(), {"render": PREDICTION}
    for folder in (tmp_path, f"ram://test_own_files/cut-{suffix}"):
        path = f"{folder}/{{epoch:04d}}.{suffix}"
        fit_x(model, ImageSaver(path, X, **options), epochs=5)
        for done in (1, 2, 3):
            fit_x(model, ImageSaver(path, X, **options), initial_epoch=done, epochs=done + 1)
            assert [one.epoch for one in Run.open(folder)] == list(range(1, done + 2))
    fit_x(model, ImageSaver(tmp_path / f"{{epoch:04d}}.{suffix}", X, **options), epochs=1)
    expected = [f"{epoch:04d}.{suffix}" for epoch in range(1, 6)]
    assert names(tmp_path / "previous-1") == expected
    assert names(tmp_path) == [expected[0], *(f"previous-1/{name}" for name in expected)]


def test_pictures_that_a_run_file_names_and_that_lead_out_of_its_folder_are_left(tmp_path):
    model, run = untrained(), tmp_path / "run"
    fit_x(model, ImageSaver(run, X), epochs=1)
    (tmp_path / "mine.bmp").write_bytes(picture("bmp"))
    listed = ["../mine.bmp", str(tmp_path / "mine.bmp"), "\0", 5]
    for previous in ("keep", "delete"):
        about = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps(about | {"passed_over": listed}))
        fit_x(model, ImageSaver(run, X, previous=previous), epochs=1)
        assert (tmp_path / "mine.bmp").read_bytes() == picture("bmp")


def test_subfolders_in_which_nothing_is_left_go_with_a_run(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path / "{epoch}/{step}.png", X), epochs=2)
    (tmp_path / "2" / "notes").write_text("mine")
    fit_x(model, ImageSaver(tmp_path / "{epoch:04d}.png", X), epochs=1)
    assert not (tmp_path / "1").exists()
    assert (tmp_path / "2" / "notes").read_text() == "mine"
    fit_x(model, ImageSaver(tmp_path / "{epoch}/{step}.png", X, previous="delete"), epochs=1)
    fit_x(model, ImageSaver(tmp_path / "{epoch:04d}.png", X, previous="delete"), epochs=1)
    assert not (tmp_path / "1").exists()


def test_marked_samples_go_with_a_run_whose_run_file_is_gone(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    (tmp_path / "run.json").unlink()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    assert (tmp_path / "previous-1" / "samples.npz").exists()
    assert (tmp_path / "samples.npz").exists()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif"])
def test_picture_without_an_entry_gets_it_again_where_training_goes_on_behind_it(
    tmp_path, lines, suffix
):
    model, path = untrained(), tmp_path / f"{{epoch:04d}}.{suffix}"
    options = {"render": PREDICTION, "metrics": ["diversity"]}
    fit_x(model, ImageSaver(path, X, **options), epochs=3)
    record = tmp_path / "snapshots.jsonl"
    entries = [json.loads(line) for line in record.read_text().splitlines()]
    unrecord(tmp_path, 2, 3)
    fit_x(model, ImageSaver(path, X, **options), initial_epoch=3, epochs=4)
    found = [json.loads(line) for line in record.read_text().splitlines()]
    assert found[:3] == entries
    assert found[2]["metrics"]
    assert [one["epoch"] for one in found] == [1, 2, 3, 4]
    assert lines() == []


def test_picture_of_an_epoch_that_was_passed_over_gets_no_entry(tmp_path, lines):
    """The run was cut by resuming, and what it drew before that is not of the run as it went on."""
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=5)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1, epochs=2)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=4, epochs=5)
    run = Run.open(tmp_path)
    assert [one.epoch for one in run] == [1, 2, 5]
    assert [one.epoch for one in run.missed] == [3, 4]
    assert "no snapshot of 2 epochs" in lines()[0]


def test_record_that_is_lost_is_made_again_of_what_the_pictures_say(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path / "{step}.png", X, every_batches=1), epochs=2)
    record = tmp_path / "snapshots.jsonl"
    before = [json.loads(line) for line in record.read_text().splitlines()]
    record.unlink()
    fit_x(model, ImageSaver(tmp_path / "{step}.png", X, every_batches=1), initial_epoch=2, epochs=3)
    after = [json.loads(line) for line in record.read_text().splitlines()]
    assert sorted(after, key=lambda one: one["step"])[: len(before)] == before
    steps = [one.step for one in Run.open(tmp_path)]
    assert steps == list(range(1, len(steps) + 1))
