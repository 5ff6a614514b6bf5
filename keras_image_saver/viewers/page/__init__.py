"""The page of a run: `index.html`, and the record as scripts beside it.

A page that is opened from disk may load scripts and pictures, nothing else, so each file of the
record stands there a second time as a script: `snapshots.js` for `snapshots.jsonl`, and so on. It is
replaced whole whenever the record's own file is. The page itself is the same for every run.
"""

import functools
import json
import os
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import (
    METRICS_FILES,
    PAGE,
    PAGE_MARK,
    RECORD,
    RUN_SCRIPT,
    SEGMENTS,
    script_name,
)
from keras_image_saver.run.lines import FORMAT, Entry, read_entries, record_files
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.previous import is_page_file
from keras_image_saver.run.run_file import About, read_run
from keras_image_saver.run.storage import check_path, join, storage_of
from keras_image_saver.run.values import Row, read_rows, values_files
from keras_image_saver.viewers.value_texts import ValueTexts
from keras_image_saver.viewers.web.document import document

_STYLES = (
    "web/base.css",
    "page/run.css",
    "web/stage.css",
    "page/strip.css",
    "web/controls.css",
    "web/facts.css",
)
_SCRIPTS = (
    "web/dom.js",
    "web/entry.js",
    "web/values.js",
    "page/state.js",
    "page/record.js",
    "web/pictures.js",
    "web/frame.js",
    "page/strip.js",
    "web/scales.js",
    "web/metrics.js",
    "web/chart.js",
    "web/cursor.js",
    "web/metric_row.js",
    "web/charts.js",
    "web/facts.js",
    "page/view.js",
    "page/keys.js",
    "page/page.js",
)


def write_page(folder: str | os.PathLike[str]) -> str:
    """Write the page of an existing run, or write it anew.

    Args:
        folder: The run's folder; any `tf.io.gfile` path.

    Returns:
        The path of `index.html`. It opens from disk; it needs the folder's pictures and scripts
        beside it, and nothing else.

    Raises:
        FileNotFoundError: If the folder has no record.
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
        raise FileNotFoundError(f"There is no record of a run ({RECORD}) in {folder!r}.")
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
    page.write()
    return join(folder, PAGE)


class Page:
    """The page of a run that is being written.

    Args:
        folder: The run's folder.
        say: Tells the user a line, on any thread.
    """

    def __init__(self, folder: str, say: Callable[[str], None]) -> None:
        self._folder = storage_of(folder)
        self._say = say
        self._key = uuid.uuid4().hex  # another one tells an open page to read everything anew
        self._segments: dict[int, int] = {}  # how often each was written again
        self._unwritten: dict[str, Sequence[Any] | None] = {}
        self._values = ValueTexts()
        self._ours: set[str] = set()  # files that may be replaced
        self._failed = False
        self._refused = False

    def follow(self, name: str, content: Sequence[Entry] | Sequence[Row] | None) -> None:
        """Follow a file of the record; what fails is said, once, and tried again with the next.

        Args:
            name: The file's name.
            content: The entries, or the rows of values, that it holds; None if it was removed.
        """
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

    def add(self, name: str, content: Sequence[Entry] | Sequence[Row] | None) -> None:
        """Note what a file of the record holds; `write` brings it to storage, then or later."""
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
        names = {} if RUN_SCRIPT in self._ours else names_in(read_run(self._folder.path)[0])
        of_the_run = [RUN_SCRIPT] if names else []
        for file in (PAGE, *of_the_run, *map(script_name, self._unwritten)):
            path = (self._folder / file).path
            taken = file not in self._ours and file in self._folder.names()
            if taken and not is_page_file(path):
                raise FileExistsError(
                    f"{path!r} is not of a page that keras_image_saver wrote, and is left as it is. "
                    "Move it away, or pass page=False."
                )
        if PAGE not in self._ours or not (self._folder / PAGE).exists():
            self._replace(PAGE, page_html())
        if RUN_SCRIPT not in self._ours:
            self._tell_names(names)
        for name, content in list(self._unwritten.items()):
            if content is None:
                (self._folder / script_name(name)).remove()
            elif METRICS_FILES.among([name]):
                number = METRICS_FILES.number(name)
                segment = "metrics" if number is None else f"metrics-{number}"
                text = self._values.json(content, full=self._full_values())
                self._replace(script_name(name), _script(segment, text))
            else:
                self._replace(script_name(name), self._record_script(name, content))
            del self._unwritten[name]

    def _tell_names(self, names: Mapping[str, Any]) -> None:
        """Write what is called how, or remove what was so before the run was resumed."""
        file = self._folder / RUN_SCRIPT
        if names:
            self._replace(RUN_SCRIPT, _script("run", json.dumps(names)))
        elif RUN_SCRIPT in self._folder.names() and is_page_file(file.path):
            file.remove()
        self._ours.add(RUN_SCRIPT)

    def _record_script(self, name: str, entries: Sequence[Entry]) -> str:
        content: dict[str, Any] = {"format": FORMAT, "entries": list(entries)}
        if name == RECORD:
            content |= {"key": self._key, "segments": self._known_segments()}
            # An open page reads those anew, in which snapshots were marked as removed since.
            rewritten = {number: times for number, times in self._segments.items() if times}
            content |= {"rewritten": rewritten} if rewritten else {}
        segment = "newest" if name == RECORD else SEGMENTS.number(name)
        return _script(segment, json.dumps(content, allow_nan=False))

    def _known_segments(self) -> int | list[int]:
        """Return how many there are, or their numbers where some are missing: a number may be any."""
        numbers = sorted(self._segments)
        return len(numbers) if numbers == list(range(len(numbers))) else numbers

    def _full_values(self) -> int:
        """Return how many full files of values there are."""
        return METRICS_FILES.full(self._folder.names())

    def _replace(self, name: str, text: str) -> None:
        (self._folder / name).replace(lambda file: file.write(text.encode("utf-8")))
        self._ours.add(name)


def names_in(about: About | None) -> dict[str, list[Any]]:
    """Return what `run.json` says that samples and classes are called; it may say anything."""
    settings, classes = ((about or {}).get(name) for name in ("settings", "class_names"))
    samples = settings.get("sample_names") if isinstance(settings, dict) else None
    found = {"sample_names": samples, "class_names": classes}
    return {name: json_logs(one) for name, one in found.items() if one and isinstance(one, list)}


def _script(segment: int | str | None, text: str) -> str:
    """Return a script that hands the page a part of the record."""
    # As text in a text, both ASCII: data is never code, nor a prototype.
    data = json.dumps(text).replace("<", "\\u003c")
    call = f"kerasImageSaver({json.dumps(segment)}, {data});"
    return f"// {PAGE_MARK}: the record beside it as a script\n{call}\n"


@functools.cache
def page_html() -> str:
    """Return the page, which is the same for every run."""
    return document("page/page.html", _STYLES, _SCRIPTS)
