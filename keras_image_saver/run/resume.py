"""How a run is gone on with: decided from what was read of it, without a look at the folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from keras_image_saver.run.files import SAMPLES
from keras_image_saver.run.found import Found, cut, entries_of, steps_at
from keras_image_saver.run.lines import Entry, Line, line_of
from keras_image_saver.run.record import Snapshot, entry_of
from keras_image_saver.run.run_file import new_about
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
        lines: What the record holds, oldest first.
        resumed: Whether the run in the folder is gone on with.
        warnings: What to warn of before the first batch.
        news: What to log, a line each.
        found: What was found in the folder.
        about: What `run.json` is to say of a run that is gone on with, before it is.
    """

    samples: Samples
    steps: int = 0
    lines: tuple[Line, ...] = ()
    resumed: bool = False
    warnings: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    found: Found = field(default_factory=Found)
    about: Mapping[str, Any] | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(line.entry for line in self.lines if line.entry is not None)

    @property
    def geometry(self) -> Mapping[str, Any]:
        """Where the tiles of its newest picture stand; empty if there is none."""
        told = (entry.get("geometry") for entry in reversed(self.entries))
        return next((one for one in told if one), {})


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
    kept = cut(found.lines, epochs_done)
    last = max((int(entry["epoch"]) for entry in entries_of(kept)), default=epochs_done)
    kept += found.unentered(epochs_done, folder)
    drawn = entries_of(kept)
    # One that was queued when the process ended left neither a picture nor an entry.
    there = {entry["epoch"] for entry in drawn}
    wanted = (epoch for epoch in range(last + 1, epochs_done + 1) if epoch not in there)
    lost = [epoch for epoch in wanted if epoch_is_due(epoch)]
    missed = (Snapshot(epoch, 0, steps_at(epoch, drawn), "", missed=_LOST) for epoch in lost)
    lines = (*kept, *(line_of(entry_of(folder, snapshot)) for snapshot in missed))
    entries = entries_of(lines)
    chosen, warning = _choose(folder, found.samples, samples, alone)
    return Start(
        chosen,
        steps_at(epochs_done, entries) if alone else 0,
        lines,
        resumed=True,
        warnings=found.warnings + warning,
        news=_news(folder, lost),
        found=found,
        about=_about(found, entries),
    )


def _about(found: Found, entries: Sequence[Entry]) -> dict[str, Any]:
    told = {"id": found.id} if found.id else {"samples": {"unmarked": True}}
    passed = found.passed_over(entries)
    return {
        **(found.about or {**new_about(), **told}),
        **({"passed_over": passed} if passed else {}),
    }


def _choose(
    folder: str, content: BinaryIO | None, given: Samples, alone: bool
) -> tuple[Samples, tuple[str, ...]]:
    """Return the samples that the run was begun with, if the given ones came from a dataset.

    A dataset that is shuffled gives others each time; arrays that are others are meant to be.
    """
    if content is None or given.inputs is None:
        return given, ()
    try:
        kept = load_samples(content, given)
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
