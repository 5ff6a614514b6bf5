"""Several devices or processes train one model: each sample is drawn once, and one process writes."""

import json
import os
import socket
import subprocess
import sys
import types
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support import together
from support.models import (
    BACKEND,
    KERAS_3,
    assert_drawn,
    autoencoder,
    drawn,
    floats,
    names,
    read,
    regularised,
    tiles,
)
from support.storage import replacing
from support.training import Meddler, fit

from keras_image_saver import ImageSaver, ImageSaverError, Run
from keras_image_saver.model import workers

TESTS = str(Path(__file__).parents[1])
DEADLINE_S = 240
TOGETHER = """
    import runpy, sys
    sys.path.insert(0, sys.argv.pop(1))
    runpy.run_module("support.together", run_name="__main__", alter_sys=True)
"""

with_strategies = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's own"
)


def run_together(training, folder, environments):
    """Run `training` in one process for each environment; they end, all of them, and well."""
    path = os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))
    with ExitStack() as stack:
        processes = []
        for number, environment in enumerate(environments):
            log = stack.enter_context(open(folder / f"{number}.log", "w+"))
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "support.together", training, str(folder)],
                    env={**os.environ, "PYTHONPATH": path, **environment},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
            stack.callback(process.kill)
            processes.append((process, log))
        for process, log in processes:
            try:
                code = process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                code = f"none after {DEADLINE_S} s"
            log.seek(0)
            assert code == 0, f"exit code {code}:\n{log.read()[-4000:]}"


def assert_each_epoch_once(folder, weights):
    """The record and the folder have each epoch once, and the last shows each sample once, in order.

    What is expected comes from the weights alone, drawn by one process on one device.
    """
    assert names(folder) == [f"{epoch + 1:04d}.png" for epoch in range(together.EPOCHS)]
    assert [snapshot.epoch for snapshot in Run.open(folder)] == [1, 2]
    picture = read(folder / f"{together.EPOCHS:04d}.png")
    images = tiles(picture, len(together.SAMPLES), (together.SIZE,) * 2, columns=5)
    model = regularised(together.SIZE)
    with np.load(weights) as kept:
        model.set_weights([kept[name] for name in kept.files])
    assert_drawn(images, drawn(model, together.SAMPLES, (0, 1)))


def free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@with_strategies
def test_mirrored_strategy_draws_each_sample_once_in_order(tmp_path, forks):
    ended, printed = forks.run(TOGETHER, TESTS, "mirrored", tmp_path)
    assert ended == 0, printed
    assert_each_epoch_once(tmp_path / "run", tmp_path / "weights.npz")


@pytest.mark.skipif(BACKEND != "jax", reason="keras.distribution is for JAX")
def test_data_parallel_draws_each_sample_once_in_order(tmp_path):
    devices = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    run_together("data_parallel", tmp_path, [devices])
    assert_each_epoch_once(tmp_path / "run", tmp_path / "weights.npz")


@pytest.mark.skipif(
    KERAS_3, reason="Keras 3 does not get through `fit` under MultiWorkerMirroredStrategy"
)
@pytest.mark.parametrize(
    "tasks",
    [[("chief", 0), ("worker", 0)], [("worker", 0), ("worker", 1)]],
    ids=["chief and worker", "no chief"],
)
def test_of_several_workers_one_writes_each_snapshot_once(tmp_path, tasks):
    cluster = {}
    for (kind, _), port in zip(tasks, free_ports(len(tasks)), strict=True):
        cluster.setdefault(kind, []).append(f"127.0.0.1:{port}")
    configs = [
        {"cluster": cluster, "task": {"type": kind, "index": index}} for kind, index in tasks
    ]
    run_together("multi_worker", tmp_path, [{"TF_CONFIG": json.dumps(one)} for one in configs])
    first, second = (tmp_path / f"{kind}-{index}" for kind, index in tasks)
    assert_each_epoch_once(tmp_path / "run", first / "weights.npz")
    assert names(first / "run") == [f"{step:08d}.png" for step in (1, 2, 3, 4)]
    assert not (second / "run").exists()
    assert json.loads((first / "heard.json").read_text()) == [1, 2]
    assert json.loads((second / "heard.json").read_text()) == []
    with np.load(first / "weights.npz") as one, np.load(second / "weights.npz") as other:
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name])


@with_strategies
def test_check_writer_follows_what_the_strategy_says():
    assert workers.check_writer(tf.keras.Sequential())
    for writes in (True, False):
        extended = types.SimpleNamespace(should_checkpoint=writes)
        strategy = types.SimpleNamespace(extended=extended)
        model = types.SimpleNamespace(distribute_strategy=strategy)
        assert workers.check_writer(model) is writes


@with_strategies
def test_parameter_servers_are_refused():
    class ParameterServerStrategyV2:
        extended = None

    model = types.SimpleNamespace(distribute_strategy=ParameterServerStrategyV2())
    with pytest.raises(ValueError, match=r"under ParameterServerStrategyV2.*MirroredStrategy"):
        workers.check_writer(model)


@with_strategies
def test_is_alone_unless_a_cluster_trains():
    assert workers.is_alone(tf.keras.Sequential())

    def trained(cluster):
        resolver = types.SimpleNamespace(cluster_spec=lambda: tf.train.ClusterSpec(cluster))
        strategy = types.SimpleNamespace(cluster_resolver=resolver)
        return types.SimpleNamespace(distribute_strategy=strategy)

    assert workers.is_alone(trained({}))
    assert not workers.is_alone(trained({"worker": ["127.0.0.1:1", "127.0.0.1:2"]}))
    assert workers.is_alone(trained({"worker": ["127.0.0.1:1"]}))


# What fails on one of several workers. Each is simulated: alone in its process, told that it is not.


@pytest.fixture(params=["chief", "worker"])
def writes(request, monkeypatch):
    monkeypatch.setattr(workers, "check_writer", lambda trained: request.param == "chief")
    monkeypatch.setattr(workers, "is_alone", lambda trained: False)
    return request.param == "chief"


class Failing:
    """A renderer that fails at its third call: the first is the rehearsal."""

    def __init__(self):
        self.calls = 0

    def __call__(self, batch):
        self.calls += 1
        if self.calls == 3:
            raise MemoryError("no room")
        return {"prediction": batch.outputs}


def said():
    match = r'`on_error="raise"` raises what fails in drawing, on each'
    return pytest.warns(UserWarning, match=match)


@pytest.mark.parametrize("background", [True, False], ids=["background", "inline"])
def test_failing_pass_raises_on_each_worker_at_the_same_hook(tmp_path, writes, background):
    model, x, begun = autoencoder(), floats(4, 8, 8, 1), []
    saver = ImageSaver(tmp_path, x, render=Failing(), on_error="raise", background=background)
    note = Meddler("on_epoch_begin", lambda epoch, logs: begun.append(epoch + 1))
    with ExitStack() as stack:
        stack.enter_context(
            pytest.raises(ImageSaverError, match=r"epoch 2, .*MemoryError: no room")
        )
        if writes:
            stack.enter_context(said())
        fit(model, x, note, saver, epochs=4)
    assert begun == ([1, 2, 3] if background else [1, 2])


def test_failing_pass_is_logged_on_each_worker(tmp_path, writes, lines):
    x = floats(4, 8, 8, 1)
    fit(autoencoder(), x, ImageSaver(tmp_path, x, render=Failing()), epochs=3)
    first, summary = lines()
    assert "epoch 2, " in first
    assert "MemoryError: no room" in first
    assert summary == "1 of 3 snapshots were missed, the first at epoch 2."
    assert names(tmp_path) == (["0001.png", "0003.png"] if writes else [])


def test_failure_that_one_worker_alone_meets_does_not_raise_where_several_train(
    tmp_path, monkeypatch, lines
):
    monkeypatch.setattr(workers, "is_alone", lambda trained: False)
    model, x = autoencoder(), floats(4, 8, 8, 1)

    def fail(path, replace):
        if path.endswith("0002.png"):
            raise PermissionError("read only")
        replace()

    def broken(snapshot):
        raise ConnectionError("away")

    saver = ImageSaver(tmp_path, x, on_error="raise", listeners=[broken])
    with said(), replacing(fail):
        fit(model, x, saver, epochs=3)
    assert names(tmp_path) == ["0001.png", "0003.png"]
    listener, picture, summary = lines()
    assert "The listener broken failed at epoch 1" in listener
    assert "epoch 2, " in picture
    assert "PermissionError: read only" in picture
    assert summary == "1 of 3 snapshots were missed, the first at epoch 2."
