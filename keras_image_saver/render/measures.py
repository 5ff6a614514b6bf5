"""The built-in measures by name: what each is of, what it needs, and one pass that takes them all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array
from keras_image_saver.render import class_measures, image_measures
from keras_image_saver.render.measured import Measured, MeasuredClasses, MeasuredImages

# Where there are more classes, their values are kept for each sample alone.
MOST_CLASSES = 64


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a measure is of and what it needs, so that a misfit can be said before training.

    Attributes:
        images: Its function on images, to a value a sample; None: it is not of images.
        counts: Its function on the class counts, to a value a sample.
        classes: The same, to a value a class; what makes up `counts`.
        maps: Its function on class maps, where it has no need of targets.
        grid: Its function on all images together, to one value.
        more_is_worse: Which samples are the worst ones; of `change`, those that changed most.
        targets: Whether it needs targets.
        previous: Whether it needs the outputs of the snapshot before.
        side: How many pixels high and wide images must be.
        samples: How many samples it needs.
    """

    images: Callable[[MeasuredImages], Array] | None = None
    counts: Callable[[class_measures.ClassCounts], Array] | None = None
    classes: Callable[[class_measures.ClassCounts], Array] | None = None
    maps: Callable[[MeasuredClasses], Array] | None = None
    grid: Callable[[Iterable[MeasuredImages]], float] | None = None
    more_is_worse: bool
    targets: bool = True
    previous: bool = False
    side: int = 1
    samples: int = 1

    @property
    def is_of_images(self) -> bool:
        return self.images is not None or self.grid is not None

    @property
    def is_of_classes(self) -> bool:
        return self.counts is not None or self.maps is not None


MEASURES = {
    "mae": Measure(images=image_measures.mae, more_is_worse=True),
    "mse": Measure(images=image_measures.mse, more_is_worse=True),
    "psnr": Measure(images=image_measures.psnr, more_is_worse=False),
    "ssim": Measure(images=image_measures.ssim, more_is_worse=False, side=image_measures.WINDOW),
    "accuracy": Measure(
        counts=class_measures.accuracy,
        classes=class_measures.class_accuracy,
        more_is_worse=False,
    ),
    "iou": Measure(
        counts=class_measures.iou, classes=class_measures.class_iou, more_is_worse=False
    ),
    "dice": Measure(
        counts=class_measures.dice, classes=class_measures.class_dice, more_is_worse=False
    ),
    "change": Measure(
        images=image_measures.change,
        maps=class_measures.change,
        more_is_worse=True,
        targets=False,
        previous=True,
    ),
    "diversity": Measure(
        grid=image_measures.diversity, more_is_worse=False, targets=False, samples=2
    ),
}


@dataclass(frozen=True)
class Values:
    """What a measure found at one snapshot.

    Attributes:
        samples: float32, (N,), a value a sample; (1,) where there is one of the whole grid.
        classes: float32, (classes,): a value a class, of the pixels of all samples together, NaN for a
            class that does not occur; None where there are none, or more than `MOST_CLASSES`.
    """

    samples: Array
    classes: Array | None = None


def evaluate(names: Iterable[str], parts: Sequence[Measured]) -> dict[str, Values]:
    """Take measures of a snapshot.

    Args:
        names: Of measures that fit, see `check_measures`.
        parts: The samples, some rows after others; all of them of one kind.
    """
    measures = {name: MEASURES[name] for name in names}
    of_images = [part for part in parts if isinstance(part, MeasuredImages)]
    of_classes = [part for part in parts if isinstance(part, MeasuredClasses)]
    if of_images:
        return {name: _of_images(one, of_images) for name, one in measures.items()}
    # What all measures with targets share is counted once.
    shares = any(one.counts is not None for one in measures.values())
    counts = class_measures.count_classes(of_classes) if shares else None
    return {name: _of_classes(one, of_classes, counts) for name, one in measures.items()}


def _of_images(measure: Measure, parts: Sequence[MeasuredImages]) -> Values:
    if measure.grid is not None:
        return Values(np.array([measure.grid(parts)], np.float32))
    assert measure.images is not None  # another one is refused before training
    return _values(measure.images, parts)


def _of_classes(
    measure: Measure,
    parts: Sequence[MeasuredClasses],
    counts: class_measures.ClassCounts | None,
) -> Values:
    if measure.counts is None or measure.classes is None or counts is None:
        assert measure.maps is not None  # another one is refused before training
        return _values(measure.maps, parts)
    by_class = None
    if counts.hits.shape[1] <= MOST_CLASSES:
        by_class = measure.classes(counts.pooled())[0].astype(np.float32)
    return Values(measure.counts(counts).astype(np.float32), by_class)


def _values(function: Callable[[Any], Array], parts: Iterable[Any]) -> Values:
    return Values(np.concatenate([function(part) for part in parts]).astype(np.float32))


def misfit(name: str, measured: Measured | None, count: int) -> str | None:
    """Say why a measure cannot be taken, or None where it can.

    Args:
        name: One of `MEASURES`.
        measured: The first rows; None where the renderer does not tell what the outputs are.
        count: The number of samples.
    """
    measure = MEASURES[name]
    if measured is None:
        return (
            "nothing tells which output is the prediction, or what its range or classes are, as with "
            "several outputs and with a renderer of your own: pass `output`, or a function "
            "fn(targets, outputs)"
        )
    if isinstance(measured, MeasuredClasses) and not measure.is_of_classes:
        return "it is of images, and the outputs are drawn as class maps"
    if isinstance(measured, MeasuredImages) and not measure.is_of_images:
        return "it is of class maps, and the outputs are drawn as images"
    if measure.targets and measured.targets is None:
        return "it needs targets, and the samples have none that belong to the prediction"
    shape = measured.outputs.shape
    if isinstance(measured, MeasuredImages) and measure.targets:
        assert measured.targets is not None
        if measured.targets.shape[1:] != shape[1:]:
            return (
                f"it needs targets as large as the outputs, {shape[1:]}, and they have "
                f"{measured.targets.shape[1:]}"
            )
    height = shape[1] // measured.depth if isinstance(measured, MeasuredImages) else shape[1]
    if min(height, shape[2]) < measure.side:
        return (
            f"its window is {measure.side} x {measure.side} pixels, and the outputs have "
            f"{height} x {shape[2]}"
        )
    if count < measure.samples:
        return f"it compares samples with one another, and there is {count}"
    return None


def check_measures(names: Iterable[str], measured: Measured | None, count: int) -> None:
    """Refuse measures that cannot be taken, before training.

    Args:
        names: The names that the user gave.
        measured: The first rows; None where the renderer does not tell what the outputs are.
        count: The number of samples.

    Raises:
        ValueError: If there is no such measure, or one does not fit; it lists those that do.
    """
    fitting = [f'"{name}"' for name in MEASURES if misfit(name, measured, count) is None]
    advice = f" Those that fit here: {', '.join(fitting) or 'none'}."
    for name in names:
        if name not in MEASURES:
            listed = ", ".join(f'"{known}"' for known in MEASURES)
            raise ValueError(f"`metrics` has no measure {name!r}; there are {listed}.{advice}")
        reason = misfit(name, measured, count)
        if reason is not None:
            raise ValueError(f'`metrics` names "{name}", but {reason}.{advice}')
