"""What each sample had, as text for the page: four digits are all that anybody reads."""

import json
from collections.abc import Sequence
from typing import Any

from keras_image_saver.run.values import Row, Values


class ValueTexts:
    """Writes rows of values as JSON; a row that was written before costs nothing again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Row, dict[str, dict[str, str]]]] = {}

    def json(self, rows: Sequence[Row], full: int = 0) -> str:
        """Return the rows of one file: their `keys`, and by measure one text a row.

        Args:
            rows: The file's.
            full: How many full files there are beside the newest.

        >>> import numpy as np
        >>> row = Row((3, 10, 0), {"mae": np.array([0.123456, np.nan], np.float32)}, {})
        >>> ValueTexts().json([row])
        '{"full": 0, "keys": [[3, 10, 0]], "metrics": {"mae": ["0.1235 NaN"]}, "classes": {}}'
        """
        known = {id(row): self._known.get(id(row)) or (row, _texts(row)) for row in rows}
        self._known = known
        content: dict[str, Any] = {"full": full, "keys": [list(row.key) for row in rows]}
        for part in ("metrics", "classes"):
            names = known[id(rows[0])][1][part] if rows else {}
            content[part] = {
                name: [known[id(row)][1][part][name] for row in rows] for name in names
            }
        return json.dumps(content)


def _texts(row: Row) -> dict[str, dict[str, str]]:
    return {"metrics": _of_each(row.metrics), "classes": _of_each(row.by_class)}


def _of_each(values: Values) -> dict[str, str]:
    return {name: " ".join(map(_digits, array.tolist())) for name, array in values.items()}


def _digits(value: float) -> str:
    # As JavaScript's `Number` reads it.
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text := f"{value:.4g}", text)
