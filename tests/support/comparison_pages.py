"""What stands in a page of runs."""

import json
import re


def block(page, name="data"):
    """What a block of data in a page holds."""
    text = page.read_bytes().decode("utf-8")
    pattern = rf'<script type="application/json" id="{name}">(.*?)</script>'
    (found,) = re.findall(pattern, text, re.DOTALL)
    return json.loads(found, parse_constant=_no_constant)


def cards(folder):
    """The cards in the list of a folder."""
    return block(folder / "index.html")["cards"]


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")
