"""Where a prediction is wrong: pictures of the difference from the target."""

import numpy as np

from keras_image_saver.arrays import (
    Array,
    Range,
    UInt8Array,
    without_float_errors,
)
from keras_image_saver.render.image_measures import shares

# Black, red, yellow, white, at these of 256 entries. Most errors of a model that learns are small, so
# an eighth of the range is red already, and half of it yellow.
_STOPS = (0, 32, 128, 255)
_COLORS = ((0, 0, 0), (255, 0, 0), (255, 255, 0), (255, 255, 255))

_WRONG, _MISSED = (255, 0, 0), (0, 112, 255)
# Brightness of red, green and blue, ITU-R BT.601, in 256 parts: whole ones, so that grey in three
# channels comes out as grey in one. It is halved, so that wrong pixels stand out.
_BRIGHTNESS = (77, 150, 29)


def error_table() -> UInt8Array:
    """Return the colours of errors, uint8 (256, 3): black, red, yellow, white.

    Example:
        >>> error_table()[[0, 32, 128, 255]].tolist()
        [[0, 0, 0], [255, 0, 0], [255, 255, 0], [255, 255, 255]]
    """
    channels = [np.interp(np.arange(256), _STOPS, levels) for levels in zip(*_COLORS, strict=True)]
    table: UInt8Array = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return table


def error_range(value_range: Range | None) -> Range:
    """Return the errors that become black and white, none and one of the range's whole width.

    They are in the prediction's own unit where all channels have one, else shares of the width.
    """
    if value_range is None:
        return (0.0, 255.0)
    low, high = value_range
    return (0.0, 1.0) if isinstance(low, tuple) else (0.0, high - low)


@without_float_errors
def errors_of_images(
    outputs: Array, output_range: Range | None, targets: Array, target_range: Range | None
) -> Array:
    """Return |output - target| of each pixel, the mean over its channels.

    Args:
        outputs: (N, H, W, C); uint8 and bool have no range.
        output_range: What is black and white in them.
        targets: The same of the targets, of the same shape; compared by their own range.
        target_range: What is black and white in them.

    Returns:
        float32 (N, H, W, 1), in the unit of `error_range(output_range)`. The mean of a sample, by
        the width of that range, is its `"mae"`.
    """
    apart = np.abs(shares(outputs, output_range) - shares(targets, target_range))
    errors: Array = apart.mean(-1, keepdims=True)
    errors *= np.float32(error_range(output_range)[1])
    return errors


@without_float_errors
def draw_wrong_classes(
    outputs: Array,
    targets: Array,
    counted: Array,
    image: UInt8Array | None,
    background: int | None,
) -> UInt8Array:
    """Draw wrong pixels over a dimmed grey image: red, and blue where the foreground was missed.

    Args:
        outputs: Class ids (N, H, W).
        targets: Class ids of the same shape.
        counted: bool, which pixels have a target that counts; the others are left out.
        image: uint8 (N, H, W, C), C in {1, 3, 4}, what to draw over; None: black.
        background: The class that is no foreground, or None.

    Returns:
        uint8 (N, H, W, 3).
    """
    if image is None:
        picture = np.zeros((*outputs.shape, 3), np.uint8)
    else:
        if image.shape[-1] == 1:
            dimmed = image[..., 0] >> 1
        else:
            levels = np.moveaxis(image[..., :3].astype(np.uint16), -1, 0)
            red, green, blue = (
                level * part for level, part in zip(levels, _BRIGHTNESS, strict=True)
            )
            dimmed = ((red + green + blue) >> 9).astype(np.uint8)
        picture = np.repeat(dimmed[..., np.newaxis], 3, axis=-1)
    wrong = (outputs != targets) & counted
    picture[wrong] = _WRONG
    if background is not None:
        picture[wrong & (outputs == background)] = _MISSED
    return picture


def not_comparable(prediction: Array, target: Array) -> str | None:
    """Say why there is no difference of prediction and target, or None where there is."""
    if prediction.shape[1:] == target.shape[1:]:
        return None
    return (
        f"the targets are images of {target.shape[1:]} and the predictions of "
        f"{prediction.shape[1:]}, which have no difference"
    )
