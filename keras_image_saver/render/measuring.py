"""A run's measures, snapshot after snapshot: what each has, and what there is to say of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from keras_image_saver.arrays import Array
from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    Finding,
)
from keras_image_saver.render.measured import Measured
from keras_image_saver.render.measures import MEASURES, check_measures, evaluate
from keras_image_saver.render.summaries import COLLAPSED_SHARE, Collapse, Summary, summarize


@dataclass(frozen=True)
class Measurements:
    """What the measures gave for one snapshot, by name.

    Attributes:
        samples: float32 (N,), or (1,) of the whole grid.
        classes: float32 (K,), of measures that have one a class.
        summary: What an entry of the record says of each; nothing of one that compares with the
            snapshot before where there is none.
        findings: What the user should hear of.
    """

    samples: dict[str, Array] = field(default_factory=dict)
    classes: dict[str, Array] = field(default_factory=dict)
    summary: dict[str, Summary] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Measuring:
    """Takes the built-in measures of a run, one snapshot after the other, on one thread at a time.

    Args:
        measures: The measures' own names, by the names that they are asked for with.
        latents: Whether the samples are noise from `latents`, whose pictures should not become alike.
    """

    def __init__(self, measures: Mapping[str, str], *, latents: bool = False) -> None:
        self._measures = dict(measures)
        self._collapses: dict[str, Collapse] | None = defaultdict(Collapse) if latents else None
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
            # Parts can be compared only where there were as many before.
            pairs = zip(now, before if len(before) == len(now) else [None] * len(now), strict=True)
            compared = [replace(one, previous=then) for one, then in pairs]
            can_compare = any(one.comparable is not None for one in compared)
            values = evaluate(self._measures.values(), compared)
            for asked, name in self._measures.items():
                of_kind = measure_name(asked, kind)
                found.samples[of_kind] = values[name].samples
                by_class = values[name].classes
                if by_class is not None:
                    found.classes[of_kind] = by_class
                # Where there is none before, the NaN of each sample is no fault to be told of.
                if MEASURES[name].previous and not can_compare:
                    continue
                found.summary[of_kind] = summarize(
                    values[name].samples,
                    more_is_worse=MEASURES[name].more_is_worse,
                    of_grid=MEASURES[name].grid is not None,
                )
                if name == "diversity":
                    found.findings.extend(self._collapse(of_kind, float(values[name].samples[0])))
        return found

    def _collapse(self, name: str, diversity: float) -> Iterator[Finding]:
        """Say that the samples have become alike, once."""
        best = None if self._collapses is None else self._collapses[name].add(diversity)
        if best is not None:
            yield Finding(
                "collapse",
                name,
                f"the samples have become alike: {name} is {diversity:.3g}, below {COLLAPSED_SHARE:.0%} "
                f"of {best:.3g}, the median of the best snapshots before. The model may have collapsed: "
                "whatever noise it gets, it draws nearly the same.",
            )


def measure_name(name: str, kind: str) -> str:
    """Name a measure that there is of each kind of weights.

    >>> measure_name("psnr", "ema"), measure_name("psnr", "")
    ('psnr ema', 'psnr')
    """
    return f"{name} {kind}" if kind else name
