"""A page as one document, which may run its own script and nothing that it is not told of.

Its style and its script are parts, joined in order. The policy names both by their digests, so that
no text from a record can add to them.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from keras_image_saver.run.files import PAGE_MARK

_VIEWERS = "keras_image_saver.viewers"

# What each page is made of: what a record says, what shows pictures, and what shows numbers. A page's
# own parts follow, since a class stands before those that extend it.
_STYLES = ("web/base.css", "web/stage.css", "web/controls.css", "web/facts.css")
_SCRIPTS = (
    "web/dom.js",
    "web/entry.js",
    "web/run.js",
    "web/status.js",
    "web/values.js",
    "web/pictures.js",
    "web/layout.js",
    "web/zoom.js",
    "web/scene.js",
    "web/order.js",
    "web/stage_state.js",
    "web/classes.js",
    "web/layer.js",
    "web/pair.js",
    "web/frame.js",
    "web/gestures.js",
    "web/stage.js",
    "web/tools.js",
    "web/save.js",
    "web/keys.js",
    "web/scales.js",
    "web/metrics.js",
    "web/chart.js",
    "web/cursor.js",
    "web/metric_row.js",
    "web/charts.js",
)


def document(
    html: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    *,
    mark: str = PAGE_MARK,
    frames: bool = False,
) -> str:
    """Return a page.

    Args:
        html: The file in which `{{mark}}`, `{{policy}}`, `{{style}}`, `{{script}}`, `{{stage}}`, where
            pictures stand, and `{{player}}`, the buttons that lead through snapshots, are filled in,
            relative to the folder of the viewers, as those that follow.
        styles: The parts of its style that are its own.
        scripts: The parts of its script that are its own.
        mark: What it begins with, by which it is known as ours.
        frames: Whether it reads other pages in frames; then it loads no script.
    """
    style = "".join(map(_text, (*_STYLES, *styles)))
    script = '"use strict";\n' + "".join(map(_text, (*_SCRIPTS, *scripts)))
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; "
        f"style-src {digest(style)}; script-src {digest(script)}"
    )
    policy += "; frame-src 'self' file:" if frames else " 'strict-dynamic'"
    page = _text(html)
    marks = {
        "stage": _text("web/stage.html"),
        "player": _text("web/player.html"),
        "mark": mark,
        "policy": policy,
        "style": style,
        "script": script,
    }
    for name, text in marks.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


def _text(name: str) -> str:
    return files(_VIEWERS).joinpath(*name.split("/")).read_text("utf-8")


def digest(text: str) -> str:
    """Return how a policy names a script, or a style, that a page may have in itself."""
    found = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"
