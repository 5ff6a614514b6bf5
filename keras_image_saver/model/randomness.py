"""The global states of random numbers, which a pass leaves as they are.

Python's and NumPy's belong to all threads, and `fit` may read data on another one during a pass: to
put them back would have it draw the same again. So they are put back where the passes before
training showed that a pass draws from them, or seeds them.

Not kept is what TensorFlow's kernels hold themselves: a `tf.random.normal` inside a `tf.function` of
the user's own draws on from where the last call of that function left it.
"""

import functools
import pickle
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from keras_image_saver.model import backend

# Where Keras keeps what is global: the module is not public, but the function in it is.
_KERAS: Any = sys.modules[tf.keras.backend.clear_session.__module__]
_TENSORFLOW: Any = sys.modules[tf.random.get_global_generator.__module__]
_KERAS_3_GENERATOR = "global_seed_generator"

_SHARED: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "random": (random.getstate, random.setstate),
    "numpy.random": (np.random.get_state, np.random.set_state),
}

Drawn = TypeVar("Drawn")


class Passes:
    """How passes leave the global states alone, by what the first ones did to them.

    Args:
        run_user_code: Tells whether a pass runs Python code that is not ours.
    """

    def __init__(self, run_user_code: Callable[[], bool]) -> None:
        self._run_user_code = run_user_code
        self._drawn: set[str] = set()
        self._seeded: dict[str, Any] = {}  # the states that each pass ends with

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Put back what a pass draws from."""
        before = _states()
        try:
            with _others_kept(self._run_user_code()):
                yield
        finally:
            for name, (read, write) in _SHARED.items():
                ends = self._seeded.get(name)
                if name in self._drawn or (ends is not None and _same(read(), ends)):
                    write(before[name])

    def twice(
        self, draw: Callable[[], Drawn], differ: Callable[[Drawn, Drawn], int], limit_s: float
    ) -> tuple[Drawn, float, int | None]:
        """Draw two times before training, and see what that does to the global states.

        They are not put back between the two, so that what is drawn from them differs.

        Args:
            draw: Makes a pass.
            differ: Tells by how much what two passes drew differs.
            limit_s: A first pass that takes longer is not made again.

        Returns:
            What was drawn first, the seconds that it took, and the difference: None if there was no
            second pass.
        """
        with _others_kept(True):
            states, started = [_states()], time.monotonic()
            first = draw()
            seconds = time.monotonic() - started
            if seconds > limit_s:
                return first, seconds, None
            states.append(_states())
            second = draw()
            states.append(_states())
            difference = differ(first, second)
            if self._run_user_code():
                self._settle(draw, states, difference > 0)
        return first, seconds, difference

    def _settle(
        self, draw: Callable[[], Any], states: list[dict[str, Any]], draws_differ: bool
    ) -> None:
        """Find out what is ours of what was done to the shared states, and undo that."""
        doubtful = []
        for name, (_, write) in _SHARED.items():
            before, between, after = (state[name] for state in states)
            if _same(before, between):
                continue
            if _same(between, after):
                doubtful.append(name)
            elif draws_differ:
                self._drawn.add(name)
                write(before)
        # A state that changes only once was seeded by both passes, or it was another thread's reading
        # ahead, which has ended and waits for the training. A pass that seeds ends there again.
        for name in doubtful:
            _SHARED[name][1](states[0][name])
        if doubtful:
            draw()
        for name in doubtful:
            read, write = _SHARED[name]
            now, ends = read(), states[1][name]
            if _same(now, ends):
                self._seeded[name] = ends
                write(states[0][name])
            elif _same(now, states[0][name]):
                write(ends)


def _states() -> dict[str, Any]:
    return {name: read() for name, (read, _) in _SHARED.items()}


def _same(one: Any, other: Any) -> bool:
    return pickle.dumps(one) == pickle.dumps(other)


@contextmanager
def global_state_kept() -> Iterator[None]:
    """Put every global state back; for a time when nothing else draws."""
    before = _states()
    try:
        with _others_kept(True):
            yield
    finally:
        for name, (_, write) in _SHARED.items():
            write(before[name])


@contextmanager
def _others_kept(runs_user_code: bool) -> Iterator[None]:
    """Put back the states of Keras, and where user code may draw those of TensorFlow and PyTorch."""
    with ExitStack() as others:
        others.enter_context(_keras_2_kept())
        others.enter_context(_keras_3_kept())
        if runs_user_code:
            others.enter_context(_tensorflow_kept())
            others.enter_context(_torch_kept())
        yield


@contextmanager
def _tensorflow_kept() -> Iterator[None]:
    eager, before = context.context(), _TENSORFLOW.global_generator
    held = None if before is None else [(cell, backend.held(cell)) for cell in _cells(before)]
    seeds = getattr(eager, "_rng", None)
    if seeds is not None:
        # Eager ops of one seed share a kernel, which goes on where it was: with seeds that training
        # will draw, a pass would change what they give there.
        copy = random.Random()  # noqa: S311
        copy.setstate(seeds.getstate())
        eager._rng = random.Random(copy.getrandbits(64))  # noqa: S311
    try:
        yield
    finally:
        if seeds is not None:
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


def is_global(variable: Any) -> bool:
    """Tell whether a variable is the state that unseeded `keras.random` draws from."""
    generator = _keras_3_generator()
    cells = () if generator is None else backend.cells(generator.state)
    return any(cell is variable for cell in cells)


def _keras_3_generator() -> Any:
    """Return what unseeded `keras.random` draws from, once something has drawn."""
    found = getattr(_KERAS, "get_global_attribute", None)
    return None if found is None else found(_KERAS_3_GENERATOR)


@functools.cache
def _spare_generator() -> Any:
    """Return what draws where nothing has drawn yet: Keras's own takes its seed from Python's state."""
    return tf.keras.random.SeedGenerator(0, name="keras_image_saver")


@contextmanager
def _keras_3_kept() -> Iterator[None]:
    if not backend.KERAS_3:
        yield
        return
    generator = _keras_3_generator()
    drawn_from = _spare_generator() if generator is None else generator
    held = [(cell, backend.held(cell)) for cell in backend.cells(drawn_from.state)]
    _KERAS.set_global_attribute(_KERAS_3_GENERATOR, drawn_from)
    try:
        yield
    finally:
        for cell, value in held:
            backend.put_back(cell, value)
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
