"""The page in a real browser, opened from disk as a reader opens it: one snapshot, or two."""

import numpy as np
import pytest
from support.browser import in_browser
from support.page_reader import WIDE, epoch, middle, position, press, settle, source
from support.page_runs import Writer, color, make_run

from keras_image_saver import encode_image

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
    assert page.locator(".metric figcaption").all_inner_texts() == ["loss\n0.16667"]
    image = page.locator("#stage canvas")
    assert image.get_attribute("aria-label") == "Grid of 4 samples at epoch 5"
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    box, stage = image.bounding_box(), page.locator("#stage").bounding_box()
    assert box["width"] == pytest.approx(box["height"])
    assert 0.85 * (stage["height"] - 40) < box["height"] <= stage["height"]
    page.locator(".tile").nth(3).hover()  # which marks it and covers nothing
    assert middle(page.locator(".tile").nth(3)) == color(5, 3)


def test_page_tells_no_step_of_a_loop_that_counts_none(show, tmp_path):
    Writer(tmp_path).begin().save(3, batch=0, step=0)
    page = show(tmp_path)
    assert (epoch(page), page.locator("#step").inner_text()) == ("Epoch 3", "")


def test_picture_larger_than_the_window_is_shrunk_and_not_pixelated(show, tmp_path):
    large = encode_image(np.zeros((2000, 3000, 3), np.uint8))
    Writer(tmp_path).begin().save(1, content=large, geometry={})
    page = show(tmp_path)
    image = page.locator("#stage canvas")
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


# Two epochs


def test_compare_shows_two_epochs_as_large_as_they_get(show, tmp_path):
    make_run(tmp_path, 5)
    page = show(tmp_path)
    page.locator("#compare").click()
    settle(page)
    assert page.locator("#compare").get_attribute("aria-pressed") == "true"
    assert [source(page, 0), source(page, 1)] == ["./0001.png", "./0005.png"]
    assert page.locator("#stage figcaption").all_inner_texts() == ["epoch 1", "epoch 5"]
    boxes = [page.locator("#stage canvas").nth(number).bounding_box() for number in (0, 1)]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]  # where two rows are larger
    assert boxes[0]["x"] == pytest.approx(boxes[1]["x"])
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
