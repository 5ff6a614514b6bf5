"""Everything that a pass may change in a model, held around the pass and put back after it.

The list is made anew at each pass, from the whole of the models: a variable may stand in a layer's
own attribute, and one that a pass changes is not always one that Keras counts as a model's. Where a
trace is run, what it captures is held too, wherever that stands.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.model import backend

_SEED_STATE = "seed_generator_state"
# As TensorFlow names the state of its generators.
_GENERATOR_STATE = "StateVar"
# Variables are looked for in the attributes of these; no other object of the user's is looked into.
_OWNERS = (
    tf.keras.layers.Layer,
    tf.keras.metrics.Metric,
    tf.Module,
    tf.__internal__.tracking.AutoTrackable,
    *backend.OWNERS,
)
# A pass takes no step, and what an optimizer holds is twice what the model does.
_PASSED_BY = (tf.keras.optimizers.Optimizer,)


class ModelState:
    """What a pass over some models may change, in a `with` around each pass.

    Put back, to the last bit, are the variables of the models, of their layers and their metrics,
    states of recurrent layers and generators, variables that layers hold as plain attributes, and
    whether a layer takes new variables, which a call may end.

    Within the pass each generator of random numbers draws what it drew in the first pass.

    Args:
        models: What is run, and what holds it.
        earlier: The state of another model in the same run, whose generators may be the same.
    """

    def __init__(self, models: Iterable[Any], earlier: "ModelState | None" = None) -> None:
        self._models = tuple(models)
        # Holds each generator's state itself, so that no other gets its id, and what it began with.
        self._starts: dict[int, tuple[Any, Any]] = {} if earlier is None else earlier._starts
        self._captured: list[Any] = []
        self._held: dict[int, tuple[Any, Any]] = {}  # within a pass

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Hold what there is now, and put it back."""
        found = _Parts(self._models)
        self._hold(found.variables)
        self._hold(self._captured)
        attributes = [(one, dict(vars(one))) for one in found.drawing]
        open_trackers = [tracker for tracker in found.trackers if not tracker.locked]
        try:
            self._wind_back(found.variables, found.generators)
            self._wind_back(self._captured)
            yield
        finally:
            for cell, value in self._held.values():
                backend.put_back(cell, value)
            self._held.clear()
            for one, before in attributes:
                vars(one).update(before)
            for tracker in open_trackers:
                tracker.unlock()

    def hold(self, variables: Iterable[Any]) -> None:
        """Hold more variables, from within a pass on, and in each pass that follows."""
        new = [one for one in variables if not all(id(c) in self._held for c in backend.cells(one))]
        self._hold(new)
        self._wind_back(new)
        self._captured.extend(new)

    def _hold(self, variables: Iterable[Any]) -> None:
        for variable in variables:
            for cell in backend.cells(variable):
                if id(cell) not in self._held:
                    self._held[id(cell)] = cell, backend.held(cell)

    def _wind_back(self, variables: Iterable[Any], generators: Iterable[Any] = ()) -> None:
        states = [generator.state for generator in generators]
        for variable in variables:
            name = str(getattr(variable, "name", ""))
            if _SEED_STATE in name:
                # The state is the seed and how often it has drawn: each pass begins at none, also in
                # the process that resumes the run.
                start = np.array(backend.variable_value(variable))
                if start[1:].any():
                    start[1:] = 0
                    variable.assign(start)
            elif name.startswith(_GENERATOR_STATE):
                states.append(variable)
        for state in states:
            _, start = self._starts.setdefault(id(state), (state, state.numpy()))
            if not np.array_equal(state.numpy(), start):
                state.assign(start)


class _Parts:
    """What there is in models, each once.

    Attributes:
        variables: Keras's and TensorFlow's, wherever they stand.
        generators: TensorFlow's.
        drawing: What Keras 2 draws seeds by, which it counts in Python.
        trackers: What notes a Keras 3 layer's variables, until it is locked.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.variables: list[Any] = []
        self.generators: list[tf.random.Generator] = []
        self.drawing: list[Any] = []
        self.trackers: list[Any] = []
        self._looks: dict[type, Callable[[Any], Iterable[Any]] | None] = {}
        seen: dict[int, Any] = {}
        # A model's own `metrics` may give what stands in none of its attributes.
        waiting = [*models, *(getattr(model, "metrics", ()) for model in models)]
        for model in models:
            self.variables.extend(backend.buffers(model))
        while waiting:
            part = waiting.pop()
            kind = type(part)
            look = self._looks[kind] if kind in self._looks else self._look_at(part)
            if look is not None and id(part) not in seen:
                seen[id(part)] = part  # held, so that its id stays its own
                waiting.extend(look(part))

    def _look_at(self, part: Any) -> Callable[[Any], Iterable[Any]] | None:
        """Return what parts of this kind are made of; by kind, since there are thousands."""
        look: Callable[[Any], Iterable[Any]] | None = None
        if isinstance(part, backend.VARIABLES):
            look = self._in_variable
        elif isinstance(part, dict):
            look = _in_dict
        elif isinstance(part, (list, tuple, set, frozenset)):
            look = iter
        elif isinstance(part, _OWNERS) and not isinstance(part, _PASSED_BY):
            look = self._in_owner
        self._looks[type(part)] = look
        return look

    def _in_variable(self, variable: Any) -> Iterable[Any]:
        self.variables.append(variable)
        return ()

    def _in_owner(self, owner: Any) -> Iterable[Any]:
        if isinstance(owner, tf.random.Generator):
            self.generators.append(owner)
        if hasattr(owner, "make_legacy_seed"):
            self.drawing.append(owner)
        if hasattr(owner, "_tracker"):
            self.trackers.append(owner._tracker)
        return _in_dict(vars(owner))


def _in_dict(found: Any) -> Iterable[Any]:
    return list(found.values())
