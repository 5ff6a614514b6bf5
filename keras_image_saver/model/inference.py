"""The one place that calls the model, and puts back what the call changed.

On TensorFlow that is one `tf.function` a model, kept for the run and fed chunks of one constant
size: `predict` resets metrics and may draw from global generators, `model(x)` is slower and leaks on
Keras 2, a new chunk size or a new function traces anew. On JAX and PyTorch it is `predict_on_batch`,
or a plain call of a layer that is no model.
A `predict_step` of the model's own is bypassed; the way to other passes is `predict`.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, cut_rows, leaves, map_leaves
from keras_image_saver.model import backend, workers
from keras_image_saver.model.lookup import DrawnModel
from keras_image_saver.model.misfit import check_count, how_read, is_for_want_of_memory, misfit
from keras_image_saver.model.outputs import Outputs, output_info, read_outputs
from keras_image_saver.model.randomness import is_global
from keras_image_saver.model.state import ModelState
from keras_image_saver.model.weights import Pair
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.samples import Samples

# Keras's own number of rows, and how many more go through at once where all of their outputs are small:
# each call costs some milliseconds by itself.
USUAL_ROWS = 32
_MOST_ROWS = 64
_SMALL_OUTPUTS = 32 * 2**20  # bytes


class Inference:
    """Runs one model on the samples, chunk by chunk.

    Args:
        drawn: What draws.
        size: Rows through the model at a time, the same in every pass.
        is_free: Whether nobody asked for that size. Then `grow` may raise it, and it is halved, once,
            where memory runs out.
        predict: The user's `predict(model, inputs) -> outputs`, or None for a plain call.
        output: Which of several outputs the user has chosen: a name, an index, or None.
        earlier: The state of what drew before in this run.

    Attributes:
        state: What each pass leaves as it was.
        size: Rows through the model at a time.
        has_halved: Whether memory ran out.
    """

    def __init__(
        self,
        drawn: DrawnModel,
        size: int,
        *,
        is_free: bool = False,
        predict: Callable[[Any, Any], Any] | None = None,
        output: str | int | None = None,
        earlier: ModelState | None = None,
    ) -> None:
        self._drawn = drawn
        self._model = drawn.model
        self._trained = drawn.trained
        self._predict = predict
        self._output = output
        self._info: OutputInfo | None = None
        only = None if predict else _fixed_batch_size(drawn.model)
        self.size = only or size
        self.has_halved = False
        self._is_free = is_free and only is None and predict is None
        self._row_bytes = 0  # of all outputs, once there are some
        # What is asked to run eagerly may call `.numpy()`, which no trace can.
        models = (drawn.model, drawn.trained)
        self._calls_directly = any(getattr(model, "run_eagerly", False) for model in models)
        # Whether the trace calls Python code; None before there is one.
        self._trace_calls_python: bool | None = None
        self._traced = backend.traced(drawn.model)
        self.state = ModelState(models, earlier)

    @property
    def runs_python(self) -> bool:
        """Whether a pass runs Python code of the model's or the user's: a trace of it may do so too."""
        is_traced = self._predict is None and not self._calls_directly and backend.ON_TENSORFLOW
        return bool(self._trace_calls_python) or not is_traced

    def grow(self, count: int) -> bool:
        """Let more rows through at a time, where the outputs of the first pass say that they are small.

        Args:
            count: How many samples there are in all.

        Returns:
            Whether they are more now: passes before and after are not to be compared.
        """
        size = chunk_rows(count, _MOST_ROWS)
        small = 0 < size * self._row_bytes < _SMALL_OUTPUTS
        if not (self._is_free and small and size > self.size) or self.has_halved:
            return False
        self.size = size
        return True

    def run(
        self,
        samples: Samples,
        decide: Callable[[Any], Any] | None = None,
        weights: Iterable[Pair] = (),
    ) -> Outputs:
        """Run the model on samples.

        Args:
            samples: What it is shown; inputs that are None are handed to `predict` as they are.
            decide: What is done to the outputs while they are on the device, or None.
            weights: Variables that have the values of others for this pass.

        Raises:
            ValueError: If the prediction has not a row a sample, or does not exist; or from what the
                model or `predict` raised, where it has not worked yet.
            Exception: Whatever the model or `predict` raises once it has worked.
        """
        try:
            return self._run(samples, decide, weights)
        except Exception as error:
            if not (is_for_want_of_memory(error) and self._halve()):
                raise
        # Not while the error is handled, which holds on to what the failed pass had made.
        return self._run(samples, decide, weights)

    def _halve(self) -> bool:
        """Take half as many rows from here on; return False where that is done, or not ours to do."""
        # One of several workers may run out alone, and all have to make the same calls.
        alone = workers.is_alone(self._trained)
        if self.has_halved or not self._is_free or self.size == 1 or not alone:
            return False
        self.has_halved = True
        self.size = math.ceil(self.size / 2)
        return True

    def _run(
        self, samples: Samples, decide: Callable[[Any], Any] | None, weights: Iterable[Pair]
    ) -> Outputs:
        if self._predict is None and not self._drawn.is_built:
            with self.state.kept():
                backend.build(self._drawn.model, samples.rows(1).inputs)
        with backend.jax_state_kept(self._trained), self.state.kept():
            for variable, source in weights:
                backend.copy_values(source, variable)
            if samples.inputs is None:
                chunks = [self._read(self._returned(None, samples), samples, None, decide)]
            else:
                starts = range(0, len(samples), self.size)
                chunks = [self._chunk(samples, start, decide) for start in starts]
        assert self._info is not None  # each chunk is read by it
        return Outputs(self._info, chunks)

    def _chunk(self, samples: Samples, start: int, decide: Callable[[Any], Any] | None) -> Any:
        rows = len(samples)
        stop = min(start + self.size, rows)
        padded = start + self.size

        def cut(array: Array) -> Array:
            if padded <= rows:
                return array[start:padded]
            # The last row is repeated: one size is one trace.
            return array[np.minimum(np.arange(start, padded), rows - 1)]

        chunk = map_leaves(cut, samples.inputs)
        returned = self._returned(chunk, samples)
        read = self._read(returned, samples, padded - start, decide)
        if not self._row_bytes and decide is None:
            arrays = [array for array in leaves(read).values() if array is not None]
            self._row_bytes = sum(array.nbytes for array in arrays) // (padded - start)
        return cut_rows(read, 0, stop - start)

    def _returned(self, inputs: Any, samples: Samples) -> Any:
        """Return what the model or `predict` returns, or say why the samples do not fit it."""
        predicted = self._predict is not None
        if self._info is None and not predicted:
            check_count(self._model, samples)
        try:
            return self._predicted(inputs) if predicted else self._called(inputs)
        except Exception as error:
            # What has worked fails for another reason than the samples.
            if self._info is not None or is_for_want_of_memory(error):
                raise
            raise misfit(error, self._model, samples, predicted=predicted) from error

    def _read(
        self, returned: Any, samples: Samples, rows: int | None, decide: Callable[[Any], Any] | None
    ) -> Any:
        """Return outputs as arrays, once it is known which there are."""
        predicted = self._predict is not None
        if self._info is None:
            self._info = output_info(
                returned, self._model, self._output, predicted=predicted, noise=samples.noise
            )
        outputs = decide(returned) if decide else returned
        if predicted:
            return read_outputs(outputs, self._info, rows, "predict")
        return read_outputs(outputs, self._info, rows, "model", how_read(self._model, samples))

    def _predicted(self, inputs: Any) -> Any:
        assert self._predict is not None  # the caller asked
        tensors = None if inputs is None else map_leaves(backend.to_tensor, inputs)
        return self._predict(self._model, tensors)

    def _called(self, inputs: Any) -> Any:
        if not backend.ON_TENSORFLOW:
            return backend.call_untraced(self._model, inputs)
        tensors = map_leaves(backend.to_tensor, inputs)
        if self._calls_directly or not getattr(self._model, "built", True):
            return self._model(tensors, training=False)
        is_first = self._trace_calls_python is None
        try:
            if is_first:
                variables, self._trace_calls_python = backend.captured(self._traced, tensors)
                # Keras's global generator goes on from pass to pass, so that it shows who draws from it.
                self.state.hold(one for one in variables if not is_global(one))
            outputs = self._traced(tensors)
        except Exception:
            if not is_first:
                raise
            # Models that call .numpy() cannot be traced; what fails both ways is the model's error.
            outputs = self._model(tensors, training=False)
            self._calls_directly = True
        return outputs


def chunk_rows(rows: int, batch_size: int) -> int:
    """Return the size of equal chunks: 33 rows at 32 a batch are 17 and 16, not 32 and 1.

    >>> chunk_rows(33, 32)
    17
    """
    return math.ceil(rows / math.ceil(rows / batch_size)) if rows else 1


def network_of(drawn: DrawnModel) -> tuple[Any, ...]:
    """Return what a trace is of, to be compared by identity: the model, as it was compiled last.

    Layers that were added since do not show in `train_function`, but in the weights.
    """
    function = getattr(drawn.trained, "train_function", None)
    return (drawn.model, function, *backend.weights_of(drawn.model))


def _fixed_batch_size(model: Any) -> int | None:
    """Return the batch size that a model was built for, where it takes no other."""
    try:
        sizes = {tensor.shape[0] for tensor in model.inputs}
    except (AttributeError, TypeError, IndexError):
        return None
    size = sizes.pop() if len(sizes) == 1 else None
    return None if size is None else int(size)
