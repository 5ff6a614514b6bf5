import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_image_saver
from keras_image_saver import make_grid, save_image
from keras_image_saver.cli import main

COMMANDS = ["page", "timelapse", "strip", "tiles", "info"]
GEOMETRY = {
    "origin": [2, 2],
    "tile": [64, 64],
    "stride": [66, 66],
    "columns": 2,
    "count": 4,
    "panels": ["prediction"],
    "enlargement": 1,
}


def entry(epoch, **changes):
    found = {"format": 1, "epoch": epoch, "batch": 4, "step": epoch * 4, "time": 1.5}
    found |= {"file": f"{epoch:04d}.png", "logs": {"loss": 1 / epoch, "g_loss": "NaN"}}
    return found | {"missed": False, "geometry": GEOMETRY} | changes


def write(folder, entries):
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(one) + "\n" for one in entries]
    (folder / "snapshots.jsonl").write_text("".join(lines))


@pytest.fixture
def run(tmp_path):
    """A run of two epochs; the third was missed."""
    folder = tmp_path / "run"
    for epoch in (1, 2):
        save_image(folder / f"{epoch:04d}.png", make_grid(np.full((4, 64, 64, 3), 90, np.uint8)))
    missed = entry(3, file=None, missed=True, reason="OSError: disk full")
    write(folder, [entry(1), entry(2), missed])
    return folder


def shell(*arguments, **options):
    command = [sys.executable, "-m", "keras_image_saver", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )


def failure(capsys, *arguments):
    """What a command says on standard error, which is one line, and its exit code."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        code = exit_.code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")
    return code, said.err


# What it does


def test_cli_timelapse_writes_the_frames_and_says_where(run, tmp_path, capsys):
    out = tmp_path / "out.webp"
    arguments = ["--fps", "5", "--hold-last", "2", "--last", "2", "--caption", "{loss:.2f}"]
    assert main(["timelapse", str(run), str(out), *arguments, "--lossless"]) == 0
    with Image.open(out) as picture:
        assert picture.n_frames == 2
        picture.load()
        assert picture.info["duration"] == 200
        assert picture.convert("RGB").getpixel((20, 20)) == (90, 90, 90)
    assert capsys.readouterr() == (f"{out}\n", "")


def test_cli_timelapse_of_a_sample_without_a_caption(run, tmp_path):
    out = tmp_path / "out.gif"
    assert main(["timelapse", str(run), str(out), "--sample", "3", "--caption", ""]) == 0
    with Image.open(out) as picture:
        assert picture.size == (256, 256)


def test_cli_strip_has_the_rows_and_columns_asked_for(run, tmp_path, capsys):
    out = tmp_path / "out.png"
    arguments = ["--epochs", "2", "--samples", "3", "--spacing", "even"]
    assert main(["strip", str(run), str(out), *arguments]) == 0
    with Image.open(out) as picture:
        assert picture.width == 2 + 2 * 66
        assert picture.height > 2 + 3 * 66
    assert capsys.readouterr() == (f"{out}\n", "")


@pytest.mark.parametrize(
    ("command", "size"), [("timelapse", 3 * 134), ("strip", 2 * (3 * 64 + 2) + 2)]
)
def test_cli_scale_enlarges(command, size, run, tmp_path):
    out = tmp_path / "out.png"
    assert main([command, str(run), str(out), "--scale", "3"]) == 0
    with Image.open(out) as picture:
        assert picture.width == size


def test_cli_page_of_a_folder_of_runs_lists_them(run, capsys):
    assert main(["page", str(run.parent)]) == 0
    assert "lists the runs" in (run.parent / "index.html").read_text("utf-8")[:200]
    assert capsys.readouterr() == (f"{run.parent}/index.html\n", "")


def test_cli_compare_writes_a_page_and_says_where(run, tmp_path, capsys):
    write(tmp_path / "other", [entry(1)])
    out = tmp_path / "compare.html"
    assert main(["compare", str(run), str(tmp_path / "other"), "--out", str(out)]) == 0
    assert "compares runs" in out.read_text("utf-8")[:200]
    assert capsys.readouterr() == (f"{out}\n", "")


def test_cli_compare_of_one_run_says_what_to_do(run, tmp_path, capsys):
    code, said = failure(capsys, "compare", run, "--out", tmp_path / "c.html")
    assert (code, "`runs` must be 2 to 4 folders, got 1" in said) == (1, True)


def test_cli_page_writes_an_index_and_says_where(run, capsys):
    pytest.importorskip("keras_image_saver.viewers.page")
    assert main(["page", str(run)]) == 0
    assert capsys.readouterr() == (f"{run}/index.html\n", "")
    assert "<html" in (run / "index.html").read_text("utf-8").lower()


def test_cli_info_prints_a_table(run, capsys):
    (run / "0001.png").unlink()
    size = (run / "0002.png").stat().st_size
    assert main(["info", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"run       {run}"
    assert lines[1:5] == [
        "epochs    1 to 2, step 8, 2 snapshots",
        "files     1 .png",
        f"missing   epoch 1: {run}/0001.png",
        "missed    epoch 3: OSError: disk full",
    ]
    assert lines[5].startswith(f"size      {size} B of pictures, ")
    assert re.fullmatch(r"last      \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", lines[6])
    assert lines[7:] == ["last logs loss    0.5", "          g_loss  nan"]


def test_cli_info_lists_the_first_ten_of_many(run, capsys):
    write(run, [entry(1), *(entry(n, file=None, reason="full") for n in range(2, 20))])
    assert main(["info", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    missed = [line for line in lines if "full" in line or " more" in line]
    assert (len(missed), missed[0], missed[-1]) == (
        11,
        "missed    epoch 2: full",
        "          and 8 more",
    )


def test_cli_info_of_a_folder_of_runs_lists_them(run, capsys):
    assert main(["info", str(run.parent)]) == 0
    title, line = capsys.readouterr().out.splitlines()
    assert title.startswith("run  state  snapshots  last epoch  age ")
    assert line.split()[:3] == ["run", "2", "2"]
    assert line.endswith("loss 0.5, g_loss nan")


def test_cli_info_of_an_empty_run(tmp_path, capsys):
    write(tmp_path / "run", [])
    assert main(["info", str(tmp_path / "run")]) == 0
    assert "epochs    none yet\nfiles     none\n" in capsys.readouterr().out


# What goes wrong


@pytest.mark.parametrize("command", ["timelapse", "strip", "info"])
def test_cli_of_a_folder_that_is_no_run_exits_with_1(command, tmp_path, capsys):
    out = [] if command == "info" else [tmp_path / "out.png"]
    code, said = failure(capsys, command, tmp_path / "none", *out)
    assert code == 1
    assert said.startswith(
        "keras-image-saver: error: There is no record of a run (snapshots.jsonl)"
    )


@pytest.mark.parametrize("command", ["timelapse", "strip", "info"])
def test_cli_of_a_newer_run_exits_with_1(command, run, tmp_path, capsys):
    write(run, [entry(1, format=2)])
    out = [] if command == "info" else [tmp_path / "out.png"]
    code, said = failure(capsys, command, run, *out)
    assert (code, "newer keras_image_saver" in said) == (1, True)


def test_cli_says_a_bad_value_on_one_line(run, tmp_path, capsys):
    code, said = failure(capsys, "timelapse", run, tmp_path / "out.gif", "--fps", "80")
    assert code == 1
    assert said == (
        "keras-image-saver: error: `fps` must be a number from 0.02 to 50 for GIF, got 80.0.\n"
    )


def test_cli_tiles_writes_those_asked_for(run, tmp_path, capsys):
    out = tmp_path / "tiles"
    arguments = ["--epochs", "1-2", "--samples", "0,2-3", "--panels", "prediction"]
    assert main(["tiles", str(run), str(out), *arguments]) == 0
    names = [f"000{epoch}-00{sample}-prediction.png" for epoch in (1, 2) for sample in (0, 2, 3)]
    assert sorted(path.name for path in out.iterdir()) == names
    assert capsys.readouterr() == (f"6 files in {out}\n", "")
    assert main(["tiles", str(run), str(out), "--epochs", "last"]) == 1
    assert "is there already; nothing was written" in capsys.readouterr().err


def test_cli_info_counts_removed_snapshots_and_names_none_as_missing(tmp_path, capsys):
    folder = tmp_path / "run"
    entries = [entry(epoch, removed=epoch in (2, 3)) for epoch in range(1, 6)]
    write(folder, entries)
    for epoch in (1, 4, 5):
        (folder / f"{epoch:04d}.png").write_bytes(b"-")
    assert main(["info", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "removed   2 snapshots, of epochs 2 to 3" in lines
    assert not [line for line in lines if line.startswith(("missing", "missed"))]


def test_cli_info_counts_one_snapshot_in_the_singular(tmp_path, capsys):
    folder = tmp_path / "run"
    write(folder, [entry(1, removed=True), entry(2)])
    assert main(["info", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "epochs    2, step 8, 1 snapshot" in lines
    assert "removed   1 snapshot, of epoch 1" in lines


def test_cli_says_a_missing_picture_as_a_warning_and_goes_on(run, tmp_path, capsys):
    (run / "0001.png").unlink()
    assert main(["strip", str(run), str(tmp_path / "out.png")]) == 0
    said = capsys.readouterr().err
    assert said.startswith("keras-image-saver: warning: 1 of 2 pictures cannot be read")


def test_cli_with_a_limit_refuses_larger_pictures_and_0_lifts_it(run, tmp_path, capsys):
    out = tmp_path / "out.png"
    for command in ("timelapse", "strip"):
        code, said = failure(capsys, command, run, out, "--max-pixels", "100")
        assert (code, "`max_pixels` is 100, got a picture 134 wide" in said) == (1, True)
        assert main([command, str(run), str(out), "--max-pixels", "0"]) == 0
        assert capsys.readouterr().out == f"{out}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["info"],
        ["timelapse", "run"],
        ["strip", "run", "out.png", "--epochs", "many"],
        ["tiles", "run", "out", "--epochs", "many"],
        ["tiles", "run", "out", "--samples", "1-"],
        ["info", "run", "more"],
    ],
    ids=" ".join,
)
def test_cli_that_is_not_understood_exits_with_2(arguments, capsys):
    code, said = failure(capsys, *arguments)
    assert code == 2
    assert re.match(r"keras-image-saver( \w+)?: error: .* \(see --help\)$", said)


def test_cli_that_is_interrupted_exits_with_1(run, capsys, monkeypatch):
    def interrupted(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras_image_saver.Run, "open", interrupted)
    assert failure(capsys, "info", run) == (1, "keras-image-saver: error: interrupted\n")


def test_cli_whose_reader_has_gone_is_silent(run):
    write(run, [entry(n, file=None, reason="x" * 20_000) for n in range(1, 12)])
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "keras_image_saver", "info", str(run)]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_cli_help_of_a_command_has_an_example_on_one_line(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert re.search(rf"^  keras-image-saver {command} runs/dcgan.*$", said, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_cli_examples_of_the_help_are_understood(command, capsys, tmp_path, monkeypatch):
    if command == "page":
        pytest.importorskip("keras_image_saver.viewers.page")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    example = capsys.readouterr().out.rsplit("keras-image-saver ", 1)[1]
    monkeypatch.chdir(tmp_path)
    code, said = failure(capsys, *shlex.split(example))
    assert (code, "runs/dcgan" in said) == (1, True)


def test_cli_help_lists_the_commands_and_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(re.search(rf"^ +{command}( |$)", said, re.MULTILINE) for command in COMMANDS)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"keras-image-saver {keras_image_saver.__version__}\n"


def test_cli_help_imports_neither_numpy_nor_pillow_and_answers_at_once():
    code = (
        "import sys\n"
        "from keras_image_saver.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'PIL', 'tensorflow'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == "set()\n"
    times = [1.0]
    while min(times) >= 0.25 and len(times) < 20:  # other processes may have the machine busy
        began = time.monotonic()
        assert shell("--help").returncode == 0
        times.append(time.monotonic() - began)
    assert min(times) < 0.25


def test_cli_of_a_local_run_never_imports_tensorflow(run, tmp_path):
    code = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "from keras_image_saver.cli import main\n"
        f"run, out = {str(run)!r}, {str(tmp_path)!r}\n"
        "codes = [main(['info', run]), main(['timelapse', run, out + '/a.gif'])]\n"
        "codes += [main(['timelapse', run, out + '/a.webp']), main(['strip', run, out + '/a.png'])]\n"
        "print(codes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 0]"


def test_cli_is_both_a_module_and_a_script(run):
    done = shell("info", run)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("run ")
    config = (Path(__file__).parents[1] / "setup.cfg").read_text("utf-8")
    assert "keras-image-saver = keras_image_saver.cli:main" in config
