import io
import struct

import numpy as np
import pytest
from PIL import Image

from keras_image_saver.picture import animation
from keras_image_saver.picture.animation import durations, in_order, shared_palette, write_animation

KINDS = ["GIF", "PNG", "WEBP"]


def frames(*values, size=(6, 10), channels=3):
    return [np.full((*size, channels), value, np.uint8) for value in values]


def written(images, kind, **options):
    file = io.BytesIO()
    timed = [(image, 100) for image in images]
    palette = shared_palette(images) if kind == "GIF" else None
    write_animation(file, timed, kind, probe=images[-1], palette=palette, **options)
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_animation_of_what_did_not_change_is_small(kind):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    changed = image.copy()
    changed[10:12, 20:22] = 0
    sizes = [len(written([image] * count + [changed], kind).getvalue()) for count in (1, 21)]
    assert sizes[1] - sizes[0] < 20 * 200


def test_animated_png_numbers_its_chunks_and_counts_its_frames():
    content = written(frames(1, 2, 3), "PNG").getvalue()
    at, numbers, names = 8, [], []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        name = content[at + 4 : at + 8]
        names.append(name.decode())
        if name == b"acTL":
            assert struct.unpack_from(">II", content, at + 8) == (3, 0)
        if name in (b"fcTL", b"fdAT"):
            numbers += struct.unpack_from(">I", content, at + 8)
        at += 12 + size
    assert names == ["IHDR", "acTL", "fcTL", "IDAT", *["fcTL", "fdAT"] * 2, "IEND"]
    assert numbers == list(range(5))


def test_animated_webp_states_its_size():
    content = written(frames(1, 2, 3), "WEBP").getvalue()
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    at, names = 12, []
    while at < len(content):
        names.append(content[at : at + 4].decode())
        (size,) = struct.unpack_from("<I", content, at + 4)
        at += 8 + size + size % 2
    assert names == ["VP8X", "ANIM", "ANMF", "ANMF", "ANMF"]


def test_animated_gif_leaves_pixels_that_did_not_change_transparent():
    first = np.random.default_rng(0).integers(0, 3, (40, 40, 3), dtype=np.uint8) * 100
    second = first.copy()
    second[[0, -1]] ^= 255
    size = [len(written(each, "GIF").getvalue()) for each in ([first], [first, second])]
    assert size[1] < 1.4 * size[0]


def test_animated_gif_without_a_palette_takes_one_from_the_probe():
    file = io.BytesIO()
    images = frames(100, 200)
    write_animation(file, [(image, 100) for image in images], "GIF", probe=images[-1])
    with Image.open(file) as picture:
        assert picture.n_frames == 2
        picture.seek(1)
        assert picture.convert("RGB").getpixel((0, 0)) == (200, 200, 200)


def test_palette_of_few_colors_has_them_all_and_white_black_and_magenta():
    colors = np.random.default_rng(1).integers(0, 32, (252, 3), dtype=np.uint8) * 8
    palette = shared_palette([colors[np.newaxis, :100], colors[np.newaxis, 100:]])
    there = {tuple(color) for color in palette.colors.tolist()}
    wanted = {tuple(color) for color in colors.tolist()}
    assert there == wanted | {(0, 0, 0), (255, 255, 255), (255, 0, 255)}
    assert palette.transparent == 255
    indices = palette.indices(colors[np.newaxis])
    np.testing.assert_array_equal(palette.colors[indices[0]], colors)
    assert indices.max() < 255


def test_palette_never_maps_to_the_transparent_index():
    image = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image[:8] = 0
    assert shared_palette([image]).indices(image).max() < 255


@pytest.mark.parametrize("fps", [0.5, 3, 7, 10, 24, 30, 33.3, 50])
@pytest.mark.parametrize("kind", KINDS)
def test_durations_add_up_to_a_tick_and_are_whole_ticks(kind, fps):
    found = durations(100, fps, 0, kind)
    tick = animation.TICK_MS[kind]
    assert all(each > 0 and each % tick == 0 for each in found)
    assert sum(found) == pytest.approx(100_000 / fps, abs=tick / 2)


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


def test_still_gif_gives_its_pixels_past_extensions_and_with_any_palette():
    picture = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    found = []
    for options in ({}, {"duration": 50, "comment": b"of any length" * 40}):
        file = io.BytesIO()
        picture.save(file, "GIF", optimize=False, interlace=0, **options)
        found.append(animation._lzw(file.getvalue()))
    assert found[0] == found[1]
