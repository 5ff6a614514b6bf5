"""Round-robin timing, and tables of what came of it."""

from __future__ import annotations

import gc
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

ROUNDS = 15


@dataclass
class Table:
    """One question's answer: a heading, columns, rows of text, and what there is to say of them."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ""

    def markdown(self) -> str:
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += [
            "| " + " | ".join(self.columns) + " |",
            "|---" + "|---:" * (len(self.columns) - 1) + "|",
        ]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines)


@dataclass(frozen=True)
class Target:
    """One figure that is to be reached."""

    what: str
    measured: float
    limit: float
    at_least: bool = False
    unit: str = "×"

    @property
    def is_met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass
class Times:
    """What each row took in each round, milliseconds: until it returned, and of all processors.

    Attributes:
        wall: How long the caller was held.
        cpu: Processor time of all threads, of what follows the row too.
    """

    wall: dict[str, list[float]]
    cpu: dict[str, list[float]]


def measure(
    rows: Mapping[str, Callable[[], object]],
    *,
    after: Mapping[str, Callable[[], object]] | None = None,
    rounds: int = ROUNDS,
    enough_s: float = 6.0,
) -> Times:
    """Time rows in turns.

    Args:
        rows: What is timed, by name.
        after: What follows a row, and only its processor time counts: to let a thread finish what it
            began.
        rounds: How often each is timed, after one call that is not.
        enough_s: What takes so long in all is left out from then on, after three rounds at least.
    """
    after = after or {}
    times = Times({name: [] for name in rows}, {name: [] for name in rows})
    gc.collect()
    for number in range(rounds + 1):
        for name, run in rows.items():
            if number > 3 and sum(times.wall[name]) > enough_s * 1e3:
                continue
            started, spent = time.perf_counter(), time.process_time()
            run()
            elapsed = time.perf_counter() - started
            after.get(name, int)()
            if number:
                times.wall[name].append(elapsed * 1e3)
                times.cpu[name].append((time.process_time() - spent) * 1e3)
    return times


def round_robin(
    rows: Mapping[str, Callable[[], object]], *, rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Return the milliseconds of each row in each round."""
    return measure(rows, rounds=rounds, enough_s=math.inf).wall


def medians(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in times.items()}


def above(times: Mapping[str, Sequence[float]], floor: str) -> dict[str, float]:
    """Return the median of what each row took more than the floor in the same round."""
    return {
        # What takes long has fewer rounds: the first ones.
        name: statistics.median(t - f for t, f in zip(values, times[floor], strict=False))
        for name, values in times.items()
    }


def error(values: Sequence[float], floor: Sequence[float]) -> float:
    """Return the standard error of the median difference, from the quartiles as of a normal law."""
    differences = [t - f for t, f in zip(values, floor, strict=False)]
    low, _, high = statistics.quantiles(differences, n=4)
    return 1.2533 * (high - low) / 1.349 / math.sqrt(len(differences))


def ms(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value: float) -> str:
    return (
        f"{value:.0f} ×" if value >= 100 else f"{value:.2f} ×" if value < 10 else f"{value:.1f} ×"
    )


def resident_mib() -> float:
    """Return the process's resident memory."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
