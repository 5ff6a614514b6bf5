"""The writer: jobs run one after another, behind the training or in it.

Guarantees:
- Jobs run in the order of `submit`, one at a time.
- One job runs, one waits; `submit` waits for room, but never longer than `STALL_S`. After that it
  refuses, at once, until the job that hangs has ended.
- `finish` and the interpreter's exit wait no longer than `STALL_S` either.
- `within_limit` bounds in the same way what must be done before training goes on.
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
from typing import Protocol, TypeVar, cast

STALL_S = 60.0

T = TypeVar("T")

logger = logging.getLogger("keras_image_saver")


class Writer(Protocol):
    """What `Background` and `Inline` have in common."""

    def submit(self, job: Callable[[], None]) -> bool:
        """Run `job`, now or soon; False if it is refused because storage hangs."""
        ...

    def flush(self) -> bool:
        """Wait until every job has run; False if that takes longer than `STALL_S`."""
        ...

    def finish(self, job: Callable[[], None]) -> bool:
        """Run a last job and wait for it; False if all of it takes longer than `STALL_S`."""
        ...


class Inline:
    """Runs each job at once, on the caller's thread."""

    def submit(self, job: Callable[[], None]) -> bool:
        job()
        return True

    def flush(self) -> bool:
        return True

    def finish(self, job: Callable[[], None]) -> bool:
        return self.submit(job)


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
                try:
                    self._thread.start()
                except RuntimeError as error:  # there are as many threads as the system allows
                    logger.debug("Training waits for a job: %s", error)
                    self._waiting.pop()
                    self._thread = None
            self._changed.notify_all()
            if self._thread is not None:
                return True
        job()
        return True

    def flush(self) -> bool:
        self._forget_parent()
        with self._changed:
            return self._wait_until_idle(STALL_S)

    def finish(self, job: Callable[[], None]) -> bool:
        ends = time.monotonic() + STALL_S
        if not self.submit(job):
            return False
        with self._changed:
            return self._wait_until_idle(max(0.0, ends - time.monotonic()))

    def _wait_until_idle(self, limit: float) -> bool:
        return self._changed.wait_for(lambda: self._thread is None, limit)

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


def within_limit(job: Callable[[], T], doing: str) -> T:
    """Run `job` on a thread of its own and wait for it, no longer than `STALL_S`.

    Args:
        job: What to run; its exception is raised here.
        doing: What it does, for the error.

    Raises:
        TimeoutError: If it takes longer; it goes on by itself.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((job(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, name="keras_image_saver_start", daemon=True)
    thread.start()
    thread.join(STALL_S)
    if not outcome:
        raise TimeoutError(f"Storage does not answer: {doing} took longer than {STALL_S:g} s.")
    result, error = outcome[0]
    if error is not None:
        raise error
    return cast("T", result)


_live: weakref.WeakSet[Background] = weakref.WeakSet()


def _flush_at_exit() -> None:
    """Write what is queued before the interpreter ends, within `STALL_S` for all writers."""
    ends = time.monotonic() + STALL_S
    for writer in list(_live):
        if writer._process == os.getpid():
            with writer._changed:
                writer._wait_until_idle(max(0.0, ends - time.monotonic()))


# Daemon threads still run while exit functions do; an executor's own exit hook has no limit.
atexit.register(_flush_at_exit)
