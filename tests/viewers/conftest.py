"""What the tests of the page in a browser share."""

import pytest
from support.page_reader import WIDE, settle


@pytest.fixture
def show(browser):
    """Open the page of a run; at the end of the test no script may have failed."""
    contexts, errors = [], []

    def opened(folder, *, size=WIDE, scheme="light", waits=True, at=""):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((folder / "index.html").as_uri() + at)
        if waits:
            page.wait_for_selector("#stage .frame")
            settle(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def show_runs(browser):
    """Open a page of runs, at an address in it; at the end no script may have failed."""
    contexts, errors = [], []

    def opened(path, address="", *, size=WIDE, scheme="light"):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((path if isinstance(path, str) else path.as_uri()) + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
