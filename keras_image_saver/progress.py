"""Which snapshots are due, and where in the run each of them stands.

Everything that counts epochs, batches and steps is here, over as many `fit`s and `watch`es as a run
has. Epochs come in counted from 0, as Keras counts them, and go out counted from 1, as people do.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from keras_image_saver.checks import check_int


class Moment(NamedTuple):
    """Where in a run a snapshot stands, each counted from 1.

    Attributes:
        epoch: 0 is the untrained model.
        batch: In its epoch; 0 where a loop of one's own counts none.
        step: Over the run; 0 where a loop counts none.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0


# A moment that is due, and the logs that Keras reported with it.
Due: TypeAlias = tuple[Moment, Mapping[str, Any]]


@dataclass(frozen=True)
class Schedule:
    """Is this epoch, or batch, due?

    Attributes:
        every_epochs: A snapshot each so many epochs, or what tells of an epoch, counted from 1,
            whether it has one; or None.
        every_batches: A snapshot each so many batches over the run, or None. Neither given means
            every epoch.
    """

    every_epochs: int | Callable[[int], bool] | None = None
    every_batches: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.every_epochs):
            check_int("every_epochs", self.every_epochs, 1, optional=True)
        check_int("every_batches", self.every_batches, 1, optional=True)

    @property
    def by_epochs(self) -> bool:
        return self.every_epochs is not None or self.every_batches is None

    def epoch_is_due(self, epoch: int) -> bool:
        """Tell whether an epoch, counted from 1, is due; it may run the user's code.

        Raises:
            TypeError: If the user's function returns neither True nor False.
            ValueError: If it fails.
        """
        if not callable(self.every_epochs):
            return self.by_epochs and epoch % (self.every_epochs or 1) == 0
        try:
            due = self.every_epochs(epoch)
        except Exception as error:
            raise ValueError(
                "`every_epochs` must be a function that tells of any epoch, counted from 1, whether it "
                f"has a snapshot; for {epoch} it failed: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(due, (bool, np.bool_)):
            raise TypeError(
                f"`every_epochs` must return True or False, got {due!r} for epoch {epoch}. For example: "
                "lambda epoch: epoch < 10 or epoch % 10 == 0."
            )
        return bool(due)

    def check_loop(self) -> None:
        """Refuse what says when a snapshot is due, where a loop of one's own says it.

        Raises:
            ValueError: If there is such a thing.
        """
        if self != Schedule():
            raise ValueError(
                "`every_epochs` and `every_batches` belong to `fit`, got "
                f"every_epochs={self.every_epochs} and every_batches={self.every_batches} in `watch`: "
                "there, call `save` when one is due."
            )

    def step_is_due(self, before: int, after: int) -> bool:
        """Tell whether a multiple of `every_batches` was crossed between two counts of steps.

        With `steps_per_execution` Keras reports several batches at once, so that a step is not
        always seen itself.
        """
        every = self.every_batches
        return every is not None and after // every > before // every


class Progress:
    """Counts what a run has had, and says which snapshot is due.

    A second `fit` that starts at epoch 0 goes on with the run, and so does a second loop that counts
    epochs or steps from 0; one that starts later names its own epochs.

    Args:
        schedule: Which epochs and steps are due.

    Attributes:
        steps_per_epoch: What `fit` says of the dataset, None where it does not know.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.steps_per_epoch: int | None = None
        self._epoch = 0  # that is going on, counted from 0 over the run
        self._is_due = False  # that epoch: asked once, where it begins, on the training thread
        self._batch = 0  # that ended last in it, counted from 1
        self._steps_before = 0  # that ended before this epoch began
        self._epoch_offset = 0  # of what this `fit` or loop counts to what the run has
        self._step_offset = 0
        self._epochs_done = 0
        self._steps_done = 0  # as a loop of one's own counted them
        self._loop_begins = False
        self._held: Due | None = None
        # On JAX and PyTorch, Keras may report batches from several threads, in any order.
        self._counts = threading.Lock()

    def begin_fit(self, epoch: int) -> None:
        """A `fit` begins with an epoch, which Keras counts from 0.

        Raises:
            TypeError: If the user's function does not tell whether that epoch is due.
            ValueError: If it fails.
        """
        self._epoch_offset = self._epochs_done if epoch == 0 else 0
        self._held = None  # of a `fit` that was interrupted
        self.schedule.epoch_is_due(self._epoch_offset + epoch + 1)

    def resume(self, epochs_done: int, steps: int) -> None:
        """Count on from epochs that were trained in another process.

        Args:
            epochs_done: How many.
            steps: Those of the run by its record, 0 if it does not tell.
        """
        counted = epochs_done * (self.steps_per_epoch or 0)
        # A record by epochs has an entry at each epoch's end: its steps are those that there were,
        # also where the dataset has another length now. The newest entry of a record by batches may
        # have been written in the midst of its epoch, so the steps are as many as either tells.
        by_record = self.schedule.by_epochs and steps
        self._steps_before = steps if by_record else max(steps, counted)
        self._batch = 0  # of a start that failed in the midst of its epoch

    def begin_epoch(self, epoch: int) -> Exception | None:
        """An epoch begins, which Keras counts from 0.

        Returns:
            Why the user's function does not tell whether it is due, so that it is; None if it does.
        """
        self._epoch = self._epoch_offset + epoch
        self._steps_before += self._batch
        self._batch = 0
        try:
            self._is_due = self.schedule.epoch_is_due(self._epoch + 1)
        except Exception as error:
            self._is_due = True
            return error
        return None

    def begin_batch(self) -> Due | None:
        """Return the step that `end_batch` held back, now that a batch follows in its epoch."""
        held, self._held = self._held, None
        return held

    def end_batch(self, batch: int, logs: Callable[[], Mapping[str, Any]]) -> Due | None:
        """Count the batches up to one, which Keras counts from 0; return the step if it is due now.

        Where a due step and the end of a due epoch fall together there is one snapshot, the epoch's.
        So a step of such an epoch is held back until it is known not to be its last.

        Args:
            batch: The batch that ended.
            logs: Gives what Keras reported with it; asked for only if the step is due.
        """
        # Under `steps_per_execution` Keras 3 reports a batch past the end of the epoch.
        ended = min(batch + 1, self.steps_per_epoch or batch + 1)
        with self._counts:
            before, self._batch = self._batch, max(self._batch, ended)
        steps = self._steps_before
        if not self.schedule.step_is_due(steps + before, steps + self._batch):
            return None
        due = self.now, logs()
        if not self._is_due:
            return due
        self._held = due
        return None

    def end_epoch(self) -> Moment | None:
        """Count the epoch that ends; return its moment if it is due."""
        self._held = None
        # Where a loop reports no batches, the epoch had as many as it said.
        self._batch = self._batch or self.steps_per_epoch or 0
        self._epochs_done = self._epoch + 1
        return self.now if self._is_due else None

    def begin_loop(self) -> None:
        """A loop of one's own begins; what it counts is known at its first `count`."""
        self._loop_begins = True

    def count(
        self, epoch: int | None = None, batch: int | None = None, step: int | None = None
    ) -> Moment:
        """Return the moment that a loop of one's own names, each counted from 0, or None."""
        if self._loop_begins:
            self._loop_begins = False
            self._epoch_offset = self._epochs_done if epoch == 0 else 0
            again = step is not None and step < self._steps_done
            self._step_offset = self._steps_done if again else 0
        moment = Moment(
            0 if epoch is None else epoch + 1 + self._epoch_offset,
            0 if batch is None else batch + 1,
            0 if step is None else step + 1 + self._step_offset,
        )
        self._epochs_done = max(self._epochs_done, moment.epoch)
        self._steps_done = max(self._steps_done, moment.step)
        return moment

    @property
    def now(self) -> Moment:
        """Where the run stands, whether that is due or not."""
        return Moment(self._epoch + 1, self._batch, self._steps_before + self._batch)
