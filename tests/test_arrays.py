"""Words for arrays, and for structures of them."""

from collections import defaultdict, namedtuple

import ml_dtypes
import numpy as np
import pytest

from keras_image_saver.arrays import (
    as_array,
    copied,
    cut_rows,
    describe,
    is_image,
    joined,
    leaves,
    map_leaves,
    nearest,
    single,
    with_channels,
)

# as_array


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_as_array_of_small_floats_is_float32(dtype):
    array = as_array(np.array([0.5, np.nan, -1.0], dtype))
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.array([0.5, np.nan, -1.0], np.float32))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_as_array_of_other_arrays_is_the_same_array(dtype):
    array = np.ones(3, dtype)
    assert as_array(array) is array


def test_as_array_of_lists_and_of_what_has_array_is_an_array():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.array([1, 2])

    assert as_array([1, 2]).tolist() == as_array(Tensor()).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("dtype", "calls"), [("torch.float32", "dc"), ("torch.bfloat16", "dcf")], ids=str
)
def test_as_array_of_a_torch_tensor_detaches_it_first(dtype, calls):
    class Tensor:
        def __init__(self, calls=""):
            self.dtype, self.calls = dtype, calls

        def detach(self):
            return Tensor(self.calls + "d")

        def cpu(self):
            return Tensor(self.calls + "c")

        def float(self):
            return Tensor(self.calls + "f")

        def __array__(self, dtype=None, copy=None):
            return np.array([self.calls == calls])

    assert as_array(Tensor()).tolist() == [True]


# Structures


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        pytest.param(7, {"": 7}, id="one"),
        pytest.param([7, 8], {"0": 7, "1": 8}, id="list"),
        pytest.param((7,), {"0": 7}, id="tuple"),
        pytest.param({"b": 1, "a": 2}, {"a": 2, "b": 1}, id="dict, sorted"),
        pytest.param({"a": {"b": [1, 2]}}, {"a/b/0": 1, "a/b/1": 2}, id="nested"),
        pytest.param([], {}, id="empty"),
        pytest.param(None, {"": None}, id="none"),
    ],
)
def test_leaves_name_arrays_by_path(structure, expected):
    found = leaves(structure)
    assert found == expected
    assert list(found) == list(expected)


def test_leaves_of_many_outputs_stand_in_order():
    assert list(leaves(list(range(12))).values()) == list(range(12))


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        pytest.param(np.ones(2), True, id="an array"),
        pytest.param([np.ones(2)], True, id="a list of one"),
        pytest.param({"a": {"b": np.ones(2)}}, True, id="nested"),
        pytest.param([np.ones(2), np.ones(2)], False, id="two"),
        pytest.param([], False, id="none"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_single_is_the_one_array_there_is(structure, expected):
    assert (single(structure) is not None) is expected


# Shapes


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 3, 4), True),
        ((2, 3, 4, 1), True),
        ((2, 3, 4, 3), True),
        ((2, 3, 4, 4), True),
        ((2, 3, 4, 2), False),
        ((2, 3, 4, 5), False),
        ((2, 3), False),
        ((2, 3, 4, 3, 1), False),
    ],
    ids=str,
)
def test_is_image_tells_by_shape(shape, expected):
    assert is_image(np.zeros(shape)) is expected


def test_is_image_of_no_array_is_false():
    assert not is_image("image")


def test_with_channels_adds_one_to_grey_images():
    assert with_channels(np.zeros((2, 3, 4))).shape == (2, 3, 4, 1)
    assert with_channels(np.zeros((2, 3, 4, 3))).shape == (2, 3, 4, 3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((2, 2), [[1, 2], [3, 4]], id="same"),
        pytest.param((4, 2), [[1, 2], [1, 2], [3, 4], [3, 4]], id="higher"),
        pytest.param((2, 6), [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]], id="wider"),
        pytest.param((3, 3), [[1, 1, 2], [1, 1, 2], [3, 3, 4]], id="no whole factor"),
    ],
)
def test_nearest_repeats_pixels(size, expected):
    image = np.array([[1, 2], [3, 4]], np.uint8)
    assert nearest(image[None], *size)[0].tolist() == expected
    assert nearest(image[None, ..., None], *size)[0, ..., 0].tolist() == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((2, 3), np.uint8), "shape (2, 3) and dtype uint8"),
        (None, "None (NoneType)"),
        ("a", "'a' (str)"),
        ([1, 2], "[1, 2] (list)"),
    ],
    ids=["array", "none", "text", "list"],
)
def test_describe_says_what_something_is(value, text):
    assert describe(value) == text


# Functions on structures

Pair = namedtuple("Pair", ["x", "y"])


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        pytest.param(1, 2, id="one"),
        pytest.param([1, (2, 3)], [2, (4, 6)], id="list and tuple"),
        pytest.param({"b": 1, "a": [2]}, {"b": 2, "a": [4]}, id="dict"),
        pytest.param(Pair(1, {"z": 2}), Pair(2, {"z": 4}), id="named tuple"),
    ],
)
def test_map_leaves_keeps_the_structure(structure, expected):
    mapped = map_leaves(lambda value: 2 * value, structure)
    assert mapped == expected
    assert type(mapped) is type(expected)


def test_map_leaves_calls_in_the_order_of_leaves_and_returns_the_dicts_own():
    called = []
    mapped = map_leaves(called.append, {"b": 1, "a": 2})
    assert called == list(leaves({"b": 1, "a": 2}).values()) == [2, 1]
    assert list(mapped) == ["b", "a"]


@pytest.mark.parametrize(
    ("first", "second"), [({"a": 1}, {"b": 1}), ([1, 2], [1])], ids=["keys", "lengths"]
)
def test_map_leaves_of_structures_that_differ_is_refused(first, second):
    with pytest.raises(ValueError, match=r"keys differ|shorter"):
        map_leaves(lambda a, b: a, first, second)


def test_copied_shares_no_memory_and_leaves_what_is_no_array():
    structure = {"x": np.ones(3), "y": None}
    copy = copied(structure)
    copy["x"] *= 0
    assert structure["x"].tolist() == [1, 1, 1]
    assert copy["y"] is None


def test_cut_rows_takes_views_and_leaves_none():
    array = np.arange(5)
    cut = cut_rows([array, None], 1, 3)
    assert cut[0].tolist() == [1, 2]
    assert np.shares_memory(cut[0], array)
    assert cut[1] is None


def test_joined_of_one_chunk_is_it_and_of_several_all_rows():
    first, second = {"a": np.array([1, 2])}, {"a": np.array([3])}
    assert joined([first]) is first
    assert joined([first, second])["a"].tolist() == [1, 2, 3]


def test_map_leaves_keeps_a_defaultdict_with_its_default():
    given = defaultdict(lambda: 7, {"b": 1, "a": 2})
    mapped = map_leaves(lambda x: -x, given)
    assert type(mapped) is defaultdict
    assert list(mapped.items()) == [("b", -1), ("a", -2)]
    assert mapped["c"] == 7
