"""Replacing whole files, locally and through `tf.io.gfile`."""

import errno
import inspect
import os
import re
import socket
import stat
from pathlib import Path

import pytest
from support.disk import Calls

from keras_image_saver.run.files import is_temporary
from keras_image_saver.run.storage import Local, Remote, check_path, is_same, join, storage_of

pytestmark = pytest.mark.usefixtures("real_fsync")


def listing(folder):
    """Every file and folder below, with the files' contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path.relative_to(folder))] = path.read_bytes() if path.is_file() else None
    return found


class Stop(BaseException):
    """As a KeyboardInterrupt: no Exception."""


# replace


def test_replace_writes_a_new_file(tmp_path):
    storage_of(str(tmp_path / "a.png")).replace(lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_makes_folders(tmp_path):
    storage_of(str(tmp_path / "b" / "c" / "a.png")).replace(lambda file: file.write(b"new"))
    assert (tmp_path / "b" / "c" / "a.png").read_bytes() == b"new"


def test_replace_without_folder_writes_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage_of("a.png").replace(lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_with_file_url_writes_locally(tmp_path):
    storage_of(f"file://{tmp_path}/a.png").replace(lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_replace_shows_the_old_file_until_the_new_is_whole(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old and longer")
    seen = []

    def write(file):
        file.write(b"ne")
        file.flush()
        seen.append(path.read_bytes())
        file.write(b"w")

    storage_of(str(path)).replace(write)
    assert seen == [b"old and longer"]
    assert listing(tmp_path) == {"a.png": b"new"}


@pytest.mark.parametrize("error", [ValueError, OSError, Stop], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("old", [None, b"old"], ids=["new file", "old file"])
def test_replace_that_fails_leaves_what_was_there(tmp_path, error, old):
    path = tmp_path / "a.png"
    if old is not None:
        path.write_bytes(old)
    before = listing(tmp_path)

    def write(file):
        file.write(b"half")
        raise error("half way")

    with pytest.raises(error, match="half way"):
        storage_of(str(path)).replace(write)
    assert listing(tmp_path) == before


def test_replace_over_a_folder_fails_and_leaves_it(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png"):
        storage_of(str(tmp_path / "a.png")).replace(lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"a.png": None}


def test_replace_below_a_file_fails_and_leaves_it(tmp_path):
    (tmp_path / "runs").write_bytes(b"a file")
    with pytest.raises(OSError, match="runs"):
        storage_of(str(tmp_path / "runs" / "a.png")).replace(lambda file: file.write(b"new"))
    assert listing(tmp_path) == {"runs": b"a file"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_replace_gives_the_permissions_of_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        storage_of(str(tmp_path / "a.png")).replace(lambda file: file.write(b"new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == mode


def test_replace_writes_its_temporary_file_in_the_same_folder(tmp_path):
    names = []
    storage_of(str(tmp_path / "a.png")).replace(lambda file: names.extend(os.listdir(tmp_path)))
    (name,) = names
    assert is_temporary(name)


# probe


@pytest.mark.parametrize("folder", [".", "there", "there/"])
def test_probe_of_a_folder_that_can_be_written_leaves_it(tmp_path, folder):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").write_bytes(b"kept")
    before = listing(tmp_path)
    storage_of(os.path.join(str(tmp_path), folder)).probe()
    assert listing(tmp_path) == before


def test_probe_of_no_folder_is_the_working_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage_of("").probe()
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("folder", ["file", "file/new", "file/new/deeper"])
def test_probe_of_a_folder_that_cannot_be_written_fails_and_leaves_it(tmp_path, folder):
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(OSError, match="file"):
        storage_of(str(tmp_path / folder)).probe()
    assert listing(tmp_path) == {"file": b"kept"}


# storage_of


@pytest.mark.parametrize("path", ["gs://bucket/a.png", "ram://a", "s3://b", "abfs://b/a"])
def test_storage_of_urls_is_remote(path):
    assert storage_of(path) == Remote(path)
    assert storage_of(path).real_path == path


@pytest.mark.parametrize("path", ["a.png", "/a/b", "file:///a/b", "C:/runs", "a/b://c", "", "~/a"])
def test_storage_of_other_paths_is_local(path):
    assert storage_of(path) == Local(path)


@pytest.mark.parametrize(
    ("path", "inner"),
    [("", "b"), ("a", "a/b"), ("file:///a/", "file:///a/b"), ("gs://a", "gs://a/b")],
)
def test_storage_of_a_name_in_a_folder_is_that_of_the_folder(path, inner):
    assert storage_of(path) / "b" == storage_of(inner)


def test_every_storage_has_the_same_methods():
    def methods(storage):
        return {
            name: inspect.signature(method) if callable(method) else type(method)
            for name, method in vars(storage).items()
            if not name.startswith("_")
        }

    assert methods(Local) == methods(Remote)


# What remote storage lacks


def test_remote_storage_neither_moves_nor_locks():
    local, remote = storage_of("run"), storage_of("gs://b/run")
    assert (local.can_move, local.has_locks) == (True, True)
    assert (remote.can_move, remote.has_locks) == (False, False)


def test_remote_folder_lists_no_subfolders():
    folder = storage_of("ram://lacks/run")
    (folder / "a.png").replace(lambda file: file.write(b"mine"))
    assert list(folder.contents(depth=9, unless="")) == [folder / "a.png"]


def test_remote_file_is_not_moved():
    file = storage_of("ram://unmoved/a.png")
    file.replace(lambda opened: opened.write(b"mine"))
    assert not file.can_move
    with pytest.raises(OSError, match=r"'ram://unmoved/a\.png' cannot be moved"):
        file.move(storage_of("ram://unmoved/b.png"))
    assert file.exists()


# Local folders


def test_contents_are_those_so_many_levels_deep_and_of_no_other_run(tmp_path):
    for name in ("a", "b/c", "b/d/e", "other/mark", "other/f", "b/d/g/h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    def found(depth):
        files = storage_of(str(tmp_path)).contents(depth=depth, unless="mark")
        return sorted(os.path.relpath(file.path, tmp_path) for file in files)

    assert found(0) == ["a", "b", "other"]
    assert found(1) == ["a", "b", "b/c", "b/d", "other"]
    assert found(2) == ["a", "b", "b/c", "b/d", "b/d/e", "b/d/g", "other"]


def test_move_makes_folders_and_leaves_what_is_not_there(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")
    folder = storage_of(str(tmp_path))
    (folder / "a").move(folder / "b/c/d")
    (folder / "a").move(folder / "b/c/d")
    assert listing(tmp_path) == {"b": None, "b/c": None, "b/c/d": b"mine"}


def test_move_of_a_file_that_has_both_names_leaves_the_new_one(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    folder = storage_of(str(tmp_path))
    (folder / "a").move(folder / "b")
    assert listing(tmp_path) == {"b": b"mine"}


@pytest.mark.parametrize("other", ["a", "link", "copy", "none"])
def test_is_same_tells_names_of_one_file(tmp_path, other):
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "copy").write_bytes(b"mine")
    folder = storage_of(str(tmp_path))
    assert is_same(folder / "a", folder / other) is (other == "a")


# Through tf.io.gfile


def test_replace_on_ram_is_read_back_by_tensorflow():
    import tensorflow as tf

    path = "ram://test_storage/run/a.png"
    for content in (b"old and longer", b"new"):
        storage_of(path).replace(lambda file, content=content: file.write(content))
        with tf.io.gfile.GFile(path, "rb") as file:
            assert file.read() == content

    def fail(file):
        file.write(b"half")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        storage_of(path).replace(fail)
    with tf.io.gfile.GFile(path, "rb") as file:
        assert file.read() == b"new"


def test_probe_on_ram_leaves_no_file():
    import tensorflow as tf

    storage_of("ram://test_probe/run").probe()
    assert tf.io.gfile.glob("ram://test_probe/run/*") == []


def test_replace_with_unknown_scheme_fails():
    import tensorflow as tf

    with pytest.raises((OSError, tf.errors.OpError), match="nosuch"):
        storage_of("nosuch://bucket/a.png").replace(lambda file: file.write(b"new"))


def test_open_and_size_read_what_is_there(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    for name in (str(path), f"file://{path}"):
        with storage_of(name).open() as file:
            assert file.read(3) == b"123"
        assert storage_of(name).size() == 5
    none = storage_of(str(tmp_path / "none"))
    for read in (none.open, none.size):
        with pytest.raises(FileNotFoundError):
            read()


def test_open_and_size_read_remote_files():
    folder = storage_of("ram://opened")
    (folder / "a.bin").replace(lambda file: file.write(b"12345"))
    with (folder / "a.bin").open() as file:
        assert file.read() == b"12345"
    assert (folder / "a.bin").size() == 5
    for read in ((folder / "none").size, (folder / "none").open):
        with pytest.raises(FileNotFoundError, match="ram://opened/none"):
            read()


# exists


def test_exists_tells_files_folders_and_links_from_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    found = [storage_of(str(tmp_path / name)).exists() for name in (".", "a.png", "link", "b.png")]
    assert found == [True, True, True, False]
    assert storage_of(f"file://{tmp_path}/a.png").exists()


def test_remote_file_whose_name_another_one_begins_with_is_written_and_removed():
    def write(file):
        file.write(b"new")

    folder = storage_of("ram://prefix")
    (folder / "a.jsonl").replace(write)
    (folder / "a.js").replace(write)
    (folder / "a.js").remove()
    (folder / "a.js").remove()
    with (folder / "a.jsonl").open() as file:
        assert file.read() == b"new"


# What lasts where the power fails

on_linux = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="syncs are told apart there"
)


@on_linux
def test_replace_syncs_the_file_then_its_folder_and_new_folders_in_their_parents(
    tmp_path, monkeypatch
):
    calls = Calls(tmp_path, monkeypatch)
    path = storage_of(str(tmp_path / "a" / "b" / "c.png"))
    path.replace(lambda file: file.write(b"new"))
    written = [
        ("sync", "a temporary"),
        ("rename", "a temporary to a/b/c.png"),
        ("sync", "a/b"),
    ]
    assert calls == [("sync", "."), ("sync", "a"), *written]
    calls.clear()
    path.replace(lambda file: file.write(b"new"))
    assert calls == written


@on_linux
@pytest.mark.parametrize("error", [errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.EIO])
def test_folder_that_cannot_be_synced_is_no_failure_of_storage(tmp_path, monkeypatch, error):
    fsync = os.fsync

    def refuse(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(error, os.strerror(error))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    file = storage_of(str(tmp_path / "a.png"))
    if error == errno.EIO:
        with pytest.raises(OSError, match=os.strerror(error)):
            file.replace(lambda opened: opened.write(b"new"))
    else:
        file.replace(lambda opened: opened.write(b"new"))
    assert listing(tmp_path) == {"a.png": b"new"}


def test_folder_is_not_synced_where_none_can_be_opened(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(fsync(descriptor)))
    monkeypatch.delattr(os, "O_DIRECTORY", raising=False)
    storage_of(str(tmp_path / "a.png")).replace(lambda file: file.write(b"new"))
    assert len(synced) == 1


# What is no regular file


has_special_files = pytest.mark.skipif(
    not hasattr(os, "mkfifo"),
    reason="Windows has neither FIFOs nor files of sockets that could be met",
)


@pytest.fixture
def special(tmp_path):
    """A FIFO that nobody writes to, a socket, a link to a device, and a folder."""
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(tmp_path / "socket"))
        os.symlink("/dev/zero", tmp_path / "device")
        (tmp_path / "folder").mkdir()
        yield tmp_path


@has_special_files
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fifo", "a FIFO and no regular file"),
        ("socket", "a socket and no regular file"),
        ("device", "a device and no regular file"),
        ("folder", "[Ii]s a directory"),
    ],
)
def test_only_a_regular_file_is_read(special, name, reason):
    for read in ("open", "size"):
        with pytest.raises(OSError, match=rf"{reason}.*{name}"):
            getattr(storage_of(str(special / name)), read)()


@has_special_files
def test_file_that_becomes_a_fifo_before_it_is_opened_is_not_waited_for(special, monkeypatch):
    path, found = special / "file", os.stat
    path.write_bytes(b"a file")

    def swap(name, **options):
        seen = found(name, **options)
        if name == str(path):
            path.unlink()
            os.mkfifo(path)
        return seen

    monkeypatch.setattr(os, "stat", swap)
    with pytest.raises(OSError, match="a FIFO"):
        storage_of(str(path)).open()


@has_special_files
@pytest.mark.parametrize("name", ["fifo", "socket"])
def test_what_we_never_write_is_neither_replaced_nor_removed(special, name):
    before, file = os.lstat(special / name), storage_of(str(special / name))
    with pytest.raises(FileExistsError, match=rf"(?i)It is a {name}.* left as it is.*{name}"):
        file.replace(lambda opened: opened.write(b"new"))
    file.remove()
    assert os.path.samestat(before, os.lstat(special / name))
    assert len(os.listdir(special)) == 4


# Paths


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("", "a", "a"),
        ("", "", ""),
        ("a", "b", "a/b"),
        ("a/", "b/c", "a/b/c"),
        ("a//", "b", "a/b"),
        ("/", "b", "/b"),
        ("a", "", "a/"),
        ("gs://b", "c", "gs://b/c"),
    ],
)
def test_join_puts_one_slash_between(folder, name, path):
    assert join(folder, name) == path


@pytest.mark.parametrize(
    ("path", "folder"),
    [("a/b", "a"), ("a", ""), ("/a", "/"), ("gs://b/a", "gs://b"), ("file:///a/b", "file:///a")],
)
def test_folder_of_a_path_is_what_it_is_in(path, folder):
    assert storage_of(path).folder == storage_of(folder)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("a/{epoch}.png", "a/{epoch}.png"),
        (Path("a") / "b", "a/b"),
        ("gs://b/a", "gs://b/a"),
        ("~/a", os.path.expanduser("~/a")),
        (Path("c:/a"), "c:/a"),
        (Path("a:b/c"), "a:b/c"),
        (" ", " "),
    ],
    ids=repr,
)
def test_check_path_returns_a_text(given, path):
    assert check_path(given) == path


@pytest.mark.parametrize("given", [None, 3, b"a", ""], ids=repr)
def test_check_path_of_no_path_shows_it(given):
    with pytest.raises(TypeError, match=f"`folder` must be a path, not empty, got {given!r}"):
        check_path(given, "folder")


@pytest.mark.parametrize("url", ["gs://b/a", "s3://b", "h2+x.y-z://b"])
def test_check_path_of_a_url_that_pathlib_has_broken_shows_it(url):
    broken = url.replace("//", "/")
    with pytest.raises(
        ValueError, match=re.escape(f"pathlib made {broken!r} of it, with one slash")
    ):
        check_path(Path(url))


@pytest.mark.parametrize("path", ["c://a", "1s://a", "a_b://c", "://a", "file://a", "file:/a"])
def test_storage_of_what_is_no_scheme_or_of_this_machine_is_local(path):
    assert storage_of(path) == Local(path)


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        ("a", "/w/a"),
        ("", "/w/"),
        (".", "/w/"),
        ("./a", "/w/a"),
        (".//./a", "/w/a"),
        ("../a", "/w/../a"),
        (".a", "/w/.a"),
        ("a/.", "/w/a/."),
        ("/a", "/a"),
        ("file://a", "file:///w/a"),
        ("file:///a", "file:///a"),
        ("gs://a", "gs://a"),
    ],
)
def test_absolute_path_is_in_the_folder_where_it_is_relative(path, absolute):
    assert storage_of(path).absolute(lambda: "/w") == absolute


def test_real_path_follows_links_and_leaves_what_no_file_can_be_called(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert storage_of(f"file://{tmp_path}/link").real_path == os.path.realpath(tmp_path / "a")
    assert storage_of("a\0b").real_path == "a\0b"


# Names in a folder


def test_names_are_those_in_a_folder(tmp_path):
    for name in ("a", ".b", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    folder = storage_of(str(tmp_path))
    assert sorted(folder.names()) == [".b", "a", "c"]
    assert (folder / "a").names() == (folder / "nothing").names() == []


def test_names_of_a_remote_folder_are_those_in_it():
    folder = storage_of("ram://names")
    for name in ("a", "b/c"):
        (folder / name).replace(lambda file: file.write(b""))
    assert sorted(folder.names()) == ["a", "b"]
    assert (folder / "a").names() == (folder / "nothing").names() == []
    assert folder.links(depth=9) == []
    assert folder.holds("../a")


def test_folder_is_removed_if_it_is_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_bytes(b"")
    for name in ("empty", "full", "nothing"):
        storage_of(str(tmp_path / name)).remove_folder()
    assert listing(tmp_path) == {"full": None, "full/a": b""}


def test_file_is_removed_if_there_is_one(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    for _ in range(2):
        storage_of(str(tmp_path / "a")).remove()
    assert listing(tmp_path) == {}


def test_contents_of_a_folder_with_the_mark_are_its_own(tmp_path):
    for name in ("mark", "a/b", "a/mark/c", "d/e/mark", "d/e/f/g"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    files = storage_of(str(tmp_path)).contents(depth=9, unless="mark")
    # A folder that is called like the mark marks nothing.
    names = {os.path.relpath(file.path, tmp_path) for file in files}
    assert names == {"mark", "a", "a/b", "a/mark", "a/mark/c", "d", "d/e"}


def test_links_are_the_folders_that_are_links_so_many_levels_deep(tmp_path):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    for place in ("", "a/", "a/b/"):
        (tmp_path / place / "link").symlink_to(tmp_path / "a" / "b" / "c")
        (tmp_path / place / "file").symlink_to(__file__)
    found = [sorted(storage_of(str(tmp_path)).links(depth=depth)) for depth in (0, 1, 2)]
    assert found == [[], ["link"], ["a/link", "link"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", True),
        ("outside.png", True),  # itself a link, which is replaced and not followed
        ("sub/a.png", True),
        ("nothing/a.png", True),
        ("inside/a.png", True),
        ("outside/a.png", False),
        ("beside/a.png", False),
        ("sub/../../a.png", False),
        ("sub/../a.png", True),
    ],
)
def test_folder_holds_names_that_links_do_not_lead_out_of(tmp_path, name, expected):
    run = tmp_path / "run"
    for folder in (run / "sub", tmp_path / "run-2"):
        folder.mkdir(parents=True)
    links = {"inside": run / "sub", "outside": tmp_path, "beside": tmp_path / "run-2"}
    for link, target in {**links, "outside.png": tmp_path / "a.png"}.items():
        (run / link).symlink_to(target)
    assert storage_of(str(run)).holds(name) is expected


def test_probe_refuses_a_path_without_room(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pathconf", lambda folder, name: 300, raising=False)
    folder = storage_of(str(tmp_path / "run"))
    with pytest.raises(ValueError, match="names of at most 300 bytes"):
        folder.probe(f"{tmp_path}/run/{'x' * 301}")
    folder.probe(f"file://{tmp_path}/run/x")
    assert listing(tmp_path) == {"run": None}
