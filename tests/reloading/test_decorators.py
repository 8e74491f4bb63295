"""The names in a function's decorators, told from those in its annotations and defaults: as the text has them."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest

from exocet_ipython.reloading.ladder.uses import read_uses

LIBRARY = Path(sysconfig.get_path("stdlib"))
FILES = ("contextlib.py", "dataclasses.py", "enum.py", "functools.py", "pathlib.py", "typing.py", "unittest/mock.py")


def decorated(text: str) -> dict[tuple[int, str], set[str]]:
    """Return the names in the decorators of a text's functions, by first line and name."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
            parts = [part for decorator in node.decorator_list for part in ast.walk(decorator)]
            names = {part.id for part in parts if isinstance(part, ast.Name)}
            names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
            found[node.decorator_list[0].lineno, node.name] = names
    return found


def read(text: str) -> dict[tuple[int, str], frozenset[str] | None]:
    """Return what is read from the code of a text, by first line and name."""
    code = compile(text, "m.py", "exec")
    return {(one.code.co_firstlineno, one.code.co_name): one.decorators for one in read_uses("m", code).definitions}


@pytest.mark.parametrize("file", [name for name in FILES if (LIBRARY / name).exists()])
def test_decorators_are_those_of_the_text(file: str) -> None:
    """Of all functions of a real module: no name is missed, and none of an annotation or a default is among them."""
    text = (LIBRARY / file).read_text("utf-8")
    expected, found = decorated(text), read(text)
    assert {place: set(names) for place, names in found.items() if names} == {
        place: names for place, names in expected.items() if place in found
    }
    assert len(found) > len(expected) > 0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(x: int = SIZE) -> str: ...", None),
        ("@d\ndef f(x: int = SIZE, *, y: list[str] = OTHER) -> dict[str, int]: ...", {"d"}),
        ("@a.b(OPTION, way='fast')\n@c\ndef f(x=DEFAULT): ...", {"a", "b", "OPTION", "c"}),
        ("@d(lambda: HIDDEN)\ndef f(x=lambda: DEFAULT): ...", {"d"}),
        ("class A:\n    y = 1\n    @property\n    def f(self) -> int: ...", {"property"}),
        ("def outer(v):\n    pass\n@d\nasync def f(x: int): ...", {"d"}),
    ],
)
def test_each_way_to_write_them(text: str, names: set[str] | None) -> None:
    """Decorators with arguments, several of them, beside annotations, defaults and functions in these."""
    assert [found for (_, name), found in read(text).items() if name == "f"] == [names]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="generic functions come with 3.12 (PEP 695)")
def test_a_generic_function_has_the_decorators_of_what_makes_it() -> None:
    """Its annotations are evaluated inside of that, its defaults outside: these count, where there is a decorator."""
    assert read("@d(A)\ndef f[T](x: T = B) -> int: ...") == {(1, "f"): frozenset(("d", "A", "B"))}
    assert read("def f[T](x: T) -> int: ...") == {(1, "f"): None}


def test_where_they_cant_be_told_all_names_count() -> None:
    """A default that is one of two values is computed in branches."""
    (found,) = read("@d\ndef f(x=A if B else C): ...").values()
    assert found is not None
    assert found <= {"d", "A", "B", "C"}
