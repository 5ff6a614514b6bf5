"""Records with gaps, of odd entries, and long ones: the page in a real browser."""

import numpy as np
import pytest
from support.browser import in_browser
from support.page_reader import gap, look_again, press, settle, source, wait_for_epoch
from support.page_runs import Writer, layout, long_run, make_run, picture

from keras_image_saver import encode_image, write_page
from keras_image_saver.run.files import RECORD
from keras_image_saver.run.lines import read_entries
from keras_image_saver.run.record import SEGMENT

pytestmark = in_browser


# Gaps


def test_missed_missing_broken_and_unknown_pictures_are_gaps_that_are_said(show, tmp_path):
    writer = make_run(tmp_path, 1)
    writer.miss(2)
    writer.save(3, content=b"")
    writer.save(4, content=b"no picture")
    writer.save(5, file="0005.tif", content=encode_image(layout_pixels(), "tif"))
    writer.save(6)
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == "6 snapshots, 1 of them missed"
    assert page.locator("#marks path").get_attribute("d").count("M") == 1
    press(page, "ArrowLeft")
    assert gap(page).startswith("0005.tif is a TIFF, which this browser does not show.")
    press(page, "ArrowLeft")
    assert gap(page).startswith("0004.png cannot be shown: it is missing, broken")
    press(page, "ArrowLeft")
    assert gap(page).startswith("0003.png cannot be shown")
    (tmp_path / "0003.png").write_bytes(picture(3))
    press(page, "ArrowLeft")
    assert gap(page) == "This snapshot was missed: OSError: disk full"
    press(page, "ArrowRight")  # it is there by now
    assert source(page) == "./0003.png"


def layout_pixels():
    return np.zeros((*layout().size, 3), np.uint8)


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"origin": [2]},
        {"count": 10**9, "panels": ["a"]},
        {"panels": "abc"},
        {"tile": [None, 8]},
        {"columns": 0},
        {"panels": []},
    ],
    ids=str,
)
def test_geometry_that_makes_no_sense_costs_the_tiles_only(show, tmp_path, geometry):
    whole = layout().geometry()
    Writer(tmp_path).begin().save(1, geometry=whole | geometry if geometry else {})
    page = show(tmp_path)
    assert source(page) == "./0001.png"
    assert page.locator(".tile").count() == 0


def test_record_of_a_newer_version_is_shown_as_far_as_it_is_known_and_said(show, tmp_path):
    writer = make_run(tmp_path, 2)
    entries = [dict(entry) for entry in read_entries(str(tmp_path), [RECORD])[0]]
    writer.page.add(RECORD, [*entries[:1], entries[1] | {"format": 2, "file": {"new": 1}}])
    writer.page.write()
    page = show(tmp_path)
    assert "newer version of keras_image_saver" in page.locator("#notices").inner_text()
    assert gap(page).startswith("[object Object] cannot be shown")
    press(page, "ArrowLeft")
    assert source(page) == "./0001.png"


ODD = [
    {"epoch": "one", "batch": None, "step": "two", "file": 3, "time": None, "logs": "text"},
    {"epoch": 2, "batch": 1, "step": 2, "file": "../secret.png", "logs": [1, 2], "geometry": 5},
    {"epoch": 3, "batch": 1, "step": 3, "file": "", "logs": {"a": {"b": None}, "c": True}},
    {},
    None,
]


def test_record_of_odd_entries_ends_nothing(show, tmp_path):
    writer = Writer(tmp_path).begin()
    writer.page.add(RECORD, [one for one in ODD if one is not None])
    writer.page.write()
    script = (tmp_path / "snapshots.js").read_text("ascii")
    (tmp_path / "snapshots.js").write_text(script.replace(r"{}]", "{}, null]"))
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == "4 snapshots, 2 of them missed"
    press(page, "Home", "c", "c")
    for _ in ODD:
        assert gap(page)
        press(page, "ArrowRight")
    writer.save(4)
    look_again(page)
    wait_for_epoch(page, 4)


def test_part_of_the_record_that_is_missing_is_said(show, tmp_path):
    long_run(tmp_path, 2 * SEGMENT + 10)
    (tmp_path / "snapshots-0000.js").unlink()
    (tmp_path / "snapshots-0001.js").write_text(
        "// keras_image_saver page\nkerasImageSaver(1, 'x');"
    )
    page = show(tmp_path)
    assert "2 parts of the record cannot be read" in page.locator("#notices").inner_text()
    assert page.locator("#counts").inner_text() == "10 snapshots"


def with_segments(script, segments):
    """Put another number of segments into the newest entries' script."""
    text = script.read_text("ascii")
    changed = text.replace(r"\"segments\": 1}", rf"\"segments\": {segments}}}")
    assert changed != text
    script.write_text(changed)


@pytest.mark.parametrize("segments", ["99999999999", "1e999", "-5", "null"])
def test_segments_beyond_reason_show_what_there_is_and_say_the_rest(show, tmp_path, segments):
    long_run(tmp_path, SEGMENT + 10)
    with_segments(tmp_path / "snapshots.js", segments)
    page = show(tmp_path)
    assert source(page) == f"./{SEGMENT + 10:04d}.png"
    assert "of the record cannot be read" in page.locator("#notices").inner_text()
    there = SEGMENT + 10 if segments == "99999999999" else 10
    assert page.locator("#counts").inner_text().startswith(f"{there} snapshots")


def test_record_with_a_file_of_a_number_beyond_reason_is_shown_whole(show, tmp_path):
    long_run(tmp_path, SEGMENT + 10)
    odd = Writer(tmp_path / "odd", page=False).save(9999)
    (tmp_path / "odd" / RECORD).rename(tmp_path / "snapshots-99999999999.jsonl")
    (tmp_path / "odd" / "9999.png").rename(tmp_path / "9999.png")
    del odd
    write_page(tmp_path)
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == f"{SEGMENT + 11} snapshots"
    assert page.locator("#notices").inner_text() == ""
    assert source(page) == "./9999.png"


# Long runs


def test_run_of_10000_snapshots_loads_only_what_is_shown(show, tmp_path):
    long_run(tmp_path, 10_000)
    page = show(tmp_path, waits=False)
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload()
    page.wait_for_selector("#stage canvas[data-source]")
    pictures = [url for url in loaded if ".png" in url]
    assert page.locator("#counts").inner_text() == "10000 snapshots"
    assert [url.split("/")[-1].split("?")[0] for url in pictures] == ["10000.png"]
    # The promise is 1 s; machines that run tests are busy.
    assert page.evaluate("performance.now()") < 10_000
    assert page.evaluate("document.querySelectorAll('*').length") < 400
    path = page.locator(".chart path.line").first.get_attribute("d")
    assert len(path) < 40_000  # a few points a pixel, not one a snapshot

    loaded.clear()
    page.locator(".tile").first.click()
    page.wait_for_function("() => document.querySelectorAll('.cell canvas').length > 5")
    assert page.locator(".cell").count() < 40
    longest = page.evaluate("""
        async () => {
            let longest = 0;
            for (let index = 9999; index >= 0; index -= 100) {
                const started = performance.now();
                by("position").value = index;
                by("position").dispatchEvent(new Event("input"));
                longest = Math.max(longest, performance.now() - started);
                await new Promise(requestAnimationFrame);
            }
            return longest;
        }
    """)
    settle(page)
    assert page.locator(".cell").count() < 40
    assert page.evaluate("document.querySelectorAll('*').length") < 400
    kept = "page.view.strip.pictures.kept.size + page.view.stage.pictures.kept.size"
    assert page.evaluate(kept) <= 64  # all that there are, and the strip's
    assert longest < 500  # a stall would be seconds


# Snapshots that did not stay


def test_removed_snapshots_are_left_out_and_their_metrics_stay_in_the_charts(show, tmp_path):
    writer = Writer(tmp_path, max_to_keep=2).begin()
    for epoch in range(1, 7):
        writer.save(epoch)
    page = show(tmp_path)
    assert page.locator("#counts").inner_text() == "3 snapshots, 3 removed"
    for number in (6, 5, 1):
        assert source(page) == f"./{number:04d}.png"
        press(page, "ArrowLeft")
    assert page.locator(".chart").get_attribute("aria-valuemax") == "5"
    assert gap_count(page) == 0


def test_snapshot_that_is_removed_while_it_is_looked_at_gives_way_to_the_next(
    show, tmp_path, monkeypatch
):
    """Also where its entry stands in a segment that the page has read already."""
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 4)
    writer = make_run(tmp_path, 5, max_to_keep=2)
    page = show(tmp_path)
    press(page, "ArrowLeft")
    assert source(page) == "./0004.png"
    writer.save(6)
    look_again(page)
    wait_for_epoch(page, 5)
    assert source(page) == "./0005.png"
    assert page.evaluate("page.state.following") is False
    assert page.locator("#counts").inner_text() == "3 snapshots, 3 removed"


def gap_count(page):
    return page.locator("#stage .gap:visible").count()
