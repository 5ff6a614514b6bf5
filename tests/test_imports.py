"""Which folder may import which, and what the package imports of others."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import keras_image_saver

PACKAGE = Path(keras_image_saver.__file__).parent


def dotted(path):
    """A module's name inside the package: `viewers/page/__init__.py` is `viewers.page`."""
    name = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    return name.removesuffix(".__init__")


SOURCES = {dotted(path): path for path in PACKAGE.rglob("*.py")}
MODULES = sorted(SOURCES)

# What each folder, or module beside the folders, may import of the package; its own modules may import
# one another. What stands under `JOINING` joins folders, and may import any but viewers.
RULES = {
    "version": "",
    "arrays": "",
    "checks": "",
    "escapes": "",
    "progress": "checks",
    "samples": "arrays checks",
    "render": "arrays checks",
    "model": "arrays checks samples render.base",
    "picture": "arrays checks escapes render.base version",
    "run": "arrays checks escapes progress samples render.base version",
    "viewers": "arrays checks escapes picture run",
    "report": "escapes run",
    "listeners": "arrays checks escapes picture run",
}
JOINING = {
    "__init__",
    "__main__",
    "callback",
    "cli",
    "drawer",
    "live_run",
    "pipeline",
    "save",
    "settings",
}
# A viewer is imported when the user asks for one.
ASK_FOR_VIEWERS = {"cli", "live_run"}

# TensorFlow is imported where Keras is met; `run.storage` imports it only for a remote path,
# `listeners` only to write to TensorBoard.
WITH_TENSORFLOW = {"callback", "model"}
LAZY_TENSORFLOW = {"listeners", "run.storage"}

PUBLIC = {
    "Batch",
    "ImageSaver",
    "ImageSaverError",
    "Images",
    "NotebookDisplay",
    "Run",
    "Segmentation",
    "Snapshot",
    "TensorBoardImages",
    "__version__",
    "colorize",
    "compare",
    "encode_image",
    "latents",
    "make_grid",
    "overlay",
    "save_image",
    "strip",
    "tiles",
    "timelapse",
    "to_uint8",
    "write_page",
}


@cache
def imports(module, *, lazy=True):
    """Every module that one imports, with dots; without `lazy` not those inside functions."""
    tree = ast.parse(SOURCES[module].read_text("utf-8"))
    inner = {
        node
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    found = set()
    for node in ast.walk(tree):
        if node in inner and not lazy:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the package imports by full names"
            for name in node.names:
                inner_module = f"{node.module}.{name.name}".removeprefix("keras_image_saver.")
                found.add(
                    f"keras_image_saver.{inner_module}" if inner_module in SOURCES else node.module
                )
    return found


def own_imports(module, *, lazy=True):
    """The package's modules that one imports; "" is the package itself."""
    return {
        name.removeprefix("keras_image_saver").removeprefix(".")
        for name in imports(module, lazy=lazy)
        if name.split(".")[0] == "keras_image_saver"
    }


def folder(module):
    """The folder of a module, or its own name where it stands beside the folders."""
    return module.split(".")[0]


def is_allowed(name, allowed):
    return any(name == one or name.startswith(one + ".") for one in allowed)


def roots(module, *, lazy=True):
    return {name.split(".")[0] for name in imports(module, lazy=lazy)}


def run_python(code):
    """Run code in a fresh interpreter and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# By reading the source


def test_imports_have_a_rule_for_every_folder():
    assert {folder(module) for module in MODULES} == set(RULES) | JOINING


@pytest.mark.parametrize("place", RULES)
def test_imports_of_a_folder_are_those_it_may_have(place):
    allowed = [place, *RULES[place].split()]
    modules = [module for module in MODULES if folder(module) == place]
    forbidden = {
        f"{module} imports {name}"
        for module in modules
        for name in own_imports(module)
        if not is_allowed(name, allowed)
    }
    assert not forbidden


def test_imports_make_no_circle():
    needed = {
        module: own_imports(module) & set(MODULES) for module in MODULES if module != "__init__"
    }
    while needed:
        free = [module for module, names in needed.items() if not names & set(needed)]
        assert free, f"a circle among {sorted(needed)}"
        for module in free:
            del needed[module]


def test_imports_of_viewers_wait_until_the_user_asks_for_one():
    asking = {
        module
        for module in MODULES
        if folder(module) != "viewers" and any(folder(n) == "viewers" for n in own_imports(module))
    }
    assert asking - {"__init__"} == ASK_FOR_VIEWERS
    at_once = {name for module in asking - {"__init__"} for name in own_imports(module, lazy=False)}
    assert "viewers" not in {folder(name) for name in at_once}


@pytest.mark.parametrize("module", ["__main__", "cli"])
def test_imports_of_the_shell_wait_for_a_command(module):
    assert not {"numpy", "PIL"} & roots(module, lazy=False)


def test_imports_of_pillow_stand_where_pictures_are_made():
    assert {folder(module) for module in MODULES if "PIL" in roots(module)} == {"picture"}


def test_imports_of_tensorflow_stand_where_the_design_says():
    anywhere = {module for module in MODULES if {"tensorflow", "keras"} & roots(module)}
    at_once = {module for module in anywhere if "tensorflow" in roots(module, lazy=False)}
    assert {folder(module) for module in at_once} == WITH_TENSORFLOW
    assert anywhere - at_once == LAZY_TENSORFLOW


def test_imports_of_keras_go_through_tensorflow():
    assert not {module for module in MODULES if {"keras", "tf_keras"} & roots(module)}


def test_imports_of_third_parties_are_the_three_dependencies_and_the_extras():
    third = {
        root
        for module in MODULES
        for root in roots(module)
        if root not in sys.stdlib_module_names and root != "keras_image_saver"
    }
    needed = {"numpy", "PIL", "tensorflow"}
    assert third == needed | {"matplotlib", "jax", "torch", "tqdm", "IPython", "isal"}


def test_imports_of_extras_wait_until_they_are_needed():
    at_once = {root for module in MODULES for root in roots(module, lazy=False)}
    assert not {"matplotlib", "jax", "torch", "tqdm", "IPython", "isal"} & at_once


def test_imports_of_matplotlib_wait_until_a_colormap_is_named():
    assert {module for module in MODULES if "matplotlib" in roots(module)} == {"render.colors"}


# In a fresh interpreter


def test_import_of_the_package_imports_nothing_else():
    code = (
        "import sys, keras_image_saver\n"
        "heavy = {'tensorflow', 'keras', 'PIL', 'numpy', 'matplotlib'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    assert run_python(code) == "[]"


def test_import_of_pure_modules_imports_neither_tensorflow_nor_pillow():
    pure = [
        module
        for module in MODULES
        if folder(module) in {"arrays", "checks", "progress", "render", "run", "samples", "version"}
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {pure}: importlib.import_module('keras_image_saver.' + name)\n"
        "heavy = {'tensorflow', 'keras', 'PIL', 'matplotlib'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    assert run_python(code) == "[]"


def test_save_image_of_an_array_does_not_import_tensorflow(tmp_path):
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from keras_image_saver import make_grid, save_image, to_uint8\n"
        f"save_image({str(tmp_path / 'a.png')!r}, np.zeros((3, 2, 2, 3)))\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    assert run_python(code) == "[]"
    assert (tmp_path / "a.png").stat().st_size > 0


def test_stages_work_without_tensorflow_installed(tmp_path):
    code = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from keras_image_saver import Images, Segmentation, colorize, encode_image, save_image\n"
        "Images((0, 1)), Segmentation(3)\n"
        f"save_image({str(tmp_path / 'a.png')!r}, colorize(np.zeros((2, 2), int)))\n"
        "print(encode_image(np.zeros((2, 2), np.uint8))[1:4].decode())"
    )
    assert run_python(code) == "PNG"


# The public names


def test_all_names_are_those_of_the_design():
    assert set(keras_image_saver.__all__) == PUBLIC
    assert len(keras_image_saver.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_name_is_loaded_when_asked_for(name):
    value = getattr(keras_image_saver, name)
    assert getattr(keras_image_saver, name) is value
    if name != "__version__":
        assert value.__name__ == name
        assert value.__doc__


def test_dir_lists_public_names_before_they_are_loaded():
    code = (
        "import keras_image_saver as k; print(set(k.__all__) <= set(dir(k)), 'Images' in vars(k))"
    )
    assert run_python(code) == "True False"


def test_dir_lists_public_names():
    assert set(keras_image_saver.__all__) <= set(dir(keras_image_saver))


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="'keras_image_saver' has no attribute 'ImageSavor'"):
        _ = keras_image_saver.ImageSavor


def test_from_import_of_an_unknown_name_raises_import_error():
    with pytest.raises(ImportError, match="ImageSavor"):
        exec("from keras_image_saver import ImageSavor")
