"""The page in a real browser, opened from disk as a reader opens it."""

import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from support.browser import in_browser
from support.page_reader import (
    HUGE,
    PHONE,
    WIDE,
    epoch,
    gap,
    middle,
    position,
    press,
    settle,
    source,
    wait_for_epoch,
)
from support.page_runs import SIZE, Writer, color, layout, long_run, make_charts, make_run, picture
from support.waiting import wait_until

from keras_image_saver import encode_image, write_page
from keras_image_saver.run.files import RECORD
from keras_image_saver.run.previous import set_aside
from keras_image_saver.run.record import SEGMENT, read_entries, record_files

pytestmark = in_browser


# The picture, the slider and the keys


def test_page_shows_the_newest_grid_enlarged_and_fitted(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    assert source(page) == "./0005.png"
    assert (epoch(page), position(page)) == ("Epoch 5", "epoch 5")
    assert page.title() == f"epoch 5 - {tmp_path.name}"
    assert page.locator("#counts").inner_text() == "5 snapshots"
    assert page.locator("#step").inner_text() == "batch 4, step 20"
    assert page.locator("#when").inner_text()
    assert page.locator("#logs tr").all_inner_texts() == ["loss\t0.16667"]
    image = page.locator("#stage img")
    assert image.get_attribute("alt") == "Grid of 4 samples at epoch 5"
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    box, stage = image.bounding_box(), page.locator("#stage").bounding_box()
    assert box["width"] == pytest.approx(box["height"])
    assert 0.85 * (stage["height"] - 40) < box["height"] <= stage["height"]
    page.locator(".tile").nth(3).hover()  # which marks it and covers nothing
    assert middle(page.locator(".tile").nth(3)) == color(5, 3)


def test_picture_larger_than_the_window_is_shrunk_and_not_pixelated(show, tmp_path):
    large = encode_image(np.zeros((2000, 3000, 3), np.uint8))
    Writer(tmp_path).begin().save(1, content=large)
    page = show(tmp_path)
    image = page.locator("#stage img")
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "auto"
    assert image.bounding_box()["width"] <= page.locator("#stage").bounding_box()["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]


def test_keys_choose_the_snapshot(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    press(page, "ArrowLeft")
    assert (source(page), position(page)) == ("./0004.png", "epoch 4")
    press(page, "Home")
    assert (source(page), epoch(page)) == ("./0001.png", "Epoch 1")
    assert page.locator("#before").is_disabled()
    press(page, "ArrowLeft", "ArrowRight")
    assert source(page) == "./0002.png"
    press(page, "End")
    assert source(page) == "./0005.png"
    press(page, "Control+ArrowLeft")  # the browser's own
    assert source(page) == "./0005.png"


def test_slider_and_buttons_choose_the_snapshot(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    slider = page.locator("#position")
    slider.fill("1")
    settle(page)
    assert source(page) == "./0002.png"
    assert slider.get_attribute("aria-valuetext") == "epoch 2"
    slider.press("ArrowRight")
    settle(page)
    assert source(page) == "./0003.png"
    for button, file in (("after", 4), ("before", 3), ("first", 1), ("last", 5)):
        page.locator(f"#{button}").click()
        settle(page)
        assert source(page) == f"./000{file}.png"


def test_play_goes_from_the_first_to_the_newest_and_pauses(show, tmp_path):
    make_run(tmp_path, 8)
    page = show(tmp_path)
    page.evaluate("""
        window.seen = [];
        new MutationObserver(() => seen.push(by("position-name").textContent))
            .observe(by("position-name"), { childList: true });
    """)
    page.locator("#speed").select_option("20")
    page.locator("#play").click()
    page.wait_for_function("() => !page.state.playing && page.state.index === 7")
    assert page.evaluate("seen") == [f"epoch {number}" for number in range(1, 9)]
    page.locator("#speed").select_option("1")
    page.locator("body").press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    assert position(page) == "epoch 1"
    page.locator("body").press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    assert page.evaluate("page.state.index") < 7


def test_snapshots_of_one_epoch_are_told_apart(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for step in (1, 2, 3):
        writer.save(1, file=f"{step}.png", batch=step, step=step)
    page = show(tmp_path)
    press(page, "ArrowLeft")
    assert (source(page), position(page)) == ("./2.png", "epoch 1, step 2")


def test_untrained_model_and_loops_without_epochs_have_names(show, tmp_path):
    Writer(tmp_path).begin().save(0, batch=0, step=0).save(0, file="b.png", batch=0, step=7)
    page = show(tmp_path)
    assert position(page) == "step 7"
    press(page, "Home")
    assert (position(page), source(page)) == ("untrained", "./0000.png")


# A run that grows


def test_new_snapshots_appear_within_2_s_without_a_reload_or_a_flicker(show, tmp_path):
    writer = make_run(tmp_path, 2)
    page = show(tmp_path)
    page.evaluate("""
        window.blank = 0;
        new MutationObserver(() => {
            const image = document.querySelector("#stage img");
            if (!image || !image.complete || !image.clientWidth) blank++;
        }).observe(by("stage"), { childList: true, subtree: true, attributes: true });
    """)
    waits = []
    for number in (3, 4, 5):
        writer.save(number)
        saved = time.monotonic()
        wait_for_epoch(page, number)
        waits.append(time.monotonic() - saved)
        assert source(page) == f"./000{number}.png"
        assert middle(page.locator(".tile").first) == color(number, 0)
    assert min(waits) < 2
    assert page.evaluate("blank") == 0  # which a reload would have forgotten
    assert page.locator("#live").is_visible()


def test_page_stays_where_the_user_is_and_follows_again_from_the_newest(show, tmp_path):
    writer = make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "ArrowLeft")
    assert not page.locator("#live").is_visible()
    writer.save(4)
    page.locator("#newest").wait_for(state="visible")
    assert (source(page), page.locator("#counts").inner_text()) == ("./0002.png", "4 snapshots")
    page.locator("#newest").click()
    wait_for_epoch(page, 4)
    assert not page.locator("#newest").is_visible()
    writer.save(5)
    wait_for_epoch(page, 5)


def test_run_without_snapshots_says_so_until_the_first_one(show, tmp_path):
    writer = Writer(tmp_path).begin()
    page = show(tmp_path, waits=False)
    page.get_by_text("No snapshot yet.").wait_for()
    assert not page.locator("#controls").is_visible()
    writer.save(1)
    wait_for_epoch(page, 1)
    assert not page.locator("#empty").is_visible()


def test_page_without_a_record_says_so(show, tmp_path):
    make_run(tmp_path, 1)
    (tmp_path / "snapshots.js").unlink()
    page = show(tmp_path, waits=False)
    page.get_by_text("There is no record of a run beside this page").wait_for()


def test_hidden_tab_rests_and_catches_up(show, tmp_path):
    writer = make_run(tmp_path, 1)
    page = show(tmp_path)
    hide = """
        hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }
    """
    page.evaluate(hide, True)
    page.evaluate("sleep(POLL_MS)")  # one poll may be under way
    writer.save(2)
    page.evaluate("sleep(3 * POLL_MS)")
    assert epoch(page) == "Epoch 1"
    page.evaluate(hide, False)
    wait_for_epoch(page, 2)


def test_resumed_run_drops_what_was_drawn_beyond(show, tmp_path):
    make_run(tmp_path, 6)
    page = show(tmp_path)
    entries, _ = read_entries(str(tmp_path), record_files(str(tmp_path)))
    resumed = Writer(tmp_path, entries=entries[:3])
    resumed.record.rewrite()
    wait_for_epoch(page, 3)
    resumed.save(4, time=1.8e9, content=picture(9))
    wait_for_epoch(page, 4)
    assert page.locator("#counts").inner_text() == "4 snapshots"
    # The file has the name of one that was shown before.
    assert middle(page.locator(".tile").first) == color(9, 0)


def test_run_that_is_set_aside_opens_there_and_the_open_page_shows_the_new_one(show, tmp_path):
    make_run(tmp_path, 4)
    page = show(tmp_path)
    press(page, "Home")
    set_aside(str(tmp_path), "keep")
    Writer(tmp_path).begin().save(1, time=1.8e9, content=picture(7))
    page.wait_for_function("() => by('counts').textContent === '1 snapshot'")
    settle(page)
    assert middle(page.locator(".tile").first) == color(7, 0)
    aside = show(tmp_path / "previous-1")
    assert (source(aside), epoch(aside)) == ("./0004.png", "Epoch 4")
    assert middle(aside.locator(".tile").first) == color(4, 0)


FIT = """
    import sys, threading
    import numpy as np
    import tensorflow as tf
    from keras_image_saver import Images, ImageSaver

    keras = tf.keras
    x = np.random.default_rng(0).random((8, 8, 8, 1), np.float32)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    )
    model.compile("sgd", "mse")

    class OnDemand(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch:
                print("epoch", epoch, "ends", flush=True)
            sys.stdin.readline()

    saver = ImageSaver(sys.argv[1], x, render=Images((0, 1), panels=("input", "prediction")))
    model.fit(x, x, epochs=5, verbose=0, callbacks=[saver, OnDemand()])
"""


def test_page_follows_a_real_fit(show, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FIT), str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "epoch 1 ends\n"
        wait_until((tmp_path / "run" / "index.html").exists)  # it is written behind the training
        page = show(tmp_path / "run")
        wait_for_epoch(page, 1)
        page.evaluate("window.opened = true")
        for number in (2, 3, 4):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"epoch {number} ends\n"
            wait_for_epoch(page, number)
            assert source(page) == f"./000{number}.png"
        process.stdin.write("\n")
        process.stdin.flush()
        wait_for_epoch(page, 5)
        assert page.evaluate("window.opened")
        assert page.locator(".tile").count() == 8
        page.locator(".tile").nth(2).click()
        settle(page)
        assert page.locator("#stage .panel").all_inner_texts() == ["input", "prediction"]
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


# One sample


def test_click_on_a_tile_shows_that_sample_with_all_its_panels(show, tmp_path):
    panels = ("input", "prediction", "target")
    make_run(tmp_path, 5, samples=3, panels=panels)
    page = show(tmp_path)
    page.locator(".tile").nth(1).click()
    settle(page)
    assert page.locator("#sample-name").inner_text() == "Sample 2 of 3"
    assert page.locator("#stage .panel").all_inner_texts() == list(panels)
    canvases = page.locator("#stage canvas")
    for number, name in enumerate(panels):
        assert middle(canvases.nth(number)) == color(5, 1, number)
        label = canvases.nth(number).get_attribute("aria-label")
        assert label == f"Sample 2, {name}, at epoch 5"
    page.wait_for_function("() => document.querySelectorAll('.cell canvas').length === 15")
    for number, cell in enumerate(page.locator(".cell").all(), 1):
        for panel in range(3):
            assert middle(cell.locator("canvas").nth(panel)) == color(number, 1, panel)
    press(page, "Home")
    assert middle(canvases.nth(0)) == color(1, 1, 0)
    assert page.locator(".cell[aria-current]").inner_text() == "1"
    page.locator(".cell").nth(2).click()
    settle(page)
    assert middle(canvases.nth(2)) == color(3, 1, 2)
    page.locator("#sample-after").click()
    settle(page)
    assert middle(canvases.nth(2)) == color(3, 2, 2)
    press(page, "ArrowUp", "ArrowUp", "ArrowUp")  # one more than there are
    assert middle(canvases.nth(2)) == color(3, 0, 2)
    press(page, "Escape")
    assert source(page) == "./0003.png"
    assert not page.locator("#strip").is_visible()


def test_samples_are_reached_by_keyboard(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample 1 alone"
    press(page, "ArrowDown", "ArrowRight")  # of a square of four
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample 4 alone"
    assert epoch(page) == "Epoch 3"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    press(page, "Enter")
    assert page.locator("#sample-name").inner_text() == "Sample 4 of 4"
    press(page, "ArrowLeft")
    assert middle(page.locator("#stage canvas")) == color(2, 3)
    press(page, "Escape")
    page.wait_for_function("() => document.activeElement.ariaLabel === 'Sample 4 alone'")


def test_every_control_is_reached_by_tab_and_shows_its_focus(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "ArrowLeft", "c")
    page.locator(".tile").first.click()
    settle(page)
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => {
            const one = document.activeElement;
            return [one.id || one.tagName, getComputedStyle(one).outlineStyle];
        }""")
        if name != "BODY":
            assert outline in ("solid", "auto"), name
        reached.add(name)
    expected = {"all-samples", "sample-after", "strip", "pin", "position", "before", "play"}
    assert {*expected, "speed", "compare", "facts", "A", "SUMMARY"} <= reached


def test_strip_says_where_a_snapshot_has_no_such_sample(show, tmp_path):
    writer = make_run(tmp_path, 2)
    writer.miss(3)
    writer.save(4, geometry=layout(2).geometry())
    writer.save(5, geometry={"origin": "nonsense"})
    writer.save(6)
    page = show(tmp_path)
    page.locator(".tile").nth(3).click()
    page.wait_for_function("() => document.querySelectorAll('.cell.is-gap').length === 3")
    assert page.locator(".cell.is-gap").all_inner_texts() == ["missed\n3", "none\n4", "none\n5"]
    press(page, "ArrowLeft")
    assert gap(page) == "The record does not tell where this snapshot's tiles are."
    press(page, "ArrowLeft")
    assert gap(page) == "This snapshot has 2 samples only."


# Two epochs


def test_compare_shows_two_epochs_side_by_side(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    page.locator("#compare").click()
    settle(page)
    assert page.locator("#compare").get_attribute("aria-pressed") == "true"
    assert [source(page, 0), source(page, 1)] == ["./0001.png", "./0005.png"]
    assert page.locator("#stage figcaption").all_inner_texts() == ["epoch 1", "epoch 5"]
    boxes = [page.locator("#stage img").nth(number).bounding_box() for number in (0, 1)]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert boxes[0]["y"] == pytest.approx(boxes[1]["y"])
    page.locator("#pin").fill("2")
    page.locator("#before").click()
    settle(page)
    assert [source(page, 0), source(page, 1)] == ["./0003.png", "./0004.png"]
    press(page, "ArrowLeft")  # the same one twice
    assert [source(page, 0), source(page, 1)] == ["./0003.png", "./0003.png"]
    page.locator("#stage .frame").nth(0).locator(".tile").nth(2).click()
    press(page, "End")
    canvases = page.locator("#stage canvas")
    assert [middle(canvases.nth(0)), middle(canvases.nth(1))] == [color(3, 2), color(5, 2)]
    press(page, "c")
    assert canvases.count() == 1


def test_compare_of_an_older_one_is_with_the_newest(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    press(page, "Home", "ArrowRight", "c")
    assert [source(page, 0), source(page, 1)] == ["./0002.png", "./0005.png"]


# Charts


def test_charts_show_metrics_with_gaps_and_the_current_epoch(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    charts = page.locator(".metric")
    assert charts.count() == 2
    names = page.locator(".metric .name").all_inner_texts()
    assert names == ["loss", "val_loss", "lr"]
    lines = charts.nth(0).locator("path.line")
    starts = [line.get_attribute("d").count("M") for line in lines.all()]
    assert starts == [3, 2]  # 1 to 2, 5, 7 to 8; 1 to 5, 7 to 8
    label = charts.nth(0).locator("svg").get_attribute("aria-label")
    assert label == "loss 0.125, val_loss 0.15 at epoch 8; over the run 0.125 to 1.2"
    press(page, "ArrowLeft", "ArrowLeft")
    texts = page.locator("#logs tr").all_inner_texts()
    assert texts == ["loss\tInfinity", "lr\t0.1", "note\ttext", "top\t[1,2]"]
    assert page.locator(".metric .value").all_inner_texts() == ["Infinity", "none", "0.1"]
    assert charts.nth(0).locator("circle:visible").count() == 0


def test_click_in_a_chart_goes_to_that_epoch(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    chart = page.locator(".chart").nth(1)
    box = chart.bounding_box()
    for share, number in ((0.4 / 7, 1), (3 / 7, 4), (1, 8)):
        chart.click(position={"x": min(share * box["width"], box["width"] - 1), "y": 30})
        settle(page)
        assert epoch(page) == f"Epoch {number}"
        marked = chart.locator(".marker").evaluate("line => line.getBoundingClientRect().x")
        place = 4 + (box["width"] - 8) * (number - 1) / 7
        assert marked - box["x"] == pytest.approx(place, abs=1.5)


def test_metric_without_a_finite_value_says_so(show, tmp_path):
    Writer(tmp_path).begin().save(1, logs={"loss": float("nan")})
    page = show(tmp_path)
    assert page.locator(".bounds").inner_text() == "no finite value"
    assert page.locator("#logs td").inner_text() == "NaN"


# Gaps


def test_missed_missing_broken_and_unknown_pictures_are_gaps_that_are_said(show, tmp_path):
    writer = make_run(tmp_path, 1)
    writer.miss(2)
    writer.save(3, content=b"")
    writer.save(4, content=b"no picture")
    writer.save(5, file="0005.tif", content=encode_image(layout_pixels(), "tif"))
    writer.save(6)
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == "6 snapshots, 1 of them missed"
    assert page.locator("#marks path").get_attribute("d").count("M") == 1
    press(page, "ArrowLeft")
    assert gap(page).startswith("0005.tif is a TIFF, which this browser does not show.")
    press(page, "ArrowLeft")
    assert gap(page).startswith("0004.png cannot be shown: it is missing, broken")
    press(page, "ArrowLeft")
    assert gap(page).startswith("0003.png cannot be shown")
    (tmp_path / "0003.png").write_bytes(picture(3))
    press(page, "ArrowLeft")
    assert gap(page) == "This snapshot was missed: OSError: disk full"
    press(page, "ArrowRight")  # it is there by now
    assert source(page) == "./0003.png"


def layout_pixels():
    return np.zeros((*layout().size, 3), np.uint8)


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"origin": [2]},
        {"count": 10**9, "panels": ["a"]},
        {"panels": "abc"},
        {"tile": [None, 8]},
        {"columns": 0},
        {"panels": []},
    ],
    ids=str,
)
def test_geometry_that_makes_no_sense_costs_the_tiles_only(show, tmp_path, geometry):
    whole = layout().geometry()
    Writer(tmp_path).begin().save(1, geometry=whole | geometry if geometry else {})
    page = show(tmp_path)
    assert source(page) == "./0001.png"
    assert page.locator(".tile").count() == 0


def test_record_of_a_newer_version_is_shown_as_far_as_it_is_known_and_said(show, tmp_path):
    writer = make_run(tmp_path, 2)
    entries = [dict(entry) for entry in read_entries(str(tmp_path), [RECORD])[0]]
    writer.page.add(RECORD, [*entries[:1], entries[1] | {"format": 2, "file": {"new": 1}}])
    writer.page.write()
    page = show(tmp_path)
    assert "newer version of keras_image_saver" in page.locator("#notices").inner_text()
    assert gap(page).startswith("[object Object] cannot be shown")
    press(page, "ArrowLeft")
    assert source(page) == "./0001.png"


ODD = [
    {"epoch": "one", "batch": None, "step": "two", "file": 3, "time": None, "logs": "text"},
    {"epoch": 2, "batch": 1, "step": 2, "file": "../secret.png", "logs": [1, 2], "geometry": 5},
    {"epoch": 3, "batch": 1, "step": 3, "file": "", "logs": {"a": {"b": None}, "c": True}},
    {},
    None,
]


def test_record_of_odd_entries_ends_nothing(show, tmp_path):
    writer = Writer(tmp_path).begin()
    writer.page.add(RECORD, [one for one in ODD if one is not None])
    writer.page.write()
    script = (tmp_path / "snapshots.js").read_text("ascii")
    (tmp_path / "snapshots.js").write_text(script.replace(r"{}]", "{}, null]"))
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == "4 snapshots, 2 of them missed"
    press(page, "Home", "c", "c")
    for _ in ODD:
        assert gap(page)
        press(page, "ArrowRight")
    writer.save(4)
    wait_for_epoch(page, 4)


def test_part_of_the_record_that_is_missing_is_said(show, tmp_path, no_fsync):
    long_run(tmp_path, 2 * SEGMENT + 10)
    (tmp_path / "snapshots-0000.js").unlink()
    (tmp_path / "snapshots-0001.js").write_text(
        "// keras_image_saver page\nkerasImageSaver(1, 'x');"
    )
    page = show(tmp_path)
    assert "2 parts of the record cannot be read" in page.locator("#notices").inner_text()
    assert page.locator("#counts").inner_text() == "10 snapshots"


# Names are text


HOSTILE = '<img src=x onerror="window.hacked=1">'


def test_names_are_text_and_never_markup(show, tmp_path):
    writer = Writer(tmp_path, panels=(HOSTILE, "</script><script>window.hacked=1</script>")).begin()
    writer.save(1, path="", missed=HOSTILE, logs={})
    logs = {HOSTILE: 1.0, "note": HOSTILE, "__proto__": 3.0, "constructor": 2.0}
    writer.save(2, file=f"{HOSTILE}.png", logs=logs)
    write_page(tmp_path)
    page = show(tmp_path)
    assert middle(page.locator(".tile").first) in (color(2, 0, 0), color(2, 0, 1), (0, 0, 0))
    assert page.locator("#file").inner_text() == f"{HOSTILE}.png"
    rows = page.locator("#logs tr").all_inner_texts()
    assert rows == [f"{HOSTILE}\t1", f"note\t{HOSTILE}", "__proto__\t3", "constructor\t2"]
    assert page.locator(".metric .name").all_inner_texts() == [HOSTILE, "__proto__", "constructor"]
    page.locator(".tile").first.click()
    settle(page)
    assert page.locator("#stage .panel span").first.inner_text() == HOSTILE
    assert middle(page.locator("#stage canvas").first) == color(2, 0, 0)
    press(page, "Home")
    assert gap(page) == f"This snapshot was missed: {HOSTILE}"
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "file", ["a#b.png", "a?b=1.png", "100%.png", "%41.png", "a b/c+d.png", "é&lt;.png", "a\\b.png"]
)
def test_file_names_are_made_urls(show, tmp_path, file):
    Writer(tmp_path).begin().save(1, file=file)
    page = show(tmp_path)
    assert page.locator("#file").inner_text() == file
    assert middle(page.locator(".tile").first) == color(1, 0)


def test_folder_with_an_odd_name_is_the_pages_title(show, tmp_path):
    folder = tmp_path / "a #1 100%"
    make_run(folder, 1)
    page = show(folder)
    assert page.locator("#run").inner_text() == "a #1 100%"
    assert middle(page.locator(".tile").first) == color(1, 0)


def test_policy_forbids_what_the_page_does_not_need(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    refused = page.evaluate("""
        async () => {
            const refused = new Set();
            document.addEventListener("securitypolicyviolation", (event) => {
                refused.add(event.effectiveDirective);
            });
            const add = (name, attributes) => {
                const made = document.createElement(name);
                for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
                document.body.append(made);
            };
            document.body.insertAdjacentHTML(
                "beforeend", "<b onclick='window.hacked=1' style='color:red'>x</b>");
            document.body.lastChild.click();
            add("img", { src: "https://example.invalid/x.png" });
            add("iframe", { src: "other.html" });
            add("link", { rel: "stylesheet", href: "other.css" });
            add("object", { data: "other.svg" });
            await fetch("https://example.invalid/").catch(() => null);
            await sleep(300);
            return [...refused, window.hacked ?? "safe"].sort();
        }
    """)
    assert {"img-src", "frame-src", "connect-src", "object-src", "safe"} <= set(refused)
    assert {"script-src-attr", "style-src-attr", "style-src-elem"} <= set(refused)


# Long runs


def test_run_of_10000_snapshots_loads_only_what_is_shown(show, tmp_path, no_fsync):
    long_run(tmp_path, 10_000)
    page = show(tmp_path, waits=False)
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload()
    page.wait_for_selector("#stage img")
    pictures = [url for url in loaded if ".png" in url]
    assert page.locator("#counts").inner_text() == "10000 snapshots"
    assert [url.split("/")[-1].split("?")[0] for url in pictures] == ["10000.png"]
    # The promise is 1 s; machines that run tests are busy.
    assert page.evaluate("performance.now()") < 10_000
    assert page.evaluate("document.querySelectorAll('*').length") < 400
    path = page.locator(".chart path").first.get_attribute("d")
    assert len(path) < 40_000  # a few points a pixel, not one a snapshot

    loaded.clear()
    page.locator(".tile").first.click()
    page.wait_for_function("() => document.querySelectorAll('.cell canvas').length > 5")
    assert page.locator(".cell").count() < 40
    longest = page.evaluate("""
        async () => {
            let longest = 0;
            for (let index = 9999; index >= 0; index -= 100) {
                const started = performance.now();
                by("position").value = index;
                by("position").dispatchEvent(new Event("input"));
                longest = Math.max(longest, performance.now() - started);
                await new Promise(requestAnimationFrame);
            }
            return longest;
        }
    """)
    settle(page)
    assert page.locator(".cell").count() < 40
    assert page.evaluate("document.querySelectorAll('*').length") < 400
    kept = "page.view.strip.pictures.kept.size + page.view.right.pictures.kept.size"
    assert page.evaluate(kept) <= 32
    assert longest < 500  # a stall would be seconds


# Every window, both schemes, for everyone


@pytest.mark.parametrize("size", [PHONE, WIDE, HUGE], ids=["320 px", "1280 px", "4K"])
def test_nothing_is_wider_than_the_window(show, tmp_path, size):
    writer = Writer(tmp_path, panels=("input", "prediction", "a" * 80)).begin()
    for number in range(1, 30):
        logs = {"a_metric_of_a_very_long_name_" * 4: 1 / number, "note": "x" * 300}
        writer.save(number, file=f"{'long' * 30}{number}.png", logs=logs)
    writer.miss(30, reason="y" * 300)
    page = show(tmp_path, size=size)

    def assert_fits():
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        for selector in ("#stage img", "#stage canvas", "#stage .gap:not([hidden])", "#controls"):
            for box in (one.bounding_box() for one in page.locator(selector).all()):
                assert box["x"] >= 0, selector
                assert box["x"] + box["width"] <= size["width"] + 1, selector

    assert_fits()
    press(page, "ArrowLeft")
    assert_fits()
    page.locator(".tile").first.click()
    assert_fits()
    page.locator("#compare").click()
    assert_fits()
    press(page, "Escape")
    assert_fits()


# What a checker of accessibility looks at first, on the page as it is drawn.
CHECK = """
    () => {
        const found = [];
        const visible = (one) => one.checkVisibility({ visibilityProperty: true });
        const say = (what, one) => found.push(`${what}: ${one.outerHTML.slice(0, 120)}`);
        const channels = (text) => text.match(/[\\d.]+/g).map(Number);
        const luminance = (rgb) => {
            const [r, g, b] = rgb.slice(0, 3).map((value) => {
                const share = value / 255;
                return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (one) => {
            for (let at = one; at; at = at.parentElement) {
                const color = channels(getComputedStyle(at).backgroundColor);
                if (color.length === 3 || color[3] > 0) return color;
            }
            return [255, 255, 255];
        };
        const contrast = (one, color) => {
            const pair = [luminance(channels(color)), luminance(ground(one))];
            return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        };
        for (const one of document.querySelectorAll("body *")) {
            if (!visible(one)) continue;
            const text = [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
            const style = getComputedStyle(one);
            if (text && !one.disabled && contrast(one, style.color) < 4.5) say("contrast", one);
            if (one.matches("button, select") && !one.matches(".tile, .cell")) {
                const box = one.getBoundingClientRect();
                if (box.width < 24 || box.height < 24) say("small target", one);
            }
            if (one.matches("path.line") && contrast(one, style.stroke) < 3) say("line", one);
            if (one.matches("button, select, input, a, [role=img], [role=group], aside, img")) {
                const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
                const name = one.getAttribute("aria-label") || one.alt || labels || one.textContent;
                if (!name.trim()) say("no name", one);
            }
        }
        const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
        if (new Set(ids).size !== ids.length) found.push("an id stands twice");
        for (const name of ["aria-labelledby", "for"]) {
            for (const one of document.querySelectorAll(`[${name}]`)) {
                if (!document.getElementById(one.getAttribute(name))) say("label of nothing", one);
            }
        }
        const levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => +one.tagName[1]);
        if (levels.some((level, at) => level > (levels[at - 1] ?? 0) + 1)) found.push("headings");
        if (!document.documentElement.lang || !document.title) found.push("no language or title");
        return found;
    }
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_enough_contrast(show, tmp_path, scheme):
    make_charts(tmp_path)
    writer = Writer(tmp_path, entries=read_entries(str(tmp_path), [RECORD])[0]).miss(9)
    entries = [dict(entry) for entry in read_entries(str(tmp_path), [RECORD])[0]]
    writer.page.add(RECORD, [*entries[:-1], entries[-1] | {"format": 2}])
    writer.page.write()
    page = show(tmp_path, scheme=scheme)
    page.locator("summary").click()
    assert gap(page)
    assert page.evaluate(CHECK) == []
    press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft")  # an infinite loss
    assert page.evaluate(CHECK) == []
    page.locator(".tile").first.click()
    settle(page)
    press(page, "c")
    assert page.locator(".notice").is_visible()
    assert page.evaluate(CHECK) == []


def test_check_finds_what_it_is_to_find(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    page.evaluate("by('counts').style.color = '#999'; by('play').setAttribute('aria-label', '')")
    page.evaluate("by('step').id = 'when'; by('when').textContent = 'x'")
    found = " ".join(page.evaluate(CHECK))
    assert all(word in found for word in ('contrast: <p id="counts"', "no name", "stands twice"))


def test_page_served_by_a_server_works_too(show, tmp_path, browser):
    make_run(tmp_path, 2)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = process.stdout.readline().split("port ")[1].split()[0]
        context = browser.new_context(viewport=WIDE)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#stage img")
        assert source(page) == "./0002.png"
        context.close()
    finally:
        process.kill()
        process.communicate()


def test_tile_size_is_what_the_tests_assume():
    assert layout().geometry()["tile"] == [SIZE, SIZE]
