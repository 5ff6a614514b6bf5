"""The public `to_uint8`."""

import re
import warnings

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.pixels import FLOATS, INTEGERS, dtype_of

from keras_image_saver import to_uint8
from keras_image_saver.arrays import PIECE
from keras_image_saver.render.mapping import _pieces


def test_to_uint8_keeps_what_the_naive_answer_ruins():
    image = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    naive = image.astype(np.uint8) * 255
    assert naive.tolist() == [[0, 0], [0, 255]]
    assert to_uint8(image).tolist() == [[0, 64], [128, 255]]


def test_to_uint8_does_not_wrap_as_the_naive_answer_does():
    image = np.array([[-1.0, 256.0, 300.0]], np.float32)
    with pytest.warns(UserWarning, match="clipped"):
        assert to_uint8(image, value_range=(0, 255)).tolist() == [[0, 255, 255]]


@pytest.mark.parametrize("dtype", FLOATS)
def test_to_uint8_of_floats_means_0_to_1(dtype):
    image = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32).astype(dtype_of(dtype))
    assert to_uint8(image).tolist() == [[0, 64, 128, 255]]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_to_uint8_of_integers_means_0_to_255(dtype):
    image = np.array([[0, 1, 100, 127]], dtype)
    assert to_uint8(image).tolist() == [[0, 1, 100, 127]]


def test_to_uint8_of_uint8_is_the_same():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_uint8(image), image)


def test_to_uint8_of_bool_is_black_and_white():
    assert to_uint8(np.array([[True, False]])).tolist() == [[255, 0]]


def test_to_uint8_of_integers_beyond_bytes_clips_and_warns():
    with pytest.warns(UserWarning, match=r"50\.0% .*value_range=\(0, 255\).*from -5 to 70000"):
        mapped = to_uint8(np.array([[-5, 0, 255, 70_000]], np.int32))
    assert mapped.tolist() == [[0, 0, 255, 255]]


@pytest.mark.parametrize(
    ("dtype", "limits", "values", "expected"),
    [
        pytest.param("uint16", (0, 65_535), [0, 32_768, 65_535], [0, 128, 255], id="uint16"),
        pytest.param("int8", (-128, 127), [-128, 0, 127], [0, 128, 255], id="int8"),
        pytest.param("uint8", (0, 1), [0, 1, 1], [0, 255, 255], id="uint8 masks"),
        pytest.param("float64", (-1, 1), [-1, 0, 1], [0, 128, 255], id="tanh"),
        pytest.param("float32", (0, 255), [0, 127.4, 255], [0, 127, 255], id="bytes as floats"),
    ],
)
def test_to_uint8_with_value_range_maps_it_to_bytes(dtype, limits, values, expected):
    assert to_uint8(np.array([values], dtype), value_range=limits).tolist() == [expected]


@pytest.mark.parametrize(
    "shape",
    [(4, 5), (7, 4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4), (7, 4, 5, 1), (7, 4, 5, 3)],
    ids=str,
)
def test_to_uint8_keeps_the_shape(shape):
    image = np.linspace(0, 1, num=int(np.prod(shape)), dtype=np.float32).reshape(shape)
    mapped = to_uint8(image)
    assert mapped.shape == shape
    np.testing.assert_array_equal(mapped, np.rint(image * np.float32(255)).astype(np.uint8))


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        pytest.param((), r"\(\)", id="scalar"),
        pytest.param((3,), r"\(3,\)", id="vector"),
        pytest.param((1, 2, 2, 2), r"\(1, 2, 2, 2\)", id="2 channels"),
        pytest.param((1, 2, 2, 5), r"\(1, 2, 2, 5\)", id="5 channels"),
        pytest.param((1, 1, 2, 2, 3), r"\(1, 1, 2, 2, 3\)", id="video"),
        pytest.param((0, 2, 2, 3), r"\(0, 2, 2, 3\)", id="no images"),
        pytest.param((2, 0, 3), r"\(2, 0, 3\)", id="no width"),
    ],
)
def test_to_uint8_of_another_shape_shows_it(shape, shown):
    with pytest.raises(ValueError, match=f"`images` must have the shape .* got shape {shown}"):
        to_uint8(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        pytest.param(np.zeros((2, 2), complex), "complex128", id="complex"),
        pytest.param(np.full((2, 2), None), "object", id="objects"),
        pytest.param([["a", "b"]], "<U1", id="text"),
        pytest.param(None, "object", id="none"),
    ],
)
def test_to_uint8_of_another_dtype_shows_it(images, shown):
    with pytest.raises(TypeError, match=f"`images` must be bool, integer or float.*dtype {shown}"):
        to_uint8(images)


def test_to_uint8_with_reversed_range_shows_it():
    with pytest.raises(ValueError, match=r"`value_range` must be \(low, high\).*got \(1, -1\)"):
        to_uint8(np.zeros((2, 2)), value_range=(1, -1))


def test_to_uint8_of_grey_with_nan_turns_rgb_and_warns_with_the_count():
    image = np.array([[0.0, np.nan], [np.inf, 1.0]], np.float32)
    with pytest.warns(UserWarning, match="2 pixels of the image are NaN or infinite") as caught:
        mapped = to_uint8(image)
    magenta = [255, 0, 255]
    assert mapped.tolist() == [[[0, 0, 0], magenta], [magenta, [255, 255, 255]]]
    assert caught[0].filename == __file__


def test_to_uint8_of_rgba_with_nan_is_opaque_magenta():
    image = np.array([[[0.0, 0.0, 0.0, np.nan], [1.0, 0.0, 0.0, 0.0]]])
    with pytest.warns(UserWarning, match="1 pixels"):
        mapped = to_uint8(image)
    assert mapped.tolist() == [[[255, 0, 255, 255], [255, 0, 0, 0]]]


def test_to_uint8_of_clipped_values_warns_at_the_caller():
    with pytest.warns(UserWarning, match=r"75\.0% .*from -1 to 4") as caught:
        to_uint8(np.array([[-1.0, 0.5, 2.0, 4.0]]))
    assert caught[0].filename == __file__


def test_to_uint8_of_tensors_from_another_library_works():
    class Tensor:
        dtype = "torch.bfloat16"

        def __init__(self, values, calls=()):
            self.values, self.calls = values, calls

        def __getattr__(self, name):
            if name not in ("detach", "cpu", "float"):
                raise AttributeError(name)
            return lambda: Tensor(self.values, (*self.calls, name))

        def __array__(self, dtype=None, copy=None):
            assert self.calls == ("detach", "cpu", "float")
            return np.array(self.values, np.float32)

    assert to_uint8(Tensor([[0.0, 1.0]])).tolist() == [[0, 255]]


@st.composite
def arrays(draw, name):
    """Images of a dtype, any finite or non-finite values, and any layout."""
    dtype = np.dtype("float32" if name == "bfloat16" else name)
    shape = draw(
        st.one_of(
            st.tuples(*[st.integers(1, 4)] * 2),
            st.tuples(*[st.integers(1, 3)] * 3, st.sampled_from([1, 3, 4])),
        )
    )
    elements = hnp.from_dtype(dtype)
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        telling = [np.nan, np.inf, -np.inf, largest, -largest, 0.0, 1.0, -1e-3, 0.5]
        elements = st.one_of(elements, st.sampled_from(telling).map(dtype.type))
    array = draw(hnp.arrays(dtype, shape, elements=elements))
    if name == "bfloat16":
        with np.errstate(over="ignore"):
            array = array.astype(ml_dtypes.bfloat16)
    return LAYOUTS[draw(st.sampled_from([*LAYOUTS]))](array)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_to_uint8_of_any_array_follows_the_formula(dtype, data):
    array = data.draw(arrays(dtype))
    ranges = [None, (-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (0.25, 0.75)]
    limits = data.draw(st.sampled_from(ranges))
    before = array.tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # clipping and NaN; others stay errors
        mapped = to_uint8(array, value_range=limits)
    assert array.tobytes() == before
    assert mapped.dtype == np.uint8
    if array.dtype == np.bool_:
        expected = np.where(array, 255, 0)
        finite = np.ones(array.shape, bool)
    elif array.dtype == np.uint8 and limits is None:
        expected = array
        finite = np.ones(array.shape, bool)
    else:
        integers = array.dtype.kind in "ui"
        low, high = limits or ((0.0, 255.0) if integers else (0.0, 1.0))
        with np.errstate(over="ignore", invalid="ignore"):
            values = array.astype(np.float32)
            scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
            expected = np.rint(np.clip(np.nan_to_num(scaled), 0, 255)).astype(np.uint8)
        finite = np.isfinite(values)
    pixels = finite if array.ndim == 2 else finite.all(-1)
    if pixels.all():
        np.testing.assert_array_equal(mapped, expected)
        return
    expected = expected[..., np.newaxis] if array.ndim == 2 else expected
    colored = np.repeat(expected, 3, -1) if expected.shape[-1] == 1 else expected.copy()
    colored[~pixels] = (255, 0, 255, 255)[: colored.shape[-1]]
    np.testing.assert_array_equal(mapped, colored)


# Ranges at the limits of float32


@pytest.mark.filterwarnings("ignore:.*float32 has")
@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(101325.003, 101326.999, id="a pressure"),
        pytest.param(1e8, 1e8 + 5, id="ends further apart in float32"),
        pytest.param(1e8 + 1, 1e8 + 11, id="ends nearer in float32"),
        pytest.param(-1e-30, 1e-30, id="tiny"),
        pytest.param(1e-45, 1.0, id="an end that float32 holds as a subnormal"),
        pytest.param(0, 3e38, id="huge"),
        pytest.param(-1.7e38, 1.7e38, id="as wide as float32"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_to_uint8_of_a_ranges_ends_is_black_and_white(low, high, channels):
    image = np.array([[[low] * channels, [high] * channels]])
    limits = (low, high) if channels == 1 else ([low] * channels, [high] * channels)
    with np.errstate(all="raise"):
        mapped = to_uint8(image, value_range=limits)
    assert mapped.tolist() == [[[0] * channels, [255] * channels]]


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param((0, 1e-40), id="subnormal"),
        pytest.param((-3.4e38, 3.4e38), id="wider than float32"),
        pytest.param((1.0, 1.0 + 1e-12), id="equal in float32"),
        pytest.param((0, 1e39), id="beyond float32"),
        pytest.param(([0, 0, 0], [1, 1e-40, 1]), id="one channel"),
    ],
)
def test_to_uint8_with_a_range_that_float32_cannot_hold_is_refused(limits):
    rule = "`value_range` must be .* float32, .* can hold and tell apart, got " + re.escape(
        repr(limits)
    )
    with np.errstate(all="raise"), pytest.raises(ValueError, match=rule):
        to_uint8(np.zeros((2, 2, 3), np.float32), value_range=limits)


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        pytest.param((0, 10**400), "(0, 1000000000000000", id="beyond float64"),
        pytest.param((0, 1j), "(0, 1j)", id="complex"),
        pytest.param((0, np.complex64(1)), "(0, ", id="complex of NumPy"),
        pytest.param(np.array([0, 1j]), "shape (2,) and dtype complex128", id="complex array"),
        pytest.param(("0", "1"), "('0', '1')", id="texts"),
        pytest.param(([0, None, 0], [1, 1, 1]), "([0, None, 0], [1, 1, 1])", id="no number"),
    ],
)
def test_to_uint8_with_ends_that_are_no_numbers_shows_them(limits, shown):
    rule = r"`value_range` must be \(low, high\) with low < high.*got " + re.escape(shown)
    with pytest.raises(ValueError, match=rule):
        to_uint8(np.zeros((2, 2), np.float32), value_range=limits)


_ENDS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=100, deadline=None)
@given(_ENDS, _ENDS, hnp.arrays(np.float32, 8, elements=st.floats(0, 1, width=32)))
def test_to_uint8_in_any_range_follows_float64(one, other, places):
    """Ends are black and white, more is never darker, and float32 is off by its own rounding only."""
    low, high = sorted((one, other))
    values = np.sort(np.clip(low + (float(high) - low) * places.astype(np.float64), low, high))
    values = np.concatenate([[low], values, [high]]).astype(np.float32)
    try:
        mapped = to_uint8(values[np.newaxis], value_range=(low, high))[0]
    except ValueError as error:
        assert "`value_range` must be" in str(error)  # noqa: PT017 - most ranges are valid
        width = float(high) - low
        assert not 255 / 3.4e38 < width < 3.4e38
        return
    exact = (values.astype(np.float64) - low) * 255 / (float(high) - low)
    assert mapped[0] == 0
    assert mapped[-1] == 255
    assert (np.diff(mapped.astype(int)) >= 0).all()
    assert np.abs(mapped - exact).max() <= 0.5001


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-1e7, 1e7),
    st.floats(1e-3, 1e3),
    hnp.arrays(np.float64, 8, elements=st.floats(-0.5, 1.5)),
)
def test_to_uint8_with_an_offset_never_wraps(low, width, places):
    high = low + width
    values = np.sort(low + width * places)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it clips
            mapped = to_uint8(np.array([[low, *values, high]]), value_range=(low, high))[0]
    except ValueError:
        assert np.float32(low) == np.float32(high)
        return
    assert (mapped[0], mapped[-1]) == (0, 255)
    assert (np.diff(mapped[1:-1].astype(int)) >= 0).all()
    # Each of value and ends is off by half a step of float32 at most.
    step = float(np.spacing(np.float32(max(abs(low), abs(high)) + width)))
    exact = np.clip((values - low) * 255 / width, 0, 255)
    assert np.abs(mapped[1:-1] - exact).max() <= 0.51 + 255 * 2 * step / width


@pytest.mark.parametrize(
    ("value_range", "count"),
    [((1e8, 1e8 + 5), 2), ((16777216, 16777226), 6), ((100, 100.001), 132)],
)
def test_range_in_which_float32_has_few_values_is_said(value_range, count):
    low, high = value_range
    with pytest.warns(UserWarning, match=f"float32 has {count} values, not 256"):
        mapped = to_uint8(np.array([[low, high]]), value_range=value_range)
    assert mapped.tolist() == [[0, 255]]


def test_range_in_which_float32_has_a_value_for_each_byte_is_no_news():
    to_uint8(np.zeros((2, 2)), value_range=(-1, 1))
    to_uint8(np.full((2, 2), 101326.0), value_range=(101325.003, 101326.999))
    largest = float(np.finfo(np.float32).max)
    to_uint8(np.zeros((2, 2)), value_range=(0, largest))
    to_uint8(np.zeros((2, 2)), value_range=(-largest, 0))


def test_values_in_a_range_up_to_a_power_of_two_are_as_near_as_those_below_it():
    # Between 2^24 - 128 and 2^24 all whole numbers are float32, above it every other one.
    with pytest.warns(UserWarning, match="float32 has 129 values, not 256"):
        to_uint8(np.full((2, 2), 2.0**24), value_range=(2**24 - 128, 2**24))
    with pytest.warns(UserWarning, match="float32 has 129 values, not 256"):
        to_uint8(np.full((2, 2), -(2.0**24)), value_range=(-(2**24), 128 - 2**24))


# Pieces


@pytest.mark.parametrize(
    ("shape", "cuts"),
    [
        pytest.param((3, 4, 5, 1), [((0, 1, 2),)], id="small images"),
        pytest.param((3, 1, PIECE, 1), [((n,),) for n in range(3)], id="images of a piece"),
        pytest.param((5, 1, PIECE // 2, 1), [((0, 1),), ((2, 3),), ((4,),)], id="of half a piece"),
        pytest.param(
            (5, 1, PIECE // 2 + 1, 1), [((n,),) for n in range(5)], id="of more than half"
        ),
        pytest.param(
            (2, 3, PIECE // 2, 1),
            [(0, (0, 1)), (0, (2,)), (1, (0, 1)), (1, (2,))],
            id="images of more than a piece",
        ),
        pytest.param(
            (3, PIECE, 1), [((n,),) for n in range(3)], id="one image, of rows of a piece"
        ),
        pytest.param((2, PIECE + 1, 1), [((0,),), ((1,),)], id="one image, of rows of more"),
        pytest.param((3, 2, 2), [((0, 1, 2),)], id="one small image"),
        pytest.param((0, 2, 2, 1), [], id="no image"),
    ],
)
def test_pieces_are_of_whole_images_or_rows_and_no_larger_than_they_may(shape, cuts):
    found = [(*image, tuple(range(shape[len(image)]))[rows]) for *image, rows in _pieces(shape)]
    assert found == cuts
