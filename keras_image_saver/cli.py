"""`keras-image-saver page|timelapse|strip|info RUN`: what reads a run, from a shell.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from keras_image_saver.version import __version__

_NAME = "keras-image-saver"
_DONE, _FAILED, _MISUSED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the program's name; None: those of the process.

    Returns:
        0; 1 if the run cannot be read or the file not written. A command line that is not understood
        exits with 2.
    """
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning
            run(options)
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


def _page(options: argparse.Namespace) -> None:
    from keras_image_saver.viewers.page import write_page

    write_page(options.run_folder)


def _timelapse(options: argparse.Namespace) -> None:
    from keras_image_saver.viewers.timelapse import timelapse

    timelapse(
        options.run_folder,
        options.out,
        fps=options.fps,
        hold_last_s=options.hold_last,
        sample=options.sample,
        caption=options.caption or None,
        last=options.last,
        encoder_options={"lossless": True} if options.lossless else None,
        **_limit(options),
    )


def _strip(options: argparse.Namespace) -> None:
    from keras_image_saver.viewers.strip import strip

    strip(
        options.run_folder,
        options.out,
        epochs=options.epochs,
        samples=options.samples,
        spacing=options.spacing,
        **_limit(options),
    )


def _info(options: argparse.Namespace) -> None:
    from keras_image_saver.run.record import Run
    from keras_image_saver.viewers.overview import overview

    sys.stdout.write(overview(Run.open(options.run_folder)) + "\n")


def _limit(options: argparse.Namespace) -> dict[str, int | None]:
    """Return the limit where one is given: its default stands with the decoder."""
    if options.max_pixels is None:
        return {}
    return {"max_pixels": options.max_pixels or None}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_MISUSED, f"{self.prog}: error: {_one_line(message)} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=_NAME, description="Look at what a Keras model drew while it trained.")
    version = f"%(prog)s {__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        run: Callable[[argparse.Namespace], None], name: str, text: str, example: str
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {_NAME} {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument("run_folder", metavar="RUN", help="the run's folder")
        added.set_defaults(run=run)
        return added

    command(_page, "page", "write an index.html to browse the run with", "runs/dcgan")

    timelapse = command(
        _timelapse,
        "timelapse",
        "write the run as one animation",
        "runs/dcgan dcgan.webp --fps 15 --caption 'epoch {epoch}, loss {g_loss:.2f}'",
    )
    timelapse.add_argument("out", metavar="OUT", help="a .webp, .gif or .png (animated) file")
    timelapse.add_argument("--fps", type=float, default=10, help="frames a second (10)")
    timelapse.add_argument(
        "--hold-last", type=float, default=1.5, metavar="S", help="seconds of the last frame (1.5)"
    )
    timelapse.add_argument("--sample", type=int, metavar="N", help="only this sample, from 0")
    timelapse.add_argument(
        "--caption",
        default="epoch {epoch}",
        metavar="TEXT",
        help="a line under each frame, with fields in braces, or '' for none ('epoch {epoch}')",
    )
    timelapse.add_argument("--last", type=int, metavar="N", help="only the last N snapshots")
    timelapse.add_argument("--lossless", action="store_true", help="WebP without any loss")
    _add_limit(timelapse)

    strip = command(
        _strip,
        "strip",
        "write one still picture, with a row a sample and a column an epoch",
        "runs/dcgan dcgan.png --epochs 10 --samples 4",
    )
    strip.add_argument("out", metavar="OUT", help="an image file")
    strip.add_argument("--epochs", type=int, default=8, metavar="N", help="columns (8)")
    strip.add_argument("--samples", type=int, default=6, metavar="N", help="rows (6)")
    strip.add_argument(
        "--spacing",
        choices=("log", "even"),
        default="log",
        help="more of the first epochs, or evenly spaced ones (log)",
    )
    _add_limit(strip)

    command(
        _info,
        "info",
        "print the run's epochs, files, missed snapshots, size on disk and last logs",
        "runs/dcgan",
    )
    return parser


def _add_limit(parser: Any) -> None:
    parser.add_argument(
        "--max-pixels",
        type=int,
        metavar="N",
        help="the most pixels that a picture of the run may have; 0: any number",
    )


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    sys.stderr.write(f"{_NAME}: warning: {_one_line(str(message))}\n")


def _fail(text: str) -> int:
    sys.stderr.write(f"{_NAME}: error: {_one_line(text)}\n")
    return _FAILED


def _one_line(text: str) -> str:
    return " ".join(text.split())
