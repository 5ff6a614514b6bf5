"""Renderers bound to plain arrays, and what they draw; renderers that fail."""

from types import SimpleNamespace

from keras_image_saver import Batch
from keras_image_saver.render.base import OutputInfo


def bind(render, outputs, *, inputs=None, targets=None, activations=(None,), **info):
    info = OutputInfo(**{"names": ("prediction",), "activations": activations, "chosen": 0, **info})
    return render.bind(Batch(inputs, targets, outputs), info)


def draw(render, outputs, *, inputs=None, targets=None, **info):
    bound = bind(render, outputs, inputs=inputs, targets=targets, **info)
    rendered = bound(Batch(inputs, targets, outputs))
    return SimpleNamespace(panels=rendered.panels, findings=bound.findings(rendered.counts))


def failing_render(*failures):
    """A renderer that raises what it is given, snapshot by snapshot; None draws."""
    left = [None, None, *failures]  # the rehearsal draws twice

    def render(batch):
        failure = left.pop(0) if left else None
        if failure is not None:
            raise failure
        return {"prediction": batch.outputs}

    return render
