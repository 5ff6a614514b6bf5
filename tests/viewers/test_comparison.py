import html
import json
import os
import re

import numpy as np
import pytest
from support.comparison_pages import block
from support.page_runs import Writer, make_run

import keras_image_saver
from keras_image_saver import compare
from keras_image_saver.run.run_file import new_about, write_about
from keras_image_saver.viewers import comparison
from keras_image_saver.viewers.comparison import records

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u2029<!--"


@pytest.fixture
def runs(tmp_path):
    """Two runs, of three and of two epochs."""
    for name, epochs in (("a", 3), ("b", 2)):
        make_run(tmp_path / "runs" / name, epochs)
    return [str(tmp_path / "runs" / name) for name in "ab"]


# What is in the page


def test_compare_embeds_each_record_with_its_geometry_once(runs, tmp_path):
    out = f"{tmp_path}/compare.html"
    assert compare(runs, out) == out
    data = block(tmp_path / "compare.html")
    assert data["kind"] == "comparison"
    assert data["command"] == f"keras-image-saver compare {runs[0]} {runs[1]} --out {out}"
    assert [(run["name"], run["url"]) for run in data["runs"]] == [
        ("a", "./runs/a/"),
        ("b", "./runs/b/"),
    ]
    for run, folder in zip(data["runs"], runs, strict=True):
        with open(f"{folder}/snapshots.jsonl") as file:
            lines = [json.loads(line) for line in file]
        (geometry,) = run["geometries"]
        assert [{**entry, "geometry": geometry} for entry in run["entries"]] == lines
        assert [entry["geometry"] for entry in run["entries"]] == [0] * len(lines)


def test_compare_of_paths_returns_the_page_that_shows_runs_from_where_it_is(runs, tmp_path):
    out = tmp_path / "pages" / "deep" / "compare.html"
    assert compare([tmp_path / "runs" / "a", tmp_path / "runs" / "b"], out) == str(out)
    assert [run["url"] for run in block(out)["runs"]] == ["../../runs/a/", "../../runs/b/"]


def test_compare_embeds_what_is_said_of_a_run_as_text(runs, tmp_path):
    about = new_about() | {"settings": {"low": "-Infinity", "name": HOSTILE}}
    write_about(runs[0], about)
    os.unlink(f"{runs[1]}/run.json")
    compare(runs, tmp_path / "c.html")
    first, second = block(tmp_path / "c.html")["runs"]
    assert json.loads(first["about"]) == about
    assert second["about"] == "{}"


def test_compare_embeds_what_each_sample_had(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for number, folder in enumerate(folders):
        writer = Writer(folder).begin()
        for epoch in (1, 2):
            values = np.array([0.25 * epoch, number, np.nan, 2], np.float32)
            summary = {"mean": 1.0, "least": 0.0, "most": 2.0, "nan": 1, "worst": [[2, "NaN"]]}
            writer.save(epoch, metrics={"mae": values}, summary={"mae": summary})
    compare(folders, tmp_path / "c.html")
    data = block(tmp_path / "c.html")
    assert [run["values_left_out"] for run in data["runs"]] == [0, 0]
    (text,) = block(tmp_path / "c.html", "values-1")
    assert json.loads(text)["metrics"] == {"mae": ["0.25 1 NaN 2", "0.5 1 NaN 2"]}
    assert json.loads(text)["keys"] == [[1, 4, 0], [2, 4, 0]]


def test_compare_embeds_the_newest_values_that_there_is_room_for(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in "ab"]
    summary = {"mean": 1.0, "least": 0.0, "most": 2.0, "nan": 0, "worst": []}
    for folder in folders:
        writer = Writer(folder).begin()
        for epoch in range(1, 5):  # other samples each time: a file each
            values = np.arange(epoch + 1, dtype=np.float32)
            writer.save(epoch, metrics={"mae": values}, summary={"mae": summary})
    monkeypatch.setattr(records, "VALUES_BYTES", 200)
    compare(folders, tmp_path / "c.html")
    texts = block(tmp_path / "c.html", "values-0")
    assert [json.loads(text)["keys"][0][0] for text in texts] == [3, 4]
    assert block(tmp_path / "c.html")["runs"][0]["values_left_out"] == 2


def test_compare_writes_hostile_text_as_data_alone(tmp_path):
    for name in ("a", "b"):
        Writer(tmp_path / name).begin().save(1, logs={HOSTILE: float("nan"), "note": HOSTILE})
    compare([tmp_path / "a", tmp_path / "b"], tmp_path / "c.html")
    text = (tmp_path / "c.html").read_bytes().decode("utf-8")
    assert not {*"\u2028\u2029"} & {*text}
    assert text.count("<img") == 0
    assert text.count("</script>") == 4  # the data, the values of each run, and the one script
    assert block(tmp_path / "c.html")["runs"][0]["entries"][0]["logs"]["note"] == HOSTILE


def test_compare_names_runs_by_what_tells_them_apart(tmp_path):
    folders = [tmp_path / "x" / "seed1", tmp_path / "y" / "seed1"]
    for folder in folders:
        make_run(folder, 1)
    compare(folders, tmp_path / "c.html")
    assert [run["name"] for run in block(tmp_path / "c.html")["runs"]] == ["x/seed1", "y/seed1"]


def test_compare_makes_urls_of_odd_folder_names(tmp_path):
    folders = [tmp_path / "a #1 100%", tmp_path / "b:é"]
    for folder in folders:
        make_run(folder, 1)
    compare(folders, tmp_path / "c.html")
    urls = [run["url"] for run in block(tmp_path / "c.html")["runs"]]
    assert urls == ["./a%20%231%20100%25/", "./b%3A%C3%A9/"]


def test_compare_with_a_relative_out_in_another_working_folder(runs, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert compare([os.path.relpath(run) for run in runs], "c.html") == "c.html"
    urls = [run["url"] for run in block(tmp_path / "elsewhere" / "c.html")["runs"]]
    assert urls == ["../runs/a/", "../runs/b/"]


def test_page_runs_its_own_script_loads_none_and_reads_frames_of_its_place(runs, tmp_path):
    compare(runs, tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text("utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', text)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["frame-src"] == rules["img-src"] == "'self' file:"
    assert re.fullmatch(r"'sha256-[^']*'", rules["script-src"])
    assert re.fullmatch(r"'sha256-[^']*'", rules["style-src"])
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", text.replace("https?:", ""))
    assert "{{" not in text


# What is refused


@pytest.mark.parametrize("count", [0, 1, 5])
def test_compare_of_too_few_or_too_many_runs_says_how_many(tmp_path, count):
    folders = [str(tmp_path / str(number)) for number in range(count)]
    with pytest.raises(ValueError, match=rf"`runs` must be 2 to 4 folders, got {count}: "):
        compare(folders, tmp_path / "c.html")


@pytest.mark.parametrize("runs", ["runs/a", b"runs/a", None, 3])
def test_compare_of_what_is_no_list_says_what_arrived(runs, tmp_path):
    with pytest.raises(TypeError, match=r"`runs` must be a list of 2 to 4 folders, got "):
        compare(runs, tmp_path / "c.html")


def test_compare_of_a_folder_without_a_record_names_it(runs, tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"no record of a run in '{tmp_path}/runs'"):
        compare([*runs, tmp_path / "runs"], tmp_path / "c.html")
    assert not (tmp_path / "c.html").exists()


def test_compare_of_one_run_twice_names_both_ways_to_it(runs, tmp_path):
    (tmp_path / "link").symlink_to(runs[0])
    with pytest.raises(ValueError, match=rf"'{runs[0]}' and '{tmp_path}/link', which are the same"):
        compare([runs[0], f"{tmp_path}/link"], tmp_path / "c.html")


def test_compare_leaves_a_file_that_is_no_comparison(runs, tmp_path):
    (tmp_path / "c.html").write_text("mine")
    for out in (tmp_path / "c.html", tmp_path / "runs" / "a" / "index.html"):
        before = out.read_bytes()
        with pytest.raises(FileExistsError, match=rf"'{out}' is no page .* that compares runs"):
            compare(runs, out)
        assert out.read_bytes() == before


def test_compare_again_replaces_what_it_wrote(runs, tmp_path):
    compare(runs, tmp_path / "c.html")
    compare(runs[::-1], tmp_path / "c.html")
    assert [run["name"] for run in block(tmp_path / "c.html")["runs"]] == ["b", "a"]


def test_compare_into_what_is_no_html_is_refused(runs, tmp_path):
    with pytest.raises(ValueError, match=r"`out` must be an \.html file, got '.*/c\.png'"):
        compare(runs, tmp_path / "c.png")


def test_compare_where_no_relative_url_leads_to_a_run_says_so(runs):
    with pytest.raises(ValueError, match=r"a page in 'ram://x' and a run in '.*runs/a'"):
        compare(runs, "ram://x/compare.html")


def test_compare_of_a_newer_record_is_refused(runs, tmp_path):
    with open(f"{runs[1]}/snapshots.jsonl", "w") as file:
        file.write('{"format": 2, "epoch": 1, "batch": 1}\n')
    with pytest.raises(ValueError, match="format 2, this one reads 1"):
        compare(runs, tmp_path / "c.html")
    assert not (tmp_path / "c.html").exists()


def test_compare_leaves_out_lines_that_cannot_be_read_and_says_so(runs, tmp_path):
    with open(f"{runs[1]}/snapshots.jsonl", "a") as file:
        file.write("torn\n")
    with pytest.warns(UserWarning, match="1 lines of the record in .* cannot be read"):
        compare(runs, tmp_path / "c.html")
    assert len(block(tmp_path / "c.html")["runs"][1]["entries"]) == 2


def test_compare_changes_nothing_in_the_runs(runs, tmp_path):
    before = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.*")}
    compare(runs, tmp_path / "c.html")
    assert {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.*")} == before


def test_compare_is_a_name_of_the_package():
    assert keras_image_saver.compare is comparison.compare
