"""The file formats: all that the package knows of each one, in one table.

A snapshot is written often and looked at once, so the defaults are fast, and lossless wherever the
format can be. To add a format, describe it here and put it into `FORMATS`; a format that can be
animated also goes into `ANIMATED`, and gets its container in `containers.py`.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from keras_image_saver.checks import check_int


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format.

    Attributes:
        name: What Pillow calls it.
        suffixes: By which file names ask for it, in lower case.
        options: What a user may set, with the largest value; the smallest is 0. True stands for an
            option that is True or False.
        settings: What Pillow is told: our defaults, and over them the user's options in what
            `check_format` returns.
        lossless: The defaults instead where no pixel may change, if the format leaves the choice:
            the user sets `lossless`, or leaves both that and `quality` out.
        largest_side: The most pixels that a side may have.
        has_alpha: Whether it can hold four channels.
        metadata: Where they are written; None: the format has no room for them.
        longest_metadata: The most characters that they may have.
        needs: The feature that Pillow must have been built with to write it.
    """

    name: str
    suffixes: tuple[str, ...]
    options: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    lossless: Mapping[str, Any] | None = None
    largest_side: float = math.inf
    has_alpha: bool = True
    metadata: Literal["text chunks", "EXIF", "comment"] | None = "EXIF"
    longest_metadata: float = math.inf
    needs: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnimatedFormat(Format):
    """A file format that can hold an animation.

    Attributes:
        tick_ms: What it counts a frame's time in, in milliseconds.
        shortest_ms: The shortest time of a frame that viewers respect.
        trials: Settings that are tried on one frame. The best are taken for all frames, so
            that nothing flickers. None: `settings` are taken.
        probes: From how many frames all over an animation its settings are found.
    """

    tick_ms: int = 1
    shortest_ms: int = 10
    trials: tuple[Mapping[str, Any], ...] = ()
    probes: int = 1


# `exact` keeps the colours of transparent pixels, which are otherwise lost.
_LOSSLESS_WEBP = {"lossless": True, "method": 0, "quality": 0, "exact": True}
# With chroma subsampling, which is the libraries' default, colours bleed into neighbouring tiles.
_FINE = {"quality": 95, "subsampling": "4:4:4"}

PNG = AnimatedFormat(
    name="PNG",
    suffixes=(".png",),
    options={"compress_level": 9},
    settings={"compress_level": None},
    metadata="text chunks",
    # Level 6 is larger than one or the other of these, and takes two to three times as long.
    trials=({"compress_level": None}, {"compress_level": 3}),
)
JPEG = Format(
    name="JPEG",
    suffixes=(".jpg", ".jpeg"),
    options={"quality": 100},
    settings=_FINE,
    largest_side=65_500,  # libjpeg's JPEG_MAX_DIMENSION, a little under 16 bits
    has_alpha=False,
    longest_metadata=60_000,  # EXIF stands in one segment of 64 KiB
)
WEBP = AnimatedFormat(
    name="WEBP",
    suffixes=(".webp",),
    options={"quality": 100, "lossless": True},
    settings={"quality": 95},
    lossless=_LOSSLESS_WEBP,
    largest_side=16_383,  # 14 bits
    needs="webp",
    trials=({"quality": 75, "method": 0}, _LOSSLESS_WEBP),
)
TIFF = Format(
    name="TIFF", suffixes=(".tif", ".tiff"), settings={"compression": "tiff_adobe_deflate"}
)
BMP = Format(name="BMP", suffixes=(".bmp",), has_alpha=False, metadata=None)
GIF = AnimatedFormat(
    name="GIF",
    suffixes=(".gif",),
    largest_side=65_535,  # 16 bits
    has_alpha=False,
    metadata="comment",
    tick_ms=10,
    shortest_ms=20,  # browsers show a frame of 10 ms for 100
    probes=12,  # one palette has to serve them all
)
AVIF = Format(
    name="AVIF",
    suffixes=(".avif",),
    options={"quality": 100},
    settings=_FINE,
    largest_side=32_768,  # what libavif opens again unless told otherwise
    needs="avif",
)

# In the order in which error messages list them.
FORMATS: tuple[Format, ...] = (PNG, JPEG, WEBP, TIFF, BMP, GIF, AVIF)
ANIMATED: tuple[AnimatedFormat, ...] = (WEBP, GIF, PNG)
BY_NAME = {one.name: one for one in FORMATS}
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}


def check_format(
    filepath: str, options: Mapping[str, Any] | None = None, argument: str = "filepath"
) -> Format:
    """Return the format that a path's suffix names, with the user's options in its settings.

    Args:
        filepath: The path.
        options: Those of the user.
        argument: What the path is called where the user gave it.

    Raises:
        ValueError: If there is no such format, this Pillow cannot write it, or an option is not valid.
        TypeError: If `options` is not a mapping.
    """
    suffix = os.path.splitext(filepath)[1].lower()
    if suffix not in BY_SUFFIX:
        raise ValueError(
            f"`{argument}` must end in one of {', '.join(BY_SUFFIX)}, got {filepath!r}. A folder whose "
            "name has a dot ends in a slash."
        )
    found = BY_SUFFIX[suffix]
    check_support(found, f"`{argument}` ends in {suffix!r}")
    return replace(found, settings=check_options(found, options))


def check_support(format: Format, asked: str) -> None:
    """Refuse a format that this Pillow was built without; `asked` says how it was asked for.

    Raises:
        ValueError: If it was.
    """
    from PIL import features

    # Pillow warns of a feature that it has never heard of, as of AVIF before 11.3.
    known = format.needs in features.modules
    if format.needs and not (known and features.check(format.needs)):
        raise ValueError(
            f"{asked}, which this Pillow cannot write. Install pillow>=11.3, or choose png."
        )


def check_animated_format(out: str, options: Mapping[str, Any] | None = None) -> AnimatedFormat:
    """Return the format of an animation that a path's suffix names, without trials if it has options.

    Raises:
        ValueError: If there is no such format, this Pillow cannot write it, or an option is not valid.
        TypeError: If `options` is not a mapping.
    """
    suffixes = tuple(suffix for one in ANIMATED for suffix in one.suffixes)
    found = check_format(out, options, "out") if out.lower().endswith(suffixes) else None
    if not isinstance(found, AnimatedFormat):
        raise ValueError(f"`out` must end in one of {', '.join(suffixes)}, got {out!r}.")
    return replace(found, trials=()) if options else found


def check_options(
    format: Format, options: Mapping[str, Any] | None, argument: str = "encoder_options"
) -> dict[str, Any]:
    """Return what Pillow is told: the user's options over our defaults.

    Pillow ignores options that it does not know, so they are refused here.

    Raises:
        ValueError: If the format has no such option, or the value is out of range.
        TypeError: If `options` is not a mapping.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f'`{argument}` must be a dict such as {{"quality": 90}}, got {options!r}.')
    chosen = dict(options or {})
    for name, value in chosen.items():
        if name not in format.options:
            known = ", ".join(f"`{option}`" for option in format.options) or "none"
            raise ValueError(
                f"`{argument}` has no {name!r} for {format.name}, got {chosen!r}. Options: {known}."
            )
        one, largest = f"{argument}[{name!r}]", format.options[name]
        if value is None and (name, None) in format.settings.items():
            continue  # what is None by default may be said to be
        if largest is not True:
            check_int(one, value, 0, largest)
        elif not isinstance(value, bool):
            raise ValueError(f"`{one}` must be True or False, got {value!r}.")
    if format.lossless and chosen.get("lossless", "quality" not in chosen):
        return {**format.lossless, **chosen}
    return {**format.settings, **chosen}


def check_image(shape: Sequence[int], format: Format) -> None:
    """Refuse what a format cannot hold, before Pillow does so in its own words.

    Args:
        shape: (H, W) or (H, W, C).
        format: From `check_format`.

    Raises:
        ValueError: If a side is too large, or there is an alpha channel and no room for it.
    """
    height, width = shape[:2]
    if max(height, width) > format.largest_side:
        raise ValueError(
            f"{format.name} holds at most {format.largest_side} pixels a side, got a picture {width} "
            f"wide and {height} high. Save PNG, take fewer samples, or set `columns`."
        )
    if not format.has_alpha and shape[2:] == (4,):
        raise ValueError(
            f"{format.name} has no alpha channel, got a picture with four channels. Save PNG, WebP, "
            "TIFF or AVIF, or leave the alpha channel out."
        )
