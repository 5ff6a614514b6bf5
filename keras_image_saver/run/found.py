"""What is found in a folder where training begins: the run that is there, and what is not of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from keras_image_saver.run import files
from keras_image_saver.run.lines import (
    FORMAT,
    Entry,
    Line,
    Reading,
    is_inside,
    read_line,
    read_record,
)
from keras_image_saver.run.pictures import (
    NO_PICTURES,
    Explain,
    Explanation,
    InFolder,
    explained,
    look_for_pictures,
)
from keras_image_saver.run.run_file import find_run, passed_over
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
        id: The run's id; None for one of the first version.
        passed: The pictures that its record names no more, and that do not tell whose they are.
        pictures: Those of the folder, and whose they are.
        unknown: Files of which nothing tells whose they are, and that are in the way.
        samples: Its samples' file, opened; None if it has none.
        is_recorded: Whether there is a run at all.
    """

    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    about: Mapping[str, Any] | None = None
    id: str | None = None
    passed: tuple[str, ...] = ()
    pictures: InFolder = NO_PICTURES
    unknown: tuple[str, ...] = ()
    samples: BinaryIO | None = None
    is_recorded: bool = False

    @property
    def entries(self) -> list[Entry]:
        return entries_of(self.lines)

    @property
    def files(self) -> list[str]:
        """The pictures that its record names, or has named."""
        recorded = (entry["file"] for entry in self.entries if entry.get("file"))
        return list(dict.fromkeys([*recorded, *self.passed]))

    @property
    def has_unmarked_samples(self) -> bool:
        """Whether its samples' file may have no mark, since the first version wrote it."""
        if self.about is None:
            return self.is_recorded
        samples = self.about.get("samples")
        return isinstance(samples, dict) and samples.get("unmarked") is True

    def passed_over(self, entries: Iterable[Entry]) -> list[str]:
        """Return the pictures that a record of these entries names no more, and that tell no run."""
        kept = {entry.get("file") for entry in entries}
        told = {name for name, said in self.pictures.named.items() if said.get("run")}
        return [name for name in self.files if name not in kept and name not in told]

    def unentered(self, epochs_done: int, folder: str) -> list[Line]:
        """Return the entries of pictures up to an epoch that were written, and their entries were not.

        A picture says all that its entry does. Those from before the run was last gone on with are of
        epochs that were drawn anew since.
        """
        since = (self.about or {}).get("resumed")
        keys = {line.key for line in self.lines}
        found = []
        for name, said in self.pictures.own.items():
            line = _line_of(name, said, folder)
            entry = line.entry
            if entry is None or line.key in keys or entry["epoch"] > epochs_done:
                continue
            if isinstance(since, (int, float)) and entry.get("time", 0) >= since:
                found.append(line)
        return sorted(found, key=lambda line: line.key or (0, 0, 0))


def find(template: Template, epochs_done: int, explain: Explain, *, deletes: bool = False) -> Found:
    """Read what is in a folder.

    Args:
        template: The names of the pictures that come; its folder is the run's.
        epochs_done: Epochs that were trained before, in another process; 0 where a run begins.
        explain: Reads what a picture says of itself.
        deletes: Whether the run that is there is to be deleted, where another one begins.

    Raises:
        ValueError: If the record or `run.json` cannot be built on, or something would be overwritten
            that is not the run's.
    """
    folder = template.folder
    about, record = find_run(folder), read_record(folder)
    lines, warnings, unreadable = record or Reading()
    is_recorded = about is not None or record is not None
    passed = tuple(one for one in passed_over(about) if is_inside(folder, one))
    found = Found(lines, warnings, about, passed=passed, is_recorded=is_recorded)
    found = replace(found, id=about["id"] if about else _id_told(folder, found.files, explain))
    done = {}
    if epochs_done:
        done = {
            "epoch": epochs_done,
            "step": steps_at(epochs_done, entries_of(cut(lines, epochs_done))),
        }
        samples = find_samples(folder, found.id, unmarked=found.has_unmarked_samples)
        found = replace(found, samples=samples)
    pictures = look_for_pictures(
        template, about, found.id, set(found.files), explain, done, recorded=is_recorded
    )
    unknown = pictures.unknown
    if deletes and not epochs_done and storage_of(folder).can_move:
        # The first version's samples have no mark, and may be anyone's; so may what is no entry.
        unmarked = (
            found.has_unmarked_samples and find_samples(folder, "", unmarked=True) is not None
        )
        unknown = (*unknown, *unreadable, *((files.SAMPLES,) if unmarked else ()))
    warnings = (*warnings, *_warnings(folder, unknown))
    return replace(found, pictures=pictures, unknown=unknown, warnings=warnings)


def _id_told(folder: str, names: Sequence[str], explain: Explain) -> str | None:
    """Return the id of a run whose `run.json` is gone, as its newest picture tells it."""
    told = (explained(storage_of(folder) / name, explain) for name in reversed(names))
    newest = next((one for one in told if one is not None), {})
    return newest.get("run")


def _line_of(name: str, said: Explanation, folder: str) -> Line:
    """Return the line that the record would have of a picture."""
    kept = ("epoch", "batch", "step", "time", "logs", "weights", "metrics", "geometry")
    known = {one: said[one] for one in kept if one in said}
    entry = {"format": FORMAT, **known, "file": name, "missed": False}
    for one in {"logs", "metrics", "geometry"} & {*known}:
        if not isinstance(known[one], dict):  # too long for JPEG, it is left out there
            del entry[one]
    return read_line(json.dumps(entry).encode("ascii"), folder)


def _warnings(folder: str, unknown: Sequence[str]) -> list[str]:
    if not unknown:
        return []
    count, shown = len(unknown), ", ".join(unknown[:_MOST_SHOWN])
    target = join(folder, files.next_unrecorded(storage_of(folder).names()))
    more = " and more" if count > _MOST_SHOWN else ""
    return [
        f"Of {count} files in {folder!r} that its record does not name nothing tells whose they "
        f"are, {shown}{more}: they are moved to {target!r}, and not overwritten."
    ]


def cut(lines: Sequence[Line], epochs_done: int) -> list[Line]:
    """Return the lines of a record up to an epoch; those that cannot be read stay where they are."""
    return [one for one in lines if one.entry is None or int(one.entry["epoch"]) <= epochs_done]


def entries_of(lines: Sequence[Line]) -> list[Entry]:
    """Return the entries of lines, without those that cannot be read."""
    return [line.entry for line in lines if line.entry is not None]


def steps_at(epoch: int, entries: Sequence[Entry]) -> int:
    """Return the steps of a run at an epoch's end, by its newest entry; 0 if there is none.

    Where that entry is of an earlier epoch, later epochs are taken to be as long as those before it
    were on average: 300 steps in 3 epochs make 500 in 5.
    """
    newest = max(entries, key=lambda entry: int(entry.get("step", 0)), default=None)
    if newest is None:
        return 0
    last, step = int(newest["epoch"]), int(newest.get("step", 0))
    return step * max(epoch, last) // last if last else step
