"""The encoder: one uint8 image to the bytes of an image file."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from keras_image_saver.arrays import CHANNELS, as_array, describe
from keras_image_saver.picture import formats, png
from keras_image_saver.version import PACKAGE, __version__

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
        format: A suffix, with or without its dot: png, jpg, jpeg, webp, tif, tiff, bmp, gif, or
            avif (Pillow 11.3 or newer).
        options: `compress_level` (PNG, 0 to 9, zlib's; None, the default, is fast), `quality` (JPEG,
            WebP, AVIF, 0 to 100), `lossless` (WebP; the default unless `quality` is given).
        metadata: Written into the file: PNG text chunks by name, JSON in EXIF's ImageDescription in
            JPEG, WebP, TIFF and AVIF, JSON in the comment of a GIF. BMP has no room. What is too
            long for JPEG is left out, and the file says so in its place.

    Returns:
        The file's bytes.

    Raises:
        ValueError: If the image, the format or an option is not valid, if the format cannot hold an
            alpha channel (JPEG, GIF, BMP), or if the image is over its size.
        TypeError: If `options` or `metadata` is no dict.

    Example:
        >>> encode_image(np.zeros((2, 2, 3), np.uint8), "bmp")[:2]
        b'BM'
    """
    suffix = f".{format.lower().removeprefix('.')}" if isinstance(format, str) else ""
    if suffix not in formats.BY_SUFFIX:
        known = ", ".join(one.removeprefix(".") for one in formats.BY_SUFFIX)
        raise ValueError(f"`format` must be one of {known}, got {format!r}.")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise TypeError(f'`metadata` must be a dict such as {{"epoch": 3}}, got {metadata!r}.')
    found = formats.BY_SUFFIX[suffix]
    formats.check_support(found, f"`format` is {format!r}")
    settings = formats.check_options(found, options, "options")
    return encode(image, replace(found, settings=settings), metadata)


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
    array = as_array(image, "image")
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in CHANNELS)
    if array.dtype != np.uint8 or not is_image or not array.size:
        raise ValueError(
            f"`image` must be uint8 (H, W) or (H, W, C) with C in {{1, 3, 4}}, got {describe(array)}."
        )
    formats.check_image(array.shape, format)
    if format.name == formats.PNG.name:
        png.write_png(file, array, texts=_texts(metadata), **format.settings)
        return
    if array.shape[2:] == (1,):
        array = array[..., 0]  # Pillow's grey pictures have no channel axis
    picture = Image.fromarray(np.ascontiguousarray(array))
    picture.save(file, format=format.name, **format.settings, **_embedded(metadata, format))


def _texts(metadata: Mapping[str, Any] | None) -> PngInfo:
    """Return the metadata as text chunks of a PNG."""
    chunks = PngInfo()
    for name, value in {**metadata, "Software": _SOFTWARE}.items() if metadata else ():
        keyword = _text(str(name)).encode("latin-1", "replace")[:_LONGEST_KEYWORD] or b"?"
        text = _text(value) if isinstance(value, str) else _json(value)
        chunks.add_text(keyword.decode("latin-1"), text)
    return chunks


def _embedded(metadata: Mapping[str, Any] | None, format: formats.Format) -> dict[str, Any]:
    """Return the arguments by which Pillow writes the metadata."""
    if not metadata or format.metadata is None:
        return {}
    text = _fitting_json(metadata, format)
    if format.metadata == "comment":
        return {"comment": text.encode("ascii")}
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text
    exif[ExifTags.Base.Software] = _SOFTWARE
    return {"exif": exif}


def _text(value: str) -> str:
    """Return text that a chunk can hold: it ends at a zero byte, and UTF-8 has no lone surrogates."""
    return value.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")


def _fitting_json(metadata: Mapping[str, Any], format: formats.Format) -> str:
    """Write JSON no longer than the format has room for: values are left out, then names, too."""
    entries = {_json(str(name)): _json(value) for name, value in metadata.items()}
    entries['"software"'] = _json(_SOFTWARE)
    room = format.longest_metadata - sum(map(_length, entries.items()))
    if room < 0:
        room = _shorten(entries, room, _json(f"left out: too long for {format.name}"))
    if room < 0:
        _thin_out(entries, room, f"of {len(entries)} entries: too long for {format.name}")
    return "{" + ", ".join(f"{name}: {value}" for name, value in entries.items()) + "}"


def _shorten(entries: dict[str, str], room: float, note: str) -> float:
    """Put a note in the place of values, of the longest first, until there is room; return what is."""
    for name in sorted(entries, key=lambda name: len(entries[name]), reverse=True):
        if room >= 0 or len(entries[name]) <= len(note):
            break
        room += len(entries[name]) - len(note)
        entries[name] = note
    return room


def _thin_out(entries: dict[str, str], room: float, note: str) -> None:
    """Drop entries, the longest first, until there is room for the rest and for a count of them."""
    software = entries.pop('"software"')
    names = sorted(entries, key=lambda name: _length((name, entries[name])))
    count = len(names)
    told = '"left out"', _json(f"{count} {note}")
    room -= _length(told)
    while room < 0 and names:
        name = names.pop()
        room += _length((name, entries.pop(name)))
    entries['"left out"'] = _json(f"{count - len(names)} {note}")
    entries['"software"'] = software


def _length(entry: tuple[str, str]) -> int:
    return len(entry[0]) + len(entry[1]) + 4  # ": " and ", "; the last entry has braces instead


def _json(value: Any) -> str:
    """Write JSON; NumPy's scalars and arrays as what they hold, anything else as text."""
    return json.dumps(
        value, default=lambda odd: odd.tolist() if hasattr(odd, "tolist") else str(odd)
    )
