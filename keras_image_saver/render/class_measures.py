"""Measures of class maps: which pixels have the class of their target, or another than before.

Pixels whose target is ignored, or is no class, are left out. A prediction that is no class (scores that
are not finite, an ignored id) is wrong wherever it stands, and is no class to average over. The class
maps are those that are drawn: of several labels a pixel, the topmost.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from keras_image_saver.arrays import Array, nearest, without_float_errors
from keras_image_saver.render.measured import MeasuredClasses


@dataclass(frozen=True)
class ClassCounts:
    """How many pixels of each sample have a class, from which all measures with targets follow.

    Attributes:
        hits: In the target and, at the same pixel, in the prediction; int64 (N, classes).
        targets: In the target.
        outputs: In the prediction.
    """

    hits: Array
    targets: Array
    outputs: Array

    def pooled(self) -> "ClassCounts":
        """Return the counts of all samples together, (1, classes)."""
        parts = (self.hits, self.targets, self.outputs)
        return ClassCounts(*(part.sum(0, keepdims=True) for part in parts))


def count_classes(parts: Iterable[MeasuredClasses]) -> ClassCounts:
    """Count the classes of each sample, sample by sample.

    Args:
        parts: Some samples after others, with targets. Where predictions and targets differ in size,
            both take the larger one, as where they are drawn over the input.
    """
    rows = [_count(part, index) for part in parts for index in range(len(part.outputs))]
    return ClassCounts(*(np.stack(counts) for counts in zip(*rows, strict=True)))


@without_float_errors
def accuracy(counts: ClassCounts) -> Array:
    """Return the share of each sample's pixels that have the right class.

    Returns:
        float64, shape (N,), 0 to 1; NaN for a sample without a pixel that counts.
    """
    share: Array = counts.hits.sum(1) / counts.targets.sum(1)
    return share


def iou(counts: ClassCounts) -> Array:
    """Return the intersection over union of each sample, the mean over its classes.

    Of a class, hits / (target + prediction - hits) in pixels, the Jaccard index; averaged over the
    classes that occur in the sample's target or prediction, the background being one of them.

    Returns:
        float64, shape (N,), 0 to 1; NaN for a sample without a pixel that counts.
    """
    return _mean_of_known(class_iou(counts))


def dice(counts: ClassCounts) -> Array:
    """Return the Dice coefficient of each sample, the mean over its classes.

    Of a class, 2 hits / (target + prediction) in pixels, which is also F1; averaged as in `iou`.

    Returns:
        float64, shape (N,), 0 to 1; NaN for a sample without a pixel that counts.
    """
    return _mean_of_known(class_dice(counts))


@without_float_errors
def class_accuracy(counts: ClassCounts) -> Array:
    """Return by class the share of the target's pixels that are right, the recall; NaN without any."""
    share: Array = counts.hits / counts.targets
    return share


@without_float_errors
def class_iou(counts: ClassCounts) -> Array:
    """Return the intersection over union by class, (N, classes); NaN where a class does not occur."""
    share: Array = counts.hits / (counts.targets + counts.outputs - counts.hits)
    return share


@without_float_errors
def class_dice(counts: ClassCounts) -> Array:
    """Return the Dice coefficient by class, (N, classes); NaN where a class does not occur."""
    share: Array = 2 * counts.hits / (counts.targets + counts.outputs)
    return share


def change(maps: MeasuredClasses) -> Array:
    """Return the share of each sample's pixels that have another class than in the snapshot before.

    Returns:
        float64, shape (N,); NaN where there is none before, or one of another shape.
    """
    outputs, previous = maps.outputs, maps.comparable
    if previous is None:
        return np.full(len(outputs), np.nan)
    changed = [np.count_nonzero(now != then) for now, then in zip(outputs, previous, strict=True)]
    share: Array = np.array(changed) / outputs[0].size
    return share


def _count(maps: MeasuredClasses, index: int) -> tuple[Array, Array, Array]:
    """Return hits, and pixels in target and prediction, of one sample by class."""
    assert maps.targets is not None  # a measure that needs targets is refused where there are none
    target, output = (ids[index : index + 1] for ids in (maps.targets, maps.outputs))
    height, width = (max(a, b) for a, b in zip(target.shape[1:], output.shape[1:], strict=True))
    target, output = nearest(target, height, width).ravel(), nearest(output, height, width).ravel()
    known = _is_class(target, maps)
    if known is not None:
        target, output = target[known], output[known]
    hits = target[target == output]
    known = _is_class(output, maps)
    if known is not None:
        output = output[known]
    by_class = (np.bincount(ids, minlength=maps.count) for ids in (hits, target, output))
    in_hits, in_target, in_output = by_class
    return in_hits, in_target, in_output


def _is_class(ids: Array, maps: MeasuredClasses) -> Array | None:
    """Return where ids are classes that count; None where all are, as in nearly every class map."""
    ignored, count = maps.ignore_index, maps.count
    ignores = ignored is not None and 0 <= ignored < count
    if not ids.size or (not ignores and ids.min() >= 0 and ids.max() < count):
        return None
    known: Array = (ids >= 0) & (ids < count)
    return known & (ids != ignored) if ignores else known


@without_float_errors
def _mean_of_known(values: Array) -> Array:
    """Return the mean of each row over what is not NaN; NaN for a row of nothing else."""
    known = ~np.isnan(values)
    mean: Array = np.where(known, values, 0).sum(1) / known.sum(1)
    return mean
