"""Functions and methods with which cells may have registered something, and that an edit has register it otherwise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.classes import changed_constants
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.calls import Key
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.retelling import do_alike
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["Registrar", "find_changed", "function_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Registrar:
    """A function or method that registers what cells give it, as it did and as it does now.

    Attributes:
        now: what is called now.
        before: what was called.
        texts: of both.
    """

    now: Any
    before: Any
    texts: tuple[RegisteringText, RegisteringText]

    @property
    def depth(self) -> int:
        """How many calls it takes to register something."""
        return self.texts[0].depth


def find_changed(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleType],
    words: Callable[[], Iterable[frozenset[str]]],
    names: Mapping[int, set[str]],
) -> dict[Key, Registrar]:
    """Return what cells may have registered something with, and what does that otherwise now.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> module that takes its place.
        words: gives those of each cell: what none of them names is nothing with which they have registered.
        names: id of a function -> what the notebook calls it.
    """
    pairs = {key: (before, now) for key, before, now in _pairs(old, made)}
    edited = {key for key, (before, now) in pairs.items() if not _runs_alike(before, now)}
    otherwise = {name for before, now in _classes(old, made) for name in changed_constants(before, now)}
    asked = otherwise | {pairs[key][1].__name__ for key in edited}
    found = {}
    for key, (before, now) in pairs.items() if asked else ():
        may_differ = key in edited or not all(map(asked.isdisjoint, _names_in(now)))
        named = {key[1]} if key[1] else {now.__name__, *names.get(key[0], ())}
        is_named = may_differ and not all(map(named.isdisjoint, words()))
        if is_named and (texts := _read_both(before, now, otherwise)) is not None:
            found[key] = Registrar(now, before, texts)
    return found


def _pairs(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the functions and methods of modules with those of now."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        for attribute, before in copy_space(space).items():
            after = now.get(attribute)
            if type(before) is type(after) is FunctionType:
                if before.__globals__ is space and after.__globals__ is now:
                    yield (id(after), ""), before, after
            elif after is not None:
                yield from _methods(before, after, name, old)


def _methods(before: Any, after: Any, home: str, retiring: Container[str]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the methods of a class of a module, or of an instance of one that the module has, as calls bind them."""
    is_class = issubclass(type(before), type)
    old, new = (before, after) if is_class else (type(before), type(after))
    if issubclass(type(after), type) is not is_class or home_of(old) != home or home_of(new) != home:
        return
    kind = classmethod if is_class else FunctionType
    spaces = [copy_space(vars(base)) for base in mro_of(old) if home_of(base) in retiring]
    for name in {name: None for space in spaces for name, part in space.items() if type(part) is kind}:
        part, other = first_named(name, mro_of(old)), first_named(name, mro_of(new))
        is_bound = type(part) is type(other) is kind
        functions = functions_in(part)[:1] + functions_in(other)[:1] if is_bound else []
        if functions:
            yield (id(after), name), MethodType(functions[0], before), MethodType(functions[1], after)


def function_of(called: Any) -> FunctionType:
    """Return what is called: a function, or that of a method."""
    found: FunctionType = getattr(called, "__func__", called)
    return found


def _runs_alike(before: Any, now: Any) -> bool:
    codes = function_of(before).__code__, function_of(now).__code__
    return codes[0] is codes[1] or runs_alike(*codes)


def _names_in(called: Any) -> Iterator[tuple[str, ...]]:
    return (code.co_names for code in whole(function_of(called).__code__))


class RegisteringText(HookText):
    """What the text of a function does with what it is given, beside returning it.

    Attributes:
        depth: how many calls it takes: two where it returns a function that does it.
    """

    depth = 1

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Return(value=ast.Name(id=name)):
                return name == self._names[0]
        return super().reads(node)


def _classes(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[type, type]]:
    """Yield the classes of modules with those of now."""
    for name in old.keys() & made.keys():
        now = globals_of(made[name])
        for attribute, before in copy_space(globals_of(old[name].module)).items():
            after: Any = now.get(attribute)
            if issubclass(type(before), type) and issubclass(type(after), type) and home_of(before) == name:
                yield before, after


def _read_both(before: Any, now: Any, otherwise: Collection[str]) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did and does, as their texts say it; None where one of them doesn't, or they do alike.

    One of them may register nothing.
    """
    first, second = _read(before), _read(now)
    if first is None or second is None or not any(text.places() or text.attributes for text in (first, second)):
        return None
    return None if do_alike([first], [second], otherwise) else (first, second)


def _read(called: Any) -> RegisteringText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it."""
    owner = called.__self__ if type(called) is MethodType else None
    function = function_of(called)
    node = definition_of(function)
    if not isinstance(node, ast.FunctionDef) or function.__closure__ or node.args.vararg or node.args.kwarg:
        return None
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    arguments = [part.arg for part in (*node.args.posonlyargs, *node.args.args)]
    owners = arguments[:1] if owner is not None else []
    given, depth = arguments[len(owners) :], 1
    match body:
        case [ast.FunctionDef(name=inner, decorator_list=[]) as made, ast.Return(value=ast.Name(id=name))] if (
            name == inner
        ):
            node, given, depth = made, [part.arg for part in (*made.args.posonlyargs, *made.args.args)], 2
    if not given or node.args.vararg or node.args.kwarg:
        return None
    text = read_text(RegisteringText, (function, node), owner, (given[0], *owners))
    if text is None:
        return None
    text.depth = depth
    return text
