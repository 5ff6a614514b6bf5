"""Runs for the page's tests, written without a model."""

import json
import os
import re
import time

import numpy as np

from keras_image_saver import encode_image
from keras_image_saver.picture.grid import plan
from keras_image_saver.run.files import RUN_FILE
from keras_image_saver.run.lines import line_of
from keras_image_saver.run.mirror import nobody
from keras_image_saver.run.record import Record, Snapshot
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.run_file import new_about, write_about
from keras_image_saver.viewers.page import Page

SIZE = 8
INTERVAL_S = 600  # between snapshots, after some of which a run would count as stopped


def color(epoch, sample, panel=0):
    """A colour that no other tile has."""
    return (20 * epoch + 10) % 256, (40 * sample + 15) % 256, 60 + 80 * panel


def layout(samples=4, panels=("prediction",)):
    return plan(dict.fromkeys(panels, (SIZE, SIZE)), samples, columns=None, padding=2)


def picture(epoch, samples=4, panels=("prediction",)):
    """An encoded grid of plain tiles."""
    planned = layout(samples, panels)
    grid = np.zeros((*planned.size, 3), np.uint8)
    for sample in range(samples):
        for panel in range(len(panels)):
            y, x = planned.tile_at(sample, panel)
            grid[y : y + SIZE, x : x + SIZE] = color(epoch, sample, panel)
    return encode_image(grid)


class Writer:
    """Writes a run as the callback does, a snapshot at a time."""

    def __init__(
        self,
        folder,
        *,
        samples=4,
        panels=("prediction",),
        entries=(),
        page=True,
        max_to_keep=None,
        names=(),
        classes=(),
        about=(),
    ):
        self.folder = folder
        self.samples, self.panels = samples, panels
        self.said = []
        self.begun = time.time()
        self.page = Page(str(folder), self.said.append)
        self.about = new_about() | {
            "settings": {"sample_names": list(names) or None},
            "class_names": list(classes) or None,
            **dict(about),
        }
        self.follow = self.page.follow if page else nobody
        lines = [line_of(entry) for entry in entries]
        self.record = Record(
            str(folder),
            lines,
            mirror=self.follow,
            retention=Retention(max_to_keep),
        )

    def begin(self, state="running"):
        self.tell(state)
        self.record.write()
        return self

    def tell(self, state):
        """Write `run.json`, as when the run begins, is resumed and ends."""
        self.about |= {"state": state}
        write_about(str(self.folder), self.about)
        self.follow(RUN_FILE, self.about)
        return self

    def save(self, epoch, *, file=None, content=None, write=True, **changes):
        file = file or f"{epoch:04d}.png"
        fields = {
            "batch": 4,
            "step": 4 * epoch,
            "path": f"{self.folder}/{file}",
            "logs": {"loss": 1 / (epoch + 1)},
            "time": self.begun + INTERVAL_S * epoch,
            "geometry": layout(self.samples, self.panels).geometry(),
            **changes,
        }
        if fields["path"]:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                content = picture(epoch, self.samples, self.panels)
            if content:
                path.write_bytes(content)
        snapshot = Snapshot(epoch, **fields)
        self.record.add(snapshot)
        self.record.free(snapshot)
        if write:
            self.record.write()
            for path in self.record.take_removed():
                os.unlink(path)
        return self

    def miss(self, epoch, reason="OSError: disk full"):
        return self.save(epoch, path="", missed=reason, geometry={})


def make_run(folder, epochs=5, **options):
    writer = Writer(folder, **options).begin()
    for epoch in range(1, epochs + 1):
        writer.save(epoch)
    return writer


def metrics(epoch):
    """Logs with gaps, and with what is no number."""
    found = {"loss": 1 / epoch, "val_loss": 1.2 / epoch, "lr": 0.1, "note": "text", "top": [1, 2]}
    if epoch in (3, 4):
        found["loss"] = float("nan")
    if epoch == 6:
        found["loss"] = float("inf")
        del found["val_loss"]
    return found


def make_charts(folder):
    """A run of eight epochs with metrics to draw charts of."""
    writer = Writer(folder).begin()
    for number in range(1, 9):
        writer.save(number, logs=metrics(number))


def long_run(folder, count):
    """A run of which the last few pictures exist, written at once."""
    writer = Writer(folder)
    for epoch in range(1, count + 1):
        writer.save(epoch, content=None if epoch > count - 40 else b"", write=False)
    writer.record.write()


def read_script(path):
    """What a script hands to the page: (segment, content)."""
    text = path.read_bytes().decode("ascii")
    comment, call, rest = text.split("\n")
    assert comment == "// keras_image_saver page"
    assert rest == ""
    segment, data = re.fullmatch(r'kerasImageSaver\((\d+|"[a-z0-9-]+"), (".*")\);', call).groups()
    return json.loads(segment), read_json(json.loads(data))


def read_twin(path):
    """What a document hands to a page elsewhere: (segment, content)."""
    text = path.read_bytes().decode("ascii")
    assert "keras_image_saver page" in text[:200]
    data = re.search(r'<script id="part" type="application/json">([^<]*)</script>', text)[1]
    segment, content = json.loads(data)
    return segment, read_json(content)


def read_json(text):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)
