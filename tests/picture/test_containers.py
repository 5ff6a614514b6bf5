"""The bytes of each container, read by its specification, and decoded by Pillow."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from keras_image_saver.picture.animation import cut_pieces
from keras_image_saver.picture.containers import CONTAINERS
from keras_image_saver.picture.formats import ANIMATED, GIF, PNG, WEBP, check_options

LOSSLESS = {"GIF": None, "PNG": None, "WEBP": {"lossless": True}}


def frames(*values, size=(6, 10), channels=3):
    return [np.full((*size, channels), value, np.uint8) for value in values]


def written(images, kind):
    """Write frames of 100 ms each."""
    file = io.BytesIO()
    settings = check_options(kind, LOSSLESS[kind.name])
    container = CONTAINERS[kind.name](file, replace(kind, settings=settings))
    container.begin(images)
    for piece in cut_pieces([(image, 100) for image in images], container.corner_step):
        container.add(piece, container.encode(piece))
    container.close()
    return file.getvalue()


def test_containers_are_there_for_every_animated_format():
    assert set(CONTAINERS) == {kind.name for kind in ANIMATED}


@pytest.mark.parametrize("kind", ANIMATED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_containers_hold_every_frame_and_its_time(kind, channels):
    images = frames(0, 100, 100, 200, channels=channels)
    images[1][2:4, 3:5] = 50
    with Image.open(io.BytesIO(written(images, kind))) as picture:
        assert picture.n_frames == 4
        for number, image in enumerate(images):
            picture.seek(number)
            picture.load()
            assert picture.info["duration"] == 100
            shown = np.asarray(picture.convert("RGB"))
            np.testing.assert_array_equal(shown, np.broadcast_to(image, shown.shape))


def test_png_numbers_its_chunks_and_counts_its_frames():
    content = written(frames(1, 2, 3), PNG)
    at, numbers, names = 8, [], []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        name = content[at + 4 : at + 8]
        names.append(name.decode())
        if name == b"acTL":
            assert struct.unpack_from(">II", content, at + 8) == (3, 0)
        if name in (b"fcTL", b"fdAT"):
            numbers += struct.unpack_from(">I", content, at + 8)
        at += 12 + size
    assert names == ["IHDR", "acTL", "fcTL", "IDAT", *["fcTL", "fdAT"] * 2, "IEND"]
    assert numbers == list(range(5))


def test_webp_states_its_size():
    content = written(frames(1, 2, 3), WEBP)
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    at, names = 12, []
    while at < len(content):
        names.append(content[at : at + 4].decode())
        (size,) = struct.unpack_from("<I", content, at + 4)
        at += 8 + size + size % 2
    assert names == ["VP8X", "ANIM", "ANMF", "ANMF", "ANMF"]


@pytest.mark.parametrize(("channels", "has_alpha"), [(3, False), (4, True)])
def test_webp_states_whether_it_has_alpha(channels, has_alpha):
    content = written(frames(1, 2, channels=channels), WEBP)
    assert content[12:16] == b"VP8X"
    assert bool(content[20] & 0x10) is has_alpha


def test_gif_leaves_pixels_that_did_not_change_transparent():
    first = np.random.default_rng(0).integers(0, 3, (40, 40, 3), dtype=np.uint8) * 100
    second = first.copy()
    second[[0, -1]] ^= 255
    size = [len(written(each, GIF)) for each in ([first], [first, second])]
    assert size[1] < 1.4 * size[0]


def test_gif_says_of_each_frame_where_it_stands_and_that_it_stays():
    images = frames(0, 0)
    images[1][2:4, 3:8] = 9
    content = written(images, GIF)
    assert content[:13] == b"GIF89a" + struct.pack("<HHBBB", 10, 6, 0xF7, 0, 0)
    assert content.endswith(b"\0;")
    # The label and size of a graphic control, disposal 1 and transparency, 10 hundredths, index 255.
    control = b"\x21\xf9\x04\x05" + struct.pack("<HB", 10, 255) + b"\0,"
    places = [part[:9] for part in content.split(control)[1:]]
    expected = [(0, 0, 10, 6, 0), (3, 2, 5, 2, 0)]
    assert places == [struct.pack("<HHHHB", *place) for place in expected]
