"""The README's Python blocks run, one after another in one namespace, as a reader would paste them."""

import re

import pytest
import tensorflow as tf
from support.papers import ROOT, blocks, run_python

from keras_image_saver import Run

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(
    tf.keras.backend.backend() != "tensorflow", reason="the README's GAN trains by TensorFlow"
)
def test_readme_blocks_run_and_write_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(TEXT, {}, "README")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {f"runs/discs/000{epoch}.png" for epoch in (1, 2, 3)} <= written
    assert {"runs/loop/0001.png", "runs/loop/0002.png", "runs/discs/index.html"} <= written
    assert sum(name.startswith("runs/gan/0") for name in written) == 2
    last = list(Run.open("runs/unet"))[-1]
    assert last.geometry["panels"] == ["input", "prediction", "target", "error"]
    assert last.metrics["iou"].shape == (8,)


def test_readme_commands_are_one_line_each():
    commands = blocks(TEXT, "bash")
    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(command.startswith("python3 -m venv ") for command in commands)


def test_readme_is_short():
    assert TEXT.count("\n") <= 180


def test_readme_costs_are_those_that_were_measured():
    """Each row of the table, by the rows of the same name in the results, rounded."""
    results = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
    names = {
        "the forward pass alone": "forward pass alone",
        "`ImageSaver`": "ImageSaver",
        "`ImageSaver`, `background=False`": "ImageSaver, background=False",
        "20 careful lines: NumPy, one grid, `cv2.imwrite`": "20 careful lines, cv2.imwrite",
        "`tf.summary.image` of all samples, for TensorBoard": "tf.summary.image of all samples",
        "a PNG an image by `array_to_img`, as in tutorials": "array_to_img, a PNG an image",
        "a Matplotlib figure, as in tutorials": "matplotlib figure",
    }
    sizes = ["64 images of 64²", "16 images of 256²", "64 images of 256²"]
    tables = [re.split(rf"### `on_epoch_end`, {size},", results)[1] for size in sizes]
    for shown, name in names.items():
        row = re.compile(rf"^\| {re.escape(name)} \| ([\d.,]+) ", re.MULTILINE)
        measured = [float(row.search(table)[1].replace(",", "")) for table in tables]
        cells = " | ".join(f"{value:,.0f}" for value in measured)
        assert f"| {shown} | {cells} |" in TEXT
