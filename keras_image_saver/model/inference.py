"""The one place that calls the model, and puts back what the call changed.

On TensorFlow that is one `tf.function` a model, kept for the run and fed chunks of one constant
size: `predict` resets metrics and may draw from global generators, `model(x)` is slower and leaks on
Keras 2, a new chunk size or a new function traces anew. On JAX and PyTorch it is `predict_on_batch`,
or a plain call of a layer that is no model.
A `predict_step` of the model's own is bypassed; the way to other passes is `predict`.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.arrays import Array, as_array, describe, leaves

_SEED_STATE = "seed_generator_state"


class Inference:
    """Runs one model on the samples, chunk by chunk.

    Args:
        model: What draws: a Keras model or layer.
        trained: The model in training; `model` or what holds it.
        predict: The user's `predict(model, inputs) -> outputs`, or None for a plain call.
        size: Rows through the model at a time, the same in every pass.
    """

    def __init__(
        self,
        model: Any,
        trained: Any,
        predict: Callable[[Any, Any], Any] | None,
        size: int,
    ) -> None:
        self.model = model
        self._predict = predict
        self._size = (None if predict else _fixed_batch_size(model)) or size
        self._direct = _runs_eagerly(trained) or _runs_eagerly(model)
        self._traced = False
        # TensorFlow counts traces by code object: a partial has none, so that many savers in one
        # process do not look like one function that is traced again and again.
        call = functools.partial(model, training=False)
        # Keras 3 converts no `call` by AutoGraph, whose warnings would be ours alone.
        self._function = tf.function(
            call, reduce_retracing=True, autograph=not hasattr(tf.keras, "ops")
        )
        self._state = _State([model, trained])
        self._trained = trained

    def run(self, inputs: Any, rows: int, decide: Callable[[Any], Any] | None = None) -> list[Any]:
        """Return the outputs of the model in their own structure, as NumPy arrays, chunk by chunk.

        Chunks are not joined: that would copy what on a CPU is the tensors' own memory.

        Args:
            inputs: NumPy arrays in the samples' structure; None is handed to `predict` as it is.
            rows: Number of samples in `inputs`.
            decide: What is done to the outputs while they are on the device, or None.

        Raises:
            ValueError: If an output has not a row a sample.
            Exception: Whatever the model or `predict` raises.
        """
        with _jax_state_kept(self._trained), self._state.kept():
            if inputs is None:
                outputs = self._predicted(None)
                return [_to_numpy(decide(outputs) if decide else outputs)]
            starts = range(0, rows, self._size)
            return [self._chunk(inputs, start, rows, decide) for start in starts]

    def _chunk(
        self, inputs: Any, start: int, rows: int, decide: Callable[[Any], Any] | None
    ) -> Any:
        stop = min(start + self._size, rows)
        padded = stop if self._predict is not None else start + self._size

        def cut(array: Array) -> Array:
            if padded <= rows:
                return array[start:padded]
            # The last row is repeated: one size is one trace.
            return array[np.minimum(np.arange(start, padded), rows - 1)]

        chunk = tf.nest.map_structure(cut, inputs)
        returned = self._called(chunk) if self._predict is None else self._predicted(chunk)
        outputs = _to_numpy(decide(returned) if decide else returned)
        _check_rows(outputs, padded - start, "predict" if self._predict else "model")
        return tf.nest.map_structure(lambda array: array[: stop - start], outputs)

    def _predicted(self, inputs: Any) -> Any:
        assert self._predict is not None  # the caller asked
        tensors = None if inputs is None else tf.nest.map_structure(_to_tensor, inputs)
        return self._predict(self.model, tensors)

    def _called(self, inputs: Any) -> Any:
        if tf.keras.backend.backend() != "tensorflow":
            if isinstance(self.model, tf.keras.Model):
                with warnings.catch_warnings():
                    # Keras's own, on PyTorch with NumPy 2; the user may have made warnings errors.
                    warnings.filterwarnings("ignore", "__array__ impl", DeprecationWarning)
                    return self.model.predict_on_batch(inputs)
            return self.model(tf.nest.map_structure(_to_tensor, inputs), training=False)
        tensors = tf.nest.map_structure(_to_tensor, inputs)
        if self._direct or not getattr(self.model, "built", True):
            return self.model(tensors, training=False)
        try:
            outputs = self._function(tensors)
        except Exception:
            if self._traced:
                raise
            # Models that call .numpy() cannot be traced; what fails both ways is the model's error.
            outputs = self.model(tensors, training=False)
            self._direct = True
        self._traced = True
        return outputs


def chunk_rows(rows: int, batch_size: int) -> int:
    """Return the size of equal chunks: 33 rows at 32 a batch are 17 and 16, not 32 and 1.

    >>> chunk_rows(33, 32)
    17
    """
    return math.ceil(rows / math.ceil(rows / batch_size)) if rows else 1


class _State:
    """The variables that a pass changes: put back after it, seeds wound back before it.

    All non-trainable variables may be large (a frozen backbone), so the first pass finds out which
    of them change; later passes keep only those.
    """

    def __init__(self, models: list[Any]) -> None:
        self._models = models
        self._changing: list[Any] | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        first = self._changing is None
        variables = self._candidates() if self._changing is None else self._changing
        before = [np.array(as_array(_value(variable))) for variable in variables]
        for variable, value in zip(variables, before, strict=True):
            if _is_seed(variable):
                variable.assign(_wound_back(value))
        try:
            yield
            if first:
                self._changing = [
                    variable
                    for variable, value in zip(variables, before, strict=True)
                    if _is_seed(variable) or not _same(as_array(_value(variable)), value)
                ]
        finally:
            for variable, value in zip(variables, before, strict=True):
                if not _same(as_array(_value(variable)), value):
                    variable.assign(value)

    def _candidates(self) -> list[Any]:
        found: dict[int, Any] = {}
        for model in self._models:
            for variable in getattr(model, "non_trainable_variables", ()):
                found[id(variable)] = variable
        return list(found.values())


@contextmanager
def _jax_state_kept(trained: Any) -> Iterator[None]:
    """Keep what `fit` on JAX has beside the variables, which hold the same when a pass begins.

    Where a dataset of unknown length ends, `fit` makes all variables anew from it, and
    `predict_on_batch` leaves but the weights in it, or donates the arrays that it holds.
    """
    state = getattr(trained, "_jax_state", None)
    try:
        yield
    finally:
        if state is not None:
            variables = {
                name: trained.optimizer.variables
                if name == "optimizer_variables"
                else getattr(trained, name)
                for name in state
            }
            trained._jax_state = {
                name: [variable.value for variable in kept] for name, kept in variables.items()
            }


def _value(variable: Any) -> Any:
    # Keras 3's own `numpy()` warns on JAX and PyTorch, which may be an error in the user's script.
    return variable.value if hasattr(tf.keras, "ops") else variable.numpy()


def _is_seed(variable: Any) -> bool:
    return _SEED_STATE in str(getattr(variable, "name", ""))


def _wound_back(state: Array) -> Array:
    """Return a seed generator's state with its count of draws at 0: (seed, draws)."""
    start: Array = state.copy()
    start[1:] = 0
    return start


def _same(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _runs_eagerly(model: Any) -> bool:
    return bool(getattr(model, "run_eagerly", False))


def _fixed_batch_size(model: Any) -> int | None:
    """Return the batch size that a model was built for, where it takes no other."""
    try:
        sizes = {tensor.shape[0] for tensor in model.inputs}
    except (AttributeError, TypeError, IndexError):
        return None
    size = sizes.pop() if len(sizes) == 1 else None
    return None if size is None else int(size)


def _to_tensor(array: Array) -> Any:
    if tf.keras.backend.backend() == "tensorflow":
        return tf.convert_to_tensor(array)
    return tf.keras.ops.convert_to_tensor(array)


def _to_numpy(outputs: Any) -> Any:
    def convert(value: Any) -> Array:
        if tf.is_tensor(value):
            # On a CPU this copies nothing, and nothing writes to a tensor's memory again.
            array = as_array(tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value)
        else:
            # The user's own array may change while it waits to be drawn.
            array = np.array(as_array(value))
        if array.dtype.kind not in "buif":
            raise TypeError(f"Outputs must be arrays or tensors, got {describe(value)}.")
        return array

    return tf.nest.map_structure(convert, outputs)


def _check_rows(outputs: Any, rows: int, source: str) -> None:
    for name, array in leaves(outputs).items():
        if array.ndim == 0 or len(array) != rows:
            raise ValueError(
                f"`{source}` must return a row a sample, got {describe(array)} for {rows} samples"
                + (f" in output {name!r}." if name else ".")
            )
