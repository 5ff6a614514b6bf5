"""PNG: files are read again by Pillow, OpenCV and pngcheck, and their chunks by the specification.

TensorFlow reads them in `test_png_tensorflow.py`, Chromium in `viewers/test_png_browser.py`.
"""

import io
import shutil
import struct
import subprocess
import threading
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support.browser import REQUIRED
from support.pngs import (
    CONTENTS,
    SIZES,
    as_read,
    blocks,
    columns,
    deflaters,
    few,
    noise,
    picture,
    pictures,
    ramp,
    stripes,
    tiled,
    written,
)

from keras_image_saver import encode_image
from keras_image_saver.picture import png

PNGCHECK = shutil.which("pngcheck")
every_content = pytest.mark.parametrize("content", CONTENTS, ids=lambda one: one.__name__)
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
every_shape = pytest.mark.parametrize("channels", [None, 1, 3, 4])
# Both fixtures are the same for all examples of a test.
EXAMPLES = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def by_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def by_opencv(data):
    """Decode with the channels in the order of RGB."""
    cv2 = pytest.importorskip("cv2")
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]


def chunks(data):
    """The (name, content) of each chunk, whose checksums are right."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, []
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size) == (zlib.crc32(name + content),)
        found.append((name, content))
        at += 12 + size
    return found


def filters(data):
    """The filters of a picture's rows."""
    found = chunks(data)
    width, height, _, kind = struct.unpack_from(">IIBB", dict(found)[b"IHDR"])
    rows = zlib.decompress(b"".join(content for name, content in found if name == b"IDAT"))
    step = 1 + width * {0: 1, 2: 3, 6: 4}[kind]
    assert len(rows) == height * step
    return set(rows[::step])


# Readers


@deflaters
@every_shape
@every_content
@every_size
def test_write_png_is_read_by_pillow_as_it_was(deflater, size, content, channels):
    pixels = picture(size, channels, content)
    found = Image.open(io.BytesIO(written(pixels)))
    assert found.mode == {None: "L", 1: "L", 3: "RGB", 4: "RGBA"}[channels]
    np.testing.assert_array_equal(np.asarray(found), as_read(pixels))


@deflaters
@every_content
@every_shape
def test_write_png_is_read_by_opencv_as_it_was(deflater, content, channels):
    for size in SIZES:
        pixels = picture(size, channels, content)
        np.testing.assert_array_equal(by_opencv(written(pixels)), as_read(pixels))


@deflaters
@EXAMPLES
@given(pixels=pictures())
def test_write_png_of_any_picture_is_read_as_it_was(deflater, pixels):
    data = written(pixels)
    np.testing.assert_array_equal(by_pillow(data), as_read(pixels))
    np.testing.assert_array_equal(by_opencv(data), as_read(pixels))


@pytest.mark.exhaustive
@deflaters
@settings(EXAMPLES, max_examples=3_000)
@given(pixels=pictures())
def test_write_png_of_thousands_of_pictures_is_read_as_it_was(deflater, pixels):
    test_write_png_of_any_picture_is_read_as_it_was.hypothesis.inner_test(deflater, pixels)


@deflaters
@pytest.mark.skipif(not REQUIRED and PNGCHECK is None, reason="pngcheck is not installed")
def test_write_png_passes_pngcheck(deflater, tmp_path):
    texts = PngInfo()
    texts.add_text("epoch", "3")
    texts.add_text("note", "Zürich ☂")
    for number, size in enumerate(SIZES):
        for content in CONTENTS:
            for channels in (1, 3, 4):
                data = written(picture(size, channels, content), texts=texts)
                (tmp_path / f"{number}-{content.__name__}-{channels}.png").write_bytes(data)
    for level in range(10):
        data = written(picture((400, 300), 3, noise), level)
        (tmp_path / f"level-{level}.png").write_bytes(data)
    files = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["pngcheck", "-v", *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3_000:]
    assert done.stdout.count("No errors detected") == len(files)


# Chunks


@deflaters
def test_write_png_has_texts_before_pixels(deflater):
    texts = PngInfo()
    texts.add_text("epoch", "3")
    texts.add_text("note", "Zürich ☂")
    found = chunks(written(picture((20, 30), 3, noise), texts=texts))
    names = [name for name, _ in found]
    assert names[:3] == [b"IHDR", b"tEXt", b"iTXt"]
    assert set(names[3:-1]) == {b"IDAT"}
    assert found[0][1] == struct.pack(">IIBBBBB", 30, 20, 8, 2, 0, 0, 0)
    assert found[1][1] == b"epoch\x003"
    assert found[-1] == (b"IEND", b"")


@deflaters
@pytest.mark.parametrize("level", [None, 0])
def test_write_png_has_chunks_of_a_mebibyte_at_most(deflater, level):
    pixels = picture((1_100, 1_100), 3, noise)
    data = written(pixels, level)
    sizes = [len(content) for name, content in chunks(data) if name == b"IDAT"]
    assert sum(sizes) > 3 * 2**20
    assert 0 < min(sizes) <= max(sizes) <= 2**20
    np.testing.assert_array_equal(by_opencv(data), pixels)


@pytest.mark.parametrize("level", [None, 3])
def test_write_png_has_no_empty_chunks_but_the_last(level):
    found = chunks(written(picture((90, 3_000), 3, few), level))
    assert [name for name, content in found if not content] == [b"IEND"]


@deflaters
def test_write_png_takes_the_filter_that_the_picture_asks_for(deflater):
    rows = picture((64, 64), 3, columns)
    assert filters(written(rows)) == {2}  # each is the one above it
    ramps = np.cumsum(picture((64, 64), 1, stripes), axis=1, dtype=np.uint8)
    assert filters(written(ramps)) == {1}  # each grows by a number of its own


@deflaters
def test_write_png_of_equal_pixels_is_equal(deflater):
    pixels = picture((90, 80), 3, blocks)
    fortran = np.asfortranarray(pixels)
    fortran.flags.writeable = False
    assert written(pixels) == written(fortran) == written(pixels[::-1][::-1])


@deflaters
def test_write_png_leaves_other_threads_running(deflater):
    """Both compressors release the GIL, while a thread of training's goes on."""
    pixels = picture((2_000, 2_000), 3, noise)
    counted, done = [0], threading.Event()

    def count():
        while not done.wait(1e-4):
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    b"".join(png.compress_pixels(pixels))
    done.set()
    thread.join()
    assert counted[0] > 20


# Levels

SEVEN = (
    picture((130, 130), 3, lambda rng, shape: rng.normal(128, 9, shape).astype(np.uint8)),
    picture((200, 200), 3, ramp),
    picture((130, 130), 3, noise),
    picture((130, 130), 3, lambda rng, shape: np.cumsum(few(rng, shape) // 50, 1, dtype=np.uint8)),
    picture((70, 70), 1, tiled),
    picture((128, 128), 3, blocks),
    np.concatenate([picture((90, 90), 3, blocks), picture((90, 90), 3, few)], axis=1),
)


def test_write_png_with_a_higher_level_is_smaller():
    sizes = {level: sum(len(written(pixels, level)) for pixels in SEVEN) for level in (0, 1, 6, 9)}
    assert sizes[9] <= sizes[6] <= sizes[1] < sizes[0]
    assert sizes[9] < sizes[1]


@deflaters
@pytest.mark.parametrize("level", range(10))
def test_write_png_with_a_level_keeps_every_pixel(deflater, level):
    for pixels in SEVEN:
        np.testing.assert_array_equal(by_pillow(written(pixels, level)), as_read(pixels))


@pytest.mark.parametrize("level", [0, 1, 9])
def test_write_png_with_a_level_is_zlibs_wherever_isal_is_installed(monkeypatch, level):
    def used():
        raise AssertionError("isal is asked for")

    monkeypatch.setattr(png, "_igzip", used)
    assert by_pillow(written(SEVEN[0], level)).shape == SEVEN[0].shape


def test_write_png_without_isal_asks_zlib_for_what_is_fast(monkeypatch):
    """At level 1 with its default strategy zlib takes half as long again."""
    monkeypatch.setattr(png, "_igzip", lambda: None)
    asked = []
    real = zlib.compressobj

    def compressobj(level, **options):
        asked.append((level, options["strategy"]))
        return real(level, **options)

    monkeypatch.setattr(png.zlib, "compressobj", compressobj)
    written(SEVEN[2])
    assert set(asked) == {(1, zlib.Z_HUFFMAN_ONLY), (1, zlib.Z_RLE)}


@deflaters
def test_write_png_of_tiles_that_are_alike_finds_them(deflater):
    """isal finds them by its large window; zlib's fast way only finds runs."""
    tile = picture((30, 40), 1, noise)
    pixels = np.tile(tile, (8, 8, 1))
    share = len(written(pixels)) / pixels.size
    assert share < 0.2 if deflater == "isal" else share < 1.02


@deflaters
def test_write_png_of_class_maps_is_small(deflater):
    pixels = picture((280, 280), 3, blocks)
    assert len(written(pixels)) < pixels.size / 15  # codes without runs leave an eighth at least


# What the encoder makes of it


@deflaters
def test_encode_image_takes_no_level_for_what_it_takes_by_default(deflater):
    pixels = picture((90, 80), 3, blocks)
    assert encode_image(pixels, options={"compress_level": None}) == encode_image(pixels)


@deflaters
def test_encode_image_keeps_all_texts(deflater):
    metadata = {"epoch": 3, "run": "0123abcd", "logs": {"loss": 0.5}, "note": "Zürich ☂\nline"}
    found = Image.open(io.BytesIO(encode_image(SEVEN[5], metadata=metadata)))
    assert found.info["epoch"] == "3"
    assert found.info["run"] == "0123abcd"
    assert found.text["logs"] == '{"loss": 0.5}'
    assert found.text["note"] == "Zürich ☂\nline"
    assert found.text["Software"].startswith("keras_image_saver ")
