import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from support.folders import decoded, flat, geometry, write_run

from keras_image_saver import Run, timelapse
from keras_image_saver.picture.containers import Png
from keras_image_saver.picture.decoder import TooLargeError

RED, GREEN, BLUE = (255, 0, 0), (0, 200, 0), (0, 0, 128)


def halves(left, right, height=8):
    image = flat(left, height)
    image[:, 128:] = right
    return image


def noise(seed, height=8, channels=3):
    shape = (height, 256, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def shown(folder, out, mode="RGB", **arguments):
    timelapse(folder, out, **{"caption": None} | arguments)
    return decoded(out, mode)


def test_timelapse_is_the_function_also_after_its_module_was_imported():
    import keras_image_saver.viewers.timelapse as module
    from keras_image_saver import timelapse as public

    assert public is module.timelapse


# Pixels


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_timelapse_of_few_colors_has_their_exact_pixels(tmp_path, suffix):
    images = [halves(RED, GREEN), halves(RED, BLUE), halves(GREEN, BLUE)]
    frames, _ = shown(write_run(tmp_path / "run", images), tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(frames, images)


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_timelapse_of_grey_pictures_is_exact(tmp_path, suffix):
    images = [noise(seed, channels=1) for seed in range(3)]
    frames, _ = shown(write_run(tmp_path / "run", images), tmp_path / f"out{suffix}", "L")
    np.testing.assert_array_equal(np.array(frames)[..., np.newaxis], images)


@pytest.mark.parametrize(
    ("suffix", "options"), [(".png", None), (".webp", {"lossless": True})], ids=["png", "webp"]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_timelapse_without_loss_is_exact_where_parts_change(tmp_path, suffix, options, channels):
    images = [noise(0, 32, channels)]
    for seed, box in enumerate([np.s_[3:9, 5:8], np.s_[:1, 255:], np.s_[31:, :3], np.s_[7:8, 7:8]]):
        images.append(images[-1].copy())
        images[-1][box] = noise(seed + 9, 32, channels)[box]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    frames, _ = shown(
        write_run(tmp_path / "run", images),
        tmp_path / f"out{suffix}",
        mode,
        encoder_options=options,
    )
    found = np.array(frames).reshape(np.shape(images))
    if channels == 4:  # what is fully transparent may have any colour
        images = [image * (image[..., 3:] > 0) for image in images]
        found = found * (found[..., 3:] > 0)
    np.testing.assert_array_equal(found, images)


def test_timelapse_in_webp_is_lossy_where_that_is_smaller(tmp_path):
    images = [noise(seed, 64) for seed in range(2)]
    run = write_run(tmp_path / "run", images)
    timelapse(run, tmp_path / "lossy.webp")
    timelapse(run, tmp_path / "exact.webp", encoder_options={"lossless": True})
    lossy, exact = ((tmp_path / f"{name}.webp").stat().st_size for name in ("lossy", "exact"))
    assert lossy < exact / 2


def color_tables(content):
    """Yield for each frame of a GIF whether it brings a palette of its own."""
    at = 13 + (3 << (content[10] & 7) + 1)
    while content[at] != 0x3B:
        if content[at] == 0x2C:
            yield bool(content[at + 9] & 0x80)
            at += 11
        else:
            at += 2
        while content[at]:
            at += 1 + content[at]
        at += 1


def test_timelapse_in_gif_has_one_palette_and_what_stays_does_not_flicker(tmp_path):
    photo = noise(0, 16)
    images = [np.concatenate([photo, noise(seed, 16)]) for seed in range(1, 6)]
    out = tmp_path / "out.gif"
    frames, _ = shown(write_run(tmp_path / "run", images), out)
    assert list(color_tables(out.read_bytes())) == [False] * 5
    for frame in frames:
        np.testing.assert_array_equal(frame[:16], frames[0][:16])
    distance = np.abs(np.array(frames).astype(int) - images)
    assert distance.mean() < 25  # of noise, in 252 colours


def test_timelapse_in_gif_keeps_the_magenta_of_pixels_that_are_not_finite(tmp_path):
    images = [noise(seed, 16) for seed in range(6)]
    images[3][2, 5] = (255, 0, 255)
    frames, _ = shown(write_run(tmp_path / "run", images), tmp_path / "out.gif")
    assert tuple(frames[3][2, 5]) == (255, 0, 255)


# Time


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_timelapse_of_identical_frames_keeps_the_time_of_each(tmp_path, suffix):
    images = [flat(RED)] * 3 + [flat(BLUE)] * 4
    frames, times = shown(write_run(tmp_path / "run", images), tmp_path / f"out{suffix}", fps=5)
    assert times == [200] * 6 + [1500]
    np.testing.assert_array_equal(frames, images)


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [(".gif", [80, 90, 80, 80, 90, 80]), (".webp", [83, 84, 83, 83, 84, 83])],
)
def test_timelapse_rounds_times_such_that_they_add_up(tmp_path, suffix, expected):
    run = write_run(tmp_path / "run", [flat(RED), flat(BLUE)] * 3)
    _, times = shown(run, tmp_path / f"out{suffix}", fps=12, hold_last_s=0)
    assert times == expected


def test_timelapse_of_one_snapshot_is_one_frame(tmp_path):
    frames, _ = shown(write_run(tmp_path / "run", [flat(RED)]), tmp_path / "out.webp")
    np.testing.assert_array_equal(frames, [flat(RED)])


def test_timelapse_repeats_for_ever(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED), flat(BLUE)])
    for suffix in ("gif", "webp", "png"):
        timelapse(run, tmp_path / f"out.{suffix}")
        with Image.open(tmp_path / f"out.{suffix}") as picture:
            assert picture.info["loop"] == 0


def test_timelapse_with_last_shows_the_last_snapshots(tmp_path):
    images = [flat(RED), flat(GREEN), flat(BLUE)]
    frames, _ = shown(write_run(tmp_path / "run", images), tmp_path / "out.png", last=2)
    np.testing.assert_array_equal(frames, images[1:])
    assert len(shown(tmp_path / "run", tmp_path / "out.png", last=9)[0]) == 3


# Size


def test_timelapse_enlarges_small_pictures_by_a_whole_factor(tmp_path):
    small = np.arange(2 * 100 * 3, dtype=np.uint8).reshape(2, 100, 3)
    frames, _ = shown(write_run(tmp_path / "run", [small]), tmp_path / "out.png")
    np.testing.assert_array_equal(frames[0], small.repeat(3, axis=0).repeat(3, axis=1))


def test_timelapse_of_other_sizes_and_modes_centres_them_on_the_largest(tmp_path):
    small, tall = noise(1, 4, 1)[:, :128], noise(2, 20)
    frames, _ = shown(write_run(tmp_path / "run", [small, tall]), tmp_path / "out.png")
    expected = np.zeros((20, 256, 3), np.uint8)
    expected[6:14] = small.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(frames[0], expected)
    np.testing.assert_array_equal(frames[1], tall)


def test_timelapse_with_one_picture_of_four_channels_is_rgba(tmp_path):
    images = [noise(1, 8, 1), noise(2, 8, 4)]
    frames, _ = shown(write_run(tmp_path / "run", images), tmp_path / "out.png", "RGBA")
    np.testing.assert_array_equal(frames[0][..., :3], images[0].repeat(3, axis=2))
    assert (frames[0][..., 3] == 255).all()
    np.testing.assert_array_equal(frames[1], images[1])
    with pytest.raises(ValueError, match="GIF has no alpha channel"):
        timelapse(tmp_path / "run", tmp_path / "out.gif")


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".bmp", ".gif"])
def test_timelapse_reads_every_format_that_the_callback_writes(tmp_path, suffix):
    images = [flat((100,)), flat((200,))]
    run = write_run(tmp_path / "run", images, suffix=suffix)
    frames, _ = shown(run, tmp_path / "out.png", "L")
    assert [frame.mean() for frame in frames] == pytest.approx([100, 200], abs=1)


# One sample


def test_timelapse_of_a_sample_cuts_all_its_panels_out(tmp_path):
    places = geometry(tile=(8, 100), columns=1, count=3, panels=("a", "b"), padding=56)
    images = [noise(seed, 8 + 3 * 64)[:, :, :] for seed in range(2)]
    images = [np.concatenate([image, image], axis=1)[:, : 100 * 2 + 56 * 3] for image in images]
    run = write_run(tmp_path / "run", images, places=[places] * 2)
    frames, _ = shown(run, tmp_path / "out.png", sample=1)
    expected = [image[56 + 64 : 56 + 72, 56:312] for image in images]
    np.testing.assert_array_equal([frame[-8:] for frame in frames], expected)
    above = frames[0][:-8]
    np.testing.assert_array_equal(above, frames[1][:-8])
    ink = above.any(axis=(0, 2))
    assert ink[:20].any()  # "a"
    assert not ink[20:156].any()
    assert ink[156:176].any()  # "b", over the panel's own left edge


def test_timelapse_of_a_sample_names_panels_as_the_user_does_and_cuts_to_their_width(tmp_path):
    def names(folder, panels, **about):
        places = geometry(tile=(8, 128), columns=1, count=1, panels=panels)
        image = flat(RED, 8, 128 * len(panels))
        run = write_run(tmp_path / folder, [image], places=[places], about=about)
        (frame,), _ = shown(run, tmp_path / f"{folder}.png", sample=0, scale=1)
        return frame[:-8]

    assert len(names("one", ["prediction"])) == 0
    assert names("named", ["prediction"], captions={"prediction": "Denoised"}).any()
    both = names("both", ["input", "prediction"], captions={"input": "i" * 99})
    assert both[:, :128].any()
    assert both[:, 128:].any()
    other = names("other", ["input", "prediction"], captions={"input": "x"})
    np.testing.assert_array_equal(both[:, 128:], other[:, 128:])
    assert (both[:, :128] != other[:, :128]).any()


def test_timelapse_of_a_sample_that_is_missing_keeps_names_and_picture(tmp_path):
    places = [geometry(tile=(8, 128), columns=1, count=1, panels=("a", "b"))] * 2
    run = write_run(tmp_path / "run", [flat(RED, 8, 256), None], places=places)
    with pytest.warns(UserWarning, match="1 of 2 pictures"):
        frames, _ = shown(run, tmp_path / "out.png", sample=0, caption="{epoch}")
    np.testing.assert_array_equal(frames[0][:28], frames[1][:28])
    assert frames[1][:20].any()


@pytest.mark.parametrize(("scale", "size"), [(None, 256), (1, 60), (3, 180), (5, 300)])
def test_timelapse_of_a_scale_is_enlarged_by_it(tmp_path, scale, size):
    image = noise(0, 12)[:, :60]
    run = write_run(tmp_path / "run", [image])
    (frame,), _ = shown(run, tmp_path / "out.png", scale=scale)
    factor = -(-size // 60)
    np.testing.assert_array_equal(frame, image.repeat(factor, axis=0).repeat(factor, axis=1))


def test_timelapse_of_a_sample_that_there_is_not_says_how_many_there_are(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match=r"`sample` must be .* got 4: there are 4 samples"):
        timelapse(run, tmp_path / "out.png", sample=4)
    with pytest.raises(ValueError, match=r"`sample` must be an int, 0 or more, or None, got -1"):
        timelapse(run, tmp_path / "out.png", sample=-1)


@pytest.mark.parametrize(
    "broken",
    [{}, {"origin": 5}, geometry() | {"columns": 0}, geometry() | {"stride": ["a", "b"]}],
    ids=["none", "no pair", "no columns", "text"],
)
def test_timelapse_of_a_sample_without_geometry_is_an_error(tmp_path, broken):
    run = write_run(tmp_path / "run", [flat(RED)], places=[broken])
    with pytest.raises(ValueError, match=r"no record of where its tiles stand"):
        timelapse(run, tmp_path / "out.png", sample=0)


def test_timelapse_of_a_sample_whose_tiles_are_outside_leaves_a_gap(tmp_path):
    wide = geometry(tile=(8, 256), columns=1, count=1)
    places = [wide, wide | {"origin": [0, 9]}]
    run = write_run(tmp_path / "run", [flat(RED), flat(BLUE)], places=places)
    with pytest.warns(UserWarning, match=r"epoch 2, 0002\.png: its tiles stand outside"):
        frames, _ = shown(run, tmp_path / "out.png", sample=0)
    np.testing.assert_array_equal(frames, [flat(RED), flat(RED)])


# Captions


def test_timelapse_writes_captions_below_the_picture_and_not_on_it(tmp_path):
    images = [noise(seed, 16) for seed in range(2)]
    run = write_run(tmp_path / "run", images)
    frames, _ = shown(run, tmp_path / "out.png", caption="epoch {epoch}")
    np.testing.assert_array_equal([frame[:16] for frame in frames], images)
    lines = [frame[16:] for frame in frames]
    assert lines[0].shape[0] > 20
    assert not (lines[0] == lines[1]).all()
    for line in lines:
        assert line.max() == 255
        assert not line[[0, -1]].any()
        assert not line[:, [0, -1]].any()


def test_timelapse_with_a_long_caption_is_as_wide_as_that(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)])
    frames, _ = shown(run, tmp_path / "out.png", caption="a very long caption " * 5)
    assert frames[0].shape[1] > 300
    margin = (frames[0].shape[1] - 256) // 2
    np.testing.assert_array_equal(frames[0][:8, margin : margin + 256], flat(RED))
    assert not frames[0][:8, :margin].any()


def test_timelapse_with_an_unknown_field_names_those_that_there_are(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)], logs=[{"val/loss.a": 1.0}])
    timelapse(run, tmp_path / "out.png", caption="{val/loss.a:.2f} {batch} {step}")
    with pytest.raises(ValueError, match=r"g_loss, got .* Fields are val/loss.a, epoch, batch"):
        timelapse(run, tmp_path / "out.png", caption="{g_loss}")


@pytest.mark.parametrize("caption", ["{", "{}", "{epoch!r}"])
def test_timelapse_with_a_malformed_caption_is_an_error(tmp_path, caption):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match="`caption`"):
        timelapse(run, tmp_path / "out.png", caption=caption)


# Gaps


def test_timelapse_holds_the_picture_before_a_gap_and_says_so(tmp_path):
    images = [None, flat(RED), flat(GREEN), None, flat(BLUE)]
    run = write_run(tmp_path / "run", images)
    (tmp_path / "run" / "0003.png").write_bytes(b"no picture")
    pattern = r"3 of 5 pictures .* epoch 1, 0001\.png: there is no such file; epoch 3, 0003\.png: "
    with pytest.warns(UserWarning, match=pattern) as caught:
        frames, times = shown(run, tmp_path / "out.png")
    assert caught[0].filename == __file__
    expected = [flat((0, 0, 0)), flat(RED), flat(RED), flat(RED), flat(BLUE)]
    np.testing.assert_array_equal(frames, expected)
    assert times == [100] * 4 + [1500]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_timelapse_of_a_truncated_file_has_a_gap(tmp_path, suffix):
    run = write_run(tmp_path / "run", [noise(0), noise(1)])
    path = tmp_path / "run" / "0002.png"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.warns(UserWarning, match=r"1 of 2 pictures .* epoch 2, 0002\.png: .*broken"):
        frames, _ = shown(run, tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(frames[0], frames[1])


def test_timelapse_captions_a_gap_as_missing(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED), None])
    with pytest.warns(UserWarning, match="gaps"):
        frames, _ = shown(run, tmp_path / "out.png", caption="same")
    assert frames[1][8:].sum() > 1.5 * frames[0][8:].sum()


def test_timelapse_without_any_picture_names_the_first_few(tmp_path):
    run = write_run(tmp_path / "run", [None] * 5)
    with pytest.raises(ValueError, match=r"no picture .* epoch 1, .* epoch 3, .*; and 2 more"):
        timelapse(run, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_timelapse_opens_no_format_that_pillow_hands_to_other_programs(tmp_path):
    run = write_run(tmp_path / "run", [None, flat(RED)])
    (tmp_path / "run" / "0001.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    )
    with pytest.warns(UserWarning, match="epoch 1, .* not an image"):
        timelapse(run, tmp_path / "out.png")


# Bad input


def test_timelapse_of_an_empty_run_says_so(tmp_path):
    (tmp_path / "snapshots.jsonl").write_text("")
    with pytest.raises(ValueError, match=f"'{tmp_path}' has no snapshots yet"):
        timelapse(tmp_path, tmp_path / "out.png")


def test_timelapse_of_a_run_with_missed_snapshots_only_counts_them(tmp_path):
    write_run(tmp_path, [None, None], file=None, missed=True, reason="OSError: full")
    with pytest.raises(ValueError, match="no snapshots yet; 2 were missed"):
        timelapse(tmp_path, tmp_path / "out.png")


def test_timelapse_of_no_run_names_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no record of a run .* '{tmp_path}'"):
        timelapse(tmp_path, tmp_path / "out.png")


def test_timelapse_of_a_newer_run_says_so(tmp_path):
    with pytest.raises(ValueError, match="newer keras_image_saver"):
        timelapse(write_run(tmp_path, [flat(RED)], format=2), tmp_path / "out.png")


def test_timelapse_of_a_run_with_unknown_fields_is_made(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)], invented={"a": 1})
    assert len(shown(run, tmp_path / "out.png")[0]) == 1
    assert json.loads((tmp_path / "run" / "snapshots.jsonl").read_text())["invented"] == {"a": 1}


def test_timelapse_takes_a_run_that_is_open(tmp_path):
    write_run(tmp_path / "run", [flat(RED)])
    frames, _ = shown(Run.open(tmp_path / "run"), tmp_path / "out.png")
    np.testing.assert_array_equal(frames, [flat(RED)])


def test_timelapse_of_an_image_over_the_limit_says_how_to_lift_it(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED), flat(RED, height=20)])
    with pytest.raises(
        TooLargeError, match=r"`max_pixels` is 5,000, .* 20 high, 5,120 pixels.*0002"
    ):
        timelapse(run, tmp_path / "out.png", max_pixels=5000)
    assert len(shown(run, tmp_path / "out.png", max_pixels=5120)[0]) == 2


def test_timelapse_of_a_huge_image_is_refused_before_it_is_decoded(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)])
    Image.new("1", (20_000, 20_000)).save(tmp_path / "run" / "0001.png")
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="400,000,000 pixels"):
        timelapse(run, tmp_path / "out.png")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_timelapse_without_a_limit_has_none_of_pillows_either(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", [flat(RED)])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    timelapse(run, tmp_path / "out.png", caption=None, max_pixels=None)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fps": 0}, r"`fps` must be a number from 0\.02 to 100 for PNG, got 0"),
        ({"fps": "fast"}, r"`fps` must be .* got 'fast'"),
        ({"fps": float("nan")}, r"`fps` must be .* got nan"),
        ({"hold_last_s": -1}, r"`hold_last_s` must be .* 0 to 60, got -1"),
        ({"last": 0}, r"`last` must be an int, 1 or more, or None, got 0"),
        ({"scale": 1.5}, r"`scale` must be an int, 1 or more, or None, got 1\.5"),
        ({"max_pixels": 0}, r"`max_pixels` must be an int, 1 or more, got 0"),
        ({"encoder_options": {"quality": 9}}, r"`encoder_options` has no 'quality' for PNG"),
    ],
)
def test_timelapse_with_a_bad_argument_names_it(tmp_path, arguments, message):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match=message):
        timelapse(run, tmp_path / "out.png", **arguments)


@pytest.mark.parametrize("out", ["out.mp4", "out", "out.jpg"])
def test_timelapse_in_another_format_lists_those_that_there_are(tmp_path, out):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match=r"`out` must end in one of \.webp, \.gif, \.png, got"):
        timelapse(run, tmp_path / out)


def test_timelapse_of_a_gif_has_at_most_50_frames_a_second(tmp_path):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match=r"`fps` must be a number from 0\.02 to 50 for GIF"):
        timelapse(run, tmp_path / "out.gif", fps=60)


@pytest.mark.parametrize("name", ["0001.png", "../run/0001.png", "samples.npz"])
def test_timelapse_never_replaces_a_file_of_the_run(tmp_path, name):
    run = write_run(tmp_path / "run", [flat(RED)])
    with pytest.raises(ValueError, match="`out` must not be a file of the run itself"):
        timelapse(run, f"{run}/{name}")


def test_timelapse_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", [flat(RED), flat(BLUE), flat(GREEN)])
    out = tmp_path / "out.png"
    out.write_bytes(b"before")
    add = Png.add

    def failing(self, piece, data):
        if self._frames == 1:
            raise OSError("No space left on device")
        add(self, piece, data)

    monkeypatch.setattr(Png, "add", failing)
    with pytest.raises(OSError, match="No space"):
        timelapse(run, out)
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "run"]


# Memory


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_timelapse_needs_no_more_memory_for_more_frames(tmp_path, suffix):
    images = [noise(seed, 256) for seed in range(3)]
    peaks = []
    for count in (12, 60):
        run = write_run(tmp_path / f"run{count}", (images * 20)[:count])
        tracemalloc.start()
        timelapse(run, tmp_path / f"out{suffix}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    frame = images[0].nbytes
    assert peaks[1] - peaks[0] < 5 * frame
