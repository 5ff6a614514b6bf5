"""The twins of a page's scripts: documents that hand the same parts to pages of other folders."""

import math
import time

from keras_image_saver.run.files import twin_name
from keras_image_saver.run.storage import Storage
from keras_image_saver.viewers.page.parts import Segment, twin

# A page elsewhere may be as much behind, so that snapshots which come fast cost no second page each. A
# few in a row are not held back: they may be the last ones for long.
EVERY_S = 2.0
_IN_A_ROW = 8


class Twins:
    """The twins in a folder, which are written when they are due and when they are told to be.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Storage) -> None:
        self._folder = folder
        self._unwritten: dict[str, tuple[Segment, str]] = {}
        self._paid_until = -math.inf  # each time costs `EVERY_S` of the clock

    def add(self, script: str, segment: Segment, text: str) -> None:
        """Note what a script hands over; `write` brings it to storage, then or later."""
        # To the end: the newest entries' script says which segments there are before it.
        self._unwritten.pop(script, None)
        self._unwritten[script] = (segment, text)

    def remove(self, script: str) -> None:
        """Remove the twin of a script that is removed."""
        self._unwritten.pop(script, None)
        (self._folder / twin_name(script)).remove()

    def write(self, *, all_of_them: bool) -> None:
        """Bring what was added to storage, if it is time to, or if it is to be there now.

        Raises:
            OSError: If storage fails; what was not written is tried again by the next `write`.
        """
        now = time.monotonic()
        rests = self._paid_until - now > (_IN_A_ROW - 1) * EVERY_S
        if not self._unwritten or (rests and not all_of_them):
            return
        self._paid_until = max(self._paid_until, now) + EVERY_S
        for script, part in list(self._unwritten.items()):
            self._replace(twin_name(script), twin(*part).encode("ascii"))
            del self._unwritten[script]

    def _replace(self, name: str, content: bytes) -> None:
        (self._folder / name).replace(lambda file: file.write(content))
