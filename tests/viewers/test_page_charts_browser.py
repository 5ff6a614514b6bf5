"""Charts on the page, in a real browser."""

import pytest
from support.browser import in_browser
from support.page_reader import epoch, press, settle
from support.page_runs import Writer, make_charts

pytestmark = in_browser


def test_charts_show_metrics_with_gaps_and_the_current_epoch(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    charts = page.locator(".metric")
    assert charts.count() == 2
    names = page.locator(".metric .name").all_inner_texts()
    assert names == ["loss", "val_loss", "lr"]
    lines = charts.nth(0).locator("path.line")
    starts = [line.get_attribute("d").count("M") for line in lines.all()]
    assert starts == [3, 2]  # 1 to 2, 5, 7 to 8; 1 to 5, 7 to 8
    label = charts.nth(0).locator("svg").get_attribute("aria-label")
    assert label == "loss 0.125, val_loss 0.15 at epoch 8; over the run 0.125 to 1.2"
    press(page, "ArrowLeft", "ArrowLeft")
    texts = page.locator("#logs tr").all_inner_texts()
    assert texts == ["loss\tInfinity", "lr\t0.1", "note\ttext", "top\t[1,2]"]
    assert page.locator(".metric .value").all_inner_texts() == ["Infinity", "none", "0.1"]
    assert charts.nth(0).locator("circle:visible").count() == 0


def test_click_in_a_chart_goes_to_that_epoch(show, tmp_path):
    make_charts(tmp_path)
    page = show(tmp_path)
    chart = page.locator(".chart").nth(1)
    box = chart.bounding_box()
    for share, number in ((0.4 / 7, 1), (3 / 7, 4), (1, 8)):
        chart.click(position={"x": min(share * box["width"], box["width"] - 1), "y": 30})
        settle(page)
        assert epoch(page) == f"Epoch {number}"
        marked = chart.locator(".marker").evaluate("line => line.getBoundingClientRect().x")
        place = 4 + (box["width"] - 8) * (number - 1) / 7
        assert marked - box["x"] == pytest.approx(place, abs=1.5)


def test_metric_without_a_finite_value_says_so(show, tmp_path):
    Writer(tmp_path).begin().save(1, logs={"loss": float("nan")})
    page = show(tmp_path)
    assert page.locator(".bounds").inner_text() == "no finite value"
    assert page.locator("#logs td").inner_text() == "NaN"
