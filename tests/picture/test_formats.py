"""What is known of each format: suffixes, options and limits."""

import copy
import pickle
import re

import numpy as np
import pytest
from PIL import Image, features
from support.versions import needs_avif

from keras_image_saver.picture.formats import (
    ANIMATED,
    FORMATS,
    check_animated_format,
    check_format,
    check_image,
    check_options,
)

BY_NAME = {one.name: one for one in FORMATS}


# The table


@needs_avif
def test_formats_are_all_known_to_pillow():
    Image.init()
    assert {one.name for one in FORMATS} <= set(Image.SAVE)


def test_formats_have_suffixes_of_their_own():
    suffixes = [suffix for one in FORMATS for suffix in one.suffixes]
    assert len(set(suffixes)) == len(suffixes)


def test_formats_that_are_animated_are_among_all_of_them():
    assert {one.name for one in ANIMATED} <= set(BY_NAME)


@pytest.mark.parametrize("kind", BY_NAME)
def test_formats_are_equal_after_a_copy_as_that_of_a_callback(kind):
    found = BY_NAME[kind]
    assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found


# Suffixes


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b.png", "PNG"),
        ("b.JPG", "JPEG"),
        ("b.jpeg", "JPEG"),
        ("gs://c/b.webp", "WEBP"),
        ("b.tif", "TIFF"),
        ("b.c.tiff", "TIFF"),
        ("b.bmp", "BMP"),
        ("b.gif", "GIF"),
        pytest.param("b.avif", "AVIF", marks=needs_avif),
    ],
)
def test_check_format_tells_by_the_suffix(path, kind):
    assert check_format(path).name == kind


@pytest.mark.parametrize("path", ["a/b.tga", "a/b", "a.png/b", "b.npy", ".png"])
def test_check_format_of_another_suffix_lists_those_it_knows(path):
    rule = r"`filepath` must end in one of \.png, \.jpg, .*\.avif, got '" + re.escape(path)
    with pytest.raises(ValueError, match=rule):
        check_format(path)


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_check_format_that_this_pillow_lacks_says_so(monkeypatch, suffix):
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(ValueError, match=f"'{suffix}', which this Pillow cannot write.*png"):
        check_format(f"a{suffix}")


def test_check_format_that_this_pillow_has_never_heard_of_says_so(monkeypatch):
    monkeypatch.delitem(features.modules, "avif", raising=False)
    with pytest.raises(ValueError, match=r"'\.avif', which this Pillow cannot write.*pillow>=11.3"):
        check_format("a.avif")


@pytest.mark.parametrize("path", ["a.webp", "b/a.GIF", "a.png"])
def test_check_animated_format_tells_by_the_suffix(path):
    assert path.lower().endswith(check_animated_format(path).suffixes)


@pytest.mark.parametrize("path", ["a.mp4", "a", "a.jpg"])
def test_check_animated_format_of_another_suffix_lists_those_it_knows(path):
    rule = rf"`out` must end in one of \.webp, \.gif, \.png, got '{re.escape(path)}'"
    with pytest.raises(ValueError, match=rule):
        check_animated_format(path)


# Options


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {"compress_level": 0}),
        ("PNG", {"compress_level": 9}),
        ("JPEG", {"quality": 1}),
        ("JPEG", {"quality": 100}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": False, "quality": 30}),
        ("AVIF", {"quality": 50}),
        ("AVIF", {"quality": np.int64(50)}),
    ],
    ids=str,
)
def test_check_options_that_a_format_has_pass_on(kind, options):
    assert check_options(BY_NAME[kind], options).items() >= options.items()


@pytest.mark.parametrize(
    ("kind", "options", "shown"),
    [
        pytest.param("PNG", {"quality": 90}, "no 'quality' for PNG.*`compress_level`", id="PNG"),
        pytest.param("PNG", {"optimize": True}, "no 'optimize' for PNG", id="one of Pillow's"),
        pytest.param("JPEG", {"qualty": 90}, "no 'qualty' for JPEG.*`quality`", id="misspelt"),
        pytest.param("JPEG", {"lossless": True}, "no 'lossless' for JPEG", id="JPEG"),
        pytest.param("TIFF", {"quality": 9}, "no 'quality' for TIFF.*Options: none", id="TIFF"),
        pytest.param("BMP", {"quality": 9}, "no 'quality' for BMP.*Options: none", id="BMP"),
        pytest.param("GIF", {"quality": 9}, "no 'quality' for GIF.*Options: none", id="GIF"),
        pytest.param("PNG", {"compress_level": 10}, "'compress_level'.*0 to 9, got 10", id="10"),
        pytest.param("PNG", {"compress_level": -1}, "'compress_level'.*0 to 9, got -1", id="-1"),
        pytest.param("JPEG", {"quality": 101}, "'quality'.*0 to 100, got 101", id="101"),
        pytest.param("JPEG", {"quality": 90.0}, r"'quality'.*got 90\.0", id="float"),
        pytest.param("JPEG", {"quality": "high"}, "'quality'.*got 'high'", id="text"),
        pytest.param("JPEG", {"quality": True}, "'quality'.*0 to 100, got True", id="bool"),
        pytest.param("WEBP", {"lossless": 1}, "'lossless'.*True or False, got 1", id="lossless 1"),
        pytest.param("WEBP", {"lossless": "no"}, "'lossless'.*got 'no'", id="lossless text"),
    ],
)
def test_check_options_that_a_format_has_not_shows_them(kind, options, shown):
    with pytest.raises(ValueError, match=f"`encoder_options.*{shown}"):
        check_options(BY_NAME[kind], options)


def test_check_options_leaves_the_callers_dict():
    options = {"compress_level": 9}
    check_options(BY_NAME["PNG"], options)
    assert options == {"compress_level": 9}


@pytest.mark.parametrize("options", [["quality", 90], 90], ids=str)
def test_check_options_that_are_no_dict_shows_them(options):
    with pytest.raises(
        TypeError, match=f"`encoder_options` must be a dict.*{re.escape(str(options))}"
    ):
        check_options(BY_NAME["JPEG"], options)


@pytest.mark.parametrize(
    ("options", "lossless"),
    [
        (None, True),
        ({"lossless": True, "quality": 9}, True),
        ({"quality": 80}, False),
        ({"lossless": False}, False),
    ],
    ids=str,
)
def test_check_options_of_webp_are_lossless_unless_quality_is_given(options, lossless):
    found = check_options(BY_NAME["WEBP"], options)
    assert found.get("lossless", False) is lossless
    assert found.get("exact", False) is lossless


# Limits

LIMITS = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535}


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("side", ["height", "width"])
def test_check_image_over_the_limit_shows_limit_and_size(kind, side):
    over = LIMITS[kind] + 1
    shape = (over, 2, 3) if side == "height" else (2, over, 3)
    rule = (
        f"{kind} holds at most {LIMITS[kind]} pixels a side, got .*{shape[1]} wide and {shape[0]}"
    )
    with pytest.raises(ValueError, match=rule):
        check_image(shape, BY_NAME[kind])


@pytest.mark.parametrize("kind", BY_NAME)
def test_check_image_with_alpha_is_refused_where_there_is_no_room_for_it(kind):
    if kind in ("JPEG", "GIF", "BMP"):
        with pytest.raises(ValueError, match=f"{kind} has no alpha channel, got .*four channels"):
            check_image((4, 4, 4), BY_NAME[kind])
    else:
        check_image((4, 4, 4), BY_NAME[kind])
