"""The encoder: one uint8 image to the bytes of an image file."""

import io
import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from keras_image_saver.arrays import CHANNELS, as_array, describe
from keras_image_saver.picture import formats
from keras_image_saver.version import __version__

PACKAGE = "keras_image_saver"
_SOFTWARE = f"{PACKAGE} {__version__}"
# PNG (third edition, 11.3.3) allows the name of a text chunk 1 to 79 bytes of Latin-1.
_LONGEST_KEYWORD = 79


def encode_image(
    image: Any,
    format: str = "png",
    *,
    options: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> bytes:
    """Encode one image.

    Args:
        image: uint8, shape (H, W) or (H, W, C), C in {1, 3, 4}.
        format: A suffix, with or without its dot: png, jpg, jpeg, webp, tif, tiff, bmp, gif, avif.
        options: `compress_level` (PNG, 0 to 9), `quality` (JPEG, WebP, AVIF, 0 to 100), `lossless`
            (WebP; the default unless `quality` is given).
        metadata: Written into the file: PNG text chunks by name, JSON in EXIF's ImageDescription in
            JPEG, WebP, TIFF and AVIF, JSON in the comment of a GIF. BMP has no room.

    Returns:
        The file's bytes.

    Raises:
        ValueError: If the image, the format or an option is not valid, if the format cannot hold an
            alpha channel (JPEG, GIF, BMP), or if the image is over its size.

    Example:
        >>> encode_image(np.zeros((2, 2, 3), np.uint8), "bmp")[:2]
        b'BM'
    """
    suffix = f".{format.lower().removeprefix('.')}"
    if suffix not in formats.BY_SUFFIX:
        known = ", ".join(one.removeprefix(".") for one in formats.BY_SUFFIX)
        raise ValueError(f"`format` must be one of {known}, got {format!r}.")
    return encode(image, formats.check_format(f"image{suffix}", options), metadata)


def encode(image: Any, format: formats.Format, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Encode one image in memory, as `write_image` does into a file."""
    file = io.BytesIO()
    write_image(file, image, format, metadata)
    return file.getvalue()


def write_image(
    file: BinaryIO,
    image: Any,
    format: formats.Format,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Encode one image into an open binary file.

    Args:
        file: Open for writing. JPEG releases the GIL only for a real file.
        image: uint8, shape (H, W) or (H, W, C), C in {1, 3, 4}.
        format: From `check_format`.
        metadata: See `encode_image`.

    Raises:
        ValueError: If the image is not one, or the format cannot hold it.
    """
    array = as_array(image)
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in CHANNELS)
    if array.dtype != np.uint8 or not is_image or not array.size:
        raise ValueError(
            f"`image` must be uint8 (H, W) or (H, W, C) with C in {{1, 3, 4}}, got {describe(array)}."
        )
    formats.check_image(array.shape, format)
    if array.shape[2:] == (1,):
        array = array[..., 0]  # Pillow's grey pictures have no channel axis
    picture = Image.fromarray(np.ascontiguousarray(array))
    picture.save(file, format=format.name, **format.settings, **_embedded(metadata, format))


def _embedded(metadata: Mapping[str, Any] | None, format: formats.Format) -> dict[str, Any]:
    """Return the arguments by which Pillow writes the metadata."""
    if not metadata or format.metadata is None:
        return {}
    if format.metadata == "text chunks":
        chunks = PngImagePlugin.PngInfo()
        for name, value in {**metadata, "Software": _SOFTWARE}.items():
            keyword = name.encode("latin-1", "replace")[:_LONGEST_KEYWORD].decode("latin-1")
            chunks.add_text(keyword, value if isinstance(value, str) else _json(value))
        return {"pnginfo": chunks}
    kept = {**metadata, "software": _SOFTWARE}
    while len(text := _json(kept)) > format.longest_metadata:
        longest = max(kept, key=lambda name: len(_json(kept[name])))
        kept[longest] = f"left out: too long for {format.name}"
    if format.metadata == "comment":
        return {"comment": text.encode("ascii")}
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text
    exif[ExifTags.Base.Software] = _SOFTWARE
    return {"exif": exif}


def _json(value: Any) -> str:
    """Write JSON; NumPy's scalars and arrays as what they hold, anything else as text."""
    return json.dumps(
        value, default=lambda odd: odd.tolist() if hasattr(odd, "tolist") else str(odd)
    )
