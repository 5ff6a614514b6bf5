import pytest

from keras_image_saver.run import files


def test_the_names_on_disk_are_those_of_every_run_so_far():
    """Runs that were written before, and tools that look at folders, rely on them."""
    assert files.RECORD == "snapshots.jsonl"
    assert files.SAMPLES == "samples.npz"
    assert files.PAGE == "index.html"
    assert files.LOCK == ".keras_image_saver.lock"
    assert files.MOVING == ".moving"
    assert files.SEGMENTS.name(12) == "snapshots-0012.jsonl"
    assert files.previous_name(3) == "previous-3"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("snapshots-0000.jsonl", 0),
        ("snapshots-12345.jsonl", 12345),
        ("snapshots.jsonl", None),
        ("snapshots-0000.js", None),
        ("my-snapshots-0000.jsonl", None),
    ],
)
def test_segment_number_is_that_of_a_segments_name(name, number):
    assert files.SEGMENTS.number(name) == number


def test_record_names_are_ordered_by_age():
    segments = [files.SEGMENTS.name(number) for number in range(10_001)]
    names = ["snapshots.jsonl", "a.png", *sorted(segments)]
    assert files.SEGMENTS.among(names) == [*segments, "snapshots.jsonl"]


def test_record_names_are_those_that_segments_are_given():
    names = ["snapshots-0000.jsonl", "snapshots-0201.jsonl", "snapshots-99999999999.jsonl"]
    odd = ["snapshots-00001.jsonl", "snapshots-\u0661\u0661\u0661\u0661.jsonl"]
    assert files.SEGMENTS.among([*names[::-1], *odd]) == names


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("snapshots.jsonl", "snapshots.js"),
        ("snapshots-0003.jsonl", "snapshots-0003.js"),
        ("snapshots-metrics.npz", "snapshots-metrics.js"),
        ("snapshots-metrics-0003.npz", "snapshots-metrics-0003.js"),
        ("run.json", "run.js"),
        (files.LATEST_SCRIPT, files.LATEST_SCRIPT),
    ],
)
def test_script_name_is_that_of_its_file_and_one_of_a_page_as_its_twin_is(name, script):
    assert files.script_name(name) == script
    assert files.is_page_name(script)
    assert files.twin_name(script) == script.replace(".js", ".html")
    assert files.is_page_name(files.twin_name(script))
    assert files.is_page_name(name) == (name == script)


@pytest.mark.parametrize(
    "name", ["runs.js", "run-0000.js", "latest.htm", "snapshots-1.html", "a.html"]
)
def test_other_scripts_and_documents_are_none_of_a_page(name):
    assert not files.is_page_name(name)


@pytest.mark.parametrize("name", ["previous-1", "previous-0", "previous-", "previous-1a", "run"])
def test_previous_number_is_that_of_a_folder_for_an_earlier_run(name):
    expected = {"previous-1": 1, "previous-0": 0}
    assert files.previous_number(name) == expected.get(name)


def test_temporary_names_are_new_each_time_and_known_again():
    names = {files.temporary_name() for _ in range(9)}
    assert len(names) == 9
    assert all(files.is_temporary(name) for name in names)
    assert not files.is_temporary(files.LOCK)
