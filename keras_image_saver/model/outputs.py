"""What a model returned, and what is known of it before any value is looked at."""

from dataclasses import dataclass
from typing import Any

from keras_image_saver.arrays import describe, leaves
from keras_image_saver.model.activations import output_activations
from keras_image_saver.model.backend import channels_come_first
from keras_image_saver.render.base import OutputInfo


@dataclass(frozen=True)
class Outputs:
    """What one pass over the samples gave.

    Attributes:
        info: What is known of the outputs.
        chunks: The outputs in their own structure, as NumPy arrays, some rows after others. They are
            not joined: that would copy what on a CPU is the tensors' own memory.
    """

    info: OutputInfo
    chunks: list[Any]


def output_info(
    outputs: Any, model: Any, output: str | int | None, *, predicted: bool, noise: bool
) -> OutputInfo:
    """Say what is known of outputs.

    Args:
        outputs: Those of some rows, in their own structure.
        model: What drew them.
        output: Which of several the user has chosen: a name, an index, or None.
        predicted: Whether the user's `predict` returned them, and not the model itself.
        noise: Whether the inputs are noise.

    Raises:
        ValueError: If there is no such output.
    """
    names = list(leaves(outputs)) if predicted else _output_names(model, outputs)
    if names == [""]:
        names = ["prediction"]
    activations = (None,) * len(names) if predicted else output_activations(model, len(names))
    return OutputInfo(
        names=tuple(names),
        activations=activations,
        chosen=_choose(output, names, outputs),
        channels_first=channels_come_first(),
        noise=noise,
    )


def _output_names(model: Any, outputs: Any) -> list[str]:
    """Return the outputs' names: dict keys, else the model's own names, else their indices."""
    paths = list(leaves(outputs))
    named = list(getattr(model, "output_names", None) or ())
    flat = isinstance(outputs, (list, tuple))
    return named if flat and len(set(named)) == len(named) == len(paths) else paths


def _choose(output: str | int | None, names: list[str], outputs: Any) -> int | None:
    """Return the index of the output that `output` names; None where nothing chooses.

    Raises:
        ValueError: If there is no such output.
    """
    if output is None:
        return 0 if len(names) == 1 else None
    if isinstance(output, str) and output in names:
        return names.index(output)
    if not isinstance(output, str) and -len(names) <= output < len(names):
        return int(output) % len(names)
    listed = "; ".join(
        f"{index}: {name!r}, {describe(value)}"
        for index, (name, value) in enumerate(zip(names, leaves(outputs).values(), strict=True))
    )
    raise ValueError(
        f"`output` must be one of the model's outputs, got {output!r}. There are {listed}."
    )
