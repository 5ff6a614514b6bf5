"""Captions from a template, such as "epoch {epoch}, loss {loss:.3f}"."""

from collections.abc import Sequence
from typing import Any

from keras_image_saver.escapes import escaped
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.template import split_fields

_NO_VALUE = "-"
_EPOCH, _UNTRAINED = "epoch {epoch}", "untrained"


def captions(template: str, snapshots: Sequence[Snapshot]) -> list[str]:
    """Return the caption of each snapshot, on one line.

    Args:
        template: Text with fields: `{epoch}`, `{batch}`, `{step}`, and keys of the logs. A value that
            a snapshot does not have, or that its format does not fit, is a dash. "epoch {epoch}" is
            "untrained" for the model before its first step, as the page says it.
        snapshots: At least one.

    Raises:
        ValueError: If no snapshot has a field, or the template is malformed.
        TypeError: If the template is no text.
    """
    if not isinstance(template, str):
        raise TypeError(f"`caption` must be a text or None, got {template!r}.")
    parts = split_fields("caption", template)
    if any(field == "" or conversion for _, field, _, conversion in parts):
        raise ValueError(f"`caption` must have named fields such as {{epoch}}, got {template!r}.")
    values = [
        {**one.logs, "epoch": one.epoch, "batch": one.batch, "step": one.step} for one in snapshots
    ]
    known = dict.fromkeys(name for each in values for name in each)
    unknown = [field for _, field, _, _ in parts if field and field not in known]
    if unknown:
        raise ValueError(
            f"`caption` has fields that no snapshot has, {escaped(', '.join(unknown))}, got "
            f"{template!r}. Fields are {escaped(', '.join(known))}."
        )
    untrained = split_fields("caption", template.replace(_EPOCH, _UNTRAINED))
    lines = (
        "".join(
            literal + (_format(each.get(field), spec) if field else "")
            for literal, field, spec, _ in (untrained if is_untrained(snapshot) else parts)
        )
        for snapshot, each in zip(snapshots, values, strict=True)
    )
    return [" ".join(line.split()) for line in lines]


def epoch_name(snapshot: Snapshot) -> str:
    """Return what a snapshot is called where epochs tell them apart."""
    return _UNTRAINED if is_untrained(snapshot) else _EPOCH.format(epoch=snapshot.epoch)


def is_untrained(snapshot: Snapshot) -> bool:
    """Tell whether a snapshot is of the model before its first step."""
    return snapshot.epoch == snapshot.step == 0


def _format(value: Any, spec: str) -> str:
    try:
        return _NO_VALUE if value is None else format(value, spec)
    except (ValueError, TypeError):
        return _NO_VALUE
