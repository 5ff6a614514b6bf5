"""The encoder: one uint8 image to an image file, and text into pictures.

A snapshot is written often and looked at once, so the defaults are fast, and lossless wherever the
format can be: PNG is level 1 with zlib's run-length strategy (0.29 of the time of Pillow's default
at 1.03 of the size, on a grid of photos), WebP is lossless at `method=0, quality=0`, JPEG is quality
95 without chroma subsampling.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, features

from keras_image_saver.arrays import CHANNELS, as_array, describe
from keras_image_saver.version import __version__

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
}
# What a user may set, with the largest value; the smallest is 0.
_OPTIONS: dict[str, dict[str, int]] = {
    "PNG": {"compress_level": 9},
    "JPEG": {"quality": 100},
    "WEBP": {"quality": 100, "lossless": 1},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
    "AVIF": {"quality": 100},
}
# zlib's Z_RLE; Pillow passes the number on.
_RUN_LENGTH = 3
# The largest side that a format, or the library that writes it, can hold.
_LARGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535, "AVIF": 32_768}
# PNG's limit for the name of a text chunk.
_LONGEST_KEYWORD = 79
# JPEG holds EXIF in one segment of 64 KiB.
_LONGEST_DESCRIPTION = 60_000


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
    if suffix not in _FORMATS:
        known = ", ".join(name[1:] for name in _FORMATS)
        raise ValueError(f"`format` must be one of {known}, got {format!r}.")
    kind = check_format(f"image{suffix}")
    file = io.BytesIO()
    write_image(file, image, kind, check_options(kind, options), metadata)
    return file.getvalue()


def check_format(filepath: str) -> str:
    """Return the format that a path's suffix names.

    Raises:
        ValueError: If there is no such format, or this Pillow cannot write it.
    """
    suffix = os.path.splitext(filepath)[1].lower()
    if suffix not in _FORMATS:
        raise ValueError(
            f"`filepath` must end in one of {', '.join(_FORMATS)}, got {filepath!r}. A folder whose "
            "name has a dot ends in a slash."
        )
    kind = _FORMATS[suffix]
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        raise ValueError(
            f"`filepath` ends in {suffix!r}, which this Pillow cannot write. Install pillow>=11.3, "
            "or choose .png."
        )
    return kind


def check_options(kind: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what Pillow is told: the user's options over our defaults.

    Pillow ignores options that it does not know, so they are refused here.

    Raises:
        ValueError: If the format has no such option, or the value is out of range.
        TypeError: If `options` is not a mapping.
    """
    allowed = _OPTIONS[kind]
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(
            f'`encoder_options` must be a dict such as {{"quality": 90}}, got {options!r}.'
        )
    chosen = dict(options or {})
    for name, value in chosen.items():
        if name not in allowed:
            known = ", ".join(f"`{option}`" for option in allowed) or "none"
            raise ValueError(
                f"`encoder_options` has no {name!r} for {kind}, got {chosen!r}. Options: {known}."
            )
        whole = isinstance(value, (int, np.integer))
        if not whole or isinstance(value, bool) != (name == "lossless"):
            wanted = "True or False" if name == "lossless" else f"an int from 0 to {allowed[name]}"
            raise ValueError(f"`encoder_options[{name!r}]` must be {wanted}, got {value!r}.")
        if not 0 <= value <= allowed[name]:
            raise ValueError(
                f"`encoder_options[{name!r}]` must be an int from 0 to {allowed[name]}, got {value!r}."
            )
    return _defaults(kind, chosen) | chosen


def _defaults(kind: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "PNG":
        return {"compress_level": 1, "compress_type": _RUN_LENGTH}
    if kind == "JPEG":
        return {"quality": 95, "subsampling": "4:4:4"}
    if kind == "WEBP":
        if chosen.get("lossless", "quality" not in chosen):
            # exact: the colours of transparent pixels are kept too
            return {"lossless": True, "method": 0, "quality": 0, "exact": True}
        return {"quality": 95}
    if kind == "TIFF":
        return {"compression": "tiff_adobe_deflate"}
    if kind == "AVIF":
        return {"quality": 95, "subsampling": "4:4:4"}
    return {}


def check_image(shape: Sequence[int], kind: str) -> None:
    """Refuse what a format cannot hold, before Pillow does so in its own words.

    Args:
        shape: (H, W) or (H, W, C).
        kind: A format, from `check_format`.

    Raises:
        ValueError: If a side is too large, or there is an alpha channel and no room for it.
    """
    height, width = shape[:2]
    largest = _LARGEST_SIDE.get(kind)
    if largest is not None and max(height, width) > largest:
        raise ValueError(
            f"{kind} holds at most {largest} pixels a side, got a picture {width} wide and {height} "
            "high. Save PNG, take fewer samples, or set `columns`."
        )
    if kind in ("JPEG", "GIF", "BMP") and len(shape) == 3 and shape[2] == 4:
        raise ValueError(
            f"{kind} has no alpha channel, got a picture with four channels. Save PNG, WebP, TIFF "
            "or AVIF, or leave the alpha channel out."
        )


def write_image(
    file: BinaryIO,
    image: Any,
    kind: str,
    options: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Encode one image into an open binary file.

    Args:
        file: Open for writing. JPEG releases the GIL only for a real file.
        image: uint8, shape (H, W) or (H, W, C), C in {1, 3, 4}.
        kind: A format, from `check_format`.
        options: From `check_options`.
        metadata: See `encode_image`.

    Raises:
        ValueError: If the image is not one, or the format cannot hold it.
    """
    array = as_array(image)
    shape = array.shape
    valid = array.ndim == 2 or (array.ndim == 3 and shape[2] in CHANNELS)
    if array.dtype != np.uint8 or not valid or not array.size:
        raise ValueError(
            f"`image` must be uint8 (H, W) or (H, W, C) with C in {{1, 3, 4}}, got {describe(array)}."
        )
    check_image(shape, kind)
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    picture = Image.fromarray(np.ascontiguousarray(array))
    picture.save(file, format=kind, **options, **_embed(kind, metadata))


def _embed(kind: str, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments by which Pillow writes the metadata."""
    if not metadata or kind == "BMP":
        return {}
    software = f"keras_image_saver {__version__}"
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        for name, value in (dict(metadata) | {"Software": software}).items():
            keyword = name.encode("latin-1", "replace")[:_LONGEST_KEYWORD].decode("latin-1")
            chunks.add_text(keyword, value if isinstance(value, str) else _to_json(value))
        return {"pnginfo": chunks}
    kept = dict(metadata) | {"software": software}
    while kind == "JPEG" and len(_to_json(kept)) > _LONGEST_DESCRIPTION:
        kept[max(kept, key=lambda name: len(_to_json(kept[name])))] = "left out: too long for JPEG"
    text = _to_json(kept)
    if kind == "GIF":
        return {"comment": text.encode("ascii")}
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text
    exif[ExifTags.Base.Software] = software
    return {"exif": exif}


def _to_json(value: Any) -> str:
    """Write JSON; NumPy's scalars and arrays as what they hold, anything else as text."""
    return json.dumps(
        value, default=lambda odd: odd.tolist() if hasattr(odd, "tolist") else str(odd)
    )
