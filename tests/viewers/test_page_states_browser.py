"""How a run stands, and what its page asks for, in a real browser."""

import time

import pytest
from support.browser import in_browser
from support.page_reader import look_again, pass_time, wait_for_epoch
from support.page_runs import Writer, make_run
from support.server import serve
from support.waiting import wait_until

pytestmark = in_browser


@pytest.fixture
def timed(open_page):
    """Open a page whose clock the test moves."""

    def opened(url):
        page = open_page(url, has_clock=True)
        page.wait_for_selector(".tile")
        return page

    return opened


def text(page):
    return page.locator("#state").inner_text()


def test_page_of_a_run_that_goes_on_asks_for_one_small_file(timed, tmp_path):
    writer = make_run(tmp_path, 3)
    with serve(tmp_path) as served:
        page = timed(served.url)
        assert text(page) == "running"
        served.asked.clear()
        pass_time(page, 10, 1)
        assert served.names == {"latest.js"}
        assert 3 <= len(served) <= 5
        assert 1000 < served.size < 2000
        pass_time(page, 300, 10)
        served.asked.clear()
        pass_time(page, 60, 3)
        assert 1 <= len(served) <= 3  # every 30 s by now
        writer.save(4)
        pass_time(page, 31, 3)
        wait_for_epoch(page, 4)
        served.asked.clear()
        pass_time(page, 10, 1)
        assert len(served) >= 3


def test_page_of_a_run_that_ended_asks_for_nothing_until_it_is_looked_at(timed, tmp_path):
    writer = make_run(tmp_path, 3)
    with serve(tmp_path) as served:
        page = timed(served.url)
        writer.save(4).tell("finished")
        pass_time(page, 5)
        wait_for_epoch(page, 4)
        assert text(page) == "finished"
        assert not page.locator("#live").is_visible()
        served.asked.clear()
        pass_time(page, 600, 30)
        assert served.asked == []
        look_again(page)
        wait_until(lambda: served.asked)
        page.wait_for_timeout(100)  # for what it might ask besides
        assert served.names == {"latest.js"}
        writer.tell("running").save(5)  # it is resumed
        look_again(page)
        wait_for_epoch(page, 5)
        assert (text(page), page.locator("#live").is_visible()) == ("running", True)
        writer.save(6)
        pass_time(page, 5)
        wait_for_epoch(page, 6)


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_page_says_how_a_run_ended(show, tmp_path, state):
    make_run(tmp_path, 1).tell(state)
    assert text(show(tmp_path)) == state


def test_page_says_that_a_run_which_nobody_ended_has_stopped(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for epoch in (1, 2, 3):
        writer.save(epoch, time=time.time() - 3 * 3600 + epoch)
    page = show(tmp_path)
    assert text(page) == "stopped, last snapshot 2 hours ago"
    assert not page.locator("#live").is_visible()


def test_ended_run_without_snapshots_promises_none(show, tmp_path):
    writer = Writer(tmp_path).begin()
    page = show(tmp_path, waits=False)
    page.get_by_text("No snapshot yet.").wait_for()
    writer.tell("failed")
    look_again(page)
    page.get_by_text("This run has no snapshot.").wait_for()


def test_picture_stays_where_it_is_when_a_snapshot_comes(show, tmp_path):
    writer = make_run(tmp_path, 3)
    page = show(tmp_path)
    place = page.locator("#stage").bounding_box()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#stage").bounding_box() == place
    writer.save(4)
    look_again(page)
    page.locator("#newest").wait_for(state="visible")
    assert page.locator("#stage").bounding_box() == place


def test_play_pressed_thrice_plays_no_faster(show, tmp_path):
    make_run(tmp_path, 40)
    page = show(tmp_path)
    page.locator("#speed").select_option("10")
    page.keyboard.press("Home")
    for _ in range(3):
        page.locator("#play").click()
    start = page.evaluate("page.state.index")
    page.wait_for_timeout(1000)
    assert 1 <= page.evaluate("page.state.index") - start <= 12


def test_strip_of_a_run_by_batches_tells_its_cells_apart(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for step in (8, 16, 24):
        writer.save(1, file=f"{step}.png", batch=step, step=step)
    page = show(tmp_path, at="#sample=1")
    page.wait_for_function("() => document.querySelectorAll('.cell canvas').length === 3")
    assert page.locator(".cell-name").all_inner_texts() == ["8", "16", "24"]
    assert page.locator(".cell").first.get_attribute("aria-label") == "Sample 1 at epoch 1, step 8"


def test_slider_is_as_long_wherever_it_stands(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for epoch in (1, 10, 1000):
        writer.save(epoch)
    page = show(tmp_path)
    width = page.locator("#position").bounding_box()["width"]
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
        assert page.locator("#position").bounding_box()["width"] == width
