"""The document of runs: a page, which is the same for all, and the data in it."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_image_saver.run.files import PAGE_MARK
from keras_image_saver.run.storage import storage_of
from keras_image_saver.viewers.web.document import document

_STYLES = (
    "comparison/comparison.css",
    "comparison/cards.css",
)
_SCRIPTS = (
    "comparison/align.js",
    "comparison/differences.js",
    "comparison/measures.js",
    "comparison/states.js",
    "comparison/state.js",
    "comparison/address.js",
    "comparison/parts.js",
    "comparison/twins.js",
    "comparison/record.js",
    "comparison/cards.js",
    "comparison/view.js",
    "comparison/keys.js",
    "comparison/comparison.js",
    "comparison/runs.js",
)
_DATA = "{{data}}"


class Kind(NamedTuple):
    """A kind of page, by which one of ours is known from another.

    Attributes:
        name: In its data.
        text: Near its start, what it does.
    """

    name: str
    text: str

    @property
    def mark(self) -> str:
        return f"{PAGE_MARK}: {self.text}"


COMPARISON = Kind("comparison", "compares runs")
LIST = Kind("list", "lists the runs in this folder")


def replace_page(path: str, kind: Kind, data: Any, values: Sequence[Sequence[str]] = ()) -> None:
    """Write a page, or replace one of its kind.

    Args:
        path: Its file.
        kind: What it is.
        data: What it holds, fit for JSON.
        values: By run, texts that are read later.

    Raises:
        FileExistsError: If there is a file of the name that is no page of this kind.
        OSError: If storage fails.
    """
    if storage_of(path).exists() and not is_page(path, kind):
        raise FileExistsError(
            f"{path!r} is no page of keras_image_saver that {kind.text}, and is left as it is. Move it "
            "away, or choose another name."
        )
    content = runs_page(kind, data, values).encode("utf-8")
    storage_of(path).replace(lambda file: file.write(content))


def is_page(path: str, kind: Kind) -> bool:
    """Tell whether a file was written as a page of a kind."""
    try:
        with storage_of(path).open() as file:
            return kind.mark.encode("ascii") in file.read(200)
    except OSError:  # there is none, it is a folder, or may not be read
        return False


def runs_page(kind: Kind, data: Any, values: Sequence[Sequence[str]] = ()) -> str:
    """Return a page with its data."""
    page = document("comparison/comparison.html", _STYLES, _SCRIPTS, mark=kind.mark, frames=True)
    blocks = [_block("data", data)]
    blocks += [_block(f"values-{number}", list(texts)) for number, texts in enumerate(values)]
    return page.replace(_DATA, "\n".join(blocks))


def _block(name: str, data: Any) -> str:
    """Return data as an element that no browser takes for a script: of ASCII, and without a "<"."""
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'
