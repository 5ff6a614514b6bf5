"""Value ranges and the mapping to bytes, against the formula of the design."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.pixels import INTEGERS

from keras_image_saver.arrays import PIECE
from keras_image_saver.render.base import PixelCounts, findings, show_range
from keras_image_saver.render.mapping import map_to_uint8
from keras_image_saver.render.ranges import (
    check_dtype,
    check_range,
    default_range,
    extent,
    float32_scale,
)


def by_formula(values, low, high):
    """rint(clip((float32(x) - low) * float32(255 / (high - low)), 0, 255)), one value at a time."""
    mapped = np.empty(values.shape, np.uint8)
    scale = np.float32(255 / (high - low))
    for index in np.ndindex(values.shape):
        scaled = (np.float32(values[index]) - np.float32(low)) * scale
        mapped[index] = int(np.rint(min(max(scaled, np.float32(0)), np.float32(255))))
    return mapped


# Check of ranges


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((-1, 1), (-1.0, 1.0), id="ints"),
        pytest.param([0, 0.5], (0.0, 0.5), id="list"),
        pytest.param(np.array([0, 255]), (0.0, 255.0), id="array"),
        pytest.param((np.float32(-2), np.int64(3)), (-2.0, 3.0), id="numpy scalars"),
        pytest.param(
            ((0, -1, -2), (1, 1, 1)), ((0.0, -1.0, -2.0), (1.0, 1.0, 1.0)), id="one a channel"
        ),
    ],
)
def test_check_range_with_valid_range_returns_floats(given, expected):
    checked = check_range(given, "value_range")
    assert checked == expected
    assert all(type(value) is float for value in np.ravel(np.array(checked, object)))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param((1.0, -1.0), r"\(1\.0, -1\.0\)", id="reversed"),
        pytest.param((3, 3), r"\(3, 3\)", id="equal"),
        pytest.param((0, float("nan")), r"\(0, nan\)", id="nan"),
        pytest.param((0, float("inf")), r"\(0, inf\)", id="infinite"),
        pytest.param((0, None), r"\(0, None\)", id="none"),
        pytest.param((0, 1, 2), r"\(0, 1, 2\)", id="three ends"),
        pytest.param(255, "255", id="one number"),
        pytest.param("tanh", "'tanh'", id="text"),
        pytest.param(
            ((0, 0, 0), (1, 1, 0)), r"\(\(0, 0, 0\), \(1, 1, 0\)\)", id="one channel equal"
        ),
        pytest.param(((0, 0), (1, 1)), r"\(\(0, 0\), \(1, 1\)\)", id="two channels"),
        pytest.param(((0, 0, 0), 1), r"\(\(0, 0, 0\), 1\)", id="mixed ends"),
    ],
)
def test_check_range_with_invalid_range_shows_it(given, shown):
    rule = r"`input_range` must be \(low, high\) with low < high.*got " + shown
    with pytest.raises(ValueError, match=rule):
        check_range(given, "input_range")


def test_check_range_with_ends_equal_in_float32_is_refused():
    with pytest.raises(ValueError, match=r"`value_range` must be .*1\.000000000001"):
        check_range((1.0, 1.000000000001), "value_range")


def test_check_range_with_end_beyond_float32_is_refused():
    with pytest.raises(ValueError, match=r"`value_range` must be .*1e\+39"):
        check_range((0, 1e39), "value_range")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param((-1.0, 1.0), "(-1, 1)", id="whole"),
        pytest.param((0.0, 0.25), "(0, 0.25)", id="fraction"),
        pytest.param(
            ((0.0, -1.0, 0.5), (1.0, 1.0, 2.0)), "((0, -1, 0.5), (1, 1, 2))", id="channels"
        ),
    ],
)
def test_show_range_writes_short_numbers(given, text):
    assert show_range(given) == text


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        *((dtype, None) for dtype in ("bool", "uint8")),
        *((dtype, (0.0, 255.0)) for dtype in INTEGERS if dtype != "uint8"),
        *((dtype, (0.0, 1.0)) for dtype in ("float16", "float32", "float64")),
    ],
)
def test_default_range_is_that_of_the_dtype(dtype, expected):
    assert default_range(np.dtype(dtype)) == expected


def test_extent_ignores_what_is_not_finite():
    assert extent(np.array([np.nan, -2.0, np.inf, 5.0, -np.inf])) == (-2.0, 5.0)


def test_extent_without_finite_value_is_nan():
    assert np.isnan(extent(np.array([np.nan, np.inf]))).all()


@pytest.mark.parametrize(
    ("array", "shown"),
    [
        pytest.param(np.zeros((2, 2), complex), "complex128", id="complex"),
        pytest.param(np.array([[None]]), "object", id="objects"),
        pytest.param(np.array([["a"]]), "<U1", id="text"),
    ],
)
def test_check_dtype_with_no_numbers_shows_shape_and_dtype(array, shown):
    with pytest.raises(TypeError, match=rf"`target` must be bool, integer or float.*dtype {shown}"):
        check_dtype(array, "target")


@pytest.mark.parametrize(
    ("limits", "scale"),
    [
        pytest.param((-1.0, 1.0), (-1.0, 1.0, 127.5), id="exact"),
        # The factor is rounded once: 255 / (float32(0.3) - float32(0.2)) is another float32.
        pytest.param((0.2, 0.3), (0.2, 0.3, 255 / (0.3 - 0.2)), id="rounded ends"),
        # Of what float32 moves apart or together, its own ends are black and white.
        pytest.param((2**24 + 1, 2**24 + 3), (2**24, 2**24 + 4, 255 / 4), id="moved apart"),
        pytest.param((2**24 + 1, 2**24 + 7), (2**24, 2**24 + 8, 255 / 8), id="moved apart by 2"),
        pytest.param((2**24 + 3, 2**24 + 9), (2**24 + 4, 2**24 + 8, 255 / 4), id="moved together"),
        # What moves white by less than half a byte is left: the factor is that of the range.
        pytest.param((2**24, 2**24 + 601), (2**24, 2**24 + 600, 255 / 601), id="hardly moved"),
    ],
)
def test_float32_scale_makes_the_ends_black_and_white(limits, scale):
    found = float32_scale(*map(np.float64, limits))
    assert [float(part) for part in found] == [float(np.float32(part)) for part in scale]
    by_channel = float32_scale(*(np.array([end, end]) for end in limits))
    assert [part.tolist() for part in by_channel] == [[float(part)] * 2 for part in found]


# The mapping

RANGES = [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (0.0, 65535.0), (-2.117904, 2.64), (-5.0, -4.0)]


@pytest.mark.parametrize("limits", RANGES, ids=show_range)
def test_map_to_uint8_follows_the_formula(limits):
    low, high = limits
    margin = 0.1 * (high - low)
    values = np.linspace(low - margin, high + margin, 4_000, dtype=np.float32)
    mapped, _ = map_to_uint8(values.reshape(1, 40, 100, 1), limits)
    np.testing.assert_array_equal(mapped.ravel(), by_formula(values, low, high))


@pytest.mark.parametrize(
    "limits", [(-0.1, 1.1), (0.0, 0.3), (-1.8, 2.6), (0.2, 0.3)], ids=show_range
)
def test_map_to_uint8_rounds_the_scale_once(limits):
    """float32(255 / (high - low)) is not float32(255) / (float32(high) - float32(low))."""
    low, high = limits
    scale = np.float32(255 / (high - low))
    # Values around each step from one byte to the next, where a scale off by one bit shows.
    steps = ((np.arange(255) + 0.5) / scale + low).astype(np.float32)
    values = np.concatenate(
        [steps] + [np.nextafter(steps, np.float32(end)) for end in (low - 1, high + 1)]
    )
    mapped, _ = map_to_uint8(values.reshape(1, 1, -1, 1), limits)
    np.testing.assert_array_equal(mapped.ravel(), by_formula(values, low, high))


def test_map_to_uint8_of_every_float16_follows_the_formula():
    values = np.arange(65_536, dtype=np.uint16).view(np.float16)
    values = values[np.isfinite(values)]
    mapped, _ = map_to_uint8(values.reshape(1, -1, 1), (-1.0, 1.0))
    scaled = (values.astype(np.float32) + np.float32(1)) * np.float32(127.5)
    expected = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    np.testing.assert_array_equal(mapped.ravel(), expected)


@pytest.mark.parametrize(
    ("values", "limits", "expected"),
    [
        pytest.param([-1.0, -0.5, 0.0, 0.5, 1.0], (-1, 1), [0, 64, 128, 191, 255], id="tanh"),
        pytest.param([0.0, 0.25, 0.5, 0.75, 1.0], (0, 1), [0, 64, 128, 191, 255], id="sigmoid"),
        pytest.param([0.0, 0.5, 1.5, 2.5, 255.0], (0, 255), [0, 0, 2, 2, 255], id="half to even"),
        pytest.param([-9.0, -0.001, 1.001, 9.0], (0, 1), [0, 0, 255, 255], id="clipped"),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_map_to_uint8_of_any_float_gives_exact_bytes(values, limits, expected, dtype):
    images = np.array(values, dtype).astype(np.float32).reshape(1, 1, -1, 1)
    mapped, _ = map_to_uint8(images, limits)
    assert mapped.dtype == np.uint8
    assert mapped.ravel().tolist() == expected


def test_map_to_uint8_casts_float64_to_float32_first():
    value = 0.5 / 255 + 1e-10  # just over half a byte in float64; exactly half in float32
    assert np.float32(value) * np.float32(255) == np.float32(0.5)
    mapped, _ = map_to_uint8(np.full((1, 1, 1), value), (0.0, 1.0))
    assert mapped.tolist() == [[[0]]]


def test_map_to_uint8_with_range_by_channel_maps_each_by_its_own():
    images = np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]], np.float32)
    mapped, _ = map_to_uint8(images, ((0.0, -1.0, -2.0), (1.0, 1.0, 2.0)))
    assert mapped.tolist() == [[[0, 128, 128], [255, 255, 191]]]


def test_map_to_uint8_with_range_of_other_channels_shows_both():
    rule = r"one value a channel, got \(\(0, 0, 0\), \(1, 1, 1\)\) for images of 1 channels"
    with pytest.raises(ValueError, match=rule):
        map_to_uint8(np.zeros((1, 2, 2, 1), np.float32), ((0.0,) * 3, (1.0,) * 3))


def test_map_to_uint8_of_floats_without_range_is_refused():
    with pytest.raises(
        ValueError, match="`value_range` must be given for float32 images, got None"
    ):
        map_to_uint8(np.zeros((1, 2, 2, 1), np.float32), None)


@pytest.mark.parametrize("limits", [None, (0.0, 1.0), (-1.0, 1.0)], ids=str)
def test_map_to_uint8_of_bool_is_black_and_white_in_any_range(limits):
    mapped, _ = map_to_uint8(np.array([[[False], [True]]]), limits)
    assert mapped.tolist() == [[[0], [255]]]


@pytest.mark.parametrize("width", [1, 3, 65_535, 65_536, 65_537, 200_000])
def test_map_to_uint8_of_images_over_a_piece_maps_all_of_them(width):
    values = (np.arange(2 * 2 * width) % 256).astype(np.float32).reshape(2, 2, width, 1)
    mapped, counts = map_to_uint8(values, (0.0, 255.0))
    np.testing.assert_array_equal(mapped, values.astype(np.uint8))
    assert counts.values == values.size


def test_map_to_uint8_over_many_pieces_counts_all_of_them():
    values = np.full((3, 300, 300, 1), 0.5, np.float32)
    values[0, 0, 0] = values[1, 299, 299] = values[2, 150, 7] = np.nan
    values[0, 299, 0] = values[2, 0, 0] = 2.0
    mapped, counts = map_to_uint8(values, (0.0, 1.0))
    assert (counts.low, counts.high, counts.non_finite_pixels, counts.clipped) == (0.5, 2.0, 3, 2)
    magenta = np.argwhere((mapped == (255, 0, 255)).all(-1)).tolist()
    assert magenta == [[0, 0, 0], [1, 299, 299], [2, 150, 7]]
    assert mapped[0, 299, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        pytest.param(1, [[255, 0, 255], [255, 255, 255]], id="grey"),
        pytest.param(3, [[255, 0, 255], [255, 255, 255]], id="RGB"),
        pytest.param(4, [[255, 0, 255, 255], [255, 255, 255, 255]], id="RGBA"),
    ],
)
@pytest.mark.parametrize("channel", [0, -1], ids=["first channel", "last channel"])
def test_map_to_uint8_of_non_finite_pixel_is_magenta(bad, channels, expected, channel):
    images = np.ones((1, 2, channels), np.float32)
    images[0, 0, channel] = bad
    mapped, counts = map_to_uint8(images, (0.0, 1.0))
    assert mapped.tolist() == [expected]
    assert counts.non_finite_pixels == 1


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64], ids=["float16", "float32", "float64"]
)
@pytest.mark.parametrize("sign", [1, -1], ids=["largest", "smallest"])
def test_map_to_uint8_of_extreme_values_is_black_or_white_and_quiet(dtype, sign):
    largest = np.finfo(np.float16 if dtype == np.float16 else np.float32).max
    images = np.full((1, 1, 1), sign * largest, dtype)
    mapped, counts = map_to_uint8(images, (-1.0, 1.0))  # a RuntimeWarning is an error here
    assert mapped.tolist() == [[[255 if sign > 0 else 0]]]
    assert counts.clipped == 1


def test_map_to_uint8_of_float64_beyond_float32_is_quiet():
    """It is infinite once cast, as the formula says, and magenta."""
    mapped, counts = map_to_uint8(np.full((1, 1, 3), 1e300), (0.0, 1.0))
    assert mapped.tolist() == [[[255, 0, 255]]]
    assert counts.non_finite_pixels == 1


def test_map_to_uint8_leaves_the_callers_array():
    images = np.array([[[2.0, np.nan, -1.0]]], np.float32)
    before = images.copy()
    map_to_uint8(images, (0.0, 1.0))
    np.testing.assert_array_equal(images, before)


# What is said of it


def test_findings_of_values_inside_the_range_say_nothing():
    _, counts = map_to_uint8(np.array([[[0.0], [1.0]]], np.float32), (0.0, 1.0))
    assert not list(findings(counts, "prediction", (0.0, 1.0), "value_range"))


@pytest.mark.parametrize(("clipped", "said"), [(1, 0), (2, 1)], ids=["1 percent", "2 percent"])
def test_findings_say_clipping_over_one_percent(clipped, said):
    images = np.full((1, 100, 1), 0.5, np.float32)
    images[0, :clipped] = 3.25
    _, counts = map_to_uint8(images, (0.0, 1.0))
    assert len(list(findings(counts, "prediction", (0.0, 1.0), "value_range"))) == said


def test_findings_of_clipping_say_share_range_and_extent():
    images = np.array([[[-0.5], [0.5], [0.5], [3.25]]], np.float32)
    _, counts = map_to_uint8(images, (0.0, 1.0))
    (finding,) = findings(counts, "input", (0.0, 1.0), "input_range")
    assert finding.panel == "input"
    assert "50.0% of the input's values" in finding.text
    assert "input_range=(0, 1)" in finding.text
    assert "-0.5 to 3.25" in finding.text


def test_findings_of_non_finite_pixels_say_their_count():
    _, counts = map_to_uint8(np.full((2, 3, 1), np.nan, np.float32), (0.0, 1.0))
    (finding,) = findings(counts, "target", (0.0, 1.0), "value_range")
    assert finding.panel == "target"
    assert finding.text.startswith("6 pixels of the target are NaN or infinite")
    assert "magenta" in finding.text


def test_clipping_does_not_count_what_is_not_finite():
    """A NaN is magenta, not clipped, also where 0 lies outside the range."""
    images = np.full((1, 1_000, 1), 15.0, np.float32)
    images[0, :100] = np.nan
    images[0, -1] = 25.0
    _, counts = map_to_uint8(images, (10.0, 20.0))
    assert counts.clipped == 1
    assert counts.non_finite_pixels == 100


def test_counts_before_any_value_says_nothing():
    assert not list(findings(PixelCounts(), "prediction", (0.0, 1.0), "value_range"))


# Mapping of any array

KINDS = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i4", ">i4", "<u8"]
RANGES = [(-1.0, 1.0), (0.0, 1.0), (-3.5, 117.0), (0.0, 255.0), (0.1, 0.3), (-60000.0, 1e30)]
LAYOUTS = {
    "as it is": lambda x: x,
    "channels first": lambda x: np.moveaxis(np.moveaxis(x, -1, 1).copy(), 1, -1),
    "every other column": lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
    "backwards": lambda x: x[:, ::-1][:, ::-1].copy()[::-1][::-1],
    "Fortran": np.asfortranarray,
}


def by_arrays(values, low, high):
    """The bytes and the counts of `map_to_uint8`, in plain passes over the whole array."""
    with np.errstate(all="ignore"):
        floats = values.astype(np.float32)
        low, high = np.asarray(low), np.asarray(high)
        finite = np.isfinite(floats)
        scaled = (np.where(finite, floats, 0) - low.astype(np.float32)) * (
            255 / (high - low)
        ).astype(np.float32)
        mapped = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
        beyond = (floats < low.astype(np.float32)) | (floats > high.astype(np.float32))
    bad = ~finite.all(-1)
    if bad.any():
        mapped = np.repeat(mapped, 3, axis=-1) if mapped.shape[-1] == 1 else mapped
        mapped[bad, :3], mapped[bad, 3:] = [255, 0, 255], 255
    counts = PixelCounts(
        low=floats[finite].min(initial=np.inf),
        high=floats[finite].max(initial=-np.inf),
        values=values.size,
        clipped=int(np.count_nonzero(beyond & finite)),
        non_finite_pixels=int(np.count_nonzero(bad)),
    )
    return mapped, counts


def values_of(dtype):
    dtype = np.dtype(dtype)
    shapes = st.tuples(
        st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 4])
    )
    if dtype.kind != "f":
        return hnp.arrays(dtype, shapes)
    ordinary = st.floats(-2, 2, width=16)
    odd = st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 255.0, 127.5, 60000.0, 2**-24])
    return hnp.arrays(dtype, shapes, elements=st.one_of(ordinary, ordinary, ordinary, odd))


@pytest.mark.parametrize("layout", LAYOUTS)
@given_by(st.sampled_from(KINDS).flatmap(values_of), st.sampled_from(RANGES), st.booleans())
@settings(deadline=None, max_examples=100)
def test_any_array_is_mapped_as_by_plain_passes(layout, values, limits, by_channel):
    low, high = limits
    if by_channel:
        limits = tuple(
            tuple(end + channel / 8 for channel in range(values.shape[-1])) for end in limits
        )
        low, high = (np.asarray(end) for end in limits)
    expected, expected_counts = by_arrays(values, low, high)
    before = values.copy()
    mapped, counts = map_to_uint8(LAYOUTS[layout](values), limits)
    np.testing.assert_array_equal(mapped, expected)
    assert counts == expected_counts
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 1.0), ((0.0, -1.0, -0.5), (1.0, 1.0, 0.5))])
@pytest.mark.parametrize("most", [1, 1.5])
def test_arrays_of_many_pieces_are_mapped_as_by_plain_passes(dtype, limits, most):
    rng = np.random.default_rng(0)
    values = rng.uniform(-most, most, (3, 211, 197, 3)).astype(dtype)
    values[1, 100, 7, 1] = np.nan
    assert values[0].size > PIECE
    expected, expected_counts = by_arrays(values, *limits)
    canvas = np.zeros((3, 213, 200, 3), np.uint8)
    room = canvas[:, 1:-1, 2:-1]
    mapped, counts = map_to_uint8(values, limits, room)
    assert np.shares_memory(mapped, canvas)
    np.testing.assert_array_equal(mapped, expected)
    assert counts == expected_counts
    assert not canvas[:, 0].any()
    assert not canvas[:, :, :2].any()


def test_every_float16_is_mapped_as_by_plain_passes():
    values = np.arange(2**16, dtype=np.uint16).view(np.float16).reshape(1, 256, 256, 1)
    for limits in ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)):
        expected, expected_counts = by_arrays(values, *limits)
        mapped, counts = map_to_uint8(values, limits)
        np.testing.assert_array_equal(mapped, expected)
        assert counts == expected_counts


def test_room_of_another_shape_is_left_alone():
    room = np.full((1, 2, 2, 3), 9, np.uint8)
    mapped, _ = map_to_uint8(np.ones((1, 2, 2, 1), np.float32), (0.0, 1.0), room)
    assert mapped.tolist() == np.full((1, 2, 2, 1), 255).tolist()
    assert (room == 9).all()
