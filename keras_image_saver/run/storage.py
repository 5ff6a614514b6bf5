"""Storage has one verb: replace a whole file. A reader sees the old file or the new one.

`storage_of(path)` returns a path with what its storage can do: `Local`, where a file is replaced by
a temporary one in its folder and a rename, or `Remote`, where it is one write of `tf.io.gfile`.
Nobody else asks of what kind a path is. Another storage is one more class with these methods, which
`storage_of` chooses; `can_move` and `has_locks` say what it lacks.
"""

import contextlib
import errno
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from keras_image_saver.run import disk
from keras_image_saver.run.files import PROBE, temporary_name


@dataclass(frozen=True)
class _Place:
    """A path of a file or folder as the user wrote it; `folder / name` is one in it."""

    path: str

    def __truediv__(self, name: str) -> "Storage":
        return storage_of(join(self.path, name))

    @property
    def folder(self) -> "Storage":
        """The folder that this is in."""
        return storage_of(os.path.dirname(self.path))

    @property
    def _native(self) -> str:
        """What the system calls it."""
        return self.path.removeprefix("file://") or "."


class Local(_Place):
    """A path on this machine, with or without `file://`; "" is the working folder."""

    can_move: ClassVar[bool] = True  # a file gets another name without being copied
    has_locks: ClassVar[bool] = True

    @property
    def real_path(self) -> str:
        """The one path of what may be reached by several, symbolic links followed."""
        try:
            return os.path.realpath(self._native)
        except ValueError:  # a record may hold what no file can be called
            return self._native

    def absolute(self, folder: Callable[[], str]) -> str:
        """Return this path, as one in the folder that `folder` gives where it is relative."""
        if os.path.isabs(self._native):
            return self.path
        scheme = "file://" if self.path.startswith("file://") else ""
        return scheme + join(folder(), re.sub(r"^(\.(/+|$))+", "", self._native))

    def check_scheme(self) -> None:
        """Refuse a path of a scheme that nobody here knows.

        Raises:
            ValueError: If it is of one.
        """

    def probe(self, longest: str = "") -> None:
        """Find out whether files can be made in this folder, and leave none; it is made if needed.

        Args:
            longest: A path in it as long as one may become.

        Raises:
            OSError: If they cannot.
            ValueError: If that path is longer than the file system allows, as far as it tells.
        """
        disk.make_folders(self._native)
        disk.check_length(storage_of(longest)._native)
        temporary = os.path.join(self._native, temporary_name())
        with disk.create(temporary):
            pass
        disk.unlink(temporary)

    def replace(self, write: Callable[[BinaryIO], object]) -> None:
        """Create or replace this file with what `write` puts into an open binary file.

        Folders are made as needed. If anything fails, what was there before is still there.

        Raises:
            OSError: If the file cannot be written.
        """
        disk.check_replaceable(self._native)
        folder = os.path.dirname(self._native) or "."
        disk.make_folders(folder)
        temporary = os.path.join(folder, temporary_name())
        try:
            with disk.create(temporary) as file:
                write(file)
                disk.force(file)
            disk.rename(temporary, self._native)
        except BaseException:
            with contextlib.suppress(OSError):
                disk.unlink(temporary)
            raise
        disk.sync_folder(folder)  # which is what makes the new name last

    def open(self) -> BinaryIO:
        """Open this file for reading, without reading all of it where that can be done.

        Raises:
            OSError: If it cannot be read, or is no regular file: another kind may never answer.
        """
        return disk.open_regular(self._native)

    def size(self) -> int:
        """Return the size of this file in bytes.

        Raises:
            FileNotFoundError: If there is no such file.
            OSError: If it is no regular file.
        """
        found = os.stat(self._native)
        disk.check_regular(self._native, found)
        return found.st_size

    def exists(self) -> bool:
        """Tell whether there is a file or folder here."""
        return os.path.lexists(self._native)

    def names(self) -> list[str]:
        """Return the names in this folder; none if there is no such folder."""
        try:
            return os.listdir(self._native)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self) -> None:
        """Remove this file; it is no error if there is none, or one of a kind that we do not write."""
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            disk.check_replaceable(self._native)
            disk.unlink(self._native)

    def remove_folder(self) -> None:
        """Remove this folder, if it is empty."""
        with contextlib.suppress(OSError):
            disk.remove_folder(self._native)

    def move(self, target: "Storage") -> None:
        """Move this file, if there is one, making the target's folders; `moves.move_all` makes it last.

        Raises:
            OSError: If storage fails, or cannot move.
        """
        if is_same(self, target):
            disk.unlink(self._native)  # a rename would leave both names
        elif self.exists():
            disk.make_folders(os.path.dirname(target._native) or ".")
            disk.rename(self._native, target._native)

    def sync(self) -> None:
        """Make the names in this folder last, also where the power fails; where the system can."""
        disk.sync_folder(self._native)

    def contents(self, *, depth: int, unless: str) -> "Iterator[Storage]":
        """Yield what is in this folder and its subfolders, if storage can list those: folders too.

        Args:
            depth: How many levels of subfolders may hold files of ours; a run in a home folder must
                not walk all of it.
            unless: The name of a file that marks subfolders to be left alone: other runs write
                there.
        """
        for place, subfolders, names in os.walk(self._native):
            inner = os.path.relpath(place, self._native).replace(os.sep, "/")
            inner = "" if inner == "." else f"{inner}/"
            if inner and unless in names:
                subfolders.clear()
                continue
            here = [*subfolders, *names]
            if inner.count("/") >= depth:
                subfolders.clear()
            yield from (self / f"{inner}{name}" for name in here)

    def links(self, *, depth: int) -> list[str]:
        """Return the relative names of the folders in this one, so many levels deep, that are links."""
        found = []
        for place, subfolders, _ in os.walk(self._native):
            inner = os.path.relpath(place, self._native).replace(os.sep, "/")
            inner = "" if inner == "." else f"{inner}/"
            if inner.count("/") >= depth:
                subfolders.clear()
            links = [name for name in subfolders if os.path.islink(os.path.join(place, name))]
            found += [f"{inner}{name}" for name in links]
        return found

    def holds(self, name: str) -> bool:
        """Tell whether a relative file name stays in this folder, symbolic links followed."""
        if not os.path.dirname(name):
            return True
        root = self.real_path
        place = os.path.realpath(os.path.dirname(os.path.join(root, name)))
        return os.path.join(place, "").startswith(os.path.join(root, ""))


class Remote(_Place):
    """A path that only `tf.io.gfile` can write; the methods are those of `Local`."""

    can_move: ClassVar[bool] = False  # object stores copy a file to rename it
    has_locks: ClassVar[bool] = False

    @property
    def real_path(self) -> str:
        return self.path

    def absolute(self, folder: Callable[[], str]) -> str:
        return self.path

    def check_scheme(self) -> None:
        try:
            _tf().io.gfile.exists(self.path)
        except _tf().errors.UnimplementedError as error:
            raise ValueError(
                "`filepath` must be local or of a scheme that TensorFlow can write, such as gs://, "
                f"got {self.path!r}: {error}"
            ) from error

    def probe(self, longest: str = "") -> None:
        file = self / PROBE
        file.replace(lambda opened: None)
        file.remove()

    def replace(self, write: Callable[[BinaryIO], object]) -> None:
        buffer = io.BytesIO()
        write(buffer)
        _tf().io.gfile.makedirs(os.path.dirname(self.path))
        if self.path.startswith("ram://"):
            self.remove()  # since "wb" appends there to what a file holds
        with _tf().io.gfile.GFile(self.path, "wb") as file:
            file.write(buffer.getvalue())

    def open(self) -> BinaryIO:
        try:
            with _tf().io.gfile.GFile(self.path, "rb") as file:
                return io.BytesIO(file.read())
        except _tf().errors.NotFoundError as error:  # which is no OSError
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path) from error

    def size(self) -> int:
        if not self.exists():
            raise FileNotFoundError(self.path)
        return int(_tf().io.gfile.stat(self.path).length)

    def exists(self) -> bool:
        return bool(_tf().io.gfile.exists(self.path))

    def names(self) -> list[str]:
        names = _tf().io.gfile.listdir(self.path) if _tf().io.gfile.isdir(self.path) else []
        return [name.rstrip("/") for name in names]

    def remove(self) -> None:
        # To ram:// a name exists that another one begins with.
        with contextlib.suppress(_tf().errors.NotFoundError):
            if self.exists():
                _tf().io.gfile.remove(self.path)

    def remove_folder(self) -> None:
        pass  # a folder without files is none

    def move(self, target: "Storage") -> None:
        raise OSError(f"{self.path!r} cannot be moved: remote storage would copy it.")

    def sync(self) -> None:
        pass

    def contents(self, *, depth: int, unless: str) -> "Iterator[Storage]":
        return (self / name for name in self.names())  # each subfolder would be one more request

    def links(self, *, depth: int) -> list[str]:
        return []

    def holds(self, name: str) -> bool:
        return True  # there are no links, and `..` is refused by the record


def _tf() -> Any:
    import tensorflow as tf

    return tf


Storage = Local | Remote


def storage_of(path: str) -> Storage:
    """Return a path with what its storage can do."""
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path)
    return Remote(path) if scheme and scheme[0] != "file://" else Local(path)


def is_same(one: Storage, other: Storage) -> bool:
    """Tell whether both are names of one file, as where the power failed while it was moved."""
    return one.can_move and disk.is_same(one._native, other._native)


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder; "" is the current one."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def check_path(filepath: Any, argument: str = "filepath") -> str:
    """Return a path that the user gave as `argument` as a str, `~` expanded.

    Raises:
        TypeError: If it is no path.
        ValueError: If it is a URL that pathlib has broken.
    """
    text = os.fspath(filepath) if isinstance(filepath, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text:
        raise TypeError(f"`{argument}` must be a path, not empty, got {filepath!r}.")
    if not isinstance(filepath, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]", text):
        raise ValueError(
            f"`{argument}` must be a str for a URL: pathlib made {text!r} of it, with one slash."
        )
    return os.path.expanduser(text)
