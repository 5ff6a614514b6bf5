import numpy as np

from keras_image_saver.picture.palette import shared_palette


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


def test_palette_of_grey_keeps_every_level():
    palette = shared_palette([np.zeros((2, 2, 1), np.uint8)])
    assert palette.transparent is None
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(palette.colors[palette.indices(image)], image.repeat(3, axis=2))
