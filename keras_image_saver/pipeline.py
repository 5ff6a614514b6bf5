"""From samples to a file: the stages of all folders in a row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from operator import is_
from typing import Any

from keras_image_saver.arrays import Array, describe, joined
from keras_image_saver.model.backend import ON_TENSORFLOW
from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.model.inference import Inference, chunk_rows, network_of
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.model.randomness import Passes
from keras_image_saver.model.state import ModelState
from keras_image_saver.model.weights import Pair, Weights
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.compose import Drawing, Kept, compose
from keras_image_saver.picture.tiling import Tiling, check_sample_names
from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    Finding,
    OutputInfo,
    Range,
    Renderer,
    show_range,
)
from keras_image_saver.render.several import Several
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.logs import json_logs
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples

# A pass that takes longer is not made twice before training.
LONG_PASS_S = 5.0


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

    def going_on(self, geometry: Mapping[str, Any]) -> "Pipeline":
        """Return it for a run that is resumed, whose newest picture has this geometry."""
        return replace(self, tiling=self.tiling.going_on(geometry))

    def bind(
        self,
        drawn: DrawnModel,
        samples: Samples,
        weights: Weights | None = None,
        earlier: "Drawer | None" = None,
    ) -> "Drawer":
        """Return what draws the samples by one model, in the stead of an earlier one."""
        return Drawer(self, drawn, samples, weights or Weights(None), earlier)

    def rehearse(self, drawer: "Drawer", *, whole: bool, twice: bool = True) -> Rehearsal:
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
        picture = compose(drawing, self.tiling)
        # As large as it will be: fewer rows may have been drawn.
        count = drawing.count if samples.inputs is None else len(samples)
        check_sample_names(self.tiling.sample_names or None, count)
        first = drawing.render_part(next(drawing.parts()))
        layout = self.tiling.plan(first, count, drawing.bound)
        formats.check_image((*layout.size, picture.image.shape[2]), self.format)
        encoder.encode(picture.image, self.format)
        return Rehearsal(drawing, picture.findings, seconds, difference)

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
        explained["weights"] = job.drawing.weights
        storage_of(job.path).replace(
            lambda file: encoder.write_image(file, picture.image, self.format, explained)
        )
        image = picture.image if self.keeps_image else None
        geometry = picture.layout.geometry()
        return Saved(geometry, image, picture.findings, job.drawing.weights)


class Drawer:
    """Draws samples by one model, always in the same way.

    It holds what belongs to that model and cannot be copied (a traced function, the renderer bound
    to it), and is simply dropped when another model draws or the saver is copied.

    Args:
        pipeline: What the user said of it.
        drawn: What draws.
        samples: What it is shown.
        weights: Which weights draw.
        earlier: What drew before in this run.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        drawn: DrawnModel,
        samples: Samples,
        weights: Weights,
        earlier: "Drawer | None" = None,
    ) -> None:
        self.samples = samples
        self._bound: BoundRenderer | None = None  # known once outputs are
        self.drawn = drawn
        self._pipeline = pipeline
        count, size = len(samples), pipeline.batch_size
        # The user's function may be of just the size that the user names.
        self._chunk = chunk_rows(count, size) if pipeline.predict is None else min(count, size) or 1
        self._inference = Inference(
            drawn,
            self._chunk,
            predict=pipeline.predict,
            output=pipeline.output,
            earlier=None if earlier is None else earlier.state,
        )
        runs_user_code = pipeline.renderer.runs_user_code
        self._passes = Passes(lambda: runs_user_code or self._inference.runs_python)
        self._weights = weights
        self._network = network_of(drawn)
        self._earlier_ranges = {} if earlier is None else earlier.ranges
        self._inputs_as_images: Array | None = None
        self._decide: Callable[[Any], Any] | None = None
        self._kept = Kept()

    @property
    def state(self) -> ModelState:
        """What each pass leaves as it was."""
        return self._inference.state

    @property
    def ranges(self) -> dict[str, Range | None]:
        """The range of each panel, once it is known."""
        return {} if self._bound is None else dict(self._bound.ranges)

    def draws(self, drawn: DrawnModel) -> bool:
        """Tell whether what draws is still the network that was traced and bound."""
        network = network_of(drawn)
        return len(network) == len(self._network) and all(map(is_, network, self._network))

    def changes(self) -> Iterator[str]:
        """Say which panels have another range than what drew before gave them."""
        for panel, limits in self.ranges.items():
            before = self._earlier_ranges.get(panel, limits)
            if before != limits:
                shown = [
                    "as it was" if one is None else show_range(one) for one in (limits, before)
                ]
                yield (
                    f"The model has changed: the {panel} is drawn in the range {shown[0]}, and was "
                    f"in {shown[1]}. Pictures before and after cannot be compared by their colours."
                )

    def rehearse(self, *, whole: bool, twice: bool) -> tuple[Drawing, float, int | None]:
        """Draw all samples, or the first chunk, which has the size of those that later passes have.

        Returns:
            What was drawn, in how many seconds, and by how much a second pass differed, if any.
        """
        if self._pipeline.predict is None:
            self.drawn.check_batched(self.samples)
        limit = LONG_PASS_S if twice else 0.0
        draw = partial(self._draw, None if whole else self._chunk)
        return self._passes.twice(draw, Drawing.difference, limit)

    def draw(self) -> Drawing:
        """Run the model on the samples."""
        with self._passes.kept():
            return self._draw(None)

    def _draw(self, rows: int | None) -> Drawing:
        samples = self.samples if rows is None else self.samples.rows(rows)
        label, kinds = self._weights.now(self.drawn)
        chunks = {kind: self._run(samples, pairs) for kind, pairs in kinds.items()}
        assert self._bound is not None  # by the first run
        bound, of_all = self._bound, next(iter(chunks.values()))
        if len(kinds) > 1:
            bound = Several(
                bound=bound,
                kinds=tuple(kinds),
                ranges={},
                fixed=bound.fixed,
                slices=bound.slices,
            )
            each = zip(*chunks.values(), strict=True)
            of_all = [dict(zip(kinds, ones, strict=True)) for ones in each]
        drawing = Drawing(bound, self._batch(samples), of_all, label, self._kept)
        if self._pipeline.renderer.runs_user_code:
            drawing.render()  # the user's code runs on this thread only
        return drawing

    def _run(self, samples: Samples, weights: Iterable[Pair]) -> list[Any]:
        outputs = self._inference.run(samples, self._decide, weights)
        if self._bound is None:
            self._bound = self._bind(samples, joined(outputs.chunks), outputs.info)
        return outputs.chunks

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
