"""What `Images` and `Segmentation` share: where panels come from, and which there are."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    CHANNELS,
    Array,
    as_array,
    copied,
    describe,
    is_image,
    leaves,
    single,
    with_channels,
)
from keras_image_saver.render.base import Batch, OutputInfo, Renderer
from keras_image_saver.render.preprocessing import check_input_range

# The panels that are the samples' own, whatever the model makes of them.
SHOWN = ("input", "target")


class PanelRenderer(Renderer):
    """A renderer of input, prediction and target.

    Args:
        input_range: (low, high) of the inputs, or the mode of their preprocessing, or None.
        input_image: The user's way from inputs to images, or None.
        panels: The names of the panels to draw, or a dict from name to caption, or None.

    Raises:
        ValueError: If the range or a panel name is not valid.
        TypeError: If `input_image` is no function.

    Attributes:
        no_target: What to say where there are no targets that it can draw.
    """

    no_target = "the samples have no targets"

    def __init__(
        self,
        input_range: Any,
        input_image: Callable[[Any], Any] | None,
        panels: Sequence[str] | Mapping[str, str] | None,
    ) -> None:
        if input_image is not None and not callable(input_image):
            raise TypeError(
                f"`input_image` must be a function from the inputs to images, got {input_image!r}."
            )
        self.input_range, self.reverses_input = check_input_range(input_range)
        self.input_image = input_image
        self.panels = check_panels(panels)
        self.captions = check_captions(panels)

    def sources(self, info: OutputInfo) -> "Sources":
        """Return where the panels' values come from, for a model."""
        return Sources(info, self.input_image, self.reverses_input)

    def images_of_inputs(self, inputs: Any, info: OutputInfo) -> Array | None:
        if self.input_image is None or inputs is None:
            return None
        # The user's function may change what it gets, so it gets copies: the samples stay as they are.
        batch = Batch(copied(inputs), None, None)

        def called(given: Any) -> Any:
            try:
                return self.input_image(given)  # type: ignore[misc]
            except Exception as error:
                raise failed("input_image", error, batch) from error

        return replace(self.sources(info), input_image=called).input(batch)

    def find_obstacles(self, image: Array | None, target: Array | None) -> dict[str, str | None]:
        """Return input, prediction and target by name, with what stands in the way of each, or None.

        Args:
            image: The inputs as images, or None.
            target: The targets, or None.
        """
        no_input = (
            "the model's input is not one image; pass `input_image`, a function from the inputs "
            "to images"
        )
        return {
            "input": no_input if image is None else None,
            "prediction": None,
            "target": self.no_target if target is None else None,
        }

    def lost_input(
        self, batch: Batch, sources: "Sources", panels: Collection[str]
    ) -> tuple[str, ...]:
        """Return what to warn of where images among several inputs are not drawn, as of a dict."""
        arrays = leaves(batch.inputs)
        asked = self.panels is not None or "input" in panels
        if asked or sources.info.noise or len(arrays) < 2:
            return ()
        size = sources.size(batch)
        images = {name: x for name, x in arrays.items() if _may_be_image(x, size)}
        if not images:
            return ()
        # Of several the one of most axes: a class map has three.
        name, image = max(images.items(), key=lambda item: item[1].ndim)
        way = f"inputs[{name!r}]" if isinstance(batch.inputs, Mapping) else f"inputs[{name}]"
        if image.ndim == 4 and image.shape[3] not in CHANNELS and not sources.info.channels_first:
            way += ".transpose(0, 2, 3, 1)"
        listed = "; ".join(f"{name}: {describe(array)}" for name, array in arrays.items())
        return (
            f"No input is drawn: the samples' inputs are {len(arrays)} arrays, not one image "
            f"({listed}). Pass {type(self).__name__}(input_image=lambda inputs: {way}), or samples "
            "as a tuple (x, y) if one of them is the target. "
            'panels=("prediction",) says that no input is wanted.',
        )

    def choose_panels(
        self, obstacles: Mapping[str, str | None], info: OutputInfo
    ) -> tuple[str, ...]:
        """Return the panels to draw, in order.

        Args:
            obstacles: Every panel name, with what stands in its way, or None where nothing does.
            info: Whether the inputs are noise, which is shown only when asked for.

        Raises:
            ValueError: If a wanted panel does not exist or cannot be drawn.
        """
        if self.panels is None:
            hidden = {"input"} if info.noise and self.input_image is None else set()
            usual = ("input", "prediction", "target")
            return tuple(name for name in usual if obstacles[name] is None and name not in hidden)
        for name in self.panels:
            if name not in obstacles:
                raise ValueError(
                    f"`panels` has no panel {name!r}; there are: {', '.join(obstacles)}."
                )
            if obstacles[name] is not None:
                raise ValueError(f"`panels` names {name!r}, but {obstacles[name]}.")
        return self.panels


@dataclass(frozen=True)
class Sources:
    """Where the values of a model's panels come from.

    Attributes:
        info: What is known of the outputs.
        input_image: The user's way from inputs to images, or None.
        reverses_input: Whether the input is drawn with its channels reversed: it is BGR.
    """

    info: OutputInfo
    input_image: Callable[[Any], Any] | None = None
    reverses_input: bool = False

    @property
    def prediction_name(self) -> str:
        """The output that is the prediction; without a choice, one may go by that name."""
        return "prediction" if self.info.chosen is None else self.info.names[self.info.chosen]

    @property
    def own_error(self) -> tuple[str, ...]:
        """The panel "error" of ours, unless it is the name of an output, which has been drawn by it."""
        return () if "error" in self.info.names else ("error",)

    def outputs(self, batch: Batch) -> dict[str, Array]:
        """Return by name the outputs that are arrays of a row a sample, channels last."""
        found = zip(self.info.names, leaves(batch.outputs).values(), strict=True)
        return {name: channels_last(x, self.info) for name, x in found if x is not None}

    def prediction(self, batch: Batch) -> Array:
        """Return the output that is the prediction, channels last."""
        return self.outputs(batch)[self.prediction_name]

    def size(self, batch: Batch) -> tuple[int, ...]:
        """Return (height, width) of the prediction; without a choice, of the first image."""
        outputs = self.outputs(batch)
        shown = outputs.get(self.prediction_name)
        if shown is None:
            # What has four axes and the channels of images is one sooner than what has three.
            by_rank = sorted(outputs.values(), key=lambda array: -array.ndim)
            shown = next(filter(is_image, by_rank), by_rank[0])
        return tuple(shown.shape[1:3])

    def input(self, batch: Batch) -> Array | None:
        """Return the inputs as images, or None where they are none.

        Raises:
            ValueError: If `input_image` does not give images.
        """
        if batch.shown is not None or batch.inputs is None:
            return batch.shown
        if self.input_image is not None:
            images = as_array(self.input_image(batch.inputs), "input_image()")
            images = channels_last(images, self.info)
            return check_images(images, "`input_image`")
        return self.as_images(single(batch.inputs), batch)

    def target(self, batch: Batch) -> Array | None:
        """Return the target that belongs to the prediction, as the samples have it."""
        targets, chosen = leaves(batch.targets), self.info.chosen
        # One target is of the prediction, however many outputs there are; of several it is the one of
        # the same name, as in `fit` with dicts, or else the one at the same place.
        if len(targets) == 1:
            return single(batch.targets)
        if chosen is None:
            return None
        if self.info.names[chosen] in targets:
            return single(targets[self.info.names[chosen]])
        same_count = len(targets) == len(self.info.names)
        return single(list(targets.values())[chosen]) if same_count else None

    def images(self, panel: str, batch: Batch) -> Array:
        """Return the images of a panel that can be drawn, with a channel axis."""
        if panel == "input":
            images = self.input(batch)
            if images is not None and self.reverses_input:
                images = images[..., ::-1]
        elif panel == "target":
            images = self.as_images(self.target(batch), batch)
        else:
            output = self.prediction_name if panel == "prediction" else panel
            values = self.outputs(batch).get(output)
            images = None if values is None else with_channels(values)
        if images is None:
            raise ValueError(f"the {panel} has no images")
        return images

    def as_images(self, values: Array | None, batch: Batch) -> Array | None:
        """Return inputs or targets as images, (N, H, W, C), or None where their shape is another's.

        Those of rank 3 are grey images only at the prediction's size: sequences have that rank too.
        """
        if values is None:
            return None
        images = channels_last(values, self.info)
        if not is_image(images) or (images.ndim == 3 and images.shape[1:3] != self.size(batch)):
            return None
        return with_channels(images)

    def target_sizes(self, batch: Batch) -> list[tuple[int, ...]]:
        """Return each (height, width) that targets may have: the prediction's and the input's."""
        image = self.input(batch)
        return [self.size(batch)] + ([] if image is None else [image.shape[1:3]])


def channels_last(array: Array, info: OutputInfo) -> Array:
    """Move the channels of (N, C, H, W) to the end where the model has them first."""
    return np.moveaxis(array, 1, -1) if info.channels_first and array.ndim == 4 else array


def check_images(images: Array, source: str, where: str = "") -> Array:
    """Return what a function of the user's gave as images (N, H, W, C).

    Args:
        images: What it returned, channels last.
        source: The argument that it is, for the error.
        where: What else the error should say of the place.

    Raises:
        ValueError: If they have another shape.
    """
    if not is_image(images):
        raise ValueError(
            f"{source} must return images of shape (N, H, W) or (N, H, W, C) with C in "
            f"{{1, 3, 4}}, got {describe(images)}{where}."
        )
    return with_channels(images)


def failed(argument: str, error: Exception, batch: Batch) -> Exception:
    """Return what to raise from the error that a function of the user's raised before it worked once.

    Args:
        argument: What the function was given as.
        error: What it raised.
        batch: What it was shown.
    """
    if isinstance(error, MemoryError):
        return error
    parts = {"inputs": batch.inputs, "targets": batch.targets, "outputs": batch.outputs}
    listed = "; ".join(
        f"{part}{f'[{name!r}]' if name else ''}: {describe(array)}"
        for part, structure in parts.items()
        if structure is not None
        for name, array in leaves(structure).items()
    )
    return ValueError(
        f"`{argument}` raised {type(error).__name__}: {error}. It was called with {listed}."
    )


def check_panels(panels: Sequence[str] | Mapping[str, str] | None) -> tuple[str, ...] | None:
    """Return the names of the `panels` argument of a renderer.

    Raises:
        ValueError: If they are no names, or not each another one.
    """
    if panels is None:
        return None
    is_sequence = isinstance(panels, Iterable) and not isinstance(panels, str)
    names = tuple(panels) if is_sequence else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            '`panels` must be a sequence of names such as ("input", "prediction"), or a dict from name '
            f"to caption, got {panels!r}."
        )
    if len(set(names)) != len(names):
        raise ValueError(f"`panels` must name each panel once, got {names!r}.")
    return names


def check_captions(panels: Sequence[str] | Mapping[str, str] | None) -> dict[str, str]:
    """Return the captions of the `panels` argument, by name; none where it gives names alone.

    Raises:
        ValueError: If one is no text, or empty.
    """
    captions = dict(panels) if isinstance(panels, Mapping) else {}
    for name, caption in captions.items():
        if not isinstance(caption, str) or not caption.strip():
            raise ValueError(
                f"`panels` must have a text as the caption of {name!r}, got {caption!r}."
            )
    return captions


def _may_be_image(array: Any, size: tuple[int, ...]) -> bool:
    """Tell whether one of several inputs may be meant as an image, wherever its channels are."""
    shape = array.shape
    if len(shape) == 4:
        return shape[1] in CHANNELS or shape[3] in CHANNELS
    return len(shape) == 3 and shape[1:3] == size


def require_chosen(info: OutputInfo, batch: Batch, *, advice: str = "") -> None:
    """Raise with the outputs that there are, unless one of them is the prediction."""
    if info.chosen is not None:
        return
    listed = "; ".join(
        f"{name!r}: {describe(value)}"
        for name, value in zip(info.names, leaves(batch.outputs).values(), strict=True)
    )
    raise ValueError(
        f"`output` must say which of the model's {len(info.names)} outputs to draw, got None. "
        f"The outputs are {listed}. Pass output=name, output=index, {advice}or a renderer of your own."
    )
