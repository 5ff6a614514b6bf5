"""Chromium, in which the page and TensorBoard are looked at, and where it may be missing."""

import importlib.util
import os
import shutil

import pytest

REQUIRED = os.environ.get("KERAS_IMAGE_SAVER_BROWSER") == "required"
# The one without a window takes a third of the time to open a page.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--renderer-process-limit=1",  # the pages of one context share a process
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

skip_without_browser = pytest.mark.skipif(
    not REQUIRED and (CHROMIUM is None or importlib.util.find_spec("playwright") is None),
    reason="there is no Chromium, or Playwright is not installed",
)
in_browser = [pytest.mark.slow, skip_without_browser]
