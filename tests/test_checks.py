"""Checks of arguments."""

import numpy as np
import pytest

from keras_image_saver.checks import check_choice, check_int, check_number, is_int, is_number


@pytest.mark.parametrize("value", [0, -3, 2**70, np.int8(1), np.uint64(1)], ids=repr)
def test_is_int_of_an_int_is_true(value):
    assert is_int(value)
    assert is_number(value)


@pytest.mark.parametrize("value", [0.5, float("nan"), np.float16(1), np.float64(1)], ids=repr)
def test_is_number_of_a_float_is_true(value):
    assert is_number(value)
    assert not is_int(value)


@pytest.mark.parametrize(
    "value", [True, np.True_, None, "1", 1j, [1], np.array(1), np.array([1.0])], ids=repr
)
def test_is_number_of_anything_else_is_false(value):
    assert not is_number(value)
    assert not is_int(value)


@pytest.mark.parametrize("value", [1, 9, np.int64(5)], ids=repr)
def test_check_int_within_the_limits_passes(value):
    check_int("columns", value, 1, 9)
    check_int("columns", value, 1)


@pytest.mark.parametrize("value", [0, 10, 2.0, True, "3", None], ids=repr)
def test_check_int_of_others_shows_limits_and_value(value):
    with pytest.raises(ValueError, match=f"`columns` must be an int from 1 to 9, got {value!r}"):
        check_int("columns", value, 1, 9)


def test_check_int_without_an_upper_limit_says_or_more():
    with pytest.raises(ValueError, match=r"`padding` must be an int, 0 or more, got -1\."):
        check_int("padding", -1, 0)


def test_check_int_that_is_optional_takes_none_and_says_so():
    check_int("columns", None, 1, optional=True)
    with pytest.raises(ValueError, match="an int, 1 or more, or None, got 0"):
        check_int("columns", 0, 1, optional=True)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.25)], ids=repr)
def test_check_number_within_the_limits_passes(value):
    check_number("overlay", value, 0, 1)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), True, "0.5", None], ids=repr)
def test_check_number_of_others_shows_limits_and_value(value):
    rule = f"`overlay` must be a share from 0 to 1, got {value!r}"
    with pytest.raises(ValueError, match=rule):
        check_number("overlay", value, 0, 1, what="a share")


def test_check_choice_of_a_word_passes():
    check_choice("previous", "keep", ("keep", "delete"))


@pytest.mark.parametrize("value", ["kept", "", None, 1, ["keep"]], ids=repr)
def test_check_choice_of_others_lists_the_words(value):
    with pytest.raises(ValueError, match=r'`previous` must be "keep" or "delete", got ') as raised:
        check_choice("previous", value, ("keep", "delete"))
    assert repr(value) in str(raised.value)
