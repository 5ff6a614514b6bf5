"""The list of a folder's runs, and the comparison of some of them, in a real browser."""

import os
import threading

import pytest
from support.browser import in_browser
from support.comparison_reader import address, press, settle, sources, texts
from support.page_reader import pass_time
from support.page_runs import Writer, make_run
from support.server import serve

from keras_image_saver import compare, write_page

pytestmark = in_browser

HOSTILE = '<img src=x onerror="window.hacked=1">'


@pytest.fixture
def runs(tmp_path):
    """A folder with a list of five runs, of which the last has an earlier one in it."""
    for number in range(1, 6):
        writer = Writer(tmp_path / f"run{number}").begin()
        for epoch in range(1, number + 1):
            writer.save(epoch, time=1.7e9 + 100 * number + epoch)
        writer.tell("finished")
    make_run(tmp_path / "run5" / "previous-1", 1)
    write_page(tmp_path)
    return tmp_path


def choose(page, *names):
    for name in names:
        page.get_by_label(f"Compare {name}", exact=True).check()


def test_list_shows_a_card_a_run_and_leads_to_its_page(show_runs, runs):
    page = show_runs(runs / "index.html")
    assert page.locator("#about-runs").inner_text() == "5 runs"
    assert texts(page, ".card h2") == ["run5", "run4", "run3", "run2", "run1"]
    card = page.locator(".card").first
    image = card.locator("img")
    assert image.get_attribute("src").startswith("./run5/0005.png?")
    page.wait_for_function("() => document.querySelector('.card img').naturalWidth > 0")
    assert card.locator(".card-values tr").all_inner_texts() == ["loss\t0.16667"]
    assert "epoch 5 \u00b7 finished" in card.locator(".card-state").inner_text()
    card.locator("summary").click()
    assert card.locator(".card-previous a").get_attribute("href") == "./run5/previous-1/index.html"
    card.locator("h2 a").click()
    page.wait_for_url("**/run5/index.html*")


def test_cards_are_filtered_and_ordered(show_runs, runs):
    page = show_runs(runs / "index.html")
    page.locator("#order").select_option("name")
    assert texts(page, ".card h2") == ["run1", "run2", "run3", "run4", "run5"]
    page.locator("#filter").fill("N3")
    assert texts(page, ".card:visible h2") == ["run3"]
    page.locator("#filter").fill("x")
    assert page.locator("#no-cards").is_visible()


def test_chosen_runs_are_compared_and_the_list_comes_back_as_it_was(show_runs, runs):
    page = show_runs(runs / "index.html")
    assert page.locator("#open-comparison").is_disabled()
    choose(page, "run4", "run2")
    page.locator("#open-comparison").click()
    settle(page)
    assert sources(page) == ["/run4/0004.png", "/run2/0002.png"]
    assert texts(page, "#runs .off") == ["its last"]
    links = page.locator("#runs a").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('href'))"
    )
    assert links == ["./run4/index.html", "./run2/index.html"]
    assert address(page) == "compare=run4,run2"
    press(page, "Home")
    assert address(page) == "compare=run4,run2&epoch=1"
    page.get_by_text("All runs").click()
    assert page.locator("#list").is_visible()
    assert not page.locator("#comparison").is_visible()
    assert page.locator("#chosen").inner_text() == "2 chosen"
    page.go_back()
    settle(page)
    assert sources(page) == ["/run4/0001.png", "/run2/0001.png"]


def test_comparison_is_opened_by_its_address(show_runs, runs):
    page = show_runs(runs / "index.html", "#compare=run1,nothing,run3&epoch=2&sample=1")
    settle(page)
    assert sources(page) == ["/run1/0001.png", "/run3/0002.png"]
    assert page.locator("#sample-name").inner_text().startswith("Sample 1")


def test_no_more_than_four_runs_are_chosen(show_runs, runs):
    page = show_runs(runs / "index.html")
    choose(page, "run1", "run2", "run3", "run4")
    assert page.get_by_label("Compare run5", exact=True).is_disabled()
    page.locator("#clear").click()
    assert page.get_by_label("Compare run5", exact=True).is_enabled()


def test_runs_without_a_page_are_said_with_the_commands_that_help(show_runs, tmp_path):
    for name in ("a", "b"):
        writer = Writer(tmp_path / name, page=False).begin()
        writer.save(1).tell("finished")
    write_page(tmp_path)
    page = show_runs(tmp_path / "index.html")
    assert texts(page, ".card code") == [f"keras-image-saver page {tmp_path}/{x}" for x in "ba"]
    choose(page, "a", "b")
    page.locator("#open-comparison").click()
    page.locator("#notices .notice").wait_for()
    command = f"keras-image-saver compare {tmp_path}/a {tmp_path}/b --out compare.html"
    assert page.locator("#notices code").inner_text() == command


def test_runs_in_folders_whose_names_are_no_text_are_compared(show_runs, tmp_path):
    for name in (b"a\xff", b"b, #\xe9&"):
        Writer(tmp_path / os.fsdecode(name)).begin().save(1).tell("finished")
    write_page(tmp_path)
    page = show_runs(tmp_path / "index.html")
    for box in page.locator(".choice").all():
        box.check()
    page.locator("#open-comparison").click()
    settle(page)
    assert {*sources(page)} == {"/a%FF/0001.png", "/b%2C%20%23%E9%26/0001.png"}
    page.reload()
    settle(page)
    assert len(sources(page)) == 2


# Of runs that go on


def test_card_of_a_run_that_goes_on_is_brought_up_to_date(show_runs, tmp_path):
    writer = Writer(tmp_path / "a").begin().save(1)
    write_page(tmp_path)
    page = show_runs(tmp_path / "index.html")
    choose(page, "a")
    writer.save(2)
    page.wait_for_function(
        "() => document.querySelector('.card-state').innerText.includes('epoch 2')"
    )
    assert page.get_by_label("Compare a", exact=True).is_checked()
    writer.tell("finished")
    page.wait_for_function(
        "() => document.querySelector('.card-state').dataset.state === 'finished'"
    )


@pytest.mark.parametrize("from_list", [True, False], ids=["list", "page of its own"])
def test_comparison_follows_a_run_that_is_written_meanwhile(show_runs, tmp_path, from_list):
    Writer(tmp_path / "a").begin().save(1).tell("finished")
    writer = Writer(tmp_path / "b").begin().save(1)
    if from_list:
        write_page(tmp_path)
        page = show_runs(tmp_path / "index.html", "#compare=a,b")
    else:
        compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
        page = show_runs(tmp_path / "c.html")
    settle(page)

    def write():
        for epoch in range(2, 21):
            writer.save(epoch)
        writer.tell("finished")

    thread = threading.Thread(target=write)
    thread.start()
    page.wait_for_function("() => by('position-name').innerText === 'epoch 20'")
    thread.join()
    settle(page)
    assert sources(page) == ["/a/0001.png", "/b/0020.png"]
    page.wait_for_function("() => by('runs').innerText.includes('finished')")


def test_nothing_is_asked_of_runs_that_ended(show_runs, runs):
    with serve(runs) as served:
        page = show_runs(served.url, "#compare=run1,run2", has_clock=True)
        settle(page)
        page.wait_for_load_state("networkidle")
        before = len(served)
        pass_time(page, 60, 3)
        assert len(served) == before


def test_long_run_is_read_whole(show_runs, tmp_path):
    for name, count in (("a", 600), ("b", 300)):
        writer = Writer(tmp_path / name).begin()
        for epoch in range(1, count + 1):
            writer.save(epoch, content=None if epoch > count - 2 else b"", write=False)
        writer.record.write()
        writer.tell("finished")
    write_page(tmp_path)
    page = show_runs(tmp_path / "index.html", "#compare=a,b")
    settle(page)
    assert page.evaluate("runsPage.comparison.state.runs.map((run) => run.entries.length)") == [
        600,
        300,
    ]


# What other folders' documents may do


HOSTILE_TWIN = """<!DOCTYPE html><!-- keras_image_saver page -->
<script>
for (const data of DATA) parent.postMessage(data, "*");
try { parent.hacked = 1; } catch {}
try { top.location = "about:blank"; } catch {}
try { alert(1); } catch {}
</script>"""


@pytest.mark.parametrize(
    "data",
    [
        '[{ kerasImageSaver: "latest", text: "null" }]',
        '[{ kerasImageSaver: "newest", text: "{}" }]',
        '[null, 3, "text", { kerasImageSaver: "latest", text: { length: 1 } }]',
        "[]",
    ],
)
def test_hostile_twin_is_a_run_that_cannot_be_read(show_runs, runs, data):
    for name in ("latest", "snapshots", "run"):
        (runs / "run2" / f"{name}.html").write_text(HOSTILE_TWIN.replace("DATA", data))
    page = show_runs(runs / "index.html", "#compare=run1,run2")
    settle(page)
    assert page.evaluate("window.hacked") is None
    assert "run2 cannot be read here" in page.locator("#notices").inner_text()
    assert sources(page) == ["/run1/0001.png"]


def test_hostile_record_that_a_twin_posts_is_text(show_runs, runs):
    latest = (
        '{ kerasImageSaver: "latest", text: \'{"key":"k","writes":1,"run":1,"state":"running"}\' }'
    )
    entry = {
        "epoch": HOSTILE, "batch": [], "step": {}, "time": HOSTILE, "file": ["../../x"],
        "logs": {HOSTILE: HOSTILE}, "metrics": {"m": {"worst": 3, "mean": HOSTILE}},
        "geometry": {"tile": [1e9, 1e9], "count": 1e9, "panels": [HOSTILE]},
    }  # fmt: skip
    part = {"entries": [None, entry, {"epoch": 1, "file": "../run1/0001.png"}], "segments": 1e12}
    for name, posted in (
        ("latest", latest),
        ("snapshots", f'{{ kerasImageSaver: "newest", text: JSON.stringify({part}) }}'),
        (
            "run",
            '{ kerasImageSaver: "run", text: \'{"settings": 3, "samples": [], "state": {}}\' }',
        ),
    ):
        data = f"[{posted}]".replace("None", "null")
        (runs / "run2" / f"{name}.html").write_text(HOSTILE_TWIN.replace("DATA", data))
    page = show_runs(runs / "index.html", "#compare=run1,run2")
    page.wait_for_function("() => runsPage.comparison.isShown")
    page.evaluate("sleep(300)")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.url.startswith("file:")


def test_message_of_a_stranger_is_not_read(show_runs, runs):
    page = show_runs(runs / "index.html")
    got = page.evaluate("""
        async () => {
            const promise = runsPage.twins.load("./run1/latest.html", "latest");
            window.postMessage({ kerasImageSaver: "latest", text: "forged" }, "*");
            return promise;
        }
    """)
    assert '"state": "finished"' in got
    assert page.locator("iframe").count() == 0
