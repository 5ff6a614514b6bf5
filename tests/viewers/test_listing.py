import json
import threading

import pytest
from support.comparison_pages import block, cards
from support.page_runs import Writer, make_run

from keras_image_saver import write_page
from keras_image_saver.run.run_file import new_about, write_about
from keras_image_saver.viewers.comparison import listing
from keras_image_saver.viewers.comparison.listing import refresh_list, write_list

OLD = {"started": 1.6e9}


def named(folder):
    return [card["name"] for card in cards(folder)]


def test_write_page_of_a_folder_of_runs_lists_them_newest_first(tmp_path):
    Writer(tmp_path / "old", about=OLD).begin().save(1, time=1.7e9)
    new = Writer(tmp_path / "new", about=OLD).begin()
    new.save(7, time=1.8e9, logs={"loss": float("nan")}).miss(8)
    (tmp_path / "none").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file.txt").write_text("")
    assert write_page(tmp_path) == f"{tmp_path}/index.html"
    assert named(tmp_path) == ["new", "old"]
    new, old = cards(tmp_path)
    assert (new["url"], old["url"]) == ("./new/", "./old/")
    assert (new["entry"]["epoch"], new["entry"]["file"]) == (8, None)
    assert (new["shown"]["epoch"], new["shown"]["file"]) == (7, "0007.png")
    assert new["shown"]["logs"] == {"loss": "NaN"}
    assert (old["time"], old["interval"], old["odd"], old["previous"]) == (1.7e9, None, "", [])
    assert new["has_page"] is old["has_page"] is True
    assert block(tmp_path / "index.html")["command"] == f"keras-image-saver page {tmp_path}"


def test_card_tells_how_the_run_stands(tmp_path):
    writer = Writer(tmp_path / "a", page=False)
    for epoch in (1, 2, 3, 4):
        writer.save(epoch, time=1.7e9 + 60 * epoch)
    about = new_about() | {"state": "finished", "resumed": 1.9e9, "settings": {"long": "x" * 9999}}
    write_about(str(tmp_path / "a"), about)
    write_page(tmp_path)
    (card,) = cards(tmp_path)
    told = {key: about[key] for key in ("id", "state", "started", "resumed")}
    assert card["about"] == told
    assert (card["interval"], card["time"], card["has_page"]) == (60, 1.9e9, False)
    assert card["path"] == f"{tmp_path}/a"


def test_run_that_has_begun_and_has_no_record_yet_has_a_card(tmp_path):
    write_about(str(tmp_path / "a"), new_about())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").write_text('{"name": "of somebody else"}')
    write_page(tmp_path)
    (card,) = cards(tmp_path)
    assert (card["name"], card["entry"], card["shown"]) == ("a", None, None)


def test_earlier_runs_in_a_folder_stand_below_it_newest_first(tmp_path):
    make_run(tmp_path / "a", 3)
    for number in (2, 10):
        make_run(tmp_path / "a" / f"previous-{number}", number, page=False)
    (tmp_path / "a" / "previous-3").mkdir()
    write_page(tmp_path)
    (card,) = cards(tmp_path)
    assert [(one["name"], one["url"]) for one in card["previous"]] == [
        ("a/previous-10", "./a/previous-10/"),
        ("a/previous-2", "./a/previous-2/"),
    ]
    assert card["previous"][0]["entry"]["epoch"] == 10


def test_card_of_a_long_run_is_of_its_newest_file_alone(tmp_path):
    writer = Writer(tmp_path / "a", page=False)
    for epoch in range(1, 301):
        writer.save(epoch, content=b"", write=False)
    writer.record.write()
    (tmp_path / "a" / "snapshots-0000.jsonl").write_text("none of it is read")
    write_page(tmp_path)
    assert cards(tmp_path)[0]["entry"]["epoch"] == 300


def test_run_of_a_newer_version_has_a_card_that_says_so(tmp_path):
    make_run(tmp_path / "a", 1)
    (tmp_path / "a" / "snapshots.jsonl").write_text('{"format": 2, "epoch": 1, "batch": 1}\n')
    write_page(tmp_path)
    (card,) = cards(tmp_path)
    assert "newer keras_image_saver (format 2" in card["odd"]


def test_write_page_of_a_folder_with_neither_a_record_nor_runs_names_it(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=rf"no record of a run .* in '{tmp_path}', nor in"):
        write_page(tmp_path)
    assert not (tmp_path / "index.html").exists()


def test_write_page_leaves_an_index_that_is_no_list(tmp_path):
    make_run(tmp_path / "a", 1)
    page = (tmp_path / "a" / "index.html").read_bytes()  # of a run, so that the mark is ours
    for content in (b"mine", page):
        (tmp_path / "index.html").write_bytes(content)
        with pytest.raises(
            FileExistsError, match=r"index\.html' is no page .* that lists the runs"
        ):
            write_page(tmp_path)
        assert (tmp_path / "index.html").read_bytes() == content


def test_write_page_of_a_run_with_runs_in_its_folder_is_of_that_run(tmp_path):
    make_run(tmp_path, 1)
    make_run(tmp_path / "a", 1)
    write_page(tmp_path)
    assert (tmp_path / "index.html").read_bytes() == (tmp_path / "a" / "index.html").read_bytes()


# Kept up to date


def test_refresh_brings_a_list_up_to_date_where_one_stands(tmp_path):
    make_run(tmp_path / "a", 1)
    refresh_list(f"{tmp_path}/a")
    assert not (tmp_path / "index.html").exists()
    write_page(tmp_path)
    make_run(tmp_path / "b", 2)
    refresh_list(f"{tmp_path}/b/")
    assert named(tmp_path) == ["b", "a"]


def test_refresh_touches_no_index_of_another_kind(tmp_path):
    make_run(tmp_path, 1)
    make_run(tmp_path / "a", 1)
    before = (tmp_path / "index.html").read_bytes()
    refresh_list(f"{tmp_path}/a")
    assert (tmp_path / "index.html").read_bytes() == before


def test_refresh_on_remote_storage_makes_no_request(monkeypatch):
    monkeypatch.setattr(listing, "is_page", lambda *_: pytest.fail("it was looked at"))
    refresh_list("gs://bucket/runs/a")


def test_two_that_write_the_list_at_once_lose_neither_run(tmp_path, monkeypatch):
    """The first looks before the second run is there, and writes after the second has written."""
    for name in "ab":
        Writer(tmp_path / name, about=OLD).begin().save(1, time=1.7e9)
    (tmp_path / "b").rename(tmp_path.parent / "b")
    write_page(tmp_path)
    looked, written = threading.Event(), threading.Event()
    replace = listing.replace_page

    def late(*arguments):
        if threading.current_thread() is first and not written.is_set():
            looked.set()
            assert written.wait(20)
        replace(*arguments)

    monkeypatch.setattr(listing, "replace_page", late)
    first = threading.Thread(target=refresh_list, args=[f"{tmp_path}/a"])
    first.start()
    assert looked.wait(20)
    (tmp_path.parent / "b").rename(tmp_path / "b")
    write_list(str(tmp_path))
    assert named(tmp_path) == ["a", "b"]
    written.set()
    first.join(20)
    assert named(tmp_path) == ["a", "b"]


def test_list_of_folders_that_change_for_ever_ends(tmp_path, monkeypatch):
    make_run(tmp_path / "a", 1)
    looks = []

    def look(folder):
        looks.append(folder)
        return {"a": {"id": len(looks)}}

    monkeypatch.setattr(listing, "_runs_in", look)
    write_list(str(tmp_path))
    assert len(looks) == 10


def test_hostile_names_and_logs_are_data(tmp_path):
    name = "<img src=x onerror=alert(1)>"
    Writer(tmp_path / name).begin().save(1, logs={"</script>": "</script>\u2028"})
    write_page(tmp_path)
    text = (tmp_path / "index.html").read_bytes().decode("utf-8")
    assert "<img src=x" not in text
    (card,) = cards(tmp_path)
    assert card["url"] == "./%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E/"
    assert card["entry"]["logs"] == {"</script>": "</script>\u2028"}
    assert json.dumps(card).count(name) == 2  # its name and its path
