"""File names from a template, as in `ModelCheckpoint`."""

import copy
import functools
import itertools
import os
import re
import string
from collections.abc import Collection, Mapping
from typing import Any

from keras_image_saver.checks import check_int
from keras_image_saver.run.logs import plain_logs
from keras_image_saver.run.storage import check_path, join, storage_of

_COUNTERS = ("epoch", "batch", "step")
# A lossy format such as {epoch:.0e} prints some of these like the next number; {epoch}{batch} prints
# 1 and 11 like 11 and 1.
_TELLING_COUNTS = (1, 2, 10, 11, 12, 100, 101, 110, 111, 1_000, 1_011, 1_111, 10_000)
_LARGE_COUNT = 9_999_999_999
# In bytes. A name may have 255 on nearly every file system; a value in it has at least room for a
# number such as -1.234e-05.
_LONGEST_NAME = 255
_LONGEST_VALUE = 64
_SHORTEST_VALUE = 10
_GAP = "\0"
_NO_SLASH = r"[^\x2f]+"  # without one itself, since patterns are split at slashes
_MOST_LEFT_OUT = 4  # fields in a name, each by itself; each doubles the patterns


# Counters are counted on by one, and a page's scripts know no larger whole numbers than 2^53.
_LARGEST = 2**53 - 2


class Template:
    """A path with fields: `{epoch}`, `{batch}`, `{step}` and keys of `logs`.

    Args:
        filepath: The template. Without a suffix it is a folder, and the file in it is named
            `{epoch:04d}.png`, or `{step:08d}.png` when saving by batches. Where it has no field, the
            end of a name such as `lr_0.01` is no suffix, unless it is a known one.
        by_batches: Whether snapshots are saved by batches too.
        suffixes: The known ones, lower case, with their dots. None: any may be one.

    Raises:
        TypeError: If `filepath` is not a path.
        ValueError: If the template is malformed, if two snapshots would get one name, or if a name
            would be longer than file systems allow.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        *,
        by_batches: bool = False,
        suffixes: Collection[str] | None = None,
    ) -> None:
        text = check_path(filepath).replace(os.sep, "/")
        text = re.sub(r"(?<=[^:/])/{2,}", "/", text)  # "runs/" + "/{epoch}.png"; not in gs://
        self._parts = _parse(text)
        plain = "".join(literal + ("0" if field else "") for literal, field, _ in self._parts)
        self.suffix = os.path.splitext(plain)[1].lower()
        has_fields = any(field for _, field, _ in self._parts)
        if suffixes is not None and not has_fields and self.suffix not in suffixes:
            self.suffix = ""
        if not self.suffix:
            text = join(text, "{step:08d}.png" if by_batches else "{epoch:04d}.png")
            self._parts, self.suffix = _parse(text), ".png"
        self.text = text
        self.fields = tuple(field for _, field, _ in self._parts if field)
        self._longest_value = _LONGEST_VALUE
        self._check_unique(by_batches)
        self._check_length()
        if ".." in self.relative.split("/"):
            raise ValueError(
                f"`filepath` must lead to files in its own folder, {self.folder!r}, got {text!r}, where "
                "`..` stands behind a field. Leave it out."
            )

    def absolute(self) -> "Template":
        """Return the template from the root of the file system on, as the working folder is now.

        Another callback may change the working folder while a run is written.
        """
        found = copy.copy(self)
        found.text = storage_of(self.text).absolute(_working_folder)
        found._parts = _parse(found.text)
        vars(found).pop("_patterns", None)
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
        return self.longest().removeprefix(join(self.folder, "")).count("/")

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
                text += formatted if field in counters else _cut(formatted, self._longest_value)
        return _close_gaps(text), missing

    @property
    def relative(self) -> str:
        """The template without its folder."""
        literal = self.folder.replace("{", "{{").replace("}", "}}")
        return self.text.removeprefix(join(literal, ""))

    def matches(self, path: str) -> bool:
        """Tell whether a path may be what some snapshot is named."""
        return self.counters_in(path) is not None

    def counters_in(self, path: str) -> dict[str, int] | None:
        """Return the counters that a path tells, None if no snapshot can be named so."""
        for pattern in self._patterns:
            match = re.fullmatch(pattern, path)
            if match:
                return {name: int(digits) for name, digits in match.groupdict().items()}
        return None

    def leads_through(self, path: str) -> bool:
        """Tell whether what some snapshot is named may be in this folder, or below it."""
        depth = path.count("/") + 1
        # A field that is left out takes no slash with it, so all patterns have as many names.
        folders = ("/".join(one.split("/")[:-1][:depth]) for one in self._patterns)
        return any(re.fullmatch(one, path) for one in folders)

    def longest(self) -> str:
        """Return a path as long as one can be, by large counters and long values of `logs`."""
        return "".join(
            literal
            + (_large(spec) if field in _COUNTERS else "x" * self._longest_value * bool(field))
            for literal, field, spec in self._parts
        )

    @functools.cached_property
    def _patterns(self) -> list[str]:
        """What names look like: with all fields, and without some that are keys of the logs."""
        known = {"", *_COUNTERS}
        of_logs = [n for n, (_, field, _) in enumerate(self._parts) if field not in known]
        # Where there are more, the others are left out together: before the first batch no log is known.
        alone, rest = of_logs[:_MOST_LEFT_OUT], of_logs[_MOST_LEFT_OUT:]
        groups = [group for group in (*([number] for number in alone), rest) if group]
        left_out = (itertools.combinations(groups, count) for count in range(len(groups) + 1))
        return [self._pattern({*itertools.chain(*one)}) for some in left_out for one in some]

    def _pattern(self, left_out: set[int]) -> str:
        text = ""
        patterns: list[str] = []
        for number, (literal, field, spec) in enumerate(self._parts):
            text += literal
            if field and number in left_out:
                text += _GAP
            elif field:
                is_number = field in _COUNTERS and re.fullmatch(r"0?\d*d?", spec)
                named = is_number and not any(f"<{field}>" in one for one in patterns)
                name = f"?P<{field}>" if named else "?:"
                text += f"\1{len(patterns)}\2"
                patterns.append(f"({name}\\d+)" if is_number else _NO_SLASH)
        pattern = re.escape(_close_gaps(text))
        return re.sub("\1(\\d+)\2", lambda place: patterns[int(place[1])], pattern)

    def read_counts(self, **given: Any) -> dict[str, int]:
        """Return the counters that a loop gave, each of which may be a tensor, or None.

        Raises:
            ValueError: If one is no int that a record can hold, or `check_counters` refuses them.
        """
        counts = plain_logs({name: count for name, count in given.items() if count is not None})
        for name, count in counts.items():
            check_int(name, count, 0, _LARGEST)
        self.check_counters(counts)
        return counts

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

    def _check_length(self) -> None:
        """Find how long the values of `logs` in a name may be; refuse a name without room for them."""
        filled = "".join(
            literal + (_large(spec) if field in _COUNTERS else _GAP * bool(field))
            for literal, field, spec in self._parts
        )
        for name in filled.split("/"):
            values = name.count(_GAP)
            room = _LONGEST_NAME - (len(os.fsencode(name)) - values)
            if room < values * _SHORTEST_VALUE:
                raise ValueError(
                    f"`filepath` must lead to names of at most {_LONGEST_NAME} bytes, got "
                    f"{self.text!r}, where one has {_LONGEST_NAME - room} beside {values} of `logs`."
                )
            if values:
                self._longest_value = min(self._longest_value, room // values)


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


def _large(spec: str) -> str:
    """Return a counter as long as it may become; `_check_unique` has refused what formats none."""
    return format(_LARGE_COUNT, spec)


def _cut(text: str, size: int) -> str:
    """Return as much of a text as there is room for, in bytes."""
    return text.encode("utf-8", "ignore")[:size].decode("utf-8", "ignore") or "_"


def _safe(text: str) -> str:
    """Make a value safe as a part of a file name."""
    text = re.sub(r"[^\w.+=-]", "_", text)
    return text if text.strip(".") else "_"


def _close_gaps(text: str) -> str:
    """Leave out fields without a value, with the separators that led to them."""
    return "/".join(_without_gaps(name) if _GAP in name else name for name in text.split("/"))


def _without_gaps(name: str) -> str:
    # A gap at the beginning takes the separators behind it along; a suffix alone is no name.
    name = re.sub(rf"^([-_ ]*{_GAP})+[-_ ]*(\.|$)", r"_\2", name)
    name = re.sub(rf"^([-_ ]*{_GAP})+[-_ ]*", "", name)
    return re.sub(rf"[-_ ]*{_GAP}", "", name)
