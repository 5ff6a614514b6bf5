"""Models that segment, each through real training, and the pixels that come of it."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    ALL_PANELS,
    BACKEND,
    OF_IDS,
    VOC,
    VOID,
    assert_drawn,
    class_ids,
    floats,
    names,
    panels,
    photos,
    read,
    run,
    unet,
)
from support.training import fit_data

from keras_image_saver import ImageSaver, Segmentation, overlay, to_uint8

keras = tf.keras
layers = keras.layers


def test_unet_with_softmax_draws_photo_prediction_and_target_in_voc_colours(tmp_path):
    model, x, y = unet(3, "softmax"), floats(4, 8, 8, 3), class_ids(4)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
    saver = ImageSaver(
        tmp_path / "{epoch:03d}-{val_loss:.3f}.png",
        data,
        num_samples=3,
        render=Segmentation(num_classes=3, input_range=(0, 1)),
    )
    history = fit_data(model, data, saver=saver, validation_data=data).history
    assert names(tmp_path) == [f"{n:03d}-{v:.3f}.png" for n, v in enumerate(history["val_loss"], 1)]
    found = panels(read(tmp_path / names(tmp_path)[-1]), 3, (8, 8), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(x[:3]))
    np.testing.assert_array_equal(found["prediction"], VOC[run(model, x[:3]).argmax(-1)])
    np.testing.assert_array_equal(found["target"], VOC[y[:3]])


def test_unet_with_a_single_logit_draws_two_classes_by_a_threshold(tmp_path):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = unet(1, None, loss=loss)
    x, y = floats(4, 8, 8, 3), class_ids(4, classes=2)[..., None].astype(np.float32)
    palette = ((10, 20, 30), (255, 255, 255))
    render = Segmentation(from_logits=True, threshold=0.6, palette=palette, input_range=(0, 1))
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    colors = np.array(palette, np.uint8)
    hits = run(model, x)[..., 0] > np.log(0.6 / 0.4)
    np.testing.assert_array_equal(found["prediction"], colors[hits.astype(int)])
    np.testing.assert_array_equal(found["target"], colors[y[..., 0].astype(int)])


def test_unet_with_sigmoid_channels_draws_each_label_over_its_threshold(tmp_path):
    model = unet(3, "sigmoid", loss="binary_crossentropy")
    x = photos(4)
    y = np.rint(floats(4, 8, 8, 3, seed=3))
    render = Segmentation(multi_label=True)
    fit_data(model, x / np.float32(255), y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], x)

    def topmost(hits):
        return np.max(hits * np.array([1, 2, 3]), axis=-1)

    outputs = run(model, x)
    np.testing.assert_array_equal(found["prediction"], VOC[topmost(outputs > 0.5)])
    np.testing.assert_array_equal(found["target"], VOC[topmost(y > 0.5).astype(int)])


def test_unet_with_rescaling_inside_shows_its_float_photos_from_0_to_255(tmp_path):
    inner = unet(2, "softmax")
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, inner(layers.Rescaling(1 / 255)(inputs)))
    model.compile("sgd", OF_IDS)
    photo, y = photos(3), class_ids(3, classes=2)
    x = photo.astype(np.float32)
    render = Segmentation(2, input_range=(0, 255), overlay=0.5)
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 3, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], photo)
    ids = run(model, x).argmax(-1)
    np.testing.assert_array_equal(found["prediction"], overlay(photo, VOC[ids], 0.5))
    np.testing.assert_array_equal(found["target"], overlay(photo, VOC[y], 0.5))


def test_segmentation_of_inputs_normalised_by_imagenet_shows_the_photos(tmp_path):
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    photo, y = photos(2), class_ids(2)
    x = ((photo / 255 - mean) / std).astype(np.float32)
    render = Segmentation(3, input_range=((0 - mean) / std, (1 - mean) / std))
    fit_data(unet(3, "softmax"), x, y, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 2, (8, 8), ALL_PANELS)
    np.testing.assert_array_equal(found["input"], photo)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch refuses the gradient of its sparse loss")
def test_targets_with_a_channel_axis_and_ignored_pixels_show_the_void_colour(tmp_path):
    y = class_ids(3).astype(np.uint8)[..., None]
    y[:, 0] = y[:, :, 3] = 255
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
    model, x = unet(3, "softmax", loss=loss), photos(3)
    data = tf.data.Dataset.from_tensor_slices((x / np.float32(255), y)).batch(3)
    render = Segmentation(3, ignore_index=255)
    fit_data(model, data, saver=ImageSaver(tmp_path, (x, y), render=render))
    found = panels(read(tmp_path / "0002.png"), 3, (8, 8), ALL_PANELS)
    expected = VOC[np.where(y == 255, 0, y)[..., 0]]
    expected[y[..., 0] == 255] = VOID
    np.testing.assert_array_equal(found["target"], expected)


def test_scores_smaller_than_the_photo_are_enlarged_beside_it(tmp_path):
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(3, 4, strides=4, activation="softmax")]
    )
    model.compile("sgd", OF_IDS)
    x = photos(2, size=16)
    y = class_ids(2, size=4)
    saver = ImageSaver(tmp_path, (x, class_ids(2, size=16)), render=Segmentation(3))
    fit_data(model, x / np.float32(255), y, saver=saver)
    found = panels(read(tmp_path / "0002.png"), 2, (16, 16), ALL_PANELS)
    ids = run(model, x.astype(np.float32)).argmax(-1).repeat(4, axis=1).repeat(4, axis=2)
    np.testing.assert_array_equal(found["prediction"], VOC[ids])
    np.testing.assert_array_equal(found["target"], VOC[class_ids(2, size=16)])
