"""The README's Python blocks run, one after another in one namespace, as a reader would paste them."""

import inspect
import re
import shlex
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_image_saver import Images, ImageSaver, Segmentation, save_image, strip, tiles, timelapse
from keras_image_saver.cli import main

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
keras = tf.keras


class _GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential(
            [
                keras.layers.Input((128,)),
                keras.layers.Dense(8 * 8 * 3, activation="tanh"),
                keras.layers.Reshape((8, 8, 3)),
            ]
        )

    def train_step(self, data):
        return {"g_loss": tf.reduce_mean(data)}


class _Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.network = keras.Sequential(
            [keras.layers.Input((64, 64, 3)), keras.layers.Conv2D(3, 1)]
        )

    def train_step(self, data):
        return {"loss": tf.reduce_mean(data)}

    def reverse_diffusion(self, noise, steps):
        return self.network(noise, training=False)

    def denormalize(self, images):
        return tf.clip_by_value(images, 0, 1)


@pytest.fixture
def user_names():
    """What the blocks take from the reader's own script."""
    rng = np.random.default_rng(0)
    images = rng.random((4, 8, 8, 3), np.float32)
    photos = rng.integers(0, 256, (8, 16, 16, 3)).astype(np.float32)
    maps = rng.integers(0, 21, (8, 16, 16)).astype(np.int32)
    data = tf.data.Dataset.from_tensor_slices((photos, maps)).batch(4)
    unet = keras.Sequential(
        [
            keras.layers.Input((16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(21, 1, activation="softmax"),
        ]
    )
    unet.compile("sgd", "sparse_categorical_crossentropy")
    gan, ddim = _GAN(), _Diffusion()
    gan.compile()
    ddim.compile()
    return {
        "gan": gan,
        "ddim": ddim,
        "images": images,
        "unet": unet,
        "train": data,
        "val": data,
        "edges": images * 2 - 1,
        "photos": images,
        "generator": keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Conv2D(3, 1)]),
        "train_one_epoch": lambda: 0.5,
    }


class _Wandb(types.ModuleType):
    """Weights & Biases, which needs an account, as far as the README uses it."""

    def __init__(self):
        super().__init__("wandb")
        self.logged = []

    def init(self, *, project):
        return types.SimpleNamespace(log=self.logged.append)

    @staticmethod
    def Image(path):
        with Image.open(path) as picture:
            return picture.size


@pytest.fixture
def wandb(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", _Wandb())
    return sys.modules["wandb"]


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    """A store of files instead of a server."""
    found = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # newer ones ask for a database
    found.set_tracking_uri((tmp_path / "mlruns").as_uri())
    return found


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the README's models train by TensorFlow"
)
def test_readme_blocks_run_and_write_what_they_say(
    user_names, wandb, mlflow, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    namespace = dict(user_names)
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"README block {number}", "exec"), namespace)

    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {f"runs/discs/000{epoch}.png" for epoch in (1, 2, 3)} <= written
    assert {"runs/loop/0001.png", "runs/loop/0002.png", "runs/ddim/0001.png"} <= written
    assert {"rgb.png", "rgb.jpg", "grey.tif", "grey.bmp", "tanh.png", "grid.png"} <= written
    assert sum(name.startswith("runs/dcgan/0") for name in written) == 3
    assert sum(name.startswith("runs/unet/0") for name in written) == 2
    rgb = np.asarray(Image.open("rgb.png"))
    np.testing.assert_array_equal(np.asarray(Image.open("from_opencv.png")), rgb)
    np.testing.assert_array_equal(np.asarray(Image.open("grey.tif")), rgb[..., 0])
    assert namespace["png"][:4] == b"\x89PNG"
    with Image.open("discs.webp") as picture:
        assert picture.n_frames == 3
    assert {"discs.webp", "disc.gif", "discs.png"} <= written
    assert any(name.startswith("logs/discs/events.out.tfevents") for name in written)
    assert [sorted(each) for each in wandb.logged] == [["epoch", "samples"]]
    assert any(re.match(r"mlruns/.*/images/samples.*step.8.*\.png", name) for name in written)
    shell = re.findall(r"^```shell\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for command in "".join(shell).splitlines():
        program, *arguments = shlex.split(command)
        assert (program, main(arguments)) == ("keras-image-saver", 0)


@pytest.mark.parametrize(
    "public", [ImageSaver, Images, Segmentation, save_image, timelapse, strip, tiles]
)
def test_readme_tables_name_every_argument(public):
    section = TEXT[TEXT.index(f"### `{public.__name__}(") :]
    section = section[: section.index("\n###", 4)]
    missing = [name for name in inspect.signature(public).parameters if f"`{name}" not in section]
    assert missing in ([], ["filepath", "images"], ["run", "out"], ["run", "folder"])


def test_readme_commands_are_one_line_each():
    commands = re.findall(r"^```bash\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(command.startswith("python3 -m venv ") for command in commands)


def test_readme_names_tests_that_exist():
    named = set(re.findall(r"\| `(test_\w+(?:\.py)?)` \|$", TEXT, re.MULTILINE))
    files = list(Path(__file__).parent.rglob("test_*.py"))
    known = {path.name for path in files}
    for path in files:
        known |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) > 10
    assert named <= known
