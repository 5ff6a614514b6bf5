"""Models with several inputs or outputs: which is drawn, and from which samples."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    ALL_PANELS,
    BACKEND,
    assert_drawn,
    drawn,
    floats,
    names,
    only_tensorflow,
    panels,
    photos,
    read,
    run,
)
from support.training import fit_data

from keras_image_saver import Images, ImageSaver, Segmentation, latents, to_uint8

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


@pytest.mark.parametrize("as_dict", [True, False], ids=["dict", "list"])
def test_model_with_several_outputs_draws_the_one_that_is_named(tmp_path, as_dict):
    model, x = two_headed(as_dict), floats(4, 8, 8, 1)
    label = np.zeros((4, 1), np.int32)
    y = {"image": x, "label": label} if as_dict else [label, x]
    names_of_it = ["image", 0, -2] if as_dict else ["image", 1, -1]
    savers = [ImageSaver(tmp_path / str(one), (x, y), output=one) for one in names_of_it]
    fit_data(model, x, y, saver=savers)
    image = to_uint8(run(model, x)["image" if as_dict else 1])
    for name in names_of_it:
        found = panels(read(tmp_path / str(name) / "0002.png"), 4, (8, 8), ALL_PANELS)
        assert_drawn(found["prediction"], image)
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


class Returning(keras.Model):
    """An autoencoder that returns what a function makes of its images."""

    def __init__(self, returned):
        super().__init__()
        self.conv = layers.Conv2D(1, 3, padding="same", activation="sigmoid")
        self.returned = returned

    def call(self, inputs, training=None):
        return self.returned(self.conv(inputs))


def returning(returned):
    model = Returning(returned)
    model(floats(1, 8, 8, 1))
    return model


def drawn_alone(folder, model, x, **arguments):
    """The prediction that `save` draws of what no `fit` could train."""
    saver = ImageSaver(folder, x, **arguments)
    with saver.watch(model):
        saver.save(epoch=0)
    return panels(read(folder / "0001.png"), len(x), (8, 8), ("input", "prediction"))["prediction"]


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        pytest.param(lambda image: (image, tf.constant(0.5)), 0, id="a loss beside it"),
        pytest.param(lambda image: (tf.ones((512, 4)), image), 1, id="a codebook before it"),
        pytest.param(lambda image: {"aux": None, "img": image}, "img", id="None beside it"),
        pytest.param(lambda image: [image, tf.constant(["no"])], 0, id="text beside it"),
    ],
)
@only_tensorflow
def test_only_the_output_that_is_chosen_has_to_be_drawable(tmp_path, returned, output):
    model, x = returning(returned), floats(5, 8, 8, 1)
    for size in (2, 32):
        found = drawn_alone(
            tmp_path / str(size), model, x, output=output, batch_size=size, render=Images((0, 1))
        )
        np.testing.assert_array_equal(found, to_uint8(np.asarray(model.conv(x))))


@only_tensorflow
def test_own_renderer_gets_none_for_an_output_that_has_no_row_a_sample(tmp_path):
    model, x = returning(lambda image: {"img": image, "loss": tf.constant(1.0)}), floats(3, 8, 8, 1)

    def render(batch):
        assert batch.outputs["loss"] is None
        return {"input": batch.inputs, "prediction": batch.outputs["img"]}

    found = drawn_alone(tmp_path, model, x, render=render, batch_size=2)
    np.testing.assert_array_equal(found, to_uint8(np.asarray(model.conv(x))))


@dataclasses.dataclass
class Answer:
    """What a model of other libraries returns: an object that holds its tensors."""

    logits: object

    def __repr__(self):
        return "values " * 700


@only_tensorflow
@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({}, r"Pass predict=lambda model, x: model\(x, training=False\)\.logits\."),
        ({"predict": lambda model, x: model(x)}, r"Pass a `predict` that returns the array itself"),
    ],
    ids=["model", "predict"],
)
def test_output_of_unknown_type_is_named_by_its_type(tmp_path, arguments, advice):
    saver = ImageSaver(tmp_path, floats(2, 8, 8, 1), **arguments)
    refused = pytest.raises(TypeError, match=f"an object of type Answer.*{advice}")
    with refused as info, saver.watch(returning(Answer)):
        pytest.fail("the loop began")
    assert len(str(info.value)) < 300


@pytest.mark.parametrize("chosen", ["a", "prediction"])
def test_range_is_that_of_the_chosen_output_where_another_is_called_prediction(tmp_path, chosen):
    inputs = keras.Input((8, 8, 1))
    ends = {"a": "sigmoid", "prediction": "tanh"}
    outputs = [
        layers.Conv2D(1, 3, padding="same", activation=end, name=name)(inputs)
        for name, end in ends.items()
    ]
    model, x = keras.Model(inputs, outputs), floats(2, 8, 8, 1)
    found = drawn_alone(tmp_path, model, x, output=chosen, render=Images(input_range=(0, 1)))
    expected = run(model, x)[list(ends).index(chosen)]
    value_range = (0, 1) if chosen == "a" else (-1, 1)
    assert_drawn(found, to_uint8(expected, value_range=value_range))


def test_several_outputs_that_nobody_chose_from_are_panels_by_their_names(tmp_path):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(inputs)
    outputs = [
        layers.Dense(3, activation="softmax", name="label")(layers.Flatten()(x)),
        layers.Conv2D(1, 3, padding="same", activation="tanh", name="edges")(x),
        layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="photo")(x),
        layers.Reshape((16, 8), name="sequence")(x),  # of three axes, and no image beside these
    ]
    model, x = keras.Model(inputs, outputs), photos(3, channels=1)
    with ImageSaver(tmp_path, (x, x)).watch(model) as saver:
        saver.save(epoch=0)
    found = panels(read(tmp_path / "0001.png"), 3, (8, 8), ("input", "edges", "photo", "target"))
    returned = run(model, x.astype(np.float32) if BACKEND != "tensorflow" else x)
    for name in ("input", "target"):
        np.testing.assert_array_equal(found[name], x.repeat(3, axis=-1))
    assert_drawn(found["edges"], to_uint8(returned[1], value_range=(-1, 1)).repeat(3, axis=-1))
    assert_drawn(found["photo"], to_uint8(returned[2]))


def dict_dataset(channels_first=False, label_axes=3):
    pixels = photos(4, channels=3)
    labels = np.zeros((4, 8, 8, 1)[:label_axes], np.int32)
    if channels_first:
        pixels = pixels.transpose(0, 3, 1, 2).copy()
    return tf.data.Dataset.from_tensor_slices({"pixel_values": pixels, "labels": labels}).batch(4)


def draw_pixel_values(model, inputs):
    pixels = tf.cast(inputs["pixel_values"], tf.float32) / 255.0
    return pixels if pixels.shape[-1] == 3 else tf.transpose(pixels, [0, 2, 3, 1])


@pytest.mark.parametrize("label_axes", [3, 4])
@pytest.mark.parametrize("render", [Images, Segmentation])
@only_tensorflow
def test_image_of_a_dict_is_drawn_as_the_input(tmp_path, label_axes, render):
    render = render((0, 1)) if render is Images else render(multi_label=True)
    data = dict_dataset(label_axes=label_axes)
    saver = ImageSaver(tmp_path, data, render=render, predict=draw_pixel_values)
    with saver.watch(returning(lambda image: image)):
        saver.save(epoch=0)
    found = panels(read(tmp_path / "0001.png"), 4, (8, 8), ("input", "prediction"))
    np.testing.assert_array_equal(found["input"], next(iter(data))["pixel_values"])


@pytest.mark.parametrize("render", [Images, Segmentation])
@only_tensorflow
def test_images_of_a_dict_that_are_not_drawn_are_said_before_training(tmp_path, render):
    render = partial(render, (0, 1)) if render is Images else partial(render, multi_label=True)
    data = dict_dataset(channels_first=True)
    way = r"inputs\['pixel_values'\]\.transpose\(0, 2, 3, 1\)"
    expected = (
        r"No input is drawn: the samples' inputs are 2 arrays.*labels: shape \(\d, 8, 8.*Pass "
        rf"\w+\(input_image=lambda inputs: {way}\), or samples as a tuple \(x, y\)"
    )
    saver = ImageSaver(tmp_path / "run", data, render=render(), predict=draw_pixel_values)
    model = returning(lambda image: image)
    with pytest.warns(UserWarning, match=expected) as said, saver.watch(model):
        saver.save(epoch=0)
    assert len(said) == 1
    for number, asked in enumerate([{"panels": ["prediction"]}, {"input_image": first_input}]):
        saver = ImageSaver(
            tmp_path / str(number), data, render=render(**asked), predict=draw_pixel_values
        )
        with saver.watch(model):  # a warning would be an error
            saver.save(epoch=0)


def first_input(inputs):
    return np.zeros((4, 8, 8, 3), np.uint8)


@only_tensorflow
def test_noise_and_vectors_among_several_inputs_are_not_missed(tmp_path):
    noise, steps = latents(3, 8, 8, 3), np.zeros(3, np.int32)
    model = returning(lambda image: image)
    for number, inputs in enumerate([[noise, steps], {"z": latents(3, 4), "step": steps}]):
        saver = ImageSaver(
            tmp_path / str(number),
            inputs,
            render=Images((0, 1)),
            pad_value=0,
            predict=lambda model, inputs: np.zeros(
                (len(tf.nest.flatten(inputs)[0]), 8, 8, 1), np.float32
            ),
        )
        with saver.watch(model):  # a warning would be an error
            saver.save(epoch=0)
        assert not read(tmp_path / str(number) / "0001.png")[2:-2, 2:-2].any()


def test_input_image_is_not_asked_where_there_are_no_samples(tmp_path):
    def refuse(inputs):
        raise AssertionError("it was asked")

    saver = ImageSaver(
        tmp_path,
        None,
        predict=lambda model, inputs: np.ones((2, 8, 8, 1), np.float32),
        render=Images((0, 1), input_image=refuse),
    )
    with saver.watch(returning(lambda image: image)):
        saver.save(epoch=0)
    assert names(tmp_path) == ["0001.png"]
