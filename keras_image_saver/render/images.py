"""Values to pixels: any image-like output becomes uint8 by a stated value range.

The range comes from the argument, else from the activation that ends the model, never from the
data: a range read from the data changes from epoch to epoch and hides what it should show.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    Array,
    Range,
    UInt8Array,
    describe,
    is_image,
    with_channels,
)
from keras_image_saver.render.base import (
    ONE_SLICE,
    Batch,
    BoundRenderer,
    OutputInfo,
    show_range,
)
from keras_image_saver.render.coarse import coarse
from keras_image_saver.render.colors import check_colormap
from keras_image_saver.render.error import error_range, not_comparable
from keras_image_saver.render.image_panels import BoundImages
from keras_image_saver.render.panels import SHOWN, PanelRenderer, require_chosen
from keras_image_saver.render.ranges import check_dtype, check_range, default_range, extent
from keras_image_saver.render.sources import Sources

# Images from 0 to 1 have something as dark as this; few from -1 to 1 have that, and nothing darker.
_DARK = 0.25

_ACTIVATION_RANGES: dict[str | None, Range] = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
}


class Images(PanelRenderer):
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
            ((0 - mean) / std, (1 - mean) / std). Or "caffe", "tf" or "torch", the modes of
            `keras.applications`' `preprocess_input`, which is undone, "caffe"'s order of channels too.
        input_image: A function from the model's inputs (NumPy, in the samples' structure) to images,
            where the input is not one: one-hot maps, what two inputs make together. Of several inputs
            the one that is an image is the input; more are panels by their names, "input 0" of a list.
        panels: Names out of "input", "prediction", "target", "error" and the names of a model's several
            outputs. None: those of the first three that have the shape of images, in that order,
            and of several outputs without an `output` all that have it, by their names. Noise from
            `latents` is no input to look at. The error is |prediction - target|, the mean over the
            channels, from black over red and yellow to white at the width of the value range;
            `value_range={"error": (0, 0.2)}` shows smaller ones. Or a dict from name to caption.
        colormap: For one-channel predictions and targets: a (256, 3) table, uint8 or floats from 0
            to 1, or the name of one of Matplotlib's (extra `colormaps`).
        slices: For volumes and clips, outputs (N, D, H, W, C): how many slices to draw, the middles of
            as many equal parts, or which, such as (0, 5, -1). They stand side by side, the panels
            below one another; inputs and targets that have as many are cut alike.
        slice_axis: The axis that is cut, counted as in (N, D, H, W, C): 1, 2 or 3.

    Raises:
        ValueError: If a range, a panel name, the colormap or what is said of slices is not valid.
        ImportError: If `colormap` is a name and Matplotlib is not installed.
    """

    no_target = "the samples have no targets in the shape of images"

    def __init__(
        self,
        value_range: Any = None,
        *,
        input_range: Any = None,
        input_image: Callable[[Any], Any] | None = None,
        panels: Sequence[str] | Mapping[str, str] | None = None,
        colormap: Any = None,
        slices: int | Sequence[int] | None = None,
        slice_axis: int = 1,
    ) -> None:
        super().__init__(input_range, input_image, panels, slices, slice_axis)
        self.value_range: Range | None = None
        self.panel_ranges: dict[str, Range] = {}
        if isinstance(value_range, Mapping):
            for name, limits in value_range.items():
                self.panel_ranges[name] = check_range(limits, f"value_range[{name!r}]")
        elif value_range is not None:
            self.value_range = check_range(value_range, "value_range")
        self.colormap = None if colormap is None else check_colormap(colormap)

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        """Settle panels and ranges for a model, from shapes, dtypes and its last activation.

        Raises:
            ValueError: If an output cannot be drawn, or its range is not known.
        """
        sources = self.sources(info, batch)
        panels = self._panels(batch, sources)
        drawn = [name for name in panels if name not in sources.own_error]
        # An error needs both, also where they have no panels.
        needed = drawn if len(drawn) == len(panels) else [*drawn, "prediction", "target"]
        images = {name: sources.images(name, batch) for name in needed}
        _check_target_size(images, sources, batch)
        # What is wrong with the prediction is said before what follows from it for the input.
        order = sorted(images, key=lambda name: (sources.shows_input(name), name != "prediction"))
        ranges = {name: self._range(name, images, sources) for name in order}
        warnings = self.lost_panels(batch, sources, images) + tuple(
            self._warnings(images, ranges, sources)
        )
        compared = self._compared(batch, sources, ranges)
        if len(drawn) != len(panels):
            ranges["error"] = self.panel_ranges.get("error", error_range(ranges["prediction"]))
        return BoundImages(
            sources=sources,
            ranges={name: ranges[name] for name in panels},
            warnings=warnings,
            colormaps=self._colormaps({name: images[name] for name in drawn}),
            compared=compared,
            fixed=tuple(name for name in panels if name in SHOWN or sources.shows_input(name)),
            captions=self.captions,
            slices=sources.numbers,
        )

    def _compared(
        self, batch: Batch, sources: Sources, ranges: Mapping[str, Range | None]
    ) -> dict[str, Range | None]:
        """Return the ranges of prediction and target, drawn or not, as far as there are such."""
        found = dict(ranges)
        prediction = sources.outputs(batch).get(sources.prediction_name)
        target = sources.as_images(sources.target(batch), batch)
        images = {"prediction": prediction, "target": target}
        for name, image in images.items():
            if name not in found and image is not None and is_image(image):
                with contextlib.suppress(ValueError):  # nothing tells how its values are to be read
                    found[name] = self._range(name, {name: image}, sources)
        return {name: found[name] for name in images if name in found}

    def _warnings(
        self, images: Mapping[str, Array], ranges: Mapping[str, Range | None], sources: Sources
    ) -> Iterator[str]:
        """Say where a range is too fine for float32, or 1 seems to mean white and is drawn otherwise."""
        for name in images:
            limits = ranges[name]
            argument = "input_range" if sources.shows_input(name) else "value_range"
            text = None if limits is None else coarse(limits, argument)
            if text is not None:
                yield text
        for name, image in images.items():
            if ranges[name] is None and image.dtype == np.uint8 and image.max() == 1:
                yield (
                    f"The {name} is uint8 with 1 as its largest value, and is drawn as it is: black. "
                    f"Pass {_advice(name, '(0, 1)')} if 1 means white."
                )
        limits = ranges.get("input")
        is_given = self.input_range is not None or "input" in self.panel_ranges
        if limits is None or is_given:
            return
        least, most = extent(images["input"])
        # One value alone, as in an empty mask, tells nothing.
        seem_0_to_1 = 0 <= least <= _DARK and least < most <= 1
        if seem_0_to_1 and np.min(np.subtract(limits[1], limits[0])) >= 2:
            shown = show_range(limits)
            yield (
                f"The inputs' values go from {least:.6g} to {most:.6g}, but are drawn in {shown}. Pass "
                f"input_range=(0, 1) if 1 means white, or else input_range={shown}."
            )

    def _panels(self, batch: Batch, sources: Sources) -> tuple[str, ...]:
        """Return the panels to draw, once everything that is asked for exists."""
        obstacles = self._obstacles(batch, sources)
        for name in self.panel_ranges:
            if name not in obstacles:
                raise ValueError(
                    f"`value_range` has no panel {name!r}; there are: {', '.join(obstacles)}."
                )
        panels = self.choose_panels(obstacles, sources.info, sources.input_panels)
        several = self.panels is None and sources.info.chosen is None
        return _around(panels, sources, batch) if several else panels

    def _obstacles(self, batch: Batch, sources: Sources) -> dict[str, str | None]:
        """Return every panel, an output's own name included, with what stands in its way, or None.

        Raises:
            ValueError: If the prediction has not the shape of images.
        """
        target = sources.as_images(sources.target(batch), batch)
        obstacles = self.find_obstacles(sources.input(batch), target)
        outputs = sources.outputs(batch)
        prediction = outputs.get(sources.prediction_name)
        if prediction is None:
            obstacles["prediction"] = "`output` does not say which of the outputs is the prediction"
        elif not is_image(prediction):
            raise ValueError(
                f"{_named(sources.info)} cannot be drawn: {_not_an_image(prediction)}."
            )
        obstacles |= dict.fromkeys(sources.input_panels)
        for name in sources.own_error:
            obstacles[name] = obstacles["prediction"] or obstacles["target"]
            if prediction is not None and target is not None:
                obstacles[name] = not_comparable(with_channels(prediction), target)
        for name, values in outputs.items():
            obstacles.setdefault(name, None if is_image(values) else _not_an_image(values))
        return obstacles

    def _colormaps(self, images: Mapping[str, Array]) -> dict[str, UInt8Array]:
        """Return the colormap by the panels that it colours: all of one channel but the input."""
        if self.colormap is None:
            return {}
        channels = {name: image.shape[-1] for name, image in images.items() if name != "input"}
        if 1 not in channels.values():
            found = f"panels with channels {channels}" if channels else "none but inputs and errors"
            raise ValueError(
                f"`colormap` colours images of one channel, got {found}. Drop `colormap`, or choose "
                "other `panels`."
            )
        return {name: self.colormap for name, count in channels.items() if count == 1}

    def _range(self, name: str, images: Mapping[str, Array], sources: Sources) -> Range | None:
        """Return the range of one of the panels; None leaves uint8 and bool as they are."""
        image = images[name]
        check_dtype(image, name)
        integers = image.dtype.kind in "bui"
        is_shown = name in SHOWN or sources.shows_input(name)
        if is_shown and name != "target" and self.input_range is not None:
            return self.range_of_inputs(image)
        if name in self.panel_ranges:
            return self.panel_ranges[name]
        # One range for all is that of floats: integers that the samples hold are pixels already.
        if self.value_range is not None and not (integers and is_shown):
            return self.value_range
        return default_range(image.dtype) if integers else self._float_range(name, images, sources)

    def _float_range(self, name: str, images: Mapping[str, Array], sources: Sources) -> Range:
        """Return the range that the activation which ends the model tells."""
        info = sources.info
        # One of several outputs that cannot be drawn may be left out where the user chose none.
        rest = [other for other in images if other != name]
        unasked = (
            self.panels is None
            and info.chosen is None
            and name in info.names
            and {*rest} & {*info.names}
        )
        others = f" Images(panels={rest!r}) draws the others alone." if unasked else ""
        activation = info.activation(name)
        if activation == "softmax":
            raise ValueError(
                f"`render` is Images, but the model's output {info.names[info.index(name) or 0]!r} "
                "ends in a softmax: these are class scores, not colours. Pass "
                "render=Segmentation(...), or Images(value_range=(0, 1)) to draw the scores "
                f"themselves.{others}"
            )
        limits = _ACTIVATION_RANGES.get(activation)
        # Inputs and targets are usually scaled like what the model is trained to give.
        if limits is None and (name in SHOWN or sources.shows_input(name)):
            limits = self._range_of_outputs(images, info)
        if limits is not None:
            return limits
        argument = "input_range" if sources.shows_input(name) else "value_range"
        low, high = extent(images[name])
        is_plain = name == "prediction" or sources.shows_input(name)
        advice = f"{argument}=(-1, 1)" if is_plain else _advice(name, "(-1, 1)")
        raise ValueError(
            f"`{argument}` must be given for the panel {name!r}: its values are "
            f"{images[name].dtype} and no tanh or sigmoid that ends the model tells their range. The "
            f"values seen here go from {low:.6g} to {high:.6g}. Pass Images({advice}), "
            f"(0, 1) or (0, 255): what the model is trained to give.{others}"
        )

    def _range_of_outputs(self, drawn: Iterable[str], info: OutputInfo) -> Range | None:
        """Return the one range that all drawn outputs have, or None."""
        outputs = set(info.names) - {"input", "target"}
        drawn = [name for name in drawn if name in outputs] or ["prediction"]
        found = {
            self.panel_ranges.get(name, self.value_range)
            or _ACTIVATION_RANGES.get(info.activation(name))
            for name in drawn
        }
        return found.pop() if len(found) == 1 else None


def _check_target_size(images: Mapping[str, Array], sources: Sources, batch: Batch) -> None:
    """Refuse targets that are drawn and have neither the prediction's size nor the input's."""
    if "target" in images and images["target"].shape[1:3] not in sources.target_sizes(batch):
        raise ValueError(
            "The targets must be as large as the prediction or the input, got targets of "
            f"{describe(images['target'])} for a prediction of (height, width) "
            f"{sources.size(batch)}. Pass targets of that size, or "
            'panels=("input", "prediction").'
        )


def _around(panels: Sequence[str], sources: Sources, batch: Batch) -> tuple[str, ...]:
    """Return the panels of several outputs that nobody chose from: those that are images, by name.

    Raises:
        ValueError: If none has the shape of images.
    """
    size = sources.size(batch)
    drawn = [
        name
        for name, values in sources.outputs(batch).items()
        # Sequences have three axes too: they are grey images only beside one of that size.
        if is_image(values) and (values.ndim == 4 or values.shape[1:3] == size)
    ]
    if not drawn:
        advice = "Images(panels=[…]) with the names of those that are images, "
        require_chosen(sources.info, batch, advice=advice)
    before = [name for name in ("input", *sources.input_panels) if name in panels]
    after = ["target"] if "target" in panels else []
    return tuple(dict.fromkeys([*before, *drawn, *after]))


def _named(info: OutputInfo) -> str:
    """Name the prediction, and where there are several outputs also those that may be meant."""
    if info.chosen is None or len(info.names) == 1:
        return "The model's output"
    return f"The output {info.names[info.chosen]!r} of {', '.join(map(repr, info.names))}"


def _not_an_image(array: Array) -> str:
    text = (
        f"images have the shape (N, H, W) or (N, H, W, C) with C in {{1, 3, 4}}, not {array.shape}"
    )
    if array.ndim == 5:
        text += f"; {ONE_SLICE}"
    if array.ndim == 4:
        text += (
            "; class scores are drawn by `Segmentation`, and where channels come first, "
            'keras.config.set_image_data_format("channels_first") says so'
        )
    return text


def _advice(name: str, limits: str) -> str:
    """Write the argument that sets the range of one panel alone."""
    return f"input_range={limits}" if name == "input" else f'value_range={{"{name}": {limits}}}'
