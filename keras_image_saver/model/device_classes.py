"""The class decision on the device: ids go to the host, not scores, which are many times larger.

It is a program of its own: fused with what comes before it, XLA gives other values in bfloat16.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_image_saver.render.base import NOT_FINITE, ClassDecision

# A loop over the channels is the faster program, but XLA compiles a long one slowly.
_MOST_UNROLLED = 64

logger = logging.getLogger("keras_image_saver")


def decide_on_device(
    decision: ClassDecision, index: int, *, channels_first: bool
) -> Callable[[Any], Any]:
    """Return a function on a model's outputs that replaces the scores by class ids.

    Args:
        decision: How scores become ids; the host decides alike where the device does not.
        index: Which output, in the order of `tf.nest.flatten`.
        channels_first: Whether scores are (N, C, H, W), or (N, C, D, H, W).

    Returns:
        A function from outputs to outputs of the same structure, with int32 ids, without channels, at
        `index`.
    """
    decide = tf.function(
        functools.partial(_ids, decision=decision, channels_first=channels_first),
        jit_compile=True,
        autograph=False,
    )
    works = True

    def replace_scores(outputs: Any) -> Any:
        nonlocal works
        flat = tf.nest.flatten(outputs)
        if not (works and tf.is_tensor(flat[index]) and flat[index].dtype.is_floating):
            return outputs
        try:
            flat[index] = decide(flat[index])
        except Exception as error:
            # XLA may lack this device, or be installed in part. The host decides alike, so nothing is
            # lost but time, and trying anew at each snapshot would cost more of it.
            logger.debug("Classes are decided on the host: %s", error)
            works = False
            return outputs
        return tf.nest.pack_sequence_as(outputs, flat)

    return replace_scores


def _ids(scores: Any, *, decision: ClassDecision, channels_first: bool) -> Any:
    scores = tf.cast(scores, tf.float32)
    if len(scores.shape) == 3:
        scores = scores[..., tf.newaxis]
    elif channels_first:
        scores = tf.transpose(scores, [0, *range(2, len(scores.shape)), 1])
    decide = _by_channel if scores.shape[-1] <= _MOST_UNROLLED else _by_reduction
    ids, finite = decide(scores, decision.by_argmax, decision.limit)
    # NaN takes an argmax another way in each library, so whatever it chose is replaced.
    return tf.where(finite, ids, NOT_FINITE)


def _by_channel(scores: Any, by_argmax: bool, limit: np.float32) -> tuple[Any, Any]:
    """Return ids, and which pixels are finite, in one loop over the pixels: half the time of two."""
    channels = tf.unstack(scores, axis=-1)
    best = channels[0] if by_argmax else limit
    finite = tf.math.is_finite(channels[0])
    ids = tf.zeros_like(channels[0], tf.int32)
    # The first channel is class 0 by argmax, as which all pixels begin, and class 1 by the limit.
    for number, channel in enumerate(channels[1:] if by_argmax else channels, 1):
        finite &= tf.math.is_finite(channel)
        # The first of equal scores decides, as in NumPy's argmax.
        ids = tf.where(channel > best, number, ids)
        if by_argmax:
            best = tf.maximum(channel, best)
    return ids, finite


def _by_reduction(scores: Any, by_argmax: bool, limit: np.float32) -> tuple[Any, Any]:
    """Return the same where there are so many channels that unrolling would take long to compile."""
    finite = tf.reduce_all(tf.math.is_finite(scores), axis=-1)
    if by_argmax:
        return tf.argmax(scores, axis=-1, output_type=tf.int32), finite
    numbers = tf.range(1, scores.shape[-1] + 1, dtype=tf.int32)
    return tf.reduce_max(tf.where(scores > limit, numbers, 0), axis=-1), finite
