"""Animations of 300 frames: ours, Pillow's `save_all` fed by a generator, and imageio.

Each is written by a process of its own, so that its peak of memory is nobody else's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from benchmarks.measure import Table, Target, resident_mib

FRAMES = 300
# These are equal, as of an epoch that changed nothing.
EQUAL = range(100, 104)
FRAME_MS = 100
SUFFIXES = {"GIF": ".gif", "WEBP": ".webp", "PNG": ".png"}
WAYS = ("ours", "Pillow", "imageio")
# Of the others, those of ours nearest by what they do.
SETTINGS = {"GIF": {}, "WEBP": {"quality": 75, "method": 0}, "PNG": {"compress_level": 1}}


class Film:
    """A GAN that learns: noise that fades from photos, 530² pixels."""

    def __init__(self) -> None:
        from benchmarks.models import photo_tiles
        from keras_image_saver import make_grid

        self._photos = make_grid(photo_tiles(64, 64)).astype(np.float32)
        self._noise = np.random.default_rng(0).normal(0, 60, self._photos.shape).astype(np.float32)

    def frame(self, number: int) -> np.ndarray:
        shown = EQUAL[0] if number in EQUAL else number
        mixed = self._photos + self._noise * (1 - shown / FRAMES)
        return np.clip(mixed, 0, 255).astype(np.uint8)

    def frames(self) -> Iterator[np.ndarray]:
        return map(self.frame, range(FRAMES))


def write(kind: str, way: str, path: str, film: Film) -> None:
    if way == "Pillow":
        pictures = map(Image.fromarray, film.frames())
        options = {"duration": FRAME_MS, "loop": 0, **SETTINGS[kind]}
        next(pictures).save(path, kind, save_all=True, append_images=pictures, **options)
    elif way == "imageio":
        import imageio.v3

        options = {"duration": FRAME_MS, "loop": 0, **SETTINGS[kind]}
        imageio.v3.imwrite(path, list(film.frames()), plugin="pillow", **options)
    else:
        from keras_image_saver.picture import animation, formats

        film_format = formats.check_animated_format(path)
        count = film_format.probes
        places = [round((FRAMES - 1) * (place + 1) / count) for place in range(count)]
        timed = ((frame, FRAME_MS) for frame in film.frames())
        with open(path, "wb") as file:
            probes = [film.frame(place) for place in places]
            animation.write_animation(file, timed, film_format, probes=probes)


def measured(kind: str, way: str) -> dict[str, float]:
    """Write one animation in this process, and read it again."""
    film, done, peaks = Film(), threading.Event(), [0.0]
    film.frame(0)

    def watch() -> None:
        while not done.wait(0.005):
            peaks[0] = max(peaks[0], resident_mib())

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/film{SUFFIXES[kind]}"
        floor, watching = resident_mib(), threading.Thread(target=watch)
        watching.start()
        started, worked = time.perf_counter(), time.process_time()
        write(kind, way, path, film)
        found = {"wall": time.perf_counter() - started, "cpu": time.process_time() - worked}
        done.set()
        watching.join()
        with Image.open(path) as picture:
            frames = getattr(picture, "n_frames", 1)
            shown = 0.0
            for number in range(frames):
                picture.seek(number)
                picture.load()
                shown += picture.info.get("duration", 0)
        size = os.path.getsize(path)
    return {**found, "mib": peaks[0] - floor, "bytes": size, "frames": frames, "shown": shown}


def tables() -> tuple[list[Table], list[Target]]:
    table = Table(
        f"{FRAMES} frames of 530², four of them equal",
        ("", "s", "processor, s", "memory, MiB", "MB", "frames", "shown, s"),
        note="Memory is the peak beyond that before the first frame.",
    )
    for kind in SUFFIXES:
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.animation", kind, way]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            one = json.loads(done.stdout.splitlines()[-1])
            cells = (f"{one['wall']:.1f}", f"{one['cpu']:.1f}", f"{one['mib']:.0f}")
            last = (f"{one['frames']}", f"{one['shown'] / 1e3:.1f}")
            table.rows.append((f"{kind}, {way}", *cells, f"{one['bytes'] / 1e6:.1f}", *last))
    return [table], []


if __name__ == "__main__":
    print(json.dumps(measured(*sys.argv[1:])))
