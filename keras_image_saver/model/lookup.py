"""Which model draws, seen from the one in training."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_image_saver.samples import Samples

BUILDS_AT_ANY_TIME = hasattr(tf.keras, "ops")  # Keras 3 draws a layer's seeds when it is made


def find_model(draws: Any, trained: Any) -> Any:
    """Return what draws.

    Args:
        draws: None, a dotted attribute path, or the model itself.
        trained: The model in training.

    Raises:
        ValueError: If there is no such attribute, or it is no model.
    """
    if draws is None:
        return trained
    if not isinstance(draws, str):
        return draws
    found = trained
    for name in draws.split("."):
        found = getattr(found, name, None)
    if not isinstance(found, tf.keras.layers.Layer):
        raise ValueError(
            f"`model` must name an attribute of {type(trained).__name__} that is a model, got "
            f"{draws!r}{'' if found is None else f', which is a {type(found).__name__}'}. "
            f"{_advice(trained)}"
        )
    return found


def check_call(draws: Any, trained: Any, has_predict: bool) -> None:
    """Refuse a model that cannot be called, such as a GAN that only holds its parts.

    Raises:
        ValueError: If what draws has no `call` and there is no `predict`.
    """
    model = find_model(draws, trained)
    written = getattr(type(model), "call", None)
    bases = (getattr(kind, "call", None) for kind in (tf.keras.Model, tf.keras.layers.Layer))
    if not has_predict and written in tuple(bases):
        raise ValueError(
            f"`model` must name what draws: {type(model).__name__} has no `call` of its own, got "
            f"model={draws!r}. {_advice(trained)}"
        )


def check_batched(model: Any, samples: Samples) -> None:
    """Refuse a dataset whose elements are what the model takes as one sample, not as a batch.

    Keras adds a missing last axis of 1, so that such rows would be drawn rather than fail.

    Raises:
        ValueError: If the samples are not batched.
    """
    taken = getattr(model, "inputs", None) or ()
    if not samples.elements or len(taken) != len(samples.elements):
        return
    for tensor, element in zip(taken, samples.elements, strict=True):
        one = tuple(tensor.shape)[1:]
        if len(one) != len(element) or any(
            side not in (None, given) for side, given in zip(one, element, strict=True)
        ):
            return
    raise ValueError(
        f"`samples` must be batches, got a dataset whose elements have the shape "
        f"{samples.elements[0]}, which the model takes as one sample. Pass dataset.batch(16)."
    )


def is_built(draws: Any, trained: Any) -> bool:
    """Tell whether running the model creates no weights."""
    model = find_model(draws, trained)
    if getattr(model, "built", True):
        return True
    parts = list(model._flatten_layers(include_self=False))
    return bool(parts) and all(part.built for part in parts)


def _advice(trained: Any) -> str:
    names = sorted(
        name
        for name, value in vars(trained).items()
        if isinstance(value, tf.keras.Model) and not name.startswith("_")
    )
    if not names:
        return "It has no attribute that is a model; pass `predict`, or the model itself."
    listed = ", ".join(repr(name) for name in names)
    return f"Its attributes that are models: {listed}. Pass for example model={names[-1]!r}."
