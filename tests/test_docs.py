"""What stands in `docs/` and in the papers beside the README is as the package is."""

import re
import runpy
from urllib.parse import unquote

import pytest
from support.papers import ROOT, blocks

from keras_image_saver import __version__

PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(paper):
    """The names by which a Markdown file's headings can be linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(paper.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def test_arguments_are_as_the_docstrings_say():
    script = runpy.run_path(str(ROOT / "docs/make_arguments.py"))
    # Pythons break the lines of a command's help differently.
    same = script["text"]().split() == text_of("docs/arguments.md").split()
    assert same, "docs/arguments.md is stale: run python docs/make_arguments.py"


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_exist(paper):
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(paper.read_text("utf-8")))
    for link in links:
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (paper.parent / unquote(name)).resolve() if name else paper
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_architecture_has_every_module_and_folder_in_its_tree():
    (tree,) = blocks(text_of("docs/architecture.md"), "text")
    package = ROOT / "keras_image_saver"
    names = {path.name for path in package.glob("[!_]*.py")}
    names |= {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert set(re.findall(r"\b[a-z_]+(?:\.py|/)(?=\s)", tree.partition("/\n")[2])) == names


def test_guarantees_are_held_by_tests_that_exist():
    held_part, _ = text_of("docs/guarantees.md").split("## What is not held")
    guarantees = re.split(r"^- ", held_part, flags=re.MULTILINE)[1:]
    held = [re.findall(r"`(test_\w+(?:\.py)?)`", one) for one in guarantees]
    assert all(held), "each guarantee must name a test"
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {path.name for path in files}
    for path in files:
        known |= set(
            re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
    assert len(held) > 60
    assert {name for names in held for name in names} <= known


def test_citation_is_of_this_version():
    assert re.search(r"^version: (.*)$", text_of("CITATION.cff"), re.MULTILINE)[1] == __version__
