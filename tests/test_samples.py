"""Noise, and samples as arrays."""

import numpy as np
import pytest

from keras_image_saver.samples import Samples, latents

X = np.arange(20, dtype=np.float32).reshape(5, 4)


def test_latents_are_the_same_for_a_seed_and_no_global_state_is_touched():
    before = np.random.get_state()[1].copy()
    noise = latents(3, 4, seed=7)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    assert noise.shape == (3, 4)
    assert noise.dtype == np.float32
    expected = np.random.default_rng(7).standard_normal((3, 4), dtype=np.float32)
    np.testing.assert_array_equal(noise, expected)
    assert not np.array_equal(noise, latents(3, 4))


def test_latents_may_be_images_of_noise():
    assert latents(2, 8, 8, 3).shape == (2, 8, 8, 3)
    assert latents(2).shape == (2,)


@pytest.mark.parametrize("shape", [(0, 4), (4, -1), (2.0, 4), (True, 4)], ids=str)
def test_latents_refuse_what_is_no_shape(shape):
    with pytest.raises(ValueError, match=r"`latents` takes positive ints.*got \("):
        latents(*shape)


def test_rows_are_copies():
    samples = Samples(X.copy(), X[:, 0].copy())
    first = samples.rows(2)
    first.inputs[:] = -1
    np.testing.assert_array_equal(samples.inputs, X)
    assert len(first) == 2
    assert Samples(None).rows(3) == Samples(None)
    assert len(Samples(None)) == 0
