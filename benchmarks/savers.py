"""Savers in training, as a benchmark drives them, with and without the extra `fast`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from keras_image_saver import ImageSaver
from keras_image_saver.picture import png


class Epochs:
    """A saver in training: calling it is an epoch's end, and `settle` waits for what is behind."""

    def __init__(self, saver: ImageSaver, model: Any) -> None:
        self.saver = saver
        self.epoch = 0
        saver.set_model(model)
        saver.set_params({"epochs": 10_000, "steps": 1, "verbose": 0})
        saver.on_train_begin()
        saver.on_epoch_begin(0)

    def __call__(self) -> None:
        self.saver.on_epoch_end(self.epoch, {"loss": 1.0})
        self.epoch += 1

    def settle(self) -> None:
        for thread in threading.enumerate():
            if thread.name == "keras_image_saver":
                thread.join()  # it ends when nothing is left to write
        self.saver.on_epoch_begin(self.epoch)

    def end(self) -> None:
        self.saver.on_train_end()


class WithoutFast(Epochs):
    """The same as where the extra `fast` is not installed."""

    def __call__(self) -> None:
        _use_fast(False)
        super().__call__()

    def settle(self) -> None:
        super().settle()
        _use_fast(True)


_IGZIP = png._igzip


def _use_fast(used: bool) -> None:
    """Have PNGs compressed by `isal` or by `zlib` from here on, on all threads."""
    png._igzip = _IGZIP if used else lambda: None


def settles(rows: dict[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """Return what follows each saver among the rows of a measurement."""
    return {name: row.settle for name, row in rows.items() if isinstance(row, Epochs)}


def end(rows: dict[str, Callable[[], Any]]) -> None:
    """End the training of each saver among the rows."""
    for row in rows.values():
        if isinstance(row, Epochs):
            row.end()
