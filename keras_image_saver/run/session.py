"""A run while it is written: the lock, the record, the writer, and what came of each snapshot."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from keras_image_saver.render.base import BoundRenderer
from keras_image_saver.run.found import Found, find
from keras_image_saver.run.job import Job, Outcome, Saved, missed, saved
from keras_image_saver.run.lock import Lock
from keras_image_saver.run.mirror import Mirror, nobody
from keras_image_saver.run.pictures import Explain, Pictures, move_unknown, remove_left
from keras_image_saver.run.previous import (
    Previous,
    check_movable,
    clear_temporaries,
    complete,
    set_aside,
)
from keras_image_saver.run.record import Record, reason_of
from keras_image_saver.run.resume import Start, resume
from keras_image_saver.run.retention import Retention, removed_files
from keras_image_saver.run.run_file import About, RunFile, State, about_samples, write_about
from keras_image_saver.run.samples_file import keep_samples
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.run.template import Template
from keras_image_saver.run.writer import Background, Inline
from keras_image_saver.samples import Samples

logger = logging.getLogger("keras_image_saver")


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
        page: What follows the run's files, as its page does; None for no page.
        about: What `run.json` says of the run's `versions`, `training` and `settings`.
        explain: Reads what a picture says of itself.
        retention: How many snapshots stay on disk; None: all.
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
        about: About,
        explain: Explain,
        retention: Retention | None = None,
        scoped: bool = False,
        alone: bool = True,
    ) -> None:
        self._template = template
        self._save = save
        self._say = say
        self._previous = previous
        self._alone = alone
        self._writer = Background(say) if background else Inline(say)
        self._lock = Lock(template.folder, self._writer, say, scoped=scoped)
        self._start = Start(Samples(None))
        self._new_record = partial(Record, template.folder, mirror=page, retention=retention)
        self._record = self._new_record()
        self._run_file = RunFile(self._template.folder, about, say, page or nobody)
        self._pictures = Pictures(explain)
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
        thread, resumes = threading.current_thread(), epochs_done > 0 and not self.has_begun
        # What it wrote last may hang still: then this training has the folder, and misses snapshots.
        hangs = self.has_begun and not self._writer.flush() and self._lock.keep(thread)
        found = Found()
        if not hangs:
            found = self._writer.ask(
                lambda: self._look(began, thread, epochs_done if resumes else 0),
                f"looking into {self._template.folder!r}",
            )
        if self.has_begun:
            self._run_file.go_on()
            if not hangs:  # else the one place in the queue is for a snapshot
                self._writer.submit(self._run_file.try_to_catch_up)
        start = Start(samples, warnings=found.warnings, found=found)
        if resumes:
            # On this thread: `epoch_is_due` may be the user's code.
            start = resume(
                self._template.folder, found, samples, epochs_done, epoch_is_due, alone=self._alone
            )
        for line in start.news:
            self._say(line)
        self._start = start
        return start

    def _look(self, began: int, thread: threading.Thread, epochs_done: int) -> Found:
        storage_of(self._template.folder).check_scheme()
        self._lock.acquire(began, thread)
        self._writer.check_wanted()
        if self.has_begun:
            try:
                self._record.check_ours()
            except ValueError:
                self._lock.release()
                raise
            return Found()
        complete(self._template.folder, self._pictures.explain)
        _check_links(self._template)
        clear_temporaries(self._template.folder, self._template.depth)
        deletes = self._previous == "delete"
        found = find(self._template, epochs_done, self._pictures.explain, deletes=deletes)
        if not epochs_done:
            check_movable(self._template.folder, found, self._previous)
        return found

    def begin(self, samples: Samples, drawn_by: BoundRenderer | None = None) -> None:
        """Set an earlier run aside and begin the record, or go on with it; `open` comes before.

        Raises:
            OSError: If the folder cannot be written, or storage does not answer.
        """
        if self.has_begun:
            return
        start = self._start
        self._record = self._writer.ask(self._begin, f"preparing {self._template.folder!r}")
        about = about_samples(samples)
        if start.resumed and start.found.has_unmarked_samples:
            about["unmarked"] = True
        self._run_file.begin(about, start.about, drawn_by)
        self.has_begun = True
        self._writer.submit(partial(self._write_first, samples))

    def _begin(self) -> Record:
        start = self._start
        storage_of(self._template.folder).probe(self._template.longest())
        self._writer.check_wanted()
        found, explain = start.found, self._pictures.explain
        remove_left(self._template.folder, removed_files(found.entries), found.id or "", explain)
        move_unknown(self._template.folder, found.unknown)
        if not start.resumed:
            set_aside(self._template.folder, self._previous, found)
        record = self._new_record(start.lines)
        if start.resumed:
            self._pictures.add(*(join(self._template.folder, name) for name in found.files))
            if start.about and start.about.get("passed_over"):
                write_about(self._template.folder, start.about)  # before the record forgets them
            record.rewrite()
        return record

    def _write_first(self, samples: Samples) -> None:
        # So that whatever follows is known to be ours.
        self._run_file.try_to_catch_up()
        self._write_record()
        keep_samples(samples, self._template.folder, self._say, run=self._run_file.id)

    def submit(self, job: Job) -> None:
        """Have a snapshot made and recorded, now or behind the training."""
        if not self._writer.submit(partial(self._run, job)):
            self._add(missed(job, TimeoutError("storage does not answer")))

    def miss(self, job: Job, error: Exception) -> None:
        """Record a snapshot that could not be drawn; storage is not waited for."""
        self._add(replace(missed(job, error), is_drawn=False))

    def _add(self, outcome: Outcome) -> None:
        self._record.add(outcome.snapshot)
        self._outcomes.append(outcome)

    def _run(self, job: Job) -> None:
        now = time.time()
        try:
            self._run_file.catch_up()
            self._pictures.check(job.path, self._run_file.id)
            result = self._save(replace(job, run=self._run_file.id, time=now))
        except Exception as error:
            outcome = missed(job, error, now)
        else:
            outcome = saved(job, result, now)
            self._pictures.add(job.path)
        # First to the record, then to the outcomes: who hears of a snapshot finds it recorded.
        self._record.add(outcome.snapshot)
        self._outcomes.append(replace(outcome, unrecorded=self._write_record()))

    def _write_record(self) -> Exception | None:
        """Bring the record to storage, and then remove what it says is removed.

        What fails is returned, and kept in memory for the next time.
        """
        if not self.has_begun:
            return None
        failed = None
        try:
            if self._record.is_behind:
                self._record.write()
        except Exception as error:  # a remote storage raises what it likes
            failed = error
        self._pictures.remove(self._record.take_removed(), self._run_file.id, self._say)
        return failed

    def collect(self) -> Iterator[Outcome]:
        """Yield what came of snapshots since the last call, in order.

        Asked for the next one, it takes the one before as told of: its picture may go from then on.
        """
        while self._outcomes:
            outcome = self._outcomes.popleft()
            yield outcome
            self._record.free(outcome.snapshot)

    def flush(self) -> bool:
        """Wait until what was submitted is written; False if storage does not answer."""
        return self._writer.flush()

    def close(self, state: State = "finished") -> bool:
        """Write what is queued, and how the run ended, and release the folder.

        Where storage does not answer the folder stays ours until it does: what is written late must
        not meet another run.

        Returns:
            False if storage does not answer.
        """
        turn = self._lock.turn
        answered = self._writer.finish(partial(self._end, turn, state))
        if not answered:
            self._lock.leave(turn)
        return answered

    def _end(self, turn: int, state: State) -> None:
        failed = self._write_record()
        if failed is not None:
            self._say(
                f"The record in {self._template.folder} could not be written to the end: "
                f"{reason_of(failed)}. {self._record.pictures_behind} pictures have no entry in it."
            )
        self._run_file.end(state)
        self._lock.release(turn)

    def abandon(self) -> None:
        """Release the folder after a failed start, and leave it as it was."""
        if not self._writer.finish(self._lock.cancel):
            self._lock.leave()


def _check_links(template: Template) -> None:
    """Refuse subfolders that lead out of the run's folder: a record names nothing outside of it.

    Raises:
        ValueError: If there is one.
    """
    folder = storage_of(template.folder)
    for link in folder.links(depth=template.depth) if template.depth else ():
        if template.leads_through((folder / link).path) and not folder.holds(f"{link}/picture"):
            raise ValueError(
                f"`filepath` must lead to files in its own folder, {template.folder!r}, got "
                f"{template.text!r}, where {link!r} is a link that leads out of it. Remove the link, or "
                "give `filepath` the folder that it leads to."
            )
