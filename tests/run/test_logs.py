"""Metrics made plain."""

import json
import math
import pickle

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.pixels import FLOATS, INTEGERS, dtype_of

from keras_image_saver.run.logs import from_json_logs, json_logs, plain_logs


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.5, 0.5, id="float"),
        pytest.param(3, 3, id="int"),
        pytest.param(True, True, id="bool"),
        pytest.param("text", "text", id="text"),
        pytest.param(None, "None", id="none"),
        pytest.param(np.float32(0.5), 0.5, id="float32"),
        pytest.param(np.float64(0.5), 0.5, id="float64"),
        pytest.param(np.float16(0.5), 0.5, id="float16"),
        pytest.param(ml_dtypes.bfloat16(0.5), 0.5, id="bfloat16"),
        pytest.param(np.int64(3), 3, id="int64"),
        pytest.param(np.bool_(True), True, id="numpy bool"),
        pytest.param(np.array(0.5), 0.5, id="array of no axis"),
        pytest.param(np.array([0.5]), 0.5, id="array of one"),
        pytest.param(np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], id="array"),
        pytest.param([0.5, 1], [0.5, 1.0], id="list"),
        pytest.param(np.zeros((9, 9)), "array of shape (9, 9)", id="large array"),
        pytest.param([[1], [2, 3]], "[[1], [2, 3]]", id="ragged list"),
        pytest.param({"a": 1}, "{'a': 1}", id="dict"),
        pytest.param(1 + 2j, "(1+2j)", id="complex"),
    ],
)
def test_plain_logs_turn_values_into_python_numbers(value, expected):
    plain = plain_logs({"metric": value})["metric"]
    assert plain == expected
    assert type(plain) is type(expected)


def test_plain_logs_of_none_are_empty():
    assert plain_logs(None) == {}


def test_plain_logs_keep_order_and_turn_keys_into_text():
    assert list(plain_logs({"b": 1, "a": 2, 3: 4})) == ["b", "a", "3"]


def test_plain_logs_leave_the_callers_dict():
    logs = {"loss": np.float32(0.5)}
    plain_logs(logs)["loss"] = 7
    assert logs == {"loss": np.float32(0.5)}
    assert isinstance(logs["loss"], np.float32)


def test_plain_logs_of_a_tensor_that_has_no_value_are_text():
    class Symbolic:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("a symbol has no value")

        def __str__(self):
            return "a symbolic tensor"

    assert plain_logs({"loss": Symbolic()}) == {"loss": "a symbolic tensor"}


class Broken:
    """What neither is an array nor has a text."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")

    def __str__(self):
        raise RuntimeError("no text")


def test_plain_logs_of_what_has_no_text_say_of_which_type_it_is():
    assert plain_logs({"metric": Broken()}) == {"metric": "a Broken without a text"}


@pytest.mark.parametrize(
    ("count", "expected"), [(64, [0.0] * 64), (65, "array of shape (65,)")], ids=str
)
def test_plain_logs_have_the_values_of_arrays_of_64_at_most(count, expected):
    assert plain_logs({"metric": np.zeros(count)}) == {"metric": expected}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(math.nan, "NaN", id="nan"),
        pytest.param(math.inf, "Infinity", id="infinity"),
        pytest.param(-math.inf, "-Infinity", id="minus infinity"),
        pytest.param([1.0, [math.nan]], [1.0, ["NaN"]], id="in lists"),
        pytest.param(0.5, 0.5, id="number"),
        pytest.param("NaN", "NaN", id="text"),
        pytest.param(True, True, id="bool"),
    ],
)
def test_json_logs_have_no_nan(value, expected):
    assert json_logs({"loss": value}) == {"loss": expected}


@pytest.mark.parametrize(
    "value",
    [np.float32("nan"), np.array([1.0, np.inf]), np.float64("-inf"), None, object(), np.zeros(99)],
    ids=lambda value: type(value).__name__,
)
def test_plain_logs_made_fit_for_json_are_json(value):
    text = json.dumps(json_logs(plain_logs({"metric": value})), allow_nan=False)
    assert list(json.loads(text)) == ["metric"]


def test_plain_logs_are_pickled():
    plain = plain_logs({"a": np.float32(1), "b": np.array([1, 2])})
    assert pickle.loads(pickle.dumps(plain)) == {"a": 1.0, "b": [1, 2]}


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from([*FLOATS, *INTEGERS, "bool"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=5),
)
def test_logs_of_any_array_are_read_as_they_were(data, dtype, shape):
    kind = "float64" if dtype == "bfloat16" else dtype
    values = data.draw(hnp.arrays(kind, shape))
    with np.errstate(over="ignore"):
        values = values.astype(dtype_of(dtype))
    array = LAYOUTS[data.draw(st.sampled_from([*LAYOUTS]))](values)
    text = json.dumps(json_logs(plain_logs({"metric": array})), allow_nan=False)
    (found,) = from_json_logs(json.loads(text)).values()
    if array.size > 64:
        assert found == f"array of shape {shape}"
        return
    assert np.shape(found) == (() if array.size == 1 else shape)
    expected = array.astype(np.float64) if dtype in FLOATS else array
    np.testing.assert_array_equal(np.array(found, expected.dtype).ravel(), expected.ravel())
