"""Which weights draw: those in the model, or the averages of them that an optimizer keeps.

Averages are put into the model for a pass, and taken out by what is kept around each pass.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_image_saver.model import backend
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.model.optimizers import optimizers_of

RAW, EMA = "raw", "ema"
# A variable of the model, and the one that holds its average.
Pair = tuple[Any, Any]


def check_weights(weights: Any) -> tuple[str, ...] | None:
    """Return the weights to draw, in order, or None if the user has not said.

    Raises:
        ValueError: If it is neither None, "raw", "ema" nor both of them.
    """
    found = (weights,) if isinstance(weights, str) or weights is None else weights
    if found == (None,):
        return None
    if isinstance(found, (list, tuple)) and found:
        known = all(isinstance(one, str) and one in (RAW, EMA) for one in found)
        if known and len(set(found)) == len(found):
            return tuple(found)
    raise ValueError(f'`weights` must be None, "raw", "ema" or ("raw", "ema"), got {weights!r}.')


class Weights:
    """The weights that draw, at any time of training.

    Args:
        wanted: From `check_weights`.
    """

    def __init__(self, wanted: tuple[str, ...] | None) -> None:
        self._wanted = wanted or (RAW,)
        self._is_asked = wanted is not None
        self._swapping: tuple[Any, ...] = ()

    def check(self, drawn: DrawnModel) -> str | None:
        """Look at the optimizers before training; return what the user should hear of, or None.

        Args:
            drawn: What draws.

        Raises:
            ValueError: If averages are asked for and there are none, or too many; or if another
                callback has them in the model at each epoch's end, where raw weights are asked for.
        """
        before, self._swapping = _swapping_callbacks()
        has_averages = bool(self._averages(drawn))
        if self._is_asked and RAW in self._wanted and before:
            raise ValueError(
                f'`weights` must be "ema" where SwapEMAWeights(swap_on_epoch=True) stands before '
                f"ImageSaver in `callbacks`, got {self._wanted}: at each epoch's end the averages "
                'are in the model. Place ImageSaver before it, or pass weights="ema".'
            )
        if self._is_asked or not has_averages:
            return None
        shown = "the averages at each epoch's end" if before else "the raw weights"
        return (
            "The optimizer keeps moving averages of the weights (use_ema=True), and under "
            f"SwapEMAWeights validation is of those; the pictures are of {shown}. Pass "
            'weights="ema", "raw" or ("raw", "ema") to say which are drawn.'
        )

    def now(self, drawn: DrawnModel) -> tuple[str, Mapping[str, Iterable[Pair]]]:
        """Return which weights are drawn now, and what to put into the model for each panel.

        Args:
            drawn: What draws.

        Raises:
            ValueError: If averages are asked for and there are none, or too many.
        """
        if any(getattr(one, "_ema_weights_in_model", False) for one in self._swapping):
            return EMA, dict.fromkeys(self._wanted, ())
        if EMA not in self._wanted:
            return RAW, {RAW: ()}
        pairs = [pair for found in self._averages(drawn).values() for pair in found]
        # Before the first step averages are zeros in Keras 3, and the weights in Keras 2.
        label = "+".join(one for one in (RAW, EMA) if one in self._wanted) if pairs else RAW
        return label, {one: pairs if one == EMA else () for one in self._wanted}

    def _averages(self, drawn: DrawnModel) -> dict[str, list[Pair]]:
        """Return the pairs by the name of the optimizer that keeps them.

        There are none in the optimizer that has made no step, or of which it is not known yet.

        Raises:
            ValueError: If they are wanted, and it is not one optimizer that keeps them.
        """
        optimizers = dict(optimizers_of(drawn.trained))
        keeping = {name: one for name, one in optimizers.items() if getattr(one, "use_ema", False)}
        variables = {id(one): one for one in backend.weights_of(drawn.model)}
        averaged: list[int] = []
        found: dict[str, list[Pair]] = {}
        for name, optimizer in keeping.items():
            if not _is_built(optimizer):
                found[name] = []  # it may be the one
            elif pairs := _pairs(optimizer, variables):
                averaged.extend(id(variable) for variable, _ in pairs)
                stepped = int(backend.variable_value(optimizer.iterations)) > 0
                found[name] = pairs if stepped else []
        if EMA in self._wanted and (not found or len(set(averaged)) < len(averaged)):
            what = "keeps" if found else "of the model in training keeps"
            raise ValueError(
                f"""`weights` must be "raw" unless one optimizer {what} averages of what draws, got """
                f"""{self._wanted}. {_listed(optimizers, found)} Pass weights="raw", or """
                """use_ema=True to the optimizer that trains it."""
            )
        return found


def _listed(optimizers: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if not optimizers:
        return "It has no optimizer as an attribute."
    listed = ", ".join(
        f"{name} ({type(one).__name__}, use_ema={getattr(one, 'use_ema', False)}"
        + (", averages of what draws)" if name in found else ")")
        for name, one in optimizers.items()
    )
    return f"Its optimizers: {listed}."


def _is_built(optimizer: Any) -> bool:
    # A list that is empty is that of an optimizer of Keras 3 which has not seen its variables.
    return bool(getattr(optimizer, "_model_variables_moving_average", None))


def _pairs(optimizer: Any, variables: Mapping[int, Any]) -> list[Pair]:
    averages = optimizer._model_variables_moving_average
    trained = getattr(optimizer, "_trainable_variables", None)
    if trained is None:  # Keras 2 holds but their keys
        indices = optimizer._index_dict
        keys = [(one, indices.get(optimizer._var_key(one))) for one in variables.values()]
        return [(one, averages[index]) for one, index in keys if index is not None]
    found = zip(trained, averages, strict=True)
    return [(one, average) for one, average in found if id(one) in variables]


def _swapping_callbacks() -> tuple[bool, tuple[Any, ...]]:
    """Return whether averages are in the model when our turn comes, and what swaps them.

    Keras's `SwapEMAWeights` alone knows which of model and optimizer holds what, and Keras does not
    tell a callback of the others: they are found where `fit` calls us.
    """
    kind = getattr(tf.keras.callbacks, "SwapEMAWeights", ())
    ours: Any = None
    frame: Any = sys._getframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, tf.keras.callbacks.CallbackList):
            callbacks = list(caller.callbacks)
            number = next((i for i, one in enumerate(callbacks) if one is ours), 0)
            before = [one for one in callbacks[:number] if isinstance(one, kind)]
            swapping = tuple(one for one in callbacks if isinstance(one, kind))
            return any(one.swap_on_epoch for one in before), swapping
        if isinstance(caller, tf.keras.callbacks.Callback):
            ours = caller
        frame = frame.f_back
    return False, ()
