"""Fixed samples: what the model is shown at every snapshot, read once and kept as NumPy arrays."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keras_image_saver.arrays import Array, copied, cut_rows, leaves
from keras_image_saver.checks import check_int, check_number, is_int

# One of 25 values is within this of 0; were it fewer, drawing the others again would take long.
_LEAST_TRUNCATION = 0.05


class Latents(np.ndarray[Any, np.dtype[np.float32]]):
    """Noise from `latents`: an ordinary array, which is not drawn as an input panel."""


def latents(
    n: int,
    *shape: int,
    seed: int = 0,
    truncation: float | None = None,
    interpolate: int | None = None,
) -> npt.NDArray[np.float32]:
    """Draw noise once, without touching any global random state.

    Args:
        n: Number of samples.
        *shape: Shape of one sample: `latents(64, 128)` for vectors, `latents(18, 64, 64, 3)` for
            the noise of a diffusion model.
        seed: Seed of `numpy.random.default_rng`.
        truncation: Values farther from 0 than this are drawn again until none is, at least 0.05: the
            truncation trick of Brock, Donahue, Simonyan, "Large scale GAN training for high fidelity
            natural image synthesis", ICLR 2019, section 3.1. None: none are.
        interpolate: Draw one sample of so many, 2 or more. Those between two lie on the great
            circle of their directions (flattened), in even steps of the angle, with norms in even
            steps: Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985. The last ones
            lead back to the first. Values between may be beyond `truncation`.

    Returns:
        float32, shape (n, *shape), standard normal; with `interpolate=k` every k-th of them is what
        `latents(n // k, ...)` draws.

    Raises:
        ValueError: If `n` or a side is not a positive int, `truncation` is no number of 0.05 or more,
            `n` is not a multiple of `interpolate`, twice it or more, or a sample has one value alone,
            which has no directions to go between.

    Example:
        >>> latents(64, 128, seed=7).shape
        (64, 128)
    """
    for side in (n, *shape):
        if not is_int(side) or side < 1:
            raise ValueError(f"`latents` takes positive ints as its shape, got {(n, *shape)!r}.")
    if truncation is not None:
        check_number("truncation", truncation, _LEAST_TRUNCATION, math.inf)
    step = _check_interpolate(interpolate, n, shape)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n // step, *shape), dtype=np.float32)
    if truncation is not None:
        limit = float(truncation)
        outside = np.flatnonzero(np.abs(noise) > limit)
        while len(outside):
            noise.flat[outside] = drawn = rng.standard_normal(len(outside), dtype=np.float32)
            outside = outside[np.abs(drawn) > limit]
    return (noise if step == 1 else _joined_by_arcs(noise, step)).view(Latents)


def _check_interpolate(interpolate: int | None, n: int, shape: tuple[int, ...]) -> int:
    """Return of how many samples one is drawn."""
    if interpolate is None:
        return 1
    check_int("interpolate", interpolate, 2)
    if n % interpolate or n < 2 * interpolate:
        raise ValueError(
            "`interpolate` must go into the number of samples, twice or more, got "
            f"interpolate={interpolate} for {n} samples. Pass {2 * interpolate} or "
            f"{3 * interpolate} samples, or another multiple of it."
        )
    if math.prod(shape) < 2:
        raise ValueError(
            f"`interpolate` needs samples of two values or more, got {(n, *shape)!r}: with one there "
            "is no way between two directions."
        )
    return interpolate


def _joined_by_arcs(ends: Array, step: int) -> Array:
    """Return (K * step, ...) samples: `ends`, each led to the next, and the last to the first."""
    joined = np.repeat(ends, step, axis=0)
    for index, end in enumerate(ends):
        pair = np.stack([end, ends[(index + 1) % len(ends)]]).reshape(2, -1).astype(np.float64)
        norms = np.linalg.norm(pair, axis=1)
        one, other = pair / norms[:, np.newaxis]
        angle = math.acos(max(-1.0, min(1.0, float(one @ other))))
        for number in range(1, step):
            share = number / step
            weights = math.sin((1 - share) * angle), math.sin(share * angle)
            arc = (weights[0] * one + weights[1] * other) / math.sin(angle)
            norm = (1 - share) * norms[0] + share * norms[1]
            joined[index * step + number] = (arc * norm).reshape(end.shape)
    return joined


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
