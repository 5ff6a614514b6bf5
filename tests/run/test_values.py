"""What each sample had, in files beside the record: written whole, read when it is looked at."""

import os
import pickle
import zipfile

import numpy as np
import pytest

from keras_image_saver.run.files import METRICS, METRICS_FILES
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Record, Snapshot
from keras_image_saver.run.values import ROWS, VALUES, Row, ValuesFile, ValuesReader, values_files

pytestmark = pytest.mark.numpy


def row(epoch, values=(0.5, 1.5), **by_class):
    found = {name: np.array(one, np.float32) for name, one in by_class.items()}
    return Row((epoch, 1, 0), {"mae": np.array(values, np.float32)}, found)


def written(folder, *rows):
    values = ValuesFile(str(folder))
    for one in rows:
        values.add(one)
    values.write()
    return values


def test_values_that_are_written_are_read_again(tmp_path):
    written(tmp_path, row(1, [0.5, np.nan]), row(2, [np.inf, -1], iou=[0.25, np.nan, 1]))
    reader = ValuesReader(str(tmp_path))
    np.testing.assert_array_equal(reader.row((1, 1, 0)).metrics["mae"], [0.5, np.nan])
    found = reader.row((2, 1, 0))
    np.testing.assert_array_equal(found.metrics["mae"], [np.inf, -1])
    np.testing.assert_array_equal(found.by_class["iou"], [0.25, np.nan, 1])
    assert found.metrics["mae"].dtype == np.float32
    assert reader.row((3, 1, 0)).metrics == {}


def test_values_of_other_shapes_or_too_many_rows_begin_another_file(tmp_path):
    written(
        tmp_path,
        *(row(epoch) for epoch in range(1, ROWS + 2)),
        row(ROWS + 2, [1, 2, 3]),
        row(ROWS + 3, [4, 5, 6]),
    )
    assert values_files(str(tmp_path)) == [METRICS_FILES.name(0), METRICS_FILES.name(1), METRICS]
    reader = ValuesReader(str(tmp_path))
    for epoch, values in ((1, [0.5, 1.5]), (ROWS + 1, [0.5, 1.5]), (ROWS + 3, [4, 5, 6])):
        np.testing.assert_array_equal(reader.row((epoch, 1, 0)).metrics["mae"], values)


def test_values_of_a_resumed_run_go_on_and_the_later_of_two_rows_holds(tmp_path):
    written(tmp_path, row(1), row(2, [7, 7]))
    written(tmp_path, row(2, [1, 2]), row(3, [3, 4]))
    assert values_files(str(tmp_path)) == [METRICS]
    reader = ValuesReader(str(tmp_path))
    found = [reader.row((epoch, 1, 0)).metrics["mae"].tolist() for epoch in (1, 2, 3)]
    assert found == [[0.5, 1.5], [1, 2], [3, 4]]


def test_follower_hears_of_the_last_full_file_where_the_run_is_resumed(tmp_path):
    written(tmp_path, row(1), row(2, [1, 2, 3]), row(3, [1, 2]))
    heard = []
    values = ValuesFile(str(tmp_path), lambda name, rows: heard.append((name, len(rows))))
    values.add(row(4, [3, 4]))
    values.write()
    assert heard == [(METRICS_FILES.name(1), 1), (METRICS, 2)]


def test_values_that_cannot_be_written_are_written_with_the_next(tmp_path, monkeypatch):
    values = written(tmp_path, row(1))
    values.add(row(2))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            values.write()
    assert values.is_behind
    values.write()
    assert not values.is_behind
    assert ValuesReader(str(tmp_path)).row((2, 1, 0)).metrics["mae"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "text", "other npz"])
def test_file_of_the_name_that_is_not_ours_is_left_as_it_is(tmp_path, content):
    path = tmp_path / METRICS
    if content is None:
        np.savez(path, mine=np.arange(3))
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    record = Record(str(tmp_path))
    record.add(snapshot(str(tmp_path)))
    with pytest.raises(FileExistsError, match=METRICS):
        record.write()
    assert path.read_bytes() == before
    # The entry itself is there all the same.
    (found,) = Run.open(tmp_path)
    assert found.summary["mae"]["mean"] == 1
    assert dict(found.metrics) == {}


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"key": np.arange(3)},
        {"key": np.ones((2, 3)), "metrics/mae": np.ones((2, 4), np.float32)},
        {"key": np.ones((2, 3), np.int64), "metrics/mae": np.ones((3, 4), np.float32)},
        {"key": np.ones((2, 3), np.int64), "metrics/mae": np.array([["a"], ["b"]])},
    ],
    ids=["nothing", "no rows", "float keys", "more rows than keys", "texts"],
)
def test_archive_that_says_something_else_has_no_values(tmp_path, arrays):
    written(tmp_path, row(1))
    np.savez(tmp_path / METRICS, **arrays)
    with zipfile.ZipFile(tmp_path / METRICS, "a") as archive:
        archive.comment = b"keras_image_saver metrics"
    assert ValuesReader(str(tmp_path)).row((1, 1, 0)).metrics == {}


def snapshot(folder, epoch=1):
    return Snapshot(
        epoch,
        1,
        epoch,
        f"{folder}/{epoch:04d}.png",
        metrics={"mae": np.array([0.5, 1.5], np.float32)},
        class_metrics={"iou": np.array([1, 0.5], np.float32)},
        summary={"mae": {"mean": 1.0, "least": 0.5, "most": 1.5, "worst": [[1, 1.5], [0, 0.5]]}},
    )


def test_snapshot_that_is_read_loads_its_values_when_they_are_looked_at(tmp_path):
    record = Record(str(tmp_path))
    record.add(snapshot(str(tmp_path)))
    record.write()
    (found,) = Run.open(tmp_path)
    (tmp_path / METRICS).rename(tmp_path / "elsewhere.npz")
    assert found.summary["mae"]["worst"] == [[1, 1.5], [0, 0.5]]
    (tmp_path / "elsewhere.npz").rename(tmp_path / METRICS)
    again = pickle.loads(pickle.dumps(found))
    for one in (found, again):
        assert {name: values.tolist() for name, values in one.metrics.items()} == {
            "mae": [0.5, 1.5]
        }
        assert one.class_metrics["iou"].tolist() == [1, 0.5]
    assert "mae" in repr(found.metrics)


def test_record_has_an_entry_in_storage_only_once_its_values_are(tmp_path):
    seen = []

    def mirror(name, content):
        seen.append((name, len(content)))

    record = Record(str(tmp_path), mirror=mirror)
    record.add(snapshot(str(tmp_path)))
    record.write()
    assert seen == [(METRICS, 1), ("snapshots.jsonl", 1)]


def test_file_of_many_samples_holds_fewer_rows(tmp_path):
    values = ValuesFile(str(tmp_path))
    many = np.zeros(VALUES // 3, np.float32)
    for epoch in range(1, 6):
        values.add(row(epoch, many + epoch))
        values.write()
    assert values_files(str(tmp_path)) == [METRICS_FILES.name(0), METRICS]
    reader = ValuesReader(str(tmp_path))
    for epoch in range(1, 6):
        assert reader.row((epoch, 1, 0)).metrics["mae"][-1] == epoch
