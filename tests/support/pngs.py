"""What the tests of PNG share: pictures of every kind, and a package with and without isal."""

import importlib.util
import io

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL.PngImagePlugin import PngInfo

from keras_image_saver.picture import png

BY_ISAL = pytest.param(
    "isal",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("isal") is None, reason="isal, the extra `fast`, is not installed"
    ),
)
deflaters = pytest.mark.parametrize("deflater", [BY_ISAL, "zlib"], indirect=True)


def written(pixels, compress_level=None, texts=None):
    file = io.BytesIO()
    png.write_png(file, pixels, compress_level, texts=texts or PngInfo())
    return file.getvalue()


def noise(rng, shape):
    return rng.integers(0, 256, shape, np.uint8)


def flat(rng, shape):
    return np.broadcast_to(noise(rng, (1, 1, *shape[2:])), shape)


def ramp(rng, shape):
    y, x = np.indices(shape)[:2]
    return (y * rng.integers(0, 9) + x * rng.integers(0, 9)).astype(np.uint8)


def few(rng, shape):
    """A few values, as class maps have."""
    return rng.integers(0, 3, shape, np.uint8) * np.uint8(100)


def columns(rng, shape):
    return np.broadcast_to(noise(rng, (1, *shape[1:])), shape)


def stripes(rng, shape):
    return np.broadcast_to(noise(rng, (shape[0], 1, *shape[2:])), shape)


def blocks(rng, shape):
    """Large areas of one colour, as class maps have."""
    small = few(rng, (-(-shape[0] // 7), -(-shape[1] // 7), *shape[2:]))
    return small.repeat(7, 0).repeat(7, 1)[: shape[0], : shape[1]]


def tiled(rng, shape):
    """One tile again and again, as of a generator that collapsed."""
    tile = noise(rng, (min(9, shape[0]), min(11, shape[1]), *shape[2:]))
    times = (-(-shape[0] // len(tile)), -(-shape[1] // tile.shape[1]), *[1] * (len(shape) - 2))
    return np.tile(tile, times)[: shape[0], : shape[1]]


CONTENTS = (noise, flat, ramp, few, columns, stripes, blocks, tiled)
# Both sides of where rows are sampled, and of where zlib's bands end.
SIZES = ((1, 1), (1, 2), (2, 1), (16, 5), (17, 5), (40, 33), (130, 700), (1, 65_535), (65_535, 1))


def picture(size, channels, content, seed=0):
    shape = size if channels is None else (*size, channels)
    return np.ascontiguousarray(content(np.random.default_rng(seed), shape))


@st.composite
def pictures(draw):
    """Pictures of any shape and kind."""
    size = draw(st.sampled_from(SIZES) | st.tuples(st.integers(1, 90), st.integers(1, 90)))
    channels = draw(st.sampled_from([None, 1, 3, 4]))
    return picture(size, channels, draw(st.sampled_from(CONTENTS)), draw(st.integers(0, 999)))


def as_read(pixels):
    """What Pillow makes of them: grey has no axis of channels."""
    return pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
