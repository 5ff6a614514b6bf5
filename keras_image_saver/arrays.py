"""Words for arrays and for structures of them: NumPy alone."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
UInt8Array: TypeAlias = npt.NDArray[np.uint8]
# The values that become black and white, (low, high): each one number, or one a channel.
Range: TypeAlias = tuple[Any, Any]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

CHANNELS = (1, 3, 4)
# Values that are worked on at a time: 384 KiB of float32, which stay in a core's cache with a copy.
PIECE = 98_304
MAGENTA = (255, 0, 255)
# What an error shows by its value; anything else may print pages of itself.
_PLAIN = (str, bytes, int, float, complex, list, tuple, dict, set, type(None))
_LONGEST_TEXT = 100


def without_float_errors(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function overflow and underflow in silence, whatever the user's `np.seterr` says."""

    @functools.wraps(function)
    def silent(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        # As a decorator, `np.errstate` itself keeps what it restores where all threads share it.
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return silent


def as_array(values: Any, name: str = "values", *, as_ids: bool = False) -> Array:
    """Return `values` as a NumPy array: tensors of any library, bfloat16 as float32.

    Masked floats become NaN. A picture of Pillow's that is not in grey, RGB or RGBA, such as one with
    a palette, is converted.

    Args:
        values: What the user gave, or a list of such.
        name: The argument that it is, for the error.
        as_ids: Whether a palette's indices are meant, as in masks, and not the colours that they name.

    Raises:
        ValueError: If integers or bool are masked, which have no NaN, or rows have different shapes.
    """
    if isinstance(values, (list, tuple)) and any(map(_needs_care, values)):
        values = [as_array(item, name, as_ids=as_ids) for item in values]
    elif _is_picture(values):
        values = _in_colors(values, as_ids=as_ids)
    elif isinstance(values, np.ma.MaskedArray):
        values = _without_mask(values, name)
    elif hasattr(values, "detach"):  # PyTorch tensors may require grad, or live on a device
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":
            values = values.float()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"`{name}` must be one array, got what is none: {error}") from error
    # bfloat16 and float8 (from ml_dtypes) are not "floating" to NumPy.
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        array = array.astype(np.float32)
    return array


def _needs_care(item: Any) -> bool:
    return _is_picture(item) or isinstance(item, np.ma.MaskedArray) or hasattr(item, "detach")


def _is_picture(values: Any) -> bool:
    # Told without importing Pillow, which reading a run does not need.
    return hasattr(values, "getbands") and hasattr(values, "getpalette")


def _in_colors(picture: Any, *, as_ids: bool) -> Any:
    """Return a picture of Pillow's whose bands are what arrays of 1, 3 or 4 channels hold."""
    bands = picture.getbands()
    if bands[0] == "P" and as_ids:
        return picture.getchannel(0)
    if bands in (("R", "G", "B"), ("R", "G", "B", "A")) or (len(bands) == 1 and bands[0] != "P"):
        return picture
    # Others are palettes, CMYK, YCbCr and such; of those with alpha it is the last band.
    has_alpha = bands[-1] in "Aa" or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _without_mask(values: Any, name: str) -> Array:
    if not np.ma.is_masked(values):
        return np.ma.getdata(values)
    if values.dtype.kind == "f":
        return np.ma.filled(values, np.nan)
    masked = np.count_nonzero(np.ma.getmaskarray(values))
    raise ValueError(
        f"`{name}` must have no masked values unless it is float, got {masked} "
        f"masked ones and {describe(values)}. Pass {name}.filled(value) with the value to draw: an "
        f"id to ignore in class maps, or, in {name}.astype(float), NaN, which is magenta."
    )


def leaves(structure: Any, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of nested dicts, lists and tuples by path, dict keys sorted as in Keras.

    >>> leaves({"b": 1, "a": [2, 3]})
    {'a/0': 2, 'a/1': 3, 'b': 1}
    """
    if isinstance(structure, Mapping):
        items = [(str(key), structure[key]) for key in sorted(structure)]
    elif isinstance(structure, (list, tuple)):
        items = [(str(index), value) for index, value in enumerate(structure)]
    else:
        return {prefix: structure}
    found: dict[str, Any] = {}
    for key, value in items:
        found |= leaves(value, f"{prefix}/{key}" if prefix else key)
    return found


def map_leaves(function: Callable[..., Any], *structures: Any) -> Any:
    """Apply a function to the arrays of structures of one kind, in the order of `leaves`.

    Args:
        function: Called with one array of each structure.
        *structures: Nested dicts, lists and tuples, alike but for their arrays.

    Returns:
        What the function returned, in the structure of the first.

    Raises:
        ValueError: If the structures differ.

    Example:
        >>> map_leaves(lambda a, b: a + b, {"x": (1, 2)}, {"x": (3, 4)})
        {'x': (4, 6)}
    """
    first = structures[0]
    if isinstance(first, Mapping):
        if any(set(other) != set(first) for other in structures):
            raise ValueError(f"the keys differ: {[list(one) for one in structures]}")
        mapped = {
            key: map_leaves(function, *(one[key] for one in structures)) for key in sorted(first)
        }
        return _like(first, {key: mapped[key] for key in first})
    if isinstance(first, (list, tuple)):
        items = [map_leaves(function, *parts) for parts in zip(*structures, strict=True)]
        return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
    return function(*structures)


def _like(structure: Mapping[Any, Any], mapped: dict[Any, Any]) -> Any:
    """Return a mapping of the structure's own type, where that can be made from a dict."""
    kind: Any = type(structure)  # what it takes is for the class to say
    try:
        return kind(mapped)
    except TypeError:  # as of a defaultdict, whose first argument is its factory
        return structure | mapped if isinstance(structure, dict) else mapped


def copied(structure: Any) -> Any:
    """Return copies of the arrays of a structure: what is handed to the user's code may be changed."""
    return map_leaves(lambda x: x.copy() if isinstance(x, np.ndarray) else x, structure)


def cut_rows(structure: Any, start: int, stop: int) -> Any:
    """Return some rows of each array; nothing is copied, and None stays None."""
    return map_leaves(lambda x: None if x is None else x[start:stop], structure)


def joined(chunks: Sequence[Any]) -> Any:
    """Return structures of some rows each as one structure of all rows.

    What is None in one of them is None.
    """
    if len(chunks) == 1:
        return chunks[0]

    def join(*parts: Array | None) -> Array | None:
        arrays = [part for part in parts if part is not None]
        return np.concatenate(arrays) if len(arrays) == len(parts) else None

    return map_leaves(join, *chunks)


def first_array(structure: Any) -> Array:
    """Return the first array of a structure in which some may be None."""
    return next(array for array in leaves(structure).values() if array is not None)


def is_image(array: Any) -> bool:
    """Tell whether `array` has the shape of images: (N, H, W) or (N, H, W, C), C in {1, 3, 4}."""
    shape: tuple[int, ...] = getattr(array, "shape", ())
    return len(shape) == 3 or (len(shape) == 4 and shape[3] in CHANNELS)


def with_channels(images: Array) -> Array:
    """Give grey images of shape (N, H, W) their channel axis."""
    return images[..., np.newaxis] if images.ndim == 3 else images


def single(structure: Any) -> Array | None:
    """Return the one array of a structure that holds exactly one."""
    found: list[Array] = list(leaves(structure).values())
    return found[0] if len(found) == 1 and hasattr(found[0], "shape") else None


def describe(value: Any) -> str:
    """Say what arrived: an array by shape and dtype, a plain value by itself, the rest by its type.

    >>> describe(np.zeros((2, 3), np.uint8)), describe("all"), describe(range(9))
    ('shape (2, 3) and dtype uint8', "'all' (str)", 'an object of type range')
    """
    kind = type(value).__name__
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        # A tensor of unknown rank has no tuple of sides.
        rank = getattr(value.shape, "rank", 0)
        shape = "unknown" if rank is None else tuple(value.shape)
        # TensorFlow's dtypes have a plainer name, NumPy's texts a shorter one without.
        dtype = value.dtype if isinstance(value, np.ndarray) else getattr(value.dtype, "name", None)
        return f"shape {shape} and dtype {dtype or value.dtype}"
    if not isinstance(value, _PLAIN):
        return f"an object of type {kind}"
    text = repr(value)
    return f"{text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + '…'} ({kind})"


def nearest(images: Array, height: int, width: int) -> Array:
    """Enlarge (N, h, w, ...) to (N, height, width, ...) by nearest neighbour."""
    if images.shape[1:3] == (height, width):
        return images
    rows = np.arange(height) * images.shape[1] // height
    columns = np.arange(width) * images.shape[2] // width
    return images[:, rows][:, :, columns]
