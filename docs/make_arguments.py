"""Writes `docs/arguments.md` from the docstrings: `python docs/make_arguments.py`."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import keras_image_saver
from keras_image_saver.cli import main as command

OUT = Path(__file__).parent / "arguments.md"

INTRODUCTION = """\
# All arguments

Written by `python docs/make_arguments.py` from the docstrings: change those, then run it. `help()` in
Python shows the same texts. How the parts work together is told in the [guide](guide.md).
"""

# Titles, and the public names below each; a class with those of its members that users call.
SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "The callback": {"ImageSaver": ("watch", "save"), "ImageSaverError": ()},
    "What is drawn": {"Images": (), "Segmentation": (), "Batch": ()},
    "What the model is shown": {"latents": ()},
    "Who hears of each snapshot": {"TensorBoardImages": (), "NotebookDisplay": ()},
    "A run that is read": {"Run": ("open", "id", "samples", "state"), "Snapshot": ()},
    "What is made of a run": {},  # and what has no other place
    "One array to pixels, one picture to a file": dict.fromkeys(
        ("save_image", "to_uint8", "make_grid", "colorize", "overlay", "encode_image"), ()
    ),
}
# These are handed to the user, who makes none.
READ = ("Batch", "ImageSaverError", "Run", "Snapshot")

_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Warns|Example):$", re.MULTILINE)
_ITEM = re.compile(r"^    (\*{0,2}[\w.]+): ", re.MULTILINE)


def text() -> str:
    """Return the whole of `arguments.md`."""
    placed = {name for names in SECTIONS.values() for name in names}
    others = [name for name in keras_image_saver.__all__ if name not in placed]
    others.remove("__version__")
    parts = [INTRODUCTION]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name, members in (names or dict.fromkeys(others, ())).items():
            found = getattr(keras_image_saver, name)
            parts += _described(name, found, is_read=name in READ)
            for member in members:
                parts += _described(f"{name}.{member}", inspect.getattr_static(found, member))
    return "\n".join([*parts, *_commands()])


def _described(name: str, found: Any, *, is_read: bool = False) -> Iterator[str]:
    """Yield a public name's heading, signature and docstring, a paragraph each."""
    is_property = isinstance(found, property)
    function = getattr(found, "__wrapped__", getattr(found, "__func__", found))
    yield f"{'####' if '.' in name else '###'} `{name}`\n"
    defaults: dict[str, str] = {}
    if not is_property and not is_read:
        parameters = [
            one.replace(annotation=inspect.Parameter.empty)
            for one in inspect.signature(function).parameters.values()
            if one.name not in ("self", "cls")
        ]
        has_default = (one for one in parameters if one.default is not inspect.Parameter.empty)
        defaults = {one.name: repr(one.default) for one in has_default}
        call = f"{name}{inspect.Signature(parameters)}"
        lines = textwrap.wrap(call, 88, subsequent_indent="    ", break_long_words=False)
        yield "\n".join(["```text", *lines, "```", ""])
    head, *sections = _SECTION.split(inspect.cleandoc(found.__doc__ or ""))
    yield f"{head.strip()}\n"
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        yield _section(title, body, defaults)


def _section(title: str, body: str, defaults: dict[str, str]) -> str:
    content = textwrap.dedent(body.strip("\n")).strip()
    if title == "Example":
        is_fenced = content.startswith("```")
        return f"{content}\n" if is_fenced else f"```pycon\n{content}\n```\n"
    _, *items = _ITEM.split(f"\n{body}")
    if title == "Returns" or not items:
        return f"**{title}**: {content}\n"
    lines = [] if title == "Args" else [f"**{title}**\n"]
    for name, item in zip(items[::2], items[1::2], strict=True):
        default = defaults.get(name.strip("*"))
        shown = f"`{name}`" if default is None else f"`{name}` (`{default}`)"
        words = " ".join(item.split())
        lines.append(textwrap.fill(f"- {shown}: {words}", 108, subsequent_indent="  ", **_WHOLE))
    return "\n".join(lines) + "\n"


_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


def _commands() -> Iterator[str]:
    """Yield what `--help` says, of the program and of each of its commands."""
    yield "## The command line\n"
    whole = _help()
    yield f"```text\n{whole}```\n"
    for name in re.findall(r"^    (\w+)(?: {2,}|$)", whole, re.MULTILINE):
        yield f"### `keras-image-saver {name}`\n"
        yield f"```text\n{_help(name)}```\n"


def _help(*arguments: str) -> str:
    shown = io.StringIO()
    wide = mock.patch.dict(os.environ, {"COLUMNS": "110"})
    with wide, contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        command([*arguments, "--help"])
    return shown.getvalue()


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
