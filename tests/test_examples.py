"""Each example is run by the checks, and readers hear of it."""

import re

import pytest
from support.papers import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_run_by_the_checks_and_linked_to_in_the_readme(example):
    assert re.search(rf"\b{example.stem}\b", (ROOT / ".ci/run").read_text("utf-8"))
    assert f"](examples/{example.name})" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_says_how_it_is_started_and_what_it_made(example):
    text = example.read_text("utf-8")
    assert f"    python examples/{example.name}\n" in text
    assert f'default=Path("runs/{example.stem}")' in text
    assert 'print(f"The last picture is {' in text
    assert "print(f\"The page of the run is {args.output / 'index.html'}\")" in text
