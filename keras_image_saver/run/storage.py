"""Storage has one verb: replace a whole file. A reader sees the old file or the new one.

Locally that is a temporary file in the same folder and a rename; on remote paths one
`tf.io.gfile` write.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

TEMPORARY_PREFIX = ".keras_image_saver-"


def replace_file(path: str, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace the file at `path` with what `write` puts into an open binary file.

    Folders are made as needed. If anything fails, what was there before is still there.

    Raises:
        OSError: If the file cannot be written.
    """
    if is_remote(path):
        buffer = io.BytesIO()
        write(buffer)
        gfile = _gfile()
        gfile.makedirs(os.path.dirname(path))
        if path.startswith("ram://"):
            remove_file(path)  # where "wb" appends to what is there
        with gfile.GFile(path, "wb") as remote:
            remote.write(buffer.getvalue())
        return
    path = local_path(path)
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    temporary = _temporary(folder)
    try:
        # "x" with open's own mode: permissions are the umask's, which mkstemp's are not.
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def probe(folder: str) -> None:
    """Find out whether files can be written to `folder`, and leave it as it was.

    Raises:
        OSError: If they cannot.
    """
    if is_remote(folder):
        check_scheme(folder)
        name = join(folder, f"{TEMPORARY_PREFIX}probe")
        replace_file(name, lambda file: None)
        remove_file(name)
        return
    folder = local_path(folder) or "."
    made = make_folder(folder)
    try:
        temporary = _temporary(folder)
        with open(temporary, "xb"):
            pass
        os.unlink(temporary)
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                os.rmdir(path)


def check_scheme(path: str) -> None:
    """Refuse a remote path of a scheme that TensorFlow does not know.

    Raises:
        ValueError: If it does not.
    """
    if not is_remote(path):
        return
    try:
        _gfile().exists(path)
    except Exception as error:
        if type(error).__name__ != "UnimplementedError":
            raise
        raise ValueError(
            "`filepath` must be local or of a scheme that TensorFlow can write, such as gs://, got "
            f"{path!r}: {error}"
        ) from error


def make_folder(folder: str) -> list[str]:
    """Make a local folder and its parents; return those that were made, innermost first."""
    missing = []
    parent = os.path.abspath(folder)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    os.makedirs(folder, exist_ok=True)
    return missing


def read_bytes(path: str) -> bytes:
    """Return the content of a file."""
    if is_remote(path):
        with _gfile().GFile(path, "rb") as remote:
            content: bytes = remote.read()
            return content
    with open(local_path(path), "rb") as file:
        return file.read()


def open_file(path: str) -> BinaryIO:
    """Open a file for reading, without reading all of it where it is local."""
    return io.BytesIO(read_bytes(path)) if is_remote(path) else open(local_path(path), "rb")


def file_size(path: str) -> int:
    """Return the size of a file in bytes.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if is_remote(path):
        if not _gfile().exists(path):
            raise FileNotFoundError(path)
        return int(_gfile().stat(path).length)
    return os.path.getsize(local_path(path))


def exists(path: str) -> bool:
    """Tell whether there is a file or folder at `path`."""
    if is_remote(path):
        return bool(_gfile().exists(path))
    return os.path.lexists(local_path(path))


def list_folder(folder: str) -> list[str]:
    """Return the names in a folder; none if there is no such folder."""
    if is_remote(folder):
        gfile = _gfile()
        names = gfile.listdir(folder) if gfile.isdir(folder) else []
        return [name.rstrip("/") for name in names]
    try:
        return os.listdir(local_path(folder) or ".")
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_file(path: str) -> None:
    """Remove a file; it is no error if there is none."""
    if is_remote(path):
        gfile = _gfile()
        # Not `exists` alone: to ram:// a name exists that another one begins with.
        with contextlib.suppress(_gfile_errors().NotFoundError):
            if gfile.exists(path):
                gfile.remove(path)
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(local_path(path))


def move_file(path: str, target: str) -> bool:
    """Move a local file, making the target's folders; False if there is none to move."""
    source, goal = local_path(path), local_path(target)
    if not os.path.lexists(source):
        return False
    os.makedirs(os.path.dirname(goal) or ".", exist_ok=True)
    os.replace(source, goal)
    return True


def clear_temporaries(folder: str, *, depth: int, unless: str) -> None:
    """Remove what a killed process left behind; the arguments are those of `files_in`."""
    for path in files_in(folder, depth=depth, unless=unless):
        name = os.path.basename(path)
        if name.startswith(TEMPORARY_PREFIX) and name.endswith(".tmp"):
            with contextlib.suppress(OSError):
                os.unlink(local_path(path))


def files_in(folder: str, *, depth: int, unless: str) -> Iterator[str]:
    """Yield the files of a local folder and its subfolders, as paths that begin with `folder`.

    Args:
        folder: The folder; none are found in a remote one.
        depth: How many levels of subfolders may hold files of ours; a run in a home folder must not
            walk all of it.
        unless: The name of a file that marks subfolders to be left alone: other runs write there.
    """
    if is_remote(folder):
        return
    top = local_path(folder) or "."
    for place, subfolders, names in os.walk(top):
        if place != top and unless in names:
            subfolders.clear()
            continue
        if os.path.relpath(place, top).count(os.sep) + (place != top) >= depth:
            subfolders.clear()
        inner = os.path.relpath(place, top).replace(os.sep, "/")
        for name in names:
            yield join(folder, name if inner == "." else f"{inner}/{name}")


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder; "" is the current one."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def relative(path: str, folder: str) -> str:
    """Return the path of a file as seen from a folder that holds it, with slashes."""
    return path.removeprefix(join(folder, "")) if folder else path


def is_inside(folder: str, name: str) -> bool:
    """Tell whether a relative file name stays in its folder, symbolic links followed."""
    if is_remote(folder):
        return True
    root = os.path.realpath(local_path(folder) or ".")
    place = os.path.realpath(os.path.dirname(os.path.join(root, name)))
    return place == root or place.startswith(os.path.join(root, ""))


def check_path(filepath: Any, argument: str = "filepath") -> str:
    """Return a path that the user gave as `argument` as a str, `~` expanded.

    Raises:
        TypeError: If it is no path.
        ValueError: If it is a URL that pathlib has broken.
    """
    try:
        text = os.fspath(filepath)
    except TypeError:
        text = None
    if not isinstance(text, str) or not text:
        raise TypeError(f"`{argument}` must be a path, not empty, got {filepath!r}.")
    if not isinstance(filepath, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]", text):
        raise ValueError(
            f"`{argument}` must be a str for a URL: pathlib made {text!r} of it, with one slash."
        )
    return os.path.expanduser(text)


def is_remote(path: str) -> bool:
    """Tell paths that only `tf.io.gfile` can write from local ones."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None and not path.startswith(
        "file://"
    )


def local_path(path: str) -> str:
    """Return a local path without its file:// scheme."""
    return path.removeprefix("file://")


def _gfile() -> Any:
    import tensorflow as tf

    return tf.io.gfile


def _gfile_errors() -> Any:
    import tensorflow as tf

    return tf.errors


def _temporary(folder: str) -> str:
    return os.path.join(folder, f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}.tmp")
