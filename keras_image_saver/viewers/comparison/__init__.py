"""Runs side by side: a page that compares some, and a list of all in a folder, to choose from.

No other folder's script runs in these pages: what a record says is embedded as data. Of a run that is
going on more comes by a frame without rights, which posts what it holds.
"""

import os
import time
from collections.abc import Iterable
from typing import Any

from keras_image_saver.run.lines import record_files
from keras_image_saver.run.storage import check_path, storage_of
from keras_image_saver.viewers.comparison.document import COMPARISON, replace_page
from keras_image_saver.viewers.comparison.records import embedded
from keras_image_saver.viewers.comparison.urls import names_of, relative_url, shell_path

_FEWEST, _MOST = 2, 4


def compare(runs: Iterable[str | os.PathLike[str]], out: str | os.PathLike[str]) -> str:
    """Write a page that shows runs side by side: one slider, sample and zoom for all, charts of all.

    The page holds what the runs' records say, and shows their pictures from where they are. What a run
    that is going on draws later, it reads from the run's own page where the browser lets it.

    Args:
        runs: The folders of 2 to 4 runs; any `tf.io.gfile` paths.
        out: The page's file, `.html`. It is replaced if it is such a page already.

    Returns:
        The path of the page. It opens from disk, and needs the runs where they are from there.

    Raises:
        TypeError: If `runs` are no paths.
        ValueError: If there are not 2 to 4 runs, one is given twice, `out` is no .html, no relative URL
            leads from there to a run, or a record is from a newer version.
        FileNotFoundError: If a folder has no record.
        FileExistsError: If `out` is there and is no page of this kind.

    Example:
        ```python
        compare(["runs/lr_0.01", "runs/lr_0.001"], "compare.html")
        ```
    """
    folders = _check_runs(runs)
    out = check_path(out, "out")
    if not out.lower().endswith((".html", ".htm")):
        raise ValueError(f"`out` must be an .html file, got {out!r}.")
    urls = [relative_url(os.path.dirname(out), folder) for folder in folders]
    named = zip(folders, urls, names_of(folders), strict=True)
    found = [embedded(folder, url, name) for folder, url, name in named]
    runs_given = " ".join(map(shell_path, folders))
    data = {
        "kind": COMPARISON.name,
        "written": round(time.time(), 3),
        "command": f"keras-image-saver compare {runs_given} --out {shell_path(out)}",
        "runs": [run.data for run in found],
    }
    replace_page(out, COMPARISON, data, [run.values for run in found])
    return out


def _check_runs(runs: Any) -> list[str]:
    if isinstance(runs, (str, bytes, os.PathLike)) or not isinstance(runs, Iterable):
        raise TypeError(f"`runs` must be a list of 2 to 4 folders, got {runs!r}.")
    folders = [check_path(one, "runs") for one in runs]
    if not _FEWEST <= len(folders) <= _MOST:
        raise ValueError(
            f"`runs` must be {_FEWEST} to {_MOST} folders, got {len(folders)}: {folders}. "
            "One run has a page of its own, by write_page; a folder of many runs a list, also by "
            "write_page, from which some are chosen."
        )
    known: dict[str, str] = {}
    for folder in folders:
        place = storage_of(folder).real_path.rstrip("/")
        if place in known:
            raise ValueError(
                f"`runs` must be folders of different runs, got {known[place]!r} and {folder!r}, "
                "which are the same. Compare two epochs of a run on its own page."
            )
        known[place] = folder
        if not record_files(folder):
            raise FileNotFoundError(f"There is no record of a run in {folder!r}.")
    return folders
