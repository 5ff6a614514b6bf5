"""A drawing to one picture: rendered, tiled and captioned, with NumPy and Pillow alone."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import PIECE, UInt8Array, first_array, joined
from keras_image_saver.picture import grid
from keras_image_saver.picture.text import caption_size, draw_captions
from keras_image_saver.render.base import Batch, BoundRenderer, Finding, Rendered


# The grey of gaps unless the user says: no grey is outside of what tiles may show, and this one is taken
# for the least of it. It stands out from the black of digits and masks and from white, from the middle
# grey of an untrained model (and of VOC's cars), and from the 70 of Cityscapes' buildings; a lighter one
# would outshine dark tiles.
GAP = 56

# A tile with both sides below the first is enlarged until one has the second: it is as large then as a
# digit of MNIST, and can be seen.
_SMALL, _SEEN = 16, 32


@dataclass(frozen=True)
class Tiling:
    """How a picture's tiles are laid out; see `ImageSaver`.

    Attributes:
        columns: Samples per row. None: as `plan` chooses, or as the run has it.
        padding: Gap around each tile, in pixels.
        pad_value: Grey level of gaps and empty tiles. None: `GAP`, or what the run has.
        before: The layout of the run so far, which it keeps.

    Raises:
        ValueError: If one is out of range.
    """

    columns: int | None = None
    padding: int = 2
    pad_value: int | None = None
    before: grid.Layout | None = None

    def __post_init__(self) -> None:
        grid.check_grid(self.columns, self.padding, GAP if self.pad_value is None else self.pad_value)

    @property
    def settings(self) -> dict[str, Any]:
        """What the user said."""
        return {name: value for name, value in vars(self).items() if name != "before"}

    def going_on(self, geometry: Mapping[str, Any]) -> "Tiling":
        """Return it for a run that is resumed, whose newest picture has this geometry."""
        try:
            return replace(self, before=grid.layout_of(geometry))
        except ValueError:  # it was recorded by another version, or edited
            return self

    def plan(self, rendered: Rendered, count: int) -> grid.Layout:
        """Lay out `count` samples, of which some are rendered."""
        sizes = {name: images.shape[1:3] for name, images in rendered.panels.items()}
        height, width = (max(size[axis] for size in sizes.values()) for axis in (0, 1))
        longer = max(height, width)
        layout = grid.plan(
            sizes,
            count,
            columns=self.columns,
            padding=self.padding,
            pad_value=self._level,
            caption_size=caption_size(tuple(sizes), width) if len(sizes) > 1 else (0, 0),
            enlargement=math.ceil(_SEEN / longer) if longer < _SMALL else 1,
        )
        if self.before is None or self.columns not in (None, self.before.columns):
            return layout
        return layout.as_before(self.before)

    @property
    def _level(self) -> int:
        if self.pad_value is not None:
            return int(self.pad_value)
        return GAP if self.before is None else self.before.pad_value


class Drawing:
    """What the model made of the samples, still to be rendered, on whatever thread.

    Args:
        bound: The renderer, bound to the model.
        samples: What was drawn, without outputs.
        chunks: The outputs, some rows after others.
        weights: Which weights drew: "raw", "ema", or both with a plus.

    Attributes:
        count: The number of samples.
    """

    def __init__(
        self, bound: BoundRenderer, samples: Batch, chunks: list[Any], weights: str = "raw"
    ) -> None:
        self.bound = bound
        self.count = sum(len(first_array(outputs)) for outputs in chunks)
        self.weights = weights
        self._samples = samples
        self._chunks = chunks
        self._rendered: Rendered | None = None

    def render(self) -> None:
        """Render everything now, at once, as the user's own renderer needs it."""
        self._rendered = self.bound(replace(self._samples, outputs=joined(self._chunks)))
        self.count = len(next(iter(self._rendered.panels.values())))

    def parts(self) -> Iterator[Batch]:
        """Yield a few rows after others, so that no panel need be in memory as a whole."""
        if self._rendered is not None:
            yield self._samples
            return
        first = 0
        for outputs in self._chunks:
            one = first_array(outputs)
            chunk = replace(self._samples.rows(first, first + len(one)), outputs=outputs)
            step = max(1, PIECE * len(one) // max(1, one.size))
            for start in range(0, len(one), step):
                yield chunk.rows(start, start + step)
            first += len(one)

    def difference(self, other: "Drawing") -> int:
        """Return by how much two drawings of the same samples differ at most, of 255."""
        most = 0
        for part, its in zip(self.parts(), other.parts(), strict=True):
            panels, others = self.render_part(part).panels, other.render_part(its).panels
            if {name: images.shape for name, images in panels.items()} != {
                name: images.shape for name, images in others.items()
            }:
                return 255
            for name, images in panels.items():
                apart = np.abs(images.astype(np.int16) - others[name])
                most = max(most, int(apart.max()))
        return most

    def render_part(self, part: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        """Render one of the parts; `out` is where panels may be written to, as in `BoundRenderer`."""
        return self.bound(part, out) if self._rendered is None else self._rendered


@dataclass(frozen=True)
class Picture:
    """A snapshot's picture: uint8 (H, W, C), where its tiles stand, and what there is to say of it."""

    image: UInt8Array
    layout: grid.Layout
    findings: tuple[Finding, ...]


def compose(drawing: Drawing, tiling: Tiling) -> Picture:
    """Render, tile and caption a drawing, a few samples at a time."""
    parts = drawing.parts()
    rendered = drawing.render_part(next(parts))
    counts = rendered.counts
    layout = tiling.plan(rendered, drawing.count)
    canvas = grid.Canvas(layout, grid.most_channels(rendered.panels))
    canvas.place(rendered.panels)
    for part in parts:
        # A single sample is mapped right where its tile stands, which saves a copy of it.
        room = canvas.room(rendered.panels) if part.is_single else None
        rendered = drawing.render_part(part, room)
        canvas.place(rendered.panels)
        for name, more in rendered.counts.items():
            counts[name].add(more)
    image = canvas.image
    if layout.origin[0] > tiling.padding:  # there is room for captions above the first row
        captions = [
            (tiling.padding, layout.tile_at(column, panel)[1], name)
            for column in range(min(layout.columns, layout.count))
            for panel, name in enumerate(layout.panels)
        ]
        width = layout.tile[1] // layout.enlargement
        image = draw_captions(image, captions, width, layout.pad_value)
    return Picture(image, layout, drawing.bound.findings(counts))
