"""The pictures of a run, read one at a time and made comparable: one size, one number of channels."""

import os
import warnings
from collections.abc import Sequence

import numpy as np

from keras_image_saver.arrays import UInt8Array, nearest
from keras_image_saver.checks import check_int
from keras_image_saver.escapes import escaped
from keras_image_saver.picture import decoder
from keras_image_saver.picture.grid import blank, paste
from keras_image_saver.picture.layout import sample_box
from keras_image_saver.run.files import PAGE, SAMPLES
from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import check_path, join, storage_of

_MOST_NAMED = 3


class Pictures:
    """The pictures of some snapshots. What cannot be read is a gap: None, and said by `warn`.

    Args:
        snapshots: Whose pictures; none of them missed.
        max_pixels: The most pixels that one may have. None: any number.

    Raises:
        decoder.TooLargeError: If one has more.
    """

    def __init__(self, snapshots: Sequence[Snapshot], max_pixels: int | None) -> None:
        if max_pixels is not None:
            check_int("max_pixels", max_pixels, 1)
        self.snapshots = snapshots
        self._gaps: dict[int, str] = {}
        self._headers: dict[int, tuple[int, int, int]] = {}
        for number, snapshot in enumerate(snapshots):
            try:
                with storage_of(snapshot.path).open() as file:
                    self._headers[number] = decoder.read_header(file, max_pixels)
            except decoder.TooLargeError as error:  # noqa: PERF203 - a broken one must not hide others
                raise decoder.TooLargeError(f"{error} It is {snapshot.path!r}.") from None
            except Exception as error:  # a remote storage raises what it likes
                self.miss(number, error)

    def screen(self, sample: int | None = None) -> tuple[int, int, int]:
        """Return the (height, width, channels) of a screen on which each picture, or sample, fits.

        Raises:
            ValueError: If there is no picture, or no sample of that number.
        """
        if not self._headers:
            raise ValueError(f"There is no picture that can be read: {self._listed()}.")
        heights, widths, channels = zip(*self._headers.values(), strict=True)
        if sample is not None:
            _, _, heights, widths = zip(*self._boxes(sample), strict=True)
        return max(heights), max(widths), max(channels)

    def read(self, number: int) -> UInt8Array | None:
        """Decode a snapshot's picture, (H, W, C), on any thread; None if it cannot be read."""
        if number not in self._headers:
            return None
        try:
            with storage_of(self.snapshots[number].path).open() as file:
                return decoder.read_image(file)
        except Exception as error:
            self.miss(number, error)
            return None

    def cut(
        self,
        number: int,
        image: UInt8Array | None,
        sample: int,
        panels: Sequence[str] = (),
        place: int | None = None,
    ) -> UInt8Array | None:
        """Cut a sample out of a snapshot's picture by the recorded geometry; None if it cannot be."""
        if image is None:
            return None
        try:
            y, x, height, width = sample_box(self.snapshots[number].geometry, sample, panels, place)
            if min(y, x) < 0 or y + height > image.shape[0] or x + width > image.shape[1]:
                raise ValueError("its tiles stand outside of it by the record")
            return image[y : y + height, x : x + width]
        except ValueError as error:
            self.miss(number, error)
            return None

    def is_lossy(self, number: int) -> bool:
        """Tell whether a snapshot's picture is there, and of a format that has changed its pixels."""
        if number not in self._headers:
            return False
        try:
            with storage_of(self.snapshots[number].path).open() as file:
                return decoder.is_lossy(file)
        except Exception:  # it is gone by now
            return False

    def warn(self, what: str = "left as gaps") -> None:
        """Say which pictures could not be read, and what was done about it."""
        if self._gaps:
            warnings.warn(
                f"{len(self._gaps)} of {len(self.snapshots)} pictures cannot be read and are {what}: "
                f"{self._listed()}.",
                stacklevel=3,
            )

    def _boxes(self, sample: int) -> list[tuple[int, int, int, int]]:
        found, reason = [], None
        for number in self._headers:
            try:
                found.append(sample_box(self.snapshots[number].geometry, sample))
            except ValueError as error:  # noqa: PERF203 - one of them may have no geometry
                reason = error
        if not found:
            raise ValueError(f"`sample` must be a sample of the run, got {sample!r}: {reason}.")
        return found

    def miss(self, number: int, error: Exception) -> None:
        """Note why a snapshot's picture cannot be used, or not as the record says."""
        snapshot = self.snapshots[number]
        name = os.path.basename(snapshot.path)
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error
        self._gaps.setdefault(number, escaped(f"epoch {snapshot.epoch}, {name}: {reason}"))

    def _listed(self) -> str:
        listed = [self._gaps[number] for number in sorted(self._gaps)]
        more = len(listed) - _MOST_NAMED
        return "; ".join(listed[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def fit(image: UInt8Array, screen: tuple[int, int, int]) -> UInt8Array:
    """Enlarge a picture by the largest whole factor that fits, and centre it on a black screen."""
    height, width = image.shape[:2]
    factor, x, y = place_on(screen, height, width)
    shown = blank(*screen)
    paste(shown, nearest(image[np.newaxis], height * factor, width * factor)[0], y, x)
    return shown


def place_on(screen: tuple[int, int, int], height: int, width: int) -> tuple[int, int, int]:
    """Return by which factor a picture is enlarged on a screen, and where it stands: (factor, x, y).

    >>> place_on((20, 30, 3), 8, 12)
    (2, 3, 2)
    """
    factor = min(screen[0] // height, screen[1] // width)
    return factor, (screen[1] - width * factor) // 2, (screen[0] - height * factor) // 2


def open_run(run: Run | str | os.PathLike[str]) -> Run:
    """Return a run that has snapshots.

    Raises:
        FileNotFoundError: If the folder has no record of a run.
        ValueError: If there is no snapshot in it yet.
    """
    opened = run if isinstance(run, Run) else Run.open(run)
    if not len(opened):
        missed = f"; {len(opened.missed)} were missed" if opened.missed else ""
        raise ValueError(f"The run in {opened.folder!r} has no snapshots yet{missed}.")
    return opened


def check_output(out: str | os.PathLike[str], run: Run) -> str:
    """Return the path of what is written, unless that is a file of the run.

    Raises:
        ValueError: If it is.
        TypeError: If it is no path.
    """
    path = check_path(out, "out")
    own = [join(run.folder, SAMPLES), join(run.folder, PAGE), *(one.path for one in run)]
    if storage_of(path).real_path in {storage_of(name).real_path for name in own}:
        raise ValueError(f"`out` must not be a file of the run itself, got {path!r}.")
    return path
