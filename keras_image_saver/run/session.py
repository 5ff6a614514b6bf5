"""A run while it is written: the lock, the record, the writer, and what came of each snapshot."""

from __future__ import annotations

import io
import logging
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from keras_image_saver.render.base import Finding
from keras_image_saver.run.files import LOCK, RECORD, SAMPLES
from keras_image_saver.run.lock import Lock
from keras_image_saver.run.previous import Previous, check_previous, complete_move, set_aside
from keras_image_saver.run.record import (
    Mirror,
    Record,
    Snapshot,
    entry_of,
    read_entries,
    record_files,
)
from keras_image_saver.run.samples_file import (
    load_samples,
    same_samples,
    samples_bytes,
    save_samples,
)
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.writer import Background, Inline, Writer, within_limit
from keras_image_saver.samples import Samples

_MOST_SAMPLE_BYTES = 64 * 2**20

logger = logging.getLogger("keras_image_saver")


@dataclass(frozen=True)
class Outcome:
    """What came of one snapshot; `path` is where it was to go."""

    snapshot: Snapshot
    path: str
    findings: tuple[Finding, ...] = ()
    error: Exception | None = None


class Session:
    """One run in its folder, over as many `fit`s as there are.

    Args:
        folder: The run's folder.
        depth: How many levels of subfolders pictures go to.
        is_name: Tells whether a path may be that of a picture of the run.
        background: Whether jobs run behind the training.
        previous: What becomes of an earlier run in the folder.
        scoped: Whether `close` is certain to be called, as in `watch`.
        page: Whether to keep a page of the run beside its record.
        alone: Whether this process trains alone. Workers that train together must draw as many
            rows at the same steps as one another, so what one reads in the folder changes neither.
    """

    def __init__(
        self,
        folder: str,
        depth: int,
        is_name: Callable[[str], bool],
        *,
        background: bool,
        previous: Previous,
        scoped: bool,
        page: bool = False,
        alone: bool = True,
    ) -> None:
        self.folder = folder
        self._depth = depth
        self._is_name = is_name
        self._previous = previous
        self._page = page
        self._alone = alone
        self._writer: Writer = Background() if background else Inline()
        self._lock = Lock(folder, self._writer.flush, scoped=scoped)
        self._record: Record | None = None
        self._kept: list[dict[str, Any]] = []
        self._outcomes: deque[Outcome] = deque()
        self._begun = False
        self._resumes = False

    def claim(
        self,
        began: int,
        samples: Samples,
        epochs_done: int,
        epoch_is_due: Callable[[int], bool],
    ) -> tuple[Samples, int]:
        """Take the folder, and look at what is in it; nothing is moved yet.

        Args:
            began: The `next_order` at which training began.
            samples: What the saver was given.
            epochs_done: Epochs of this run that were trained before, in another process.
            epoch_is_due: Tells whether an epoch, counted from 1, has a snapshot.

        Returns:
            The samples to draw, and the steps of the run so far, 0 if the record does not tell.

        Raises:
            ValueError: If the folder is in use, or its record cannot be built on.
            OSError: If the folder cannot be written, or storage does not answer.
        """
        thread = threading.get_ident()
        return within_limit(
            lambda: self._claim(began, thread, samples, epochs_done, epoch_is_due),
            f"looking into {self.folder!r}",
        )

    def _claim(
        self,
        began: int,
        thread: int,
        samples: Samples,
        epochs_done: int,
        epoch_is_due: Callable[[int], bool],
    ) -> tuple[Samples, int]:
        storage_of(self.folder).check_scheme()
        self._lock.acquire(began, thread)
        if self._begun:
            self._check_untouched()
            return samples, 0
        complete_move(self.folder)
        storage_of(self.folder).clear_temporaries(depth=self._depth, unless=LOCK)
        self._resumes = epochs_done > 0
        if not self._resumes:
            entries = read_entries(self.folder, record_files(self.folder))
            check_previous(self.folder, entries, self._previous)
            self._check_pictures()
            return samples, 0
        entries = read_entries(self.folder, record_files(self.folder))
        # What was drawn beyond the epoch where training goes on is drawn anew.
        self._kept = [entry for entry in entries if int(entry["epoch"]) <= epochs_done]
        self._note_unwritten(epochs_done, epoch_is_due)
        steps = _steps_at(epochs_done, self._kept)
        return self._kept_samples(samples), steps if self._alone else 0

    def _check_pictures(self) -> None:
        """Refuse to overwrite pictures that no record tells of."""
        if record_files(self.folder):
            return  # it is written before the first picture
        for file in storage_of(self.folder).files(depth=self._depth, unless=LOCK):
            if self._is_name(file.path):
                raise ValueError(
                    f"`filepath` must not name files that are there already, got {self.folder!r}, "
                    f"where {file.path!r} belongs to no run that is recorded ({RECORD}). Use another "
                    "folder, or move those files."
                )

    def _note_unwritten(self, epochs_done: int, epoch_is_due: Callable[[int], bool]) -> None:
        """Enter the snapshots that were queued when the process ended as missed."""
        if not self._kept:
            return
        drawn = list(self._kept)
        last = max(int(entry["epoch"]) for entry in drawn)
        missed = "training ended before it was written"
        lost = [epoch for epoch in range(last + 1, epochs_done + 1) if epoch_is_due(epoch)]
        for epoch in lost:
            snapshot = Snapshot(epoch, 0, _steps_at(epoch, drawn), "", missed=missed)
            self._kept.append(entry_of(self.folder, snapshot))
        if lost:
            logger.warning(
                "The run in %s has no snapshot of %d epochs that were trained before, %s: they were "
                "not written when that training ended.",
                self.folder,
                len(lost),
                _listed(lost),
            )

    def begin(self, samples: Samples) -> None:
        """Set an earlier run aside and begin the record, or go on with it.

        Raises:
            OSError: If the folder cannot be written, or storage does not answer.
        """
        if not self._begun:
            within_limit(lambda: self._begin(samples), f"preparing {self.folder!r}")

    def _begin(self, samples: Samples) -> None:
        storage_of(self.folder).probe()
        if not self._resumes:
            set_aside(self.folder, self._previous)
        self._record = record = Record(self.folder, self._kept, mirror=self._begin_page())
        if self._resumes and record_files(self.folder):
            record.rewrite()
        self._begun = True
        keeps = self._keeps(samples)

        def write_first() -> None:
            self._write_record()  # so that whatever follows is known to be ours
            if keeps:
                self._keep(samples)

        self._writer.submit(write_first)

    def _keeps(self, samples: Samples) -> bool:
        """Tell whether samples are kept beside the pictures, and say why if not."""
        if samples.inputs is None:
            return False
        if samples_bytes(samples) > _MOST_SAMPLE_BYTES:
            logger.warning(
                "The samples take %.0f MiB and are not kept beside the pictures (64 MiB at most): a "
                "resumed run will draw what it is given.",
                samples_bytes(samples) / 2**20,
            )
            return False
        if not self._resumes and SAMPLES in storage_of(self.folder).names():
            logger.warning(
                "%s in %s is there already and not ours; the samples are not kept.",
                SAMPLES,
                self.folder,
            )
            return False
        return True

    def _keep(self, samples: Samples) -> None:
        place = storage_of(self.folder) / SAMPLES
        try:
            place.replace(lambda file: save_samples(samples, file))
        except Exception as error:
            logger.warning("The samples could not be kept in %s: %s", place.path, _reason(error))

    def _begin_page(self) -> Mirror | None:
        if not self._page:
            return None
        from keras_image_saver.viewers.page import Page

        return Page(self.folder).mirror

    def put(
        self,
        snapshot: Snapshot,
        make: Callable[[], tuple[Mapping[str, Any], Any, tuple[Finding, ...]]],
    ) -> None:
        """Make and record one snapshot, now or behind the training.

        Args:
            snapshot: What is known of it.
            make: Writes the picture; returns its geometry, the image for listeners or None, and
                what there is to say.
        """

        def job() -> None:
            findings: tuple[Finding, ...] = ()
            error: Exception | None = None
            done = replace(snapshot, time=time.time())
            try:
                geometry, image, findings = make()
                done = replace(done, geometry=geometry, image=image)
            except Exception as caught:
                error = caught
                done = replace(done, path="", missed=_reason(caught))
            self._enter(done)
            self._outcomes.append(Outcome(done, snapshot.path, findings, error))

        if not self._writer.submit(job):
            self.miss(snapshot, TimeoutError("storage does not answer"))

    def miss(self, snapshot: Snapshot, error: Exception) -> None:
        """Record a snapshot that could not be drawn; storage is not waited for."""
        missed = replace(snapshot, path="", missed=_reason(error), time=time.time())
        if self._record is not None:
            self._record.add(missed)
        self._outcomes.append(Outcome(missed, snapshot.path, (), error))

    def collect(self) -> list[Outcome]:
        """Return what came of snapshots since the last call, in order."""
        found = []
        while self._outcomes:
            found.append(self._outcomes.popleft())
        return found

    def close(self) -> bool:
        """Write what is queued and release the folder; False if storage does not answer."""
        answered = self._writer.finish(self._write_record)
        self._lock.release()
        return answered

    def abandon(self) -> None:
        """Release the folder after a failed start, and leave it as it was."""
        self._lock.undo()

    def _enter(self, snapshot: Snapshot) -> None:
        if self._record is not None:
            self._record.add(replace(snapshot, image=None))
        self._write_record()

    def _write_record(self) -> None:
        """Bring the record to storage; where that fails it is kept in memory, for the next time."""
        if self._record is None or not (self._record.is_behind or self._record.is_new):
            return
        try:
            self._record.write()
        except OSError as error:
            logger.debug("The record in %s could not be written: %s", self.folder, error)
        except Exception as error:
            logger.warning("The record in %s could not be written: %s", self.folder, _reason(error))

    def _check_untouched(self) -> None:
        """Refuse a folder where another run was begun since this one last wrote to it."""
        if self._record is not None and not self._record.is_ours():
            self._lock.release()
            raise ValueError(
                f"`filepath` must be in the folder of this run, got {self.folder!r}, where another "
                f"run has begun since ({RECORD} is not what this saver wrote). Use a new ImageSaver."
            )

    def _kept_samples(self, samples: Samples) -> Samples:
        """Return the samples that the run was begun with, if these came from a dataset."""
        if samples.inputs is None or SAMPLES not in storage_of(self.folder).names():
            return samples
        with (storage_of(self.folder) / SAMPLES).open() as file:
            content = file.read()
        try:
            kept = load_samples(io.BytesIO(content), samples)
        except Exception as error:
            warnings.warn(f"{SAMPLES} in {self.folder!r} cannot be read: {error}", stacklevel=2)
            return samples
        if kept is not None and not self._alone and len(kept) != len(samples):
            kept = None
        if kept is not None and samples.from_dataset:
            return kept
        if kept is None or not same_samples(samples, kept):
            warnings.warn(
                f"`samples` are not those that the run in {self.folder!r} was begun with; the "
                "given ones are drawn from here on.",
                stacklevel=2,
            )
        return samples


def _steps_at(epoch: int, entries: list[dict[str, Any]]) -> int:
    """Return the steps of a run at an epoch's end, by its newest entry; 0 if there is none."""
    newest = max(entries, key=lambda entry: int(entry.get("step", 0)), default=None)
    if newest is None:
        return 0
    last, step = int(newest["epoch"]), int(newest.get("step", 0))
    return step * epoch // last if 0 < last < epoch else step


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (" and more" if len(numbers) > 10 else "")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
