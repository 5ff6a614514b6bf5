"""Who follows a run's files as they are written, as the page of the run does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_image_saver.run.lines import Entry
from keras_image_saver.run.values import Row

# The entries of a file of the record, the rows of one of values, or what `run.json` says; None once the
# file is removed.
Content = Sequence[Entry] | Sequence[Row] | Mapping[str, Any] | None

# Called with a file's name and what it holds, once it is written. It must not raise, and may be called
# by any thread.
Mirror = Callable[[str, Content], None]


def nobody(name: str, content: Content) -> None:
    """Follow nothing."""
