"""What a local file system does: kinds of files, names, and what makes both last.

All that is changed on a local disk goes through the functions here: `create`, `open_lock`, `force`,
`rename`, `unlink`, `make_folder`, `remove_folder` and `sync_folder`, called by their module's name. So
the tests see each one, and what is left of them where the power fails.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# Without waiting for a FIFO's writer; Windows has neither, and its own way with the ends of lines.
_READ = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ |= getattr(os, _flag, 0)

# What is answered where a folder cannot be synced, or its names may not be listed.
_NO_SYNC = {errno.EINVAL, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_SYNC |= {errno.ENOSYS, errno.EBADF, errno.EROFS}


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: If it cannot be read, or is of another kind, which may never answer.
    """
    check_regular(path, os.stat(path))
    # Another file may have the name by now, and a FIFO would be opened once somebody writes to it.
    descriptor = os.open(path, _READ)
    try:
        check_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(path: str, found: os.stat_result) -> None:
    """Refuse a file that is not a regular one, such as a FIFO.

    Raises:
        IsADirectoryError: If it is a folder.
        OSError: If it is of another kind.
    """
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"It is {_kind(found)} and no regular file", path)


def check_replaceable(path: str) -> None:
    """Refuse to put a file in the place of what we never write: a FIFO, a device, a socket.

    A link is replaced itself, and what it leads to is left alone.

    Raises:
        FileExistsError: If it is such a thing.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return  # there is nothing, or the system says what is wrong when it is written
    if not any(test(found.st_mode) for test in (stat.S_ISREG, stat.S_ISLNK, stat.S_ISDIR)):
        raise FileExistsError(errno.EEXIST, f"It is {_kind(found)} and left as it is", path)


def is_same(path: str, other: str) -> bool:
    """Tell whether two paths are names of one file, itself and not what a link leads to."""
    try:
        return os.path.samestat(os.lstat(path), os.lstat(other))
    except OSError:
        return False


def check_length(path: str) -> None:
    """Refuse a path that its file system has no room for, where it tells how much it has.

    Raises:
        ValueError: If it is too long, or a name in it is.
    """
    if not hasattr(os, "pathconf"):
        return
    parents = (str(one) for one in Path(os.path.abspath(path)).parents)
    there = next(one for one in parents if os.path.isdir(one))
    size, names = len(os.fsencode(path)), [len(os.fsencode(name)) for name in path.split("/")]
    for what, got, name in (
        ("names", max(names), "PC_NAME_MAX"),
        ("paths", size + 1, "PC_PATH_MAX"),
    ):
        try:
            limit = os.pathconf(there, name)
        except (OSError, ValueError):
            continue
        if 0 < limit < got:
            raise ValueError(
                f"`filepath` must lead to {what} of at most {limit} bytes there, got {path!r}: {got}."
            )


def make_folders(path: str) -> list[str]:
    """Make a folder and its parents, so that they last; return the new ones, innermost first.

    Raises:
        OSError: If one cannot be made.
    """
    folder = Path(os.path.abspath(path))
    made = [str(one) for one in (folder, *folder.parents) if not os.path.lexists(one)]
    for one in reversed(made):
        make_folder(one)
    if not folder.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
    for one in reversed(made):
        sync_folder(os.path.dirname(one))
    return made


def create(path: str) -> BinaryIO:
    """Open a file for writing that is not there yet.

    Raises:
        OSError: If there is something of that name, or no file can be made.
    """
    return open(path, "xb")  # whose permissions are the umask's, which mkstemp's are not


def open_lock(path: str) -> BinaryIO:
    """Open a file that is only ever locked, making it where there is none.

    Raises:
        OSError: If it cannot be opened.
    """
    return open(path, "a+b")


def force(file: BinaryIO) -> None:
    """Make what was written to an open file last.

    Raises:
        OSError: If storage fails.
    """
    file.flush()
    os.fsync(file.fileno())


def rename(source: str, target: str) -> None:
    """Give a file another name, also that of one which is there, which is replaced then.

    Raises:
        OSError: If storage fails.
    """
    os.replace(source, target)


def unlink(path: str) -> None:
    """Remove a file.

    Raises:
        OSError: If there is none, or storage fails.
    """
    os.unlink(path)


def make_folder(path: str) -> None:
    """Make a folder in one that is there; another process may have made it just before.

    Raises:
        OSError: If it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)


def remove_folder(path: str) -> None:
    """Remove a folder that is empty.

    Raises:
        OSError: If it is not, or storage fails.
    """
    os.rmdir(path)


def sync_folder(path: str) -> None:
    """Make the names in a folder last where the power fails, if the system can.

    A renamed file is durable once its folder is, however often the file itself was synced.

    Raises:
        OSError: If storage fails.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows opens no folder
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _kind(found: os.stat_result) -> str:
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(found.st_mode), "a device")
