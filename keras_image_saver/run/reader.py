"""A run that is read: what was saved of it, what was missed, what was removed, and what it was shown."""

import itertools
import os
import statistics
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keras_image_saver.escapes import escaped
from keras_image_saver.run.files import RECORD
from keras_image_saver.run.lines import Entry, read_record
from keras_image_saver.run.record import Snapshot, snapshot_of
from keras_image_saver.run.run_file import read_run
from keras_image_saver.run.samples_file import KeptSamples, kept_samples
from keras_image_saver.run.storage import check_path
from keras_image_saver.run.values import ValuesReader

_SILENT_FOR = 5  # median intervals between snapshots, after which a run counts as stopped


class Run:
    """A run that is read: `for snapshot in run`.

    Iterating yields the snapshots that were saved and stay on disk, ordered by step; `missed` are those
    that were not saved, `removed` those that were and did not stay.

    Attributes:
        folder: Where it is.
        missed: The snapshots that were not saved.
        removed: Those whose files were removed by `max_to_keep`.
        about: What `run.json` says of the run as a whole; empty for a run of the first version.
    """

    def __init__(
        self, folder: str, entries: Iterable[Entry], about: Mapping[str, Any] | None = None
    ) -> None:
        self.folder = folder
        self.about: Mapping[str, Any] = about or {}
        values = ValuesReader(folder)
        each = (snapshot_of(folder, one, values) for one in entries)
        found = sorted(each, key=lambda one: one.step)
        self._saved = [one for one in found if not one.missed and not one.removed]
        self.missed = [one for one in found if one.missed]
        self.removed = [one for one in found if one.removed]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Run":
        """Read the record of a run.

        Args:
            folder: The run's folder; any `tf.io.gfile` path.

        Raises:
            FileNotFoundError: If the folder has no record.
            ValueError: If the record is from a newer version, names files outside its folder, or has
                no line that can be read.

        Warns:
            UserWarning: If lines of the record, or `run.json`, cannot be read; they are left out.

        Example:
            ```python
            for snapshot in Run.open("runs/dcgan"):
                print(snapshot.epoch, snapshot.path, snapshot.logs.get("g_loss"))
            ```
        """
        folder = check_path(folder, "folder")
        found = read_record(folder)
        if found is None:
            raise FileNotFoundError(f"There is no record of a run ({RECORD}) in {folder!r}.")
        about, unreadable = read_run(folder)
        for text in (*found.warnings, *unreadable):
            warnings.warn(escaped(text), stacklevel=2)
        return cls(folder, found.entries, about)

    @property
    def id(self) -> str:
        """The run's own identifier, which its pictures carry too; "" for a run of the first version."""
        return str(self.about.get("id", ""))

    @property
    def samples(self) -> KeptSamples | None:
        """What the run was shown, `inputs` and `targets`; None where it was not kept. Read at each look.

        NumPy arrays in the plain structure that the file tells: an array, or lists and dicts of them.
        Tuples come back as lists, as do dicts whose keys are 0, 1 and so on; other keys as text.

        Raises:
            ValueError: If the file is the run's and cannot be read.

        Example:
            ```python
            inputs, targets = Run.open("runs/unet").samples
            ```
        """
        return kept_samples(self.folder, self.about)

    @property
    def state(self) -> str:
        """How the run stands: "running", "finished", "failed", "stopped", or "" if nothing tells.

        "stopped" is one that nobody ended, as where its process was killed: nothing came for five
        times the median interval between its snapshots.
        """
        state = str(self.about.get("state", ""))
        if state == "running":
            drawn = (*self._saved, *self.missed, *self.removed)
            times = sorted(one.time for one in drawn if one.time)
            gaps = [after - before for before, after in itertools.pairwise(times)]
            resumed = self.about.get("resumed")
            newest = max(
                [*times, resumed] if isinstance(resumed, (int, float)) else times, default=0
            )
            if gaps and time.time() - newest > _SILENT_FOR * statistics.median(gaps):
                return "stopped"
        # Killed while it was deleted, it is for the next start to be done with.
        return "failed" if state == "deleting" else state

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._saved)

    def __len__(self) -> int:
        return len(self._saved)
