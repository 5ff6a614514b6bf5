"""Renderers of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    UInt8Array,
    as_array,
    copied,
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
from keras_image_saver.render.ranges import check_dtype, findings, fixed_range, map_to_uint8


class FunctionRenderer:
    """A renderer of the user's own, `render(batch) -> {panel name: images}`.

    Args:
        function: The user's; it may return uint8, bool, or floats from 0 to 1.
        whole: Whether it gets all outputs, or the chosen one.
    """

    def __init__(self, function: Callable[[Batch], Any], *, whole: bool) -> None:
        self.function = function
        self.whole = whole

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        return _BoundFunction(self.function, None if self.whole else info.chosen, {})


@dataclass(frozen=True)
class _BoundFunction:
    function: Callable[[Batch], Any]
    chosen: int | None
    ranges: dict[str, Any]  # of the panels that were returned last

    def check_samples(self, batch: Batch) -> None:
        """Nothing is refused: the renderer is the user's."""

    def __call__(self, batch: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        if self.chosen is not None:
            outputs = list(leaves(batch.outputs).values())[self.chosen]
            batch = Batch(batch.inputs, batch.targets, outputs)
        # The samples stay what they are, whatever the user's code does to what it gets.
        batch = Batch(copied(batch.inputs), copied(batch.targets), batch.outputs)
        panels = self.function(batch)
        if not isinstance(panels, Mapping) or not panels:
            raise TypeError(
                "`render` must return a dict of images by panel name, such as "
                f'{{"prediction": images}}, got {describe(panels)}.'
            )
        rendered: dict[str, UInt8Array] = {}
        counts: dict[str, PixelCounts] = {}
        for name, values in panels.items():
            images = as_array(values)
            if not is_image(images):
                raise ValueError(
                    "`render` must return images of shape (N, H, W) or (N, H, W, C) with C in "
                    f"{{1, 3, 4}}, got {describe(images)} for the panel {name!r}."
                )
            check_dtype(images, f"render()[{name!r}]")
            limits = None
            if images.dtype not in (np.uint8, np.bool_):
                limits = fixed_range(images.dtype) or (0.0, 1.0)
            panel = str(name)
            self.ranges[panel] = limits
            if limits is None:
                images = images.copy()  # which the user's code may use again while it waits
            rendered[panel], counts[panel] = map_to_uint8(with_channels(images), limits)
        lengths = {name: len(images) for name, images in rendered.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"`render` must return as many images in every panel, got {lengths}.")
        return Rendered(rendered, counts)

    def findings(self, counts: Mapping[str, PixelCounts]) -> tuple[Finding, ...]:
        argument = "the range of what `render` returns"
        return tuple(
            finding
            for name, count in counts.items()
            for finding in findings(count, name, self.ranges[name], argument)
        )
