"""When a snapshot is due, and where in the run it stands: counted without any training."""

import numpy as np
import pytest

from keras_image_saver.progress import Moment, Progress, Schedule


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


def test_schedule_by_batches_is_not_due_where_steps_stand_or_go_back():
    assert not any(Schedule(every_batches=3).step_is_due(7, after) for after in (7, 6, 5, 0))


def test_schedule_takes_numpy_ints():
    assert due_epochs(Schedule(every_epochs=np.int64(4))) == [4, 8]


@pytest.mark.parametrize("true", [True, np.True_], ids=["Python's", "NumPy's"])
def test_schedule_by_a_function_is_due_where_that_says_so(true):
    schedule = Schedule(every_epochs=lambda epoch: true if epoch in (1, 2, 8) else not true)
    assert due_epochs(schedule) == [1, 2, 8]


def test_schedule_by_a_function_and_batches_is_due_at_both():
    schedule = Schedule(lambda epoch: epoch == 4, 5)
    assert due_epochs(schedule) == [4]
    assert schedule.step_is_due(4, 5)


@pytest.mark.parametrize("value", [1, None, "yes"], ids=repr)
def test_schedule_by_a_function_that_returns_neither_true_nor_false_shows_what(value):
    with pytest.raises(TypeError, match=f"must return True or False, got {value!r} for epoch 3"):
        Schedule(every_epochs=lambda epoch: value).epoch_is_due(3)


def test_schedule_by_a_function_that_fails_says_for_which_epoch():
    with pytest.raises(ValueError, match="for 3 it failed: ZeroDivisionError") as found:
        Schedule(every_epochs=lambda epoch: epoch / 0 > 1).epoch_is_due(3)
    assert isinstance(found.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("given", [{"every_epochs": max}, {"every_batches": 1}], ids=repr)
def test_schedule_belongs_to_no_loop(given):
    Schedule().check_loop()
    with pytest.raises(ValueError, match="belong to `fit`"):
        Schedule(**given).check_loop()


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


# Counting


class Fit:
    """Reports epochs and batches as Keras's `fit` does; what was due is in `due`."""

    def __init__(self, schedule, steps=None):
        self.progress = Progress(schedule)
        self.progress.steps_per_epoch = steps
        self.due = []

    def __call__(self, first, last, batches, *, reported=None):
        """Train epochs counted from 0; of `batches` an epoch only the `reported` numbers are seen."""
        self.progress.begin_fit(first)
        for epoch in range(first, last):
            self.progress.begin_epoch(epoch)
            for batch in range(batches) if reported is None else reported:
                self.take(self.progress.begin_batch())
                self.take(self.progress.end_batch(batch, dict))
            self.take(self.progress.end_epoch())
        return self

    def take(self, due):
        if due is not None:
            self.due.append(due if isinstance(due, Moment) else due[0])


def test_moment_is_counted_from_1_and_0_is_the_untrained_model():
    assert Moment() == (0, 0, 0)
    assert Fit(Schedule())(0, 2, 3).due == [(1, 3, 3), (2, 3, 6)]


def test_progress_without_reported_batches_counts_what_keras_says():
    assert Fit(Schedule(), steps=4)(0, 2, 0, reported=[]).due == [(1, 4, 4), (2, 4, 8)]


def test_progress_without_batches_or_their_number_counts_epochs_alone():
    assert Fit(Schedule())(0, 2, 0, reported=[]).due == [(1, 0, 0), (2, 0, 0)]


def test_progress_by_batches_counts_steps_over_epochs():
    fit = Fit(Schedule(every_batches=4))(0, 2, 6)
    assert fit.due == [(1, 4, 4), (2, 2, 8), (2, 6, 12)]


@pytest.mark.parametrize(
    "reported",
    [pytest.param([3, 7], id="past the end, as Keras 3"), pytest.param([3, 5], id="as Keras 2")],
)
def test_progress_under_steps_per_execution_counts_no_step_past_the_end(reported):
    fit = Fit(Schedule(every_batches=5), steps=6)(0, 2, 6, reported=reported)
    assert fit.due == [(1, 6, 6), (2, 4, 10)]


def test_progress_takes_a_step_and_an_epoch_that_fall_together_once():
    fit = Fit(Schedule(every_epochs=1, every_batches=2), steps=4)(0, 2, 4)
    assert fit.due == [(1, 2, 2), (1, 4, 4), (2, 2, 6), (2, 4, 8)]


def test_progress_holds_a_step_of_a_due_epoch_with_its_logs_until_a_batch_follows():
    progress = Progress(Schedule(every_epochs=1, every_batches=1))
    progress.begin_epoch(0)
    assert progress.begin_batch() is None
    assert progress.end_batch(0, lambda: {"loss": 1.0}) is None
    assert progress.begin_batch() == ((1, 1, 1), {"loss": 1.0})
    assert progress.begin_batch() is None
    assert progress.end_batch(1, dict) is None
    assert progress.end_epoch() == (1, 2, 2)
    assert progress.begin_batch() is None


def test_progress_holds_no_step_of_an_epoch_that_is_not_due():
    progress = Progress(Schedule(every_epochs=2, every_batches=1))
    progress.begin_epoch(0)
    assert progress.end_batch(0, lambda: {"loss": 1.0}) == ((1, 1, 1), {"loss": 1.0})


def test_progress_asks_a_function_where_an_epoch_begins_and_at_no_other_time():
    """On JAX and PyTorch, batches may be reported from threads where the user's code does not belong."""
    asked = []
    progress = Progress(Schedule(lambda epoch: asked.append(epoch) or epoch == 2, 1))
    progress.begin_fit(0)
    for epoch in (0, 1):
        assert progress.begin_epoch(epoch) is None
        assert asked[-1] == epoch + 1
        count = len(asked)
        held = progress.end_batch(0, dict) is None
        due = progress.end_epoch() is not None
        assert (held, due, len(asked)) == (epoch == 1, epoch == 1, count)


def test_progress_refuses_a_function_that_fails_for_the_first_epoch():
    progress = Progress(Schedule(lambda epoch: epoch))
    with pytest.raises(TypeError, match="got 3 for epoch 3"):
        progress.begin_fit(2)


def test_progress_counts_an_epoch_as_due_for_which_the_function_fails():
    progress = Progress(Schedule(lambda epoch: epoch == 1 or 1 / 0))
    progress.begin_fit(0)
    errors = [progress.begin_epoch(epoch) for epoch in (0, 1)]
    assert errors[0] is None
    assert "for 2 it failed: ZeroDivisionError" in str(errors[1])
    assert progress.end_epoch() == (2, 0, 0)


def test_progress_asks_for_logs_only_where_a_step_is_due():
    asked = []
    progress = Progress(Schedule(every_batches=3))
    progress.begin_epoch(0)
    for batch in range(7):
        progress.end_batch(batch, lambda batch=batch: asked.append(batch) or {})
    assert asked == [2, 5]


def test_progress_goes_on_where_a_second_fit_starts_at_0():
    fit = Fit(Schedule())(0, 2, 3)(0, 1, 3)
    assert fit.due[-1] == (3, 3, 9)


def test_progress_takes_the_epochs_of_a_second_fit_that_names_them():
    fit = Fit(Schedule())(0, 2, 3)(2, 4, 3)
    assert fit.due[-2:] == [(3, 3, 9), (4, 3, 12)]


@pytest.mark.parametrize(
    ("schedule", "steps_per_epoch", "recorded", "expected"),
    [
        pytest.param(Schedule(), 4, 10, 14, id="by epochs, by the record"),
        pytest.param(Schedule(), 4, 0, 12, id="by epochs, without a record"),
        pytest.param(Schedule(every_batches=3), 4, 6, 12, id="by batches, the record is behind"),
        pytest.param(Schedule(every_batches=3), 4, 9, 13, id="by batches, the dataset is shorter"),
        pytest.param(Schedule(every_batches=3), None, 6, 10, id="of unknown length"),
        pytest.param(Schedule(1, 3), 4, 10, 14, id="by both, by the record"),
    ],
)
def test_progress_counts_on_where_a_run_resumes(schedule, steps_per_epoch, recorded, expected):
    progress = Progress(schedule)
    progress.steps_per_epoch = steps_per_epoch
    progress.begin_fit(2)
    progress.resume(2, recorded)
    progress.begin_epoch(2)
    for batch in range(4):
        progress.end_batch(batch, dict)
    assert progress.end_batch(3, dict) is None  # it has ended already
    assert progress.now == (3, 4, expected)


def test_progress_that_resumes_anew_forgets_the_batches_of_a_start_that_failed():
    progress = Progress(Schedule())
    for _ in range(2):
        progress.begin_fit(3)
        progress.resume(3, 9)
        progress.begin_epoch(3)
        progress.end_batch(0, dict)
    assert progress.now == (4, 1, 10)


# Loops of one's own


def loop(progress, *counts):
    progress.begin_loop()
    return [progress.count(**count) for count in counts]


def test_count_says_what_a_loop_names_counted_from_1():
    progress = Progress(Schedule())
    assert loop(progress, {"epoch": 0, "batch": 2, "step": 2}, {"epoch": 1}, {"step": 9}) == [
        (1, 3, 3),
        (2, 0, 0),
        (0, 0, 10),
    ]


def test_count_goes_on_where_a_second_loop_starts_at_0():
    progress = Progress(Schedule())
    loop(progress, {"epoch": 0, "step": 3}, {"epoch": 1, "step": 7})
    assert loop(progress, {"epoch": 0, "step": 0}, {"epoch": 1, "step": 4}) == [
        (3, 0, 9),
        (4, 0, 13),
    ]
    assert loop(progress, {"epoch": 4, "step": 20}) == [(5, 0, 21)]


def test_count_after_a_fit_goes_on_with_its_epochs():
    fit = Fit(Schedule())(0, 2, 3)
    assert loop(fit.progress, {"epoch": 0}) == [(3, 0, 0)]
