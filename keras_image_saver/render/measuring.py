"""A run's measures, snapshot after snapshot: what each has, and what there is to say of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keras_image_saver.arrays import Array
from keras_image_saver.render.base import Batch, BoundRenderer, Finding, Measured
from keras_image_saver.render.measures import check_measures, evaluate


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
        for kind, measured in by_kind.items():
            before = self._previous.get(kind, [])
            self._previous[kind] = [one.outputs for one in measured]
            if len(before) == len(measured):
                measured = [replace(one, previous=then) for one, then in zip(measured, before, strict=True)]
            values = evaluate(self._measures.values(), measured)
            for asked, name in self._measures.items():
                of_kind = measure_name(asked, kind)
                found.samples[of_kind] = values[name].samples
                if values[name].classes is not None:
                    found.classes[of_kind] = values[name].classes
                found.summary[of_kind] = summarize(values[name].samples, name)
        return found


def measure_name(name: str, kind: str) -> str:
    """Name a measure that there is of each kind of weights.

    >>> measure_name("psnr", "ema"), measure_name("psnr", "")
    ('psnr ema', 'psnr')
    """
    return f"{name} {kind}" if kind else name
