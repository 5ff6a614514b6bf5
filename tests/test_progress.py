"""When a snapshot is due."""

import numpy as np
import pytest

from keras_image_saver.progress import Schedule


def due_epochs(schedule, count=8):
    return [epoch for epoch in range(1, count + 1) if schedule.epoch_is_due(epoch)]


def test_schedule_without_arguments_is_every_epoch_and_no_batch():
    assert due_epochs(Schedule()) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not Schedule().step_is_due(0, 1_000)


@pytest.mark.parametrize(("every", "due"), [(1, [*range(1, 9)]), (3, [3, 6]), (9, [])])
def test_schedule_by_epochs_is_due_at_multiples(every, due):
    assert due_epochs(Schedule(every_epochs=every)) == due


def test_schedule_by_batches_alone_is_due_at_no_epoch():
    assert due_epochs(Schedule(every_batches=5)) == []


def test_schedule_by_both_is_due_at_both():
    schedule = Schedule(every_epochs=4, every_batches=5)
    assert due_epochs(schedule) == [4, 8]
    assert schedule.step_is_due(4, 5)


@pytest.mark.parametrize(
    ("every", "steps", "due"),
    [
        pytest.param(1, [1, 2, 3], [1, 2, 3], id="each"),
        pytest.param(3, range(1, 10), [3, 6, 9], id="every third"),
        pytest.param(3, [4, 8, 12], [4, 8, 12], id="steps_per_execution over it"),
        pytest.param(5, [4, 8, 12, 16, 20], [8, 12, 16, 20], id="crossed, not met"),
        pytest.param(10, [4, 6, 10, 12, 16, 18, 22], [10, 22], id="epochs of six"),
    ],
)
def test_schedule_by_batches_is_due_when_a_multiple_is_crossed(every, steps, due):
    schedule, before, found = Schedule(every_batches=every), 0, []
    for step in steps:
        if schedule.step_is_due(before, step):
            found.append(step)
        before = step
    assert found == due


def test_schedule_takes_numpy_ints():
    assert due_epochs(Schedule(every_epochs=np.int64(4))) == [4, 8]


@pytest.mark.parametrize("name", ["every_epochs", "every_batches"])
@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, "2"], ids=repr)
def test_schedule_with_invalid_argument_shows_it(name, value):
    with pytest.raises(
        ValueError, match=f"`{name}` must be an int, 1 or more, or None, got {value!r}"
    ):
        Schedule(**{name: value})


def test_schedule_equals_one_with_the_same_arguments():
    assert Schedule() == Schedule(None, None)
    assert Schedule(every_epochs=2) != Schedule()
