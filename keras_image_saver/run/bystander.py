"""What a worker has that draws with the others and does not write."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from keras_image_saver.render.base import BoundRenderer
from keras_image_saver.run.job import Job, Outcome, missed
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.resume import Start
from keras_image_saver.run.run_file import State
from keras_image_saver.samples import Samples


class Bystander:
    """What a worker has that draws with the others and does not write: a `Session` of no folder.

    A pass that fails is told of as by a session, since each worker is to end training where one does.
    """

    def __init__(self) -> None:
        self._outcomes: deque[Outcome] = deque()
        self.has_begun = False

    def open(
        self, began: int, samples: Samples, epochs_done: int, epoch_is_due: Callable[[int], bool]
    ) -> Start:
        # It counts steps as the one that writes does, by the epochs that were done.
        return Start(samples, resumed=epochs_done > 0 and not self.has_begun)

    def begin(self, samples: Samples, drawn_by: BoundRenderer | None = None) -> None:
        self.has_begun = True

    def submit(self, job: Job) -> None:
        # Without a path: there is no file here, and nothing for listeners.
        drawn = Snapshot(*job.moment, "", job.logs, time.time())
        self._outcomes.append(Outcome(drawn, job.path))

    def miss(self, job: Job, error: Exception) -> None:
        self._outcomes.append(replace(missed(job, error), is_drawn=False))

    def collect(self) -> Iterator[Outcome]:
        while self._outcomes:
            yield self._outcomes.popleft()

    def flush(self) -> bool:
        return True

    def close(self, state: State = "finished") -> bool:
        return True

    def abandon(self) -> None: ...
