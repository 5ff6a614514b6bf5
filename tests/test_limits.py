"""How large the package's parts may be, so that each can be read at once."""

import ast
from pathlib import Path

import pytest

import keras_image_saver

PACKAGE = Path(keras_image_saver.__file__).parent
SOURCES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

MOST_METHODS = 16
MOST_ATTRIBUTES = 14
MOST_LINES_OF_A_FUNCTION = 40
MOST_LINES_OF_A_MODULE = 350

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def parsed(source):
    return ast.parse((PACKAGE / source).read_text("utf-8"))


def nodes(source, kinds):
    return [node for node in ast.walk(parsed(source)) if isinstance(node, kinds)]


def without_docstring(body):
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text and isinstance(first.value.value, str) else body


def lines_of_body(function):
    body = without_docstring(function.body)
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def attributes(kind):
    """What a class assigns to `self`, and what a dataclass declares."""
    declared = {
        node.target.id
        for node in kind.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assigned = {
        node.attr
        for node in ast.walk(kind)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    return declared | assigned


@pytest.mark.parametrize("source", SOURCES)
def test_class_has_few_methods_and_attributes(source):
    for kind in nodes(source, ast.ClassDef):
        methods = [node.name for node in kind.body if isinstance(node, FUNCTIONS)]
        assert len(methods) <= MOST_METHODS, f"{kind.name} has {len(methods)} methods"
        found = attributes(kind)
        assert len(found) <= MOST_ATTRIBUTES, f"{kind.name} has {len(found)}: {sorted(found)}"


@pytest.mark.parametrize("source", SOURCES)
def test_function_fits_a_screen(source):
    lines = {node.name: lines_of_body(node) for node in nodes(source, FUNCTIONS)}
    assert {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("source", SOURCES)
def test_module_is_short(source):
    lines = (PACKAGE / source).read_text("utf-8").count("\n")
    assert lines <= MOST_LINES_OF_A_MODULE, f"{source} has {lines} lines"


def test_limits_are_measured_as_they_are_meant():
    kind = ast.parse(
        "class A:\n"
        "    x: int\n"
        "    def f(self):\n"
        "        '''Two\n\n        lines.'''\n"
        "        self.y = self.z.w = 1\n"
        "        return self.y\n"
    ).body[0]
    assert attributes(kind) == {"x", "y"}
    assert lines_of_body(kind.body[1]) == 2
