"""Where the tiles of a grid stand: planned, recorded, and read again."""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import is_int

# So many paddings more stand between two samples in a row than between two panels of one: the larger
# gap is seen as the end of a sample where the tiles are small too.
_SAMPLE_GAP = 3


@dataclass(frozen=True)
class Layout:
    """Where the tiles of a grid stand, in pixels. Sample i, panel p is `tile_at(i, p)`.

    A sample's panels stand side by side. Where each has several slices, these do, and the panels
    stand below one another.

    Attributes:
        origin: (y, x) of the first tile.
        tile: (height, width) of a tile.
        stride: (y, x) from one tile to the next of the same sample.
        columns: Samples per row; each takes one tile a panel and slice.
        count: Number of samples.
        panels: Panel names, in order.
        enlargement: Whole factor by which images were enlarged, to be seen or to give room to the
            captions.
        sample_gap: (y, x) by which two samples stand further apart than two tiles of one.
        slices: The numbers of the slices; empty where images have none.
        pad_value: Grey level of gaps and empty tiles.
        foot: Pixels under the last row of tiles; nothing that a reader needs.
    """

    origin: tuple[int, int]
    tile: tuple[int, int]
    stride: tuple[int, int]
    columns: int
    count: int
    panels: tuple[str, ...]
    enlargement: int = 1
    sample_gap: tuple[int, int] = (0, 0)
    slices: tuple[int, ...] = ()
    pad_value: int = 0
    foot: int = 0

    @property
    def rows(self) -> int:
        return math.ceil(self.count / self.columns)

    @property
    def depth(self) -> int:
        """Number of tiles that a panel of a sample has."""
        return max(1, len(self.slices))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the whole picture."""
        last = self.columns * self.rows - 1
        y, x = self.tile_at(last, len(self.panels) - 1, self.depth - 1)
        return y + self.stride[0] - self._above + self.foot, x + self.stride[1]

    @property
    def _above(self) -> int:
        """How much of the way down to the next tile is for captions: all but the gap."""
        gap = self.stride[1] - self.tile[1]
        return self.stride[0] - self.tile[0] - gap

    @property
    def _step(self) -> tuple[int, int]:
        """(y, x) from one sample to the next."""
        (down, across), (below, beside), count = self.stride, self.sample_gap, len(self.panels)
        tiles_down, tiles_across = (count, self.depth) if self.slices else (1, count)
        return tiles_down * down + below, tiles_across * across + beside

    def tile_at(self, sample: int, panel: int, slice_: int = 0) -> tuple[int, int]:
        """(y, x) of a tile's upper left corner; `slice_` counts those that are shown."""
        row, column = divmod(sample, self.columns)
        down, across = (panel, slice_) if self.slices else (0, panel)
        (y, x), step, stride = self.origin, self._step, self.stride
        return y + row * step[0] + down * stride[0], x + column * step[1] + across * stride[1]

    def tiles(self, picture: UInt8Array) -> UInt8Array:
        """Return all tiles of a picture as a view of it: (rows, columns, panels, slices, H, W, C)."""
        (y, x), (to_row, to_column), (down, across) = self.origin, self._step, self.stride
        from_row, from_pixel, _ = picture.strides
        if self.slices:
            to_panel, to_slice = down * from_row, across * from_pixel
        else:
            to_panel = to_slice = across * from_pixel
        count = (self.rows, self.columns, len(self.panels), self.depth)
        return np.lib.stride_tricks.as_strided(
            picture[y:, x:],
            (*count, *self.tile, picture.shape[2]),
            (to_row * from_row, to_column * from_pixel, to_panel, to_slice, *picture.strides),
        )

    def geometry(self) -> dict[str, Any]:
        """Return what a reader needs to cut the tiles out again, fit for JSON.

        `sample_gap`, `slices` and `pad_value` are absent where they are 0 or empty.
        """
        absent = {"sample_gap": (0, 0), "slices": (), "pad_value": 0, "foot": self.foot}
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in known.items()
            if name not in absent or value != absent[name]
        }


def layout_of(geometry: Mapping[str, Any]) -> Layout:
    """Return the layout that a geometry was recorded of.

    Raises:
        ValueError: If it is of none: a record is data, and may say anything.
    """
    layout = None
    with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
        layout = Layout(
            origin=_pair(geometry["origin"]),
            tile=_pair(geometry["tile"]),
            stride=_pair(geometry["stride"]),
            columns=int(geometry["columns"]),
            count=int(geometry["count"]),
            panels=tuple(map(str, geometry["panels"])),
            enlargement=int(geometry.get("enlargement", 1)),
            sample_gap=_pair(geometry.get("sample_gap", (0, 0))),
            slices=tuple(map(int, geometry.get("slices", ()))),
            pad_value=_level(geometry.get("pad_value", 0)),
        )
    if layout is None or min(layout.columns, layout.count, len(layout.panels)) < 1:
        raise ValueError("there is no record of where its tiles stand")
    return layout


def _level(value: Any) -> int:
    if not is_int(value) or not 0 <= value <= 255:
        raise ValueError("no grey level")
    return value


def _pair(value: Any) -> tuple[int, int]:
    y, x = value
    return int(y), int(x)


def sample_box(
    geometry: Mapping[str, Any], sample: int, panels: Sequence[str] = (), place: int | None = None
) -> tuple[int, int, int, int]:
    """Return where a sample stands in a grid, from its recorded geometry.

    Args:
        geometry: What `Layout.geometry` returned.
        sample: Its number, from 0.
        panels: Some of the grid's panels, in order: from the first to the last of them, with all
            their slices. Without: all.
        place: Which of the slices that are shown, from 0; None: all.

    Returns:
        (y, x, height, width) in pixels.

    Raises:
        ValueError: If the grid has no such sample, or there is no geometry of a grid.
    """
    layout = layout_of(geometry)
    names = panels or layout.panels
    if not {*names} <= {*layout.panels}:
        raise ValueError("there is no record of where its tiles stand")
    if not 0 <= sample < layout.count:
        raise ValueError(f"there are {layout.count} samples, numbered from 0, got {sample!r}")
    first, last = (layout.panels.index(names[end]) for end in (0, -1))
    from_slice, to_slice = (0, layout.depth - 1) if place is None else (place, place)
    y, x = layout.tile_at(sample, first, from_slice)
    end_y, end_x = layout.tile_at(sample, last, to_slice)
    return y, x, end_y - y + layout.tile[0], end_x - x + layout.tile[1]


def plan(
    sizes: Mapping[str, tuple[int, int]],
    count: int,
    *,
    columns: int | None,
    padding: int,
    pad_value: int = 0,
    caption_size: tuple[int, int] = (0, 0),
    name_height: int = 0,
    enlargement: int = 1,
    slices: Sequence[int] = (),
    legend_height: Callable[[int], int] = lambda width: 0,
) -> Layout:
    """Lay out `count` samples.

    Args:
        sizes: (height, width) of each panel's images, by panel name, in order.
        count: Number of samples.
        columns: Samples per row. None: ceil(sqrt(count)) with one panel; with several, or slices, as
            many as bring the picture nearest to a square.
        padding: Gap around each tile, in pixels; between two samples it is four times as wide, in a
            row where each has several tiles, and between rows where tiles of one stand below one
            another or have a name under them.
        pad_value: Grey level of gaps and empty tiles.
        caption_size: (height, width) that the captions need above the first row, and above each where
            there are slices; (0, 0) for none.
        name_height: What the name of a sample needs under its tiles.
        enlargement: Whole factor by which images are enlarged, at least.
        slices: The numbers of the slices that each panel has.
        legend_height: What a legend under a picture of some width needs; it is no part of the layout,
            but of the picture that is to be no sliver.
    """
    height, width = (max(size[axis] for size in sizes.values()) for axis in (0, 1))
    caption_height, caption_width = caption_size
    # A whole factor, so that each pixel of an image stays a square of one colour.
    enlargement = max(enlargement, math.ceil(caption_width / width))
    height, width = height * enlargement, width * enlargement
    padding = int(padding)  # the geometry is written as JSON, which takes none of NumPy's ints
    lay_out = partial(
        Layout,
        origin=(caption_height + padding, padding),
        tile=(height, width),
        stride=(height + padding + (caption_height if slices else 0), width + padding),
        count=int(count),
        panels=tuple(sizes),
        enlargement=enlargement,
        slices=tuple(map(int, slices)),
        pad_value=int(pad_value),
        foot=name_height,
    )
    one_tile = len(sizes) == 1 and len(slices) < 2

    def within(columns: int) -> Layout:
        """Put so many samples in a row, further apart than their own tiles are."""
        gap = _SAMPLE_GAP * padding
        # A name, too, is nearer to the tiles that it is of than to those below.
        is_tall = name_height > 0 or (bool(slices) and len(sizes) > 1)
        below = gap if is_tall and count > columns else 0
        beside = gap if columns > 1 and not one_tile else 0
        return lay_out(columns=columns, sample_gap=(name_height + below, beside))

    if columns is not None or one_tile:
        return within(int(columns or math.ceil(math.sqrt(count))))

    def sliver(layout: Layout) -> float:
        height, width = layout.size
        height += legend_height(width)
        return max(height, width) / min(height, width)

    # The fewest columns for each number of rows: more of them would only leave places empty.
    choices = {math.ceil(count / rows) for rows in range(1, count + 1)}
    return min(map(within, sorted(choices)), key=sliver)
