"""Code trees compared: what differs in more than where it stands."""

from __future__ import annotations

import sys
from types import CodeType

import pytest

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.ladder.codes import Difference, Match, match_codes

TEXT = '''\
"""A module."""
import json

LIMIT = 3


def decorate(function):
    return function


class Box(dict, metaclass=type):
    """A class."""

    size = 1

    @property
    def content(self):
        return self.things

    def fill(self, thing: int = 1) -> str:
        """Fill it."""
        self.thing = thing
        return lambda: thing

    squares = [number * number for number in range(3)]


def outer(a):
    def inner():
        return a

    five = lambda: 5
    six = lambda: 6

    class Local:
        def ask(self):
            return 1

    return inner, five, six, Local
'''


def compiled(text: str) -> CodeType:
    """Compile a module."""
    return compile(text, "m.py", "exec")


def match(old: str, new: str) -> Match:
    """Match two texts that can be matched."""
    found = match_codes(compiled(old), compiled(new))
    assert isinstance(found, Match), found
    return found


def changed(old: str, new: str) -> list[str]:
    """Return the paths of the functions that do something else in a new text."""
    return [pair.path for pair in match(old, new).changed]


@pytest.mark.parametrize(
    "new",
    [
        "# first\n\n" + TEXT,
        TEXT.replace("\n    def fill", "\n\n    # said here\n    def fill"),
        TEXT.replace("return function", "return  function"),
        TEXT.replace("range(3)]", "range(3)\n    ]"),
    ],
)
def test_layout_changes_nothing(new: str) -> None:
    """Comments, blank lines and spaces change positions and nothing else, of the functions that moved alone."""
    assert changed(TEXT, new) == []
    assert match(TEXT, new).pairs


def test_equal_texts() -> None:
    """What did not change keeps its very code objects."""
    old = compiled(TEXT)
    found = match_codes(old, compiled(TEXT))
    assert isinstance(found, Match)
    assert found.code is old
    assert found.pairs == []


def test_what_stands_before_an_edit_keeps_its_code() -> None:
    """The new tree is the old one but for the functions that changed or moved."""
    old = compiled(TEXT)
    found = match_codes(old, compiled(TEXT.replace("return inner,", "return inner,  ")))
    assert isinstance(found, Match)
    assert {pair.path for pair in found.pairs} == {"outer"}
    before = {code.co_qualname: code for code in whole(old)}
    kept = [code for code in whole(found.code) if code is before.get(code.co_qualname)]
    assert {code.co_qualname for code in kept} >= {"decorate", "Box", "Box.fill", "outer.<locals>.inner"}
    assert found.pairs[0].new in list(whole(found.code))


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ("self.things", "self.stuff", ["Box.content"]),
        ('"""Fill it."""', '"""Fill it up."""', ["Box.fill"]),
        ("lambda: thing", "lambda: -thing", ["Box.fill", "Box.fill.<locals>.<lambda>"]),
        ("lambda: 6", "lambda: 7", ["outer", "outer.<locals>.<lambda>"]),
        ("return 1", "return 2", ["outer", "outer.<locals>.Local.ask"]),
        ("return function", "return (function, 1)[0]", ["decorate"]),
    ],
)
def test_bodies(old: str, new: str, paths: list[str]) -> None:
    """A body that changed is told from those that didn't, with the functions around it."""
    assert changed(TEXT, TEXT.replace(old, new)) == paths


def test_lambdas_are_told_apart_by_their_place() -> None:
    """Of several lambdas with one name, the one that changed is found."""
    (pair,) = [
        pair for pair in match(TEXT, TEXT.replace("lambda: 6", "lambda: 7")).changed if pair.path.endswith("<lambda>")
    ]
    assert (6 in pair.old.co_consts, 7 in pair.new.co_consts) == (True, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = 3\nMORE = 1"),
        ("import json", "import ast"),
        ("size = 1", "size = True"),
        ("(dict, metaclass=type)", "(dict)"),
        ("thing: int = 1", "thing: int = 2"),
        ("thing: int", "thing: str"),
        ("    @property\n", ""),
        ("range(3)", "range(4)"),
        ('"""A class."""', '"""Another."""'),
        ("def decorate(function)", "def decorate(function, more)"),
        ("def decorate(function):", "def decorate(function, /):"),
        ("def decorate(function):", "async def decorate(function):"),
        ("    return function", "    yield function"),
        ("def decorate", "def adorn"),
    ],
)
def test_what_runs_at_import_must_be_the_same(old: str, new: str) -> None:
    """A constant, a default, an annotation, a decorator, a base, a signature, a kind of function is no body."""
    assert isinstance(match_codes(compiled(TEXT), compiled(TEXT.replace(old, new))), Difference)


@pytest.mark.parametrize(("old", "new"), [("X = 0.0", "X = -0.0"), ("X = (1,)", "X = (True,)"), ("X = {1}", "X = {2}")])
def test_constants_that_only_look_the_same(old: str, new: str) -> None:
    """Constants are compared by type and sign as well."""
    assert isinstance(match_codes(compiled(old), compiled(new)), Difference)


def test_a_difference_says_where() -> None:
    """A difference has the line of the new text."""
    found = match_codes(compiled(TEXT), compiled("\n" + TEXT.replace("size = 1", "size = 2")))
    assert found == Difference("Box", 15, "code that runs at import")


@pytest.mark.parametrize(
    ("old", "new"),
    [("return a", "return b"), ("def inner():", "def inner(more=1):"), ("        return a", "        yield a")],
)
def test_inner_functions_that_exist_may_not_fit(old: str, new: str) -> None:
    """A closure can take new code only with the same free variables by name, the same signature and kind."""
    text = "def outer(a, b):\n    def inner():\n        return a\n    return inner\n"
    pairs = {pair.path: pair for pair in match(text, text.replace(old, new)).pairs}
    assert pairs["outer"].fits
    assert not pairs["outer.<locals>.inner"].fits


@pytest.mark.skipif(sys.version_info < (3, 13), reason="classes say these things of themselves since 3.13")
def test_classes_say_where_they_stand() -> None:
    """What the compiler notes in a class body is no difference; it is put in place as well."""
    found = match(TEXT, "\n" + TEXT.replace("self.thing =", "self.other ="))
    (facts,) = [dict(told.facts) for told in found.classes if told.path == "Box"]
    assert facts["__firstlineno__"] == 12
    assert set(facts["__static_attributes__"]) == {"other"}
