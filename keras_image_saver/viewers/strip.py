"""A run as one still picture: a row a sample, a column an epoch."""

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import check_choice, check_int, is_int
from keras_image_saver.picture import decoder, encoder, formats, grid
from keras_image_saver.picture.layout import plan
from keras_image_saver.picture.text import (
    caption_size,
    caption_text,
    draw_captions,
    text_height,
    text_widths,
)
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import storage_of
from keras_image_saver.viewers.captions import epoch_name
from keras_image_saver.viewers.on_disk import on_disk
from keras_image_saver.viewers.panels import fixed_panels, panel_caption
from keras_image_saver.viewers.pictures import Pictures, check_output, open_run

_PADDING = 2

# A caption, the number of a snapshot, and which panels of its samples are shown.
Column = tuple[str, int, list[str]]


def strip(
    run: Run | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    epochs: int = 8,
    samples: int = 6,
    spacing: Literal["log", "even"] = "log",
    scale: int | None = None,
    max_pixels: int | None = decoder.MAX_PIXELS,
) -> str:
    """Write how a run's first samples changed: a row a sample, a column an epoch, captioned.

    The samples are cut out of the run's pictures by the recorded geometry. Panels that are the same
    at every epoch, such as inputs and targets, stand once, in columns of their own before the epochs.
    Where several panels change, a sample has a row for each, with its name. A picture that is missing
    or broken leaves its column empty.

    Args:
        run: A run's folder, or `Run.open` of it.
        out: Where to write; any format that `save_image` writes.
        epochs: How many columns, or fewer where there are fewer snapshots. The first and the last
            are among them.
        samples: How many rows, or fewer where there are fewer samples.
        spacing: "log": more of the first epochs, where a model changes most; or "even".
        scale: Whole factor by which tiles are enlarged, by nearest neighbour. None: as large as
            their captions are wide.
        max_pixels: The most pixels that a picture of the run may have. None: any number.

    Returns:
        The path of the file.

    Raises:
        FileNotFoundError: If the folder has no record of a run.
        ValueError: If an argument is not valid, if there is nothing to show, or if a picture has more
            than `max_pixels`.

    Warns:
        UserWarning: If pictures are missing or broken.

    Example:
        ```python
        strip("runs/dcgan", "dcgan.png", epochs=10, samples=4)
        ```
    """
    opened = open_run(run)
    path = check_output(out, opened)
    kind = formats.check_format(path, argument="out")
    check_int("epochs", epochs, 1)
    check_int("samples", samples, 1)
    check_choice("spacing", spacing, ("log", "even"))
    check_int("scale", scale, 1, optional=True)
    saved = on_disk(opened)
    chosen = [saved[number] for number in spaced(len(saved), epochs, log=spacing == "log")]
    pictures = Pictures(chosen, max_pixels)
    picture = _drawn(_compose(pictures, opened, samples), scale)
    formats.check_image(picture.shape, kind)
    storage_of(path).replace(lambda file: encoder.write_image(file, picture, kind))
    pictures.warn()
    return path


def spaced(count: int, wanted: int, *, log: bool) -> list[int]:
    """Choose `wanted` of `count` places, the first and the last among them.

    >>> spaced(100, 6, log=False)
    [0, 20, 40, 59, 79, 99]
    >>> spaced(100, 6, log=True)
    [0, 2, 5, 15, 39, 99]
    """
    wanted = min(wanted, count)
    if wanted == 1:
        return [count - 1]
    places = np.geomspace(1, count, wanted) - 1 if log else np.linspace(0, count - 1, wanted)
    found = np.rint(places).astype(int)
    steps = np.arange(wanted)
    # Rounding puts neighbours on one place. Each moves past the one before it, and then back as far
    # as those after it need room.
    found = np.maximum.accumulate(found - steps) + steps
    return [int(place) for place in np.minimum(found, count - wanted + steps)]


@dataclass(frozen=True)
class _Tiles:
    """What stands in a strip: tiles by (row, column), with what is written beside them.

    Attributes:
        columns: What stands above each column.
        rows: What stands before each row; empty where nothing does.
        level: The grey of gaps.
    """

    tiles: Mapping[tuple[int, int], UInt8Array]
    columns: Sequence[str]
    rows: Sequence[str]
    level: int


def _compose(pictures: Pictures, run: Run, samples: int) -> _Tiles:
    """Lay the tiles out anew: what stays the same, then the epochs."""
    newest = pictures.snapshots[-1].geometry
    names = [str(name) for name in newest.get("panels") or ()]
    fixed = fixed_panels(run.about, names)
    changing = [name for name in names if name not in fixed] or names
    if not changing:
        raise ValueError(
            f"The record of {pictures.snapshots[-1].path!r} does not tell where its tiles stand: "
            "there is no sample to cut out."
        )
    count = min(samples, int(newest.get("count", 0)))
    images = [pictures.read(number) for number in range(len(pictures.snapshots))]
    last = max((number for number, image in enumerate(images) if image is not None), default=0)
    captions = enumerate(_epoch_captions(pictures.snapshots))
    columns: list[Column] = [
        *((panel_caption(run.about, name), last, [name]) for name in fixed if name not in changing),
        *((caption, number, changing) for number, caption in captions),
    ]
    tiles = {}
    for column, (_, number, panels) in enumerate(columns):
        for sample, (place, panel) in itertools.product(range(count), enumerate(panels)):
            tile = pictures.cut(number, images[number], sample, [panel])
            if tile is not None:
                # A sample takes a row for each panel that changes; its input stands by the first.
                tiles[sample * len(changing) + place, column] = tile
    if not tiles:
        pictures.screen()  # raises where no picture can be read
        raise ValueError("There is no sample that can be cut out of the run's pictures.")
    labels = [panel_caption(run.about, name) for name in changing] if len(changing) > 1 else [""]
    # As in the run's own pictures: black ones end somewhere too.
    level = newest.get("pad_value", 0)
    level = level if is_int(level) and 0 <= level <= 255 else 0
    return _Tiles(tiles, [caption for caption, _, _ in columns], labels * count, level)


def _drawn(strip: _Tiles, scale: int | None) -> UInt8Array:
    """Draw each column under its caption, each row behind its own; a gap where there is no tile."""
    shapes = [tile.shape for tile in strip.tiles.values()]
    height, width, channels = np.max(shapes, axis=0).tolist()
    letters = width * (scale or 1)  # which the font follows
    caption = caption_size(strip.columns, letters)
    factor = scale or math.ceil(caption[1] / width)
    labels = [caption_text(text) for text in strip.rows]
    margin = max(text_widths(labels, letters))
    line = text_height(letters) if margin else 0
    # A tile that its caption, or its row's, is larger than stands in the middle of the room for these.
    room = max(height * factor, line), max(width * factor, caption[1])
    # The grid takes panels by name, but a caption may stand over several columns.
    sizes = {str(column): room for column in range(len(strip.columns))}
    layout = plan(
        sizes, len(labels), columns=1, padding=_PADDING, pad_value=strip.level, caption_size=caption
    )
    canvas = grid.Canvas(layout, channels)
    for (row, column), tile in strip.tiles.items():
        canvas.put(tile, row, column)
    left = margin + _PADDING if margin else 0
    picture = grid.blank(layout.size[0], left + layout.size[1], channels, strip.level)
    grid.paste(picture, canvas.image, 0, left)
    texts = [
        *(
            (0, left + layout.tile_at(0, panel)[1], text)
            for panel, text in enumerate(strip.columns)
        ),
        *(
            (layout.tile_at(row, 0)[0] + (room[0] - line) // 2, _PADDING, text)
            for row, text in enumerate(labels)
        ),
    ]
    return draw_captions(picture, texts, letters, strip.level)


def _epoch_captions(snapshots: Sequence[Snapshot]) -> list[str]:
    """Name snapshots by their epochs, or by their steps where an epoch has several."""
    if len({snapshot.epoch for snapshot in snapshots}) == len(snapshots):
        return [epoch_name(snapshot) for snapshot in snapshots]
    return [f"step {snapshot.step}" for snapshot in snapshots]
