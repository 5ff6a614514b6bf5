"""The lock: at most one saver writes to a folder."""

import contextlib
import errno
import itertools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_image_saver.run.files import LOCK
from keras_image_saver.run.storage import storage_of

# What a lock that another process holds is told by; other errors say that the file system has none.
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}

_orders = itertools.count(1)


def next_order() -> int:
    """Return a number larger than any before, to order what happens in this process."""
    return next(_orders)


class Lock:
    """The right to write to a local folder: one saver on this machine has it, at most.

    A killed process leaves no lock, since the system drops a file lock with its holder. The file
    does not tell savers of one process apart, so those that hold a lock are also kept in `_held`.

    Args:
        folder: The run's folder; where storage has no locks, nothing is locked.
        flush: Writes what a saver has queued, before another one takes the lock from it. It is
            called with `_guard` held, so it must not touch a lock.
        say: Tells the user a line.
        scoped: Whether `release` is certain to be called, so that a saver that has the lock is at
            work.
    """

    _held: dict[str, "Lock"] = {}  # noqa: RUF012 - by folder, of all savers of this process
    _guard = threading.Lock()  # of `_held`

    def __init__(
        self, folder: str, flush: Callable[[], object], say: Callable[[str], None], *, scoped: bool
    ) -> None:
        self._folder = folder
        self._flush = flush
        self._say = say
        self._scoped = scoped
        self._process = self._thread = self._acquired = 0  # who holds it, since when
        self._key = storage_of(folder).real_path
        self._file: Any = None
        self._made: list[Path] = []

    def acquire(self, began: int, thread: int | None = None) -> None:
        """Take the lock, making the folder if needed.

        Args:
            began: The `next_order` at which the caller's training began. A saver of its thread that got
                the lock before belongs to a training that was interrupted, and gives way.
            thread: The identifier of the thread that trains; None for this one.

        Raises:
            ValueError: If another saver has it.
            OSError: If the folder cannot be written.
        """
        if not storage_of(self._folder).has_locks:
            return
        thread = threading.get_ident() if thread is None else thread
        with Lock._guard:
            holder = Lock._held.get(self._key)
            if holder is self:
                return
            if holder is not None:
                if not holder._gives_way(began, thread):
                    user = "another ImageSaver of this process"
                    raise self._taken(user, "Give each saver a folder of its own.")
                holder._flush()
                holder._unlock()
            key = Path(self._key)
            # The folder and its parents, as far as there are none; innermost first.
            self._made = [path for path in (key, *key.parents) if not os.path.lexists(path)]
            os.makedirs(key, exist_ok=True)
            self._file = self._open()
            self._process, self._thread = os.getpid(), thread
            self._acquired = next_order()
            Lock._held[self._key] = self

    def release(self) -> None:
        """Give the lock back; it is no error not to have it."""
        with Lock._guard:
            if self._file is not None:
                self._unlock()

    def cancel(self) -> None:
        """Release, and remove the folders that `acquire` made, if nothing is in them."""
        self.release()
        for folder in self._made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def _gives_way(self, began: int, thread: int) -> bool:
        if self._process != os.getpid():  # a fork inherits `_held`, and no file lock
            return True
        return self._thread == thread and not self._scoped and self._acquired < began

    def _unlock(self) -> None:
        Lock._held.pop(self._key, None)
        if self._process == os.getpid():
            # Removed while it is locked: one that opens it now finds, once it has the lock, that
            # another file has the name, and opens that.
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._key, LOCK))
        self._file.close()
        self._file = None

    def _open(self) -> Any:
        """Return the lock's file, opened and locked."""
        path = os.path.join(self._key, LOCK)
        while True:
            file = open(path, "a+b")  # noqa: SIM115 - open as long as the lock is held
            try:
                _lock_file(file)
                # The holder before us may have removed the file that we opened.
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    return file
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno not in _TAKEN:
                    self._say(f"{self._folder} cannot be locked against other processes: {error}")
                    return file
                file.close()
                todo = "Wait until it ends, or use another folder."
                raise self._taken("another process", todo) from None
            file.close()

    def _taken(self, user: str, todo: str) -> ValueError:
        return ValueError(
            "`filepath` must be in a folder that no other saver writes to, got "
            f"{self._folder!r}, which {user} uses. {todo}"
        )


def _lock_file(file: Any) -> None:
    """Lock an open file or raise OSError; `lockf`, since children inherit what `flock` locks."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
