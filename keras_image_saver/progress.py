"""When a snapshot is due."""

from __future__ import annotations

from dataclasses import dataclass

from keras_image_saver.checks import check_int


@dataclass(frozen=True)
class Schedule:
    """Is this epoch, or batch, due?

    Attributes:
        every_epochs: A snapshot each so many epochs, or None.
        every_batches: A snapshot each so many batches over the run, or None. Neither given means
            every epoch.
    """

    every_epochs: int | None = None
    every_batches: int | None = None

    def __post_init__(self) -> None:
        for name in ("every_epochs", "every_batches"):
            check_int(name, getattr(self, name), 1, optional=True)

    @property
    def by_epochs(self) -> bool:
        return self.every_epochs is not None or self.every_batches is None

    def epoch_is_due(self, epoch: int) -> bool:
        """Tell whether the epoch that ends, counted from 1, is due."""
        return self.by_epochs and epoch % (self.every_epochs or 1) == 0

    def step_is_due(self, before: int, after: int) -> bool:
        """Tell whether a multiple of `every_batches` was crossed between two counts of steps.

        With `steps_per_execution` Keras reports several batches at once, so that a step is not
        always seen itself.
        """
        every = self.every_batches
        return every is not None and after // every > before // every
