"""What the user passes as `render`: a renderer of ours, or a function of the user's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from keras_image_saver.arrays import as_array, copied, describe, leaves
from keras_image_saver.render.base import (
    BARE,
    Batch,
    BoundRenderer,
    OutputInfo,
    Rendered,
    Renderer,
    Surface,
)
from keras_image_saver.render.images import Images
from keras_image_saver.render.mapping import map_to_uint8
from keras_image_saver.render.ranges import (
    check_dtype,
    default_range,
)
from keras_image_saver.render.sources import check_images, failed

Render: TypeAlias = Renderer | Callable[[Batch], Mapping[str, Any]] | None  # the argument


def as_renderer(render: Any, *, whole: bool) -> Renderer:
    """Return the renderer that the `render` argument stands for.

    Args:
        render: `Images(...)`, `Segmentation(...)`, a function `render(batch)`, or None for `Images()`.
        whole: Whether a function gets all outputs, or the chosen one.

    Raises:
        TypeError: If it is none of these.
    """
    if render is None:
        return Images()
    if isinstance(render, Renderer):
        return render
    # A class is callable too, but `render=Images` lacks its brackets.
    if isinstance(render, type) or not callable(render):
        raise TypeError(
            "`render` must be Images(...), Segmentation(...) or a function render(batch), got "
            f"{render!r}."
        )
    return FunctionRenderer(render, whole=whole)


class FunctionRenderer(Renderer):
    """A renderer of the user's own, `render(batch) -> {panel name: images}`.

    Args:
        function: The user's; it may return uint8, bool, or floats from 0 to 1.
        whole: Whether it gets all outputs, or the chosen one.
    """

    runs_user_code = True

    def __init__(self, function: Callable[[Batch], Any], *, whole: bool) -> None:
        self.function = function
        self.whole = whole

    def bind(self, batch: Batch, info: OutputInfo) -> BoundRenderer:
        chosen = None if self.whole else info.chosen
        return _BoundFunction(function=self.function, chosen=chosen, ranges={})


@dataclass(frozen=True, kw_only=True)
class _BoundFunction(BoundRenderer):
    function: Callable[[Batch], Any]
    chosen: int | None

    def __call__(self, batch: Batch, surface: Surface = BARE) -> Rendered:
        outputs = batch.outputs
        if self.chosen is not None:
            outputs = list(leaves(outputs).values())[self.chosen]
        # The samples stay what they are, whatever the user's code does to what it gets.
        given = Batch(copied(batch.inputs), copied(batch.targets), outputs)
        try:
            panels = self.function(given)
        except Exception as error:
            if self.ranges:  # it has worked, so it fails for another reason than what it is shown
                raise
            raise failed("render", error, given) from error
        if not isinstance(panels, Mapping) or not panels:
            raise TypeError(
                "`render` must return a dict of images by panel name, such as "
                f'{{"prediction": images}}, got {describe(panels)}.'
            )
        rendered = Rendered()
        for name, values in panels.items():
            source = f"render()[{name!r}]"
            array = as_array(values, source)
            images = check_images(array, "`render`", f" for the panel {name!r}")
            check_dtype(images, source)
            panel, limits = str(name), default_range(images.dtype)
            self.ranges[panel] = limits  # of the panels that were returned last
            if limits is None:
                # It is not mapped into an array of ours, and the user's code may use its own again
                # while this one waits to be written.
                images = images.copy()
            rendered.panels[panel], rendered.counts[panel] = map_to_uint8(images, limits)
        lengths = {name: len(images) for name, images in rendered.panels.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"`render` must return as many images in every panel, got {lengths}.")
        return rendered

    def captions_of(self, panels: Sequence[str]) -> dict[str, str]:
        return {name: name for name in panels}  # the user has named them

    def range_argument(self, panel: str) -> str:
        return "the range of what `render` returns"
