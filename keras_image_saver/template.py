"""File names from a template, as in `ModelCheckpoint`."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

_COUNTERS = ("epoch", "batch", "step")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# Counts that a lossy format such as {epoch:.0e} would print alike.
_TELLING_COUNTS = ((1, 2), (10, 11), (100, 101), (1_000, 1_001), (10_000, 10_001))


class Template:
    """A path with fields: `{epoch}`, `{batch}`, `{step}` and keys of `logs`.

    Args:
        filepath: The template. Without a suffix it is a folder, and the file in it is named
            `{epoch:04d}.png`, or `{step:08d}.png` when saving by batches.
        by_batches: Whether snapshots are saved by batches too.

    Raises:
        TypeError: If `filepath` is not a path.
        ValueError: If the template is malformed, or if two snapshots would get one name.
    """

    def __init__(self, filepath: str | os.PathLike[str], *, by_batches: bool = False) -> None:
        try:
            text = os.fspath(filepath)
        except TypeError:
            raise TypeError(f"`filepath` must be a str or a path, got {filepath!r}.") from None
        if not isinstance(text, str) or not text:
            raise TypeError(f"`filepath` must be a non-empty str, got {text!r}.")
        if not isinstance(filepath, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]", text):
            raise ValueError(
                f"`filepath` must be a str for a URL: pathlib made {text!r} of it, with one slash."
            )
        text = os.path.expanduser(text)
        if os.sep == "\\":
            text = text.replace(os.sep, "/")
        parts = _parse(text)
        plain = "".join(literal + ("0" if field else "") for literal, field, _ in parts)
        self.suffix = os.path.splitext(plain)[1].lower()
        if plain.endswith("/") or not self.suffix:
            name = "{step:08d}.png" if by_batches else "{epoch:04d}.png"
            text = text.rstrip("/") + "/" + name if text.strip("/") else "/" + name
            parts, self.suffix = _parse(text), ".png"
        self.text = text
        self._parts = parts
        self._check_unique(by_batches)

    @property
    def folder(self) -> str:
        """The run's folder: the longest prefix of the path that has no field."""
        literal = self._parts[0][0]
        return literal[: literal.rfind("/") + 1].rstrip("/") or ("/" if literal[:1] == "/" else "")

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field for _, field, _ in self._parts if field)

    def path(self, counters: Mapping[str, int], logs: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Fill in the fields.

        Args:
            counters: epoch, batch and step, each counted from 1.
            logs: Plain logs, by any key.

        Returns:
            The path, and the fields that could not be filled in and are left out of it.
        """
        pieces: list[str] = []
        missing = []
        values = {**logs, **counters}
        for literal, field, spec in self._parts:
            pieces.append(literal)
            if not field:
                continue
            try:
                pieces.append(_safe(format(values[field], spec)))
            except (KeyError, TypeError, ValueError):
                missing.append(field)
                pieces[-1] = pieces[-1].rstrip("-_ ")
        return "".join(pieces), missing

    def check_counters(self, given: Mapping[str, int]) -> None:
        """Refuse counters that do not fit the template's, where each snapshot states its own.

        Raises:
            ValueError: If the template has a counter that is not given; or if it lacks those that
                tell this snapshot from the next.
        """
        fields = set(self.fields) & set(_COUNTERS)
        short = sorted(fields - set(given))
        if short:
            raise ValueError(
                f"`save` must be given {', '.join(short)}, which `filepath` has as fields, got "
                f"{self.text!r}."
            )
        finest = next(name for name in ("step", "batch", "epoch") if name in {*given, "epoch"})
        if finest != "epoch" and not fields & {"batch", "step"}:
            raise ValueError(
                f"`filepath` must have the field {{{finest}}} where `save` is given {finest}=, or "
                f"else snapshots would get one name, got {self.text!r}."
            )

    def _check_unique(self, by_batches: bool) -> None:
        fields = set(self.fields)
        enough = "step" in fields or ("epoch" in fields and ("batch" in fields or not by_batches))
        if not enough:
            wanted = "`{step}`, or `{epoch}` and `{batch}`" if by_batches else "`{epoch}`"
            raise ValueError(
                f"`filepath` must have the field {wanted}, or else snapshots would get one name and "
                f"overwrite each other, got {self.text!r}. Fields are {{epoch}}, {{batch}}, {{step}} "
                "and the keys of `logs`, such as {loss} and {val_loss}."
            )
        for counts in _TELLING_COUNTS:
            named = [self.path(dict.fromkeys(_COUNTERS, count), {}) for count in counts]
            (one, missing), (other, _) = named
            if one == other or set(missing) & set(_COUNTERS):
                raise ValueError(
                    f"`filepath` must number each snapshot, got {self.text!r}, which does not tell "
                    f"{counts[0]} from {counts[1]}. {{epoch}}, {{batch}} and {{step}} are ints; "
                    "write for example {epoch:04d}."
                )


def _parse(text: str) -> list[tuple[str, str, str]]:
    """Split a template into (literal, field, spec); `str.format` would break on dots in keys."""
    return list(_fields(text))


def _fields(text: str) -> Iterator[tuple[str, str, str]]:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"`filepath` is no template: {error}, got {text!r}.") from None
    for literal, field, spec, conversion in parsed:
        if field is not None and (
            not field or field.isdigit() or conversion or "{" in (spec or "")
        ):
            raise ValueError(
                f"`filepath` must have named fields such as {{epoch:04d}}, got {text!r}."
            )
        yield literal, field or "", spec or ""


def _safe(text: str) -> str:
    """Make a value safe as a part of a file name."""
    text = re.sub(r"[^\w.+=-]", "_", text)
    return text if text.strip(".") else "_"
