"""The encoder: every format is decoded again."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from support.versions import AVIF_SUFFIX, needs_avif

import keras_image_saver
from keras_image_saver import encode_image
from keras_image_saver.picture.encoder import encode, write_image
from keras_image_saver.picture.formats import AVIF, BY_SUFFIX, GIF, JPEG, check_image

LOSSLESS = ["png", "tif", "tiff", "bmp", "webp"]
LOSSY = ["jpg", "jpeg", AVIF_SUFFIX]
KINDS = {
    "png": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
    "avif": "AVIF",
}
SUFFIXES = [*(suffix for suffix in KINDS if suffix != "avif"), AVIF_SUFFIX]


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def decoded(data, mode=None):
    image = opened(data)
    return np.asarray(image if mode is None else image.convert(mode))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def ramp(height, width):
    """A smooth RGB picture, as a lossy format likes it."""
    y, x = np.mgrid[:height, :width]
    planes = [255 * x / (width - 1), 255 * y / (height - 1), 255 - 255 * x / (width - 1)]
    return np.rint(np.stack(planes, -1)).astype(np.uint8)


# Formats


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_encode_image_writes_the_format_that_the_suffix_names(suffix):
    assert opened(encode_image(noise(4, 6, 3), suffix)).format == KINDS[suffix]


@pytest.mark.parametrize("name", ["png", ".png", "PNG", ".Png"])
def test_encode_image_takes_a_format_with_or_without_its_dot(name):
    assert opened(encode_image(noise(4, 6, 3), name)).format == "PNG"


def test_encode_image_without_format_is_png():
    assert opened(encode_image(noise(4, 6, 3))).format == "PNG"


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)], ids=str)
def test_encode_image_in_lossless_formats_keeps_every_pixel(suffix, shape):
    image = noise(*shape)
    mode = "RGB" if shape[2:] == (3,) else "L"
    np.testing.assert_array_equal(decoded(encode_image(image, suffix), mode), np.squeeze(image))


@pytest.mark.parametrize("suffix", [one for one in LOSSLESS if one != "bmp"])
def test_encode_image_in_lossless_formats_keeps_alpha(suffix):
    image = noise(5, 7, 4)
    image[..., 3] |= 1  # nothing wholly transparent
    data = encode_image(image, suffix)
    assert opened(data).mode == "RGBA"
    np.testing.assert_array_equal(decoded(data), image)


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_encode_image_keeps_the_colour_of_transparent_pixels(suffix):
    image = noise(5, 7, 4)
    image[..., 3] = 0
    np.testing.assert_array_equal(decoded(encode_image(image, suffix)), image)


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "jpg"])
def test_encode_image_of_grey_stays_grey(suffix):
    assert opened(encode_image(noise(5, 7, 1), suffix)).mode == "L"


@pytest.mark.parametrize("suffix", LOSSY)
def test_encode_image_in_lossy_formats_is_close(suffix):
    image = ramp(48, 64)
    difference = np.abs(decoded(encode_image(image, suffix), "RGB").astype(int) - image)
    assert difference.max() <= 12
    assert difference.mean() < 2


@pytest.mark.parametrize("suffix", LOSSY)
def test_encode_image_of_grey_in_lossy_formats_is_close(suffix):
    image = ramp(48, 64)[..., :1]
    difference = np.abs(decoded(encode_image(image, suffix), "L").astype(int) - image[..., 0])
    assert difference.max() <= 8


@pytest.mark.parametrize("suffix", LOSSY)
def test_encode_image_in_lossy_formats_does_not_bleed_colours(suffix):
    """Without chroma subsampling one red pixel beside a blue one stays red."""
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, ::2, 0] = image[:, 1::2, 2] = 255
    difference = np.abs(decoded(encode_image(image, suffix), "RGB").astype(int) - image)
    assert difference.mean() < 10


@pytest.mark.parametrize("colors", [1, 2, 16, 255, 256])
def test_encode_image_as_gif_up_to_256_colours_keeps_every_pixel(colors):
    palette = noise(colors, 3)
    image = palette[np.arange(32 * 32) % colors].reshape(32, 32, 3)
    np.testing.assert_array_equal(decoded(encode_image(image, "gif"), "RGB"), image)


def test_encode_image_as_gif_keeps_every_grey():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(decoded(encode_image(image, "gif"), "L"), image)


@needs_avif
def test_encode_image_as_avif_keeps_alpha():
    image = np.concatenate([ramp(16, 16), np.full((16, 16, 1), 128, np.uint8)], -1)
    data = encode_image(image, "avif")
    assert opened(data).mode == "RGBA"
    assert np.abs(decoded(data)[..., 3].astype(int) - 128).max() <= 2


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from([None, 1, 3, 4]),
    suffix=st.sampled_from(["png", "tiff"]),
    seed=st.integers(0, 99),
)
def test_encode_image_of_any_image_is_decoded_to_the_same(size, channels, suffix, seed):
    shape = size if channels is None else (*size, channels)
    image = np.random.default_rng(seed).integers(0, 256, shape[::-1], np.uint8).T  # not contiguous
    image.flags.writeable = False
    expected = image[..., 0] if channels == 1 else image
    np.testing.assert_array_equal(decoded(encode_image(image, suffix)), expected)


@pytest.mark.parametrize("kind", ["jpg", "jpeg", "gif", "bmp"])
def test_encode_image_of_rgba_in_a_format_without_alpha_lists_those_with(kind):
    rule = f"{KINDS[kind]} has no alpha channel, got a picture with four channels.*PNG"
    with pytest.raises(ValueError, match=rule):
        encode_image(noise(4, 4, 4), kind)


@pytest.mark.parametrize("name", ["xyz", "pngg", "", "tar.gz"])
def test_encode_image_in_an_unknown_format_lists_those_it_knows(name):
    with pytest.raises(ValueError, match=rf"`format` must be .*png.*got {name!r}"):
        encode_image(noise(4, 4, 3), name)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        pytest.param(np.zeros((4, 4, 3)), "dtype float64", id="floats"),
        pytest.param(np.zeros((4, 4), bool), "dtype bool", id="bool"),
        pytest.param(np.zeros((4, 4, 2), np.uint8), r"\(4, 4, 2\)", id="2 channels"),
        pytest.param(np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)", id="5 channels"),
        pytest.param(np.zeros((1, 4, 4, 3), np.uint8), r"\(1, 4, 4, 3\)", id="a batch"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)", id="no height"),
    ],
)
def test_encode_image_of_another_array_shows_it(image, shown):
    with pytest.raises(ValueError, match=rf"`image` must be uint8 \(H, W\).*{shown}"):
        encode_image(image)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_write_image_leaves_the_file_open(suffix):
    file = io.BytesIO()
    kind = BY_SUFFIX[f".{suffix}"]
    write_image(file, noise(4, 4, 3), kind)
    assert not file.closed
    assert opened(file.getvalue()).size == (4, 4)


# Options


def test_encode_image_with_compress_level_is_smaller():
    image = ramp(64, 64)
    sizes = [len(encode_image(image, "png", options={"compress_level": n})) for n in (0, 9)]
    assert sizes[0] > 64 * 64 * 3 > sizes[1]


@pytest.mark.parametrize("suffix", ["jpg", "webp", AVIF_SUFFIX])
def test_encode_image_with_quality_is_smaller(suffix):
    image = noise(64, 64, 3)
    sizes = [len(encode_image(image, suffix, options={"quality": n})) for n in (90, 10)]
    assert sizes[0] > 2 * sizes[1]


@pytest.mark.parametrize(
    ("options", "exact"),
    [
        pytest.param({}, True, id="default"),
        pytest.param({"lossless": True}, True, id="lossless"),
        pytest.param({"lossless": True, "quality": 100}, True, id="lossless with effort"),
        pytest.param({"lossless": False}, False, id="lossy"),
        pytest.param({"quality": 80}, False, id="quality"),
    ],
)
def test_encode_image_as_webp_is_lossless_unless_quality_is_given(options, exact):
    image = noise(16, 16, 3)
    same = np.array_equal(decoded(encode_image(image, "webp", options=options)), image)
    assert same is exact


# Limits

LIMITS = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535}


@pytest.mark.parametrize("kind", LIMITS)
def test_encode_image_at_the_limit_is_written(kind):
    image = np.zeros((1, LIMITS[kind]), np.uint8)
    assert opened(encode_image(image, kind.lower().replace("jpeg", "jpg"))).size == (
        LIMITS[kind],
        1,
    )


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_encode_image_in_formats_without_limit_is_written(kind):
    image = np.zeros((1, 70_000), np.uint8)
    assert opened(encode_image(image, kind.lower())).size == (70_000, 1)


@needs_avif
def test_encode_image_as_avif_at_its_limit_is_written():
    """What `check_image` lets through must be written, and opened again."""
    with pytest.raises(ValueError, match=r"AVIF holds at most ([0-9]+)") as caught:
        check_image((1, 10**6, 3), AVIF)
    limit = int(re.search("at most ([0-9]+)", str(caught.value))[1])
    image = np.zeros((1, limit, 3), np.uint8)
    assert opened(encode_image(image, "avif", options={"quality": 0})).size == (limit, 1)


def test_encode_image_over_the_limit_raises_before_pillow_does():
    image = np.broadcast_to(np.uint8(0), (2, 65_501, 3))
    with pytest.raises(
        ValueError, match=r"JPEG holds at most 65500 pixels a side, got .*65501 wide"
    ):
        encode_image(image, "jpg")


# Metadata

METADATA = {"epoch": 3, "step": 120, "logs": {"loss": 0.25, "größe": "NaN"}, "note": "Zürich ☂"}
SOFTWARE = f"keras_image_saver {keras_image_saver.__version__}"


def test_encode_image_as_png_writes_metadata_as_text_chunks():
    text = opened(encode_image(noise(4, 4, 3), "png", metadata=METADATA)).text
    assert (text["epoch"], text["step"], text["note"]) == ("3", "120", "Zürich ☂")
    assert json.loads(text["logs"]) == METADATA["logs"]
    assert text["Software"] == SOFTWARE


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tiff", AVIF_SUFFIX])
def test_encode_image_writes_metadata_as_json_into_exif(suffix):
    exif = opened(encode_image(noise(4, 4, 3), suffix, metadata=METADATA)).getexif()
    found = json.loads(exif[ExifTags.Base.ImageDescription])
    assert found == {**METADATA, "software": SOFTWARE}


def test_encode_image_as_gif_writes_metadata_as_json_into_the_comment():
    long = {**METADATA, "logs": {f"metric_{number}": number for number in range(50)}}
    image = opened(encode_image(noise(4, 4, 3), "gif", metadata=long))
    assert json.loads(image.info["comment"]) == {**long, "software": SOFTWARE}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("metadata", [None, {}, METADATA], ids=["none", "empty", "some"])
def test_encode_image_with_metadata_keeps_the_pixels(suffix, metadata):
    image = noise(8, 8, 3)
    plain, with_metadata = (
        encode_image(image, suffix),
        encode_image(image, suffix, metadata=metadata),
    )
    np.testing.assert_array_equal(decoded(with_metadata), decoded(plain))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", AVIF_SUFFIX, "gif"])
def test_encode_image_with_very_long_logs_is_written_with_the_rest(suffix):
    long = {"epoch": 3, "logs": {f"metric_{number}": 0.123456789 for number in range(4_000)}}
    image = opened(encode_image(noise(8, 8, 3), suffix, metadata=long))
    if suffix == "png":
        assert image.text["epoch"] == "3"
        return
    found = image.info["comment"] if suffix == "gif" else image.getexif()[270]
    assert json.loads(found)["epoch"] == 3


def shortened(said, kind):
    """What may be written of metadata, one after another until there is room: values go first."""
    note = f"left out: too long for {kind}"
    kept = {**said, "software": SOFTWARE}
    yield kept
    for name in sorted(kept, key=lambda one: len(json.dumps(kept[one])), reverse=True):
        if len(json.dumps(kept[name])) > len(json.dumps(note)):
            kept = {**kept, name: note}
            yield kept
    names = sorted(said, key=lambda one: len(json.dumps({one: kept[one]})))
    while names:
        del kept[names.pop()]
        told = f"{len(said) - len(names)} of {len(said) + 1} entries: too long for {kind}"
        kept = {name: value for name, value in kept.items() if name in names}
        yield {**kept, "left out": told, "software": SOFTWARE}
        kept = {**kept, "software": SOFTWARE}


@pytest.mark.parametrize(
    ("kind", "where"),
    [(JPEG, ExifTags.Base.ImageDescription), (GIF, "comment")],
    ids=["EXIF", "GIF"],
)
def test_metadata_are_shortened_no_more_than_the_format_asks(kind, where):
    # With its quotes, one is as long as the note that would stand in its place, one a character longer.
    same = len(f"left out: too long for {kind.name}")
    said = {"a": "x" * 90, "epoch": 3, "same": "y" * same, "more": "z" * (same + 1), "b": "w" * 60}
    choices = [json.dumps(one) for one in shortened(said, kind.name)]
    assert len(choices) == 9
    for room in range(len(choices[-1]), len(choices[0]) + 2):
        data = encode(noise(2, 2, 3), replace(kind, longest_metadata=room), said)
        found = (
            opened(data).info["comment"].decode() if kind is GIF else opened(data).getexif()[where]
        )
        assert found == next(one for one in choices if len(one) <= room)
    # Where there is room for nothing, it is said all the same.
    data = encode(noise(2, 2, 3), replace(kind, longest_metadata=9), said)
    assert choices[-1].encode() in data


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("x" * 79, "x" * 79),
        ("x" * 80, "x" * 79),
        ("", "?"),
        ("größe", "größe"),
        ("☂", "?"),
        ("a\0b", "a\\0b"),
        (7, "7"),
    ],
    ids=repr,
)
def test_encode_image_as_png_writes_any_name_as_a_keyword(name, keyword):
    text = opened(encode_image(noise(2, 2, 3), "png", metadata={name: 1})).text
    assert text == {keyword: "1", "Software": SOFTWARE}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\0b", "a\\0b"),
        ("\ud800", "\\ud800"),
        (np.float32(0.5), "0.5"),
        (np.array([[1, 2]]), "[[1, 2]]"),
        (None, "null"),
        (1 + 2j, '"(1+2j)"'),
    ],
    ids=repr,
)
def test_encode_image_as_png_writes_any_value_as_text_or_json(value, written):
    text = opened(encode_image(noise(2, 2, 3), "png", metadata={"a": value})).text
    assert text["a"] == written


@pytest.mark.parametrize("metadata", ["text", [("a", 1)], 3], ids=repr)
def test_encode_image_with_metadata_that_are_no_dict_shows_them(metadata):
    with pytest.raises(
        TypeError, match=rf"`metadata` must be a dict .*got {re.escape(repr(metadata))}"
    ):
        encode_image(noise(2, 2, 3), metadata=metadata)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp"])
def test_encode_image_without_metadata_says_nothing_of_itself(suffix):
    for metadata in (None, {}):
        assert b"keras_image_saver" not in encode_image(noise(2, 2, 3), suffix, metadata=metadata)


def test_encode_image_of_a_format_that_is_no_text_shows_it():
    with pytest.raises(ValueError, match=r"`format` must be one of png, .*got 5"):
        encode_image(noise(2, 2, 3), 5)
