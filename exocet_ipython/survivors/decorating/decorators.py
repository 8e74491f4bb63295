"""Decorators of modules that do something else by now, and whether they do no more than to make something."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.survivors.decorating.registrations import run_alike
from exocet_ipython.survivors.moving.closures import fills_nothing, only_makes
from exocet_ipython.survivors.storing.functions import FUNCTIONS, definition_of

__all__ = ["Decorator", "changed_decorators", "makes_only", "touches_nothing"]

_MANY = 20  # functions that one calls by way of another
_missing: Any = object()
_DOING = frozenset(("breakpoint", "eval", "exec", "exit", "input", "open", "print", "quit"))
# Modules whose functions only compute something of what they are given.
_HARMLESS = frozenset(
    (
        *("abc", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "inspect", "itertools"),
        *("math", "operator", "re", "textwrap", "time", "types", "typing"),
    )
)
# Methods of strings and containers that keep nothing; those that do are looked at by name.
_OF_VALUES = frozenset(
    name
    for kind in (str, bytes, tuple, frozenset, dict)
    for name in dir(kind)
    if name not in ("setdefault", "update", "__setitem__", "__init__", "__ior__")
)
_FUNCTIONS = frozenset(map(id, (FunctionType, BuiltinFunctionType)))


@dataclass(frozen=True, slots=True, eq=False)
class Decorator:
    """A decorator that does something else by now.

    Attributes:
        before: what it was.
        now: what it is.
        depth: how many calls it takes: as the statement says.
    """

    before: Any
    now: Any
    depth: int = 0


def changed_decorators(before: Mapping[str, Any], module: ModuleType, words: AbstractSet[str]) -> dict[str, Decorator]:
    """Return what may decorate in a module and does something else now, it or what it calls, by name.

    Args:
        before: the globals of the module of before.
        module: that of now.
        words: the names that cells have anywhere: what none of them names decorates nothing of theirs.
    """
    now, found = globals_of(module), {}
    for name in before.keys() & words:
        part, after = before[name], now.get(name)
        if callable(after) and after is not part and _is_own(part, module.__name__):
            names = {name, *_names_in(part), *_names_in(after)} & before.keys()
            if not all(_is_same(before[one], now.get(one)) for one in names if _is_own(before[one], module.__name__)):
                found[name] = Decorator(part, after)
    return found


def _is_own(value: Any, home: str) -> bool:
    return (type(value) is FunctionType or issubclass(type(value), type)) and home_of(value) == home


def _is_same(before: Any, now: Any) -> bool:
    if type(before) is not type(now):
        return False
    if type(before) is FunctionType:
        return run_alike(before, now)
    functions = [
        {name: part for name, part in copy_space(vars(cls)).items() if type(part) is FunctionType}
        for cls in (before, now)
    ]
    return functions[0].keys() == functions[1].keys() and all(
        run_alike(part, functions[1][name]) for name, part in functions[0].items()
    )


def _names_in(value: Any) -> Iterator[str]:
    for function in _functions_run(value):
        for code in whole(function.__code__):
            yield from code.co_names


def _functions_run(decorator: Any) -> list[FunctionType]:
    """Return what runs when something decorates: of a class what makes its instances, and what these are called by."""
    if type(decorator) is FunctionType:
        return [decorator]
    if not issubclass(type(decorator), type):
        return []
    found = (first_named(name, mro_of(decorator)) for name in ("__init__", "__call__"))
    return [one for one in found if type(one) is FunctionType]


def makes_only(decorator: Any, calls: int) -> bool:
    """Say whether so many calls of a decorator do no more than to make something of what they are given."""
    if not touches_nothing(decorator, calls):
        return False
    if type(decorator) is FunctionType:
        return all(map(only_makes, _running(decorator)))
    if type(decorator) is not type or first_named("__new__", mro_of(decorator)) is not object.__new__:
        return False
    init, call = (first_named(name, mro_of(decorator)) for name in ("__init__", "__call__"))
    is_filled = init is object.__init__ or (type(init) is FunctionType and only_makes(init.__code__, fills=True))
    return is_filled and (calls == 1 or (type(call) is FunctionType and all(map(only_makes, _running(call)))))


def touches_nothing(decorator: Any, calls: int) -> bool:
    """Say whether so many calls of a decorator put nothing into anything, and ask no object that may do more.

    What it makes does that later, when it is called.
    """
    waiting, seen = list(_functions_run(decorator)), set[int]()
    is_known = bool(waiting)
    while waiting and is_known:
        function = waiting.pop()
        if id(function) not in seen:
            seen.add(id(function))
            nodes = [*_nodes_run(function, calls)]
            codes = {*_running(function), *(nested(function.__code__) if calls > 1 else ())}
            names = {name for code in codes for name in code.co_names} | _globals_in(nodes, function.__code__)
            asked = [_asked(function.__globals__, name) for name in names]
            is_known = len(seen) < _MANY and fills_nothing(function) and not _hands_on(nodes, function)
            is_known &= None not in asked
            waiting += [one for some in asked for one in some or ()]
    return is_known


def _hands_on(nodes: Iterable[ast.AST], function: FunctionType) -> bool:
    """Say whether what runs of a function hands something of its own to a method of an object, which may keep it.

    The methods of its instance are none of these, nor are those of modules and classes, which are looked at by name.
    """
    code = function.__code__
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    return any(
        isinstance(part, ast.Name) and part.id in own
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr not in _OF_VALUES
        if _is_of_object(node.func.value, own, code.co_varnames[:1])
        for part in (*node.args, *(word.value for word in node.keywords))
    )


def _is_of_object(owner: ast.expr, own: Container[str], first: Container[str]) -> bool:
    """Say whether an expression gives an object that a function has got from somewhere: `self.broker`, `broker()`."""
    if isinstance(owner, ast.Name):
        return owner.id in own and owner.id not in first
    if isinstance(owner, ast.Call):
        return not (isinstance(owner.func, ast.Name) and owner.func.id == "super")
    while isinstance(owner, ast.Attribute | ast.Subscript):
        owner = owner.value
    return not isinstance(owner, ast.Name) or owner.id in own


def _nodes_run(function: FunctionType, calls: int) -> Iterator[ast.AST]:
    """Yield what runs of a function that is called so many times, and of the functions in it that it calls by name."""
    node = definition_of(function)
    waiting: list[ast.AST] = [] if node is None else [node]
    while waiting:
        outer = waiting.pop()
        found = [*_own_nodes(outer)]
        yield from found
        named = {one.func.id for one in found if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)}
        inner = (one for one in found if isinstance(one, FUNCTIONS))
        waiting += [one for one in inner if one.name in named or (calls > 1 and outer is node)]


def _globals_in(nodes: Iterable[ast.AST], code: CodeType) -> set[str]:
    """Return the names in what runs of a function that are none of its variables."""
    return {one.id for one in nodes if isinstance(one, ast.Name)} - {*code.co_varnames, *code.co_cellvars}


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in a function, without what is in the functions inside."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*FUNCTIONS, ast.Lambda)):
            yield from _own_nodes(child)


def _asked(space: Mapping[str, Any], name: str) -> list[FunctionType] | None:
    """Return the functions that may run when a name is asked for; None where that may be anything."""
    part = space.get(name, _missing)
    if part is _missing or is_plain(part):
        return None if part is _missing and name in _DOING else []
    if type(part) is FunctionType and part.__module__.partition(".")[0] not in _HARMLESS:
        return [part]
    if issubclass(type(part), type) and "__init__" in vars(part):
        return _functions_run(part)[:1]
    return [] if _is_harmless(part) else None


def _is_harmless(part: Any) -> bool:
    """Say whether something is a module of Python's that only computes, or a function or class; no other object."""
    if issubclass(type(part), ModuleType):
        return str(part.__name__).partition(".")[0] in _HARMLESS
    if issubclass(type(part), type):
        return True
    home = getattr(part, "__module__", None) if id(type(part)) in _FUNCTIONS else None
    return type(home) is str and home.partition(".")[0] in _HARMLESS


def _running(function: FunctionType) -> Iterator[Any]:
    """Yield the code of a function, and of what it makes and may return as the decorator: that makes functions, too."""
    codes = [*whole(function.__code__)]
    yield codes[0]
    yield from (code for code in codes[1:] if any(code is not part for part in whole(code)))
