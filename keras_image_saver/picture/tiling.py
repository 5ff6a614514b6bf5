"""How a picture is laid out by what the user said, and what is written beside its tiles."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from keras_image_saver.arrays import UInt8Array, describe
from keras_image_saver.picture.grid import check_grid, paste
from keras_image_saver.picture.layout import Layout, layout_of, plan
from keras_image_saver.picture.legend import draw_legend, legend_height
from keras_image_saver.picture.text import (
    caption_size,
    caption_text,
    cut,
    draw_texts,
    text_height,
)
from keras_image_saver.render.base import BoundRenderer, Rendered

# The grey of gaps unless the user says: no grey is outside of what tiles may show, and this one is taken
# for the least of it. It stands out from the black of digits and masks and from white, from the middle
# grey of an untrained model (and of VOC's cars), and from the 70 of Cityscapes' buildings; a lighter one
# would outshine dark tiles.
GAP = 56
PADDING = 2

# A tile with both sides below the first is enlarged until one has the second: it is as large then as a
# digit of MNIST, and can be seen.
_SMALL, _SEEN = 16, 32


@dataclass(frozen=True)
class Tiling:
    """How a picture's tiles are laid out; see `ImageSaver`.

    Attributes:
        columns: Samples per row. None: as `plan` chooses, or as the run has it.
        padding: Gap around each tile, in pixels. None: `PADDING`, or what the run has.
        pad_value: Grey level of gaps and empty tiles. None: `GAP`, or what the run has.
        sample_names: A text a sample, to stand under its tiles; empty for none.
        before: The layout of the run so far, which it keeps.

    Raises:
        ValueError: If one is out of range.
    """

    columns: int | None = None
    padding: int | None = None
    pad_value: int | None = None
    sample_names: tuple[str, ...] = ()
    before: Layout | None = None

    def __post_init__(self) -> None:
        padding = PADDING if self.padding is None else self.padding
        check_grid(self.columns, padding, GAP if self.pad_value is None else self.pad_value)

    @property
    def settings(self) -> dict[str, Any]:
        """What the user said."""
        return {name: value for name, value in vars(self).items() if name != "before"}

    @property
    def gap(self) -> int:
        """The gap around each tile, in pixels."""
        if self.padding is not None:
            return int(self.padding)
        return PADDING if self.before is None else self.before.origin[1]

    @property
    def level(self) -> int:
        """The grey level of gaps."""
        if self.pad_value is not None:
            return int(self.pad_value)
        return GAP if self.before is None else self.before.pad_value

    def going_on(self, geometry: Mapping[str, Any]) -> "Tiling":
        """Return it for a run that is resumed, whose newest picture has this geometry."""
        try:
            return replace(self, before=layout_of(geometry))
        except ValueError:  # it was recorded by another version, or edited
            return self

    def plan(self, rendered: Rendered, count: int, bound: BoundRenderer) -> Layout:
        """Lay out `count` samples, of which some are rendered."""
        sizes = {name: images.shape[1:3] for name, images in rendered.panels.items()}
        height, width = (max(size[axis] for size in sizes.values()) for axis in (0, 1))
        texts = list(_captions(tuple(sizes), bound).values())
        legend = bound.legend()
        of_these = partial(
            plan,
            sizes,
            count,
            padding=self.gap,
            pad_value=self.level,
            caption_size=caption_size(texts, width) if texts else (0, 0),
            name_height=text_height(width) if self.sample_names else 0,
            slices=bound.slices,
            legend_height=lambda wide: legend_height(legend, wide, width, self.gap),
        )
        layout = self._as_before(of_these)
        if layout is None:
            longer = max(height, width)
            enlargement = math.ceil(_SEEN / longer) if longer < _SMALL else 1
            layout = of_these(columns=self.columns, enlargement=enlargement)
        below = legend_height(legend, layout.size[1], width, self.gap)
        return replace(layout, foot=layout.foot + below)

    def _as_before(self, of_these: Callable[..., Layout]) -> Layout | None:
        """Return the layout that the run has, where it is one of these tiles."""
        before = self.before
        if before is None or self.columns not in (None, before.columns):
            return None
        # In the first version the one panel of a user's renderer had no caption.
        bare = {"caption_size": (0, 0)} if before.origin[0] == self.gap else {}
        same = of_these(columns=before.columns, enlargement=before.enlargement, **bare)
        # In the first version samples stood as close as panels.
        same = replace(same, sample_gap=(same.sample_gap[0], before.sample_gap[1]))
        return same if same == replace(before, pad_value=same.pad_value, foot=same.foot) else None

    def legend(self, layout: Layout, bound: BoundRenderer) -> UInt8Array:
        """Return the legend that stands under a layout's tiles."""
        width, font = layout.size[1], layout.tile[1] // layout.enlargement
        return draw_legend(bound.legend(), width, font, self.level, self.gap)

    def texts(self, layout: Layout, bound: BoundRenderer) -> list[tuple[int, int, str]]:
        """Return what is written into a picture, with the (y, x) of each text."""
        # Captions stand above the first row of tiles, and above each where they number slices.
        above = layout.origin[0] - self.gap
        rows = range(layout.rows if layout.slices else 1)
        found = [
            (y - above, x, caption_text(text))
            for (panel, slice_), text in (_captions(layout.panels, bound).items() if above else ())
            for row in rows
            for sample in range(row * layout.columns, min((row + 1) * layout.columns, layout.count))
            for y, x in (layout.tile_at(sample, panel, slice_),)
        ]
        last = len(layout.panels) - 1
        end = layout.tile_at(0, last, layout.depth - 1)[1] + layout.tile[1]
        font, room = layout.tile[1] // layout.enlargement, end - layout.origin[1]
        # Fewer samples than there are names are drawn before training.
        for sample, name in enumerate(cut(self.sample_names[: layout.count], font, room)):
            y, x = layout.tile_at(sample, 0)
            y = layout.tile_at(sample, last)[0] + layout.tile[0]
            found.append((y, x, name))
        return found

    def annotate(self, image: UInt8Array, layout: Layout, bound: BoundRenderer) -> UInt8Array:
        """Return a picture with its captions, names and legend, where it has such."""
        texts = self.texts(layout, bound)
        if texts:
            width = layout.tile[1] // layout.enlargement
            image = draw_texts(image, texts, width, layout.pad_value)
        if bound.legend():
            legend = self.legend(layout, bound)
            image = image if image.flags.writeable else image.copy()
            paste(image, legend, image.shape[0] - len(legend), 0)
        return image


def _captions(panels: Sequence[str], bound: BoundRenderer) -> dict[tuple[int, int], str]:
    """Return what stands above the tiles of a sample, by panel and slice."""
    captions = bound.captions_of(panels)
    above = [captions.get(name, "") for name in panels]
    if not bound.slices:
        return {(panel, 0): text for panel, text in enumerate(above) if text}
    return {
        (panel, place): f"{'' if place else text} [{number}]".strip()
        for panel, text in enumerate(above)
        for place, number in enumerate(bound.slices)
    }


def check_sample_names(names: Any, count: int) -> tuple[str, ...]:
    """Return `sample_names` as texts, none for None.

    Args:
        names: What the user gave.
        count: How many samples there are; 0 where only `predict` knows.

    Raises:
        TypeError: If they are no texts.
        ValueError: If they are not one a sample.
    """
    if names is None:
        return ()
    is_sequence = isinstance(names, (list, tuple, np.ndarray))
    wrong = [name for name in names if not isinstance(name, str)] if is_sequence else [names]
    if wrong:
        raise TypeError(
            f"`sample_names` must be a list of texts, one a sample, got {describe(wrong[0])}"
            f"{' in it' if is_sequence else ''}. Of numbers such as labels make texts: "
            "[str(label) for label in labels]."
        )
    if count and len(names) != count:
        raise ValueError(
            f"`sample_names` must have one text a sample, got {len(names)} for {count} samples."
        )
    return tuple(map(str, names))
