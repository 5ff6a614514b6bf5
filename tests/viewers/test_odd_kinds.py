"""What is no regular file, in a run's folder: viewers and commands neither wait for it nor follow it."""

import os
import socket
import warnings

import pytest
from support.folders import decoded, flat, write_run

from keras_image_saver import Run, strip, timelapse, write_page
from keras_image_saver.cli import main

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


KINDS = {
    "FIFO": os.mkfifo,
    "socket": make_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
}


@pytest.fixture(params=KINDS)
def put(request, tmp_path, monkeypatch):
    """Put something of a kind in the place of a file of the run."""
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 bytes

    def placed(path):
        path = path.relative_to(tmp_path)
        path.unlink(missing_ok=True)
        KINDS[request.param](path)

    return placed


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    write_run(folder, [flat(50), flat(100), flat(150)])
    return folder


def test_viewers_show_a_gap_for_a_picture_that_is_no_file(run, tmp_path, put, capsys):
    put(run / "0002.png")
    with pytest.warns(UserWarning, match=r"1 of 3 pictures cannot be read.*0002\.png"):
        timelapse(run, tmp_path / "a.gif", caption=None)
    assert [int(frame[0, 0, 0]) for frame in decoded(tmp_path / "a.gif")[0]] == [50, 50, 150]
    with pytest.warns(UserWarning, match=r"1 of 3 pictures cannot be read.*0002\.png"):
        strip(run, tmp_path / "a.png")
    write_page(run)
    assert main(["info", str(run)]) == 0
    assert f"missing   epoch 2: {run}/0002.png" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["snapshots.jsonl", "snapshots-0000.jsonl"])
def test_viewers_refuse_a_record_that_is_no_file(run, tmp_path, put, name, capsys):
    put(run / name)
    for view in (
        lambda: Run.open(run),
        lambda: strip(run, tmp_path / "a.png"),
        lambda: write_page(run),
    ):
        with pytest.raises(OSError, match=name):
            view()
    for command in (["info"], ["page"], ["strip", "a.png"], ["timelapse", "a.gif"]):
        assert main([command[0], str(run), *command[1:]]) == 1
    assert capsys.readouterr().err.count(name) == 4


@pytest.mark.parametrize("name", ["index.html", "snapshots.js"])
def test_page_leaves_alone_what_is_no_file(run, put, name):
    put(run / name)
    with pytest.raises(FileExistsError, match=name):
        write_page(run)
    assert not (run / name).is_file()


def test_info_counts_no_samples_that_are_no_file(run, put, capsys):
    put(run / "samples.npz")
    with warnings.catch_warnings():
        assert main(["info", str(run)]) == 0
    size = (run / "snapshots.jsonl").stat().st_size
    assert f"{size} B of record and samples" in capsys.readouterr().out
