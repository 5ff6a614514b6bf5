import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.folders import decoded, geometry, write_run

from keras_image_saver import Run, make_grid, strip
from keras_image_saver.picture.decoder import TooLargeError
from keras_image_saver.viewers.strip import spaced

SIZE = 80  # wide enough for "epoch 1" without being enlarged


def tiles(epoch, count=4, size=SIZE, channels=3):
    shape = (count, size, size, channels)
    return np.random.default_rng(epoch).integers(0, 256, shape, dtype=np.uint8)


def place(count=4, panels=("prediction",), columns=2, size=SIZE):
    return geometry(tile=(size, size), columns=columns, count=count, panels=panels, padding=2)


def write(folder, epochs, **changes):
    images = [make_grid(tiles(epoch), columns=2) for epoch in range(1, epochs + 1)]
    return write_run(folder, images, places=[place()] * epochs, **changes)


def made(run, out, **arguments):
    """The strip's tiles as (row, column, H, W, C), and its captions' row."""
    assert strip(run, out, **arguments) == str(out)
    picture = decoded(out)[0][0]
    top, left = (side % (SIZE + 2) - 2 for side in picture.shape[:2])
    body = picture[top + 2 :, left + 2 :]
    rows, columns = (side // (SIZE + 2) for side in body.shape[:2])
    cut = body.reshape(rows, SIZE + 2, columns, SIZE + 2, 3).swapaxes(1, 2)
    assert not cut[:, :, SIZE:].any()
    assert not cut[:, :, :, SIZE:].any()
    return cut[:, :, :SIZE, :SIZE], picture[:top]


def test_strip_has_a_row_a_sample_and_a_column_an_epoch(tmp_path):
    cut, captions = made(write(tmp_path / "run", 3), tmp_path / "out.png", samples=2)
    assert cut.shape[:2] == (2, 3)
    for column in range(3):
        np.testing.assert_array_equal(cut[:, column], tiles(column + 1)[:2])
    assert captions.shape[0] > 8
    thirds = np.split(captions[:, 2:], 3, axis=1)
    assert all(third.max() > 128 for third in thirds)
    assert not (thirds[0] == thirds[1]).all()


@pytest.mark.parametrize(
    ("spacing", "epochs"), [("log", [1, 2, 3, 5, 9, 16]), ("even", [1, 4, 7, 10, 13, 16])]
)
def test_strip_spaces_its_epochs(tmp_path, spacing, epochs):
    run = write(tmp_path / "run", 16)
    cut, _ = made(run, tmp_path / "out.png", epochs=6, samples=1, spacing=spacing)
    np.testing.assert_array_equal(cut[0], [tiles(epoch)[0] for epoch in epochs])


def test_strip_has_what_there_is_where_more_is_asked_for(tmp_path):
    cut, _ = made(write(tmp_path / "run", 2), tmp_path / "out.png", epochs=50, samples=50)
    assert cut.shape[:2] == (4, 2)


def beside(*panels):
    """A grid of samples in a column, whose panels stand side by side."""
    return make_grid(
        np.stack(panels, axis=1).reshape(-1, *panels[0].shape[1:]), columns=len(panels)
    )


@pytest.mark.parametrize(
    ("panels", "about"),
    [
        (("input", "prediction", "target"), None),
        (("left", "prediction", "right"), {"fixed_panels": ["left", "right"]}),
        (("input", "prediction", "target"), {"fixed_panels": None}),
        (("input", "prediction", "target"), {"fixed_panels": 5, "captions": 5}),
    ],
    ids=["first version", "several inputs", "unknown", "of another program"],
)
def test_strip_shows_what_stays_the_same_once_before_the_epochs(tmp_path, panels, about):
    grids = [beside(tiles(0), tiles(epoch), tiles(9)) for epoch in (1, 2)]
    places = [place(panels=panels, columns=1)] * 2
    run = write_run(tmp_path / "run", grids, places=places, about=about)
    cut, captions = made(run, tmp_path / "out.png", samples=3)
    for column, number in enumerate((0, 9, 1, 2)):
        np.testing.assert_array_equal(cut[:, column], tiles(number)[:3])
    assert all(part.max() > 128 for part in np.split(captions[:, 2:], 4, axis=1))


def test_strip_calls_panels_as_the_user_does(tmp_path):
    def written(name, **about):
        places = [place(panels=("input", "raw", "ema"), columns=1)]
        grids = [beside(tiles(0), tiles(1), tiles(2))]
        run = write_run(tmp_path / name, grids, places=places, about=about)
        strip(run, tmp_path / f"{name}.png", samples=1)
        return decoded(tmp_path / f"{name}.png")[0][0]

    plain = written("plain")
    fixed = written("fixed", captions={"input": "Noisy"})
    assert plain.shape == fixed.shape
    row = slice(None, plain.shape[0] % 82)
    assert (plain[row] != fixed[row]).any()
    np.testing.assert_array_equal(plain[row.stop :], fixed[row.stop :])
    assert written("rows", captions={"raw": "Weights as trained"}).shape[1] > plain.shape[1] + 20


def test_strip_of_two_panels_that_change_has_a_row_for_each(tmp_path):
    panels = ("input", "depth", "edges")
    both = np.stack([tiles(0), tiles(1), tiles(2)], axis=1).reshape(-1, SIZE, SIZE, 3)
    grid = make_grid(both, columns=3)
    run = write_run(tmp_path / "run", [grid], places=[place(panels=panels, columns=1)])
    cut, _ = made(run, tmp_path / "out.png", samples=2)
    picture = decoded(tmp_path / "out.png")[0][0]
    top, left = (side % (SIZE + 2) - 2 for side in picture.shape[:2])
    assert left > 20
    names = picture[top + 2 :, 2:left].reshape(4, SIZE + 2, left - 2, 3)
    for one in (0, 1):
        assert names[one].max() > 128
        np.testing.assert_array_equal(names[one], names[one + 2])
    assert (names[0] != names[1]).any()
    np.testing.assert_array_equal(cut[::2, 0], tiles(0)[:2])
    assert not cut[1::2, 0].any()
    np.testing.assert_array_equal(cut[:, 1], [tiles(1)[0], tiles(2)[0], tiles(1)[1], tiles(2)[1]])


def test_strip_enlarges_small_tiles_until_the_captions_fit(tmp_path):
    images = [make_grid(tiles(1, size=16), columns=2)]
    run = write_run(tmp_path / "run", images, places=[place(size=16)])
    strip(run, tmp_path / "out.png", samples=1)
    picture = decoded(tmp_path / "out.png")[0][0]
    factor = (picture.shape[1] - 4) // 16
    assert factor > 1
    enlarged = tiles(1, size=16)[0].repeat(factor, axis=0).repeat(factor, axis=1)
    np.testing.assert_array_equal(picture[-2 - 16 * factor : -2, 2:-2], enlarged)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_strip_of_a_scale_has_tiles_of_that_size_whatever_its_captions_need(tmp_path, scale):
    images = [make_grid(tiles(epoch, size=16), columns=2) for epoch in (1, 2)]
    run = write_run(tmp_path / "run", images, places=[place(size=16)] * 2)
    strip(run, tmp_path / "out.png", samples=2, scale=scale)
    picture = decoded(tmp_path / "out.png")[0][0]
    size = 16 * scale
    room = (picture.shape[1] - 2) // 2 - 2
    assert room >= size
    first = 2 + (room - size) // 2
    for epoch, left in ((1, first), (2, first + room + 2)):
        enlarged = tiles(epoch, size=16)[1].repeat(scale, axis=0).repeat(scale, axis=1)
        np.testing.assert_array_equal(picture[-2 - size : -2, left : left + size], enlarged)


def test_strip_of_steps_in_one_epoch_counts_steps(tmp_path):
    by_steps = write(tmp_path / "steps", 2)
    path = tmp_path / "steps" / "snapshots.jsonl"
    path.write_text(path.read_text().replace('"epoch": 2, "batch": 4', '"epoch": 1, "batch": 8'))
    _, steps = made(by_steps, tmp_path / "steps.png")
    _, epochs = made(write(tmp_path / "epochs", 2), tmp_path / "epochs.png")
    assert steps[:, :82].any(axis=(0, 2)).nonzero()[0].tolist() != (
        epochs[:, :82].any(axis=(0, 2)).nonzero()[0].tolist()
    )


def test_strip_leaves_the_column_of_a_missing_picture_empty_and_says_so(tmp_path):
    run = write(tmp_path / "run", 4)
    (tmp_path / "run" / "0002.png").unlink()
    (tmp_path / "run" / "0004.png").write_bytes(b"broken")
    with pytest.warns(UserWarning, match=r"2 of 4 pictures .* epoch 2, .*; epoch 4") as caught:
        cut, captions = made(run, tmp_path / "out.png")
    assert caught[0].filename == __file__
    assert [cut[:, column].any() for column in range(4)] == [True, False, True, False]
    assert all(part.max() > 128 for part in np.split(captions[:, 2:], 4, axis=1))


def test_strip_of_a_run_resumed_with_other_samples_leaves_gaps(tmp_path):
    fewer = make_grid(tiles(1)[:2], columns=2)
    grids = [fewer, make_grid(tiles(2), columns=2)]
    run = write_run(tmp_path / "run", grids, places=[place(count=2), place()])
    with pytest.warns(UserWarning, match=r"epoch 1, .* there are 2 samples"):
        cut, _ = made(run, tmp_path / "out.png")
    np.testing.assert_array_equal(cut[:2, 0], tiles(1)[:2])
    assert not cut[2:, 0].any()
    np.testing.assert_array_equal(cut[:, 1], tiles(2))


def test_strip_of_other_sizes_and_modes_enlarges_the_smaller(tmp_path):
    small = make_grid(tiles(1, size=40, channels=1), columns=2)
    grids = [small, make_grid(tiles(2), columns=2)]
    run = write_run(tmp_path / "run", grids, places=[place(size=40), place()])
    cut, _ = made(run, tmp_path / "out.png")
    larger = tiles(1, size=40, channels=1).repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    np.testing.assert_array_equal(cut[:, 0], larger)


@pytest.mark.parametrize(("told", "level"), [(56, 56), (255, 255), (None, 0)], ids=str)
def test_strip_has_the_gaps_of_the_run(tmp_path, told, level):
    known = {} if told is None else {"pad_value": told}
    newest = place() | known
    grids = [make_grid(tiles(epoch), columns=2, pad_value=level) for epoch in (1, 2)]
    run = write_run(tmp_path / "run", grids, places=[place(), newest])
    strip(run, tmp_path / "out.png", samples=1)
    picture = decoded(tmp_path / "out.png")[0][0]
    assert (picture[-2:] == level).all()
    assert (picture[:, SIZE + 2 : SIZE + 4] == level).all()
    caption = picture[: -SIZE - 4, 2:]
    # What is written stands out: dark on light gaps, light on dark ones.
    assert (caption.max() == level and caption.min() < 64) if level > 127 else caption.max() > 192


def test_strip_without_any_picture_says_so(tmp_path):
    run = write_run(tmp_path / "run", [None], places=[place()])
    with pytest.raises(ValueError, match=r"no picture that can be read: epoch 1, 0001\.png"):
        strip(run, tmp_path / "out.png")


@pytest.mark.parametrize("broken", [{}, {"panels": ["a"]}, {"panels": ["a"], "count": 2}])
def test_strip_without_geometry_is_an_error(tmp_path, broken):
    run = write_run(tmp_path / "run", [make_grid(tiles(1))], places=[broken])
    with pytest.raises(ValueError, match=r"does not tell where its tiles stand|can be cut out"):
        strip(run, tmp_path / "out.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "`epochs` must be an int, 1 or more, got 0"),
        ({"samples": 1.5}, r"`samples` must be an int, 1 or more, got 1\.5"),
        ({"scale": 0}, "`scale` must be an int, 1 or more, or None, got 0"),
        ({"spacing": "linear"}, '`spacing` must be "log" or "even", got \'linear\''),
    ],
)
def test_strip_with_a_bad_argument_names_it(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        strip(write(tmp_path / "run", 1), tmp_path / "out.png", **arguments)


def test_strip_refuses_a_file_of_the_run_and_no_image_format(tmp_path):
    run = write(tmp_path / "run", 1)
    with pytest.raises(ValueError, match="`out` must not be a file of the run"):
        strip(run, f"{run}/0001.png")
    with pytest.raises(ValueError, match=r"must end in one of \.png"):
        strip(run, tmp_path / "out.mp4")


def test_strip_of_a_huge_image_is_refused_and_the_limit_can_be_lifted(tmp_path):
    run = Run.open(write(tmp_path / "run", 1))
    with pytest.raises(TooLargeError, match="`max_pixels` is 100, got"):
        strip(run, tmp_path / "out.png", max_pixels=100)
    strip(run, tmp_path / "out.jpg", max_pixels=None)
    with Image.open(tmp_path / "out.jpg") as picture:
        assert picture.format == "JPEG"


@given(st.integers(1, 3000), st.integers(1, 60), st.booleans())
def test_spaced_places_are_distinct_and_hold_the_ends(count, wanted, log):
    places = spaced(count, wanted, log=log)
    assert len(places) == min(count, wanted)
    assert places == sorted(set(places))
    assert places[-1] == count - 1
    assert places[0] == (0 if len(places) > 1 else count - 1)
