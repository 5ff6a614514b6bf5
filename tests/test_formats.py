"""A run is read by `docs/formats.md` alone, and has no field and no file that is not described there."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from support.models import autoencoder, floats
from support.papers import ROOT, run_python

from keras_image_saver import ImageSaver, Run, tiles

TEXT = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
EPOCHS = 260  # more than a file of the record holds

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with full files of its record, metrics, and pictures that were removed."""
    path = tmp_path_factory.mktemp("formats") / "runs/example"
    x = floats(4, 8, 8, 1)
    saver = ImageSaver(path, (x, x[::-1]), metrics=["psnr"], max_to_keep=3, previous="delete")
    with saver.watch(autoencoder()):
        for epoch in range(EPOCHS):
            saver.save(epoch=epoch, logs={"loss": 1 / (epoch + 1)})
    return path


def test_run_is_read_as_the_formats_say(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(folder.parents[1])
    read = {}
    run_python(TEXT, read, "docs/formats.md")
    run = Run.open("runs/example")
    assert len(read["entries"]) == EPOCHS
    assert [one["epoch"] for one in read["entries"].values() if not one.get("removed")] == [
        snapshot.epoch for snapshot in run
    ]
    last = list(run)[-1]
    np.testing.assert_array_equal(read["values"][0 + EPOCHS, 0, 0], last.metrics["psnr"])
    np.testing.assert_array_equal(read["inputs"], run.samples.inputs)
    (path,) = tiles(run, tmp_path / "cut", epochs="last", samples=[1], panels="prediction")
    with Image.open(path) as expected, Image.open("tile.png") as found:
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"True {EPOCHS} ")


def test_every_field_and_every_file_is_described(folder):
    about = json.loads((folder / "run.json").read_text())
    lines = (folder / "snapshots.jsonl").read_text().splitlines()
    entry = json.loads(lines[-1])
    with Image.open(folder / entry["file"]) as picture:
        said = picture.text
    fields = {*about, *entry, *entry["geometry"], *entry["metrics"]["psnr"], *said}
    assert {name for name in fields if f"`{name}`" not in TEXT} == set()
    names = {path.name for path in folder.iterdir() if not re.fullmatch(r"\d{4}\.png", path.name)}
    twins = {name for name in names if name.endswith(".html")} - {"index.html"}
    names = names - twins | {name.replace(".html", ".js") for name in twins}
    assert {name for name in names if f"`{name}`" not in TEXT} == set()
