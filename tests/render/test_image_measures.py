"""Measures of images: exact values of tiny pictures, and what other implementations find."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.any_images import images_of
from support.layouts import LAYOUTS
from support.pixels import FLOATS, dtype_of

from keras_image_saver.render.image_measures import change, diversity, mae, mse, psnr, shares, ssim
from keras_image_saver.render.measured import MeasuredImages

RNG = np.random.default_rng(3)
# Larger than a piece and smaller, and of sides that are no round numbers.
SHAPES = [(5, 13, 17, 3), (2, 190, 187, 4), (3, 11, 40, 1)]


def pictures(shape, low=0.0, high=1.0):
    """Smooth targets, and outputs that are near them; some of it is out of the range."""
    rows, columns = np.meshgrid(*(np.linspace(0, 3, side) for side in shape[1:3]), indexing="ij")
    phases = RNG.random((shape[0], 1, 1, shape[3])) * 6
    targets = np.sin(rows[..., None] + 2 * columns[..., None] + phases) / 2 + 0.5
    outputs = targets + RNG.normal(0, 0.1, shape)
    return [(low + x * (high - low)).astype(np.float32) for x in (targets, outputs)]


def of(targets, outputs, value_range=(0.0, 1.0)):
    return MeasuredImages(outputs, value_range, targets, value_range)


# By hand


def test_errors_are_shares_of_the_range():
    targets = np.array([[[[-1.0], [1.0]]], [[[0.0], [0.0]]]], np.float32)
    outputs = np.array([[[[-1.0], [0.0]]], [[[0.5], [1.5]]]], np.float32)
    images = of(targets, outputs, (-1.0, 1.0))
    np.testing.assert_array_equal(mae(images), [0.25, 0.5])
    np.testing.assert_array_equal(mse(images), [0.125, 0.3125])
    np.testing.assert_allclose(psnr(images), [-10 * math.log10(x) for x in (0.125, 0.3125)])


def test_integers_are_compared_with_floats_by_their_own_range():
    targets = np.array([[[[0], [255], [51]]]], np.uint8)
    outputs = np.array([[[[-1.0], [1.0], [-0.2]]]], np.float32)
    images = MeasuredImages(outputs, (-1.0, 1.0), targets, None)
    np.testing.assert_allclose(mae(images), [0.2 / 3], rtol=1e-6)
    bools = MeasuredImages(outputs, (-1.0, 1.0), targets > 0, None)
    np.testing.assert_allclose(mae(bools), [0.6 / 3], rtol=1e-6)


def test_ranges_may_be_one_a_channel():
    targets = np.zeros((1, 1, 1, 3), np.float32)
    outputs = np.array([[[[1.0, 2.0, 3.0]]]], np.float32)
    images = of(targets, outputs, ((0.0, 0.0, 0.0), (10.0, 10.0, 30.0)))
    np.testing.assert_allclose(mae(images), [0.4 / 3], rtol=1e-6)
    assert shares(outputs, ((0.0, 1.0, 1.0), (1.0, 3.0, 5.0))).tolist() == [[[[1.0, 0.5, 0.5]]]]


def test_equal_pictures_have_the_ends_of_the_scales():
    targets, _ = pictures((2, 12, 12, 3))
    images = of(targets, targets.copy())
    assert mae(images).tolist() == mse(images).tolist() == [0, 0]
    assert psnr(images).tolist() == [math.inf] * 2
    np.testing.assert_allclose(ssim(images), [1, 1], rtol=1e-6)


@pytest.mark.parametrize("measure", [mae, mse, psnr, ssim])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_has_a_value_that_is_not_either(measure, bad):
    targets, outputs = pictures((3, 12, 12, 1))
    outputs[1, 3, 4] = bad
    found = measure(of(targets, outputs))
    assert np.isfinite(found).tolist() == [True, False, True]


def test_arrays_are_never_changed():
    targets, outputs = pictures((2, 12, 12, 3))
    kept = targets.copy(), outputs.copy()
    images = MeasuredImages(outputs, (0.0, 1.0), targets, (0.0, 1.0), targets)
    for measure in (mae, mse, psnr, ssim, change, lambda one: diversity([one])):
        measure(images)
    np.testing.assert_array_equal((targets, outputs), kept)


# By other implementations


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_errors_are_those_of_a_plain_loop(shape):
    targets, outputs = pictures(shape, -1, 1)
    images = of(targets, outputs, (-1.0, 1.0))
    apart = [(a.astype(float) - b) / 2 for a, b in zip(outputs, targets, strict=True)]
    np.testing.assert_allclose(mae(images), [np.abs(x).mean() for x in apart], rtol=1e-5)
    np.testing.assert_allclose(mse(images), [(x**2).mean() for x in apart], rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_psnr_and_ssim_are_those_of_scikit_image(shape):
    metrics = pytest.importorskip("skimage.metrics", reason="of the extra `test`")
    targets, outputs = pictures(shape)
    images = of(targets, outputs)
    pairs = list(zip(targets.astype(float), outputs.astype(float), strict=True))
    expected = [metrics.peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs]
    np.testing.assert_allclose(psnr(images), expected, rtol=1e-5)
    expected = [
        metrics.structural_similarity(
            a,
            b,
            data_range=1,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in pairs
    ]
    np.testing.assert_allclose(ssim(images), expected, atol=2e-5)


# From snapshot to snapshot, and from sample to sample


def test_change_is_the_mean_absolute_difference_from_the_snapshot_before():
    before = np.zeros((2, 1, 2, 1), np.float32)
    now = np.array([[[[1.0], [0.0]]], [[[-2.0], [2.0]]]], np.float32)
    images = MeasuredImages(now, (-1.0, 1.0), previous=before)
    np.testing.assert_array_equal(change(images), [0.25, 1])


@pytest.mark.parametrize("previous", [None, np.zeros((2, 3, 3, 1))], ids=["none", "smaller"])
def test_change_without_a_snapshot_to_compare_with_is_nan(previous):
    images = MeasuredImages(np.zeros((2, 4, 4, 1)), (0.0, 1.0), previous=previous)
    assert np.isnan(change(images)).tolist() == [True, True]


@pytest.mark.parametrize("count", [2, 3, 10])
def test_diversity_is_the_root_of_the_mean_squared_distance_of_pairs(count):
    outputs = RNG.normal(0, 1, (count, 7, 5, 3)).astype(np.float32)
    pairs = combinations(outputs.astype(float) / 4, 2)
    expected = math.sqrt(np.mean([((a - b) ** 2).mean() for a, b in pairs]))
    cut = [MeasuredImages(rows, (-2.0, 2.0)) for rows in (outputs[:1], outputs[1:])]
    assert diversity(cut) == pytest.approx(expected, rel=1e-6)


def test_diversity_of_samples_that_hardly_differ_keeps_its_digits():
    outputs = np.full((4, 8, 8, 1), 0.7, np.float32)
    assert diversity([MeasuredImages(outputs, (0.0, 1.0))]) == 0
    outputs[1] = np.nextafter(np.float32(0.7), np.float32(1))
    step = float(outputs[1].flat[0]) - float(outputs[0].flat[0])
    expected = step * math.sqrt(3 / 6)  # three of six pairs are a step apart
    assert diversity([MeasuredImages(outputs, (0.0, 1.0))]) == pytest.approx(expected, rel=1e-6)


def test_diversity_of_one_sample_or_of_nan_is_nan():
    outputs = np.zeros((3, 2, 2, 1), np.float32)
    assert math.isnan(diversity([MeasuredImages(outputs[:1], (0.0, 1.0))]))
    outputs[2, 0, 0] = np.nan
    assert math.isnan(diversity([MeasuredImages(outputs, (0.0, 1.0))]))


# Any images, in float64


@settings(max_examples=150, deadline=None)
@given(data=st.data(), sides=st.tuples(*[st.integers(1, 4)] * 3))
def test_measures_of_any_images_are_those_of_float64(data, sides):
    (outputs, of_outputs, x), (targets, of_targets, y) = (
        data.draw(images_of((*sides, 2))) for _ in range(2)
    )
    images = MeasuredImages(outputs, of_outputs, targets, of_targets)
    axes = (1, 2, 3)
    near = {"rtol": 1e-4, "atol": 2e-6}
    np.testing.assert_allclose(mae(images), np.abs(x - y).mean(axes), **near)
    squares = np.square(x - y).mean(axes)
    np.testing.assert_allclose(mse(images), squares, **near)
    np.testing.assert_allclose(10 ** (-psnr(images) / 10), squares, **near)
    pairs = [np.square(one - other).mean() for one, other in combinations(x, 2)]
    if pairs:
        expected = math.sqrt(np.mean(pairs))
        assert diversity([images]) == pytest.approx(expected, rel=1e-3, abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(FLOATS))
def test_change_of_any_images_is_that_of_float64(data, dtype):
    now, before = (
        LAYOUTS[data.draw(st.sampled_from([*LAYOUTS]))](
            data.draw(hnp.arrays(np.float64, (2, 3, 2, 1), elements=st.floats(-2, 2))).astype(
                dtype_of(dtype)
            )
        )
        for _ in range(2)
    )
    found = change(MeasuredImages(now, (-1.0, 1.0), previous=before))
    apart = np.abs(now.astype(np.float64) - before.astype(np.float64)) / 2
    np.testing.assert_allclose(found, apart.mean((1, 2, 3)), rtol=1e-4, atol=2e-6)


def similarity_of(x, y):
    """Equation 13 of the paper at each place of the window, in float64."""
    apart = np.arange(11) - 5
    weights = np.exp(-(apart[:, None] ** 2 + apart**2) / (2 * 1.5**2))
    weights /= weights.sum()
    found = []
    for top, left, channel in np.ndindex(x.shape[0] - 10, x.shape[1] - 10, x.shape[2]):
        a, b = (z[top : top + 11, left : left + 11, channel] for z in (x, y))
        mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
        var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
        together = (weights * (a - mean_a) * (b - mean_b)).sum()
        upper = (2 * mean_a * mean_b + 1e-4) * (2 * together + 9e-4)
        found.append(upper / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4)))
    return np.mean(found)


@pytest.mark.parametrize("far", [1.37, 49.1, 800.0])
def test_ssim_of_pictures_far_outside_of_their_range_is_that_of_float64(far):
    rng = np.random.default_rng(0)
    x, y = (np.float32(far) + rng.uniform(0, 0.02, (1, 12, 12, 1)).astype(np.float32) for _ in "xy")
    (found,) = ssim(MeasuredImages(x, (0.0, 1.0), y, (0.0, 1.0)))
    assert found <= 1
    assert found == pytest.approx(similarity_of(x[0].astype(float), y[0].astype(float)), abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(
    data=st.data(),
    sides=st.tuples(st.integers(11, 13), st.integers(11, 13)),
    depth=st.integers(1, 2),
    bad=st.none() | st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_ssim_of_any_images_is_that_of_float64(data, sides, depth, bad):
    shape = (2, depth * sides[0], sides[1], 2)
    (outputs, of_outputs, x), (targets, of_targets, y) = (
        data.draw(images_of(shape)) for _ in range(2)
    )
    slices = (2, depth, *sides, 2)
    x, y = x.reshape(slices), y.reshape(slices)
    expected = [np.mean(list(map(similarity_of, x[i], y[i]))) for i in range(2)]
    if bad is not None and outputs.dtype.kind == "f":
        outputs = outputs.copy()
        outputs[1, -1, 0, 1] = bad
        expected[1] = np.nan
    found = ssim(MeasuredImages(outputs, of_outputs, targets, of_targets, depth=depth))
    np.testing.assert_allclose(found, expected, atol=5e-4)
    assert found[0] <= 1
