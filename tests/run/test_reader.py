"""What a run that is read tells of what it was shown. The rest is tested with the record."""

import numpy as np
import pytest

from keras_image_saver import Run
from keras_image_saver.run.run_file import about_samples
from keras_image_saver.run.samples_file import keep_samples
from keras_image_saver.samples import Samples

pytestmark = pytest.mark.numpy

X = np.arange(6, dtype=np.float32).reshape(2, 3)
ID = "0" * 32


def kept(folder, samples):
    """A run in whose folder samples were kept."""
    keep_samples(samples, str(folder), pytest.fail, run=ID)
    return Run(str(folder), [], {"id": ID, "samples": about_samples(samples)})


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif expected is not None:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("given", "inputs", "targets"),
    [
        pytest.param(Samples(X), X, None, id="an array"),
        pytest.param(Samples(X, X[:, 0]), X, X[:, 0], id="targets"),
        pytest.param(Samples((X, X + 1)), [X, X + 1], None, id="a tuple"),
        pytest.param(
            Samples({"b": X, "a": [X + 1, {"c": X + 2}]}, {"y": X}),
            {"a": [X + 1, {"c": X + 2}], "b": X},
            {"y": X},
            id="nested",
        ),
        pytest.param(Samples({"1": X, "2": X}), {"1": X, "2": X}, None, id="numbers from 1"),
        pytest.param(Samples([X] * 11), [X] * 11, None, id="eleven"),
        pytest.param(Samples(X, [None, X]), X, {"1": X}, id="without the first"),
        pytest.param(Samples(X.astype("S")), X.astype("S"), None, id="bytes of one length"),
    ],
)
def test_samples_are_read_in_the_plain_structure_that_the_file_tells(
    tmp_path, given, inputs, targets
):
    found = kept(tmp_path, given).samples
    assert_same(found.inputs, inputs)
    assert_same(found.targets, targets)


def test_samples_of_strings_are_those_that_were_given(tmp_path):
    words = np.array(["a cat", "ein Hörnchen", b"raw\0"], object)
    inputs, targets = kept(tmp_path, Samples({"text": words, "x": X[:1]})).samples
    assert inputs["text"].tolist() == words.tolist()
    assert targets is None


def test_samples_that_were_not_kept_are_none(tmp_path):
    assert kept(tmp_path, Samples(None)).samples is None
    assert Run(str(tmp_path / "nowhere"), []).samples is None


def test_samples_file_of_another_run_or_of_the_users_own_is_none(tmp_path):
    run = kept(tmp_path, Samples(X))
    assert Run(run.folder, [], {**run.about, "id": "1" * 32}).samples is None
    np.savez(tmp_path / "samples.npz", x=X)
    assert run.samples is None


def test_samples_of_a_run_of_the_first_version_are_read(tmp_path):
    np.savez(tmp_path / "samples.npz", x=X, y=X + 1)
    for about in ({}, {"id": ID, "samples": {"unmarked": True}}):
        inputs, targets = Run(str(tmp_path), [], about).samples
        assert_same([inputs, targets], [X, X + 1])


def test_samples_that_cannot_be_read_are_an_error_that_names_the_file(tmp_path):
    run = kept(tmp_path, Samples(X))
    content = (tmp_path / "samples.npz").read_bytes()
    (tmp_path / "samples.npz").write_bytes(content.replace(b"NUMPY", b"nUMPY"))
    with pytest.raises(ValueError, match=f"samples.npz in '{tmp_path}' cannot be read"):
        assert run.samples


@pytest.mark.parametrize("samples", [None, 3, {"arrays": 3}, {"arrays": {"x": 3}}], ids=repr)
def test_samples_are_read_whatever_is_said_of_them(tmp_path, samples):
    run = kept(tmp_path, Samples(X))
    assert_same(Run(run.folder, [], {"id": ID, "samples": samples}).samples.inputs, X)
