"""The names of all files in a run's folder. What stands in them is the affair of other modules."""

import re
import uuid
from collections.abc import Iterable
from typing import NamedTuple

RECORD = "snapshots.jsonl"  # the newest entries; those before it stand in segments
RUN_FILE = "run.json"  # what is said of the run as a whole
SAMPLES = "samples.npz"
METRICS = "snapshots-metrics.npz"  # what each sample had, at the newest snapshots
PAGE = "index.html"
LATEST_SCRIPT = "latest.js"  # the one that an open page asks for: it tells whether there is news
PAGE_MARK = "keras_image_saver page"  # near the start of each file of a page
LOCK = ".keras_image_saver.lock"
PROBE = ".keras_image_saver-probe"  # stands for a moment on remote storage, to see that it can
MOVING = ".moving"  # stands in `previous-<n>/` as long as a run is being moved there

_OF_A_PAGE = re.compile(r"index\.html|(run|latest|snapshots(-metrics)?(-\d{4,})?)\.(js|html)")
_PREVIOUS = re.compile(r"previous-(\d+)")
_UNRECORDED = re.compile(r"unrecorded-(\d+)")
_TEMPORARY = re.compile(r"\.keras_image_saver-.*\.tmp")


class Series(NamedTuple):
    """Files that hold one thing in parts: the newest part, and full ones numbered from 0, the oldest.

    Attributes:
        newest: The name of the newest part, with a suffix.

    Example:
        >>> SEGMENTS.name(12), SEGMENTS.number("snapshots-0012.jsonl"), SEGMENTS.number(RECORD)
        ('snapshots-0012.jsonl', 12, None)
    """

    newest: str

    def name(self, number: int) -> str:
        """Return the name of a full part."""
        stem, _, suffix = self.newest.rpartition(".")
        return f"{stem}-{number:04d}.{suffix}"

    def number(self, name: str) -> int | None:
        """Return which full part a file is, None if it is none."""
        stem, _, suffix = self.newest.rpartition(".")
        number = _number(re.compile(rf"{re.escape(stem)}-(\d{{4,}})\.{suffix}"), name)
        return number if number is not None and self.name(number) == name else None

    def among(self, names: Iterable[str]) -> list[str]:
        """Return those names that are of parts, oldest first."""
        found = [name for name in names if name == self.newest or self.number(name) is not None]
        return sorted(found, key=lambda name: (name == self.newest, self.number(name) or 0))

    def full(self, names: Iterable[str]) -> int:
        """Return the number that the next full part has, beside parts of these names."""
        numbers = (self.number(name) for name in names)
        return 1 + max((number for number in numbers if number is not None), default=-1)


SEGMENTS, METRICS_FILES = Series(RECORD), Series(METRICS)


def is_of_the_record(name: str) -> bool:
    """Tell whether a file is one of the record, or says which run it is of."""
    return name in (RECORD, RUN_FILE) or SEGMENTS.number(name) is not None


def script_name(name: str) -> str:
    """Return the name of the script that hands a file of the run to its page.

    >>> script_name("snapshots-0003.jsonl"), script_name("snapshots-metrics.npz"), script_name(RUN_FILE)
    ('snapshots-0003.js', 'snapshots-metrics.js', 'run.js')
    """
    return f"{name.rpartition('.')[0]}.js"


def twin_name(script: str) -> str:
    """Return the name of the document that hands to a page elsewhere what a script hands to the run's.

    >>> twin_name("snapshots-0003.js")
    'snapshots-0003.html'
    """
    return f"{script.rpartition('.')[0]}.html"


def is_page_name(name: str) -> bool:
    """Tell whether the page, or one of its scripts and their twins, is called so."""
    return _OF_A_PAGE.fullmatch(name) is not None


def previous_name(number: int) -> str:
    """Return the name of the folder to which the earlier run of that number is moved."""
    return f"previous-{number}"


def previous_number(name: str) -> int | None:
    """Return the number of the earlier run that is in a folder, None if it is not for one."""
    return _number(_PREVIOUS, name)


def unrecorded_name(number: int) -> str:
    """Return the name of a folder to which pictures are moved of which no run is known."""
    return f"unrecorded-{number}"


def unrecorded_number(name: str) -> int | None:
    """Return the number of a folder for pictures of no known run, None if it is not for those."""
    return _number(_UNRECORDED, name)


def next_previous(names: Iterable[str]) -> str:
    """Return where the next run is moved, of a folder that has these names."""
    return previous_name(max((previous_number(name) or 0 for name in names), default=0) + 1)


def next_unrecorded(names: Iterable[str]) -> str:
    """Return where the next pictures of no known run are moved, of a folder that has these names."""
    return unrecorded_name(max((unrecorded_number(name) or 0 for name in names), default=0) + 1)


def is_aside(name: str) -> bool:
    """Tell whether a relative name is of, or in, a folder to which something was moved aside."""
    top = name.split("/")[0]
    return previous_number(top) is not None or unrecorded_number(top) is not None


def temporary_name() -> str:
    """Return a name that no other file has."""
    return f".keras_image_saver-{uuid.uuid4().hex}.tmp"


def is_temporary(name: str) -> bool:
    """Tell whether a file is called as by `temporary_name`."""
    return _TEMPORARY.fullmatch(name) is not None


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.fullmatch(name)
    return None if match is None else int(match[1])
