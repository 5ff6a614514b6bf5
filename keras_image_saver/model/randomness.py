"""The global states of random numbers, which stay as they are whatever is drawn in between.

Not kept is what TensorFlow's kernels hold themselves: a `tf.random.normal` inside a `tf.function` of
the user's own draws on from where the last call of that function left it.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from keras_image_saver.model import backend

# Where Keras keeps what is global: the module is not public, but the function in it is.
_KERAS: Any = sys.modules[tf.keras.backend.clear_session.__module__]
_TENSORFLOW: Any = sys.modules[tf.random.get_global_generator.__module__]
_KERAS_3_GENERATOR = "global_seed_generator"


@contextmanager
def global_state_kept() -> Iterator[None]:
    """Put every global generator back to where it is, and remove those that come into being."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - it is the global one
    try:
        with ExitStack() as others:
            for kept in (_tensorflow_kept, _keras_2_kept, _keras_3_kept, _torch_kept):
                others.enter_context(kept())
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def advance() -> None:
    """Have every global generator draw once, as training does between two passes."""
    random.random()  # noqa: S311
    np.random.random()  # noqa: NPY002
    for drawing in (context.context()._rng, _keras_2_generator()):
        if drawing is not None:
            drawing.random()
    if _TENSORFLOW.global_generator is not None:
        _TENSORFLOW.global_generator.normal(())
    if _keras_3_generator() is not None:
        tf.keras.random.uniform(())
    if backend.ON_TORCH:
        import torch

        torch.rand(())


@contextmanager
def _tensorflow_kept() -> Iterator[None]:
    eager, before = context.context(), _TENSORFLOW.global_generator
    held = None if before is None else [(cell, backend.held(cell)) for cell in _cells(before)]
    seeds = eager._rng
    if seeds is not None:
        # Eager ops of one seed share a kernel, which goes on where it was: with seeds that training
        # will draw, a pass would change what they give there.
        copy = random.Random()  # noqa: S311
        copy.setstate(seeds.getstate())
        eager._rng = random.Random(copy.getrandbits(64))  # noqa: S311
    try:
        yield
    finally:
        eager._rng = seeds
        _TENSORFLOW.global_generator = before
        for cell, value in held or ():
            backend.put_back(cell, value)


def _cells(generator: Any) -> Any:
    return backend.cells(generator.state)


def _keras_2_generator() -> Any:
    """Return what Keras 2 draws the seeds of layers from, if `set_random_seed` was called."""
    return getattr(getattr(_KERAS, "_SEED_GENERATOR", None), "generator", None)


@contextmanager
def _keras_2_kept() -> Iterator[None]:
    generator = _keras_2_generator()
    state = None if generator is None else generator.getstate()
    try:
        yield
    finally:
        if generator is not None:
            generator.setstate(state)


def _keras_3_generator() -> Any:
    """Return what unseeded `keras.random` draws from, once something has drawn."""
    found = getattr(_KERAS, "get_global_attribute", None)
    return None if found is None else found(_KERAS_3_GENERATOR)


@contextmanager
def _keras_3_kept() -> Iterator[None]:
    generator = _keras_3_generator()
    found = [] if generator is None else list(backend.cells(generator.state))
    held = [(cell, backend.held(cell)) for cell in found]
    try:
        yield
    finally:
        for cell, value in held:
            backend.put_back(cell, value)
        if hasattr(_KERAS, "set_global_attribute"):
            _KERAS.set_global_attribute(_KERAS_3_GENERATOR, generator)


@contextmanager
def _torch_kept() -> Iterator[None]:
    if not backend.ON_TORCH:
        yield
        return
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        yield
