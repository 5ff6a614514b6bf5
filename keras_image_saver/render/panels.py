"""What `Images` and `Segmentation` share: where panels come from, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def channels_last(array: Array, info: OutputInfo) -> Array:
    """Move the channels of (N, C, H, W) to the end where the model has them first."""
    return np.moveaxis(array, 1, -1) if info.channels_first and array.ndim == 4 else array


def chosen_target(batch: Batch, info: OutputInfo, index: int | None) -> Array | None:
    """Return the target that belongs to output number `index`."""
    targets = leaves(batch.targets)
    if len(targets) == 1:
        return single(batch.targets)
    if index is None:
        return None
    if info.names[index] in targets:
        return single(targets[info.names[index]])
    return single(list(targets.values())[index]) if len(targets) == len(info.names) else None


def input_images(
    batch: Batch, info: OutputInfo, input_image: Callable[[Any], Any] | None, size: tuple[int, ...]
) -> Array | None:
    """Return the inputs as images, channels last, or None where they are none.

    Args:
        batch: What went into the model.
        info: The data format, and whether the inputs are noise.
        input_image: The user's way from inputs to images.
        size: (height, width) of the prediction: inputs of rank 3 are grey images only at that size,
            since a sequence has that rank too.

    Raises:
        ValueError: If `input_image` does not give images.
    """
    if batch.shown is not None:
        shown: Array = batch.shown
        return shown
    if input_image is not None:
        image = channels_last(as_array(input_image(batch.inputs)), info)
        if not is_image(image):
            raise ValueError(
                "`input_image` must return images of shape (N, H, W) or (N, H, W, C) with C in "
                f"{{1, 3, 4}}, got {describe(image)}."
            )
        return with_channels(image)
    image_or_none = None if batch.inputs is None else single(batch.inputs)
    if image_or_none is None:
        return None
    image = channels_last(image_or_none, info)
    if not is_image(image) or (image.ndim == 3 and image.shape[1:3] != size):
        return None
    return with_channels(image)


def choose_panels(
    wanted: Sequence[str] | None, default: Sequence[str], possible: Mapping[str, str | None]
) -> tuple[str, ...]:
    """Return the panels to draw, in order.

    Args:
        wanted: The renderer's `panels`.
        default: What is drawn without it.
        possible: Every panel name, with what stands in its way, or None where nothing does.

    Raises:
        ValueError: If a wanted panel does not exist or cannot be drawn.
    """
    if wanted is None:
        return tuple(default)
    for name in wanted:
        if name not in possible:
            raise ValueError(f"`panels` has no panel {name!r}; there are: {', '.join(possible)}.")
        reason = possible[name]
        if reason is not None:
            raise ValueError(f"`panels` names {name!r}, but {reason}.")
    return tuple(wanted)


def check_panels(panels: Sequence[str] | None) -> tuple[str, ...] | None:
    """Check the `panels` argument of a renderer."""
    if panels is None:
        return None
    if isinstance(panels, str) or not all(isinstance(name, str) for name in panels) or not panels:
        raise ValueError(
            f'`panels` must be a sequence of names such as ("input", "prediction"), got {panels!r}.'
        )
    if len(set(panels)) != len(panels):
        raise ValueError(f"`panels` must name each panel once, got {tuple(panels)!r}.")
    return tuple(panels)


def check_input_image(input_image: Any) -> None:
    """Check the `input_image` argument of a renderer."""
    if input_image is not None and not callable(input_image):
        raise TypeError(
            f"`input_image` must be a function from the inputs to images, got {input_image!r}."
        )


def require_chosen(info: OutputInfo, batch: Batch) -> int:
    """Return the index of the prediction, or raise with the outputs that there are."""
    if info.chosen is not None:
        return info.chosen
    listed = "; ".join(
        f"{name!r}: {describe(value)}"
        for name, value in zip(info.names, leaves(batch.outputs).values(), strict=True)
    )
    raise ValueError(
        f"`output` must say which of the model's {len(info.names)} outputs to draw, got None. "
        f"The outputs are {listed}. Pass output=name, output=index, or a renderer of your own."
    )
