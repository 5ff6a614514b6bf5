"""What is left of a local disk where the power fails, after each operation of a run.

`Recorder` sees what passes through `run/disk.py` while it is done on a real disk. `Volume` does the same
in memory, and knows what is certain to last: what was written to a file once that was forced, and what a
folder calls its files once that was synced. Of all the rest any part may be lost.

A rename in one folder is lost or kept as a whole. One from folder to folder may have brought the new
name and left the old one, but never the reverse: no file system loses a file that it renames.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import pytest

from keras_image_saver.run import disk

# What a file holds by its path, None for a folder. Where two names hold the same object, they are of one
# file.
Tree = Mapping[str, bytes | None]

_MOST_CHANGES = 5  # of which each subset is tried
_SAMPLED = 16
_MOST_TORN = 2  # of which each is torn in each way, whatever the others are


class Operation(NamedTuple):
    """What was done, by the name of the method of `Volume` that does it; paths are relative."""

    kind: str
    path: str
    target: str = ""
    content: bytes = b""


class Recorder:
    """Records what is done below a folder, in order."""

    def __init__(self, folder):
        self.operations = []
        self._folder = os.path.realpath(folder)
        self._written = {}  # by path, until they are closed: the files created, and what they hold

    @contextlib.contextmanager
    def recording(self):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("create", "open_lock", "force"):
                patch.setattr(disk, name, self._of_a_file(name, getattr(disk, name)))
            for name in ("rename", "unlink", "make_folder", "remove_folder", "sync_folder"):
                patch.setattr(disk, name, self._of_names(name, getattr(disk, name)))
            yield

    def _of_names(self, kind, function):
        def done(*paths):
            self._look_for_writes()
            function(*paths)
            self.operations.append(Operation(kind, *map(self._relative, paths)))
            if kind in ("rename", "unlink") and paths[0] in self._written:
                known = self._written.pop(paths[0])
                if kind == "rename":
                    self._written[paths[1]] = known

        return done

    def _of_a_file(self, kind, function):
        def opened(path):
            self._look_for_writes()
            there = os.path.lexists(path)
            file = function(path)
            if not there:
                self.operations.append(Operation("create", self._relative(path)))
                if kind == "create":
                    self._written[path] = [file, b""]
            return file

        def forced(file):
            function(file)
            self._look_for_writes()
            self.operations.append(Operation("force", self._relative(file.name)))

        return forced if kind == "force" else opened

    def _look_for_writes(self):
        for path, known in list(self._written.items()):
            file, before = known
            with open(path, "rb") as opened:
                content = opened.read()
            if content != before:
                self.operations.append(Operation("write", self._relative(path), content=content))
                known[1] = content
            if file.closed:
                del self._written[path]

    def _relative(self, path):
        folder, name = os.path.split(os.path.abspath(path))
        found = os.path.relpath(os.path.join(os.path.realpath(folder), name), self._folder)
        assert not found.startswith(".."), f"{path} is changed, which is not in {self._folder}"
        return found


@dataclass(frozen=True, eq=False)
class Change:
    """What a folder calls its files by one operation; None is a name that is gone.

    Attributes:
        folder: Which one.
        names: By name, the file or folder that has it from then on.
        needs: Without which it is not there either.
    """

    folder: int
    names: Mapping[str, int | None]
    needs: "Change | None" = None


class Volume:
    """A disk in memory.

    Args:
        tree: What is there, and lasts.

    Attributes:
        pending: What names were changed by operations that may be lost, in order.
    """

    def __init__(self, tree: Tree):
        self._numbers = itertools.count(1)
        self._names, self._lasting_names = {0: {}}, {0: {}}  # by folder, by name
        self._contents, self._lasting_contents = {}, {}  # by file
        self.pending: list[Change] = []
        for path in sorted(tree):
            if tree[path] is None:
                self.make_folder(path)
            else:
                self.create(path)
                self.write(path, tree[path])
                self.force(path)
        for folder in self._names:
            self._sync(folder)

    def do(self, operation: Operation) -> None:
        kind, path, target, content = operation
        more = {"rename": (target,), "write": (content,)}.get(kind, ())
        getattr(self, kind)(path, *more)

    def create(self, path):
        node = self._named(path)
        self._contents[node] = self._lasting_contents[node] = b""

    def make_folder(self, path):
        node = self._named(path)
        self._names[node], self._lasting_names[node] = {}, {}

    def write(self, path, content):
        self._contents[self._node(path)] = content

    def force(self, path):
        node = self._node(path)
        self._lasting_contents[node] = self._contents[node]

    def rename(self, source, target):
        node = self._node(source)
        (left, old), (entered, new) = self._place(source), self._place(target)
        if left == entered:
            self._change(left, {old: None, new: node})
        else:
            gained = self._change(entered, {new: node})
            self._change(left, {old: None}, needs=gained)

    def unlink(self, path):
        folder, name = self._place(path)
        self._change(folder, {name: None})

    remove_folder = unlink

    def sync_folder(self, path):
        self._sync(self._node(path))

    def now(self) -> Tree:
        """Return what stands there, where the power does not fail."""
        return self._tree(self._names, self._contents)

    def left(self, random: Random) -> Iterator[Tree]:
        """Yield what may be left of it where the power fails now.

        Each subset of what is not certain to last is lost; where there are many, each one alone, all
        but each one, all from each one on, and some that are drawn.
        """
        for kept in subsets(len(self.pending), random):
            yield from self._with_torn_contents(self._names_of(kept))

    def drawn(self, random: Random) -> Tree:
        """Return one of what may be left of it."""
        kept = random.choice(subsets(len(self.pending), random))
        return random.choice([*self._with_torn_contents(self._names_of(kept))])

    def _names_of(self, kept):
        names = {folder: dict(inner) for folder, inner in self._lasting_names.items()}
        done = set()
        for change in itertools.compress(self.pending, kept):
            if change.needs in done or change.needs not in self.pending:
                done.add(change)
                _apply(names, change)
        return names

    def _with_torn_contents(self, names):
        whole = self._tree(names, self._contents)
        nodes = {path: self._node(path, names) for path in whole}
        torn = {
            path: _torn(self._lasting_contents[node], self._contents[node])
            for path, node in nodes.items()
            if self._contents.get(node) != self._lasting_contents.get(node)
        }
        if len(torn) <= _MOST_TORN:
            for contents in itertools.product(*torn.values()):
                yield {**whole, **dict(zip(torn, contents, strict=True))}
            return
        for path, contents in torn.items():
            for content in contents:
                yield {**whole, path: content}

    def _sync(self, folder):
        for change in [one for one in self.pending if one.folder == folder]:
            for one in (change.needs, change):
                if one in self.pending:
                    _apply(self._lasting_names, one)
                    self.pending.remove(one)

    def _named(self, path):
        folder, name = self._place(path)
        node = next(self._numbers)
        self._change(folder, {name: node})
        return node

    def _change(self, folder, names, needs=None):
        change = Change(folder, names, needs)
        _apply(self._names, change)
        self.pending.append(change)
        return change

    def _place(self, path):
        folder, name = os.path.split(path)
        return self._node(folder), name

    def _node(self, path, names=None):
        node = 0
        for name in path.split("/") if path not in ("", ".") else ():
            node = (names or self._names)[node][name]
        return node

    def _tree(self, names, contents, folder=0, inside=""):
        found = {}
        for name, node in names[folder].items():
            path = f"{inside}{name}"
            found[path] = contents.get(node)
            if node in names:
                found |= self._tree(names, contents, node, f"{path}/")
        return found


def _apply(names, change):
    for name, node in change.names.items():
        if node is None:
            names[change.folder].pop(name, None)
        else:
            names[change.folder][name] = node


def _torn(before, after):
    """Return what a file that was not forced may hold: zeros are what a disk had no time to fill."""
    return list(dict.fromkeys([before, after[: len(after) // 2], bytes(len(after)), after]))


def subsets(count: int, random: Random) -> list[tuple[bool, ...]]:
    """Return which of so many things are kept, in many ways or in all."""
    if count <= _MOST_CHANGES:
        return list(itertools.product((False, True), repeat=count))
    ways = [tuple(number < end for number in range(count)) for end in range(count + 1)]
    for one in range(count):
        ways += [
            tuple((number == one) is kept for number in range(count)) for kept in (True, False)
        ]
    drawn = (tuple(random.random() < 0.5 for _ in range(count)) for _ in range(_SAMPLED))
    return list(dict.fromkeys([*ways, *drawn]))


def write_tree(tree: Tree, folder: str) -> None:
    """Put what is left of a disk into an empty folder of a real one."""
    places = {}
    for path in sorted(tree):
        place, content = os.path.join(folder, path), tree[path]
        if content is None:
            os.mkdir(place)
        elif content and id(content) in places:
            os.link(places[id(content)], place)
        else:
            places[id(content)] = place
            with open(place, "wb") as file:
                file.write(tree[path])


def read_tree(folder: str) -> Tree:
    """Return what is in a folder of a real disk."""
    found = {}
    for place, folders, names in os.walk(folder):
        inner = os.path.relpath(place, folder)
        for name in folders:
            found[os.path.normpath(os.path.join(inner, name))] = None
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                found[os.path.normpath(os.path.join(inner, name))] = file.read()
    return found
