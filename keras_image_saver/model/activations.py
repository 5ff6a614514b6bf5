"""The activation that ends a model, read from the history of its output tensors.

Only Sequential and Functional models have such a history. It is never read from `layers[-1]`: the
last layer in the list need not be the last in the graph.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# What moves, repeats or casts values and leaves their range as it was: layers, and operations on
# Keras tensors (in Keras 3 by class name, in Keras 2 by the symbol of a TFOpLambda).
# fmt: off
_TRANSPARENT = frozenset([
    "Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    "UpSampling1D", "UpSampling2D", "UpSampling3D", "Reshape", "Permute", "Flatten", "Identity",
    "Resizing", "CenterCrop", "Cast", "Transpose", "Squeeze", "ExpandDims", "GetItem",
    "Moveaxis", "Swapaxes", "Resize", "StopGradient", "cast", "reshape", "transpose", "squeeze",
    "expand_dims", "identity", "stop_gradient", "image.resize", "compat.v1.transpose",
    "compat.v1.squeeze", "__operators__.getitem",
])
# fmt: on
_OPERATIONS = {
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "Softmax": "softmax",
    "math.tanh": "tanh",
    "math.sigmoid": "sigmoid",
    "nn.softmax": "softmax",
}
# Keras's own layers that end in `self.activation`, as far as this Keras has them.
# fmt: off
_WITH_ACTIVATION = tuple(
    getattr(tf.keras.layers, name)
    for name in [
        "Activation", "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose",
        "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D",
        "SeparableConv1D", "SeparableConv2D",
    ]
    if hasattr(tf.keras.layers, name)
)
# fmt: on
_INPUT = "input"


def output_activations(model: Any, count: int) -> tuple[str | None, ...]:
    """Return the activation that ends each output, None where the graph does not tell.

    Args:
        model: Any Keras model or layer.
        count: The number of outputs that it returned.
    """
    outputs = _outputs(model)
    if len(outputs) != count:
        return (None,) * count
    found = (_activation(tensor) for tensor in outputs)
    return tuple(None if one == _INPUT else one for one in found)


def _outputs(model: Any) -> Sequence[Any]:
    """Return the symbolic outputs of a model that computes as its graph says."""
    return (getattr(model, "outputs", None) or ()) if _calls_keras(model) else ()


def _activation(tensor: Any) -> str | None:
    """Follow one tensor back to what gave it its range; `_INPUT` if nothing does."""
    while True:
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            return None
        layer, node_index, tensor_index = history
        if isinstance(layer, tf.keras.layers.InputLayer):
            return _INPUT
        end = _activation_of_layer(layer, tensor_index)
        if end != _INPUT:
            return end
        node = layer._inbound_nodes[node_index]
        inputs = tf.nest.flatten(getattr(node, "keras_inputs", None) or node.input_tensors)
        if len(inputs) != 1:
            return None
        tensor = inputs[0]


def _activation_of_layer(layer: Any, tensor_index: int) -> str | None:
    """Return the activation of a layer, None if it is unknown, `_INPUT` if its input decides."""
    if isinstance(layer, tf.keras.Model):
        outputs = _outputs(layer)
        return _activation(outputs[tensor_index]) if tensor_index < len(outputs) else None
    if isinstance(layer, tf.keras.layers.Wrapper):  # TimeDistributed, SpectralNormalization
        layer = layer.layer
    if isinstance(layer, tf.keras.layers.Softmax):
        return "softmax"
    if isinstance(layer, _WITH_ACTIVATION) and _calls_keras(layer):
        name = getattr(layer.activation, "__name__", None)
        if name == "linear":
            return _INPUT if isinstance(layer, tf.keras.layers.Activation) else None
        return name
    kind = getattr(layer, "symbol", None) or type(layer).__name__
    if not _calls_keras(layer):
        return None
    return _INPUT if kind in _TRANSPARENT else _OPERATIONS.get(kind)


def _calls_keras(layer: Any) -> bool:
    """Tell whether a layer computes as Keras wrote it, not as a user's subclass does."""
    module = getattr(getattr(type(layer), "call", None), "__module__", None) or ""
    return module.split(".")[0] in ("keras", "tf_keras", "tensorflow")
