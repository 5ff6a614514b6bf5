"""What differs between Keras 2 and Keras 3, and between TensorFlow, JAX and PyTorch under it."""

import functools
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.arrays import Array, as_array, map_leaves

KERAS_3 = hasattr(tf.keras, "ops")
# Which backend Keras runs on is settled when it is imported.
ON_TENSORFLOW = tf.keras.backend.backend() == "tensorflow"
ON_JAX = tf.keras.backend.backend() == "jax"
ON_TORCH = tf.keras.backend.backend() == "torch"
# Keras's classes of data sets that are read by index, as far as this Keras has them.
_KINDS = (getattr(tf.keras.utils, name, None) for name in ("PyDataset", "Sequence"))
SEQUENCES: Any = tuple(kind for kind in _KINDS if isinstance(kind, type))
# What holds values that training changes, and what else may own such.
VARIABLES: Any = (tf.Variable, tf.keras.Variable) if KERAS_3 else (tf.Variable,)
OWNERS: Any = (tf.keras.random.SeedGenerator,) if KERAS_3 else ()

# What a graph calls Python code by: `tf.py_function`, `tf.numpy_function`.
_PYTHON_OPS = frozenset(["EagerPyFunc", "PyFunc", "PyFuncStateless"])


def versions() -> dict[str, str]:
    """Return what this process draws with: names and versions.

    >>> sorted({*versions()} & {"tensorflow", "keras", "backend"})
    ['backend', 'keras', 'tensorflow']
    """
    # Several Kerases may be installed, and `tf.keras` may be lazy or have no version: this is the
    # one that is used.
    keras = sys.modules[tf.keras.Model.__module__.split(".")[0]]
    name = str(tf.keras.backend.backend())
    engine = sys.modules.get(name)
    return {
        "tensorflow": str(tf.__version__),
        name: str(getattr(engine, "__version__", "")),
        "keras": str(getattr(keras, "__version__", "")),
        "backend": name,
    }


def channels_come_first() -> bool:
    return bool(tf.keras.backend.image_data_format() == "channels_first")


def to_tensor(array: Array) -> Any:
    return tf.convert_to_tensor(array) if ON_TENSORFLOW else tf.keras.ops.convert_to_tensor(array)


def to_numpy(value: Any) -> Array:
    """Return an output, a tensor or an array of the user's own, as an array that stays as it is."""
    if not tf.is_tensor(value):
        return np.array(as_array(value))  # the user may change it while it waits to be drawn
    # On a CPU this copies nothing, and nothing writes to a tensor's memory again.
    return as_array(tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value)


def variable_value(variable: Any) -> Array:
    # Keras 3's own `numpy()` warns on JAX and PyTorch, which may be an error in the user's script.
    return as_array(variable.value if KERAS_3 else variable.numpy())


def build(model: Any, inputs: Any) -> None:
    """Have a Keras 3 model make its variables without running it, as `fit` does before training.

    For batches of any size, since training has others than a pass; where a model needs the size, of one
    row. What cannot be built so is built by its first pass.
    """

    def shown(rows: int | None) -> Any:
        return map_leaves(
            lambda x: tf.keras.KerasTensor((rows, *x.shape[1:]), str(x.dtype)), inputs
        )

    for rows in (None, 1) if KERAS_3 else ():
        with suppress(Exception):
            model(shown(rows), training=False)
            return


def weights_of(model: Any) -> tuple[Any, ...]:
    """Return a model's weights: none yet where Keras 2 says so of one that is not built."""
    try:
        return tuple(model.weights)
    except ValueError:
        return ()


def cells(variable: Any) -> tuple[Any, ...]:
    """Return what holds a variable's values: one a replica, none where it has no values yet."""
    plain = variable
    if KERAS_3 and isinstance(variable, tf.keras.Variable):
        plain = variable._value  # `value` would draw those that it has not got yet
        if plain is None:
            return ()
        if ON_JAX:
            return (variable,)
    # What is averaged or summed over replicas must not be read as one and written to each.
    parts = getattr(plain, "values", None)
    return parts if isinstance(parts, tuple) else (plain,)


def buffers(model: Any) -> tuple[Any, ...]:
    """Return what a model on PyTorch holds beside Keras's variables."""
    return tuple(model.buffers()) if ON_TORCH and hasattr(model, "buffers") else ()


def held(cell: Any) -> Any:
    """Return a cell's values, which stay as they are whatever is assigned to it; None if it has none.

    On TensorFlow and JAX that copies nothing: the cell gets other memory as long as this is held.
    """
    if isinstance(cell, tf.Variable):  # on any backend: TensorFlow's generators are for all of them
        try:
            return _read(cell)
        except tf.errors.FailedPreconditionError:
            return None  # it is initialised later
    if ON_JAX:
        # `predict_on_batch` gives the memory of all variables away, and hands back that of trainable
        # ones unchanged.
        return cell.value if cell.trainable else cell.value.copy()
    return cell.detach().clone()


def put_back(cell: Any, value: Any) -> None:
    """Give a cell the values that were `held`."""
    if value is None:
        return
    if isinstance(cell, tf.Variable):
        tf.raw_ops.AssignVariableOp(resource=cell.handle, value=value)
    elif ON_TORCH:
        cell.data.copy_(value)
    elif cell.value is not value and not value.is_deleted():
        cell.assign(value)


def _read(cell: Any) -> Any:
    # A variable's own method takes five times as long, and there may be thousands.
    return tf.raw_ops.ReadVariableOp(resource=cell.handle, dtype=cell.dtype)


def copy_values(source: Any, variable: Any) -> None:
    """Give a variable the values of another one, on each replica its own."""
    for cell, other in zip(cells(variable), cells(source), strict=True):
        put_back(cell, held(other))


def traced(model: Any) -> Any:
    """Return a TensorFlow function that calls a model with `training=False`."""
    # TensorFlow counts traces by code object: a partial has none, so that many savers in one process
    # do not look like one function that is traced again and again.
    call = functools.partial(model, training=False)
    # Keras 3 converts no `call` by AutoGraph, whose warnings would be ours alone.
    return tf.function(call, reduce_retracing=True, autograph=not KERAS_3)


def captured(function: Any, tensors: Any) -> tuple[tuple[Any, ...], bool]:
    """Trace what `traced` returned; return the variables that the trace uses, wherever they stand.

    And whether it calls Python code, which may draw from what belongs to all threads.
    """
    trace = function.get_concrete_function(tensors)
    graph = trace.graph.as_graph_def()
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    return tuple(trace.variables), any(node.op in _PYTHON_OPS for node in nodes)


@contextmanager
def array_warnings_ignored() -> Iterator[None]:
    """Let pass what Keras's own reading of a variable warns of, on JAX and PyTorch with NumPy 2.

    The user may have made warnings errors.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ impl", DeprecationWarning)
        yield


def call_untraced(model: Any, inputs: Any) -> Any:
    """Call a model on JAX or PyTorch, where no TensorFlow function can."""
    if not isinstance(model, tf.keras.Model):
        return model(map_leaves(to_tensor, inputs), training=False)
    with array_warnings_ignored():
        return model.predict_on_batch(inputs)


@contextmanager
def jax_state_kept(trained: Any) -> Iterator[None]:
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
