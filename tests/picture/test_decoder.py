import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_image_saver.picture.decoder import (
    TooLargeError,
    is_lossy,
    read_explanation,
    read_header,
    read_image,
)
from keras_image_saver.picture.encoder import encode_image

RED = np.array([[[255, 0, 0], [9, 8, 7]]], np.uint8)


def stored(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 4), ("P", 3)]
)
def test_decoder_gives_one_three_or_four_channels(mode, channels):
    picture = Image.fromarray(RED).convert(mode)
    file = stored(picture)
    assert read_header(file) == (1, 2, channels)
    file.seek(0)
    image = read_image(file)
    assert (image.shape, image.dtype) == ((1, 2, channels), np.uint8)
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    expected = np.asarray(picture.convert(wanted)).reshape(image.shape)
    np.testing.assert_array_equal(image, expected)


def test_decoder_keeps_the_transparency_of_a_palette():
    picture = Image.fromarray(RED).convert("P")
    file = stored(picture, transparency=0)
    assert read_header(file)[2] == 4
    file.seek(0)
    assert read_image(file).shape == (1, 2, 4)


def test_decoder_counts_pixels_by_the_header_alone():
    file = stored(Image.new("1", (3000, 2000)))
    cut = io.BytesIO(file.getvalue()[:200])
    assert read_header(cut) == (2000, 3000, 1)
    with pytest.raises(TooLargeError, match="3000 wide and 2000 high, 6,000,000 pixels"):
        read_header(cut, max_pixels=5_999_999)
    with pytest.raises(OSError, match="broken"):
        read_image(cut)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"])
@pytest.mark.parametrize("read", [read_header, read_image])
def test_decoder_of_no_image_raises_os_error(read, content):
    with pytest.raises(OSError, match="not an image, or is broken"):
        read(io.BytesIO(content))


@pytest.mark.parametrize(
    ("kind", "options", "lossy"),
    [
        ("PNG", {}, False),
        ("TIFF", {}, False),
        ("BMP", {}, False),
        ("JPEG", {"quality": 100}, True),
        ("WEBP", {"lossless": True}, False),
        ("WEBP", {"lossless": True, "exif": b"Exif\0\0odd"}, False),
        ("WEBP", {"quality": 90}, True),
        ("WEBP", {"quality": 90, "exif": b"Exif\0\0odd"}, True),
    ],
    ids=str,
)
def test_formats_that_change_pixels_are_told_from_others(kind, options, lossy):
    assert is_lossy(stored(Image.fromarray(RED), kind, **options)) is lossy


def test_lossless_picture_with_alpha_is_told_behind_what_stands_before_its_pixels():
    picture = Image.fromarray(np.dstack([RED, [[9, 200]]]).astype(np.uint8))
    for lossless in (True, False):
        assert is_lossy(stored(picture, "WEBP", lossless=lossless)) is not lossless


# In a chunk of PNG, what looks like a number or a list is one.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9).filter(
    lambda text: text[:1] not in [*"0123456789[{"]
)
VALUES = st.recursive(
    TEXTS | st.integers(0, 10**15 - 1) | st.floats(0, 1e9).map(lambda x: round(x, 3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "gif"])
@settings(max_examples=30, deadline=None)
@given(said=st.dictionaries(st.sampled_from(["epoch", "run", "logs", "note"]), VALUES, min_size=1))
def test_picture_tells_whatever_it_was_written_with(suffix, said):
    file = io.BytesIO(encode_image(RED, suffix, metadata=said))
    found = read_explanation(file)
    assert {name: found[name] for name in said} == said
    assert {*found} - {*said} <= {"Software", "software"}
