"""Any images that are drawn: of each dtype and layout in memory, within a range or around it."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from support.layouts import LAYOUTS
from support.pixels import FLOATS, dtype_of

RANGES = {
    "float": [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-103.9, 151.1), ((0.0, -2.0), (1.0, 3.0))],
    "integer": [(0.0, 255.0), (-128.0, 127.0)],
    "uint8": [None, (0.0, 127.0)],
    "bool": [None],
}


@st.composite
def images_of(draw, shape):
    """Images of a shape with two channels, their range, and what shares of it they are, in float64."""
    dtype = draw(st.sampled_from([*FLOATS, "int16", "uint8", "bool"]))
    kind = "float" if dtype in FLOATS else {"int16": "integer"}.get(dtype, dtype)
    value_range = draw(st.sampled_from(RANGES[kind]))
    low, high = value_range or (0.0, 1.0 if dtype == "bool" else 255.0)
    places = draw(hnp.arrays(np.float64, shape, elements=st.floats(-0.5, 1.5)))
    values = np.asarray(low) + places * (np.asarray(high) - low)
    if dtype in ("uint8", "bool"):
        values = np.clip(np.rint(values), 0, 1 if dtype == "bool" else 255)
    array = LAYOUTS[draw(st.sampled_from([*LAYOUTS]))](values.astype(dtype_of(dtype)))
    if draw(st.booleans()):  # one column stands for all
        array = np.broadcast_to(array[:, :, :1], array.shape)
    exact = (array.astype(np.float64) - low) / (np.asarray(high) - low)
    return array, value_range, exact
