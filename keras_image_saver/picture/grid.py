"""Many images to one picture: where each tile stands, and the tiling itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import CHANNELS, UInt8Array, as_array, describe, nearest
from keras_image_saver.checks import check_int

# What a recorded geometry has, and what it may have, by the names that `Layout` has for them.
_PLACES = ("origin", "tile", "stride", "columns", "count", "panels")
_MORE = ("enlargement", "sample_gap", "pad_value")
# So many paddings more stand between two samples in a row than between two panels of one: the larger
# gap is seen as the end of a sample where the tiles are small too.
_SAMPLE_GAP = 3


@dataclass(frozen=True)
class Layout:
    """Where the tiles of a grid stand, in pixels. Sample i, panel p is `tile_at(i, p)`.

    Attributes:
        origin: (y, x) of the first tile.
        tile: (height, width) of a tile.
        stride: (y, x) from one tile to the next.
        columns: Samples per row; each takes one tile a panel.
        count: Number of samples.
        panels: Panel names, left to right.
        enlargement: Whole factor by which images were enlarged, to be seen or to give room to the
            captions.
        sample_gap: (y, x) by which two samples stand further apart than two tiles.
        pad_value: Grey level of gaps and empty tiles.
        foot: Pixels under the last row's tiles; nothing that a reader needs.
    """

    origin: tuple[int, int]
    tile: tuple[int, int]
    stride: tuple[int, int]
    columns: int
    count: int
    panels: tuple[str, ...]
    enlargement: int = 1
    sample_gap: tuple[int, int] = (0, 0)
    pad_value: int = 0
    foot: int = 0

    @property
    def rows(self) -> int:
        return math.ceil(self.count / self.columns)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the whole picture."""
        y, _ = self.tile_at(self.columns * (self.rows - 1), 0)
        _, x = self.tile_at(self.columns - 1, len(self.panels) - 1)
        return y + self.stride[0] + self.foot, x + self.stride[1]

    def geometry(self) -> dict[str, Any]:
        """Return what a reader needs to cut the tiles out again, fit for JSON.

        `sample_gap` and `pad_value` are absent where they are 0, as they were in all of the first version.
        """
        known = {name: getattr(self, name) for name in (*_PLACES, *_MORE)}
        absent = {"sample_gap": (0, 0), "pad_value": 0}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in known.items()
            if value != absent.get(name)
        }

    def tile_at(self, sample: int, panel: int) -> tuple[int, int]:
        """(y, x) of a tile's upper left corner."""
        row, column = divmod(sample, self.columns)
        (y, x), (down, across), (below, beside) = self.origin, self.stride, self.sample_gap
        step = len(self.panels) * across + beside
        return y + row * (down + below), x + column * step + panel * across

    def as_before(self, before: "Layout") -> "Layout":
        """Return it with the columns, enlargement and gaps that such a grid had before.

        Where that grid was of other tiles, or cannot have been planned like this, it stays as it is.
        """
        gaps = [step - side for step, side in zip(self.stride, self.tile, strict=True)]
        height, width = (side // self.enlargement * before.enlargement for side in self.tile)
        same = replace(
            self,
            tile=(height, width),
            stride=(height + gaps[0], width + gaps[1]),
            columns=before.columns,
            enlargement=before.enlargement,
            sample_gap=(self.sample_gap[0], before.sample_gap[1]),
        )
        return same if replace(before, pad_value=self.pad_value, foot=self.foot) == same else self


def layout_of(geometry: Mapping[str, Any]) -> Layout:
    """Return the layout that a geometry was recorded of.

    Raises:
        ValueError: If it is of none: a record is data, and may say anything.
    """

    def pair(name: str, absent: Any = None) -> tuple[int, int]:
        y, x = geometry.get(name, absent)
        return int(y), int(x)

    layout = None
    try:
        layout = Layout(
            origin=pair("origin"),
            tile=pair("tile"),
            stride=pair("stride"),
            columns=int(geometry["columns"]),
            count=int(geometry["count"]),
            panels=tuple(map(str, geometry["panels"])),
            enlargement=int(geometry.get("enlargement", 1)),
            sample_gap=pair("sample_gap", (0, 0)),
            pad_value=int(geometry.get("pad_value", 0)),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    if layout is None or min(layout.columns, layout.count, len(layout.panels)) < 1:
        raise ValueError("there is no record of where its tiles stand")
    return layout


def sample_box(
    geometry: Mapping[str, Any], sample: int, panels: Sequence[str] = ()
) -> tuple[int, int, int, int]:
    """Return where a sample stands in a grid, from its recorded geometry.

    Args:
        geometry: What `Layout.geometry` returned.
        sample: Its number, from 0.
        panels: Some of the grid's panels, in order: from the first to the last of them. Without: all.

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
    (y, x), (_, last) = (layout.tile_at(sample, layout.panels.index(names[at])) for at in (0, -1))
    return y, x, layout.tile[0], last - x + layout.tile[1]


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
) -> Layout:
    """Lay out `count` samples.

    Args:
        sizes: (height, width) of each panel's images, by panel name, in order.
        count: Number of samples.
        columns: Samples per row. None: ceil(sqrt(count)) with one panel; with several as many as
            bring the picture nearest to a square.
        padding: Gap around each tile, in pixels; between two samples in a row it is four times as
            wide, where each has several panels.
        pad_value: Grey level of gaps and empty tiles.
        caption_size: (height, width) that the captions need; (0, 0) for none.
        name_height: What the name of a sample needs under its tiles.
        enlargement: Whole factor by which images are enlarged, at least.
    """
    height, width = (max(size[axis] for size in sizes.values()) for axis in (0, 1))
    caption_height, caption_width = caption_size
    # A whole factor, so that each pixel of an image stays a square of one colour.
    enlargement = max(enlargement, math.ceil(caption_width / width))
    height, width = height * enlargement, width * enlargement
    padding = int(padding)  # the geometry is written as JSON, which takes none of NumPy's ints
    layout = Layout(
        origin=(caption_height + padding, padding),
        tile=(height, width),
        stride=(height + padding, width + padding),
        columns=1,
        count=int(count),
        panels=tuple(sizes),
        enlargement=enlargement,
        sample_gap=(name_height, 0),
        pad_value=int(pad_value),
        foot=name_height,
    )
    if len(sizes) == 1:
        return replace(layout, columns=int(columns or math.ceil(math.sqrt(count))))
    if columns is not None:
        return _in_columns(layout, int(columns), padding)
    # The fewest columns for each number of rows: more of them would only leave places empty.
    choices = {math.ceil(count / rows) for rows in range(1, count + 1)}
    return min((_in_columns(layout, one, padding) for one in sorted(choices)), key=_oblongness)


def _in_columns(layout: Layout, columns: int, padding: int) -> Layout:
    """Put so many samples of several panels in a row, further apart than their panels are."""
    beside = _SAMPLE_GAP * padding if columns > 1 else 0
    return replace(layout, columns=columns, sample_gap=(layout.sample_gap[0], beside))


def _oblongness(layout: Layout) -> float:
    """Return 1 for a square picture, and else by how much one side is the longer."""
    return max(layout.size) / min(layout.size)


class Canvas:
    """A picture that is filled sample by sample.

    Panels smaller than a tile are enlarged by nearest neighbour, and centred where their proportions
    are not the tile's. Grey panels beside coloured ones become RGB, and all become RGBA where one
    has alpha; gaps are opaque.

    Args:
        layout: Where the tiles stand.
        channels: The most that a panel has.

    Attributes:
        image: uint8, shape (*layout.size, C).
    """

    def __init__(self, layout: Layout, channels: int) -> None:
        self.image = blank(*layout.size, channels, layout.pad_value)
        self._layout = layout
        self._placed = 0

    def room(self, panels: Mapping[str, UInt8Array]) -> dict[str, UInt8Array]:
        """Return where the next sample's panels may be drawn themselves, as (1, H, W, C) views.

        Args:
            panels: Those of the sample before; what does not fill its tile has no room.
        """
        found = {}
        height, width = self._layout.tile
        for number, (name, images) in enumerate(panels.items()):
            if images.shape[1:] == (height, width, self.image.shape[2]):
                y, x = self._layout.tile_at(self._placed, number)
                found[name] = self.image[np.newaxis, y : y + height, x : x + width]
        return found

    def place(self, panels: Mapping[str, UInt8Array]) -> None:
        """Put the next samples in their places: uint8 (N, H, W, C) by panel name, as planned."""
        if self.image.shape[2] == 1 < most_channels(panels):
            # Pixels that are not finite are magenta in a grey picture too, and come unannounced.
            self.image = np.repeat(self.image, 3, axis=2)
        for number, images in enumerate(panels.values()):
            if np.may_share_memory(images, self.image):
                continue  # they were drawn into their `room`
            for sample, image in enumerate(images, self._placed):
                self.put(image, sample, number)
        self._placed += len(next(iter(panels.values())))

    def put(self, image: UInt8Array, sample: int, panel: int) -> None:
        """Enlarge one image to its tile, or to as much of it as keeps the image's proportions."""
        tile_height, tile_width = self._layout.tile
        height, width = image.shape[:2]
        # The side that fills the tile first; products compare the proportions without rounding.
        if height * tile_width <= width * tile_height:
            size = max(1, height * tile_width // width), tile_width
        else:
            size = tile_height, max(1, width * tile_height // height)
        y, x = self._layout.tile_at(sample, panel)
        y, x = y + (tile_height - size[0]) // 2, x + (tile_width - size[1]) // 2
        paste(self.image, nearest(image[np.newaxis], *size)[0], y, x)


def most_channels(panels: Mapping[str, UInt8Array]) -> int:
    return max(int(images.shape[3]) for images in panels.values())


def blank(height: int, width: int, channels: int, level: int = 0) -> UInt8Array:
    """Return a picture of one grey level, opaque if it has an alpha channel."""
    # Zeros come from the system as they are; only other levels have to be written.
    picture = np.zeros((height, width, channels), np.uint8)
    if level:
        picture[...] = level
    picture[..., 3:] = 255
    return picture


def paste(picture: UInt8Array, image: UInt8Array, y: int, x: int) -> None:
    """Put an image into a picture that has as many channels or more."""
    height, width, channels = image.shape
    # Grey is spread over the three colours; where the image has no alpha, the picture keeps its own.
    used = 1 if picture.shape[2] == 1 else max(3, channels)
    picture[y : y + height, x : x + width, :used] = image


def make_grid(
    images: Any, *, columns: int | None = None, padding: int = 2, pad_value: int = 0
) -> UInt8Array:
    """Tile images into one picture, row by row.

    Every image is shown; what is left of the last row is filled with `pad_value`.

    Args:
        images: uint8, shape (N, H, W, C), N >= 1, C in {1, 3, 4}.
        columns: Tiles per row. None means ceil(sqrt(N)).
        padding: Gap around each tile, in pixels.
        pad_value: Grey level of gaps and empty tiles, 0 to 255.

    Returns:
        uint8, shape (rows * (H + padding) + padding, columns * (W + padding) + padding, C), with
        rows = ceil(N / columns).

    Raises:
        ValueError: If `images` is empty, is not uint8, or has another rank; or if another argument
            is out of range.

    Example:
        >>> make_grid(np.zeros((5, 8, 8, 3), np.uint8), padding=0).shape
        (16, 24, 3)
    """
    array = as_array(images, "images")
    are_images = array.ndim == 4 and array.shape[3] in CHANNELS
    if array.dtype != np.uint8 or not are_images or not array.size:
        raise ValueError(
            "`images` must be uint8 (N, H, W, C) with N >= 1 and C in {1, 3, 4}, got "
            f"{describe(array)}. Use to_uint8(images, value_range=...) first."
        )
    check_grid(columns, padding, pad_value)
    layout = plan(
        {"image": array.shape[1:3]},
        len(array),
        columns=columns,
        padding=padding,
        pad_value=pad_value,
    )
    canvas = Canvas(layout, array.shape[3])
    canvas.place({"image": array})
    return canvas.image


def check_grid(columns: Any, padding: Any, pad_value: Any) -> None:
    """Check the arguments of a grid.

    Raises:
        ValueError: If `columns` is not None or at least 1, `padding` is negative, or `pad_value` is
            outside 0 to 255.
    """
    if columns is not None:
        check_int("columns", columns, 1)
    check_int("padding", padding, 0)
    check_int("pad_value", pad_value, 0, 255)
