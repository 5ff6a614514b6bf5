"""Which snapshots stay on disk: decided from the order in which they came, without a look at a folder.

The newest so many stay, and beside them, not counted, the first, and the last of each epoch that a
period divides. Snapshots leave the newest in the order in which they came, and the one behind each is
there by then, so that what becomes of it is known: each is decided on once, and what stays then stays.
"""

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keras_image_saver.checks import check_int
from keras_image_saver.run.lines import Entry, Line, line_of


@dataclass(frozen=True)
class Retention:
    """How many snapshots stay on disk.

    Attributes:
        max_to_keep: So many of the newest, and the first; None: all.
        keep_period: And the last of each epoch that this divides; None: of none.

    Raises:
        ValueError: If one is no int, 1 or more, or a period is given alone.
    """

    max_to_keep: int | None = None
    keep_period: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_to_keep", "keep_period"):
            check_int(name, getattr(self, name), 1, optional=True)
        if self.keep_period is not None and self.max_to_keep is None:
            raise ValueError(
                "`keep_period` must be given with `max_to_keep`, beside which it keeps snapshots, got "
                f"keep_period={self.keep_period!r} alone. Without both, all stay."
            )

    def check_counted(self, counted: Mapping[str, int]) -> None:
        """Refuse a snapshot of a loop of one's own that tells no epoch, where some epochs stay.

        Raises:
            ValueError: If it does not.
        """
        if self.keep_period is not None and "epoch" not in counted:
            raise ValueError(
                f"`save` must be given epoch=, of which `keep_period` counts {self.keep_period!r}, got "
                f"{', '.join(counted) or 'no count'}."
            )


@dataclass
class _OnDisk:
    position: int
    epoch: int
    is_free: bool


class Newest:
    """The newest snapshots on disk, of which the oldest may have to go.

    Args:
        retention: How many stay.
    """

    def __init__(self, retention: Retention) -> None:
        self._most, self._period = retention.max_to_keep, retention.keep_period
        self._first: str | None = None
        self._newest: OrderedDict[str, _OnDisk] = OrderedDict()  # by file

    @property
    def oldest(self) -> int | None:
        """The position of the oldest snapshot that may still go; None if there is none."""
        return next((one.position for one in self._newest.values()), None)

    def add(self, position: int, entry: Entry, *, is_free: bool) -> None:
        """Add what came last.

        Args:
            position: Where it stands in the record.
            entry: What that says of it; one without a picture on disk is left out.
            is_free: Whether it may go before it is freed.
        """
        file = entry.get("file")
        if self._most is None or not file or is_removed(entry):
            return
        if self._first in (None, file):
            self._first = file
            return
        # A loop of one's own may save a snapshot again, which has the picture of the one before.
        self._newest.pop(file, None)
        self._newest[file] = _OnDisk(position, int(entry["epoch"]), is_free)

    def free(self, file: str) -> None:
        """Let a snapshot go when it is its turn."""
        if file in self._newest:
            self._newest[file].is_free = True

    def take(self) -> list[int]:
        """Return the positions of those that go now, and forget them."""
        gone = []
        while self._most is not None and len(self._newest) > self._most:
            oldest, behind = itertools.islice(self._newest.values(), 2)
            if not oldest.is_free:
                break
            self._newest.popitem(last=False)
            if not self._stays(oldest, behind):
                gone.append(oldest.position)
        return gone

    def _stays(self, one: _OnDisk, behind: _OnDisk) -> bool:
        ends_epoch = one.epoch > 0 and behind.epoch != one.epoch
        return self._period is not None and ends_epoch and one.epoch % self._period == 0


class Leaving:
    """Pictures on their way out: marked as removed in the record, then in storage, then handed out.

    Args:
        retention: How many stay.
    """

    def __init__(self, retention: Retention) -> None:
        self._newest = Newest(retention)
        self._marked: dict[int, str] = {}  # files by position, until storage has their marks
        self._removed: list[str] = []  # whose marks it has

    @property
    def marks(self) -> list[int]:
        """The positions of marks that storage lacks."""
        return list(self._marked)

    @property
    def oldest(self) -> int | None:
        """The first position whose entry may change yet, or whose mark storage lacks; None for none."""
        newest = self._newest.oldest
        return min([*self._marked, *([] if newest is None else [newest])], default=None)

    def add(self, position: int, entry: Entry, *, is_free: bool) -> None:
        """Add what came last, as `Newest.add` does; its picture is there, whatever was so called."""
        self._newest.add(position, entry, is_free=is_free)
        file = entry.get("file")
        self._marked = {at: "" if name == file else name for at, name in self._marked.items()}
        self._removed = [name for name in self._removed if name != file]

    def free(self, file: str) -> None:
        """Let a snapshot's picture go when it is its turn."""
        self._newest.free(file)

    def mark(self, lines: list[Line], begins: int) -> bool:
        """Mark the entries of those that go now, in the lines from a position on; tell if any do."""
        gone = self._newest.take()
        for position in gone:
            entry = {**(lines[position - begins].entry or {}), "removed": True}
            lines[position - begins] = line_of(entry)
            self._marked[position] = entry["file"]
        return bool(gone)

    def store(self, marks: Iterable[int]) -> None:
        """Note that storage has some marks, so that their files may go."""
        names = [self._marked.pop(position) for position in marks]
        self._removed += [name for name in names if name]

    def take(self) -> list[str]:
        """Return the names of the files that go, each once."""
        taken, self._removed = self._removed, []
        return taken


def is_removed(entry: Entry) -> bool:
    """Tell whether the record says that a snapshot's picture was removed, or is about to be."""
    return entry.get("removed") is True and bool(entry.get("file"))


def removed_files(entries: Iterable[Entry]) -> list[str]:
    """Return the names of pictures that a record says are removed, the newest first."""
    found = {entry["file"]: is_removed(entry) for entry in entries if entry.get("file")}
    return [file for file, removed in reversed(found.items()) if removed]
