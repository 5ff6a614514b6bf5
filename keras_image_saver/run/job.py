"""A snapshot on its way: what is to be made, and what came of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from keras_image_saver.arrays import Array, UInt8Array
from keras_image_saver.progress import Moment
from keras_image_saver.render.base import Finding
from keras_image_saver.run.record import Snapshot, reason_of


@dataclass(frozen=True)
class Job:
    """A snapshot that is to be made.

    Attributes:
        moment: Where in the run it stands.
        logs: Metrics, as plain numbers.
        path: Where the picture is to go.
        drawing: What it is made of, for whoever makes it.
        run: The id of the run that it belongs to, for the picture to carry.
        time: When it is made, in seconds since the Unix epoch, for the picture to carry.
    """

    moment: Moment
    logs: Mapping[str, Any]
    path: str
    drawing: Any = None
    run: str = ""
    time: float = 0.0


@dataclass(frozen=True)
class Saved:
    """What became of a job whose picture is in its file.

    Attributes:
        geometry: Where the tiles stand, as in `Snapshot`.
        image: uint8 (H, W, C), if listeners want it.
        findings: What there is to say of the picture.
        weights: Which weights drew it, as in `Snapshot`.
        metrics: What its samples had by measure, as in `Snapshot`; so are the other two.
    """

    geometry: Mapping[str, Any]
    image: UInt8Array | None = None
    findings: tuple[Finding, ...] = ()
    weights: str = ""
    metrics: Mapping[str, Array] = field(default_factory=dict)
    class_metrics: Mapping[str, Array] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of one snapshot; `path` is where it was to go.

    Attributes:
        is_drawn: Whether the model's pass went well. What fails afterwards fails in one process only.
        unrecorded: Why its entry is not in storage yet; None if it is, or was not to be written yet.
    """

    snapshot: Snapshot
    path: str
    findings: tuple[Finding, ...] = ()
    error: Exception | None = None
    is_drawn: bool = True
    unrecorded: Exception | None = None


def missed(job: Job, error: Exception, now: float | None = None) -> Outcome:
    """Return what came of a job that failed."""
    at = time.time() if now is None else now
    snapshot = Snapshot(*job.moment, "", job.logs, at, missed=reason_of(error))
    return Outcome(snapshot, job.path, error=error)


def saved(job: Job, result: Saved, now: float) -> Outcome:
    """Return what came of a job whose picture is in its file."""
    told = {
        field.name: getattr(result, field.name)
        for field in fields(Saved)
        if field.name != "findings"
    }
    return Outcome(
        Snapshot(*job.moment, job.path, job.logs, now, **told), job.path, result.findings
    )
