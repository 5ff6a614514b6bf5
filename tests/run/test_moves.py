"""Files that are moved or removed together, and in which order that lasts."""

import os

import pytest
from support.disk import Calls

from keras_image_saver.run.moves import move_all, remove_all, remove_empty
from keras_image_saver.run.storage import storage_of

pytestmark = [
    pytest.mark.usefixtures("real_fsync"),
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="syncs are told apart there"),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/1", "a/2", "3"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_move_all_syncs_each_folder_once_those_that_gain_names_first(folder, monkeypatch):
    place, calls = storage_of(str(folder)), Calls(folder, monkeypatch)
    (folder / "to").mkdir()
    names = ("3", "a/1", "a/2", "none")
    move_all((place / name, place / f"to/{name}") for name in names)
    assert calls == [
        ("rename", "3 to to/3"),
        ("sync", "to"),  # which a new folder is in
        ("rename", "a/1 to to/a/1"),
        ("rename", "a/2 to to/a/2"),
        *[("sync", name) for name in ("to", "to/a", ".", "a")],
    ]


def test_remove_all_syncs_each_folder_that_is_there_once(folder, monkeypatch):
    place, calls = storage_of(str(folder)), Calls(folder, monkeypatch)
    remove_all(place / name for name in ("3", "a/1", "a/2", "none", "no/4"))
    assert calls == [("sync", "."), ("sync", "a")]
    remove_empty(place, ["a/1", "no/4"])
    assert list(folder.iterdir()) == []
