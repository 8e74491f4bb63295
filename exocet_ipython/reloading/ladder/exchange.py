"""Code, docstrings and line numbers exchanged in living functions and classes, each write in a journal.

A function object takes new code at its next call; calls that are running finish as they began (CPython
`Objects/funcobject.c`, `func_set_code`). Nothing that a module defined is replaced, so nothing retires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by, set_attribute
from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.codes import ClassFacts, CodePair
from exocet_ipython.reloading.ladder.operations import docstring_of
from exocet_ipython.reloading.ladder.runners import Runners

__all__ = ["exchange_codes", "find_class", "set_code", "set_facts"]

_missing = object()


def exchange_codes(pairs: Iterable[CodePair], runners: Runners, journal: Journal) -> int:
    """Give each function that runs the old code of a pair the new one, and its docstring; return how many did.

    >>> from exocet_ipython.reloading.ladder.codes import match_codes
    >>> from exocet_ipython.reloading.ladder.runners import find_runners
    >>> module, old = ModuleType("m"), compile("def f(): return 1", "m.py", "exec")
    >>> exec(old, vars(module))
    >>> match = match_codes(old, compile("def f(): return 2", "m.py", "exec"))
    >>> journal = Journal()
    >>> exchange_codes(match.pairs, find_runners(module, match.pairs), journal), module.f()
    (1, 2)
    >>> journal.undo()
    >>> module.f()
    1
    """
    count = 0
    for pair in pairs:
        WITNESS.follow(pair.old, pair.new)
        before, now = docstring_of(pair.old), docstring_of(pair.new)
        for function in runners.of(pair.old):
            set_code(function, pair.new, journal)
            count += 1
            if before != now:
                for holder in (function, *runners.wrappers.get(id(function), ())):
                    _exchange_doc(holder, before, now, journal)
    return count


def set_code(function: FunctionType, code: CodeType, journal: Journal) -> None:
    """Give a function other code."""
    journal.add(partial(setattr, function, "__code__", function.__code__))
    function.__code__ = code


def set_facts(module: ModuleType, classes: Iterable[ClassFacts], journal: Journal) -> None:
    """Set what classes say of their own text, where it is the compiler's word that they have until now.

    Written as `type` does: the raw dict of a class is cached, and a metaclass may have another idea of an assignment.
    """
    for told in classes:
        cls = find_class(module, told.path)
        if cls is None:
            continue
        for name, value in told.facts:
            before = vars(cls).get(name, _missing)
            if type(before) is type(value):
                journal.add(partial(set_attribute, cls, name, before))
                set_attribute(cls, name, value)


def find_class(module: ModuleType, path: str) -> type | None:
    """Return the class that a module defines under a path, if it is there and its own."""
    value: Any = vars(module).get(path)  # mostly: a thousand callers are asked about at an edit
    if "." in path:
        value = module
        for part in path.split("."):
            value = vars(value).get(part) if isinstance(value, (type, ModuleType)) else None
    kind = type(value)
    if kind is not type and not issubclass(kind, type):
        return None
    defined = module_said_by(value), type.__getattribute__(value, "__qualname__")
    return value if defined == (module.__name__, path) else None


def _exchange_doc(holder: Any, before: str | None, now: str | None, journal: Journal) -> None:
    """Exchange the docstring of a function, or of what wraps it and has copied it; another one is the person's."""
    if getattr(holder, "__doc__", None) != before:
        return
    write: Callable[..., object] = partial(setattr, holder, "__doc__")
    try:
        write(now)
    except (AttributeError, TypeError):
        return  # what can't be written shows no copy of its own
    journal.add(partial(write, before))
