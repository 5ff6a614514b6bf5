"""The decoder: an image file to one uint8 array, and what it holds without decoding it."""

import json
import re
import threading
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture.formats import BY_NAME, FORMATS
from keras_image_saver.version import PACKAGE

# Ten thousand pixels a side: 1,024 samples of 300 x 300.
MAX_PIXELS = 100_000_000

# How many channels a picture of Pillow's mode has; what is not here is decoded to RGB.
_CHANNELS = {"1": 1, "L": 1, "RGBA": 4, "LA": 4, "PA": 4}

# Pillow's limit is a global, so only one thread at a time may change it.
_pillow_limit = threading.Lock()


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


def is_lossy(file: BinaryIO) -> bool:
    """Tell whether an image is of a format that changes pixels: JPEG, AVIF, WebP with losses.

    Raises:
        OSError: If it is no image, or is broken.
    """
    name = _open(file).format
    if name != BY_NAME["WEBP"].name:
        return name in ("JPEG", "AVIF")
    # Chunks of a name, a size and so many bytes, an even number; VP8L is the lossless one.
    # https://developers.google.com/speed/webp/docs/riff_container
    file.seek(12)
    while len(head := file.read(8)) == 8:
        if head[:4] in (b"VP8 ", b"VP8L"):
            return head[:4] == b"VP8 "
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
    return False


def read_explanation(file: BinaryIO) -> dict[str, Any] | None:
    """Read what a picture of this package says of itself, without decoding it.

    Args:
        file: Any file, open for reading.

    Returns:
        What it was written with as `metadata`; nothing where its format has no room for that. None if
        this package did not write it.
    """
    try:
        picture = _open(file)
        where = BY_NAME[picture.format].metadata
        if where is None:
            return {}
        software, found = _explained(picture, where)
    except Exception:  # whatever is in a file of somebody's, Pillow fails at it in its own way
        return None
    return found if isinstance(software, str) and software.startswith(PACKAGE) else None


def _explained(picture: Any, where: str) -> tuple[Any, dict[str, Any]]:
    """Return which software says that it wrote a picture, and what it says of it."""
    if where == "text chunks":
        # Not `text`, which reads on behind the pixels.
        chunks = {name: text for name, text in picture.info.items() if isinstance(text, str)}
        return chunks.get("Software"), {name: _value(text) for name, text in chunks.items()}
    if where == "comment":
        text = picture.info.get("comment", b"").decode("ascii")
    else:
        text = picture.getexif().get(ExifTags.Base.ImageDescription, "")
    found = json.loads(text)
    return found.get("software"), found


def _value(text: str) -> Any:
    """Return what a chunk holds: text as it is, anything else as JSON."""
    # A run's id may be all digits.
    if not re.fullmatch(r"\d{1,15}(\.\d{1,6})?|[\[{].*", text, re.DOTALL):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _open(file: BinaryIO) -> Any:
    # A record from elsewhere may name any file, and Pillow would hand some formats to other programs,
    # so it may open only what the encoder writes.
    with _pillow_limit:
        Image.init()
        formats = [one.name for one in FORMATS if one.name in Image.OPEN]
        # Pillow's own limit warns where `max_pixels` raises; opening reads a header only.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        except Exception as error:
            raise OSError("it is not an image, or is broken") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _channels(picture: Any) -> int:
    if picture.mode == "P":
        return 4 if "transparency" in picture.info else 3
    return _CHANNELS.get(picture.mode, 3)
