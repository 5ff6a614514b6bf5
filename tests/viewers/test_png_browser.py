"""Chromium draws what is written, still and animated."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from support.browser import in_browser
from support.pngs import CONTENTS, SIZES, as_read, deflaters, picture, written

pytestmark = in_browser

# A canvas is at most so large.
DRAWN = [size for size in SIZES if max(size) < 16_384]
DRAW = """
    async (source) => {
        const image = new Image();
        image.src = "data:image/png;base64," + source;
        await image.decode();
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = canvas.getContext("2d", { colorSpace: "srgb" });
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const parts = [];
        for (let at = 0; at < data.length; at += 8192)
            parts.push(String.fromCharCode.apply(null, data.subarray(at, at + 8192)));
        return [canvas.height, canvas.width, btoa(parts.join(""))];
    }
"""


@pytest.fixture(scope="module")
def draw(context):
    """A function that draws a PNG's bytes to a canvas and reads its pixels: uint8 (H, W, 4)."""
    page = context.new_page()

    def drawn(data):
        height, width, text = page.evaluate(DRAW, base64.b64encode(data).decode("ascii"))
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)

    yield drawn
    page.close()


@deflaters
@pytest.mark.parametrize("content", CONTENTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_drawn_as_it_was(deflater, draw, content, channels):
    for size in DRAWN:
        pixels = picture(size, channels, content)
        found = draw(written(pixels))
        np.testing.assert_array_equal(found[..., :3], np.broadcast_to(pixels, (*size, 3)))
        assert (found[..., 3] == 255).all()


@deflaters
@pytest.mark.parametrize("content", CONTENTS, ids=lambda one: one.__name__)
def test_png_with_alpha_is_drawn_as_that_of_pillow(deflater, draw, content):
    """A canvas keeps colours times alpha, so its pixels are not those of the file."""
    for size in DRAWN:
        pixels = picture(size, 4, content)
        file = io.BytesIO()
        Image.fromarray(as_read(pixels)).save(file, "PNG")
        np.testing.assert_array_equal(draw(written(pixels)), draw(file.getvalue()))


@pytest.mark.parametrize("size", [(1, 65_535), (65_535, 1)], ids=str)
@deflaters
def test_png_with_a_long_side_is_decoded(deflater, context, size):
    page = context.new_page()
    source = base64.b64encode(written(picture(size, 3, CONTENTS[0]))).decode("ascii")
    found = page.evaluate(
        """
        async (source) => {
            const image = new Image();
            image.src = "data:image/png;base64," + source;
            await image.decode();
            return [image.naturalHeight, image.naturalWidth];
        }
        """,
        source,
    )
    page.close()
    assert tuple(found) == size
