"""Which model draws, seen from the one in training."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from keras_image_saver.arrays import describe
from keras_image_saver.checks import is_int
from keras_image_saver.samples import Samples

# What is usually called when a picture is drawn, by the last part of its name; names are split into
# words first: "g_model", "netG", "ema_network". What judges or encodes is not.
_DRAWS = {"generator", "decoder", "gen", "g", "unet", "network", "denoiser", "renderer", "painter"}
_AVERAGED = {"ema", "average", "averaged", "avg", "smoothed"}
_DOES_NOT_DRAW = {"discriminator", "disc", "dis", "d", "critic", "encoder", "classifier", "judge"}


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


def check_drawing(model: Any, predict: Any, output: Any) -> None:
    """Check the arguments that say what draws.

    Raises:
        TypeError: If one is of a wrong type.
    """
    if not (model is None or isinstance(model, (str, tf.keras.layers.Layer))) or model == "":
        raise TypeError(
            "`model` must be None, the name of an attribute of the model in training, or a Keras "
            f"model, got {model!r}."
        )
    if predict is not None and not callable(predict):
        raise TypeError(f"`predict` must be a function predict(model, inputs), got {predict!r}.")
    if not (output is None or isinstance(output, str) or is_int(output)):
        raise TypeError(f"`output` must be a name, an index or None, got {output!r}.")


def check_copied(model: Any) -> None:
    """Refuse to copy what draws where it is a model itself.

    Raises:
        TypeError: If it is.
    """
    if model is not None and not isinstance(model, str):
        raise TypeError(
            f"ImageSaver(model={model!r}) cannot be copied or pickled: the copy would hold a model that "
            'never trains. Pass the name of an attribute, such as model="generator".'
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
        found = _parts(found).get(name, getattr(found, name, None))
    if not isinstance(found, tf.keras.layers.Layer):
        raise ValueError(
            f"`model` must name an attribute of {type(trained).__name__} that is a model, got "
            f"{model!r}{'' if found is None else f', which is a {type(found).__name__}'}. "
            f"{_advice(trained)}"
        )
    return DrawnModel(found, trained)


def _advice(trained: Any) -> str:
    names = sorted(set(_models(trained, {id(trained)})))
    if not names:
        return "It has no attribute that is a model; pass `predict`, or the model itself."
    listed = ", ".join(repr(name) for name in names)
    most = max(map(_likelihood, names))
    best = [name for name in names if _likelihood(name) == most]
    # None is advised where several are as likely: what it draws may look right, and be wrong.
    example = f", for example model={best[0]!r}" if most > 0 and len(best) == 1 else ""
    return (
        f"Its attributes that are models: {listed}. Which of them draws from these samples is yours "
        f"to say{example}; where several do in a row, pass `predict`."
    )


def _models(holder: Any, known: set[int], prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of all models in attributes, dicts and lists, each model once."""
    for name, part in _parts(holder).items():
        is_model = isinstance(part, tf.keras.Model)
        if id(part) in known or not (is_model or isinstance(part, (Mapping, list, tuple))):
            continue
        known.add(id(part))
        if is_model:
            yield prefix + name
        yield from _models(part, known, f"{prefix}{name}.")


def _parts(holder: Any) -> dict[str, Any]:
    """Return what a model, dict or list holds, by the name that leads there."""
    if isinstance(holder, Mapping):
        items: Any = holder.items()
    elif isinstance(holder, (list, tuple)):
        items = enumerate(holder)
    else:
        # On PyTorch what is a module stands in a dict of its own.
        items = {**vars(holder), **vars(holder).get("_modules", {})}.items()
    named = {str(name): part for name, part in items}
    # What begins with an underscore is Keras's own, and a dot would lead elsewhere.
    return {name: part for name, part in named.items() if name[:1] != "_" and "." not in name}


def _likelihood(name: str) -> int:
    """Say how likely a part is what draws, by its name: over 0 if its name says so."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name.rsplit(".", 1)[-1]).lower()
    found = set(re.split(r"[\s_\d]+", words))
    if found & _DOES_NOT_DRAW:
        return -1
    # An averaged copy is what papers show, and what is kept.
    return (1 if found & _DRAWS else 0) + (2 if found & _AVERAGED else 0)


def check_watched(model: Any, given: Any) -> None:
    """Refuse what is no model that a loop trains, nor holds what draws.

    Args:
        model: What `watch` was given.
        given: The `model` of `ImageSaver`.

    Raises:
        TypeError: If it is neither.
    """
    holds = given is not None and not isinstance(model, (str, type(None)))
    if not (callable(model) or holds):
        raise TypeError(
            f"`model` must be the model that the loop trains, got {describe(model)}. Pass the model "
            'itself; ImageSaver(model="generator") names an attribute of it.'
        )
