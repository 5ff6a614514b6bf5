"""Values to pixels: any image-like output becomes uint8 by a stated value range.

The range comes from the argument, else from the activation that ends the model, never from the
data: a range read from the data changes from epoch to epoch and hides what it should show.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    Array,
    UInt8Array,
    describe,
    is_image,
    leaves,
    with_channels,
)
from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    Finding,
    OutputInfo,
    PixelCounts,
    Rendered,
)
from keras_image_saver.render.colors import apply_colormap, check_colormap
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
    fixed_range,
    map_to_uint8,
)

_ACTIVATION_RANGES: dict[str, Range] = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
}


class Images:
    """Renderer for image outputs: a GAN, an autoencoder, super-resolution, depth.

    Args:
        value_range: (low, high), the values that become black and white; each one number, or one a
            channel. It holds for predictions, and for float inputs and targets: integer ones are
            pixels as they are. Or a dict of such by panel, which holds for any dtype. None: uint8
            and bool as they are, other integers (0, 255), and floats by the activation that ends
            the model: tanh (-1, 1), sigmoid (0, 1). Where neither tells, an error before training
            says so.
        input_range: The same for the input panel. None: uint8 and bool inputs as they are, float
            inputs in `value_range`. ImageNet-normalised inputs take one range a channel:
            ((0 - mean) / std, (1 - mean) / std).
        input_image: A function from the model's inputs (NumPy, in the samples' structure) to images,
            where the input is not one: one of several inputs, BGR, one-hot maps, slices.
        panels: Names out of "input", "prediction", "target" and the names of a model's several
            outputs. None: those of the three that have the shape of images, in that order; noise
            from `latents` is no input to look at.
        colormap: For one-channel predictions and targets: a (256, 3) table, uint8 or floats from 0
            to 1, or the name of one of Matplotlib's (extra `colormaps`).

    Raises:
        ValueError: If a range, a panel name or the colormap is not valid.
        ImportError: If `colormap` is a name and Matplotlib is not installed.
    """

    def __init__(
        self,
        value_range: Any = None,
        *,
        input_range: Any = None,
        input_image: Callable[[Any], Any] | None = None,
        panels: Sequence[str] | None = None,
        colormap: Any = None,
    ) -> None:
        self.value_range: Range | dict[str, Range] | None = None
        if isinstance(value_range, Mapping):
            self.value_range = {
                name: check_range(limits, f"value_range[{name!r}]")
                for name, limits in value_range.items()
            }
        elif value_range is not None:
            self.value_range = check_range(value_range, "value_range")
        self.input_range = None if input_range is None else check_range(input_range, "input_range")
        check_input_image(input_image)
        self.input_image = input_image
        self.panels = check_panels(panels)
        self.colormap = None if colormap is None else check_colormap(colormap)

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        """Settle panels and ranges for a model, from shapes, dtypes and its last activation.

        Raises:
            ValueError: If an output cannot be drawn, or its range is not known.
        """
        sources = _Sources(self.input_image, info)
        outputs = sources.outputs(batch)
        chosen = info.chosen
        if chosen is None and not set(self.panels or ()) & set(outputs):
            chosen = require_chosen(info, batch)
        # Without `output`, an output may still go by the name of "prediction".
        prediction = outputs.get("prediction" if chosen is None else info.names[chosen])
        default, possible = _panels(batch, sources, prediction)
        if isinstance(self.value_range, dict):
            for name in self.value_range:
                if name not in possible:
                    raise ValueError(
                        f"`value_range` has no panel {name!r}; there are: {', '.join(possible)}."
                    )
        panels = choose_panels(self.panels, default, possible)
        _check_targets(panels, batch, sources)
        return _BoundImages(
            sources=sources,
            ranges=self._ranges(panels, batch, sources),
            argument={name: _argument(name) for name in panels},
            colormap=self.colormap,
            colored=self._colored(panels, batch, sources),
        )

    def _ranges(
        self, panels: tuple[str, ...], batch: Batch, sources: _Sources
    ) -> dict[str, Range | None]:
        # What is wrong with the prediction is said before what follows from it for the input.
        order = sorted(panels, key=lambda name: (name == "input", name != "prediction"))
        found = {name: self._range(name, batch, sources) for name in order}
        return {name: found[name] for name in panels}

    def _range_of_outputs(self, info: OutputInfo) -> Range | None:
        """Return the one range that all drawn outputs have, or None."""
        drawn = [name for name in self.panels or () if name in info.names] or ["prediction"]
        found = set()
        for name in drawn:
            index = info.names.index(name) if name in info.names else info.chosen
            end = None if index is None else info.activations[index]
            found.add(self._stated(name) or _ACTIVATION_RANGES.get(end or ""))
        return found.pop() if len(found) == 1 else None

    def _colored(self, panels: tuple[str, ...], batch: Batch, sources: _Sources) -> frozenset[str]:
        """Return the panels that the colormap colours: all of one channel but the input."""
        if self.colormap is None:
            return frozenset()
        channels = {
            name: sources.panel(name, batch).shape[-1] for name in panels if name != "input"
        }
        if 1 not in channels.values():
            raise ValueError(
                f"`colormap` colours images of one channel, got panels with channels {channels}. "
                "Drop `colormap`, or choose other `panels`."
            )
        return frozenset(name for name, count in channels.items() if count == 1)

    def _range(self, name: str, batch: Batch, sources: _Sources) -> Range | None:
        """Return the range of a panel; None leaves uint8 and bool as they are."""
        image = sources.panel(name, batch)
        check_dtype(image, name)
        if name == "input" and self.input_range is not None:
            return self.input_range
        integers = image.dtype.kind in "bui"
        shown = name in ("input", "target")  # as the samples have it, not as the model draws it
        if isinstance(self.value_range, dict) or not (integers and shown):
            stated = self._stated(name)
            if stated is not None:
                return stated
        if not integers:
            return self._range_of_output(name, image, sources)
        if image.dtype not in (np.uint8, np.bool_):
            return fixed_range(image.dtype)
        if image.dtype == np.uint8 and image.max() == 1:
            argument = "input_range=" if name == "input" else f'value_range={{"{name}": '
            warnings.warn(
                f"The {name} is uint8 with 1 as its largest value, and is drawn as it is: black. "
                f"Pass {argument}(0, 1){'' if name == 'input' else '}'} if 1 means white.",
                stacklevel=2,
            )
        return None

    def _stated(self, name: str) -> Range | None:
        if isinstance(self.value_range, dict):
            return self.value_range.get(name)
        return self.value_range

    def _range_of_output(self, name: str, image: Array, sources: _Sources) -> Range:
        info = sources.info
        index = info.names.index(name) if name in info.names else info.chosen
        end = None if index is None else info.activations[index]
        if end == "softmax":
            raise ValueError(
                f"`render` is Images, but the model's output {info.names[index or 0]!r} ends in a "
                "softmax: these are class scores, not colours. Pass render=Segmentation(...), or "
                "Images(value_range=(0, 1)) to draw the scores themselves."
            )
        if end in _ACTIVATION_RANGES:
            return _ACTIVATION_RANGES[end]
        shared = self._range_of_outputs(info) if name in ("input", "target") else None
        if shared is not None:
            return shared
        argument = _argument(name)
        low, high = extent(image)
        raise ValueError(
            f"`{argument}` must be given for the panel {name!r}: its values are {image.dtype} and "
            "no tanh or sigmoid that ends the model tells their range. The values seen here "
            f"go from {low:.6g} to {high:.6g}. Pass Images({_advice(argument, name)}), "
            "(0, 1) or (0, 255): what the model is trained to give."
        )


@dataclass(frozen=True)
class _BoundImages:
    sources: _Sources
    ranges: Mapping[str, Range | None]
    argument: Mapping[str, str]
    colormap: Any
    colored: frozenset[str]

    def check_samples(self, batch: Batch) -> None:
        """Nothing is refused by value."""

    def __call__(self, batch: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        rendered: dict[str, UInt8Array] = {}
        counts: dict[str, PixelCounts] = {}
        for name, limits in self.ranges.items():
            colored = name in self.colored
            place = None if colored or out is None else out.get(name)
            mapped, counts[name] = map_to_uint8(self.sources.panel(name, batch), limits, place)
            rendered[name] = apply_colormap(mapped, self.colormap) if colored else mapped
        return Rendered(rendered, counts)

    def findings(self, counts: Mapping[str, PixelCounts]) -> tuple[Finding, ...]:
        return tuple(
            finding
            for name, count in counts.items()
            for finding in findings(count, name, self.ranges[name], self.argument[name])
        )


@dataclass(frozen=True)
class _Sources:
    """Where each panel's values come from."""

    input_image: Callable[[Any], Any] | None
    info: OutputInfo

    def outputs(self, batch: Batch) -> dict[str, Array]:
        found = leaves(batch.outputs).values()
        return dict(zip(self.info.names, (channels_last(x, self.info) for x in found), strict=True))

    def size(self, batch: Batch) -> tuple[int, ...]:
        """Return (height, width) of the prediction, or of the first output."""
        first = list(self.outputs(batch).values())[self.info.chosen or 0]
        return tuple(first.shape[1:3])

    def input(self, batch: Batch) -> Array | None:
        return input_images(batch, self.info, self.input_image, self.size(batch))

    def target(self, batch: Batch) -> Array | None:
        target = chosen_target(batch, self.info, self.info.chosen)
        if target is None:
            return None
        target = channels_last(target, self.info)
        if not is_image(target) or (target.ndim == 3 and target.shape[1:3] != self.size(batch)):
            return None
        return with_channels(target)

    def panel(self, name: str, batch: Batch) -> Array:
        """Return the images of a panel that can be drawn, with a channel axis."""
        if name in ("input", "target"):
            image = self.input(batch) if name == "input" else self.target(batch)
            if image is None:
                raise ValueError(f"the {name} has no images")
            return image
        outputs = self.outputs(batch)
        chosen = name == "prediction" and self.info.chosen is not None
        return with_channels(outputs[self.info.names[self.info.chosen or 0] if chosen else name])


def _panels(
    batch: Batch, sources: _Sources, prediction: Array | None
) -> tuple[list[str], dict[str, str | None]]:
    """Return the default panels, and every panel with what stands in its way."""
    possible: dict[str, str | None] = {"input": None, "prediction": None, "target": None}
    if sources.input(batch) is None:
        possible["input"] = (
            "the model's input is not one image; pass `input_image`, a function from the inputs "
            "to images"
        )
    if prediction is None:
        possible["prediction"] = "`output` does not say which of the outputs is the prediction"
    elif not is_image(prediction):
        possible["prediction"] = _not_an_image(prediction)
    if sources.target(batch) is None:
        possible["target"] = "the samples have no targets in the shape of images"
    if prediction is not None and possible["prediction"] is not None:
        raise ValueError(f"The model's output cannot be drawn: {possible['prediction']}.")
    default = [name for name, reason in possible.items() if reason is None]
    if sources.info.noise and sources.input_image is None:
        default = [name for name in default if name != "input"]
    for name, value in sources.outputs(batch).items():
        possible.setdefault(name, None if is_image(value) else _not_an_image(value))
    return default, possible


def _not_an_image(array: Array) -> str:
    text = (
        f"images have the shape (N, H, W) or (N, H, W, C) with C in {{1, 3, 4}}, not {array.shape}"
    )
    if array.ndim == 4:
        text += (
            "; class scores are drawn by `Segmentation`, and where channels come first, "
            'keras.config.set_image_data_format("channels_first") says so'
        )
    return text


def _check_targets(panels: tuple[str, ...], batch: Batch, sources: _Sources) -> None:
    """Refuse targets of a size that is neither the prediction's nor the input's."""
    target = sources.target(batch) if "target" in panels else None
    if target is None:
        return
    inputs = sources.input(batch)
    sizes = {sources.size(batch)} | ({inputs.shape[1:3]} if inputs is not None else set())
    if target.shape[1:3] not in sizes:
        raise ValueError(
            "The targets must be as large as the prediction or the input, got targets of "
            f"{describe(target)} for a prediction of (height, width) {sources.size(batch)}. Pass "
            'targets of that size, or panels=("input", "prediction").'
        )


def _argument(name: str) -> str:
    """Name the argument that sets a panel's range."""
    return "input_range" if name == "input" else "value_range"


def _advice(argument: str, name: str) -> str:
    if argument == "value_range" and name != "prediction":
        return f'value_range={{"{name}": (-1, 1)}}'
    return f"{argument}=(-1, 1)"
