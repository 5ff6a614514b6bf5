"""What whole runs share."""

import warnings

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def _seed():
    tf.keras.utils.set_random_seed(5)


@pytest.fixture
def lines(caplog):
    """The lines that the package logged, as a function."""

    def logged():
        records = [record for record in caplog.records if record.name == "keras_image_saver"]
        assert all(record.levelname == "WARNING" for record in records)
        return [record.getMessage() for record in records]

    return logged


@pytest.fixture
def warnings_are_errors():
    """As for a user who wants no warning overlooked: one from a hook would end `fit`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # As in pyproject.toml: what Keras itself does.
        warnings.filterwarnings("ignore", "non-integer arg", DeprecationWarning, "random")
        warnings.filterwarnings("ignore", "__array__ implementation doesn't", DeprecationWarning)
        yield


@pytest.fixture
def short_segments(monkeypatch):
    """A file of the record holds two entries."""
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 2)
