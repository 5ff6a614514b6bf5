"""Copies of a callback, as tuners and notebooks take them."""

import copy
import pickle

import pytest
from support.models import (
    assert_drawn,
    autoencoder,
    discriminator,
    drawn,
    floats,
    names,
    read,
    tiles,
)
from support.training import PREDICTION, fit

from keras_image_saver import ImageSaver, latents


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("options", [{}, {"every_batches": 2}], ids=["epochs", "batches"])
def test_copies_of_a_callback_begin_a_run_of_their_own(tmp_path, copied, options):
    x, model, other = floats(4, 8, 8, 1), autoencoder(), autoencoder()
    saver = ImageSaver(tmp_path / "{epoch}-{step}.png", x, render=PREDICTION, **options)
    fresh = copied(saver)
    fit(model, x, saver)
    assert names(tmp_path) == ["1-2.png", "2-4.png"]
    used = copied(saver)
    fit(other, x, fresh)
    assert names(tmp_path) == ["1-2.png", "2-4.png", "previous-1/1-2.png", "previous-1/2-4.png"]
    assert_drawn(tiles(read(tmp_path / "2-4.png"), 4, (8, 8)), drawn(other, x, (0, 1)))
    fit(model, x, used, epochs=1)
    earlier = [f"previous-{run}/{name}" for run in (1, 2) for name in ("1-2.png", "2-4.png")]
    assert names(tmp_path) == ["1-2.png", *earlier]
    assert_drawn(tiles(read(tmp_path / "1-2.png"), 4, (8, 8)), drawn(model, x, (0, 1)))


def test_callback_with_a_model_reference_refuses_to_be_copied(tmp_path):
    saver = ImageSaver(tmp_path, latents(2, 4), model=discriminator())
    with pytest.raises(TypeError, match='Pass the name of an attribute, such as model="generator"'):
        copy.deepcopy(saver)
