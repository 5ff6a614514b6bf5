"""What pixels are of."""

import ml_dtypes
import numpy as np

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64", "bfloat16"]


def dtype_of(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def bit_interleaved(class_id):
    """VOClabelcolormap.m, one id at a time."""
    red = green = blue = 0
    for place in range(7, -1, -1):
        red |= (class_id & 1) << place
        green |= (class_id >> 1 & 1) << place
        blue |= (class_id >> 2 & 1) << place
        class_id >>= 3
    return [red, green, blue]
