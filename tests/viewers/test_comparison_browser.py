"""Runs side by side, in a real browser."""

import numpy as np
import pytest
from support.browser import in_browser
from support.comparison_reader import address, place, press, settle, sources, texts
from support.page_reader import middle, refused
from support.page_runs import Writer, color

from keras_image_saver import compare

pytestmark = in_browser

SAMPLES = {"digest": "sha256:same", "count": 4}
HOSTILE = '<img src=x onerror="window.hacked=1">'


def make(folder, epochs, *, error=0.5, **about):
    """A finished run whose samples have an error each."""
    writer = Writer(folder, about={"samples": SAMPLES, **about}).begin()
    for epoch in epochs:
        values = np.full(4, error, np.float32)
        values[1] = 1
        mean = float(values.mean())
        summary = {
            "mean": mean,
            "least": error,
            "most": 1.0,
            "nan": 0,
            "worst": [[1, 1.0], [0, error]],
        }
        writer.save(epoch, metrics={"mae": values}, summary={"mae": summary})
    return writer.tell("finished")


@pytest.fixture
def page_of_two(tmp_path):
    """Runs of the epochs 1 to 5, and 2 and 4."""
    for name, epochs, error, low in (("a", range(1, 6), 0.5, -1), ("b", (2, 4), 0.25, 0)):
        make(tmp_path / name, epochs, error=error, settings={"render": {"value_range": [low, 1]}})
    compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
    return tmp_path / "c.html"


def test_both_runs_are_shown_at_one_epoch_and_move_together(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    assert (sources(page), place(page)) == (["/a/0005.png", "/b/0004.png"], "epoch 5")
    assert texts(page, "#runs .off") == ["its last"]
    press(page, "ArrowLeft")
    assert (sources(page), place(page)) == (["/a/0004.png", "/b/0004.png"], "epoch 4")
    assert texts(page, "#runs .off") == []
    press(page, "ArrowLeft")
    assert sources(page) == ["/a/0003.png", "/b/0002.png"]
    assert texts(page, "#runs .off") == ["it has no epoch 3"]
    press(page, "Home")
    assert sources(page) == ["/a/0001.png", "/b/0002.png"]
    assert texts(page, "#runs .off") == ["its first"]


def test_slider_and_chart_lead_to_an_epoch(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    page.locator("#position").fill("1")
    settle(page)
    assert sources(page) == ["/a/0002.png", "/b/0002.png"]
    page.evaluate("runsPage.comparison.view.charts.wants.onPick(1, 1)")
    settle(page)
    assert place(page) == "epoch 4"


def test_runs_are_counted_by_step_or_by_time(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    press(page, "ArrowLeft")
    page.locator("#axis").select_option("step")
    assert place(page) == "step 16"
    page.locator("#axis").select_option("epoch")
    assert place(page) == "epoch 4"


def test_sample_is_shown_alone_in_all_runs_with_its_measures_the_best_in_bold(
    show_runs, page_of_two
):
    page = show_runs(page_of_two, "#epoch=4")
    settle(page)
    assert texts(page, "#measures tr") == ["mae\t0.625\t0.4375"]
    assert texts(page, "#measures strong") == ["0.4375"]
    page.locator("#stage .frame").nth(1).locator("button").nth(2).click()
    settle(page)
    assert page.locator("#sample-name").inner_text() == "Sample 2 of 0\u20133"
    page.wait_for_function("() => by('measures').innerText === 'mae\\t0.5\\t0.25'")
    assert texts(page, "#measures strong") == ["0.25"]
    press(page, "ArrowUp")
    page.wait_for_function("() => by('measures').innerText === 'mae\\t1\\t1'")
    assert texts(page, "#measures strong") == []
    assert middle(page.locator("#stage .frame canvas").first) == color(4, 1)
    press(page, "Escape")
    assert not page.locator("#sample-bar").is_visible()


def test_what_differs_is_named_and_the_same_samples_are_said(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    assert page.locator("#same-samples").inner_text() == "same 4 samples"
    assert texts(page, "#differences dt") == ["render.value_range"]
    assert page.locator("#differences dd").all_text_contents() == ["a: (-1, 1)", "b: (0, 1)"]


def test_different_samples_are_a_warning(show_runs, tmp_path):
    make(tmp_path / "a", [1])
    make(tmp_path / "b", [1], samples={"digest": "sha256:other", "count": 4})
    compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
    page = show_runs(tmp_path / "c.html")
    settle(page)
    assert "different samples" in page.locator("#same-samples.is-odd").inner_text()


def test_state_is_in_the_address_and_back_goes_to_the_sample_before(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    press(page, "Home")
    page.locator("#stage .frame").first.locator("button").nth(3).click()
    settle(page)
    press(page, "ArrowUp")
    assert address(page) == "epoch=1&sample=2"
    page.reload()
    settle(page)
    assert page.locator("#sample-name").inner_text().startswith("Sample 2")
    assert sources(page) == ["/a/0001.png", "/b/0002.png"]
    page.go_back()
    page.wait_for_function("() => by('sample-name').innerText.startsWith('Sample 3')")
    page.go_back()
    page.wait_for_function("() => by('sample-bar').hidden")
    assert address(page) == "epoch=1"


def test_two_runs_are_laid_over_one_another(show_runs, page_of_two):
    page = show_runs(page_of_two, "#epoch=4")
    settle(page)
    page.get_by_label("How two are shown").select_option("difference")
    settle(page)
    frame = page.locator("#stage .frame")
    assert (frame.count(), frame.locator("canvas").count()) == (1, 2)
    assert middle(frame.locator(".tile").first) == (0, 0, 0)  # both have the same picture
    press(page, "Home")
    assert middle(frame.locator(".tile").first) == (20, 0, 0)  # of the epochs 1 and 2
    press(page, "ArrowLeft")
    page.get_by_label("How two are shown").select_option("side")
    settle(page)
    assert page.locator("#stage .frame").count() == 2


def test_of_four_runs_the_pair_is_chosen(show_runs, tmp_path):
    folders = [tmp_path / name for name in "abcd"]
    for folder in folders:
        make(folder, [1])
    compare(folders, tmp_path / "c.html")
    page = show_runs(tmp_path / "c.html")
    settle(page)
    assert len(sources(page)) == 4
    press(page, "m")
    page.locator("#pair-1").select_option("3")
    settle(page)
    assert sources(page) == ["/a/0001.png", "/d/0001.png"]
    assert address(page) == "mode=swipe&pair=0,3"


def test_hostile_runs_are_text(show_runs, tmp_path):
    for name in ("a", HOSTILE):
        about = {"settings": {HOSTILE: HOSTILE, "sample_names": [HOSTILE]}, "state": HOSTILE}
        writer = Writer(tmp_path / name, about=about, panels=(HOSTILE,)).begin(HOSTILE)
        writer.save(1, logs={HOSTILE: 1.0, "__proto__": 2.0, "note": "</script>"})
    Writer(tmp_path / "odd", about={"settings": [HOSTILE], "samples": HOSTILE}).begin().save(1)
    compare([tmp_path / "a", tmp_path / HOSTILE, tmp_path / "odd"], tmp_path / "c.html")
    page = show_runs(tmp_path / "c.html", "#sample=0")
    settle(page)
    assert page.locator("#title").inner_text() == f"a \u00b7 {HOSTILE} \u00b7 odd"
    assert page.locator("#sample-text").inner_text() == HOSTILE
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.hacked") is None


def test_run_without_a_snapshot_is_said(show_runs, tmp_path):
    make(tmp_path / "a", [1])
    Writer(tmp_path / "b").begin()
    compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
    page = show_runs(tmp_path / "c.html")
    settle(page)
    assert texts(page, "#runs .off") == ["no snapshot yet"]
    assert sources(page) == ["/a/0001.png"]


def test_policy_forbids_what_the_page_does_not_need(show_runs, page_of_two):
    page = show_runs(page_of_two)
    settle(page)
    found = refused(
        page,
        script="./a/run.js",
        img="https://example.invalid/x.png",
        iframe="https://example.invalid/",
        link="other.css",
    )
    assert {"script-src-elem", "img-src", "frame-src", "connect-src", "safe"} <= found
    assert {"script-src-attr", "style-src-attr", "style-src-elem"} <= found
