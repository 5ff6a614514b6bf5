import io

import numpy as np
import pytest
from support.storage import replacing

from keras_image_saver.run import samples_file
from keras_image_saver.run.samples_file import (
    find_samples,
    keep_samples,
    load_samples,
    same_samples,
    save_samples,
)
from keras_image_saver.samples import Samples

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(samples, run="1"):
    file = io.BytesIO()
    save_samples(samples, file, run=run)
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


def test_samples_are_kept_in_the_folder_and_replaced_by_their_run(tmp_path):
    for inputs in (X, X + 1):
        keep_samples(Samples(inputs), str(tmp_path), pytest.fail, run="1")
        with np.load(tmp_path / "samples.npz", allow_pickle=False) as kept:
            np.testing.assert_array_equal(kept["x"], inputs)


def test_samples_that_are_none_are_not_kept(tmp_path):
    keep_samples(Samples(None), str(tmp_path), pytest.fail, run="1")
    assert not list(tmp_path.iterdir())


def unmarked(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"mine", unmarked(x=X + 1), unmarked(photos=X), written(Samples(X), run="2").getvalue()],
    ids=["no archive", "unmarked", "other names", "of another run"],
)
def test_file_that_is_not_the_runs_is_left_and_it_is_said(tmp_path, content):
    (tmp_path / "samples.npz").write_bytes(content)
    said = []
    keep_samples(Samples(X), str(tmp_path), said.append, run="1")
    assert said == [
        f"samples.npz in {tmp_path} is there already and not of this run; the samples are not kept."
    ]
    assert (tmp_path / "samples.npz").read_bytes() == content


def test_file_of_0_1_0_that_holds_the_samples_is_left_without_a_word(tmp_path):
    content = unmarked(x=X)
    (tmp_path / "samples.npz").write_bytes(content)
    keep_samples(Samples(X), str(tmp_path), pytest.fail, run="1")
    assert (tmp_path / "samples.npz").read_bytes() == content


@pytest.mark.parametrize("run", ["1", "2"])
def test_samples_are_found_by_their_mark(tmp_path, run):
    keep_samples(Samples(X), str(tmp_path), pytest.fail, run="1")
    found = find_samples(str(tmp_path), run, unmarked=True)
    assert (found is not None) == (run == "1")


@pytest.mark.parametrize(
    ("arrays", "ours"),
    [({"x": X}, True), ({"x/0": X, "y": X}, True), ({"x": X, "z": X}, False), ({"y": X}, False)],
)
def test_samples_without_a_mark_are_told_by_their_names(tmp_path, arrays, ours):
    (tmp_path / "samples.npz").write_bytes(unmarked(**arrays))
    assert (find_samples(str(tmp_path), None, unmarked=True) is not None) == ours
    assert find_samples(str(tmp_path), None, unmarked=False) is None


TEXT = ["ä", "日本語", ""]
BYTES = [b"\xff\x00", b"", b"a\x00\x00"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(np.array(TEXT), id="text of fixed length"),
        pytest.param(np.array(BYTES), id="bytes of fixed length"),
        pytest.param(np.array(TEXT, object).reshape(3, 1), id="text"),
        pytest.param(np.array(BYTES, object).reshape(3, 1), id="bytes"),
        pytest.param(np.array(["a\0", b"a\0", "\ud800"], object).reshape(3, 1), id="both"),
    ],
)
def test_strings_are_read_back_as_they_were(given):
    samples = Samples({"text": given}, from_dataset=True)
    found = load_samples(written(samples), samples).inputs["text"]
    assert (found.dtype, found.shape) == (given.dtype, given.shape)
    assert found.tolist() == given.tolist()
    assert [type(one) for one in found.ravel()] == [type(one) for one in given.ravel()]
    assert same_samples(samples, load_samples(written(samples), samples))


def test_strings_of_0_1_0_are_the_same(tmp_path):
    given = Samples(np.array([b"ab", b"c"], object))
    (tmp_path / "samples.npz").write_bytes(unmarked(x=given.inputs.astype("S")))
    keep_samples(given, str(tmp_path), pytest.fail, run="1")


def test_objects_that_are_no_strings_are_said(tmp_path):
    said = []
    keep_samples(Samples(np.array([None, 1], object)), str(tmp_path), said.append, run="1")
    assert said == [
        f"The samples could not be kept in {tmp_path}/samples.npz: TypeError: an array of objects "
        "must hold strings, got NoneType"
    ]
    assert not list(tmp_path.iterdir())


def test_samples_that_are_too_large_are_not_kept_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(samples_file, "MOST_MIB", 1)
    said = []
    large = Samples(np.zeros((2, 2**19 + 1), np.uint8), np.zeros((2, 1), np.uint8))
    keep_samples(large, str(tmp_path), said.append, run="1")
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
        keep_samples(Samples(X), str(tmp_path), said.append, run="1")
    assert said == [
        f"The samples could not be kept in {tmp_path}/samples.npz: OSError: [Errno 28] No space "
        "left on device"
    ]
