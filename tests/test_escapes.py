"""What is not printable is shown escaped, wherever a text leaves the package."""

import json
import logging
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image
from support.folders import decoded, flat, write_run

from keras_image_saver import Run, strip, timelapse, write_page
from keras_image_saver.cli import main
from keras_image_saver.escapes import escaped
from keras_image_saver.picture.text import draw_line
from keras_image_saver.report import say, warn

HOSTILE = "a\n\x1b[31mWARNING\r\x07\x00\u202e\ud800"
SHOWN = r"a\n\x1b[31mWARNING\r\x07\x00\u202e\ud800"


def is_clean(text):
    """Whether a terminal, and any encoding, takes it as it is; line breaks aside."""
    return text.replace("\n", "").isprintable() and bool(text.encode("utf-8"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("loss 0.5, épocas, 世界, 🙂", "loss 0.5, épocas, 世界, 🙂", id="text"),
        pytest.param("\u3000\xa0", "\u3000\xa0", id="spaces"),
        pytest.param("C:\\new", "C:\\new", id="backslash"),
        pytest.param(HOSTILE, SHOWN, id="hostile"),
        pytest.param(
            "\x7f\x85\x9b\u2028\u2066\ufeff", r"\x7f\x85\x9b\u2028\u2066\ufeff", id="others"
        ),
        pytest.param("\U000e0001", r"\U000e0001", id="tag"),
    ],
)
def test_escaped_text_shows_what_is_not_printable(text, shown):
    assert escaped(text) == shown


# Where texts leave


def test_say_and_warn_are_escaped(caplog):
    with caplog.at_level(logging.WARNING):
        say(f"The metric {HOSTILE} is odd.")
    assert caplog.messages == [f"The metric {SHOWN} is odd."]
    with pytest.warns(UserWarning, match="metric") as said:
        warn(f"The metric {HOSTILE} is odd.")
    assert str(said[0].message) == f"The metric {SHOWN} is odd."


@pytest.fixture
def hostile(tmp_path):
    """A run whose record has hostile names and reasons; one picture is there, others are not."""
    folder = tmp_path / "run"
    write_run(folder, [flat(9)], logs=[{HOSTILE: HOSTILE, "loss": 0.5}])
    first = json.loads((folder / "snapshots.jsonl").read_text())
    # A record has no file that no file system could have.
    absent = first | {"epoch": 2, "step": 8, "file": HOSTILE[:-3] + ".png"}
    missed = first | {"epoch": 3, "step": 12, "file": None, "missed": True, "reason": HOSTILE}
    lines = [json.dumps(one) for one in (first, absent, missed)]
    (folder / "snapshots.jsonl").write_text("\n".join([*lines, "no entry"]))
    return folder


def test_cli_info_of_a_hostile_record_is_escaped(hostile, capsys):
    assert main(["info", str(hostile)]) == 0
    said = capsys.readouterr()
    assert is_clean(said.out)
    assert is_clean(said.err)
    assert f"missed    epoch 3: {SHOWN}\n" in said.out
    assert f"{SHOWN}  {SHOWN}\n" in said.out
    assert "\nWARNING" not in said.out


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1:strict"])
def test_cli_info_is_written_in_any_encoding(hostile, encoding):
    place = hostile.with_name("rün 世界")
    os.rename(hostile, place)
    done = subprocess.run(
        [sys.executable, "-m", "keras_image_saver", "info", str(place)],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr
    name = encoding.split(":")[0]
    assert "rün 世界".encode(name, "backslashreplace") in done.stdout


def test_warnings_of_viewers_are_escaped(hostile, tmp_path):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        strip(hostile, tmp_path / "a.png")
        timelapse(hostile, tmp_path / "a.gif", caption=None)
        write_page(hostile)
    texts = [str(one.message) for one in said]
    assert sum("cannot be read and are left as gaps" in text for text in texts) == 2
    assert [text for text in texts if not is_clean(text) or "\n" in text] == []


def test_errors_of_viewers_are_escaped(hostile, tmp_path):
    (hostile / "0001.png").unlink()
    with pytest.warns(UserWarning, match="1 lines of the record"):
        run = Run.open(hostile)
    with pytest.raises(ValueError, match="no picture that") as error:
        timelapse(run, tmp_path / "a.gif")
    assert is_clean(str(error.value))
    with pytest.raises(ValueError, match="`caption` has fields") as error:
        timelapse(run, tmp_path / "a.gif", caption="{none}")
    assert is_clean(str(error.value))


def test_cli_says_what_is_wrong_escaped(hostile, tmp_path, capsys):
    assert main(["strip", str(hostile), str(tmp_path / "a.gif")]) == 0
    said = capsys.readouterr().err
    assert "cannot be read and are left as gaps" in said
    with pytest.raises(SystemExit, match="2"):
        main(["strip", str(hostile), "a.gif", "--no\x1b\nne"])
    said += capsys.readouterr().err
    assert r"unrecognized arguments: --no\x1b ne" in said
    assert is_clean(said)
    assert said.count("\n") == 3


def test_captions_in_pictures_are_escaped(hostile, tmp_path):
    """A template may name any log, and its text is drawn into the frame."""
    line = draw_line("a\x1b\ud800b", 12, 20, 120)
    np.testing.assert_array_equal(line, draw_line(r"a\x1b\ud800b", 12, 20, 120))
    run = Run.open(write_run(tmp_path / "other", [flat(9)], logs=[{"note": "\x1b\ud800"}]))
    timelapse(run, tmp_path / "a.png", caption="{note}")
    timelapse(
        Run.open(write_run(tmp_path / "third", [flat(9)], logs=[{"note": r"\x1b\ud800"}])),
        tmp_path / "b.png",
        caption="{note}",
    )
    np.testing.assert_array_equal(decoded(tmp_path / "a.png")[0], decoded(tmp_path / "b.png")[0])
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.height > 8
