"""The panels of images: values to bytes by their ranges, and how far predictions are from targets."""

from collections.abc import Mapping
from dataclasses import dataclass

from keras_image_saver.arrays import (
    Array,
    Range,
    UInt8Array,
)
from keras_image_saver.render.base import (
    BARE,
    Batch,
    BoundRenderer,
    Rendered,
    Surface,
)
from keras_image_saver.render.colors import apply_colormap
from keras_image_saver.render.error import error_table, errors_of_images
from keras_image_saver.render.mapping import map_to_uint8
from keras_image_saver.render.measured import Measured, MeasuredImages
from keras_image_saver.render.sources import Sources


@dataclass(frozen=True, kw_only=True)
class BoundImages(BoundRenderer):
    """Draws images in one way.

    Attributes:
        sources: Where values come from.
        colormaps: The colour table by panel, of those of one channel that have one.
        compared: The ranges of prediction and target, drawn or not, as far as they are known.
    """

    sources: Sources
    colormaps: Mapping[str, UInt8Array]
    compared: Mapping[str, Range | None]

    def __call__(self, batch: Batch, surface: Surface = BARE) -> Rendered:
        rendered = Rendered()
        for name, limits in self.ranges.items():
            if name in surface.known:
                continue
            is_error = name in self.sources.own_error
            images = self._errors(batch) if is_error else self.sources.images(name, batch)
            table = error_table() if is_error else self.colormaps.get(name)
            # What is coloured has more channels than what is mapped, so there is no room for it.
            room = surface.out.get(name) if table is None else None
            mapped, rendered.counts[name] = map_to_uint8(
                images, limits, room, self.range_argument(name)
            )
            rendered.panels[name] = mapped if table is None else apply_colormap(mapped, table)
        return rendered

    def measured(self, batch: Batch) -> Mapping[str, Measured]:
        if "prediction" not in self.compared:
            return {}
        sources, has_target = self.sources.whole, "target" in self.compared
        return {
            "": MeasuredImages(
                sources.images("prediction", batch),
                self.compared["prediction"],
                sources.images("target", batch) if has_target else None,
                self.compared.get("target"),
                depth=1 if sources.slices is None else sources.slices.depth,
            )
        }

    def range_argument(self, panel: str) -> str:
        return "input_range" if self.sources.shows_input(panel) else "value_range"

    def _errors(self, batch: Batch) -> Array:
        return errors_of_images(
            self.sources.images("prediction", batch),
            self.compared["prediction"],
            self.sources.images("target", batch),
            self.compared["target"],
        )
