"""What a local file system does, and that all which changes it stands in one module."""

import ast
import errno
import os
from pathlib import Path

import pytest

import keras_image_saver
from keras_image_saver.run import disk

PACKAGE = Path(keras_image_saver.__file__).parent

CHANGES = {
    *("os.replace", "os.rename", "os.unlink", "os.remove", "os.link", "os.symlink", "os.truncate"),
    *("os.mkdir", "os.makedirs", "os.rmdir", "os.removedirs", "os.fsync", "os.fdatasync"),
    *("open", "shutil", "tempfile"),
    *(".write_bytes", ".write_text", ".touch", ".mkdir", ".rmdir"),
}


def changes(tree):
    """What is called, or named of a module, in a source that may change a disk."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Attribute):
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            yield f"{'os' if of_os else ''}.{node.attr}"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (getattr(node, "module", "") or "", *(one.name for one in node.names))


def test_disk_is_changed_by_one_module_alone():
    found = {
        path.relative_to(PACKAGE).as_posix(): CHANGES
        & {*changes(ast.parse(path.read_text("utf-8")))}
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: names for name, names in found.items() if names} == {
        "run/disk.py": {"open", "os.replace", "os.unlink", "os.mkdir", "os.rmdir", "os.fsync"}
    }


@pytest.mark.parametrize(
    "source", ["open('a', 'wb')", "os.replace(a, b)", "Path(a).write_text('b')", "import shutil"]
)
def test_change_of_a_disk_is_noticed(source):
    assert CHANGES & {*changes(ast.parse(source))}


def test_make_folders_tells_the_new_ones_innermost_first(tmp_path):
    made = disk.make_folders(str(tmp_path / "a" / "b"))
    assert made == [str(tmp_path / "a" / "b"), str(tmp_path / "a")]
    assert disk.make_folders(str(tmp_path / "a" / "b")) == []


@pytest.mark.parametrize("path", ["file", "link", "link/b", "file/b"])
def test_make_folders_where_no_folder_can_be_fails(tmp_path, path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match=path):
        disk.make_folders(str(tmp_path / path))


@pytest.fixture
def limits(monkeypatch, tmp_path):
    """How long names and paths may be, or why the system does not tell."""
    found = {"PC_NAME_MAX": 5, "PC_PATH_MAX": 10_000}

    def pathconf(folder, name):
        assert folder == str(tmp_path)  # the nearest one that is there
        if isinstance(found[name], Exception):
            raise found[name]
        return found[name]

    monkeypatch.setattr(os, "pathconf", pathconf, raising=False)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize(
    "name", ["abcdef", "a/abcdef/b", "\u00e9\u00e9\u00e9", "ab/\u4e2d\u4e2d/a"]
)
def test_check_length_of_a_name_without_room_counts_its_bytes(limits, name):
    with pytest.raises(ValueError, match=f"names of at most 5 bytes there, got '{name}': 6"):
        disk.check_length(name)
    limits["PC_NAME_MAX"] = 6
    disk.check_length(name)


def test_check_length_of_a_path_without_room_counts_its_bytes_and_their_end(limits):
    limits["PC_PATH_MAX"] = 9
    disk.check_length("\u00e9/ab/cd")
    with pytest.raises(ValueError, match="paths of at most 9 bytes there, got '\u00e9/ab/cde': 10"):
        disk.check_length("\u00e9/ab/cde")


@pytest.mark.parametrize("limit", [0, -1, OSError("nobody knows"), ValueError("no such name")])
def test_check_length_without_a_limit_refuses_nothing(limits, limit):
    limits["PC_NAME_MAX"] = limit
    disk.check_length("abcdef")
    limits["PC_PATH_MAX"] = 1
    with pytest.raises(ValueError, match="paths of at most 1 bytes"):
        disk.check_length("a")
    limits["PC_PATH_MAX"] = limit
    disk.check_length("a")


def test_check_length_where_the_system_tells_none_refuses_nothing(monkeypatch):
    monkeypatch.delattr(os, "pathconf", raising=False)
    disk.check_length("a" * 10_000)


def test_make_folders_makes_them_last_from_the_outermost_on(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    disk.make_folders(str(tmp_path / "a" / "b"))
    assert synced == [str(tmp_path), str(tmp_path / "a")]


def test_make_folder_that_another_process_has_just_made_is_no_error(tmp_path):
    disk.make_folder(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        disk.make_folder(str(tmp_path / "a" / "b"))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES, errno.EROFS, errno.ENOTSUP])
def test_sync_of_a_folder_that_the_system_cannot_sync_is_left_out(tmp_path, monkeypatch, number):
    def fsync(descriptor):
        raise OSError(number, "cannot")

    monkeypatch.setattr(os, "fsync", fsync)
    disk.sync_folder(str(tmp_path))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_sync_of_a_folder_that_fails_is_an_error(tmp_path, monkeypatch, number):
    descriptors = []

    def fsync(descriptor):
        descriptors.append(descriptor)
        raise OSError(number, "cannot")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="cannot"):
        disk.sync_folder(str(tmp_path))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(*descriptors)


def test_force_writes_what_is_buffered_before_it_is_forced(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda number: sizes.append(os.fstat(number).st_size))
    with disk.create(str(tmp_path / "a")) as file:
        file.write(b"abc")
        disk.force(file)
    assert sizes == [3]


def test_create_leaves_what_is_there(tmp_path):
    (tmp_path / "a").write_bytes(b"there")
    with pytest.raises(FileExistsError):
        disk.create(str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"there"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_odd_kinds_are_neither_read_nor_replaced_and_told_by_their_kind(tmp_path):
    fifo, link, folder, file = (tmp_path / name for name in ("fifo", "link", "folder", "file"))
    os.mkfifo(fifo)
    folder.mkdir()
    file.write_bytes(b"abc")
    link.symlink_to(fifo)
    for path in (fifo, link):
        with pytest.raises(OSError, match="It is a FIFO and no regular file"):
            disk.open_regular(str(path))
    with pytest.raises(IsADirectoryError):
        disk.open_regular(str(folder))
    with disk.open_regular(str(file)) as opened:
        assert opened.read() == b"abc"
    with pytest.raises(FileExistsError, match="It is a FIFO and left as it is"):
        disk.check_replaceable(str(fifo))
    for path in (link, folder, file, tmp_path / "nothing"):
        disk.check_replaceable(str(path))
    with pytest.raises(OSError, match="It is a device"):
        disk.open_regular(os.devnull)


def test_file_that_is_another_by_the_time_it_is_open_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"abc")
    descriptors, fstat = [], os.fstat

    def changed(descriptor):
        descriptors.append(descriptor)
        return os.stat(tmp_path)

    monkeypatch.setattr(os, "fstat", changed)
    with pytest.raises(IsADirectoryError):
        disk.open_regular(str(tmp_path / "a"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        fstat(*descriptors)


def test_two_names_of_one_file_are_the_same_and_a_link_to_it_is_not(tmp_path):
    one, other, link = (str(tmp_path / name) for name in ("one", "other", "link"))
    Path(one).write_bytes(b"")
    os.link(one, other)
    os.symlink(one, link)
    assert disk.is_same(one, other)
    assert not disk.is_same(one, link)
    assert not disk.is_same(one, str(tmp_path / "nothing"))
