"""The record as it is read: each line's bytes as they stand, and the entry in it, if it can be read.

A record may come from elsewhere, or have been edited: what is in a line is data, checked here once,
so that nobody behind this meets a value of another type. The bytes are kept, so that a record which
is written anew holds what it held, with fields of later versions and lines that cannot be read.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from keras_image_saver.run.files import RECORD, SEGMENTS
from keras_image_saver.run.storage import storage_of

FORMAT = 1  # of an entry

Entry = Mapping[str, Any]
Key = tuple[int, int, int]

_MARK = b"\xef\xbb\xbf"  # some editors begin a file of UTF-8 with it
_READINGS = 5  # of a record that changes meanwhile
_DEEPEST = 32  # lists and dicts in one another; logs of ours have three
_LARGEST = 2**53  # a page's scripts know no larger whole numbers
_YEAR_10000 = 253_402_300_800  # in seconds; calendars end there
# An empty name, a path from the root, a drive, a URL, or `..` on the way; by Windows' rules too.
_LEADS_OUT = re.compile(r"^$|^[/\\]|^[A-Za-z]:|^[A-Za-z][A-Za-z0-9+.-]+://|(^|[/\\])\.\.([/\\]|$)")


class Line(NamedTuple):
    """A line of the record.

    Attributes:
        raw: Its bytes, without the end of the line.
        entry: What it says; None if it cannot be read.
    """

    raw: bytes
    entry: Entry | None

    @property
    def key(self) -> Key | None:
        """What tells its snapshot from others: (epoch, batch), or (epoch, step) without batches."""
        return None if self.entry is None else key_of(self.entry)


class NewerError(ValueError):
    """What is read was written by a newer version of the package; it may mean something else."""

    def __init__(self, what: str, folder: str, found: int, known: int) -> None:
        super().__init__(
            f"{what} in {folder!r} was written by a newer keras_image_saver (format {found}, this "
            f"one reads {known}). Upgrade the package, or use another folder; nothing was changed."
        )


def key_of(entry: Entry) -> Key:
    """Return what tells an entry's snapshot from others, as in `Line.key`."""
    epoch, batch, step = (entry.get(name, 0) for name in ("epoch", "batch", "step"))
    return epoch, batch, 0 if batch else step


def line_of(entry: Entry) -> Line:
    """Return the line that an entry is written as."""
    return Line(json.dumps(entry, allow_nan=False, default=str).encode("ascii"), entry)


def read_line(raw: bytes, folder: str) -> Line:
    """Read a line of the record in a folder.

    Raises:
        NewerError: If it is of a newer version.
        ValueError: If it names a file outside the folder.
    """
    try:
        # NaN and the infinities become what entries of ours have in their place: text.
        entry = json.loads(
            raw.decode("utf-8").removeprefix(_MARK.decode("utf-8")),
            parse_constant=str,
            parse_float=read_float,
        )
        is_entry = _is_entry(entry)
    except (ValueError, RecursionError):
        return Line(raw, None)
    version: Any = entry.get("format") if isinstance(entry, dict) else None
    if _is_count(version, math.inf) and version > FORMAT:
        raise NewerError("The record", folder, version, FORMAT)
    file = entry.get("file") if is_entry else None
    if file is not None and not is_inside(folder, file):
        raise ValueError(
            f"The record in {folder!r} names a file outside its folder, {file!r}. It is not used."
        )
    return Line(raw, entry if is_entry else None)


def is_inside(folder: str, name: str) -> bool:
    """Tell whether a name stays in a folder: what is read from a file is data."""
    return _LEADS_OUT.search(name) is None and storage_of(folder).holds(name)


class Reading(NamedTuple):
    """What was read of a record.

    Attributes:
        lines: Oldest first, each key once; those that cannot be read stand where they stood.
        warnings: What to warn of in it.
        unreadable: Its files of which no line can be read.
    """

    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        return [line.entry for line in self.lines if line.entry is not None]


def record_files(folder: str) -> list[str]:
    """Return the names of a record's files, oldest first."""
    return SEGMENTS.among(storage_of(folder).names())


def read_record(folder: str) -> Reading | None:
    """Read the record of a run, which may be written meanwhile; None if there is none.

    Raises:
        ValueError: If an entry is from a newer version, its file is outside the folder, or no line
            can be read.
    """
    # The newest entries first: a file of them that fills up becomes a segment, and is found there.
    for _ in range(_READINGS):
        newest, names = read_content(folder, RECORD), record_files(folder)
        contents = {name: read_content(folder, name) for name in names if name != RECORD}
        if (newest, names) == (read_content(folder, RECORD), record_files(folder)):
            break  # no other run was begun, and none was cut
    contents[RECORD] = newest
    if all(content is None for content in contents.values()):
        return None
    found = _read(folder, contents)
    if found.lines and not found.entries:
        raise ValueError(
            f"The record in {folder!r} must have a line that can be read, got {len(found.lines)} of "
            f"{', '.join(contents)} that are no entries of a run. They are left as they are: restore "
            "them, move them away, or use another folder."
        )
    return found


def read_entries(folder: str, names: Iterable[str]) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the entries in some files of a record, and what to warn of in them.

    Raises:
        ValueError: If an entry is from a newer version, or its file is outside the folder.
    """
    found = _read(folder, {name: read_content(folder, name) for name in names})
    return found.entries, found.warnings


def _read(folder: str, contents: Mapping[str, bytes | None]) -> Reading:
    lines: list[Line] = []
    odd: dict[str, int] = {}
    nothing = []
    for name, content in contents.items():
        found = [read_line(raw, folder) for raw in (content or b"").split(b"\n") if raw.strip()]
        lines += found
        unreadable = sum(line.entry is None for line in found)
        if unreadable:
            odd[name] = unreadable
        if found and unreadable == len(found):
            nothing.append(name)
    last = {line.key: number for number, line in enumerate(lines)}
    kept = (one for number, one in enumerate(lines) if one.key is None or last[one.key] == number)
    warning = (
        f"{sum(odd.values())} lines of the record in {folder!r} cannot be read and are left out, of "
        f"{', '.join(odd)}."
    )
    return Reading(tuple(kept), (warning,) if odd else (), tuple(nothing))


def read_content(folder: str, name: str) -> bytes | None:
    """Return what is in a file of a folder; None if there is no such file."""
    place = storage_of(folder) / name
    if not place.exists():
        return None
    try:
        with place.open() as file:
            return file.read()
    except FileNotFoundError:  # it was there a moment ago
        return None


def _is_entry(entry: Any) -> bool:
    """Tell whether each field that is known is of its type, and what must be there is."""
    if not isinstance(entry, dict) or not {"epoch", "batch"} <= set(entry) or _is_deep(entry):
        return False
    time = entry.get("time", 0)
    return (
        _is_count(entry.get("format", FORMAT))
        and entry.get("format") != 0
        and all(_is_count(entry.get(name, 0)) for name in ("epoch", "batch", "step"))
        and (_is_count(time) or isinstance(time, float))
        and 0 <= time < _YEAR_10000
        and all(isinstance(entry.get(name) or {}, dict) for name in ("logs", "geometry", "metrics"))
        and all(map(_is_summary, (entry.get("metrics") or {}).values()))
        and (entry.get("file") is None or _is_name(entry["file"]))
        and isinstance(entry.get("removed", False), bool)
    )


def _is_summary(value: Any) -> bool:
    """Tell whether a measure's summary is one: numbers, and the numbers of samples with theirs."""
    return (
        isinstance(value, dict)
        and all(_is_number(value.get(name)) for name in ("mean", "least", "most"))
        and _is_count(value.get("nan", 0))
        and isinstance(value.get("worst"), list)
        and all(
            isinstance(one, list) and len(one) == 2 and _is_count(one[0]) and _is_number(one[1])
            for one in value["worst"]
        )
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) or value in ("NaN", "Infinity", "-Infinity")


def _is_name(value: Any) -> bool:
    try:
        return isinstance(value, str) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:  # a half of a character, which no file system has
        return False


def _is_count(value: Any, largest: float = _LARGEST) -> bool:
    return type(value) is int and 0 <= value < largest  # True is an int to `isinstance`


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [item for items in inner for item in items if isinstance(item, (dict, list))]
        if not level:
            return False
    return True


def read_float(text: str) -> float | str:
    """Read a number of JSON's, as entries have it: one too large for a float is text."""
    value = float(text)
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
