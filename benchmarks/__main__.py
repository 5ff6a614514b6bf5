"""`python -m benchmarks [question ...]`: measure, print, and write `RESULTS.md` and `stall.svg`."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
INTRODUCTION = """# What image monitoring costs training

Written by `python -m benchmarks` (extra `bench`). Rows of one table are measured round-robin in one
process; figures are medians of at least 15 rounds where nothing else is said, and hold on no other
machine: compare the ratios.
"""


def machine() -> str:
    model = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        model = names[0] if names else ""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    packages = (
        "tensorflow",
        "keras",
        "numpy",
        "pillow",
        "isal",
        "opencv-python-headless",
        "matplotlib",
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    load = os.getloadavg()[0]
    return (
        f"Measured on {os.cpu_count()} cores ({model}), {len(devices) or 'no'} GPU, "
        f"{platform.system()}, Python {platform.python_version()}, {versions}. "
        f"Load before the start: {load:.1f}.\n"
    )


def questions() -> dict[str, Callable]:
    # Each imports TensorFlow, which `--help` need not wait for.
    from benchmarks import (
        animation,
        encoders,
        growth,
        imports,
        mapping,
        measures,
        passes,
        png,
        stall,
        whole_run,
    )

    def stalls() -> tuple:
        tables, targets, plotted = stall.tables()
        stall.plot(plotted, str(FOLDER / "stall.svg"))
        return tables, targets

    return {
        "imports": imports.tables,
        "stall": stalls,
        "mapping": mapping.tables,
        "measures": measures.tables,
        "png": png.tables,
        "encoders": encoders.tables,
        "animation": animation.tables,
        "passes": passes.tables,
        "growth": growth.tables,
        "whole_run": whole_run.tables,
    }


HEADINGS = {
    "imports": "Import",
    "stall": "Stall, and where it goes",
    "mapping": "Mapping",
    "measures": "Measures",
    "png": "PNG",
    "encoders": "Encoder",
    "animation": "Animations",
    "passes": "Inference",
    "growth": "Growth",
    "whole_run": "Whole run",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="question", help=", ".join(HEADINGS))
    chosen = parser.parse_args().questions
    unknown = set(chosen) - set(HEADINGS)
    if unknown:
        parser.error(
            f"there is no question {sorted(unknown)[0]!r}; there are {', '.join(HEADINGS)}"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    about = machine()
    sections, targets = [], []
    for name, ask in questions().items():
        if chosen and name not in chosen:
            continue
        print(f"... {HEADINGS[name]}", file=sys.stderr, flush=True)
        tables, met = ask()
        targets += met
        section = "\n\n".join([f"## {HEADINGS[name]}", *(table.markdown() for table in tables)])
        print(section, flush=True)
        sections.append(section)
    reached = ["## What is to be reached", "", "| | measured | limit | |", "|---|---:|---:|---|"]
    for target in targets:
        sign = "at least" if target.at_least else "at most"
        digits = 3 if abs(target.measured - target.limit) < 0.05 * abs(target.limit) else 2
        reached.append(
            f"| {target.what} | {target.measured:.{digits}f}{target.unit} | {sign} "
            f"{target.limit:.3g}{target.unit} | {'reached' if target.is_met else '**missed**'} |"
        )
    print("\n".join(reached))
    if not chosen:
        notes = (FOLDER / "NOTES.md").read_text("utf-8") if (FOLDER / "NOTES.md").exists() else ""
        parts = [INTRODUCTION, about, "\n".join(reached), notes, *sections]
        text = "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"
        (FOLDER / "RESULTS.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
