"""The names of all files in a run's folder."""

from __future__ import annotations

import re

from keras_image_saver.run import storage

SAMPLES = "samples.npz"
LOCK = ".keras_image_saver.lock"

FORMAT = 1
SEGMENT = 256
RECORD = "snapshots.jsonl"
PAGE = "index.html"
PAGE_MARK = "keras_image_saver page"  # near the start of each file of a page
_SEGMENT_NAME = re.compile(r"snapshots-(\d{4,})\.jsonl")
_PAGE_NAME = re.compile(r"index\.html|snapshots(-\d{4,})?\.js")


def record_files(folder: str) -> list[str]:
    """Return the names of a record's files, oldest first."""
    names = storage.list_folder(folder)
    segments = sorted(
        (name for name in names if _SEGMENT_NAME.fullmatch(name)),
        key=lambda name: int(name[len("snapshots-") : -len(".jsonl")]),
    )
    return segments + ([RECORD] if RECORD in names else [])


def page_files(folder: str) -> list[str]:
    """Return the names of the page and its scripts in a folder; others may be called so too."""
    names = (name for name in storage.list_folder(folder) if _PAGE_NAME.fullmatch(name))
    return sorted(name for name in names if is_page_file(storage.join(folder, name)))


def is_page_file(path: str) -> bool:
    """Tell whether a file was written as one of a page."""
    try:
        return PAGE_MARK.encode() in storage.read_bytes(path)[:200]
    except OSError:  # a folder, or not to be read: not ours to replace
        return False
