"""What is refused before the first batch is trained, with everything left as it was."""

import re

import numpy as np
import pytest

from keras_image_saver import ImageSaver
from support.models import Counter, gan, keras, only_tensorflow


def snapshot_of(root):
    return sorted((path, path.is_dir() or path.read_bytes()) for path in root.rglob("*"))


def assert_refused(tmp_path, build, make_saver, error, rule, got):
    """Make the saver and train: it is refused, and nothing has changed."""
    keras.utils.set_random_seed(5)
    model, counter = build(), Counter()
    before = [np.array(value) for value in model.get_weights()]
    files = snapshot_of(tmp_path)
    shape = (4, 8, 8, 3) if hasattr(model, "generator") else (4, *model.input_shape[1:])
    x = np.zeros(shape, np.float32)
    with pytest.raises(error) as info:  # noqa: PT012 - either may raise, both are before training
        saver = make_saver(tmp_path / "run")
        if hasattr(model, "generator"):
            model.fit(x, verbose=0, callbacks=[counter, saver])
        else:
            y = np.zeros((4, *model.output_shape[1:]), np.float32)
            model.compile("sgd", "mse")
            model.fit(x, y, verbose=0, callbacks=[counter, saver])
    message = str(info.value)
    assert re.search(rule, message), message
    assert re.search(got, message), message
    assert counter.batches == 0
    for value, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)
    assert snapshot_of(tmp_path) == files


def saver_of(samples, **kwargs):
    return lambda folder: ImageSaver(folder, samples, **kwargs)


def rendered_by(samples, render, **kwargs):
    return lambda folder: ImageSaver(folder, samples, render=render, **kwargs)


def case(name, build, make_saver, rule, got, error=ValueError):
    """What `assert_refused` takes, as a parameter."""
    marks = only_tensorflow if build is gan else ()
    return pytest.param((build, make_saver, error, rule, got), id=name, marks=marks)
