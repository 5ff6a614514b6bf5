import io

import numpy as np
import pytest
from support.storage import replacing

from keras_image_saver.run import samples_file
from keras_image_saver.run.samples_file import (
    keep_samples,
    load_samples,
    same_samples,
    save_samples,
)
from keras_image_saver.samples import Samples

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(samples):
    file = io.BytesIO()
    save_samples(samples, file)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(Samples(X), id="an array"),
        pytest.param(Samples(X, X[:, 0], noise=True), id="targets"),
        pytest.param(Samples({"a": X, "b": (X + 1, X + 2)}, [X, None]), id="nested"),
        pytest.param(Samples(np.array([b"ab", b"c"], object)), id="strings"),
    ],
)
def test_samples_are_read_back_in_their_structure(samples):
    found = load_samples(written(samples), samples)
    assert same_samples(samples, found)
    assert type(found.inputs) is type(samples.inputs)
    assert found.noise == samples.noise


@pytest.mark.parametrize(
    "other", [Samples({"a": X}), Samples(X, X), Samples([X, X])], ids=["dict", "targets", "list"]
)
def test_samples_of_another_structure_are_none(other):
    assert load_samples(written(Samples(X)), other) is None


def test_samples_with_another_value_are_not_the_same():
    assert same_samples(Samples(X, X), Samples(X.copy(), X.copy()))
    assert not same_samples(Samples(X, X), Samples(X, X + 1))


def test_samples_are_kept_in_the_folder(tmp_path):
    for inputs, ours in ((X, False), (X + 1, True)):
        keep_samples(Samples(inputs), str(tmp_path), pytest.fail, ours=ours)
        with np.load(tmp_path / "samples.npz", allow_pickle=False) as kept:
            np.testing.assert_array_equal(kept["x"], inputs)


def test_samples_that_are_none_are_not_kept(tmp_path):
    keep_samples(Samples(None), str(tmp_path), pytest.fail, ours=True)
    assert not list(tmp_path.iterdir())


def test_file_that_is_not_ours_is_left_and_it_is_said(tmp_path):
    (tmp_path / "samples.npz").write_bytes(b"mine")
    said = []
    keep_samples(Samples(X), str(tmp_path), said.append, ours=False)
    assert said == [
        f"samples.npz in {tmp_path} is there already and not ours; the samples are not kept."
    ]
    assert (tmp_path / "samples.npz").read_bytes() == b"mine"


def test_samples_that_are_too_large_are_not_kept_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(samples_file, "MOST_MIB", 1)
    said = []
    large = Samples(np.zeros((2, 2**19 + 1), np.uint8), np.zeros((2, 1), np.uint8))
    keep_samples(large, str(tmp_path), said.append, ours=True)
    assert not list(tmp_path.iterdir())
    assert said == [
        "The samples take 1 MiB and are not kept beside the pictures (1 MiB at most): a resumed run "
        "will draw what it is given."
    ]


def test_samples_that_cannot_be_written_are_said(tmp_path):
    def full(path, replace):
        raise OSError(28, "No space left on device")

    said = []
    with replacing(full):
        keep_samples(Samples(X), str(tmp_path), said.append, ours=False)
    assert said == [
        f"The samples could not be kept in {tmp_path}/samples.npz: OSError: [Errno 28] No space "
        "left on device"
    ]
