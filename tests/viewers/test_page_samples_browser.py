"""One sample on the page, in a real browser."""

from support.browser import in_browser
from support.page_reader import epoch, gap, middle, press, settle, source
from support.page_runs import SIZE, Writer, color, layout, make_run, picture

pytestmark = in_browser


def test_click_on_a_tile_shows_that_sample_with_all_its_panels(show, tmp_path):
    panels = ("input", "prediction", "target")
    make_run(tmp_path, 5, samples=3, panels=panels)
    page = show(tmp_path)
    page.locator(".tile").nth(1).click()
    settle(page)
    assert page.locator("#sample-name").inner_text() == "Sample 1 of 0\u20132"
    assert page.locator("#stage .panel").all_inner_texts() == list(panels)
    drawn = page.locator("#stage .panel")
    for number in range(len(panels)):
        assert middle(drawn.nth(number)) == color(5, 1, number)
    label = page.locator("#stage canvas").get_attribute("aria-label")
    assert label == "Sample 1, input, prediction, target, at epoch 5"
    # Inputs and targets are the same at every epoch, and are seen above.
    page.wait_for_function("() => document.querySelectorAll('.cell canvas').length === 5")
    for number, cell in enumerate(page.locator(".cell").all(), 1):
        assert middle(cell.locator("canvas")) == color(number, 1, panels.index("prediction"))
    press(page, "Home")
    assert middle(drawn.nth(0)) == color(1, 1, 0)
    assert page.locator(".cell[aria-current]").inner_text() == "1"
    page.locator(".cell").nth(2).click()
    settle(page)
    assert middle(drawn.nth(2)) == color(3, 1, 2)
    page.locator("#sample-after").click()
    settle(page)
    assert middle(drawn.nth(2)) == color(3, 2, 2)
    press(page, "ArrowUp", "ArrowUp", "ArrowUp")  # one more than there are
    assert middle(drawn.nth(2)) == color(3, 0, 2)
    press(page, "Escape")
    assert source(page) == "./0003.png"
    assert not page.locator("#strip").is_visible()


def test_samples_are_reached_by_keyboard(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    for _ in range(8):  # past the tools
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "tile":
            break
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample 0 alone"
    press(page, "ArrowDown", "ArrowRight")  # of a square of four
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample 3 alone"
    assert epoch(page) == "Epoch 3"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    press(page, "Enter")
    assert page.locator("#sample-name").inner_text() == "Sample 3 of 0\u20133"
    press(page, "ArrowLeft")
    assert middle(page.locator("#stage canvas")) == color(2, 3)
    press(page, "Escape")
    page.wait_for_function("() => document.activeElement.ariaLabel === 'Sample 3 alone'")


def test_every_control_is_reached_by_tab_and_shows_its_focus(show, tmp_path):
    make_run(tmp_path, 3)
    page = show(tmp_path)
    press(page, "ArrowLeft", "c")
    page.locator(".tile").first.click()
    settle(page)
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => {
            const one = document.activeElement;
            return [one.id || one.tagName, getComputedStyle(one).outlineStyle];
        }""")
        if name != "BODY":
            assert outline in ("solid", "auto"), name
        reached.add(name)
    expected = {"all-samples", "sample-after", "strip", "pin", "position", "before", "play"}
    assert {*expected, "speed", "compare", "facts", "A", "SUMMARY"} <= reached


def test_strip_says_where_a_snapshot_has_no_such_sample(show, tmp_path):
    writer = make_run(tmp_path, 2)
    writer.miss(3)
    writer.save(4, geometry=layout(2).geometry())
    writer.save(5, geometry={"origin": "nonsense"})
    writer.save(6)
    page = show(tmp_path)
    page.locator(".tile").nth(3).click()
    page.wait_for_function("() => document.querySelectorAll('.cell.is-gap').length === 3")
    assert page.locator(".cell.is-gap").all_inner_texts() == ["missed\n3", "none\n4", "none\n5"]
    press(page, "ArrowLeft")
    assert gap(page) == "The record does not tell where this snapshot's tiles are."
    press(page, "ArrowLeft")
    assert gap(page) == "This snapshot has 2 samples only."


def test_tile_size_is_what_the_tests_assume():
    assert layout().geometry()["tile"] == [SIZE, SIZE]


def test_sample_alone_has_its_whole_name_as_text(show, tmp_path):
    names = ("one", "a <b>long</b> prompt " * 20, "", "four")
    make_run(tmp_path, 2, names=names)
    page = show(tmp_path)
    assert [tile.get_attribute("title") for tile in page.locator(".tile").all()] == list(names)
    page.locator(".tile").nth(1).click()
    settle(page)
    assert page.locator("#sample-text").text_content() == names[1]
    assert page.locator("#sample-text b").count() == 0
    press(page, "ArrowDown")
    assert page.locator("#sample-text").text_content() == ""


def test_sample_of_slices_has_each_panel_with_all_of_them(show, tmp_path):
    wide = layout(2, ("input", "prediction")).geometry()
    # The picture's four tiles in a row of two, told to be two slices of two panels of one sample.
    sliced = wide | {"count": 1, "columns": 1, "slices": [0, 5]}
    Writer(tmp_path).begin().save(1, geometry=sliced, content=picture(1, 4))
    page = show(tmp_path)
    page.locator(".tile").first.click()
    settle(page)
    texts = page.locator("#stage .panel").all_inner_texts()
    assert texts == ["input, slices 0, 5", "prediction, slices 0, 5"]
    canvas = page.locator("#stage canvas")
    shown, panel = canvas.bounding_box(), page.locator("#stage .panel").first.bounding_box()
    pixels = panel["width"] / shown["width"] * canvas.evaluate("one => one.width")
    assert round(pixels, 3) == sliced["stride"][1] + sliced["tile"][1]


def test_classes_have_their_names_and_colours_beside_the_pictures(show, tmp_path):
    classes = [
        {"id": 0, "name": "road", "color": [128, 64, 128]},
        {"id": 1, "name": "<b>sky</b>", "color": [70, 130, 180]},
    ]
    make_run(tmp_path, 1, classes=classes)
    page = show(tmp_path)
    assert page.locator("#classes li").all_inner_texts() == ["road", "<b>sky</b>"]
    fill = "one => getComputedStyle(one.querySelector('rect')).fill"
    fills = [one.evaluate(fill) for one in page.locator("#classes li").all()]
    assert fills == ["rgb(128, 64, 128)", "rgb(70, 130, 180)"]
