"""Blocks of code in the README and in `docs/`, run as a reader would paste them."""

import re
import shlex
import types
from pathlib import Path

from PIL import Image

from keras_image_saver.cli import main

ROOT = Path(__file__).parents[2]


def blocks(text, language):
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def sections(text):
    """What stands below each heading of the second level, by its title."""
    _, *parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def run_python(text, namespace, title):
    """Run the Python blocks of a text one after another in one namespace."""
    for number, block in enumerate(blocks(text, "python"), 1):
        exec(compile(block, f"{title}, block {number}", "exec"), namespace)


def run_shell(text):
    """Run those commands of a text's shell blocks that are the package's own."""
    for command in "".join(blocks(text, "shell")).splitlines():
        program, *arguments = shlex.split(command)
        if program == "keras-image-saver":
            assert main(arguments) == 0, command


class Wandb(types.ModuleType):
    """Weights & Biases, which needs an account, as far as the papers use it."""

    def __init__(self):
        super().__init__("wandb")
        self.logged = []

    def init(self, *, project):
        return types.SimpleNamespace(log=self.logged.append)

    @staticmethod
    def Image(path):
        with Image.open(path) as picture:
            return picture.size
