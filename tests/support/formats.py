"""What a Pillow from before 11.3, or one that was built without it, does not write."""

import pytest
from PIL import features

needs_avif = pytest.mark.skipif(
    "avif" not in features.modules or not features.check("avif"), reason="this Pillow has no AVIF"
)
AVIF_SUFFIX = pytest.param("avif", marks=needs_avif)
