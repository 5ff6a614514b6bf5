"""The renderer of segmentation models: input | prediction | target, a colour a class."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    Array,
    Range,
    UInt8Array,
    describe,
)
from keras_image_saver.checks import check_int, check_number, is_number
from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    OutputInfo,
)
from keras_image_saver.render.class_map import Classes, Decision, choose_decision, logit
from keras_image_saver.render.class_panels import MAPS, BoundSegmentation, target_of
from keras_image_saver.render.colors import check_ignore_index
from keras_image_saver.render.palettes import check_class_names, check_palette, names_of_classes
from keras_image_saver.render.panels import SHOWN, PanelRenderer, require_chosen
from keras_image_saver.render.ranges import check_dtype, default_range, extent
from keras_image_saver.render.sources import Sources

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
        input_range: (low, high) of float inputs, each one number, or one a channel; or "caffe", "tf" or
            "torch", as in `Images`. uint8 inputs need none.
        input_image: A function from the model's inputs to images, where the input is not one.
        panels: Names out of "input", "prediction", "target", "error". None: those of the first three
            that there are. The error shows over a dimmed grey input which pixels are wrong, in red,
            and in blue where the prediction is the background class and the target is not. Pixels
            that do not count are left out. Or a dict from name to caption.
        class_names: A name for each class, a list of them or a dict from class id, which may name
            some; or "voc" or "cityscapes", their classes' names. Where class 0 means none of them (one
            channel, `multi_label`), a list may leave it out.
        background_class: The class that an overlay leaves bare; the legend has no colour for it then.
            None: class 0 where it means none of them (one channel, `multi_label`), else none.
        slices: For volumes and clips, scores (N, D, H, W, C) or ids (N, D, H, W), as in `Images`: how
            many slices to draw, or which.
        slice_axis: The axis that is cut, counted as in (N, D, H, W, C): 1, 2 or 3; of medical volumes
            it is often 3.

    Raises:
        ValueError: If an argument is not valid.
    """

    draws_ids = True

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
        panels: Sequence[str] | Mapping[str, str] | None = None,
        class_names: Sequence[str] | Mapping[int, str] | str | None = None,
        background_class: int | None = None,
        slices: int | Sequence[int] | None = None,
        slice_axis: int = 1,
    ) -> None:
        super().__init__(input_range, input_image, panels, slices, slice_axis)
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
        check_int("background_class", background_class, 0, optional=True)
        check_palette(palette, None)
        self.class_names = check_class_names(class_names)
        self.background_class = background_class
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
        sources = self.sources(info, batch)
        scores, image = sources.prediction(batch), sources.input(batch)
        classes = self._classes(scores, info.activation(sources.prediction_name))
        obstacles = self.find_obstacles(image, sources.target(batch))
        obstacles["error"] = obstacles["target"]
        if self.overlay is not None and image is None:
            raise ValueError(f"`overlay` needs an image to lie over, but {obstacles['input']}.")
        panels = self.choose_panels(obstacles, info)
        ranges: dict[str, Range | None] = {}
        # Overlaid colours and errors need the input, also where it has no panel of its own.
        lies_under = self.overlay is not None or ("error" in panels and not info.noise)
        if image is not None and ("input" in panels or lies_under):
            ranges["input"] = self._range_of_inputs(image)
        warnings = (
            _check_targets(batch, sources, classes) if {"target", "error"} & {*panels} else ()
        )
        warnings += self.lost_panels(batch, sources, panels)
        names = names_of_classes(self.class_names, classes.count, has_none=classes.has_none)
        bound = BoundSegmentation(
            ranges=ranges,
            class_decision=classes.on_device,
            warnings=warnings,
            slices=sources.numbers,
            sources=sources,
            classes=classes,
            colors=self._colors(classes),
            panels=panels,
            ignore_index=self.ignore_index,
            overlay=self.overlay,
            fixed=tuple(name for name in panels if name in SHOWN),
            class_panels=tuple(name for name in panels if name in MAPS and self.overlay is None),
            captions=self.captions,
            background=self._background(classes),
            class_names=names,
        )
        bound.check_samples(batch)
        if {"prediction", "error"} & {*panels}:
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
        # Class 0 is a pixel without any of several labels.
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

    def _background(self, classes: Classes) -> int | None:
        if self.background_class is None:
            return 0 if classes.has_none else None
        if self.background_class >= classes.count:
            raise ValueError(
                f"`background_class` must be one of the {classes.count} classes, 0 to "
                f"{classes.count - 1}, or None, got {self.background_class}."
            )
        return self.background_class

    def _range_of_inputs(self, image: Array) -> Range | None:
        check_dtype(image, "input")
        if self.input_range is not None:
            return self.range_of_inputs(image)
        if image.dtype.kind in "bui":
            return default_range(image.dtype)
        low, high = extent(image)
        raise ValueError(
            f"`input_range` must be given for {image.dtype} inputs, got None; the values seen go "
            f"from {low:.6g} to {high:.6g}. Pass input_range=(0, 1), (0, 255) or (-1, 1), whatever "
            'the inputs are scaled to, or leave them out by panels=("prediction", "target").'
        )


def _check_targets(batch: Batch, sources: Sources, classes: Classes) -> tuple[str, ...]:
    """Refuse targets of another size or rank; return what there is to warn of."""
    target = target_of(batch, sources)
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
