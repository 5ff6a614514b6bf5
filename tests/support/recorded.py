"""What the record of a run tells, and what else is left of it."""

import os
import threading

from keras_image_saver import Run
from support.models import read


def recorded(folder):
    """(epoch, file) of each snapshot that the record names; every file is there and decodes."""
    run = Run.open(str(folder))
    assert run.missed == []
    for snapshot in run:
        assert read(snapshot.path).size
    return [(one.epoch, os.path.relpath(one.path, folder)) for one in run]


def numbered(*epochs):
    """What `recorded` gives of a run under its own names."""
    return [(epoch, f"{epoch:04d}.png") for epoch in epochs]


def saved_and_missed(folder):
    """The epochs saved and the epochs missed; every file that the record names decodes."""
    run = Run.open(str(folder))
    for snapshot in run:
        assert read(snapshot.path).size
    return [one.epoch for one in run], [one.epoch for one in run.missed]


def tree(folder):
    """Every file below, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def left_over(folder):
    return [path.name for path in folder.rglob(".keras_image_saver*")]


def saver_threads():
    return [thread for thread in threading.enumerate() if thread.name == "keras_image_saver"]
