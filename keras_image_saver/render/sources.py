"""Where the values of a model's panels come from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    Array,
    as_array,
    describe,
    is_image,
    leaves,
    single,
    with_channels,
)
from keras_image_saver.render.base import Batch, OutputInfo
from keras_image_saver.render.slices import Slices


@dataclass(frozen=True)
class Sources:
    """Where the values of a model's panels come from.

    Attributes:
        info: What is known of the outputs.
        input_image: The user's way from inputs to images, or None.
        reverses_input: Whether the input is drawn with its channels reversed: it is BGR.
        slices: How volumes are cut to images; None where there are none.
        input_panels: The panels of several inputs, as `several_inputs` names them.
    """

    info: OutputInfo
    input_image: Callable[[Any], Any] | None = None
    reverses_input: bool = False
    slices: Slices | None = None
    input_panels: tuple[str, ...] = ()

    def shows_input(self, panel: str) -> bool:
        """Tell whether a panel is of the samples' inputs."""
        return panel == "input" or panel in self.input_panels

    @property
    def whole(self) -> "Sources":
        """Where the values of whole volumes come from, for measures."""
        return self if self.slices is None else replace(self, slices=self.slices.whole)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the slices that each sample has; empty where it has one image."""
        return () if self.slices is None else self.slices.numbers

    @property
    def prediction_name(self) -> str:
        """The output that is the prediction; without a choice, one may go by that name."""
        return "prediction" if self.info.chosen is None else self.info.names[self.info.chosen]

    @property
    def own_error(self) -> tuple[str, ...]:
        """The panel "error" of ours, unless it is the name of an output, which has been drawn by it."""
        return () if "error" in self.info.names else ("error",)

    def outputs(self, batch: Batch) -> dict[str, Array]:
        """Return by name the outputs that are arrays of a row a sample, channels last."""
        found = zip(self.info.names, leaves(batch.outputs).values(), strict=True)
        drawn = ((name, self.cut(x)) for name, x in found)
        return {name: channels_last(x, self.info) for name, x in drawn if x is not None}

    def cut(self, values: Array | None) -> Array | None:
        """Return the slices of volumes as images, or images as they are."""
        return values if self.slices is None else self.slices.cut(values)

    def prediction(self, batch: Batch) -> Array:
        """Return the output that is the prediction, channels last."""
        return self.outputs(batch)[self.prediction_name]

    def size(self, batch: Batch) -> tuple[int, ...]:
        """Return (height, width) of the prediction; without a choice, of the first image."""
        outputs = self.outputs(batch)
        shown = outputs.get(self.prediction_name)
        if shown is None:
            # What has four axes and the channels of images is one sooner than what has three.
            by_rank = sorted(outputs.values(), key=lambda array: -array.ndim)
            shown = next(filter(is_image, by_rank), by_rank[0])
        return tuple(shown.shape[1:3])

    def input(self, batch: Batch) -> Array | None:
        """Return the inputs as images, or None where they are none.

        Raises:
            ValueError: If `input_image` does not give images.
        """
        images = batch.shown
        if images is None and batch.inputs is not None and self.input_image is not None:
            images = as_array(self.input_image(batch.inputs), "input_image()")
            if self.slices is None:
                images = check_images(channels_last(images, self.info), "`input_image`")
        if images is not None:
            return images if self.slices is None else self._cut_input(images, self.slices)
        images_of = _image_inputs(self, batch)
        return next(iter(images_of.values())) if len(images_of) == 1 else None

    def _cut_input(self, volumes: Array, slices: Slices) -> Array:
        images = slices.cut(volumes)
        if images is None:
            raise ValueError(
                f"`input_image` must return volumes of {slices.depth} slices along "
                f"slice_axis={slices.axis}, as the prediction has, got {describe(volumes)}."
            )
        return check_images(images, "`input_image`")

    def target(self, batch: Batch) -> Array | None:
        """Return the target that belongs to the prediction, or its slices."""
        return self.cut(self.whole_target(batch))

    def whole_target(self, batch: Batch) -> Array | None:
        """Return the target that belongs to the prediction, as the samples have it."""
        targets, chosen = leaves(batch.targets), self.info.chosen
        # One target is of the prediction, however many outputs there are; of several it is the one of
        # the same name, as in `fit` with dicts, or else the one at the same place.
        if len(targets) == 1:
            return single(batch.targets)
        if chosen is None:
            return None
        if self.info.names[chosen] in targets:
            return single(targets[self.info.names[chosen]])
        same_count = len(targets) == len(self.info.names)
        return single(list(targets.values())[chosen]) if same_count else None

    def images(self, panel: str, batch: Batch) -> Array:
        """Return the images of a panel that can be drawn, with a channel axis."""
        if panel == "input":
            images = self.input(batch)
        elif panel == "target":
            images = self.as_images(self.target(batch), batch)
        elif panel in self.input_panels:
            images = several_inputs(self, batch)[panel]
        else:
            output = self.prediction_name if panel == "prediction" else panel
            values = self.outputs(batch).get(output)
            images = None if values is None else with_channels(values)
        if images is None:
            raise ValueError(f"the {panel} has no images")
        return images[..., ::-1] if self.reverses_input and self.shows_input(panel) else images

    def as_images(self, values: Array | None, batch: Batch) -> Array | None:
        """Return inputs or targets as images, (N, H, W, C), or None where their shape is another's.

        Those of rank 3 are grey images only at the prediction's size: sequences have that rank too.
        """
        if values is None:
            return None
        images = channels_last(values, self.info)
        if not is_image(images) or (images.ndim == 3 and images.shape[1:3] != self.size(batch)):
            return None
        return with_channels(images)

    def target_sizes(self, batch: Batch) -> list[tuple[int, ...]]:
        """Return each (height, width) that targets may have: the prediction's and the input's."""
        image = self.input(batch)
        return [self.size(batch)] + ([] if image is None else [image.shape[1:3]])


def several_inputs(sources: Sources, batch: Batch) -> dict[str, Array]:
    """Return by panel the images among several inputs, where there is not one alone.

    A panel is called as its input, and one of a list by its place: "input 0".
    """
    if batch.shown is not None or sources.input_image is not None:
        return {}
    images_of = _image_inputs(sources, batch)
    taken = {"input", "prediction", "target", "error", *sources.info.names}
    return {
        f"input {name}" if name in taken or name.isdecimal() else name: images
        for name, images in images_of.items()
        if len(images_of) > 1
    }


def _image_inputs(sources: Sources, batch: Batch) -> dict[str, Array]:
    """Return the inputs that are images by name; of several, class ids are none."""
    arrays = leaves(batch.inputs)
    found = {
        name: sources.as_images(sources.cut(array), batch)
        for name, array in arrays.items()
        if array is not None
        and (len(arrays) == 1 or array.dtype.kind == "f" or array.dtype == np.uint8)
    }
    return {name: images for name, images in found.items() if images is not None}


def channels_last(array: Array, info: OutputInfo) -> Array:
    """Move the channels of (N, C, H, W) to the end where the model has them first."""
    return np.moveaxis(array, 1, -1) if info.channels_first and array.ndim == 4 else array


def check_images(images: Array, source: str, where: str = "") -> Array:
    """Return what a function of the user's gave as images (N, H, W, C).

    Args:
        images: What it returned, channels last.
        source: The argument that it is, for the error.
        where: What else the error should say of the place.

    Raises:
        ValueError: If they have another shape.
    """
    if not is_image(images):
        raise ValueError(
            f"{source} must return images of shape (N, H, W) or (N, H, W, C) with C in "
            f"{{1, 3, 4}}, got {describe(images)}{where}."
        )
    return with_channels(images)


def failed(argument: str, error: Exception, batch: Batch) -> Exception:
    """Return what to raise from the error that a function of the user's raised before it worked once.

    Args:
        argument: What the function was given as.
        error: What it raised.
        batch: What it was shown.
    """
    if isinstance(error, MemoryError):
        return error
    parts = {"inputs": batch.inputs, "targets": batch.targets, "outputs": batch.outputs}
    listed = "; ".join(
        f"{part}{f'[{name!r}]' if name else ''}: {describe(array)}"
        for part, structure in parts.items()
        if structure is not None
        for name, array in leaves(structure).items()
    )
    return ValueError(
        f"`{argument}` raised {type(error).__name__}: {error}. It was called with {listed}."
    )
