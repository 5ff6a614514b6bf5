"""See what a Keras model draws while it trains.

The names load lazily: importing the package imports neither TensorFlow nor Pillow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_image_saver.version import __version__ as __version__

if TYPE_CHECKING:
    from keras_image_saver.callback import ImageSaver as ImageSaver
    from keras_image_saver.listeners import NotebookDisplay as NotebookDisplay
    from keras_image_saver.listeners import TensorBoardImages as TensorBoardImages
    from keras_image_saver.picture.encoder import encode_image as encode_image
    from keras_image_saver.picture.grid import make_grid as make_grid
    from keras_image_saver.render.base import Batch as Batch
    from keras_image_saver.render.colors import colorize as colorize
    from keras_image_saver.render.colors import overlay as overlay
    from keras_image_saver.render.images import Images as Images
    from keras_image_saver.render.mapping import to_uint8 as to_uint8
    from keras_image_saver.render.segmentation import Segmentation as Segmentation
    from keras_image_saver.report import ImageSaverError as ImageSaverError
    from keras_image_saver.run.reader import Run as Run
    from keras_image_saver.run.record import Snapshot as Snapshot
    from keras_image_saver.samples import latents as latents
    from keras_image_saver.save import save_image as save_image
    from keras_image_saver.viewers.comparison import compare as compare
    from keras_image_saver.viewers.page import write_page as write_page
    from keras_image_saver.viewers.strip import strip as strip
    from keras_image_saver.viewers.tiles import tiles as tiles
    from keras_image_saver.viewers.timelapse import timelapse as timelapse

_MODULES = {
    "ImageSaver": "callback",
    "ImageSaverError": "report",
    "encode_image": "picture.encoder",
    "make_grid": "picture.grid",
    "NotebookDisplay": "listeners",
    "TensorBoardImages": "listeners",
    "Images": "render.images",
    "to_uint8": "render.mapping",
    "Batch": "render.base",
    "Run": "run.reader",
    "Snapshot": "run.record",
    "latents": "samples",
    "save_image": "save",
    "Segmentation": "render.segmentation",
    "colorize": "render.colors",
    "overlay": "render.colors",
    "compare": "viewers.comparison",
    "write_page": "viewers.page",
    "strip": "viewers.strip",
    "tiles": "viewers.tiles",
    "timelapse": "viewers.timelapse",
}

if not TYPE_CHECKING:  # a checker would take any name for one of ours, and no name for exported
    __all__ = [*_MODULES, "__version__"]  # noqa: PLE0604 - names of a lazy module

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
