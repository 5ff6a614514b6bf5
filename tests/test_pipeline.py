"""The stages in a row: what the user's code gets of the samples, and who draws."""

import numpy as np
import pytest
import tensorflow as tf

from keras_image_saver import Images
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.picture import formats
from keras_image_saver.picture.compose import Tiling
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.render.function import as_renderer
from keras_image_saver.samples import Samples

INPUTS = np.ones((5, 3, 3, 1), np.float32)


def model():
    return tf.keras.Sequential([tf.keras.Input((3, 3, 1)), tf.keras.layers.Rescaling(0.5)])


def drawer(render, drawn=None, *, predict=None, batch_size=2):
    pipeline = Pipeline(render, predict, None, batch_size, Tiling(), formats.PNG)
    drawn = drawn or model()
    return pipeline.bind(DrawnModel(drawn, drawn), Samples(INPUTS.copy()))


def in_place(x):
    x *= 0
    return x


def test_users_way_from_inputs_to_images_gets_copies_of_the_samples():
    made = drawer(Images((0, 1), input_image=in_place))
    drawing = made.draw()
    assert made.samples.inputs.min() == 1
    assert drawing.bound(next(drawing.parts())).panels["input"].max() == 0


def test_users_renderer_gets_copies_of_the_samples():
    made = drawer(as_renderer(lambda batch: {"prediction": in_place(batch.inputs)}, whole=True))
    assert made.draw().count == 5
    assert made.samples.inputs.min() == 1


def test_input_image_that_loses_rows_is_refused():
    with pytest.raises(ValueError, match=r"an image a sample.*for 5 samples"):
        drawer(Images((0, 1), input_image=lambda x: x[:3])).draw()


@pytest.mark.parametrize("predict", [None, lambda drawn, inputs: inputs], ids=["a call", "predict"])
def test_rehearse_draws_one_chunk(predict):
    made = drawer(Images((0, 1)), predict=predict)
    drawing, _, difference = made.rehearse(whole=False, twice=True)
    assert (drawing.count, difference) == (2, 0)
    assert made.draw().count == 5
