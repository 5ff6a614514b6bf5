"""Which font writes a text: the one that Pillow brings, or one of the system's for what it lacks.

Pillow's font has the letters of English alone, and would draw a box for every other one. Letters with
marks are written without them there: é is e. A text with letters of other scripts is written in the
first of a few well-known fonts of the system that has the most of them; what none has is a box.
"""

import functools
import unicodedata
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from keras_image_saver.escapes import escaped

# Files of fonts with many scripts, which Pillow finds by their names where the system keeps its fonts:
# of Linux, then of macOS, then of Windows.
_SYSTEM = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DroidSansFallbackFull.ttf",
    "wqy-microhei.ttc",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "AppleSDGothicNeo.ttc",
    "segoeui.ttf",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
)
_OWN = ""
# In Unicode for ever no letter, so that a font draws what it has for those that it lacks.
_NO_LETTER = "\uffff"
_TRIED_AT, _TRIED_ON = 16, 40  # pixels


class Fonts:
    """The fonts of one size, loaded as texts need them.

    It is for one drawing: Pillow's font objects cannot be copied, nor be used by two threads.

    Args:
        size: In pixels.

    Attributes:
        ascent: From the top of a line to the letters' foot.
        height: Of a line.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._loaded = {_OWN: _load(_OWN, size)}
        self.ascent, descent = map(int, self._loaded[_OWN].getmetrics())
        self.height = self.ascent + descent

    def _of(self, text: str) -> Any:
        path = _font_of(text)
        if path not in self._loaded:
            self._loaded[path] = _load(path, self._size)
        return self._loaded[path]

    def box(self, text: str) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of what a text reaches over, from its line's corner."""
        left, top, right, bottom = self._of(text).getbbox(text, anchor="ls")
        return left, top + self.ascent, right, bottom + self.ascent

    def length(self, text: str) -> float:
        """Return how far a text leads."""
        length: float = self._of(text).getlength(text)
        return length

    def draw(self, picture: Any, x: float, y: float, text: str, color: Any) -> None:
        """Write a text into a picture of Pillow's; (x, y) is its line's upper left corner."""
        # Letters of all fonts stand on one line.
        place = (x, y + self.ascent)
        ImageDraw.Draw(picture).text(place, text, fill=color, font=self._of(text), anchor="ls")


def lettered(text: str) -> str:
    """Return text as it can be written: without marks where Pillow's font writes it."""
    whole = unicodedata.normalize("NFC", escaped(text))
    parts = unicodedata.normalize("NFD", whole)
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    lacking = _lacking(_OWN, plain)
    return whole if lacking and _lacking(_font_of(whole), whole) < lacking else plain


@functools.lru_cache(maxsize=1024)
def _font_of(text: str) -> str:
    """Return the file of the font that has the most letters of a text; "" is Pillow's own."""
    if not _lacking(_OWN, text):
        return _OWN
    return min((_OWN, *_system_fonts()), key=lambda path: _lacking(path, text))


def _lacking(path: str, text: str) -> int:
    """Return how many different letters a font lacks."""
    return sum(not letter.isascii() and not _has(path, letter) for letter in set(text))


@functools.lru_cache(maxsize=4096)
def _has(path: str, letter: str) -> bool:
    font = _load(path, _TRIED_AT)

    def drawn(text: str) -> bytes:
        picture = Image.new("L", (_TRIED_ON, _TRIED_ON))
        ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
        return picture.tobytes()

    return letter.isspace() or drawn(letter) != drawn(_NO_LETTER)


@functools.cache
def _system_fonts() -> tuple[str, ...]:
    """Return the files of those of `_SYSTEM` that are there."""
    found = []
    for name in _SYSTEM:
        try:
            found.append(str(ImageFont.truetype(name, _TRIED_AT).path))
        except OSError:  # noqa: PERF203 - it is not there, or cannot be read
            continue
    return tuple(found)


def _load(path: str, size: int) -> Any:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
