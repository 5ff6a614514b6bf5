"""A run over several objects, processes and copies, and what its record tells."""

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest
import tensorflow as tf
from support.models import BACKEND, Counter, autoencoder, floats, gan, names, only_tensorflow
from support.recorded import numbered, recorded, tree
from support.training import Meddler, X, fit, fit_x, untrained

from keras_image_saver import ImageSaver, Run, latents
from keras_image_saver.run.writer import flush_all

keras = tf.keras

pytestmark = [
    # Keras 3's own on PyTorch, which `pytest.warns` gives again without saying whose it is.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
    # Keras Tuner imports what Python 3.13 removes; its own models say how they save.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*"),
]


# One object is one run, a new one begins another


def test_second_fit_of_one_object_goes_on_with_its_record(tmp_path):
    model, saver = autoencoder(), ImageSaver(tmp_path, X)
    losses = fit_x(model, saver).history["loss"] + fit_x(model, saver, epochs=1).history["loss"]
    assert recorded(tmp_path) == numbered(1, 2, 3)
    saved = list(Run.open(str(tmp_path)))
    assert [one.step for one in saved] == [2, 4, 6]
    assert [one.logs["loss"] for one in saved] == losses
    assert [one.geometry["count"] for one in saved] == [4, 4, 4]


def test_new_object_sets_the_earlier_run_aside_with_its_subfolders(tmp_path):
    model, path = untrained(), tmp_path / "{epoch}" / "image.png"
    fit_x(model, ImageSaver(path, X), epochs=3)
    (tmp_path / "notes.txt").write_text("mine")
    fit_x(model, ImageSaver(path, X[:2]))
    fit_x(model, ImageSaver(path, X), epochs=1)
    assert recorded(tmp_path / "previous-1") == [(n, f"{n}/image.png") for n in (1, 2, 3)]
    assert recorded(tmp_path / "previous-2") == [(n, f"{n}/image.png") for n in (1, 2)]
    assert recorded(tmp_path) == [(1, "1/image.png")]
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with np.load(tmp_path / "previous-2" / "samples.npz") as kept:
        np.testing.assert_array_equal(kept["x"], X[:2])


def test_new_object_deletes_the_earlier_run_where_told_to(tmp_path):
    model = untrained()
    fit_x(model, ImageSaver(tmp_path, X), epochs=3)
    (tmp_path / "photo.png").write_text("mine")
    fit_x(model, ImageSaver(tmp_path, X, previous="delete"), epochs=1)
    assert names(tmp_path) == ["0001.png", "photo.png"]
    assert recorded(tmp_path) == numbered(1)


def test_failed_start_leaves_the_earlier_run_where_it_is(tmp_path):
    fit_x(untrained(), ImageSaver(tmp_path, X))
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="`value_range` must be given"):
        fit_x(untrained(activation=None), ImageSaver(tmp_path, X))
    assert tree(tmp_path) == before


def test_object_whose_folder_another_has_taken_over_says_so(tmp_path):
    model, first = untrained(), ImageSaver(tmp_path, X)
    fit_x(model, first)
    fit_x(model, ImageSaver(tmp_path, X))
    before, counter = tree(tmp_path), Counter()
    with pytest.raises(ValueError, match=r"another run has begun since .*Use a new ImageSaver"):
        fit_x(model, counter, first)
    assert counter.batches == 0
    assert tree(tmp_path) == before


def test_loop_of_ones_own_that_counts_steps_has_each_in_its_record(tmp_path):
    with ImageSaver(tmp_path / "{step:06d}.png", X).watch(untrained()) as saver:
        for step in range(3):
            saver.save(step=step, logs={"loss": step})
    saved = list(Run.open(str(tmp_path)))
    assert [(one.step, one.logs["loss"]) for one in saved] == [(1, 0), (2, 1), (3, 2)]
    assert [os.path.basename(one.path) for one in saved] == [f"00000{n}.png" for n in (1, 2, 3)]


# Records that are refused


@pytest.mark.parametrize("options", [{}, {"previous": "delete"}], ids=["keep", "delete"])
@pytest.mark.parametrize("initial_epoch", [0, 1], ids=["begins", "resumes"])
def test_record_of_a_newer_version_is_refused_and_nothing_changes(tmp_path, options, initial_epoch):
    entry = {"format": 2, "epoch": 1, "batch": 2, "step": 2, "file": "0001.png", "new": [1]}
    (tmp_path / "snapshots.jsonl").write_text(json.dumps(entry) + "\n")
    (tmp_path / "0001.png").write_text("a picture")
    before, counter = tree(tmp_path), Counter()
    saver = ImageSaver(tmp_path, X, **options)
    message = "written by a newer keras_image_saver .*Upgrade the package, or use another folder"
    with pytest.raises(ValueError, match=message):
        fit_x(untrained(), counter, saver, initial_epoch=initial_epoch)
    assert counter.batches == 0
    assert tree(tmp_path) == before
    with pytest.raises(ValueError, match=r"format 2, this one reads 1"):
        Run.open(str(tmp_path))


def test_two_savers_of_one_fit_in_one_folder_are_refused_before_training(tmp_path):
    counter = Counter()
    first = ImageSaver(tmp_path / "run", X)
    second = ImageSaver(tmp_path / "run" / "b-{epoch}.png", X)
    with pytest.raises(
        ValueError, match=r"no other saver writes to, got .*run.*another ImageSaver"
    ):
        fit_x(untrained(), counter, first, second)
    assert counter.batches == 0
    assert names(tmp_path) == []
    fit_x(untrained(), second)  # the first one's training has ended
    assert recorded(tmp_path / "run") == [(1, "b-1.png"), (2, "b-2.png")]


def test_savers_of_nested_folders_leave_one_another_alone(tmp_path):
    started = []

    def start_the_outer(epoch, logs):
        if epoch == 1:
            half_written = tmp_path / "inner" / ".keras_image_saver-0.tmp"
            half_written.write_text("")
            (tmp_path / ".keras_image_saver-1.tmp").write_text("")
            fit_x(untrained(), ImageSaver(tmp_path / "{epoch}.png", X), epochs=1)
            started.append(half_written.exists())
            half_written.unlink()

    inner = ImageSaver(tmp_path / "inner", X)
    fit_x(untrained(), inner, Meddler("on_epoch_begin", start_the_outer), epochs=2)
    assert started == [True]
    assert recorded(tmp_path) == [(1, "1.png")]
    assert recorded(tmp_path / "inner") == numbered(1, 2)
    assert not (tmp_path / ".keras_image_saver-1.tmp").exists()


OTHER = """
    import sys
    from keras_image_saver.run.lock import Lock, next_order
    from keras_image_saver.run.writer import Background
    held = Lock(sys.argv[1], Background(print), print, scoped=False)
    held.acquire(next_order())
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted there")
@pytest.mark.parametrize("folders", [1, 12])
def test_fits_that_raise_in_threads_lock_no_folder_and_leave_no_open_file(tmp_path, folders):
    x, model = floats(4, 8, 8, 1), untrained()
    fit(model, x, epochs=1)
    savers, failed = [], []

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyError("stop")

    def train(number):
        savers.append(ImageSaver(tmp_path / str(number % folders), x))
        try:
            fit(model, x, savers[-1], Stop())
        except KeyError:
            failed.append(number)

    counts = []
    for number in range(12):
        thread = threading.Thread(target=train, args=(number,))
        thread.start()
        thread.join()
        assert flush_all()
        counts.append(len(os.listdir("/proc/self/fd")))
    assert failed == list(range(12))
    assert max(counts[1:]) <= counts[0]


def test_second_process_is_refused_before_it_trains(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OTHER), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    counter, saver = Counter(), ImageSaver(tmp_path, X)
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="which another process uses"):
            fit_x(untrained(), counter, saver)
    finally:
        process.kill()
        process.communicate()
    assert counter.batches == 0
    assert names(tmp_path) == []
    fit_x(untrained(), saver)  # a killed process leaves no lock
    assert recorded(tmp_path) == numbered(1, 2)


# Copies


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"]
)
def test_copies_taken_before_during_and_after_training_begin_runs_of_their_own(tmp_path, copied):
    model = autoencoder()
    saver = ImageSaver(tmp_path, X, every_batches=1, save_initial=True)
    copies = [copied(saver)]
    taker = Meddler("on_train_batch_end", lambda batch, logs: copies.append(copied(saver)))
    fit_x(model, saver, taker, epochs=1)
    copies.append(copied(saver))
    expected = ["00000000.png", "00000001.png", "00000002.png"]
    assert [file for _, file in recorded(tmp_path)] == expected
    assert len(copies) == 4
    for number, one in enumerate(copies, 1):
        fit_x(model, one, epochs=1)
        assert [file for _, file in recorded(tmp_path)] == expected
        assert [file for _, file in recorded(tmp_path / f"previous-{number}")] == expected
    fit_x(model, copies[-1], epochs=1)  # and go on with them
    assert len(recorded(tmp_path)) == 5


@only_tensorflow
def test_copies_of_a_gans_callback_name_its_generator(tmp_path):
    saver = ImageSaver(tmp_path, latents(3, 4), model="generator")
    real = floats(4, 8, 8, 3, low=-1)
    for one in (saver, copy.deepcopy(saver)):
        gan().fit(real, batch_size=2, epochs=1, verbose=0, callbacks=[one])
    assert recorded(tmp_path) == numbered(1)
    assert recorded(tmp_path / "previous-1") == numbered(1)


# It deep-copies callbacks without asking which backend there is.
@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras Tuner does the same on every backend")
def test_keras_tuners_search_keeps_the_run_of_each_trial(tmp_path, monkeypatch):
    saver = ImageSaver(tmp_path / "run", X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras_tuner = pytest.importorskip("keras_tuner")
        # It wants TensorBoard installed, for callbacks of another kind.
        monkeypatch.setattr(
            keras_tuner.Tuner, "_configure_tensorboard_dir", lambda *arguments: None
        )

        def build(parameters):
            model = autoencoder()
            rate = parameters.Choice("rate", [0.1, 0.01, 0.001])
            model.compile(keras.optimizers.SGD(rate), "mse")
            return model

        tuner = keras_tuner.GridSearch(
            build, objective="loss", max_trials=2, directory=tmp_path / "tuner", project_name="ae"
        )
        tuner.search(X, X, epochs=2, verbose=0, callbacks=[saver])
    for folder in ("run/previous-1", "run"):
        assert recorded(tmp_path / folder) == numbered(1, 2)


def test_deep_copies_as_keras_tuner_takes_them_keep_the_run_of_each_trial(tmp_path):
    saver = ImageSaver(tmp_path, X)
    for _ in range(3):
        fit_x(untrained(), *copy.deepcopy([saver]))
    for folder in (tmp_path / "previous-1", tmp_path / "previous-2", tmp_path):
        assert recorded(folder) == numbered(1, 2)


# Places that are no plain path


def test_file_url_is_a_local_run(tmp_path):
    url = f"file://{tmp_path}/run"
    model = untrained()
    fit_x(model, ImageSaver(url, X))
    fit_x(model, ImageSaver(url, X), initial_epoch=2, epochs=3)
    assert [(one.epoch, one.path) for one in Run.open(url)] == [
        (epoch, f"{url}/{epoch:04d}.png") for epoch in (1, 2, 3)
    ]
    assert recorded(tmp_path / "run") == numbered(1, 2, 3)
    fit_x(model, ImageSaver(url, X), epochs=1)
    assert recorded(tmp_path / "run" / "previous-1") == numbered(1, 2, 3)


def test_remote_run_is_recorded_resumed_deleted_and_not_moved():
    url, model, counter = "ram://test_runs/ae", untrained(), Counter()
    fit_x(model, ImageSaver(url, X))
    fit_x(model, ImageSaver(url, X), initial_epoch=1, epochs=3)
    saved = [(one.epoch, one.path) for one in Run.open(url)]
    assert saved == [(epoch, f"{url}/{epoch:04d}.png") for epoch in (1, 2, 3)]
    for _, path in saved:
        content = tf.io.gfile.GFile(path, "rb").read()
        assert content.startswith(b"\x89PNG")
        assert content.rstrip(b"\0").endswith(b"IEND\xaeB`\x82")
    with pytest.raises(ValueError, match=r"got 'ram://test_runs/ae'.*previous=\"delete\""):
        fit_x(model, counter, ImageSaver(url, X))
    assert counter.batches == 0
    fit_x(model, ImageSaver(url, X, previous="delete"), epochs=1)
    assert [one.epoch for one in Run.open(url)] == [1]
    assert not tf.io.gfile.exists(f"{url}/0002.png")


@pytest.mark.parametrize("options", [{}, {"rehearse": False}], ids=["", "rehearse=False"])
def test_scheme_that_tensorflow_does_not_know_is_refused_before_training(options):
    counter = Counter()
    with pytest.raises(
        ValueError, match=r"`filepath` must be local or of a scheme .*'foo://bucket"
    ):
        fit_x(untrained(), counter, ImageSaver("foo://bucket/run", X, **options))
    assert counter.batches == 0
