"""Class maps: from scores or targets to integer ids.

A class map is an integer array (N, H, W). `NOT_FINITE` stands in it for pixels whose values are not
finite; it and every other id that no class has are drawn magenta.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from keras_image_saver.arrays import Array, describe, without_float_errors
from keras_image_saver.render.base import NOT_FINITE, ONE_SLICE, ClassDecision
from keras_image_saver.render.ranges import check_dtype

Decision: TypeAlias = Literal["ids", "threshold", "multi_label", "argmax"]

# What is beyond it is no id, and would not fit an integer.
_LARGEST_ID = 2.0**31


@dataclass(frozen=True)
class Classes:
    """How the scores and targets of one model become class maps.

    Attributes:
        decision: "ids" (outputs are ids), "threshold" (one channel), "multi_label", or "argmax".
        channels: Number of score channels, or of classes where outputs have one channel.
        count: Number of classes that are drawn, the background of multi-label included.
        limit: What a score must exceed, by "threshold" and "multi_label".
    """

    decision: Decision
    channels: int
    count: int
    limit: np.float32

    @property
    def has_none(self) -> bool:
        """Whether class 0 means that a pixel has none of the classes, and is their background."""
        return self.decision in ("threshold", "multi_label")

    @property
    def on_device(self) -> ClassDecision | None:
        """The same decision for the device; None where there is nothing to decide."""
        if self.decision == "ids":
            return None
        return ClassDecision(self.decision == "argmax", self.limit)

    @without_float_errors
    def of_scores(self, scores: Array) -> Array:
        """Return the class map (N, H, W) of outputs, channels last."""
        # Float scores have no int32 of rank 3, so this is a class map that the device has decided.
        if self.decision == "ids" or (scores.ndim == 3 and scores.dtype == np.int32):
            ids = _without_channel(scores)
            return ids if ids.dtype == np.int32 else _as_int64(ids)
        if scores.dtype.kind == "f":
            # The device compares float32 too, so that both decide alike at the limit.
            scores = scores.astype(np.float32, copy=False)
        if self.decision == "threshold":
            scores = _without_channel(scores)[..., np.newaxis]
            ids = (scores[..., 0] > self.limit).astype(np.int64)
        elif self.decision == "multi_label":
            ids = _topmost(scores > self.limit)
        else:
            ids = np.argmax(scores, axis=-1)
        return _masked(ids, scores)

    @without_float_errors
    def of_target(self, values: Array) -> Array:
        """Return the class map (N, H, W) of ids, (N, H, W[, 1]), or of a one-hot target."""
        if self.is_one_hot(values):
            hot = _topmost(values > 0.5) if self.decision == "multi_label" else values.argmax(-1)
            return _masked(hot, values)
        ids = _without_channel(values)
        if ids.dtype.kind != "f":
            return _as_int64(ids)
        ids = ids.astype(np.float64, copy=False)  # float16 does not know so large an id
        finite = np.isfinite(ids)
        whole = np.rint(np.clip(np.where(finite, ids, 0), -_LARGEST_ID, _LARGEST_ID))
        return np.where(finite, whole, NOT_FINITE).astype(np.int64)

    def is_one_hot(self, values: Array) -> bool:
        """Tell a one-hot target (N, H, W, channels) from ids."""
        return values.ndim == 4 and values.shape[3] == self.channels > 1

    def is_target(self, values: Array) -> bool:
        """Tell ids, (N, H, W) or (N, H, W, 1), and one-hot targets from what is no class map."""
        is_ids = values.ndim == 3 or (values.ndim == 4 and values.shape[3] == 1)
        return values.dtype.kind in "buif" and (is_ids or self.is_one_hot(values))

    def check_target(self, target: Array) -> None:
        """Refuse targets that are neither ids nor one-hot."""
        check_dtype(target, "target")
        if not self.is_target(target):
            raise ValueError(
                "Targets must be class ids (N, H, W) or (N, H, W, 1), or one-hot "
                f"(N, H, W, {self.channels}), got {describe(target)}. To leave them out pass "
                'panels=("input", "prediction").'
            )

    def fractional_ids(self, target: Array) -> int:
        """Count the ids of a target that are no whole numbers, and are rounded."""
        if target.dtype.kind != "f" or self.is_one_hot(target):
            return 0
        finite = target[np.isfinite(target)]
        return int(np.count_nonzero(finite != np.rint(finite)))


def choose_decision(scores: Array, multi_label: bool | None, activation: str | None) -> Decision:
    """Return how outputs become classes, by their shape and dtype.

    Args:
        scores: The outputs, channels last.
        multi_label: The user's word on outputs of several channels, or None.
        activation: What ends the model, or None.

    Raises:
        ValueError: If the outputs have another rank, or `multi_label` does not fit them.
    """
    check_dtype(scores, "output")
    if scores.ndim not in (3, 4):
        raise ValueError(
            "Segmentation draws outputs of shape (N, H, W), (N, H, W, 1) or (N, H, W, C), got "
            f"{describe(scores)}{f'; {ONE_SLICE}' if scores.ndim == 5 else ''}."
        )
    if scores.ndim == 3 or scores.shape[3] == 1:
        if multi_label:
            raise ValueError(
                f"`multi_label` needs outputs of several channels, got {describe(scores)}."
            )
        return "ids" if scores.dtype.kind in "bui" else "threshold"
    # A sigmoid scores each channel by itself, which both readings may mean; a softmax means one.
    if multi_label is None and activation == "sigmoid":
        raise ValueError(
            f"`multi_label` must be given for a model that ends in a sigmoid of "
            f"{scores.shape[3]} channels, got None. True draws each channel over the threshold "
            "as a class of its own; False draws the channel with the highest score."
        )
    return "multi_label" if multi_label else "argmax"


def logit(probability: float) -> float:
    """Return log(p / (1 - p)): sigmoids differ between backends near the threshold, logits do not."""
    return float(np.log(probability / (1 - probability)))


def _without_channel(values: Array) -> Array:
    return values[..., 0] if values.ndim == 4 else values


def _as_int64(ids: Array) -> Array:
    # What is beyond int64 would wrap, to ids that may be ignored.
    return (np.minimum(ids, np.uint64(_LARGEST_ID)) if ids.dtype == np.uint64 else ids).astype(
        np.int64
    )


def _topmost(hits: Array) -> Array:
    """Return 1 + the last channel that is hit, 0 where none is."""
    ids: Array = np.max(hits * np.arange(1, hits.shape[-1] + 1), axis=-1)
    return ids


def _masked(ids: Array, values: Array) -> Array:
    """Mark the pixels whose values are not all finite as `NOT_FINITE`."""
    if values.dtype.kind != "f":
        return ids
    return np.where(np.isfinite(values).all(-1), ids, NOT_FINITE)
