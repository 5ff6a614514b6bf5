import base64
import hashlib
import json
import os
import re

import numpy as np
import pytest
from support.page_runs import Writer, make_run, read_script, read_twin
from support.storage import replacing

from keras_image_saver import Run, write_page
from keras_image_saver.run.lines import read_entries, record_files
from keras_image_saver.run.previous import page_files
from keras_image_saver.run.record import SEGMENT, Record
from keras_image_saver.viewers.page import page_html

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u2029<!--"


# What stands in a run's folder beside its pictures.
RECORD = {"run.json", "snapshots.jsonl"}
SCRIPTS = {"latest.js", "run.js", "snapshots.js"}
TWINS = {name.replace(".js", ".html") for name in SCRIPTS}
PAGE = {"index.html"} | SCRIPTS | TWINS


def files(folder):
    return {path.name for path in folder.iterdir() if path.suffix != ".png"}


def epochs(path):
    return [entry["epoch"] for entry in read_script(path)[1]["entries"]]


# The page itself


def test_page_is_one_document_that_loads_nothing_from_elsewhere():
    html = page_html()
    assert "{{" not in html
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", html)
    assert not re.search(
        r"<link|<iframe|@import|url\((?![\"`]*#)|<script src|innerHTML|insertAdjacent", html
    )
    assert html.count("<script>") == html.count("</script>") == html.count("<style>") == 1


def test_page_allows_its_own_script_and_style_and_nothing_else():
    html = page_html()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', html)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "'self' file:"
    for tag, rule, more in (
        ("script", "script-src", " 'strict-dynamic'"),
        ("style", "style-src", ""),
    ):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(rule) == f"'sha256-{digest}'{more}"
    assert set(rules) == {"default-src", "base-uri", "form-action", "img-src"}


# Of an existing run


def test_write_page_writes_the_page_and_each_file_of_the_record_as_a_script(tmp_path):
    writer = Writer(tmp_path, page=False)
    for epoch in range(1, 2 * SEGMENT + 2):
        writer.save(epoch, content=b"", write=False)
    writer.record.write()
    assert write_page(tmp_path) == f"{tmp_path}/index.html"
    assert (tmp_path / "index.html").read_text("utf-8") == page_html()
    assert read_script(tmp_path / "snapshots-0000.js")[0] == 0
    assert epochs(tmp_path / "snapshots-0000.js") == list(range(1, SEGMENT + 1))
    assert epochs(tmp_path / "snapshots-0001.js") == list(range(SEGMENT + 1, 2 * SEGMENT + 1))
    segment, newest = read_script(tmp_path / "snapshots.js")
    assert (segment, newest["segments"], newest["format"]) == ("newest", 2, 1)
    lines = (tmp_path / "snapshots.jsonl").read_text("utf-8").splitlines()
    assert newest["entries"] == [json.loads(line) for line in lines]


def test_write_page_again_replaces_what_it_wrote(tmp_path):
    make_run(tmp_path, 2)
    (tmp_path / "index.html").write_text("<!-- keras_image_saver page: an older one -->")
    write_page(str(tmp_path))
    assert (tmp_path / "index.html").read_text("utf-8") == page_html()
    assert epochs(tmp_path / "snapshots.js") == [1, 2]


def test_write_page_of_a_folder_without_a_record_names_it_and_writes_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"no record of a run .*{tmp_path}"):
        write_page(tmp_path)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("name", sorted(PAGE))
def test_write_page_leaves_a_file_that_is_not_ours(tmp_path, name):
    make_run(tmp_path, 1, page=False)
    for ours in page_files(str(tmp_path)):
        (tmp_path / ours).unlink()
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=rf"{tmp_path}/{name}' is not of a page"):
        write_page(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert files(tmp_path) == {name} | RECORD


def test_write_page_leaves_a_folder_of_the_pages_name(tmp_path):
    make_run(tmp_path, 1, page=False)
    for ours in page_files(str(tmp_path)):
        (tmp_path / ours).unlink()
    (tmp_path / "index.html").mkdir()
    with pytest.raises(FileExistsError, match=r"index\.html"):
        write_page(tmp_path)


def test_write_page_of_a_newer_record_is_refused_and_changes_nothing(tmp_path):
    (tmp_path / "snapshots.jsonl").write_text('{"format": 2, "epoch": 1, "batch": 1}\n')
    with pytest.raises(ValueError, match=r"format 2, this one reads 1"):
        write_page(tmp_path)
    assert files(tmp_path) == {"snapshots.jsonl"}


def test_write_page_hands_on_fields_that_it_does_not_know_and_numbers_that_json_lacks(tmp_path):
    (tmp_path / "snapshots.jsonl").write_text(
        '{"epoch": 1, "batch": 1, "step": 1, "file": "1.png", "invented": {"a": [1]}, '
        '"logs": {"loss": NaN, "top": [1, -Infinity], "rate": Infinity}}\n'
    )
    write_page(tmp_path)
    (entry,) = read_script(tmp_path / "snapshots.js")[1]["entries"]
    assert entry["invented"] == {"a": [1]}
    assert entry["logs"] == {"loss": "NaN", "top": [1, "-Infinity"], "rate": "Infinity"}


def test_scripts_hold_hostile_names_as_text(tmp_path):
    writer = Writer(tmp_path).begin()
    writer.miss(1, reason=HOSTILE)
    writer.save(2, logs={HOSTILE: 1.0, "__proto__": 2.0, "note": HOSTILE})
    content = (tmp_path / "snapshots.js").read_bytes().decode("ascii")
    assert "<" not in content
    missed, saved = read_script(tmp_path / "snapshots.js")[1]["entries"]
    assert missed["reason"] == HOSTILE
    assert saved["logs"] == {HOSTILE: 1.0, "__proto__": 2.0, "note": HOSTILE}


# Of a run that is being written


def test_page_of_a_run_without_snapshots_is_there_at_once(tmp_path):
    Writer(tmp_path).begin()
    assert files(tmp_path) == PAGE | RECORD
    assert read_script(tmp_path / "snapshots.js")[1]["entries"] == []


def test_scripts_follow_the_record(tmp_path):
    writer = Writer(tmp_path).begin()
    for epoch in range(1, SEGMENT + 3):
        writer.save(epoch, content=b"")
        assert epochs(tmp_path / "snapshots.js")[-1] == epoch
    assert epochs(tmp_path / "snapshots-0000.js") == list(range(1, SEGMENT + 1))
    assert read_script(tmp_path / "snapshots.js")[1]["segments"] == 1
    assert epochs(tmp_path / "snapshots.js") == [SEGMENT + 1, SEGMENT + 2]


def test_page_costs_the_same_however_long_the_run_is(tmp_path):
    written = []

    def counted(path, replace):
        replace()
        written.append((os.path.basename(path), os.path.getsize(path)))

    writer = Writer(tmp_path).begin()
    with replacing(counted):
        for epoch in range(1, 3 * SEGMENT + 1):
            writer.save(epoch, content=b"")
    # With each snapshot the record, its script and `latest.js`; twice a segment and its script.
    assert sum(not name.endswith(".html") for name, _ in written) == 3 * 3 * SEGMENT + 2 * 2
    assert not any(name == "index.html" for name, _ in written)
    assert {size for name, size in written if name == "latest.js"} < set(range(200))
    sizes = [size for name, size in written if name == "snapshots.js"]
    assert max(sizes[-SEGMENT:]) < 1.1 * max(sizes[:SEGMENT])


def test_page_that_is_removed_is_written_anew_with_the_next_snapshot(tmp_path):
    writer = make_run(tmp_path, 1)
    (tmp_path / "index.html").unlink()
    writer.save(2)
    assert (tmp_path / "index.html").read_text("utf-8") == page_html()


def test_page_that_is_not_ours_is_left_alone_and_said_once(tmp_path):
    (tmp_path / "index.html").write_text("mine")
    writer = make_run(tmp_path, 3)
    assert (tmp_path / "index.html").read_text() == "mine"
    assert files(tmp_path) == {"index.html"} | RECORD
    assert len(Run.open(tmp_path)) == 3
    (line,) = writer.said
    assert f"{tmp_path}/index.html' is not of a page that keras_image_saver wrote" in line


def test_page_that_cannot_be_written_harms_nothing_and_is_completed_later(tmp_path):

    def failing(path, replace):
        if path.endswith((".js", ".html")):  # the page's
            raise OSError(28, "No space left on device")
        replace()

    writer = Writer(tmp_path)
    with replacing(failing):
        writer.begin()
        for epoch in range(1, SEGMENT + 2):
            writer.save(epoch, content=b"")
    assert len(Run.open(tmp_path)) == SEGMENT + 1
    assert files(tmp_path) == {"snapshots-0000.jsonl"} | RECORD
    (line,) = writer.said
    assert "could not be written" in line
    assert "No space left on device" in line
    writer.save(SEGMENT + 2)
    assert (tmp_path / "index.html").exists()
    assert epochs(tmp_path / "snapshots-0000.js") == list(range(1, SEGMENT + 1))
    assert epochs(tmp_path / "snapshots.js") == [SEGMENT + 1, SEGMENT + 2]


def test_record_that_is_resumed_and_cut_rewrites_its_scripts_under_a_new_key(tmp_path):
    writer = Writer(tmp_path).begin()
    for epoch in range(1, 2 * SEGMENT + 2):
        writer.save(epoch, content=b"")
    key = read_script(tmp_path / "snapshots.js")[1]["key"]
    entries, _ = read_entries(str(tmp_path), record_files(str(tmp_path)))
    resumed = Writer(tmp_path, entries=entries[: SEGMENT + 4])
    resumed.record.rewrite()
    resumed.tell("running")
    expected = {"snapshots-0000.js", "snapshots-0000.html", "snapshots-0000.jsonl"}
    assert files(tmp_path) == expected | PAGE | RECORD
    newest = read_script(tmp_path / "snapshots.js")[1]
    assert newest["key"] != key
    assert newest["segments"] == 1
    assert [entry["epoch"] for entry in newest["entries"]] == list(range(SEGMENT + 1, SEGMENT + 5))


def test_record_without_a_page_writes_none(tmp_path):
    Record(str(tmp_path)).write()
    assert files(tmp_path) == {"snapshots.jsonl"}


def test_write_page_names_the_segments_that_there_are(tmp_path):
    writer = Writer(tmp_path, page=False)
    for epoch in range(1, SEGMENT + 2):
        writer.save(epoch, content=b"", write=False)
    writer.record.write()
    (tmp_path / "snapshots-99999999999.jsonl").write_text("")
    write_page(tmp_path)
    assert read_script(tmp_path / "snapshots.js")[1]["segments"] == [0, 99999999999]
    assert read_script(tmp_path / "snapshots-99999999999.js") == (
        99999999999,
        {"format": 1, "entries": []},
    )


def test_page_is_told_which_segments_have_marks_since_it_read_them(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 4)
    writer = Writer(tmp_path, max_to_keep=3)
    for epoch in range(1, 6):  # the last one marks 2, in the segment that fills up with it
        writer.save(epoch, content=b"-")
    newest = tmp_path / "snapshots.js"
    assert "rewritten" not in read_script(newest)[1]
    for times in (1, 2):
        writer.save(5 + times, content=b"-")
        assert read_script(newest)[1]["rewritten"] == {"0": times}
    writer.save(8, content=b"-")  # marks 5, in the newest file itself
    assert read_script(newest)[1]["rewritten"] == {"0": 2}
    entries = read_script(tmp_path / "snapshots-0000.js")[1]["entries"]
    assert [one["epoch"] for one in entries if not one.get("removed")] == [1]


# What is said of the run as a whole


def test_page_is_told_all_of_run_json_as_data(tmp_path):
    writer = make_run(tmp_path, 1, names=("cat.jpg", HOSTILE))
    assert "<" not in (tmp_path / "run.js").read_bytes().decode("ascii")
    assert read_script(tmp_path / "run.js") == ("run", writer.about)
    assert read_twin(tmp_path / "run.html") == read_script(tmp_path / "run.js")
    assert json.loads((tmp_path / "run.json").read_text()) == writer.about


def test_latest_script_tells_of_each_write_and_state(tmp_path):
    def told():
        segment, latest = read_script(tmp_path / "latest.js")
        assert segment == "latest"
        assert (tmp_path / "latest.js").stat().st_size < 200
        keys.add(latest.pop("key"))
        return latest

    keys = set()
    writer = Writer(tmp_path).begin()
    assert told() == {"writes": 1, "run": 1, "state": "running"}
    writer.save(1)
    assert told() == {"writes": 2, "run": 1, "state": "running"}
    writer.tell("finished")
    assert told() == {"writes": 2, "run": 2, "state": "finished"}
    assert keys == {read_script(tmp_path / "snapshots.js")[1]["key"]}


def test_latest_script_of_a_run_that_is_resumed_waits_for_its_run_json(tmp_path):
    make_run(tmp_path, 2).tell("finished")
    before = read_script(tmp_path / "latest.js")
    resumed = Writer(tmp_path, entries=read_entries(str(tmp_path), ["snapshots.jsonl"])[0])
    resumed.record.rewrite()
    assert read_script(tmp_path / "latest.js") == before
    resumed.tell("running")
    assert read_script(tmp_path / "latest.js")[1]["state"] == "running"


def test_write_page_tells_what_run_json_says(tmp_path):
    writer = make_run(tmp_path, 1, page=False).tell("failed")
    write_page(tmp_path)
    assert files(tmp_path) == PAGE | RECORD
    assert read_script(tmp_path / "run.js") == ("run", writer.about)
    assert read_script(tmp_path / "latest.js")[1]["state"] == "failed"


def test_write_page_of_a_run_of_the_first_version_has_nothing_to_tell_of_it(tmp_path):
    make_run(tmp_path, 1, page=False)
    (tmp_path / "run.json").unlink()
    write_page(tmp_path)
    assert files(tmp_path) == PAGE | {"snapshots.jsonl"}
    assert read_script(tmp_path / "run.js") == ("run", {})
    assert read_script(tmp_path / "latest.js")[1]["state"] == ""


# For pages elsewhere


def test_twins_hold_what_the_scripts_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 2)
    values = {"mae": np.array([0.5, np.nan], np.float32)}
    summary = {"mae": {"mean": 0.5}}
    writer = Writer(tmp_path).begin()
    for epoch in (1, 2, 3):
        writer.save(epoch, metrics=values, summary=summary, logs={HOSTILE: 1.0})
    writer.tell("finished")
    scripts = sorted(path.name for path in tmp_path.glob("*.js"))
    expected = {"snapshots-0000.js", "snapshots-metrics.js"} | SCRIPTS
    assert set(scripts) == expected
    for name in scripts:
        twin = tmp_path / name.replace(".js", ".html")
        assert read_twin(twin) == read_script(tmp_path / name)


def test_twin_runs_one_script_which_is_the_same_in_each(tmp_path):
    make_run(tmp_path, 1, names=(HOSTILE,)).tell("finished")
    found = set()
    for name in TWINS:
        text = (tmp_path / name).read_text("ascii")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)[1]
        code = re.search(r"<script>(.*?)</script>", text)[1]
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        allowed = "default-src 'none'; base-uri 'none'; form-action 'none'; "
        assert policy == f"{allowed}script-src 'sha256-{digest}'"
        assert text.count("<script") == text.count("</script") == 2
        found.add(code)
    assert len(found) == 1


def test_twins_are_written_every_2_s_where_snapshots_come_faster(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("keras_image_saver.viewers.page.twins.time.monotonic", lambda: clock[0])
    writer = Writer(tmp_path).begin()  # two of the eight that may come in a row
    behind = []
    for epoch in range(1, 201):
        clock[0] += 0.1
        writer.save(epoch, content=b"")
        twin = read_twin(tmp_path / "snapshots.html")[1]["entries"]
        behind.append(epoch - len(twin))
    assert behind[:7] == [0, 0, 0, 0, 0, 0, 1]
    assert max(behind) == 19
    assert sum(not one for one in behind) == 6 + 20 / 2
    writer.tell("finished")
    assert read_twin(tmp_path / "snapshots.html") == read_script(tmp_path / "snapshots.js")


def test_twins_of_segments_that_go_go_too(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_image_saver.run.record.SEGMENT", 2)
    make_run(tmp_path, 5)
    assert "snapshots-0001.html" in files(tmp_path)
    entries, _ = read_entries(str(tmp_path), record_files(str(tmp_path)))
    Writer(tmp_path, entries=entries[:3]).record.rewrite()
    assert "snapshots-0001.html" not in files(tmp_path)
    assert "snapshots-0000.html" in files(tmp_path)
