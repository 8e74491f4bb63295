"""Import statements, read from code."""

from __future__ import annotations

import pytest

from exocet_ipython.reloading.imports import read_imports

CASES = {
    "import a": [("a",)],
    "import a.b.c": [("a", "a.b", "a.b.c")],
    "import a.b as c": [("a", "a.b")],
    "import a, b": [("a",), ("b",)],
    "from a import b, c": [("a", "a.b", "a.c")],
    "from a import *": [("a",)],
    "from . import x": [("pkg.sub", "pkg.sub.x")],
    "from .x import y": [("pkg.sub.x", "pkg.sub.x.y")],
    "from .. import x": [("pkg", "pkg.x")],
    "from ..x import y": [("pkg.x", "pkg.x.y")],
    "def f():\n    import a": [("a",)],
    "class C:\n    def m(self):\n        from a import b": [("a", "a.b")],
    "class C:\n    import a": [("a",)],
    "async def f():\n    import a": [("a",)],
    "f = lambda: __import__('a')": [("a",)],
    "[__import__('a') for x in y]": [("a",)],
    "try:\n    import a\nexcept ImportError:\n    import b": [("a",), ("b",)],
    "if 0:\n    import a": [],
    "import importlib\nimportlib.import_module('a.b')": [("importlib",), ("a.b",)],
    "import importlib\nimportlib.import_module('.b', __package__)": [("importlib",), ("pkg.sub.b",)],
    "x = 'import a'": [],
    "x = 1": [],
}


@pytest.mark.parametrize("source", CASES)
def test_read_imports(source: str) -> None:
    """Every import of a source is found, with all that it may load, relative names resolved."""
    code = compile(source, "m.py", "exec")
    assert [statement.names for statement in read_imports(code, "pkg.sub.m", is_package=False)] == CASES[source]


def test_relative_name_with_its_package_as_a_constant() -> None:
    """A relative name beside the constant of the package that it starts from is found."""
    code = compile("import_module('.b', 'a')", "m.py", "exec")
    (statement,) = read_imports(code, "m", is_package=False)
    assert "a.b" in statement.names


def test_package_resolves_from_itself() -> None:
    """One leading dot in a package's own code means the package, in a module's the package it is in."""
    code = compile("from . import x", "m.py", "exec")
    assert read_imports(code, "pkg", is_package=True)[0].names == ("pkg", "pkg.x")
    assert read_imports(code, "pkg.m", is_package=False)[0].names == ("pkg", "pkg.x")


def test_relative_import_beyond_the_top_is_harmless() -> None:
    """A relative import that can't work names something, and raises nothing."""
    code = compile("from ...x import y\nfrom . import z", "m.py", "exec")
    assert len(read_imports(code, "m", is_package=False)) == 2


def test_lines_are_those_of_the_statements() -> None:
    """Each statement knows its line, also in functions and after more than 255 constants and names."""
    many = "\n".join(f"name_{number} = 'text {number}'" for number in range(600))
    code = compile(f"import a\n{many}\nimport b\ndef f():\n\n    from c import (\n        d,\n    )\n", "m.py", "exec")
    assert [(found.names[0], found.line) for found in read_imports(code, "m", is_package=False)] == [
        ("a", 1),
        ("b", 602),
        ("c", 605),
    ]


def test_many_imports_in_one_statement() -> None:
    """Hundreds of names and imports, past what one operand byte holds, are all found."""
    source = (
        "\n".join(f"import m{number}" for number in range(700))
        + "\nfrom z import "
        + ", ".join(f"n{number}" for number in range(700))
    )
    found = read_imports(compile(source, "m.py", "exec"), "m", is_package=False)
    assert [statement.names[0] for statement in found] == [*(f"m{number}" for number in range(700)), "z"]
    assert len(found[-1].names) == 701
