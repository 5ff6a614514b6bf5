"""Waiting: for a condition that is to come, and what the code under test waited for."""

import threading
import time
from dataclasses import dataclass


def wait_until(condition, seconds=30):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.005)


@dataclass
class Wait:
    limit: float | None
    seconds: float
    met: bool
    thread: threading.Thread


class Waits(list):
    """Each wait for a condition, once it has ended.

    Attributes:
        at_next: Called as the next wait begins, once.
    """

    at_next = None

    def watch(self, wait_for):
        def watched(condition, predicate, timeout=None):
            hook, self.at_next = self.at_next, None
            if hook is not None:
                hook()
            started = time.monotonic()
            met = wait_for(condition, predicate, timeout)
            seconds = time.monotonic() - started
            self.append(Wait(timeout, seconds, bool(met), threading.current_thread()))
            return met

        return watched

    @property
    def limits(self):
        return [one.limit for one in self]
