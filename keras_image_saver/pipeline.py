"""The stages in a row: samples through the model to a picture, and the picture to a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_image_saver import encoder, grid, storage
from keras_image_saver.ends import output_ends
from keras_image_saver.inference import Inference, chunk_rows
from keras_image_saver.render import (
    Batch,
    Bound,
    Facts,
    Rendered,
    Renderer,
    UInt8Image,
    describe,
    leaves,
)
from keras_image_saver.samples import Samples
from keras_image_saver.trained import check_batched


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
        self._samples = samples
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
        self._bound: Bound | None = None

    @property
    def has_predict(self) -> bool:
        return self._predict is not None

    def forget(self) -> None:
        """Drop what belongs to one model and cannot be copied."""
        self._inference = self._bound = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_inference": None, "_bound": None}

    def rehearse(self, model: Any, trained: Any, folder: str, *, whole: bool) -> Rendered:
        """Go the whole way once, so that whatever is wrong shows before training.

        Args:
            model: What draws.
            trained: The model in training.
            folder: Where pictures will go; left as it was.
            whole: Whether to draw all samples, or the first chunk (with `predict` one row).

        Raises:
            ValueError: If the arguments do not fit the model, the samples or the format.
            OSError: If the folder cannot be written.
        """
        rows = len(self._samples) if whole else 1 if self._predict else self._chunk
        if self._predict is None:
            check_batched(model, self._samples)
        rendered = self.draw(model, trained, rows)
        if self._bound is not None:
            self._bound.check_samples(Batch(self._samples.inputs, self._samples.targets, None))
        count = len(self._samples) if self._samples.inputs is not None else _count(rendered)
        layout = self._plan(rendered, count)
        channels = max(images.shape[3] for images in rendered.panels.values())
        encoder.check_image((*layout.size, channels), self._kind)
        encoder.write_image(io.BytesIO(), self.compose(rendered), self._kind, self._options)
        storage.probe(folder)
        return rendered

    def draw(self, model: Any, trained: Any, rows: int | None = None) -> Rendered:
        """Run the model on the samples, or on the first `rows` of them, and render the outputs."""
        if self._inference is None or self._inference.model is not model:
            self.forget()
            self._inference = Inference(model, trained, self._predict, self._chunk)
        samples = self._samples if rows is None else self._samples.rows(rows)
        outputs = self._inference.run(samples.inputs, len(samples))
        batch = Batch(samples.inputs, samples.targets, outputs)
        if self._bound is None:
            self._bound = self._renderer.bind(batch, self._facts(model, outputs))
        return self._bound(batch)

    def compose(self, rendered: Rendered) -> UInt8Image:
        """Tile the panels and write their captions."""
        layout = self._plan(rendered, _count(rendered))
        picture = grid.tile(rendered.panels, layout, self._pad_value)
        if not layout.caption_height:
            return picture
        captions = [
            (layout.origin[0] - layout.caption_height, layout.tile_at(column, panel)[1], name)
            for column in range(min(layout.columns, layout.count))
            for panel, name in enumerate(layout.panels)
        ]
        width = layout.width // layout.enlargement
        return encoder.draw_captions(picture, captions, width, self._pad_value)

    def write(self, path: str, picture: UInt8Image, metadata: Mapping[str, Any]) -> None:
        """Encode a picture into a file, with what explains it."""
        ranges = self._bound.ranges if self._bound is not None else {}
        known = {name: limits for name, limits in ranges.items() if limits is not None}
        explained = {**metadata, "value_range": known} if known else metadata
        storage.replace_file(
            path,
            lambda file: encoder.write_image(file, picture, self._kind, self._options, explained),
        )

    def _plan(self, rendered: Rendered, count: int) -> grid.Layout:
        sizes = {name: images.shape[1:3] for name, images in rendered.panels.items()}
        width = max(size[1] for size in sizes.values())
        captions = encoder.caption_size(tuple(sizes), width) if len(sizes) > 1 else (0, 0)
        return grid.plan(
            sizes, count, columns=self._columns, padding=self._padding, caption_size=captions
        )

    def _facts(self, model: Any, outputs: Any) -> Facts:
        names = _output_names(model, outputs) if self._predict is None else list(leaves(outputs))
        if names == [""]:
            names = ["prediction"]
        ends = (None,) * len(names) if self._predict else output_ends(model, len(names))
        return Facts(
            names=tuple(names),
            ends=ends,
            chosen=_choose(self._output, names, outputs),
            channels_first=tf.keras.backend.image_data_format() == "channels_first",
            noise=self._samples.noise,
        )


def _count(rendered: Rendered) -> int:
    return len(next(iter(rendered.panels.values())))


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
