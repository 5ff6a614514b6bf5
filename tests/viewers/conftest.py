"""What the tests of the pages in a browser share."""

import pytest
from support.page_reader import WIDE, settle


@pytest.fixture(scope="session")
def context(browser):
    """One for all pages: each of them would start a process in a context of its own."""
    return browser.new_context()


@pytest.fixture
def open_page(context, browser):
    """Open a page, whose clock the test may move; at the end no script may have failed."""
    opened_here, errors = [], []

    def opened(url, *, size=WIDE, scheme="light", has_clock=False):
        # A clock is that of all pages of a context.
        page = browser.new_page() if has_clock else context.new_page()
        opened_here.append(page)
        page.set_default_timeout(20_000)
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if has_clock:
            page.clock.install()
        page.goto(url)
        return page

    yield opened
    for page in opened_here:
        page.close()
    assert errors == []


@pytest.fixture
def show(open_page):
    """Open the page of a run."""

    def shown(folder, *, at="", waits=True, **options):
        page = open_page((folder / "index.html").as_uri() + at, **options)
        if waits:
            page.wait_for_selector("#stage .frame")
            settle(page)
        return page

    return shown


@pytest.fixture
def show_runs(open_page):
    """Open a page of runs, at an address in it."""

    def shown(path, address="", **options):
        return open_page((path if isinstance(path, str) else path.as_uri()) + address, **options)

    return shown
