"""An earlier run in the folder: it is set aside when a new one begins, or deleted.

Either way a file first lists what is to go, so that each start can complete what a killed process
left half done; every step may be done twice.

- Set aside, it goes to `previous-<n>/`: first its record, then the rest, subfolders kept. The list is
  a marker in there. The record's move is what counts: a move of which nothing has come is undone.
- Deleted, `run.json` becomes the list, which is what counts; the record goes before the files that it
  names, and `run.json` last.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

from keras_image_saver.run import files
from keras_image_saver.run.found import Found
from keras_image_saver.run.lines import Entry, is_inside, read_content, read_record, record_files
from keras_image_saver.run.moves import move_all, remove_all, remove_empty, sync_all
from keras_image_saver.run.pictures import Explain, explained, is_own
from keras_image_saver.run.retention import removed_files
from keras_image_saver.run.run_file import About, find_run, new_about, read_run, write_about
from keras_image_saver.run.samples_file import find_samples
from keras_image_saver.run.storage import Storage, is_same, join, storage_of
from keras_image_saver.run.values import is_values_file, values_files

Previous = Literal["keep", "delete"]


def complete(folder: str, explain: Explain) -> None:
    """Complete what a killed process left half moved, or half deleted.

    Args:
        folder: The run's folder.
        explain: Reads what a picture says of itself.

    Raises:
        ValueError: If `run.json` is of a newer version, or not ours.
    """
    place = storage_of(folder)
    for name in place.names() if place.can_move else ():
        aside = place / name
        if files.previous_number(name) is not None and files.MOVING in aside.names():
            _complete_move(place, aside, explain)
    about = find_run(folder)
    if about is not None and about.get("state") == "deleting":
        record, listed = record_files(folder), _names_in(about) or []
        # A list is a file too, and may say anything.
        _delete(
            place, [one for one in listed if one in record or _is_of(place, one, about, explain)]
        )


def clear_temporaries(folder: str, depth: int) -> None:
    """Remove what killed processes left half written, also where runs and pictures were moved to.

    Args:
        folder: The run's folder.
        depth: How many levels of subfolders may hold pictures.
    """
    place = storage_of(folder)
    _clear(place, depth)
    for name in filter(files.is_aside, place.names()):
        _clear(place / name, depth)
        (place / name).remove_folder()  # where it had nothing else


def _clear(place: Storage, depth: int) -> None:
    for file in place.contents(depth=depth, unless=files.LOCK):
        if files.is_temporary(file.path.split("/")[-1]):
            with contextlib.suppress(OSError):
                file.remove()


def check_movable(folder: str, found: Found, previous: Previous) -> None:
    """Refuse a run that cannot be set aside, before anything is done.

    Raises:
        ValueError: If storage cannot move it.
    """
    if _is_kept(found, previous) and not storage_of(folder).can_move:
        raise ValueError(
            f"`filepath` must be in a folder without an earlier run where storage is remote, got "
            f'{folder!r}: a move would copy it. Use another folder, or previous="delete".'
        )


def set_aside(folder: str, previous: Previous, found: Found) -> None:
    """Clear the folder of an earlier run: move it to `previous-<n>/`, or delete it.

    A run without pictures is simply deleted.

    Raises:
        ValueError: If storage cannot move it.
        OSError: If storage fails; the next start goes on from there.
    """
    check_movable(folder, found, previous)
    place = storage_of(folder)
    # What is removed is gone for good before its record is, or it would be nobody's.
    sync_all(place / name for name in removed_files(found.entries))
    kept = _is_kept(found, previous)
    # A file without a mark may be moved where the first version may have written it, but never deleted.
    names = _names_of(folder, found, unmarked=kept and found.has_unmarked_samples)
    if kept:
        aside = place / files.next_previous(place.names())
        record = [*record_files(folder), files.RUN_FILE]
        _write_list(aside, [*record, *names])
        _move(place, aside, record, lambda about: names)
    elif found.is_recorded:
        about = {**(found.about or new_about()), "state": "deleting"}
        about |= {"id": found.id or about["id"], "files": [*record_files(folder), *names]}
        write_about(folder, about)
        _delete(place, about["files"])


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


def _is_kept(found: Found, previous: Previous) -> bool:
    # A line that cannot be read may name a picture.
    odd = any(line.entry is None for line in found.lines)
    return previous == "keep" and bool(found.files or odd or found.pictures.own)


def _names_of(folder: str, found: Found, *, unmarked: bool) -> list[str]:
    """Return the names of a run's files but the record and `run.json`."""
    samples = find_samples(folder, found.id, unmarked=unmarked)
    own = [files.SAMPLES] if samples is not None else []
    return [*own, *values_files(folder), *page_files(folder), *found.pictures.of_the_run]


def _write_list(aside: Storage, names: list[str]) -> None:
    content = json.dumps({"files": names}).encode("ascii")
    (aside / files.MOVING).replace(lambda file: file.write(content))


def _complete_move(place: Storage, aside: Storage, explain: Explain) -> None:
    if not record_files(aside.path) and files.RUN_FILE not in aside.names():
        (aside / files.MOVING).remove()
        aside.remove_folder()
        return
    listed = _files_in(read_content(aside.path, files.MOVING))

    def rest(about: About | None) -> list[str]:
        # The first version kept no list: what has been moved of the record names the rest.
        names = _unlisted(place, aside) if listed is None else listed
        return [one for one in names if _is_of(place, one, about, explain, unmarked=True)]

    record = record_files(place.path) if listed is None else listed
    _move(place, aside, filter(files.is_of_the_record, record), rest)


def _move(
    place: Storage,
    aside: Storage,
    record: Iterable[str],
    rest: Callable[[About | None], Collection[str]],
) -> None:
    """Move a run's record, and then what it says is the rest, by what `run.json` says of it."""
    _move_files(place, aside, record)
    about, _ = read_run(aside.path)
    names = rest(about)
    _move_files(place, aside, names)
    remove_empty(place, names)
    if about is not None and about.get("state") == "running":
        write_about(aside.path, {**about, "state": "failed"})  # nobody trains it any more
    (aside / files.MOVING).remove()


def _move_files(place: Storage, aside: Storage, names: Iterable[str]) -> None:
    """Move files, and make that last."""
    moves = ((place / name, aside / name) for name in names)
    # What is there already is the run's: whatever else has its name in `place` by now is not.
    move_all(one for one in moves if not one[1].exists() or is_same(*one))


def _is_of(
    place: Storage, name: str, about: About | None, explain: Explain, *, unmarked: bool = False
) -> bool:
    """Tell whether a file beside a record is the run's, whatever a list of files says.

    Args:
        place: The run's folder.
        name: The file's name in it.
        about: What `run.json` says of the run.
        explain: Reads what a picture says of itself.
        unmarked: Whether samples without a mark count.
    """
    run = (about or {}).get("id")
    if files.is_page_name(name):
        return is_page_file(join(place.path, name))
    if name == files.SAMPLES:
        return find_samples(place.path, run, unmarked=unmarked) is not None
    if files.METRICS_FILES.among([name]):
        return is_values_file(place.path, name)
    if not is_inside(place.path, name):
        return False
    said = explained(place / name, explain)
    # Without a `run.json` any run's id is as good as another.
    return is_own(name, said, run or (said or {}).get("run"))


def _unlisted(place: Storage, aside: Storage) -> Iterator[str]:
    """Yield the names of what belongs to the record in `aside`."""
    yield files.SAMPLES
    yield from page_files(place.path)
    found = read_record(aside.path)
    yield from (entry["file"] for entry in _entries(found) if entry.get("file"))


def _entries(found: Any) -> list[Entry]:
    return [] if found is None else list(found.entries)


def _files_in(content: bytes | None) -> list[str] | None:
    try:
        return _names_in(json.loads(content or b""))
    except (ValueError, RecursionError):
        return None


def _names_in(content: Any) -> list[str] | None:
    listed = content.get("files") if isinstance(content, Mapping) else None
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else None


def _delete(place: Storage, names: Collection[str]) -> None:
    # Each step lasts before the next one: a record may not outlive the pictures that it names, nor a
    # picture the list that says whose it is.
    remove_all(place / name for name in names if files.is_of_the_record(name))
    remove_all(place / name for name in names if not files.is_of_the_record(name))
    remove_empty(place, names)
    (place / files.RUN_FILE).remove()
