"""Which model draws, seen from the one in training."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from keras_image_saver.samples import Samples


@dataclass(frozen=True)
class DrawnModel:
    """What draws, seen from what trains.

    Attributes:
        model: What draws: a Keras model or layer.
        trained: The model in training; `model` or what holds it.
    """

    model: Any
    trained: Any

    @property
    def is_built(self) -> bool:
        """Whether running the model creates no weights."""
        if getattr(self.model, "built", True):
            return True
        parts = list(self.model._flatten_layers(include_self=False))
        return bool(parts) and all(part.built for part in parts)

    def check_call(self, given: Any) -> None:
        """Refuse a model that cannot be called, such as a GAN that only holds its parts.

        Args:
            given: What the user said draws, for the error.

        Raises:
            ValueError: If what draws has no `call`.
        """
        written = getattr(type(self.model), "call", None)
        bases = (getattr(kind, "call", None) for kind in (tf.keras.Model, tf.keras.layers.Layer))
        if written in tuple(bases):
            raise ValueError(
                f"`model` must name what draws: {type(self.model).__name__} has no `call` of its own, "
                f"got model={given!r}. {_advice(self.trained)}"
            )

    def check_batched(self, samples: Samples) -> None:
        """Refuse a dataset whose elements are what the model takes as one sample, not as a batch.

        Keras adds a missing last axis of 1, so that such rows would be drawn rather than fail.

        Raises:
            ValueError: If the samples are not batched.
        """
        taken = getattr(self.model, "inputs", None) or ()
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


def look_up(model: Any, trained: Any) -> DrawnModel:
    """Return what draws.

    Args:
        model: None, a dotted attribute path, or the model itself, as `ImageSaver` takes it.
        trained: The model in training.

    Raises:
        ValueError: If there is no such attribute, or it is no model.
    """
    if not isinstance(model, str):
        return DrawnModel(trained if model is None else model, trained)
    found = trained
    for name in model.split("."):
        found = getattr(found, name, None)
    if not isinstance(found, tf.keras.layers.Layer):
        raise ValueError(
            f"`model` must name an attribute of {type(trained).__name__} that is a model, got "
            f"{model!r}{'' if found is None else f', which is a {type(found).__name__}'}. "
            f"{_advice(trained)}"
        )
    return DrawnModel(found, trained)


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
