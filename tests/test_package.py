"""What the package says of itself."""

import ast
import configparser
import importlib.metadata
import inspect
import re
from pathlib import Path

import pytest

import keras_image_saver

ROOT = Path(__file__).parents[1]
PACKAGE = Path(keras_image_saver.__file__).parent


def setup_cfg():
    parsed = configparser.ConfigParser()
    parsed.read(ROOT / "setup.cfg", "utf-8")
    return parsed


def names(requirements):
    return {re.match(r"[\w-]+", line)[0].lower() for line in requirements.split("\n") if line}


def test_package_ships_its_types():
    assert (PACKAGE / "py.typed").is_file()
    assert setup_cfg()["options.package_data"]["keras_image_saver"] == "py.typed"


def test_users_script_that_is_checked_by_types_has_all_names_and_arguments():
    script = ast.parse((ROOT / "tests/installed/user_script.py").read_text("utf-8"))
    used = {node.id for node in ast.walk(script) if isinstance(node, ast.Name)}
    assert set(keras_image_saver.__all__) - {"__version__"} <= used
    given = {node.arg for node in ast.walk(script) if isinstance(node, ast.keyword)}
    for name in keras_image_saver.__all__:
        function = getattr(keras_image_saver, name)
        # What the samples hold, a snapshot and a run are read of, not made by users.
        if callable(function) and name not in ("Batch", "Run", "Snapshot", "ImageSaverError"):
            parameters = inspect.signature(function).parameters.values()
            options = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
            assert options <= given, name


@pytest.mark.parametrize("room", ["comparison", "page", "web"])
def test_package_ships_its_pages(room):
    patterns = setup_cfg()["options.package_data"][f"keras_image_saver.viewers.{room}"].split(", ")
    folder = PACKAGE / "viewers" / room
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    assert {path.suffix for path in shipped} >= {".css", ".js"}
    others = {path for path in folder.iterdir() if path.is_file()} - shipped
    assert {path.suffix for path in others} == {".py"}


def test_version_is_that_of_the_installed_distribution():
    assert importlib.metadata.version("keras-image-saver") == keras_image_saver.__version__


def test_version_stands_in_one_place():
    assert setup_cfg()["metadata"]["version"] == "attr: keras_image_saver.version.__version__"
    sources = [*PACKAGE.rglob("*.py"), ROOT / "setup.cfg", ROOT / "pyproject.toml"]
    version = re.escape(keras_image_saver.__version__)
    found = [
        path.name
        for path in sources
        for _ in re.finditer(rf"(?<![\d.]){version}(?![\d.])", path.read_text("utf-8"))
    ]
    assert found == ["version.py"]


def test_version_is_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+", keras_image_saver.__version__)


def test_dependencies_are_three_and_nothing_else():
    found = names(setup_cfg()["options"]["install_requires"])
    assert found == {"tensorflow", "numpy", "pillow"}


def test_lowest_versions_that_are_tested_are_those_that_are_asked_for():
    extras = setup_cfg()["options.extras_require"]
    of_users = [extras[name] for name in ("colormaps", "fast", "notebook", "progress")]
    of_users.append(setup_cfg()["options"]["install_requires"])
    lines = "\n".join([*of_users, extras["test"]])
    asked = dict(re.findall(r"^([\w-]+)>=([\d.]+)$", lines, re.MULTILINE))
    environment = (ROOT / "pyproject.toml").read_text("utf-8").partition("[tool.tox.env.lowest]")[2]
    tested = dict(re.findall(r'"([\w-]+)==([\d.]+)\.\*"', environment.partition("\n[")[0]))
    assert tested == {name: asked[name] for name in tested}
    assert names("\n".join(of_users)) <= set(tested)


def test_extras_are_those_of_the_issue():
    named = {"colormaps", "examples", "notebook", "progress", "test"}
    assert {*setup_cfg()["options.extras_require"]} >= named


def test_python_from_3_10_is_supported():
    config = setup_cfg()
    assert config["options"]["python_requires"] == ">=3.10"
    listed = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    assert listed == ["3.10", "3.11", "3.12", "3.13"]


def test_wheel_holds_the_package_and_not_the_tests():
    included = setup_cfg()["options.packages.find"]["include"].split()
    assert included == ["keras_image_saver", "keras_image_saver.*"]


def test_pyproject_has_no_project_table():
    """With one setuptools would ignore the metadata of setup.cfg."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert not re.search(r"^\[project[\].]", text, re.MULTILINE)


def test_license_is_apache_2():
    assert setup_cfg()["metadata"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
