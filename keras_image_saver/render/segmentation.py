"""The renderer of segmentation models: input | prediction | target, a colour a class."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_image_saver.arrays import MAGENTA, Array, UInt8Array, describe, leaves, nearest
from keras_image_saver.checks import check_int, check_number, is_int, is_number
from keras_image_saver.render.base import (
    NOT_FINITE,
    Batch,
    BoundRenderer,
    Finding,
    OutputInfo,
    PixelCounts,
    Rendered,
)
from keras_image_saver.render.class_map import Classes, Decision, is_one_hot, logit
from keras_image_saver.render.colors import check_palette, colorize, overlay
from keras_image_saver.render.panels import (
    channels_last,
    check_input_image,
    check_panels,
    choose_panels,
    chosen_target,
    input_images,
    require_chosen,
)
from keras_image_saver.render.ranges import (
    Range,
    check_dtype,
    check_range,
    extent,
    findings,
    map_to_uint8,
)

# Float sigmoids end at 1 exactly; what lies further out is no probability.
_TOLERANCE = 1e-5


class Segmentation:
    """Renderer for class maps: input | prediction | target, a colour a class.

    Outputs may be scores (N, H, W, C >= 2), the class being the argmax; one channel, (N, H, W, 1) or
    (N, H, W), compared with `threshold`; or integer class ids of those shapes. Scores smaller than
    the input are enlarged by nearest neighbour. Targets may be ids (N, H, W) or (N, H, W, 1), as
    integers, bool or floats, or one-hot (N, H, W, num_classes).

    Args:
        num_classes: Number of classes. None: as many as there are score channels, two for one
            channel; any number for integer ids.
        palette: "voc" (the PASCAL VOC devkit's bit-interleaved table, `VOClabelcolormap.m`), or
            colours of one's own: (K, 3), integers 0 to 255.
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
        check_int("num_classes", num_classes, 1, optional=True)
        if ignore_index is not None and not is_int(ignore_index):
            raise ValueError(f"`ignore_index` must be one int or None, got {ignore_index!r}.")
        if multi_label not in (None, True, False):
            raise ValueError(f"`multi_label` must be True, False or None, got {multi_label!r}.")
        check_input_image(input_image)
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
        self.threshold = threshold
        self.multi_label = multi_label
        self.ignore_index = ignore_index
        self.overlay = overlay
        self.input_range = None if input_range is None else check_range(input_range, "input_range")
        self.input_image = input_image
        self.panels = check_panels(panels)

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        """Settle how outputs become colours, for a model, from shapes, dtypes and first values.

        Raises:
            ValueError: If scores, targets or inputs do not fit the arguments.
        """
        sources = _Sources(self.input_image, info, require_chosen(info, batch))
        scores, photo = sources.scores(batch), sources.photo(batch)
        classes = self._classes(scores, info.activations[sources.chosen])
        if classes.decision in ("threshold", "multi_label") and not self.from_logits:
            _check_probabilities(scores)
        panels = self._panels(batch, sources, photo)
        ranges: dict[str, Range | None] = {}
        if "input" in panels or self.overlay is not None:
            ranges["input"] = self._input_range(photo)
        if "target" in panels:
            _check_target(sources.target(batch), scores, photo, classes)
        bound = _BoundSegmentation(
            sources=sources,
            classes=classes,
            colors=self._colors(classes),
            panels=panels,
            ranges=ranges,
            ignore_index=self.ignore_index,
            overlay=self.overlay,
        )
        bound.check_samples(batch)
        if "prediction" in panels:
            bound.check_ids("prediction", classes.of_scores(scores))
        return bound

    def _classes(self, scores: Array, end: str | None) -> Classes:
        """Say how these outputs become classes."""
        decision = self._decision(scores, end)
        if end == "sigmoid" and self.from_logits and decision != "argmax":
            raise ValueError(
                "`from_logits` must be False for a model that ends in a sigmoid, got True: its "
                "outputs are probabilities already."
            )
        limit = np.float32(logit(self.threshold) if self.from_logits else self.threshold)
        channels = self._channels(scores, decision)
        count = channels + 1 if decision == "multi_label" else channels
        return Classes(decision, channels, count, limit)

    def _decision(self, scores: Array, end: str | None) -> Decision:
        check_dtype(scores, "output")
        if scores.ndim not in (3, 4):
            raise ValueError(
                "Segmentation draws outputs of shape (N, H, W), (N, H, W, 1) or (N, H, W, C), got "
                f"{describe(scores)}."
            )
        if scores.ndim == 3 or scores.shape[3] == 1:
            if self.multi_label:
                raise ValueError(
                    f"`multi_label` needs outputs of several channels, got {describe(scores)}."
                )
            return "ids" if scores.dtype.kind in "bui" else "threshold"
        if self.multi_label is None and end == "sigmoid":
            raise ValueError(
                f"`multi_label` must be given for a model that ends in a sigmoid of "
                f"{scores.shape[3]} channels, got None. True draws each channel over the threshold "
                "as a class of its own; False draws the channel with the highest score."
            )
        return "multi_label" if self.multi_label else "argmax"

    def _channels(self, scores: Array, decision: Decision) -> int:
        if decision == "ids":
            # One class means one against the background, as with one channel.
            return (
                len(check_palette(self.palette, None))
                if self.num_classes is None
                else max(self.num_classes, 2)
            )
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
        if own and len(palette) == classes.channels:
            palette = [(0, 0, 0), *(tuple(color) for color in palette)]
        return check_palette(palette, classes.count)

    def _panels(self, batch: Batch, sources: _Sources, photo: Array | None) -> tuple[str, ...]:
        possible: dict[str, str | None] = {"input": None, "prediction": None, "target": None}
        if photo is None:
            possible["input"] = (
                "the model's input is not one image; pass `input_image`, a function from the "
                "inputs to images"
            )
        if sources.target_or_none(batch) is None:
            possible["target"] = "the samples have no targets"
        if self.overlay is not None and photo is None:
            raise ValueError(f"`overlay` needs an image to lie over, but {possible['input']}.")
        default = [name for name, reason in possible.items() if reason is None]
        if sources.info.noise and self.input_image is None:
            default = [name for name in default if name != "input"]
        return choose_panels(self.panels, default, possible)

    def _input_range(self, photo: Array | None) -> Range | None:
        assert photo is not None  # a drawn input is one that there is
        check_dtype(photo, "input")
        if self.input_range is not None:
            return self.input_range
        if photo.dtype.kind in "bui":
            return None if photo.dtype in (np.uint8, np.bool_) else (0.0, 255.0)
        low, high = extent(photo)
        raise ValueError(
            f"`input_range` must be given for {photo.dtype} inputs, got None; the values seen go "
            f"from {low:.6g} to {high:.6g}. Pass input_range=(0, 1), (0, 255) or (-1, 1), whatever "
            'the inputs are scaled to, or leave them out by panels=("prediction", "target").'
        )


@dataclass(frozen=True)
class _Sources:
    """Where scores, inputs and targets come from."""

    input_image: Callable[[Any], Any] | None
    info: OutputInfo
    chosen: int

    def scores(self, batch: Batch) -> Array:
        scores: Array = list(leaves(batch.outputs).values())[self.chosen]
        return channels_last(scores, self.info)

    def photo(self, batch: Batch) -> Array | None:
        return input_images(batch, self.info, self.input_image, self.scores(batch).shape[1:3])

    def target_or_none(self, batch: Batch) -> Array | None:
        target = chosen_target(batch, self.info, self.chosen)
        if target is None or target.ndim != 4 or target.shape[3] == 1:
            return target
        return channels_last(target, self.info)

    def target(self, batch: Batch) -> Array:
        target = self.target_or_none(batch)
        assert target is not None  # a drawn target is one that there is
        return target


@dataclass(frozen=True)
class _BoundSegmentation:
    sources: _Sources
    classes: Classes
    colors: UInt8Array
    panels: tuple[str, ...]
    ranges: Mapping[str, Range | None]
    ignore_index: int | None
    overlay: float | None

    def __call__(self, batch: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        counts: dict[str, PixelCounts] = {}
        photo = None
        if "input" in self.ranges:
            values = self.sources.photo(batch)
            assert values is not None  # bind saw that there is one
            place = None if out is None else out.get("input")
            photo, counts["input"] = map_to_uint8(values, self.ranges["input"], place)
        rendered: dict[str, UInt8Array] = {}
        for name in self.panels:
            if name == "input":
                assert photo is not None  # mapped above
                rendered[name] = photo
            else:
                ids = self._ids(name, batch)
                counts[name] = self._count_magenta(ids)
                rendered[name] = self._draw(ids, photo)
        return Rendered(rendered, counts)

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

    def _ids(self, name: str, batch: Batch) -> Array:
        if name == "prediction":
            return self.classes.of_scores(self.sources.scores(batch))
        return self.classes.of_target(self.sources.target(batch))

    def _is_known(self, ids: Array) -> Array:
        known = (ids >= 0) & (ids < len(self.colors))
        return known if self.ignore_index is None else known | (ids == self.ignore_index)

    def _draw(self, ids: Array, photo: UInt8Array | None) -> UInt8Array:
        if self.overlay is None or photo is None:
            return colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        height, width = (max(a, b) for a, b in zip(ids.shape[1:3], photo.shape[1:3], strict=True))
        ids = nearest(ids, height, width)
        colors = colorize(ids, palette=self.colors, ignore_index=self.ignore_index)
        mixed = overlay(nearest(photo, height, width), colors, self.overlay)
        mixed[~self._is_known(ids)] = MAGENTA  # to be seen, not to shimmer through
        return mixed

    def _count_magenta(self, ids: Array) -> PixelCounts:
        """Count what is drawn magenta."""
        if ids.min() >= 0 and ids.max() < len(self.colors):
            return PixelCounts()
        not_finite = int(np.count_nonzero(ids == NOT_FINITE))
        unknown = int(np.count_nonzero(~self._is_known(ids))) - not_finite
        return PixelCounts(non_finite_pixels=not_finite, unknown_pixels=unknown)

    def findings(self, counts: Mapping[str, PixelCounts]) -> tuple[Finding, ...]:
        found: list[Finding] = []
        for name, count in counts.items():
            if name == "input":
                found += findings(count, name, self.ranges["input"], "input_range")
                continue
            if count.non_finite_pixels:
                text = (
                    f"{count.non_finite_pixels} pixels of the {name} have NaN or infinite values; they "
                    "are magenta."
                )
                found.append(Finding("non-finite", name, text))
            if count.unknown_pixels:
                text = (
                    f"{count.unknown_pixels} pixels of the {name} have class ids outside the "
                    f"{len(self.colors)} classes; they are magenta."
                )
                found.append(Finding("class ids", name, text))
        return tuple(found)


def _check_probabilities(scores: Array) -> None:
    """Refuse logits where probabilities are meant."""
    low, high = extent(scores)
    if scores.dtype.kind == "f" and (low < -_TOLERANCE or high > 1 + _TOLERANCE):
        raise ValueError(
            "`from_logits` must be True for outputs that are no probabilities, got False; the "
            f"values seen go from {low:.6g} to {high:.6g}. Pass from_logits=True, or end the model "
            "in a sigmoid."
        )


def _check_target(target: Array, scores: Array, photo: Array | None, classes: Classes) -> None:
    """Refuse targets of another size or rank; tell of fractional ids."""
    check_dtype(target, "target")
    one_hot = is_one_hot(target, classes.channels)
    if not (target.ndim == 3 or one_hot or (target.ndim == 4 and target.shape[3] == 1)):
        raise ValueError(
            "Targets must be class ids (N, H, W) or (N, H, W, 1), or one-hot "
            f"(N, H, W, {classes.channels}), got {describe(target)}. To leave them out pass "
            'panels=("input", "prediction").'
        )
    sizes = [scores.shape[1:3]] + ([] if photo is None else [photo.shape[1:3]])
    if target.shape[1:3] not in sizes:
        raise ValueError(
            f"Targets must be as large as the scores or the input, got targets of "
            f"{describe(target)} for (height, width) in {sizes}."
        )
    if target.dtype.kind == "f" and not one_hot:
        finite = target[np.isfinite(target)]
        fractional = int(np.count_nonzero(finite != np.rint(finite)))
        if fractional:
            warnings.warn(
                f"{fractional} of {target.size} class ids in the targets are no whole numbers and "
                "are rounded. Resized bilinearly? Use nearest.",
                stacklevel=2,
            )
