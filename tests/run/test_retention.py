"""Which snapshots stay on disk, decided without any disk."""

import re

import pytest

from keras_image_saver.run.retention import Newest, Retention, is_removed, removed_files

pytestmark = pytest.mark.numpy


def entry(epoch, file=None, **changes):
    return {"epoch": epoch, "batch": 0, "file": f"{epoch}.png" if file is None else file, **changes}


def kept(retention, entries):
    """The positions of those that stay, where each snapshot may go as soon as it is there."""
    newest, there = Newest(retention), set(range(len(entries)))
    for position, one in enumerate(entries):
        newest.add(position, one, is_free=True)
        there -= set(newest.take())
    return sorted(there)


@pytest.mark.parametrize(
    ("most", "period", "count", "stay"),
    [
        pytest.param(None, None, 5, [1, 2, 3, 4, 5], id="all"),
        pytest.param(1, None, 1, [1], id="one of one"),
        pytest.param(1, None, 4, [1, 4], id="one"),
        pytest.param(3, None, 4, [1, 2, 3, 4], id="three of four, and the first"),
        pytest.param(3, None, 9, [1, 7, 8, 9], id="three"),
        pytest.param(2, 3, 9, [1, 3, 6, 8, 9], id="a period"),
        pytest.param(2, 3, 12, [1, 3, 6, 9, 11, 12], id="a period, not counted"),
        pytest.param(1, 1, 4, [1, 2, 3, 4], id="a period of one"),
        pytest.param(9, 2, 4, [1, 2, 3, 4], id="more than there are"),
    ],
)
def test_newest_first_and_period_stay(most, period, count, stay):
    entries = [entry(epoch) for epoch in range(1, count + 1)]
    assert [position + 1 for position in kept(Retention(most, period), entries)] == stay


def test_last_of_an_epoch_stays_and_not_those_before_it():
    entries = [entry(epoch, f"{epoch}-{batch}") for epoch in range(1, 6) for batch in (1, 2, 3)]
    stay = [entries[position]["file"] for position in kept(Retention(1, 2), entries)]
    assert stay == ["1-1", "2-3", "4-3", "5-3"]


def test_untrained_model_is_of_no_epoch_that_a_period_divides():
    entries = [entry(0, f"{step}.png") for step in range(4)]
    assert kept(Retention(1, 1), entries) == [0, 3]
    assert kept(Retention(1, 2), [entry(epoch) for epoch in range(5)]) == [0, 2, 4]


def test_missed_snapshots_are_neither_first_nor_counted_nor_removed():
    missed = {"file": None}
    entries = [
        {**entry(1), **missed},
        entry(2),
        entry(3),
        {**entry(4), **missed},
        entry(5),
        entry(6),
    ]
    assert kept(Retention(1), entries) == [0, 1, 3, 5]
    assert kept(Retention(2), entries) == [0, 1, 3, 4, 5]


def test_removed_snapshots_are_neither_first_nor_counted():
    entries = [entry(1, removed=True), entry(2), entry(3, removed=True), entry(4), entry(5)]
    assert kept(Retention(2), entries) == [0, 1, 2, 3, 4]


def test_snapshot_that_has_the_picture_of_one_before_keeps_it():
    entries = [entry(1), entry(2), entry(2), entry(3), entry(4)]
    assert kept(Retention(1), entries) == [0, 1, 4]  # the entry in between is superseded
    assert kept(Retention(1), [entry(1), entry(1), entry(2), entry(3)]) == [0, 1, 3]


def test_snapshot_goes_once_it_is_free_and_none_before_it():
    newest = Newest(Retention(1))
    for position in range(5):
        newest.add(position, entry(position + 1), is_free=False)
    assert newest.take() == []
    newest.free("3.png")
    assert newest.take() == []
    assert newest.oldest == 1
    newest.free("2.png")
    assert newest.take() == [1, 2]
    assert newest.oldest == 3
    newest.free("nobody.png")
    newest.free("4.png")
    newest.free("5.png")
    assert newest.take() == [3]
    assert newest.take() == []


def test_nothing_is_held_where_all_stay():
    newest = Newest(Retention())
    newest.add(0, entry(1), is_free=True)
    newest.add(1, entry(2), is_free=True)
    assert newest.oldest is None


def test_files_that_were_removed_are_told_newest_first_and_none_that_is_there():
    entries = [
        entry(1),
        entry(2, removed=True),
        entry(3, removed=True),
        entry(2, removed=False),
        {**entry(4), "file": None, "removed": True},
        entry(5, removed="yes"),
        entry(6, removed=True),
    ]
    assert removed_files(entries) == ["6.png", "3.png"]
    assert [is_removed(one) for one in entries] == [False, True, True, False, False, False, True]


@pytest.mark.parametrize("name", ["max_to_keep", "keep_period"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3"], ids=repr)
def test_retention_with_an_invalid_argument_shows_it(name, value):
    text = f"`{name}` must be an int, 1 or more, or None, got {value!r}"
    with pytest.raises(ValueError, match=re.escape(text)):
        Retention(**{"max_to_keep": 1, name: value})


def test_period_alone_is_refused():
    with pytest.raises(
        ValueError,
        match=r"`keep_period` must be given with `max_to_keep`.* got keep_period=5 alone",
    ):
        Retention(keep_period=5)


def test_loop_that_counts_no_epochs_has_no_period_of_them():
    Retention(3).check_counted({"step": 3})
    Retention(3, 2).check_counted({"epoch": 3})
    with pytest.raises(ValueError, match=r"must be given epoch=, .*counts 2, got step"):
        Retention(3, 2).check_counted({"step": 3})
