"""A run as one animated file."""

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import check_int, check_number, is_number
from keras_image_saver.escapes import escaped
from keras_image_saver.picture import animation, decoder, formats
from keras_image_saver.picture.grid import blank, paste
from keras_image_saver.picture.layout import layout_of, sample_box
from keras_image_saver.picture.text import cut, draw_line, draw_texts, line_size, text_height
from keras_image_saver.run.reader import Run
from keras_image_saver.run.storage import storage_of
from keras_image_saver.viewers.captions import captions
from keras_image_saver.viewers.on_disk import on_disk
from keras_image_saver.viewers.panels import captions_of, panel_caption
from keras_image_saver.viewers.pictures import Pictures, check_output, fit, open_run, place_on
from keras_image_saver.viewers.progress_bar import with_progress

_NARROWEST = 256
_MISSING = " (missing)"
# PNG counts a frame's time in 16 bits, here of milliseconds.
_LEAST_FPS = 0.02
_LONGEST_HOLD_S = 60


def timelapse(
    run: Run | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    fps: float = 10,
    hold_last_s: float = 1.5,
    sample: int | None = None,
    caption: str | None = "epoch {epoch}",
    last: int | None = None,
    scale: int | None = None,
    encoder_options: Mapping[str, Any] | None = None,
    max_pixels: int | None = decoder.MAX_PIXELS,
) -> str:
    """Write a run's pictures as one animation that repeats for ever.

    A few frames are in memory at a time, however many there are; of a file on remote storage the
    whole result too. Pictures of different sizes, as of a run resumed with other settings, are
    centred on the largest height and width, enlarged by the largest whole factor that fits, on
    black; grey ones become RGB, and all become RGBA, where one of them is. Where a picture is missing or
    broken, the one before stays for its time, and the caption says so.

    Args:
        run: A run's folder, or `Run.open` of it.
        out: Where to write: .webp, .gif or .png (animated PNG, lossless). A GIF has one palette of
            256 colours, taken from frames all over the run and never dithered, so that nothing
            flickers; grey pictures are exact. WebP is of quality 75, or lossless where that is
            smaller, as with class maps.
        fps: Frames a second, from 0.02 to 100; of a GIF to 50. A GIF's times are rounded to 10 ms,
            such that they add up.
        hold_last_s: How long the last frame is shown, 0 to 60.
        sample: The number of a sample, from 0, to show alone, with all its panels and, where these
            are several, their names above them. None: all.
        caption: A line under each frame: text with `{epoch}`, `{batch}`, `{step}` and keys of the
            logs, such as "epoch {epoch}, loss {loss:.3f}". None: no line.
        last: Only so many snapshots, the last ones. None: all.
        scale: Whole factor by which pictures are enlarged, by nearest neighbour. None: the least by
            which they are 256 pixels wide.
        encoder_options: `quality` or `lossless` (WebP), `compress_level` (PNG).
        max_pixels: The most pixels that a picture may have. None: any number.

    Returns:
        The path of the file.

    Raises:
        FileNotFoundError: If the folder has no record of a run.
        ValueError: If an argument is not valid, if there is nothing to show, or if a picture has more
            than `max_pixels`.

    Warns:
        UserWarning: If pictures are missing or broken.

    Example:
        ```python
        timelapse("runs/dcgan", "dcgan.webp", caption="epoch {epoch}, loss {g_loss:.2f}")
        ```
    """
    opened = open_run(run)
    path = check_output(out, opened)
    # What is best by trial is taken unless the user sets something.
    kind = formats.check_animated_format(path, encoder_options)
    _check_times(fps, hold_last_s, kind)
    check_int("sample", sample, 0, optional=True)
    check_int("last", last, 1, optional=True)
    check_int("scale", scale, 1, optional=True)
    snapshots = on_disk(opened)[-(last or 0) :]
    texts = captions(caption, snapshots) if caption else []
    pictures = Pictures(snapshots, max_pixels)
    film = _Film(pictures, opened.about, sample, texts, scale)
    formats.check_image(film.shape, kind)
    probes = film.probes(kind.probes)
    times = animation.durations(len(snapshots), fps, hold_last_s, kind.tick_ms)

    def write(file: BinaryIO) -> None:
        frames = with_progress(film.frames(), len(snapshots), escaped(os.path.basename(path)))
        timed = zip(frames, times, strict=True)
        animation.write_animation(file, timed, kind, probes=probes)

    storage_of(path).replace(write)
    pictures.warn()
    return path


class _Film:
    """The frames: pictures on a screen, with captions under them.

    Args:
        pictures: What to show.
        about: What is said of the run.
        sample: The sample to show alone, or None.
        texts: The captions; empty for none.
        scale: By how much to enlarge; None: until a frame is wide enough.
    """

    def __init__(
        self,
        pictures: Pictures,
        about: Mapping[str, Any],
        sample: int | None,
        texts: list[str],
        scale: int | None,
    ) -> None:
        self._pictures = pictures
        self._sample = sample
        self._texts = texts
        height, width, channels = pictures.screen(sample)
        factor = scale or math.ceil(_NARROWEST / width)
        height, width = height * factor, width * factor
        self._font_size = line_height = 0
        if texts:
            lines = [*texts, max(texts, key=len) + _MISSING]
            self._font_size, line_height, needed = line_size(lines, width)
            width = max(width, needed)
        self._screen = height, width, channels
        self._margin = line_height, width, channels
        self._names = None if sample is None else _Names(pictures, about, sample, self._screen)
        above = 0 if self._names is None else self._names.height
        self._upper = above + height, width, channels
        self.shape = above + height + line_height, width, channels

    def frames(self) -> Iterator[UInt8Array]:
        """Yield each frame; pictures are read a few ahead."""
        held = blank(*self._upper)
        for image, line in animation.in_order(self._load, range(len(self._pictures.snapshots))):
            held = held if image is None else image
            yield np.concatenate([held, line])

    def probes(self, count: int) -> list[UInt8Array]:
        """Return `count` frames from all over the run, or fewer of a short one; the last one last."""
        last = len(self._pictures.snapshots) - 1
        numbers = {round(last * place / (count - 1)) for place in range(count - 1)} | {last}
        loaded = [self._load(number) for number in sorted(numbers)]
        gap = blank(*self._upper)
        return [np.concatenate([gap if image is None else image, line]) for image, line in loaded]

    def _load(self, number: int) -> tuple[UInt8Array | None, UInt8Array]:
        """Return a picture on its screen, if it can be read, and its caption, of no height if none.

        Above a sample stand the names of its panels, where they have some.
        """
        image = self._pictures.read(number)
        if self._sample is not None:
            image = self._pictures.cut(number, image, self._sample)
        line = blank(*self._margin)
        if self._texts:
            text = self._texts[number] + (_MISSING if image is None else "")
            paste(line, draw_line(text, self._font_size, *line.shape[:2]), 0, 0)
        if image is None:
            return None, line
        shown = fit(image, self._screen)
        return shown if self._names is None else np.concatenate([self._names(number), shown]), line


class _Names:
    """What stands above a sample alone: the names of its panels, as above a grid.

    Args:
        pictures: Of what.
        about: What is said of the run.
        sample: The sample's number.
        screen: (height, width, channels) of what it is shown on.

    Attributes:
        height: Of the line, in pixels; 0 where there are no names.
    """

    def __init__(
        self,
        pictures: Pictures,
        about: Mapping[str, Any],
        sample: int,
        screen: tuple[int, int, int],
    ) -> None:
        self._pictures = pictures
        self._about = about
        self._sample = sample
        self._screen = screen
        panels = [one.geometry.get("panels") for one in pictures.snapshots]
        most = max((len(one) for one in panels if isinstance(one, list)), default=0)
        self._letters = screen[1] // max(1, most)  # which the font follows
        self.height = text_height(self._letters) if most > 1 or captions_of(about) else 0

    def __call__(self, number: int) -> UInt8Array:
        """Return the line above a snapshot's sample."""
        line = blank(self.height, *self._screen[1:])
        if not self.height:
            return line
        geometry = self._pictures.snapshots[number].geometry
        layout = layout_of(geometry)
        _, _, height, width = sample_box(geometry, self._sample)
        factor, left, _ = place_on(self._screen, height, width)
        # Slices stand side by side; what the panels below the first are called is in the picture.
        panels, room = (
            (layout.panels[:1], width) if layout.slices else (layout.panels, layout.tile[1])
        )
        names = [panel_caption(self._about, panel) for panel in panels]
        texts = [
            (0, left + place * factor * layout.stride[1], text)
            for place, text in enumerate(cut(names, self._letters, factor * room))
        ]
        return draw_texts(line, texts, self._letters, 0)


def _check_times(fps: Any, hold_last_s: Any, format: formats.AnimatedFormat) -> None:
    most = 1000 / format.shortest_ms
    if not is_number(fps) or not _LEAST_FPS <= fps <= most:
        raise ValueError(
            f"`fps` must be a number from {_LEAST_FPS} to {most:.0f} for {format.name}, got {fps!r}."
        )
    check_number("hold_last_s", hold_last_s, 0, _LONGEST_HOLD_S, what="a number of seconds")
