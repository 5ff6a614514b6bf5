"""What is on the stage as a PNG, in a real browser."""

import base64
import io

from PIL import Image
from support.browser import in_browser
from support.page_reader import WIDE, press, settle
from support.page_runs import color, make_run
from support.server import serve

from keras_image_saver import compare

pytestmark = in_browser

READ_CLIPBOARD = """
    async () => {
        const [item] = await navigator.clipboard.read();
        const bytes = new Uint8Array(await (await item.getType("image/png")).arrayBuffer());
        return btoa(String.fromCharCode(...bytes));
    }
"""


def colors(content):
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    return {found[:3] for _, found in image.convert("RGBA").getcolors(1 << 24)}


def saved(page):
    with page.expect_download() as waiting:
        page.locator("#save").click()
    download = waiting.value
    with open(download.path(), "rb") as file:
        return download.suggested_filename, colors(file.read())


def test_stage_is_saved_and_copied_from_a_server(browser, tmp_path):
    make_run(tmp_path, 5)
    with serve(tmp_path) as served:
        context = browser.new_context(
            viewport=WIDE, permissions=["clipboard-read", "clipboard-write"]
        )
        page = context.new_page()
        page.goto(served.url)
        page.locator("#save").wait_for(state="visible")
        name, found = saved(page)
        assert name == "epoch-5.png"  # the server's root has no name
        assert {color(5, sample) for sample in range(4)} <= found
        page.locator(".tile").nth(2).click()
        settle(page)
        name, found = saved(page)
        assert (name, color(5, 2) in found, color(5, 1) in found) == (
            "epoch-5-sample-2.png",
            True,
            False,
        )
        press(page, "c")
        name, found = saved(page)
        assert name == "epoch-1-epoch-5-sample-2.png"
        assert {color(1, 2), color(5, 2)} <= found
        page.locator("#copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        copied = colors(base64.b64decode(page.evaluate(READ_CLIPBOARD)))
        assert {color(1, 2), color(5, 2)} <= copied
        context.close()


def test_page_from_disk_offers_the_pictures_own_file_instead(show, tmp_path):
    make_run(tmp_path, 2)
    page = show(tmp_path)
    assert not page.locator("#save").is_visible()
    assert not page.locator("#copy").is_visible()
    with page.context.expect_page() as waiting:
        page.locator("#file a").click()
    file = waiting.value
    file.wait_for_load_state()
    assert file.url.split("?")[0] == (tmp_path / "0002.png").as_uri()
    assert page.evaluate("page.state.index") == 1  # it is as it was left


def test_comparison_of_runs_is_saved_as_one_picture(open_page, tmp_path):
    for name, epochs in (("a", 5), ("b", 3)):
        make_run(tmp_path / name, epochs)
    compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
    with serve(tmp_path) as served:
        page = open_page(f"{served.url}c.html")
        page.locator("#save").wait_for(state="visible")
        name, found = saved(page)
        assert name.startswith("a-epoch-5-b-epoch-3")
        assert {color(5, 0), color(3, 0)} <= found
