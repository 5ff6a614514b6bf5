"""A progress bar on a terminal, where tqdm is installed (extra `progress`)."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], total: int, text: str) -> Iterator[Item]:
    """Yield the items, with a bar on standard error if that is a terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield from items
        return
    # tqdm takes disable=None as "unless it is a terminal".
    yield from tqdm(items, total=total, desc=text, unit="frame", leave=False, disable=None)
