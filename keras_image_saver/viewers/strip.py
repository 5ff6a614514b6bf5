"""A run as one still picture: a row a sample, a column an epoch."""

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import check_choice, check_int
from keras_image_saver.picture import decoder, encoder, formats, grid
from keras_image_saver.picture.layout import layout_of, plan
from keras_image_saver.picture.text import caption_size, draw_captions
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import storage_of
from keras_image_saver.viewers.on_disk import on_disk
from keras_image_saver.viewers.pictures import Pictures, check_output, open_run

# What the samples are, whatever the epoch: shown once, at the sides.
_BEFORE, _AFTER = "input", "target"
_PADDING = 2

# A caption, the number of a snapshot, and which panels of its samples are shown.
Column = tuple[str, int, list[str]]


def strip(
    run: Run | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    epochs: int = 8,
    samples: int = 6,
    spacing: str = "log",
    max_pixels: int | None = decoder.MAX_PIXELS,
) -> None:
    """Write how a run's first samples changed: a row a sample, a column an epoch, captioned.

    The samples are cut out of the run's pictures by the recorded geometry. Panels named "input" and
    "target" are the same at every epoch and stand once, at the left and at the right. A picture that
    is missing or broken leaves its column empty. Gaps are of the grey that the run's newest grid has.

    Args:
        run: A run's folder, or `Run.open` of it.
        out: Where to write; any format that `save_image` writes.
        epochs: How many columns, or fewer where there are fewer snapshots. The first and the last
            are among them.
        samples: How many rows, or fewer where there are fewer samples.
        spacing: "log": more of the first epochs, where a model changes most; or "even".
        max_pixels: The most pixels that a picture of the run may have. None: any number.

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
    saved = on_disk(opened)
    chosen = [saved[number] for number in spaced(len(saved), epochs, log=spacing == "log")]
    pictures = Pictures(chosen, max_pixels)
    picture = _compose(pictures, samples)
    formats.check_image(picture.shape, kind)
    storage_of(path).replace(lambda file: encoder.write_image(file, picture, kind))
    pictures.warn()


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


def _compose(pictures: Pictures, samples: int) -> UInt8Array:
    """Lay the tiles out anew, as a grid that has an epoch for a panel."""
    newest = pictures.snapshots[-1].geometry
    names = [str(name) for name in newest.get("panels") or ()]
    changing = [name for name in names if name not in (_BEFORE, _AFTER)] or names
    if not changing:
        raise ValueError(
            f"The record of {pictures.snapshots[-1].path!r} does not tell where its tiles stand: "
            "there is no sample to cut out."
        )
    rows = min(samples, int(newest.get("count", 0)))
    images = [pictures.read(number) for number in range(len(pictures.snapshots))]
    last = max((number for number, image in enumerate(images) if image is not None), default=0)

    def side(panel: str) -> list[Column]:
        return [(panel, last, [panel])] if panel in names and panel not in changing else []

    captions = enumerate(_epoch_captions(pictures.snapshots))
    epochs = [(caption, number, changing) for number, caption in captions]
    columns = [*side(_BEFORE), *epochs, *side(_AFTER)]
    tiles = {}
    for column, (_, number, panels) in enumerate(columns):
        for sample, (place, panel) in itertools.product(range(rows), enumerate(panels)):
            tile = pictures.cut(number, images[number], sample, [panel])
            if tile is not None:
                # A sample takes a row for each panel that changes; its input stands by the first.
                tiles[sample * len(changing) + place, column] = tile
    if not tiles:
        pictures.screen()  # raises where no picture can be read
        raise ValueError("There is no sample that can be cut out of the run's pictures.")
    rows *= len(changing)
    return _tile(tiles, rows, [caption for caption, _, _ in columns], _gap_of(newest))


def _gap_of(geometry: Mapping[str, Any]) -> int:
    """Return the grey level of a grid's gaps; black where there is no record of them."""
    try:
        return layout_of(geometry).pad_value
    except ValueError:
        return 0


def _tile(
    tiles: Mapping[tuple[int, int], UInt8Array], rows: int, captions: Sequence[str], gap: int
) -> UInt8Array:
    """Draw tiles by (row, column), each column under its caption; gaps are of one grey level."""
    height, width, channels = np.max([tile.shape for tile in tiles.values()], axis=0).tolist()
    # The grid takes panels by name, but a caption may stand over several columns.
    sizes = {str(column): (height, width) for column in range(len(captions))}
    needed = caption_size(captions, width)
    layout = plan(sizes, rows, columns=1, padding=_PADDING, pad_value=gap, caption_size=needed)
    canvas = grid.Canvas(layout, channels)
    for (row, column), tile in tiles.items():
        canvas.put(tile, row, column)
    places = [(0, layout.tile_at(0, panel)[1], text) for panel, text in enumerate(captions)]
    return draw_captions(canvas.image, places, width, gap)


def _epoch_captions(snapshots: Sequence[Snapshot]) -> list[str]:
    """Name snapshots by their epochs, or by their steps where an epoch has several."""
    epochs = [snapshot.epoch for snapshot in snapshots]
    if len(set(epochs)) == len(epochs):
        return [f"epoch {epoch}" for epoch in epochs]
    return [f"step {snapshot.step}" for snapshot in snapshots]
