"""Several predictions of the same samples in one picture, as by raw and by averaged weights."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TypeVar

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.render.base import (
    BARE,
    Batch,
    BoundRenderer,
    Finding,
    NamedClass,
    PixelCounts,
    Rendered,
    Surface,
)
from keras_image_saver.render.measured import Measured
from keras_image_saver.render.panels import SHOWN

T = TypeVar("T")


def panel_name(panel: str, kind: str, fixed: Collection[str] = ()) -> str:
    """Name a panel that there is of each kind, unless it is fixed.

    >>> panel_name("prediction", "ema"), panel_name("mask", "ema"), panel_name("input", "ema")
    ('ema', 'mask ema', 'input')
    """
    if panel in SHOWN or panel in fixed:
        return panel
    return kind if panel == "prediction" else f"{panel} {kind}"


@dataclass(frozen=True, kw_only=True)
class Several(BoundRenderer):
    """Draws batches whose outputs are a dict: by kind of weights, what the model made with them.

    Attributes:
        bound: Draws each of them.
        kinds: The kinds, in the order of their panels.
    """

    bound: BoundRenderer
    kinds: tuple[str, ...]
    _panels: dict[str, str] = field(default_factory=dict)  # of each panel, that of `bound`

    @classmethod
    def of(cls, bound: BoundRenderer, kinds: Sequence[str]) -> "Several":
        """Return what draws by each kind of weights as `bound` draws."""
        maps = (panel_name(*one, bound.fixed) for one in product(bound.class_panels, kinds))
        captions = {
            name: caption if name == panel else f"{caption} {kind}"
            for panel, caption in bound.captions.items()
            for kind in kinds
            for name in (panel_name(panel, kind, bound.fixed),)
        }
        return cls(
            bound=bound,
            kinds=tuple(kinds),
            ranges={},
            fixed=bound.fixed,
            class_panels=tuple(dict.fromkeys(maps)),
            slices=bound.slices,
            captions=captions,
        )

    def check_samples(self, batch: Batch) -> None:
        self.bound.check_samples(batch)

    def __call__(self, batch: Batch, surface: Surface = BARE) -> Rendered:
        known = dict(surface.known)
        for panel in known:
            self._name(panel, panel)
        drawn = {}
        for kind in self.kinds:
            one = replace(batch, outputs=batch.outputs[kind])
            drawn[kind] = self.bound(one, Surface(self._room(kind, surface.out), known))
            # What is the same by all weights is drawn with the first.
            fixed = {name: drawn[kind].panels.get(name) for name in self.fixed}
            known = fixed | known
        rendered = Rendered()
        self._collect([one.counts for one in drawn.values()], rendered.counts)
        self._collect([one.panels for one in drawn.values()], rendered.panels)
        return rendered

    def _collect(self, drawn: Sequence[Mapping[str, T]], into: dict[str, T]) -> None:
        """Gather what there is of each panel by each kind, in the order of the first kind's panels."""
        for panel in drawn[0]:
            for kind, of_kind in zip(self.kinds, drawn, strict=True):
                name = panel_name(panel, kind, self.fixed)
                self._name(name, panel)
                if panel in of_kind:
                    into.setdefault(name, of_kind[panel])

    def _name(self, name: str, panel: str) -> None:
        self._panels[name] = panel
        if panel in self.bound.ranges:
            self.ranges[name] = self.bound.ranges[panel]

    def measured(self, batch: Batch) -> Mapping[str, Measured]:
        each = {
            kind: self.bound.measured(replace(batch, outputs=batch.outputs[kind]))
            for kind in self.kinds
        }
        return {kind: one for kind, of_kind in each.items() for one in of_kind.values()}

    def named_classes(self) -> tuple[NamedClass, ...]:
        return self.bound.named_classes()

    def _room(self, kind: str, out: Mapping[str, UInt8Array]) -> dict[str, UInt8Array]:
        named = {panel: panel_name(panel, kind, self.fixed) for panel in self._panels.values()}
        return {panel: out[name] for panel, name in named.items() if name in out}

    def findings_of(self, panel: str, counts: PixelCounts) -> Iterator[Finding]:
        for found in self.bound.findings_of(self._panels[panel], counts):
            weights = "" if panel == self._panels[panel] else f" This is the panel {panel!r}."
            yield replace(found, panel=panel, text=found.text + weights)
