"""The writer: all that a run does on storage, one job after another, behind the training or in it.

Guarantees:
- Jobs run in the order of `submit`, one at a time, none on the caller's thread as long as the system
  has one more; so nobody waits for storage longer than for `STALL_S`.
- One job runs, one waits; `submit` waits for room, but never longer than `STALL_S`. After that it
  refuses, at once, until the job that hangs has ended. The same holds for `ask`, `finish` and `flush`.
- The interpreter's exit waits no longer than `STALL_S` either.
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

    Attributes:
        has_given_up: Whether nobody waits any more for what was asked last.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._begin()
        _live.add(self)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._last: Callable[[], None] | None = None  # what runs when nothing waits
        self._thread: threading.Thread | None = None
        self._stalled = False  # somebody has waited in vain for the job that runs
        self.has_given_up = False

    @property
    def is_idle(self) -> bool:
        """Whether every job has run."""
        self._forget_parent()
        return self._thread is None

    def submit(self, job: Callable[[], None]) -> bool:
        """Run `job`, now or soon; False if it is refused because storage hangs."""
        self._forget_parent()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting, self._limit()):
                self._stalled = True
                return False
            self._waiting.append(job)
        self._run_soon()
        return True

    def ask(self, job: Callable[[], T], doing: str) -> T:
        """Run `job` and wait for it, no longer than `STALL_S`.

        Args:
            job: What to run; its exception is raised here.
            doing: What it does, for the error.

        Raises:
            TimeoutError: If it takes longer; what has been submitted still runs, whenever it can.
        """
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(job())
            except BaseException as error:
                outcome.set_exception(error)

        self.has_given_up = False
        limit = self._limit()
        ends = time.monotonic() + limit
        # Not `result(...)`: the job may raise a TimeoutError of its own.
        if self.submit(run) and wait([outcome], max(0.0, ends - time.monotonic())).done:
            return outcome.result()
        self._stalled = self.has_given_up = True
        raise TimeoutError(f"Storage does not answer: {doing} took longer than {STALL_S:g} s.")

    def check_wanted(self) -> None:
        """Refuse to go on with what nobody waits for any more, from inside of what was asked.

        Raises:
            TimeoutError: If that is so.
        """
        if self.has_given_up:
            raise TimeoutError("storage answered too late")

    def flush(self, share: float = 1.0) -> bool:
        """Wait until every job has run; False if storage hangs.

        Args:
            share: Of `STALL_S`, how much to wait; less than 1 where somebody waits for the caller.
        """
        return self._wait_until_idle(time.monotonic() + share * self._limit())

    def finish(self, job: Callable[[], None]) -> bool:
        """Run a job once no other is left, and wait for it; False if it is still to come.

        It needs no room: it runs whenever storage answers.
        """
        self._forget_parent()
        with self._changed:
            self._last = job
            limit = self._limit()
        ends = time.monotonic() + limit
        self._run_soon()
        return self._wait_until_idle(ends)

    def _limit(self) -> float:
        return 0.0 if self._stalled else STALL_S

    def _wait_until_idle(self, ends: float) -> bool:
        self._forget_parent()
        with self._changed:
            limit = max(0.0, ends - time.monotonic())
            idle = self._changed.wait_for(lambda: self._thread is None, limit)
            self._stalled = not idle
            return idle

    def _run_soon(self) -> None:
        """See to it that a thread empties the queue."""
        with self._changed:
            if self._thread is not None:
                return
            self._thread = threading.Thread(
                target=self._work, name="keras_image_saver", daemon=True
            )
            try:
                self._thread.start()
                return
            except RuntimeError as error:  # there are as many threads as the system allows
                logger.debug("Training waits for a job: %s", error)
        try:
            self._work()
        finally:
            self._thread = None  # an interrupt may have ended it

    def _work(self) -> None:
        while True:
            with self._changed:
                self._stalled = False
                self._changed.notify_all()
                if self._waiting:
                    job = self._waiting.popleft()
                elif self._last is not None:
                    job, self._last = self._last, None
                else:
                    self._thread = None
                    return
            try:
                job()
            except Exception as error:
                self._say(f"A job failed: {error!r}")

    def _forget_parent(self) -> None:
        """After a fork the child has the parent's queue, but no thread to empty it."""
        if self._process != os.getpid():
            self._begin()


class Inline(Background):
    """A `Background` that waits for each job, as long as storage answers."""

    def submit(self, job: Callable[[], None]) -> bool:
        if not super().submit(job):
            return False
        self.flush()
        return True


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
