"""Measures beside those of TensorFlow and Keras."""

import numpy as np
import pytest
from support.models import keras, tf

from keras_image_saver.render.class_measures import class_iou, count_classes
from keras_image_saver.render.image_measures import mae, mse, psnr, ssim
from keras_image_saver.render.measured import MeasuredClasses, MeasuredImages

RNG = np.random.default_rng(5)
TARGETS = RNG.random((4, 24, 19, 3), np.float32)
OUTPUTS = (TARGETS + RNG.normal(0, 0.2, TARGETS.shape)).astype(np.float32)


@pytest.mark.parametrize("width", [1.0, 255.0])
def test_psnr_and_ssim_are_those_of_tensorflow(width):
    targets, outputs = TARGETS * width, OUTPUTS * width
    limits = (0.0, width)
    images = MeasuredImages(outputs, limits, targets, limits)
    expected = tf.image.psnr(targets, outputs, max_val=width).numpy()
    np.testing.assert_allclose(psnr(images), expected, rtol=1e-5)
    expected = tf.image.ssim(targets, outputs, max_val=width).numpy()
    np.testing.assert_allclose(ssim(images), expected, atol=2e-5)


def test_errors_are_those_of_keras():
    images = MeasuredImages(OUTPUTS, (0.0, 1.0), TARGETS, (0.0, 1.0))
    for own, theirs in (
        (mae, keras.metrics.MeanAbsoluteError),
        (mse, keras.metrics.MeanSquaredError),
    ):
        for index, found in enumerate(own(images)):
            metric = theirs()
            metric.update_state(TARGETS[index], OUTPUTS[index])
            assert float(metric.result()) == pytest.approx(found, rel=1e-5)


# Keras's own confusion matrix is of int64, which JAX has not.
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")
@pytest.mark.parametrize("ignore", [None, 255], ids=["all pixels", "some ignored"])
def test_iou_of_classes_is_that_of_keras(ignore):
    targets = RNG.integers(0, 4, (3, 16, 16))
    outputs = np.where(RNG.random(targets.shape) < 0.6, targets, 1)
    if ignore is not None:
        targets[:, :3] = ignore
    found = count_classes([MeasuredClasses(outputs, 4, targets, ignore)])
    metric = keras.metrics.IoU(num_classes=4, target_class_ids=[0, 1, 2, 3], ignore_class=ignore)
    metric.update_state(targets, outputs)
    pooled = class_iou(found.pooled())[0]
    assert float(metric.result()) == pytest.approx(pooled.mean(), rel=1e-5)
