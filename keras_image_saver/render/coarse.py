"""Ranges in which float32 knows fewer values than a byte does."""

import numpy as np

from keras_image_saver.arrays import (
    Range,
    without_float_errors,
)
from keras_image_saver.render.base import (
    show_range,
)


@without_float_errors
def coarse(value_range: Range, name: str) -> str | None:
    """Return what to warn of where float32 has fewer values in a range than a byte has, or None.

    Between its ends such a range has no shades of its own, whatever the mapping does.
    """
    low, high = (np.asarray(end, np.float64) for end in value_range)
    least, most = low.astype(np.float32), high.astype(np.float32)
    far = np.maximum(np.abs(least), np.abs(most))
    # To the value below it: the largest one has none above.
    step = (far - np.nextafter(far, np.float32(0))).astype(np.float64)
    # The ends may be rounded by a step, so that a range of 255 of them is drawn as it should be.
    count = int(np.min((most.astype(np.float64) - least) / step)) + 1
    if count > 254:
        return None
    return (
        f"`{name}` is {show_range(value_range)}, in which float32 has {count} values, not 256: shades "
        "between them are lost. Subtract the lower end from the values before they become float32, "
        "and from the range."
    )
