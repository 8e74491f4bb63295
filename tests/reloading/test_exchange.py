"""Living functions found and given new code: all of them, wherever they are, and back."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.codes import Match, match_codes
from exocet_ipython.reloading.ladder.exchange import exchange_codes, set_code, set_facts
from exocet_ipython.reloading.ladder.runners import find_runners, seat_codes

TEXT = '''\
import functools

def wrap(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

def make():
    def closure():
        return "old"
    return closure

class Box:
    def method(self):
        return "old"
    @property
    def prop(self):
        """old"""
        return "old"
    @staticmethod
    def static():
        return "old"
    @classmethod
    def klass(cls):
        return "old"
    @functools.cached_property
    def cached(self):
        return "old"
    partial = functools.partialmethod(method)
    @functools.singledispatchmethod
    def single(self, thing):
        return "old"
    class Inner:
        def method(self):
            return "old"

def plain():
    return "old"

@wrap
def wrapped():
    """old"""
    return "old"

@functools.lru_cache
def cached():
    """old"""
    return "old"

@functools.singledispatch
def single(thing):
    return "old"

@single.register
def _(thing: int):
    return "old"
'''
ASK: dict[str, Callable[[Any], object]] = {
    "method": lambda m: m.Box().method(),
    "property": lambda m: m.Box().prop,
    "static method": lambda m: m.Box.static(),
    "class method": lambda m: m.Box.klass(),
    "cached property": lambda m: m.Box().cached,
    "partial method": lambda m: m.Box().partial(),
    "single dispatch method": lambda m: m.Box().single(1),
    "nested class": lambda m: m.Box.Inner().method(),
    "function": lambda m: m.plain(),
    "wrapped": lambda m: m.wrapped(),
    "cached": lambda m: m.cached(),
    "single dispatch": lambda m: (m.single(""), m.single(1)),
    "closure": lambda m: m.make()(),
}


def load(text: str = TEXT) -> tuple[ModuleType, Any]:
    """Return a module and the code that it ran."""
    module, code = ModuleType("m"), compile(text, "m.py", "exec")
    exec(code, vars(module))
    return module, code


def matched(code: Any, text: str) -> Match:
    """Match a module's code with a new text."""
    found = match_codes(code, compile(text, "m.py", "exec"))
    assert isinstance(found, Match)
    return found


@pytest.mark.parametrize("holder", ASK)
def test_every_holder_runs_the_new_code(holder: str) -> None:
    """Functions, and what is made of them, answer with the new code; undone, with the old one."""
    module, code = load()
    match = matched(code, TEXT.replace('return "old"', 'return "new"'))
    journal = Journal()
    exchange_codes(match.pairs, find_runners(module, match.pairs), journal)
    assert "new" in repr(ASK[holder](module))
    module.cached.cache_clear()
    journal.undo()
    assert "old" in repr(ASK[holder](module))


@pytest.mark.parametrize(
    "hide",
    [
        lambda m: [m.make()],
        lambda m: {"key": (m.make(),)},
        lambda m: functools.partial(m.make()),
        lambda m: m.__dict__.pop("plain"),
        lambda m: m.__dict__.pop("Box")().method,
        lambda m: iter([m.make()]),
    ],
)
def test_hidden_functions_are_found(hide: Callable[[Any], object]) -> None:
    """A function that no walk from the module comes to is found all the same."""
    module, code = load()
    hidden = hide(module)
    match = matched(code, TEXT.replace('return "old"', 'return "new"'))
    exchange_codes(match.pairs, find_runners(module, match.pairs), Journal())
    living = [thing for thing in gc.get_objects() if type(thing) is FunctionType and thing.__globals__ is vars(module)]
    assert hidden
    assert living
    assert not [function for function in living if "old" in function.__code__.co_consts[1:]]


def test_the_heap_is_only_asked_when_something_is_unexplained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts prove that all functions were found; a closure that somebody keeps is what they can't explain."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        pytest.skip("counts are deferred here, so the heap is always asked")
    asked: list[tuple[CodeType, ...]] = []
    ask = gc.get_referrers

    def note(*codes: Any) -> list[Any]:
        asked.append(codes)
        return ask(*codes)

    monkeypatch.setattr(gc, "get_referrers", note)
    module, code = load()
    match = matched(code, "\n" + TEXT)
    find_runners(module, match.pairs)
    assert asked == []
    kept = module.make()
    find_runners(module, match.pairs)
    assert asked == [(kept.__code__,)]


def test_docstrings_go_with_the_code() -> None:
    """A function has its new docstring, and so has what wraps it and copied the old one; a person's own stays."""
    module, code = load()
    module.plain.__doc__ = "mine"
    match = matched(code, TEXT.replace('"""old"""', '"""new"""').replace("def plain():", 'def plain():\n    """new"""'))
    journal = Journal()
    exchange_codes(match.pairs, find_runners(module, match.pairs), journal)
    assert (module.Box.prop.__doc__, module.wrapped.__doc__, module.cached.__doc__) == ("new", "new", "new")
    assert module.plain.__doc__ == "mine"
    journal.undo()
    assert (module.Box.prop.__doc__, module.wrapped.__doc__, module.cached.__doc__) == ("old", "old", "old")


def test_frames_keep_what_they_run() -> None:
    """A generator that has begun goes on with its code; the next one runs the new code."""
    text = "def count():\n    yield 'old'\n    yield 'old'\n"
    module, code = load(text)
    running = module.count()
    next(running)
    match = matched(code, text.replace("old", "new"))
    exchange_codes(match.pairs, find_runners(module, match.pairs), Journal())
    assert (list(running), list(module.count())) == (["old"], ["new", "new"])


def test_code_that_is_only_equal_is_seated() -> None:
    """Functions of a module that ran equal code are given the code objects of the tree, hidden ones as well."""
    module, _ = load()
    hidden = module.make()
    tree = compile(TEXT, "m.py", "exec")
    found = seat_codes(module, tree)
    assert {function.__name__ for function, _ in found} >= {"plain", "closure", "method"}
    for function, code in found:
        assert function.__code__ == code
        set_code(function, code, Journal())
    assert seat_codes(module, tree) == []
    match = matched(tree, TEXT.replace('return "old"', 'return "new"'))
    exchange_codes(match.pairs, find_runners(module, match.pairs), Journal())
    assert (hidden(), module.plain()) == ("new", "new")


@pytest.mark.skipif(sys.version_info < (3, 13), reason="classes say where they stand since 3.13")
def test_classes_say_where_they_stand_now() -> None:
    """The first line of a class follows its text, past a metaclass with its own idea of assignments."""
    text = (
        "class Meta(type):\n    def __setattr__(cls, name, value): raise TypeError\nclass Box(metaclass=Meta): pass\n"
    )
    module, code = load(text)
    journal = Journal()
    set_facts(module, matched(code, "\n\n" + text).classes, journal)
    assert module.Box.__firstlineno__ == 5
    journal.undo()
    assert module.Box.__firstlineno__ == 3
