"""A run as a few lines of text."""

import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import RUN_FILE, SAMPLES
from keras_image_saver.run.lines import record_files
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.run.values import values_files
from keras_image_saver.viewers.on_disk import on_disk

_MOST_LISTED = 10


def overview(run: Run) -> str:
    """Return what there is to know of a run, as a table: a name and a value a line."""
    return "\n".join(
        f"{name:<10}{escaped(line)}".rstrip()
        for title, lines in _rows(run)
        for name, line in zip([title, *[""] * len(lines)], lines, strict=False)
    )


def _rows(run: Run) -> Iterator[tuple[str, list[str]]]:
    """Yield each title and its lines; one without lines is left out."""
    saved = on_disk(run)
    sizes = {snapshot.path: _size(snapshot.path) for snapshot in saved}
    yield "run", [run.folder or "."]
    yield "id", [run.id] if run.id else []
    yield "state", [run.state] if run.state else []
    yield "epochs", [_epochs(saved)]
    there = (path for path, size in sizes.items() if size is not None)
    suffixes = Counter(os.path.splitext(path)[1] for path in there)
    listed = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common())
    yield "files", [listed or "none"]
    lost = [one for one in saved if sizes[one.path] is None]
    yield "removed", [_removed(run.removed)] if run.removed else []
    yield "missing", _some([f"epoch {one.epoch}: {one.path}" for one in lost])
    yield "missed", _some([f"epoch {one.epoch}: {one.missed}" for one in run.missed])
    pictures = sum(size or 0 for size in sizes.values())
    names = [*record_files(run.folder), *values_files(run.folder), RUN_FILE, SAMPLES]
    others = sum(_size(join(run.folder, name)) or 0 for name in names)
    yield "size", [f"{_bytes(pictures)} of pictures, {_bytes(others)} of record and samples"]
    if saved:
        last = saved[-1]
        if last.time:
            yield "last", [time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.time))]
        width = max((len(name) for name in last.logs), default=0)
        logs = [f"{name:<{width}}  {value_text(value)}" for name, value in last.logs.items()]
        yield "last logs", logs or ["none"]
        yield "classes", _classes(run, last)
        yield "metrics", _metrics(last)


def _classes(run: Run, snapshot: Snapshot) -> list[str]:
    """Return a line a class: its id and name, and what it has by each measure that tells of classes.

    Names are as `run.json` says it, which may say anything; the values are of all samples together.
    """
    found = run.about.get("class_names")
    named = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    names = {str(one.get("id")): str(one.get("name")) for one in named}
    values: dict[str, list[str]] = {}
    for name, by_class in snapshot.class_metrics.items():
        for number, value in enumerate(by_class):
            values.setdefault(str(number), []).append(f"{name} {value:.6g}")
    ids = sorted({*names, *values}, key=lambda one: (len(one), one))  # as numbers are
    rows = [[one, names.get(one, ""), *values.get(one, [])] for one in ids]
    return _in_columns(rows)


def _in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line a row, each column as wide as its longest text; one without any is left out."""
    columns = itertools.zip_longest(*rows, fillvalue="")
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=False) if width)
        for row in rows
    ]


def _metrics(snapshot: Snapshot) -> list[str]:
    """Return a line a measure: the mean over the samples, its ends, and which sample is the worst."""
    width = max((len(name) for name in snapshot.summary), default=0)
    lines = []
    for name, found in snapshot.summary.items():
        mean, least, most = (value_text(found[part]) for part in ("mean", "least", "most"))
        worst = [number for number, _ in found["worst"]]
        more = f" ({least} to {most}; worst: sample {worst[0]})" if len(worst) > 1 else ""
        nan = f", {found['nan']} NaN" if found.get("nan") and len(worst) > 1 else ""
        lines.append(f"{name:<{width}}  {mean}{more}{nan}")
    return lines


def _epochs(saved: Sequence[Snapshot]) -> str:
    if not saved:
        return "none yet"
    steps = f", step {saved[-1].step}" if saved[-1].step else ""
    return f"{_ends(saved)}{steps}, {_counted(saved)}"


def _removed(removed: Sequence[Snapshot]) -> str:
    ends = _ends(removed)
    return f"{_counted(removed)}, of epoch{'s' if ' ' in ends else ''} {ends}"


def _ends(some: Sequence[Snapshot]) -> str:
    """Return the first and the last epoch, once where they are one."""
    first, last = some[0].epoch, some[-1].epoch
    return str(first) if first == last else f"{first} to {last}"


def _counted(some: Sequence[Snapshot]) -> str:
    return f"{len(some)} snapshot{'' if len(some) == 1 else 's'}"


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LISTED
    return lines[:_MOST_LISTED] + ([f"and {more} more"] if more > 0 else [])


def _size(path: str) -> int | None:
    try:
        return storage_of(path).size()
    except (OSError, ValueError):  # there is none that can be read, or no file can be called so
        return None


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def value_text(value: object) -> str:
    """Return a number to six digits; text as it is."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
