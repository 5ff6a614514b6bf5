"""What the user hears of: each kind of news once, failures by `on_error`, and the sum at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.session import Outcome

logger = logging.getLogger("keras_image_saver")


def say(text: str) -> None:
    """Tell the user something during training, on any thread."""
    logger.warning("%s", text)


class ImageSaverError(RuntimeError):
    """A snapshot failed during training, under `on_error="raise"`.

    Attributes:
        cause: What failed. It is chained too, but Keras cuts the chain of what leaves `fit`.
    """

    def __init__(self, message: str, cause: Exception) -> None:
        super().__init__(message)
        self.cause = cause


class Report:
    """Says what came of the snapshots, and tells the listeners, on the training thread.

    Warnings go to the logger, not to `warnings`: under `-W error` those would end training.

    Args:
        raises: Whether failures raise `ImageSaverError` instead of being logged.
        listeners: Called with each snapshot that was saved.
    """

    def __init__(self, *, raises: bool, listeners: Sequence[Callable[[Snapshot], Any]]) -> None:
        self._raises = raises
        self._listeners = listeners
        self._said: set[tuple[str, ...]] = set()
        self._missed: list[int] = []
        self._saved = 0

    def is_news(self, *kind: str) -> bool:
        """Tell whether something of this kind is said for the first time."""
        known = kind in self._said
        self._said.add(kind)
        return not known

    def hear(self, outcomes: Iterable[Outcome]) -> None:
        """Say what came of snapshots, in order, and tell the listeners of those that were saved.

        Raises:
            ImageSaverError: If one failed, or a listener did, and failures raise.
        """
        failures = [failure for outcome in outcomes for failure in self._hear_one(outcome)]
        for text, error in failures if self._raises else ():
            raise ImageSaverError(text, error) from error

    def close(self) -> None:
        """Close the listeners that have a `close`: training has ended.

        Raises:
            ImageSaverError: If one fails, and failures raise.
        """
        failures = []
        for listener in self._listeners:
            try:
                getattr(listener, "close", _nothing)()
            except Exception as error:  # noqa: PERF203 - the others are closed too
                text = f"The listener {_name(listener)} failed at the end of training: {error!r}"
                failures.append(self._fail("listener", text, error))
        for text, cause in failures if self._raises else ():
            raise ImageSaverError(text, cause) from cause

    def sum_up(self) -> None:
        """Say how many snapshots were missed, and count anew."""
        if self._missed:
            logger.warning(
                "%d of %d snapshots were missed, the first at epoch %d.",
                len(self._missed),
                len(self._missed) + self._saved,
                min(self._missed),  # what fails in drawing is known before what fails in writing
            )
        self._missed, self._saved = [], 0

    def _hear_one(self, outcome: Outcome) -> list[tuple[str, Exception]]:
        snapshot, error = outcome.snapshot, outcome.error
        for finding in outcome.findings:
            if snapshot.epoch == 0 and finding.panel not in ("input", "target"):
                continue  # what an untrained model draws is no news
            if self.is_news(finding.kind, finding.panel):
                logger.warning("Epoch %d, %s: %s", snapshot.epoch, snapshot.path, finding.text)
        if error is None:
            self._saved += 1
            told = (self._tell(listener, snapshot) for listener in self._listeners)
            return [failure for failure in told if failure is not None]
        self._missed.append(snapshot.epoch)
        text = (
            f"The snapshot of epoch {snapshot.epoch}, {outcome.path}, was missed: {snapshot.missed}"
        )
        return [self._fail("snapshot", text, error)]

    def _tell(
        self, listener: Callable[[Snapshot], Any], snapshot: Snapshot
    ) -> tuple[str, Exception] | None:
        try:
            listener(snapshot)
        except Exception as error:
            text = (
                f"The listener {_name(listener)} failed at epoch {snapshot.epoch}, "
                f"{snapshot.path}: {error!r}"
            )
            return self._fail("listener", text, error)
        return None

    def _fail(self, kind: str, text: str, error: Exception) -> tuple[str, Exception]:
        if not self._raises and self.is_news(kind, type(error).__name__):
            logger.warning("%s. Training goes on; the next snapshot is tried anew.", text)
        return text, error


def _name(listener: Callable[[Snapshot], Any]) -> str:
    name: str = getattr(listener, "__name__", type(listener).__name__)
    return name


def _nothing() -> None:
    """Close what needs no closing."""
