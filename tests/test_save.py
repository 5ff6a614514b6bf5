"""`save_image`: "how do I write an image to a file?", decoded again."""

import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from PIL import Image
from support.versions import AVIF_SUFFIX

from keras_image_saver import save_image


def read(path, mode=None):
    with Image.open(path) as image:
        return np.asarray(image if mode is None else image.convert(mode))


GREY = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
GREY_BYTES = [[0, 64], [128, 255]]
RGB = np.array([[[0.0, 0.5, 1.0], [1.0, 0.0, 0.25]]], np.float32)
RGB_BYTES = [[[0, 128, 255], [255, 0, 64]]]


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "bmp"])
def test_save_image_writes_grey_and_rgb_exactly(tmp_path, suffix):
    save_image(tmp_path / f"grey.{suffix}", GREY)
    save_image(tmp_path / f"rgb.{suffix}", RGB)
    assert read(tmp_path / f"grey.{suffix}").tolist() == GREY_BYTES
    assert read(tmp_path / f"rgb.{suffix}").tolist() == RGB_BYTES


def test_save_image_writes_webp_exactly(tmp_path):
    save_image(tmp_path / "rgb.webp", RGB)
    assert read(tmp_path / "rgb.webp").tolist() == RGB_BYTES


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", AVIF_SUFFIX])
def test_save_image_writes_lossy_formats_closely(tmp_path, suffix):
    image = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[:, None], (32, 64, 3)[1::-1])
    for name, values in {"grey": image, "rgb": np.stack([image] * 3, -1)}.items():
        path = tmp_path / f"{name}.{suffix}"
        save_image(path, values)
        difference = np.abs(read(path, "L" if name == "grey" else "RGB") - values * 255)
        assert difference.max() <= 8


def test_save_image_is_right_where_the_naive_answer_is_not(tmp_path):
    """The common answer casts before it multiplies; all but pure white turns black."""
    naive = GREY.astype(np.uint8) * 255
    assert naive.tolist() == [[0, 0], [0, 255]]
    save_image(tmp_path / "a.png", GREY)
    assert read(tmp_path / "a.png").tolist() == GREY_BYTES


def test_save_image_of_a_grey_image_with_channel_axis_needs_no_squeeze(tmp_path):
    save_image(tmp_path / "a.png", GREY[..., None])
    assert read(tmp_path / "a.png").tolist() == GREY_BYTES


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        pytest.param("uint8", [0, 7, 255], [0, 7, 255], id="uint8"),
        pytest.param("int64", [0, 7, 255], [0, 7, 255], id="int64"),
        pytest.param("bool", [False, True, True], [0, 255, 255], id="bool"),
        pytest.param("float16", [0, 0.5, 1], [0, 128, 255], id="float16"),
        pytest.param("float64", [0, 0.5, 1], [0, 128, 255], id="float64"),
        pytest.param(ml_dtypes.bfloat16, [0, 0.5, 1], [0, 128, 255], id="bfloat16"),
    ],
)
def test_save_image_of_any_dtype_writes_it(tmp_path, dtype, values, expected):
    save_image(tmp_path / "a.png", np.array([values]).astype(dtype))
    assert read(tmp_path / "a.png").tolist() == [expected]


def test_save_image_with_value_range_maps_by_it(tmp_path):
    save_image(tmp_path / "a.png", np.array([[-1.0, 0.0, 1.0]]), value_range=(-1, 1))
    assert read(tmp_path / "a.png").tolist() == [[0, 128, 255]]


def test_save_image_of_an_opencv_image_reversed_is_right(tmp_path):
    bgr = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)  # blue, red
    save_image(tmp_path / "a.png", bgr[..., ::-1])
    assert read(tmp_path / "a.png").tolist() == [[[0, 0, 255], [255, 0, 0]]]


def test_save_image_of_rgba_keeps_alpha(tmp_path):
    save_image(tmp_path / "a.png", np.array([[[255, 0, 7, 128]]], np.uint8))
    assert read(tmp_path / "a.png").tolist() == [[[255, 0, 7, 128]]]


def test_save_image_of_a_batch_writes_a_grid(tmp_path):
    images = np.arange(1, 4, dtype=np.uint8).reshape(3, 1, 1, 1)
    save_image(tmp_path / "a.png", images, padding=1, pad_value=9)
    assert read(tmp_path / "a.png").tolist() == [
        [9, 9, 9, 9, 9],
        [9, 1, 9, 2, 9],
        [9, 9, 9, 9, 9],
        [9, 3, 9, 9, 9],
        [9, 9, 9, 9, 9],
    ]


def test_save_image_of_a_batch_of_one_keeps_its_padding(tmp_path):
    save_image(tmp_path / "a.png", np.full((1, 1, 1, 3), 255, np.uint8))
    assert read(tmp_path / "a.png").shape == (5, 5, 3)


def test_save_image_with_columns_puts_so_many_in_a_row(tmp_path):
    images = np.arange(1, 4, dtype=np.uint8).reshape(3, 1, 1, 1)
    save_image(tmp_path / "a.png", images, columns=3, padding=0)
    assert read(tmp_path / "a.png").tolist() == [[1, 2, 3]]


def test_save_image_of_clipped_values_warns_once_at_the_caller(tmp_path):
    with pytest.warns(UserWarning, match=r"50\.0% .*value_range=\(0, 1\).*from 0 to 2") as caught:
        save_image(tmp_path / "a.png", np.array([[0.0, 2.0]]))
    assert [warning.filename for warning in caught] == [__file__]
    assert read(tmp_path / "a.png").tolist() == [[0, 255]]


def test_save_image_of_nan_is_magenta_and_warns(tmp_path):
    with pytest.warns(UserWarning, match="1 pixels of the image are NaN"):
        save_image(tmp_path / "a.png", np.array([[np.nan, 1.0]]))
    assert read(tmp_path / "a.png").tolist() == [[[255, 0, 255], [255, 255, 255]]]


def test_save_image_makes_folders_and_replaces_files(tmp_path):
    path = tmp_path / "a" / "b" / "c.png"
    save_image(path, np.zeros((2, 2), np.uint8))
    save_image(str(path), np.ones((1, 1), np.uint8))
    assert read(path).tolist() == [[1]]
    assert [file.name for file in path.parent.iterdir()] == ["c.png"]


def test_save_image_expands_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save_image("~/a.png", np.ones((1, 1), np.uint8))
    assert read(tmp_path / "a.png").tolist() == [[1]]


def test_save_image_does_not_take_braces_for_a_template(tmp_path):
    save_image(tmp_path / "{epoch}.png", np.ones((1, 1), np.uint8))
    assert read(tmp_path / "{epoch}.png").tolist() == [[1]]


def test_save_image_with_encoder_options_uses_them(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for quality in (90, 10):
        options = {"quality": quality}
        save_image(tmp_path / f"{quality}.jpg", image, encoder_options=options)
    assert (tmp_path / "90.jpg").stat().st_size > 2 * (tmp_path / "10.jpg").stat().st_size


def test_save_image_leaves_the_callers_array(tmp_path):
    image = np.array([[np.nan, 2.0, -1.0]], np.float32)
    before = image.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        save_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("name", "images", "arguments", "error", "shown"),
    [
        pytest.param("a.tga", GREY, {}, ValueError, r"`filepath` .*\.png.*a\.tga", id="suffix"),
        pytest.param("a", GREY, {}, ValueError, "`filepath` must end in", id="no suffix"),
        pytest.param(
            "a.png", np.zeros((2, 2, 2)), {}, ValueError, r"`images` .*\(2, 2, 2\)", id="2 channels"
        ),
        pytest.param(
            "a.png", np.zeros((9, 2, 2)), {}, ValueError, r"\(9, 2, 2\).*\[\.\.\., None\]", id="NHW"
        ),
        pytest.param(
            "a.png", np.zeros((3, 9, 9)), {}, ValueError, r"\(3, 9, 9\).*channels first", id="CHW"
        ),
        pytest.param(
            "a.png", np.zeros((0, 2, 2, 3)), {}, ValueError, r"\(0, 2, 2, 3\)", id="no images"
        ),
        pytest.param("a.png", np.zeros(3), {}, ValueError, r"`images` .*\(3,\)", id="vector"),
        pytest.param("a.png", np.full((2, 2), None), {}, TypeError, "object", id="objects"),
        pytest.param(
            "a.png", GREY, {"value_range": (1, 0)}, ValueError, r"got \(1, 0\)", id="range"
        ),
        pytest.param("a.png", GREY, {"columns": 0}, ValueError, "`columns` .*got 0", id="columns"),
        pytest.param(
            "a.png", GREY, {"padding": -1}, ValueError, "`padding` .*got -1", id="padding"
        ),
        pytest.param("a.png", GREY, {"pad_value": 300}, ValueError, "got 300", id="pad_value"),
        pytest.param(
            "a.png", GREY, {"encoder_options": {"quality": 9}}, ValueError, "'quality'", id="option"
        ),
        pytest.param(
            "a.jpg", np.zeros((2, 2, 4), np.uint8), {}, ValueError, "JPEG has no alpha", id="RGBA"
        ),
        pytest.param(
            "a.webp", np.zeros((1, 16_384), np.uint8), {}, ValueError, "16383.*16384", id="size"
        ),
    ],
)
def test_save_image_with_invalid_argument_shows_it_and_writes_nothing(
    tmp_path, name, images, arguments, error, shown
):
    with pytest.raises(error, match=shown):
        save_image(tmp_path / "new" / name, images, **arguments)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_save_image_that_fails_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.jpg"
    save_image(path, np.full((8, 8), 255, np.uint8))
    with pytest.raises(ValueError, match="JPEG has no alpha"):
        save_image(path, np.zeros((2, 2, 4), np.uint8))
    assert read(path).shape == (8, 8)


def test_save_image_where_a_file_is_in_the_way_fails(tmp_path):
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(OSError, match="runs"):
        save_image(tmp_path / "runs" / "a.png", GREY)


def test_save_image_to_a_url_as_a_path_object_is_refused(tmp_path, monkeypatch):
    """pathlib makes gs:/bucket of gs://bucket, which would be a local folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"`filepath` must be a str for a URL.*gs:/bucket"):
        save_image(Path("gs://bucket/a.png"), GREY)
    assert list(tmp_path.iterdir()) == []
