"""The record of a run: which snapshot is in which file, and what was missed.

`snapshots.jsonl` in the run's folder holds the newest entries, `SEGMENT` at most, one JSON object a
line; full segments become `snapshots-0000.jsonl` and so on. Every write replaces a whole file, so
that nothing can tear, and the 10,000th snapshot costs what the first did. An entry's key is
(epoch, batch), or (epoch, step) where a loop of one's own counts no batches; the last one wins.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_image_saver.arrays import Array, UInt8Array
from keras_image_saver.run.files import RECORD, SEGMENTS
from keras_image_saver.run.lines import (
    FORMAT,
    Entry,
    Line,
    key_of,
    line_of,
    read_content,
    record_files,
)
from keras_image_saver.run.logs import from_json_logs, json_logs
from keras_image_saver.run.mirror import Mirror, nobody
from keras_image_saver.run.retention import Leaving, Retention, is_removed
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.run.values import Row, StoredValues, ValuesFile, ValuesReader

SEGMENT = 256  # lines a file


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
            `count`, `panels`, `enlargement`; where they are not 0 or empty `sample_gap`, (y, x) by
            which samples stand further apart than their tiles, `slices`, the numbers of those that
            each panel has side by side (the panels stand below one another then), and `pad_value`.
        image: uint8 (H, W, C), only for listeners.
        weights: Which weights drew: "raw", "ema" or "raw+ema"; "" where the record does not tell.
        metrics: What each sample had, by measure: float32 (N,), or (1,) where a measure is of the
            whole grid. What is read of a run is loaded when it is looked at.
        class_metrics: What each class had, by measure: float32 (K,).
        summary: Of each measure `mean`, `least` and `most` of what is not NaN, how many are `nan`, and
            the eight `worst` samples as [number, value], the worst first; losses of the user's own
            are worst where they are largest. "change" has none where there is no snapshot before.
        removed: Whether the file was removed, by `max_to_keep`; `path` is where it was.
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
    metrics: Mapping[str, Array] = field(default_factory=dict)
    class_metrics: Mapping[str, Array] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    removed: bool = False


class Record:
    """The record of a run that is being written. `add` and `write` may be called by any thread.

    Two locks: `_writing` is held while files are written, `_lock` for a moment only, so that `add`
    never waits for storage. Who needs both takes `_writing` first.

    Args:
        folder: The run's folder.
        lines: What the record holds already, oldest first.
        mirror: Follows the files that are written or removed.
        retention: How many of its pictures stay. Entries of those that go are marked, and their files
            handed out by `take_removed` once that stands in storage.

    Attributes:
        is_behind: Whether storage lacks an entry, a mark, or the record as a whole.
    """

    def __init__(
        self,
        folder: str,
        lines: Iterable[Line] = (),
        *,
        mirror: Mirror | None = None,
        retention: Retention | None = None,
    ) -> None:
        self._folder = folder
        self._mirror = mirror or nobody
        self._values = ValuesFile(folder, self._mirror)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._newest = list(lines)  # all but full segments in which nothing may change any more
        self._settled = 0  # how many of those there are
        self._full = 0  # segments that are full and in storage
        self._stored = 0  # of `_newest`, how many are in storage too
        self._written: bytes | None = None  # what the newest one was last written as
        self._leaving = Leaving(retention or Retention())
        self.is_behind = True
        for position, line in enumerate(self._newest):
            self._leaving.add(position, line.entry or {}, is_free=True)
        self._leaving.mark(self._newest, 0)

    def add(self, snapshot: Snapshot) -> None:
        """Add an entry in memory; `write` brings it to storage, then or later."""
        entry = entry_of(self._folder, snapshot)
        line = line_of(entry)
        with self._lock:
            begins = self._settled * SEGMENT
            self._leaving.add(begins + len(self._newest), entry, is_free=False)
            self._newest.append(line)
            self._leaving.mark(self._newest, begins)
            self.is_behind = True
            if snapshot.metrics and line.key is not None:
                self._values.add(Row(line.key, snapshot.metrics, snapshot.class_metrics))

    def free(self, snapshot: Snapshot) -> None:
        """Let a snapshot's picture go when it is its turn: whoever was to see it has seen it."""
        with self._lock:
            self._leaving.free(snapshot.path.removeprefix(join(self._folder, "")))
            if self._leaving.mark(self._newest, self._settled * SEGMENT):
                self.is_behind = True

    def take_removed(self) -> list[str]:
        """Return the paths of pictures that storage says are removed, so that they may be; each once."""
        with self._lock:
            return [join(self._folder, name) for name in self._leaving.take()]

    @property
    def pictures_behind(self) -> int:
        """How many pictures have no entry in storage yet."""
        with self._lock:
            entries = [line.entry or {} for line in self._newest[self._stored :]]
        return sum(entry.get("file") is not None for entry in entries)

    def check_ours(self) -> None:
        """Refuse a folder where another run was begun since this record was last written to it.

        Raises:
            ValueError: If storage holds neither what this record wrote last nor nothing at all.
        """
        if not self._writing.acquire(blocking=False):
            return  # it is being written, as after a `fit` that was interrupted
        try:
            found = None if self._written is None else read_content(self._folder, RECORD)
            if found not in (None, self._written):
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
            number = SEGMENTS.number(name)
            if number is not None and number >= self._full:
                (storage_of(self._folder) / name).remove()
                self._mirror(name, None)

    def write(self) -> None:
        """Bring what was added or marked to storage: the newest file, and segments that change.

        Raises:
            OSError: If storage fails; nothing is lost, the next `write` tries anew. Where it is the
                values of all samples that fail, the entries are written all the same.
        """
        failed: Exception | None = None
        with self._writing:
            try:
                self._values.write()
            except Exception as error:  # a remote storage raises what it likes
                failed = error
            with self._lock:
                lines, marks = list(self._newest), self._leaving.marks
            changed = {position // SEGMENT for position in marks}
            # The newest file is never empty if there are lines: the 256th does not fill a segment
            # yet, the 257th does.
            full = max(0, len(lines) - 1) // SEGMENT
            # In this order: killed in between, an entry may stand in two files, never in none.
            for number in range(full):
                segment = self._settled + number
                if segment >= self._full or segment in changed:
                    part = lines[number * SEGMENT : (number + 1) * SEGMENT]
                    self._replace(SEGMENTS.name(segment), part)
            self._written = self._replace(RECORD, lines[full * SEGMENT :])
            with self._lock:
                self._leaving.store(marks)
                behind = len(self._newest) > len(lines) or bool(self._leaving.marks)
                self.is_behind = behind or self._values.is_behind
                self._full = self._settled + full
                oldest = self._leaving.oldest
                settled = self._full if oldest is None else min(self._full, oldest // SEGMENT)
                begins = (settled - self._settled) * SEGMENT
                del self._newest[:begins]
                self._settled, self._stored = settled, len(lines) - begins
        if failed is not None:
            raise failed

    def _replace(self, name: str, lines: Sequence[Line]) -> bytes:
        content = b"".join(line.raw + b"\n" for line in lines)
        (storage_of(self._folder) / name).replace(lambda file: file.write(content))
        self._mirror(name, [line.entry for line in lines if line.entry is not None])
        return content


def snapshot_of(folder: str, entry: Entry, values: ValuesReader | None = None) -> Snapshot:
    """Return the snapshot that an entry tells of; what it lacks is plain."""
    file, is_measured = entry.get("file"), entry.get("metrics") is not None
    reader, key = values or ValuesReader(folder), key_of(entry)
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
        metrics=StoredValues(reader, key, "metrics") if is_measured else {},
        class_metrics=StoredValues(reader, key, "by_class") if is_measured else {},
        summary=from_json_logs(entry.get("metrics") or {}),
        removed=is_removed(entry),
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
        **(
            {"metrics": json_logs(snapshot.summary)} if snapshot.summary or snapshot.metrics else {}
        ),
        "geometry": dict(snapshot.geometry),
    }


def reason_of(error: Exception) -> str:
    """Return an error as one line, as entries of missed snapshots give their reason."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
