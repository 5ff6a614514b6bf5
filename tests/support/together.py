"""Trains one model on several devices or in several processes: `test_workers.py` runs it as a module.

How many devices there are is told before TensorFlow or JAX starts, so each training is a process.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_image_saver import Images, ImageSaver
from support.models import floats, regularised

keras = tf.keras

SIZE = 8
SAMPLES = floats(5, SIZE, SIZE, 1, seed=3)  # over two replicas, one is left
EPOCHS = 2
SAVER = {"render": Images((0, 1), panels=("prediction",)), "batch_size": 3, "columns": 5}


def train(folder, callbacks, strategy=None):
    """Fit a model with batch normalisation and dropout, and keep the weights that came of it."""
    keras.utils.set_random_seed(5)
    x = floats(8, SIZE, SIZE, 1)
    if strategy is None:
        model = regularised(SIZE)
    else:
        with strategy.scope():
            model = regularised(SIZE)
    model.fit(x, x, batch_size=4, epochs=EPOCHS, verbose=0, callbacks=callbacks)
    np.savez(folder / "weights.npz", *model.get_weights())


def mirrored(folder):
    """`MirroredStrategy` over two logical CPU devices."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    train(folder, [ImageSaver(folder / "run", SAMPLES, **SAVER)], strategy)


def data_parallel(folder):
    """`keras.distribution.DataParallel` over the devices that XLA_FLAGS makes of the host."""
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    assert len(keras.distribution.list_devices()) == 2
    train(folder, [ImageSaver(folder / "run", SAMPLES, **SAVER)])


def multi_worker(folder):
    """One worker of `MultiWorkerMirroredStrategy`; TF_CONFIG tells which."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    task = json.loads(os.environ["TF_CONFIG"])["task"]
    own = folder / f"{task['type']}-{task['index']}"
    own.mkdir()
    heard = []
    savers = [
        # One folder for all, as users write it, and one for each, which shows who writes.
        ImageSaver(folder / "run", SAMPLES, listeners=[lambda s: heard.append(s.epoch)], **SAVER),
        ImageSaver(own / "run", SAMPLES, every_batches=1, **SAVER),
    ]
    train(own, savers, strategy)
    (own / "heard.json").write_text(json.dumps(heard))


if __name__ == "__main__":
    {f.__name__: f for f in (mirrored, data_parallel, multi_worker)}[sys.argv[1]](Path(sys.argv[2]))
