"""The page of a run: `index.html`, and the run's files as scripts beside it.

A page that is opened from disk may load scripts and pictures, nothing else, so each file of the
record stands there a second time as a script: `snapshots.js` for `snapshots.jsonl`, `run.js` for
`run.json`, and so on. It is replaced whole whenever the run's own file is, and `latest.js` after it,
the one small file that an open page asks for. The page itself is the same for every run.
"""

import functools
import json
import os
import threading
import uuid
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import (
    LATEST_SCRIPT,
    METRICS_FILES,
    PAGE,
    RECORD,
    RUN_FILE,
    SEGMENTS,
    script_name,
    twin_name,
)
from keras_image_saver.run.lines import FORMAT, read_entries, record_files
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.mirror import Content
from keras_image_saver.run.previous import is_page_file
from keras_image_saver.run.run_file import About, read_run
from keras_image_saver.run.storage import check_path, join, storage_of
from keras_image_saver.run.values import Row, read_rows, values_files
from keras_image_saver.viewers.comparison.listing import write_list
from keras_image_saver.viewers.page.parts import script, segment_of
from keras_image_saver.viewers.page.twins import Twins
from keras_image_saver.viewers.value_texts import ValueTexts
from keras_image_saver.viewers.web.document import document

_STYLES = (
    "page/run.css",
    "page/strip.css",
)
_SCRIPTS = (
    "page/address.js",
    "page/state.js",
    "page/record.js",
    "page/strip.js",
    "web/facts.js",
    "page/view.js",
    "page/keys.js",
    "page/visit.js",
    "page/page.js",
)


def write_page(folder: str | os.PathLike[str]) -> str:
    """Write the page of an existing run, or of a folder of runs, or write it anew.

    Args:
        folder: The run's folder; any `tf.io.gfile` path. Without a record of its own it is a folder
            of runs, whose page lists those in its subfolders, and compares some of them.

    Returns:
        The path of `index.html`. It opens from disk; it needs the folder's pictures and scripts
        beside it, and nothing else.

    Raises:
        FileNotFoundError: If neither the folder nor one in it has a record.
        FileExistsError: If an `index.html`, or a script of the page's name, is not of such a page.
        ValueError: If the record is from a newer version, or names files outside its folder.

    Example:
        ```python
        path = write_page("runs/dcgan")
        webbrowser.open(f"file://{os.path.abspath(path)}")
        ```
    """
    folder = check_path(folder, "folder")
    names = record_files(folder)
    if not names:
        return write_list(folder)
    page = Page(folder, lambda text: warnings.warn(escaped(text), stacklevel=4))
    for name in names:
        entries, unreadable = read_entries(folder, [name])
        page.add(name, [json_logs(entry) for entry in entries])  # from elsewhere, it may have NaN
        for text in unreadable:
            warnings.warn(escaped(text), stacklevel=2)
    if RECORD not in names:
        page.add(RECORD, ())
    for name in values_files(folder):
        page.add(name, read_rows(folder, name))
    page.add(RUN_FILE, read_run(folder)[0] or {})  # runs of the first version have none
    page.write()
    return join(folder, PAGE)


class Page:
    """The page of a run that is being written. `follow` may be called by any thread.

    Args:
        folder: The run's folder.
        say: Tells the user a line, on any thread.
    """

    def __init__(self, folder: str, say: Callable[[str], None]) -> None:
        self._folder = storage_of(folder)
        self._say = say
        self._writing = threading.Lock()  # held while files are written
        # Another key tells an open page to read everything anew.
        self._latest: dict[str, Any] = {"key": uuid.uuid4().hex, "writes": 0, "run": 0}
        self._segments: dict[int, int] = {}  # how often each was written again
        self._unwritten: dict[str, Content] = {}
        self._values = ValueTexts()
        self._twins = Twins(self._folder)
        self._ours: set[str] = set()  # the page and scripts that it wrote, and so may replace
        self._failed = False
        self._refused = False

    def follow(self, name: str, content: Content) -> None:
        """Follow a file of the run; what fails is said, once, and tried again with the next.

        Args:
            name: The file's name.
            content: The entries or the rows of values that it holds, or what it says of the run as a
                whole; None if it was removed.
        """
        with self._writing:
            if self._refused:
                return
            self.add(name, content)
            try:
                self.write()
            except FileExistsError as error:
                self._refused = True
                self._say(f"There is no page of this run: {error}")
            except Exception as error:
                if not self._failed:
                    self._say(f"The page in {self._folder.path} could not be written: {error}")
                self._failed = True

    def add(self, name: str, content: Content) -> None:
        """Note what a file of the run holds; `write` brings it to storage, then or later."""
        number = SEGMENTS.number(name)
        if number is not None and content is not None:
            self._segments[number] = self._segments.get(number, -1) + 1
        elif number is not None:
            self._segments.pop(number, None)
        # To the end: the newest entries' script says which segments there are before it.
        self._unwritten.pop(name, None)
        self._unwritten[name] = content

    def write(self) -> None:
        """Bring what was added to storage, and the page itself where it is not there yet.

        Raises:
            FileExistsError: If a file of that name is not ours.
            OSError: If storage fails; what was not written is tried again by the next `write`.
        """
        self._check_free(PAGE, LATEST_SCRIPT, *map(script_name, self._unwritten))
        if PAGE not in self._ours or not (self._folder / PAGE).exists():
            self._replace(PAGE, page_html())
        before = dict(self._latest)
        for name, content in list(self._unwritten.items()):
            if content is None:
                self._remove(script_name(name))
            else:
                self._hand_over(name, self._text(name, content))
            self._note(name, content)
            del self._unwritten[name]
        # How a run stands whose `run.json` is still to come is not known, as where it is resumed.
        if "state" in self._latest:
            if self._latest != before or LATEST_SCRIPT not in self._ours:
                self._hand_over(LATEST_SCRIPT, json.dumps(self._latest))
            self._twins.write(all_of_them=self._latest["state"] != "running")

    def _check_free(self, *names: str) -> None:
        """Refuse files of these names, and of their twins', that are not of a page."""
        new = [one for one in names if one not in self._ours]
        there = self._folder.names() if new else ()
        for name in sorted({*new, *map(twin_name, new)}):
            path = (self._folder / name).path
            if name in there and not is_page_file(path):
                raise FileExistsError(
                    f"{path!r} is not of a page that keras_image_saver wrote, and is left as it is. "
                    "Move it away, or pass page=False."
                )

    def _text(self, name: str, content: Content) -> str:
        """Return what the page is handed of a file of the run."""
        if METRICS_FILES.among([name]):
            return self._values.json(cast(Sequence[Row], content), full=self._full_values())
        if name == RUN_FILE:
            return json.dumps(content, allow_nan=False, default=str)
        record: dict[str, Any] = {"format": FORMAT, "entries": content}
        if name == RECORD:
            record |= {"key": self._latest["key"], "segments": self._known_segments()}
            # An open page reads those anew, in which snapshots were marked as removed since.
            rewritten = {number: times for number, times in self._segments.items() if times}
            record |= {"rewritten": rewritten} if rewritten else {}
        return json.dumps(record, allow_nan=False)

    def _note(self, name: str, content: Content) -> None:
        """Note what is news to a page that asks; parts beside the newest one come before it."""
        if name == RECORD:
            self._latest["writes"] += 1
        elif name == RUN_FILE:
            state = cast(About, content).get("state")
            self._latest |= {"run": self._latest["run"] + 1, "state": str(state or "")}

    def _known_segments(self) -> int | list[int]:
        """Return how many there are, or their numbers where some are missing: a number may be any."""
        numbers = sorted(self._segments)
        return len(numbers) if numbers == list(range(len(numbers))) else numbers

    def _full_values(self) -> int:
        """Return how many full files of values there are."""
        return METRICS_FILES.full(self._folder.names())

    def _hand_over(self, name: str, text: str) -> None:
        self._replace(script_name(name), script(segment_of(name), text))
        self._twins.add(script_name(name), segment_of(name), text)

    def _remove(self, name: str) -> None:
        (self._folder / name).remove()
        self._twins.remove(name)

    def _replace(self, name: str, text: str) -> None:
        (self._folder / name).replace(lambda file: file.write(text.encode("utf-8")))
        self._ours.add(name)


@functools.cache
def page_html() -> str:
    """Return the page, which is the same for every run."""
    return document("page/page.html", _STYLES, _SCRIPTS)
