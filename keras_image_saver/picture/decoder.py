"""The decoder: an image file to one uint8 array, and what it holds without decoding it."""

from __future__ import annotations

import threading
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from keras_image_saver.arrays import UInt8Array

# Ten thousand pixels a side: 1,024 samples of 300 x 300.
MAX_PIXELS = 100_000_000

# What the encoder writes. A record from elsewhere may name any file, and Pillow would hand some
# formats to other programs.
_KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_CHANNELS = {"1": 1, "L": 1, "RGB": 3, "RGBA": 4, "LA": 4, "PA": 4}

_opening = threading.Lock()


class TooLargeError(ValueError):
    """An image has more pixels than it may have."""


def read_header(file: BinaryIO, max_pixels: int | None = MAX_PIXELS) -> tuple[int, int, int]:
    """Return the (height, width, channels) of an image without decoding it.

    Args:
        file: An image file, open for reading.
        max_pixels: The most pixels that it may have. None: any number.

    Raises:
        TooLargeError: If it has more.
        OSError: If it is no image, or is broken.
    """
    picture = _open(file)
    width, height = picture.size
    if max_pixels is not None and width * height > max_pixels:
        raise TooLargeError(
            f"`max_pixels` is {max_pixels:,}, got a picture {width} wide and {height} high, "
            f"{width * height:,} pixels. If it is meant to be that large, pass a larger "
            "`max_pixels`, or None."
        )
    return height, width, _channels(picture)


def read_image(file: BinaryIO) -> UInt8Array:
    """Decode an image file of any size.

    Returns:
        uint8, shape (H, W, C), C in {1, 3, 4}.

    Raises:
        OSError: If it is no image, or is broken.
    """
    picture = _open(file)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[_channels(picture)]
    try:
        array = np.asarray(picture.convert(mode))
    except Exception as error:  # each of Pillow's decoders fails in its own way
        raise OSError(f"the image is broken: {error}") from error
    return array[..., np.newaxis] if mode == "L" else array


def _open(file: BinaryIO) -> Any:
    # Pillow's own limit is a global, and warns where ours raises; opening reads a header only.
    with _opening:
        Image.init()
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=[kind for kind in _KINDS if kind in Image.OPEN])
        except Exception as error:
            raise OSError("it is not an image, or is broken") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _channels(picture: Any) -> int:
    if picture.mode == "P":
        return 4 if "transparency" in picture.info else 3
    return _CHANNELS.get(picture.mode, 3)
