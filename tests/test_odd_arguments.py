"""Odd arguments and arrays, of the plain functions and renderers: drawn right, or refused by name."""

import io

import numpy as np
import pytest
from PIL import Image
from support.rendering import bind, draw
from support.versions import refuses_ragged

from keras_image_saver import (
    Images,
    Segmentation,
    colorize,
    encode_image,
    make_grid,
    overlay,
    save_image,
    to_uint8,
)

BLACK, RED, MAGENTA, VOID = [0, 0, 0], [128, 0, 0], [255, 0, 255], [224, 224, 192]
GREY = np.zeros((2, 2), np.uint8)


def with_palette():
    """A picture of Pillow's of two pixels, blue and orange, as indices 1 and 0 of its palette."""
    picture = Image.fromarray(np.array([[1, 0]], np.uint8)).convert("P")
    picture.putpalette([255, 128, 0, 0, 0, 255])
    return picture


BLUE_ORANGE = [[[0, 0, 255], [255, 128, 0]]]


# Arguments


@pytest.mark.parametrize(
    ("call", "error", "rule"),
    [
        pytest.param(
            lambda: colorize([1], ignore_index=1.5),
            ValueError,
            r"`ignore_index` must be one int or None, got 1\.5",
            id="ignore_index 1.5",
        ),
        pytest.param(
            lambda: colorize([1], ignore_index="a"),
            ValueError,
            "`ignore_index` must be one int or None, got 'a'",
            id="ignore_index text",
        ),
        pytest.param(
            lambda: Segmentation(ignore_index=1.5), ValueError, "`ignore_index`", id="of a renderer"
        ),
        pytest.param(
            lambda: Images(panels=5), ValueError, "`panels` must be a sequence.*got 5", id="panels"
        ),
        pytest.param(
            lambda: Images(colormap=[[1, 2, 3], [4]]),
            ValueError,
            "`colormap` must be a .256, 3. table, got shape",
            id="ragged colormap",
            marks=refuses_ragged,
        ),
        pytest.param(
            lambda: encode_image(GREY, None),
            ValueError,
            "`format` must be one of.*got None",
            id="format",
        ),
        pytest.param(
            lambda: encode_image(GREY, "jpg", options={"qualty": 9}),
            ValueError,
            "`options` has no 'qualty' for JPEG",
            id="options of another name",
        ),
        pytest.param(
            lambda: encode_image(GREY, "jpg", options={"quality": 101}),
            ValueError,
            r"`options\['quality'\]` must be .*got 101",
            id="options of another value",
        ),
        pytest.param(
            lambda: encode_image(GREY, "jpg", options=9),
            TypeError,
            "`options` must be a dict.*got 9",
            id="options",
        ),
        pytest.param(
            lambda: encode_image(GREY, metadata=9),
            TypeError,
            "`metadata` must be a dict.*got 9",
            id="metadata",
        ),
        pytest.param(
            lambda: overlay(np.uint8(3), np.zeros(3, np.uint8), 0.5),
            ValueError,
            r"`images` must have 1, 3 or 4 channels.*got images of shape \(\)",
            id="0-d images",
        ),
        pytest.param(
            lambda: overlay(np.zeros(1, np.uint8), np.uint8(3), 0.5),
            ValueError,
            r"colors of shape \(\)",
            id="0-d colors",
        ),
        pytest.param(
            lambda: to_uint8([[1, 2], [3]]),
            ValueError,
            "`images` must be one array",
            id="ragged",
            marks=refuses_ragged,
        ),
        pytest.param(
            lambda: Segmentation(multi_label=np.zeros(2)),
            ValueError,
            "`multi_label` must be",
            id="array",
        ),
        pytest.param(
            lambda: draw(
                Images((0, 1), input_range=([0] * 3, [1] * 3)),
                np.zeros((1, 2, 2, 1)),
                inputs=np.zeros((1, 2, 2, 1)),
            ),
            ValueError,
            "`input_range` must have one value a channel",
            id="channels of an input",
        ),
        pytest.param(
            lambda: Images((0, 10**400)), ValueError, "`value_range` must be", id="beyond float64"
        ),
        pytest.param(
            lambda: Images(input_range=(0j, 1j)), ValueError, "`input_range` must be", id="complex"
        ),
    ],
)
def test_argument_that_is_none_is_named_as_the_function_has_it(call, error, rule):
    with pytest.raises(error, match=rule):
        call()


def test_panels_from_a_generator_are_all_drawn():
    render = Images((0, 1), panels=(name for name in ["prediction"]))
    assert list(draw(render, np.zeros((1, 2, 2, 1))).panels) == ["prediction"]


# Floating point errors that the user's script has raised


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_nothing_raises_under_numpys_strictest_errors(dtype, tmp_path):
    """Values and scores at the ends of their dtype, tiny, NaN and infinite."""
    ends = np.finfo(dtype)
    odd = [ends.max, ends.min, ends.tiny, ends.smallest_subnormal, np.nan, np.inf, -np.inf, 0.5]
    images = np.array(odd, dtype).reshape(1, 2, 4, 1)
    scores = np.concatenate([images, images[:, ::-1]], -1)
    table = np.linspace(np.zeros(3), np.ones(3), 256)
    with np.errstate(all="raise"):
        shown = draw(Images((-1, 1), colormap=table), images, inputs=images, targets=images).panels
        classes = draw(Segmentation(), scores).panels["prediction"]
        masks = draw(Segmentation(from_logits=True, threshold=np.float16(0.5)), images).panels
        with pytest.warns(UserWarning, match="lie outside|NaN or infinite"):
            save_image(tmp_path / "a.png", images[0])
    with np.errstate(all="ignore"):
        floats = images.astype(np.float32)
    magenta = ~np.isfinite(floats)
    for panel in shown.values():
        assert ((panel == MAGENTA).all(-1) == magenta[..., 0]).all()
    assert (classes[0, 0, 0] == MAGENTA).all() == bool(magenta[0, 0, 0, 0] or magenta[0, 1, 0, 0])
    white = (masks["prediction"] == RED).all(-1)
    assert (white == (floats[..., 0] > 0) & ~magenta[..., 0]).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_float_class_ids_of_any_width_are_drawn_in_silence(dtype):
    targets = np.array([[[0, 1, np.nan, 255]]], dtype)
    with np.errstate(all="raise"):
        drawn = draw(
            Segmentation(2, ignore_index=255),
            np.zeros((1, 1, 4), np.uint8),
            targets=targets,
        )
    assert drawn.panels["target"].tolist() == [[[BLACK, RED, MAGENTA, VOID]]]


@pytest.mark.parametrize("kind", [np.float16, np.float32, float], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("number", [0.1, 0.3, 0.7])
def test_overlay_takes_a_weight_of_any_width_as_it_is(kind, number):
    weight = kind(number)
    photo = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1)
    color = np.broadcast_to(np.array([0, 100, 255], np.uint8), photo.shape)
    exact = (1 - float(weight)) * photo + float(weight) * color
    assert np.abs(overlay(photo, color, weight) - exact).max() <= 0.5001


def test_threshold_of_float16_has_the_logit_of_its_value():
    threshold = np.float16(0.9)
    limit = np.log(float(threshold) / (1 - float(threshold)))
    logits = np.array([[[limit - 1e-4, limit + 1e-4]]], np.float32)
    drawn = draw(Segmentation(from_logits=True, threshold=threshold), logits)
    assert drawn.panels["prediction"].tolist() == [[[BLACK, RED]]]


# Pictures of Pillow's


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(to_uint8, id="to_uint8"),
        pytest.param(lambda one: to_uint8([one, one])[1], id="a list"),
        pytest.param(lambda one: make_grid([one], padding=0), id="make_grid"),
        pytest.param(lambda one: overlay(one, np.zeros((1, 2, 3), np.uint8), 0), id="overlay"),
        pytest.param(lambda one: np.array(Image.open(io.BytesIO(encode_image(one)))), id="encode"),
        pytest.param(
            lambda one: draw(
                Images(input_image=lambda x: [one]), np.zeros((1, 1, 2), np.uint8), inputs=1
            ).panels["input"][0],
            id="input_image",
        ),
    ],
)
def test_picture_with_a_palette_has_its_colours(drawn):
    assert drawn(with_palette()).tolist() == BLUE_ORANGE


def test_picture_with_a_transparent_palette_has_alpha():
    picture = with_palette()
    picture.info["transparency"] = 0
    assert to_uint8(picture).tolist() == [[[0, 0, 255, 255], [255, 128, 0, 0]]]


def test_mask_with_a_palette_is_its_class_ids():
    assert colorize(with_palette()).tolist() == [[RED, BLACK]]
    assert colorize([with_palette()]).tolist() == [[[RED, BLACK]]]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "RGBX"])
def test_picture_in_another_colour_space_is_converted(mode):
    picture = Image.new("RGB", (1, 1), (255, 0, 0)).convert(mode)
    expected = np.asarray(picture.convert("RGB")).tolist()
    assert to_uint8(picture).tolist() == expected
    assert np.abs(np.array(expected) - (255, 0, 0)).max() <= 1


# Masked arrays


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_masked_floats_are_magenta(dtype):
    image = np.ma.masked_array(np.zeros((1, 2), dtype), [[True, False]])
    with pytest.warns(UserWarning, match="1 pixels of the image are NaN"):
        assert to_uint8(image).tolist() == [[MAGENTA, BLACK]]
    assert not np.isnan(image.data).any()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        pytest.param(to_uint8, "images", id="to_uint8"),
        pytest.param(colorize, "class_map", id="colorize"),
        pytest.param(encode_image, "image", id="encode_image"),
        pytest.param(lambda one: make_grid(one[None, ..., None]), "images", id="make_grid"),
    ],
)
def test_masked_integers_are_refused_with_what_to_pass(call, name):
    image = np.ma.masked_array(np.array([[7, 9]], np.uint8), [[True, False]])
    with pytest.raises(ValueError, match=rf"`{name}` must have no masked.*got 1.*{name}\.filled"):
        call(image)


def test_masked_array_without_a_masked_value_is_a_plain_one():
    assert colorize(np.ma.masked_array([0, 1])).tolist() == [BLACK, RED]


# Ids that int64 cannot hold


@pytest.mark.parametrize("ignore_index", [-1, None, 10**30])
def test_ids_beyond_int64_are_no_class_and_not_ignored(ignore_index):
    ids = np.array([[[1, 2**64 - 1, 2**63]]], np.uint64)
    assert colorize(ids, ignore_index=ignore_index).tolist() == [[[RED, MAGENTA, MAGENTA]]]
    bound = bind(Segmentation(2, ignore_index=-1), np.zeros_like(ids))
    with pytest.raises(ValueError, match="`num_classes` must cover all class ids"):
        bound.check_ids("prediction", bound.classes.of_scores(ids))


@pytest.mark.parametrize("ignore_index", [255, 10**30, -(2**63) - 1])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint64", "int64"])
def test_ignore_index_that_a_dtype_cannot_hold_ignores_nothing(dtype, ignore_index):
    assert colorize(np.array([0, 1], dtype), ignore_index=ignore_index).tolist() == [BLACK, RED]


# Metadata that a format has no room for


def test_encode_image_as_jpeg_leaves_out_names_where_values_are_not_enough():
    many = {f"metric {number}": number for number in range(20_000)}
    data = encode_image(GREY, "jpg", metadata={"epoch": 3, **many})
    text = Image.open(io.BytesIO(data)).getexif()[0x010E]
    assert '"epoch": 3' in text
    assert "of 20002 entries: too long for JPEG" in text
    assert 59_000 < len(text) <= 60_000


def test_encode_image_as_png_keeps_text_that_utf8_has_not():
    metadata = {"note": "a\ud800b", "zero": "a\0b", "": "nameless", 3: "number"}
    text = Image.open(io.BytesIO(encode_image(GREY, metadata=metadata))).text
    assert text["note"] == r"a\ud800b"
    assert text["zero"] == r"a\0b"
    assert text["?"] == "nameless"
    assert text["3"] == "number"


def test_long_numbers_of_a_range_are_cut_in_its_error():
    with pytest.raises(ValueError, match="`value_range` must be") as info:
        Images((0, 10**400))
    assert len(str(info.value)) < 250
