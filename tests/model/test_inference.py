import numpy as np
import pytest
import tensorflow as tf

from keras_image_saver.arrays import joined
from keras_image_saver.model.inference import Inference, chunk_rows
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.samples import Samples

keras = tf.keras
layers = keras.layers

KERAS_3 = hasattr(keras, "ops")
BACKEND = keras.backend.backend()
X = np.arange(10, dtype=np.float32).reshape(5, 2)


def doubling(**kwargs):
    inputs = keras.Input((2,), **kwargs)
    return keras.Model(inputs, layers.Rescaling(2.0)(inputs))


class Joined(Inference):
    """Its chunks as one, as a renderer of the user's own gets them."""

    def run(self, inputs):
        return joined(super().run(Samples(inputs)).chunks)


def inference(model, predict=None, size=2, **options):
    return Joined(DrawnModel(model, model), size, predict=predict, **options)


@pytest.mark.parametrize(
    ("rows", "batch_size", "expected"),
    [(5, 32, 5), (32, 32, 32), (33, 32, 17), (64, 32, 32), (65, 32, 22), (5, 1, 1), (0, 32, 1)],
)
def test_chunk_rows_makes_equal_chunks(rows, batch_size, expected):
    assert chunk_rows(rows, batch_size) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_run_returns_every_row_once_in_order(size):
    outputs = inference(doubling(), size=size).run(X)
    assert type(outputs) is np.ndarray
    np.testing.assert_array_equal(outputs, 2 * X)


def test_run_keeps_the_structure_of_inputs_and_outputs():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    scaled = layers.Rescaling(3.0)(right)
    model = keras.Model({"left": left, "right": right}, {"sum": left + right, "three": scaled})
    outputs = inference(model).run({"left": X, "right": 2 * X})
    assert sorted(outputs) == ["sum", "three"]
    np.testing.assert_array_equal(outputs["sum"], 3 * X)
    np.testing.assert_array_equal(outputs["three"], 6 * X)


class Noting(keras.layers.Layer):
    """Notes the shapes that Python sees, so traces; may refuse to be traced, or fail."""

    def __init__(self, traceable=True):
        super().__init__()
        self.shapes = []
        self.note = self.shapes.append
        self.traceable = traceable
        self.failure = [None]

    def call(self, inputs, training=None):
        self.note(tuple(inputs.shape))
        assert training is False
        if self.failure[0] is not None:
            raise self.failure[0]
        return inputs * 1.0 if self.traceable else tf.constant(inputs.numpy())


def noting(**kwargs):
    shapes = []
    layer = Noting(**kwargs)
    layer.note = shapes.append
    layer.build((None, 2))
    layer.built = True
    return layer, shapes


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow is traced")
def test_run_traces_once_whatever_the_number_of_rows():
    layer, shapes = noting()
    runs = inference(layer)
    for rows in (5, 2, 1, 4, 5):
        np.testing.assert_array_equal(runs.run(X[:rows]), X[:rows])
    assert len(shapes) == 1


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow is traced")
def test_run_calls_directly_what_cannot_be_traced_and_tries_no_more():
    layer, shapes = noting(traceable=False)
    runs = inference(layer)
    np.testing.assert_array_equal(runs.run(X), X)
    np.testing.assert_array_equal(runs.run(X), X)
    assert shapes.count((2, 2)) in (6, 7)  # a failed trace, which may see the shape, and 6 chunks
    assert len(shapes) == 7


def test_run_chains_the_models_own_error_until_it_has_worked():
    layer, _ = noting(traceable=BACKEND != "tensorflow")  # a trace would not run it again
    layer.failure = [ZeroDivisionError("mine")]
    runs = inference(layer)
    with pytest.raises(ValueError, match="Noting raised ZeroDivisionError: mine") as info:
        runs.run(X)
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    layer.failure = [None]
    runs.run(X)
    layer.failure = [ZeroDivisionError("mine")]
    with pytest.raises(ZeroDivisionError, match="mine"):
        runs.run(X)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow is traced")
def test_run_after_an_error_draws_again():
    layer, _ = noting(traceable=False)
    runs = inference(layer)
    runs.run(X)
    layer.failure = [MemoryError("no room")]
    with pytest.raises(MemoryError):
        runs.run(X)
    layer.failure = [None]
    np.testing.assert_array_equal(runs.run(X), X)


def test_run_feeds_a_model_of_fixed_batch_size_that_size():
    model = doubling(batch_size=4)
    np.testing.assert_array_equal(inference(model, size=2).run(X), 2 * X)


def test_run_returns_bfloat16_as_float32_and_float16_as_it_is():
    model = doubling()
    for dtype, expected in ((tf.bfloat16, np.float32), (tf.float16, np.float16)):
        outputs = inference(model, lambda model, x, to=dtype: tf.cast(x, to)).run(X)
        assert outputs.dtype == expected
        np.testing.assert_array_equal(outputs, X)


# How many rows at a time


def of_bytes(inputs, count):
    """Outputs of so many bytes a row, of inputs (N, 2)."""
    return layers.RepeatVector(count // 8)(inputs)


@pytest.mark.parametrize(
    ("count", "size"), [(64, 64), (65, 33), (100, 50), (33, 33), (32, 32), (5, 5)]
)
def test_more_rows_at_a_time_after_a_pass_of_small_outputs(count, size):
    samples = np.ones((count, 2), np.float32)
    runs = inference(doubling(), size=chunk_rows(count, 32), is_free=True)
    assert not runs.grow(count)  # nothing is known yet
    runs.run(samples)
    assert runs.grow(count) is (count > 32)
    assert runs.size == size
    assert not runs.grow(count)
    np.testing.assert_array_equal(runs.run(samples), 2 * samples)


@pytest.mark.parametrize(("row_bytes", "grows"), [(2**19, False), (2**19 - 8, True)])
def test_no_more_rows_at_a_time_where_all_their_outputs_are_32_mib(row_bytes, grows):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, [of_bytes(inputs, 2**18), of_bytes(inputs, row_bytes - 2**18)])
    runs = Inference(DrawnModel(model, model), 8, is_free=True)
    runs.run(Samples(np.ones((8, 2), np.float32)))
    assert runs.grow(64) is grows


@pytest.mark.parametrize(
    ("model", "options"),
    [
        pytest.param(doubling(), {}, id="the user's size"),
        pytest.param(doubling(batch_size=2), {"is_free": True}, id="a model of fixed size"),
        pytest.param(
            doubling(), {"is_free": True, "predict": lambda model, x: x}, id="the user's predict"
        ),
    ],
)
def test_size_that_is_not_ours_stays(model, options):
    runs = inference(model, **options)
    runs.run(X)
    assert not runs.grow(len(X))
    assert runs.size == 2


NO_MEMORY = [
    pytest.param(MemoryError("no room"), id="Python"),
    *(
        pytest.param(
            error, id=name, marks=pytest.mark.skipif(BACKEND != "tensorflow", reason="its errors")
        )
        for name, error in {
            "TensorFlow": tf.errors.ResourceExhaustedError(None, None, "OOM"),
            "copy": tf.errors.InternalError(None, None, "Dst tensor is not initialized."),
        }.items()
    ),
    pytest.param(RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), id="JAX"),
    pytest.param(type("OutOfMemoryError", (RuntimeError,), {})("CUDA out"), id="PyTorch"),
    pytest.param(
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), id="PyTorch, CPU"
    ),
]


class Crowded(keras.layers.Layer):
    """Has room for so many rows at a time, and counts its calls in a variable."""

    def __init__(self, error):
        super().__init__()
        self.error, self.room, self.seen = [error], [100], []
        self.see = self.seen.append

    def build(self, shape):
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros", trainable=False, dtype="float32"
        )
        self.built = True

    def call(self, inputs, training=None):
        if isinstance(inputs, tf.Tensor) and not tf.executing_eagerly():
            inputs.numpy()  # as models do that cannot be traced: a symbol has none
        self.see(len(inputs))
        if len(inputs) > self.room[0]:
            raise self.error[0]
        return inputs * 2.0


def crowded(error, **options):
    layer = Crowded(error)
    layer.build((None, 2))
    runs = inference(layer, size=4, **options)
    runs.run(X)
    layer.seen.clear()
    return layer, runs


@pytest.mark.parametrize("error", NO_MEMORY)
def test_half_as_many_rows_where_memory_runs_out_and_so_from_then_on(error):
    layer, runs = crowded(error, is_free=True)
    layer.room[0] = 3
    for _ in range(2):
        np.testing.assert_array_equal(runs.run(X), 2 * X)
    assert layer.seen == [4, 2, 2, 2, 2, 2, 2]
    assert (runs.size, runs.has_halved) == (2, True)
    assert not runs.grow(len(X))


def test_memory_that_runs_out_again_raises():
    layer, runs = crowded(MemoryError("no room"), is_free=True)
    layer.room[0] = 1
    with pytest.raises(MemoryError, match="no room"):
        runs.run(X)
    assert layer.seen == [4, 2]


@pytest.mark.parametrize(
    ("error", "options"),
    [
        pytest.param(MemoryError("mine"), {}, id="the user's size"),
        pytest.param(ZeroDivisionError("mine"), {"is_free": True}, id="another error"),
    ],
)
def test_no_half_as_many_rows_for(error, options):
    layer, runs = crowded(error, **options)
    layer.room[0] = 3
    with pytest.raises(type(error), match="mine"):
        runs.run(X)
    assert (runs.size, runs.has_halved) == (4, False)


# predict


def test_predict_gets_the_model_and_chunks_of_one_size():
    seen, model = [], doubling()

    def predict(given, inputs):
        assert given is model
        assert keras.ops.is_tensor(inputs["x"]) if KERAS_3 else tf.is_tensor(inputs["x"])
        seen.append(inputs["x"].shape[0])
        return [inputs["x"], {"twice": 2 * inputs["x"]}]

    outputs = inference(model, predict).run({"x": X})
    assert seen == [2, 2, 2]
    np.testing.assert_array_equal(outputs[0], X)
    np.testing.assert_array_equal(outputs[1]["twice"], 2 * X)


def test_predict_without_samples_is_called_once_with_none():
    outputs = inference(doubling(), lambda model, inputs: X if inputs is None else None).run(None)
    np.testing.assert_array_equal(outputs, X)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        pytest.param(X[:1], ValueError, r"`predict` must return a row a sample.*\(1, 2\)", id="1"),
        pytest.param(np.float32(1), ValueError, "a row a sample", id="scalar"),
        pytest.param(X[:2, :0], ValueError, r"a row a sample.*\(2, 0\).* no value", id="empty"),
        pytest.param({"a": X[:1], "b": X[:0]}, ValueError, "in output 'a'", id="dict"),
        pytest.param(None, TypeError, "arrays or tensors.*got None", id="None"),
        pytest.param(["a", "b"], TypeError, "arrays or tensors.*got 'a'", id="text"),
    ],
)
def test_predict_must_return_a_row_a_sample(returned, error, message):
    with pytest.raises(error, match=message):
        inference(doubling(), lambda model, inputs: returned).run(X[:2])


def test_output_without_a_row_a_sample_is_none_beside_one_that_has_them():
    returned = {"a": X[:2], "b": X[:1], "c": None, "d": "text", "e": object()}
    outputs = inference(doubling(), predict=lambda model, x: returned, size=2).run(X[:4])
    np.testing.assert_array_equal(outputs.pop("a"), np.concatenate([X[:2], X[:2]]))
    assert outputs == dict.fromkeys("bcde")


# Variables


class Stateful(keras.layers.Layer):
    """Counts its calls, and has a large variable that never changes."""

    def build(self, shape):
        options = {"initializer": "zeros", "trainable": False, "dtype": "float32"}
        self.count = self.add_weight(name="count", shape=(), **options)
        self.frozen = self.add_weight(name="frozen", shape=(100,), **options)

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs + self.count


def stateful():
    layer = Stateful()
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.count.assign(0.0)
    return model, layer


def test_run_puts_back_what_it_changed_and_draws_the_same_again():
    model, layer = stateful()
    runs = inference(model)
    first = runs.run(X)
    assert float(layer.count.numpy()) == 0
    np.testing.assert_array_equal(runs.run(X), first)
    layer.count.assign(10.0)
    np.testing.assert_array_equal(runs.run(X), first + 10)
    assert float(layer.count.numpy()) == 10


def test_run_puts_back_what_it_changed_when_it_fails():
    model, layer = stateful()

    def predict(model, inputs):
        model(inputs)
        raise OSError("out of memory")

    runs = inference(model, predict)
    for _ in range(2):
        with pytest.raises(ValueError, match="`predict` raised OSError: out of memory"):
            runs.run(X)
        assert float(layer.count.numpy()) == 0


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no seed generators")
def test_run_starts_seeds_from_the_same_state_and_leaves_training_its_own():
    class Drawing(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(3)

        def call(self, inputs):
            return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed)

    layer = Drawing()
    model = keras.Sequential([keras.Input((2,)), layer])
    runs = inference(model)
    first = runs.run(X)
    assert not np.array_equal(first[:2] - X[:2], first[2:4] - X[2:4])  # each chunk draws its own
    model(X)
    state = layer.seed.state.numpy().copy()
    np.testing.assert_array_equal(runs.run(X), first)
    np.testing.assert_array_equal(layer.seed.state.numpy(), state)
