"""The writer: jobs run one after another, behind the training or in it.

Guarantees:
- Jobs run in the order of `submit`, one at a time.
- One job runs, one waits; `submit` waits for room, but never longer than `STALL_S`. After that it
  refuses, at once, until the job that hangs has ended.
- `flush` and the interpreter's exit wait no longer than `STALL_S` either.
- A job's exception ends nothing; jobs report through what they close over, the rest is logged.
- The thread exists only while there is something to do, so a `fit` that raises leaves none behind.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Protocol

STALL_S = 60.0

logger = logging.getLogger("keras_image_saver")


class Writer(Protocol):
    """What `Background` and `Inline` have in common."""

    def submit(self, job: Callable[[], None]) -> bool:
        """Run `job`, now or soon; False if it is refused because storage hangs."""
        ...

    def flush(self) -> bool:
        """Wait until every job has run; False if that takes longer than `STALL_S`."""
        ...


class Inline:
    """Runs each job at once, on the caller's thread."""

    def submit(self, job: Callable[[], None]) -> bool:
        job()
        return True

    def flush(self) -> bool:
        return True


class Background:
    """Runs jobs on one daemon thread, which ends when nothing is left to do."""

    def __init__(self) -> None:
        self._start()
        _live.add(self)

    def _start(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._stalled = False

    def submit(self, job: Callable[[], None]) -> bool:
        self._forget_parent()
        with self._changed:
            limit = 0.0 if self._stalled else STALL_S
            if not self._changed.wait_for(lambda: not self._waiting, limit):
                self._stalled = True
                return False
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="keras_image_saver", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return True

    def flush(self) -> bool:
        self._forget_parent()
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, STALL_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    self._changed.notify_all()
                    return
                job = self._waiting.popleft()
                self._changed.notify_all()
            try:
                job()
            except Exception as error:
                logger.warning("A job failed: %r", error)
            finally:
                with self._changed:
                    self._stalled = False
            del job

    def _forget_parent(self) -> None:
        """After a fork the child has the parent's queue, but no thread to empty it."""
        if self._process != os.getpid():
            self._start()


_live: weakref.WeakSet[Background] = weakref.WeakSet()


def _flush_at_exit() -> None:
    """Write what is queued before the interpreter ends, within `STALL_S` for all writers."""
    ends = time.monotonic() + STALL_S
    for writer in list(_live):
        if writer._process == os.getpid():
            with writer._changed:
                idle = writer._thread is None
                # mypy has no type for a lambda's default, which binds the loop's writer.
                writer._changed.wait_for(
                    lambda writer=writer: writer._thread is None,  # type: ignore[misc]
                    0 if idle else max(0.0, ends - time.monotonic()),
                )


# Daemon threads still run while exit functions do; an executor's own exit hook has no limit.
atexit.register(_flush_at_exit)
