"""The pixels of a PNG: filtered by NumPy as a whole, deflated by `isal` or `zlib`.

Pillow tries five filters on each row, byte by byte, which is most of its time. Here one filter serves
the whole picture. Chunks and texts are Pillow's. Sections are those of the PNG specification, third
edition.
"""

import functools
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL.PngImagePlugin import PngInfo, putchunk

from keras_image_saver.arrays import UInt8Array

SIGNATURE = b"\x89PNG\r\n\x1a\n"  # section 5.2
# Section 11.2.1: greyscale, truecolour, and truecolour with alpha.
_COLOR_TYPES = {1: 0, 3: 2, 4: 6}
# Section 9.2. Average and Paeth take NumPy many times as long, and save a hundredth of the bytes.
_NONE, _SUB, _UP = range(3)
# The ways are tried on so many rows. Their places, by the golden ratio, are even, but never in step with
# tiles, whose gaps are unlike all else.
_TRIED_ROWS = 6
_PLACES = np.arange(1, _TRIED_ROWS + 1) * 0.618034 % 1
# zlib takes the rows as they come out of the filter, while they are in the processor's cache.
_BAND_BYTES = 1 << 16
# Far below the 2^31 - 1 bytes of section 5.3, and all of a chunk that a reader must hold.
_CHUNK_BYTES = 1 << 20


class _Way(NamedTuple):
    """How pixels are compressed.

    Attributes:
        filter: One of section 9.2, for all rows.
        level: Of zlib; None: by isal.
        setting: The strategy of zlib, or the window of isal, as a power of two.
        memory: Of zlib, its memLevel: a block of Huffman's codes is as long as it allows.
        weight: Of its bytes, where it takes less time than the others.
    """

    filter: int
    level: int | None
    setting: int = zlib.Z_DEFAULT_STRATEGY
    memory: int = zlib.DEF_MEM_LEVEL
    weight: float = 1


# In a window of 8 bytes isal finds the runs of a colour, and nothing far off, whose distance takes as
# many bits as it saves; in one of 32 KiB, all that deflate allows, tiles that are alike.
_BY_ISAL = (_Way(_SUB, None, 3), _Way(_UP, None, 3), _Way(_UP, None, 15))
# What zlib finds but runs is not worth its time, and where they are few, Huffman's codes alone take an
# eighth less of it. Zeros cost it more with more memory, all else less. Pixels that are not filtered
# take it a quarter longer.
_BY_ZLIB = (
    _Way(_SUB, 1, zlib.Z_HUFFMAN_ONLY, memory=9, weight=0.88),
    _Way(_SUB, 1, zlib.Z_RLE),
    _Way(_UP, 1, zlib.Z_RLE),
)


def write_png(
    file: BinaryIO,
    pixels: UInt8Array,
    compress_level: int | None = None,
    *,
    texts: PngInfo,
) -> None:
    """Write one picture into an open binary file.

    Args:
        file: Open for writing.
        pixels: uint8, shape (H, W) or (H, W, C), C in {1, 3, 4}.
        compress_level: See `compress_pixels`.
        texts: Chunks that stand before the pixels.
    """
    file.write(SIGNATURE)
    putchunk(file, b"IHDR", header(pixels))
    for name, content, *_ in texts.chunks:
        putchunk(file, name, content)
    for part in compress_pixels(pixels, compress_level):
        putchunk(file, b"IDAT", part)
    putchunk(file, b"IEND", b"")


def header(pixels: UInt8Array) -> bytes:
    """Return the content of IHDR (section 11.2.1): 8 bits a channel, not interlaced."""
    height, width = pixels.shape[:2]
    return struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[_channels(pixels)], 0, 0, 0)


def compress_pixels(pixels: UInt8Array, compress_level: int | None = None) -> Iterator[bytes]:
    """Yield what the IDAT chunks of a picture hold: together one zlib stream (section 10).

    Args:
        pixels: uint8, shape (H, W) or (H, W, C), C in {1, 3, 4}.
        compress_level: 0 to 9, of zlib. None: what is fast, by isal where it is installed.
    """
    channels = _channels(pixels)
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    way = _cheapest(_ways(compress_level), rows, channels)
    size = len(rows) if way.level is None else max(1, _BAND_BYTES // rows.shape[1])
    bands = (
        _filtered(rows, channels, way.filter, first, min(first + size, len(rows)))
        for first in range(0, len(rows), size)
    )
    for data in _deflated(bands, way):
        for start in range(0, len(data), _CHUNK_BYTES):
            yield data[start : start + _CHUNK_BYTES]


def _channels(pixels: UInt8Array) -> int:
    return 1 if pixels.ndim == 2 else pixels.shape[2]


def _ways(compress_level: int | None) -> tuple[_Way, ...]:
    if compress_level is not None:
        return tuple(_Way(kind, compress_level) for kind in (_NONE, _SUB, _UP))
    return _BY_ISAL if _igzip() else _BY_ZLIB


def _cheapest(ways: tuple[_Way, ...], rows: UInt8Array, channels: int) -> _Way:
    """Return the way that does best on some of the rows."""
    tried, counted = rows, slice(None)
    if len(rows) > 2 * _TRIED_ROWS:
        chosen = 1 + (_PLACES * (len(rows) - 1)).astype(np.intp)
        # Each row comes with the one above it, which filters need and which does not count.
        tried, counted = rows[np.stack([chosen - 1, chosen], axis=1).ravel()], slice(1, None, 2)
    filtered = {
        kind: np.ascontiguousarray(_filtered(tried, channels, kind)[counted])
        for kind in {way.filter for way in ways}
    }

    def cost(way: _Way) -> float:
        return way.weight * sum(map(len, _deflated([filtered[way.filter]], way)))

    return min(ways, key=cost)


def _filtered(
    rows: UInt8Array, channels: int, filter: int, first: int = 0, last: int | None = None
) -> UInt8Array:
    """Return the rows from `first` to before `last`, filtered (section 9.2), each behind its filter."""
    chosen = rows[first:last]
    out = np.empty((len(chosen), 1 + rows.shape[1]), np.uint8)
    out[:, 0] = filter
    pixels = out[:, 1:]
    if filter == _SUB:
        pixels[:, :channels] = chosen[:, :channels]
        np.subtract(chosen[:, channels:], chosen[:, :-channels], out=pixels[:, channels:])
    elif filter == _UP:
        # Above the first row there are zeros.
        pixels[0] = chosen[0] - rows[first - 1] if first else chosen[0]
        np.subtract(chosen[1:], chosen[:-1], out=pixels[1:])
    else:
        pixels[:] = chosen
    return out


def _deflated(bands: Iterable[UInt8Array], way: _Way) -> Iterator[bytes]:
    """Yield a zlib stream of filtered rows; isal has no settings but for all of them at once."""
    if way.level is None:
        igzip = _igzip()
        for band in bands:
            yield igzip.compress(band, 1, igzip.COMP_ZLIB, igzip.MEM_LEVEL_MEDIUM, way.setting)
        return
    stream = zlib.compressobj(way.level, memLevel=way.memory, strategy=way.setting)
    for band in bands:
        yield stream.compress(band.data)
    yield stream.flush()


@functools.cache
def _igzip() -> Any:
    """Return isal's compressor, or None where it is not installed (extra `fast`)."""
    try:
        from isal import igzip_lib
    except ImportError:
        return None
    return igzip_lib
