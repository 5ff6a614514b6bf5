"""The page of a run that grows, in a real browser."""

import subprocess
import sys
import time

from support.browser import in_browser
from support.page_reader import (
    epoch,
    look_again,
    middle,
    pass_time,
    press,
    settle,
    source,
    wait_for_epoch,
)
from support.page_runs import Writer, color, make_run, picture
from support.waiting import wait_until

from keras_image_saver.run.found import find
from keras_image_saver.run.lines import read_entries, record_files
from keras_image_saver.run.previous import set_aside
from keras_image_saver.run.template import Template

pytestmark = in_browser


def test_new_snapshots_appear_within_2_s_without_a_reload_or_a_flicker(show, tmp_path):
    writer = make_run(tmp_path, 2)
    page = show(tmp_path)
    page.evaluate("""
        window.blank = 0;
        new MutationObserver(() => {
            const canvas = document.querySelector("#stage canvas");
            if (!canvas?.clientWidth || !canvas.dataset.source) blank++;
        }).observe(by("stage"), { childList: true, subtree: true, attributes: true });
    """)
    waits = []
    for number in (3, 4):
        writer.save(number)
        saved = time.monotonic()
        wait_for_epoch(page, number)
        waits.append(time.monotonic() - saved)
        assert source(page) == f"./000{number}.png"
        assert middle(page.locator(".tile").first) == color(number, 0)
    assert min(waits) < 2
    assert page.evaluate("blank") == 0  # which a reload would have forgotten
    assert page.locator("#live").is_visible()


def test_page_stays_where_the_user_is_and_follows_again_from_the_newest(show, tmp_path):
    writer = make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "ArrowLeft")
    assert not page.locator("#live").is_visible()
    writer.save(4)
    look_again(page)
    page.locator("#newest").wait_for(state="visible")
    assert (source(page), page.locator("#counts").inner_text()) == ("./0002.png", "4 snapshots")
    page.locator("#newest").click()
    wait_for_epoch(page, 4)
    assert not page.locator("#newest").is_visible()
    writer.save(5)
    look_again(page)
    wait_for_epoch(page, 5)


def test_run_without_snapshots_says_so_until_the_first_one(show, tmp_path):
    writer = Writer(tmp_path).begin()
    page = show(tmp_path, waits=False)
    page.get_by_text("No snapshot yet.").wait_for()
    assert not page.locator("#controls").is_visible()
    writer.save(1)
    look_again(page)
    wait_for_epoch(page, 1)
    assert not page.locator("#empty").is_visible()


def test_page_without_a_record_says_so(show, tmp_path):
    make_run(tmp_path, 1)
    (tmp_path / "snapshots.js").unlink()
    page = show(tmp_path, waits=False)
    page.get_by_text("There is no record of a run beside this page").wait_for()


def test_hidden_tab_rests_and_catches_up(show, tmp_path):
    writer = make_run(tmp_path, 1)
    page = show(tmp_path, has_clock=True)
    hide = """
        hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }
    """
    page.evaluate(hide, True)
    page.wait_for_timeout(100)  # one poll may be under way
    writer.save(2)
    pass_time(page, 10)
    assert epoch(page) == "Epoch 1"
    page.evaluate(hide, False)
    wait_for_epoch(page, 2)


def test_resumed_run_drops_what_was_drawn_beyond(show, tmp_path):
    make_run(tmp_path, 6)
    page = show(tmp_path)
    entries, _ = read_entries(str(tmp_path), record_files(str(tmp_path)))
    resumed = Writer(tmp_path, entries=entries[:3])
    resumed.record.rewrite()
    resumed.tell("running")
    look_again(page)
    wait_for_epoch(page, 3)
    resumed.save(4, time=1.8e9, content=picture(9))
    look_again(page)
    wait_for_epoch(page, 4)
    assert page.locator("#counts").inner_text() == "4 snapshots"
    # The file has the name of one that was shown before.
    assert middle(page.locator(".tile").first) == color(9, 0)


def test_run_that_is_set_aside_opens_there_and_the_open_page_shows_the_new_one(show, tmp_path):
    make_run(tmp_path, 4)
    page = show(tmp_path)
    press(page, "Home")
    of_the_run = {"epoch": 1}  # what a picture of the first version says of itself
    found = find(Template(tmp_path), 0, lambda file: of_the_run)
    set_aside(str(tmp_path), "keep", found)
    Writer(tmp_path).begin().save(1, time=1.8e9, content=picture(7))
    look_again(page)
    page.wait_for_function("() => by('counts').textContent === '1 snapshot'")
    settle(page)
    assert middle(page.locator(".tile").first) == color(7, 0)
    aside = show(tmp_path / "previous-1")
    assert (source(aside), epoch(aside)) == ("./0004.png", "Epoch 4")
    assert middle(aside.locator(".tile").first) == color(4, 0)


FIT = """
    import os, sys, time
    import numpy as np
    import tensorflow as tf
    from keras_image_saver import Images, ImageSaver

    keras = tf.keras
    x = np.random.default_rng(0).random((8, 8, 8, 1), np.float32)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    )
    model.compile("sgd", "mse")

    class OnDemand(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            while not os.path.exists(f"{sys.argv[1]}-{epoch + 1}"):
                time.sleep(0.01)

    saver = ImageSaver(sys.argv[1], x, render=Images((0, 1), panels=("input", "prediction")))
    model.fit(x, x, epochs=3, verbose=0, callbacks=[saver, OnDemand()])
"""


def test_page_follows_a_real_fit(show, tmp_path, forks):
    def allow(epoch):
        (tmp_path / f"run-{epoch}").touch()

    forks.start(FIT, tmp_path / "run")
    try:
        allow(1)
        wait_until((tmp_path / "run" / "index.html").exists)  # it is written behind the training
        page = show(tmp_path / "run")
        wait_for_epoch(page, 1)
        page.evaluate("window.opened = true")
        for number in (2, 3):
            allow(number)
            wait_for_epoch(page, number)
            assert source(page) == f"./000{number}.png"
        assert page.evaluate("window.opened")
        assert page.locator(".tile").count() == 8
        page.locator(".tile").nth(2).click()
        settle(page)
        assert page.locator("#stage .panel").all_inner_texts() == ["input", "prediction"]
    except BaseException:
        forks.kill()
        raise
    assert forks.wait() == 0, forks.printed()


def test_page_served_by_a_server_works_too(open_page, tmp_path):
    make_run(tmp_path, 2)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = process.stdout.readline().split("port ")[1].split()[0]
        page = open_page(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#stage canvas[data-source]")
        assert source(page) == "./0002.png"
    finally:
        process.kill()
        process.communicate()
