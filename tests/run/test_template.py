"""File names from templates."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keras_image_saver.run.template import Template

COUNTERS = {"epoch": 3, "batch": 4, "step": 25}


def path_of(template, logs=None, **counters):
    return Template(template).path({**COUNTERS, **counters}, logs or {})


# What a template means


@pytest.mark.parametrize(
    ("given", "text", "folder", "suffix"),
    [
        ("runs/a/{epoch}.png", "runs/a/{epoch}.png", "runs/a", ".png"),
        ("runs/a", "runs/a/{epoch:04d}.png", "runs/a", ".png"),
        ("runs/a/", "runs/a/{epoch:04d}.png", "runs/a", ".png"),
        ("runs/v1.5/", "runs/v1.5/{epoch:04d}.png", "runs/v1.5", ".png"),
        ("runs/{epoch}/a.JPG", "runs/{epoch}/a.JPG", "runs", ".jpg"),
        ("runs/{epoch}", "runs/{epoch}/{epoch:04d}.png", "runs", ".png"),
        ("runs/a_{epoch}.webp", "runs/a_{epoch}.webp", "runs", ".webp"),
        ("{epoch}.png", "{epoch}.png", "", ".png"),
        ("/{epoch}.png", "/{epoch}.png", "/", ".png"),
        ("/", "/{epoch:04d}.png", "/", ".png"),
        (".", "./{epoch:04d}.png", ".", ".png"),
        ("gs://bucket/run/{epoch}.png", "gs://bucket/run/{epoch}.png", "gs://bucket/run", ".png"),
        ("runs/.hidden", "runs/.hidden/{epoch:04d}.png", "runs/.hidden", ".png"),
        ("runs/{epoch}_{val_loss:.2f}.png", "runs/{epoch}_{val_loss:.2f}.png", "runs", ".png"),
    ],
)
def test_template_tells_text_folder_and_suffix(given, text, folder, suffix):
    template = Template(given)
    assert (template.text, template.folder, template.suffix) == (text, folder, suffix)


def test_template_with_escaped_braces_has_them_in_its_folder():
    template = Template("runs/{{a}}/{epoch}.png")
    assert template.path(COUNTERS, {}) == ("runs/{a}/3.png", [])
    assert template.folder == "runs/{a}"


def test_template_by_batches_of_a_folder_numbers_steps():
    template = Template("runs/a", by_batches=True)
    assert template.path(COUNTERS, {}) == ("runs/a/00000025.png", [])


def test_template_of_a_folder_numbers_epochs():
    assert path_of("runs/a") == ("runs/a/0003.png", [])


def test_template_of_a_path_object_is_its_text():
    assert Template(Path("runs") / "{epoch}.png").text == "runs/{epoch}.png"


def test_template_expands_the_home_folder():
    home = os.path.expanduser("~")
    assert path_of("~/runs/{epoch}.png") == (f"{home}/runs/3.png", [])


def test_template_lists_its_fields():
    assert Template("{epoch:03d}-{a.b}/{x/y:.2f}.png").fields == ("epoch", "a.b", "x/y")


# Filling in


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{epoch}.png", "3.png"),
        ("{epoch:04d}.png", "0003.png"),
        ("{epoch:03d}-{batch:05d}.png", "003-00004.png"),
        ("{step:08d}.png", "00000025.png"),
        ("{epoch}/{epoch}.png", "3/3.png"),
        ("a{{b}}{epoch}.png", "a{b}3.png"),
    ],
)
def test_path_counts_as_given(template, expected):
    assert path_of(template) == (expected, [])


@pytest.mark.parametrize(
    ("template", "logs", "expected"),
    [
        pytest.param("{epoch}-{val_loss:.3f}.png", {"val_loss": 0.12345}, "3-0.123.png", id="loss"),
        pytest.param("{epoch}-{a.b:.1f}.png", {"a.b": 0.5}, "3-0.5.png", id="dot"),
        pytest.param("{epoch}-{m/iou:.1f}.png", {"m/iou": 0.5}, "3-0.5.png", id="slash"),
        pytest.param("{epoch}-{m[0]:.1f}.png", {"m[0]": 0.5}, "3-0.5.png", id="brackets"),
        pytest.param("{epoch}-{loss:.1e}.png", {"loss": 1e-7}, "3-1.0e-07.png", id="exponent"),
        pytest.param("{epoch}-{loss}.png", {"loss": float("nan")}, "3-nan.png", id="nan"),
        pytest.param("{epoch}-{loss}.png", {"loss": float("-inf")}, "3--inf.png", id="infinity"),
        pytest.param("{epoch}-{loss}.png", {"loss": -0.5}, "3--0.5.png", id="negative"),
        pytest.param("{epoch}.png", {"epoch": 99}, "3.png", id="a log named epoch"),
    ],
)
def test_path_fills_in_logs(template, logs, expected):
    assert path_of(template, logs) == (expected, [])


@pytest.mark.parametrize(
    "value", ["../../etc", "a/b", "a\\b", "a:b", "a b", "..", ".", "a\nb", "*?", "", "a\0b", [1, 2]]
)
def test_path_makes_values_safe_for_file_names(value):
    path, missing = path_of("runs/{epoch}/{note}/x.png", {"note": value})
    assert missing == []
    runs, epoch, name, file = path.split("/")
    assert (runs, epoch, file) == ("runs", "3", "x.png")
    assert re.fullmatch(r"[\w.+=-]+", name)
    assert name.strip(".")


def test_path_of_a_very_long_value_fits_a_file_name():
    path, _ = path_of("{epoch}-{note}.png", {"note": "x" * 1_000})
    assert len(os.path.basename(path)) <= 255


@pytest.mark.parametrize(
    ("template", "logs", "expected", "missing"),
    [
        pytest.param("{epoch}-{val_loss:.3f}.png", {}, "3.png", ["val_loss"], id="no such log"),
        pytest.param("{epoch}_{loss:.3f}.png", {"loss": "NaN"}, "3.png", ["loss"], id="no number"),
        pytest.param("{epoch}-{loss:.2f}.png", {"loss": [1, 2]}, "3.png", ["loss"], id="a list"),
        pytest.param(
            "{epoch}-{a:.1f}-{b:.1f}.png", {"a": 1.0}, "3-1.0.png", ["b"], id="one of two"
        ),
        pytest.param("{epoch}-{a}-{b}.png", {}, "3.png", ["a", "b"], id="both"),
    ],
)
def test_path_without_a_field_leaves_it_out_and_says_so(template, logs, expected, missing):
    assert path_of(template, logs) == (expected, missing)


def test_path_without_the_first_field_begins_with_the_next():
    """The field-less name has no stray separator."""
    assert path_of("runs/{val_loss:.2f}-{epoch}.png") == ("runs/3.png", ["val_loss"])


def test_path_without_the_only_field_of_a_part_still_has_a_name():
    path, missing = path_of("runs/{epoch}/{val_loss:.2f}.png")
    assert missing == ["val_loss"]
    assert not os.path.basename(path).startswith(".")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("r/{a}/{epoch}.png", "r/_/3.png"),
        ("r/{a}-{b}/{epoch}.png", "r/_/3.png"),
        ("r/{a:.2f}-{b:.2f}-{c:.2f}/{epoch}.png", "r/_/3.png"),
        ("r/{a}{b}{c}{d}{e}/{epoch}.png", "r/_/3.png"),
        ("r/-{a}/{epoch}.png", "r/_/3.png"),
        ("r/{epoch}/{a}.png", "r/3/_.png"),
        ("r/{epoch}/ {a}_{b}.tar.png", "r/3/_.tar.png"),
        ("r/{a}-{b}-{epoch}.png", "r/3.png"),
        ("r/_{a}-{epoch}.png", "r/3.png"),
        ("r/{epoch}-{a}{b}-{c}x.png", "r/3x.png"),
        ("r/-{epoch}_{a}.png", "r/-3.png"),
        ("gs://b/{a}-{b}-{c}/{epoch}.png", "gs://b/_/3.png"),
        ("/{a}/{epoch}.png", "/_/3.png"),
    ],
)
def test_path_without_any_field_of_the_logs_has_no_empty_name(template, expected):
    path, missing = path_of(template)
    assert path == expected
    assert len(missing) == len(Template(template).fields) - 1
    assert Template(template).counters_in(path) == {"epoch": 3}


# Templates that are refused


@pytest.mark.parametrize(
    ("template", "by_batches", "wanted"),
    [
        pytest.param("a.png", False, "{epoch}", id="no field"),
        pytest.param("{loss}.png", False, "{epoch}", id="logs alone"),
        pytest.param("{batch}.png", False, "{epoch}", id="batch alone"),
        pytest.param("{epoch}.png", True, "{step}", id="epoch alone by batches"),
        pytest.param("{batch}.png", True, "{step}", id="batch alone by batches"),
        pytest.param("{epoch}-{loss}.png", True, "{step}", id="epoch and loss by batches"),
    ],
)
def test_template_that_does_not_tell_snapshots_apart_is_refused(template, by_batches, wanted):
    with pytest.raises(ValueError, match=f"`filepath` must have .*{wanted}.*got '{template}'"):
        Template(template, by_batches=by_batches)


@pytest.mark.parametrize(
    "template",
    ["{epoch:.0e}.png", "{epoch:c}.png", "{epoch:s}.png", "{epoch:.3}.png", "{epoch:nonsense}.png"],
)
def test_template_with_a_format_that_does_not_number_is_refused(template):
    with pytest.raises(ValueError, match=f"`filepath` must number.*got '{re.escape(template)}'"):
        Template(template)


def test_template_that_does_not_number_says_which_counts_it_does_not_tell_apart():
    with pytest.raises(ValueError, match="does not tell 10 from 11"):
        Template("{epoch:.0e}.png")
    with pytest.raises(ValueError, match="does not tell 100 from 101"):
        Template("{epoch:.2g}.png")


@pytest.mark.parametrize("template", ["{epoch}{batch}.png", "{epoch}{batch:02d}.png"])
def test_template_with_counters_that_run_together_is_refused(template):
    """Epoch 1, batch 111 and epoch 11, batch 11 have one name."""
    with pytest.raises(ValueError, match=f"`filepath` must .*got '{re.escape(template)}'"):
        Template(template, by_batches=True)


@pytest.mark.parametrize("template", ["{epoch}-{batch}.png", "{epoch}/{batch}.png", "{step}.png"])
def test_template_by_batches_with_enough_fields_is_fine(template):
    path = Template(template, by_batches=True).path
    names = {
        path({"epoch": e, "batch": b, "step": 200 * e + b}, {})[0]
        for e in range(1, 30)
        for b in range(1, 120)
    }
    assert len(names) == 29 * 119


@pytest.mark.parametrize(
    ("template", "error"),
    [
        pytest.param("{epoch.png", ValueError, id="open brace"),
        pytest.param("epoch}.png", ValueError, id="closed brace"),
        pytest.param("{}.png", ValueError, id="no name"),
        pytest.param("{0}.png", ValueError, id="a number"),
        pytest.param("{epoch!r}.png", ValueError, id="a conversion"),
        pytest.param("{epoch:{width}}.png", ValueError, id="a nested field"),
    ],
)
def test_template_that_is_malformed_is_shown(template, error):
    with pytest.raises(error, match=f"`filepath` .*got '{re.escape(template)}'"):
        Template(template)


@pytest.mark.parametrize("given", [None, 3, b"runs", ""], ids=repr)
def test_template_that_is_no_path_is_shown(given):
    with pytest.raises(TypeError, match=f"`filepath` must be .*got {re.escape(repr(given))}"):
        Template(given)


def test_template_of_a_url_as_a_path_object_is_refused():
    with pytest.raises(ValueError, match=r"`filepath` must be a str for a URL.*'gs:/bucket/"):
        Template(Path("gs://bucket/{epoch}.png"))


def test_template_of_a_folder_with_a_dot_says_to_end_it_in_a_slash():
    with pytest.raises(ValueError, match=r"got 'runs/v1\.5'.*slash"):
        Template("runs/v1.5")


# Counters of a loop of one's own


@pytest.mark.parametrize(
    ("template", "given"),
    [
        ("{epoch}.png", {"epoch": 1}),
        ("{step}.png", {"step": 1}),
        ("{step}.png", {"epoch": 1, "step": 1}),
        ("{epoch}-{batch}.png", {"epoch": 1, "batch": 1}),
        ("{epoch}-{step}.png", {"epoch": 1, "step": 1}),
    ],
)
def test_check_counters_that_fit_says_nothing(template, given):
    Template(template).check_counters(given)


@pytest.mark.parametrize(
    ("template", "given", "shown"),
    [
        pytest.param("{epoch}.png", {}, "must be given epoch", id="none"),
        pytest.param("{epoch}.png", {"step": 1}, "must be given epoch", id="step for epoch"),
        pytest.param("{epoch}-{step}.png", {}, "must be given epoch, step", id="two"),
        pytest.param("{epoch}.png", {"epoch": 1, "batch": 1}, "{batch}", id="more than it has"),
        pytest.param("{epoch}.png", {"epoch": 1, "step": 1}, "{step}", id="a step more"),
    ],
)
def test_check_counters_that_do_not_fit_says_which(template, given, shown):
    with pytest.raises(ValueError, match=f"{shown}.*got '{re.escape(template)}'"):
        Template(template).check_counters(given)


@pytest.mark.parametrize(
    ("template", "named", "others"),
    [
        ("r/{epoch:04d}.png", ["r/0001.png", "r/12345.png"], ["r/x.png", "r/0001.jpg", "0001.png"]),
        ("r/{epoch}-{val.loss:.3f}.png", ["r/1-0.250.png", "r/1.png"], ["r/loss.png"]),
        ("r/{epoch}/{batch}.png", ["r/1/2.png"], ["r/1.png", "r/a/2.png"]),
        ("a+b/{epoch:>4}.png", ["a+b/   1.png"], ["aab/1.png"]),
    ],
    ids=["counter", "metric", "folders", "other format"],
)
def test_matches_tells_names_of_snapshots_from_others(template, named, others):
    matches = Template(template).matches
    assert [path for path in named + others if matches(path)] == named


@pytest.mark.parametrize(
    ("filepath", "text", "folder"),
    [
        ("runs/x//{epoch}.png", "runs/x/{epoch}.png", "runs/x"),
        ("runs//x/", "runs/x/{epoch:04d}.png", "runs/x"),
        ("gs://bucket//x/{epoch}.png", "gs://bucket/x/{epoch}.png", "gs://bucket/x"),
        ("file:///tmp/x//{epoch}.png", "file:///tmp/x/{epoch}.png", "file:///tmp/x"),
        ("//host/x/{epoch}.png", "//host/x/{epoch}.png", "//host/x"),
    ],
)
def test_template_with_a_slash_too_many_is_without(filepath, text, folder):
    template = Template(filepath)
    assert (template.text, template.folder) == (text, folder)


# Where it stands


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("runs/{epoch}.png", "/work {{1}}/runs/{epoch}.png"),
        ("./runs", "/work {{1}}/runs/{epoch:04d}.png"),
        ("../runs", "/work {{1}}/../runs/{epoch:04d}.png"),
        (".", "/work {{1}}/{epoch:04d}.png"),
        ("{epoch}.png", "/work {{1}}/{epoch}.png"),
        ("file://runs", "file:///work {{1}}/runs/{epoch:04d}.png"),
        ("file:///a/runs", "file:///a/runs/{epoch:04d}.png"),
        ("/a/runs", "/a/runs/{epoch:04d}.png"),
        ("gs://b/runs", "gs://b/runs/{epoch:04d}.png"),
    ],
)
def test_absolute_template_is_in_the_working_folder_of_then(monkeypatch, given, text):
    template = Template(given)
    monkeypatch.setattr(os, "getcwd", lambda: "/work {1}")
    found = template.absolute()
    assert found.text == text
    assert found.path(COUNTERS, {})[0] == text.format(epoch=3)
    assert template.text == Template(given).text
    assert found.absolute().text == text


def test_absolute_template_needs_no_working_folder(monkeypatch):
    def getcwd():
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", getcwd)
    for text in ("/a/{epoch}.png", "gs://b/{epoch}.png"):
        assert Template(text).absolute().text == text


# A dot in a folder's name


SUFFIXES = (".png", ".jpg")


@pytest.mark.parametrize(
    ("given", "text", "suffix"),
    [
        ("runs/lr_0.01", "runs/lr_0.01/{epoch:04d}.png", ".png"),
        ("runs/v1.5/", "runs/v1.5/{epoch:04d}.png", ".png"),
        ("runs/v1.5/a", "runs/v1.5/a/{epoch:04d}.png", ".png"),
        ("runs/{epoch}.JPG", "runs/{epoch}.JPG", ".jpg"),
        # A field makes it a file's name, whose suffix is wrong: `check_format` says so.
        ("runs/{epoch}.jpgg", "runs/{epoch}.jpgg", ".jpgg"),
    ],
)
def test_template_knows_a_dot_in_a_folders_name_from_a_suffix(given, text, suffix):
    template = Template(given, suffixes=SUFFIXES)
    assert (template.text, template.suffix) == (text, suffix)


# How long names may be


@pytest.mark.parametrize("value", ["x" * 300, "\u4e2d" * 100, "\U00020000" * 100, 1e-7])
@pytest.mark.parametrize("fields", [1, 3, 6])
def test_path_fits_a_file_name_whatever_the_logs_hold(value, fields):
    names = [f"note{number}" for number in range(fields)]
    template = Template(
        "runs/" + "-".join(["{epoch:04d}", *(f"{{{name}}}" for name in names)]) + ".png"
    )
    path, missing = template.path({**COUNTERS, "epoch": 1_234_567_890}, dict.fromkeys(names, value))
    assert missing == []
    name = os.path.basename(path)
    assert len(os.fsencode(name)) <= 255
    assert name.startswith("1234567890-")
    assert name.endswith(".png")
    assert name.count("-") >= fields  # each has its place


@pytest.mark.parametrize(
    "template",
    [
        "x" * 260 + "{epoch}.png",
        "\u4e2d" * 84 + "{epoch}.png",
        "{epoch:0300d}.png",
        "x" * 230 + "/{epoch}" + "-{loss}" * 30 + ".png",
    ],
)
def test_template_of_a_name_without_room_is_refused(template):
    with pytest.raises(ValueError, match=r"names of at most 255 bytes, got .*epoch"):
        Template(template)


# Subfolders


@pytest.mark.parametrize(
    ("template", "through", "not_through"),
    [
        ("runs/{epoch:04d}/a.png", ["runs/0001"], ["runs/a", "runs/0001/a.png", "runs/1/2"]),
        ("runs/{epoch}/x/{loss}.png", ["runs/1", "runs/1/x"], ["runs/1/y"]),
        ("runs/{epoch}.png", [], ["runs/1.png", "runs/a"]),
    ],
)
def test_leads_through_tells_the_folders_that_pictures_are_below(template, through, not_through):
    found = Template(template)
    assert [path for path in [*through, *not_through] if found.leads_through(path)] == through


@pytest.mark.parametrize(
    "template", ["run/e{epoch}/../{epoch}.png", "run/{epoch}/../../{step}.png"]
)
def test_template_that_leads_up_again_behind_a_field_is_refused(template):
    with pytest.raises(
        ValueError, match=f"`filepath` must lead .*'run', got '{re.escape(template)}'"
    ):
        Template(template)
    assert Template("run/../other/{epoch}.png").folder == "run/../other"


@pytest.mark.parametrize(
    ("template", "depth", "relative"),
    [
        ("{epoch}.png", 0, "{epoch}.png"),
        ("{epoch}/{step}.png", 1, "{epoch}/{step}.png"),
        ("runs/{epoch}.png", 0, "{epoch}.png"),
        ("runs/a/e{epoch}/b/{loss}.png", 2, "e{epoch}/b/{loss}.png"),
        ("runs/{{a}}/{epoch}/x.png", 1, "{epoch}/x.png"),
        ("runs/{epoch}-{m/iou:.1f}.png", 0, "{epoch}-{m/iou:.1f}.png"),
        ("/{epoch}.png", 0, "{epoch}.png"),
        ("/{epoch}/{step}.png", 1, "{epoch}/{step}.png"),
        ("gs://bucket/{epoch}/a.png", 1, "{epoch}/a.png"),
        ("file:///a/{epoch}.png", 0, "{epoch}.png"),
        ("./{epoch}.png", 0, "{epoch}.png"),
    ],
)
def test_depth_is_how_many_folders_below_the_runs_a_path_may_lead(template, depth, relative):
    found = Template(template)
    assert (found.depth, found.relative) == (depth, relative)


@pytest.mark.parametrize(
    ("template", "path", "counters"),
    [
        ("r/{epoch:04d}.png", "r/0012.png", {"epoch": 12}),
        ("r/{epoch}-{batch:03d}-{step:08d}.png", "r/3-004-00000025.png", COUNTERS),
        ("r/{epoch}/{epoch:03d}.png", "r/7/008.png", {"epoch": 7}),
        ("r/{epoch:>4}.png", "r/   7.png", {}),
        ("r/{step:d}-{loss:.2f}.png", "r/25-0.50.png", {"step": 25}),
        ("r/{step:d}-{loss:.2f}.png", "r/25.png", {"step": 25}),
        ("r/{step:d}-{loss:.2f}.png", "r/25-.png", None),
        ("r/{step}-{a}-{b}-{c}-{d}-{e}-{f}.png", "r/25.png", {"step": 25}),
        ("r/{step}-{a}-{b}-{c}-{d}-{e}-{f}.png", "r/25-1-2.png", {"step": 25}),
        ("r/{step}-{a}-{b}-{c}-{d}-{e}-{f}.png", "r/25-1-2-3-4-5-6.png", {"step": 25}),
        ("r/{epoch:04d}.png", "q/0012.png", None),
        ("r/{epoch:04d}.png", "r/0012.png.tmp", None),
    ],
)
def test_counters_of_a_path_are_those_that_it_tells(template, path, counters):
    found = Template(template)
    assert found.counters_in(path) == counters
    assert found.matches(path) is (counters is not None)


@pytest.mark.parametrize(
    ("template", "longest"),
    [
        ("r/{epoch:04d}.png", "r/9999999999.png"),
        ("r/{epoch:012d}-{step}.png", "r/009999999999-9999999999.png"),
        ("r/{epoch}-{loss}.png", f"r/9999999999-{'x' * 64}.png"),
        ("{{a}}/{epoch}.png", "{a}/9999999999.png"),
        # What is left of 255 bytes is shared by the values in a name.
        ("r" * 200 + "{epoch}-{a}-{b}.png", f"{'r' * 200}9999999999-{'x' * 19}-{'x' * 19}.png"),
        (
            "{a}/" + "r" * 200 + "{epoch}-{b}.png",
            f"{'x' * 40}/{'r' * 200}9999999999-{'x' * 40}.png",
        ),
    ],
)
def test_longest_path_has_large_counters_and_as_much_of_values_as_fits(template, longest):
    assert Template(template).longest() == longest


@pytest.mark.parametrize(("count", "fits"), [(230, True), (231, True), (232, False)])
def test_template_has_room_for_a_value_of_ten_bytes(count, fits):
    template = "r" * count + "{epoch:d}{loss}.png"
    if fits:
        path, _ = Template(template).path({"epoch": 9_999_999_999}, {"loss": -1.234e-05})
        assert path == "r" * count + "9999999999-1.234e-05.png"[: 255 - count]
        return
    with pytest.raises(ValueError, match=r"at most 255 bytes, got .* has 246 beside 1 of `logs`"):
        Template(template)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"epoch": 3, "batch": None, "step": np.int64(7)}, {"epoch": 3, "step": 7}),
        ({"epoch": np.array([0]), "step": 2**53 - 2}, {"epoch": 0, "step": 2**53 - 2}),
    ],
)
def test_read_counts_returns_plain_ints(given, counts):
    found = Template("{epoch}-{step}.png").read_counts(**given)
    assert found == counts
    assert {type(one) for one in found.values()} == {int}


@pytest.mark.parametrize("step", [-1, 2**53 - 1, 1.0, True, "3"], ids=repr)
def test_read_counts_of_no_counter_shows_it(step):
    with pytest.raises(ValueError, match=f"`step` must be an int .*got {step!r}"):
        Template("{step}.png").read_counts(step=step)


PARTS = ["a", "-", "_", "/", "x.y", " ", "{{b}}"]
FIELDS = ["epoch", "epoch:04d", "batch", "step:08d", "loss:.3f", "note", "m/iou", "lr:.0e"]
VALUES = st.floats() | st.text(max_size=70) | st.integers() | st.lists(st.integers(), max_size=2)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.sampled_from([*PARTS, *(f"{{{one}}}" for one in FIELDS)]), max_size=8),
    suffix=st.sampled_from([".png", ""]),
    epoch=st.integers(0, 10**6),
    batch=st.integers(0, 10**6),
    logs=st.dictionaries(st.sampled_from(["loss", "note", "m/iou", "lr"]), VALUES),
)
def test_any_path_is_known_again_and_lies_where_its_template_leads(
    parts, suffix, epoch, batch, logs
):
    try:
        template = Template("runs/" + "".join(parts) + suffix)
    except ValueError:
        assume(False)
    counters = {"epoch": epoch, "batch": batch, "step": 7 * epoch + batch}
    path, missing = template.path(counters, logs)
    other, _ = template.path({**counters, "epoch": epoch + 1, "step": counters["step"] + 7}, logs)
    assert path != other
    assert {*missing} <= {*template.fields} - {*counters}
    assert template.matches(path)
    assert path.startswith(template.folder + "/")
    *folders, name = path.removeprefix(template.folder + "/").split("/")
    assert len(folders) == template.depth
    for depth in range(len(folders)):
        assert template.leads_through("/".join([template.folder, *folders[: depth + 1]]))
    assert all(0 < len(os.fsencode(one)) <= 255 for one in (*folders, name))
    assert not {".", ".."} & {*folders, name}
