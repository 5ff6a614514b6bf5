"""All stages in one call, without a callback: one tensor to a file."""

import os
import warnings
from collections.abc import Mapping
from typing import Any

from keras_image_saver.arrays import CHANNELS, as_array, describe
from keras_image_saver.picture import encoder, formats
from keras_image_saver.picture.grid import check_grid, make_grid
from keras_image_saver.render.mapping import convert
from keras_image_saver.run.storage import check_path, storage_of


def save_image(
    filepath: str | os.PathLike[str],
    images: Any,
    *,
    value_range: Any = None,
    columns: int | None = None,
    padding: int = 2,
    pad_value: int = 0,
    encoder_options: Mapping[str, Any] | None = None,
) -> None:
    """Write a tensor or array to an image file.

    Args:
        filepath: Where to; the suffix names the format: .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp,
            .gif, .avif (Pillow 11.3 or newer). Any `tf.io.gfile` path works. Folders are made, an
            existing file is replaced whole.
        images: A tensor or array of shape (H, W) or (H, W, C), written as it is, or (N, H, W, C),
            written as a grid; C in {1, 3, 4} (grey, RGB, RGBA); bool, integer or float. OpenCV's BGR
            images are written right as `image[..., ::-1]`.
        value_range: (low, high), the values that become 0 and 255. None: uint8 as it is, bool as 0
            and 255, other integers (0, 255), and floats (0, 1).
        columns: Tiles per row of a grid. None means ceil(sqrt(N)).
        padding: Gap around each tile of a grid, in pixels.
        pad_value: Grey level of gaps and empty tiles, 0 to 255.
        encoder_options: `compress_level` (PNG), `quality` (JPEG, WebP, AVIF), `lossless` (WebP).

    Raises:
        ValueError: If an argument is not valid, or the format cannot hold the picture.
        TypeError: If the dtype is not bool, integer or float.
        OSError: If the file cannot be written.

    Warns:
        UserWarning: If more than 1 % of the values were clipped, or pixels are not finite (they are
            magenta then).
    """
    path = check_path(filepath)
    kind = formats.check_format(path, encoder_options)
    check_grid(columns, padding, pad_value)
    array = as_array(images, "images")
    if array.ndim not in (2, 3, 4) or (array.ndim > 2 and array.shape[-1] not in CHANNELS):
        raise ValueError(
            "`images` must have the shape (H, W), (H, W, C) or (N, H, W, C) with C in {1, 3, 4}, "
            f"got {describe(array)}. Grey images of shape (N, H, W) are images[..., None]; channels "
            "first are np.moveaxis(images, -3, -1)."
        )
    mapped, findings = convert(array, value_range)
    for finding in findings:
        warnings.warn(finding.text, stacklevel=2)
    if mapped.ndim == 4:
        mapped = make_grid(mapped, columns=columns, padding=padding, pad_value=pad_value)
    storage_of(path).replace(lambda file: encoder.write_image(file, mapped, kind))
