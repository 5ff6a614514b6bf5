"""From outputs to the picture: exact pixels whatever the parts, and no second copy of it all."""

import tracemalloc
import warnings

import numpy as np
import pytest

from keras_image_saver import Batch, Images, Segmentation, colorize, make_grid, to_uint8
from keras_image_saver.arrays import PIECE
from keras_image_saver.picture.compose import GAP, Drawing, Tiling, compose
from keras_image_saver.picture.grid import sample_box
from keras_image_saver.render.base import OutputInfo

INFO = OutputInfo(("prediction",), (None,), 0)


def composed(render, chunks, samples=None, **tiling):
    batch = Batch(None, None, None) if samples is None else samples
    bound = render.bind(Batch(batch.inputs, batch.targets, np.concatenate(chunks)), INFO)
    return compose(Drawing(bound, batch, chunks), Tiling(**tiling))


@pytest.mark.parametrize("side", [3, 40, 150, 300], ids="{}²".format)
@pytest.mark.parametrize("channels", [1, 3])
def test_parts_of_any_size_make_the_same_picture(side, channels):
    rng = np.random.default_rng(side)
    values = rng.uniform(-1.2, 1.2, (7, side, side, channels)).astype(np.float32)
    values[2, 0, 0] = np.nan
    chunks = [values[:4], values[4:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        mapped = to_uint8(values, value_range=(-1, 1))
    factor = 11 if side == 3 else 1  # what is below 16 pixels is enlarged to 32 or a little more
    expected = make_grid(mapped.repeat(factor, 1).repeat(factor, 2), pad_value=GAP)
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
        np.testing.assert_array_equal(picture.image, make_grid(expected, pad_value=GAP))


def plain(count, side, level=200):
    return np.full((count, side, side, 1), level, np.uint8)


@pytest.mark.parametrize(
    ("size", "factor"),
    [
        ((16, 16), 1),
        ((15, 15), 3),
        ((8, 8), 4),
        ((1, 1), 32),
        ((4, 16), 1),
        ((8, 12), 3),
    ],
    ids=str,
)
def test_tiles_below_16_pixels_are_enlarged_to_32(size, factor):
    values = np.random.default_rng(0).integers(0, 256, (2, *size, 1)).astype(np.uint8)
    picture = composed(Images(), [values])
    assert picture.layout.geometry()["enlargement"] == factor
    for sample, image in enumerate(values):
        y, x, height, width = sample_box(picture.layout.geometry(), sample)
        tile = picture.image[y : y + height, x : x + width]
        np.testing.assert_array_equal(tile, image.repeat(factor, 0).repeat(factor, 1))


def test_gaps_are_of_a_grey_that_is_recorded_and_captions_stand_on_it():
    samples = Batch(plain(1, 64, 0), None, None)
    picture = composed(Images(), [plain(1, 64)], samples)
    assert picture.layout.geometry()["pad_value"] == GAP == 56
    assert picture.image[[0, -1]].tolist() == [[[GAP]] * picture.image.shape[1]] * 2
    top = picture.image[: picture.layout.origin[0]]
    assert (top.min(), top.max()) == (GAP, 255)


def test_pad_value_that_is_given_is_drawn():
    picture = composed(Images(), [plain(1, 64)], pad_value=0)
    assert picture.image[0, 0] == 0
    assert "pad_value" not in picture.layout.geometry()


def resumed(before, **tiling):
    """The layout of three samples with two panels that is drawn after one before."""
    samples = Batch(plain(9, 20, 0), None, None)
    bound = Images().bind(Batch(samples.inputs, None, plain(9, 20)), INFO)
    drawing = Drawing(bound, samples, [plain(9, 20)])
    return compose(drawing, Tiling(**tiling).going_on(before)).layout.geometry()


def test_picture_of_a_resumed_run_is_laid_out_as_those_before():
    new = resumed({})
    assert new["columns"] == 2
    first_version = {**new, "columns": 1}
    del first_version["sample_gap"], first_version["pad_value"]
    assert resumed(first_version) == first_version
    assert resumed(new) == new
    assert resumed(first_version, pad_value=7) == first_version | {"pad_value": 7}


@pytest.mark.parametrize(
    ("before", "tiling"),
    [
        pytest.param({"panels": ["input", "other"]}, {}, id="other panels"),
        pytest.param({"count": 8}, {}, id="other samples"),
        pytest.param({"tile": [21, 21]}, {}, id="other tiles"),
        pytest.param({"columns": 1}, {"columns": 3}, id="columns given"),
        pytest.param({"columns": 1}, {"padding": 1}, id="padding given"),
    ],
)
def test_picture_of_a_resumed_run_with_other_tiles_is_laid_out_anew(before, tiling):
    assert resumed(resumed({}) | before, **tiling) == resumed({}, **tiling)


def test_resumed_run_whose_record_tells_nothing_is_laid_out_anew():
    assert resumed({"origin": "nonsense"}) == resumed({})
