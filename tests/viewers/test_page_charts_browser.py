"""Charts on the page, in a real browser."""

import pytest
from support.browser import in_browser
from support.page_reader import epoch, look_again, press, settle
from support.page_runs import Writer, make_charts, make_run

from keras_image_saver.run.files import RECORD

pytestmark = in_browser


def texts(page, selector):
    return page.locator(selector).all_inner_texts()


def told(page, number=0):
    """What a chart tells a screen reader of where it is."""
    return page.locator(".chart").nth(number).get_attribute("aria-valuetext")


def place_of(chart, share):
    """Where in a chart a share of its axis stands."""
    return chart.evaluate(
        """(node, share) => {
            const row = [...page.view.facts.charts.rows.values()].find((one) => one.chart.svg === node);
            const [low, high] = row.chart.scene.span;
            return row.chart.xOf(low + share * (high - low));
        }""",
        share,
    )


def test_a_metric_is_a_row_with_its_values_and_its_chart(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    assert texts(page, ".metric .name") == ["loss", "lr"]
    assert texts(page, ".metric .numbers") == ["0.125\nval\n0.15", "0.1"]
    assert texts(page, "#logs tr") == ["note\ttext", "top\t[1,2]"]
    chart = page.locator(".chart").first
    assert chart.get_attribute("aria-label") == "loss, val_loss over the run, 0.125 to 1.2"
    assert told(page) == "epoch 8: loss 0.125, val_loss 0.15"
    press(page, "ArrowLeft", "ArrowLeft")
    assert texts(page, ".metric .numbers") == ["Infinity\nval\nnone", "0.1"]
    assert told(page) == "epoch 6: loss Infinity, val_loss none"
    assert chart.locator("xpath=..").locator("circle.dot").count() == 0


def test_lines_break_where_a_value_is_no_number_and_pass_over_where_none_was_measured(
    show, tmp_path
):
    make_charts(tmp_path)
    page = show(tmp_path)
    lines = page.locator(".metric").nth(0).locator(".chart path.line")
    starts = [line.get_attribute("d").count("M") for line in lines.all()]
    assert starts == [3, 1]  # 1 to 2, 5, 7 to 8; 1 to 8 without a value at 6
    assert texts(page, ".notes") == ["\u00d72 NaN\n1 infinite", ""]
    marks = page.locator(".chart").first.locator("path.odd")
    counts = [mark.get_attribute("d").count("M") for mark in marks.all()]
    assert counts == [2, 0, 1, 0]  # NaN, missed, above and below


def test_click_in_a_chart_goes_to_that_epoch(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    chart = page.locator(".chart").nth(1)
    for share, number in ((0.4 / 7, 1), (3 / 7, 4), (1, 8)):
        chart.click(position={"x": place_of(chart, share), "y": 30})
        settle(page)
        assert epoch(page) == f"Epoch {number}"
        marked = chart.locator("xpath=..").locator(".marker").get_attribute("d")
        assert float(marked[1:].split()[0]) == pytest.approx(place_of(chart, (number - 1) / 7))


def test_value_under_the_pointer_is_told_and_nothing_moves(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    chart = page.locator(".chart").first
    before = page.locator(".metric").first.bounding_box()
    chart.hover(position={"x": place_of(chart, 1 / 7), "y": 30})
    readout = page.locator(".readout").first
    assert readout.locator("p").all_inner_texts() == ["epoch 2", "0.5", "val\n0.6"]
    chart.hover(position={"x": place_of(chart, 2 / 7), "y": 30})
    assert readout.locator("p").all_inner_texts() == ["epoch 3", "NaN", "val\n0.4"]
    assert epoch(page) == "Epoch 8"
    assert page.locator(".metric").first.bounding_box() == before
    page.mouse.move(5, 5)
    assert readout.is_hidden()


def test_arrows_move_a_cursor_on_a_focused_chart_and_enter_goes_there(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    page.locator(".chart").first.focus()
    press(page, "ArrowLeft", "ArrowLeft")
    assert epoch(page) == "Epoch 8"
    assert told(page) == "epoch 6: loss Infinity, val_loss none"
    press(page, "Home")
    assert told(page) == "epoch 1: loss 1, val_loss 1.2"
    press(page, "ArrowLeft", "ArrowRight", "Enter")
    assert epoch(page) == "Epoch 2"
    press(page, "End", "Escape")
    assert page.locator(".readout").first.is_hidden()
    assert told(page) == "epoch 2: loss 0.5, val_loss 0.6"
    press(page, " ")  # plays, as anywhere
    page.wait_for_function("() => page.state.playing")


def test_a_button_goes_to_the_best_and_says_which_it_is(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for number, (loss, iou, odd) in enumerate([(3, 0.5, 1), (1, 0.75, 1), (2, 0.25, 2)], 1):
        logs = {"loss": 1 / number, "val_loss": loss, "mean_io_u": iou, "odd": odd, "same": 1}
        writer.save(number, logs=logs)
    page = show(tmp_path)
    buttons = page.locator(".metric").nth(0).locator(".tools button:visible")
    assert buttons.all_inner_texts() == ["Best val 1 at epoch 2", "Log"]
    assert [text.strip() for text in texts(page, ".tools")] == [
        "Best val 1 at epoch 2\nLog",
        "Best 0.75 at epoch 2\nLog",
        "Least 1 at epoch 1\nMost 2 at epoch 3\nLog",
        "",
    ]
    buttons.first.click()
    settle(page)
    assert epoch(page) == "Epoch 2"
    assert texts(page, ".metric .numbers")[0] == "0.5\nval\n1"
    rings = [one.locator("circle.best").count() for one in page.locator(".chart").all()]
    assert rings == [1, 1, 0, 0]


def test_an_outlier_is_cut_and_said_and_the_whole_range_is_one_press_away(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for number in range(1, 21):
        writer.save(number, logs={"loss": 1e6 if number == 1 else 1 / number}, content=b"")
    page = show(tmp_path, waits=False)
    tools = page.locator(".tools button:visible")
    tools.first.wait_for()
    assert tools.all_inner_texts() == ["Best 0.05 at epoch 20", "Log", "Whole range"]
    assert texts(page, ".notes") == ["\u25b21 above 0.5, up to 1000000"]
    assert page.locator("path.odd").nth(2).get_attribute("d").count("M") == 1
    assert page.locator(".chart text").all_text_contents()[-1] == "20"
    tools.nth(2).click()
    assert tools.nth(2).get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement.textContent") == "Whole range"
    assert texts(page, ".notes") == [""]
    assert page.locator("path.odd").nth(2).get_attribute("d") == ""
    assert "1e6" in page.locator(".chart text").all_text_contents()
    tools.nth(2).click()
    assert texts(page, ".notes") == ["\u25b21 above 0.5, up to 1000000"]


def test_a_logarithm_draws_what_is_above_0_and_counts_the_rest(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for number, value in enumerate([1000, 1, 0, -1, 10], 1):
        writer.save(number, logs={"a": value, "b": -value - 1001})
    page = show(tmp_path)
    for number in (0, 1):
        page.locator(".metric").nth(number).get_by_role("button", name="Log").click()
    assert texts(page, ".notes") == [
        "2 not above 0, not drawn",
        "no value above 0\n5 not above 0, not drawn",
    ]
    labels = page.locator(".chart").nth(0).locator("text").all_text_contents()
    assert labels[:4] == ["1", "10", "100", "1000"]
    assert page.locator(".chart").nth(0).locator("path.line").get_attribute("d").count("M") == 2
    assert page.locator(".chart").nth(1).is_hidden()
    page.locator(".metric").nth(1).get_by_role("button", name="Log").click()
    assert page.locator(".chart").nth(1).is_visible()


def test_charts_stand_over_epochs_steps_or_wall_time(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for step in range(2, 25, 2):
        writer.save(
            (step - 1) // 8 + 1,
            file=f"{step}.png",
            batch=(step - 1) % 8 + 1,
            step=step,
            time=1.7e9 + 600 * step,
            logs={"loss": 1 / step},
        )
    page = show(tmp_path)
    labels = page.locator(".chart text[text-anchor=middle]")
    choice = page.get_by_label("Axis of the charts")
    assert choice.locator("option").all_inner_texts() == ["Epochs", "Steps", "Wall time"]
    assert labels.all_text_contents() == ["1", "2", "3"]
    choice.select_option("step")
    assert labels.all_text_contents() == ["5", "10", "15", "20"]
    choice.select_option("time")
    assert labels.all_text_contents() == ["0", "1 h", "2 h", "3 h"]
    page.locator(".chart").focus()
    press(page, "Home", "ArrowRight")
    assert told(page) == "epoch 1, step 4, 20 min: loss 0.25"
    writer.save(4, batch=2, step=26, time=1.7e9 + 600 * 26, logs={"loss": 0})
    look_again(page)
    page.wait_for_function("() => page.state.entries.length === 13")
    assert choice.input_value() == "time"


def test_both_sides_of_a_comparison_are_marked_and_told(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    press(page, "c")
    assert page.locator(".plot").first.locator(".marker").count() == 2
    rows = page.locator(".metric").first.locator(".marked li").all_inner_texts()
    assert rows == ["epoch 1\n1\nval\n1.2", "epoch 8\n0.125\nval\n0.15"]
    press(page, "c")
    assert texts(page, ".marked li") == []


def test_missed_snapshots_are_marked_and_named(show, tmp_path):
    Writer(tmp_path).begin().save(1).miss(2).save(3)
    page = show(tmp_path)
    assert page.locator(".chart path.odd").nth(1).get_attribute("d").count("M") == 1
    page.locator(".chart").focus()
    press(page, "ArrowLeft")
    assert told(page) == "epoch 2 (missed): loss 0.33333"


def test_metric_without_a_finite_value_says_so(show, tmp_path):
    Writer(tmp_path).begin().save(1, logs={"loss": float("nan")})
    page = show(tmp_path)
    assert texts(page, ".notes") == ["no finite value\n\u00d71 NaN"]
    assert page.locator(".chart").is_hidden()
    assert page.locator(".metric .value").inner_text() == "NaN"
    assert page.locator("#logs-section").is_hidden()


def test_numbers_beside_a_long_name_are_whole(show, tmp_path):
    name = "a_metric_of_a_very_long_name_" * 5
    logs = {name: 0.123456789, f"val_{name}": 1e-308, "x": -1.2345e300}
    Writer(tmp_path).begin().save(1, logs=logs)
    for size in ({"width": 1280, "height": 800}, {"width": 320, "height": 640}):
        page = show(tmp_path, size=size)
        page.locator(".metric").nth(1).scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelectorAll('.chart').length === 2")
        assert texts(page, ".metric .value") == ["0.12346", "1e-308", "-1.2345e+300"]
        heights = [one.bounding_box()["height"] for one in page.locator(".metric .value").all()]
        assert len(set(heights)) == 1
        assert page.locator(".metric .name").first.inner_text().replace("\n", "") == name


def test_a_thousand_metrics_are_made_as_they_are_seen(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for number in (1, 2):
        writer.save(number, logs={f"m{at}": number * at for at in range(1000)})
    page = show(tmp_path)
    assert page.locator(".metric .name").count() == 1000
    assert 0 < page.locator(".chart").count() < 30
    page.locator(".metric").nth(900).scroll_into_view_if_needed()
    page.wait_for_function(
        "() => document.querySelectorAll('.metric')[900].innerText.includes('1800')"
    )
    assert page.locator(".chart").count() < 60


def test_no_line_is_drawn_anew_as_one_moves_through_the_run(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    page.evaluate("""
        () => {
            window.changes = 0;
            const seer = new MutationObserver((found) => (window.changes += found.length));
            const wanted = { childList: true, subtree: true, attributeFilter: ["d", "viewBox"] };
            for (const chart of document.querySelectorAll(".chart")) seer.observe(chart, wanted);
        }
    """)
    press(page, "c", "Home", "ArrowRight", "ArrowRight")
    assert told(page) == "epoch 3: loss NaN, val_loss 0.4"
    assert page.evaluate("changes") == 0
    page.get_by_label("Axis of the charts").select_option("step")
    assert page.evaluate("changes") > 0


RUNS = """
    () => {
        const entry = (epoch, loss, time) => {
            const logs = { loss, val_loss: 2 * loss };
            return { epoch, batch: 4, step: 4 * epoch, time, file: "a.png", logs };
        };
        const one = [1, 2, 3].map((at) => entry(at, 1 / at, 1000 + 60 * at));
        const two = [1, 2].map((at) => entry(at, at / 4, 9000 + 600 * at));
        window.picked = [];
        const charts = new Charts(by("charts"), { onPick: (...place) => window.picked.push(place) });
        by("charts").replaceChildren();
        charts.set([
            { name: "<b>one</b>", color: null, entries: one },
            { name: "two", color: "rgb(1, 2, 3)", entries: two },
        ]);
        charts.mark([{ series: 0, index: 2 }, { series: 1, index: 1 }]);
        window.several = charts;
    }
"""


def test_several_runs_stand_in_one_chart(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    page.evaluate(RUNS)
    page.wait_for_function("() => document.querySelectorAll('.chart').length === 2")
    assert texts(page, ".metric .name") == ["loss", "val_loss"]
    first = page.locator(".metric").first
    assert first.locator(".marked li").all_inner_texts() == ["<b>one</b>\n0.33333", "two\n0.5"]
    assert first.locator(".tools button:visible").all_inner_texts() == [
        "Best 0.25 at epoch 1, two",
        "Log",
    ]
    lines = first.locator(".chart path.line")
    strokes = [line.evaluate("one => getComputedStyle(one).stroke") for line in lines.all()]
    assert strokes == ["rgb(42, 20, 204)", "rgb(1, 2, 3)"]
    dashes = [line.evaluate("one => getComputedStyle(one).strokeDasharray") for line in lines.all()]
    assert dashes == ["none", "7px, 4px"]
    assert first.locator(".marker").count() == 2
    first.locator(".chart").focus()
    press(page, "ArrowLeft")
    assert told(page) == "epoch 1: <b>one</b> 1, two 0.25"
    press(page, "ArrowUp", "ArrowRight", "ArrowRight", "Enter")
    assert told(page) == "epoch 3: <b>one</b> 0.33333, two 0.5 at epoch 2"
    first.locator(".tools button:visible").first.click()
    assert page.evaluate("picked") == [[0, 2], [1, 0]]


def test_runs_begin_together_by_wall_time(show, tmp_path):
    make_run(tmp_path, 1)
    page = show(tmp_path)
    page.evaluate(RUNS)
    page.wait_for_function("() => document.querySelectorAll('.chart').length === 2")
    page.evaluate("several.showBy('time')")
    labels = page.locator(".chart").first.locator("text[text-anchor=middle]")
    assert labels.all_text_contents() == ["0", "2 min", "4 min", "6 min", "8 min", "10 min"]
    page.locator(".chart").first.focus()
    press(page, "Home")
    assert told(page) == "epoch 1, 0: <b>one</b> 1, two 0.25"


def test_whatever_the_logs_hold_charts_are_drawn_of_what_is_a_number(show, tmp_path):
    odd = [
        {"a": 1e308, "b": "text", "c": -0.0, "d": [1], "e": "NaN"},
        {"a": -1e308, "b": {"x": 1}, "c": -0.0, "d": None, "e": "-Infinity"},
        "no logs",
        None,
        {"a": "Infinity", "b": 5, "c": 5e-324, "d": True, "e": "NaN"},
    ]
    entries = [
        {"epoch": at % 3, "batch": 4, "step": at, "file": "0001.png", "time": -at, "logs": logs}
        for at, logs in enumerate(odd)
    ]
    writer = Writer(tmp_path).begin().save(1)
    writer.page.add(RECORD, [*entries, {"epoch": "9", "step": None, "file": "0001.png"}])
    writer.page.write()
    page = show(tmp_path)
    assert texts(page, ".metric .name") == ["a", "b", "c", "e"]
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "c", "End"):
        press(page, key)
    for button in page.locator(".metric button:visible").all():
        button.click()
    for axis in page.get_by_label("Axis of the charts").locator("option").all():
        page.get_by_label("Axis of the charts").select_option(axis.get_attribute("value"))
        for chart in page.locator(".chart:visible").all():
            chart.focus()
            press(page, "Home", "ArrowRight", "End", "Enter")
    drawn = page.evaluate(
        "[...document.querySelectorAll('.plot path')].map((one) => one.getAttribute('d')).join()"
    )
    assert "NaN" not in drawn
    assert "Infinity" not in drawn
