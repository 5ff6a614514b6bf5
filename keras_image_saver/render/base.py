"""What a renderer gets, and what it gives.

A renderer turns a `Batch` (what went into the model, and what came out) into *panels*: images by
name, one column of the grid each. Before the first batch it is bound to the model at hand, where
every doubt about ranges, shapes and classes is settled or raised; after that, drawing a batch is a
plain function on arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from keras_image_saver.arrays import UInt8Array, cut_rows, leaves

# This id in a class map stands for a pixel whose scores are not all finite: NaN has no class, and
# an argmax of it is another one in NumPy, TensorFlow and XLA.
NOT_FINITE = -1_000_000


@dataclass(frozen=True)
class Batch:
    """One set of samples and what the model made of it, as a renderer sees it.

    Attributes:
        inputs: The samples' inputs: a NumPy array, or a list or dict of them. None if there are none.
        targets: The samples' targets in their own structure, or None.
        outputs: What the model or `predict` returned, as NumPy arrays (bfloat16 comes as float32),
            or only the chosen one where `ImageSaver` has an `output`.
        shown: The inputs as images (N, H, W, C), where `input_image` has made them of all samples.
    """

    inputs: Any
    targets: Any
    outputs: Any
    shown: Any = None

    @property
    def is_single(self) -> bool:
        """Whether there is one row."""
        return len(next(iter(leaves(self.outputs).values()))) == 1

    def rows(self, start: int, stop: int) -> Batch:
        """Return some of the rows; nothing is copied."""
        parts = (self.inputs, self.targets, self.outputs, self.shown)
        return Batch(*(cut_rows(part, start, stop) for part in parts))


@dataclass(frozen=True)
class OutputInfo:
    """What is known of the outputs before any value is looked at.

    Attributes:
        names: The outputs' names, in the order of `leaves`.
        activations: The activation that ends each output, where the model's graph tells.
        chosen: Which of them is the prediction, or None where there are several.
        channels_first: Whether the model's images are (N, C, H, W).
        noise: Whether the inputs came from `latents`: noise, not images.
    """

    names: tuple[str, ...]
    activations: tuple[str | None, ...]
    chosen: int | None
    channels_first: bool = False
    noise: bool = False


@dataclass(frozen=True)
class Finding:
    """Something about the values that the user should hear of, once a kind."""

    kind: str
    panel: str
    text: str


@dataclass
class PixelCounts:
    """Counts of one panel, made on the way from values to pixels, added up over pieces and batches.

    Attributes:
        low: The smallest finite value.
        high: The largest finite value.
        values: How many were mapped by a range.
        clipped: How many of them lay outside it.
        non_finite_pixels: How many pixels were not finite.
        unknown_pixels: How many had class ids that no class has.
    """

    low: float = float("inf")
    high: float = float("-inf")
    values: int = 0
    clipped: int = 0
    non_finite_pixels: int = 0
    unknown_pixels: int = 0

    def add(self, other: PixelCounts) -> None:
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.values += other.values
        self.clipped += other.clipped
        self.non_finite_pixels += other.non_finite_pixels
        self.unknown_pixels += other.unknown_pixels


@dataclass(frozen=True)
class Rendered:
    """Panels, ready for the grid, and the counts of each.

    Attributes:
        panels: uint8 (N, H, W, C), C in {1, 3, 4}, by name.
        counts: What was counted on the way, by panel; also of an input that is only drawn over.
    """

    panels: dict[str, UInt8Array]
    counts: dict[str, PixelCounts]


class BoundRenderer(Protocol):
    """A renderer that knows its model."""

    @property
    def ranges(self) -> Mapping[str, Any]:
        """(low, high) of each panel that has one."""
        ...

    def check_samples(self, batch: Batch) -> None:
        """Look at all samples, not only those that were bound with, before training.

        Raises:
            ValueError: If they cannot be drawn.
        """
        ...

    def __call__(self, batch: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        """Draw a batch, of any number of rows.

        Args:
            batch: What to draw.
            out: Where panels may be written to, by name, in the shape that they had before.
        """
        ...

    def findings(self, counts: Mapping[str, PixelCounts]) -> tuple[Finding, ...]:
        """Say what the user should hear of, by the counts of each panel over all batches."""
        ...


class Renderer(Protocol):
    """`Images` and `Segmentation`: plain settings, shared and copied freely."""

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer: ...
