"""Numbers beside the samples, at each snapshot of a run."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support.models import OF_IDS, autoencoder, class_ids, floats, read
from support.training import fit_data, fit_x, untrained

from keras_image_saver import ImageSaver, Run, Segmentation, latents
from keras_image_saver.cli import main

keras = tf.keras
layers = keras.layers
X = floats(3, 8, 8, 1)


def absolute(targets, outputs):
    """A function of the user's, as Keras has them: a value a pixel."""
    assert tf.is_tensor(outputs) or not isinstance(outputs, np.ndarray)
    return abs(targets - outputs)


def entries(folder):
    return [json.loads(line) for line in (folder / "snapshots.jsonl").read_text().splitlines()]


def test_metrics_of_images_are_in_listeners_record_and_readers(tmp_path):
    heard = []
    saver = ImageSaver(
        tmp_path / "run", (X, X), metrics=["mae", absolute], listeners=[heard.append]
    )
    model = autoencoder()
    fit_data(model, X, X, saver=saver)
    assert [list(one.metrics) for one in heard] == [["mae", "absolute"]] * 2
    for one in heard:
        np.testing.assert_allclose(one.metrics["mae"], one.metrics["absolute"], rtol=1e-5)
    outputs = np.array(model.predict_on_batch(X))
    np.testing.assert_allclose(
        heard[-1].metrics["mae"], np.abs(outputs - X).mean((1, 2, 3)), rtol=1e-5
    )
    for read_one, one in zip(Run.open(tmp_path / "run"), heard, strict=True):
        np.testing.assert_array_equal(read_one.metrics["mae"], one.metrics["mae"])
        assert read_one.summary == one.summary
    mean, worst = (
        entries(tmp_path / "run")[1]["metrics"]["mae"][name] for name in ("mean", "worst")
    )
    np.testing.assert_allclose(mean, heard[-1].metrics["mae"].mean(), rtol=1e-6)
    assert worst[0][0] == int(np.argmax(heard[-1].metrics["mae"]))


def test_metrics_of_class_maps_see_classes_and_own_functions_raw_scores(tmp_path):
    seen = []

    def scores(targets, outputs):
        seen.append(tuple(outputs.shape))
        return outputs

    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", OF_IDS)
    ids = class_ids(3)
    saver = ImageSaver(
        tmp_path,
        (X, ids),
        render=Segmentation(input_range=(0, 1)),
        metrics={"hits": "accuracy", "iou": "iou", "scores": scores},
    )
    fit_data(model, X, ids, saver=saver, epochs=1)
    (found,) = Run.open(tmp_path)
    chosen = np.array(model.predict_on_batch(X)).argmax(-1)
    np.testing.assert_allclose(found.metrics["hits"], (chosen == ids).mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found.metrics["scores"], [1 / 3] * 3, rtol=1e-5)
    assert set(seen) == {(3, 8, 8, 3)}
    assert found.class_metrics["iou"].shape == (3,)


def test_measures_of_latents_need_no_targets_and_change_begins_anew_when_resumed(tmp_path):
    noise = latents(4, 3)

    def generator():
        model = keras.Sequential(
            [keras.Input((3,)), layers.Dense(4, "tanh"), layers.Reshape((2, 2, 1))]
        )
        model.compile("sgd", "mse")
        return model

    x, y = np.ones((4, 3), np.float32), np.zeros((4, 2, 2, 1), np.float32)
    model = generator()
    saver = ImageSaver(tmp_path, noise, metrics=["change", "diversity"])
    fit_data(model, x, y, saver=saver)
    saver = ImageSaver(tmp_path, noise, metrics=["change", "diversity"])
    model.fit(x, y, epochs=4, initial_epoch=2, verbose=0, callbacks=[saver])
    changes = [one.metrics["change"] for one in Run.open(tmp_path)]
    assert [bool(np.isnan(one).all()) for one in changes] == [True, False, True, False]
    assert [one.metrics["diversity"].shape for one in Run.open(tmp_path)] == [(1,)] * 4


def test_change_alone_is_nan_at_the_first_snapshot_for_listeners_and_readers(tmp_path):
    heard = []
    saver = ImageSaver(tmp_path, X, metrics=["change"], listeners=[heard.append])
    fit_x(untrained(), saver)
    for one, read_one in zip(heard, Run.open(tmp_path), strict=True):
        np.testing.assert_array_equal(read_one.metrics["change"], one.metrics["change"])
    assert np.isnan(heard[0].metrics["change"]).all()
    assert [one["metrics"] == {} for one in entries(tmp_path)] == [True, False]


@pytest.mark.parametrize(
    ("metrics", "error", "text"),
    [
        pytest.param("mae", TypeError, "got 'mae' alone. Put it in a list", id="a text"),
        pytest.param([3], TypeError, "got 3", id="a number"),
        pytest.param(["psnr", "psnr"], ValueError, "got 'psnr' twice", id="twice"),
        pytest.param([lambda y, x: x], ValueError, "has no name. Pass a dict", id="lambda"),
        pytest.param({"loss": "mae"}, ValueError, "names of logs, got 'loss'", id="loss"),
        pytest.param({"": "mae"}, ValueError, "printable characters, got ''", id="no name"),
        pytest.param(
            [keras.metrics.MeanSquaredError], TypeError, "keeps a state over batches", id="a metric"
        ),
    ],
)
def test_metrics_that_are_none_are_refused_at_once(metrics, error, text):
    with pytest.raises(error, match=text):
        ImageSaver("unused", X, metrics=metrics)


@pytest.mark.parametrize(
    ("samples", "metrics", "text"),
    [
        pytest.param(
            (X, X), ["sharpness"], "no measure 'sharpness'; there are \"mae\"", id="unknown"
        ),
        pytest.param(X, ["mae"], '"mae", but it needs targets.*"change"', id="no targets"),
        pytest.param(
            (X, X), ["ssim"], "window is 11 x 11 pixels, and the outputs have 8", id="small"
        ),
        pytest.param((X, X), ["iou"], "it is of class maps", id="class maps"),
        pytest.param(
            (X, X),
            {"half": lambda targets, outputs: outputs[:1]},
            r"`metrics\['half'\]` must return a value or more for each sample, got shape \(1, 8, 8, 1\)",
            id="another length",
        ),
        pytest.param(
            X,
            {"mine": lambda targets, outputs: targets - outputs},
            r"`metrics\['mine'\]` raised .* with targets: None; outputs: shape \(3, 8, 8, 1\)",
            id="fails",
        ),
        pytest.param(
            (X, X),
            {"mine": lambda targets, outputs: np.ones(3, np.complex64)},
            r"`metrics\['mine'\]` must return real numbers, got shape \(3,\) and dtype complex64",
            id="complex",
        ),
        pytest.param(
            (X, X), ["mse"], "names of logs, got 'mse', which the model was compiled", id="logs"
        ),
    ],
)
def test_metrics_that_do_not_fit_are_refused_before_training(tmp_path, samples, metrics, text):
    model = autoencoder()
    model.compile("sgd", "mse", metrics=["mse"])
    with pytest.raises(ValueError, match=text):
        fit_data(model, X, X, saver=ImageSaver(tmp_path / "run", samples, metrics=metrics))
    assert not (tmp_path / "run" / "snapshots.jsonl").exists()


def test_metric_that_fails_during_training_is_a_missed_snapshot(tmp_path, caplog):
    calls = []

    def fails(targets, outputs):
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("no more")
        return outputs

    fit_data(autoencoder(), X, X, saver=ImageSaver(tmp_path, X, metrics=[fails]), epochs=1)
    assert "no more" in caplog.text
    assert len(Run.open(tmp_path)) == 0


def test_values_of_an_earlier_run_are_set_aside_with_it(tmp_path):
    for _ in range(2):
        saver = ImageSaver(tmp_path, (X, X), metrics=["mae"])
        fit_data(autoencoder(), X, X, saver=saver, epochs=1)
    for folder in (tmp_path, tmp_path / "previous-1"):
        (found,) = Run.open(folder)
        assert found.metrics["mae"].shape == (3,)
        assert (folder / "snapshots-metrics.js").exists()


def test_picture_is_the_same_with_metrics_and_without(tmp_path):
    pictures = []
    for name, metrics in (("with", ["mae", absolute]), ("without", ())):
        keras.utils.set_random_seed(3)
        saver = ImageSaver(tmp_path / name, (X, X), metrics=metrics)
        fit_data(autoencoder(), X, X, saver=saver, epochs=1)
        pictures.append(read(tmp_path / name / "0001.png"))
    np.testing.assert_array_equal(*pictures)


def test_names_of_classes_are_in_run_json_and_info(tmp_path, capsys):
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", OF_IDS)
    render = Segmentation(input_range=(0, 1), class_names=["none", "cat", "dog"])
    ids = class_ids(3)
    fit_data(model, X, ids, saver=ImageSaver(tmp_path, (X, ids), render=render), epochs=1)
    about = Run.open(tmp_path).about
    assert about["fixed_panels"] == ["input", "target"]
    assert about["class_panels"] == ["prediction", "target"]
    told = about["class_names"]
    assert [(one["id"], one["name"]) for one in told] == [(0, "none"), (1, "cat"), (2, "dog")]
    assert told[1]["color"] == [128, 0, 0]
    assert main(["info", str(tmp_path)]) == 0
    assert "classes   0  none\n          1  cat\n" in capsys.readouterr().out


@pytest.mark.parametrize("names", [{0: "none", 2: "dog"}, None], ids=["named", "not"])
def test_values_by_class_of_the_last_snapshot_are_in_info(tmp_path, capsys, names):
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", OF_IDS)
    ids = class_ids(3)
    render = Segmentation(input_range=(0, 1), class_names=names)
    saver = ImageSaver(tmp_path, (X, ids), render=render, metrics=["iou", "dice"])
    fit_data(model, X, ids, saver=saver, epochs=1)
    found = list(Run.open(tmp_path))[-1].class_metrics
    assert main(["info", str(tmp_path)]) == 0
    words = capsys.readouterr().out.partition("classes")[2].split()
    for number in range(3):
        iou, dice = (f"{found[measure][number]:.6g}" for measure in ("iou", "dice"))
        title = [(names or {}).get(number)] if number in (names or {}) else []
        line = [str(number), *title, "iou", iou, "dice", dice]
        assert words[: len(line)] == line
        del words[: len(line)]


class Fading(keras.callbacks.Callback):
    """Takes most of what a generator makes of its noise at the end of an epoch, as a collapse does."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def on_epoch_begin(self, epoch, logs=None):
        kernel = self.model.get_layer("noise").kernel
        kernel.assign(kernel * self.share)


@pytest.mark.parametrize(("share", "told"), [(0.5, 1), (0.98, 0)], ids=["collapses", "does not"])
def test_generator_whose_samples_become_alike_is_told_once_from_the_untrained_one_on(
    tmp_path, caplog, share, told
):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(16, "tanh", name="noise"),
            layers.Dense(4, "tanh"),
            layers.Reshape((2, 2, 1)),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    saver = ImageSaver(tmp_path, latents(8, 3), metrics=["diversity"], save_initial=True)
    x, y = np.ones((2, 3), np.float32), np.zeros((2, 2, 2, 1), np.float32)
    fit_data(model, x, y, saver=[Fading(share), saver], epochs=9)
    lines = [line for line in caplog.messages if "have become alike" in line]
    assert len(lines) == told
    diversity = [float(one.metrics["diversity"][0]) for one in Run.open(tmp_path)]
    assert diversity == sorted(diversity, reverse=True)
    if told:
        median = sorted(diversity)[-3]
        epoch = next(n for n, one in enumerate(diversity) if n >= 5 and one < median / 4)
        assert lines[0].startswith(f"Epoch {epoch}, ")
        assert f"diversity is {diversity[epoch]:.3g}, below 25% of {median:.3g}" in lines[0]


def test_errors_and_metrics_of_class_maps_by_both_weights_have_a_panel_and_a_name_each(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.5, use_ema=True), OF_IDS)
    ids = class_ids(3)
    render = Segmentation(input_range=(0, 1), panels={"prediction": "ours", "error": "wrong"})
    saver = ImageSaver(tmp_path, (X, ids), render=render, weights=("raw", "ema"), metrics=["iou"])
    fit_data(model, X, ids, saver=saver)
    found = list(Run.open(tmp_path))[-1]
    assert found.geometry["panels"] == ["raw", "ema", "error raw", "error ema"]
    assert list(found.metrics) == ["iou raw", "iou ema"]
