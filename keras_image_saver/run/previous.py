"""The run's folder: who writes to it, and what becomes of an earlier run in it.

An earlier run is set aside into `previous-<n>/`, first its record, then its files, subfolders kept.
A marker in `previous-<n>/` stands as long as that lasts; each start first completes what a killed
process left half done. Every step may be done twice.
"""

from __future__ import annotations

import logging
import re
from typing import Literal

from keras_image_saver.run import storage
from keras_image_saver.run.files import SAMPLES, page_files, record_files
from keras_image_saver.run.record import read_entries

_MARKER = ".moving"

logger = logging.getLogger("keras_image_saver")
_PREVIOUS = re.compile(r"previous-(\d+)")

Previous = Literal["keep", "delete"]


def complete_move(folder: str) -> None:
    """Complete what a killed process left half moved."""
    for name in storage.list_folder(folder):
        aside = storage.join(folder, name)
        if _PREVIOUS.fullmatch(name) and _MARKER in storage.list_folder(aside):
            _move(folder, aside)


def check_previous(folder: str, previous: Previous) -> None:
    """Refuse a folder whose earlier run cannot be set aside, before anything is done.

    Raises:
        ValueError: If the record is from a newer version or names files outside the folder, or if
            the folder is remote and its run is to be kept.
    """
    names = record_files(folder)
    entries = read_entries(folder, names)
    if any(entry.get("file") for entry in entries) and previous == "keep":
        _check_local(folder)


def set_aside(folder: str, previous: Previous) -> None:
    """Clear the folder of an earlier run: move it to `previous-<n>/`, or delete it.

    A record without snapshots is simply removed.
    """
    names = record_files(folder)
    files = [entry["file"] for entry in read_entries(folder, names) if entry.get("file")]
    if files and previous == "keep":
        _check_local(folder)
        aside = storage.join(folder, f"previous-{_next_number(folder)}")
        storage.replace_file(storage.join(aside, _MARKER), lambda file: None)
        _move(folder, aside)
        return
    # The record goes last: killed in between, the next start goes on with it. Without one, nothing
    # in the folder is ours.
    for name in [*files, SAMPLES, *page_files(folder), *names] if names else ():
        storage.remove_file(storage.join(folder, name))


def _move(folder: str, aside: str) -> None:
    """Move a run's record, then its page and its files."""
    for name in [*record_files(folder), SAMPLES, *page_files(folder)]:
        storage.move_file(storage.join(folder, name), storage.join(aside, name))
    for entry in read_entries(folder=aside, names=record_files(aside)):
        if entry.get("file") and storage.is_inside(folder, entry["file"]):
            storage.move_file(
                storage.join(folder, entry["file"]), storage.join(aside, entry["file"])
            )
    storage.remove_file(storage.join(aside, _MARKER))


def _next_number(folder: str) -> int:
    matches = (_PREVIOUS.fullmatch(name) for name in storage.list_folder(folder))
    return max((int(match[1]) for match in matches if match), default=0) + 1


def _check_local(folder: str) -> None:
    if storage.is_remote(folder):
        raise ValueError(
            f"`filepath` must be in a folder without an earlier run where storage is remote, got "
            f'{folder!r}: a move would copy it. Use another folder, or previous="delete".'
        )
