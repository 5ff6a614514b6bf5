"""Read fixed samples once, as `fit` reads data."""

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.arrays import Array, as_array, describe, joined, leaves, map_leaves
from keras_image_saver.checks import check_int
from keras_image_saver.model.backend import SEQUENCES
from keras_image_saver.model.randomness import global_state_kept
from keras_image_saver.samples import Latents, Samples

_MOST_ROWS = 1_024
_ROWS_OF_A_DATASET = 16


def read_samples(samples: Any, num_samples: int | None, *, predict_alone: bool = False) -> Samples:
    """Read fixed samples, once, as `fit` reads data.

    Args:
        samples: An array or tensor; a tuple (x,), (x, y) or (x, y, w); a list or dict of arrays, also
            nested; a batched `tf.data.Dataset`; a Keras `Sequence` or `PyDataset`.
        num_samples: Rows to take. None: all of arrays, 16 of a dataset.
        predict_alone: Whether there may be none, since a `predict` can draw without.

    Raises:
        ValueError: If there are no rows, or over 1,024; if arrays differ in length; or if the
            dataset is empty or not batched.
        TypeError: If `samples` is none of these, or holds objects.

    Warns:
        UserWarning: If there are fewer than `num_samples`; they are taken as they are.
    """
    if samples is None:
        if not predict_alone:
            raise ValueError(
                "`samples` must be given unless `predict` is, got None. Pass arrays, a batched "
                "dataset, or latents(n, dim)."
            )
        if num_samples is not None:
            raise ValueError(
                f"`num_samples` must be None without `samples`, got {num_samples!r}: `predict` "
                "decides how many images there are."
            )
        return Samples(None)
    check_int("num_samples", num_samples, 1, _MOST_ROWS, optional=True)
    batches = _batches(samples)
    if batches is None:
        read = _split(samples)
        rows = _count_rows(read)
        if num_samples is None and rows > _MOST_ROWS:
            raise ValueError(
                f"`samples` may have {_MOST_ROWS} rows at most, got {rows}. Pass x[:64] or "
                "num_samples=64."
            )
        wanted = rows if num_samples is None else num_samples
    else:
        wanted = _ROWS_OF_A_DATASET if num_samples is None else num_samples
        read = _read_batches(batches, wanted)
        rows = _count_rows(read)
    if num_samples is not None and rows < num_samples:
        warnings.warn(
            f"`samples` has {rows} rows, fewer than num_samples={num_samples}; all of them are "
            "taken.",
            stacklevel=3,
        )
    first = samples[0] if isinstance(samples, tuple) else samples
    noise = any(isinstance(x, Latents) for x in leaves(first).values())
    kept = replace(read, noise=noise, from_dataset=batches is not None)
    return kept.rows(wanted)


def _count_rows(read: Samples) -> int:
    """Return the number of rows, the same in every array.

    Raises:
        ValueError: If it is not the same, or 0.
    """
    lengths = {name: len(array) for name, array in read.arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(
            f"`samples` must have as many rows in every array, got {lengths or 'no arrays'}. Is a "
            "dataset not batched? Pass dataset.batch(16)."
        )
    rows = next(iter(lengths.values()))
    if rows == 0:
        raise ValueError(f"`samples` must have at least one row, got arrays of 0 rows: {lengths}.")
    return rows


def _split(data: Any) -> Samples:
    """Unpack x, (x,), (x, y) or (x, y, w), and keep x and y as arrays."""
    parts = data if isinstance(data, tuple) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            "`samples` as a tuple must be (x,), (x, y) or (x, y, sample_weight), got "
            f"{len(parts)} items. Several inputs are a list."
        )
    inputs, targets = parts[0], (parts[1] if len(parts) > 1 else None)
    if inputs is None:
        raise ValueError("`samples` must not be None unless `predict` is given, got None.")
    return Samples(
        map_leaves(_keep, inputs),
        None if targets is None else map_leaves(_keep, targets),
        parts=("x", "y", "sample_weight")[: len(parts)],
    )


def _keep(values: Any) -> Array:
    """Copy one array, so that the caller may change theirs."""
    if isinstance(values, (tf.RaggedTensor, tf.SparseTensor)):
        raise TypeError(
            f"`samples` must be dense arrays, got a {type(values).__name__} of shape "
            f"{values.shape}. Pass .to_tensor(), or tf.sparse.to_dense(...)."
        )
    if not hasattr(values, "shape"):
        raise TypeError(
            "`samples` must be an array, a tuple (x, y), a list or dict of arrays, a batched "
            f"tf.data.Dataset or a Keras Sequence, got {describe(values)}."
        )
    if np.ma.is_masked(values):
        raise ValueError(
            f"`samples` must have no masked values, got some in {describe(values)}: the model needs "
            "a number in each place. Pass .filled(value)."
        )
    array = np.array(as_array(values))
    if array.dtype.kind == "O" and all(isinstance(item, (bytes, str)) for item in array.flat):
        return array  # strings, as tf.data hands them over
    if array.dtype.kind not in "buifSU":
        raise TypeError(
            f"`samples` must be bool, integer, float or string arrays, got {describe(array)}. "
            "Rows of different shapes need padding to one shape."
        )
    if array.ndim == 0:
        raise ValueError(
            f"`samples` must have a row a sample, got a scalar, {array!r}. Is a dataset not batched? "
            "Pass dataset.batch(16)."
        )
    # As `fit` does: float arrays are fed as Keras's default float. What that cannot hold becomes 0 or
    # infinite, and so magenta, also where the user's script has NumPy raise for it.
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(tf.keras.backend.floatx()) if array.dtype == np.float64 else array


def _batches(samples: Any) -> Any:
    """Return an iterator over the batches of a dataset, or None for arrays."""
    if isinstance(samples, tf.data.Dataset):
        options = tf.data.Options()
        # A batch more than is needed would be drawn on another thread, at any time.
        options.experimental_optimization.inject_prefetch = False
        return iter(samples.with_options(options))
    if isinstance(samples, SEQUENCES):
        number = getattr(samples, "num_batches", None)
        if number is None and hasattr(samples, "__len__"):
            number = len(samples)
        # An endless one has no length; no more batches are read than are needed.
        numbers = itertools.count() if number is None else range(int(number))
        return (samples[index] for index in numbers)
    if hasattr(samples, "__next__"):
        raise TypeError(
            f"`samples` must be read twice at times, but a {type(samples).__name__} can be read "
            "once. Pass arrays, a batched tf.data.Dataset or a Keras Sequence."
        )
    return None


def _read_batches(batches: Iterator[Any], wanted: int) -> Samples:
    """Read batches until there are `wanted` rows."""
    read: list[Samples] = []
    rows = 0
    with global_state_kept():
        while rows < wanted:
            batch = next(batches, None)
            if batch is None:
                break
            read.append(_split(batch))
            rows += _count_rows(read[-1])
    if not read:
        raise ValueError("`samples` is a dataset without a single batch.")
    elements = tuple(array.shape for array in leaves(read[0].inputs).values())
    try:
        inputs = joined([one.inputs for one in read])
        without = read[0].targets is None
        targets = None if without else joined([one.targets for one in read])
        return Samples(inputs, targets, elements=elements, parts=read[0].parts)
    except ValueError as error:
        raise ValueError(
            f"`samples` must be batches of one shape, got batches that do not join: {error}. Is the "
            "dataset not batched? Pass dataset.batch(16)."
        ) from error
