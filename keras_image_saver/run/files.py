"""The names of all files in a run's folder. What stands in them is the affair of other modules."""

import re
import uuid
from collections.abc import Iterable

RECORD = "snapshots.jsonl"  # the newest entries; those before it stand in segments
SAMPLES = "samples.npz"
PAGE = "index.html"
PAGE_MARK = "keras_image_saver page"  # near the start of each file of a page
LOCK = ".keras_image_saver.lock"
PROBE = ".keras_image_saver-probe"  # stands for a moment on remote storage, to see that it can
MOVING = ".moving"  # stands in `previous-<n>/` as long as a run is being moved there

_SEGMENT = re.compile(r"snapshots-(\d{4,})\.jsonl")
_OF_A_PAGE = re.compile(r"index\.html|snapshots(-\d{4,})?\.js")
_PREVIOUS = re.compile(r"previous-(\d+)")
_TEMPORARY = re.compile(r"\.keras_image_saver-.*\.tmp")


def segment_name(number: int) -> str:
    """Return the name of a segment of the record; they are numbered from 0, the oldest."""
    return f"snapshots-{number:04d}.jsonl"


def segment_number(name: str) -> int | None:
    """Return which segment of the record a file is, None if it is none."""
    return _number(_SEGMENT, name)


def record_names(names: Iterable[str]) -> list[str]:
    """Return those names that are of a record's files, oldest first."""
    found = [name for name in names if name == RECORD or segment_number(name) is not None]
    return sorted(found, key=lambda name: (name == RECORD, segment_number(name) or 0))


def script_name(name: str) -> str:
    """Return the name of the script that hands a file of the record to the page."""
    return name.removesuffix("onl")  # .jsonl, .js


def is_page_name(name: str) -> bool:
    """Tell whether the page, or one of its scripts, is called so."""
    return _OF_A_PAGE.fullmatch(name) is not None


def previous_name(number: int) -> str:
    """Return the name of the folder to which the earlier run of that number is moved."""
    return f"previous-{number}"


def previous_number(name: str) -> int | None:
    """Return the number of the earlier run that is in a folder, None if it is not for one."""
    return _number(_PREVIOUS, name)


def temporary_name() -> str:
    """Return a name that no other file has."""
    return f".keras_image_saver-{uuid.uuid4().hex}.tmp"


def is_temporary(name: str) -> bool:
    """Tell whether a file is called as by `temporary_name`."""
    return _TEMPORARY.fullmatch(name) is not None


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.fullmatch(name)
    return None if match is None else int(match[1])
