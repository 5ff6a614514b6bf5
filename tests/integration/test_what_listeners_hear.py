"""What listeners hear of, in which order and on which thread."""

import threading

import numpy as np
import pytest
from support.models import assert_drawn, drawn, read, tiles
from support.recorded import saver_threads
from support.training import PREDICTION, X, train

from keras_image_saver import ImageSaver, Run

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def test_listeners_hear_on_the_training_thread_in_order_of_the_written_file(tmp_path):
    heard = []

    def listener(snapshot):
        pixels = read(snapshot.path)  # it is there, and whole
        image = snapshot.image
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(pixels, image[..., 0] if pixels.ndim == 2 else image)
        heard.append((snapshot, threading.current_thread()))

    saver = ImageSaver(
        tmp_path / "{epoch}-{batch}-{step}.png",
        X,
        render=PREDICTION,
        every_epochs=1,
        every_batches=1,
        save_initial=True,
        listeners=[listener],
    )
    model = train(saver, epochs=3)
    snapshots = [one for one, _ in heard]
    expected = [(0, 0, 0), (1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4), (3, 1, 5), (3, 2, 6)]
    assert [(one.epoch, one.batch, one.step) for one in snapshots] == expected
    assert {thread for _, thread in heard} == {threading.main_thread()}
    assert_drawn(tiles(snapshots[-1].image, 4, (8, 8)), drawn(model, X, (0, 1)))
    assert [one.path for one in Run.open(str(tmp_path))] == [one.path for one in snapshots]
    assert all(one.logs["loss"] > 0 for one in snapshots[1:])
    assert saver_threads() == []


def test_listener_hears_of_the_files_that_were_written_after_a_failure_and_of_no_other(tmp_path):
    heard, calls = [], []

    def render(batch):
        calls.append(None)
        if len(calls) == 4:  # the first two are the rehearsal
            raise OSError("no")
        return {"prediction": batch.outputs}

    train(ImageSaver(tmp_path, X, render=render, listeners=[heard.append]), epochs=3)
    assert [one.epoch for one in heard] == [1, 3]
