"""Single images out of a run's grids: their names, their pixels, and what is refused."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from support.folders import write_run

from keras_image_saver import Run, make_grid, tiles
from keras_image_saver.picture.formats import WEBP, check_format
from keras_image_saver.picture.grid import Canvas, plan

pytestmark = pytest.mark.numpy

PANELS = ("input", "prediction")


def images(epoch, count=3, panels=PANELS, size=4, channels=3):
    """uint8 (N, H, W, C) by panel; no two epochs, samples or panels are alike."""
    rng = np.random.default_rng(epoch)
    return {
        name: rng.integers(0, 256, (count, size, size, channels), dtype=np.uint8) for name in panels
    }


def gridded(panels, **options):
    """The grid of panels, and its geometry."""
    count = len(next(iter(panels.values())))
    sizes = {name: one.shape[1:3] for name, one in panels.items()}
    layout = plan(sizes, count, columns=2, padding=1, pad_value=90, **options)
    canvas = Canvas(layout, 3)
    canvas.place(panels)
    return canvas.image, layout.geometry()


def make_run(folder, epochs=2, *, caption_size=(0, 0), suffix=".png", changes=None, **options):
    """A run of so many epochs; `changes` are those of each entry."""
    grids, places = [], []
    for epoch in range(1, epochs + 1):
        grid, geometry = gridded(images(epoch, **options), caption_size=caption_size)
        grids.append(grid)
        places.append(geometry)
    write_run(folder, grids, places=places, suffix=suffix)
    if changes:
        record = folder / "snapshots.jsonl"
        entries = [json.loads(line) for line in record.read_text().splitlines()]
        lines = (json.dumps(one | change) for one, change in zip(entries, changes, strict=True))
        record.write_text("".join(line + "\n" for line in lines))
    return str(folder)


def names(paths):
    return [path.rsplit("/", 1)[1] for path in paths]


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_each_tile_is_a_file_with_its_pixels(tmp_path):
    run, out = make_run(tmp_path / "run"), tmp_path / "out" / "tiles"
    paths = tiles(run, out)
    assert names(paths) == [
        f"{epoch:04d}-{sample:03d}-{panel}.png"
        for epoch in (1, 2)
        for sample in range(3)
        for panel in PANELS
    ]
    assert [str(path) for path in sorted(out.iterdir())] == sorted(paths)
    for path in paths:
        epoch, sample, panel = re.fullmatch(r"(\d+)-(\d+)-(\w+)\.png", names([path])[0]).groups()
        np.testing.assert_array_equal(read(path), images(int(epoch))[panel][int(sample)])


def test_enlarged_tiles_get_their_own_size_back(tmp_path):
    run = make_run(tmp_path / "run", 1, caption_size=(10, 11))
    assert Run.open(run)._saved[0].geometry["enlargement"] == 3
    for path in tiles(run, tmp_path / "out", panels="input"):
        sample = int(path[-13:-10])
        np.testing.assert_array_equal(read(path), images(1)["input"][sample])


def test_tile_says_what_it_is_of(tmp_path):
    (path,) = tiles(make_run(tmp_path / "run", 1), tmp_path / "out", samples=[2], panels="input")
    with Image.open(path) as picture:
        told = {name: picture.info[name] for name in ("epoch", "step", "sample", "panel")}
    assert told == {"epoch": "1", "step": "4", "sample": "2", "panel": "input"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"epochs": "last"}, ["0003-000-x.png", "0003-001-x.png"]),
        ({"epochs": [3, 1], "samples": range(1)}, ["0001-000-x.png", "0003-000-x.png"]),
        ({"samples": [np.int64(1)], "epochs": (2,)}, ["0002-001-x.png"]),
        ({"panels": ["x"], "samples": [0], "epochs": {2}}, ["0002-000-x.png"]),
    ],
    ids=str,
)
def test_some_are_chosen(tmp_path, options, expected):
    run = make_run(tmp_path / "run", 3, count=2, panels=("x",))
    assert names(tiles(Run.open(run), tmp_path / "out", **options)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            [{"step": 3, "batch": 1}, {"step": 5, "batch": 3}],
            ["0001-00000003", "0001-00000005"],
            id="by steps",
        ),
        pytest.param(
            [{"step": 0, "batch": 1}, {"step": 0, "batch": 2}],
            ["0001-00000001", "0001-00000002"],
            id="by batches without steps",
        ),
    ],
)
def test_several_snapshots_an_epoch_have_names_of_their_own(tmp_path, changes, expected):
    changes = [{**change, "epoch": 1} for change in changes]
    run = make_run(tmp_path / "run", changes=changes, count=1, panels=("x",))
    assert names(tiles(run, tmp_path / "out")) == [f"{name}-000-x.png" for name in expected]
    assert names(tiles(run, tmp_path / "last", epochs="last")) == [f"{expected[1]}-000-x.png"]


def test_panels_whose_names_are_none_of_files_have_some(tmp_path):
    panels = ("a/b", "a b", "A_B", "..", "", "x" * 300, "ä" * 100)
    run = make_run(tmp_path / "run", 1, count=1, panels=panels)
    found = tiles(run, tmp_path / "out")
    assert names(found) == [
        "0001-000-a_b.png",
        "0001-000-a_b-2.png",
        "0001-000-A_B-3.png",
        "0001-000-...png",
        "0001-000-_.png",
        f"0001-000-{'x' * 64}.png",
        f"0001-000-{'ä' * 32}.png",
    ]
    for path, panel in zip(found, panels, strict=True):
        np.testing.assert_array_equal(read(path), images(1, 1, panels)[panel][0])
    (path,) = tiles(run, tmp_path / "one", panels="A_B")
    assert names([path]) == ["0001-000-A_B-3.png"]


def test_file_that_is_there_is_an_error_before_anything_is_written(tmp_path):
    run, out = make_run(tmp_path / "run"), tmp_path / "out"
    out.mkdir()
    (out / "0002-002-prediction.png").write_text("mine")
    with pytest.raises(
        FileExistsError, match=r"0002-002-prediction\.png' is there already; nothing"
    ):
        tiles(run, out)
    assert [path.name for path in out.iterdir()] == ["0002-002-prediction.png"]
    assert len(tiles(run, out, epochs=[1])) == 6


def test_folder_of_the_run_itself_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    with pytest.raises(ValueError, match="`folder` must not be that of the run itself"):
        tiles(run, f"{run}/.")
    assert len(tiles(run, f"{run}/tiles")) == 12


@pytest.mark.parametrize(
    ("suffix", "quality", "is_lossy"),
    [
        (".png", None, False),
        (".webp", None, False),
        (".webp", 80, True),
        (".jpg", None, True),
        (".bmp", None, False),
        (".tif", None, False),
    ],
)
def test_format_that_has_changed_pixels_is_said(tmp_path, recwarn, suffix, quality, is_lossy):
    run = make_run(tmp_path / "run", 1, suffix=suffix)
    if quality:
        grid, _ = gridded(images(1))
        Image.fromarray(grid).save(f"{run}/0001.webp", "WEBP", quality=quality, exif=b"Exif\0\0odd")
    paths = tiles(run, tmp_path / "out")
    said = [str(one.message) for one in recwarn]
    assert len(said) == is_lossy
    if is_lossy:
        assert said[0].startswith(
            f"1 of 1 pictures are of a format that has changed their pixels, such as 0001{suffix}"
        )
    else:
        np.testing.assert_array_equal(read(paths[0]), images(1)["input"][0])


def test_missing_broken_and_odd_pictures_are_named_and_left_out(tmp_path):
    run = tmp_path / "run"
    far = {"geometry": {**gridded(images(1))[1], "origin": [99, 99]}}
    make_run(run, 6, changes=[{}, {}, far, {"geometry": {}}, {"geometry": {"panels": 3}}, {}])
    (run / "0001.png").unlink()
    (run / "0002.png").write_text("no picture")
    with pytest.warns(UserWarning, match="5 of 6 pictures cannot be read and are left out") as said:
        paths = tiles(str(run), tmp_path / "out")
    assert {path[:4] for path in names(paths)} == {"0006"}
    for text in (
        "0001.png: there is no such file",
        "0002.png: it is not an image",
        "0003.png: its tiles stand outside",
    ):
        assert text in str(said[0].message)


def test_what_one_snapshot_has_not_is_left_out_of_that_one(tmp_path):
    run = make_run(tmp_path / "run", 1, panels=("x",), count=1)
    write = make_run(tmp_path / "more", 2, panels=("x", "y"), count=2)
    lines = [open_lines(run)[0], open_lines(write)[1]]
    (tmp_path / "run" / "snapshots.jsonl").write_text("".join(lines))
    (tmp_path / "more" / "0002.png").rename(tmp_path / "run" / "0002.png")
    assert names(tiles(run, tmp_path / "out", samples=[1])) == ["0002-001-x.png", "0002-001-y.png"]
    assert names(tiles(run, tmp_path / "two", panels="y", samples=[0])) == ["0002-000-y.png"]


def open_lines(folder):
    with open(f"{folder}/snapshots.jsonl") as file:
        return file.readlines()


def test_removed_and_missed_epochs_are_told_where_they_are_asked_for(tmp_path):
    changes = [{}, {"removed": True}, {"file": None, "reason": "full"}]
    run = make_run(tmp_path / "run", 3, changes=changes, count=1, panels=("x",))
    assert names(tiles(run, tmp_path / "out")) == ["0001-000-x.png"]
    for epochs, why in (([2], ", which was removed"), ([3], ", which was missed"), ([9], "")):
        text = f"epochs that the run has snapshots of, got {epochs[0]}{why}. There are 1."
        with pytest.raises(ValueError, match=re.escape(text)):
            tiles(run, tmp_path / "more", epochs=epochs)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"epochs": "some"}, '`epochs` must be "all", "last", or numbers of epochs, such as'),
        ({"epochs": 3}, '`epochs` must be "all", "last", or numbers'),
        ({"epochs": []}, "got []"),
        ({"epochs": [True]}, "got [True]"),
        ({"samples": 2}, "`samples` must be numbers of samples, such as [0, 3] or range(4), got 2"),
        ({"samples": [-1]}, "got [-1]"),
        (
            {"samples": [0, 3]},
            "`samples` must be samples of the run, got 3: there are 3, numbered from 0",
        ),
        (
            {"panels": "target"},
            "`panels` must be panels of the run, got 'target'. There are input, prediction.",
        ),
        ({"panels": []}, "got []"),
        ({"max_pixels": 10}, "`max_pixels` is 10"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_and_nothing_is_written(tmp_path, options, text):
    run = make_run(tmp_path / "run", 1)
    with pytest.raises(ValueError, match=re.escape(text)):
        tiles(run, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_run_of_which_nothing_can_be_cut_is_an_error(tmp_path):
    run = write_run(tmp_path / "none", [make_grid(images(1)["input"])], places=[{}])
    with pytest.raises(ValueError, match="no sample that can be cut out"):
        tiles(run, tmp_path / "out")
    run = write_run(tmp_path / "lost", [None])
    with pytest.raises(ValueError, match=r"There is no picture that can be read: .* no such file"):
        tiles(run, tmp_path / "out")


def test_webp_without_losses_is_what_is_saved_by_default():
    assert check_format("a.webp").settings["lossless"] is True
    assert "lossless" not in WEBP.settings


def test_each_slice_of_a_volume_is_a_file(tmp_path):
    volumes = images(1, count=4, panels=("prediction", "target"))  # two samples of two slices
    layout = plan(
        dict.fromkeys(volumes, (4, 4)), 2, columns=1, padding=1, slices=(0, 12), enlargement=2
    )
    canvas = Canvas(layout, 3)
    canvas.place(volumes)
    run = tmp_path / "run"
    write_run(run, [canvas.image], places=[layout.geometry()])
    paths = tiles(run, tmp_path / "out", samples=[1])
    assert names(paths) == [
        f"0001-001-{panel}-slice{number:03d}.png"
        for panel in ("prediction", "target")
        for number in (0, 12)
    ]
    expected = [volumes[name][place] for name in volumes for place in (2, 3)]
    for path, image in zip(paths, expected, strict=True):
        np.testing.assert_array_equal(read(path), image)
