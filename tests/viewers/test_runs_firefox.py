"""Pages of runs in Firefox, which has rules of its own for what stands on disk."""

import importlib.util
import shutil
import subprocess
import time

import pytest
from support.page_runs import Writer

from keras_image_saver import compare, write_page

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        FIREFOX is None or importlib.util.find_spec("marionette_driver") is None,
        reason="there is no Firefox, or marionette_driver is not installed",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the driver
]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    from marionette_driver.marionette import Marionette

    profile = tmp_path_factory.mktemp("profile")
    (profile / "user.js").write_text('user_pref("marionette.port", 0);')
    command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port = profile / "MarionetteActivePort"
    limit = time.monotonic() + 60
    while not (port.exists() and port.read_text().strip()):
        assert time.monotonic() < limit, "Firefox does not start"
        time.sleep(0.1)
    driver = Marionette(host="127.0.0.1", port=int(port.read_text()))
    driver.start_session()
    yield driver
    driver.delete_session()
    process.terminate()
    process.wait(30)


def wait_for(driver, condition):
    limit = time.monotonic() + 20
    while not driver.execute_script(f"return {condition}"):
        assert time.monotonic() < limit, condition
        time.sleep(0.1)


@pytest.fixture
def runs(tmp_path):
    for name, last in (("a", 2), ("b", 3)):
        writer = Writer(tmp_path / name).begin()
        for epoch in range(1, last + 1):
            writer.save(epoch)
        writer.tell("finished")
    return tmp_path


def test_comparison_opens_from_disk(firefox, runs):
    compare([runs / "a", runs / "b"], runs / "c.html")
    firefox.navigate((runs / "c.html").as_uri())
    wait_for(firefox, "document.querySelectorAll('#stage canvas').length === 2")
    shown = "document.getElementById('position-name').textContent"
    assert firefox.execute_script(f"return {shown}") == "epoch 3"


def test_runs_that_are_chosen_from_a_list_are_read_from_disk(firefox, runs):
    write_page(runs)
    firefox.navigate((runs / "index.html").as_uri() + "#compare=a,b")
    wait_for(firefox, "document.querySelectorAll('#stage canvas').length === 2")
    assert firefox.execute_script("return document.getElementById('notices').textContent") == ""
