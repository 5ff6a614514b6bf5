"""Frames to one animated file (GIF, animated WebP or PNG), one frame in memory at a time.

Pillow keeps every frame until it writes the last, and tries several ways of coding each. Here each
frame is encoded as a picture of its own, cut to what changed since the one before, and put into the
file at once. A frame that changes nothing is written too, as one pixel, so that each keeps its own
time.
"""

import functools
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.picture.containers import CONTAINERS, Piece
from keras_image_saver.picture.encoder import encode
from keras_image_saver.picture.formats import AnimatedFormat

Item = TypeVar("Item")
Result = TypeVar("Result")

# Each thread has a frame in memory.
_MOST_THREADS = 8


def write_animation(
    file: BinaryIO,
    frames: Iterable[tuple[UInt8Array, int]],
    format: AnimatedFormat,
    *,
    probes: Sequence[UInt8Array],
) -> None:
    """Write frames into an open file; the animation repeats for ever.

    Args:
        file: Open for writing, at its beginning, and seekable.
        frames: Pictures, uint8 (H, W, C), all of one shape, and milliseconds. Read as they are
            needed, and a few ahead.
        format: From `check_animated_format`.
        probes: Pictures like those that come, by which a palette or the best of `format.trials` is
            found: `format.probes` of them from all over the animation, the last one last.
    """
    trials = [replace(format, settings=settings) for settings in format.trials]
    best = min(trials, key=lambda trial: len(encode(probes[-1], trial)), default=format)
    container = CONTAINERS[format.name](file, best)
    container.begin(probes)
    pieces = cut_pieces(frames, container.corner_step)
    for piece, data in in_order(lambda piece: (piece, container.encode(piece)), pieces):
        container.add(piece, data)
    container.close()


def durations(count: int, fps: float, hold_last_s: float, tick_ms: int) -> list[int]:
    """Return for how many milliseconds each frame is shown.

    Rounded to ticks such that they add up: the n-th frame begins when it should.

    >>> durations(4, 12, 0, tick_ms=10)
    [80, 90, 80, 80]
    """
    starts = [round(number * 1000 / fps / tick_ms) * tick_ms for number in range(count + 1)]
    shown = [after - before for before, after in itertools.pairwise(starts)]
    return [*shown[:-1], max(shown[-1], round(hold_last_s * 1000 / tick_ms) * tick_ms)]


def cut_pieces(frames: Iterable[tuple[UInt8Array, int]], corner_step: int) -> Iterator[Piece]:
    """Cut frames to the box of what changed; its corner is at a multiple of `corner_step`."""
    previous: UInt8Array | None = None
    for frame, duration_ms in frames:
        changed = np.ones(frame.shape[:2], np.bool_)
        if previous is not None:
            # Channel by channel is eight times as fast as `any` over the short last axis.
            changed = functools.reduce(np.logical_or, np.moveaxis(frame != previous, -1, 0))
        x, y, right, bottom = Image.fromarray(changed).getbbox() or (0, 0, 1, 1)
        y, x = y // corner_step * corner_step, x // corner_step * corner_step
        box = np.s_[y:bottom, x:right]
        yield Piece(y, x, frame[box], ~changed[box], duration_ms)
        previous = frame


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
