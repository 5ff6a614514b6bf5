"""The page in every window and both schemes, for everyone, in a real browser."""

import pytest
from support.browser import in_browser
from support.page_reader import HUGE, PHONE, WIDE, gap, press, settle
from support.page_runs import Writer, make_charts, make_run

from keras_image_saver.run.files import RECORD
from keras_image_saver.run.lines import read_entries

pytestmark = in_browser


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
        for selector in ("#stage canvas", "#stage .gap:not([hidden])", "#controls"):
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
    page.locator("#facts summary").click()
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
