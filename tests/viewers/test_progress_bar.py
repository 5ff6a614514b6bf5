"""The bar that a timelapse shows on a terminal."""

import io
import re
import sys
import warnings

import pytest
from support.folders import decoded, flat, write_run

from keras_image_saver import timelapse


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("terminal", [Terminal, io.StringIO])
def test_timelapse_shows_a_bar_on_a_terminal_only(tmp_path, monkeypatch, terminal):
    pytest.importorskip("tqdm")
    run = write_run(tmp_path / "run", [flat((255, 0, 0))] * 3)
    monkeypatch.setattr(sys, "stderr", terminal())
    timelapse(run, tmp_path / "out.webp")
    said = sys.stderr.getvalue()
    assert bool(re.search(r"out\.webp: .*3/3|out\.webp: .*0/3", said)) == (terminal is Terminal)


def test_timelapse_works_without_tqdm(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    run = write_run(tmp_path / "run", [flat((255, 0, 0))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        timelapse(run, tmp_path / "out.webp", caption=None)
        assert len(decoded(tmp_path / "out.webp")[0]) == 1
    assert sys.stderr.getvalue() == ""
