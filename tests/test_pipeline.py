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


@pytest.mark.parametrize("whole", [True, False])
def test_rehearse_draws_small_outputs_in_the_chunks_of_later_passes(whole):
    pipeline = Pipeline(Images((0, 1)), None, None, None, Tiling(), formats.PNG)
    drawn, sizes = model(), []
    made = pipeline.bind(DrawnModel(drawn, drawn), Samples(np.ones((100, 3, 3, 1), np.float32)))
    read = made._inference._read
    made._inference._read = lambda *args: sizes.append(args[2]) or read(*args)
    drawing, _, difference = made.rehearse(whole=whole, twice=True)
    assert (drawing.count, difference) == (100 if whole else 50, 0)
    assert sizes == ([25] * 4 + [50] * 4 if whole else [25, 50, 50])
    sizes.clear()
    assert made.draw().count == 100
    assert sizes == [50, 50]


def test_without_a_rehearsal_as_many_rows_go_through_as_in_keras():
    pipeline = Pipeline(Images((0, 1)), None, None, None, Tiling(), formats.PNG)
    drawn = model()
    made = pipeline.bind(DrawnModel(drawn, drawn), Samples(np.ones((64, 3, 3, 1), np.float32)))
    made.draw()
    assert made.draw()._chunks[0].shape == (32, 3, 3, 1)


def test_that_memory_ran_out_is_said_as_a_change():
    pipeline = Pipeline(Images((0, 1)), None, None, None, Tiling(), formats.PNG)
    drawn = model()
    made = pipeline.bind(DrawnModel(drawn, drawn), Samples(np.ones((64, 3, 3, 1), np.float32)))
    made.rehearse(whole=False, twice=True)
    called, failures = made._inference._called, [MemoryError("no room")]

    def call(inputs):
        if failures:
            raise failures.pop()
        return called(inputs)

    made._inference._called = call
    assert list(made.changes()) == []
    assert made.draw().count == 64
    (text,) = made.changes()
    assert text.startswith("Memory ran out in a pass: from here on 32 samples go through")


def test_predict_of_the_users_gets_no_more_rows_than_in_keras():
    def predict(_, inputs):
        seen.append(len(inputs))
        return inputs

    seen = []
    pipeline = Pipeline(Images((0, 1)), predict, None, None, Tiling(), formats.PNG)
    drawn = model()
    made = pipeline.bind(DrawnModel(drawn, drawn), Samples(np.ones((64, 3, 3, 1), np.float32)))
    made.rehearse(whole=False, twice=True)
    made.draw()
    assert set(seen) == {32}
