"""What measures are taken of: outputs and targets before they become pixels."""

from dataclasses import dataclass
from typing import TypeAlias

from keras_image_saver.arrays import (
    Array,
    Range,
)


@dataclass(frozen=True)
class MeasuredImages:
    """Images that a measure is taken of, before they are mapped to bytes.

    Attributes:
        outputs: (N, H, W, C), of any dtype that is drawn.
        output_range: What is black and white in them; None: uint8 and bool by their dtype.
        targets: The same of the targets, or None.
        target_range: Of the targets.
        previous: The outputs of the snapshot before, or None.
        depth: How many slices of a volume stand below one another in each.
    """

    outputs: Array
    output_range: Range | None
    targets: Array | None = None
    target_range: Range | None = None
    previous: Array | None = None
    depth: int = 1

    @property
    def comparable(self) -> Array | None:
        """The outputs before, if these can be compared with them."""
        return _of_shape(self.previous, self.outputs)


@dataclass(frozen=True)
class MeasuredClasses:
    """Class maps that a measure is taken of.

    Attributes:
        outputs: Class ids (N, H, W); what is no class, as `NOT_FINITE`, is wrong wherever it stands.
        count: The number of classes.
        targets: Class ids (N, h, w), or None; what is no class is left out.
        ignore_index: The id of target pixels that are left out, also where a class has it.
        previous: The outputs of the snapshot before, or None.
    """

    outputs: Array
    count: int
    targets: Array | None = None
    ignore_index: int | None = None
    previous: Array | None = None

    @property
    def comparable(self) -> Array | None:
        """The outputs before, if these can be compared with them."""
        return _of_shape(self.previous, self.outputs)


Measured: TypeAlias = MeasuredImages | MeasuredClasses


def _of_shape(previous: Array | None, outputs: Array) -> Array | None:
    return previous if previous is not None and previous.shape == outputs.shape else None
