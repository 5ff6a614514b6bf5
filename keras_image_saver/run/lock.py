"""The lock: at most one saver writes to a folder."""

import contextlib
import errno
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keras_image_saver.run import disk, writer
from keras_image_saver.run.files import LOCK
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.writer import Background

# What a lock that another process holds is told by; other errors say that the file system has none.
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}

_orders = itertools.count(1)


def next_order() -> int:
    """Return a number larger than any before, to order what happens in this process."""
    return next(_orders)


@dataclass(eq=False)
class _Hold:
    """That a folder is locked.

    It outlives a saver that is forgotten without having been closed, as after a `fit` that raised;
    the jobs that such a saver has queued keep it alive until they are done.

    Attributes:
        key: The folder.
        owner: The `Lock` that has it, as long as that lives.
        process: The process that has it: a fork inherits the object, and no file lock.
        thread: Which thread trains.
        acquired: Since when, by `next_order`.
        file: The lock's file, once it is open.
        leaving: Whether its training has ended, and only what is queued keeps the folder.
        closing: Whether somebody is giving it back.
        closed: Set once it is given back.
    """

    key: str
    owner: "weakref.ref[Lock]"
    process: int
    thread: threading.Thread
    acquired: int
    file: Any = None
    leaving: bool = False
    closing: bool = False
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def writer(self) -> Background | None:
        """What may still write to the folder; None if nothing can."""
        lock = self.owner()
        inherited = self.process != os.getpid()
        return None if lock is None or inherited or lock.writer.is_idle else lock.writer

    @property
    def has_ended(self) -> bool:
        """Whether the training it is for has certainly ended."""
        gone = self.owner() is None or self.process != os.getpid()
        return gone or self.leaving or not self.thread.is_alive()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self.process == os.getpid():
                # Removed while it is locked: one that opens it now finds, once it has the lock, that
                # another file has the name, and opens that.
                disk.unlink(os.path.join(self.key, LOCK))
        with contextlib.suppress(OSError):
            if self.file is not None:
                self.file.close()
        self.closed.set()


class Lock:
    """The right to write to a local folder: one saver on this machine has it, at most.

    A killed process leaves no lock, since the system drops a file lock with its holder. The file
    does not tell savers of one process apart, so what they hold is also kept in `_held`.

    Args:
        folder: The run's folder; where storage has no locks, nothing is locked.
        writer: All that its saver writes goes through it. Nobody else gets the folder before that is
            done.
        say: Tells the user a line.
        scoped: Whether `release` is certain to be called, so that a saver that has the lock is at
            work.
    """

    _held: dict[str, _Hold] = {}  # noqa: RUF012 - by folder, of all savers of this process
    _guard = threading.Lock()  # of `_held`; nobody waits for storage under it

    def __init__(
        self, folder: str, writer: Background, say: Callable[[str], None], *, scoped: bool
    ) -> None:
        self._folder = folder
        self.writer = writer
        self._say = say
        self._scoped = scoped
        self._key = storage_of(folder).real_path
        self._made: list[str] = []
        # The system's lock goes with the saver, not only with the process.
        weakref.finalize(self, Lock._drop_forgotten).atexit = False

    def acquire(self, began: int, thread: threading.Thread | None = None) -> None:
        """Take the lock, making the folder if needed.

        Args:
            began: The `next_order` at which the caller's training began. A saver of its thread that got
                the lock before belongs to a training that was interrupted, and gives way. So does
                one whose thread has ended. What either has queued is written first.
            thread: The thread that trains; None for this one.

        Raises:
            ValueError: If another saver has it, or storage does not answer to one that had it.
            OSError: If the folder cannot be written.
        """
        if not storage_of(self._folder).has_locks:
            return
        thread = thread or threading.current_thread()
        Lock._close_ended()
        while True:
            with Lock._guard:
                if self._renew(thread):
                    return
                holder = Lock._held.get(self._key)
                if holder is None:
                    taken = _Hold(self._key, weakref.ref(self), os.getpid(), thread, next_order())
                    Lock._held[self._key] = taken
                    break
                if not holder.has_ended and not self._was_interrupted(holder, began, thread):
                    user = "another ImageSaver of this process"
                    raise self._taken(user, "Give each saver a folder of its own.")
                busy = holder.writer
            if (busy is not None and not busy.flush(0.8)) or not Lock._close(holder):
                user = "an earlier training of this process"
                todo = "Its last files are still being written, since storage does not answer."
                raise self._taken(user, f"{todo} Wait until it does, or use another folder.")
        self._fill(taken)

    def keep(self, thread: threading.Thread) -> bool:
        """Go on with a lock that was to be left, without a look at storage; False if it is gone."""
        with Lock._guard:
            return not storage_of(self._folder).has_locks or self._renew(thread)

    @property
    def turn(self) -> int:
        """Which acquisition holds now; 0 if none does."""
        with Lock._guard:
            holder = self._hold()
            return 0 if holder is None else holder.acquired

    def leave(self, turn: int | None = None) -> None:
        """Say that training has ended and that `release` comes once storage answers."""
        with Lock._guard:
            holder = self._hold(turn)
            if holder is not None:
                holder.leaving = True

    def release(self, turn: int | None = None) -> None:
        """Give the lock back, unless it was acquired anew since that turn."""
        with Lock._guard:
            holder = self._hold(turn)
        if holder is not None:
            Lock._close(holder)

    def cancel(self) -> None:
        """Release, and remove the folders that `acquire` made, if nothing is in them."""
        self.release()
        for folder in self._made:
            with contextlib.suppress(OSError):
                disk.remove_folder(folder)

    def _hold(self, turn: int | None = None) -> _Hold | None:
        holder = Lock._held.get(self._key)
        if holder is None or holder.owner() is not self or holder.process != os.getpid():
            return None
        return holder if turn in (None, holder.acquired) and not holder.closing else None

    def _renew(self, thread: threading.Thread) -> bool:
        holder = self._hold()
        if holder is None:
            return False
        holder.thread, holder.acquired, holder.leaving = thread, next_order(), False
        return True

    def _was_interrupted(self, holder: _Hold, began: int, thread: threading.Thread) -> bool:
        owner = holder.owner()
        scoped = owner is None or owner._scoped
        return not scoped and holder.thread is thread and holder.acquired < began

    def _fill(self, taken: _Hold) -> None:
        """Make the folder, and lock its file."""
        try:
            self._made = disk.make_folders(self._key)
            taken.file = self._open()
        except BaseException:
            with Lock._guard:
                Lock._held.pop(self._key, None)
            taken.closed.set()
            raise

    @classmethod
    def _close(cls, holder: _Hold) -> bool:
        """Give a lock back; False if somebody else has begun to, and does not come to an end."""
        with cls._guard:
            begun, holder.closing = holder.closing, True
        if begun:
            return holder.closed.wait(0.8 * writer.STALL_S)
        holder.close()
        with cls._guard:
            cls._held.pop(holder.key, None)
        return True

    @classmethod
    def _close_ended(cls) -> None:
        """Close what nobody needs any more: each lock is an open file."""
        with cls._guard:
            ended = [one for one in cls._held.values() if one.has_ended and one.writer is None]
        for holder in ended:
            cls._close(holder)

    @classmethod
    def _drop_forgotten(cls) -> None:
        """Close the locks of savers that are garbage, or leave that to the next `acquire`.

        Python may collect garbage at any point, also under `_guard`, so it is not waited for.
        """
        if not cls._guard.acquire(blocking=False):
            return
        try:
            for holder in list(cls._held.values()):
                if holder.owner() is None and not holder.closing:
                    del cls._held[holder.key]
                    holder.close()
        finally:
            cls._guard.release()

    def _open(self) -> Any:
        """Return the lock's file, opened and locked."""
        path = os.path.join(self._key, LOCK)
        while True:
            disk.check_replaceable(path)
            file = disk.open_lock(path)  # open as long as the lock is held
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
