"""Summaries of a measure's values, and when samples have collapsed."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS

from keras_image_saver.render.summaries import BEST_SNAPSHOTS, WORST, Collapse, Summary, summarize

NAN = math.nan


def told(values):
    """The numbers of the snapshots, from 0, at which a collapse is told, and the medians."""
    watch = Collapse()
    found = [watch.add(value) for value in values]
    return {number: median for number, median in enumerate(found) if median is not None}


# Summaries


@pytest.mark.parametrize(
    ("more_is_worse", "order"), [(True, [2, 0, 3, 1]), (False, [1, 0, 3, 2])], ids=["most", "least"]
)
def test_summarize_lists_the_worst_first_and_of_equal_ones_the_first(more_is_worse, order):
    values = np.array([2, 1, 7, 2], np.float32)
    found = summarize(values, more_is_worse=more_is_worse)
    worst = tuple((index, float(values[index])) for index in order)
    assert found == Summary(3, 1, 7, 0, worst)


@pytest.mark.parametrize("more_is_worse", [True, False])
def test_summarize_shows_nan_as_the_worst_and_counts_it(more_is_worse):
    values = np.array([1, NAN, 3, NAN], np.float32)
    found = summarize(values, more_is_worse=more_is_worse)
    assert (found.mean, found.least, found.most, found.nan) == (2, 1, 3, 2)
    assert [index for index, _ in found.worst] == [1, 3, *((2, 0) if more_is_worse else (0, 2))]
    assert math.isnan(found.worst[0][1])


def test_summarize_of_nan_alone_is_nan():
    found = summarize(np.array([NAN, NAN], np.float32), more_is_worse=True)
    assert all(map(math.isnan, (found.mean, found.least, found.most)))
    assert (found.nan, len(found.worst)) == (2, 2)


def test_summarize_keeps_infinities():
    found = summarize(np.array([1, math.inf], np.float32), more_is_worse=False)
    assert (found.mean, found.most, found.worst[0]) == (math.inf, math.inf, (0, 1))
    opposite = summarize(np.array([-math.inf, math.inf]), more_is_worse=False)
    assert math.isnan(opposite.mean)


def test_summarize_holds_as_many_samples_as_are_asked_for():
    values = np.arange(100, dtype=np.float32)
    assert len(summarize(values, more_is_worse=True).worst) == WORST == 8
    of_grid = summarize(values[:1] + 0.5, more_is_worse=False, of_grid=True)
    assert of_grid == Summary(0.5, 0.5, 0.5)


def test_summarize_returns_what_json_takes():
    found = summarize(np.array([0.5], np.float32), more_is_worse=True)
    assert {type(x) for x in (found.mean, found.least, found.most, *found.worst[0])} == {float, int}


# Collapse


def test_collapse_is_told_once_with_the_median_of_the_best():
    assert told([0.3, 0.5, 0.4, 0.2, 0.6, 0.4, 0.09, 0.01, 0.5, 0.01]) == {6: 0.4}


def test_collapse_is_not_told_at_the_mark_itself():
    assert told([0.4] * 5 + [0.1]) == {}
    assert told([0.4] * 5 + [0.0999]) == {5: 0.4}


def test_collapse_is_not_told_before_five_snapshots():
    assert told([0.4] * 4 + [0.01]) == {}
    assert told([0.4] * 4 + [0.01, 0.01]) == {5: 0.4}
    assert BEST_SNAPSHOTS == 5


def test_collapse_is_not_told_of_a_rise_or_of_nan():
    assert told([0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.3, 0.35]) == {}
    assert told([0.4, 0.4, NAN, NAN, NAN, NAN, 0.4, 0.05, 0.4, NAN, 0.05]) == {10: 0.4}


@pytest.mark.parametrize("untrained", [0.001, 0.9], ids=["grey", "loud noise"])
def test_collapse_does_not_hang_on_the_untrained_picture(untrained):
    assert told([untrained, 0.2, 0.25, 0.22, 0.2, 0.21, 0.2, 0.19]) == {}
    assert list(told([untrained, 0.2, 0.25, 0.22, 0.2, 0.21, 0.2, 0.02])) == [7]


def test_collapse_can_be_copied_halfway():
    watch = Collapse()
    for value in [0.4] * 5:
        watch.add(value)
    other = copy.deepcopy(watch)
    assert other.add(0.01) == watch.add(0.01) == 0.4


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(
        np.float32,
        st.integers(1, 12),
        elements=st.sampled_from([NAN, 0, 0.5, -3]) | st.floats(-9, 9, width=32),
    ),
    layout=st.sampled_from([*LAYOUTS]),
    more_is_worse=st.booleans(),
)
def test_summary_of_any_values_is_that_of_sorted_ones(values, layout, more_is_worse):
    found = summarize(LAYOUTS[layout](values), more_is_worse=more_is_worse)
    numbers = values.tolist()
    known = [one for one in numbers if not math.isnan(one)]
    assert found.nan == len(numbers) - len(known)
    if known:
        assert found.mean == pytest.approx(math.fsum(known) / len(known), abs=1e-12)
        assert (found.least, found.most) == (min(known), max(known))
    sign = -1 if more_is_worse else 1
    order = sorted(
        range(len(numbers)),
        key=lambda i: (
            not math.isnan(numbers[i]),
            0 if math.isnan(numbers[i]) else sign * numbers[i],
        ),
    )
    assert [index for index, _ in found.worst] == order[:8]
    np.testing.assert_array_equal([value for _, value in found.worst], values[order[:8]])
