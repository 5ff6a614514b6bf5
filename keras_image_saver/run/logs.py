"""Metrics as Keras hands them over, made plain."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_image_saver.arrays import as_array, describe

_LONGEST_ARRAY = 64


def plain_logs(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Turn tensors and arrays into Python numbers and lists; what is neither becomes text.

    >>> plain_logs({"loss": np.float32(0.5), "per_class": np.array([1, 2]), "note": None})
    {'loss': 0.5, 'per_class': [1, 2], 'note': 'None'}
    """
    return {str(name): _plain(value) for name, value in (logs or {}).items()}


def check_logs(logs: Any) -> None:
    """Refuse logs of a loop of one's own that are none.

    Raises:
        TypeError: If they are no dict.
    """
    if not (logs is None or isinstance(logs, Mapping)):
        raise TypeError(f"`logs` must be a dict of metrics or None, got {describe(logs)}.")


def json_logs(value: Any) -> Any:
    """Make plain logs, or what holds some, fit for JSON, which has no NaN.

    >>> json_logs({"loss": float("nan"), "top": [1.0, float("inf")]})
    {'loss': 'NaN', 'top': [1.0, 'Infinity']}
    """
    if isinstance(value, Mapping):
        return {str(name): json_logs(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_logs(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def from_json_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `json_logs`.

    >>> from_json_logs({"loss": "NaN", "top": [1.0, "-Infinity"]})
    {'loss': nan, 'top': [1.0, -inf]}
    """
    return {str(name): _number(value) for name, value in logs.items()}


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic):
        return value
    try:
        array = as_array(value)
    except Exception:  # whatever is in the logs, training goes on
        return _text(value)
    if array.dtype.kind not in "buif":
        return _text(value)
    if array.size > _LONGEST_ARRAY:
        return f"array of shape {array.shape}"
    return array.item() if array.size == 1 else array.tolist()


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"a {type(value).__name__} without a text"
