"""File names from a template, as in `ModelCheckpoint`."""

import copy
import itertools
import os
import re
import string
from collections.abc import Mapping
from typing import Any

from keras_image_saver.run.storage import check_path, join, storage_of

_COUNTERS = ("epoch", "batch", "step")
# A lossy format such as {epoch:.0e} prints some of these like the next number; {epoch}{batch} prints
# 1 and 11 like 11 and 1.
_TELLING_COUNTS = (1, 2, 10, 11, 12, 100, 101, 110, 111, 1_000, 1_011, 1_111, 10_000)
_LONGEST_VALUE = 64
_GAP = "\0"


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
        text = check_path(filepath).replace(os.sep, "/")
        text = re.sub(r"(?<=[^:/])/{2,}", "/", text)  # "runs/" + "/{epoch}.png"; not in gs://
        self._parts = _parse(text)
        plain = "".join(literal + ("0" if field else "") for literal, field, _ in self._parts)
        self.suffix = os.path.splitext(plain)[1].lower()
        if not self.suffix:
            text = join(text, "{step:08d}.png" if by_batches else "{epoch:04d}.png")
            self._parts, self.suffix = _parse(text), ".png"
        self.text = text
        self.fields = tuple(field for _, field, _ in self._parts if field)
        self._check_unique(by_batches)

    def absolute(self) -> "Template":
        """Return the template from the root of the file system on, as the working folder is now.

        Another callback may change the working folder while a run is written.
        """
        found = copy.copy(self)
        found.text = storage_of(self.text).absolute(_working_folder)
        found._parts = _parse(found.text)
        return found

    @property
    def folder(self) -> str:
        """The run's folder: the longest prefix of the path that has no field."""
        literal = ""
        for text, field, _ in self._parts:
            literal += text
            if field:
                break
        return literal[: literal.rfind("/") + 1].rstrip("/") or ("/" if literal[:1] == "/" else "")

    @property
    def depth(self) -> int:
        """How many levels of subfolders of `folder` the path may lead to."""
        return self.text.count("/") - (self.folder + "/").count("/") + (not self.folder)

    def path(self, counters: Mapping[str, int], logs: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Fill in the fields.

        Args:
            counters: epoch, batch and step, each counted from 1.
            logs: Plain logs, by any key.

        Returns:
            The path, and the fields that could not be filled in and are left out of it.
        """
        text = ""
        missing = []
        for literal, field, spec in self._parts:
            text += literal
            if not field:
                continue
            try:
                value = counters[field] if field in counters else logs[field]
                formatted = _safe(format(value, spec))
            except (KeyError, TypeError, ValueError):
                missing.append(field)
                text += _GAP
            else:
                text += formatted if field in counters else formatted[:_LONGEST_VALUE]
        return _close_gaps(text), missing

    def matches(self, path: str) -> bool:
        """Tell whether a path may be what some snapshot is named."""
        pattern = ""
        for literal, field, spec in self._parts:
            pattern += re.escape(literal)
            if field:
                number = field in _COUNTERS and re.fullmatch(r"0?\d*d?", spec)
                pattern += r"\d+" if number else r"[^/]+"
        return re.fullmatch(pattern, path) is not None

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
                "and the keys of `logs`, such as {loss}. A folder whose name has a dot ends in a slash."
            )
        for count in _TELLING_COUNTS:
            counters = [dict.fromkeys(_COUNTERS, number) for number in (count, count + 1)]
            (one, missing), (other, _) = (self.path(each, {}) for each in counters)
            if one == other or set(missing) & set(_COUNTERS):
                raise ValueError(
                    f"`filepath` must number each snapshot, got {self.text!r}, which does not tell "
                    f"{count} from {count + 1}. {{epoch}}, {{batch}} and {{step}} are ints; write "
                    "for example {epoch:04d}."
                )
        if by_batches and "step" not in fields:
            pairs = itertools.product(_TELLING_COUNTS, repeat=2)
            names = [self.path({"epoch": e, "batch": b, "step": 0}, {})[0] for e, b in pairs]
            if len(set(names)) < len(names):
                raise ValueError(
                    "`filepath` must keep epoch and batch apart, or else snapshots would get one "
                    f"name, got {self.text!r}. For example: {{epoch:04d}}-{{batch:06d}}."
                )


def _working_folder() -> str:
    return os.getcwd().replace(os.sep, "/").replace("{", "{{").replace("}", "}}")


def split_fields(name: str, text: str) -> list[tuple[str, str | None, str, str | None]]:
    """Split a template into (literal, field, spec, conversion), the field None after the last one.

    `str.format` itself would break on the dots in keys of the logs.

    Args:
        name: The argument's name, for the error.
        text: The template.

    Raises:
        ValueError: If its braces do not match.
    """
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"`{name}` is no template: {error}, got {text!r}.") from None
    return [(literal, field, spec or "", conversion) for literal, field, spec, conversion in parsed]


def _parse(text: str) -> list[tuple[str, str, str]]:
    """Split a path into (literal, field, spec), whose fields all have names."""
    parts = split_fields("filepath", text)
    for _, field, spec, conversion in parts:
        if field is not None and (not field or field.isdigit() or conversion or "{" in spec):
            raise ValueError(
                f"`filepath` must have named fields such as {{epoch:04d}}, got {text!r}."
            )
    return [(literal, field or "", spec) for literal, field, spec, _ in parts]


def _safe(text: str) -> str:
    """Make a value safe as a part of a file name."""
    text = re.sub(r"[^\w.+=-]", "_", text)
    return text if text.strip(".") else "_"


def _close_gaps(text: str) -> str:
    """Leave out fields without a value, with the separator that led to them."""
    text = re.sub(rf"(^|/){_GAP}[-_ ]*(?=[^/.])", r"\1", text)
    text = re.sub(rf"(^|/){_GAP}", r"\1_", text)
    return re.sub(rf"[-_ ]*{_GAP}", "", text)
