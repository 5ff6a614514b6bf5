"""Runs of which few snapshots stay on disk, through `fit` and loops of one's own."""

import os

import pytest
import tensorflow as tf
from support.models import names
from support.training import PREDICTION, X, fit_x, untrained

from keras_image_saver import ImageSaver, Run

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def epochs(some):
    return [one.epoch for one in some]


@pytest.mark.parametrize("background", [True, False])
def test_few_stay_and_listeners_have_each_while_it_is_there(tmp_path, background):
    heard = []

    def listener(snapshot):
        assert os.path.getsize(snapshot.path) > 0
        heard.append(snapshot.epoch)

    saver = ImageSaver(
        tmp_path,
        X,
        render=PREDICTION,
        max_to_keep=2,
        keep_period=3,
        background=background,
        listeners=[listener],
        save_initial=True,
    )
    fit_x(untrained(), saver, epochs=9)
    assert heard == list(range(10))
    assert names(tmp_path) == [f"{epoch:04d}.png" for epoch in (0, 3, 6, 8, 9)]
    run = Run.open(tmp_path)
    assert (epochs(run), epochs(run.removed), run.missed) == ([0, 3, 6, 8, 9], [1, 2, 4, 5, 7], [])
    kept = {name: run.about["settings"][name] for name in ("max_to_keep", "keep_period")}
    assert kept == {"max_to_keep": 2, "keep_period": 3}


def test_run_goes_on_and_resumes_behind_what_was_removed(tmp_path):
    model, options = untrained(), {"render": PREDICTION, "max_to_keep": 1}
    saver = ImageSaver(tmp_path, X, **options)
    fit_x(model, saver, epochs=3)
    fit_x(model, saver, epochs=2)
    assert names(tmp_path) == ["0001.png", "0005.png"]
    fit_x(model, ImageSaver(tmp_path, X, **options), initial_epoch=4, epochs=6)
    run = Run.open(tmp_path)
    assert (epochs(run), epochs(run.removed), run.missed) == ([1, 6], [2, 3, 4, 5], [])
    assert run.removed[-1].step == 10
    assert names(tmp_path) == ["0001.png", "0006.png"]
    fit_x(model, ImageSaver(tmp_path, X, **options), epochs=1)
    assert names(tmp_path) == ["0001.png", "previous-1/0001.png", "previous-1/0006.png"]
    aside = Run.open(tmp_path / "previous-1")
    assert (epochs(aside), epochs(aside.removed)) == ([1, 6], [2, 3, 4, 5])


def test_last_of_an_epoch_stays_where_a_run_is_saved_by_batches(tmp_path):
    path = tmp_path / "{epoch}-{batch}.png"
    saver = ImageSaver(path, X, render=PREDICTION, every_batches=1, max_to_keep=1, keep_period=2)
    fit_x(untrained(), saver, epochs=5)
    assert names(tmp_path) == ["1-1.png", "2-2.png", "4-2.png", "5-2.png"]


def test_few_stay_on_remote_storage():
    url = "ram://test_keeping/ae"
    saver = ImageSaver(url, X, render=PREDICTION, max_to_keep=1)
    fit_x(untrained(), saver, epochs=4)
    assert [one for one in tf.io.gfile.listdir(url) if one.endswith(".png")] == [
        "0001.png",
        "0004.png",
    ]
    assert epochs(Run.open(url)) == [1, 4]
    fit_x(untrained(), ImageSaver(url, X, render=PREDICTION, previous="delete"), epochs=1)
    assert epochs(Run.open(url)) == [1]
    assert Run.open(url).removed == []


def test_loop_of_ones_own_keeps_few_and_counts_epochs_for_a_period(tmp_path):
    model = untrained()
    saver = ImageSaver(tmp_path, X, render=PREDICTION, max_to_keep=1, keep_period=2)
    with saver.watch(model):
        for epoch in range(5):
            saver.save(epoch=epoch)
    assert names(tmp_path) == ["0001.png", "0002.png", "0004.png", "0005.png"]
    saver = ImageSaver(tmp_path / "steps" / "{step}.png", X, max_to_keep=1, keep_period=2)
    with saver.watch(model), pytest.raises(ValueError, match="must be given epoch="):
        saver.save(step=1)


def test_listener_that_raises_leaves_the_rest_of_the_run_in_order(tmp_path):
    def broken(snapshot):
        raise OSError("no")

    fit_x(
        untrained(),
        ImageSaver(tmp_path, X, render=PREDICTION, max_to_keep=1, listeners=[broken]),
        epochs=4,
    )
    assert names(tmp_path) == ["0001.png", "0004.png"]
    assert Run.open(tmp_path).state == "finished"
