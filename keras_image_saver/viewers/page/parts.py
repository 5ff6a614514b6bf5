"""What hands a part of a run to a page: a script to the run's own, a document to one elsewhere.

A page that is opened from disk may load scripts of its own folder, and no other folder's script runs in
it. What it may show is another folder's document in a frame, `<iframe sandbox="allow-scripts">`, which
posts what it holds to it. Either way a part is text in a text, both ASCII: data is never code, nor a
prototype.
"""

import json
from typing import TypeAlias

from keras_image_saver.run.files import (
    LATEST_SCRIPT,
    METRICS_FILES,
    PAGE_MARK,
    RECORD,
    RUN_FILE,
    SEGMENTS,
)
from keras_image_saver.viewers.web.document import digest

Segment: TypeAlias = int | str

# A page on disk has no origin that could be named; one of a server is told to nobody else's.
_POST = (
    'const [segment, text] = JSON.parse(document.getElementById("part").textContent);'
    'const reader = location.protocol === "file:" ? "*" : location.origin;'
    "parent.postMessage({ kerasImageSaver: segment, text }, reader);"
)


def segment_of(name: str) -> Segment:
    """Return what a page calls the part of the run that is in a file.

    >>> [segment_of(name) for name in ("snapshots.jsonl", "snapshots-0012.jsonl", "run.json")]
    ['newest', 12, 'run']
    >>> segment_of("snapshots-metrics.npz"), segment_of("snapshots-metrics-0003.npz")
    ('metrics', 'metrics-3')
    """
    if name in (RECORD, RUN_FILE, LATEST_SCRIPT):
        return {RECORD: "newest", RUN_FILE: "run", LATEST_SCRIPT: "latest"}[name]
    if METRICS_FILES.among([name]):
        number = METRICS_FILES.number(name)
        return "metrics" if number is None else f"metrics-{number}"
    number = SEGMENTS.number(name)
    assert number is not None, name
    return number


def script(segment: Segment, text: str) -> str:
    """Return a script that hands a part to the page in its folder."""
    call = f"kerasImageSaver({_ascii(segment)}, {_ascii(text)});"
    return f"// {PAGE_MARK}\n{call}\n"


def twin(segment: Segment, text: str) -> str:
    """Return a document that posts a part to the page that has it in a frame, and does nothing else."""
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; script-src {digest(_POST)}"
    return (
        f"<!DOCTYPE html>\n<!-- {PAGE_MARK}: hands a part of the run to a page elsewhere -->\n"
        '<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        "<title>A part of a run</title>\n"
        f'<script id="part" type="application/json">{_ascii([segment, text])}</script>\n'
        f"<script>{_POST}</script>\n</html>\n"
    )


def _ascii(value: object) -> str:
    return json.dumps(value).replace("<", "\\u003c")
