"""What is said of a measure's values: a few figures a snapshot, and that samples have collapsed."""

import heapq
import math
import statistics
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array

# So many samples stand in a snapshot's entry by themselves.
WORST = 8

# A collapse is a diversity below this share of the median of so many of the best snapshots before. The
# median leaves out an odd snapshot, such as the untrained model's noise. It is of the best ones, since
# that of all would sink with samples that collapse slowly.
COLLAPSED_SHARE = 0.25
BEST_SNAPSHOTS = 5


@dataclass(frozen=True)
class Summary:
    """A measure's values at one snapshot, in a few figures.

    Attributes:
        mean: The mean of all values that are not NaN; NaN where there are none.
        least: The least of them; NaN where there are none.
        most: The most of them; NaN where there are none.
        nan: How many are NaN.
        worst: (sample, value) of the worst samples, the worst first; empty for a value of the grid.
    """

    mean: float
    least: float
    most: float
    nan: int = 0
    worst: tuple[tuple[int, float], ...] = ()

    def entry(self) -> dict[str, Any]:
        """Return what an entry of the record says, with the digits that a float32 has."""
        ends = {name: _short(getattr(self, name)) for name in ("mean", "least", "most")}
        worst = [[sample, _short(value)] for sample, value in self.worst]
        return {**ends, "nan": self.nan, "worst": worst}


def _short(value: float) -> float:
    return float(f"{value:.7g}")


def summarize(values: Array, *, more_is_worse: bool, of_grid: bool = False) -> Summary:
    """Summarize a measure's values.

    NaN is worse than any value, so that such samples stand among the worst, and are counted; they
    are left out of the other figures, or one sample without a value would take a whole curve with it.

    Args:
        values: float32, shape (N,), N >= 1; numbered from 0.
        more_is_worse: Whether the worst samples are those of the highest values, or of the lowest.
        of_grid: Whether the one value is of the whole grid, which has no worst sample.

    Example:
        >>> summarize(np.array([0.5, 1.0, 0.0]), more_is_worse=True).worst
        ((1, 1.0), (0, 0.5), (2, 0.0))
    """
    numbers = np.asarray(values, np.float64)
    known = numbers[~np.isnan(numbers)]
    nan = len(numbers) - len(known)
    worst: tuple[tuple[int, float], ...] = ()
    if not of_grid:
        # NaN sorts behind everything, so it goes in front after that; of equal ones the first leads.
        order = np.argsort(-numbers if more_is_worse else numbers, kind="stable")
        order = np.concatenate([order[len(known) :], order[: len(known)]])[:WORST]
        worst = tuple((int(index), float(numbers[index])) for index in order)
    if not len(known):
        return Summary(math.nan, math.nan, math.nan, nan, worst)
    with np.errstate(invalid="ignore"):  # two infinities of opposite sign have no mean
        mean = float(known.mean())
    return Summary(mean, float(known.min()), float(known.max()), nan, worst)


@dataclass
class Collapse:
    """Watches a run's diversity, and tells once that it has collapsed.

    Attributes:
        seen: How many snapshots had a diversity.
        best: The highest of them, `BEST_SNAPSHOTS` at most.
        told: Whether it has been told.
    """

    seen: int = 0
    best: list[float] = field(default_factory=list)
    told: bool = False

    def add(self, diversity: float) -> float | None:
        """Take the diversity of the next snapshot.

        Args:
            diversity: What `"diversity"` found; NaN counts for nothing.

        Returns:
            The median of the best snapshots before, where this one is the first that lies below
            `COLLAPSED_SHARE` of it, after at least `BEST_SNAPSHOTS` others. Else None.
        """
        if math.isnan(diversity):
            return None
        median = statistics.median(self.best) if self.seen >= BEST_SNAPSHOTS else None
        self.seen += 1
        self.best = heapq.nlargest(BEST_SNAPSHOTS, [*self.best, diversity])
        if self.told or median is None or not diversity < COLLAPSED_SHARE * median:
            return None
        self.told = True
        return median
