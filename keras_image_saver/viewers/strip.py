"""A run as one still picture: a row a sample, a column an epoch."""

import os
from collections.abc import Sequence

import numpy as np

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import check_choice, check_int
from keras_image_saver.picture import decoder, encoder, formats, grid
from keras_image_saver.picture.text import caption_size, draw_captions
from keras_image_saver.run.record import Run, Snapshot
from keras_image_saver.run.storage import storage_of
from keras_image_saver.viewers.pictures import Pictures, check_output, open_run

# What the samples are, whatever the epoch: shown once, at the sides.
_BEFORE, _AFTER = "input", "target"
_PADDING = 2

# A caption, and the tiles under it; None is a gap.
Column = tuple[str, list[UInt8Array | None]]


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
    is missing or broken leaves its column empty.

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
    kind = formats.check_format(path)
    check_int("epochs", epochs, 1)
    check_int("samples", samples, 1)
    check_choice("spacing", spacing, ("log", "even"))
    saved = list(opened)
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

    def cut(number: int, panels: Sequence[str]) -> list[UInt8Array | None]:
        return [
            pictures.cut(number, images[number], sample, [panel]) if panel else None
            for sample in range(rows)
            for panel in panels
        ]

    captions = enumerate(_epoch_captions(pictures.snapshots))
    epochs = [(caption, cut(number, changing)) for number, caption in captions]
    read = [number for number, image in enumerate(images) if image is not None] or [-1]

    def side(panel: str) -> list[Column]:
        if panel not in names or panel in changing:
            return []
        # A sample with several panels that change takes a row for each; its input stands by the first.
        return [(panel, cut(read[-1], [panel, *[""] * (len(changing) - 1)]))]

    return _tile([*side(_BEFORE), *epochs, *side(_AFTER)], pictures)


def _tile(columns: Sequence[Column], pictures: Pictures) -> UInt8Array:
    """Draw columns of tiles side by side, each under its caption."""
    found = [tile for _, tiles in columns for tile in tiles if tile is not None]
    if not found:
        pictures.screen()  # raises where no picture can be read
        raise ValueError("There is no sample that can be cut out of the run's pictures.")
    captions = [caption for caption, _ in columns]
    # The grid takes panels by name, but a caption may stand over several columns.
    size = found[0].shape[:2]
    panels = {str(number): _stack(tiles, size) for number, (_, tiles) in enumerate(columns)}
    sizes = {name: tiles.shape[1:3] for name, tiles in panels.items()}
    width = max(size[1] for size in sizes.values())
    needed = caption_size(captions, width)
    layout = grid.plan(sizes, len(columns[0][1]), columns=1, padding=_PADDING, caption_size=needed)
    canvas = grid.Canvas(layout, grid.most_channels(panels))
    canvas.place(panels)
    places = [(0, layout.tile_at(0, panel)[1], text) for panel, text in enumerate(captions)]
    return draw_captions(canvas.image, places, width, 0)


def _stack(column: Sequence[UInt8Array | None], size: tuple[int, int]) -> UInt8Array:
    """Stack the tiles of one snapshot, which are of one size; black where there is none."""
    there = [tile for tile in column if tile is not None]
    height, width, channels = there[0].shape if there else (*size, 1)
    blank = grid.blank(height, width, channels)
    return np.stack([blank if tile is None else tile for tile in column])


def _epoch_captions(snapshots: Sequence[Snapshot]) -> list[str]:
    """Name snapshots by their epochs, or by their steps where an epoch has several."""
    epochs = [snapshot.epoch for snapshot in snapshots]
    if len(set(epochs)) == len(epochs):
        return [f"epoch {epoch}" for epoch in epochs]
    return [f"step {snapshot.step}" for snapshot in snapshots]
