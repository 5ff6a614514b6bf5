"""What draws: samples through one model, its outputs to a drawing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from operator import is_
from typing import Any

from keras_image_saver.arrays import Array, Range, describe, joined
from keras_image_saver.checks import check_int
from keras_image_saver.model.backend import ON_TENSORFLOW
from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.model.inference import USUAL_ROWS, Inference, chunk_rows, network_of
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.model.own_metrics import OwnMetric, call_metrics
from keras_image_saver.model.randomness import Passes
from keras_image_saver.model.state import ModelState
from keras_image_saver.model.weights import Pair, Weights
from keras_image_saver.picture.compose import Drawing, Kept
from keras_image_saver.render.base import Batch, BoundRenderer, OutputInfo, Renderer, show_range
from keras_image_saver.render.measuring import measure_name
from keras_image_saver.render.several import Several
from keras_image_saver.samples import Samples

# A pass that takes longer is not made twice before training.
LONG_PASS_S = 5.0


@dataclass(frozen=True)
class Way:
    """How samples become drawings. `bind` it to a model to draw.

    Attributes:
        renderer: Outputs to panels.
        predict: The user's way through the model, or None.
        output: Which of several outputs is the prediction: a name, an index, or None.
        batch_size: Rows through the model at a time, at most; None: as many as `Inference` sees fit.
        metrics: By name what each sample is measured by: a measure of ours, or the user's function.
    """

    renderer: Renderer
    predict: Callable[[Any, Any], Any] | None
    output: str | int | None
    batch_size: int | None
    metrics: Mapping[str, str | OwnMetric] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        check_int("batch_size", self.batch_size, 1, optional=True)

    @property
    def own_metrics(self) -> dict[str, OwnMetric]:
        """The user's functions among the metrics, which run on the training thread."""
        return {name: one for name, one in self.metrics.items() if not isinstance(one, str)}

    def bind(
        self,
        drawn: DrawnModel,
        samples: Samples,
        weights: Weights | None = None,
        earlier: "Drawer | None" = None,
    ) -> "Drawer":
        """Return what draws the samples by one model, in the stead of an earlier one."""
        return Drawer(self, drawn, samples, weights or Weights(None), earlier)


class Drawer:
    """Draws samples by one model, always in the same way.

    It holds what belongs to that model and cannot be copied (a traced function, the renderer bound
    to it), and is simply dropped when another model draws or the saver is copied.

    Args:
        way: What the user said of it.
        drawn: What draws.
        samples: What it is shown.
        weights: Which weights draw.
        earlier: What drew before in this run.
    """

    def __init__(
        self,
        way: Way,
        drawn: DrawnModel,
        samples: Samples,
        weights: Weights,
        earlier: "Drawer | None" = None,
    ) -> None:
        self.samples = samples
        self._bound: BoundRenderer | None = None  # known once outputs are
        self._info: OutputInfo | None = None
        self.drawn = drawn
        self._way = way
        count, size = len(samples), way.batch_size or USUAL_ROWS
        # The user's function may be of just the size that the user names.
        chunk = chunk_rows(count, size) if way.predict is None else min(count, size) or 1
        self._inference = Inference(
            drawn,
            chunk,
            is_free=way.batch_size is None,
            predict=way.predict,
            output=way.output,
            earlier=None if earlier is None else earlier.state,
        )
        runs_user_code = way.renderer.runs_user_code or bool(way.own_metrics)
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
        """Say which panels have another range than before, and whether memory has run out."""
        if self._inference.has_halved:
            size = self._inference.size
            yield (
                f"Memory ran out in a pass: from here on {size} samples go through the model at a time. "
                "`batch_size` sets how many."
            )
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
        if self._way.predict is None:
            self.drawn.check_batched(self.samples)
        limit = LONG_PASS_S if twice else 0.0
        return self._passes.twice(partial(self._rehearse, whole), Drawing.difference, limit)

    def draw(self) -> Drawing:
        """Run the model on the samples."""
        with self._passes.kept():
            return self._draw(None)

    def _rehearse(self, whole: bool) -> Drawing:
        drawing = self._draw(None if whole else self._inference.size)
        if self._inference.grow(len(self.samples)):
            # As later passes go: the same samples may come out a little different in larger chunks.
            drawing = self._draw(None if whole else self._inference.size)
        return drawing

    def _draw(self, rows: int | None) -> Drawing:
        samples = self.samples if rows is None else self.samples.rows(rows)
        label, kinds = self._weights.now(self.drawn)
        chunks = {kind: self._run(samples, pairs) for kind, pairs in kinds.items()}
        assert self._bound is not None  # by the first run
        bound, of_all = self._bound, next(iter(chunks.values()))
        if len(kinds) > 1:
            bound = Several.of(bound, tuple(kinds))
            each = zip(*chunks.values(), strict=True)
            of_all = [dict(zip(kinds, ones, strict=True)) for ones in each]
        own = {
            name: values
            for kind, outputs in chunks.items()
            for name, values in self._own_metrics(
                samples, outputs, kind if len(kinds) > 1 else ""
            ).items()
        }
        drawing = Drawing(bound, self._batch(samples), of_all, label, own, self._kept)
        if self._way.renderer.runs_user_code:
            drawing.render()  # the user's code runs on this thread only
        return drawing

    def _own_metrics(self, samples: Samples, outputs: list[Any], kind: str) -> dict[str, Array]:
        assert self._info is not None  # by the first run
        functions = self._way.own_metrics
        found = call_metrics(functions, samples.targets, outputs, self._info.chosen)
        return {measure_name(name, kind): values for name, values in found.items()}

    def _run(self, samples: Samples, weights: Iterable[Pair]) -> list[Any]:
        outputs = self._inference.run(samples, self._decide, weights)
        if self._bound is None:
            self._info = outputs.info
            self._bound = self._bind(samples, joined(outputs.chunks), outputs.info)
        return outputs.chunks

    def _bind(self, samples: Samples, outputs: Any, info: OutputInfo) -> BoundRenderer:
        renderer = self._way.renderer
        # Once, on the training thread, on all samples together: the way to images is the user's code.
        images = renderer.images_of_inputs(self.samples.inputs, info)
        if images is not None and len(images) != len(self.samples):
            raise ValueError(
                f"`input_image` must return an image a sample, got {describe(images)} for "
                f"{len(self.samples)} samples."
            )
        self._inputs_as_images = images
        bound = renderer.bind(replace(self._batch(samples), outputs=outputs), info)
        # The user's own functions see outputs as they are.
        decides = info.chosen is not None and ON_TENSORFLOW and not self._way.own_metrics
        if decides and bound.class_decision is not None and info.chosen is not None:
            self._decide = decide_on_device(
                bound.class_decision, info.chosen, channels_first=info.channels_first
            )
        return bound

    def _batch(self, samples: Samples) -> Batch:
        images = self._inputs_as_images
        shown = None if images is None else images[: len(samples)]
        return Batch(samples.inputs, samples.targets, None, shown)
