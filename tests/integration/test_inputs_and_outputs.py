"""Models with several inputs or outputs: which is drawn, and from which samples."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import ALL_PANELS, assert_drawn, drawn, floats, panels, read, run
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, to_uint8

keras = tf.keras
layers = keras.layers


def two_headed(as_dict):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(inputs)
    image = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="image")(x)
    label = layers.Dense(3, activation="softmax", name="label")(layers.Flatten()(x))
    outputs = {"image": image, "label": label} if as_dict else [label, image]
    model = keras.Model(inputs, outputs)
    losses = {"image": "mse", "label": "sparse_categorical_crossentropy"}
    model.compile("sgd", losses if as_dict else [losses["label"], losses["image"]])
    return model


@pytest.mark.parametrize("output", ["image", 0, -2], ids=str)
def test_model_with_a_dict_of_outputs_draws_the_one_that_is_named(tmp_path, output):
    model, x = two_headed(as_dict=True), floats(4, 8, 8, 1)
    y = {"image": x, "label": np.zeros((4, 1), np.int32)}
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), output=output))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["prediction"], to_uint8(run(model, x)["image"]))
    assert_drawn(found["target"], to_uint8(x))


@pytest.mark.parametrize("output", ["image", 1, -1], ids=str)
def test_model_with_a_list_of_outputs_draws_the_one_that_is_named(tmp_path, output):
    model, x = two_headed(as_dict=False), floats(4, 8, 8, 1)
    y = [np.zeros((4, 1), np.int32), x]
    fit_data(model, x, y, saver=ImageSaver(tmp_path, (x, y), output=output))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["prediction"], to_uint8(run(model, x)[1]))
    assert_drawn(found["target"], to_uint8(x))


def test_output_that_is_named_prediction_is_a_panel_beside_another(tmp_path):
    inputs = keras.Input((8, 8, 1))
    outputs = [
        layers.Conv2D(1, 3, padding="same", activation="sigmoid", name=name)(inputs)
        for name in ("prediction", "edges")
    ]
    model, x = keras.Model(inputs, outputs), floats(2, 8, 8, 1)
    model.compile("sgd", ["mse", "mse"])
    render = Images(panels=("prediction", "edges"))
    fit_data(model, x, [x, x], saver=ImageSaver(tmp_path, x, render=render), epochs=1)
    found = panels(read(tmp_path / "0001.png"), 2, (8, 8), ("prediction", "edges"))
    assert_drawn(found["prediction"], to_uint8(run(model, x)[0]))
    assert_drawn(found["edges"], to_uint8(run(model, x)[1]))


def deep_supervision():
    inputs = x = keras.Input((8, 8, 1))
    outputs = []
    for depth in range(8):
        x = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
        end = layers.Conv2D(1, 1, activation="sigmoid", name=f"side{depth}")
        outputs.append(end(x))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse"] * 8)
    return model


def test_deep_supervision_with_eight_outputs_draws_one_of_them_or_several_panels(tmp_path):
    model, x = deep_supervision(), floats(3, 8, 8, 1)
    shown = ("input", "side0", "side7")
    savers = [
        ImageSaver(tmp_path / "last", (x, x), output=-1),
        ImageSaver(tmp_path / "some", x, render=Images(input_range=(0, 1), panels=shown)),
    ]
    fit_data(model, x, [x] * 8, saver=savers)
    outputs = run(model, x)
    last = panels(read(tmp_path / "last/0002.png"), 3, (8, 8), ALL_PANELS)
    assert_drawn(last["prediction"], to_uint8(outputs[7]))
    assert_drawn(last["target"], to_uint8(x))
    some = panels(read(tmp_path / "some/0002.png"), 3, (8, 8), shown)
    assert_drawn(some["input"], to_uint8(x))
    assert_drawn(some["side0"], to_uint8(outputs[0]))
    assert_drawn(some["side7"], to_uint8(outputs[7]))


@pytest.mark.parametrize("form", ["list", "dict", "dataset"])
def test_functional_model_with_two_inputs_draws_from_every_form_of_samples(tmp_path, form):
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    x = layers.Concatenate()([left, right])
    outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    model = keras.Model(
        {"left": left, "right": right} if form != "list" else [left, right], outputs
    )
    model.compile("sgd", "mse")
    one, other = floats(4, 8, 8, 1), floats(4, 8, 8, 1, seed=1)
    inputs = [one, other] if form == "list" else {"right": other, "left": one}
    samples = (inputs, one)
    if form == "dataset":
        samples = tf.data.Dataset.from_tensor_slices(samples).batch(2)
    key = 1 if form == "list" else "right"
    render = Images(input_image=lambda inputs: inputs[key])
    data = samples if isinstance(samples, tuple) else (samples,)
    fit_data(model, *data, saver=ImageSaver(tmp_path, samples, render=render))
    found = panels(read(tmp_path / "0002.png"), 4, (8, 8), ALL_PANELS)
    assert_drawn(found["input"], to_uint8(other))
    assert_drawn(found["prediction"], drawn(model, inputs, (0, 1)))
    assert_drawn(found["target"], to_uint8(one))
