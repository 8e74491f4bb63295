"""Modules whose source is elsewhere by now, and what it takes to find them."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.joining.adoption import adopt_modules
from exocet_ipython.reloading.moves import find_moves
from exocet_ipython.reloading.scope import Scope
from tests.plain_notebook import python_import
from tests.workshop import Workshop

SCOPE = Scope()
FILES = {
    "app.py": "try:\n    import fast\nexcept ImportError:\n    fast = None",
    "pkg/__init__.py": "",
    "pkg/mod.py": "from . import *\ntry:\n    from pkg import extra\nexcept ImportError:\n    extra = None",
    "apart.py": "",
}


class Counting:
    """A finder that finds nothing and counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - protocol
        """Note the name."""
        self.asked.append(name)
        return None


@pytest.fixture
def generation(workshop: Workshop) -> Generation:
    """All modules of a project, as Python has loaded them."""
    workshop.write(FILES)
    for name in ("app", "pkg.mod", "apart"):
        python_import(name)
    return Generation().adopting(adopt_modules(Generation(), SCOPE))


@pytest.mark.parametrize(
    ("path", "stem", "found"),
    [
        ("fast.py", "fast", {("app", "appeared")}),
        ("pkg/extra.py", "extra", {("pkg.mod", "appeared")}),
        ("apart/__init__.py", "apart", {("apart", "moved")}),
        ("pkg/mod/__init__.py", "mod", {("pkg.mod", "moved")}),
        ("nobody.py", "nobody", set()),
    ],
)
def test_what_appeared_tells_where_to_look(
    workshop: Workshop, generation: Generation, path: str, stem: str, found: set[tuple[str, str]]
) -> None:
    """To look for what an entry can concern finds the same as to look for everything."""
    workshop.write({path: "N = 1"})
    for stems in (None, frozenset({stem}), frozenset({stem, "another"})):
        changes = find_moves(generation, SCOPE, stems)
        assert {(change.name, change.kind) for change in changes} == found


def test_only_what_appeared_is_looked_for(generation: Generation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finders are asked for modules that the entry can concern, however many others are loaded."""
    counting = Counting()
    monkeypatch.setattr(sys, "meta_path", [counting, *sys.meta_path])
    assert find_moves(generation, SCOPE, frozenset({"new"})) == ()
    assert counting.asked == []
    find_moves(generation, SCOPE, frozenset({"mod"}))
    assert set(counting.asked) == {"pkg.mod"}
