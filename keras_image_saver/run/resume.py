"""How a run is gone on with: decided from what was read of it, without a look at the folder."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from keras_image_saver.run.files import SAMPLES
from keras_image_saver.run.record import Entry, Snapshot, entry_of
from keras_image_saver.run.samples_file import load_samples, same_samples
from keras_image_saver.samples import Samples

_MOST_LISTED = 10
_LOST = "training ended before it was written"


@dataclass(frozen=True)
class Start:
    """What a run begins with, or goes on with.

    Attributes:
        samples: What is drawn.
        steps: The steps of the run so far; 0 if it has none, or the record does not tell.
        entries: What the record holds, oldest first.
        resumed: Whether the run in the folder is gone on with.
        warnings: What to warn of before the first batch.
        news: What to log, a line each.
    """

    samples: Samples
    steps: int = 0
    entries: tuple[Entry, ...] = ()
    resumed: bool = False
    warnings: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


class Found(NamedTuple):
    """What was read of the run in a folder.

    Attributes:
        entries: Those of its record, oldest first.
        warnings: What there is to warn of in the record.
        samples: The content of its samples' file; None if there is none.
    """

    entries: Sequence[Entry] = ()
    warnings: tuple[str, ...] = ()
    samples: bytes | None = None


def resume(
    folder: str,
    found: Found,
    samples: Samples,
    epochs_done: int,
    epoch_is_due: Callable[[int], bool],
    *,
    alone: bool,
) -> Start:
    """Decide how a run is gone on with.

    Args:
        folder: The run's folder, to be named.
        found: What was read of it.
        samples: What the saver was given.
        epochs_done: Epochs that were trained before, in another process.
        epoch_is_due: Tells whether an epoch, counted from 1, has a snapshot.
        alone: Whether this process trains alone. Workers that train together must draw as many rows
            at the same steps, and the others see no folder: so neither is taken from it.
    """
    # What was drawn beyond the epoch where training goes on is drawn anew.
    drawn = [entry for entry in found.entries if int(entry["epoch"]) <= epochs_done]
    last = max((int(entry["epoch"]) for entry in drawn), default=epochs_done)
    # One that was queued when the process ended left no entry.
    lost = [epoch for epoch in range(last + 1, epochs_done + 1) if epoch_is_due(epoch)]
    missed = (Snapshot(epoch, 0, steps_at(epoch, drawn), "", missed=_LOST) for epoch in lost)
    entries = (*drawn, *(entry_of(folder, snapshot) for snapshot in missed))
    chosen, warning = _choose(folder, found.samples, samples, alone)
    return Start(
        chosen,
        steps_at(epochs_done, entries) if alone else 0,
        entries,
        resumed=True,
        warnings=found.warnings + warning,
        news=_news(folder, lost),
    )


def steps_at(epoch: int, entries: Sequence[Entry]) -> int:
    """Return the steps of a run at an epoch's end, by its newest entry; 0 if there is none.

    Where that entry is of an earlier epoch, later epochs are taken to be as long as those before it
    were on average: 300 steps in 3 epochs make 500 in 5.
    """
    newest = max(entries, key=lambda entry: int(entry.get("step", 0)), default=None)
    if newest is None:
        return 0
    last, step = int(newest["epoch"]), int(newest.get("step", 0))
    return step * epoch // last if 0 < last < epoch else step


def _choose(
    folder: str, content: bytes | None, given: Samples, alone: bool
) -> tuple[Samples, tuple[str, ...]]:
    """Return the samples that the run was begun with, if the given ones came from a dataset.

    A dataset that is shuffled gives others each time; arrays that are others are meant to be.
    """
    if content is None or given.inputs is None:
        return given, ()
    try:
        kept = load_samples(io.BytesIO(content), given)
    except Exception as error:
        return given, (f"{SAMPLES} in {folder!r} cannot be read: {error}",)
    if kept is not None and (alone or len(kept) == len(given)):
        if given.from_dataset:
            return kept, ()
        if same_samples(given, kept):
            return given, ()
    warning = (
        f"`samples` are not those that the run in {folder!r} was begun with; the given ones are "
        "drawn from here on."
    )
    return given, (warning,)


def _news(folder: str, lost: Sequence[int]) -> tuple[str, ...]:
    if not lost:
        return ()
    listed = ", ".join(map(str, lost[:_MOST_LISTED])) + (" and more" if lost[_MOST_LISTED:] else "")
    return (
        f"The run in {folder} has no snapshot of {len(lost)} epochs that were trained before, "
        f"{listed}: they were not written when that training ended.",
    )
