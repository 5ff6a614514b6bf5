"""Which pictures in a run's folder are the run's own.

Those are its own that its record names, those that carry its id, and those written meanwhile. Any
other one is somebody's, and is never replaced: `find_strays` looks at a start for what snapshots
would overwrite, and `Pictures` once more before each one is written.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from keras_image_saver.run.files import LOCK, is_aside, next_unrecorded
from keras_image_saver.run.run_file import templates_of
from keras_image_saver.run.storage import Storage, join, storage_of
from keras_image_saver.run.template import Template

# Returns the id of the run whose an open picture is; "" if that cannot be told, as in a format without
# metadata or from the first version; None if it is no picture of this package.
RunOf = Callable[[BinaryIO], str | None]
# Tells whether a picture of these counters stays as it is, since training goes on behind it.
Spared = Callable[[Mapping[str, int]], bool]


class Strays(NamedTuple):
    """Pictures that no record names, relative to the folder.

    Attributes:
        own: Those that carry the run's id, as of one killed between a picture and its entry.
        unknown: Those of which nobody can tell whose they are, and which would be overwritten.
    """

    own: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


NO_STRAYS = Strays()


class Pictures:
    """The pictures that a run may replace.

    Args:
        run_of: Tells whose a picture is.
    """

    def __init__(self, run_of: RunOf) -> None:
        self.run_of = run_of
        self._own: set[str] = set()
        self._leaving: dict[str, None] = {}  # those that are still to be removed, in order
        self._failed = False

    def check(self, path: str, run: str) -> None:
        """Refuse to replace what is not the run's own.

        Raises:
            FileExistsError: If there is such a file.
        """
        if storage_of(path).exists() and not self._is_own(path, run):
            raise FileExistsError(f"{path!r} is there already, not of this run, and left as it is")

    def add(self, *paths: str) -> None:
        """Note the paths of pictures that are the run's."""
        self._own.update(paths)
        for path in paths:
            self._leaving.pop(path, None)

    def remove(self, paths: Iterable[str], run: str, say: Callable[[str], None]) -> None:
        """Remove pictures that are not to stay, as far as they are the run's own.

        One that cannot be removed is said, once, and tried again with the next.
        """
        self._leaving |= dict.fromkeys(paths)
        for path in list(self._leaving):
            try:
                if storage_of(path).exists() and self._is_own(path, run):
                    storage_of(path).remove()
            except Exception as error:  # noqa: PERF203 - a remote storage raises what it likes
                if not self._failed:
                    say(
                        f"{path} could not be removed: {error}. It is tried again with each snapshot."
                    )
                self._failed = True
            else:
                del self._leaving[path]

    def _is_own(self, path: str, run: str) -> bool:
        found = run_in(storage_of(path), self.run_of)
        # Where nothing tells, the record's word is taken.
        return found == run or (found == "" and path in self._own)


def find_strays(
    template: Template,
    about: Mapping[str, Any] | None,
    named: Collection[str],
    run_of: RunOf,
    spared: Spared,
    *,
    recorded: bool,
) -> Strays:
    """Look for pictures that no record names.

    Args:
        template: The names of the pictures that come; its folder is the run's.
        about: What `run.json` says of the run that is there, if it has one.
        named: Those that its record names.
        run_of: Tells whose a picture is.
        spared: Tells whether one of the template's names will not be overwritten.
        recorded: Whether there is a run in the folder at all.

    Raises:
        ValueError: If one would be overwritten that is not the run's.
    """
    folder, run = template.folder, (about or {}).get("id")
    earlier = list(_templates(folder, about))
    own, unknown = [], []
    depth = max(one.depth for one in (template, *earlier))
    for file in storage_of(folder).files(depth=depth, unless=LOCK):
        name = file.path.removeprefix(join(folder, ""))
        if name in named or is_aside(name):
            continue
        counters = template.counters_in(file.path)
        if counters is None and not any(one.matches(file.path) for one in earlier):
            continue
        found = run_in(file, run_of) if recorded else None
        if found and found == run:
            own.append(name)
        elif counters is None or spared(counters):
            continue
        elif found == "" and storage_of(folder).can_move:
            unknown.append(name)
        else:
            raise ValueError(
                f"`filepath` must not name files that are there already, got {folder!r}, where "
                f"{file.path!r} belongs to no run that is recorded there. Use another folder, or move "
                "those files."
            )
    return Strays(tuple(sorted(own)), tuple(sorted(unknown)))


def _templates(folder: str, about: Mapping[str, Any] | None) -> Iterator[Template]:
    literal = folder.replace("{", "{{").replace("}", "}}")
    for one in templates_of(about):
        with contextlib.suppress(ValueError):  # what is in a file is data
            yield Template(join(literal, one))


def remove_left(folder: str, names: Iterable[str], run: str, run_of: RunOf) -> None:
    """Remove pictures that a record says are removed, where a killed process left the last of them.

    Args:
        folder: The run's folder.
        names: Those that its record says so of, the newest first.
        run: The run's id. What is not its own is left.
        run_of: Tells whose a picture is.

    Raises:
        OSError: If storage fails.
    """
    for file in (storage_of(folder) / name for name in names):
        if not file.exists():
            break  # they are removed in order, so those before it are gone too
        if run_in(file, run_of) in ("", run):
            file.remove()


def move_unknown(folder: str, strays: Strays) -> None:
    """Move pictures of which nobody can tell whose they are to `unrecorded-<n>/`.

    Raises:
        OSError: If storage fails; the next start moves what is left.
    """
    place = storage_of(folder)
    aside = place / next_unrecorded(place.names())
    for name in strays.unknown:
        (place / name).move(aside / name)


def run_in(file: Storage, run_of: RunOf) -> str | None:
    """Return whose a picture is, as `RunOf` tells it."""
    try:
        with file.open() as opened:
            return run_of(opened)
    except OSError:  # it is a folder, or may not be read
        return None
