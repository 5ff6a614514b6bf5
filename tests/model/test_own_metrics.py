"""What functions of the user's return: a value a sample, or more, and nothing else."""

import numpy as np
import pytest
from support.versions import refuses_ragged

from keras_image_saver.model.own_metrics import call_metrics

X = np.zeros((3, 4, 4, 1), np.float32)


def called(returned):
    return call_metrics({"mine": lambda targets, outputs: returned}, X, [X], 0)["mine"]


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        pytest.param(np.float32(0.5), r'got shape \(\) .* needs reduction="none"', id="one number"),
        pytest.param(None, r"got None \(NoneType\) for 3 samples\.$", id="None"),
        pytest.param({"a": 1}, r"got \{'a': 1\} \(dict\) for 3 samples\.$", id="a dict"),
        pytest.param(np.zeros((2, 4)), r"got shape \(2, 4\) .* for 3 samples\.$", id="fewer"),
        pytest.param(np.zeros((3, 0)), r"got shape \(3, 0\)", id="no values"),
        pytest.param(
            [[1.0], [2.0, 3.0], [4.0]],
            "be one array",
            id="rows of other lengths",
            marks=refuses_ragged,
        ),
        pytest.param(["a", "b", "c"], r"real numbers, got shape \(3,\)", id="texts"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_value_a_sample_is_refused_by_the_functions_name(returned, text):
    with pytest.raises(ValueError, match=rf"^`metrics\['mine'\]` must .*{text}"):
        called(returned)


def test_function_that_fails_is_told_with_the_rows_that_it_got():
    def fails(targets, outputs):
        raise TypeError("no")

    shown = r"targets: shape \(2, 4, 4, 1\) .*; outputs: shape \(2, 4, 4, 1\)"
    with pytest.raises(ValueError, match=rf"^`metrics\['mine'\]` raised TypeError: no\. .*{shown}"):
        call_metrics({"mine": fails}, X, [X[:2], X[2:]], 0)


@pytest.mark.parametrize(
    ("returned", "values"),
    [
        pytest.param([1, 2, 3], [1, 2, 3], id="a list"),
        pytest.param(np.eye(3, dtype=bool), [1 / 3] * 3, id="bool"),
        pytest.param(np.full((3, 2), 2.0**-30, np.float16), [0, 0, 0], id="float16"),
        pytest.param(np.array([np.nan, np.inf, 1]), [np.nan, np.inf, 1], id="no numbers"),
    ],
)
def test_values_are_averaged_over_all_but_the_samples(returned, values):
    found = called(returned)
    assert (found.dtype, found.shape) == (np.float32, (3,))
    np.testing.assert_allclose(found, values, rtol=1e-6)


def test_each_function_gets_tensors_of_its_own():
    given = []

    def mine(targets, outputs):
        given.extend([targets["y"], outputs])
        return outputs

    call_metrics({"mine": mine, "other": mine}, {"y": X}, [X], 0)
    assert len({*map(id, given)}) == 4
