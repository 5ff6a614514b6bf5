"""TensorFlow's decoder reads what is written."""

import numpy as np
import pytest
import tensorflow as tf
from support.pngs import CONTENTS, SIZES, deflaters, picture, written


@deflaters
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_write_png_is_read_by_tensorflow_as_it_was(deflater, channels):
    for size in SIZES:
        for content in CONTENTS:
            pixels = picture(size, channels, content)
            found = tf.io.decode_png(written(pixels)).numpy()
            np.testing.assert_array_equal(found, pixels)


@deflaters
@pytest.mark.parametrize("level", [0, 6])
def test_write_png_with_a_level_is_read_by_tensorflow_as_it_was(deflater, level):
    pixels = picture((700, 900), 3, CONTENTS[0])
    np.testing.assert_array_equal(tf.io.decode_png(written(pixels, level)).numpy(), pixels)
