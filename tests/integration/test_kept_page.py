"""The page that a run keeps beside its pictures; `tests/viewers` looks at it in a browser."""

import json
import re

import pytest
import tensorflow as tf
from support.models import floats
from support.storage import replacing
from support.training import untrained

from keras_image_saver import ImageSaver, Run, latents, write_page
from keras_image_saver.run.writer import flush_all
from keras_image_saver.viewers.page import page_html

pytestmark = pytest.mark.once

X = floats(4, 8, 8, 1)


def fit(saver, epochs=2, model=None, **kwargs):
    model = model or untrained()
    model.fit(X, X, batch_size=2, epochs=epochs, verbose=0, callbacks=[saver], **kwargs)
    return model


def epochs(folder):
    """What the page of a folder shows."""
    assert (folder / "index.html").read_text("utf-8") == page_html()
    return of_script((folder / "snapshots.js").read_text("ascii"))


def of_script(text):
    data = re.search(r'kerasImageSaver\("newest", (".*")\);', text)[1]
    return [entry["epoch"] for entry in json.loads(json.loads(data))["entries"]]


@pytest.mark.parametrize("background", [False, True])
def test_page_is_kept_by_default(tmp_path, background):
    saver = ImageSaver(tmp_path, X, background=background)
    model = fit(saver)
    assert epochs(tmp_path) == [1, 2]
    fit(saver, epochs=1, model=model)
    assert epochs(tmp_path) == [1, 2, 3]
    fit(ImageSaver(tmp_path, X, background=background), 4, model, initial_epoch=2)
    assert epochs(tmp_path) == [1, 2, 3, 4]


def test_page_false_writes_none_and_write_page_makes_it_up(tmp_path):
    fit(ImageSaver(tmp_path, X, page=False))
    assert not (tmp_path / "index.html").exists()
    assert not (tmp_path / "snapshots.js").exists()
    assert write_page(tmp_path) == f"{tmp_path}/index.html"
    assert epochs(tmp_path) == [1, 2]


@pytest.mark.parametrize("page", [False, True])
def test_page_goes_with_a_run_that_is_set_aside_or_deleted(tmp_path, page):
    model = fit(ImageSaver(tmp_path, X), 3)
    fit(ImageSaver(tmp_path, X, page=page), 1, model)
    assert epochs(tmp_path / "previous-1") == [1, 2, 3]
    assert (tmp_path / "index.html").exists() == page
    fit(ImageSaver(tmp_path, X, previous="delete", page=page), 2, model)
    assert not (tmp_path / "previous-2").exists()
    if page:
        assert epochs(tmp_path) == [1, 2]
    else:
        assert not (tmp_path / "snapshots.js").exists()


def test_page_of_a_failed_start_is_that_of_the_earlier_run(tmp_path):
    fit(ImageSaver(tmp_path, X))
    with pytest.raises(ValueError, match="`value_range` must be given"):
        fit(ImageSaver(tmp_path, X), model=untrained(activation=None))
    assert epochs(tmp_path) == [1, 2]


def test_index_html_that_is_not_ours_is_left_alone_and_said_once(tmp_path, caplog):
    (tmp_path / "index.html").write_text("mine")
    fit(ImageSaver(tmp_path, X), 3)
    assert (tmp_path / "index.html").read_text() == "mine"
    assert len(Run.open(tmp_path)) == 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert "There is no page of this run" in line
    assert "pass page=False" in line


def test_page_that_cannot_be_written_harms_neither_training_nor_snapshots(tmp_path, caplog):
    def failing(path, replace):
        if path.endswith((".html", ".js")):
            raise PermissionError(13, "Permission denied")
        replace()

    with replacing(failing):
        fit(ImageSaver(tmp_path, X, on_error="raise"), 3)
    assert [one.epoch for one in Run.open(tmp_path)] == [1, 2, 3]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "could not be written: [Errno 13] Permission denied" in line


def test_page_of_a_remote_run_is_written_there():
    url = "ram://test_page/run"
    fit(ImageSaver(url, X))
    assert tf.io.gfile.GFile(f"{url}/index.html").read().rstrip("\0") == page_html()
    assert of_script(tf.io.gfile.GFile(f"{url}/snapshots.js").read()) == [1, 2]


def test_page_of_a_loop_of_ones_own(tmp_path):
    saver = ImageSaver(tmp_path / "{epoch}.png", latents(2, 4), model=None)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((4,)),
            tf.keras.layers.Dense(12, activation="sigmoid"),
            tf.keras.layers.Reshape((2, 2, 3)),
        ]
    )
    with saver.watch(model):
        assert flush_all()
        assert epochs(tmp_path) == []  # it may be opened before the first snapshot
        saver.save(epoch=0, logs={"loss": float("nan")})
    assert epochs(tmp_path) == [1]
