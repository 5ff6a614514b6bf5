"""From outputs to the picture: exact pixels whatever the parts, and no second copy of it all."""

import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest

from keras_image_saver import Batch, Images, Segmentation, colorize, make_grid, to_uint8
from keras_image_saver.arrays import PIECE
from keras_image_saver.picture.compose import Drawing, Kept, Tiling, compose
from keras_image_saver.picture.tiling import GAP
from keras_image_saver.render.base import BARE, OutputInfo
from keras_image_saver.render.function import as_renderer
from keras_image_saver.render.several import Several

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


def test_scores_and_the_class_ids_decided_from_them_do_not_differ():
    """The first pass gives scores, whose parts have fewer rows than those of the ids of later passes."""
    scores = np.random.default_rng(0).random((9, 64, 64, 4), np.float32)
    ids = scores.argmax(-1).astype(np.int32)
    assert scores[0].size < PIECE < scores.size
    nothing = Batch(None, None, None)
    bound = Segmentation(4).bind(replace(nothing, outputs=scores), INFO)
    first = Drawing(bound, nothing, [scores])
    assert first.difference(Drawing(bound, nothing, [ids])) == 0
    ids[8, 63, 63] = (ids[8, 63, 63] + 1) % 4
    assert first.difference(Drawing(bound, nothing, [ids])) > 1


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


# What does not change

RNG = np.random.default_rng(7)


def photos(count, side, channels=3):
    return RNG.uniform(-1.1, 1.1, (count, side, side, channels)).astype(np.float32)


def with_nan(values):
    values = values.copy()
    values[-1, 0, 0] = np.nan
    return values


def ids(count, side):
    return RNG.integers(0, 4, (count, side, side)).astype(np.int32)


GREY = [photos(5, 60, 1) for _ in range(5)]
CASES = {
    "noise": (Images((-1, 1)), None, None, [photos(5, 60), photos(5, 60)]),
    "input and target": (Images((-1, 1)), photos(5, 60), photos(5, 60), [photos(5, 60)] * 3),
    "padding and few columns": (
        Images((-1, 1)), photos(5, 60), None, [photos(5, 60), photos(5, 60)]
    ),
    "images of several pieces": (
        Images((-1, 1)), photos(3, 220), photos(3, 220), [photos(3, 220), photos(3, 220)]
    ),
    "enlarged for captions": (
        Images((-1, 1)), photos(5, 7), photos(5, 7), [photos(5, 7), photos(5, 7)]
    ),
    "larger inputs": (Images((-1, 1)), photos(5, 90), None, [photos(5, 30), photos(5, 30)]),
    "other proportions": (
        Images((-1, 1)), photos(5, 90)[:, :50], None, [photos(5, 30), photos(5, 30)]
    ),
    "grey": (Images((-1, 1)), GREY[0], GREY[1], GREY[2:]),
    "grey, then NaN": (Images((-1, 1)), GREY[0], None, [GREY[1], with_nan(GREY[2]), GREY[3]]),
    "grey, NaN first": (Images((-1, 1)), GREY[0], None, [with_nan(GREY[1]), GREY[2], GREY[3]]),
    "grey, NaN in the inputs": (Images((-1, 1)), with_nan(GREY[0]), None, [GREY[1], GREY[2]]),
    "grey beside RGBA": (Images((-1, 1)), GREY[0], photos(5, 60, 4), [photos(5, 60)] * 2),
    "a colormap": (
        Images((-1, 1), colormap=np.stack([np.arange(256)] * 3, 1)), GREY[0], GREY[1], GREY[2:]
    ),
    "another size": (
        Images((-1, 1)), photos(5, 60), None, [photos(5, 30), photos(5, 60), photos(5, 90)]
    ),
    "another dtype": (
        Images((-1, 1)), photos(5, 60), None, [photos(5, 60), photos(5, 60).astype(np.float16)]
    ),
    "other channels": (Images((-1, 1)), GREY[0], None, [GREY[1], photos(5, 60), GREY[2]]),
    "classes": (Segmentation(4, input_range=(-1, 1)), photos(5, 60), ids(5, 60), [ids(5, 60)] * 3),
    "classes over the input": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4),
        photos(5, 60), ids(5, 60), [ids(5, 60), ids(5, 60)],
    ),
    "classes over a grey input": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4), GREY[0], ids(5, 60), [ids(5, 60)] * 2
    ),
    "small classes over the input": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4), photos(5, 60), ids(5, 60), [ids(5, 20)] * 2
    ),
    "classes over what is enlarged": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4), photos(5, 7), ids(5, 7), [ids(5, 7)] * 2
    ),
    "classes over an input without panel": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4, panels=("prediction", "target")),
        photos(5, 60), ids(5, 60), [ids(5, 60), ids(5, 60)],
    ),
    "no prediction": (
        Images((-1, 1), panels=("target", "input")), photos(5, 60), photos(5, 60), [photos(5, 60)] * 3
    ),
    "the target's classes alone": (
        Segmentation(4, input_range=(-1, 1), overlay=0.4, panels=("target",)),
        photos(5, 60), ids(5, 60), [ids(5, 60), ids(5, 60)],
    ),
    "unknown classes": (
        Segmentation(4, input_range=(-1, 1)), with_nan(GREY[0]), None, [ids(5, 60), ids(5, 60) + 1]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kinds", [("raw",), ("raw", "ema")], ids=["one prediction", "two"])
@pytest.mark.parametrize("case", CASES)
def test_later_pictures_are_as_if_each_were_the_first(case, kinds):
    render, inputs, targets, outputs = CASES[case]
    tiling = Tiling(columns=2, padding=5, pad_value=90) if "padding" in case else Tiling()
    samples = Batch(inputs, targets, None)
    one = render.bind(Batch(inputs, targets, outputs[0]), INFO)
    kept = Kept()
    for values in outputs:
        chunks, bound = [rows for rows in (values[:3], values[3:]) if len(rows)], one
        if len(kinds) > 1:
            bound = Several.of(one, kinds)
            chunks = [{kind: rows[:: 1 - 2 * i] for i, kind in enumerate(kinds)} for rows in chunks]
        picture = compose(Drawing(bound, samples, chunks, kept=kept), tiling)
        ranges = dict(bound.ranges)
        if len(kinds) > 1:
            bound = Several.of(one, kinds)
        alone = compose(Drawing(bound, samples, chunks), tiling)
        np.testing.assert_array_equal(picture.image, alone.image)
        assert (picture.layout, picture.findings) == (alone.layout, alone.findings)
        assert ranges == bound.ranges
        if picture.image.flags.writeable:
            picture.image[...] = 0  # a listener's own from here on


def test_what_does_not_change_is_drawn_once():
    drawn = []

    class Bound:
        fixed, slices, legend = ("input",), (), tuple
        ranges = {}  # noqa: RUF012

        def __init__(self, bound):
            self.bound, self.findings = bound, bound.findings
            self.captions_of = bound.captions_of

        def __call__(self, batch, surface=BARE):
            rendered = self.bound(batch, surface)
            drawn.append(tuple(rendered.panels))
            return rendered

    inputs = photos(4, 200)
    samples = Batch(inputs, None, None)
    bound = Bound(Images((-1, 1)).bind(replace(samples, outputs=inputs), INFO))
    kept = Kept()
    for _ in range(2):
        compose(Drawing(bound, samples, [inputs], kept=kept), Tiling())
    assert set(drawn[: len(drawn) // 2]) == {("input", "prediction")}
    assert set(drawn[len(drawn) // 2 :]) == {("prediction",)}


def test_more_samples_than_before_are_drawn_all():
    inputs = photos(5, 60)
    bound = Images((-1, 1)).bind(Batch(inputs, None, inputs), INFO)
    kept = Kept()
    for count in (2, 5):
        samples = Batch(inputs[:count], None, None)
        picture = compose(Drawing(bound, samples, [inputs[:count]], kept=kept), Tiling())
        alone = compose(Drawing(bound, samples, [inputs[:count]]), Tiling())
        np.testing.assert_array_equal(picture.image, alone.image)


# Captions


def texts_of(bound, panels=("input", "prediction", "target")):
    return list(bound.captions_of(panels).values())


IMAGES = np.zeros((2, 40, 60, 3), np.float32)
PAIRS = Batch(IMAGES, IMAGES, IMAGES)
CAPTIONS = {"input": "LR", "prediction": "ours", "target": "HR"}


@pytest.mark.parametrize("render", [Images((0, 1), panels=CAPTIONS), Images((0, 1))])
def test_captions_are_those_of_the_panels_argument(render):
    expected = list(render.captions.values()) or ["input", "prediction", "target"]
    assert texts_of(render.bind(PAIRS, INFO)) == expected


def test_captions_of_class_maps_are_those_of_the_panels_argument():
    ids = np.zeros((2, 4, 4), np.int64)
    render = Segmentation(3, panels={"prediction": "ours", "error": "wrong"})
    bound = render.bind(Batch(None, ids, ids), INFO)
    assert texts_of(bound, ("prediction", "error")) == ["ours", "wrong"]


def test_captions_of_two_kinds_of_weights_say_which():
    one = Images((0, 1), panels=CAPTIONS).bind(PAIRS, INFO)
    bound = Several.of(one, ("raw", "ema"))
    rendered = bound(Batch(IMAGES, IMAGES, {"raw": IMAGES, "ema": IMAGES}))
    assert texts_of(bound, tuple(rendered.panels)) == ["LR", "ours raw", "ours ema", "HR"]


def test_caption_stands_above_one_panel_that_the_user_has_named():
    plain = composed(Images((0, 1), panels=("prediction",)), [IMAGES])
    named = composed(Images((0, 1), panels={"prediction": "ours"}), [IMAGES])
    own = composed(as_renderer(lambda batch: {"mine": batch.outputs}, whole=False), [IMAGES])
    assert plain.layout.origin == (2, 2)
    for picture in (named, own):
        top, left = picture.layout.origin
        assert left == 2
        assert len(np.unique(picture.image[: top - 2])) > 2
        assert np.unique(picture.image[top - 2 :]).tolist() == [0, GAP]
    assert named.layout.panels == ("prediction",)


def test_captions_leave_the_names_of_panels_as_they_are():
    shown = composed(Images((0, 1), panels=CAPTIONS), [IMAGES], PAIRS)
    plain = composed(Images((0, 1)), [IMAGES], PAIRS)
    assert shown.layout == plain.layout
    assert not np.array_equal(shown.image, plain.image)
