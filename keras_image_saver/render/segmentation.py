"""The renderer of segmentation models: input | prediction | target, a colour a class."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_image_saver.arrays import MAGENTA, Array, UInt8Array, describe, nearest
from keras_image_saver.checks import check_int, check_number, is_number
from keras_image_saver.render.base import (
    NOT_FINITE,
    Batch,
    BoundRenderer,
    Finding,
    Measured,
    MeasuredClasses,
    OutputInfo,
    PixelCounts,
    Range,
    Rendered,
)
from keras_image_saver.render.class_map import Classes, Decision, choose_decision, logit
from keras_image_saver.render.colors import check_ignore_index, colorize, overlay
from keras_image_saver.render.palettes import check_palette
from keras_image_saver.render.panels import (
    SHOWN,
    PanelRenderer,
    Sources,
    channels_last,
    require_chosen,
)
from keras_image_saver.render.ranges import check_dtype, default_range, extent, map_to_uint8

# Float sigmoids end at 1 exactly; what lies further out is no probability.
_TOLERANCE = 1e-5


class Segmentation(PanelRenderer):
    """Renderer for class maps: input | prediction | target, a colour a class.

    Outputs may be scores (N, H, W, C >= 2), the class being the argmax; one channel, (N, H, W, 1) or
    (N, H, W), compared with `threshold`; or integer class ids of those shapes. Scores smaller than
    the input are enlarged by nearest neighbour. Targets may be ids (N, H, W) or (N, H, W, 1), as
    integers, bool or floats, or one-hot (N, H, W, num_classes).

    Args:
        num_classes: Number of classes. None: as many as there are score channels, two for one
            channel; any number for integer ids.
        palette: "voc" (the PASCAL VOC devkit's bit-interleaved table, `VOClabelcolormap.m`),
            "cityscapes" (its 19 train ids, `cityscapesscripts/helpers/labels.py`), or colours of one's
            own: (K, 3), integers 0 to 255.
        from_logits: Whether one-channel and multi-label outputs are logits, which are then compared
            with log(t / (1 - t)). For argmax it makes no difference.
        threshold: The probability t, 0 < t < 1, above which a pixel has the class.
        multi_label: Whether each channel is a class of its own, as after a sigmoid. Then channel k
            is drawn as class k + 1, and a pixel without a channel as class 0, the background; where
            channels overlap the later one is on top, in targets as in predictions. A palette of
            one's own may leave out the background, which is black then. None: False, but an error
            where the model ends in a sigmoid of several channels.
        ignore_index: The id of target pixels that do not count; drawn (224, 224, 192), as VOC's void.
        overlay: Weight of the colours over the input, 0 to 1. None: colours alone.
        input_range: (low, high) of float inputs, each one number, or one a channel. uint8 inputs
            need none.
        input_image: A function from the model's inputs to images, where the input is not one.
        panels: Names out of "input", "prediction", "target". None: those that there are.

    Raises:
        ValueError: If an argument is not valid.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        *,
        palette: Any = "voc",
        from_logits: bool = False,
        threshold: float = 0.5,
        multi_label: bool | None = None,
        ignore_index: int | None = None,
        overlay: float | None = None,
        input_range: Any = None,
        input_image: Callable[[Any], Any] | None = None,
        panels: Sequence[str] | None = None,
    ) -> None:
        super().__init__(input_range, input_image, panels)
        check_int("num_classes", num_classes, 1, optional=True)
        check_ignore_index(ignore_index)
        if multi_label is not None and not isinstance(multi_label, (bool, np.bool_)):
            raise ValueError(f"`multi_label` must be True, False or None, got {multi_label!r}.")
        if not is_number(threshold) or not 0 < threshold < 1:
            raise ValueError(
                f"`threshold` must be a probability between 0 and 1, got {threshold!r}. For logits "
                "pass from_logits=True and the probability all the same."
            )
        if overlay is not None:
            check_number("overlay", overlay, 0, 1)
        check_palette(palette, None)
        self.num_classes = num_classes
        self.palette = palette
        self.from_logits = from_logits
        self.threshold = float(threshold)  # what is computed from a float16 would be one too
        self.multi_label = multi_label
        self.ignore_index = ignore_index
        self.overlay = overlay

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        """Settle how outputs become colours, for a model, from shapes, dtypes and first values.

        Raises:
            ValueError: If scores, targets or inputs do not fit the arguments.
        """
        require_chosen(info, batch)
        sources = Sources(info, self.input_image)
        scores, image = sources.prediction(batch), sources.input(batch)
        classes = self._classes(scores, info.activation(sources.prediction_name))
        obstacles = self.find_obstacles(image, sources.target(batch))
        if self.overlay is not None and image is None:
            raise ValueError(f"`overlay` needs an image to lie over, but {obstacles['input']}.")
        panels = self.choose_panels(obstacles, info)
        ranges: dict[str, Range | None] = {}
        # Overlaid colours need the input, also where it has no panel of its own.
        if image is not None and ("input" in panels or self.overlay is not None):
            ranges["input"] = self._range_of_inputs(image)
        warnings = _check_targets(batch, sources, classes) if "target" in panels else ()
        warnings += self.lost_input(batch, sources, panels)
        bound = _BoundSegmentation(
            ranges=ranges,
            class_decision=classes.on_device,
            warnings=warnings,
            sources=sources,
            classes=classes,
            colors=self._colors(classes),
            panels=panels,
            ignore_index=self.ignore_index,
            overlay=self.overlay,
            fixed=tuple(name for name in panels if name in SHOWN),
        )
        bound.check_samples(batch)
        if "prediction" in panels:
            bound.check_ids("prediction", classes.of_scores(scores))
        return bound

    def _classes(self, scores: Array, activation: str | None) -> Classes:
        """Say how these outputs become classes."""
        decision = choose_decision(scores, self.multi_label, activation)
        if activation == "sigmoid" and self.from_logits and decision != "argmax":
            raise ValueError(
                "`from_logits` must be False for a model that ends in a sigmoid, got True: its "
                "outputs are probabilities already."
            )
        limit = np.float32(logit(self.threshold) if self.from_logits else self.threshold)
        channels = self._channels(scores, decision)
        if decision in ("threshold", "multi_label") and not self.from_logits:
            _check_probabilities(scores)
        # Of several labels class 0 is a pixel without any.
        count = channels + 1 if decision == "multi_label" else channels
        return Classes(decision, channels, count, limit)

    def _channels(self, scores: Array, decision: Decision) -> int:
        if decision == "ids":
            if self.num_classes is None:
                return len(check_palette(self.palette, None))
            # One class means one against the background, as with one channel.
            return max(self.num_classes, 2)
        channels = 2 if decision == "threshold" else scores.shape[3]
        allowed = (None, 1, 2) if decision == "threshold" else (None, channels)
        if self.num_classes not in allowed:
            raise ValueError(
                f"`num_classes` must fit the outputs, got {self.num_classes} for outputs of "
                f"{describe(scores)}: pass {channels}, or None."
            )
        return channels

    def _colors(self, classes: Classes) -> UInt8Array:
        palette = self.palette
        own = classes.decision == "multi_label" and not isinstance(palette, str)
        # A palette with a colour for each channel leaves out the background, which is black then.
        if own and len(palette) == classes.channels:
            palette = [(0, 0, 0), *(tuple(color) for color in palette)]
        return check_palette(palette, classes.count)

    def _range_of_inputs(self, image: Array) -> Range | None:
        check_dtype(image, "input")
        if self.input_range is not None:
            return self.input_range
        if image.dtype.kind in "bui":
            return default_range(image.dtype)
        low, high = extent(image)
        raise ValueError(
            f"`input_range` must be given for {image.dtype} inputs, got None; the values seen go "
            f"from {low:.6g} to {high:.6g}. Pass input_range=(0, 1), (0, 255) or (-1, 1), whatever "
            'the inputs are scaled to, or leave them out by panels=("prediction", "target").'
        )


@dataclass(frozen=True, kw_only=True)
class _BoundSegmentation(BoundRenderer):
    sources: Sources
    classes: Classes
    colors: UInt8Array
    panels: tuple[str, ...]
    ignore_index: int | None
    overlay: float | None

    def check_samples(self, batch: Batch) -> None:
        if "target" in self.panels:
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

    def __call__(
        self,
        batch: Batch,
        out: Mapping[str, UInt8Array] | None = None,
        known: Mapping[str, UInt8Array | None] | None = None,
    ) -> Rendered:
        drawn, known = Rendered(), known or {}
        wanted = [name for name in self.panels if name not in known]
        image = known.get("input")
        # Colours that lie over the input need it whether or not it is wanted by itself.
        if "input" in wanted or (image is None and self.overlay is not None):
            values = self.sources.images("input", batch)
            image, counts = map_to_uint8(
                values, self.ranges["input"], (out or {}).get("input"), "input_range"
            )
            drawn.panels["input"] = image
            if "input" not in known:
                drawn.counts["input"] = counts
        for name in wanted:
            if name != "input":
                ids = self._ids(name, batch)
                drawn.counts[name] = self._count_magenta(ids)
                drawn.panels[name] = self._draw(ids, image)
        return Rendered({name: drawn.panels[name] for name in wanted}, drawn.counts)

    def measured(self, batch: Batch) -> Mapping[str, Measured]:
        target = self.sources.target(batch)
        return {
            "": MeasuredClasses(
                self._ids("prediction", batch),
                len(self.colors),
                None if target is None else self._ids("target", batch),
                self.ignore_index,
            )
        }

    def _ids(self, name: str, batch: Batch) -> Array:
        if name == "prediction":
            return self.classes.of_scores(self.sources.prediction(batch))
        return self.classes.of_target(_target(batch, self.sources))

    def _is_known(self, ids: Array) -> Array:
        known = (ids >= 0) & (ids < len(self.colors))
        return known if self.ignore_index is None else known | (ids == self.ignore_index)

    def _draw(self, ids: Array, image: UInt8Array | None) -> UInt8Array:
        if self.overlay is None or image is None:
            return colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        # Scores are often smaller than the input, and sometimes larger: both take the larger size.
        height, width = (max(a, b) for a, b in zip(ids.shape[1:3], image.shape[1:3], strict=True))
        ids = nearest(ids, height, width)
        colors = colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        mixed = overlay(nearest(image, height, width), colors, self.overlay)
        # Magenta is there to be seen, not to shimmer through.
        mixed[~self._is_known(ids)] = MAGENTA
        return mixed

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


def _target(batch: Batch, sources: Sources) -> Array:
    """Return the targets that there are, channels last."""
    target = sources.target(batch)
    assert target is not None  # a target that is drawn is one that there is
    # Ids with one channel often come channels last whatever the model's own format is.
    ids = target.ndim == 4 and target.shape[3] == 1
    return target if ids else channels_last(target, sources.info)


def _check_targets(batch: Batch, sources: Sources, classes: Classes) -> tuple[str, ...]:
    """Refuse targets of another size or rank; return what there is to warn of."""
    target = _target(batch, sources)
    classes.check_target(target)
    sizes = sources.target_sizes(batch)
    if target.shape[1:3] not in sizes:
        raise ValueError(
            f"Targets must be as large as the scores or the input, got targets of "
            f"{describe(target)} for (height, width) in {sizes}."
        )
    fractional = classes.fractional_ids(target)
    if not fractional:
        return ()
    return (
        f"{fractional} of {target.size} class ids in the targets are no whole numbers and "
        "are rounded. Resized bilinearly? Use nearest.",
    )


def _check_probabilities(scores: Array) -> None:
    """Refuse logits where probabilities are meant."""
    low, high = extent(scores)
    if scores.dtype.kind == "f" and (low < -_TOLERANCE or high > 1 + _TOLERANCE):
        raise ValueError(
            "`from_logits` must be True for outputs that are no probabilities, got False; the "
            f"values seen go from {low:.6g} to {high:.6g}. Pass from_logits=True, or end the model "
            "in a sigmoid."
        )
