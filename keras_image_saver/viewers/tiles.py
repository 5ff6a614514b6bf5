"""Single images out of a run's grids."""

import itertools
import os
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import is_int
from keras_image_saver.escapes import escaped
from keras_image_saver.picture import decoder, encoder, formats
from keras_image_saver.picture.layout import layout_of
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import Storage, check_path, storage_of
from keras_image_saver.viewers.on_disk import on_disk
from keras_image_saver.viewers.pictures import Pictures, open_run

_LONGEST_PANEL = 64  # bytes of a panel's name in that of a file
_MOST_LISTED = 10


@dataclass(frozen=True)
class _Tile:
    """An image that is to be written: sample, panel and slice of the snapshot of a number."""

    number: int
    sample: int
    panel: str
    place: int  # of the slice among those that are shown; 0 where there are none
    file: Storage


def tiles(
    run: Run | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    epochs: str | Sequence[int] = "all",
    samples: Sequence[int] | None = None,
    panels: str | Sequence[str] | None = None,
    max_pixels: int | None = decoder.MAX_PIXELS,
) -> list[str]:
    """Write single images, a file each, cut out of a run's grids by the recorded geometry.

    A file is named by its epoch, counted from 1, its sample, counted from 0, and its panel, such as
    `0001-003-prediction.png`; in a run that has several snapshots an epoch the step, or the batch where
    steps are not counted, stands behind the epoch: `0001-00000250-003-prediction.png`. What a file
    cannot be called in the name of a panel becomes `_`, and of two panels that would have one name the
    later one is numbered. Of volumes and clips each slice is a file, with its number at the end:
    `0001-003-prediction-slice012.png`.

    Tiles that were enlarged to give room to the captions get their own size back. A panel whose images
    are smaller than those of the others stays as large as its tile in the grid.

    Args:
        run: A run's folder, or `Run.open` of it.
        folder: Where to write; any `tf.io.gfile` path, made as needed, but not the run's own folder.
        epochs: "all", "last" (the newest snapshot), or numbers of epochs, counted from 1; 0 is the
            untrained model.
        samples: Numbers of samples, counted from 0, such as range(4). None: all.
        panels: The name of a panel, or several. None: all.
        max_pixels: The most pixels that a picture of the run may have. None: any number.

    Returns:
        The paths of the files, PNG, in order of epoch, sample, panel.

    Raises:
        FileNotFoundError: If the folder has no record of a run.
        FileExistsError: If one of the files is there already; nothing is written then.
        TypeError: If `folder` is no path.
        ValueError: If an argument is not valid, if the run has no such epoch, sample or panel, or none
            that can be cut out, or if a picture has more than `max_pixels`.

    Warns:
        UserWarning: If pictures are missing, broken, or not as the record says; these are left out. If
            they are of a format that has changed their pixels: JPEG, AVIF, WebP with losses.

    Example:
        ```python
        paths = tiles("runs/unet", "tiles", epochs=[1, 50], panels="prediction")
        ```
    """
    opened = open_run(run)
    target = storage_of(check_path(folder, "folder"))
    if target.real_path == storage_of(opened.folder or ".").real_path:
        raise ValueError(f"`folder` must not be that of the run itself, got {target.path!r}.")
    saved = on_disk(opened)
    pictures = Pictures(_chosen(saved, opened, epochs), max_pixels)
    named = _Names([*opened, *opened.removed, *opened.missed])
    planned = list(_planned(pictures, target, named, samples, panels))
    pictures.screen()  # raises where no picture can be read
    taken = set(target.names())
    for tile in planned:
        if os.path.basename(tile.file.path) in taken:
            raise FileExistsError(
                f"{tile.file.path!r} is there already; nothing was written. Use another folder, or move "
                "it away."
            )
    written = list(_written(pictures, planned))
    if not written:
        raise ValueError("There is no sample that can be cut out of the run's pictures.")
    pictures.warn("left out")
    _warn_of_losses(pictures)
    return written


def _chosen(saved: Sequence[Snapshot], run: Run, epochs: Any) -> list[Snapshot]:
    """Return the snapshots of some epochs."""
    if isinstance(epochs, str) and epochs in ("all", "last"):
        return list(saved if epochs == "all" else saved[-1:])
    wanted = _numbers("epochs", epochs, '"all", "last", or numbers of epochs')
    there = {one.epoch for one in saved}
    for epoch in wanted:
        if epoch not in there:
            others = {"removed": run.removed, "missed": run.missed}
            why = [word for word, some in others.items() if epoch in {one.epoch for one in some}]
            listed = ", ".join(map(str, sorted(there)[:_MOST_LISTED])) + " …" * (
                len(there) > _MOST_LISTED
            )
            raise ValueError(
                f"`epochs` must be epochs that the run has snapshots of, got {epoch}"
                f"{', which was ' + why[0] if why else ''}. There are {listed}."
            )
    return [one for one in saved if one.epoch in wanted]


def _numbers(name: str, given: Any, what: str) -> set[int]:
    is_many = isinstance(given, Collection) and not isinstance(given, (str, bytes))
    if not is_many or not len(given) or not all(is_int(one) and one >= 0 for one in given):
        raise ValueError(f"`{name}` must be {what}, such as [0, 3] or range(4), got {given!r}.")
    return {int(one) for one in given}


def _planned(
    pictures: Pictures, folder: Storage, named: "_Names", samples: Any, panels: Any
) -> Iterator[_Tile]:
    """Yield what is to be written, by what the record says of each snapshot."""
    numbers = None if samples is None else _numbers("samples", samples, "numbers of samples")
    names = {panels} if isinstance(panels, str) else None if panels is None else {*panels}
    found_samples, found_panels = set[int](), dict[str, None]()
    for number, snapshot in enumerate(pictures.snapshots):
        try:
            layout = layout_of(snapshot.geometry)
        except ValueError as error:
            pictures.miss(number, error)
            continue
        own = list(dict.fromkeys(layout.panels))
        found_samples |= {*range(layout.count)}
        found_panels |= dict.fromkeys(own)
        files = _file_names(own)
        each = itertools.product(range(layout.count), own, range(layout.depth))
        for sample, panel, place in each:
            if (numbers is None or sample in numbers) and (names is None or panel in names):
                end = f"-slice{layout.slices[place]:03d}" if layout.slices else ""
                name = f"{named.of(snapshot)}-{sample:03d}-{files[panel]}{end}.png"
                yield _Tile(number, sample, panel, place, folder / name)
    if found_panels and numbers is not None and not numbers <= found_samples:
        raise ValueError(
            f"`samples` must be samples of the run, got {max(numbers)}: there are {len(found_samples)}, "
            "numbered from 0."
        )
    if found_panels and names is not None and (not names or not names <= {*found_panels}):
        raise ValueError(
            f"`panels` must be panels of the run, got {panels!r}. There are {', '.join(found_panels)}."
        )


def _written(pictures: Pictures, planned: Sequence[_Tile]) -> Iterator[str]:
    """Write tiles, a picture of the run after another, and yield their paths."""
    kind = formats.check_format("tile.png")
    for number, some in itertools.groupby(planned, lambda tile: tile.number):
        image = pictures.read(number)
        for tile in some:
            cut = pictures.cut(number, image, tile.sample, [tile.panel], tile.place)
            if cut is None:
                continue
            snapshot = pictures.snapshots[number]
            own, told = _shrunk(cut, snapshot), _explanation(snapshot, tile)
            tile.file.replace(partial(encoder.write_image, image=own, format=kind, metadata=told))
            yield tile.file.path


def _shrunk(tile: UInt8Array, snapshot: Snapshot) -> UInt8Array:
    """Undo the enlargement that the record tells of: the middle of each square of one colour stays."""
    factor = snapshot.geometry.get("enlargement", 1)
    if not is_int(factor) or factor < 1 or tile.shape[0] % factor or tile.shape[1] % factor:
        return tile
    return tile[factor // 2 :: factor, factor // 2 :: factor]


def _explanation(snapshot: Snapshot, tile: _Tile) -> dict[str, Any]:
    told = {name: getattr(snapshot, name) for name in ("epoch", "batch", "step")}
    slices = snapshot.geometry.get("slices")
    told |= {"slice": slices[tile.place]} if slices else {}
    return {**told, "sample": tile.sample, "panel": tile.panel}


class _Names:
    """How the snapshots of a run are told apart, whichever of them are chosen."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._by_epoch = len({one.epoch for one in snapshots}) == len(snapshots)
        self._by_step = len({(one.epoch, one.step) for one in snapshots}) == len(snapshots)

    def of(self, snapshot: Snapshot) -> str:
        if self._by_epoch:
            return f"{snapshot.epoch:04d}"
        return f"{snapshot.epoch:04d}-{snapshot.step if self._by_step else snapshot.batch:08d}"


def _file_names(panels: Sequence[str]) -> dict[str, str]:
    """Return what panels are called in names of files, each otherwise, also where case is ignored.

    >>> _file_names(["input", "a/b", "a b", "A_B"])
    {'input': 'input', 'a/b': 'a_b', 'a b': 'a_b-2', 'A_B': 'A_B-3'}
    """
    seen: Counter[str] = Counter()
    names: dict[str, str] = {}
    for panel in panels:
        plain = re.sub(r"[^\w.+=-]", "_", panel).encode("utf-8")[:_LONGEST_PANEL]
        safe = plain.decode("utf-8", "ignore") or "_"
        name = safe
        while seen[name.casefold()]:
            seen[safe.casefold()] += 1
            name = f"{safe}-{seen[safe.casefold()]}"
        seen[name.casefold()] += 1
        names[panel] = name
    return names


def _warn_of_losses(pictures: Pictures) -> None:
    lossy = [
        snapshot.path
        for number, snapshot in enumerate(pictures.snapshots)
        if pictures.is_lossy(number)
    ]
    if lossy:
        name = escaped(os.path.basename(lossy[0]))
        warnings.warn(
            f"{len(lossy)} of {len(pictures.snapshots)} pictures are of a format that has changed their "
            f"pixels, such as {name}: the tiles have the pixels of the pictures, not of the model. Save "
            "as .png, or .webp without `quality`, to have those.",
            stacklevel=3,
        )
