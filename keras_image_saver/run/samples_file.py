"""The samples of a run as a file beside its pictures.

It is marked by its archive's comment, which NumPy does not look at, as the run's: a file that is not
marked is somebody else's, or was written by the first version.
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_image_saver.arrays import Array, map_leaves
from keras_image_saver.run.archives import mark_of, packed
from keras_image_saver.run.files import SAMPLES
from keras_image_saver.run.record import reason_of
from keras_image_saver.run.storage import Storage, storage_of
from keras_image_saver.samples import Samples

MOST_MIB = 64

_MARK = "keras_image_saver samples of run "
# Before a string, what it is; behind it what keeps NumPy from cutting zeros at its end.
_TEXT, _BYTES, _END = b"t", b"b", b"."


def keep_samples(samples: Samples, folder: str, say: Callable[[str], None], *, run: str) -> None:
    """Write samples into a run's folder, and say so where they are not kept, or that fails.

    Args:
        samples: What is drawn.
        folder: The run's folder.
        say: Tells the user a line.
        run: The run's id; a file that is not marked as of this run is left as it is.
    """
    if samples.inputs is None:
        return
    mib = sum(array.nbytes for array in samples.arrays.values()) / 2**20
    if mib > MOST_MIB:
        say(
            f"The samples take {mib:.0f} MiB and are not kept beside the pictures ({MOST_MIB} MiB "
            "at most): a resumed run will draw what it is given."
        )
        return
    file = storage_of(folder) / SAMPLES
    try:
        there = SAMPLES in storage_of(folder).names()
        if not there or find_samples(folder, run, unmarked=False) is not None:
            file.replace(lambda opened: save_samples(samples, opened, run=run))
        elif not _holds(file, samples):
            say(
                f"{SAMPLES} in {folder} is there already and not of this run; the samples are not "
                "kept."
            )
    except Exception as error:
        say(f"The samples could not be kept in {file.path}: {reason_of(error)}")


def save_samples(samples: Samples, file: Any, *, run: str) -> None:
    """Write samples into an open binary file, as `.npz`, without pickle.

    Args:
        samples: What is drawn; their arrays of objects hold strings.
        file: Open for writing.
        run: The id of the run whose they are.

    Raises:
        TypeError: If an array holds other objects than strings.
    """
    file.write(packed(_stored(samples), f"{_MARK}{run}"))


def run_of(content: BinaryIO) -> str | None:
    """Return the id of the run that samples are marked as of; None if they are not marked."""
    mark = mark_of(content) or ""
    return mark.removeprefix(_MARK) if mark.startswith(_MARK) else None


def looks_like_samples(content: BinaryIO) -> bool:
    """Tell whether a file has the names of a run's samples: those of the first version have no mark."""
    try:
        with zipfile.ZipFile(content) as archive:
            names = [name.removesuffix(".npy").split("/")[0] for name in archive.namelist()]
    except Exception:
        return False
    finally:
        content.seek(0)
    return {"x"} <= set(names) <= {"x", "y"}


def find_samples(folder: str, run: str | None, *, unmarked: bool) -> BinaryIO | None:
    """Return the samples' file of a run, if it is that run's.

    Args:
        folder: The run's folder.
        run: The run's id; None if it has none, so that any mark is taken for its own.
        unmarked: Whether a file without a mark may be the run's, as that of the first version.
    """
    if SAMPLES not in storage_of(folder).names():
        return None
    try:
        with (storage_of(folder) / SAMPLES).open() as file:
            mark = run_of(file)
            ours = unmarked and looks_like_samples(file) if mark is None else run in (mark, None)
            return io.BytesIO(file.read()) if ours else None
    except OSError:  # it is a folder, or may not be read, so it is not ours
        return None


def load_samples(content: Any, like: Samples) -> Samples | None:
    """Read samples that `save_samples` wrote; None if their structure is not that of `like`.

    Args:
        content: An open binary file.
        like: Samples of the structure to restore.
    """
    marked = run_of(content) is not None
    with np.load(content, allow_pickle=False) as kept:
        names = list(like.arrays)
        if sorted(names) != sorted(kept.files):
            return None
        found = [
            _strings(kept[name]) if marked and like.arrays[name].dtype.kind == "O" else kept[name]
            for name in names
        ]
    arrays = iter(found)  # in the order of their structures

    def restore(structure: Any) -> Any:
        return map_leaves(lambda array: None if array is None else next(arrays), structure)

    return replace(like, inputs=restore(like.inputs), targets=restore(like.targets))


class KeptSamples(NamedTuple):
    """What a run was shown, as its file tells; `inputs` and `targets` are as in `Batch`."""

    inputs: Any
    targets: Any = None


def kept_samples(folder: str, about: Mapping[str, Any]) -> KeptSamples | None:
    """Return what a run was shown; None if its folder has no file of them that is the run's.

    Args:
        folder: The run's folder.
        about: What `run.json` says of it; nothing of a run of the first version.

    Raises:
        ValueError: If the file cannot be read.
    """
    samples = about.get("samples")
    told: Mapping[str, Any] = samples if isinstance(samples, Mapping) else {}
    unmarked = not about or told.get("unmarked") is True
    content = find_samples(folder, about.get("id"), unmarked=unmarked)
    if content is None:
        return None
    try:
        marked = run_of(content) is not None
        with np.load(content, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        if marked:
            arrays = {name: _as_given(name, array, told) for name, array in arrays.items()}
        return KeptSamples(_structure(arrays, "x"), _structure(arrays, "y"))
    except Exception as error:  # NumPy and zipfile fail in many ways
        raise ValueError(f"{SAMPLES} in {folder!r} cannot be read: {reason_of(error)}") from error


def _as_given(name: str, array: Array, told: Mapping[str, Any]) -> Array:
    """Return an array as it was given: strings of any length were stored as bytes of one."""
    arrays = told.get("arrays")
    one = arrays.get(name) if isinstance(arrays, Mapping) else None
    dtype = one.get("dtype") if isinstance(one, Mapping) else None
    return _strings(array) if dtype == "object" and array.dtype.kind == "S" else array


def _structure(arrays: Mapping[str, Array], path: str) -> Any:
    """Return the arrays below a path as lists, where they are numbered, and dicts."""
    if path in arrays:
        return arrays[path]
    below = [name.removeprefix(path + "/") for name in arrays if name.startswith(path + "/")]
    keys = dict.fromkeys(name.split("/")[0] for name in below)
    found = {key: _structure(arrays, f"{path}/{key}") for key in keys}
    numbers = [str(number) for number in range(len(found))]
    return [found[key] for key in numbers] if found and {*found} == {*numbers} else found or None


def same_samples(one: Samples, other: Samples) -> bool:
    """Tell whether two samples of one structure hold the same values."""
    first, second = one.arrays, other.arrays
    return all(np.array_equal(_text(first[name]), _text(second[name])) for name in first)


def _holds(place: Storage, samples: Samples) -> bool:
    """Tell whether a file that is not marked holds these samples, as one of the first version does."""
    try:
        with place.open() as file:
            found = None if run_of(file) is not None else load_samples(file, samples)
    except Exception:
        return False
    return found is not None and same_samples(samples, found)


def _stored(samples: Samples) -> dict[str, Any]:
    """Return the arrays, objects as bytes of fixed length, since they would be pickled."""
    return {
        name: _as_bytes(array) if array.dtype.kind == "O" else array
        for name, array in samples.arrays.items()
    }


def _as_bytes(strings: Array) -> Array:
    stored = []
    for one in strings.ravel().tolist():
        if not isinstance(one, (str, bytes)):
            raise TypeError(f"an array of objects must hold strings, got {type(one).__name__}")
        text = isinstance(one, str)
        kept = one.encode("utf-8", "surrogatepass") if isinstance(one, str) else one
        stored.append((_TEXT if text else _BYTES) + kept + _END)
    return np.array(stored, "S").reshape(strings.shape)


def _strings(stored: Array) -> Array:
    found = np.empty(stored.shape, object)
    for index, one in np.ndenumerate(stored):
        kept = one[1:-1]
        found[index] = kept.decode("utf-8", "surrogatepass") if one[:1] == _TEXT else bytes(kept)
    return found


def _text(array: Array) -> Array:
    """Return an array to be compared: one of strings as The first version kept it, if it could."""
    if array.dtype.kind != "O":
        return array
    try:
        return array.astype("S")
    except UnicodeEncodeError:
        return array
