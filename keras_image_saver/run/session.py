"""A run while it is written: the lock, the record, the writer, and what came of each snapshot."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.progress import Moment
from keras_image_saver.render.base import Finding
from keras_image_saver.run.files import LOCK, SAMPLES, record_names
from keras_image_saver.run.lock import Lock
from keras_image_saver.run.previous import Previous, check_beginning, complete_move, set_aside
from keras_image_saver.run.record import Mirror, Record, Snapshot, read_entries, reason_of
from keras_image_saver.run.resume import Found, Start, resume
from keras_image_saver.run.samples_file import keep_samples
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.template import Template
from keras_image_saver.run.writer import Background, Inline, within_limit
from keras_image_saver.samples import Samples

logger = logging.getLogger("keras_image_saver")


@dataclass(frozen=True)
class Job:
    """A snapshot that is to be made.

    Attributes:
        moment: Where in the run it stands.
        logs: Metrics, as plain numbers.
        path: Where the picture is to go.
        drawing: What it is made of, for whoever makes it.
    """

    moment: Moment
    logs: Mapping[str, Any]
    path: str
    drawing: Any = None


@dataclass(frozen=True)
class Saved:
    """What became of a job whose picture is in its file.

    Attributes:
        geometry: Where the tiles stand, as in `Snapshot`.
        image: uint8 (H, W, C), if listeners want it.
        findings: What there is to say of the picture.
        weights: Which weights drew it, as in `Snapshot`.
    """

    geometry: Mapping[str, Any]
    image: UInt8Array | None = None
    findings: tuple[Finding, ...] = ()
    weights: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one snapshot; `path` is where it was to go."""

    snapshot: Snapshot
    path: str
    findings: tuple[Finding, ...] = ()
    error: Exception | None = None


class Session:
    """One run in its folder, over as many `fit`s as there are.

    `open` looks into the folder and `begin` changes it; then come `submit` and `miss`, and `collect`
    gives what came of them. All are called on the training thread, `save` behind it.

    Args:
        template: The pictures' names; its folder is the run's.
        save: Makes a job's picture and writes it to `path`.
        say: Tells the user something during training, a line of text, on any thread.
        background: Whether jobs run behind the training.
        previous: What becomes of an earlier run in the folder.
        page: What follows the record, as the page of the run does; None for no page.
        scoped: Whether `close` is certain to be called, as in `watch`.
        alone: Whether this process trains alone, as in `resume`.

    Attributes:
        has_begun: Whether the folder is this run's, and what was in it set aside.
    """

    def __init__(
        self,
        template: Template,
        save: Callable[[Job], Saved],
        *,
        say: Callable[[str], None],
        background: bool,
        previous: Previous,
        page: Mirror | None,
        scoped: bool = False,
        alone: bool = True,
    ) -> None:
        self._template = template
        self._folder = template.folder
        self._save = save
        self._say = say
        self._previous = previous
        self._page = page
        self._alone = alone
        self._writer = Background(say) if background else Inline(say)
        self._lock = Lock(template.folder, self._writer.flush, say, scoped=scoped)
        self._start = Start(Samples(None))
        self._record = Record(self._folder)
        self._outcomes: deque[Outcome] = deque()
        self.has_begun = False

    def open(
        self, began: int, samples: Samples, epochs_done: int, epoch_is_due: Callable[[int], bool]
    ) -> Start:
        """Take the folder, and look at what is in it; nothing is moved yet.

        Args:
            began: The `next_order` at which training began.
            samples: What the saver was given.
            epochs_done: Epochs of this run that were trained before, in another process.
            epoch_is_due: Tells whether an epoch, counted from 1, has a snapshot.

        Raises:
            ValueError: If the folder is in use, or its record cannot be built on.
            OSError: If the folder cannot be written, or storage does not answer.
        """
        thread, resumes = threading.get_ident(), epochs_done > 0 and not self.has_begun
        found = within_limit(
            lambda: self._look(began, thread, samples, resumes), f"looking into {self._folder!r}"
        )
        start = Start(samples, warnings=found.warnings)
        if resumes:
            # On this thread: `epoch_is_due` may be the user's code.
            start = resume(
                self._folder, found, samples, epochs_done, epoch_is_due, alone=self._alone
            )
        for line in start.news:
            self._say(line)
        self._start = start
        return start

    def _look(self, began: int, thread: int, samples: Samples, resumes: bool) -> Found:
        folder = storage_of(self._folder)
        folder.check_scheme()
        self._lock.acquire(began, thread)
        if self.has_begun:
            try:
                self._record.check_ours()
            except ValueError:
                self._lock.release()
                raise
            return Found()
        complete_move(self._folder)
        folder.clear_temporaries(depth=self._template.depth, unless=LOCK)
        names = folder.names()
        entries, warnings = read_entries(self._folder, record_names(names))
        if not resumes:
            check_beginning(self._template, entries, self._previous)
        elif SAMPLES in names and samples.inputs is not None:
            with (folder / SAMPLES).open() as file:
                return Found(entries, warnings, file.read())
        return Found(entries, warnings)

    def begin(self, samples: Samples) -> None:
        """Set an earlier run aside and begin the record, or go on with it; `open` comes before.

        Raises:
            OSError: If the folder cannot be written, or storage does not answer.
        """
        if not self.has_begun:
            within_limit(lambda: self._begin(samples), f"preparing {self._folder!r}")

    def _begin(self, samples: Samples) -> None:
        resumed = self._start.resumed
        storage_of(self._folder).probe()
        if not resumed:
            set_aside(self._folder, self._previous)
        self._record = Record(self._folder, self._start.entries, mirror=self._page)
        if resumed:
            self._record.rewrite()
        self.has_begun = True
        self._writer.submit(partial(self._write_first, samples, resumed))

    def _write_first(self, samples: Samples, resumed: bool) -> None:
        self._write_record()  # so that whatever follows is known to be ours
        keep_samples(samples, self._folder, self._say, ours=resumed)

    def submit(self, job: Job) -> None:
        """Have a snapshot made and recorded, now or behind the training."""
        if not self._writer.submit(partial(self._run, job)):
            self.miss(job, TimeoutError("storage does not answer"))

    def miss(self, job: Job, error: Exception) -> None:
        """Record a snapshot that could not be made; storage is not waited for."""
        outcome = _missed(job, error, time.time())
        self._record.add(outcome.snapshot)
        self._outcomes.append(outcome)

    def _run(self, job: Job) -> None:
        now = time.time()
        try:
            saved = self._save(job)
        except Exception as error:
            outcome = _missed(job, error, now)
        else:
            done = Snapshot(*job.moment, job.path, job.logs, now)
            done = replace(done, geometry=saved.geometry, image=saved.image, weights=saved.weights)
            outcome = Outcome(done, job.path, saved.findings)
        # First to the record, then to the outcomes: who hears of a snapshot finds it recorded.
        self._record.add(outcome.snapshot)
        self._write_record()
        self._outcomes.append(outcome)

    def _write_record(self) -> None:
        """Bring the record to storage; where that fails it is kept in memory, for the next time."""
        if not self.has_begun or not self._record.is_behind:
            return
        try:
            self._record.write()
        except OSError as error:  # pictures fail then too, and that is said
            logger.debug("The record in %s could not be written: %s", self._folder, error)
        except Exception as error:
            self._say(f"The record in {self._folder} could not be written: {reason_of(error)}")

    def collect(self) -> list[Outcome]:
        """Return what came of snapshots since the last call, in order."""
        return [self._outcomes.popleft() for _ in range(len(self._outcomes))]

    def close(self) -> bool:
        """Write what is queued and release the folder; False if storage does not answer."""
        answered = self._writer.finish(self._write_record)
        self._lock.release()
        return answered

    def abandon(self) -> None:
        """Release the folder after a failed start, and leave it as it was."""
        self._lock.cancel()


class Bystander:
    """What a worker has that draws with the others and does not write: a `Session` of no folder."""

    has_begun = False

    def open(
        self, began: int, samples: Samples, epochs_done: int, epoch_is_due: Callable[[int], bool]
    ) -> Start:
        # It counts steps as the one that writes does, by the epochs that were done.
        return Start(samples, resumed=epochs_done > 0 and not self.has_begun)

    def begin(self, samples: Samples) -> None:
        self.has_begun = True

    def submit(self, job: Job) -> None: ...

    def miss(self, job: Job, error: Exception) -> None: ...

    def collect(self) -> list[Outcome]:
        return []

    def close(self) -> bool:
        return True

    def abandon(self) -> None: ...


def _missed(job: Job, error: Exception, now: float) -> Outcome:
    snapshot = Snapshot(*job.moment, "", job.logs, now, missed=reason_of(error))
    return Outcome(snapshot, job.path, error=error)
