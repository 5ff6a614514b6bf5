"""The stage of the page in a real browser: zoom, pictures against each other, order, classes."""

import numpy as np
import pytest
from support.browser import in_browser
from support.page_reader import PHONE, drawn_at, middle, press, settle, source
from support.page_runs import SIZE, Writer, color, layout, make_run

from keras_image_saver import encode_image

pytestmark = in_browser

# Counts what is drawn on canvases.
COUNT_DRAWING = """
    () => {
        window.drawings = 0;
        for (const name of ["drawImage", "clearRect", "fillRect"]) {
            const own = CanvasRenderingContext2D.prototype[name];
            CanvasRenderingContext2D.prototype[name] = function (...given) {
                window.drawings++;
                return own.apply(this, given);
            };
        }
    }
"""


def mode(page, name):
    page.locator("#tools select").first.select_option(name)
    settle(page)


def box(page):
    return page.locator("#stage .box").last.bounding_box()


def zoom(page):
    return page.evaluate("page.view.stage.view.zoom")


def center(bounds, across=0.5, down=0.5):
    return bounds["x"] + across * bounds["width"], bounds["y"] + down * bounds["height"]


# Zoom and pan


def test_wheel_zooms_about_the_pointer_and_a_drag_pans_without_choosing_a_sample(show, tmp_path):
    make_run(tmp_path, 2)
    page = show(tmp_path)
    page.evaluate(COUNT_DRAWING)
    tile = page.locator(".tile").nth(3)
    before = tile.bounding_box()
    pointer = [round(one) for one in center(before, 0.25, 0.25)]  # events have whole pixels
    shares = [
        (pointer[0] - before["x"]) / before["width"],
        (pointer[1] - before["y"]) / before["height"],
    ]
    page.mouse.move(*pointer)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.wait_for_function("() => page.view.stage.view.zoom > 7")
    after = tile.bounding_box()
    assert after["width"] == pytest.approx(before["width"] * zoom(page), rel=0.01)
    # Where it fits it stands on whole pixels, half a one off at most, which is zoomed too.
    assert center(after, *shares) == pytest.approx(pointer, abs=4)
    page.mouse.down()
    page.mouse.move(500, 300)
    page.mouse.move(450, 280)
    page.mouse.up()
    moved = tile.bounding_box()
    assert moved["x"] - after["x"] == pytest.approx(450 - pointer[0], abs=2)
    assert page.locator("#sample-bar").is_hidden()
    page.keyboard.press("0")
    assert tile.bounding_box() == before
    assert page.evaluate("drawings") == 0
    page.mouse.click(*center(before))
    settle(page)
    assert page.locator("#sample-name").inner_text() == "Sample 3 of 0\u20133"


def test_keys_and_buttons_zoom(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    for key, button in (("+", "Zoom in"), ("-", "Zoom out"), ("1", "1:1, actual size")):
        page.keyboard.press("0")
        page.keyboard.press(key)
        by_key = zoom(page)
        page.get_by_label("Fit: as large as it fits").click()
        assert zoom(page) == 1
        page.get_by_label(button, exact=True).click()
        assert zoom(page) == by_key
    assert page.locator(".tile").first.bounding_box()["width"] == pytest.approx(SIZE, abs=0.1)
    page.keyboard.press("0")
    page.keyboard.press("-")
    assert zoom(page) == 1


def touch(session, kind, *points):
    touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_fingers_zoom_and_then_pan_and_the_page_scrolls_where_all_is_seen(browser, tmp_path):
    make_run(tmp_path, 2)
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector("#stage .frame")
    settle(page)
    session = context.new_cdp_session(page)
    actions = "getComputedStyle(document.querySelector('#stage .box')).touchAction"
    assert page.evaluate(actions) == "pan-x pan-y"
    x, y = center(box(page))
    touch(session, "touchStart", (x - 20, y), (x + 20, y))
    for distance in (30, 50, 80):
        touch(session, "touchMove", (x - distance, y), (x + distance, y))
    touch(session, "touchEnd")
    page.wait_for_function("() => page.view.stage.view.zoom > 2")
    assert page.evaluate(actions) == "none"
    before = page.locator(".tile").first.bounding_box()
    touch(session, "touchStart", (x, y))
    touch(session, "touchMove", (x + 15, y))
    touch(session, "touchMove", (x + 30, y))
    touch(session, "touchEnd")
    page.wait_for_timeout(100)
    assert page.locator(".tile").first.bounding_box()["x"] > before["x"] + 10
    assert page.locator("#sample-bar").is_hidden()
    context.close()


def test_many_tiles_on_a_phone_keep_a_fingers_size_and_are_panned_to(show, tmp_path):
    many = layout(300)
    rows, columns = many.size
    Writer(tmp_path, samples=300).begin().save(
        1, content=encode_image(np.zeros((rows, columns, 3), np.uint8))
    )
    page = show(tmp_path, size=PHONE)
    tiles = page.locator(".tile")
    bounds = tiles.first.bounding_box()
    assert min(bounds["width"], bounds["height"]) >= 44
    assert bounds["y"] >= box(page)["y"] - 1  # it begins with the first
    page.mouse.move(*center(box(page)))
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => page.view.stage.view.y > 0")
    assert tiles.first.bounding_box()["y"] == pytest.approx(bounds["y"] - 200, abs=2)
    assert zoom(page) == 1


def test_small_samples_with_two_panels_fill_the_stage(show, tmp_path):
    make_run(tmp_path, 1, samples=16, panels=("input", "prediction"))
    page = show(tmp_path)
    stage = page.locator("#stage").bounding_box()
    shown = page.locator("#stage canvas").bounding_box()
    assert shown["width"] > 0.85 * stage["width"] or shown["height"] > 0.8 * stage["height"]
    for sample in (0, 5, 15):
        tile = page.locator(".tile").nth(sample)
        assert drawn_at(tile, 0.2, 0.3) == color(1, sample, 0)
        assert drawn_at(tile, 0.8, 0.7) in (color(1, sample, 1), color(1, sample, 0))


def test_right_click_on_a_tile_reaches_the_picture(show, tmp_path):
    make_run(tmp_path, 2)
    page = show(tmp_path)
    page.evaluate("""
        document.addEventListener("contextmenu", (event) => {
            window.reached = [event.target.tagName, event.target.src.split("/").at(-1).split("?")[0]];
        });
    """)
    tile = page.locator(".tile").first
    page.mouse.click(*center(tile.bounding_box()), button="right")
    page.wait_for_function("() => window.reached")
    assert page.evaluate("reached") == ["IMG", "0002.png"]
    assert middle(tile) == color(2, 0)  # which covers nothing
    page.mouse.click(*center(tile.bounding_box()))
    settle(page)
    assert page.locator("#sample-name").inner_text() == "Sample 0 of 0\u20133"


def test_brightness_is_changed_by_css_and_reset(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    page.locator(".look summary").click()
    page.get_by_role("slider", name="Brightness").fill("0.5")
    page.keyboard.press("Escape")
    assert not page.locator(".levels").is_visible()
    shown = middle(page.locator(".tile").first)
    assert shown == pytest.approx([one / 2 for one in color(1, 0)], abs=1)
    page.locator(".look summary").click()
    page.get_by_role("button", name="Reset").click()
    page.keyboard.press("Escape")
    assert middle(page.locator(".tile").first) == color(1, 0)


# Two pictures


def test_swipe_shows_each_picture_on_its_side_and_moves_by_mouse_and_keys(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "c")
    mode(page, "swipe")
    first, last = page.locator(".tile").first, page.locator(".tile").nth(1)
    page.evaluate(COUNT_DRAWING)
    handle = page.get_by_role("slider", name="Where the two pictures meet")
    handle.press("Home")
    assert middle(first) == color(3, 0)
    handle.press("End")
    assert (middle(first), middle(last)) == (color(1, 0), color(1, 1))
    page.mouse.move(*center(handle.bounding_box()))
    page.mouse.down()
    x, y = center(box(page))
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    assert (middle(first), middle(last)) == (color(1, 0), color(3, 1))
    assert page.evaluate("drawings") == 0
    assert page.evaluate("page.state.index") == 2  # the arrows were the handle's
    assert source(page) == "./0001.png"


def test_blink_shows_the_other_one_while_a_key_or_the_button_is_held(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "c")
    mode(page, "blink")
    tile = page.locator(".tile").first
    assert middle(tile) == color(3, 0)
    page.keyboard.down("b")
    assert middle(tile) == color(1, 0)
    page.keyboard.up("b")
    assert middle(tile) == color(3, 0)
    page.mouse.move(*center(page.get_by_role("button", name="Hold for epoch 1").bounding_box()))
    page.mouse.down()
    assert middle(tile) == color(1, 0)
    page.mouse.up()
    assert middle(tile) == color(3, 0)


def test_difference_is_exact(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "c")
    mode(page, "difference")
    for sample in (0, 3):
        expected = [abs(a - b) for a, b in zip(color(3, sample), color(1, sample), strict=True)]
        assert list(middle(page.locator(".tile").nth(sample))) == expected


def test_what_both_show_the_same_stands_there_once(show, tmp_path):
    make_run(tmp_path, 3, panels=("input", "prediction"))
    page = show(tmp_path)
    press(page, "c")
    assert page.locator("#stage figcaption").all_inner_texts() == ["input", "epoch 1", "epoch 3"]
    frames = page.locator("#stage .frame")
    expected = [color(1, 2, 0), color(1, 2, 1), color(3, 2, 1)]
    assert [middle(frames.nth(n).locator(".tile").nth(2)) for n in range(3)] == expected


# Order and classes


def measured(*values):
    numbers = np.array(values, np.float32)
    order = np.argsort(-np.where(np.isnan(numbers), np.inf, numbers), kind="stable").tolist()
    mean = float(np.nanmean(numbers))
    worst = [[number, float(numbers[number])] for number in order]
    ends = {"least": float(np.nanmin(numbers)), "most": float(np.nanmax(numbers))}
    return {
        "metrics": {"mae": numbers},
        "summary": {
            "mae": {"mean": mean, **ends, "nan": int(np.isnan(numbers).sum()), "worst": worst}
        },
    }


def samples_in_order(page):
    return [one.get_attribute("aria-label") for one in page.locator(".tile").all()]


def alone(*samples):
    return [f"Sample {sample} alone" for sample in samples]


def test_samples_are_sorted_by_a_measure_and_stay_so(show, tmp_path):
    writer = Writer(tmp_path).begin()
    writer.save(1, **measured(0.1, 0.2, 0.3, 0.9))
    writer.save(2, **measured(0.5, 0.4, float("nan"), 0.9))
    page = show(tmp_path)
    order = page.get_by_label("Order of the samples")
    order.select_option(label="mae: worst first")
    page.wait_for_function("() => page.state.order?.samples")
    settle(page)
    assert samples_in_order(page) == alone(2, 3, 0, 1)
    assert middle(page.locator(".tile").nth(1)) == color(2, 3)
    press(page, "Home")
    assert samples_in_order(page) == alone(2, 3, 0, 1)
    assert order.locator("option:checked").inner_text() == "mae: worst first (epoch 2)"
    press(page, "End")
    order.select_option(label="mae: got worse since its best")
    page.wait_for_function("() => page.state.order?.samples && page.state.order.kind === 'worse'")
    settle(page)
    assert samples_in_order(page) == alone(2, 0, 1, 3)
    order.select_option(label="In order")
    settle(page)
    assert samples_in_order(page) == alone(0, 1, 2, 3)


def test_names_and_measures_stand_under_samples_that_have_room(show, tmp_path):
    Writer(tmp_path, names=("one", "two", "three", "four")).begin().save(
        1, **measured(0.125, 0.25, 0.5, 0.75)
    )
    page = show(tmp_path)
    page.wait_for_function("() => document.querySelector('.under')?.textContent.includes('mae')")
    texts = page.locator(".under").all_inner_texts()
    assert texts == [
        "0 one · mae 0.125",
        "1 two · mae 0.25",
        "2 three · mae 0.5",
        "3 four · mae 0.75",
    ]
    size = page.locator(".under").first.evaluate("one => getComputedStyle(one).fontSize")
    assert float(size.removesuffix("px")) >= 11


def test_values_that_are_not_finite_are_explained_beside_the_picture(show, tmp_path):
    Writer(tmp_path).begin().save(1).save(2, logs={"loss": float("nan")})
    page = show(tmp_path)
    expected = "loss is NaN. Magenta pixels are values that are not finite."
    assert page.locator("#note").inner_text() == expected
    press(page, "Home")
    assert page.locator("#note").is_hidden()


CLASSES = [
    {"id": 0, "name": "road", "color": list(color(1, 0, 1))},
    {"id": 1, "name": "sky", "color": list(color(1, 1, 1))},
]


def test_picked_class_dims_the_others_in_the_panels_of_classes_alone(show, tmp_path):
    about = {"class_panels": ["prediction"]}
    make_run(tmp_path, 1, panels=("input", "prediction"), classes=CLASSES, about=about)
    page = show(tmp_path)
    page.locator("#classes button").first.click()
    settle(page)
    road, sky = page.locator(".tile").nth(0), page.locator(".tile").nth(1)
    shown = [drawn_at(tile, 0.25, 0.25) for tile in (road, sky)]
    assert shown == [color(1, 0, 0), color(1, 1, 0)]
    classes = page.locator("#stage canvas.classes")
    assert classes.count() == 1
    picked = page.evaluate("document.querySelector('#classes button').ariaPressed")
    assert picked == "true"
    page.locator(".tile").nth(0).click()
    settle(page)
    panels = page.locator("#stage .panel")
    assert [middle(panels.nth(n)) for n in (0, 1)] == [color(1, 0, 0), color(1, 0, 1)]
    press(page, "ArrowDown")
    assert middle(panels.nth(0)) == color(1, 1, 0)
    red, green, blue = middle(panels.nth(1))
    assert red == green == blue < 100
    page.locator("#classes button").first.click()
    settle(page)
    assert middle(panels.nth(1)) == color(1, 1, 1)


def test_classes_are_not_picked_where_colours_are_not_exact(show, tmp_path):
    writer = Writer(tmp_path, classes=CLASSES, about={"class_panels": ["prediction"]}).begin()
    pixels = np.zeros((*layout().size, 3), np.uint8)
    writer.save(1, file="1.jpg", content=encode_image(pixels, "jpeg"))
    page = show(tmp_path)
    assert page.locator("#classes li").all_inner_texts() == ["road", "sky"]
    assert page.locator("#classes button").count() == 0


# Speed

SCRUB = """
    async (mode) => {
        const slider = by("position");
        const go = (index) => {
            slider.value = index;
            slider.dispatchEvent(new Event("input"));
        };
        for (let index = 0; index < 20; index++) {
            go(index);
            await page.view.stage.running;
        }
        let spent = 0;
        for (let step = 0; step < 100; step++) {
            const started = performance.now();
            go(step % 20);
            await page.view.stage.running;
            spent += performance.now() - started;
        }
        return spent / 100;
    }
"""


@pytest.mark.parametrize("name", ["grid", "side", "swipe", "difference", "sample"])
def test_scrubbing_cached_grids_of_530_draws_within_a_frame(show, tmp_path, name):
    # The promise is 95 % of frames within 20 ms; machines that run tests are busy.
    grid = np.random.default_rng(0).integers(0, 256, (530, 530, 3), dtype=np.uint8)
    geometry = {"origin": [2, 2], "tile": [64, 64], "stride": [66, 66], "columns": 8}
    geometry |= {"count": 64, "panels": ["prediction"]}
    writer = Writer(tmp_path).begin()
    for epoch in range(1, 21):
        writer.save(epoch, content=encode_image(grid + np.uint8(epoch)), geometry=geometry)
    page = show(tmp_path)
    if name == "sample":
        page.locator(".tile").first.click()
    elif name != "grid":
        press(page, "c")
        mode(page, name)
    settle(page)
    assert page.evaluate(SCRUB) < 50
