"""The end of the interpreter."""

import pytest
from support.models import names
from support.recorded import left_over, saved_and_missed

from keras_image_saver import Run

pytestmark = pytest.mark.slow


ENDING = """
    import atexit, os, signal, sys, threading, warnings
    import numpy as np
    import tensorflow as tf
    from keras_image_saver import ImageSaver
    from keras_image_saver.run.storage import Local

    folder, ending = sys.argv[1:]
    warnings.simplefilter("error")
    ends = threading.Event()
    atexit.register(ends.set)  # runs before what the package registered
    replace = Local.replace

    def replace_at_the_end(file, write):
        if file.path.endswith(".png"):
            ends.wait(60)
        replace(file, write)

    Local.replace = replace_at_the_end

    class Ending(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch < 2:
                return
            if ending == "raise":
                raise ValueError("broken")
            os.kill(os.getpid(), getattr(signal, ending))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    x = np.zeros((2, 8, 8, 1), np.float32)
    model = tf.keras.Sequential(
        [tf.keras.Input((8, 8, 1)), tf.keras.layers.Conv2D(1, 1, activation="sigmoid")]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    saver = ImageSaver(folder, x)
    if ending != "end":
        model.fit(x, x, epochs=9, verbose=0, callbacks=[saver, Ending()])
    saver.set_params({"steps": 1})
    saver.set_model(model)
    saver.on_train_begin()
    for epoch in range(2):
        saver.on_epoch_begin(epoch)
        model.train_on_batch(x, x)
        saver.on_epoch_end(epoch, {})
"""


@pytest.mark.parametrize(
    ("ending", "code", "state"),
    [
        ("raise", 1, "failed"),
        ("SIGINT", -2, "failed"),
        ("SIGTERM", 0, "failed"),
        ("end", 0, "failed"),
    ],
)
def test_what_is_queued_is_written_however_the_script_ends(tmp_path, forks, ending, code, state):
    ended, printed = forks.run(ENDING, tmp_path, ending)
    assert ended == code, printed
    assert ("ValueError: broken" in printed) == (ending == "raise")
    assert saved_and_missed(tmp_path) == ([1, 2], []), printed
    assert names(tmp_path) == ["0001.png", "0002.png"]
    assert left_over(tmp_path) in ([], [".keras_image_saver.lock"])
    assert Run.open(tmp_path).state == state
