"""Measures of images: how far outputs are from targets, from the snapshot before, from one another.

All are taken of pixels as shares of the value range, (float32(x) - low) / (high - low): 0 is black and
1 is white, whatever the range, and targets of another dtype are compared by their own. Nothing is
clipped. A sample with a pixel that is NaN has NaN; one with an infinite pixel has an infinite error,
and NaN where that would mean nothing.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_image_saver.arrays import (
    PIECE,
    Array,
    Range,
    without_float_errors,
)
from keras_image_saver.render.measured import MeasuredImages

# The window of `ssim`: 11 x 11 Gaussian weights of this standard deviation, as its authors have it.
WINDOW = 11
_SIGMA = 1.5
_TAPS = np.exp(-0.5 * np.square((np.arange(WINDOW) - WINDOW // 2) / _SIGMA))
_WEIGHTS = (_TAPS / _TAPS.sum()).astype(np.float32)
# (K1 * L)^2 and (K2 * L)^2 of the paper, for pixels from 0 to 1.
_C1, _C2 = np.float32(0.01**2), np.float32(0.03**2)


def mae(images: MeasuredImages) -> Array:
    """Return the mean absolute error of each sample: mean(|output - target|), of shares of the range.

    Returns:
        float64, shape (N,), 0 or more.
    """
    return _mean_of_differences(images, _targets(images), images.target_range, np.abs)


def mse(images: MeasuredImages) -> Array:
    """Return the mean squared error of each sample: mean((output - target)^2), of shares of the range.

    Returns:
        float64, shape (N,), 0 or more.
    """
    return _mean_of_differences(images, _targets(images), images.target_range, np.square)


@without_float_errors
def psnr(images: MeasuredImages) -> Array:
    """Return the peak signal-to-noise ratio of each sample in decibels: -10 log10(mse).

    That is 10 log10(L^2 / MSE) with L the width of the range, as in `tf.image.psnr`.

    Returns:
        float64, shape (N,); infinite where output and target are equal.
    """
    decibels: Array = -10 * np.log10(mse(images))
    return decibels


@without_float_errors
def ssim(images: MeasuredImages) -> Array:
    """Return the structural similarity of each sample, the mean over pixels and channels.

    (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)), with means, variances
    and the covariance under an 11 x 11 Gaussian window of standard deviation 1.5, C1 = 0.01^2 and
    C2 = 0.03^2, where the window lies within the picture: Wang, Bovik, Sheikh, Simoncelli, "Image
    quality assessment: from error visibility to structural similarity", IEEE TIP 13(4), 2004,
    equation 13. `tf.image.ssim` computes the same of pixels from 0 to 1.

    Returns:
        float64, shape (N,), at most 1, of volumes the mean over the slices; of pictures of 11 x 11
        pixels or more.
    """
    # The window stays within a slice of a volume.
    sliced = (-1, images.outputs.shape[1] // images.depth, *images.outputs.shape[2:])
    outputs, targets = images.outputs.reshape(sliced), _targets(images).reshape(sliced)
    count, height, width, channels = outputs.shape
    found = np.zeros(count)
    # The rows of a band and those that its window reaches below, so that they stay in the cache.
    step = max(1, PIECE // 2 // (width * channels))
    for index in range(count):
        for first in range(0, height - WINDOW + 1, step):
            rows = slice(first, min(first + step + WINDOW - 1, height))
            x = shares(outputs[index, rows], images.output_range)
            y = shares(targets[index, rows], images.target_range)
            found[index] += _similarity(x, y).sum(dtype=np.float64)
    found /= (height - WINDOW + 1) * (width - WINDOW + 1) * channels
    by_sample: Array = found.reshape(-1, images.depth).mean(1)
    return by_sample


def change(images: MeasuredImages) -> Array:
    """Return how far each sample is from the snapshot before: mean(|output - previous|), of shares.

    Returns:
        float64, shape (N,); NaN where there is none before, or one of another shape.
    """
    previous = images.comparable
    if previous is None:
        return np.full(len(images.outputs), np.nan)
    return _mean_of_differences(images, previous, images.output_range, np.abs)


@without_float_errors
def diversity(parts: Iterable[MeasuredImages]) -> float:
    """Return how far samples are from one another: the root of the mean squared distance of a pair.

    The squared distance of two samples is the mean of (x - y)^2 over pixels and channels, of shares of
    the range, and its mean is over all N (N - 1) / 2 pairs. That is twice the unbiased variance over
    the samples, averaged over the pixels, so no pair is ever compared: time is O(N), and memory one
    image. Samples of random 0 and 1 have sqrt(1 / 2), equal ones 0.

    Args:
        parts: Some samples after others.

    Returns:
        0 or more; NaN for one sample.
    """
    count, squares = 0, 0.0
    first: Array = np.zeros(0)
    total: Array = np.zeros(0)
    for part in parts:
        for image in part.outputs:
            values = shares(image, part.output_range)
            if not count:
                # What all samples have in common is taken off first, or samples that hardly differ
                # would drown in the rounding of their squares.
                first, total = values.copy(), np.zeros(values.shape)
            apart = values - first
            total += apart
            # A float32 sum of a picture's squares is short of digits where they are many.
            squares += float(np.square(apart, out=apart).sum(dtype=np.float64))
            count += 1
    if count < 2:
        return math.nan
    variance = (squares - float(np.square(total).sum()) / count) / (count - 1)
    # Rounding may leave less than nothing where samples are equal; NaN stays NaN.
    return math.sqrt(2 * max(variance, 0.0) / first.size) if variance == variance else math.nan


def shares(values: Array, value_range: Range | None) -> Array:
    """Return values as shares of their range, float32: 0 is its low end, 1 its high end.

    Args:
        values: (..., C), bool, integer or float; never changed.
        value_range: (low, high), each one number or one a channel; None: uint8 and bool by dtype.
    """
    if value_range is None:
        value_range = (0.0, 1.0) if values.dtype == np.bool_ else (0.0, 255.0)
    low, high = (np.asarray(end, np.float64) for end in value_range)
    apart: Array = values.astype(np.float32, copy=False) - low.astype(np.float32)
    apart *= np.asarray(1 / (high - low), np.float32)
    return apart


def _targets(images: MeasuredImages) -> Array:
    assert (
        images.targets is not None
    )  # a measure that needs targets is refused where there are none
    return images.targets


@without_float_errors
def _mean_of_differences(
    images: MeasuredImages, others: Array, other_range: Range | None, size: Callable[..., Any]
) -> Array:
    """Return the mean size of the differences of each sample, piece by piece."""
    found = np.zeros(len(others))
    for samples, rows in _pieces(others.shape):
        apart = shares(images.outputs[samples, rows], images.output_range)
        apart -= shares(others[samples, rows], other_range)
        size(apart, out=apart)
        found[samples] += apart.reshape(len(apart), -1).sum(1)
    found /= math.prod(others.shape[1:])
    return found


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Cut (N, H, W, C) into samples and rows of them, of about `PIECE` values."""
    count, height, *row = shape
    of_row = math.prod(row)
    rows = max(1, min(height, PIECE // of_row))
    samples = max(1, PIECE // (height * of_row))
    for sample in range(0, count, samples):
        for first in range(0, height, rows):
            yield slice(sample, sample + samples), slice(first, first + rows)


def _similarity(x: Array, y: Array) -> Array:
    """Return the similarity at each pixel whose window lies within (H, W, C)."""
    height, width, channels = x.shape
    # The squares of pixels far from 0 have no digits left for what these differ by.
    common = y.mean()
    maps = np.empty((4, height, width * channels), np.float32)
    np.subtract(x.reshape(height, -1), common, out=maps[0])
    np.subtract(y.reshape(height, -1), common, out=maps[1])
    np.multiply(maps[0], maps[1], out=maps[2])
    np.square(maps[0], out=maps[3])
    maps[3] += np.square(maps[1])
    mean_x, mean_y, of_products, of_squares = _blurred(_blurred(maps, 1, 1), 2, channels)
    structure = 2 * (of_products - mean_x * mean_y) + _C2
    structure /= of_squares - np.square(mean_x) - np.square(mean_y) + _C2
    mean_x += common
    mean_y += common
    similarity: Array = (2 * mean_x * mean_y + _C1) * structure
    similarity /= np.square(mean_x) + np.square(mean_y) + _C1
    np.minimum(similarity, np.float32(1), out=similarity)  # rounding may leave more
    return similarity


def _blurred(maps: Array, axis: int, stride: int) -> Array:
    """Return (K, H, L) weighted along an axis by the window, whose taps stand `stride` apart."""
    middle, length = WINDOW // 2, maps.shape[axis] - (WINDOW - 1) * stride

    def tap(number: int) -> Array:
        part = slice(number * stride, number * stride + length)
        return maps[:, part] if axis == 1 else maps[:, :, part]

    blurred: Array = tap(middle) * _WEIGHTS[middle]
    pair = np.empty_like(blurred)
    # The window is symmetric, so that two taps share a multiplication.
    for number in range(middle):
        np.add(tap(number), tap(WINDOW - 1 - number), out=pair)
        pair *= _WEIGHTS[number]
        blurred += pair
    return blurred
