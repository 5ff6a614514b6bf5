"""Files in a run's folder that are no regular files: nothing waits for them, nothing replaces them."""

import os
import stat

import pytest
from support.models import read
from support.recorded import saved_and_missed
from support.training import X, fit_x, train, untrained

from keras_image_saver import ImageSaver, Run, strip, timelapse, write_page
from keras_image_saver.cli import main

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO"),
]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    train(ImageSaver(folder, X), epochs=3)
    return folder


def into_fifo(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def is_fifo(path):
    return stat.S_ISFIFO(os.lstat(path).st_mode)


def test_fifo_as_a_picture_is_a_gap_to_all_that_read_the_run(run, capsys):
    into_fifo(run / "0002.png")
    said = r"1 of 3 pictures cannot be read .* epoch 2, 0002\.png: .*a FIFO and no regular file"
    for view, out in ((strip, run.parent / "a.png"), (timelapse, run.parent / "b.webp")):
        with pytest.warns(UserWarning, match=said):
            view(run, out)
        assert read(out).any()
    write_page(run)
    out = str(run.parent / "c.png")
    for command in (["strip", str(run), out], ["page", str(run)], ["info", str(run)]):
        assert main(command) == 0
    shown = capsys.readouterr()
    assert "a FIFO and no regular file" in shown.err
    assert f"missing   epoch 2: {run}/0002.png" in shown.out


def test_fifo_as_the_record_is_an_error_that_names_it(run, capsys):
    into_fifo(run / "snapshots.jsonl")
    reason = r"a FIFO and no regular file.*snapshots\.jsonl"
    for start in (
        lambda: Run.open(run),
        lambda: strip(run, run.parent / "a.png"),
        lambda: write_page(run),
        lambda: train(ImageSaver(run, X), epochs=1),
        lambda: fit_x(untrained(), ImageSaver(run, X), epochs=4, initial_epoch=3),
    ):
        with pytest.raises(OSError, match=reason):
            start()
    for command in ("info", "page"):
        assert main([command, str(run)]) == 1
        assert "a FIFO and no regular file" in capsys.readouterr().err
    assert is_fifo(run / "snapshots.jsonl")


@pytest.mark.parametrize("name", ["index.html", "snapshots.js"])
def test_fifo_in_the_place_of_a_page_is_left_alone(run, lines, name, capsys):
    into_fifo(run / name)
    with pytest.raises(FileExistsError, match=name):
        write_page(run)
    assert main(["page", str(run)]) == 1
    train(ImageSaver(run, X), epochs=1)
    assert saved_and_missed(run) == ([1], [])
    assert is_fifo(run / name)
    (line,) = lines()
    assert "There is no page of this run" in line


def test_fifo_in_the_place_of_a_picture_to_come_is_left_alone(tmp_path, lines):
    saver = ImageSaver(tmp_path, X)
    train(saver, before=lambda epoch: epoch == 2 and os.mkfifo(tmp_path / "0002.png"), epochs=3)
    assert saved_and_missed(tmp_path) == ([1, 3], [2])
    assert is_fifo(tmp_path / "0002.png")
    first, _ = lines()
    assert "was missed: FileExistsError" in first


def test_out_of_a_viewer_that_is_a_fifo_is_left_alone(run):
    into_fifo(run.parent / "a.png")
    with pytest.raises(FileExistsError, match=r"a FIFO and left as it is.*a\.png"):
        strip(run, run.parent / "a.png")
    assert is_fifo(run.parent / "a.png")


def test_fifo_in_the_place_of_the_lock_is_named_before_training(tmp_path):
    os.mkfifo(tmp_path / ".keras_image_saver.lock")
    with pytest.raises(FileExistsError, match=r"a FIFO and left as it is.*saver\.lock"):
        fit_x(untrained(), ImageSaver(tmp_path, X))
    assert is_fifo(tmp_path / ".keras_image_saver.lock")
