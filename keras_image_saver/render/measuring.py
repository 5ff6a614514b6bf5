"""A run's measures, snapshot after snapshot: what each has, and what there is to say of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, without_float_errors
from keras_image_saver.render.base import Batch, BoundRenderer, Finding, Measured
from keras_image_saver.render.measures import MEASURES, check_measures, evaluate

_WORST = 8  # samples that an entry names


@dataclass(frozen=True)
class Measurements:
    """What the measures gave for one snapshot, by name.

    Attributes:
        samples: float32 (N,), or (1,) of the whole grid.
        classes: float32 (K,), of measures that have one a class.
        summary: What an entry of the record says of each.
        findings: What the user should hear of.
    """

    samples: dict[str, Array] = field(default_factory=dict)
    classes: dict[str, Array] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Measuring:
    """Takes the built-in measures of a run, one snapshot after the other, on one thread at a time.

    Args:
        measures: The measures' own names, by the names that they are asked for with.
    """

    def __init__(self, measures: Mapping[str, str]) -> None:
        self._measures = dict(measures)
        self._previous: dict[str, list[Array]] = {}

    def check(self, bound: BoundRenderer, parts: Iterable[Batch], count: int) -> None:
        """Refuse measures that do not fit, before training.

        Args:
            bound: The renderer, bound to the model.
            parts: Some samples with what was drawn of them; the first of them is looked at.
            count: How many samples there are.

        Raises:
            ValueError: If one does not fit; the error lists those that do.
        """
        if self._measures:
            measured = bound.measured(next(iter(parts)))
            check_measures(self._measures.values(), next(iter(measured.values()), None), count)

    def __call__(self, bound: BoundRenderer, parts: Iterable[Batch]) -> Measurements:
        """Take the measures of one snapshot, and remember what the next one is compared with."""
        found = Measurements()
        if not self._measures:
            return found
        by_kind: dict[str, list[Measured]] = {}
        for part in parts:
            for kind, measured in bound.measured(part).items():
                by_kind.setdefault(kind, []).append(measured)
        for kind, now in by_kind.items():
            before = self._previous.get(kind, [])
            self._previous[kind] = [one.outputs for one in now]
            # Of other parts than these there is none to be compared with.
            pairs = zip(now, before if len(before) == len(now) else [None] * len(now), strict=True)
            compared = [replace(one, previous=then) for one, then in pairs]
            values = evaluate(self._measures.values(), compared)
            for asked, name in self._measures.items():
                of_kind = measure_name(asked, kind)
                found.samples[of_kind] = values[name].samples
                by_class = values[name].classes
                if by_class is not None:
                    found.classes[of_kind] = by_class
                worse = MEASURES[name].more_is_worse
                found.summary[of_kind] = summarize(values[name].samples, more_is_worse=worse)
        return found


def measure_name(name: str, kind: str) -> str:
    """Name a measure that there is of each kind of weights.

    >>> measure_name("psnr", "ema"), measure_name("psnr", "")
    ('psnr ema', 'psnr')
    """
    return f"{name} {kind}" if kind else name


@without_float_errors
def summarize(values: Array, *, more_is_worse: bool = True) -> dict[str, Any]:
    """Return what an entry of the record says of a measure: few numbers, however many samples.

    Args:
        values: float32 (N,).
        more_is_worse: Which samples are the worst; the user's own functions count as losses.

    Returns:
        `mean`, `least`, `most`, and `worst`: [sample, value] of the eight worst, the worst first; none
        of one value, which may be of the whole grid. What is not a number is the worst there is, and
        makes the first three NaN.

    Example:
        >>> summarize(np.array([1, 4, 2], np.float32))["worst"]
        [[1, 4.0], [2, 2.0], [0, 1.0]]
    """
    order = np.argsort(-values if more_is_worse else values, kind="stable")
    # NumPy sorts NaN to the end, whichever way.
    unknown = np.count_nonzero(np.isnan(values))
    order = np.concatenate([order[len(order) - unknown :], order[: len(order) - unknown]])
    shown = order[:_WORST] if len(values) > 1 else ()
    worst = [[int(number), _short(values[number])] for number in shown]
    ends = {"mean": values.mean(dtype=np.float64), "least": values.min(), "most": values.max()}
    return {**{name: _short(value) for name, value in ends.items()}, "worst": worst}


def _short(value: Any) -> float:
    # float32 has no more digits than these.
    return float(f"{value:.7g}")
