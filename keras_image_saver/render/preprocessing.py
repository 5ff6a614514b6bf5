"""Inputs that went through `keras.applications`: what undoes its `preprocess_input`.

Each mode is a range by channel, and for one the order of channels: `_preprocess_numpy_input` in
`keras/src/applications/imagenet_utils.py`.
"""

from typing import Any

from keras_image_saver.arrays import Array, Range, describe
from keras_image_saver.render.ranges import check_range

# Mean and standard deviation of ImageNet's red, green and blue: as shares ("torch"), and the mean of
# bytes ("caffe").
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MEAN_OF_BYTES = (123.68, 116.779, 103.939)

# Black and white come a rounding of float32 beyond their ends, which is no clipping. What a range is
# wider by moves no byte: it is a thousandth of one.
_ROUNDING = 1e-3 / 255

_RANGES: dict[str, Range] = {
    "caffe": (
        tuple(-255 * _ROUNDING - mean for mean in _MEAN_OF_BYTES),
        tuple(255 * (1 + _ROUNDING) - mean for mean in _MEAN_OF_BYTES),
    ),
    "tf": (-1.0, 1.0),
    "torch": (
        tuple((-_ROUNDING - mean) / std for mean, std in zip(_MEAN, _STD, strict=True)),
        tuple((1 + _ROUNDING - mean) / std for mean, std in zip(_MEAN, _STD, strict=True)),
    ),
}
# Caffe's networks take blue, green, red.
_REVERSED = {"caffe"}


def check_input_range(input_range: Any) -> tuple[Range | None, bool]:
    """Return the range of inputs as they are drawn, and whether their channels are reversed first.

    Args:
        input_range: (low, high), or the name of a mode of `preprocess_input`, or None.

    Raises:
        ValueError: If it is none of these.
    """
    if input_range is None:
        return None, False
    if not isinstance(input_range, str):
        return check_range(input_range, "input_range"), False
    if input_range not in _RANGES:
        listed = ", ".join(f'"{name}"' for name in _RANGES)
        raise ValueError(
            f"`input_range` must be (low, high) or a mode of Keras's preprocessing, {listed}, got "
            f"{input_range!r}."
        )
    return _RANGES[input_range], input_range in _REVERSED


def check_channels(mode: str, images: Array) -> None:
    """Refuse images that did not go through a mode, by their channels.

    Args:
        mode: Its name.
        images: (N, H, W, C).

    Raises:
        ValueError: If it is of red, green and blue, and they have not these.
    """
    low, _ = _RANGES[mode]
    if isinstance(low, tuple) and images.shape[-1] != len(low):
        raise ValueError(
            f"`input_range` must be (low, high) for inputs that are not of red, green and blue, got "
            f"{mode!r} for {describe(images)}. Pass the range that they were scaled to."
        )
