"""Names are text on the page, in a real browser."""

import pytest
from support.browser import in_browser
from support.page_reader import drawn_at, gap, middle, press, refused, settle
from support.page_runs import Writer, color, make_run

from keras_image_saver import write_page

pytestmark = in_browser


HOSTILE = '<img src=x onerror="window.hacked=1">'


def test_names_are_text_and_never_markup(show, tmp_path):
    writer = Writer(tmp_path, panels=(HOSTILE, "</script><script>window.hacked=1</script>")).begin()
    writer.save(1, path="", missed=HOSTILE, logs={})
    logs = {HOSTILE: 1.0, "note": HOSTILE, "__proto__": 3.0, "constructor": 2.0}
    writer.save(2, file=f"{HOSTILE}.png", logs=logs)
    write_page(tmp_path)
    page = show(tmp_path)
    tile = page.locator(".tile").first
    assert drawn_at(tile, 0.25, 0.5) == color(2, 0, 0)
    assert drawn_at(tile, 0.75, 0.5) == color(2, 0, 1)
    assert page.locator("#file").inner_text() == f"{HOSTILE}.png"
    rows = page.locator("#logs tr").all_inner_texts()
    assert rows == [f"note\t{HOSTILE}"]
    assert page.locator(".metric .name").all_inner_texts() == [HOSTILE, "__proto__", "constructor"]
    page.locator(".tile").first.click()
    settle(page)
    assert page.locator("#stage .panel span").first.inner_text() == HOSTILE
    assert middle(page.locator("#stage .panel").first) == color(2, 0, 0)
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
    found = refused(
        page,
        img="https://example.invalid/x.png",
        iframe="other.html",
        link="other.css",
        object="other.svg",
    )
    assert {"img-src", "frame-src", "connect-src", "object-src", "safe"} <= found
    assert {"script-src-attr", "style-src-attr", "style-src-elem"} <= found
