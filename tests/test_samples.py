"""Noise, and samples as arrays."""

import math

import numpy as np
import pytest

from keras_image_saver.samples import Latents, Samples, latents

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


# Truncation


@pytest.mark.parametrize("truncation", [0.05, 0.7, 2, np.float16(0.5)])
def test_latents_with_truncation_lie_within_it(truncation):
    noise, plain = latents(500, 400, seed=3, truncation=truncation), latents(500, 400, seed=3)
    assert np.abs(noise).max() <= truncation
    assert noise.dtype == np.float32
    within = np.abs(plain) <= truncation
    np.testing.assert_array_equal(noise[within], plain[within])
    np.testing.assert_array_equal(noise, latents(500, 400, seed=3, truncation=truncation))
    # What is drawn again has the same distribution: that of a normal value within the limit.
    assert abs(noise[~within].mean()) < 0.01 * truncation
    middle = (np.abs(noise) < truncation / 2).mean()
    expected = math.erf(truncation / 2 / math.sqrt(2)) / math.erf(truncation / math.sqrt(2))
    assert middle == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("truncation", [0.04, 0, -1, np.nan, "0.7", True])
def test_latents_refuse_a_truncation_that_leaves_next_to_nothing(truncation):
    with pytest.raises(ValueError, match=r"`truncation` must be a number from 0.05 .*got"):
        latents(2, 4, truncation=truncation)


# Interpolation


def test_latents_interpolated_lie_in_even_steps_on_great_circles():
    noise = latents(12, 3, 4, 2, seed=5, interpolate=4)
    ends = latents(3, 3, 4, 2, seed=5)
    np.testing.assert_array_equal(noise[::4], ends)
    flat = noise.reshape(12, -1).astype(float)
    norms = np.linalg.norm(flat, axis=1)
    directions = flat / norms[:, None]
    cosines = np.sum(directions * np.roll(directions, -1, axis=0), axis=1)
    angles = np.arccos(cosines).reshape(3, 4)
    np.testing.assert_allclose(angles, np.repeat(angles[:, :1], 4, axis=1), rtol=1e-4)
    whole = np.arccos(np.sum(directions[::4] * np.roll(directions[::4], -1, axis=0), axis=1))
    np.testing.assert_allclose(angles.sum(1), whole, rtol=1e-4)
    steps = np.diff([*norms, norms[0]]).reshape(3, 4)
    np.testing.assert_allclose(steps, np.repeat(steps[:, :1], 4, axis=1), atol=1e-5)


def test_latents_interpolated_are_noise_of_the_same_kind():
    noise = latents(16, 100, interpolate=8, truncation=0.7)
    assert isinstance(noise, Latents)
    assert (noise.shape, noise.dtype) == ((16, 100), np.float32)
    np.testing.assert_array_equal(noise[::8], latents(2, 100, truncation=0.7))


@pytest.mark.parametrize(
    ("n", "interpolate", "said"),
    [
        (12, 8, r"must go into .*interpolate=8 for 12 samples\. Pass 16 or 24"),
        (8, 8, r"twice or more, got interpolate=8 for 8 samples"),
        (8, 1, r"must be an int, 2 or more, got 1"),
        (8, True, r"must be an int, 2 or more, got True"),
        (8, 2.0, r"must be an int, 2 or more, got 2\.0"),
    ],
)
def test_latents_refuse_an_interpolation_that_does_not_go_into_them(n, interpolate, said):
    with pytest.raises(ValueError, match=f"`interpolate` .*{said}"):
        latents(n, 4, interpolate=interpolate)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
def test_latents_refuse_to_interpolate_single_values(shape):
    with pytest.raises(
        ValueError, match=r"`interpolate` needs samples of two values or more, got \(8"
    ):
        latents(8, *shape, interpolate=2)


# Samples


def test_rows_are_copies():
    samples = Samples(X.copy(), X[:, 0].copy())
    first = samples.rows(2)
    first.inputs[:] = -1
    np.testing.assert_array_equal(samples.inputs, X)
    assert len(first) == 2
    assert Samples(None).rows(3) == Samples(None)
    assert len(Samples(None)) == 0
