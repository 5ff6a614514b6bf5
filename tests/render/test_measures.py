"""The table of measures: what fits what, and one pass that takes several."""

import numpy as np
import pytest

from keras_image_saver.render.measured import MeasuredClasses, MeasuredImages
from keras_image_saver.render.measures import MEASURES, check_measures, evaluate, misfit

ZEROS = np.zeros((4, 16, 16, 3), np.float32)
IMAGES = MeasuredImages(ZEROS, (0.0, 1.0), ZEROS, (0.0, 1.0))
IDS = np.zeros((4, 16, 16), np.int64)
MAPS = MeasuredClasses(IDS, 3, IDS)


def fitting(measured, count=4):
    return {name for name in MEASURES if misfit(name, measured, count) is None}


def test_measures_that_fit_are_those_of_what_is_drawn():
    assert fitting(IMAGES) == {"mae", "mse", "psnr", "ssim", "change", "diversity"}
    assert fitting(MAPS) == {"accuracy", "iou", "dice", "change"}
    assert fitting(MeasuredImages(ZEROS, (0.0, 1.0))) == {"change", "diversity"}
    assert fitting(MeasuredClasses(IDS, 3)) == {"change"}
    assert fitting(None) == set()


SMALL = ZEROS[:, :10]
REFUSALS = [
    ("miou", MAPS, r'no measure \'miou\'; there are "mae".*fit here: "accuracy", "iou", "dice"'),
    (
        "psnr",
        MAPS,
        r'"psnr", but it is of images.*class maps\. .*"accuracy", "iou", "dice", "change"',
    ),
    ("iou", IMAGES, r'"iou", but it is of class maps.*as images.*"mae"'),
    ("mae", MeasuredImages(ZEROS, (0, 1)), r'"mae", but it needs targets.*fit here: "change"\.'),
    ("dice", MeasuredClasses(IDS, 3), r'"dice", but it needs targets.*fit here: "change"\.'),
    ("mse", MeasuredImages(ZEROS, (0, 1), SMALL), r"as large as .*\(16, 16, 3\).*\(10, 16, 3\)"),
    ("mae", MeasuredImages(ZEROS, (0, 1), ZEROS[..., :1]), r"\(16, 16, 3\).*\(16, 16, 1\)"),
    ("ssim", MeasuredImages(SMALL, (0, 1), SMALL), r"window is 11 x 11 pixels.*have 10 x 16"),
    ("diversity", IMAGES, r"compares samples with one another, and there is 1\."),
    ("change", None, r"renderer of your own.*fn\(targets, outputs\).*fit here: none"),
]


@pytest.mark.parametrize(
    ("name", "measured", "said"), REFUSALS, ids=[f"{name}-{said}" for name, _, said in REFUSALS]
)
def test_measure_that_does_not_fit_is_refused_with_those_that_do(name, measured, said):
    with pytest.raises(ValueError, match=f"`metrics` .*{said}"):
        check_measures([name], measured, 1)


def test_measures_that_fit_are_not_refused():
    check_measures(["psnr", "ssim", "diversity"], IMAGES, 4)
    check_measures([], None, 4)


def test_evaluate_joins_parts_of_images():
    outputs = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
    zeros = np.zeros_like(outputs)
    parts = [
        MeasuredImages(outputs[rows], (0.0, 4.0), zeros[rows], (0.0, 4.0))
        for rows in (slice(0, 3), slice(3, 4))
    ]
    found = evaluate(["mae", "change", "diversity"], parts)
    assert list(found) == ["mae", "change", "diversity"]
    assert found["mae"].samples.tolist() == [0, 0.25, 0.5, 0.75]
    assert np.isnan(found["change"].samples).all()
    np.testing.assert_allclose(
        found["diversity"].samples, [np.sqrt(2 * np.var([0, 1, 2, 3], ddof=1)) / 4]
    )
    for values in found.values():
        assert values.samples.dtype == np.float32
        assert values.classes is None


@pytest.mark.parametrize(("count", "has_classes"), [(3, True), (64, True), (65, False)])
def test_evaluate_of_class_maps_has_values_by_class_where_there_are_few(count, has_classes):
    targets, outputs = np.array([[[0, 1]], [[1, 1]]]), np.array([[[0, 0]], [[1, 1]]])
    parts = [MeasuredClasses(outputs[i : i + 1], count, targets[i : i + 1]) for i in range(2)]
    found = evaluate(["iou", "accuracy", "change"], parts)
    assert found["iou"].samples.tolist() == [0.25, 1]
    assert found["accuracy"].samples.tolist() == [0.5, 1]
    assert found["change"].classes is None
    if not has_classes:
        assert found["iou"].classes is None
        return
    assert found["iou"].classes.dtype == np.float32
    np.testing.assert_allclose(found["iou"].classes[:3], [1 / 2, 2 / 3, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["accuracy"].classes[:2], [1, 2 / 3], rtol=1e-6)


def test_evaluate_of_class_maps_without_targets_counts_nothing():
    found = evaluate(["change"], [MeasuredClasses(IDS, 3, previous=IDS)])
    assert found["change"].samples.tolist() == [0, 0, 0, 0]
