"""The one place that speaks to the user during training.

Before the first batch that is by `warnings.warn`, after it by the package's logger: a warning that
`-W error` raises would end training. Each kind of news is said once, failures go by `on_error`.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras_image_saver.escapes import escaped
from keras_image_saver.run.job import Outcome
from keras_image_saver.run.record import Snapshot, reason_of

logger = logging.getLogger("keras_image_saver")


class ImageSaverError(RuntimeError):
    """A snapshot failed during training, under `on_error="raise"`.

    Attributes:
        cause: What failed. It is chained too, but Keras cuts the chain of what leaves `fit`.
    """

    def __init__(self, message: str, cause: Exception) -> None:
        super().__init__(message)
        self.cause = cause


def warn(text: str) -> None:
    """Warn before the first batch of what the user should change."""
    warnings.warn(escaped(text), stacklevel=2)


def say(text: str) -> None:
    """Say something once training has begun, on any thread."""
    logger.warning("%s", escaped(text))


class Report:
    """Says what came of the snapshots, and tells the listeners, on the training thread.

    Args:
        raises: Whether failures raise `ImageSaverError` instead of being logged.
        listeners: Called with each snapshot that was saved.

    Attributes:
        is_alone: Whether this process trains alone. Where others train with it, only what fails on each
            of them raises: one that ends alone leaves the others waiting for it.
    """

    def __init__(self, *, raises: bool, listeners: Sequence[Callable[[Snapshot], Any]]) -> None:
        self._raises = raises
        self._listeners = listeners
        self._said: set[tuple[str, ...]] = set()
        self._failures: list[ImageSaverError] = []
        self._missed: list[int] = []
        self._saved = 0
        self.is_alone = True

    def is_news(self, *kind: str) -> bool:
        """Tell whether something of this kind is said for the first time."""
        known = kind in self._said
        self._said.add(kind)
        return not known

    def report_finished(self, outcomes: Iterable[Outcome]) -> None:
        """Say what came of snapshots, in order, and tell the listeners of those that were saved.

        Raises:
            ImageSaverError: If one failed, or a listener did, and failures raise.
        """
        for outcome in outcomes:
            self._report_one(outcome)
        self._raise_first()

    def open(self) -> None:
        """Open the listeners that have an `open`: training begins.

        Raises:
            ImageSaverError: If one fails, and failures raise.
        """
        self._call_each("open", "as training began")

    def close(self) -> None:
        """Close the listeners that have a `close`: training has ended.

        Raises:
            ImageSaverError: If one fails, and failures raise.
        """
        self._call_each("close", "at the end of training")

    def _call_each(self, method: str, when: str) -> None:
        for listener in self._listeners:
            self._call(listener, _call_method, when, listener, method)
        self._raise_first()

    def sum_up(self) -> None:
        """Say how many snapshots were missed, and count anew."""
        if self._missed:
            # What fails in drawing is known before what fails in writing, so the first in the list
            # need not be the first of the run.
            say(
                f"{len(self._missed)} of {len(self._missed) + self._saved} snapshots were missed, "
                f"the first at epoch {min(self._missed)}."
            )
        self._missed, self._saved = [], 0

    def _report_one(self, outcome: Outcome) -> None:
        snapshot = outcome.snapshot
        for finding in outcome.findings:
            if snapshot.epoch == 0 and finding.panel not in ("input", "target"):
                continue  # what an untrained model draws is no news
            if self.is_news(finding.kind, finding.panel):
                say(f"Epoch {snapshot.epoch}, {snapshot.path}: {finding.text}")
        if outcome.error is None:
            self._saved += 1
            # Where the picture fails too, that is said; and at the end this, if it is so still.
            if outcome.unrecorded is not None and self.is_news("record"):
                say(
                    f"Epoch {snapshot.epoch}, {snapshot.path}: the record could not be written: "
                    f"{reason_of(outcome.unrecorded)}. It is tried again with each snapshot."
                )
            for listener in self._listeners if snapshot.path else ():
                self._call(
                    listener, listener, f"at epoch {snapshot.epoch}, {snapshot.path}", snapshot
                )
            return
        self._missed.append(snapshot.epoch)
        text = (
            f"The snapshot of epoch {snapshot.epoch}, {outcome.path}, was missed: {snapshot.missed}"
        )
        self.fail("snapshot", text, outcome.error, everywhere=not outcome.is_drawn)

    def _call(self, listener: Any, function: Callable[..., Any], when: str, *given: Any) -> None:
        try:
            function(*given)
        except Exception as error:
            name = getattr(listener, "__name__", type(listener).__name__)
            self.fail("listener", f"The listener {name} failed {when}: {error!r}", error)

    def fail(self, kind: str, text: str, error: Exception, *, everywhere: bool = False) -> None:
        """Log a failure, once a kind, or have it raised by the next `report_finished`.

        Args:
            kind: What failed.
            text: What to say of it.
            error: Why.
            everywhere: Whether it fails on each worker, where several train.
        """
        if self._raises and (self.is_alone or everywhere):
            self._failures.append(ImageSaverError(escaped(text), error))
        elif self.is_news(kind, type(error).__name__):
            say(f"{text}. Training goes on; the next snapshot is tried anew.")

    def _raise_first(self) -> None:
        # What else failed is not lost: it is in the record as missed.
        failures, self._failures = self._failures, []
        for failure in failures:
            raise failure from failure.cause


def _call_method(listener: Any, method: str) -> None:
    if hasattr(listener, method):
        getattr(listener, method)()
