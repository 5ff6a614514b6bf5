"""Checks of arguments: what must be an int, a number, or one of a few words."""

from collections.abc import Collection
from numbers import Integral, Real
from typing import Any, TypeGuard


def is_int(value: Any) -> TypeGuard[int]:
    """Tell an int, also one of NumPy's, from anything else; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Tell a real number, also one of NumPy's, from anything else; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_int(
    name: str, value: Any, low: int, high: int | None = None, *, optional: bool = False
) -> None:
    """Refuse what is not an int within limits.

    Args:
        name: The argument's name, for the error.
        value: What arrived.
        low: The least that it may be.
        high: The most that it may be, or None.
        optional: Whether None is allowed too.

    Raises:
        ValueError: If it is not.

    Example:
        >>> check_int("columns", 0, 1)
        Traceback (most recent call last):
        ValueError: `columns` must be an int, 1 or more, got 0.
    """
    if optional and value is None:
        return
    if not is_int(value) or value < low or (high is not None and value > high):
        wanted = f"an int, {low} or more" if high is None else f"an int from {low} to {high}"
        raise ValueError(f"`{name}` must be {wanted}{', or None' * optional}, got {value!r}.")


def check_number(name: str, value: Any, low: float, high: float, *, what: str = "a number") -> None:
    """Refuse what is not a number from `low` to `high`; `what` names it in the error.

    Raises:
        ValueError: If it is not.
    """
    if not is_number(value) or not low <= value <= high:
        raise ValueError(f"`{name}` must be {what} from {low:g} to {high:g}, got {value!r}.")


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Refuse what is not one of the words in `choices`.

    Raises:
        ValueError: If it is not.

    Example:
        >>> check_choice("on_error", "stop", ["warn", "raise"])
        Traceback (most recent call last):
        ValueError: `on_error` must be "warn" or "raise", got 'stop'.
    """
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"`{name}` must be {listed}, got {value!r}.")
