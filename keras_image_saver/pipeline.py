"""From samples to a file: the stages of all folders in a row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from keras_image_saver.arrays import Array, describe, joined
from keras_image_saver.model.backend import ON_TENSORFLOW
from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.model.inference import Inference, chunk_rows
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.compose import Drawing, Tiling, compose
from keras_image_saver.render.base import Batch, BoundRenderer, Finding, OutputInfo, Renderer
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples


@dataclass(frozen=True)
class Pipeline:
    """How samples become a file. `bind` it to a model to draw.

    Attributes:
        renderer: Outputs to panels.
        predict: The user's way through the model, or None.
        output: Which of several outputs is the prediction: a name, an index, or None.
        batch_size: Rows through the model at a time, at most.
        tiling: Panels to a picture.
        format: The file format, with the encoder's options.
        keeps_image: Whether what is saved is handed back too, for listeners.
    """

    renderer: Renderer
    predict: Callable[[Any, Any], Any] | None
    output: str | int | None
    batch_size: int
    tiling: Tiling
    format: formats.Format
    keeps_image: bool = False

    def bind(self, drawn: DrawnModel, samples: Samples) -> "Drawer":
        """Return what draws the samples by one model."""
        return Drawer(self, drawn, samples)

    def rehearse(self, drawer: "Drawer", *, whole: bool) -> tuple[Drawing, tuple[Finding, ...]]:
        """Go the whole way once, so that whatever is wrong shows before training.

        Args:
            drawer: From `bind`.
            whole: Whether to draw all samples, or the first chunk (with `predict` one row).

        Returns:
            What was drawn, and what there is to say of it.

        Raises:
            ValueError: If the arguments do not fit the model, the samples or the format.
        """
        drawing = drawer.rehearse(whole=whole)
        samples = drawer.samples
        drawing.bound.check_samples(Batch(samples.inputs, samples.targets, None))
        picture = compose(drawing, self.tiling)
        # As large as it will be: fewer rows may have been drawn.
        count = drawing.count if samples.inputs is None else len(samples)
        layout = self.tiling.plan(drawing.render_part(next(drawing.parts())), count)
        formats.check_image((*layout.size, picture.image.shape[2]), self.format)
        encoder.encode(picture.image, self.format)
        return drawing, picture.findings

    def save(self, job: Job) -> Saved:
        """Map, tile, encode and write one snapshot, on whatever thread."""
        picture = compose(job.drawing, self.tiling)
        ranges = job.drawing.bound.ranges
        explained: dict[str, Any] = {**job.moment._asdict(), "logs": json_logs(job.logs)}
        if job.run:
            explained["run"] = job.run
        known = {name: limits for name, limits in ranges.items() if limits is not None}
        if known:
            explained["value_range"] = known
        storage_of(job.path).replace(
            lambda file: encoder.write_image(file, picture.image, self.format, explained)
        )
        image = picture.image if self.keeps_image else None
        return Saved(picture.layout.geometry(), image, picture.findings)


class Drawer:
    """Draws samples by one model, always in the same way.

    It holds what belongs to that model and cannot be copied (a traced function, the renderer bound
    to it), and is simply dropped when another model draws or the saver is copied.

    Args:
        pipeline: What the user said of it.
        drawn: What draws.
        samples: What it is shown.
    """

    def __init__(self, pipeline: Pipeline, drawn: DrawnModel, samples: Samples) -> None:
        self.samples = samples
        self._bound: BoundRenderer | None = None  # known once outputs are
        self.drawn = drawn
        self._pipeline = pipeline
        self._chunk = chunk_rows(len(samples), pipeline.batch_size)
        self._inference = Inference(
            drawn, self._chunk, predict=pipeline.predict, output=pipeline.output
        )
        self._inputs_as_images: Array | None = None
        self._decide: Callable[[Any], Any] | None = None

    def rehearse(self, *, whole: bool) -> Drawing:
        """Draw all samples, or the first chunk; by a `predict`, which may be slow, one row."""
        if self._pipeline.predict is not None:
            return self.draw(None if whole else 1)
        self.drawn.check_batched(self.samples)
        return self.draw(None if whole else self._chunk)

    def draw(self, rows: int | None = None) -> Drawing:
        """Run the model on the samples, or on the first `rows` of them."""
        samples = self.samples if rows is None else self.samples.rows(rows)
        outputs = self._inference.run(samples, self._decide)
        if self._bound is None:
            self._bound = self._bind(samples, joined(outputs.chunks), outputs.info)
        drawing = Drawing(self._bound, self._batch(samples), outputs.chunks)
        if self._pipeline.renderer.runs_user_code:
            drawing.render()  # the user's code runs on this thread only
        return drawing

    def _bind(self, samples: Samples, outputs: Any, info: OutputInfo) -> BoundRenderer:
        renderer = self._pipeline.renderer
        # Once, on the training thread, on all samples together: the way to images is the user's code.
        images = renderer.images_of_inputs(self.samples.inputs, info)
        if images is not None and len(images) != len(self.samples):
            raise ValueError(
                f"`input_image` must return an image a sample, got {describe(images)} for "
                f"{len(self.samples)} samples."
            )
        self._inputs_as_images = images
        bound = renderer.bind(replace(self._batch(samples), outputs=outputs), info)
        if bound.class_decision is not None and info.chosen is not None and ON_TENSORFLOW:
            self._decide = decide_on_device(
                bound.class_decision, info.chosen, channels_first=info.channels_first
            )
        return bound

    def _batch(self, samples: Samples) -> Batch:
        images = self._inputs_as_images
        shown = None if images is None else images[: len(samples)]
        return Batch(samples.inputs, samples.targets, None, shown)
