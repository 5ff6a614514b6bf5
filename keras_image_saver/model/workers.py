"""Which worker writes, where several train together."""

from typing import Any

from keras_image_saver.model.backend import ON_JAX


def check_writer(trained: Any) -> bool:
    """Tell whether this process writes: every worker runs the same inference, one writes.

    A forward pass of the chief alone dies in a collective wherever there is BatchNorm.

    Raises:
        ValueError: Under `ParameterServerStrategy`, where callbacks cannot run the model.
    """
    if ON_JAX:
        import jax

        return int(jax.process_index()) == 0
    strategy = getattr(trained, "distribute_strategy", None)
    if strategy is None:
        return True
    if "ParameterServer" in type(strategy).__name__:
        raise ValueError(
            f"ImageSaver cannot run under {type(strategy).__name__}: the model's variables are on "
            "other machines. Use MirroredStrategy or MultiWorkerMirroredStrategy."
        )
    return bool(getattr(strategy.extended, "should_checkpoint", True))


def is_alone(trained: Any) -> bool:
    """Tell whether this process trains alone, on however many devices."""
    if ON_JAX:
        import jax

        return int(jax.process_count()) == 1
    strategy = getattr(trained, "distribute_strategy", None)
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None:
        return True
    tasks = resolver.cluster_spec().as_dict().values()
    return sum(map(len, tasks)) < 2
