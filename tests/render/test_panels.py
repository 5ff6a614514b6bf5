"""What passes between models and renderers."""

import ml_dtypes
import numpy as np
import pytest

from keras_image_saver import Batch
from keras_image_saver.arrays import (
    as_array,
    describe,
    is_image,
    leaves,
    nearest,
    single,
    with_channels,
)
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.render.panels import (
    channels_last,
    check_panels,
    choose_panels,
    chosen_target,
    input_images,
    require_chosen,
)

ONE = OutputInfo(("prediction",), (None,), 0)
TWO = OutputInfo(("a", "b"), (None, None), 1)
OPEN = OutputInfo(("a", "b"), (None, None), None)


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


# leaves


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
    ("first", "shape", "expected"),
    [
        pytest.param(True, (2, 3, 4, 5), (2, 4, 5, 3), id="channels first"),
        pytest.param(False, (2, 3, 4, 5), (2, 3, 4, 5), id="channels last"),
        pytest.param(True, (2, 4, 5), (2, 4, 5), id="no channels"),
    ],
)
def test_channels_last_moves_them_where_they_are_first(first, shape, expected):
    info = OutputInfo(("prediction",), (None,), 0, channels_first=first)
    assert channels_last(np.zeros(shape), info).shape == expected


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


# Inputs and targets


def test_input_images_of_one_input_are_it():
    batch = Batch({"x": np.zeros((2, 4, 4, 3))}, None, None)
    assert input_images(batch, ONE, None, (8, 8)) is batch.inputs["x"]


def test_input_images_of_sequences_are_none():
    batch = Batch(np.zeros((2, 4, 5)), None, None)
    assert input_images(batch, ONE, None, (4, 4)) is None
    assert input_images(batch, ONE, None, (4, 5)).shape == (2, 4, 5, 1)


def test_input_images_by_a_function_may_have_any_size():
    batch = Batch([1, 2], None, None)
    found = input_images(batch, ONE, lambda inputs: np.full((1, 2, 2), sum(inputs)), (9, 9))
    assert found.tolist() == [[[[3], [3]], [[3], [3]]]]


@pytest.mark.parametrize("returned", [None, np.zeros((2, 2)), np.zeros((1, 2, 2, 2))], ids=describe)
def test_input_images_by_a_function_that_gives_none_show_it(returned):
    with pytest.raises(ValueError, match=r"`input_image` must return images .*got shape"):
        input_images(Batch(1, None, None), ONE, lambda inputs: returned, (2, 2))


A, B = np.zeros(1), np.ones(1)


@pytest.mark.parametrize(
    ("targets", "info", "expected"),
    [
        pytest.param(A, ONE, A, id="one"),
        pytest.param(A, TWO, A, id="one for two outputs"),
        pytest.param([A, B], TWO, B, id="list"),
        pytest.param({"a": A, "b": B}, TWO, B, id="dict"),
        pytest.param({"b": B, "c": A}, TWO, B, id="dict with other names"),
        pytest.param({"c": A, "d": B}, TWO, B, id="dict by order"),
        pytest.param([A, B], ONE, None, id="two for one output"),
        pytest.param([A, B, A], TWO, None, id="three for two outputs"),
        pytest.param([A, B], OPEN, None, id="none chosen"),
        pytest.param(None, ONE, None, id="none"),
    ],
)
def test_chosen_target_is_that_of_the_output(targets, info, expected):
    assert chosen_target(Batch(None, targets, None), info, info.chosen) is expected


# Panels


def test_choose_panels_without_wish_takes_the_default():
    assert choose_panels(None, ["prediction"], {"input": None, "prediction": None}) == (
        "prediction",
    )


def test_choose_panels_takes_those_wanted_in_their_order():
    possible = {"input": None, "prediction": None}
    assert choose_panels(("prediction", "input"), [], possible) == ("prediction", "input")


def test_choose_panels_of_an_unknown_one_lists_all():
    with pytest.raises(ValueError, match="no panel 'x'; there are: input, prediction"):
        choose_panels(("x",), [], {"input": None, "prediction": None})


def test_choose_panels_of_one_that_cannot_be_drawn_says_why():
    with pytest.raises(ValueError, match="names 'input', but it rains"):
        choose_panels(("input",), [], {"input": "it rains"})


@pytest.mark.parametrize("panels", [None, ("a",), ("b", "a")], ids=repr)
def test_check_panels_of_names_returns_them(panels):
    assert check_panels(panels) == panels


def test_check_panels_of_a_list_returns_a_tuple():
    assert check_panels(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize("panels", ["input", (), ("a", 1), ("a", "a"), ("a", None)], ids=repr)
def test_check_panels_of_others_shows_them(panels):
    with pytest.raises(ValueError, match=r"`panels` must .*got "):
        check_panels(panels)


def test_require_chosen_of_one_returns_it():
    assert require_chosen(TWO, Batch(None, None, [A, B])) == 1


def test_require_chosen_without_choice_lists_the_outputs():
    rule = r"`output` must say .*2 outputs.*'a': shape \(1,\).*'b': shape \(1,\).*output=name"
    with pytest.raises(ValueError, match=rule):
        require_chosen(OPEN, Batch(None, None, [A, B]))
