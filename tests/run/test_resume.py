"""What is gone on with, decided from what was read: no test here has a folder."""

import io

import numpy as np
import pytest

from keras_image_saver.run.found import Found, steps_at
from keras_image_saver.run.lines import line_of
from keras_image_saver.run.resume import resume
from keras_image_saver.run.samples_file import save_samples
from keras_image_saver.samples import Samples


def entry(epoch, step=0, **changes):
    return {"epoch": epoch, "batch": 4, "step": step or 4 * epoch, "file": "a.png", **changes}


def samples(rows=2, *, value=0, from_dataset=False, **changes):
    inputs = np.full((rows, 3), value, np.float32)
    return Samples(**{"inputs": inputs, "from_dataset": from_dataset, **changes})


def content(kept):
    file = io.BytesIO()
    save_samples(kept, file, run="")
    file.seek(0)
    return file


def resumed(entries=(), epochs_done=3, *, given=None, kept=None, alone=True, every=1, warnings=()):
    lines = tuple(map(line_of, entries))
    found = Found(lines, warnings, samples=None if kept is None else content(kept))
    return resume(
        "runs/ae",
        found,
        samples() if given is None else given,
        epochs_done,
        lambda epoch: epoch % every == 0,
        alone=alone,
    )


# The record


def test_entries_beyond_the_epochs_that_are_done_are_left_out():
    entries = [entry(epoch) for epoch in (1, 2, 3, 4, 5)]
    start = resumed(entries, 3)
    assert start.entries == tuple(entries[:3])
    assert start.resumed
    assert start.steps == 12
    assert start.news == start.warnings == ()


def test_due_epochs_after_the_last_entry_are_entered_as_missed_and_told():
    start = resumed([entry(2)], 7, every=2)
    assert [(one["epoch"], one["step"], one["file"]) for one in start.entries] == [
        (2, 8, "a.png"),
        (4, 16, None),
        (6, 24, None),
    ]
    assert {one.get("reason") for one in start.entries[1:]} == {
        "training ended before it was written"
    }
    assert start.news == (
        "The run in runs/ae has no snapshot of 2 epochs that were trained before, 4, 6: they were "
        "not written when that training ended.",
    )


def test_many_missed_epochs_are_told_by_the_first_ten():
    (line,) = resumed([entry(1)], 12).news
    assert "no snapshot of 11 epochs" in line
    assert "2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more:" in line


@pytest.mark.parametrize("entries", [(), [entry(5)]], ids=["no record", "a record of later epochs"])
def test_without_a_kept_entry_nothing_is_entered_as_missed(entries):
    start = resumed(entries, 3)
    assert (start.entries, start.news, start.steps) == ((), (), 0)


def test_warnings_of_the_record_are_handed_on():
    assert resumed(warnings=("2 lines",)).warnings == ("2 lines",)


# Steps


@pytest.mark.parametrize(
    ("epoch", "entries", "steps"),
    [
        pytest.param(3, [], 0, id="no entry"),
        pytest.param(3, [entry(2, 8), entry(3, 12)], 12, id="at the epoch's end"),
        pytest.param(3, [entry(3, 11)], 11, id="in the epoch"),
        pytest.param(5, [entry(3, 300)], 500, id="epochs as long as before"),
        pytest.param(5, [entry(3, 10)], 16, id="rounded down"),
        pytest.param(3, [entry(0, batch=0) | {"step": 0}], 0, id="the untrained model"),
        pytest.param(4, [entry(2, 8), entry(1, 4)], 16, id="the newest by its step"),
        pytest.param(3, [{"epoch": 2, "batch": 1}], 0, id="a record without steps"),
    ],
)
def test_steps_at_an_epochs_end(epoch, entries, steps):
    assert steps_at(epoch, entries) == steps


# Samples


def test_arrays_that_are_those_of_the_run_are_drawn_without_a_word():
    given = samples()
    start = resumed(given=given, kept=samples())
    assert start.samples is given
    assert start.warnings == ()


def test_other_arrays_are_drawn_and_warned_of():
    given = samples(value=1)
    start = resumed(given=given, kept=samples())
    assert start.samples is given
    assert start.warnings == (
        "`samples` are not those that the run in 'runs/ae' was begun with; the given ones are drawn "
        "from here on.",
    )


def test_rows_of_a_dataset_are_replaced_by_those_of_the_run():
    start = resumed(given=samples(5, value=1, from_dataset=True), kept=samples(6, value=2))
    np.testing.assert_array_equal(start.samples.inputs, samples(6, value=2).inputs)
    assert start.warnings == ()


def test_samples_of_another_structure_are_not_used():
    given = samples(from_dataset=True)
    start = resumed(given=given, kept=samples(targets=np.zeros((2, 1))))
    assert start.samples is given
    assert "are not those" in start.warnings[0]


def test_samples_that_cannot_be_read_are_warned_of():
    given = samples()
    start = resume(
        "runs/ae", Found(samples=io.BytesIO(b"PK broken")), given, 1, lambda epoch: True, alone=True
    )
    assert start.samples is given
    (warning,) = start.warnings
    assert warning.startswith("samples.npz in 'runs/ae' cannot be read: ")


@pytest.mark.parametrize(
    ("given", "kept"), [(samples(value=1), None), (Samples(None), samples())], ids=["none", "made"]
)
def test_without_samples_on_either_side_the_given_ones_are_drawn(given, kept):
    start = resumed(given=given, kept=kept)
    assert start.samples is given
    assert start.warnings == ()


def test_workers_of_several_take_neither_steps_nor_rows_from_the_folder():
    """The others see no folder, and all must draw as many rows at the same steps."""
    given = samples(5, from_dataset=True)
    start = resumed([entry(3)], given=given, kept=samples(6), alone=False)
    assert start.steps == 0
    assert start.samples is given
    assert "are not those" in start.warnings[0]
    assert start.entries == (entry(3),)


def test_workers_of_several_take_other_rows_of_the_same_number():
    given, kept = samples(5, from_dataset=True), samples(5, value=2)
    start = resumed(given=given, kept=kept, alone=False)
    np.testing.assert_array_equal(start.samples.inputs, kept.inputs)
    assert start.warnings == ()
