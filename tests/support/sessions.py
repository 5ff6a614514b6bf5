"""Trainings as far as a run's folder is concerned, on one thread, with pictures of a few bytes."""

import json

import numpy as np
import pytest

from keras_image_saver.progress import Moment
from keras_image_saver.run import run_file
from keras_image_saver.run.job import Job, Saved
from keras_image_saver.run.lock import Lock, next_order
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.session import Session
from keras_image_saver.run.storage import storage_of
from keras_image_saver.run.template import Template
from keras_image_saver.samples import Samples
from keras_image_saver.viewers.page import Page

SAMPLES = Samples(np.zeros((2, 3), np.float32))
_GEOMETRY = {"columns": 1, "count": 2}
_SUMMARY = {"mae": {"mean": 1.0, "least": 0.0, "most": 2.0, "worst": [[0, 2.0]]}}


def values(epoch):
    """What each sample had at an epoch."""
    return np.array([epoch, epoch / 2], np.float32)


def save(job):
    """Write a picture that says what a real one says; nobody can read a part of it."""
    said = {"run": job.run, **job.moment._asdict(), "time": job.time, "logs": job.logs}
    content = json.dumps({**said, "metrics": _SUMMARY, "geometry": _GEOMETRY}).encode()
    storage_of(job.path).replace(lambda file: file.write(content))
    return Saved(_GEOMETRY, metrics={"mae": values(job.moment.epoch)}, summary=_SUMMARY)


def explain(file):
    """Tell what `save` wrote."""
    found = json.loads(file.read())
    return found if isinstance(found, dict) and "run" in found else None


class Trainings:
    """Trainings one after another in one folder.

    Args:
        folder: The run's folder.
        name: What pictures are called in it.
        told: What was told of trainings before.
        heard: Called whenever what follows has changed.

    Attributes:
        told: What was said to be recorded, and must be found again: (run, epoch) of each snapshot.
        epochs: How many the newest training has come to.
    """

    def __init__(self, folder, name, told=frozenset(), heard=lambda trainings: None):
        self.told = told
        self.epochs = 0
        self._folder, self._name, self._heard = str(folder), name, heard

    def train(self, epochs, *, first=0, previous="keep", keep=None, killed=False):
        """Train up to an epoch.

        Args:
            epochs: The last one.
            first: How many were trained before.
            previous: What becomes of an earlier run.
            keep: How many snapshots stay.
            killed: Whether nobody ends it.
        """
        if first:
            run = _run_in(self._folder)
            gone = {one for one in self.told if one[0] == run and one[1] > first}
        else:
            gone = self.told if previous == "delete" else frozenset()
        self._tell(self.told - gone, first)
        session = self._session(previous, keep)
        try:
            session.open(next_order(), SAMPLES, first, lambda epoch: True)
            session.begin(SAMPLES)
            for epoch in range(first + 1, epochs + 1):
                path = f"{self._folder}/{self._name.format(epoch=epoch)}"
                session.submit(Job(Moment(epoch, 2, 2 * epoch), {"loss": 1.0}, path))
                for outcome in session.collect():
                    assert (outcome.error, outcome.unrecorded) == (None, None)
                self._tell(self.told | {(_run_in(self._folder), epoch)}, epoch)
            if not killed:
                assert session.close()
        finally:
            self._end_process(session)

    def _tell(self, told, epochs):
        self.told, self.epochs = told, epochs
        self._heard(self)

    def _session(self, previous, keep):
        return Session(
            Template(f"{self._folder}/{self._name}"),
            save,
            say=_say,
            background=False,
            previous=previous,
            page=Page(self._folder, _say).follow,
            about={"settings": {"filepath": self._name, "sample_names": ["a", "b"]}},
            explain=explain,
            retention=Retention(keep),
        )

    def _end_process(self, session):
        run_file._open.discard(session._run_file)
        held = Lock._held.pop(storage_of(self._folder).real_path, None)
        if held is not None and held.file is not None:
            held.file.close()


def _say(text):
    if "were not written when that training ended" not in text:
        pytest.fail(text)


def _run_in(folder):
    about, _ = run_file.read_run(folder)
    return None if about is None else about["id"]
