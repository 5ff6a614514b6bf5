"""`run.json`: what is said of a run as a whole, and how it stands.

It is replaced whole when a run begins, is resumed and ends, never at a snapshot. Whoever finds it
"running" concludes from the record whether it still is: a process that is killed says nothing.
"""

import contextlib
import hashlib
import json
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np

from keras_image_saver.render.base import BoundRenderer
from keras_image_saver.run import writer
from keras_image_saver.run.files import RUN_FILE
from keras_image_saver.run.lines import NewerError, read_content, read_float
from keras_image_saver.run.mirror import Mirror, nobody
from keras_image_saver.run.storage import join, storage_of
from keras_image_saver.samples import Samples
from keras_image_saver.version import PACKAGE, __version__

FORMAT = 1

State = Literal["running", "finished", "failed", "deleting"]
About = Mapping[str, Any]

_ID = re.compile(r"[0-9a-f]{32}")


def new_about() -> dict[str, Any]:
    """Return what is said of a run that is new."""
    return {
        "format": FORMAT,
        "id": uuid.uuid4().hex,
        "state": "running",
        "started": _now(),
        "versions": {PACKAGE: __version__},
    }


def _now() -> float:
    return round(time.time(), 3)


def read_run(folder: str) -> tuple[About | None, tuple[str, ...]]:
    """Return what `run.json` in a folder says, None if there is none of ours, and what to warn of.

    Raises:
        ValueError: If it is of a newer version.
    """
    try:
        content = read_content(folder, RUN_FILE)
    except OSError:  # it is a folder, or may not be read
        content = b""
    if content is None:
        return None, ()
    about = _parse(content, folder)
    if about is None:
        return None, (f"{join(folder, RUN_FILE)} is none that {PACKAGE} wrote, and is left out.",)
    return about, ()


def find_run(folder: str) -> About | None:
    """Return what `run.json` in a folder says, where a run is to be written; None if there is none.

    Raises:
        ValueError: If it is of a newer version, or not one that this package wrote.
    """
    about, odd = read_run(folder)
    if odd:
        raise ValueError(
            f"`filepath` must be in a folder whose {RUN_FILE} is of a run, got {folder!r}, where "
            f"{join(folder, RUN_FILE)} is none that {PACKAGE} wrote, or cannot be read. Move it away, "
            "or use another folder."
        )
    return about


def write_about(folder: str, about: About) -> None:
    """Replace `run.json` in a folder.

    Raises:
        OSError: If storage fails.
    """
    content = json.dumps(about, indent=1, allow_nan=False, default=str) + "\n"
    (storage_of(folder) / RUN_FILE).replace(lambda file: file.write(content.encode("ascii")))


class RunFile:
    """The `run.json` of a run that is being written; its methods may be called by any thread.

    Args:
        folder: The run's folder.
        about: What is said of the run by the one who writes it: its `versions`, `training` and
            `settings`, of which `filepath` is the template of its pictures, relative to the folder.
        say: Tells the user a line, on any thread.
        mirror: Hears what it says whenever it is written.
    """

    def __init__(
        self, folder: str, about: About, say: Callable[[str], None], mirror: Mirror = nobody
    ) -> None:
        self._folder = folder
        self._mirror = mirror
        self._given = about
        self._say = say
        self._about: dict[str, Any] = new_about()
        self._process: int | None = None  # which has begun it
        self._stands: float | None = None  # when it was gone on with last, by what stands there
        self._is_behind = False
        self._writing = threading.Lock()  # held while it is written

    @property
    def id(self) -> str:
        return str(self._about["id"])

    @property
    def is_local(self) -> bool:
        return storage_of(self._folder).has_locks

    def begin(
        self, samples: About, found: About | None, drawn_by: BoundRenderer | None = None
    ) -> None:
        """Note what it is to say of a run that begins, or is gone on with; `catch_up` writes it.

        Args:
            samples: What is said of the samples.
            found: What is said already of the run that is gone on with, if it is one; what this
                version does not know of it is kept.
            drawn_by: The renderer that is bound to the model, where it is known already.
        """
        about = {**new_about(), **(found or {}), **self._given, "samples": samples}
        about |= {"state": "running", "resumed": _now()}
        about |= about_panels(drawn_by)
        about["versions"] = {PACKAGE: __version__, **self._given.get("versions", {})}
        template = self._given.get("settings", {}).get("filepath")
        about["templates"] = [
            *dict.fromkeys([*templates_of(found), *([template] if template else [])])
        ]
        self._about, self._process, self._is_behind = about, os.getpid(), True
        self._stands = (found or {}).get("resumed")
        _open.add(self)

    def catch_up(self) -> None:
        """Write it, if it does not stand there yet: a picture is of a run that is known.

        Raises:
            OSError: If storage fails; it can be tried again. Or if another run has begun there since.
        """
        with self._writing:
            about, file = self._about, storage_of(self._folder) / RUN_FILE
            # Where storage is local it costs nothing to see whether the folder was deleted.
            if not self._is_behind and (file.exists() if self.is_local else True):
                return
            if not self._is_ours():
                raise FileExistsError(f"{file.path!r} is of another training by now")
            self._write(about)
            self._is_behind = self._about is not about

    def try_to_catch_up(self) -> None:
        """Write it where storage lets us: where it does not, snapshots fail too, and say so."""
        with contextlib.suppress(OSError):
            self.catch_up()

    def go_on(self) -> None:
        """Note that a run which had ended is gone on with; `catch_up` writes it."""
        if self._process == os.getpid():
            self._about = {**self._about, "state": "running", "resumed": _now()}
            self._is_behind = True
            _open.add(self)

    def end(self, state: State) -> None:
        """Replace it by one that says how the run ended, if it has begun and is there still.

        What fails is said: the record tells of the run all the same.
        """
        if self._process != os.getpid():
            return  # a fork's, whose run is that of its parent; or the run has not begun
        _open.discard(self)
        with self._writing:
            self._about = {**self._about, "state": state}
            try:
                # A folder that was deleted meanwhile is not made again for this.
                if storage_of(self._folder).exists() and self._is_ours():
                    self._write(self._about)
                    self._is_behind = False
            except Exception as error:
                name = join(self._folder, RUN_FILE)
                self._say(f"{name} could not be written: {type(error).__name__}: {error}")

    def _write(self, about: Mapping[str, Any]) -> None:
        write_about(self._folder, about)
        self._stands = about["resumed"]
        self._mirror(RUN_FILE, about)

    def _is_ours(self) -> bool:
        """Tell whether nobody else has begun, or resumed, a run there since; it may be deleted."""
        found, odd = read_run(self._folder)
        if found is None:
            return not odd
        return found["id"] == self.id and found.get("resumed") == self._stands


def templates_of(about: About | None) -> list[str]:
    """Return the templates of a run's pictures, relative to its folder."""
    found = (about or {}).get("templates")
    return [one for one in found if isinstance(one, str) and one] if isinstance(found, list) else []


def passed_over(about: About | None) -> list[str]:
    """Return the pictures that a run's record names no more, and that do not tell whose they are."""
    found = (about or {}).get("passed_over")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def about_panels(drawn_by: BoundRenderer | None) -> dict[str, Any]:
    """Return what is said of panels and classes, None for what there is not, or is not known yet.

    Panels have the names that the geometry of a snapshot gives them.
    """
    if drawn_by is None:
        return dict.fromkeys(("class_names", "class_panels", "fixed_panels", "captions"))
    classes = [
        {"id": one.class_id, "name": one.name, "color": None if one.is_bare else list(one.color)}
        for one in drawn_by.named_classes()
    ]
    return {
        "class_names": classes or None,
        "class_panels": list(drawn_by.class_panels) or None,
        "fixed_panels": list(drawn_by.fixed) or None,
        "captions": dict(drawn_by.captions) or None,
    }


def about_samples(samples: Samples) -> dict[str, Any]:
    """Return what is said of samples: their digest, by which two runs can be told to show the same.

    >>> about_samples(Samples(np.zeros((2, 3), np.float32)))["arrays"]
    {'x': {'shape': [2, 3], 'dtype': 'float32'}}
    """
    digest, arrays = hashlib.sha256(), {}
    for name, array in sorted(samples.arrays.items()):
        arrays[name] = {"shape": list(array.shape), "dtype": str(array.dtype)}
        digest.update(json.dumps([name, arrays[name]]).encode("ascii"))
        if array.dtype.kind == "O":
            digest.update(repr(array.tolist()).encode("utf-8", "surrogatepass"))
        else:
            digest.update(np.ascontiguousarray(array).tobytes())
    return {"digest": f"sha256:{digest.hexdigest()}", "count": len(samples), "arrays": arrays}


def plain(value: Any) -> Any:
    """Return a setting as JSON can have it: functions and classes by name, large arrays by shape.

    >>> plain({"range": (0, float("inf")), "table": np.zeros((256, 3)), "way": max})
    {'range': [0, 'inf'], 'table': 'array of shape (256, 3)', 'way': 'max'}
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        small = value.size <= 64 and value.dtype.kind in "biuf"
        return plain(value.tolist()) if small else f"array of shape {value.shape}"
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return getattr(value, "__qualname__", None) or getattr(value, "name", type(value).__name__)


def _parse(content: bytes, folder: str) -> dict[str, Any] | None:
    try:
        about = json.loads(content.decode("utf-8-sig"), parse_constant=str, parse_float=read_float)
    except (ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or type(about.get("format")) is not int:
        return None
    versions, name = about.get("versions"), about.get("id")
    ours = isinstance(versions, dict) and PACKAGE in versions and isinstance(name, str)
    if not ours or not _ID.fullmatch(str(name)):
        return None
    if about["format"] > FORMAT:
        raise NewerError(RUN_FILE, folder, about["format"], FORMAT)
    return about


_open: set[RunFile] = set()  # of runs that nobody has ended yet


def _fail_open() -> None:
    """Say of the runs that nobody has ended that they failed: the interpreter exits."""
    runs = list(_open)

    def write(*, remote: bool) -> None:
        for run in runs:
            if run.is_local or remote:
                run.end("failed")

    if not runs:
        return
    thread = threading.Thread(target=partial(write, remote=True), daemon=True)
    try:
        thread.start()
    except RuntimeError:  # from Python 3.12 on an interpreter that exits starts no thread
        write(remote=False)
    else:
        thread.join(writer.STALL_S)


writer.at_exit.append(_fail_open)
