"""The runs in a folder as a table: a line a run, the newest first."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import previous_number
from keras_image_saver.run.lines import record_files
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.viewers.overview import overview, value_text

_TITLES = ("run", "state", "snapshots", "last epoch", "age", "last logs and measures")
# How long each is in seconds, from the longest; what is counted in one is two of it at least.
_UNITS = {"days": 86_400, "hours": 3600, "min": 60, "s": 1}


@dataclass(frozen=True)
class _Line:
    """One run: what stands in the columns, and when something last came of it."""

    newest: float
    cells: tuple[str, ...]


def overview_of(folder: str) -> str:
    """Return what there is to know of the run in a folder, or of the runs in it where it has none.

    Raises:
        FileNotFoundError: If the folder has neither.
        ValueError: As `Run.open`.
    """
    try:
        run = Run.open(folder)
    except FileNotFoundError:
        listed = list_runs(folder)
        if not listed:
            raise
        return listed
    return overview(run)


def list_runs(folder: str) -> str:
    """Return a table of the runs whose folders are in a folder; "" where there is none.

    Earlier runs that were set aside are counted with the run that took their place. A record that
    cannot be read is a line too.

    Args:
        folder: A folder; any `tf.io.gfile` path.

    Warns:
        UserWarning: If lines of a record, or a `run.json`, cannot be read; they are left out.
    """
    names = sorted(storage_of(folder).names())
    found = [_line(folder, name) for name in names if record_files(join(folder, name))]
    found.sort(key=lambda one: one.newest, reverse=True)
    return "\n".join(_table([_TITLES, *(one.cells for one in found)])) if found else ""


def _line(folder: str, name: str) -> _Line:
    path = join(folder, name)
    before = sum(previous_number(one) is not None for one in storage_of(path).names())
    title = escaped(name) + (f" ({before} previous)" if before else "")
    try:
        run = Run.open(path)
    except (OSError, ValueError) as error:
        return _Line(
            0, (title, "cannot be read", "", "", "", escaped(" ".join(str(error).split())))
        )
    drawn = [*run, *run.missed, *run.removed]
    told = [run.about.get(when) for when in ("started", "resumed")]
    times = [one.time for one in drawn] + [one for one in told if isinstance(one, (int, float))]
    newest = max(times, default=0)
    last = max(
        (one for one in drawn if not one.missed),
        key=lambda one: (one.step, one.epoch),
        default=None,
    )
    counts = (str(len(run)), "" if last is None else str(last.epoch))
    return _Line(newest, (title, run.state, *counts, _age(newest), _values(last)))


def _age(newest: float) -> str:
    """Return how long ago that was, in the largest unit of which it has two.

    >>> _age(time.time() - 7300)
    '2 hours'
    """
    if not newest:
        return ""
    seconds = max(0.0, time.time() - newest)
    unit = next((name for name, length in _UNITS.items() if seconds >= 2 * length), "s")
    return f"{seconds // _UNITS[unit]:.0f} {unit}"


def _values(last: Snapshot | None) -> str:
    if last is None:
        return ""
    measures = {name: one.get("mean") for name, one in last.summary.items()}
    return escaped(
        ", ".join(
            f"{name} {value_text(value)}" for name, value in {**last.logs, **measures}.items()
        )
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their columns one below another; numbers end where their title does."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if title in ("snapshots", "last epoch") else cell.ljust(width)
            for cell, width, title in zip(row, widths, _TITLES, strict=True)
        ).rstrip()
        for row in rows
    ]
