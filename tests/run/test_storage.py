"""Replacing whole files, locally and through `tf.io.gfile`."""

import os
import stat

import pytest

from keras_image_saver.run import storage
from keras_image_saver.run.storage import (
    TEMPORARY_PREFIX,
    exists,
    is_remote,
    local_path,
    probe,
    replace_file,
)


def listing(folder):
    """Every file and folder below, with the files' contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path.relative_to(folder))] = path.read_bytes() if path.is_file() else None
    return found


class Stop(BaseException):
    """As a KeyboardInterrupt: no Exception."""


# replace_file


def test_replace_file_writes_a_new_file(tmp_path):
    replace_file(str(tmp_path / "a.png"), lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_file_makes_folders(tmp_path):
    replace_file(str(tmp_path / "b" / "c" / "a.png"), lambda file: file.write(b"new"))
    assert (tmp_path / "b" / "c" / "a.png").read_bytes() == b"new"


def test_replace_file_without_folder_writes_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    replace_file("a.png", lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_file_with_file_url_writes_locally(tmp_path):
    replace_file(f"file://{tmp_path}/a.png", lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_file_shows_the_old_file_until_the_new_is_whole(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old and longer")
    seen = []

    def write(file):
        file.write(b"ne")
        file.flush()
        seen.append(path.read_bytes())
        file.write(b"w")

    replace_file(str(path), write)
    assert seen == [b"old and longer"]
    assert listing(tmp_path) == {"a.png": b"new"}


@pytest.mark.parametrize("error", [ValueError, OSError, Stop], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("old", [None, b"old"], ids=["new file", "old file"])
def test_replace_file_that_fails_leaves_what_was_there(tmp_path, error, old):
    path = tmp_path / "a.png"
    if old is not None:
        path.write_bytes(old)
    before = listing(tmp_path)

    def write(file):
        file.write(b"half")
        raise error("half way")

    with pytest.raises(error, match="half way"):
        replace_file(str(path), write)
    assert listing(tmp_path) == before


def test_replace_file_over_a_folder_fails_and_leaves_it(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png"):
        replace_file(str(tmp_path / "a.png"), lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": None}


def test_replace_file_below_a_file_fails_and_leaves_it(tmp_path):
    (tmp_path / "runs").write_bytes(b"a file")
    with pytest.raises(OSError, match="runs"):
        replace_file(str(tmp_path / "runs" / "a.png"), lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"runs": b"a file"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_replace_file_gives_the_permissions_of_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        replace_file(str(tmp_path / "a.png"), lambda file: file.write(b"new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == mode


def test_replace_file_writes_its_temporary_file_in_the_same_folder(tmp_path):
    names = []
    replace_file(str(tmp_path / "a.png"), lambda file: names.extend(os.listdir(tmp_path)))
    (name,) = names
    assert name.startswith(TEMPORARY_PREFIX)


# probe


@pytest.mark.parametrize("folder", [".", "there", "there/new", "new/deep/er", "new/"])
def test_probe_of_a_folder_that_can_be_written_leaves_it(tmp_path, folder):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").write_bytes(b"kept")
    before = listing(tmp_path)
    probe(os.path.join(str(tmp_path), folder))
    assert listing(tmp_path) == before


def test_probe_of_no_folder_is_the_working_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    probe("")
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("folder", ["file", "file/new", "file/new/deeper"])
def test_probe_of_a_folder_that_cannot_be_written_fails_and_leaves_it(tmp_path, folder):
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(OSError, match="file"):
        probe(str(tmp_path / folder))
    assert listing(tmp_path) == {"file": b"kept"}


# Paths


@pytest.mark.parametrize("path", ["gs://bucket/a.png", "ram://a", "s3://b", "hdfs://host/a"])
def test_is_remote_of_urls_is_true(path):
    assert is_remote(path)


@pytest.mark.parametrize("path", ["a.png", "/a/b", "file:///a/b", "C:/runs", "a/b://c", "", "~/a"])
def test_is_remote_of_local_paths_is_false(path):
    assert not is_remote(path)


@pytest.mark.parametrize(("path", "local"), [("file:///a/b", "/a/b"), ("a/b", "a/b"), ("", "")])
def test_local_path_drops_the_scheme(path, local):
    assert local_path(path) == local


# Through tf.io.gfile


def test_replace_file_on_ram_is_read_back_by_tensorflow():
    import tensorflow as tf

    path = "ram://test_storage/run/a.png"
    for content in (b"old and longer", b"new"):
        replace_file(path, lambda file, content=content: file.write(content))
        with tf.io.gfile.GFile(path, "rb") as file:
            assert file.read() == content

    def fail(file):
        file.write(b"half")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        replace_file(path, fail)
    with tf.io.gfile.GFile(path, "rb") as file:
        assert file.read() == b"new"


def test_probe_on_ram_leaves_no_file():
    import tensorflow as tf

    probe("ram://test_probe/run")
    assert tf.io.gfile.glob("ram://test_probe/run/*") == []


def test_replace_file_with_unknown_scheme_fails():
    import tensorflow as tf

    with pytest.raises((OSError, tf.errors.OpError), match="nosuch"):
        replace_file("nosuch://bucket/a.png", lambda file: file.write(b"new"))


def test_open_file_and_file_size_read_what_is_there(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    for name in (str(path), f"file://{path}"):
        with storage.open_file(name) as file:
            assert file.read(3) == b"123"
        assert storage.file_size(name) == 5
    for read in (storage.open_file, storage.file_size):
        with pytest.raises(FileNotFoundError):
            read(str(tmp_path / "none"))


def test_open_file_and_file_size_read_remote_files():
    storage.replace_file("ram://opened/a.bin", lambda file: file.write(b"12345"))
    with storage.open_file("ram://opened/a.bin") as file:
        assert file.read() == b"12345"
    assert storage.file_size("ram://opened/a.bin") == 5
    with pytest.raises(FileNotFoundError, match="ram://opened/none"):
        storage.file_size("ram://opened/none")


# exists


def test_exists_tells_files_folders_and_links_from_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    found = [exists(str(tmp_path / name)) for name in (".", "a.png", "link", "b.png")]
    assert found == [True, True, True, False]
    assert exists(f"file://{tmp_path}/a.png")


def test_remote_file_whose_name_another_one_begins_with_is_written_and_removed():
    def write(file):
        file.write(b"new")

    storage.replace_file("ram://prefix/a.jsonl", write)
    storage.replace_file("ram://prefix/a.js", write)
    storage.remove_file("ram://prefix/a.js")
    storage.remove_file("ram://prefix/a.js")
    assert storage.read_bytes("ram://prefix/a.jsonl") == b"new"
