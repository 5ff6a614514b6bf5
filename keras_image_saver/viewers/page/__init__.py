"""The page of a run: `index.html`, and the record as scripts beside it.

A page that is opened from disk may load scripts and pictures, nothing else, so each file of the
record stands there a second time as a script: `snapshots.js` for `snapshots.jsonl`, and so on. It is
replaced whole whenever the record's own file is. The page itself is the same for every run.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import logging
import math
import os
import uuid
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from keras_image_saver.run.files import PAGE, PAGE_MARK, RECORD, script_name, segment_number
from keras_image_saver.run.previous import is_page_file
from keras_image_saver.run.record import FORMAT, read_entries, record_files
from keras_image_saver.run.storage import check_path, join, storage_of

_SCRIPTS = ("record.js", "pictures.js", "frame.js", "strip.js", "charts.js", "page.js")

logger = logging.getLogger("keras_image_saver")

Entries = Sequence[Mapping[str, Any]]


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
    found = {name: read_entries(folder, [name]) for name in names}
    page = Page(folder)
    for name, entries in {**found, RECORD: found.get(RECORD, [])}.items():
        page.owe(name, entries)
    page.settle()
    return join(folder, PAGE)


class Page:
    """The page of a run that is being written.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._place = storage_of(folder)
        self._key = uuid.uuid4().hex  # another one tells an open page to read everything anew
        self._segments = 0
        self._owed: dict[str, Entries | None] = {}
        self._ours: set[str] = set()  # files that may be replaced
        self._failed = False
        self._refused = False

    def mirror(self, name: str, entries: Entries | None) -> None:
        """Follow a file of the record; what fails is logged, once, and tried again with the next.

        Args:
            name: The file's name.
            entries: What it holds; None if it was removed.
        """
        if self._refused:
            return
        self.owe(name, entries)
        try:
            self.settle()
        except FileExistsError as error:
            self._refused = True
            logger.warning("There is no page of this run: %s", error)
        except Exception as error:
            if not self._failed:
                logger.warning("The page in %s could not be written: %s", self._folder, error)
            self._failed = True

    def owe(self, name: str, entries: Entries | None) -> None:
        """Note what a file of the record holds; `settle` writes it."""
        if name != RECORD and entries is not None:
            self._segments = (segment_number(name) or 0) + 1
        # To the end: the newest entries' script says how many segments there are before it.
        self._owed.pop(name, None)
        self._owed[name] = entries

    def settle(self) -> None:
        """Write what is owed, the page itself where it is not there yet.

        Raises:
            FileExistsError: If a file of that name is not ours.
            OSError: If storage fails; what was not written is still owed.
        """
        scripts = {name: script_name(name) for name in self._owed}
        for file in (PAGE, *scripts.values()):
            self._check_ours(file)
        if PAGE not in self._ours or not (self._place / PAGE).exists():
            self._replace(PAGE, page_html())
        for name, script in scripts.items():
            entries = self._owed[name]
            if entries is None:
                (self._place / script).remove()
            else:
                self._replace(script, self._script(name, entries))
            del self._owed[name]

    def _script(self, name: str, entries: Entries) -> str:
        segment = "newest" if name == RECORD else segment_number(name)
        content: dict[str, Any] = {"format": FORMAT, "entries": list(entries)}
        if name == RECORD:
            content |= {"key": self._key, "segments": self._segments}
        # As text in a text, both ASCII: data is never code, nor a prototype.
        data = json.dumps(_plain_json(content)).replace("<", "\\u003c")
        call = f"kerasImageSaver({json.dumps(segment)}, {data});"
        return f"// {PAGE_MARK}: the record beside it as a script\n{call}\n"

    def _replace(self, name: str, text: str) -> None:
        (self._place / name).replace(lambda file: file.write(text.encode("utf-8")))
        self._ours.add(name)

    def _check_ours(self, name: str) -> None:
        if name in self._ours or name not in self._place.names():
            return
        path = join(self._folder, name)
        if not is_page_file(path):
            raise FileExistsError(
                f"{path!r} is not of a page that keras_image_saver wrote, and is left as it is. Move "
                "it away, or pass page=False."
            )


@functools.cache
def page_html() -> str:
    """Return the page: one document, which may run its own script and what that loads."""
    folder = files(__name__)
    style = (folder / "page.css").read_text("utf-8")
    script = "".join((folder / name).read_text("utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n{script}'
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; "
        f"style-src {_hash(style)}; script-src {_hash(script)} 'strict-dynamic'"
    )
    html = (folder / "page.html").read_text("utf-8")
    for mark, text in (
        ("mark", PAGE_MARK),
        ("policy", policy),
        ("style", style),
        ("script", script),
    ):
        html = html.replace(f"{{{{{mark}}}}}", text)
    return html


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _plain_json(content: Any) -> str:
    """Return JSON, which has no NaN; a record from elsewhere may."""
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(content), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
