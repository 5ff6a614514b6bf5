import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_image_saver.model.activations import output_activations

keras = tf.keras
layers = keras.layers

KERAS_3 = hasattr(keras, "ops")
only_keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no keras.ops")


def functional(function, shape=(8, 8, 1)):
    inputs = keras.Input(shape)
    return keras.Model(inputs, function(inputs))


def end_of(function, shape=(8, 8, 1)):
    (end,) = output_activations(functional(function, shape), 1)
    return end


def conv(activation=None, **kwargs):
    return layers.Conv2D(1, 1, activation=activation, **kwargs)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softmax", "relu", "hard_sigmoid"])
@pytest.mark.parametrize(
    "make",
    [
        lambda a: layers.Conv2D(3, 1, activation=a),
        lambda a: layers.Conv2DTranspose(3, 1, activation=a),
        lambda a: layers.SeparableConv2D(3, 1, activation=a),
        lambda a: layers.DepthwiseConv2D(1, activation=a),
        lambda a: layers.Dense(3, activation=a),
        layers.Activation,
        lambda a: layers.Conv2D(3, 1, activation=getattr(keras.activations, a)),
    ],
    ids=["conv", "transposed", "separable", "depthwise", "dense", "activation", "function"],
)
def test_output_ends_finds_the_activation_of_a_layer(make, activation):
    assert end_of(make(activation)) == activation


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize(
    "after",
    [
        layers.Cropping2D(1),
        layers.CenterCrop(4, 4),
        layers.ZeroPadding2D(1),
        layers.UpSampling2D(2),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Reshape((4, 16, 1)),
        layers.Permute((2, 1, 3)),
        layers.Flatten(),
        layers.Resizing(16, 16),
        layers.Activation("linear"),
        layers.Activation("linear", dtype="float32"),
    ],
    ids=lambda layer: layer.name,
)
def test_output_ends_looks_through_what_keeps_the_range(activation, after):
    after = type(after).from_config(after.get_config())
    assert end_of(lambda x: after(conv(activation)(x))) == activation


def test_output_ends_looks_through_several_of_them():
    chain = [conv("tanh"), layers.UpSampling2D(2), layers.Cropping2D(1), layers.Reshape((-1,))]
    model = keras.Sequential([keras.Input((8, 8, 1)), *chain])
    assert output_activations(model, 1) == ("tanh",)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.cast(conv("tanh")(x), tf.float16),
        lambda x: tf.reshape(conv("tanh")(x), (-1, 64)),
        lambda x: tf.transpose(conv("tanh")(x), (0, 2, 1, 3)),
        lambda x: tf.squeeze(conv("tanh")(x), -1),
        lambda x: conv("tanh")(x)[:, 1:-1],
        lambda x: tf.nn.tanh(conv()(x)),
    ],
    ids=["cast", "reshape", "transpose", "squeeze", "slice", "tanh"],
)
@pytest.mark.skipif(KERAS_3, reason="Keras 3 refuses TensorFlow functions on Keras tensors")
def test_output_ends_looks_through_tensorflow_functions(function):
    assert end_of(function) == "tanh"


@pytest.mark.parametrize(
    "function",
    [
        lambda ops, x: ops.cast(conv("sigmoid")(x), "float16"),
        lambda ops, x: ops.reshape(conv("sigmoid")(x), (-1, 64)),
        lambda ops, x: ops.transpose(conv("sigmoid")(x), (0, 2, 1, 3)),
        lambda ops, x: ops.squeeze(conv("sigmoid")(x), -1),
        lambda ops, x: conv("sigmoid")(x)[:, 1:-1],
        lambda ops, x: ops.sigmoid(conv()(x)),
        lambda ops, x: ops.sigmoid(conv()(x))[..., 0],
        lambda ops, x: keras.activations.sigmoid(conv()(x)),
        lambda ops, x: ops.image.resize(conv("sigmoid")(x), (16, 16)),
    ],
    ids=[
        "cast",
        "reshape",
        "transpose",
        "squeeze",
        "slice",
        "sigmoid",
        "sliced",
        "activations",
        "resize",
    ],
)
@only_keras_3
def test_output_ends_looks_through_keras_operations(function):
    assert end_of(lambda x: function(keras.ops, x)) == "sigmoid"


@only_keras_3
def test_output_ends_finds_tanh_and_softmax_operations():
    assert end_of(lambda x: keras.ops.tanh(conv()(x))) == "tanh"
    assert end_of(lambda x: keras.ops.softmax(layers.Dense(3)(x))) == "softmax"


def test_output_ends_finds_a_softmax_layer():
    assert end_of(lambda x: layers.Softmax()(layers.Dense(3)(x))) == "softmax"


def test_output_ends_looks_into_nested_models():
    inner = keras.Sequential([keras.Input((8, 8, 1)), conv("tanh"), layers.Cropping2D(1)])
    assert end_of(lambda x: inner(conv()(x))) == "tanh"
    assert end_of(lambda x: layers.UpSampling2D(2)(inner(x))) == "tanh"


def test_output_ends_looks_before_a_nested_model_that_keeps_the_range():
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Cropping2D(1)])
    assert end_of(lambda x: inner(conv("sigmoid")(x))) == "sigmoid"


def test_output_ends_tells_the_outputs_of_a_nested_model_apart():
    inner = functional(lambda x: [conv("tanh")(x), conv("sigmoid")(x)])
    model = functional(lambda x: inner(x)[::-1])
    assert output_activations(model, 2) == ("sigmoid", "tanh")


def test_output_ends_looks_into_wrappers():
    wrapped = layers.TimeDistributed(conv("tanh"))
    assert end_of(wrapped, (3, 8, 8, 1)) == "tanh"
    if hasattr(layers, "SpectralNormalization"):
        assert end_of(layers.SpectralNormalization(conv("sigmoid"))) == "sigmoid"


def test_output_ends_with_mixed_precision_finds_the_activation():
    last = [conv(), layers.Activation("sigmoid", dtype="float32")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *last])
    assert output_activations(model, 1) == ("sigmoid",)
    cast = [conv("tanh", dtype="mixed_float16"), layers.Activation("linear", dtype="float32")]
    assert output_activations(keras.Sequential([keras.Input((8, 8, 1)), *cast]), 1) == ("tanh",)


def test_output_ends_of_several_outputs_keep_their_order():
    model = functional(lambda x: [conv("sigmoid")(x), conv()(x), conv("tanh")(x)])
    assert output_activations(model, 3) == ("sigmoid", None, "tanh")


def test_output_ends_of_a_dict_come_in_the_order_of_its_keys():
    model = functional(lambda x: {"b": conv("sigmoid")(x), "a": conv("tanh")(x)})
    assert output_activations(model, 2) == ("tanh", "sigmoid")


# What does not tell


class Own(layers.Layer):
    def call(self, inputs):
        return inputs * 3


class OwnConv(layers.Conv2D):
    """A subclass that does something of its own after the activation."""

    def call(self, inputs):
        return super().call(inputs) * 3


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = conv("tanh")

    def call(self, inputs):
        return self.conv(inputs) * 3


@pytest.mark.parametrize(
    "function",
    [
        conv(),
        lambda x: Own()(conv("tanh")(x)),
        OwnConv(1, 1, activation="tanh"),
        OwnModel(),
        lambda x: layers.Lambda(lambda t: t * 3, output_shape=(8, 8, 1))(conv("tanh")(x)),
        layers.Activation(lambda t: t * 3),
        lambda x: layers.Rescaling(127.5, offset=127.5)(conv("tanh")(x)),
        lambda x: conv("tanh")(x) * 2,
        lambda x: layers.Add()([conv("tanh")(x), x]),
        lambda x: layers.Add()([conv("tanh")(x), conv("tanh")(x)]),
        lambda x: layers.Concatenate()([conv("tanh")(x), conv("sigmoid")(x)]),
        lambda x: layers.BatchNormalization()(conv("tanh")(x)),
        pytest.param(
            lambda x: x,
            marks=pytest.mark.skipif(
                sys.version_info < (3, 11),
                reason="the newest Keras for Python 3.10 refuses a model without layers",
            ),
        ),
        layers.Cropping2D(1),
    ],
    ids=[
        "linear",
        "own layer",
        "own convolution",
        "own model",
        "lambda",
        "own activation",
        "rescaling",
        "times two",
        "residual",
        "sum",
        "joined",
        "normalised",
        "input",
        "cropped input",
    ],
)
def test_output_ends_does_not_guess(function):
    end = end_of(function)
    assert end not in ("tanh", "sigmoid", "softmax", "hard_sigmoid", "input")


def test_output_ends_is_not_read_from_the_last_layer_of_the_list():
    inputs = keras.Input((8, 8, 1))
    features = layers.Conv2D(2, 1)(inputs)
    image = conv()(features)
    unused = conv("tanh")(features)
    model = keras.Model(inputs, [image, unused])
    headless = keras.Model(inputs, image)
    assert output_activations(model, 2) == (None, "tanh")
    assert output_activations(headless, 1) == (None,)


def test_output_ends_follows_the_node_of_a_layer_that_is_used_twice():
    crop = layers.Cropping2D(1)
    inputs = keras.Input((8, 8, 1))
    tanh, sigmoid = crop(conv("tanh")(inputs)), crop(conv("sigmoid")(inputs))
    assert output_activations(keras.Model(inputs, [tanh, sigmoid]), 2) == ("tanh", "sigmoid")


def test_output_ends_of_models_without_a_history_are_none():
    subclassed = OwnModel()
    subclassed(np.zeros((1, 8, 8, 1), np.float32))
    assert output_activations(subclassed, 1) == (None,)
    assert output_activations(object(), 2) == (None, None)


def test_output_ends_with_another_number_of_outputs_are_none():
    assert output_activations(functional(conv("tanh")), 2) == (None, None)


class OverriddenCall(keras.Sequential):
    """A Sequential whose own `call` does more than its layers."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=training, mask=mask) * 3


def test_output_ends_of_a_model_that_overrides_call_are_none():
    model = OverriddenCall([keras.Input((8, 8, 1)), conv("tanh")])
    assert output_activations(model, 1) == (None,)
    assert end_of(model) is None
