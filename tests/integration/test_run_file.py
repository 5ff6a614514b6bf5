"""`run.json`, and how a run stands."""

import json
import os
import shutil
import time
import warnings

import numpy as np
import pytest
from PIL import Image
from support.models import BACKEND, keras, only_tensorflow
from support.recorded import recorded, tree
from support.training import PREDICTION, X, fit_x, untrained

from keras_image_saver import ImageSaver, Run, latents
from keras_image_saver.cli import main
from keras_image_saver.model.optimizers import about_training
from keras_image_saver.picture.decoder import read_explanation
from keras_image_saver.run import run_file
from keras_image_saver.run.writer import flush_all
from keras_image_saver.version import __version__


def about(folder):
    return json.loads((folder / "run.json").read_text(), parse_constant=pytest.fail)


def test_run_file_says_what_the_run_is(tmp_path):
    started = time.time()
    saver = ImageSaver(tmp_path / "{epoch:02d}.png", X, render=PREDICTION, columns=2, padding=3)
    fit_x(untrained(), saver)
    said = about(tmp_path)
    assert said["format"] == 1
    assert len(said["id"]) == 32
    assert said["state"] == "finished"
    assert started - 1 <= said["started"] <= time.time()
    versions = said["versions"]
    assert versions["keras_image_saver"] == __version__
    assert versions["backend"] == BACKEND
    assert versions["keras"][0] in "23"
    assert versions["tensorflow"].startswith("2.")
    assert versions[BACKEND]
    settings = said["settings"]
    assert settings["filepath"] == "{epoch:02d}.png"
    assert settings["render"]["class"] == "Images"
    assert settings["render"]["value_range"] == [0.0, 1.0]
    assert settings["render"]["panels"] == ["prediction"]
    assert (settings["columns"], settings["padding"], settings["pad_value"]) == (2, 3, None)
    assert said["samples"]["arrays"] == {"x": {"shape": [4, 8, 8, 1], "dtype": "float32"}}
    assert said["samples"]["count"] == 4


def test_run_file_says_what_trained_it_by_which_runs_differ(tmp_path):
    model = untrained()
    model.compile(keras.optimizers.Adam(2.5e-4, beta_1=0.5), "mse")
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    said = about(tmp_path)["training"]
    assert (said["model"], said["loss"]) == (type(model).__name__, "mse")
    assert said["parameters"] == model.count_params()
    optimizer = said["optimizers"]["optimizer"]
    assert optimizer["class"] == "Adam"
    assert (optimizer["learning_rate"], optimizer["beta_1"]) == (2.5e-4, 0.5)


def test_what_trains_is_read_without_the_warnings_of_keras(tmp_path):
    model = untrained()
    model.compile(keras.optimizers.Adam(2.5e-4), "mse")
    with warnings.catch_warnings():  # on JAX with NumPy 2, Keras's own reading of a variable warns
        warnings.simplefilter("error")
        said = about_training(model)
    assert said["optimizers"]["optimizer"]["learning_rate"] == 2.5e-4


def test_digest_tells_whether_two_runs_were_shown_the_same(tmp_path):
    given = {"a": X, "same": X.copy(), "other": X + 1, "fewer": X[:2]}
    for name, samples in given.items():
        fit_x(untrained(), ImageSaver(tmp_path / name, samples, render=PREDICTION), epochs=1)
    digests = {name: about(tmp_path / name)["samples"]["digest"] for name in given}
    assert digests["a"] == digests["same"]
    assert len(set(digests.values())) == 3


def test_run_file_is_written_as_the_run_begins_and_ends_and_not_at_a_snapshot(tmp_path):
    seen = []

    def look(epoch, logs=None):
        assert flush_all()
        seen.append((about(tmp_path)["state"], os.stat(tmp_path / "run.json").st_ino))

    callback = keras.callbacks.LambdaCallback(on_epoch_end=look)
    saver = ImageSaver(tmp_path, X)
    fit_x(untrained(), saver, callback, epochs=3)
    assert [state for state, _ in seen] == ["running"] * 3
    assert len({inode for _, inode in seen}) == 1
    assert Run.open(tmp_path).state == "finished"
    fit_x(untrained(), saver, callback, epochs=1)
    assert seen[-1][0] == "running"
    assert about(tmp_path)["state"] == "finished"


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif"])
def test_pictures_carry_the_runs_id(tmp_path, suffix):
    fit_x(untrained(), ImageSaver(tmp_path / f"{{epoch}}.{suffix}", X), epochs=1)
    run = Run.open(tmp_path)
    assert run.id == about(tmp_path)["id"]
    with open(tmp_path / f"1.{suffix}", "rb") as file:
        assert read_explanation(file)["run"] == run.id
    if suffix == "png":
        with Image.open(tmp_path / "1.png") as picture:
            assert picture.info["run"] == run.id


def test_resumed_run_keeps_its_id_and_what_is_not_known_of_it(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X))
    before = about(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(before | {"invented": {"a": [1]}, "state": "x"}))
    fit_x(model, ImageSaver(tmp_path / "{epoch}.png", X), initial_epoch=2, epochs=3)
    after = about(tmp_path)
    assert (after["id"], after["started"]) == (before["id"], before["started"])
    assert after["invented"] == {"a": [1]}
    assert after["state"] == "finished"
    assert after["templates"] == ["{epoch:04d}.png", "{epoch}.png"]
    fit_x(model, ImageSaver(tmp_path, X), epochs=1)
    assert about(tmp_path)["id"] != before["id"]
    assert about(tmp_path / "previous-1") == after


def test_run_of_the_first_version_is_read_and_gets_an_id_when_it_is_resumed(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X))
    (tmp_path / "run.json").unlink()
    run = Run.open(tmp_path)
    assert (run.id, run.state, len(run)) == ("", "", 2)
    fit_x(model, ImageSaver(tmp_path, X), initial_epoch=2, epochs=3)
    run = Run.open(tmp_path)
    assert (len(run.id), run.state, len(run)) == (32, "finished", 3)


@pytest.mark.parametrize(
    "content",
    [b"mine", b'{"id": 5}', b"[" * 200_000, b'{"format": 1, "id": "x", "versions": {}}'],
    ids=["text", "of another program", "brackets", "almost ours"],
)
def test_run_file_of_the_users_own_is_named_before_training_and_left(tmp_path, content):
    model = untrained()
    for initial_epoch in (0, 1):
        (tmp_path / "run.json").write_bytes(content)
        before = tree(tmp_path)
        with pytest.raises(ValueError, match=r"whose run\.json is of a run, got .*Move it away"):
            fit_x(model, ImageSaver(tmp_path, X), initial_epoch=initial_epoch)
        assert tree(tmp_path) == before
    (tmp_path / "run.json").unlink()
    fit_x(model, ImageSaver(tmp_path, X))
    (tmp_path / "run.json").write_bytes(content)
    with pytest.warns(UserWarning, match=r"run\.json is none that keras_image_saver wrote"):
        assert Run.open(tmp_path).state == ""


def test_run_file_of_a_newer_version_is_refused(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X))
    (tmp_path / "run.json").write_text(json.dumps(about(tmp_path) | {"format": 2}))
    before = tree(tmp_path)
    for initial_epoch in (0, 2):
        with pytest.raises(ValueError, match=r"run\.json in .* newer keras_image_saver \(format 2"):
            fit_x(model, ImageSaver(tmp_path, X), initial_epoch=initial_epoch, epochs=3)
    with pytest.raises(ValueError, match="newer keras_image_saver"):
        Run.open(tmp_path)
    assert tree(tmp_path) == before


# How it stands


def test_loop_that_raises_leaves_a_run_that_failed(tmp_path):
    saver = ImageSaver(tmp_path, X)
    with pytest.raises(ZeroDivisionError), saver.watch(untrained()):
        raise ZeroDivisionError
    assert Run.open(tmp_path).state == "failed"
    with saver.watch(untrained()):
        saver.save(epoch=0)
    assert Run.open(tmp_path).state == "finished"


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_interrupted_run_has_failed_once_another_saver_takes_its_folder(tmp_path):
    model, first = untrained(), ImageSaver(tmp_path, X)
    with pytest.raises(KeyboardInterrupt):
        fit_x(model, first, Stop(), epochs=3)
    assert about(tmp_path)["state"] == "running"
    fit_x(model, ImageSaver(tmp_path, X))
    assert Run.open(tmp_path / "previous-1").state == "failed"
    assert Run.open(tmp_path).state == "finished"


def test_folder_that_was_deleted_is_not_made_again_to_say_how_the_run_ended(tmp_path):
    folder = tmp_path / "run"
    with ImageSaver(folder, X).watch(untrained()) as saver:
        saver.save(epoch=0)
        assert flush_all()
        shutil.rmtree(folder)
    assert not folder.exists()
    with saver.watch(untrained()):
        saver.save(epoch=0)
        assert flush_all()
        assert about(folder)["state"] == "running"
    assert Run.open(folder).state == "finished"


def stand(folder, state, *ages):
    """Write a run whose snapshots were saved so many seconds ago."""
    said = {"format": 1, "id": "0" * 32, "versions": {"keras_image_saver": "1"}, "state": state}
    (folder / "run.json").write_text(json.dumps(said))
    entries = [
        {"epoch": epoch, "batch": 1, "step": epoch, "file": "a.png", "time": time.time() - age}
        for epoch, age in enumerate(ages, 1)
    ]
    lines = [json.dumps(entry) + "\n" for entry in entries]
    (folder / "snapshots.jsonl").write_text("".join(lines))
    return Run.open(folder).state


@pytest.mark.parametrize(
    ("state", "ages", "expected"),
    [
        ("running", (300, 200, 100), "running"),
        ("running", (900, 800, 700), "stopped"),
        ("running", (9000, 400, 300, 200), "running"),  # a pause does not count
        ("running", (9000,), "running"),  # too few to tell
        ("finished", (900, 800, 700), "finished"),
        ("failed", (3, 2, 1), "failed"),
    ],
)
def test_state_of_a_run_that_says_nothing_more_is_told_by_its_intervals(
    tmp_path, state, ages, expected
):
    assert stand(tmp_path, state, *ages) == expected


def test_info_prints_id_and_state(tmp_path, capsys):
    stand(tmp_path, "running", 900, 800, 700)
    assert main(["info", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "state     stopped" in printed
    assert f"id        {'0' * 32}" in printed


@only_tensorflow
def test_bystander_writes_no_run_file(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_image_saver.model.workers.check_writer", lambda trained: False)
    fit_x(untrained(), ImageSaver(tmp_path / "run", X))
    assert not (tmp_path / "run").exists()


def test_settings_are_plain_whatever_they_are(tmp_path):
    def render(batch):
        return {"prediction": batch.outputs}

    noise = latents(2, 4)
    predict = lambda model, z: np.zeros((len(z), 8, 8, 1), np.float32)  # noqa: E731
    saver = ImageSaver(tmp_path, noise, render=render, predict=predict)
    fit_x(untrained(), saver, epochs=1)
    settings = about(tmp_path)["settings"]
    assert "lambda" in settings["predict"]
    assert settings["render"]["class"]


class Interrupts(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_run_that_another_saver_resumed_and_finished_is_not_failed_at_exit(tmp_path):
    model = untrained()
    interrupted = ImageSaver(tmp_path, X, render=PREDICTION)
    with pytest.raises(KeyboardInterrupt):
        fit_x(model, interrupted, Interrupts(), epochs=3)
    saver = ImageSaver(tmp_path / "{epoch:04d}.jpg", X, render=PREDICTION)
    fit_x(model, saver, initial_epoch=1, epochs=2)
    run_file._fail_open()  # what the interpreter's exit calls
    assert about(tmp_path)["state"] == "finished"
    assert about(tmp_path)["templates"] == ["{epoch:04d}.png", "{epoch:04d}.jpg"]


def test_run_that_is_resumed_long_after_its_last_snapshot_is_running(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X, render=PREDICTION), epochs=3)
    record = tmp_path / "snapshots.jsonl"
    old = [json.loads(line) for line in record.read_text().splitlines()]
    record.write_text(
        "".join(json.dumps(one | {"time": 1e9 + 0.01 * n}) + "\n" for n, one in enumerate(old))
    )
    now = about(tmp_path) | {"state": "running", "resumed": time.time()}
    (tmp_path / "run.json").write_text(json.dumps(now))
    (tmp_path / "run.json").write_text(json.dumps(now | {"resumed": time.time() + 60}))
    assert Run.open(tmp_path).state == "running"
    (tmp_path / "run.json").write_text(json.dumps(now | {"resumed": 1e9}))
    assert Run.open(tmp_path).state == "stopped"


@pytest.mark.parametrize("kind", ["folder", "broken"])
def test_run_file_that_cannot_be_read_is_left_out_by_readers(tmp_path, kind):
    fit_x(untrained(), ImageSaver(tmp_path, X, render=PREDICTION), epochs=1)
    (tmp_path / "run.json").unlink()
    if kind == "folder":
        (tmp_path / "run.json").mkdir()
    else:
        (tmp_path / "run.json").write_text("[")
    with pytest.warns(UserWarning, match=r"run\.json is none that keras_image_saver wrote"):
        assert Run.open(tmp_path).state == ""


def test_interrupted_rehearsal_of_a_loop_lets_the_folder_go(tmp_path):
    def interrupted(model, inputs):
        raise KeyboardInterrupt

    model = untrained()
    saver = ImageSaver(tmp_path, X, render=PREDICTION, predict=interrupted)
    with pytest.raises(KeyboardInterrupt), saver.watch(model):
        pass
    with ImageSaver(tmp_path, X, render=PREDICTION).watch(model) as other:
        other.save(epoch=0)
    assert recorded(tmp_path) == [(1, "0001.png")]
