import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from keras_image_saver.picture.animation import cut_pieces, durations, in_order, write_animation
from keras_image_saver.picture.formats import ANIMATED, GIF, PNG

EVERY_FORMAT = pytest.mark.parametrize("kind", ANIMATED, ids=lambda kind: kind.name)


def written(images, kind):
    file = io.BytesIO()
    write_animation(file, [(image, 100) for image in images], kind, probes=images)
    return file


@EVERY_FORMAT
def test_animation_of_what_did_not_change_is_small(kind):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    changed = image.copy()
    changed[10:12, 20:22] = 0
    sizes = [len(written([image] * count + [changed], kind).getvalue()) for count in (1, 21)]
    assert sizes[1] - sizes[0] < 20 * 200


def test_animated_gif_of_one_probe_takes_its_palette_from_that():
    file = io.BytesIO()
    images = [np.full((6, 10, 3), value, np.uint8) for value in (100, 200)]
    write_animation(file, [(image, 100) for image in images], GIF, probes=images[-1:])
    with Image.open(file) as picture:
        assert picture.n_frames == 2
        picture.seek(1)
        assert picture.convert("RGB").getpixel((0, 0)) == (200, 200, 200)


def test_animation_without_options_takes_the_smallest_trial():
    image = np.random.default_rng(0).integers(0, 4, (64, 64, 3), dtype=np.uint8) * 80
    kinds = [replace(PNG, settings=trial, trials=()) for trial in PNG.trials]
    tried = [len(written([image], kind).getvalue()) for kind in kinds]
    assert tried[0] != tried[1]
    assert len(written([image], PNG).getvalue()) == min(tried)


@pytest.mark.parametrize("fps", [0.5, 3, 7, 10, 24, 30, 33.3, 50])
@EVERY_FORMAT
def test_durations_add_up_to_a_tick_and_are_whole_ticks(kind, fps):
    tick = kind.tick_ms
    found = durations(100, fps, 0, tick)
    assert all(each > 0 and each % tick == 0 for each in found)
    assert sum(found) == pytest.approx(100_000 / fps, abs=tick / 2)


def test_durations_hold_the_last_frame_at_least_as_long_as_the_others():
    assert durations(3, 10, 1.5, tick_ms=10) == [100, 100, 1500]
    assert durations(3, 10, 0, tick_ms=10) == [100, 100, 100]


@pytest.mark.parametrize("corner_step", [1, 2])
def test_cut_pieces_are_the_box_of_what_changed_at_an_allowed_corner(corner_step):
    first = np.zeros((8, 9, 3), np.uint8)
    second = first.copy()
    second[3, 5], second[4, 7] = 1, 2
    whole, box, same = cut_pieces([(first, 10), (second, 20), (second, 30)], corner_step)
    assert (whole.y, whole.x, whole.duration_ms) == (0, 0, 10)
    assert not whole.kept.any()
    y, x = (3, 5) if corner_step == 1 else (2, 4)
    assert (box.y, box.x, box.duration_ms) == (y, x, 20)
    np.testing.assert_array_equal(box.pixels, second[y:5, x:8])
    np.testing.assert_array_equal(box.kept, (second[y:5, x:8] == 0).all(axis=-1))
    assert (same.y, same.x, same.pixels.shape, same.duration_ms) == (0, 0, (1, 1, 3), 30)


def test_in_order_keeps_the_order_and_stays_a_few_ahead():
    begun = []

    def items():
        for number in range(100):
            begun.append(number)
            yield number

    found = in_order(lambda number: number * 2, items())
    assert [next(found) for _ in range(3)] == [0, 2, 4]
    assert len(begun) < 20
    assert list(found) == list(range(6, 200, 2))


def test_in_order_raises_where_its_function_does():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda number: 1 // number, [1, 0, 1]))
