"""Loops of one's own, without `fit`."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import assert_drawn, autoencoder, drawn, floats, gan, names, read, tiles
from support.rendering import failing_render
from support.training import Meddler, X, fit

from keras_image_saver import ImageSaver, latents


def test_save_outside_watch_says_where_it_belongs(tmp_path):
    saver, model, other = (
        ImageSaver(tmp_path, X[:2]),
        autoencoder(),
        ImageSaver(tmp_path / "b", X[:2]),
    )

    def refused():
        with pytest.raises(
            RuntimeError, match=r"`save` needs .*: call it inside `with saver\.watch"
        ):
            saver.save(epoch=7)

    refused()
    saver.set_model(model)  # as a `fit` of no epochs does
    refused()
    fit(model, X, saver, Meddler("on_epoch_end", lambda epoch, logs: refused()), epochs=1)
    refused()  # the run has been closed, and its folder let go
    with saver.watch(model):
        saver.save(epoch=0)
        fit(model, X, other, epochs=1)
        saver.save(epoch=1)
        fit(model, X, saver, epochs=1)
        refused()
    refused()
    assert names(tmp_path) == ["0001.png", "0002.png", "0003.png", "0004.png", "b/0001.png"]


@pytest.mark.parametrize(
    ("count", "got"),
    [
        ({"epoch": "3"}, "'3'"),
        ({"epoch": 1.7}, "1.7"),
        ({"epoch": 10**30}, "1000000000000000000000000000000"),
        ({"epoch": -1}, "-1"),
        ({"epoch": True}, "True"),
        ({"epoch": 0, "step": np.float32(2)}, "2.0"),
        ({"epoch": 0, "batch": None, "step": tf.constant(0.5)}, "0.5"),
    ],
    ids=str,
)
def test_save_refuses_what_is_no_count(tmp_path, count, got):
    name = list(count)[-1]
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png" if "step" in count else tmp_path, X[:2])
    rule = rf"`{name}` must be an int from 0 to {2**53 - 2}, got {got}\."
    refused = pytest.raises(ValueError, match=rule)
    with saver.watch(autoencoder()), refused:
        saver.save(**count)
    assert names(tmp_path) == []


def test_save_counts_by_numpy_tensors_and_variables(tmp_path):
    model = autoencoder()
    fit(model, X, epochs=1)  # two steps
    with ImageSaver(tmp_path / "{epoch}-{batch}-{step}.png", X[:2]).watch(model) as saver:
        saver.save(epoch=np.int64(3), batch=tf.constant(1), step=model.optimizer.iterations)
    assert names(tmp_path) == ["4-2-3.png"]


def test_save_refuses_logs_that_are_no_dict(tmp_path):
    refused = pytest.raises(TypeError, match=r"`logs` must be a dict of metrics or None, got 0\.5")
    with ImageSaver(tmp_path, X[:2]).watch(autoencoder()) as saver, refused:
        saver.save(epoch=0, logs=0.5)


@pytest.mark.parametrize("model", [None, "generator", 5], ids=str)
def test_watch_refuses_what_is_no_model(tmp_path, model):
    for part in (None, "generator"):
        given = None if part else model
        refused = pytest.raises(TypeError, match=rf"`model` must be the model .*, got {given!r}")
        with refused, ImageSaver(tmp_path, X[:2], model=part).watch(given):
            pytest.fail("the loop began")
    assert list(tmp_path.iterdir()) == []


def test_watch_that_has_not_ended_does_not_begin_again(tmp_path):
    model = autoencoder()
    with ImageSaver(tmp_path, X[:2]).watch(model) as saver:
        refused = pytest.raises(RuntimeError, match="`watch` must end before it begins again")
        with refused, saver.watch(model):
            pytest.fail("the loop began")
        saver.save(epoch=0)
    assert names(tmp_path) == ["0001.png"]


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end"])
@pytest.mark.parametrize("begun", [False, True], ids=["never begun", "begun anew"])
def test_hooks_by_hand_need_an_epoch_that_began(tmp_path, hook, begun):
    saver, model = ImageSaver(tmp_path, X[:2]), autoencoder()
    if begun:
        fit(model, X, saver, epochs=1)
    files = names(tmp_path)
    saver.set_model(model)
    saver.on_train_begin()
    with pytest.raises(RuntimeError, match=f"`{hook}` needs `on_epoch_begin` before it"):
        getattr(saver, hook)(0, {"loss": 1.0})
    assert names(tmp_path) == files


def test_hooks_by_hand_need_a_model(tmp_path):
    with pytest.raises(RuntimeError, match=r"`on_epoch_begin` needs a model: `set_model"):
        ImageSaver(tmp_path, X[:2]).on_epoch_begin(0)


def test_watch_refuses_wrong_arguments_before_the_loop(tmp_path):
    saver = ImageSaver(tmp_path / "run", floats(2, 8, 8, 1))
    model = autoencoder(activation=None)
    with pytest.raises(ValueError, match="must be given"), saver.watch(model):
        pytest.fail("the loop began")
    assert names(tmp_path) == []


def test_watch_counts_by_step_and_sums_up(tmp_path, lines):
    x, model = floats(2, 8, 8, 1), autoencoder()
    render = failing_render(None, ValueError("no"))
    with ImageSaver(tmp_path / "{step:06d}.png", x, render=render).watch(model) as saver:
        for step in range(3):
            saver.save(step=step)
    assert names(tmp_path) == ["000001.png", "000003.png"]
    assert lines()[-1] == "1 of 3 snapshots were missed, the first at epoch 0."


def test_watch_holds_a_gan_by_the_name_of_its_generator(tmp_path):
    model, noise = gan(), latents(4, 4)
    saver = ImageSaver(tmp_path, noise, model="generator")
    with saver.watch(model):
        saver.save(epoch=4)
    assert names(tmp_path) == ["0005.png"]
    found = tiles(read(tmp_path / "0005.png"), 4, (8, 8))
    assert_drawn(found, drawn(model.generator, noise, (-1, 1)))


def test_second_loop_that_starts_at_0_goes_on_with_the_run(tmp_path):
    model = autoencoder()
    saver = ImageSaver(tmp_path, floats(2, 8, 8, 1))
    for _ in range(2):
        with saver.watch(model):
            for epoch in range(2):
                saver.save(epoch=epoch)
    model.fit(floats(2, 8, 8, 1), floats(2, 8, 8, 1), verbose=0, callbacks=[saver])
    assert names(tmp_path) == [f"000{number}.png" for number in range(1, 6)]


def test_script_that_has_numpy_raise_on_every_float_error_saves_as_any_other(tmp_path, lines):
    samples = np.full((2, 8, 8, 1), 1e-300)
    with np.errstate(all="raise"), ImageSaver(tmp_path, samples).watch(autoencoder()) as saver:
        saver.save(epoch=0, logs={"loss": np.float64(1e-320), "big": np.float32("inf")})
    assert names(tmp_path) == ["0001.png"]
    assert lines() == []
