"""What a model returned, and what is known of it before any value is looked at."""

from dataclasses import dataclass
from typing import Any

from keras_image_saver.arrays import Array, describe, leaves, map_leaves
from keras_image_saver.model.activations import output_activations
from keras_image_saver.model.backend import channels_come_first, to_numpy
from keras_image_saver.render.base import OutputInfo


@dataclass(frozen=True)
class Outputs:
    """What one pass over the samples gave.

    Attributes:
        info: What is known of the outputs.
        chunks: The outputs in their own structure, from `read_outputs`, some rows after others. They
            are not joined: that would copy what on a CPU is the tensors' own memory.
    """

    info: OutputInfo
    chunks: list[Any]


def read_outputs(
    returned: Any, info: OutputInfo, rows: int | None, source: str, advice: str = ""
) -> Any:
    """Return outputs as NumPy arrays in their own structure, for a drawing to take what it draws.

    A model may return more than can be drawn: a loss, None, an object. Such an output is None.

    Args:
        returned: What the model or `predict` returned.
        info: Which of them is the prediction, if that is known.
        rows: How many rows each must have; None: as many as the prediction, or the first.
        source: The argument that returned them, for the error.
        advice: What the error says of how the samples were read.

    Raises:
        ValueError: If the prediction, or where none is known every output, has not a row a sample, or
            holds no value.
        TypeError: If it is no array or tensor.
    """
    arrays = map_leaves(_array, returned)
    found = list(leaves(arrays).values())
    wanted = range(len(found)) if info.chosen is None else [info.chosen]
    if rows is None:
        rows = next((len(found[i]) for i in wanted if found[i] is not None and found[i].ndim), 0)

    def fits(array: Array | None) -> bool:
        return array is not None and array.ndim > 0 and len(array) == rows and array.size > 0

    if not any(fits(found[index]) for index in wanted):
        index = wanted[0]
        value = list(leaves(returned).values())[index] if found[index] is None else found[index]
        name = "" if len(found) == 1 else f" in output {info.names[index]!r}"
        if found[index] is None:
            raise _unknown(value, source, name)
        raise ValueError(
            f"`{source}` must return a row a sample, got {describe(value)}"
            f"{f' for {rows} samples' * (rows > 0)}{name}{', which holds no value' * (not value.size)}"
            f".{advice}"
        )
    return map_leaves(lambda array: array if fits(array) else None, arrays)


def _array(value: Any) -> Array | None:
    """Return an output as an array; None if it is no array of numbers."""
    if value is None:
        return None
    try:
        array = to_numpy(value)
    except Exception:  # an object's own `__array__` may fail in any way, and may not be asked for
        return None
    return array if array.dtype.kind in "buif" else None


def _unknown(value: Any, source: str, name: str) -> Exception:
    """Return the error for an output that is no array."""
    held = [key for key, part in getattr(value, "__dict__", {}).items() if hasattr(part, "shape")]
    advice = f"predict=lambda model, x: model(x, training=False).{(held or ['images'])[0]}"
    if source == "predict":
        advice = "a `predict` that returns the array itself"
    return TypeError(
        f"`{source}` must return arrays or tensors, or a list or dict of them, got "
        f"{describe(value)}{name}. Pass {advice}."
    )


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
