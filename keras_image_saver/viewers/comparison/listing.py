"""The list of a folder's runs: a card a run, by its `run.json` and its newest entries alone."""

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

from keras_image_saver.run.files import PAGE, RECORD, RUN_FILE, SEGMENTS, previous_number
from keras_image_saver.run.lines import Entry, read_entries
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.mirror import Content, Mirror, nobody
from keras_image_saver.run.retention import is_removed
from keras_image_saver.run.run_file import About, read_run
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.viewers.comparison.document import LIST, is_page, replace_page
from keras_image_saver.viewers.comparison.urls import relative_url, shell_path

_COMMAND = "keras-image-saver"
_MOST_READINGS = 5  # of a folder in which runs begin meanwhile
# What is said of a run on its card.
_TOLD = ("id", "state", "started", "resumed")


def write_list(folder: str) -> str:
    """Write the list of the runs in a folder, or write it anew.

    Args:
        folder: It has a run a subfolder.

    Returns:
        The path of `index.html` in it.

    Raises:
        FileNotFoundError: If no subfolder has a record.
        FileExistsError: If an `index.html` is there that is no such list.
        OSError: If storage fails.
    """
    path = join(folder, PAGE)
    for _ in range(_MOST_READINGS):
        runs = _runs_in(folder)
        if not runs:
            raise FileNotFoundError(
                f"There is no record of a run ({RECORD}) in {folder!r}, nor in a folder in it."
            )
        cards = [_card(folder, name, about) for name, about in runs.items()]
        data = {
            "kind": LIST.name,
            "written": round(time.time(), 3),
            "command": f"{_COMMAND} page {shell_path(folder)}",
            "cards": sorted(cards, key=lambda card: (-card["time"], card["name"])),
        }
        replace_page(path, LIST, data)
        # Another process may write at once, and who writes later may have looked first: it looks again.
        if _runs_in(folder) == runs:
            break
    return path


def refresh_list(run_folder: str) -> None:
    """Bring the list in whose folder a run is up to date, where there is one on this machine.

    Raises:
        OSError: If storage fails.
    """
    place = storage_of(run_folder.rstrip("/"))
    # Elsewhere each look at a run is a request, and there may be hundreds: there the command does it.
    if place.has_locks and is_page((place.folder / PAGE).path, LIST):
        write_list(place.folder.path)


def _runs_in(folder: str) -> dict[str, About | None]:
    """Return the names of the subfolders that have a run, with what is said of it."""
    found = {}
    for name in sorted(storage_of(folder).names()):
        run = join(folder, name)
        try:
            names = storage_of(run).names()
        except OSError:  # it may not be read, or is a link that leads nowhere
            continue
        about = _about(run) if RUN_FILE in names else None
        if about is not None or SEGMENTS.among(names):
            found[name] = about
    return found


def _about(run: str) -> About | None:
    try:
        return read_run(run)[0]
    except (OSError, ValueError):  # of a newer version; its card says so
        return None


def _card(folder: str, name: str, about: About | None) -> dict[str, Any]:
    """Return what is shown of a run, and of those that were set aside in its folder."""
    run = join(folder, name)
    numbers = {previous_number(one): one for one in storage_of(run).names()}
    aside = [numbers[number] for number in sorted(filter(None, numbers), reverse=True)]
    return {
        **_facts(folder, name, about),
        "previous": [
            _facts(folder, join(name, one), _about(join(run, one)))
            for one in aside
            if SEGMENTS.among(storage_of(join(run, one)).names())
        ],
    }


def _facts(folder: str, name: str, about: About | None) -> dict[str, Any]:
    run, odd = join(folder, name), ""
    entries: list[Entry] = []
    try:
        entries, _ = read_entries(run, [RECORD])
    except (OSError, ValueError) as error:
        odd = str(error)
    drawn = [entry for entry in entries if not is_removed(entry)]
    saved = [entry for entry in drawn if entry.get("file")]
    times = sorted(entry["time"] for entry in entries if entry.get("time"))
    gaps = [after - before for before, after in itertools.pairwise(times)]
    told = {key: (about or {}).get(key) for key in _TOLD}
    begun = [told[key] for key in ("started", "resumed") if isinstance(told[key], (int, float))]
    return {
        "name": name,
        "url": relative_url(folder, run),
        "about": json_logs(told),
        "entry": json_logs(drawn[-1]) if drawn else None,
        "shown": json_logs(saved[-1]) if saved else None,
        "interval": statistics.median(gaps) if gaps else None,
        "time": max([*times, *begun], default=0),
        "odd": odd,
        "has_page": PAGE in storage_of(run).names(),
        "path": shell_path(run),
    }


class ListedRun:
    """Brings the list that a run is in up to date when it begins, goes on and ends.

    Args:
        folder: The run's folder.
        say: Tells the user a line, on any thread.
        mirror: What follows the run's files besides, as its own page does.
    """

    def __init__(self, folder: str, say: Callable[[str], None], mirror: Mirror = nobody) -> None:
        self._folder = folder
        self._say = say
        self._mirror = mirror
        self._failed = False

    def follow(self, name: str, content: Content) -> None:
        """Follow a file of the run; what fails in the list is said, once."""
        self._mirror(name, content)
        if name != RUN_FILE:
            return
        try:
            refresh_list(self._folder)
        except Exception as error:
            if not self._failed:
                self._say(f"The list of runs beside {self._folder} could not be written: {error}")
            self._failed = True
