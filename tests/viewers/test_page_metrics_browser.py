"""Metrics of the samples on the page, in a real browser."""

import numpy as np
from support.browser import in_browser
from support.page_reader import look_again, press, settle
from support.page_runs import Writer

pytestmark = in_browser


def measured(*values):
    """What a snapshot has of samples of these values."""
    order = np.argsort(values)[::-1].tolist()
    worst = [[number, float(values[number])] for number in order]
    ends = {"mean": float(np.mean(values)), "least": min(values), "most": max(values)}
    return {
        "metrics": {"mae": np.array(values, np.float32), "all": np.array([0.5], np.float32)},
        "summary": {
            "mae": {**ends, "worst": worst},
            "all": {"mean": 0.5, "least": 0.5, "most": 0.5, "worst": []},
        },
    }


def rows(page, name):
    return page.locator(f"#{name} tr").all_inner_texts()


def worst(page):
    return page.locator(".worst:visible").all_inner_texts()


def test_metrics_are_listed_charted_and_lead_to_the_worst_samples(show, tmp_path):
    writer = Writer(tmp_path).begin()
    writer.save(1, **measured(0.5, 0.25, 1.0, 0.0))
    writer.save(2, **measured(0.5, 0.75, 0.125, 0.0))
    page = show(tmp_path)
    assert page.locator(".metric .name").all_inner_texts() == ["loss", "mae", "all"]
    assert page.locator(".metric .numbers").all_inner_texts() == ["0.33333", "0.34375", "0.5"]
    assert worst(page) == ["mean of the samples, worst102", "of all samples together"]
    page.locator(".worst button:visible").first.click()
    settle(page)
    page.wait_for_function("() => document.querySelector('#values tr')")
    assert page.locator("#values-title").inner_text() == "Sample 1"
    assert rows(page, "values") == ["mae\t0.75"]
    press(page, "ArrowLeft")
    page.wait_for_function("() => document.querySelector('#values td').innerText === '0.25'")
    press(page, "Escape")
    page.wait_for_function("() => document.querySelector('#values-section').hidden")


def test_values_of_a_snapshot_in_a_full_file_and_of_one_that_comes_are_found(show, tmp_path):
    writer = Writer(tmp_path).begin()
    for epoch in range(1, 259):
        writer.save(
            epoch,
            content=None if epoch in (1, 258) else b"",
            write=False,
            **measured(0.001 * epoch, 0.0, 0.0, 0.0),
        )
    writer.record.write()
    page = show(tmp_path)
    page.locator(".tile").first.click()
    for key, value in (("End", "0.258"), ("Home", "0.001"), ("End", "0.258")):
        press(page, key)
        page.wait_for_function(
            f"() => document.querySelector('#values td')?.innerText === '{value}'"
        )
    writer.save(259, **measured(0.75, 0.0, 0.0, 0.0))
    look_again(page)
    page.wait_for_function("() => document.querySelector('#values td')?.innerText === '0.75'")


def test_samples_without_a_number_are_counted_and_come_first(show, tmp_path):
    found = measured(0.5, float("nan"), 1.0, 0.0)
    found["summary"]["mae"] |= {"mean": 0.5, "least": 0.0, "most": 1.0, "nan": 1}
    found["summary"]["mae"]["worst"] = [[1, float("nan")], [2, 1.0]]
    Writer(tmp_path).begin().save(1, **found)
    page = show(tmp_path)
    assert worst(page)[0] == "mean of the samples, worst121 NaN"
    page.locator(".worst button:visible").first.click()
    page.wait_for_function("() => document.querySelector('#values td')?.innerText === 'NaN'")


def test_run_without_metrics_says_nothing_of_samples(show, tmp_path):
    Writer(tmp_path).begin().save(1)
    page = show(tmp_path)
    assert worst(page) == []
    page.locator(".tile").first.click()
    settle(page)
    assert page.locator("#values-section").is_hidden()
