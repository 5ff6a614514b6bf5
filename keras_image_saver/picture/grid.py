"""Many images to one picture, whose tiles stand where a layout says."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_image_saver.arrays import CHANNELS, UInt8Array, as_array, describe, nearest
from keras_image_saver.checks import check_int
from keras_image_saver.picture.layout import Layout, plan


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

    @classmethod
    def over(cls, layout: Layout, image: UInt8Array) -> "Canvas":
        """Return a canvas to fill anew, which has a copy of an earlier picture of that layout."""
        canvas = cls.__new__(cls)
        canvas.image, canvas._layout, canvas._placed = image.copy(), layout, 0
        return canvas

    def room(self, shapes: Mapping[str, tuple[int, ...]], count: int) -> dict[str, UInt8Array]:
        """Return where the next samples' panels may be drawn themselves, as (N, H, W, C) views.

        Args:
            shapes: (H, W, C) of each panel's images; what does not fill its tile has no room.
            count: How many samples they are, of one row of the grid.
        """
        if self._layout.slices:  # a panel of theirs is no one array
            return {}
        fits = (*self._layout.tile, self.image.shape[2])
        row, column = divmod(self._placed, self._layout.columns)
        tiles = self._layout.tiles(self.image)
        return {
            name: tiles[row, column : column + count, number, 0]
            for number, name in enumerate(self._layout.panels)
            if shapes.get(name) == fits
        }

    def place(self, panels: Mapping[str, UInt8Array]) -> None:
        """Put the next samples in their places: uint8 (N, H, W, C) by panel name, as planned.

        Where there are slices, each sample has so many rows, one after another.
        """
        if self.image.shape[2] == 1 < most_channels(panels):
            # Pixels that are not finite are magenta in a grey picture too, and come unannounced.
            self.image = np.repeat(self.image, 3, axis=2)
        tiles, depth = self._layout.tiles(self.image), self._layout.depth
        count = len(next(iter(panels.values()))) // depth
        for name, images in panels.items():
            if np.may_share_memory(images, self.image):
                continue  # they were drawn into their `room`
            height, width, y, x = self._box(*images.shape[1:3])
            enlarged = nearest(images, height, width)
            by_sample = enlarged.reshape(count, depth, *enlarged.shape[1:])
            of_panel = tiles[:, :, self._layout.panels.index(name)]
            first, columns = self._placed, self._layout.columns
            while first < self._placed + count:
                row, column = divmod(first, columns)
                some = by_sample[first - self._placed :][: columns - column]
                paste(of_panel[row, column : column + len(some)], some, y, x)
                first += len(some)
        self._placed += count

    def put(self, image: UInt8Array, sample: int, panel: int) -> None:
        """Enlarge one image to its tile, or to as much of it as keeps the image's proportions."""
        height, width, y, x = self._box(*image.shape[:2])
        top, left = self._layout.tile_at(sample, panel)
        paste(self.image, nearest(image[np.newaxis], height, width), top + y, left + x)

    def _box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (height, width, y, x) of an image in its tile: enlarged, in proportion, centred."""
        tile_height, tile_width = self._layout.tile
        # The side that fills the tile first; products compare the proportions without rounding.
        if height * tile_width <= width * tile_height:
            size = max(1, height * tile_width // width), tile_width
        else:
            size = tile_height, max(1, width * tile_height // height)
        return *size, (tile_height - size[0]) // 2, (tile_width - size[1]) // 2


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
    """Put images (..., H, W, C) into as many pictures that have as many channels or more."""
    height, width, channels = image.shape[-3:]
    # Grey is spread over the three colours; where the image has no alpha, the picture keeps its own.
    picture[..., y : y + height, x : x + width, : max(3, channels)] = image


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
