"""A drawing to one picture: rendered, tiled and captioned, with NumPy and Pillow alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import PIECE, Array, UInt8Array, cut_rows, first_array, joined
from keras_image_saver.picture import grid
from keras_image_saver.picture.layout import Layout
from keras_image_saver.picture.tiling import Tiling
from keras_image_saver.render.base import (
    BARE,
    Batch,
    BoundRenderer,
    Finding,
    PixelCounts,
    Rendered,
    Surface,
)


@dataclass(frozen=True)
class Backdrop:
    """A picture whose fixed panels, captions and gaps later ones have too: they are drawn over it.

    Attributes:
        image: uint8 (H, W, C), the whole picture.
        layout: Where its tiles stand.
        shapes: (H, W, C) of each panel's images; grey ones are so without their magenta pixels.
        fixed: The counts of the fixed panels, by name.
        order: The names of all counts, in order.
    """

    image: UInt8Array
    layout: Layout
    shapes: Mapping[str, tuple[int, ...]]
    fixed: Mapping[str, PixelCounts]
    order: tuple[str, ...]

    def known(self, first: int, count: int) -> dict[str, UInt8Array | None]:
        """Return the fixed panels of some samples of one row.

        None stands for one that is no one array there: it was enlarged, or has slices.
        """
        row, column = divmod(first, self.layout.columns)
        tiles = self.layout.tiles(self.image)[row, column : column + count]
        return {
            name: tiles[:, self.layout.panels.index(name), 0]
            if self.shapes[name][:2] == self.layout.tile and not self.layout.slices
            else None
            for name in self.fixed
        }

    def is_met_by(self, rendered: Rendered) -> bool:
        """Tell whether panels that were rendered anew fit what there is."""
        return all(
            images.shape[1:] == self.shapes[name]
            # Grey images are in colour only for their magenta pixels.
            or (
                rendered.counts[name].non_finite_pixels
                and self.shapes[name] == (*images.shape[1:3], 1)
            )
            for name, images in rendered.panels.items()
        )


class Kept:
    """What one drawer's drawings hand on to later ones.

    Attributes:
        backdrop: What the next is drawn over, or None.
    """

    def __init__(self) -> None:
        self.backdrop: Backdrop | None = None


class Drawing:
    """What the model made of the samples, still to be rendered, on whatever thread.

    Args:
        bound: The renderer, bound to the model.
        samples: What was drawn, without outputs.
        chunks: The outputs, some rows after others.
        weights: Which weights drew: "raw", "ema", or both with a plus.
        metrics: What the user's own functions gave each sample, by name.
        kept: What earlier drawings of the same samples by the same renderer hand on, and this one too.

    Attributes:
        count: The number of samples.
    """

    def __init__(
        self,
        bound: BoundRenderer,
        samples: Batch,
        chunks: list[Any],
        weights: str = "raw",
        metrics: Mapping[str, Array] | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.bound = bound
        self.kept = kept or Kept()
        self.count = sum(len(first_array(outputs)) for outputs in chunks)
        self.weights = weights
        self.metrics = metrics or {}
        self._samples = samples
        self._chunks = chunks
        self._rendered: Rendered | None = None

    def render(self) -> None:
        """Render everything now, at once, as the user's own renderer needs it."""
        self._rendered = self.bound(replace(self._samples, outputs=joined(self._chunks)))
        self.count = len(next(iter(self._rendered.panels.values())))

    def parts(self, start: int = 0, columns: int | None = None) -> Iterator[Batch]:
        """Yield a few rows after others, so that no panel need be in memory as a whole.

        Args:
            start: How many rows to leave out.
            columns: How many rows of these are one row of the grid, which no part reaches beyond.
        """
        if self._rendered is not None:
            yield self._samples
            return
        first = 0
        for outputs in self._chunks:
            one = first_array(outputs)
            last = first + len(one)
            step = max(1, PIECE * len(one) // max(1, one.size))
            begin = max(start, first)
            while begin < last:
                end = min(begin + step, last)
                if columns is not None:
                    end = min(end, begin + columns - begin % columns)
                rows = replace(
                    self._samples.rows(begin, end),
                    outputs=cut_rows(outputs, begin - first, end - first),
                )
                yield rows
                begin = end
            first = last

    def difference(self, other: "Drawing") -> int:
        """Return by how much two drawings of the same samples differ at most, of 255.

        Where only the user's own metrics differ that is 1, which a pixel may owe to rounding.
        """
        mine, its = self.metrics.values(), other.metrics.values()
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, its, strict=True))
        most = 0 if same else 1
        # A row at a time: of scores a part has fewer rows than of the class ids of a later pass.
        for part, its_part in zip(self.parts(columns=1), other.parts(columns=1), strict=True):
            panels, others = self.render_part(part).panels, other.render_part(its_part).panels
            if {name: images.shape for name, images in panels.items()} != {
                name: images.shape for name, images in others.items()
            }:
                return 255
            for name, images in panels.items():
                apart = np.abs(images.astype(np.int16) - others[name])
                most = max(most, int(apart.max()))
        return most

    def render_part(self, part: Batch, surface: Surface = BARE) -> Rendered:
        """Render one of the parts; see `BoundRenderer`."""
        return self.bound(part, surface) if self._rendered is None else self._rendered


@dataclass(frozen=True)
class Picture:
    """A snapshot's picture: uint8 (H, W, C), where its tiles stand, and what there is to say of it."""

    image: UInt8Array
    layout: Layout
    findings: tuple[Finding, ...]


def compose(drawing: Drawing, tiling: Tiling) -> Picture:
    """Render, tile and caption a drawing, a few samples at a time."""
    backdrop = drawing.kept.backdrop
    if backdrop is not None and backdrop.layout.count == drawing.count:
        picture = _compose_over(backdrop, drawing)
        if picture is not None:
            return picture
    return _compose_anew(drawing, tiling)


def _compose_over(backdrop: Backdrop, drawing: Drawing) -> Picture | None:
    """Draw what changes over what does not; None if that has another shape than it had."""
    layout = backdrop.layout
    canvas = grid.Canvas.over(layout, backdrop.image)
    counts = {name: replace(one) for name, one in backdrop.fixed.items()}
    first = 0
    for part in drawing.parts(columns=layout.columns):
        count = len(first_array(part.outputs))
        surface = Surface(canvas.room(backdrop.shapes, count), backdrop.known(first, count))
        rendered = drawing.render_part(part, surface)
        if not backdrop.is_met_by(rendered):
            return None
        canvas.place(rendered.panels)
        _add(counts, rendered.counts)
        first += count
    in_order = {name: counts[name] for name in backdrop.order}
    return Picture(canvas.image, layout, drawing.bound.findings(in_order))


def _compose_anew(drawing: Drawing, tiling: Tiling) -> Picture:
    """Draw everything, and keep it for what does not change."""
    rendered = drawing.render_part(next(drawing.parts()))
    counts = rendered.counts
    shapes = {name: images.shape[1:] for name, images in rendered.panels.items()}
    layout = tiling.plan(rendered, drawing.count, drawing.bound)
    channels = grid.most_channels(rendered.panels)
    canvas = grid.Canvas(layout, max(channels, 3) if drawing.bound.legend() else channels)
    canvas.place(rendered.panels)
    placed = len(next(iter(rendered.panels.values()))) // layout.depth
    for part in drawing.parts(placed, layout.columns) if placed < drawing.count else ():
        # What fills its tile is mapped right where that stands, which saves a copy of it.
        room = canvas.room(shapes, len(first_array(part.outputs)))
        rendered = drawing.render_part(part, Surface(room))
        canvas.place(rendered.panels)
        _add(counts, rendered.counts)
    image = tiling.annotate(canvas.image, layout, drawing.bound)
    fixed = {name: replace(counts[name]) for name in drawing.bound.fixed}
    # Magenta that may be gone in the next picture can have made this one's grey panels coloured.
    changes = [one for name, one in counts.items() if name not in fixed]
    # Where all panels are fixed there is nothing to draw over them.
    is_drawn_over = 0 < len(fixed) < len(shapes)
    if is_drawn_over and not any(one.non_finite_pixels for one in changes):
        drawing.kept.backdrop = Backdrop(image.copy(), layout, shapes, fixed, tuple(counts))
    return Picture(image, layout, drawing.bound.findings(counts))


def _add(counts: dict[str, PixelCounts], more: Mapping[str, PixelCounts]) -> None:
    for name, one in more.items():
        counts.setdefault(name, PixelCounts()).add(one)
