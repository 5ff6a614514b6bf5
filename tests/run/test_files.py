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


@pytest.mark.parametrize(
    ("names", "number"),
    [
        ([], 0),
        (["snapshots.jsonl", "snapshots-metrics-0004.npz"], 0),
        (["snapshots-0000.jsonl"], 1),
        (["snapshots-0002.jsonl", "snapshots-0007.jsonl", "snapshots-0003.jsonl", "a"], 8),
    ],
)
def test_next_full_part_has_the_number_after_the_last(names, number):
    assert files.SEGMENTS.full(names) == number


@pytest.mark.parametrize(
    ("names", "previous", "unrecorded"),
    [
        ([], "previous-1", "unrecorded-1"),
        (["a", "previous-x"], "previous-1", "unrecorded-1"),
        (["previous-0", "unrecorded-0"], "previous-1", "unrecorded-1"),
        (["previous-1", "unrecorded-7"], "previous-2", "unrecorded-8"),
        (
            ["previous-10", "previous-9", "unrecorded-2", "unrecorded-12"],
            "previous-11",
            "unrecorded-13",
        ),
    ],
)
def test_next_folder_that_something_is_moved_to_is_new(names, previous, unrecorded):
    assert files.next_previous(names) == previous
    assert files.next_unrecorded(names) == unrecorded


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("previous-1", True),
        ("previous-12/a/0001.png", True),
        ("unrecorded-3", True),
        ("unrecorded-3/0001.png", True),
        ("a/previous-1", False),
        ("previous", False),
        ("unrecorded-x/0001.png", False),
        ("0001.png", False),
    ],
)
def test_what_was_moved_aside_is_told_by_the_first_folder(name, aside):
    assert files.is_aside(name) is aside


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("snapshots.jsonl", True),
        ("snapshots-0001.jsonl", True),
        ("run.json", True),
        ("snapshots-metrics.npz", False),
        ("samples.npz", False),
        ("index.html", False),
    ],
)
def test_files_of_the_record_are_told_from_others(name, is_one):
    assert files.is_of_the_record(name) is is_one
