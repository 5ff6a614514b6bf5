"""What the user said of a saver, in one object, and what a run's folder tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras_image_saver.checks import check_choice
from keras_image_saver.model import backend
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.progress import Schedule
from keras_image_saver.run.previous import Previous
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.run_file import plain
from keras_image_saver.run.template import Template
from keras_image_saver.samples import Samples


@dataclass(frozen=True)
class Settings:
    """What the user said of a saver, checked; each attribute is the argument of that name."""

    template: Template
    schedule: Schedule
    samples: Samples
    model: Any
    pipeline: Pipeline
    weights: tuple[str, ...] | None
    save_initial: bool
    rehearse: bool
    on_error: str
    background: bool
    previous: Previous
    retention: Retention
    page: bool
    listeners: tuple[Callable[[Snapshot], Any], ...]


def check_reactions(on_error: Any, previous: Any, listeners: Any) -> None:
    """Refuse arguments of `ImageSaver` that say what is done about something, and do not.

    Raises:
        ValueError: If one is none of the words that it may be.
        TypeError: If `listeners` are no functions.
    """
    check_choice("on_error", on_error, ("warn", "raise"))
    check_choice("previous", previous, ("keep", "delete"))
    if not isinstance(listeners, (list, tuple)) or not all(map(callable, listeners)):
        raise TypeError(f"`listeners` must be a list or tuple of functions, got {listeners!r}.")


def about_settings(settings: Settings) -> dict[str, Any]:
    """Return what shapes the pictures, as `run.json` has it."""
    pipeline, schedule = settings.pipeline, settings.schedule
    drawn = {
        "filepath": settings.template.relative,
        "model": settings.model,
        "predict": pipeline.predict,
        "output": pipeline.output,
        "render": {"class": type(pipeline.renderer).__name__, **vars(pipeline.renderer)},
        "batch_size": pipeline.batch_size,
        "weights": settings.weights,
        "metrics": list(pipeline.metrics),
        "every_epochs": schedule.every_epochs,
        "every_batches": schedule.every_batches,
        "save_initial": settings.save_initial,
        **vars(settings.retention),
        **pipeline.tiling.settings,
        "encoder": pipeline.format.settings,
    }
    return {"versions": backend.versions(), "settings": plain(drawn)}
