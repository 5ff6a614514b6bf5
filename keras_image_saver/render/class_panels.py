"""The panels of class maps: ids to colours, laid over the input, and where they are wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_image_saver.arrays import MAGENTA, Array, UInt8Array, nearest
from keras_image_saver.render.base import (
    BARE,
    NOT_FINITE,
    Batch,
    BoundRenderer,
    Finding,
    NamedClass,
    PixelCounts,
    Rendered,
    Surface,
)
from keras_image_saver.render.class_map import Classes
from keras_image_saver.render.colors import colorize, overlay
from keras_image_saver.render.error import draw_wrong_classes
from keras_image_saver.render.mapping import map_to_uint8
from keras_image_saver.render.measured import Measured, MeasuredClasses
from keras_image_saver.render.sources import Sources, channels_last

# The panels that are class maps. The error is drawn from both.
MAPS = ("prediction", "target")


@dataclass(frozen=True, kw_only=True)
class BoundSegmentation(BoundRenderer):
    """Draws class maps in one way.

    Attributes:
        sources: Where values come from.
        classes: How they become class ids.
        colors: uint8 (classes, 3).
        panels: What is drawn, in order.
        ignore_index: The id of target pixels that do not count, or None.
        overlay: The weight of the colours over the input, or None for colours alone.
        background: The class that an overlay leaves bare, and that is no foreground, or None.
        class_names: The names of the classes that have one, by id, in the order of ids.
    """

    sources: Sources
    classes: Classes
    colors: UInt8Array
    panels: tuple[str, ...]
    ignore_index: int | None
    overlay: float | None
    background: int | None
    class_names: Mapping[int, str]

    def check_samples(self, batch: Batch) -> None:
        if {"target", "error"} & set(self.panels):
            self.check_ids("target", self._ids("target", batch))

    def check_ids(self, name: str, ids: Array) -> None:
        """Refuse class ids that no class has, before training."""
        unknown = ids[~self._is_known(ids) & (ids != NOT_FINITE)]
        if unknown.size:
            values = np.unique(unknown)
            listed = ", ".join(str(value) for value in values[:5])
            listed += ", …" if len(values) > 5 else ""
            raise ValueError(
                f"`num_classes` must cover all class ids, got {len(self.colors)} classes and a "
                f"{name} with the ids {listed} in {unknown.size} of {ids.size} pixels. Pass "
                f"ignore_index={values[-1]} if such pixels do not count, or the right `num_classes`."
            )

    def named_classes(self) -> tuple[NamedClass, ...]:
        ids = np.fromiter(self.class_names, np.intp)
        colors = colorize(ids, palette=self.colors, ignore_index=self.ignore_index).tolist()
        uncoloured = {*MAPS}.isdisjoint(self.panels)  # an error alone has no class's colour
        return tuple(
            NamedClass(class_id, name, tuple(color), uncoloured or class_id == self._bare)
            for (class_id, name), color in zip(self.class_names.items(), colors, strict=True)
        )

    @property
    def _bare(self) -> int | None:
        """The class that is not coloured, but shows the input."""
        is_ignored = self.background == self.ignore_index
        return None if self.overlay is None or is_ignored else self.background

    def measured(self, batch: Batch) -> Mapping[str, Measured]:
        return {
            "": MeasuredClasses(
                self.classes.of_scores(self.sources.whole.prediction(batch)),
                len(self.colors),
                self._measured_target(batch),
                self.ignore_index,
            )
        }

    def __call__(self, batch: Batch, surface: Surface = BARE) -> Rendered:
        drawn, known = Rendered(), surface.known
        wanted = [name for name in self.panels if name not in known]
        image = known.get("input")
        # Colours and errors that lie over the input need it whether or not it is wanted by itself.
        lies_under = self.overlay is not None or "error" in wanted
        if "input" in self.ranges and ("input" in wanted or (image is None and lies_under)):
            values = self.sources.images("input", batch)
            room = surface.out.get("input")
            image, counts = map_to_uint8(values, self.ranges["input"], room, "input_range")
            if "input" not in known:
                drawn.counts["input"] = counts
        maps = {name: self._ids(name, batch) for name in self._maps(wanted)}
        for name, ids in maps.items():
            if name not in known:
                drawn.counts[name] = self._count_magenta(ids)
        for name in wanted:
            if name == "input":
                assert image is not None  # what is a panel has a range
                drawn.panels[name] = image
            elif name == "error":
                drawn.panels[name] = self._draw_error(maps["prediction"], maps["target"], image)
            else:
                drawn.panels[name] = self._draw(maps[name], image)
        return drawn

    def _maps(self, wanted: Sequence[str]) -> list[str]:
        """Return the class maps that panels need: an error needs both."""
        return [name for name in MAPS if name in wanted or "error" in wanted]

    def _ids(self, name: str, batch: Batch) -> Array:
        if name == "prediction":
            return self.classes.of_scores(self.sources.prediction(batch))
        return self.classes.of_target(target_of(batch, self.sources))

    def _measured_target(self, batch: Batch) -> Array | None:
        """Return the targets' ids where there are targets that class maps can be compared with."""
        sources = self.sources.whole
        if sources.target(batch) is None:
            return None
        target = target_of(batch, sources)
        sizes = sources.target_sizes(batch)
        comparable = self.classes.is_target(target) and target.shape[1:3] in sizes
        return self.classes.of_target(target) if comparable else None

    def _is_known(self, ids: Array) -> Array:
        known = (ids >= 0) & (ids < len(self.colors))
        return known if self.ignore_index is None else known | (ids == self.ignore_index)

    def _draw(self, ids: Array, image: UInt8Array | None) -> UInt8Array:
        if self.overlay is None or image is None:
            return colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        # Scores are often smaller than the input, and sometimes larger: both take the larger size.
        ids, image = at_one_size(ids, image)
        colors = colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        mixed = overlay(image, colors, self.overlay)
        if self._bare is not None:
            bare = ids == self._bare
            mixed[bare] = image[bare][:, :3]  # one channel becomes three
        # Magenta is there to be seen, not to shimmer through.
        mixed[~self._is_known(ids)] = MAGENTA
        return mixed

    def _draw_error(self, ids: Array, targets: Array, image: UInt8Array | None) -> UInt8Array:
        sized = (ids, targets) if image is None else (ids, targets, image)
        ids, targets, *images = at_one_size(*sized)
        counted = self._is_known(targets)
        if self.ignore_index is not None:
            counted &= targets != self.ignore_index
        under = images[0] if images else None
        picture = draw_wrong_classes(ids, targets, counted, under, self.background)
        picture[~self._is_known(ids) & counted] = MAGENTA
        return picture

    def _count_magenta(self, ids: Array) -> PixelCounts:
        # Nearly every class map holds known ids alone, which its two ends tell at once.
        if ids.min() >= 0 and ids.max() < len(self.colors):
            return PixelCounts()
        not_finite = int(np.count_nonzero(ids == NOT_FINITE))
        unknown = int(np.count_nonzero(~self._is_known(ids))) - not_finite
        return PixelCounts(non_finite_pixels=not_finite, unknown_pixels=unknown)

    def findings_of(self, panel: str, counts: PixelCounts) -> Iterator[Finding]:
        yield from super().findings_of(panel, counts)
        if counts.unknown_pixels:
            text = (
                f"{counts.unknown_pixels} pixels of the {panel} have class ids outside the "
                f"{len(self.colors)} classes; they are magenta."
            )
            yield Finding("class ids", panel, text)


def target_of(batch: Batch, sources: Sources) -> Array:
    """Return the targets that there are, channels last."""
    target = sources.target(batch)
    assert target is not None  # a target that is drawn is one that there is
    # Ids with one channel often come channels last whatever the model's own format is.
    ids = target.ndim == 4 and target.shape[3] == 1
    return target if ids else channels_last(target, sources.info)


def at_one_size(*maps: Array) -> list[Array]:
    """Return class maps and images, (N, h, w, ...), at the largest height and width of them."""
    height, width = (max(one.shape[axis] for one in maps) for axis in (1, 2))
    return [nearest(one, height, width) for one in maps]
