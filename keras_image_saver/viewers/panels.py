"""What `run.json` tells of panels; it may say anything, and runs of earlier versions say nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

# Which stay the same where nothing tells.
_FIXED = ("input", "target")


def fixed_panels(about: Mapping[str, Any], panels: Sequence[str]) -> list[str]:
    """Return those of a run's panels that stay the same over it, in order.

    >>> fixed_panels({"fixed_panels": ["left", "right"]}, ["left", "right", "prediction"])
    ['left', 'right']
    >>> fixed_panels({}, ["input", "prediction", "target"])
    ['input', 'target']
    """
    told = about.get("fixed_panels")
    fixed = told if isinstance(told, list) else _FIXED
    return [panel for panel in panels if panel in fixed]


def panel_caption(about: Mapping[str, Any], panel: str) -> str:
    """Return what the user calls a panel.

    >>> panel_caption({"captions": {"input": "Noisy"}}, "input"), panel_caption({}, "input")
    ('Noisy', 'input')
    """
    given = captions_of(about).get(panel)
    return given if isinstance(given, str) else panel


def captions_of(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the captions that the user gave, by panel; none where nothing tells."""
    told = about.get("captions")
    return told if isinstance(told, dict) else {}
