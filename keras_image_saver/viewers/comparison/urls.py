"""Where a run is, from a page, and what it is called beside others."""

import os
import posixpath
import re
import shlex
from collections.abc import Sequence
from urllib.parse import quote

from keras_image_saver.run.storage import storage_of


def relative_url(page_folder: str, folder: str) -> str:
    """Return the relative URL of a run's folder, from that of a page.

    Raises:
        ValueError: If none leads there.

    >>> relative_url("pages", "runs/a #1"), relative_url("runs", "runs/b"), relative_url("a", "a")
    ('../runs/a%20%231/', './b/', './')
    """
    start, end = map(_split, (page_folder, folder))
    try:
        if start[0] != end[0]:
            raise ValueError
        # Only the names count, as in browsers, which know nothing of symbolic links.
        way = os.path.relpath(end[1] or ".", start[1] or ".")
    except ValueError:  # of Windows, where the drives differ
        raise ValueError(
            f"`out` must be where a relative URL leads to each run, got a page in {page_folder!r} and "
            f"a run in {folder!r}. Write it to the storage that has the runs, or copy them."
        ) from None
    parts = way.replace(os.sep, "/").split("/")
    # What begins with a dot is never read as a scheme.
    lead = [] if parts[0] in (".", "..") else ["."]
    return "/".join([*lead, *(quote(os.fsencode(part), safe="") for part in parts)]) + "/"


def _split(path: str) -> tuple[str, str]:
    """Return the storage of a path, "" for this machine, and the path on it."""
    if storage_of(path).has_locks:
        local = path.removeprefix("file://")
        return "", os.path.abspath(local or ".")
    scheme, rest = re.split("(?<=://)", path, maxsplit=1)
    host, _, inner = rest.partition("/")
    return scheme + host, posixpath.normpath(f"/{inner}")


def names_of(folders: Sequence[str]) -> list[str]:
    """Return what runs are called: as many of the last parts of their paths as tell them apart.

    >>> names_of(["runs/a", "runs/b/"]), names_of(["a/seed1", "b/seed1"])
    (['a', 'b'], ['a/seed1', 'b/seed1'])
    """
    parts = [[one for one in re.split(r"[/\\]", _whole(folder)) if one] for folder in folders]
    most = max(map(len, parts))
    for count in range(1, most + 1):
        names = ["/".join(one[-count:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return list(folders)


def _whole(folder: str) -> str:
    return "/".join(_split(folder))


def shell_path(path: str) -> str:
    """Return a path as a command has it that is pasted into a shell, wherever that stands."""
    return shlex.quote(storage_of(path).absolute(os.getcwd))
