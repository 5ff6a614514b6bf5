"""The optimizers of a model in training, and what is told of the training by which runs differ."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.model.backend import array_warnings_ignored


def optimizers_of(trained: Any) -> Iterator[tuple[str, Any]]:
    """Yield the optimizers among a model's attributes, with those that they hold, each once."""
    kind, seen = tf.keras.optimizers.Optimizer, set()
    waiting = [("optimizer", getattr(trained, "optimizer", None)), *vars(trained).items()]
    while waiting:
        name, value = waiting.pop(0)
        if isinstance(value, (list, tuple)):
            waiting.extend((f"{name}[{index}]", one) for index, one in enumerate(value))
        elif isinstance(value, dict):
            waiting.extend((f"{name}[{key!r}]", one) for key, one in value.items())
        elif isinstance(value, kind) and id(value) not in seen:
            seen.add(id(value))
            inner = getattr(value, "inner_optimizer", None)  # scales the loss
            several = getattr(value, "optimizers", None)
            if inner is None and several is None:
                yield name, value
            waiting.append((f"{name}.inner_optimizer", inner))
            waiting.append((f"{name}.optimizers", several))


def about_training(trained: Any) -> dict[str, Any] | None:
    """Return what trains, as far as it tells: the model's class and size, its loss and optimizers.

    Nothing of it is needed to draw, so what cannot be read is left out.

    Args:
        trained: The model in training, or None.
    """
    if trained is None:
        return None
    about: dict[str, Any] = {"model": type(trained).__name__}
    with contextlib.suppress(Exception):  # it is not built, or an object of the user's
        about["parameters"] = int(trained.count_params())
    with contextlib.suppress(Exception):
        about["loss"] = _told(trained.loss) if trained.loss is not None else None
    optimizers = {}
    with contextlib.suppress(Exception), array_warnings_ignored():
        for name, one in optimizers_of(trained):
            config = {key: _told(value) for key, value in one.get_config().items()}
            known = {key: value for key, value in config.items() if value is not None}
            optimizers[name] = {"class": type(one).__name__, **known}
    return {**about, "optimizers": optimizers}


def _told(value: Any) -> Any:
    """Return a setting with its numbers as the user wrote them: 0.001, not float32's neighbour of it.

    >>> _told(np.float32(0.001)), _told({"rate": 0.0002500000118743628}), _told("adam")
    (0.001, {'rate': 0.00025}, 'adam')
    """
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.7g}")
    return value
