"""What to say where a model cannot be called with the samples: Keras's own words tell half of it."""

import inspect
import re
from typing import Any

import tensorflow as tf

from keras_image_saver.arrays import describe, leaves
from keras_image_saver.samples import Samples

_LONGEST_GIST = 300
# What errors of other classes say: JAX's, PyTorch's on a CPU, and TensorFlow's of a copy to a device.
_NO_MEMORY = ("RESOURCE_EXHAUSTED", "can't allocate memory", "Dst tensor is not initialized")
# Names that Keras makes up for inputs without one.
_MADE_UP = re.compile(r"(keras_tensor|input|args)_?\d*")
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
# An array that an error prints whole, with blank lines between its parts.
_PRINTED = re.compile(r"\[\[[\[\]\s\d.,eE+\-naif]*\]")


def check_count(model: Any, samples: Samples) -> None:
    """Refuse several inputs of a Sequential, which in Keras 3 takes the first without a word.

    Raises:
        ValueError: If there are several.
    """
    count = len(leaves(samples.inputs))
    if isinstance(model, tf.keras.Sequential) and count != 1:
        raise ValueError(
            f"`samples` must be what the model takes: a Sequential has one input, got {count} "
            f"arrays of inputs. {_both_sides(model, samples)}"
        )


def is_for_want_of_memory(error: Exception) -> bool:
    """Tell what is not the samples' fault."""
    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return True
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return "OutOfMemoryError" in kinds or any(words in str(error) for words in _NO_MEMORY)


def misfit(error: Exception, model: Any, samples: Samples, *, predicted: bool) -> ValueError:
    """Return what to raise from the error that a first call of the model, or of `predict`, raised.

    Args:
        error: What it raised.
        model: What draws.
        samples: What it was shown.
        predicted: Whether the user's `predict` was called, and not the model itself.
    """
    raised = f"raised {type(error).__name__}: {_gist(error)}"
    if predicted:
        return ValueError(
            f"`predict` {raised} It was called with {_shown(samples)}.{how_read(model, samples)}"
        )
    return ValueError(
        f"`samples` must be what the model takes: {type(model).__name__} {raised} "
        f"{_both_sides(model, samples)}"
    )


def how_read(model: Any, samples: Samples) -> str:
    """Say how a tuple was read, and how several inputs are passed; "" where there was none."""
    count = len(samples.parts)
    if count < 2:
        if isinstance(samples.inputs, list):
            return " A list is several inputs; inputs and targets are a tuple (x, y)."
        return ""
    what = "The dataset yields tuples" if samples.from_dataset else "It is a tuple"
    names = [tensor.name for tensor in _inputs(model)]
    if len(names) != 2 or any(_MADE_UP.fullmatch(name) for name in names):
        names = ["in1", "in2"]
    both = f'{{"{names[0]}": {names[0]}, "{names[1]}": {names[1]}}}'
    forms = f"(({', '.join(names)}), y) or {both}"
    if not samples.from_dataset:
        forms = f"[{', '.join(names)}], ([{', '.join(names)}], y) or {both}"
    return (
        f" {what} of {count}, read as ({', '.join(samples.parts)}) as `fit` reads it: the model is "
        f"shown x alone. Two inputs are {forms}."
    )


def _both_sides(model: Any, samples: Samples) -> str:
    takes = "; ".join(f"{tensor.name}: {describe(tensor)}" for tensor in _inputs(model))
    return (
        f"It takes {takes or _signature(model)}, and `samples` has {_shown(samples)}."
        + how_read(model, samples)
    )


def _shown(samples: Samples) -> str:
    arrays = samples.arrays.items()
    return "; ".join(f"{name}: {describe(array)}" for name, array in arrays) or "no inputs"


def _inputs(model: Any) -> list[Any]:
    """Return the symbolic inputs of a model that knows them, in the order of `leaves`."""
    try:
        tensors = list(leaves(model.inputs or ()).values())
    except AttributeError:
        return []
    return [tensor for tensor in tensors if hasattr(tensor, "shape") and hasattr(tensor, "name")]


def _signature(model: Any) -> str:
    """Say what the user's own `call` takes."""
    try:
        names = [*inspect.signature(model.call).parameters]
    except (AttributeError, TypeError, ValueError):
        return "what its `call` takes"
    return f"what its call({', '.join(names)}) takes"


def _gist(error: Exception) -> str:
    """Return the sentence of an error that says what is wrong; Keras adds pages of arguments."""
    text = _PRINTED.sub("[…]", _COLORS.sub("", str(error)))
    parts = [part.strip() for part in text.split("\n\n")]
    told = [part for part in parts if part and not part.startswith("Exception encountered")]
    text = " ".join((told or [""])[0].split())
    text = text if len(text) <= _LONGEST_GIST else text[:_LONGEST_GIST] + "…"
    return text if text.endswith((".", "…")) else f"{text}."
