"""PNG: processor time and bytes against OpenCV and Pillow, with and without the extra `fast`."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.measure import Table, Target, ms, ratio
from benchmarks.models import class_maps, dcgan_generator, photo_tiles
from keras_image_saver import colorize, encode_image, latents, make_grid, to_uint8
from keras_image_saver.picture import png

ROUNDS = 15
# At most so much of OpenCV's time and bytes with `fast`, and of its time without, on six of the grids.
FAST, BYTES, PLAIN = 0.45, 1.1, 0.95


def grids() -> dict[str, np.ndarray]:
    noise = np.random.default_rng(0).normal(0, 0.3, (64, 64, 64, 3)).astype(np.float32)
    drawn = dcgan_generator(64)(latents(64, 64), training=False).numpy()
    smooth = drawn / np.abs(drawn).max()
    photos = resized(photo_tiles(3, 400), 512)
    maps = colorize(class_maps(6, 512))
    panels = np.concatenate([photos[:, None], maps.reshape(3, 2, 512, 512, 3)], axis=1)
    return {
        "photos 522²": make_grid(photo_tiles(16, 128)),
        "photos 2066²": make_grid(photo_tiles(64, 256)),
        "noise 530²": make_grid(to_uint8(np.clip(noise, -1, 1), value_range=(-1, 1))),
        "smooth 530²": make_grid(to_uint8(smooth, value_range=(-1, 1))),
        "digits, grey 274²": make_grid(digits()),
        "class map 512²": colorize(class_maps(1, 512))[0],
        "photos, class maps 1536²": make_grid(panels.reshape(9, 512, 512, 3), columns=3, padding=0),
    }


def resized(images: np.ndarray, side: int) -> np.ndarray:
    return tf.image.resize(images, (side, side)).numpy().astype(np.uint8)


def digits() -> np.ndarray:
    """scikit-learn's digits, of 8² pixels, at 32²."""
    from sklearn.datasets import load_digits

    return resized(load_digits().images[:64, ..., np.newaxis] * 15.9, 32)


def by_zlib(image: np.ndarray) -> bytes:
    with mock.patch.object(png, "_igzip", return_value=None):
        return encode_image(image)


def by_opencv(image: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def by_pillow(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, "PNG")
    return file.getvalue()


WAYS: dict[str, Callable[[np.ndarray], bytes]] = {
    "OpenCV": by_opencv,
    "ours, `fast`": encode_image,
    "ours, zlib": by_zlib,
    "Pillow's default": by_pillow,
}


def times_of(image: np.ndarray) -> dict[str, float]:
    """Return the median milliseconds of processor time of each way, round-robin."""
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(ROUNDS + 1):
        for name, encode in WAYS.items():
            started = time.process_time()
            encode(image)
            if number:
                times[name].append((time.process_time() - started) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def tables() -> tuple[list[Table], list[Target]]:
    assert png._igzip(), "the extra `fast` is not installed"
    table = Table(
        "PNG: processor time and bytes, of OpenCV's",
        ("grid", "OpenCV, ms", "kB", *(name for name in WAYS if name != "OpenCV")),
        note="Each cell: time, bytes, of those of OpenCV in the same rounds.",
    )
    targets, plain = [], []
    for title, image in grids().items():
        took = times_of(image)
        size = {name: len(encode(image)) for name, encode in WAYS.items()}
        shares = {name: took[name] / took["OpenCV"] for name in WAYS}
        bulks = {name: size[name] / size["OpenCV"] for name in WAYS}
        cells = [f"{ratio(shares[n])}, {ratio(bulks[n])}" for n in WAYS if n != "OpenCV"]
        table.rows.append((title, ms(took["OpenCV"]), f"{size['OpenCV'] / 1e3:.0f}", *cells))
        name = "ours, `fast`"
        targets += [
            Target(f"PNG with `fast`, {title}: time, of OpenCV's", shares[name], FAST),
            Target(f"PNG with `fast`, {title}: bytes, of OpenCV's", bulks[name], BYTES),
        ]
        plain.append(shares["ours, zlib"])
    sixth = sorted(plain)[-2]
    targets.append(Target("PNG by zlib, the sixth of the grids: time, of OpenCV's", sixth, PLAIN))
    return [table], targets
