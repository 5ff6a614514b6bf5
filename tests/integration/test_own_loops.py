"""Loops of one's own, without `fit`."""

import pytest
from support.models import assert_drawn, autoencoder, drawn, floats, gan, names, read, tiles
from support.rendering import failing_render
from support.training import PREDICTION, X

from keras_image_saver import ImageSaver, latents


def test_save_outside_watch_says_where_it_belongs(tmp_path):
    saver = ImageSaver(tmp_path, latents(2, 4))
    with pytest.raises(RuntimeError, match=r"with saver\.watch\(model\)"):
        saver.save(epoch=0)


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


def test_save_without_a_run_says_what_begins_one(tmp_path):
    saver = ImageSaver(tmp_path, X[:2], render=PREDICTION)
    saver.set_model(autoencoder())  # as a `fit` of no epochs does
    with pytest.raises(RuntimeError, match="No run has begun: `watch` begins one"):
        saver.save(epoch=0)
