"""Frames to one animated file (GIF, animated WebP or PNG), one frame in memory at a time.

Pillow keeps every frame until it writes the last, and tries several ways of coding each. Here each
frame is encoded as a picture of its own, cut to what changed since the one before, and put into the
file at once: the three formats hold such pictures almost as they are. Sources: the GIF89a
specification; PNG third edition, section 11.3.6 (animation); RFC 9649 (WebP).

A frame that changes nothing is written too, as one pixel, so that each keeps its own time.
"""

from __future__ import annotations

import io
import itertools
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar

import numpy as np
from PIL import Image

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture import encoder

Item = TypeVar("Item")
Result = TypeVar("Result")

# Milliseconds that a format counts in, and the fewest that viewers respect: browsers show a GIF's
# frames of 10 ms for 100.
TICK_MS = {"GIF": 10, "PNG": 1, "WEBP": 1}
SHORTEST_MS = {"GIF": 20, "PNG": 10, "WEBP": 10}

# What is tried on one frame: the smallest is taken for all, so that nothing changes on the way.
# Pillow's default, zlib's level 6, is larger than one or the other and takes two to three times
# as long.
_SETTINGS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "PNG": (encoder.check_options("PNG", None), {"compress_level": 3}),
    "WEBP": ({"quality": 75, "method": 0}, encoder.check_options("WEBP", {"lossless": True})),
}
_MOST_THREADS = 8
# Kept out of the averages: gaps, captions, and pixels that are not finite.
_FIXED_COLORS = ((0, 0, 0), (255, 255, 255), (255, 0, 255))
_PALETTE_PIXELS = 200_000


@dataclass(frozen=True)
class _Piece:
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


@dataclass(frozen=True)
class Palette:
    """The colours of a GIF, the same for all frames.

    Attributes:
        colors: uint8 (256, 3).
        picture: What Pillow maps by, or None where grey levels are their own indices.
        transparent: The index that leaves a pixel as it is, or None.
    """

    colors: UInt8Array
    picture: Any = None
    transparent: int | None = None

    def indices(self, image: UInt8Array) -> UInt8Array:
        """Map (H, W, C) to indices (H, W), each pixel by itself: dithering would flicker."""
        if self.picture is None:
            return image[..., 0]
        mapped = Image.fromarray(image).quantize(palette=self.picture, dither=Image.Dither.NONE)
        return np.asarray(mapped)


def shared_palette(images: Sequence[UInt8Array]) -> Palette:
    """Return one palette for a whole animation.

    Args:
        images: Some of its frames, uint8 (H, W, C), C in {1, 3}. Grey ones keep their 256 levels,
            and colours are kept where there are few; else the palette is a median cut.
    """
    if images[0].shape[2] == 1:
        return Palette(np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1))
    room = 255 - len(_FIXED_COLORS)
    found = _few_colors(images, room)
    if found is None:
        step = max(1, sum(image.size // 3 for image in images) // _PALETTE_PIXELS) | 1
        pixels = np.concatenate([image.reshape(-1, 3)[::step] for image in images])
        cut: Any = Image.fromarray(pixels[np.newaxis])
        cut = cut.quantize(room, Image.Quantize.MEDIANCUT)
        found = np.array(cut.getpalette()[: 3 * room], np.uint8).reshape(-1, 3)
    known = np.concatenate([np.array(_FIXED_COLORS, np.uint8), found])
    # What is left over repeats a colour; the last index is never mapped to, the first is found first.
    colors = np.concatenate([known, np.repeat(known[:1], 256 - len(known), axis=0)])
    picture = Image.new("P", (1, 1))
    picture.putpalette(colors.tobytes())
    return Palette(colors, picture, transparent=255)


def _few_colors(images: Sequence[UInt8Array], most: int) -> UInt8Array | None:
    """Return the colours of the images, (N, 3), or None if there are more than `most`."""
    found = np.zeros((0,), np.uint32)
    for image in images:
        red, green, blue = np.moveaxis(image.astype(np.uint32), -1, 0)
        found = np.union1d(found, red << 16 | green << 8 | blue)
        if len(found) > most:
            return None
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=-1).astype(np.uint8)


def durations(count: int, fps: float, hold_last_s: float, kind: str) -> list[int]:
    """Return for how many milliseconds each frame is shown.

    Rounded to what the format counts in such that they add up: the n-th frame begins when it should.

    >>> durations(4, 12, 0, "GIF")
    [80, 90, 80, 80]
    """
    tick = TICK_MS[kind]
    starts = [round(number * 1000 / fps / tick) * tick for number in range(count + 1)]
    shown = [after - before for before, after in itertools.pairwise(starts)]
    return [*shown[:-1], max(shown[-1], round(hold_last_s * 1000 / tick) * tick)]


def write_animation(
    file: BinaryIO,
    frames: Iterable[tuple[UInt8Array, int]],
    kind: str,
    *,
    probe: UInt8Array,
    palette: Palette | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Write frames into an open, seekable binary file; it repeats for ever.

    Args:
        file: Open for writing, at its beginning.
        frames: Pictures, uint8 (H, W, C), all of one shape, and milliseconds. Read as they are
            needed, and a few ahead.
        kind: "GIF", "WEBP" or "PNG".
        probe: A picture like those that come, by which the encoder's settings are chosen.
        palette: A GIF's colours.
        options: The encoder's options instead, from `encoder.check_options`.
    """
    container: _Container
    if kind == "GIF":
        if palette is None:
            palette = shared_palette([probe])
        container = _Gif(file, probe.shape, palette)
    else:
        chosen = options or min(_SETTINGS[kind], key=lambda one: len(_encode(probe, kind, one)))
        container = (_Png if kind == "PNG" else _WebP)(file, probe.shape, chosen)
    pieces = _pieces(frames, even=kind == "WEBP")
    for piece, data in in_order(lambda piece: (piece, container.encode(piece)), pieces):
        container.add(piece, data)
    container.close()


def in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield function(item) for each item, in order, worked on by threads a few items ahead."""
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _pieces(frames: Iterable[tuple[UInt8Array, int]], *, even: bool) -> Iterator[_Piece]:
    """Cut frames to what changed; with `even`, at even coordinates, as WebP wants."""
    previous: UInt8Array | None = None
    for frame, duration_ms in frames:
        if previous is None:
            changed = np.ones(frame.shape[:2], np.bool_)
        else:
            different = frame != previous
            changed = different[..., 0]
            for channel in range(1, frame.shape[2]):  # eight times as fast as `any` over the axis
                changed = changed | different[..., channel]
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        y, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
        x, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
        if even:
            y, x = y // 2 * 2, x // 2 * 2
        box = np.s_[y:bottom, x:right]
        yield _Piece(int(y), int(x), frame[box], ~changed[box], duration_ms)
        previous = frame


def _encode(pixels: UInt8Array, kind: str, options: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    encoder.write_image(file, pixels, kind, options)
    return file.getvalue()


class _Container(Protocol):
    """A file format that holds one encoded piece after another."""

    def encode(self, piece: _Piece) -> bytes:
        """Encode a piece, on any thread."""

    def add(self, piece: _Piece, data: bytes) -> None:
        """Write it into the file."""

    def close(self) -> None:
        """Write what is known at the end only."""


class _Gif:
    def __init__(self, file: BinaryIO, shape: tuple[int, ...], palette: Palette) -> None:
        self._file = file
        self._palette = palette
        height, width = shape[:2]
        file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0))
        file.write(palette.colors.tobytes())
        file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def encode(self, piece: _Piece) -> bytes:
        indices = self._palette.indices(piece.pixels)
        if self._palette.transparent is not None:
            indices = np.where(piece.kept, np.uint8(self._palette.transparent), indices)
        file = io.BytesIO()
        Image.fromarray(indices).save(file, "GIF", optimize=False, interlace=0)
        return _lzw(file.getvalue())

    def add(self, piece: _Piece, data: bytes) -> None:
        height, width = piece.pixels.shape[:2]
        transparent = self._palette.transparent
        # Bit 0: there is a transparent index; bits 2 to 4: the picture stays for the next frame.
        flags = 0b100 | (transparent is not None)
        control = struct.pack("<BHB", flags, piece.duration_ms // TICK_MS["GIF"], transparent or 0)
        self._file.write(b"\x21\xf9\x04" + control + b"\0")
        place = struct.pack("<HHHHB", piece.x, piece.y, width, height, 0)
        self._file.write(b"," + place + data)

    def close(self) -> None:
        self._file.write(b";")


def _lzw(data: bytes) -> bytes:
    """Return a still GIF's compressed pixels: past its header, palette and extensions."""
    at = 13
    if data[10] & 0x80:
        at += 3 << (data[10] & 7) + 1
    while data[at] == 0x21:
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    return data[at + 10 : -1]


class _Png:
    def __init__(self, file: BinaryIO, shape: tuple[int, ...], options: Mapping[str, Any]) -> None:
        self._file = file
        self._height, self._width = shape[:2]
        self._options = options
        self._frames = 0
        self._numbered = 0
        self._count_at = 0

    def encode(self, piece: _Piece) -> bytes:
        return _encode(piece.pixels, "PNG", self._options)

    def add(self, piece: _Piece, data: bytes) -> None:
        chunks = list(_png_chunks(data))
        if not self._frames:
            self._file.write(data[:8])
            self._chunk(b"IHDR", next(content for name, content in chunks if name == b"IHDR"))
            self._count_at = self._file.tell()
            self._control()
        height, width = piece.pixels.shape[:2]
        place = struct.pack(">IIII", width, height, piece.x, piece.y)
        # Shown for so many thousandths of a second; it stays, and replaces what is under it.
        timing = struct.pack(">HHBB", piece.duration_ms, 1000, 0, 0)
        self._chunk(b"fcTL", self._number() + place + timing)
        for name, content in chunks:
            if name == b"IDAT" and not self._frames:
                self._chunk(b"IDAT", content)
            elif name == b"IDAT":
                self._chunk(b"fdAT", self._number() + content)
        self._frames += 1

    def close(self) -> None:
        self._chunk(b"IEND", b"")
        self._file.seek(self._count_at)
        self._control()

    def _control(self) -> None:
        self._chunk(b"acTL", struct.pack(">II", self._frames, 0))

    def _number(self) -> bytes:
        self._numbered += 1
        return struct.pack(">I", self._numbered - 1)

    def _chunk(self, name: bytes, content: bytes) -> None:
        check = zlib.crc32(content, zlib.crc32(name))
        self._file.write(struct.pack(">I", len(content)) + name + content)
        self._file.write(struct.pack(">I", check))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


class _WebP:
    def __init__(self, file: BinaryIO, shape: tuple[int, ...], options: Mapping[str, Any]) -> None:
        self._file = file
        self._options = options
        height, width, channels = shape
        file.write(b"RIFF\0\0\0\0WEBP")
        flags = 0x02 | (0x10 if channels == 4 else 0)  # animated; with alpha
        canvas = _three_bytes(width - 1) + _three_bytes(height - 1)
        self._chunk(b"VP8X", bytes((flags, 0, 0, 0)) + canvas)
        self._chunk(b"ANIM", bytes(6))  # no background, endless

    def encode(self, piece: _Piece) -> bytes:
        return _encode(piece.pixels, "WEBP", self._options)

    def add(self, piece: _Piece, data: bytes) -> None:
        height, width = piece.pixels.shape[:2]
        numbers = (piece.x // 2, piece.y // 2, width - 1, height - 1, piece.duration_ms)
        # Bit 1: it replaces what is under it.
        head = b"".join(map(_three_bytes, numbers)) + b"\x02"
        self._chunk(b"ANMF", head + b"".join(_webp_pixels(data)))

    def close(self) -> None:
        size = self._file.tell() - 8
        self._file.seek(4)
        self._file.write(struct.pack("<I", size))

    def _chunk(self, name: bytes, content: bytes) -> None:
        self._file.write(name + struct.pack("<I", len(content)) + content)
        self._file.write(b"\0" * (len(content) % 2))


def _webp_pixels(data: bytes) -> Iterator[bytes]:
    """Yield the chunks of a still WebP that hold its pixels, whole and padded."""
    at = 12
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + size + size % 2
        if data[at : at + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            yield data[at:end]
        at = end


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")
