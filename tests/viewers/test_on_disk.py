"""Which snapshots there are to look at, where a run that is read removes some meanwhile."""

import json
import os

import pytest
from support.folders import flat, write_run

from keras_image_saver import Run, strip, timelapse
from keras_image_saver.viewers.on_disk import on_disk
from keras_image_saver.viewers.overview import overview

pytestmark = pytest.mark.numpy


def epochs(some):
    return [one.epoch for one in some]


@pytest.fixture
def read_meanwhile(tmp_path):
    """A run of four epochs that was read, and whose second picture was removed since; it is missing
    where the record does not say so."""

    def make(*, says, max_to_keep=2):
        folder = write_run(tmp_path / "run", [flat(epoch) for epoch in range(1, 5)])
        record = tmp_path / "run" / "snapshots.jsonl"
        entries = [json.loads(line) for line in record.read_text().splitlines()]
        run = Run(folder, entries, {"settings": {"max_to_keep": max_to_keep}})
        os.unlink(run._saved[1].path)
        if says:
            entries[1]["removed"] = True
            lines = "".join(json.dumps(one) + "\n" for one in entries)
            record.write_text(lines)
        return run

    return make


def test_what_was_removed_since_is_left_out_by_all_that_look(read_meanwhile, tmp_path, recwarn):
    run = read_meanwhile(says=True)
    assert epochs(on_disk(run)) == [1, 3, 4]
    timelapse(run, tmp_path / "out.png")
    strip(run, tmp_path / "strip.png")
    assert "missing" not in overview(run)
    assert not recwarn.list


@pytest.mark.parametrize("max_to_keep", [2, None])
def test_what_is_missing_is_missing(read_meanwhile, max_to_keep):
    run = read_meanwhile(says=False, max_to_keep=max_to_keep)
    assert epochs(on_disk(run)) == [1, 2, 3, 4]
    assert "missing   epoch 2" in overview(run)


def test_run_whose_settings_are_odd_is_as_it_was_read(read_meanwhile):
    run = read_meanwhile(says=True)
    for settings in (None, 3, {"max_to_keep": 0}):
        assert epochs(on_disk(Run(run.folder, [], {"settings": settings}))) == []
