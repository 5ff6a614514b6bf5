"""From outputs to the picture: exact pixels whatever the parts, and no second copy of it all."""

import tracemalloc
import warnings

import numpy as np
import pytest

from keras_image_saver import Batch, Images, Segmentation, colorize, make_grid, to_uint8
from keras_image_saver.arrays import PIECE
from keras_image_saver.picture.compose import Drawing, Tiling, compose
from keras_image_saver.render.base import OutputInfo

INFO = OutputInfo(("prediction",), (None,), 0)


def composed(render, chunks, samples=None):
    batch = Batch(None, None, None) if samples is None else samples
    bound = render.bind(Batch(batch.inputs, batch.targets, np.concatenate(chunks)), INFO)
    return compose(Drawing(bound, batch, chunks), Tiling())


@pytest.mark.parametrize("side", [3, 40, 150, 300], ids="{}²".format)
@pytest.mark.parametrize("channels", [1, 3])
def test_parts_of_any_size_make_the_same_picture(side, channels):
    rng = np.random.default_rng(side)
    values = rng.uniform(-1.2, 1.2, (7, side, side, channels)).astype(np.float32)
    values[2, 0, 0] = np.nan
    chunks = [values[:4], values[4:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = make_grid(to_uint8(values, value_range=(-1, 1)))
    picture = composed(Images((-1, 1)), chunks)
    np.testing.assert_array_equal(picture.image, expected)
    texts = {finding.kind: finding.text for finding in picture.findings}
    assert texts["non-finite"].startswith("1 pixels")
    assert f"{np.mean(np.abs(values) > 1):.1%} of the prediction's values" in texts["clipped"]


def test_panels_of_several_parts_stand_beside_their_own_samples():
    side = 150  # an image a part
    assert side * side * 3 > PIECE / 2
    rng = np.random.default_rng(0)
    inputs, targets, outputs = rng.random((3, 5, side, side, 3), np.float32)
    samples = Batch(inputs, targets, None)
    picture = composed(Images((0, 1)), [outputs[:3], outputs[3:]], samples)
    for sample in range(5):
        for panel, values in enumerate((inputs, outputs, targets)):
            y, x = picture.layout.tile_at(sample, panel)
            found = picture.image[y : y + side, x : x + side]
            np.testing.assert_array_equal(found, to_uint8(values[sample]))


@pytest.mark.parametrize("kind", ["floats", "clipped floats", "class ids"])
def test_compose_holds_no_second_picture_and_no_copy_of_the_outputs(kind):
    rng = np.random.default_rng(0)
    if kind == "class ids":
        values = rng.integers(0, 21, (64, 256, 256)).astype(np.int32)
        render, expected = Segmentation(21), colorize(values)
    else:
        most = 1 if kind == "floats" else 2
        values = rng.uniform(-most, most, (64, 256, 256, 3)).astype(np.float32)
        render, expected = Images((-1, 1)), None
    bound = render.bind(Batch(None, None, values[:1]), INFO)
    drawing = Drawing(bound, Batch(None, None, None), [values[:32], values[32:]])
    tracemalloc.start()
    try:
        picture = compose(drawing, Tiling())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < picture.image.nbytes + 8 * 2**20
    if expected is not None:
        np.testing.assert_array_equal(picture.image, make_grid(expected))
