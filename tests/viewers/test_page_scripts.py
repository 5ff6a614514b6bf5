"""The page's scripts, without a browser."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from support.browser import REQUIRED

from keras_image_saver.viewers.page import page_html

NODE = shutil.which("node") or shutil.which("nodejs")


def test_page_holds_each_script_of_its_folder():
    folder = files("keras_image_saver.viewers.page")
    scripts = [path for path in folder.iterdir() if path.name.endswith(".js")]
    assert scripts
    assert [path.name for path in scripts if path.read_text("utf-8") not in page_html()] == []


@pytest.mark.skipif(not NODE and not REQUIRED, reason="there is no Node")
def test_state_and_keys_of_the_page_under_node():
    done = subprocess.run(
        [NODE or "node", "--test", Path(__file__).with_name("page_scripts.test.mjs")],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
