"""What the tests need in every Keras."""

import gc
import os
import shutil
import sys
import threading
from functools import partial

import pytest
from support.browser import CHROMIUM, FLAGS
from support.waiting import Waits

# Several processes run tests side by side: the first may not take all of a GPU's memory.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

# A disk is written to for each file that is replaced, which would take a third of the time.
MEMORY = "/dev/shm"
if os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


def pytest_collection_modifyitems(items):
    """Mark what never comes near Keras: stages on arrays, files, folders, threads."""
    for item in items:
        module = getattr(item, "module", None)
        near = module is None or {"tf", "keras", "together"} & set(vars(module))
        if not near and "integration" not in item.path.parts and item.path.name != "test_readme.py":
            item.add_marker("numpy")


def pytest_collection_finish():
    """Keep what was imported out of each later look for garbage, which takes half a second with it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests: Playwright's loop allows no second one beside it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def forks(tmp_path_factory, request):
    """Runs scripts in processes of their own; TensorFlow is imported once for all."""
    if not hasattr(os, "fork"):
        # TensorFlow is imported once and forked, and what the scripts' tests end them by are POSIX's
        # signals: there is neither to ask on Windows.
        pytest.skip("Windows has no fork")  # every other system has one, and skips nothing
    from support.forks import Forks  # which Windows cannot import

    own = tmp_path_factory.getbasetemp()
    common = own.parent if hasattr(request.config, "workerinput") else own
    found = Forks(common / "forks", own / "forks_output.txt")
    yield found
    found.close()


@pytest.fixture(scope="session", autouse=True)
def force_to_disk():
    """What forces a file to disk, which the tests do without.

    A busy disk makes each one wait, now and then for a minute; what would be lost without it, where the
    power fails, is asked of a disk in memory.
    """
    with pytest.MonkeyPatch.context() as patch:
        fsync = os.fsync
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield fsync


@pytest.fixture
def real_fsync(force_to_disk, monkeypatch):
    """Files are forced to disk, as outside of the tests."""
    monkeypatch.setattr(os, "fsync", force_to_disk)


@pytest.fixture
def stall_limit(monkeypatch):
    """A function that sets for how many seconds storage is waited for."""
    return partial(monkeypatch.setattr, "keras_image_saver.run.writer.STALL_S")


@pytest.fixture
def waits(monkeypatch):
    """How long conditions are waited for."""
    found = Waits()
    monkeypatch.setattr(threading.Condition, "wait_for", found.watch(threading.Condition.wait_for))
    return found


@pytest.fixture
def deflater(request, monkeypatch):
    """Whether PNG is deflated by "isal", as with the extra `fast`, or by "zlib", as without."""
    from keras_image_saver.picture import png

    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)  # an import of it raises ImportError
    png._igzip.cache_clear()
    assert bool(png._igzip()) is (request.param == "isal")
    yield request.param
    png._igzip.cache_clear()
