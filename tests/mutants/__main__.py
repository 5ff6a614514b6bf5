"""Mutants: whether a module's own tests see that one thing in it is another.

Draws places of some modules by a seed, lets Cosmic Ray change what stands at each (an operator, a
number, a word such as `and`, a condition, a loop, a decorator, what is caught), and runs the module's
own tests on each mutant, in a copy of the tree. Prints who survived, and a table. It needs the extra
`mutants`.

A place counts once, however many mutants it may have; one of them is drawn. Left out is what types
tell, annotations and whether a class is frozen; and `is` for `==`, which differ by chance.
"""

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkerOutcome
from equivalent import EQUIVALENT

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "keras_image_saver"

# By module, its own tests; to them come the examples in its docstrings.
OWN_TESTS = {
    "progress.py": ["test_progress.py"],
    "render/ranges.py": ["render/test_ranges.py"],
    "render/mapping.py": ["render/test_to_uint8.py", "render/test_ranges.py"],
    "render/class_map.py": ["render/test_class_map.py"],
    "render/colors.py": ["render/test_colors.py"],
    "picture/grid.py": ["picture/test_grid.py"],
    "picture/layout.py": ["picture/test_layout.py"],
    "picture/tiling.py": ["picture/test_tiling.py"],
    "picture/encoder.py": ["picture/test_encoder.py"],
    "run/template.py": ["run/test_template.py"],
    "run/record.py": ["run/test_record.py", "run/test_retention.py"],
    "run/lines.py": ["run/test_lines.py", "run/test_record.py"],
    "run/logs.py": ["run/test_logs.py"],
    "run/writer.py": ["run/test_writer.py"],
    "run/storage.py": ["run/test_storage.py"],
    "run/disk.py": ["run/test_disk.py", "run/test_storage.py"],
    "run/files.py": ["run/test_files.py"],
    "run/found.py": ["run/test_found.py", "run/test_previous.py", "run/test_resume.py"],
    "run/lock.py": ["run/test_lock.py"],
}
SAME = ("Eq_Is", "Is_Eq", "NotEq_IsNot", "IsNot_NotEq")
SHARE = 0.9  # of the mutants, at least so many are to die


class Mutant(NamedTuple):
    """One change of a module, and what orders it among all."""

    order: tuple[float, str, tuple[int, int]]
    module: str
    spec: MutationSpec


def told_by_types(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where a module says what something is, from (line, column) to another."""
    found: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.returns)
        elif isinstance(node, ast.ClassDef):
            found += [one for one in node.decorator_list if isinstance(one, ast.Call)]
        elif isinstance(node, ast.AnnAssign):
            is_alias = isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
            found.append(node if is_alias else node.annotation)
    return [
        ((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset)) for one in found if one
    ]


def mutants(module: str, seed: int) -> Iterator[Mutant]:
    """Yield a mutant for each place of a module, below the current folder."""
    path = Path(PACKAGE, module)
    source = path.read_text("utf-8")
    lines, left_out = source.split("\n"), told_by_types(source)
    with use_db("places.sqlite") as database:
        init([path], database, {})
        specs = [item.mutations[0] for item in database.work_items]
    by_place = defaultdict(list)
    for spec in specs:
        row, column = spec.start_pos
        is_told = any(begin <= spec.start_pos < end for begin, end in left_out)
        # To Cosmic Ray, what stands before keyword-only arguments is a product.
        is_mark = lines[row - 1].startswith("*,", column)
        if not (is_told or is_mark or spec.operator_name.endswith(SAME)):
            by_place[spec.start_pos, spec.end_pos].append(spec)
    for ((row, column), _), found in by_place.items():
        # By its text: what is drawn stays the same where lines are added above it.
        line = lines[row - 1]
        place = line.strip(), column - (len(line) - len(line.lstrip()))
        draw = random.Random(f"{seed} {module} {found[0].definition_name} {place}")
        order = draw.random(), module, (row, column)
        found.sort(key=lambda spec: (spec.operator_name, spec.occurrence))
        yield Mutant(order, module, draw.choice(found))


# Hypothesis draws the same examples for each mutant, and makes none smaller that a mutant fails.
CONFTEST = """
from hypothesis import Phase, settings

phases = [Phase.explicit, Phase.generate]
settings.register_profile("mutants", derandomize=True, database=None, phases=phases)
settings.load_profile("mutants")
"""


def copy_tree(folder: Path) -> None:
    """Copy what tests need; the working tree is never touched."""
    for name in (PACKAGE, "tests"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "conftest.py").write_text(CONFTEST)


def command(module: str) -> list[str]:
    tests = [f"tests/{name}" for name in OWN_TESTS[module]]
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *options, f"{PACKAGE}/{module}", *tests]


def seconds_of(module: str) -> float:
    """Return how long a module's own tests take where nothing is changed.

    Raises:
        SystemExit: If they fail then.
    """
    began = time.monotonic()
    run = subprocess.run(command(module), check=False, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"The tests of {module} fail without a mutant:\n{run.stdout}{run.stderr}")
    return time.monotonic() - began


def change_of(diff: str) -> tuple[str, str]:
    """Return what stood in the lines that a diff changes, and what stands there."""
    lines = diff.split("\n")
    old, new = (
        " ".join(
            " ".join(one[1:] for one in lines if one[:1] == sign and one[:3] != sign * 3).split()
        )
        for sign in "-+"
    )
    return old, new


def fate(mutant: Mutant, timeout: float) -> tuple[str, str]:
    """Return what became of a mutant, and what it is.

    Raises:
        SystemExit: If there is no such mutant.
    """
    result = mutate_and_test([mutant.spec], shlex.join(command(mutant.module)), timeout)
    if result.worker_outcome is not WorkerOutcome.NORMAL:
        raise SystemExit(f"{mutant.spec} could not be made: {result.output}")
    old, new = change_of(result.diff)
    why = EQUIVALENT.get((mutant.module, old, new))
    shown = f"  {mutant.module}, {mutant.spec.definition_name}\n    - {old}\n    + {new}\n"
    if result.is_killed:
        return "died", shown
    if why is not None:
        return "equivalent", f"{shown}    {why}\n"
    return "survived", shown


def table(counts: dict[str, Counter[str]]) -> str:
    columns = ("mutants", "died", "survived", "equivalent")
    lines = [f"{'module':24}" + "".join(f"{one:>12}" for one in columns)]
    for module, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        numbers = (count.total(), count["died"], count["survived"], count["equivalent"])
        lines.append(f"{module:24}" + "".join(f"{number:12}" for number in numbers))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="of those that are drawn, such as run/lock.py")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300, help="how many are drawn, of all modules")
    asked = parser.parse_args()
    if unknown := {*asked.modules} - {*OWN_TESTS}:
        parser.error(f"modules must be some of {', '.join(OWN_TESTS)}, got {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(Path(folder))
        os.chdir(folder)
        Path("temporary").mkdir()
        os.environ.update(PYTHONPATH=folder, TMPDIR=f"{folder}/temporary")
        os.environ.update(PYTHONDONTWRITEBYTECODE="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        every = [one for module in OWN_TESTS for one in mutants(module, asked.seed)]
        every.sort(key=lambda one: one.order)
        print(f"{min(asked.count, len(every))} of {len(every)} places, by the seed {asked.seed}")
        drawn = sorted(every[: asked.count], key=lambda one: one.module)
        counts: dict[str, Counter[str]] = {}
        for mutant in drawn:
            if asked.modules and mutant.module not in asked.modules:
                continue
            if mutant.module not in counts:
                counts[mutant.module] = Counter()
                timeout = 3 * seconds_of(mutant.module) + 10
            what, shown = fate(mutant, timeout)
            counts[mutant.module][what] += 1
            if what != "died":
                print(f"{what}:\n{shown}", flush=True)
        print(table(counts))
        os.chdir(ROOT)
    died = sum(count["died"] for count in counts.values())
    return int(died < SHARE * sum(count.total() for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
