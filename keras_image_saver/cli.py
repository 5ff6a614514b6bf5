"""`keras-image-saver page|compare|timelapse|strip|tiles|info RUN`: what reads a run, from a shell.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TextIO, TypeAlias

import keras_image_saver
from keras_image_saver.escapes import escaped
from keras_image_saver.version import __version__

_NAME = "keras-image-saver"
# Returns the function behind a command, which imports its module.
_Loader: TypeAlias = Callable[[], Callable[..., Any]]
_DONE, _FAILED, _MISUSED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the program's name; None: those of the process.

    Returns:
        0; 1 if the run cannot be read or the file not written. A command line that is not understood
        exits with 2.
    """
    options = vars(_parser().parse_args(arguments))
    load: _Loader = options.pop("load")
    run: str | list[str] = options.pop("run")
    if options.get("max_pixels") == 0:
        options["max_pixels"] = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning
            written = load()(run, **options)
            if isinstance(written, str):
                _write(sys.stdout, f"{escaped(written)}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except KeyboardInterrupt:
        return _fail("interrupted")
    except Exception as error:
        return _fail(str(error) or type(error).__name__)
    return _DONE


def _info(run: str) -> None:
    from keras_image_saver.viewers.run_list import overview_of

    _write(sys.stdout, f"{overview_of(run)}\n")


def _tiles(run: str, folder: str, **options: Any) -> str:
    """Write tiles; return how many, and where."""
    written = keras_image_saver.tiles(run, folder, **options)
    return f"{len(written)} files in {folder}"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_MISUSED, f"{self.prog}: error: {_one_line(message)} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=_NAME, description="Look at what a Keras model drew while it trained.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        name: str, load: _Loader, text: str, example: str = "", **run: Any
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {_NAME} {name} runs/dcgan{example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # An option is called as the function's argument, and handed over as it is where it is
            # given: the defaults stand with the functions.
            argument_default=argparse.SUPPRESS,
        )
        added.add_argument("run", **{"metavar": "RUN", "help": "the run's folder", **run})
        added.set_defaults(load=load)
        return added

    text = "write an index.html to browse the run, or a folder of runs, with"
    add("page", lambda: keras_image_saver.write_page, text, help="its folder, or one of several")
    text, example = "write a page of 2 to 4 runs side by side", " runs/unet --out compare.html"
    several = add("compare", lambda: keras_image_saver.compare, text, example, nargs="+")
    several.add_argument("--out", required=True, metavar="OUT", help="an .html file")
    example = " dcgan.webp --fps 15 --caption 'epoch {epoch}, loss {g_loss:.2f}'"
    text = "write the run as one animation"
    _add_timelapse(add("timelapse", lambda: keras_image_saver.timelapse, text, example))
    text = "write one still picture, with a row a sample and a column an epoch"
    example = " dcgan.png --epochs 10 --samples 4"
    _add_strip(add("strip", lambda: keras_image_saver.strip, text, example))
    text = "write single images, cut out of the run's pictures"
    example = " tiles --epochs 1,10,20 --samples 0-3 --panels prediction"
    _add_tiles(add("tiles", lambda: _tiles, text, example))
    text = (
        "print the run's epochs, files, missed snapshots, size on disk and last logs; of a folder "
    )
    add("info", lambda: _info, text + "of runs, a line a run, the newest first")
    return parser


def _add_timelapse(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("out", metavar="OUT", help="a .webp, .gif or .png (animated) file")
    add("--fps", type=float, help="frames a second (10)")
    text = "seconds of the last frame (1.5)"
    add("--hold-last", dest="hold_last_s", type=float, metavar="S", help=text)
    add("--sample", type=int, metavar="N", help="only this sample, from 0")
    text = "a line under each frame, with fields in braces, or '' for none ('epoch {epoch}')"
    add("--caption", metavar="TEXT", help=text)
    add("--last", type=int, metavar="N", help="only the last N snapshots")
    _add_scale(parser, "until a frame is 256 pixels wide")
    lossless = {"lossless": True}
    text = "WebP without any loss"
    add("--lossless", dest="encoder_options", action="store_const", const=lossless, help=text)
    _add_max_pixels(parser)


def _add_strip(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("out", metavar="OUT", help="an image file")
    add("--epochs", type=int, metavar="N", help="columns (8)")
    add("--samples", type=int, metavar="N", help="rows (6)")
    text = "more of the first epochs, or evenly spaced ones (log)"
    add("--spacing", choices=("log", "even"), help=text)
    _add_scale(parser, "as large as captions are wide")
    _add_max_pixels(parser)


def _add_tiles(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", metavar="FOLDER", help="where to write; no file of the same name may be there")
    text = "all, last, or epochs such as 1,10,20-25 (all)"
    add("--epochs", type=_epochs, metavar="LIST", help=text)
    add("--samples", type=_numbers, metavar="LIST", help="samples such as 0,3-5, from 0 (all)")
    text = "panels such as input,prediction (all)"
    add("--panels", type=lambda given: given.split(","), metavar="LIST", help=text)
    _add_max_pixels(parser)


def _epochs(text: str) -> str | list[int]:
    return text if text in ("all", "last") else _numbers(text)


def _numbers(text: str) -> list[int]:
    """Read numbers and ranges of them, the ends among these.

    >>> _numbers("1,4-6")
    [1, 4, 5, 6]
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        found += range(int(first), int(last if dash else first) + 1)
    return found


def _add_scale(parser: argparse.ArgumentParser, otherwise: str) -> None:
    text = f"enlarge by this whole factor, each pixel a square ({otherwise})"
    parser.add_argument("--scale", type=int, metavar="N", help=text)


def _add_max_pixels(parser: argparse.ArgumentParser) -> None:
    text = "the most pixels that a picture of the run may have; 0: any number"
    parser.add_argument("--max-pixels", type=int, metavar="N", help=text)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _write(sys.stderr, f"{_NAME}: warning: {_one_line(str(message))}\n")


def _fail(text: str) -> int:
    _write(sys.stderr, f"{_NAME}: error: {_one_line(text)}\n")
    return _FAILED


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))


def _write(stream: TextIO, text: str) -> None:
    """Write text to a stream, whose encoding may lack some of it."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
