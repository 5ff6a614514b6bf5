"""What libraries of other versions do not do, down to the lowest that `setup.cfg` admits."""

import numpy as np
import pytest
from PIL import features

needs_avif = pytest.mark.skipif(
    "avif" not in features.modules or not features.check("avif"), reason="this Pillow has no AVIF"
)
AVIF_SUFFIX = pytest.param("avif", marks=needs_avif)

refuses_ragged = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "1.24.0",
    reason="this NumPy warns of ragged lists, and makes objects of them",
)
