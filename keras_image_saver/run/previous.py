"""An earlier run in the folder: it is set aside when a new one begins, or deleted.

It goes to `previous-<n>/`: first its record, then its files, subfolders kept. A marker in there
stands as long as that lasts, and each start first completes what a killed process left half done.
Every step may be done twice.
"""

from collections.abc import Iterable
from typing import Literal

from keras_image_saver.run import files
from keras_image_saver.run.record import Entry, read_entries, record_files
from keras_image_saver.run.storage import Storage, join, move_all, storage_of
from keras_image_saver.run.template import Template

Previous = Literal["keep", "delete"]


def complete_move(folder: str) -> None:
    """Complete what a killed process left half moved."""
    place = storage_of(folder)
    for name in place.names() if place.can_move else ():
        if files.previous_number(name) is not None and files.MOVING in (place / name).names():
            _move(place, place / name)


def check_beginning(template: Template, entries: Iterable[Entry], previous: Previous) -> None:
    """Refuse a folder in which no run can begin, before anything is done.

    Args:
        template: The pictures' names; its folder is the run's.
        entries: Those of the record in it, if there is one.
        previous: What is to become of its run.

    Raises:
        ValueError: If its run cannot be set aside; or if pictures would be overwritten that no
            record tells of.
    """
    _check_movable(template.folder, entries, previous)
    if record_files(template.folder):
        return  # it stands before the first picture, so pictures that it does not name are lost ones
    for file in storage_of(template.folder).files(depth=template.depth, unless=files.LOCK):
        if template.matches(file.path):
            raise ValueError(
                f"`filepath` must not name files that are there already, got {template.folder!r}, "
                f"where {file.path!r} belongs to no run that is recorded ({files.RECORD}). Use another "
                "folder, or move those files."
            )


def set_aside(folder: str, previous: Previous) -> None:
    """Clear the folder of an earlier run: move it to `previous-<n>/`, or delete it.

    A record without snapshots is simply removed.

    Raises:
        ValueError: If the record is from a newer version or names files outside the folder, or if
            storage cannot move it.
        OSError: If storage fails; the next start goes on from there.
    """
    place, names = storage_of(folder), record_files(folder)
    entries, _ = read_entries(folder, names)
    _check_movable(folder, entries, previous)
    pictures = [entry["file"] for entry in entries if entry.get("file")]
    if pictures and previous == "keep":
        numbers = (files.previous_number(name) or 0 for name in place.names())
        aside = place / files.previous_name(max(numbers, default=0) + 1)
        (aside / files.MOVING).replace(lambda file: None)
        _move(place, aside)
        return
    # The record goes last: killed in between, the next start goes on with it. Without one, nothing
    # in the folder is ours.
    for name in [*pictures, files.SAMPLES, *page_files(folder), *names] if names else ():
        (place / name).remove()


def page_files(folder: str) -> list[str]:
    """Return the names of the page and its scripts in a folder; others may be called so too."""
    names = filter(files.is_page_name, storage_of(folder).names())
    return sorted(name for name in names if is_page_file(join(folder, name)))


def is_page_file(path: str) -> bool:
    """Tell whether a file was written as one of a page."""
    try:
        with storage_of(path).open() as file:
            return files.PAGE_MARK.encode() in file.read(200)
    except OSError:  # it is a folder, or may not be read, so it is not ours to replace
        return False


def _move(place: Storage, aside: Storage) -> None:
    """Move a run's record, then its page and its files.

    The record's move is what counts: before it the run is in `place`, after it in `aside`, where
    its record tells which files are still to come.
    """
    first = [*record_files(place.path), files.SAMPLES, *page_files(place.path)]
    move_all((place / name, aside / name) for name in first)
    entries, _ = read_entries(aside.path, record_files(aside.path))
    named = [entry["file"] for entry in entries if entry.get("file") and place.holds(entry["file"])]
    move_all((place / name, aside / name) for name in named)
    (aside / files.MOVING).remove()


def _check_movable(folder: str, entries: Iterable[Entry], previous: Previous) -> None:
    pictures = any(entry.get("file") for entry in entries)
    if pictures and previous == "keep" and not storage_of(folder).can_move:
        raise ValueError(
            f"`filepath` must be in a folder without an earlier run where storage is remote, got "
            f'{folder!r}: a move would copy it. Use another folder, or previous="delete".'
        )
