"""Checks of arguments that many functions take."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Tell a real number, also one of NumPy's, from anything else."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_count(count: Any, name: str) -> None:
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if count is not None and not (whole and count >= 1):
        raise ValueError(f"`{name}` must be an int, 1 or more, or None, got {count!r}.")


def check_weight(weight: Any, name: str) -> None:
    if not is_number(weight) or not 0 <= weight <= 1:
        raise ValueError(f"`{name}` must be a number from 0 to 1, got {weight!r}.")
