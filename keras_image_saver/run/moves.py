"""Files that are moved, or removed, together: so that it lasts before anything else is done."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from keras_image_saver.run.storage import Storage


def move_all(moves: Iterable[tuple[Storage, Storage]]) -> None:
    """Move files, in order, and make it last before anything else is done.

    Args:
        moves: From where, and to where. What is not there is left out.

    Raises:
        OSError: If storage fails, or cannot move; each file is in one place or in the other.
    """
    gained, left = {}, {}
    for source, target in moves:
        if source.exists():
            source.move(target)
            gained[target.folder] = left[source.folder] = True
    for folder in {**gained, **left}:  # the new names first: a file may have two, and never none
        folder.sync()


def remove_all(files: Iterable[Storage]) -> None:
    """Remove files, those that are there, and make it last before anything else is done.

    Raises:
        OSError: If storage fails.
    """
    removed = list(files)
    for file in removed:
        file.remove()
    sync_all(removed)


def sync_all(files: Iterable[Storage]) -> None:
    """Make what became of files last: that they are called so, or are gone.

    Raises:
        OSError: If storage fails.
    """
    for folder in dict.fromkeys(file.folder for file in files):
        if folder.exists():
            folder.sync()


def remove_empty(place: Storage, names: Iterable[str]) -> None:
    """Remove the subfolders in which files of these relative names were, if they are empty."""
    inner = {str(one) for name in names for one in PurePosixPath(name).parents} - {"."}
    for folder in sorted(inner, key=len, reverse=True):
        (place / folder).remove_folder()
