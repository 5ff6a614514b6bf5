"""The containers of animations: an animated GIF, PNG or WebP, written one encoded piece at a time.

Each holds still pictures almost as they are, so a piece is encoded as a picture of its own, and its
pixels are moved into the container. Sources, named in the comments by their sections: the GIF89a
specification (W3C's copy); PNG, third edition; RFC 9649 (WebP).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import getdata
from PIL.PngImagePlugin import putchunk

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture import encoder, png
from keras_image_saver.picture.formats import AnimatedFormat
from keras_image_saver.picture.palette import Palette, shared_palette

# Behind a PNG's signature (8 bytes) and IHDR: length, name and checksum (4 each), and 13 of content.
_FRAME_COUNT_AT = 8 + 12 + 13


@dataclass(frozen=True)
class Piece:
    """The part of a frame that changed, and for how long the frame is shown.

    Attributes:
        y: Of its upper left corner.
        x: Of its upper left corner.
        pixels: uint8 (H, W, C).
        kept: bool (H, W), the pixels in it that did not change.
        duration_ms: Until the next frame.
    """

    y: int
    x: int
    pixels: UInt8Array
    kept: np.ndarray[Any, np.dtype[np.bool_]]
    duration_ms: int


class Container:
    """An animated file that is being written, and that repeats for ever.

    Args:
        file: Open for writing, at its beginning, and seekable.
        format: What it is to be; its settings are those of each piece.

    Attributes:
        corner_step: The corners of pieces must stand at multiples of this.
    """

    corner_step = 1

    def __init__(self, file: BinaryIO, format: AnimatedFormat) -> None:
        self._file = file
        self._format = format

    def begin(self, probes: Sequence[UInt8Array]) -> None:
        """Write what comes before the first frame; `probes` are frames like those that come."""

    def encode(self, piece: Piece) -> bytes:
        """Encode a piece, on any thread."""
        return encoder.encode(piece.pixels, self._format)

    def add(self, piece: Piece, data: bytes) -> None:
        """Write an encoded piece, after those before it."""
        self._file.write(data)

    def close(self) -> None:
        """Write what is known at the end only; the file stays open."""


class Gif(Container):
    """An animated GIF, all of whose frames share one palette."""

    _palette: Palette

    def begin(self, probes: Sequence[UInt8Array]) -> None:
        self._palette = shared_palette(probes)
        height, width = probes[-1].shape[:2]
        # Section 18, the logical screen. 0xF7: there is a global palette (0x80) of 8 bits a channel
        # (0x70) and 2^(7 + 1) colours (0x07). Then the background's index and square pixels.
        self._file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0))
        self._file.write(self._palette.colors.tobytes())
        # Netscape's application extension (section 26), which every viewer knows: repeated 0 times
        # means without end.
        self._file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def encode(self, piece: Piece) -> bytes:
        indices = self._palette.indices(piece.pixels)
        # Section 23, the graphic control: by disposal 1 a frame stays, and the next is drawn over it.
        control: dict[str, Any] = {"duration": piece.duration_ms, "disposal": 1}
        if self._palette.transparent is not None:
            # Long stretches of one index are what LZW compresses best.
            indices = np.where(piece.kept, np.uint8(self._palette.transparent), indices)
            control["transparency"] = self._palette.transparent
        blocks = getdata(Image.fromarray(indices), (piece.x, piece.y), **control)
        data = b"".join(blocks)
        # Pillow keeps this list in a class that it makes for each call, and that stays in memory until
        # Python looks for cycles, so the list is emptied here.
        blocks.clear()
        return data

    def close(self) -> None:
        self._file.write(b";")  # section 27, the trailer


class Png(Container):
    """An animated PNG."""

    _frames = 0
    _sequence_number = 0

    def begin(self, probes: Sequence[UInt8Array]) -> None:
        self._file.write(png.SIGNATURE)
        putchunk(self._file, b"IHDR", png.header(probes[-1]))
        self._write_frame_count()

    def encode(self, piece: Piece) -> bytes:
        return b"".join(png.compress_pixels(piece.pixels, **self._format.settings))

    def add(self, piece: Piece, data: bytes) -> None:
        height, width = piece.pixels.shape[:2]
        # Section 11.3.6.2: the frame is shown for so many thousandths of a second; then, 0 and 0, it
        # stays, and the next one replaces what is under it, alpha included.
        control = struct.pack(
            ">IIIIHHBB", width, height, piece.x, piece.y, piece.duration_ms, 1000, 0, 0
        )
        putchunk(self._file, b"fcTL", self._next_number(), control)
        if self._frames:
            putchunk(self._file, b"fdAT", self._next_number(), data)
        else:  # the first frame is also what a viewer shows that knows no animations
            putchunk(self._file, b"IDAT", data)
        self._frames += 1

    def close(self) -> None:
        putchunk(self._file, b"IEND", b"")
        # The number of frames stands before them, but is known only now.
        self._file.seek(_FRAME_COUNT_AT)
        self._write_frame_count()

    def _write_frame_count(self) -> None:
        # Section 11.3.6.1: 0 plays mean without end.
        putchunk(self._file, b"acTL", struct.pack(">II", self._frames, 0))

    def _next_number(self) -> bytes:
        # Section 11.3.6: fcTL and fdAT chunks are numbered together, from 0.
        self._sequence_number += 1
        return struct.pack(">I", self._sequence_number - 1)


class WebP(Container):
    """An animated WebP."""

    corner_step = 2

    def begin(self, probes: Sequence[UInt8Array]) -> None:
        height, width, channels = probes[-1].shape
        # Section 2.4: the size of the file, still 0 here, is written when it is closed.
        self._file.write(b"RIFF\0\0\0\0WEBP")
        # Section 2.7, VP8X, the extended header: 0x02 for an animation, 0x10 for an alpha channel.
        flags = bytes((0x02 | (0x10 if channels == 4 else 0), 0, 0, 0))
        self._write_chunk(b"VP8X", flags + _three_bytes(width - 1) + _three_bytes(height - 1))
        # Section 2.7, ANIM: no background colour, and 0 loops, which is without end.
        self._write_chunk(b"ANIM", bytes(6))

    def add(self, piece: Piece, data: bytes) -> None:
        height, width = piece.pixels.shape[:2]
        # Section 2.7, ANMF: halves of the coordinates, and sizes less one. 0x02: pixels replace what is
        # under them, rather than be blended with it.
        numbers = (piece.x // 2, piece.y // 2, width - 1, height - 1, piece.duration_ms)
        control = b"".join(map(_three_bytes, numbers)) + b"\x02"
        self._write_chunk(b"ANMF", control + b"".join(_webp_pixels(data)))

    def close(self) -> None:
        size = self._file.tell() - 8  # "RIFF" and the size itself are not counted
        self._file.seek(4)
        self._file.write(struct.pack("<I", size))

    def _write_chunk(self, name: bytes, content: bytes) -> None:
        # Section 2.3: chunks begin at even places; the length does not count the padding.
        self._file.write(name + struct.pack("<I", len(content)) + content)
        self._file.write(b"\0" * (len(content) % 2))


def _webp_pixels(data: bytes) -> Iterator[bytes]:
    """Yield the chunks of a still WebP that hold its pixels, whole and padded."""
    at = 12  # past "RIFF", the size and "WEBP"
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + size + size % 2
        if data[at : at + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            yield data[at:end]
        at = end


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")


CONTAINERS: dict[str, type[Container]] = {"GIF": Gif, "PNG": Png, "WEBP": WebP}
