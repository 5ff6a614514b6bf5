"""TensorBoard's event files and a notebook's outputs, read back; and both as a person sees them."""

import base64
import copy
import glob
import io
import pickle
import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.browser import skip_without_browser

from keras_image_saver import ImageSaver, NotebookDisplay, Snapshot, TensorBoardImages

keras = tf.keras
X = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype(np.float32)


def snapshot(epoch=1, step=4, *, size=(4, 6), channels=3):
    shape = (*size, channels)
    image = np.random.default_rng(epoch).integers(0, 256, shape, dtype=np.uint8)
    return Snapshot(epoch, 4, step, f"{epoch:04d}.png", image=image)


def model():
    made = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    )
    made.compile("sgd", "mse")
    return made


def decoded(data):
    with Image.open(io.BytesIO(data)) as picture:
        array = np.asarray(picture)
    return array[..., np.newaxis] if array.ndim == 2 else array


def events(log_dir):
    """(file, step, tag, plug-in, tensor as a list of bytes) of each summary, oldest first."""
    found = []
    paths = glob.glob(f"{log_dir}/events.out.tfevents.*")
    # By the second and the number in the process, which are in the name.
    for path in sorted(paths, key=lambda path: [int(part) for part in re.findall(r"\d+", path)]):
        for record in tf.data.TFRecordDataset(path):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                tensor = tf.make_ndarray(value.tensor).tolist()
                found.append((path, event.step, value.tag, plugin, tensor))
    return found


# TensorBoard


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tensorboard_images_writes_size_and_picture_at_the_step(tmp_path, channels):
    listener = TensorBoardImages(tmp_path, tag="grids/a")
    first, second = snapshot(1, 57, channels=channels), snapshot(2, 114, channels=channels)
    listener(first)
    listener(second)
    listener.close()
    found = events(tmp_path)
    assert [one[1:4] for one in found] == [(57, "grids/a", "images"), (114, "grids/a", "images")]
    for one, (*_, tensor) in zip((first, second), found, strict=True):
        assert tensor[:2] == [b"6", b"4"]
        np.testing.assert_array_equal(decoded(tensor[2]), one.image)


def test_tensorboard_images_says_what_kind_of_data_it_is(tmp_path):
    TensorBoardImages(tmp_path)(snapshot())
    (path,) = glob.glob(f"{tmp_path}/events*")
    summaries = [
        value
        for record in tf.data.TFRecordDataset(path)
        for value in tf.compat.v1.Event.FromString(record.numpy()).summary.value
    ]
    assert [value.metadata.data_class for value in summaries] == [3]
    assert summaries[0].tag == "samples"


def test_tensorboard_images_counts_epochs_where_there_are_no_steps(tmp_path):
    listener = TensorBoardImages(tmp_path)
    for epoch in (1, 2, 3):
        listener(snapshot(epoch, step=0))
    assert [one[1] for one in events(tmp_path)] == [1, 2, 3]


def test_tensorboard_images_are_in_the_log_at_once(tmp_path):
    listener = TensorBoardImages(tmp_path)
    for count in (1, 2, 3):
        listener(snapshot(count))
        assert len(events(tmp_path)) == count


def test_tensorboard_images_are_recorded_where_recording_is_off(tmp_path):
    with tf.summary.record_if(False):
        TensorBoardImages(tmp_path)(snapshot())
    assert len(events(tmp_path)) == 1


def test_tensorboard_images_leave_the_default_writer_and_step_alone(tmp_path):
    tf.summary.experimental.set_step(5)
    writer = tf.summary.create_file_writer(str(tmp_path / "own"))
    with writer.as_default():
        TensorBoardImages(tmp_path / "grids")(snapshot(step=9))
        assert tf.summary.experimental.get_step() == 5
        tf.summary.write("mine", 1.0)
    tf.summary.experimental.set_step(None)
    writer.close()
    assert [one[1:3] for one in events(tmp_path / "own")] == [(5, "mine")]


def test_tensorboard_images_after_close_go_on_in_another_file(tmp_path):
    listener = TensorBoardImages(tmp_path)
    for epoch in (1, 2):
        listener(snapshot(epoch, epoch))
        listener.close()
    listener.close()
    found = events(tmp_path)
    assert [one[1] for one in found] == [1, 2]
    assert found[0][0] != found[1][0]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_tensorboard_images_can_be_copied_while_the_log_is_open(tmp_path, how):
    listener = TensorBoardImages(tmp_path, "tag")
    listener(snapshot(1, 1))
    other = how(listener)
    other(snapshot(2, 2))
    listener(snapshot(3, 3))
    by_file = {}
    for path, step, *_ in events(tmp_path):
        by_file.setdefault(path, []).append(step)
    assert sorted(by_file.values()) == [[1, 3], [2]]


def test_tensorboard_images_of_two_fits_and_a_copied_callback(tmp_path):
    saver = ImageSaver(tmp_path / "run", X, listeners=[TensorBoardImages(tmp_path / "log")])
    trained = model()
    for _ in range(2):
        trained.fit(X, X, batch_size=2, epochs=2, verbose=0, callbacks=[saver])
    assert [one[1] for one in events(tmp_path / "log")] == [2, 4, 6, 8]
    assert len({one[0] for one in events(tmp_path / "log")}) == 2
    other = copy.deepcopy(saver)
    trained.fit(X, X, batch_size=2, epochs=1, verbose=0, callbacks=[other])
    assert sorted(one[1] for one in events(tmp_path / "log")) == [2, 2, 4, 6, 8]


def test_tensorboard_images_stand_beside_keras_own_callback(tmp_path):
    pytest.importorskip("tensorboard")  # which Keras's own needs
    grids = TensorBoardImages(tmp_path / "log")
    callbacks = [
        keras.callbacks.TensorBoard(str(tmp_path / "log"), update_freq=3),
        ImageSaver(tmp_path / "run", X, listeners=[grids]),
    ]
    model().fit(X, X, batch_size=2, epochs=3, verbose=0, callbacks=callbacks)
    assert [one[1:4] for one in events(tmp_path / "log")] == [
        (step, "samples", "images") for step in (2, 4, 6)
    ]


@pytest.mark.once
def test_tensorboard_images_need_no_tensorboard_package(tmp_path, forks):
    code = f"""
        import sys
        assert "tensorboard" not in sys.modules
        sys.modules["tensorboard"] = None
        import numpy as np
        from keras_image_saver import Snapshot, TensorBoardImages
        image = np.zeros((4, 4, 3), np.uint8)
        summary = {{"mae": {{"mean": 0.25}}}}
        TensorBoardImages({str(tmp_path)!r})(Snapshot(1, 1, 1, "", image=image, summary=summary))
    """
    ended, printed = forks.run(code)
    assert ended == 0, printed
    assert len(events(tmp_path)) == 2


def test_tensorboard_images_write_the_means_of_metrics_as_scalars(tmp_path):
    summary = {"mae": {"mean": 0.25, "least": 0.0, "most": 0.5, "nan": 0, "worst": []}}
    listener = TensorBoardImages(tmp_path, tag="drawn")
    listener(replace(snapshot(1, 57), summary=summary))
    listener.close()
    found = [(step, tag, plugin, value) for _, step, tag, plugin, value in events(tmp_path)]
    assert found[1:] == [(57, "drawn/mae", "scalars", 0.25)]


def test_tensorboard_images_by_epochs_count_from_0_and_leave_the_untrained_to_itself(tmp_path):
    summary = {"mae": {"mean": 0.25}}
    listener = TensorBoardImages(tmp_path, step="epoch")
    for epoch in (0, 1, 2):
        listener(replace(snapshot(epoch, epoch * 57), summary=summary))
    assert [one[1:3] for one in events(tmp_path)] == [
        (0, "samples/untrained"),
        (0, "samples/untrained/mae"),
        (0, "samples"),
        (0, "samples/mae"),
        (1, "samples"),
        (1, "samples/mae"),
    ]


def test_tensorboard_images_by_epochs_stand_where_keras_own_scalars_do(tmp_path):
    pytest.importorskip("tensorboard")  # which Keras's own needs
    log = tmp_path / "log"
    callbacks = [
        keras.callbacks.TensorBoard(str(log)),
        ImageSaver(
            tmp_path / "run",
            X,
            metrics=["change"],
            listeners=[TensorBoardImages(log / "train", step="epoch")],
        ),
    ]
    model().fit(X, X, batch_size=2, epochs=3, verbose=0, callbacks=callbacks)
    steps = {}
    for _, step, tag, *_ in events(log / "train"):
        steps.setdefault(tag, []).append(step)
    assert steps["samples"] == steps["epoch_loss"] == [0, 1, 2]
    assert steps["samples/change"] == [1, 2]  # the first has none before


def test_tensorboard_images_with_another_step_lists_those_that_there_are(tmp_path):
    with pytest.raises(ValueError, match='`step` must be "step" or "epoch", got \'batch\''):
        TensorBoardImages(tmp_path, step="batch")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("",), TypeError, "`log_dir` must be a path, not empty, got ''"),
        ((3,), TypeError, "`log_dir` must be a path, not empty, got 3"),
        (("logs", ""), TypeError, "`tag` must be a text, not empty, got ''"),
    ],
)
def test_tensorboard_images_with_a_bad_argument_names_it(arguments, error, message):
    with pytest.raises(error, match=message):
        TensorBoardImages(*arguments)


def test_listeners_of_a_snapshot_that_was_read_say_that_it_has_no_image(tmp_path):
    with pytest.raises(ValueError, match=r"must have its image, .* epoch 3 without"):
        TensorBoardImages(tmp_path)(Snapshot(3, 1, 1, "0003.png"))


@pytest.mark.slow
@skip_without_browser
def test_tensorboard_images_are_shown_by_a_real_tensorboard(tmp_path, browser):
    listener = TensorBoardImages(tmp_path)
    for epoch in (1, 2):
        listener(snapshot(epoch, epoch * 57, size=(40, 60)))
    # Where a module of this name is found, TensorBoard does without TensorFlow, and starts sooner.
    start = 'import sys; sys.modules["tensorboard.compat.notf"] = sys; '
    start += "from tensorboard.main import run_main; run_main()"
    command = [sys.executable, "-c", start, "--logdir", str(tmp_path)]
    command += ["--port", "0", "--host", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        page = browser.new_page()
        page.goto(f"{url}#images")
        shown = page.locator("tf-image-loader img").first
        shown.wait_for(timeout=60_000)
        page.wait_for_function(
            "image => image.complete && image.naturalWidth",
            arg=shown.element_handle(),
            timeout=60_000,
        )
        for text in ("tag: samples", "114"):
            page.locator("tf-image-loader").get_by_text(text, exact=True).wait_for()
        content = page.request.get(shown.evaluate("image => image.src")).body()
        page.close()
    finally:
        server.terminate()
        server.communicate(timeout=60)
    np.testing.assert_array_equal(decoded(content), snapshot(2, size=(40, 60)).image)


# A notebook


class Shell:
    """What IPython tells of a notebook."""

    kernel = object()
    execution_count = 1


class Outputs(list):
    """A notebook's outputs: `display` adds one, its handle updates it."""

    def __call__(self, shown, *, display_id):
        assert display_id is True
        self.append([shown.data])
        place = len(self) - 1

        class Handle:
            def update(_, shown):
                self[place].append(shown.data)

        return Handle()


@pytest.fixture
def notebook(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shell, outputs = Shell(), Outputs()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(display, "display", outputs)
    return shell, outputs


def test_notebook_display_updates_one_output_a_cell(notebook):
    shell, outputs = notebook
    listener = NotebookDisplay()
    for epoch in (1, 2, 3):
        listener(snapshot(epoch, epoch * 4))
    assert [len(output) for output in outputs] == [3]
    shell.execution_count = 2
    listener(snapshot(4, 16))
    listener(snapshot(5, 20))
    assert [len(output) for output in outputs] == [3, 2]
    copy.deepcopy(listener)(snapshot(6, 24))
    assert [len(output) for output in outputs] == [3, 2, 1]


def test_notebook_display_shows_the_picture_enlarged_without_smoothing(notebook):
    _, outputs = notebook
    NotebookDisplay()(snapshot(1, 4))
    NotebookDisplay(width=300)(snapshot(2, 0))
    NotebookDisplay()(snapshot(3, 4, channels=1))
    (first,), (second,), (third,) = outputs
    assert "width: 6px" in first
    assert "width: 300px" in second
    assert "image-rendering: pixelated" in second
    assert "<table>" not in second
    assert 'alt="epoch 1, step 4"' in first
    assert "<figcaption>epoch 2</figcaption>" in second
    for epoch, (html, channels) in enumerate([(first, 3), (second, 3), (third, 1)], 1):
        data = re.search(r"data:image/png;base64,([^\"]+)", html)[1]
        expected = snapshot(epoch, channels=channels).image
        np.testing.assert_array_equal(decoded(base64.b64decode(data)), expected)


def test_notebook_display_makes_its_output_as_training_begins_and_updates_it(notebook):
    shell, outputs = notebook
    listener = NotebookDisplay()
    listener.open()
    assert "No picture yet." in outputs[0][0]
    listener(snapshot(1, 4))
    listener.open()  # trained on in the same cell
    listener(snapshot(2, 8))
    assert [len(output) for output in outputs] == [3]
    assert "epoch 2" in outputs[0][-1]
    shell.execution_count = 2
    listener.open()
    listener(snapshot(3, 12))
    assert [len(output) for output in outputs] == [3, 2]


def test_notebook_display_has_the_logs_and_the_means_of_measures_beside_the_grid(notebook):
    _, outputs = notebook
    told = {"loss": 0.12345678, "<script>alert(1)</script>": float("nan"), "count": 3}
    measured = {"ssim": {"mean": 0.5, "least": 0.0, "most": 1.0}}
    NotebookDisplay()(replace(snapshot(1), logs=told, summary=measured))
    ((shown,),) = outputs
    rows = re.findall(r"<tr><th[^>]*>(.*?)</th><td>(.*?)</td></tr>", shown)
    name = "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert rows == [("loss", "0.123457"), (name, "nan"), ("count", "3"), ("ssim", "0.5")]
    assert "<script" not in shown


@pytest.mark.slow
@skip_without_browser
@pytest.mark.parametrize(
    ("area", "child"),
    [("jp-OutputArea", "lm-Widget jp-OutputArea-child"), ("output", "output_area")],
    ids=["JupyterLab", "nbconvert's classic template"],
)
def test_notebook_display_stands_under_the_bar_with_logs_beside_it(notebook, browser, area, child):
    _, outputs = notebook
    listener = NotebookDisplay(width=300)
    listener(replace(snapshot(1), logs={"loss": 0.5}))
    ((shown,),) = outputs
    page = browser.new_page(viewport={"width": 800, "height": 600})
    page.set_content(
        f'<div class="{area}" style="max-height: 100px; overflow-y: auto">'
        f'<div class="{child}"><div>{shown}</div></div>'
        f'<div class="{child}"><pre id="bar">Epoch 1/2<br>Epoch 2/2</pre></div></div>'
        f'<div class="{area}"><div class="{child}">a</div><div class="{child}">b</div></div>'
    )

    def boxes(*selectors):
        return [page.locator(one).bounding_box() for one in selectors]

    bar, image, table = boxes("#bar", "img", "table")
    assert image["y"] >= bar["y"] + bar["height"]
    assert (image["width"], image["height"]) == (300, 200)
    assert table["x"] >= image["x"] + image["width"]
    assert table["y"] < image["y"] + 20
    page.set_viewport_size({"width": 320, "height": 600})
    image, table = boxes("img", "table")
    assert table["y"] > image["y"] + image["height"]
    page.close()


@pytest.mark.parametrize("width", [0, -3, 1.5, "800", True])
def test_notebook_display_with_a_bad_width_names_it(width):
    with pytest.raises(
        ValueError, match=f"`width` must be an int, 1 or more, or None, got {width!r}"
    ):
        NotebookDisplay(width)


def test_notebook_display_outside_of_a_notebook_says_so_and_shows_nothing(capsys):
    pytest.importorskip("IPython")
    with pytest.warns(UserWarning, match="this is not a notebook") as caught:
        listener = NotebookDisplay()
    assert caught[0].filename == __file__
    listener.open()
    listener(snapshot())
    assert capsys.readouterr() == ("", "")


def test_notebook_display_without_ipython_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(ImportError, match=r"pip install keras-image-saver\[notebook\]"):
        NotebookDisplay()


CELLS = [
    """
    import numpy as np, tensorflow as tf
    from keras_image_saver import ImageSaver, NotebookDisplay
    x = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    model = tf.keras.Sequential([
        tf.keras.Input((8, 8, 1)),
        tf.keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ])
    model.compile("sgd", "mse")
    saver = ImageSaver("run", x, listeners=[NotebookDisplay(width=400)])
    """,
    "_ = model.fit(x, x, epochs=3, verbose=1, callbacks=[saver])",
    "_ = model.fit(x, x, initial_epoch=3, epochs=5, verbose=0, callbacks=[saver])",
]


KERNEL = """
    import os, sys
    from ipykernel.kernelapp import IPKernelApp

    os.chdir(sys.argv[1])
    IPKernelApp.launch_instance(argv=["-f", sys.argv[2]])
"""


@pytest.fixture
def notebook_client(forks, tmp_path):
    """Runs the cells of a notebook, in a kernel that was forked."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    jupyter_client = pytest.importorskip("jupyter_client")
    pytest.importorskip("ipykernel")
    connection, _ = jupyter_client.write_connection_file(str(tmp_path / "kernel.json"))
    forks.start(KERNEL, tmp_path, connection)
    manager = jupyter_client.AsyncKernelManager(owns_kernel=False)
    manager.load_connection_file(connection)
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in CELLS]
    client = nbclient.NotebookClient(book, manager, timeout=300)
    client.start_new_kernel_client()
    yield client
    client.kc.stop_channels()
    forks.kill()


@pytest.mark.slow
def test_notebook_display_is_one_output_under_the_cell_that_trains(notebook_client, tmp_path):
    cells = notebook_client.nb.cells
    for number, cell in enumerate(cells):
        notebook_client.execute_cell(cell, number)
    assert [epoch_shown(cell, tmp_path) for cell in cells] == [None, 3, 5]
    # The bar is whole: nothing stands between its lines.
    outputs = [one for one in cells[1].outputs if one.get("name") != "stderr"]
    kinds = [one.output_type for one in outputs]
    assert kinds == ["display_data", *["stream"] * (len(kinds) - 1)]
    bar = "".join(one.text for one in outputs[1:])
    assert all(f"Epoch {epoch}/3" in bar for epoch in (1, 2, 3))
    # Run again, the cell has an output of its own again.
    notebook_client.execute_cell(cells[1], 1)
    assert [epoch_shown(cell, tmp_path) for cell in cells] == [None, 8, 5]


def epoch_shown(cell, folder):
    """The epoch that a cell's one output shows, which is that of its file; None without output."""
    shown = [one for one in cell.outputs if one.output_type == "display_data"]
    assert not [one for one in cell.outputs if one.output_type == "error"]
    if not shown:
        return None
    (output,) = shown
    html = output.data["text/html"]
    epoch = int(re.search(r"epoch (\d+)", html)[1])
    picture = decoded(base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]))
    np.testing.assert_array_equal(
        picture, decoded((folder / "run" / f"{epoch:04d}.png").read_bytes())
    )
    return epoch


# What training tells its listeners


class Closable:
    def __init__(self, error=None):
        self.heard = []
        self._error = error

    def __call__(self, snapshot):
        self.heard.append(snapshot.epoch)

    def close(self):
        self.heard.append("closed")
        if self._error:
            raise self._error


def test_listener_is_closed_after_its_last_snapshot_at_the_end_of_each_fit(tmp_path):
    listener = Closable()
    saver = ImageSaver(tmp_path, X, listeners=[listener, lambda snapshot: None])
    trained = model()
    for _ in range(2):
        trained.fit(X, X, epochs=2, verbose=0, callbacks=[saver])
    assert listener.heard == [1, 2, "closed", 3, 4, "closed"]


class Openable(Closable):
    def open(self):
        self.heard.append("opened")
        if self._error:
            raise self._error


def test_listener_is_opened_before_its_first_snapshot_at_the_beginning_of_each_fit(tmp_path):
    listener = Openable()
    saver = ImageSaver(tmp_path, X, save_initial=True, listeners=[listener])
    trained = model()
    for _ in range(2):
        trained.fit(X, X, epochs=1, verbose=0, callbacks=[saver])
    assert listener.heard == ["opened", 0, 1, "closed", "opened", 2, "closed"]


def test_listener_that_fails_to_open_is_said_or_raises_before_the_first_batch(tmp_path, caplog):
    broken, trained = Openable(OSError("disk full")), model()
    saver = ImageSaver(tmp_path / "a", X, listeners=[broken])
    trained.fit(X, X, epochs=1, verbose=0, callbacks=[saver])
    assert "The listener Openable failed as training began: OSError('disk full')" in caplog.text
    before = trained.get_weights()
    saver = ImageSaver(tmp_path / "b", X, listeners=[broken], on_error="raise")
    with pytest.raises(RuntimeError, match="failed as training began: OSError"):
        trained.fit(X, X, epochs=1, verbose=0, callbacks=[saver])
    for one, other in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_listener_is_closed_when_a_loop_of_ones_own_fails(tmp_path):
    listener = Closable()
    saver = ImageSaver(tmp_path, X, listeners=[listener])

    def fail():
        with saver.watch(model()):
            saver.save(epoch=0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert listener.heard == [1, "closed"]


def test_listener_that_fails_to_close_is_said_and_the_others_are_closed(tmp_path, caplog):
    broken, sound = Closable(OSError("disk full")), Closable()
    saver = ImageSaver(tmp_path, X, listeners=[broken, sound])
    model().fit(X, X, epochs=1, verbose=0, callbacks=[saver])
    assert sound.heard == [1, "closed"]
    ours = [one for one in caplog.records if one.name == "keras_image_saver"]
    (line,) = [one.getMessage() for one in ours]
    assert "The listener Closable failed at the end of training: OSError('disk full')" in line


def test_listener_whose_close_cannot_even_be_found_ends_no_training(tmp_path, caplog):
    class Odd(Closable):
        @property
        def close(self):
            raise RuntimeError("odd")

    saver = ImageSaver(tmp_path, X, listeners=[Odd(), sound := Closable()])
    model().fit(X, X, epochs=1, verbose=0, callbacks=[saver])
    assert sound.heard == [1, "closed"]
    assert "The listener Odd failed at the end of training: RuntimeError('odd')" in caplog.text


def test_listener_that_fails_to_close_raises_under_on_error_raise(tmp_path):
    listeners_ = [Closable(OSError("disk full"))]
    saver = ImageSaver(tmp_path, X, listeners=listeners_, on_error="raise")
    with pytest.raises(RuntimeError, match="failed at the end of training: OSError"):
        model().fit(X, X, epochs=1, verbose=0, callbacks=[saver])


# Trackers


def test_mlflow_has_each_grid_at_its_step(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # newer ones ask for a database
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    saver = ImageSaver(
        tmp_path / "run",
        X,
        listeners=[lambda s: mlflow.log_image(s.image, key="samples", step=s.step)],
    )
    with mlflow.start_run() as run:
        model().fit(X, X, batch_size=2, epochs=2, verbose=0, callbacks=[saver])
    images = mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="images")
    steps = {}
    for image in images:
        if image.path.endswith(".png"):
            step = int(re.search(r"step\W(\d+)", image.path)[1])
            place = mlflow.artifacts.download_artifacts(
                run_id=run.info.run_id, artifact_path=image.path
            )
            with open(place, "rb") as file:
                steps[step] = decoded(file.read())
    assert sorted(steps) == [2, 4]
    last = decoded((tmp_path / "run" / "0002.png").read_bytes())
    np.testing.assert_array_equal(steps[4], last)
