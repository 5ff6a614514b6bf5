"""From samples to a file: the stages of all folders in a row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from keras_image_saver.drawer import Drawer, Way
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.compose import Drawing, compose
from keras_image_saver.picture.tiling import Tiling, check_sample_names
from keras_image_saver.render.base import (
    Batch,
    Finding,
)
from keras_image_saver.render.measuring import Measuring
from keras_image_saver.render.summaries import summarize
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples


@dataclass(frozen=True)
class Rehearsal:
    """What came of going the whole way before training.

    Attributes:
        drawing: What was drawn.
        findings: What there is to say of it.
        seconds: How long that took.
        difference: By how much a second pass with the same weights drew other pixels at most, of
            255; None if there was none.
    """

    drawing: Drawing
    findings: tuple[Finding, ...]
    seconds: float
    difference: int | None


@dataclass(frozen=True)
class Pipeline(Way):
    """How samples become a file.

    Attributes:
        tiling: Panels to a picture.
        format: The file format, with the encoder's options.
        keeps_image: Whether what is saved is handed back too, for listeners.
    """

    tiling: Tiling
    format: formats.Format
    keeps_image: bool = False

    def new_measuring(self, samples: Samples) -> Measuring:
        """Return what takes our measures of a run, snapshot after snapshot."""
        ours = {name: one for name, one in self.metrics.items() if isinstance(one, str)}
        return Measuring(ours, latents=samples.noise)

    def going_on(self, geometry: Mapping[str, Any]) -> "Pipeline":
        """Return it for a run that is resumed, whose newest picture has this geometry."""
        return replace(self, tiling=self.tiling.going_on(geometry))

    def rehearse(self, drawer: Drawer, *, whole: bool, twice: bool = True) -> Rehearsal:
        """Go the whole way once, and draw once more, so that whatever is wrong shows before training.

        Args:
            drawer: From `bind`.
            whole: Whether to draw all samples, or the first chunk.
            twice: Whether a second pass may be made. How long the first took differs from worker to
                worker, so that where several train, only some of them would make it.

        Raises:
            ValueError: If the arguments do not fit the model, the samples or the format.
        """
        drawing, seconds, difference = drawer.rehearse(whole=whole, twice=twice)
        samples = drawer.samples
        drawing.bound.check_samples(Batch(samples.inputs, samples.targets, None))
        self.new_measuring(samples).check(
            drawing.bound, drawing.parts(), len(samples) or drawing.count
        )
        picture = compose(drawing, self.tiling)
        # As large as it will be: fewer rows may have been drawn.
        count = drawing.count if samples.inputs is None else len(samples)
        check_sample_names(self.tiling.sample_names or None, count)
        first = drawing.render_part(next(drawing.parts()))
        layout = self.tiling.plan(first, count, drawing.bound)
        formats.check_image((*layout.size, picture.image.shape[2]), self.format)
        encoder.encode(picture.image, self.format)
        return Rehearsal(drawing, picture.findings, seconds, difference)

    def save(self, job: Job, measuring: Measuring) -> Saved:
        """Map, tile, encode and write one snapshot, on whatever thread.

        Args:
            job: What to make.
            measuring: What takes our measures of the run.
        """
        picture = compose(job.drawing, self.tiling)
        found = measuring(job.drawing.bound, job.drawing.parts())
        own = job.drawing.metrics
        metrics = {**found.samples, **own}
        summaries = {
            **found.summary,
            **{name: summarize(values, more_is_worse=True) for name, values in own.items()},
        }
        summary = {name: one.entry() for name, one in summaries.items()}
        ranges = job.drawing.bound.ranges
        explained: dict[str, Any] = {**job.moment._asdict(), "logs": json_logs(job.logs)}
        geometry = picture.layout.geometry()
        if job.run:  # as an entry has it: a kill may come before that is written
            explained |= {"run": job.run, "time": round(job.time, 3), "geometry": geometry}
            explained |= {"metrics": json_logs(summary)} if metrics else {}
        known = {name: limits for name, limits in ranges.items() if limits is not None}
        if known:
            explained["value_range"] = known
        explained["weights"] = job.drawing.weights
        storage_of(job.path).replace(
            lambda file: encoder.write_image(file, picture.image, self.format, explained)
        )
        image = picture.image if self.keeps_image else None
        return Saved(
            geometry,
            image,
            (*picture.findings, *found.findings),
            job.drawing.weights,
            metrics=metrics,
            class_metrics=found.classes,
            summary=summary,
        )
