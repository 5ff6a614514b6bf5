"""The stages in a row: samples through the model to a picture, and the picture to a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from keras_image_saver.arrays import (
    PIECE,
    Array,
    UInt8Array,
    copied,
    describe,
    joined,
    leaves,
)
from keras_image_saver.model.activations import output_activations
from keras_image_saver.model.device_classes import decide_on_device
from keras_image_saver.model.inference import Inference, chunk_rows
from keras_image_saver.model.lookup import check_batched
from keras_image_saver.picture import encoder, grid
from keras_image_saver.picture.text import caption_size, draw_captions
from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    Finding,
    OutputInfo,
    Rendered,
    Renderer,
)
from keras_image_saver.render.images import Images
from keras_image_saver.render.panels import input_images
from keras_image_saver.render.segmentation import Segmentation
from keras_image_saver.run.storage import storage_of
from keras_image_saver.samples import Samples


@dataclass(frozen=True)
class Picture:
    """A snapshot's picture: uint8 (H, W, C), where its tiles stand, and what there is to say of it."""

    image: UInt8Array
    layout: grid.Layout
    findings: tuple[Finding, ...]


class Drawing:
    """What the model made of the samples, still to be rendered, on whatever thread.

    Args:
        bound: The renderer, bound to the model.
        samples: What was drawn, without outputs.
        chunks: The outputs, some rows after others.
    """

    def __init__(self, bound: BoundRenderer, samples: Batch, chunks: list[Any]) -> None:
        self.bound = bound
        self._samples = samples
        self._chunks = chunks
        self._rendered: Rendered | None = None

    def render(self) -> None:
        """Render everything now, at once, as the user's own renderer needs it."""
        if self._rendered is None:
            self._rendered = self.bound(replace(self._samples, outputs=joined(self._chunks)))

    def parts(self) -> Iterator[Batch]:
        """Yield a few rows after others, so that no panel need be in memory as a whole."""
        if self._rendered is not None:
            yield self._samples
            return
        first = 0
        for outputs in self._chunks:
            one = next(iter(leaves(outputs).values()))
            chunk = replace(self._samples.rows(first, first + len(one)), outputs=outputs)
            step = max(1, PIECE * len(one) // max(1, one.size))
            for start in range(0, len(one), step):
                yield chunk.rows(start, min(start + step, len(one)))
            first += len(one)

    def render_part(self, part: Batch, out: Mapping[str, UInt8Array] | None = None) -> Rendered:
        """Render one of the parts; `out` is where panels may be written to, as in `BoundRenderer`."""
        return self.bound(part, out) if self._rendered is None else self._rendered

    @property
    def count(self) -> int:
        """The number of samples."""
        if self._rendered is not None:
            return len(next(iter(self._rendered.panels.values())))
        return sum(len(next(iter(leaves(outputs).values()))) for outputs in self._chunks)


class Pipeline:
    """Draws fixed samples, always in the same way.

    What is plain data is made with it; what belongs to one model (its traced function, the bound
    renderer) is made at the first drawing, and `forget` drops it.

    Args:
        samples: What the model is shown.
        predict: The user's way through the model, or None.
        output: Which of several outputs is the prediction: a name, an index, or None.
        renderer: Outputs to panels.
        batch_size: Rows through the model at a time.
        columns: Samples per row of the grid, or None.
        padding: Gap around each tile.
        pad_value: Grey level of gaps.
        kind: The file format.
        options: The encoder's options.
    """

    def __init__(
        self,
        *,
        samples: Samples,
        predict: Callable[[Any, Any], Any] | None,
        output: str | int | None,
        renderer: Renderer,
        batch_size: int,
        columns: int | None,
        padding: int,
        pad_value: int,
        kind: str,
        options: Mapping[str, Any],
    ) -> None:
        self.samples = samples
        self._predict = predict
        self._output = output
        self._renderer = renderer
        self._chunk = chunk_rows(len(samples), batch_size)
        self._columns = columns
        self._padding = padding
        self._pad_value = pad_value
        self._kind = kind
        self._options = options
        self._inference: Inference | None = None
        self._bound: BoundRenderer | None = None
        self._shown: Array | None = None
        self._decide: Callable[[Any], Any] | None = None

    @property
    def renders_by_user(self) -> bool:
        """Whether the renderer is the user's code, which runs on the training thread only."""
        return not isinstance(self._renderer, (Images, Segmentation))

    @property
    def has_predict(self) -> bool:
        return self._predict is not None

    def forget(self) -> None:
        """Drop what belongs to one model and cannot be copied."""
        self._inference = self._bound = self._decide = self._shown = None

    def __getstate__(self) -> dict[str, Any]:
        kept = self.__dict__
        return {**kept, **dict.fromkeys(("_inference", "_bound", "_decide", "_shown"))}

    def rehearse(
        self, model: Any, trained: Any, *, whole: bool
    ) -> tuple[Drawing, tuple[Finding, ...]]:
        """Go the whole way once, so that whatever is wrong shows before training.

        Args:
            model: What draws.
            trained: The model in training.
            whole: Whether to draw all samples, or the first chunk (with `predict` one row).

        Returns:
            What was drawn, and what there is to say of it.

        Raises:
            ValueError: If the arguments do not fit the model, the samples or the format.
        """
        rows = len(self.samples) if whole else 1 if self._predict else self._chunk
        if self._predict is None:
            check_batched(model, self.samples)
        drawing = self.draw(model, trained, rows)
        if self.renders_by_user:
            drawing.render()
        drawing.bound.check_samples(Batch(self.samples.inputs, self.samples.targets, None))
        picture = self.compose(drawing)
        # As large as it will be: fewer rows may have been drawn.
        count = drawing.count if self.samples.inputs is None else len(self.samples)
        layout = self._plan(drawing.render_part(next(drawing.parts())), count)
        encoder.check_image((*layout.size, picture.image.shape[2]), self._kind)
        encoder.write_image(io.BytesIO(), picture.image, self._kind, self._options)
        return drawing, picture.findings

    def draw(self, model: Any, trained: Any, rows: int | None = None) -> Drawing:
        """Run the model on the samples, or on the first `rows` of them."""
        if self._inference is None or self._inference.model is not model:
            self.forget()
            self._inference = Inference(model, trained, self._predict, self._chunk)
        samples = self.samples if rows is None else self.samples.rows(rows)
        chunks = self._inference.run(samples.inputs, len(samples), self._decide)
        if self._bound is None:
            outputs = joined(chunks)
            info = self._facts(model, outputs)
            self._shown = self._inputs_as_images(info)
            self._bound = self._renderer.bind(replace(self._batch(samples), outputs=outputs), info)
            self._decide = _decision(self._bound, info)
        return Drawing(self._bound, self._batch(samples), chunks)

    def _batch(self, samples: Samples) -> Batch:
        shown = None if self._shown is None else self._shown[: len(samples)]
        return Batch(samples.inputs, samples.targets, None, shown)

    def _inputs_as_images(self, info: OutputInfo) -> Array | None:
        """Run the user's `input_image`: once, on the training thread, on all samples together."""
        input_image = getattr(self._renderer, "input_image", None)
        if input_image is None or self.samples.inputs is None:
            return None
        samples = Batch(copied(self.samples.inputs), None, None)
        shown = input_images(samples, info, input_image, ())
        if shown is None or len(shown) != len(self.samples):
            raise ValueError(
                f"`input_image` must return an image a sample, got {describe(shown)} for "
                f"{len(self.samples)} samples."
            )
        return shown

    def compose(self, drawing: Drawing) -> Picture:
        """Render, tile and caption a drawing."""
        parts = drawing.parts()
        rendered = drawing.render_part(next(parts))
        seen = rendered.seen
        layout = self._plan(rendered, drawing.count)
        canvas = grid.Canvas(layout, grid.most_channels(rendered.panels), self._pad_value)
        canvas.place(rendered.panels)
        for part in parts:
            rendered = drawing.render_part(
                part, canvas.room(rendered.panels) if part.is_single else None
            )
            canvas.place(rendered.panels)
            for name, met in rendered.seen.items():
                seen[name].add(met)
        picture = self._caption(canvas.image, layout)
        return Picture(picture, layout, drawing.bound.findings(seen))

    def _caption(self, picture: UInt8Array, layout: grid.Layout) -> UInt8Array:
        if not layout.caption_height:
            return picture
        captions = [
            (layout.origin[0] - layout.caption_height, layout.tile_at(column, panel)[1], name)
            for column in range(min(layout.columns, layout.count))
            for panel, name in enumerate(layout.panels)
        ]
        width = layout.width // layout.enlargement
        return draw_captions(picture, captions, width, self._pad_value)

    def write(
        self, path: str, picture: UInt8Array, drawing: Drawing, metadata: Mapping[str, Any]
    ) -> None:
        """Encode a picture into a file, with what explains it."""
        ranges = drawing.bound.ranges
        known = {name: limits for name, limits in ranges.items() if limits is not None}
        explained = {**metadata, "value_range": known} if known else metadata
        storage_of(path).replace(
            lambda file: encoder.write_image(file, picture, self._kind, self._options, explained)
        )

    def _plan(self, rendered: Rendered, count: int) -> grid.Layout:
        sizes = {name: images.shape[1:3] for name, images in rendered.panels.items()}
        width = max(size[1] for size in sizes.values())
        captions = caption_size(tuple(sizes), width) if len(sizes) > 1 else (0, 0)
        return grid.plan(
            sizes, count, columns=self._columns, padding=self._padding, caption_size=captions
        )

    def _facts(self, model: Any, outputs: Any) -> OutputInfo:
        names = _output_names(model, outputs) if self._predict is None else list(leaves(outputs))
        if names == [""]:
            names = ["prediction"]
        activations = (
            (None,) * len(names) if self._predict else output_activations(model, len(names))
        )
        return OutputInfo(
            names=tuple(names),
            activations=activations,
            chosen=_choose(self._output, names, outputs),
            channels_first=tf.keras.backend.image_data_format() == "channels_first",
            noise=self.samples.noise,
        )


def _decision(bound: BoundRenderer, info: OutputInfo) -> Callable[[Any], Any] | None:
    """Return how scores become ids on the device, if the renderer wants ids and they are there."""
    classes = getattr(bound, "classes", None)
    if classes is None or classes.decision == "ids" or info.chosen is None:
        return None
    if tf.keras.backend.backend() != "tensorflow":
        return None
    return decide_on_device(classes, info.chosen, channels_first=info.channels_first)


def _output_names(model: Any, outputs: Any) -> list[str]:
    """Return the outputs' names: dict keys, else the model's own names, else their indices."""
    paths = list(leaves(outputs))
    named = list(getattr(model, "output_names", None) or ())
    flat = isinstance(outputs, (list, tuple))
    return named if flat and len(set(named)) == len(named) == len(paths) else paths


def _choose(output: str | int | None, names: list[str], outputs: Any) -> int | None:
    """Return the index of the output that `output` names.

    Raises:
        ValueError: If there is no such output.
    """
    if output is None:
        return 0 if len(names) == 1 else None
    if isinstance(output, str) and output in names:
        return names.index(output)
    if not isinstance(output, str) and -len(names) <= output < len(names):
        return int(output) % len(names)
    listed = "; ".join(
        f"{index}: {name!r}, {describe(value)}"
        for index, (name, value) in enumerate(zip(names, leaves(outputs).values(), strict=True))
    )
    raise ValueError(
        f"`output` must be one of the model's outputs, got {output!r}. There are {listed}."
    )
