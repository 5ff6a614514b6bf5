"""The writer: jobs run one after another, behind the training or in it.

Guarantees:
- Jobs run in the order of `submit`, one at a time.
- One job runs, one waits; `submit` waits for room, but never longer than `STALL_S`. After that it
  refuses, at once, until the job that hangs has ended.
- `finish`, `flush` and the interpreter's exit wait no longer than `STALL_S` either.
- `within_limit` bounds in the same way what must be done before training goes on.
- A job's exception ends nothing; jobs report through what they hold, the rest is said.
- The thread exists only while there is something to do, so a `fit` that raises leaves none behind.
"""

import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

STALL_S = 60.0

T = TypeVar("T")

logger = logging.getLogger("keras_image_saver")


class Background:
    """Runs jobs on one daemon thread, which ends when nothing is left to do.

    What the two threads share changes under `_changed`, which no job is run under.

    Args:
        say: Tells the user of a job that raised.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._begin()
        _live.add(self)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._stalled = False  # `submit` has waited in vain for the job that runs

    def submit(self, job: Callable[[], None]) -> bool:
        """Run `job`, now or soon; False if it is refused because storage hangs."""
        self._forget_parent()
        with self._changed:
            limit = 0.0 if self._stalled else STALL_S
            if not self._changed.wait_for(lambda: not self._waiting, limit):
                self._stalled = True
                return False
            self._waiting.append(job)
            if self._thread is not None or self._start_thread():
                return True
            self._waiting.pop()
        job()
        return True

    def flush(self) -> bool:
        """Wait until every job has run; False if that takes longer than `STALL_S`."""
        return self._wait_until_idle(time.monotonic() + STALL_S)

    def finish(self, job: Callable[[], None]) -> bool:
        """Run a last job and wait for it; False if all of it takes longer than `STALL_S`."""
        ends = time.monotonic() + STALL_S
        return self.submit(job) and self._wait_until_idle(ends)

    def _wait_until_idle(self, ends: float) -> bool:
        self._forget_parent()
        with self._changed:
            limit = max(0.0, ends - time.monotonic())
            return self._changed.wait_for(lambda: self._thread is None, limit)

    def _start_thread(self) -> bool:
        """Start the thread that empties the queue; False if the caller is to run its job itself."""
        self._thread = threading.Thread(target=self._work, name="keras_image_saver", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # there are as many threads as the system allows
            logger.debug("Training waits for a job: %s", error)
            self._thread = None
        return self._thread is not None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._stalled = False
                self._changed.notify_all()
                if not self._waiting:
                    self._thread = None
                    return
                job = self._waiting.popleft()
            try:
                job()
            except Exception as error:
                self._say(f"A job failed: {error!r}")

    def _forget_parent(self) -> None:
        """After a fork the child has the parent's queue, but no thread to empty it."""
        if self._process != os.getpid():
            self._begin()


class Inline(Background):
    """Runs each job at once, on the caller's thread: a `Background` that never has a thread."""

    def _start_thread(self) -> bool:
        return False


def within_limit(job: Callable[[], T], doing: str) -> T:
    """Run `job` on a thread of its own and wait for it, no longer than `STALL_S`.

    Args:
        job: What to run; its exception is raised here.
        doing: What it does, for the error.

    Raises:
        TimeoutError: If it takes longer; it goes on by itself.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(job())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="keras_image_saver_start", daemon=True).start()
    # Not `result(STALL_S)`: the job may raise a TimeoutError of its own.
    if not wait([outcome], STALL_S).done:
        raise TimeoutError(f"Storage does not answer: {doing} took longer than {STALL_S:g} s.")
    return outcome.result()


_live: weakref.WeakSet[Background] = weakref.WeakSet()


def flush_all() -> bool:
    """Wait until no writer has anything to do; False if that takes longer than `STALL_S`."""
    ends = time.monotonic() + STALL_S
    return all(writer._wait_until_idle(ends) for writer in list(_live))


# What is to be done once every writer is idle; one that hangs has no more to say.
at_exit: list[Callable[[], object]] = []


def _exit() -> None:
    if flush_all():
        for job in at_exit:
            with contextlib.suppress(Exception):
                job()


# Daemon threads still run while exit functions do; an executor's own exit hook has no limit.
atexit.register(_exit)
