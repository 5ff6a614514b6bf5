"""How pictures are laid out, and what is written beside their tiles."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_image_saver import Batch, Images
from keras_image_saver.picture.compose import Drawing, compose
from keras_image_saver.picture.layout import sample_box
from keras_image_saver.picture.legend import draw_legend, legend_height
from keras_image_saver.picture.text import cut, draw_texts, text_height
from keras_image_saver.picture.tiling import GAP, Tiling, check_sample_names
from keras_image_saver.render.base import NamedClass, OutputInfo, Rendered
from keras_image_saver.render.function import as_renderer

pytestmark = pytest.mark.numpy

INFO = OutputInfo(("prediction",), (None,), 0)


def named(bound, legend):
    """A bound renderer whose classes have names."""
    classes = tuple(NamedClass(number, *one) for number, one in enumerate(legend))

    class Named(type(bound)):
        def legend(self):
            return classes

    return Named(**vars(bound))


def composed(render, chunks, samples=None, *, legend=(), **tiling):
    batch = Batch(None, None, None) if samples is None else samples
    bound = render.bind(Batch(batch.inputs, batch.targets, np.concatenate(chunks)), INFO)
    drawing = Drawing(named(bound, legend), batch, chunks)
    return compose(drawing, Tiling(**tiling))


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
    assert top.min() == GAP
    assert top.max() > 200


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
    wide = resumed({}, columns=1, padding=5, pad_value=200)
    assert wide["stride"][1] - wide["tile"][1] == 5
    assert resumed(wide) == wide


def test_panel_without_a_caption_in_the_first_version_gets_none_where_its_run_is_resumed():
    samples = Batch(None, None, plain(4, 20))
    render = as_renderer(lambda batch: {"mine": batch.outputs}, whole=True)
    drawing = Drawing(render.bind(samples, INFO), samples, [samples.outputs])
    drawing.render()
    new = compose(drawing, Tiling()).layout.geometry()
    before = {
        **new,
        "origin": [2, 2],
        "columns": 2,
        "enlargement": 1,
        "tile": [20, 20],
        "stride": [22, 22],
    }
    picture = compose(drawing, Tiling().going_on(before))
    assert picture.layout.geometry()["origin"] == [2, 2]
    assert picture.image[0].tolist() == [[GAP]] * 46


@pytest.mark.parametrize(
    ("before", "tiling"),
    [
        pytest.param({"panels": ["input", "other"]}, {}, id="other panels"),
        pytest.param({"count": 8}, {}, id="other samples"),
        pytest.param({"tile": [21, 21]}, {}, id="other tiles"),
        pytest.param({"columns": 1}, {"columns": 3}, id="columns given"),
        pytest.param({"columns": 1}, {"padding": 1}, id="padding given"),
        pytest.param({"columns": 1}, {"sample_names": ("a",) * 9}, id="names"),
        pytest.param({"columns": 1, "sample_gap": [3, 0]}, {}, id="no names"),
        pytest.param({"columns": 1, "slices": [0]}, {}, id="slices"),
    ],
)
def test_picture_of_a_resumed_run_with_other_tiles_is_laid_out_anew(before, tiling):
    assert resumed(resumed({}) | before, **tiling) == resumed({}, **tiling)


def test_resumed_run_whose_record_tells_nothing_is_laid_out_anew():
    assert resumed({"origin": "nonsense"}) == resumed({})


# Names and legends


def ink(picture, box):
    """Whether something is written in (top, bottom, left, right) of a grey picture."""
    top, bottom, left, right = box
    return bool((picture[top:bottom, left:right] != GAP).any())


def test_sample_names_stand_under_the_tiles_of_their_samples():
    samples = Batch(plain(3, 20, 0), None, None)
    names = ("one", "", "a name that is longer than two tiles are wide")
    picture = composed(Images(), [plain(3, 20)], samples, columns=2, sample_names=names)
    layout = picture.layout
    below, beside = layout.geometry()["sample_gap"]
    assert beside == 6
    for sample, name in enumerate(names):
        y, x, height, width = sample_box(layout.geometry(), sample)
        under = (y + height, y + height + below - 6, x, x + width)
        assert ink(picture.image, under) == bool(name)
        assert not ink(picture.image, (under[1], under[1] + 6, x, x + width))
        assert not ink(picture.image, (*under[:2], x + width, x + width + 6))


def test_pictures_without_names_are_as_they_were():
    bare = composed(Images(), [plain(3, 20)])
    named = composed(Images(), [plain(3, 20)], sample_names=("a", "b", "c"))
    assert named.image.shape[0] > bare.image.shape[0]
    for sample in range(3):
        assert (
            sample_box(named.layout.geometry(), sample)[1:]
            == sample_box(bare.layout.geometry(), sample)[1:]
        )


def test_legend_stands_under_the_tiles_and_moves_none():
    legend = (("sky", (1, 2, 3)), ("road", (250, 0, 0)))
    bare = composed(Images(), [plain(4, 40)])
    drawn = composed(Images(), [plain(4, 40)], legend=legend)
    height = bare.image.shape[0]
    assert drawn.layout.geometry() == bare.layout.geometry()
    np.testing.assert_array_equal(drawn.image[:height], np.repeat(bare.image, 3, axis=2))
    for _, color in legend:
        assert (drawn.image[height:] == color).all(-1).sum() > 50
    assert drawn.image.shape[:2] == drawn.layout.size


@pytest.mark.parametrize("classes", [0, 3, 21, 150])
def test_default_columns_bring_a_picture_with_its_legend_nearest_to_a_square(classes):
    legend = tuple((f"class {number}", (number, 9, 9)) for number in range(classes))
    samples = Batch(plain(8, 64, 0), None, None)

    def sides(columns):
        picture = composed(Images(), [plain(8, 64)], samples, legend=legend, columns=columns)
        assert picture.image.shape[:2] == picture.layout.size
        return picture.image.shape[:2]

    def sliver(size):
        return max(size) / min(size)

    chosen = sides(None)
    assert chosen == min((sides(columns) for columns in (1, 2, 3, 4, 8)), key=sliver)
    assert sliver(chosen) < 2


def test_legend_and_names_are_in_later_pictures_too():
    samples = Batch(plain(2, 40, 7), None, None)
    bound = Images().bind(Batch(samples.inputs, None, plain(2, 40)), INFO)
    bound = named(bound, (("sky", (1, 2, 3)),))
    drawing = Drawing(bound, samples, [plain(2, 40)])
    later = Drawing(bound, samples, [plain(2, 40, 9)], kept=drawing.kept)
    tiling = Tiling(sample_names=("a", "b"))
    first, second = compose(drawing, tiling).image, compose(later, tiling).image
    assert drawing.kept.backdrop is not None
    np.testing.assert_array_equal(np.where(second == 9, 200, second), first)


def test_fewer_samples_than_names_are_drawn_with_theirs():
    names = ("a", "b", "c")
    some = composed(Images(), [plain(2, 20)], columns=3, sample_names=names)
    assert some.layout.count == 2


@pytest.mark.parametrize("names", [["a", "b"], ("a", "b"), np.array(["a", "b"])], ids=repr)
def test_sample_names_are_texts_one_a_sample(names):
    assert check_sample_names(names, 2) == ("a", "b")
    assert check_sample_names(names, 0) == ("a", "b")
    assert check_sample_names(None, 2) == ()


@pytest.mark.parametrize(
    ("names", "error", "shown"),
    [
        (["a"], ValueError, "one text a sample, got 1 for 2 samples"),
        (["a", "b", "c"], ValueError, "got 3 for 2"),
        ([], ValueError, "got 0 for 2"),
        (["a", 3], TypeError, r"got 3 \(int\) in it.*str\(label\)"),
        ("ab", TypeError, r"got 'ab' \(str\)\."),
        (np.arange(2), TypeError, "in it"),
        (5, TypeError, r"got 5 \(int\)"),
    ],
    ids=repr,
)
def test_sample_names_that_are_none_are_an_error(names, error, shown):
    with pytest.raises(error, match=f"`sample_names` must .*{shown}"):
        check_sample_names(names, 2)


# Texts, by where they stand

LONG = "a caption that has 32 characters"


def bound_to(captions=(), slices=(), legend=()):
    """What a layout asks of a bound renderer."""
    captions = dict(captions)
    return SimpleNamespace(
        captions_of=lambda panels: {name: captions[name] for name in panels if name in captions},
        slices=slices,
        legend=lambda: tuple(NamedClass(number, *one) for number, one in enumerate(legend)),
    )


def laid_out(tiling, sizes, count, bound):
    images = {name: np.zeros((1, *size, 1), np.uint8) for name, size in sizes.items()}
    return tiling.plan(Rendered(images), count, bound)


def test_captions_stand_above_the_first_row_and_names_under_each_sample():
    tiling = Tiling(columns=2, padding=3, sample_names=("one", "two", "three", "four"))
    bound = bound_to({"a": "left", "b": "right"})
    layout = laid_out(tiling, {"a": (20, 50), "b": (20, 50)}, 3, bound)
    tall = text_height(50)
    next_sample, next_row = 2 * (50 + 3) + 9, 20 + 3 + tall + 9
    assert (layout.origin, layout.enlargement) == ((tall + 3, 3), 1)
    assert tiling.texts(layout, bound) == [
        (3, 3, "left"),
        (3, 3 + next_sample, "left"),
        (3, 56, "right"),
        (3, 56 + next_sample, "right"),
        (tall + 3 + 20, 3, "one"),
        (tall + 3 + 20, 3 + next_sample, "two"),
        (tall + 3 + 20 + next_row, 3, "three"),
    ]


def test_captions_of_slices_stand_above_each_of_their_tiles_and_name_the_panel_once():
    tiling = Tiling(columns=1, padding=2, sample_names=("x" * 40, "y"))
    bound = bound_to({"a": "in", "b": "out"}, slices=(4, 9))
    layout = laid_out(tiling, {"a": (20, 60), "b": (20, 60)}, 2, bound)
    tall = text_height(60)
    below = 2 * (20 + 2 + tall) + tall + 6  # from one sample to the next
    *captions, first, second = tiling.texts(layout, bound)
    assert captions == [
        (y + down, x, text)
        for y, row in ((2, ("in [4]", "[9]")), (2 + 20 + 2 + tall, ("out [4]", "[9]")))
        for x, text in zip((2, 64), row, strict=True)
        for down in (0, below)
    ]
    # A name is under the last panel, as long as two tiles are wide.
    assert first == (tall + 2 + 20 + 2 + tall + 20, 2, cut(["x" * 40], 60, 122)[0])
    assert first[2] != cut(["x" * 40], 60, 60)[0]
    assert second == (first[0] + below, 2, "y")


def test_slices_of_a_panel_without_a_caption_have_their_numbers():
    bound = bound_to(slices=(4, 9))
    layout = laid_out(Tiling(), {"a": (20, 60)}, 1, bound)
    assert [text for _, _, text in Tiling().texts(layout, bound)] == ["[4]", "[9]"]


def test_texts_of_panels_without_captions_are_none():
    bound = bound_to()
    layout = laid_out(Tiling(padding=1), {"a": (20, 60), "b": (20, 60)}, 2, bound)
    assert layout.origin == (1, 1)
    assert Tiling(padding=1).texts(layout, bound) == []


def test_names_and_legend_have_the_font_of_tiles_before_they_were_enlarged():
    # Tiles of 100 pixels are too narrow for the caption, so that they are drawn larger.
    tiling = Tiling(columns=1, padding=2, pad_value=0, sample_names=("x" * 200,))
    bound = bound_to({"a": LONG, "b": "b"}, legend=(("sky", (1, 2, 3)),))
    layout = laid_out(tiling, {"a": (20, 100), "b": (20, 100)}, 1, bound)
    assert layout.enlargement > 1
    assert text_height(100) != text_height(100 * layout.enlargement)
    width = layout.size[1]
    *_, (_, _, name) = tiling.texts(layout, bound)
    assert name == cut(tiling.sample_names, 100, width - 4)[0]
    assert name != cut(tiling.sample_names, 100 * layout.enlargement, width - 4)[0]
    below = legend_height(bound.legend(), width, 100, 2)
    assert layout.foot == text_height(100) + below
    legend = draw_legend(bound.legend(), width, 100, 0, 2)
    np.testing.assert_array_equal(tiling.legend(layout, bound), legend)
    image = np.zeros((*layout.size, 3), np.uint8)
    image.flags.writeable = False
    found = tiling.annotate(image, layout, bound)
    expected = draw_texts(image, tiling.texts(layout, bound), 100, 0).copy()
    expected[-len(legend) :] = legend
    np.testing.assert_array_equal(found, expected)
    assert not image.any()


def test_picture_without_texts_and_legend_is_left_as_it_is():
    bound = bound_to()
    layout = laid_out(Tiling(), {"a": (20, 60)}, 2, bound)
    image = np.zeros((*layout.size, 1), np.uint8)
    assert Tiling().annotate(image, layout, bound) is image


def test_settings_are_what_the_user_said():
    tiling = Tiling(columns=3, padding=1, pad_value=9, sample_names=("a",))
    said = {"columns": 3, "padding": 1, "pad_value": 9, "sample_names": ("a",)}
    assert tiling.settings == said
    layout = laid_out(Tiling(padding=5, pad_value=7), {"a": (20, 20)}, 1, bound_to())
    assert tiling.going_on(layout.geometry()).settings == said


@pytest.mark.parametrize(
    ("given", "expected"), [({}, (5, 7)), ({"padding": 0}, (0, 7)), ({"pad_value": 0}, (5, 0))]
)
def test_gaps_are_those_of_the_run_unless_they_are_said(given, expected):
    before = laid_out(Tiling(padding=5, pad_value=7), {"a": (20, 20)}, 1, bound_to())
    tiling = Tiling(**given).going_on(before.geometry())
    assert (tiling.gap, tiling.level) == expected
    assert (Tiling().gap, Tiling().level) == (2, 56)


@pytest.mark.parametrize(
    ("size", "factor"),
    [((15, 16), 1), ((16, 15), 1), ((15, 15), 3), ((15, 2), 3), ((1, 11), 3), ((16, 16), 1)],
    ids=str,
)
def test_tiles_of_two_short_sides_are_enlarged_to_be_seen(size, factor):
    sizes = {"a": (1, 1), "b": size}
    assert laid_out(Tiling(), sizes, 2, bound_to()).enlargement == factor
