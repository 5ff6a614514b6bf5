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
from collections.abc import Callable
from typing import Any, BinaryIO

TEMPORARY_PREFIX = ".keras_image_saver-"


def replace_file(path: str, write: Callable[[BinaryIO], None]) -> None:
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
        if path.startswith("ram://") and gfile.exists(path):
            gfile.remove(path)  # where "wb" appends to what is there
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
        gfile = _gfile()
        name = f"{folder.rstrip('/')}/{TEMPORARY_PREFIX}probe"
        replace_file(name, lambda file: None)
        gfile.remove(name)
        return
    folder = local_path(folder) or "."
    missing = []
    parent = os.path.abspath(folder)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    try:
        os.makedirs(folder, exist_ok=True)
        temporary = _temporary(folder)
        with open(temporary, "xb"):
            pass
        os.unlink(temporary)
    finally:
        for made in missing:
            with contextlib.suppress(OSError):
                os.rmdir(made)


def check_path(filepath: Any) -> str:
    """Return the `filepath` argument as a str, `~` expanded.

    Raises:
        TypeError: If it is no path.
        ValueError: If it is a URL that pathlib has broken.
    """
    try:
        text = os.fspath(filepath)
    except TypeError:
        text = None
    if not isinstance(text, str) or not text:
        raise TypeError(f"`filepath` must be a path, not empty, got {filepath!r}.")
    if not isinstance(filepath, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]", text):
        raise ValueError(
            f"`filepath` must be a str for a URL: pathlib made {text!r} of it, with one slash."
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


def _temporary(folder: str) -> str:
    return os.path.join(folder, f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}.tmp")
