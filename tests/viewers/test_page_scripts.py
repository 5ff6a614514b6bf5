"""The page's scripts, without a browser."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from support.browser import REQUIRED

from keras_image_saver.viewers.comparison.document import LIST, runs_page
from keras_image_saver.viewers.page import page_html

HERE = Path(__file__).parent
NODE = shutil.which("node") or shutil.which("nodejs")


def test_pages_hold_each_script():
    folder = files("keras_image_saver.viewers")
    rooms = {"page": page_html(), "comparison": runs_page(LIST, {})}
    for room, html in {**rooms, "web": "".join(rooms.values())}.items():
        parts = [
            path for path in folder.joinpath(room).iterdir() if path.name.endswith((".js", ".css"))
        ]
        assert parts
        assert [path.name for path in parts if path.read_text("utf-8") not in html] == []


@pytest.mark.skipif(not NODE and not REQUIRED, reason="there is no Node")
@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_scripts_under_node(name):
    done = subprocess.run(
        [NODE or "node", "--test", HERE / name],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
