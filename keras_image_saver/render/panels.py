"""What `Images` and `Segmentation` share: which panels there are, and what stands in their way."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from keras_image_saver.arrays import (
    CHANNELS,
    Array,
    Range,
    as_array,
    copied,
    describe,
    leaves,
    single,
)
from keras_image_saver.render.base import Batch, OutputInfo, Renderer
from keras_image_saver.render.preprocessing import check_channels, check_input_range
from keras_image_saver.render.slices import AXES, check_slices, slices_of
from keras_image_saver.render.sources import Sources, failed, several_inputs

# The panels that are the samples' own, whatever the model makes of them.
SHOWN = ("input", "target")


class PanelRenderer(Renderer):
    """A renderer of input, prediction and target.

    Args:
        input_range: (low, high) of the inputs, or the mode of their preprocessing, or None.
        input_image: The user's way from inputs to images, or None.
        panels: The names of the panels to draw, or a dict from name to caption, or None.
        slices: How many slices of volumes are drawn, or which, or None.
        slice_axis: Along which axis of (N, D, H, W, C).

    Raises:
        ValueError: If the range, a panel name or what is said of slices is not valid.
        TypeError: If `input_image` is no function.

    Attributes:
        no_target: What to say where there are no targets that it can draw.
        draws_ids: Whether integers without channels are class ids.
    """

    no_target = "the samples have no targets"
    draws_ids = False

    def __init__(
        self,
        input_range: Any,
        input_image: Callable[[Any], Any] | None,
        panels: Sequence[str] | Mapping[str, str] | None,
        slices: int | Sequence[int] | None = None,
        slice_axis: int = 1,
    ) -> None:
        if input_image is not None and not callable(input_image):
            raise TypeError(
                f"`input_image` must be a function from the inputs to images, got {input_image!r}."
            )
        self.input_range, self.reverses_input = check_input_range(input_range)
        self.input_mode = input_range if isinstance(input_range, str) else None
        self.input_image = input_image
        self.panels = check_panels(panels)
        self.captions = check_captions(panels)
        self.slices = check_slices(slices, slice_axis)
        self.slice_axis = int(slice_axis)

    def sources(self, info: OutputInfo, batch: Batch) -> Sources:
        """Return where the panels' values come from, for a model, by what it made of the first rows.

        Raises:
            ValueError: If the prediction cannot be cut as the arguments say.
        """
        if self.slices is None:
            return _told(Sources(info, self.input_image, self.reverses_input), batch)
        outputs = list(leaves(batch.outputs).values())
        # One output that can be cut tells how all are, where the user chose none.
        deepest = max(outputs, key=lambda one: 0 if one is None else one.ndim)
        prediction = deepest if info.chosen is None else outputs[info.chosen]
        options = {"channels_first": info.channels_first, "as_ids": self.draws_ids}
        slices = slices_of(self.slices, self.slice_axis, prediction, **options)
        # What is cut has its channels last.
        last = replace(info, channels_first=False)
        return _told(Sources(last, self.input_image, self.reverses_input, slices), batch)

    def images_of_inputs(self, inputs: Any, info: OutputInfo) -> Array | None:
        way = self.input_image
        if way is None or inputs is None:
            return None
        # The user's function may change what it gets, so it gets copies: the samples stay as they are.
        batch = Batch(copied(inputs), None, None)

        def called(given: Any) -> Any:
            try:
                return way(given)
            except Exception as error:
                raise failed("input_image", error, batch) from error

        if self.slices is not None:  # it is cut later, when it is known how
            return as_array(called(batch.inputs), "input_image()")
        return Sources(info, called, self.reverses_input).input(batch)

    def range_of_inputs(self, image: Array) -> Range | None:
        """Return the range that the user has said of inputs, for some of them (N, H, W, C).

        Raises:
            ValueError: If it is that of a preprocessing which takes other channels than they have.
        """
        if self.input_mode is not None:
            check_channels(self.input_mode, image)
        return self.input_range

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
        no_target = self.no_target
        if self.slices is not None:
            like = f"that has as many slices along slice_axis={self.slice_axis} as the prediction"
            no_input = f"the model's input is not one volume {like}; pass `input_image`"
            no_target = f"the samples have no target {like}"
        return {
            "input": no_input if image is None else None,
            "prediction": None,
            "target": no_target if target is None else None,
        }

    def lost_panels(
        self, batch: Batch, sources: Sources, panels: Collection[str]
    ) -> tuple[str, ...]:
        """Return what to warn of where samples that may be meant to be drawn are not."""
        return self._lost_input(batch, sources, panels) + tuple(
            self._lost_slices(batch, sources, panels)
        )

    def _lost_slices(
        self, batch: Batch, sources: Sources, panels: Collection[str]
    ) -> Iterator[str]:
        """Say which volumes are not drawn since they have other slices than the prediction."""
        slices = sources.slices
        if slices is None or self.panels is not None:
            return
        inputs = None if self.input_image or sources.info.noise else single(batch.inputs)
        for name, volumes in {"input": inputs, "target": sources.whole_target(batch)}.items():
            axes = {AXES, AXES - 1} if self.draws_ids and name == "target" else {AXES}
            if name not in panels and volumes is not None and volumes.ndim in axes:
                yield (
                    f"No {name} is drawn: of {describe(volumes)} there are other slices along "
                    f"slice_axis={slices.axis} than the prediction's {slices.depth}. "
                    'panels=("prediction",) says that none is wanted.'
                )

    def _lost_input(
        self, batch: Batch, sources: Sources, panels: Collection[str]
    ) -> tuple[str, ...]:
        """Return what to warn of where images among several inputs are not drawn, as of a dict."""
        arrays = leaves(batch.inputs)
        asked = self.panels is not None or any(map(sources.shows_input, panels))
        if asked or sources.info.noise or len(arrays) < 2:
            return ()
        size = sources.size(batch)
        images = {name: x for name, x in arrays.items() if _may_be_image(x, size)}
        if not images:
            return ()
        # The one of most axes, then of most channels, is the image: a class map has three axes, or one
        # channel.
        name, image = max(images.items(), key=lambda item: (item[1].ndim, min(item[1].shape[1:])))
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
        self, obstacles: Mapping[str, str | None], info: OutputInfo, inputs: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Return the panels to draw, in order.

        Args:
            obstacles: Every panel name, with what stands in its way, or None where nothing does.
            info: Whether the inputs are noise, which is shown only when asked for.
            inputs: The panels of several inputs.

        Raises:
            ValueError: If a wanted panel does not exist or cannot be drawn.
        """
        if self.panels is None:
            noisy = info.noise and self.input_image is None
            hidden = {"input", *inputs} if noisy else set()
            usual = ("input", *inputs, "prediction", "target")
            return tuple(name for name in usual if obstacles[name] is None and name not in hidden)
        for name in self.panels:
            if name not in obstacles:
                raise ValueError(
                    f"`panels` has no panel {name!r}; there are: {', '.join(obstacles)}."
                )
            if obstacles[name] is not None:
                raise ValueError(f"`panels` names {name!r}, but {obstacles[name]}.")
        return self.panels


def _told(sources: Sources, batch: Batch) -> Sources:
    """Return where values come from, told which panels several inputs have."""
    return replace(sources, input_panels=tuple(several_inputs(sources, batch)))


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
    if len(set(captions.values())) < len(captions):
        raise ValueError(f"`panels` must have another caption for each panel, got {captions!r}.")
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
