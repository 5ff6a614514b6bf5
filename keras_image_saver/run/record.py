"""The record of a run: which snapshot is in which file, and what was missed.

`snapshots.jsonl` in the run's folder holds the newest entries, `SEGMENT` at most, one JSON object a
line; full segments become `snapshots-0000.jsonl` and so on. Every write replaces a whole file, so
that nothing can tear, and the 10,000th snapshot costs what the first did. An entry's key is
(epoch, batch), or (epoch, step) where a loop of one's own counts no batches; the last one wins.
"""

import json
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.run.files import RECORD, record_names, segment_name, segment_number
from keras_image_saver.run.logs import from_json_logs, json_logs
from keras_image_saver.run.storage import check_path, join, storage_of

FORMAT = 1  # of an entry
SEGMENT = 256  # entries a file

# An empty name, a path from the root, a drive, a URL, or `..` on the way; by Windows' rules too.
_LEADS_OUT = re.compile(r"^$|^[/\\]|^[A-Za-z]:|^[A-Za-z][A-Za-z0-9+.-]+://|(^|[/\\])\.\.([/\\]|$)")

Entry = Mapping[str, Any]
# Called with a file of the record and its entries once it is written, or None once it is removed.
Mirror = Callable[[str, Sequence[Entry] | None], None]


@dataclass(frozen=True)
class Snapshot:
    """One saved grid, as listeners and readers of a run see it.

    Attributes:
        epoch: Counted from 1; 0 is the untrained model.
        batch: In its epoch, counted from 1; at an epoch's end the number of its batches.
        step: Over the run, counted from 1.
        path: The picture's file, or "" if the snapshot was missed.
        logs: Metrics, as plain numbers.
        time: Seconds since the Unix epoch.
        missed: Why there is no file, or "".
        geometry: Where the tiles stand: `origin`, `tile`, `stride` as (y, x) pixels, `columns`,
            `count`, `panels`, `enlargement`.
        image: uint8 (H, W, C), only for listeners.
        weights: Which weights drew: "raw", "ema" or "raw+ema"; "" where the record does not tell.
    """

    epoch: int
    batch: int
    step: int
    path: str
    logs: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0
    missed: str = ""
    geometry: Mapping[str, Any] = field(default_factory=dict)
    image: UInt8Array | None = None
    weights: str = ""


class Run:
    """A run that is read: `for snapshot in run`.

    Iterating yields the snapshots that were saved, ordered by step; `missed` are those that were not.
    """

    def __init__(self, folder: str, entries: Iterable[Entry]) -> None:
        self.folder = folder
        found = sorted((snapshot_of(folder, one) for one in entries), key=lambda one: one.step)
        self._saved = [one for one in found if not one.missed]
        self.missed = [one for one in found if one.missed]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Run":
        """Read the record of a run.

        Args:
            folder: The run's folder; any `tf.io.gfile` path.

        Raises:
            FileNotFoundError: If the folder has no record.
            ValueError: If the record is from a newer version, or names files outside its folder.

        Warns:
            UserWarning: If lines of the record cannot be read; they are left out.

        Example:
            ```python
            for snapshot in Run.open("runs/dcgan"):
                print(snapshot.epoch, snapshot.path, snapshot.logs.get("g_loss"))
            ```
        """
        folder = check_path(folder, "folder")
        names = record_files(folder)
        if not names:
            raise FileNotFoundError(f"There is no record of a run ({RECORD}) in {folder!r}.")
        entries, unreadable = read_entries(folder, names)
        for text in unreadable:
            warnings.warn(text, stacklevel=2)
        return cls(folder, entries)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._saved)

    def __len__(self) -> int:
        return len(self._saved)


class Record:
    """The record of a run that is being written. `add` and `write` may be called by any thread.

    Two locks: `_writing` is held while files are written, `_lock` for a moment only, so that `add`
    never waits for storage. Who needs both takes `_writing` first.

    Args:
        folder: The run's folder.
        entries: What the record holds already, oldest first.
        mirror: Hears of each file that is written or removed; it must not raise.

    Attributes:
        is_behind: Whether storage lacks an entry, or the record as a whole.
    """

    def __init__(
        self, folder: str, entries: Iterable[Entry] = (), *, mirror: Mirror | None = None
    ) -> None:
        self._folder = folder
        self._mirror = mirror or (lambda name, entries: None)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._newest = [dict(entry) for entry in entries]  # all that is not in a full segment
        self._full = 0  # segments that are full and in storage
        self._written: str | None = None  # what the newest one was last written as
        self.is_behind = True

    def add(self, snapshot: Snapshot) -> None:
        """Add an entry in memory; `write` brings it to storage, then or later."""
        with self._lock:
            self._newest.append(entry_of(self._folder, snapshot))
            self.is_behind = True

    def check_ours(self) -> None:
        """Refuse a folder where another run was begun since this record was last written to it.

        Raises:
            ValueError: If storage holds neither what this record wrote last nor nothing at all.
        """
        if not self._writing.acquire(blocking=False):
            return  # it is being written, as after a `fit` that was interrupted
        try:
            names = record_files(self._folder) if self._written is not None else ()
            if RECORD in names and "\n".join(_lines(self._folder, RECORD)) != self._written:
                raise ValueError(
                    f"`filepath` must be in the folder of this run, got {self._folder!r}, where "
                    f"another run has begun since ({RECORD} is not what this saver wrote). Use a new "
                    "ImageSaver."
                )
        finally:
            self._writing.release()

    def rewrite(self) -> None:
        """Write a record that was read and cut, and remove the segments that it no longer has.

        Where there is no record to be replaced, it is left to be written with the next entry.
        """
        old = record_files(self._folder)
        if old:
            self.write()
        for name in old:
            number = segment_number(name)
            if number is not None and number >= self._full:
                (storage_of(self._folder) / name).remove()
                self._mirror(name, None)

    def write(self) -> None:
        """Bring what was added to storage.

        Raises:
            OSError: If storage fails; nothing is lost, the next `write` tries anew.
        """
        with self._writing:
            with self._lock:
                entries = list(self._newest)
            # The newest file is never empty if there are entries: the 256th does not fill a segment
            # yet, the 257th does.
            full = max(0, len(entries) - 1) // SEGMENT
            # In this order: killed in between, an entry may stand in two files, never in none.
            for number in range(full):
                segment = entries[number * SEGMENT : (number + 1) * SEGMENT]
                self._replace(segment_name(self._full + number), segment)
            self._written = self._replace(RECORD, entries[full * SEGMENT :])
            with self._lock:
                self.is_behind = len(self._newest) > len(entries)  # more was added meanwhile
                del self._newest[: full * SEGMENT]
                self._full += full

    def _replace(self, name: str, entries: Sequence[Entry]) -> str:
        text = "".join(json.dumps(one, allow_nan=False, default=str) + "\n" for one in entries)
        (storage_of(self._folder) / name).replace(lambda file: file.write(text.encode("utf-8")))
        self._mirror(name, entries)
        return text


def record_files(folder: str) -> list[str]:
    """Return the names of a record's files, oldest first."""
    return record_names(storage_of(folder).names())


def read_entries(folder: str, names: Iterable[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the entries of a record, oldest first, each key once, and what to warn of in it.

    Raises:
        ValueError: If an entry is from a newer version, or its file is outside the folder.
    """
    found: dict[tuple[int, int, int], dict[str, Any]] = {}
    unreadable = 0
    for name in names:
        for line in filter(str.strip, _lines(folder, name)):
            try:
                entry = json.loads(line)
                version = int(entry.get("format", FORMAT))
                batch = int(entry["batch"])
                key = int(entry["epoch"]), batch, 0 if batch else int(entry.get("step", 0))
            except (ValueError, TypeError, KeyError, AttributeError):
                unreadable += 1
                continue
            _check(folder, version, entry.get("file"))
            found.pop(key, None)
            found[key] = entry
    warning = f"{unreadable} lines of the record in {folder!r} cannot be read and are left out."
    return list(found.values()), (warning,) if unreadable else ()


def _lines(folder: str, name: str) -> list[str]:
    with (storage_of(folder) / name).open() as file:
        return file.read().decode("utf-8", errors="replace").split("\n")


def _check(folder: str, version: int, file: Any) -> None:
    """Refuse what may mean something else, and files outside the folder: a record is data."""
    if version > FORMAT:
        raise ValueError(
            f"The record in {folder!r} was written by a newer keras_image_saver (format {version}, "
            f"this one reads {FORMAT}). Upgrade the package, or use another folder; nothing was "
            "changed."
        )
    if file is None:
        return
    if not isinstance(file, str) or _LEADS_OUT.search(file) or not storage_of(folder).holds(file):
        raise ValueError(
            f"The record in {folder!r} names a file outside its folder, {file!r}. It is not used."
        )


def snapshot_of(folder: str, entry: Entry) -> Snapshot:
    """Return the snapshot that an entry tells of; what it lacks is plain."""
    file = entry.get("file")
    return Snapshot(
        epoch=int(entry["epoch"]),
        batch=int(entry["batch"]),
        step=int(entry.get("step", 0)),
        path=join(folder, file) if file else "",
        logs=from_json_logs(entry.get("logs") or {}),
        time=float(entry.get("time", 0.0)),
        missed="" if file else str(entry.get("reason") or "unknown"),
        geometry=entry.get("geometry") or {},
        weights=str(entry.get("weights") or ""),
    )


def entry_of(folder: str, snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as its line in the record says it, fit for JSON."""
    return {
        "format": FORMAT,
        "epoch": snapshot.epoch,
        "batch": snapshot.batch,
        "step": snapshot.step,
        "file": snapshot.path.removeprefix(join(folder, "")) or None,
        "time": round(snapshot.time, 3),
        "logs": json_logs(snapshot.logs),
        "missed": bool(snapshot.missed),
        **({"reason": snapshot.missed} if snapshot.missed else {}),
        **({"weights": snapshot.weights} if snapshot.weights else {}),
        "geometry": dict(snapshot.geometry),
    }


def reason_of(error: Exception) -> str:
    """Return an error as one line, as entries of missed snapshots give their reason."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
