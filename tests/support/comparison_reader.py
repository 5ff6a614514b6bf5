"""What a reader of pages of runs does in a browser, and what there is to see."""

from functools import partial

from support import page_reader


def settle(page):
    """Wait until what is wanted is drawn, and what the samples had is read."""
    page.wait_for_selector("#stage .frame canvas")
    page.evaluate("sleep(50)")
    page.evaluate("runsPage.comparison.view.stage.running")


press = partial(page_reader.press, settle=settle)


def sources(page):
    """The files that are on the stage, without the folder of the page."""
    folder = page.url.split("#")[0].rsplit("/", 1)[0]
    canvases = page.locator("#stage .frame canvas")
    found = canvases.evaluate_all("all => all.map(one => one.dataset.source)")
    return [one.split("?")[0].removeprefix(folder) for one in found]


def place(page):
    return page.locator("#position-name").inner_text()


def address(page):
    """What stands behind the # once it is told."""
    page.evaluate("sleep(2 * ADDRESS_MS)")
    return page.url.partition("#")[2]


def texts(page, selector):
    return page.locator(selector).all_inner_texts()
