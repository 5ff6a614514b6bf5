"""Volumes and clips: which of their slices are drawn, an image each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, describe
from keras_image_saver.checks import check_int, is_int

# Axes of volumes and of clips: (N, D, H, W, C), (N, T, H, W, C).
AXES = 5


@dataclass(frozen=True)
class Slices:
    """Cuts volumes (N, D, H, W, C) to images: those of a sample follow one another.

    Attributes:
        axis: The axis that is cut, as in (N, D, H, W, C).
        sides: (D, H, W) of the prediction.
        numbers: Which slices are drawn.
        channels_first: Whether volumes come as (N, C, D, H, W).
        as_ids: Whether what has four axes is class ids of volumes, as large as these or not.
        is_stack: Whether a sample is one tall image, with its slices below one another.
    """

    axis: int
    sides: tuple[int, ...]
    numbers: tuple[int, ...]
    channels_first: bool = False
    as_ids: bool = False
    is_stack: bool = False

    @property
    def whole(self) -> "Slices":
        """All slices, a stack of them a sample: what volumes are measured by."""
        return replace(self, numbers=tuple(range(self.depth)), is_stack=True)

    @property
    def depth(self) -> int:
        """How many slices the prediction has."""
        return self.sides[self.axis - 1]

    def cut(self, volumes: Array | None) -> Array | None:
        """Return (N * slices, H, W, C), or (N * slices, H, W) of volumes without channels.

        Of stacks these are (N, slices * H, W, C) and (N, slices * H, W).

        None stands for what is no volume, or has another number of slices than the prediction.
        """
        if volumes is None or not self._are_volumes(volumes):
            return None
        if volumes.ndim == AXES:
            volumes = _channels_last(volumes, self.channels_first)
        if volumes.shape[self.axis] != self.depth:
            return None
        slices = np.moveaxis(volumes, self.axis, 1)[:, list(self.numbers)]
        count, height = slices.shape[0], slices.shape[2]
        if self.is_stack:
            return slices.reshape(count, -1, *slices.shape[3:])
        return slices.reshape(-1, height, *slices.shape[3:])

    def _are_volumes(self, array: Array) -> bool:
        # Arrays of four axes may as well be images, unless they are as large as the prediction.
        are_four = array.ndim == 4 and (self.as_ids or array.shape[1:] == self.sides)
        return array.ndim == AXES or are_four


def _channels_last(volumes: Array, channels_first: bool) -> Array:
    # What has one channel often comes with it last, whatever the model's own format is.
    return np.moveaxis(volumes, 1, -1) if channels_first and volumes.shape[-1] != 1 else volumes


def slices_of(
    wanted: int | Sequence[int], axis: int, outputs: Array, *, channels_first: bool, as_ids: bool
) -> Slices:
    """Return how outputs are cut.

    Args:
        wanted: How many slices, or which; checked by `check_slices`.
        axis: Along which axis.
        outputs: The prediction.
        channels_first: Whether the model's images are (N, C, H, W).
        as_ids: Whether integers of four axes are class ids.

    Raises:
        ValueError: If the outputs have no such axis, or not so many slices.
    """
    are_ids = as_ids and outputs.ndim == 4 and outputs.dtype.kind in "bui"
    if outputs.ndim != AXES and not are_ids:
        what = "scores (N, D, H, W, C) or class ids (N, D, H, W)" if as_ids else "(N, D, H, W, C)"
        raise ValueError(
            f"`slices` must be None unless the outputs are volumes or clips, {what}, got "
            f"slices={wanted!r} for outputs of {describe(outputs)}."
        )
    shape = outputs.shape if are_ids else _channels_last(outputs, channels_first).shape
    depth = shape[axis]
    if isinstance(wanted, int):
        if wanted > depth:
            raise ValueError(
                f"`slices` must be at most the {depth} slices that the outputs have along "
                f"slice_axis={axis}, got {wanted} for outputs of {describe(outputs)}."
            )
        # The middle of each of so many equal parts: one slice is the middle one, all are all.
        numbers = [(2 * part + 1) * depth // (2 * wanted) for part in range(wanted)]
    else:
        outside = [number for number in wanted if not -depth <= number < depth]
        if outside:
            raise ValueError(
                f"`slices` must name some of the {depth} slices that the outputs have along "
                f"slice_axis={axis}, from 0 to {depth - 1}, got {outside[0]} for outputs of "
                f"{describe(outputs)}."
            )
        numbers = [number % depth for number in wanted]
        if len(set(numbers)) < len(numbers):
            raise ValueError(
                f"`slices` must name each slice once, got {tuple(wanted)} of {depth} slices; "
                "negative ones are counted from the end."
            )
    return Slices(axis, tuple(shape[1:4]), tuple(numbers), channels_first, as_ids)


def check_slices(slices: Any, slice_axis: Any) -> int | tuple[int, ...] | None:
    """Return `slices` as an int or a tuple of ints, None for None.

    Raises:
        ValueError: If they are neither, or if `slice_axis` is none of the axes of a volume.
    """
    check_int("slice_axis", slice_axis, 1, 3)
    if slices is None:
        if slice_axis != 1:
            raise ValueError(
                f"`slice_axis` needs `slices`, got slice_axis={slice_axis} without. Pass slices=8, or "
                "which, such as slices=(0, 5, 9)."
            )
        return None
    if is_int(slices):
        check_int("slices", slices, 1)
        return int(slices)
    listed = (
        isinstance(slices, (list, tuple, range)) and len(slices) > 0 and all(map(is_int, slices))
    )
    if not listed or len(set(slices)) != len(slices):
        raise ValueError(
            "`slices` must be a number of slices, or a list of different numbers of them, got "
            f"{describe(slices)}."
        )
    return tuple(map(int, slices))
