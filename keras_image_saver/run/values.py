"""What each sample had by each measure, in files of their own beside the record.

The record's newest file is written again with each snapshot, so an entry holds few numbers. The values
of all samples stand in `snapshots-metrics.npz`: a row a snapshot, of the newest ones; a file that is
full, or whose measures or samples are others than what comes, becomes `snapshots-metrics-0000.npz` and
so on. Each is replaced whole. In one stand `key`, int64 (rows, 3) with the epoch, batch and step of each
row, `metrics/<name>`, float32 (rows, N), and `classes/<name>`, float32 (rows, K). A row whose snapshot
has no entry any more is left out by who reads; of two with one key the later one holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from keras_image_saver.arrays import Array
from keras_image_saver.run.archives import mark_of, packed
from keras_image_saver.run.files import METRICS, METRICS_FILES
from keras_image_saver.run.lines import Key
from keras_image_saver.run.storage import storage_of

# A file is written anew with each of its rows, so it holds no more than these.
ROWS, VALUES = 256, 2**17

_MARK = "keras_image_saver metrics"
_KEY, _METRICS, _CLASSES = "key", "metrics/", "classes/"

Values: TypeAlias = Mapping[str, Array]


class Row(NamedTuple):
    """What one snapshot's samples had.

    Attributes:
        key: Its snapshot's, as in the record.
        metrics: By measure, float32 (N,), or (1,) of the whole grid.
        by_class: By measure, float32 (K,), where it has one a class.
    """

    key: Key
    metrics: Values
    by_class: Values

    @property
    def shape(self) -> tuple[Any, ...]:
        """What rows of one file have in common."""
        return tuple(
            tuple((name, len(values)) for name, values in part.items())
            for part in (self.metrics, self.by_class)
        )

    @property
    def most(self) -> int:
        """How many such rows a file holds."""
        size = sum(
            len(values) for part in (self.metrics, self.by_class) for values in part.values()
        )
        return max(1, min(ROWS, VALUES // max(1, size)))


# Called with a file's name and its rows once it is written.
Follower: TypeAlias = Callable[[str, Sequence[Row]], None]


class ValuesFile:
    """The files of a run that is being written. `add` and `write` are for one thread at a time.

    Args:
        folder: The run's folder.
        follower: Hears of each file that is written; it must not raise.

    Attributes:
        is_behind: Whether storage lacks a row.
    """

    def __init__(self, folder: str, follower: Follower | None = None) -> None:
        self._folder = folder
        self._follower = follower or (lambda name, rows: None)
        self._newest: list[Row] = []  # all that is not in a full file
        self._full = 0
        self._is_open = False
        self.is_behind = False

    def add(self, row: Row) -> None:
        """Add a row in memory; `write` brings it to storage."""
        self._newest.append(row)
        self.is_behind = True

    def write(self) -> None:
        """Bring what was added to storage.

        Raises:
            FileExistsError: If there is a file of the name that is not of a run.
            OSError: If storage fails; nothing is lost, the next `write` tries anew.
        """
        if not self.is_behind:
            return
        if not self._is_open:
            self._open()
        *full, newest = _split(self._newest)
        for rows in full:
            self._replace(METRICS_FILES.name(self._full), rows)
            del self._newest[: len(rows)]
            self._full += 1
        self._replace(METRICS, newest)
        self.is_behind = len(self._newest) > len(newest)  # more was added meanwhile

    def _open(self) -> None:
        """Go on from what the folder has, as where the run is resumed."""
        place = storage_of(self._folder)
        names = METRICS_FILES.among(place.names())
        for name in names:
            if not is_values_file(self._folder, name):
                raise FileExistsError(
                    f"{(place / name).path!r} is there already, not of a run, and left as it is, so "
                    "the samples' metrics are not kept. Move it away."
                )
        self._full = METRICS_FILES.full(names)
        self._newest = [*read_rows(self._folder, METRICS), *self._newest]
        self._is_open = True
        if self._full:  # its process may have been killed before anybody heard of the last one
            last = METRICS_FILES.name(self._full - 1)
            self._follower(last, read_rows(self._folder, last))

    def _replace(self, name: str, rows: Sequence[Row]) -> None:
        content = _packed(rows)
        (storage_of(self._folder) / name).replace(lambda file: file.write(content))
        self._follower(name, rows)


class ValuesReader:
    """Reads what each sample had, a file at a time, when it is asked for.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._places: dict[Key, str] | None = None
        self._read: tuple[str, dict[Key, Row]] = ("", {})

    def row(self, key: Key) -> Row:
        """Return what a snapshot's samples had; nothing where no file tells."""
        if self._places is None:
            names = METRICS_FILES.among(storage_of(self._folder).names())
            self._places = {key: name for name in names for key in _keys(self._folder, name)}
        name = self._places.get(key)
        if name is None:
            return Row(key, {}, {})
        if self._read[0] != name:
            self._read = name, {row.key: row for row in read_rows(self._folder, name)}
        return self._read[1].get(key, Row(key, {}, {}))


class StoredValues(Mapping[str, Array]):
    """One snapshot's values, read when they are looked at.

    Args:
        reader: Reads them.
        key: The snapshot's.
        part: Whether the samples' ("metrics") or the classes' ("by_class") are wanted.
    """

    def __init__(self, reader: ValuesReader, key: Key, part: str) -> None:
        self._reader, self._key, self._part = reader, key, part

    def _values(self) -> Values:
        found: Values = getattr(self._reader.row(self._key), self._part)
        return found

    def __getitem__(self, name: str) -> Array:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return repr(dict(self._values()))


def is_values_file(folder: str, name: str) -> bool:
    """Tell whether a file was written as one of a run's values."""
    try:
        with (storage_of(folder) / name).open() as file:
            return mark_of(file) == _MARK
    except OSError:  # it is a folder, or may not be read
        return False


def values_files(folder: str) -> list[str]:
    """Return the names of a run's files of values, oldest first; others may be called so too."""
    names = METRICS_FILES.among(storage_of(folder).names())
    return [name for name in names if is_values_file(folder, name)]


def read_rows(folder: str, name: str) -> list[Row]:
    """Return what is in a file; nothing where it is none of a run's, or cannot be read."""
    if not is_values_file(folder, name):
        return []
    try:
        with (storage_of(folder) / name).open() as file, np.load(file, allow_pickle=False) as kept:
            arrays = {one: kept[one] for one in kept.files}
    except Exception:  # what is in a file is data, and NumPy fails in many ways
        return []
    keys = _keys_of(arrays.pop(_KEY, None))
    fits = all(
        a.ndim == 2 and len(a) == len(keys) and a.dtype == np.float32 for a in arrays.values()
    )
    return [_row(arrays, number, key) for number, key in enumerate(keys)] if fits else []


def _keys(folder: str, name: str) -> list[Key]:
    """Return the keys of a file's rows, without the rows."""
    if not is_values_file(folder, name):
        return []
    try:
        with (storage_of(folder) / name).open() as file, np.load(file, allow_pickle=False) as kept:
            return _keys_of(kept[_KEY])
    except Exception:
        return []


def _keys_of(array: Array | None) -> list[Key]:
    if array is None or array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind != "i":
        return []
    return [(epoch, batch, step) for epoch, batch, step in array.tolist()]


def _row(arrays: Values, number: int, key: Key) -> Row:
    metrics, by_class = (
        {
            name.removeprefix(part): array[number]
            for name, array in arrays.items()
            if name.startswith(part)
        }
        for part in (_METRICS, _CLASSES)
    )
    return Row(key, metrics, by_class)


def _split(rows: Sequence[Row]) -> list[list[Row]]:
    """Return rows file by file: as many as one holds, of one shape."""
    parts: list[list[Row]] = [[]]
    for row in rows:
        last = parts[-1]
        if last and (len(last) == row.most or last[0].shape != row.shape):
            parts.append([])
        parts[-1].append(row)
    return parts


def _packed(rows: Sequence[Row]) -> bytes:
    arrays: dict[str, Array] = {_KEY: np.array([row.key for row in rows], np.int64)}
    for part, values in (
        (_METRICS, [row.metrics for row in rows]),
        (_CLASSES, [row.by_class for row in rows]),
    ):
        for name in values[0]:
            arrays[part + name] = np.stack([one[name] for one in values]).astype(np.float32)
    return packed(arrays, _MARK)
