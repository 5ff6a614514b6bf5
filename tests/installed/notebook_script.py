"""A notebook's first cell: all names at once, which types must know too."""
# ruff: noqa: F403, F405

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

from keras_image_saver import *

noise = latents(4, 16, seed=7)
assert_type(noise, npt.NDArray[np.float32])
assert_type(ImageSaver("runs/noise", noise), ImageSaver)
