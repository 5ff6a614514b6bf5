"""A run that is resumed, or gone on with after an interrupt, and what its record tells."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import assert_drawn, autoencoder, drawn, floats, gan, read, tiles
from support.recorded import left_over, numbered, recorded, tree
from support.training import PREDICTION, Meddler, X, fit_x, untrained

from keras_image_saver import Images, ImageSaver, Run

# Keras 3's own on PyTorch, which `pytest.warns` gives again without saying whose it is.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)


def interrupt_at(epoch):
    def function(number, logs):
        if number == epoch:
            raise KeyboardInterrupt

    return Meddler("on_epoch_begin", function)


def test_resumed_run_supersedes_the_entries_beyond_its_first_epoch(tmp_path):
    model, path = autoencoder(), tmp_path / "{epoch}-{loss:.9f}.png"
    first = fit_x(model, ImageSaver(path, X), epochs=4).history["loss"]
    history = fit_x(model, ImageSaver(path, X), initial_epoch=2, epochs=5).history["loss"]
    losses = first[:2] + history
    saved = list(Run.open(str(tmp_path)))
    assert [(one.epoch, one.step) for one in saved] == [(n, 2 * n) for n in range(1, 6)]
    assert recorded(tmp_path) == [(n, f"{n}-{loss:.9f}.png") for n, loss in enumerate(losses, 1)]


def test_resumed_run_of_batches_goes_on_counting_steps(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X, every_batches=1), epochs=3)
    fit_x(model, ImageSaver(tmp_path, X, every_batches=1), initial_epoch=1, epochs=2)
    saved = list(Run.open(str(tmp_path)))
    assert [(one.epoch, one.batch, one.step) for one in saved] == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 1, 3),
        (2, 2, 4),
    ]


def test_resumed_run_counts_the_steps_of_epochs_without_a_snapshot(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X, every_epochs=2), epochs=3)
    fit_x(model, ImageSaver(tmp_path, X, every_epochs=2), initial_epoch=3, epochs=4)
    assert [(one.epoch, one.step) for one in Run.open(str(tmp_path))] == [(2, 4), (4, 8)]
    other = tmp_path / "batches"
    fit_x(model, ImageSaver(other, X, every_batches=3), epochs=2)
    fit_x(model, ImageSaver(other, X, every_batches=3), initial_epoch=2, epochs=4)
    assert [one.step for one in Run.open(str(other))] == [3, 6]


def test_second_loop_that_counts_steps_anew_goes_on_with_the_run(tmp_path):
    saver, model = ImageSaver(tmp_path / "{step}.png", X, render=PREDICTION), untrained()
    for _ in range(2):
        with saver.watch(model):
            for step in (0, 5):
                saver.save(step=step)
    assert [one.step for one in Run.open(str(tmp_path))] == [1, 6, 7, 12]


def test_run_resumed_before_its_first_entry_keeps_none_of_it(tmp_path, short_segments):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=4, epochs=9)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=2, epochs=3)
    assert recorded(tmp_path) == numbered(3)


def test_resuming_in_an_empty_folder_begins_its_record(tmp_path):
    fit_x(untrained(), ImageSaver(tmp_path / "run", X), initial_epoch=3, epochs=5)
    assert recorded(tmp_path / "run") == numbered(4, 5)
    assert [one.step for one in Run.open(str(tmp_path / "run"))] == [8, 10]


def test_resumed_run_has_epochs_that_were_trained_and_not_written_as_missed(tmp_path, lines):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X, every_epochs=2), epochs=2)
    fit_x(model, ImageSaver(tmp_path, X, every_epochs=2), initial_epoch=6, epochs=8)
    run = Run.open(str(tmp_path))
    assert [(one.epoch, one.step) for one in run] == [(2, 4), (8, 16)]
    assert [(one.epoch, one.step, one.missed) for one in run.missed] == [
        (epoch, 2 * epoch, "training ended before it was written") for epoch in (4, 6)
    ]
    (line,) = lines()
    assert "no snapshot of 2 epochs that were trained before, 4, 6" in line


def test_pictures_of_no_recorded_run_are_not_overwritten(tmp_path):
    for name in ("0001.png", "photo.png", "12.png"):
        (tmp_path / name).write_bytes(b"mine")
    before = tree(tmp_path)
    for path in (tmp_path, tmp_path / "{epoch:04d}.png", f"file://{tmp_path}"):
        saver = ImageSaver(path, X)
        with pytest.raises(ValueError, match=r"`filepath` must not name files .*(0001|12)\.png"):
            fit_x(untrained(), saver)
        assert tree(tmp_path) == before
    fit_x(untrained(), ImageSaver(tmp_path / "e{epoch:04d}.png", X))
    assert {name: tree(tmp_path)[name] for name in before} == before


def test_samples_file_of_no_recorded_run_is_not_overwritten(tmp_path, lines):
    (tmp_path / "samples.npz").write_bytes(b"mine")
    fit_x(untrained(), ImageSaver(tmp_path, X))
    assert recorded(tmp_path) == numbered(1, 2)
    assert (tmp_path / "samples.npz").read_bytes() == b"mine"
    (line,) = lines()
    assert line.startswith("samples.npz in ")


def shuffled(seed):
    """A dataset whose first rows are others under each seed."""
    x = floats(24, 8, 8, 1)
    return tf.data.Dataset.from_tensor_slices((x, x)).shuffle(24, seed=seed).batch(4)


def kept_samples(folder):
    with np.load(folder / "samples.npz", allow_pickle=False) as kept:
        return kept["x"]


def test_run_resumed_with_a_reshuffled_dataset_draws_the_kept_samples(tmp_path):
    model = untrained()
    path = tmp_path / "{epoch}.png"
    options = {"num_samples": 5, "render": PREDICTION}
    fit_x(model, ImageSaver(path, shuffled(1), **options), epochs=1)
    kept = kept_samples(tmp_path)
    other = next(iter(shuffled(2).unbatch().batch(5)))[0].numpy()
    assert not np.array_equal(kept, other)
    fit_x(model, ImageSaver(path, shuffled(2), **options), initial_epoch=1, epochs=2)
    np.testing.assert_array_equal(kept_samples(tmp_path), kept)
    assert_drawn(tiles(read(tmp_path / "2.png"), 5, (8, 8)), drawn(model, kept, (0, 1)))


def test_run_resumed_with_other_arrays_draws_them_and_warns(tmp_path):
    model, path = untrained(), tmp_path / "{epoch}.png"
    fit_x(model, ImageSaver(path, X, render=PREDICTION), epochs=1)
    with pytest.warns(UserWarning, match="`samples` are not those that the run in .* begun with"):
        fit_x(
            model,
            ImageSaver(path, X[::-1].copy(), render=PREDICTION),
            initial_epoch=1,
            epochs=2,
        )
    assert_drawn(tiles(read(tmp_path / "2.png"), 4, (8, 8)), drawn(model, X[::-1], (0, 1)))
    # The same arrays are no news.
    fit_x(model, ImageSaver(path, X[::-1].copy(), render=PREDICTION), initial_epoch=2, epochs=3)
    assert recorded(tmp_path) == [(1, "1.png"), (2, "2.png"), (3, "3.png")]


def test_samples_that_are_broken_on_disk_are_warned_of_and_not_used(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    content = (tmp_path / "samples.npz").read_bytes()
    (tmp_path / "samples.npz").write_bytes(content.replace(b"NUMPY", b"YPMUN"))
    with pytest.warns(UserWarning, match=r"samples\.npz in .* cannot be read"):
        fit_x(model, ImageSaver(tmp_path, X), initial_epoch=1, epochs=2)
    assert recorded(tmp_path) == numbered(1, 2)
    np.testing.assert_array_equal(kept_samples(tmp_path), X)


def test_interrupted_fit_is_gone_on_with_by_the_same_object(tmp_path):
    model, saver = autoencoder(), ImageSaver(tmp_path, X)
    with pytest.raises(KeyboardInterrupt):
        fit_x(model, saver, interrupt_at(2), epochs=5)
    fit_x(model, saver, epochs=2)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4)


@pytest.mark.parametrize("resumed", [False, True], ids=["begins anew", "resumes"])
def test_interrupted_fit_makes_way_for_a_new_saver_of_the_process(tmp_path, resumed):
    model = untrained()
    interrupted = ImageSaver(tmp_path, X)  # kept alive, as by a notebook
    with pytest.raises(KeyboardInterrupt):
        fit_x(model, interrupted, interrupt_at(2), epochs=5)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=2 if resumed else 0, epochs=3)
    assert recorded(tmp_path) == numbered(1, 2, 3)
    if not resumed:
        assert recorded(tmp_path / "previous-1") == numbered(1, 2)


class Interrupted:
    """A `predict` that Ctrl-C ends the first time."""

    def __init__(self):
        self.calls = 0

    def __call__(self, model, inputs):
        self.calls += 1
        if self.calls == 1:
            raise KeyboardInterrupt
        return model(inputs)


def test_run_that_is_interrupted_in_its_rehearsal_is_resumed_by_the_same_object(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X[:2]), epochs=3)
    saver = ImageSaver(tmp_path, X[:2], predict=Interrupted(), render=PREDICTION, previous="delete")
    with pytest.raises(KeyboardInterrupt):
        fit_x(model, saver, epochs=5, initial_epoch=3)
    fit_x(model, saver, epochs=5, initial_epoch=3)
    assert recorded(tmp_path) == numbered(1, 2, 3, 4, 5)
    steps = [snapshot.step for snapshot in Run.open(tmp_path)]
    assert steps == [steps[0] * epoch for epoch in range(1, 6)]


def test_run_that_is_interrupted_in_its_rehearsal_saves_the_untrained_model_after_all(tmp_path):
    saver = ImageSaver(tmp_path, X[:2], predict=Interrupted(), render=PREDICTION, save_initial=True)
    with pytest.raises(KeyboardInterrupt):
        fit_x(untrained(), saver)
    fit_x(untrained(), saver)
    assert recorded(tmp_path) == numbered(0, 1, 2)


def test_start_that_fails_at_the_model_leaves_no_lock(tmp_path):
    drawing = {"model": "generator", "predict": lambda model, x: model(x)}
    saver = ImageSaver(tmp_path, floats(2, 4), render=Images((-1, 1)), **drawing)
    with saver.watch(gan()):
        saver.save(epoch=0)
    watched = saver.watch(untrained())
    with pytest.raises(ValueError, match="`model` must name an attribute"):
        watched.__enter__()
    assert left_over(tmp_path) == []


def test_resumed_run_keeps_the_layout_and_the_gaps_that_it_has(tmp_path):
    model, x = untrained(), floats(9, 8, 8, 1)
    fit_x(model, ImageSaver(tmp_path, x, columns=1, pad_value=0), epochs=1)
    fit_x(model, ImageSaver(tmp_path, x), initial_epoch=1, epochs=2)
    fit_x(model, ImageSaver(tmp_path, x), initial_epoch=2, epochs=3)
    fit_x(model, ImageSaver(tmp_path, x, columns=3), initial_epoch=3, epochs=4)
    first, *others, other = [one.geometry for one in Run.open(str(tmp_path))]
    assert others == [first, first]
    assert (first["columns"], first.get("pad_value")) == (1, None)
    assert (other["columns"], other["sample_gap"]) == (3, [0, 6])
    shapes = [read(tmp_path / f"000{epoch}.png").shape for epoch in (1, 2, 3, 4)]
    assert shapes[0] == shapes[1] == shapes[2] != shapes[3]
    new = tmp_path / "new"
    fit_x(model, ImageSaver(new, x), epochs=1)
    (found,) = [one.geometry for one in Run.open(str(new))]
    assert (found["columns"], found["pad_value"]) == (2, 56)
