"""Fonts: Pillow's own for English, one of the system's for what that has no letters for."""

import numpy as np
import pytest
from PIL import Image

from keras_image_saver.picture import fonts
from keras_image_saver.picture.fonts import Fonts, lettered

pytestmark = pytest.mark.numpy


@pytest.fixture
def having(monkeypatch):
    """Let the system have these font files alone."""

    def forget():
        for cached in (fonts._system_fonts, fonts._font_of, fonts._has):
            cached.cache_clear()

    def have(*names):
        monkeypatch.setattr(fonts, "_SYSTEM", names)
        forget()

    yield have
    monkeypatch.undo()
    forget()


@pytest.fixture
def dejavu():
    """A font of many scripts; Matplotlib brings it."""
    matplotlib = pytest.importorskip("matplotlib", reason="brings the font DejaVu Sans")
    return f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"


def drawn(text, size=16):
    picture = Image.new("L", (120, 40))
    Fonts(size).draw(picture, 4, 8, lettered(text), 255)
    return np.asarray(picture)


def test_letters_that_no_font_has_are_boxes(having):
    having()
    np.testing.assert_array_equal(drawn("кот"), drawn("дом"))
    np.testing.assert_array_equal(drawn("йё"), drawn("ие"))


def test_letters_of_other_scripts_are_written_in_a_font_of_the_system(having, dejavu):
    having("no such font.ttf", dejavu)
    words = ["кот", "дом", "йод", "иод", "ψυχή", "ß", "↓4"]
    pictures = [drawn(word).tobytes() for word in words]
    assert len(set(pictures)) == len(words)
    having()
    assert not {drawn(word).tobytes() for word in words} & {*pictures}


@pytest.mark.parametrize("text", ["dog", "dög né", "a…b", "12 %"])
def test_text_that_pillows_font_can_write_looks_for_no_other(having, dejavu, text):
    having()
    expected = drawn(text)
    having(dejavu)
    np.testing.assert_array_equal(drawn(text), expected)


def test_font_that_has_more_of_the_letters_writes_them(having, dejavu):
    having(dejavu)
    assert lettered("кот 猫") == "кот 猫"
    assert lettered("dög 猫") == "dog 猫"  # neither has the last
    assert not np.array_equal(drawn("кот 猫"), drawn("дом 猫"))


def test_letters_of_all_fonts_stand_on_one_line(having, dejavu):
    having(dejavu)
    feet = [np.flatnonzero((drawn(word, 20) > 128).any(1))[-1] for word in ("LID", "ЛИЯ")]
    assert feet[0] == feet[1]


def test_file_that_is_no_font_is_left_out(having, dejavu, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    having(str(tmp_path / "broken.ttf"), dejavu)
    assert fonts._system_fonts() == (dejavu,)
