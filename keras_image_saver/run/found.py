"""What is found in a folder where training begins: the run that is there, and what is not of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from keras_image_saver.run import files
from keras_image_saver.run.lines import Entry, Line, Reading, read_record
from keras_image_saver.run.pictures import NO_STRAYS, RunOf, Strays, find_strays
from keras_image_saver.run.run_file import find_run
from keras_image_saver.run.samples_file import find_samples
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.run.template import Template

_MOST_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """What was read of the run in a folder.

    Attributes:
        lines: Those of its record, oldest first.
        warnings: What there is to warn of in it.
        about: What `run.json` says of it; None if there is none, as of a run of the first version.
        strays: Pictures that its record does not name.
        unentered: Of those that are the run's own, the name by the epoch that it tells.
        samples: Its samples' file, opened; None if it has none.
        is_recorded: Whether there is a run at all.
    """

    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    about: Mapping[str, Any] | None = None
    strays: Strays = NO_STRAYS
    unentered: Mapping[int, str] = field(default_factory=dict)
    samples: BinaryIO | None = None
    is_recorded: bool = False

    @property
    def entries(self) -> list[Entry]:
        return [line.entry for line in self.lines if line.entry is not None]

    @property
    def id(self) -> str | None:
        """The run's id; None for one of the first version."""
        return (self.about or {}).get("id")

    @property
    def files(self) -> list[str]:
        """The pictures that its record names."""
        return [entry["file"] for entry in self.entries if entry.get("file")]

    @property
    def has_unmarked_samples(self) -> bool:
        """Whether its samples' file may have no mark, since the first version wrote it."""
        if self.about is None:
            return self.is_recorded
        samples = self.about.get("samples")
        return isinstance(samples, dict) and samples.get("unmarked") is True


def find(template: Template, epochs_done: int, run_of: RunOf, *, deletes: bool = False) -> Found:
    """Read what is in a folder.

    Args:
        template: The names of the pictures that come; its folder is the run's.
        epochs_done: Epochs that were trained before, in another process; 0 where a run begins.
        run_of: Tells of which run a picture is.
        deletes: Whether the run that is there is to be deleted, where another one begins.

    Raises:
        ValueError: If the record or `run.json` cannot be built on, or pictures would be overwritten
            that are not the run's.
    """
    folder = template.folder
    about, record = find_run(folder), read_record(folder)
    lines, warnings = record or Reading()
    is_recorded = about is not None or record is not None
    found = Found(lines, warnings, about, is_recorded=is_recorded)
    done = {}
    if epochs_done:
        kept = Found(tuple(cut(lines, epochs_done)))
        done = {"epoch": epochs_done, "step": steps_at(epochs_done, kept.entries)}
        samples = find_samples(folder, found.id, unmarked=found.has_unmarked_samples)
        found = replace(found, samples=samples)

    def spared(counters: Mapping[str, int]) -> bool:
        return any(counters[name] <= done[name] for name in {*counters} & {*done})

    named = set(found.files)
    strays = find_strays(template, about, named, run_of, spared, recorded=is_recorded)
    moves = deletes and not epochs_done and storage_of(folder).can_move
    # The first version's samples have no mark, and may be anyone's.
    if moves and found.has_unmarked_samples and find_samples(folder, "", unmarked=True):
        strays = strays._replace(unknown=(*strays.unknown, files.SAMPLES))
    told = ((template.counters_in(join(folder, name)) or {}, name) for name in strays.own)
    unentered = {counters["epoch"]: name for counters, name in told if "epoch" in counters}
    warnings = (*warnings, *_warnings(folder, strays))
    return replace(found, strays=strays, unentered=unentered, warnings=warnings)


def _warnings(folder: str, strays: Strays) -> list[str]:
    if not strays.unknown:
        return []
    count, shown = len(strays.unknown), ", ".join(strays.unknown[:_MOST_SHOWN])
    target = join(folder, files.next_unrecorded(storage_of(folder).names()))
    more = " and more" if count > _MOST_SHOWN else ""
    return [
        f"Of {count} files in {folder!r} that its record does not name nothing tells whose they "
        f"are, {shown}{more}: they are moved to {target!r}, and not overwritten."
    ]


def cut(lines: Sequence[Line], epochs_done: int) -> list[Line]:
    """Return the lines of a record up to an epoch; those that cannot be read stay where they are."""
    return [one for one in lines if one.entry is None or int(one.entry["epoch"]) <= epochs_done]


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
