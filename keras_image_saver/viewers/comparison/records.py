"""What a page holds of a run: its record, what is said of it as a whole, and what its samples had."""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import PAGE
from keras_image_saver.run.lines import Entry, read_record
from keras_image_saver.run.run_file import read_run
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.values import read_rows, values_files
from keras_image_saver.viewers.value_texts import ValueTexts

# A page holds so many bytes of a run's values by sample, the newest ones: a page of four runs opens
# in a second or so.
VALUES_BYTES = 8_000_000


class Embedded(NamedTuple):
    """What a page holds of a run.

    Attributes:
        data: What is read at once.
        values: A text a file of values, oldest first, as scripts have it; read when a sample is
            looked at.
    """

    data: dict[str, Any]
    values: list[str]


def embedded(folder: str, url: str, name: str) -> Embedded:
    """Return what a page holds of a run.

    Args:
        folder: The run's.
        url: Of that folder, from the page.
        name: What the run is called there.

    Raises:
        ValueError: If the record cannot be used.

    Warns:
        UserWarning: If lines of the record, or `run.json`, cannot be read; they are left out.
    """
    found = read_record(folder)
    about, unreadable = read_run(folder)
    for text in (*(found.warnings if found else ()), *unreadable):
        warnings.warn(escaped(text), stacklevel=4)
    values, left_out = _values(folder)
    data = {
        "name": name,
        "url": url,
        "about": json.dumps(about or {}),
        **shared_geometries(found.entries if found else ()),
        "has_page": PAGE in storage_of(folder).names(),
        "values_left_out": left_out,
    }
    return Embedded(data, values)


def shared_geometries(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Return entries without the geometry that most have in common: in its place is its number.

    >>> shared_geometries([{"epoch": epoch, "geometry": {"count": 4}} for epoch in (1, 2)])
    {'geometries': [{'count': 4}], 'entries': [{'epoch': 1, 'geometry': 0}, {'epoch': 2, 'geometry': 0}]}
    """
    numbers: dict[str, int] = {}
    geometries: list[Any] = []
    short = []
    for entry in entries:
        geometry: Mapping[str, Any] = entry.get("geometry") or {}
        number = numbers.setdefault(json.dumps(geometry), len(numbers))
        if number == len(geometries):
            geometries.append(geometry)
        short.append({**entry, "geometry": number})
    return {"geometries": geometries, "entries": short}


def _values(folder: str) -> tuple[list[str], int]:
    """Return texts of the newest files, as there is room, oldest first, and how many are left out."""
    texts: list[str] = []
    names, room = values_files(folder), VALUES_BYTES
    for name in reversed(names):
        text = ValueTexts().json(read_rows(folder, name))
        room -= len(text)
        if room < 0:
            break
        texts.append(text)
    return texts[::-1], len(names) - len(texts)
