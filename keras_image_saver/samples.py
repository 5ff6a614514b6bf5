"""Fixed samples: what the model is shown at every snapshot, read once and kept as NumPy arrays."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, copied, cut_rows, leaves
from keras_image_saver.checks import is_int


class Latents(np.ndarray[Any, np.dtype[np.float32]]):
    """Noise from `latents`: an ordinary array, which is not drawn as an input panel."""


def latents(n: int, *shape: int, seed: int = 0) -> Array:
    """Draw noise once, without touching any global random state.

    Args:
        n: Number of samples.
        *shape: Shape of one sample: `latents(64, 128)` for vectors, `latents(18, 64, 64, 3)` for
            the noise of a diffusion model.
        seed: Seed of `numpy.random.default_rng`.

    Returns:
        float32, shape (n, *shape), standard normal.

    Raises:
        ValueError: If `n` or a side is not a positive int.

    Example:
        >>> latents(64, 128, seed=7).shape
        (64, 128)
    """
    for side in (n, *shape):
        if not is_int(side) or side < 1:
            raise ValueError(f"`latents` takes positive ints as its shape, got {(n, *shape)!r}.")
    noise = np.random.default_rng(seed).standard_normal((n, *shape), dtype=np.float32)
    return noise.view(Latents)


@dataclass(frozen=True)
class Samples:
    """What the model is shown.

    Attributes:
        inputs: NumPy arrays in the structure that was given; None only with `predict`.
        targets: The same for the targets, or None.
        noise: Whether the inputs are `latents`.
        from_dataset: Whether they were read from a dataset.
        elements: Shapes of what the dataset's first element held as inputs, in the order of `leaves`.
        parts: How the tuple that was given, or that the dataset yields, was read.
    """

    inputs: Any
    targets: Any = None
    noise: bool = False
    from_dataset: bool = False
    elements: tuple[tuple[int, ...], ...] = ()
    parts: tuple[str, ...] = ("x",)

    def __len__(self) -> int:
        return 0 if self.inputs is None else len(next(iter(self.arrays.values())))

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays by name: "x" and "y" for the inputs and targets, with their path behind it."""
        return {
            f"{part}/{name}" if name else part: array
            for part, structure in (("x", self.inputs), ("y", self.targets))
            for name, array in leaves(structure).items()
            if array is not None
        }

    def rows(self, count: int) -> "Samples":
        """Return copies of the first `count` samples."""
        if self.inputs is None:
            return self
        inputs, targets = (copied(cut_rows(x, 0, count)) for x in (self.inputs, self.targets))
        return replace(self, inputs=inputs, targets=targets)
