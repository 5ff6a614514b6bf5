"""The address of what the page shows, in a real browser."""

import pytest
from support.browser import in_browser
from support.page_reader import look_again, position, press, settle, wait_for_epoch
from support.page_runs import Writer, make_run
from support.server import serve

pytestmark = in_browser


def state(page):
    found = "({ index, pin, mode, sample, following }) => [index, pin, mode, sample, following]"
    return page.evaluate(f"({found})(page.state)")


def wait_for_hash(page, wanted):
    page.wait_for_function("hash => location.hash === hash", arg=wanted)


@pytest.fixture(params=["file", "http"])
def visited(request, tmp_path, show):
    """A page of five epochs, from disk and from a server."""
    make_run(tmp_path, 5)
    if request.param == "file":
        yield show(tmp_path)
        return
    with serve(tmp_path) as served:
        page = show(tmp_path)
        page.goto(served.url)
        page.wait_for_selector(".tile")
        settle(page)
        yield page


def test_reload_keeps_what_was_shown(visited):
    page = visited
    press(page, "Home", "ArrowRight", "c", "ArrowLeft")
    page.evaluate(
        "page.change((state) => state.chooseSample(2).with({view: {zoom: 2, x: 0.25, y: 0.5}}))"
    )
    page.evaluate("page.change((state) => state.with({look: {brightness: 1.5, contrast: 1}}))")
    wait_for_hash(page, "#epoch=4&sample=2&compare=2&zoom=2,0.25,0.5&look=1.5,1")
    before = state(page)
    page.reload()
    wait_for_epoch(page, 4)
    assert state(page) == before == [3, 1, "side", 2, False]
    assert page.evaluate("page.state.view") == {"zoom": 2, "x": 0.25, "y": 0.5}
    assert page.evaluate("page.state.look.brightness") == 1.5


def test_back_leaves_one_sample_and_two_snapshots_and_nothing_else(visited):
    page = visited
    start = page.url
    press(page, "ArrowLeft")
    wait_for_hash(page, "#epoch=4")
    page.locator(".tile").nth(2).click()
    settle(page)
    wait_for_hash(page, "#epoch=4&sample=2")
    press(page, "ArrowDown", "c", "ArrowLeft", "ArrowLeft")
    wait_for_hash(page, "#epoch=3&sample=3&compare=4")
    page.go_back()
    page.wait_for_function("() => !page.state.comparing")
    assert state(page)[3:] == [3, False]
    page.go_back()
    page.wait_for_function("() => page.state.sample === null")
    assert (position(page), page.url) == ("epoch 4", f"{start}#epoch=4")
    page.go_forward()
    page.wait_for_function("() => page.state.sample === 3")
    wait_for_hash(page, "#epoch=4&sample=3")
    press(page, "End")
    wait_for_hash(page, "#sample=3")


def test_address_typed_by_hand_leads_there_and_nonsense_to_the_newest(visited):
    page = visited
    base = page.url.split("#")[0]
    page.goto(f"{base}#epoch=3&sample=1")
    page.wait_for_function("() => page.state.index === 2")
    assert state(page)[3] == 1
    for nonsense in (
        "#epoch=<img src=x onerror=alert(1)>",
        "#sample=-1&epoch=1e9",
        "#%ff&&&=",
        "#",
    ):
        page.goto(f"{base}{nonsense}")
        page.wait_for_function("() => page.state.following")
        assert state(page) == [4, 0, None, None, True]
        assert page.locator(".notice").count() == 0
        page.goto(f"{base}#epoch=2")
        page.wait_for_function("() => page.state.index === 1")
    page.goto(f"{base}#epoch=9")
    page.get_by_text("Epoch 9 is not there: the newest snapshot is shown.").wait_for()


def test_link_leads_to_a_snapshot_that_comes_later(show, tmp_path):
    writer = make_run(tmp_path, 2)
    page = show(tmp_path, at="#epoch=3&sample=1")
    assert state(page)[:4] == [1, 0, None, 1]
    writer.save(3).save(4)
    look_again(page)
    wait_for_epoch(page, 3)
    assert page.locator(".notice").count() == 0


def test_link_to_a_snapshot_that_was_removed_says_so(show, tmp_path):
    writer = Writer(tmp_path, max_to_keep=2).begin()
    for epoch in range(1, 6):
        writer.save(epoch)
    page = show(tmp_path, at="#epoch=2")
    assert position(page) == "epoch 4"
    assert page.locator(".notice").inner_text() == "Epoch 2 was removed: epoch 4 is shown."


def test_playing_and_scrubbing_do_not_exhaust_the_browsers_patience(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    said = []
    page.on("console", lambda message: said.append(message.text))
    length = page.evaluate("history.length")
    page.evaluate("""
        for (let turn = 0; turn < 500; turn++) page.change((state) => state.go(turn % 2));
    """)
    wait_for_hash(page, "#epoch=2")
    assert page.evaluate("history.length") == length
    assert said == []


@pytest.mark.parametrize("sandbox", [None, "allow-scripts"])
def test_page_in_a_frame_works_with_and_without_an_address_of_its_own(open_page, tmp_path, sandbox):
    make_run(tmp_path / "run", 3)
    (tmp_path / "index.html").write_text("<!DOCTYPE html><title>A frame</title>")
    with serve(tmp_path) as served:
        page = open_page(served.url)
        page.evaluate(
            """sandbox => {
                const frame = document.createElement("iframe");
                if (sandbox) frame.sandbox = sandbox;
                frame.src = "run/index.html#epoch=2";
                document.body.append(frame);
            }""",
            sandbox,
        )
        frame = page.frame_locator("iframe")
        frame.locator("#epoch").get_by_text("Epoch 2").wait_for()
        inner = page.frames[1]
        inner.evaluate("page.change((state) => state.chooseSample(1))")
        inner.wait_for_function("() => location.hash === '#epoch=2&sample=1'")
        page.evaluate("history.back()")
        inner.wait_for_function("() => page.state.sample === null")
