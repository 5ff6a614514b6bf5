"""What a renderer gets, and what it gives.

A renderer turns a `Batch` (what went into the model, and what came out) into *panels*: images by
name, one column of the grid each. Before the first batch it is bound to the model at hand, where
every doubt about ranges, shapes and classes is settled or raised; after that, drawing a batch is a
plain function on arrays. Neither speaks to the user: what there is to say is returned.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, Range, UInt8Array, cut_rows
from keras_image_saver.render.measured import Measured

# This id in a class map stands for a pixel whose scores are not all finite, since it has no class. It
# is far below any `ignore_index` that is in use.
NOT_FINITE = -1_000_000

# What an error says of outputs of five axes, (N, D, H, W, C).
ONE_SLICE = "of volumes or clips pass slices=8, how many slices to draw, and `slice_axis`"

# A few values at the ends are no news; a larger share is a range that does not fit.
_CLIPPED_SHARE = 0.01


def show_range(value_range: Range) -> str:
    """Write a range as a person would."""
    low, high = (
        "(" + ", ".join(f"{value:g}" for value in end) + ")"
        if isinstance(end, tuple)
        else f"{end:g}"
        for end in value_range
    )
    return f"({low}, {high})"


@dataclass(frozen=True)
class Batch:
    """One set of samples and what the model made of it, as a renderer sees it.

    Attributes:
        inputs: The samples' inputs: a NumPy array, or a list or dict of them. None if there are none.
        targets: The samples' targets in their own structure, or None.
        outputs: What the model or `predict` returned, as NumPy arrays (bfloat16 comes as float32),
            or only the chosen one where `ImageSaver` has an `output`. None stands for an output that
            is no array of a row a sample, such as a loss.
        shown: The inputs as images (N, H, W, C), or as volumes that are still to be cut, where
            `input_image` has made them of all samples.
    """

    inputs: Any
    targets: Any
    outputs: Any
    shown: Array | None = None

    def rows(self, start: int, stop: int) -> "Batch":
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

    def index(self, panel: str) -> int | None:
        """Return which output a panel shows; what shows none goes with the prediction."""
        # An output may have the name of a panel of ours, which is then ours.
        is_ours = panel in ("input", "target") or (
            panel == "prediction" and self.chosen is not None
        )
        return self.chosen if is_ours or panel not in self.names else self.names.index(panel)

    def activation(self, panel: str) -> str | None:
        """Return the activation that ends a panel's output, where it is known."""
        index = self.index(panel)
        return None if index is None else self.activations[index]


@dataclass(frozen=True)
class NamedClass:
    """One class that has a name.

    Attributes:
        class_id: Its id.
        name: Its name.
        color: The colour (R, G, B) that it is drawn in.
        is_bare: Whether no panel shows it in that colour, as where an overlay leaves it bare.
    """

    class_id: int
    name: str
    color: tuple[int, int, int]
    is_bare: bool = False


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

    def add(self, other: "PixelCounts") -> None:
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.values += other.values
        self.clipped += other.clipped
        self.non_finite_pixels += other.non_finite_pixels
        self.unknown_pixels += other.unknown_pixels


def findings(
    counts: PixelCounts, panel: str, value_range: Range | None, argument: str
) -> Iterator[Finding]:
    """Say what the user should hear of what was counted.

    Args:
        counts: The panel's counts.
        panel: Its name.
        value_range: What it was mapped by; None if it was not mapped.
        argument: What set the range.
    """
    if counts.non_finite_pixels:
        # What is not mapped and yet not finite is a class map, of several scores a pixel.
        what = "have NaN or infinite values" if value_range is None else "are NaN or infinite"
        text = f"{counts.non_finite_pixels} pixels of the {panel} {what}; they are magenta."
        yield Finding("non-finite", panel, text)
    if value_range is not None and counts.clipped > _CLIPPED_SHARE * counts.values:
        text = (
            f"{counts.clipped / counts.values:.1%} of the {panel}'s values lie outside "
            f"{argument}={show_range(value_range)} and are clipped; the values seen go from "
            f"{counts.low:.6g} to {counts.high:.6g}."
        )
        yield Finding("clipped", panel, text)


@dataclass(frozen=True)
class Rendered:
    """Panels, ready for the grid, and the counts of each.

    Attributes:
        panels: uint8 (N, H, W, C), C in {1, 3, 4}, by name.
        counts: What was counted on the way, by panel; also of an input that is only drawn over.
    """

    panels: dict[str, UInt8Array] = field(default_factory=dict)
    counts: dict[str, PixelCounts] = field(default_factory=dict)


@dataclass(frozen=True)
class Surface:
    """What some rows are drawn onto.

    Attributes:
        out: Where panels may be written to, by name; what has another shape is left alone.
        known: Panels out of `fixed` that need not be drawn: what these rows have there, grey maybe in
            colour, or None where that is not at hand.
    """

    out: Mapping[str, UInt8Array] = field(default_factory=dict)
    known: Mapping[str, UInt8Array | None] = field(default_factory=dict)


BARE = Surface()


@dataclass(frozen=True)
class ClassDecision:
    """How float scores become class ids, wherever that is done.

    Attributes:
        by_argmax: Whether the class is the channel with the highest score, of equals the first. Else
            channel k is class k + 1: the last one over the limit, and class 0 where none is.
        limit: What a score must exceed where the highest does not decide.
    """

    by_argmax: bool
    limit: np.float32


@dataclass(frozen=True, kw_only=True)
class BoundRenderer(ABC):
    """A renderer that knows its model; it draws batch after batch in the same way.

    Attributes:
        ranges: (low, high) of each panel; None where uint8 and bool are drawn as they are.
        class_decision: The decision that it would have the device take, so that class ids reach the
            host and not the scores, which are many times larger. None: it needs outputs as they are.
        warnings: What the user should change before training, a text each. Its caller says them.
        fixed: The panels that samples alone make: whatever the outputs, they are the same.
        class_panels: Those that are class maps in nothing but the palette's colours, and magenta.
        captions: What stands above panels, by name, where the user has said it.
        slices: The numbers of the slices that each panel's images are of; each sample has so many
            images then, one after another. Empty where a sample has one.
    """

    ranges: dict[str, Range | None]
    fixed: tuple[str, ...] = ()
    class_panels: tuple[str, ...] = ()
    slices: tuple[int, ...] = ()
    class_decision: ClassDecision | None = None
    warnings: tuple[str, ...] = ()
    captions: Mapping[str, str] = field(default_factory=dict)

    def check_samples(self, batch: Batch) -> None:  # noqa: B027 - many have nothing to refuse
        """Look at all samples, not only those that were bound with, before training.

        Args:
            batch: All samples, without outputs.

        Raises:
            ValueError: If they cannot be drawn.
        """

    @abstractmethod
    def __call__(self, batch: Batch, surface: Surface = BARE) -> Rendered:
        """Draw a batch, of any number of rows, onto a surface."""

    def captions_of(self, panels: Sequence[str]) -> dict[str, str]:
        """Return what stands above each panel; nothing above one alone that the user has not named."""
        if len(panels) == 1 and not self.captions:
            return {}
        return {name: self.captions.get(name, name) for name in panels}

    def named_classes(self) -> tuple[NamedClass, ...]:
        """Return the classes that have names, in the order of ids."""
        return ()

    def legend(self) -> tuple[NamedClass, ...]:
        """Return those of the named classes that are drawn in their colours."""
        return tuple(one for one in self.named_classes() if not one.is_bare)

    def measured(self, batch: Batch) -> Mapping[str, Measured]:
        """Return what measures are taken of, by the kind of weights that drew: "" where there is one.

        Nothing where the renderer does not know what outputs mean, as one of the user's own.
        """
        return {}

    def findings(self, counts: Mapping[str, PixelCounts]) -> tuple[Finding, ...]:
        """Say what the user should hear of, by the counts of each panel over all batches."""
        return tuple(found for name in counts for found in self.findings_of(name, counts[name]))

    def findings_of(self, panel: str, counts: PixelCounts) -> Iterator[Finding]:
        """Say what the user should hear of one panel."""
        return findings(counts, panel, self.ranges.get(panel), self.range_argument(panel))

    def range_argument(self, panel: str) -> str:
        """Name the argument that sets a panel's range."""
        return "input_range" if panel == "input" else "value_range"


class Renderer(ABC):
    """What the user passes as `render`: plain settings, shared and copied freely.

    Attributes:
        runs_user_code: Whether drawing calls the user's code, which belongs on the training thread.
    """

    runs_user_code: bool = False

    def images_of_inputs(self, inputs: Any, info: OutputInfo) -> Array | None:
        """Run the user's way from inputs to images, once, on the training thread.

        Args:
            inputs: The inputs of all samples; they are never changed.
            info: The data format.

        Returns:
            (N, H, W, C), for `Batch.shown`; None where the user has no such way, or there are no
            inputs.

        Raises:
            ValueError: If what the user's function returns is no images.
        """
        return None

    @abstractmethod
    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        """Settle every doubt for a model, by what it made of the first rows.

        Raises:
            ValueError: If its outputs, or the samples, cannot be drawn.
        """
