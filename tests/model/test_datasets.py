"""Samples as they are read from what `fit` takes: arrays, datasets, sequences."""

import random
import warnings

import numpy as np
import pytest
import tensorflow as tf

from keras_image_saver.arrays import leaves
from keras_image_saver.model.datasets import read_samples
from keras_image_saver.samples import Latents, latents

keras = tf.keras

X = np.arange(20, dtype=np.float32).reshape(5, 4)
Y = np.arange(5, dtype=np.int64)
W = np.ones(5, np.float32)
SEQUENCES = [
    getattr(keras.utils, name)
    for name in ("PyDataset", "Sequence")
    if isinstance(getattr(keras.utils, name, None), type)
]


def assert_arrays(structure, expected):
    """Compare structures of arrays: the values, the dtypes and the places."""
    tf.nest.assert_same_structure(structure, expected)
    for one, other in zip(tf.nest.flatten(structure), tf.nest.flatten(expected), strict=True):
        assert type(one) is np.ndarray or isinstance(one, Latents)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def assert_read(read, inputs, targets):
    """Compare what was read; None are targets that there are not."""
    assert_arrays(read.inputs, inputs)
    assert (read.targets is None) == (targets is None)
    if targets is not None:
        assert_arrays(read.targets, targets)


# Forms


@pytest.mark.parametrize(
    ("samples", "inputs", "targets"),
    [
        pytest.param(X, X, None, id="array"),
        pytest.param(tf.constant(X), X, None, id="tensor"),
        pytest.param(tf.Variable(X), X, None, id="variable"),
        pytest.param((X,), X, None, id="(x,)"),
        pytest.param((X, Y), X, Y, id="(x, y)"),
        pytest.param((X, Y, W), X, Y, id="(x, y, w)"),
        pytest.param((X, None), X, None, id="(x, None)"),
        pytest.param([X, Y], [X, Y], None, id="list"),
        pytest.param({"b": X, "a": Y}, {"b": X, "a": Y}, None, id="dict"),
        pytest.param(([X, Y], {"t": Y}), [X, Y], {"t": Y}, id="(list, dict)"),
        pytest.param({"p": [X, (Y, W)]}, {"p": [X, (Y, W)]}, None, id="nested"),
        pytest.param(([X, {"a": Y}], [Y, W]), [X, {"a": Y}], [Y, W], id="nested pair"),
    ],
)
def test_read_samples_takes_data_as_fit_does(samples, inputs, targets):
    read = read_samples(samples, None)
    assert_read(read, inputs, targets)
    assert len(read) == 5
    assert not read.noise
    assert not read.from_dataset


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float64, np.float32),
        (np.float32, np.float32),
        (np.float16, np.float16),
        (np.uint8, np.uint8),
        (np.int64, np.int64),
        (np.bool_, np.bool_),
    ],
    ids=lambda dtype: np.dtype(dtype).name,
)
def test_read_samples_keeps_dtypes_and_feeds_doubles_as_keras_does(given, kept):
    assert read_samples(np.ones((2, 3), given), None).inputs.dtype == kept


def test_read_samples_keeps_strings():
    read = read_samples(np.array(["a", "bc"]), None)
    assert read.inputs.tolist() == ["a", "bc"]


def test_read_samples_keeps_bfloat16_as_float32():
    read = read_samples(tf.constant([[1.5], [2.5]], tf.bfloat16), None)
    assert_arrays(read.inputs, np.array([[1.5], [2.5]], np.float32))


def test_read_samples_copies_what_it_is_given():
    x, y = X.copy(), {"t": Y.copy()}
    read = read_samples((x, y), None)
    x[:] = -1
    y["t"][:] = -1
    assert_arrays(read.inputs, X)
    assert_arrays(read.targets, {"t": Y})


def test_read_samples_leaves_the_callers_arrays_alone():
    x = np.ones((3, 2), np.float64)
    x.flags.writeable = False
    read = read_samples(x, 2)
    assert read.inputs.shape == (2, 2)
    assert x.dtype == np.float64


@pytest.mark.parametrize("number", [1, np.int64(3), 5], ids=str)
def test_read_samples_takes_the_first_rows(number):
    read = read_samples((X, [Y, W]), number)
    assert_arrays(read.inputs, X[:number])
    assert_arrays(read.targets, [Y[:number], W[:number]])


# Datasets


def batched(*parts, size=2):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(size)


@pytest.mark.parametrize(
    ("dataset", "inputs", "targets"),
    [
        pytest.param(batched(X), X, None, id="x"),
        pytest.param(batched(X, Y), X, Y, id="(x, y)"),
        pytest.param(batched(X, Y, W), X, Y, id="(x, y, w)"),
        pytest.param(batched({"a": X, "b": Y}), {"a": X, "b": Y}, None, id="dict"),
        pytest.param(batched((X, Y), Y), (X, Y), Y, id="((x, x), y)"),
        pytest.param(batched(X, {"t": Y}), X, {"t": Y}, id="(x, dict)"),
    ],
)
def test_read_samples_joins_the_batches_of_a_dataset(dataset, inputs, targets):
    read = read_samples(dataset, None)
    assert_read(read, inputs, targets)
    assert read.from_dataset


def test_read_samples_takes_16_rows_of_a_dataset_across_batches():
    x = np.arange(40, dtype=np.float32)[:, None]
    assert_arrays(read_samples(batched(x, size=7), None).inputs, x[:16])


def test_read_samples_reads_no_batch_more_than_it_needs_and_only_once():
    drawn = []

    def batches():
        for number in range(100):
            drawn.append(number)
            yield np.full((3, 1), number, np.float32)

    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec((None, 1), tf.float32)
    )
    read = read_samples(dataset, 5)
    assert read.inputs[:, 0].tolist() == [0, 0, 0, 1, 1]
    assert drawn in ([0, 1], [0, 1, 2])  # tf.data may draw one ahead


def test_read_samples_reads_an_endless_dataset():
    assert len(read_samples(batched(X).repeat(), 12)) == 12


@pytest.mark.skipif(not hasattr(keras.utils, "PyDataset"), reason="a Sequence has a length")
def test_read_samples_reads_a_sequence_that_is_endless():
    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return np.full((2, 1), index, np.float32)

    assert read_samples(Endless(), 5).inputs[:, 0].tolist() == [0, 0, 1, 1, 2]


def test_read_samples_reads_a_dataset_of_strings():
    dataset = tf.data.Dataset.from_tensor_slices(["a", "b", "c"]).batch(2)
    assert read_samples(dataset, None).inputs.tolist() == [b"a", b"b", b"c"]


@pytest.mark.parametrize("base", SEQUENCES, ids=lambda base: base.__name__)
def test_read_samples_reads_a_sequence_and_leaves_random_states_alone(base):
    class Batches(base):
        def __init__(self):
            super().__init__()
            self.read = []
            self.ended = 0

        def __len__(self):
            return 4

        def __getitem__(self, index):
            self.read.append(index)
            random.random()
            np.random.random()
            return X[:3] + index, Y[:3] + index

        def on_epoch_end(self):
            self.ended += 1

    sequence = Batches()
    python, numpy = random.getstate(), np.random.get_state()[1].copy()
    read = read_samples(sequence, 4)
    assert_arrays(read.inputs, np.concatenate([X[:3], X[:1] + 1]))
    assert_arrays(read.targets, np.concatenate([Y[:3], Y[:1] + 1]))
    assert sequence.read == [0, 1]
    assert sequence.ended == 0
    assert random.getstate() == python
    np.testing.assert_array_equal(np.random.get_state()[1], numpy)


@pytest.mark.parametrize("base", SEQUENCES, ids=lambda base: base.__name__)
def test_read_samples_takes_a_sequence_that_ends_as_it_is(base):
    class Batches(base):
        def __init__(self):
            super().__init__()

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[:2]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_samples(Batches(), None)) == 4
    with pytest.warns(UserWarning, match="4 rows, fewer than num_samples=6"):
        assert len(read_samples(Batches(), 6)) == 4


def test_read_samples_with_fewer_rows_than_asked_says_so():
    with pytest.warns(UserWarning, match="5 rows, fewer than num_samples=9") as said:
        assert len(read_samples(X, 9)) == 5
    assert len(said) == 1


# Errors


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        pytest.param(X[:0], ValueError, "at least one row.*0 rows", id="no rows"),
        pytest.param(np.zeros(1025), ValueError, "1024 rows at most, got 1025", id="1,025 rows"),
        pytest.param((X, Y[:4]), ValueError, r"as many rows.*'x': 5, 'y': 4", id="lengths"),
        pytest.param([X, Y[:4]], ValueError, r"'x/0': 5, 'x/1': 4", id="lengths in a list"),
        pytest.param((), ValueError, r"\(x,\), \(x, y\).*got 0 items", id="empty tuple"),
        pytest.param((X, X, X, X), ValueError, "got 4 items.*list", id="tuple of four"),
        pytest.param([], ValueError, "no arrays", id="empty list"),
        pytest.param({}, ValueError, "no arrays", id="empty dict"),
        pytest.param((None, Y), ValueError, "must not be None", id="no x"),
        pytest.param(np.float32(3), ValueError, "a row a sample, got a scalar", id="scalar"),
        pytest.param("x.npy", TypeError, r"must be an array.*got 'x\.npy' \(str\)", id="path"),
        pytest.param(3, TypeError, r"must be an array.*got 3 \(int\)", id="number"),
        pytest.param([[1, 2], [3, 4]], TypeError, r"must be an array.*got 1 \(int\)", id="numbers"),
        pytest.param(
            np.array([None, 1]), TypeError, r"shape \(2,\) and dtype object", id="objects"
        ),
        pytest.param(np.zeros(2, "M8[s]"), TypeError, "datetime64", id="dates"),
        pytest.param(np.zeros(2, np.complex64), TypeError, "complex64", id="complex"),
        pytest.param(
            tf.ragged.constant([[1], [2, 3]]), TypeError, r"RaggedTensor.*to_tensor", id="ragged"
        ),
        pytest.param(
            tf.sparse.from_dense([[1, 0]]), TypeError, "SparseTensor.*to_dense", id="sparse"
        ),
        pytest.param(iter([X]), TypeError, "list_iterator can be read once", id="iterator"),
        pytest.param((x for x in [X]), TypeError, "generator can be read once", id="generator"),
        pytest.param(batched(X).take(0), ValueError, "without a single batch", id="empty dataset"),
        pytest.param(
            tf.data.Dataset.range(3), ValueError, r"scalar.*Pass dataset\.batch", id="scalars"
        ),
        pytest.param(
            tf.data.Dataset.from_generator(
                lambda: (np.zeros((2, size)) for size in (3, 4)),
                output_signature=tf.TensorSpec((None, None)),
            ),
            ValueError,
            r"batches of one shape.*Pass dataset\.batch",
            id="batches of two shapes",
        ),
    ],
)
def test_read_samples_refuses(samples, error, message):
    with pytest.raises(error, match=message):
        read_samples(samples, None)


@pytest.mark.parametrize("number", [0, -1, 1025, 2.0, True, "4"], ids=repr)
def test_read_samples_refuses_num_samples(number):
    with pytest.raises(ValueError, match=f"from 1 to 1024, or None, got {number!r}"):
        read_samples(X, number)


# Noise and names


@pytest.mark.parametrize(
    ("samples", "noise"),
    [
        pytest.param(latents(3, 4), True, id="latents"),
        pytest.param((latents(3, 4),), True, id="(latents,)"),
        pytest.param((latents(3, 4), X[:3]), True, id="(latents, y)"),
        pytest.param(X, False, id="array"),
        pytest.param((X, Y), False, id="(x, y)"),
    ],
)
def test_read_samples_knows_noise(samples, noise):
    assert read_samples(samples, None).noise is noise


def test_leaves_of_read_samples_are_named_by_their_paths():
    read = read_samples({"b": [X, Y], "a": W}, None)
    assert list(leaves(read.inputs)) == ["a", "b/0", "b/1"]


def test_read_samples_takes_what_float32_cannot_hold_where_numpy_raises_for_it():
    with np.errstate(all="raise"):
        kept = read_samples(np.array([1e-300, 1.0, 1e300]), None).inputs
    np.testing.assert_array_equal(kept, np.array([0, 1, np.inf], np.float32))
