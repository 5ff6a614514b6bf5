"""Which pictures in a run's folder are the run's own.

Those are its own that carry its id, those that its record names and that say nothing else, and those
written meanwhile. Any other one is somebody's, and is never replaced, moved or deleted:
`look_for_pictures` looks at a start for what snapshots would overwrite, and `Pictures` once more
before each one is written.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from keras_image_saver.run.files import LOCK, is_aside, next_unrecorded
from keras_image_saver.run.moves import move_all, remove_empty
from keras_image_saver.run.run_file import templates_of
from keras_image_saver.run.storage import Storage, join, storage_of
from keras_image_saver.run.template import Template

Explanation = Mapping[str, Any]
# Returns what an open picture says of itself, of which run it is among it; nothing where its format has
# no room for that; None if it is no picture of this package.
Explain = Callable[[BinaryIO], Explanation | None]


class InFolder(NamedTuple):
    """Pictures in a run's folder, by their names relative to it.

    Attributes:
        named: Those that its record names and that are the run's, as far as training may touch them,
            with what they say of themselves.
        own: Those that carry the run's id and that its record does not name, likewise: a kill came
            between a picture and its entry, or the run was cut.
        unknown: Those of which nobody can tell whose they are, and which would be overwritten.
    """

    named: Mapping[str, Explanation] = {}
    own: Mapping[str, Explanation] = {}
    unknown: tuple[str, ...] = ()

    @property
    def of_the_run(self) -> list[str]:
        return [*self.named, *self.own]


NO_PICTURES = InFolder()


class Pictures:
    """The pictures that a run may replace.

    Args:
        explain: Reads what a picture says of itself.
    """

    def __init__(self, explain: Explain) -> None:
        self.explain = explain
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
        said = explained(storage_of(path), self.explain)
        told = None if said is None else said.get("run")
        # Where nothing tells, the record's word is taken.
        return told == run or (said is not None and not told and path in self._own)


def look_for_pictures(
    template: Template,
    about: Mapping[str, Any] | None,
    run: str | None,
    named: Collection[str],
    explain: Explain,
    done: Mapping[str, int],
    *,
    recorded: bool,
) -> InFolder:
    """Look for the pictures that snapshots would overwrite, or that go where their run goes.

    Args:
        template: The names of the pictures that come; its folder is the run's.
        about: What `run.json` says of the run that is there, if it has one.
        run: Its id; None if nothing tells it.
        named: The pictures that its record names.
        explain: Reads what a picture says of itself.
        done: The counters behind which training goes on; none where a run begins.
        recorded: Whether there is a run in the folder at all.

    Raises:
        ValueError: If something would be overwritten that is not the run's.
    """
    folder = template.folder
    place, earlier = storage_of(folder), list(_templates(folder, about))
    depth = max(one.depth for one in (template, *earlier))
    there = (one.path for one in place.contents(depth=depth, unless=LOCK))
    of_record: dict[str, Explanation] = {}
    own: dict[str, Explanation] = {}
    unknown = []
    for name in sorted({*(path.removeprefix(join(folder, "")) for path in there), *named}):
        file = place / name
        counters = template.counters_in(file.path)
        stays = counters is None or any(counters[one] <= done[one] for one in {*counters} & {*done})
        if name in named:
            # Where training goes on, what it does not come to is not looked at.
            concerns = file.exists() and not (stays and done)
        else:
            is_like_ours = counters is not None or any(one.matches(file.path) for one in earlier)
            concerns = is_like_ours and not is_aside(name)
        said = explained(file, explain) if concerns and recorded else None
        if said is not None and name in named and is_own(name, said, run):
            of_record[name] = said
        elif said is not None and run and said.get("run") == run:
            own[name] = said
        elif stays or not concerns:
            continue
        elif said is not None and not said.get("run") and place.can_move:
            unknown.append(name)
        else:
            raise ValueError(
                f"`filepath` must not name files that are there already, got {folder!r}, where "
                f"{file.path!r} belongs to no run that is recorded there, or cannot be read. Use "
                "another folder, or move those files."
            )
    return InFolder(of_record, own, tuple(unknown))


def is_own(name: str, said: Explanation | None, run: str | None) -> bool:
    """Tell whether a picture that a record names is the run's, by what it says of itself.

    Where it says nothing the record's word is taken, unless it is in a folder of earlier runs.
    """
    if said is None:
        return False
    found = said.get("run")
    return found == run if found else not is_aside(name)


def explained(file: Storage, explain: Explain) -> Explanation | None:
    """Return what a file says of itself; None if it is no picture of this package."""
    try:
        with file.open() as opened:
            return explain(opened)
    except Exception:  # it is a folder, or may not be read; a remote storage raises what it likes
        return None


def _templates(folder: str, about: Mapping[str, Any] | None) -> Iterator[Template]:
    literal = folder.replace("{", "{{").replace("}", "}}")
    for one in templates_of(about):
        with contextlib.suppress(ValueError):  # what is in a file is data
            yield Template(join(literal, one))


def remove_left(folder: str, names: Iterable[str], run: str, explain: Explain) -> None:
    """Remove pictures that a record says are removed, where a killed process left the last of them.

    Args:
        folder: The run's folder.
        names: Those that its record says so of, the newest first.
        run: The run's id. What is not its own is left.
        explain: Reads what a picture says of itself.

    Raises:
        OSError: If storage fails.
    """
    for file in (storage_of(folder) / name for name in names):
        if not file.exists():
            break  # they are removed in order, so those before it are gone too
        if is_own(file.path.removeprefix(join(folder, "")), explained(file, explain), run):
            file.remove()


def move_unknown(folder: str, names: Collection[str]) -> None:
    """Move files of which nobody can tell whose they are to `unrecorded-<n>/`.

    Raises:
        OSError: If storage fails; the next start moves what is left.
    """
    place = storage_of(folder)
    aside = place / next_unrecorded(place.names())
    move_all((place / name, aside / name) for name in names)
    remove_empty(place, names)
