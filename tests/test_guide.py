"""The guide's blocks run, section by section, each behind the block that is to be pasted first."""

import contextlib
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.papers import ROOT, Wandb, blocks, run_python, run_shell, sections

from keras_image_saver import Run, tiles

SECTIONS = sections((ROOT / "docs/guide.md").read_text(encoding="utf-8"))
BEFORE = SECTIONS.pop("Before you paste")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        tf.keras.backend.backend() != "tensorflow", reason="the guide's models train by TensorFlow"
    ),
    pytest.mark.filterwarnings(
        "ignore:NotebookDisplay shows nothing here",
        "ignore:`shuffle=True` was passed",  # Keras says it of each data set that `fit` is given
        "ignore:currentThread:DeprecationWarning",  # keras-tuner's
        "ignore:getName:DeprecationWarning",
    ),
]


@pytest.fixture(scope="module")
def pasted():
    """What the first block leaves behind, traced once for all sections."""
    namespace = {}
    run_python(BEFORE, namespace, "Before you paste")
    return namespace


@pytest.fixture
def wandb(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", Wandb())
    return sys.modules["wandb"]


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    """A store of files instead of a server."""
    found = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # newer ones ask for a database
    found.set_tracking_uri((tmp_path / "mlruns").as_uri())
    return found


@pytest.fixture
def paste(pasted, tmp_path, monkeypatch):
    """A function that runs a section in an empty folder, and returns its names and its files."""
    monkeypatch.chdir(tmp_path)

    def run(title):
        namespace = dict(pasted)
        run_python(SECTIONS[title], namespace, title)
        run_shell(SECTIONS[title])
        files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
        return namespace, files

    return run


def epochs(folder):
    return [snapshot.epoch for snapshot in Run.open(folder)]


def size(path):
    with Image.open(path) as picture:
        return picture.size


def geometry(folder):
    return list(Run.open(folder))[-1].geometry


def logs(folder):
    return list(Run.open(folder))[-1].logs


def test_every_section_with_code_has_a_test():
    code = [title for title, text in SECTIONS.items() if blocks(text, "(?:python|shell)")]
    names = {"test_" + re.sub(r"\W+", "_", title.lower()) for title in code}
    assert names - set(globals()) == set()


def test_names_of_files(paste):
    _, files = paste("Names of files")
    assert len([one for one in files if re.fullmatch(r"runs/named/00[012].*\.png", one)]) == 3
    assert epochs("runs/dense") == [1, 2]
    assert {f"runs/batches/{step:08d}.png" for step in (3, 6, 9, 12, 15)} <= files


def test_what_a_picture_shows(paste):
    paste("What a picture shows")
    assert geometry("runs/panels")["panels"] == ["input", "prediction", "error"]
    assert geometry("runs/error")["panels"] == ["input", "prediction", "error"]
    assert Run.open("runs/panels").about["settings"]["sample_names"][3] == "fourth"


def test_watch_a_run(paste):
    _, files = paste("Watch a run")
    assert "runs/paged/index.html" in files
    (served,) = blocks(SECTIONS["Watch a run"], "shell")
    (tunnel,) = blocks(SECTIONS["Watch a run"], "console")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert served.count("8000") == 1
    assert "8000:127.0.0.1:8000" in tunnel
    program, *arguments = shlex.split(served.replace("8000", str(port)))
    assert program == "python"
    server = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    try:
        page = None
        for _ in range(100):
            with contextlib.suppress(OSError):
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/paged/").read()
                break
            time.sleep(0.1)
    finally:
        server.kill()
        server.wait()
    assert page is not None
    assert b"keras_image_saver page" in page


def test_the_run_and_its_folder(paste):
    _, files = paste("The run and its folder")
    assert epochs("runs/kept") == [1]
    assert epochs("runs/kept/previous-1") == [1, 2, 3, 4]
    assert epochs("runs/few") == [1, 3, 5, 6]
    assert "runs/few/0002.png" not in files


def test_look_at_a_run(paste):
    namespace, files = paste("Look at a run")
    with Image.open("discs.webp") as picture:
        assert picture.n_frames == 3
    assert {"disc.gif", "discs.png", "discs/0003-000-prediction.png"} <= files
    assert len(namespace["paths"]) == 8
    assert len([one for one in files if one.startswith("single/")]) == 3 * 4 * 2


def test_runs_side_by_side(paste):
    _, files = paste("Runs side by side")
    assert {"runs/index.html", "compare.html"} <= files


@pytest.mark.exhaustive
def test_gans(paste):
    _, files = paste("GANs")
    assert len([one for one in files if re.fullmatch(r"runs/gan/000[012].*\.png", one)]) == 3
    assert "diversity" in list(Run.open("runs/gan"))[-1].summary
    assert geometry("runs/walk")["columns"] == 8
    assert (geometry("runs/conditional")["columns"], geometry("runs/conditional")["count"]) == (
        4,
        24,
    )
    sides = [snapshot.geometry["tile"] for snapshot in Run.open("runs/growing")]
    assert sides == [[32, 32], [32, 32], [64, 64], [64, 64]]


def test_cyclegan(paste):
    paste("CycleGAN")
    assert epochs("runs/cycle/forth") == epochs("runs/cycle/back") == [1]
    assert logs("runs/cycle/forth")["cycle_loss"] > 0


def test_vae(paste):
    paste("VAE")
    assert geometry("runs/vae/plane")["count"] == 64
    assert geometry("runs/vae/rebuilt")["panels"] == ["input", "prediction"]
    assert logs("runs/vae/plane")["vae_loss"] > 0


def test_diffusion(paste):
    paste("Diffusion")
    assert geometry("runs/diffusion")["panels"] == ["prediction"]
    assert logs("runs/diffusion")["v_loss"] > 0


def test_super_resolution(paste):
    paste("Super-resolution")
    assert geometry("runs/sharp")["panels"] == ["input", "prediction", "target", "error"]
    assert {*list(Run.open("runs/sharp"))[-1].summary} == {"psnr", "ssim"}


def test_segmentation(paste):
    paste("Segmentation")
    assert geometry("runs/unet")["panels"] == ["input", "prediction", "target", "error"]
    assert [one["name"] for one in Run.open("runs/unet").about["class_names"]] == [
        "ground",
        "small",
        "large",
    ]


def test_preprocessed_inputs(paste):
    namespace, _ = paste("Preprocessed inputs")
    (path,) = tiles("runs/vgg", "cut", samples=[0], panels="input")
    with Image.open(path) as picture:
        np.testing.assert_allclose(np.asarray(picture), namespace["photos"][0], atol=1)


@pytest.mark.exhaustive
def test_clips_and_volumes(paste):
    paste("Clips and volumes")
    assert geometry("runs/clips")["slices"] == [0, 1, 2, 3, 4]
    assert geometry("runs/volumes")["slices"] == [1, 3, 5, 7]


def test_boxes_and_keypoints(paste):
    paste("Boxes and keypoints")
    assert geometry("runs/boxes")["panels"] == ["prediction", "target"]


def test_numbers_beside_the_samples(paste):
    paste("Numbers beside the samples")
    names = {*list(Run.open("runs/measured"))[-1].summary}
    assert names == {"psnr", "ssim", "binary_crossentropy"}


def test_averaged_weights(paste):
    paste("Averaged weights")
    assert [snapshot.weights for snapshot in Run.open("runs/averaged")] == ["raw+ema"]


def test_a_loop_of_your_own(paste):
    paste("A loop of your own")
    assert epochs("runs/loop") == [1, 2]


def test_trackers_and_notebooks(paste, wandb, mlflow):
    _, files = paste("Trackers and notebooks")
    assert any(name.startswith("logs/discs/events.out.tfevents") for name in files)
    assert [sorted(each) for each in wandb.logged] == [["epoch", "samples"]]
    assert any(re.match(r"mlruns/.*/images/samples.*\.png", name) for name in files)


@pytest.mark.exhaustive
def test_keras_tuner(paste):
    pytest.importorskip("keras_tuner")
    _, files = paste("keras-tuner")
    assert {"runs/tuned/4-filters/0001.png", "runs/tuned/8-filters/0001.png"} <= files


@pytest.mark.exhaustive
def test_which_keras_how_many_workers(paste):
    paste("Which Keras, how many workers")
    assert epochs("runs/mirrored") == [1]


def test_one_tensor_to_a_file(paste):
    namespace, files = paste("One tensor to a file")
    assert {"rgb.png", "rgb.jpg", "grey.tif", "grey.bmp", "tanh.png", "grid.png"} <= files
    rgb = np.asarray(Image.open("rgb.png"))
    np.testing.assert_array_equal(np.asarray(Image.open("from_opencv.png")), rgb)
    np.testing.assert_array_equal(np.asarray(Image.open("grey.tif")), rgb[..., 0])
    assert namespace["png"][:4] == b"\x89PNG"
