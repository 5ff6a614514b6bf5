"""Palettes of data sets, and the names of classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.layouts import LAYOUTS
from support.pixels import INTEGERS, bit_interleaved

from keras_image_saver import colorize
from keras_image_saver.render.palettes import (
    check_class_names,
    check_palette,
    names_of_classes,
    voc_palette,
)

VOID = [224, 224, 192]

# The 21 colours of the VOC2012 documentation, background to tv/monitor.
VOC_21 = """
    0 0 0  128 0 0  0 128 0  128 128 0  0 0 128  128 0 128  0 128 128  128 128 128  64 0 0  192 0 0
    64 128 0  192 128 0  64 0 128  192 0 128  64 128 128  192 128 128  0 64 0  128 64 0  0 192 0
    128 192 0  0 64 128
"""


# Colours


def test_voc_palette_of_21_classes_is_that_of_the_documentation():
    expected = np.array(VOC_21.split(), np.uint8).reshape(21, 3)
    np.testing.assert_array_equal(voc_palette(21), expected)


def test_voc_palette_follows_the_devkit():
    assert voc_palette(256).tolist() == [bit_interleaved(class_id) for class_id in range(256)]


def test_voc_palette_ends_in_the_void_colour():
    assert voc_palette()[255].tolist() == VOID


def test_voc_palette_of_1000_classes_has_1000_colours():
    """ "any number of classes": each is told from every other."""
    palette = voc_palette(1_000)
    assert palette.shape == (1_000, 3)
    assert len(np.unique(palette, axis=0)) == 1_000


def test_cityscapes_palette_has_the_colours_of_its_train_ids():
    palette = check_palette("cityscapes", None)
    assert palette.shape == (19, 3)
    names = check_class_names("cityscapes")
    assert (names[0], palette[0].tolist()) == ("road", [128, 64, 128])
    assert (names[10], palette[10].tolist()) == ("sky", [70, 130, 180])
    assert (names[18], palette[18].tolist()) == ("bicycle", [119, 11, 32])
    assert len(np.unique(palette, axis=0)) == 19
    assert check_palette("cityscapes", 3).tolist() == palette[:3].tolist()
    assert colorize(np.array([13, 19]), palette="cityscapes").tolist() == [
        [0, 0, 142],
        [255, 0, 255],
    ]


def test_cityscapes_palette_has_no_more_colours_than_classes():
    with pytest.raises(ValueError, match=r"`palette` .* each of the 34 classes, got 19"):
        check_palette("cityscapes", 34)


def test_unknown_palette_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r'`palette` must be "voc", "cityscapes" or .*got \'ade\''):
        check_palette("ade", None)


# Names


def test_names_of_voc_are_its_21_classes():
    names = check_class_names("voc")
    assert len(names) == 21
    assert (names[0], names[1], names[15], names[20]) == (
        "background",
        "aeroplane",
        "person",
        "tvmonitor",
    )


def test_names_in_order_go_to_the_classes_in_order():
    assert names_of_classes(None, 3, has_none=False) == {}
    assert names_of_classes(check_class_names(["a", "b"]), 2, has_none=False) == {0: "a", 1: "b"}


def test_names_may_leave_out_the_class_that_means_none():
    names = check_class_names(("a", "b"))
    assert names_of_classes(names, 3, has_none=True) == {1: "a", 2: "b"}
    assert names_of_classes(names, 2, has_none=True) == {0: "a", 1: "b"}


def test_names_by_id_may_be_of_some_classes():
    given = {np.int64(7): "car", 0: "road"}
    names = check_class_names(given)
    given[3] = "later"
    found = names_of_classes(names, 8, has_none=False)
    assert found == {0: "road", 7: "car"}
    assert list(found) == [0, 7]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ade", r'names, "voc" or "cityscapes", got \'ade\'. Of one class: \("ade",\)'),
        ([], r"got \[\]"),
        (["a", 3], r"got \['a', 3\]"),
        (["a", ""], r"got \['a', ''\]"),
        ({"a": 1}, r"got \{'a': 1\}"),
        ({True: "a"}, r"got \{True: 'a'\}"),
        (7, r"got 7"),
    ],
    ids=str,
)
def test_names_that_are_none_are_refused(given, said):
    with pytest.raises(ValueError, match=f"`class_names` must be .*{said}"):
        check_class_names(given)


@pytest.mark.parametrize(
    ("names", "has_none", "said"),
    [
        (["a", "b"], False, r"a name for each class, 3, got 2\. A dict"),
        (["a"], True, r"a name for each class, 2 names, or 3 with one for none of them, got 1"),
        ({3: "a", -1: "b", 0: "c"}, False, r"ids of the 3 classes, 0 to 2, got 3, -1\."),
    ],
)
def test_names_of_other_classes_are_refused(names, has_none, said):
    with pytest.raises(ValueError, match=f"`class_names` must have {said}"):
        names_of_classes(check_class_names(names), 3, has_none=has_none)


@settings(max_examples=40, deadline=None)
@given(
    table=st.sampled_from(INTEGERS).flatmap(
        lambda dtype: hnp.arrays(dtype, st.tuples(st.integers(1, 5), st.just(3)))
    ),
    layout=st.sampled_from([*LAYOUTS]),
    wanted=st.none() | st.integers(1, 6),
)
def test_palette_of_any_integers_is_taken_or_refused_as_a_whole(table, layout, wanted):
    given, rows = LAYOUTS[layout](table), table.tolist()
    if 0 <= min(map(min, rows)) <= max(map(max, rows)) <= 255 and (wanted or 0) <= len(rows):
        found = check_palette(given, wanted)
        assert (found.dtype, found.tolist()) == (np.uint8, rows[:wanted])
    else:
        with pytest.raises(ValueError, match=r"`palette` must h(old|ave) "):
            check_palette(given, wanted)
