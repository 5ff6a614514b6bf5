"""The list of runs that stands in the folder of a run's, and is kept up to date by who trains there."""

import logging

import pytest
from support.comparison_pages import cards
from support.models import floats
from support.training import Before, untrained

from keras_image_saver import ImageSaver, Run, write_page
from keras_image_saver.viewers.comparison import listing

pytestmark = pytest.mark.once

X = floats(4, 8, 8, 1)


@pytest.fixture(scope="module")
def model():
    return untrained()


@pytest.fixture
def fit(model):
    def run(folder, *callbacks, epochs=1, **options):
        saver = ImageSaver(folder, X, **options)
        model.fit(X, X, batch_size=2, epochs=epochs, verbose=0, callbacks=[*callbacks, saver])

    return run


def listed(folder):
    """What the list says of each run: its name, how it stands, and its last epoch."""
    found = [(one["name"], one["about"]["state"], one["entry"]) for one in cards(folder)]
    return sorted((name, state, entry and entry["epoch"]) for name, state, entry in found)


@pytest.mark.parametrize("page", [True, False])
def test_run_that_begins_where_a_list_stands_is_in_it_at_once_and_as_it_ended(fit, tmp_path, page):
    fit(tmp_path / "a")
    write_page(tmp_path)
    seen = []
    fit(tmp_path / "b", Before(lambda epoch: seen.append(listed(tmp_path))), epochs=2, page=page)
    assert seen[1] == [("a", "finished", 1), ("b", "running", None)]
    assert listed(tmp_path) == [("a", "finished", 1), ("b", "finished", 2)]


def test_nothing_is_written_beside_a_run_unasked(fit, tmp_path):
    fit(tmp_path / "runs" / "a")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]
    (tmp_path / "runs" / "index.html").write_text("mine")
    fit(tmp_path / "runs" / "b")
    assert (tmp_path / "runs" / "index.html").read_text() == "mine"


def test_list_that_cannot_be_written_is_said_once_and_harms_nothing(
    fit, tmp_path, monkeypatch, caplog
):
    fit(tmp_path / "a")
    write_page(tmp_path)

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(listing, "replace_page", fails)
    with caplog.at_level(logging.WARNING, "keras_image_saver"):
        fit(tmp_path / "b")
    (said,) = [one.getMessage() for one in caplog.records if "list of runs" in one.getMessage()]
    assert said.endswith("could not be written: disk full")
    assert [snapshot.epoch for snapshot in Run.open(tmp_path / "b")] == [1]
    assert (tmp_path / "b" / "index.html").exists()
    assert listed(tmp_path) == [("a", "finished", 1)]


def test_run_that_fails_is_in_the_list_as_failed(fit, model, tmp_path):
    fit(tmp_path / "a")
    write_page(tmp_path)
    saver = ImageSaver(tmp_path / "b", X)
    with pytest.raises(ValueError, match="epoch"), saver.watch(model):
        saver.save(epoch=-1)
    assert listed(tmp_path) == [("a", "finished", 1), ("b", "failed", None)]
