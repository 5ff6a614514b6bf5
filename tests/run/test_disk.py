"""What a local file system does, and that all which changes it stands in one module."""

import ast
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
