"""The names that a run gives its pictures, their format, and what stands in them."""

import copy
import json
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image
from support.models import assert_drawn, autoencoder, drawn, floats, names, tiles
from support.recorded import numbered, recorded
from support.training import PREDICTION, Meddler, X, fit, fit_x, untrained
from support.versions import AVIF_SUFFIX

import keras_image_saver
from keras_image_saver import ImageSaver

pytestmark = pytest.mark.once


def test_template_takes_log_keys_with_dots_and_slashes_and_makes_values_safe(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), untrained()
    values = {"val/mean.iou": np.float32(0.256), "tag": "a/b c", "deep.key": tf.constant(3)}
    meddler = Meddler("on_epoch_end", lambda epoch, logs: logs.update(values))
    path = tmp_path / "{epoch:02d}-{val/mean.iou:.2f}-{deep.key}-{tag}.png"
    fit(model, x, meddler, ImageSaver(path, x))
    assert names(tmp_path) == ["01-0.26-3-a_b_c.png", "02-0.26-3-a_b_c.png"]
    assert lines() == []


def test_template_with_a_missing_log_key_keeps_the_picture_and_says_so_once(tmp_path, lines):
    x, model = floats(4, 8, 8, 1), untrained()
    fit(model, x, ImageSaver(tmp_path / "{epoch:02d}-{val_los:.3f}.png", x), epochs=3)
    assert names(tmp_path) == ["01.png", "02.png", "03.png"]
    (line,) = lines()
    assert "val_los" in line
    assert "epoch, batch, step, loss" in line
    assert str(tmp_path / "01.png") in line


def test_template_may_put_fields_into_folders(tmp_path):
    x, model = floats(4, 8, 8, 1), untrained()
    fit(model, x, ImageSaver(tmp_path / "run" / "epoch-{epoch}" / "image.png", x))
    assert names(tmp_path) == ["run/epoch-1/image.png", "run/epoch-2/image.png"]


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif", "bmp", "gif", AVIF_SUFFIX])
def test_suffix_names_the_format(tmp_path, suffix):
    x, model = floats(4, 8, 8, 3), autoencoder(channels=3)
    saver = ImageSaver(tmp_path / f"{{epoch}}.{suffix}", x, render=PREDICTION, columns=4)
    fit(model, x, saver, epochs=1)
    with Image.open(tmp_path / f"1.{suffix}") as picture:
        assert picture.size == (138, 36)
        pixels = np.array(picture.convert("RGB"))
        kind = picture.format
    assert kind == {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    if suffix in ("webp", "tif", "bmp"):
        assert_drawn(tiles(pixels, 4, (8, 8), columns=4), drawn(model, x, (0, 1)))


def test_file_tells_its_epoch_step_logs_range_and_the_version(tmp_path):
    x, model = floats(4, 8, 8, 1), untrained()
    savers = [ImageSaver(tmp_path / end / f"{{epoch}}.{end}", x) for end in ("png", "jpg")]
    history = fit(model, x, *savers).history
    with Image.open(tmp_path / "png/2.png") as picture:
        text = dict(picture.text)
    with Image.open(tmp_path / "jpg/2.jpg") as picture:
        described = json.loads(picture.getexif()[ExifTags.Base.ImageDescription])
    assert (text["epoch"], text["batch"], text["step"]) == ("2", "2", "4")
    assert json.loads(text["logs"])["loss"] == pytest.approx(history["loss"][1])
    assert json.loads(text["value_range"]) == {"input": [0, 1], "prediction": [0, 1]}
    assert keras_image_saver.__version__ in text["Software"]
    assert (described["epoch"], described["step"]) == (2, 4)
    assert described["logs"]["loss"] == pytest.approx(history["loss"][1])


# Where the files are


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("run", "on_train_begin"),
        ("./run/{epoch:04d}.png", "on_epoch_begin"),
        ("file://run", "on_epoch_end"),
        ("{epoch:04d}.png", "on_train_begin"),
    ],
)
def test_relative_path_is_fixed_when_training_starts(tmp_path, monkeypatch, given, moment):
    home, away = tmp_path / "home {0}", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    saver = ImageSaver(given, X)
    monkeypatch.chdir(home)
    fit_x(untrained(), saver, Meddler(moment, lambda *_: os.chdir(away)), epochs=3)
    folder = home if given.startswith("{") else home / "run"
    assert recorded(folder) == numbered(1, 2, 3)
    assert list(away.iterdir()) == []
    # A copy is what the user wrote.
    monkeypatch.chdir(tmp_path)
    fit_x(untrained(), copy.deepcopy(saver), epochs=1)
    assert recorded(tmp_path if given.startswith("{") else tmp_path / "run") == numbered(1)


def test_relative_path_of_a_loop_of_ones_own_is_fixed_when_it_is_watched(tmp_path, monkeypatch):
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path)
    paths = []
    saver = ImageSaver("run", X, listeners=[lambda snapshot: paths.append(snapshot.path)])
    with saver.watch(untrained()):
        for epoch in range(2):
            monkeypatch.chdir(tmp_path / "away")
            saver.save(epoch=epoch)
    assert recorded(tmp_path / "run") == numbered(1, 2)
    assert paths == [f"{tmp_path}/run/0001.png", f"{tmp_path}/run/0002.png"]


def test_dot_in_a_folders_name_is_no_suffix(tmp_path):
    fit_x(untrained(), ImageSaver(tmp_path / "lr_0.01", X), epochs=1)
    assert recorded(tmp_path / "lr_0.01") == numbered(1)
    with pytest.raises(ValueError, match=r"must end in one of .*\.jpgg"):
        ImageSaver(tmp_path / "{epoch}.jpgg", X)


def test_path_that_is_too_long_is_refused_before_training(tmp_path):
    folder = tmp_path.joinpath(*["x" * 200] * 18)
    deep = "/".join(["{epoch:0200d}"] * 4)
    with pytest.raises(
        ValueError, match=r"`filepath` must lead to paths of at most \d+ bytes there"
    ):
        fit_x(untrained(), ImageSaver(f"{folder}/{deep}.png", X), epochs=1)


@pytest.mark.parametrize("out", [True, False], ids=["out of the folder", "inside"])
def test_subfolder_that_is_a_link_is_refused_where_it_leads_out(tmp_path, out):
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    for path in (folder / "inside", elsewhere):
        path.mkdir(parents=True)
    (folder / "0002").symlink_to(elsewhere if out else folder / "inside")
    (folder / "other").symlink_to(elsewhere)  # no snapshot goes there
    saver = ImageSaver(folder / "{epoch:04d}" / "a.png", X)
    if out:
        with pytest.raises(ValueError, match=r"got .*, where '0002' is a link that leads out"):
            fit_x(untrained(), saver, epochs=2)
        assert list(elsewhere.iterdir()) == []
    else:
        fit_x(untrained(), saver, epochs=2)
        assert recorded(folder) == [(1, "0001/a.png"), (2, "0002/a.png")]


def test_folder_that_is_itself_a_link_is_fine(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    fit_x(untrained(), ImageSaver(tmp_path / "link", X), epochs=1)
    assert recorded(tmp_path / "real") == numbered(1)
