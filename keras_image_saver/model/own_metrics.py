"""Measures of the user's own: functions of targets and outputs, as Keras has them."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from keras_image_saver.arrays import (
    Array,
    as_array,
    cut_rows,
    describe,
    leaves,
    map_leaves,
)
from keras_image_saver.model import backend

# fn(targets, outputs), of backend tensors, to a value a sample, or more that are averaged.
OwnMetric: TypeAlias = Callable[[Any, Any], Any]

_FORMS = (
    '`metrics` must be names of built-in measures, such as "psnr", or functions fn(targets, outputs), '
    "in a list or a dict from name to either"
)


def name_metrics(metrics: Any) -> dict[str, str | OwnMetric]:
    """Return what `metrics` asks for by name: names of built-in measures, and functions.

    Raises:
        TypeError: If it holds anything else.
        ValueError: If a function has no name of its own, or two have the same.
    """
    if isinstance(metrics, str) or callable(metrics):
        raise TypeError(f"{_FORMS}, got {metrics!r} alone. Put it in a list.")
    if isinstance(metrics, Mapping):
        pairs = list(metrics.items())
    elif isinstance(metrics, (list, tuple)):
        pairs = [(None, one) for one in metrics]
    else:
        raise TypeError(f"{_FORMS}, got {metrics!r}.")
    found: dict[str, str | OwnMetric] = {}
    for given, metric in pairs:
        _check(metric)
        name = _name_of(metric) if given is None else given
        if not isinstance(name, str) or not name or not name.isprintable():
            raise ValueError(f"`metrics` must have names of printable characters, got {name!r}.")
        if name in found:
            raise ValueError(f"`metrics` must have different names, got {name!r} twice.")
        if name == "loss" or name.startswith("val_"):
            raise ValueError(
                f"`metrics` must not have the names of logs, got {name!r}. Pass a dict with another "
                "name."
            )
        found[name] = metric
    return found


def check_names(names: Iterable[str], trained: Any) -> None:
    """Refuse names that what is trained reports in its logs, as far as it tells before training.

    Raises:
        ValueError: If there is one.
    """
    for name in names:
        if name in _names_of_logs(trained):
            raise ValueError(
                f"`metrics` must not have the names of logs, got {name!r}, which the model was compiled "
                f"with: those are of the training data. Pass a dict: metrics={{'sample {name}': ...}}."
            )


def _names_of_logs(trained: Any) -> set[str]:
    try:
        with warnings.catch_warnings():  # Keras warns of functions that it cannot write down
            warnings.simplefilter("ignore")
            compiled = trained.get_compile_config() or {}
        known = {str(one) for one in leaves(compiled.get("metrics")).values()}
        return known | {str(metric.name) for metric in trained.metrics}
    except Exception:  # a loop's own model, or one that was never compiled
        return set()


def _check(metric: Any) -> None:
    kind = tf.keras.metrics.Metric
    if isinstance(metric, kind) or (isinstance(metric, type) and issubclass(metric, kind)):
        raise TypeError(
            f"`metrics` must be functions, got the Keras metric {metric!r}: it keeps a state over "
            "batches, and here each sample is measured alone. Pass the function, such as "
            "keras.losses.binary_crossentropy, or a name."
        )
    if not isinstance(metric, str) and (not callable(metric) or isinstance(metric, type)):
        raise TypeError(f"{_FORMS}, got {metric!r}.")


def _name_of(metric: Any) -> Any:
    if isinstance(metric, str):
        return metric
    name = getattr(metric, "__name__", None) or getattr(metric, "name", None)
    if name is None or name == "<lambda>":
        raise ValueError(
            f"`metrics` must name its functions, got {metric!r}, which has no name. Pass a dict: "
            'metrics={"sharpness": lambda targets, outputs: ...}.'
        )
    return name


def call_metrics(
    functions: Mapping[str, OwnMetric], targets: Any, chunks: Sequence[Any], chosen: int | None
) -> dict[str, Array]:
    """Call the user's functions on all samples, chunk by chunk, on the training thread.

    Args:
        functions: By name.
        targets: As they were given, of all samples, or None.
        chunks: The outputs, some rows after others.
        chosen: Which of them is the prediction, in the order of `leaves`; None where it is not chosen.

    Returns:
        By name float32, shape (N,): what a function returns, averaged over all axes but the first.

    Raises:
        ValueError: If there is no one prediction, or a function fails or returns no number a row.
    """
    found: dict[str, list[Array]] = {name: [] for name in functions}
    first = 0
    for outputs in chunks if functions else ():
        arrays = list(leaves(outputs).values())
        if chosen is None:
            raise ValueError(
                f"`metrics` need one prediction, got {len(arrays)} outputs. Pass `output`, a name or an "
                "index."
            )
        prediction = arrays[chosen] if len(arrays) > 1 else arrays[0]
        rows = len(prediction)
        of_rows = cut_rows(targets, first, first + rows)
        for name, function in functions.items():
            try:
                # Tensors of its own: PyTorch's can be changed.
                returned = function(map_leaves(_tensor, of_rows), _tensor(prediction))
            except MemoryError:
                raise
            except Exception as error:
                given = {"targets": of_rows, "outputs": prediction}
                shown = "; ".join(
                    f"{part}{f'[{key!r}]' if key else ''}: {'None' if one is None else describe(one)}"
                    for part, structure in given.items()
                    for key, one in leaves(structure).items()
                )
                raise ValueError(
                    f"`metrics[{name!r}]` raised {type(error).__name__}: {error}. It is called as "
                    f"fn(targets, outputs), with {shown}."
                ) from error
            found[name].append(_by_sample(name, returned, rows))
        first += rows
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _tensor(array: Array | None) -> Any:
    return None if array is None else backend.to_tensor(array)


def _by_sample(name: str, returned: Any, rows: int) -> Array:
    argument = f"metrics[{name!r}]"
    given = returned if tf.is_tensor(returned) else as_array(returned, argument)
    values = backend.to_numpy(given)
    # What is no array is one object to NumPy.
    shown = describe(returned if values.dtype == object else values)
    if values.ndim == 0 or len(values) != rows or not values.size:
        is_mean = values.ndim == 0 and values.dtype.kind in "buif"
        advice = ' A loss object needs reduction="none".' if is_mean else ""
        raise ValueError(
            f"`{argument}` must return a value or more for each sample, got {shown} for {rows} "
            f"samples.{advice}"
        )
    if values.dtype.kind not in "buif":
        raise ValueError(f"`{argument}` must return real numbers, got {shown}.")
    means: Array = values.reshape(rows, -1).mean(1, dtype=np.float64)
    return means.astype(np.float32)
