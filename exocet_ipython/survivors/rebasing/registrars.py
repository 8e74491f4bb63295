"""Functions and methods with which cells may have registered something, and that an edit has register it otherwise."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import attributes_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.ladder.operations import whole
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.carrying.filled import fills
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.calls import Key
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["Registrar", "find_changed", "read_both"]


@dataclass(frozen=True, slots=True, eq=False)
class Registrar:
    """A function or method that registers what cells give it, as it did and as it does now.

    Attributes:
        now: what is called now.
        before: what was called.
        texts: of both.
        is_cells: whether it is a method of an instance that a cell has made.
    """

    now: Any
    before: Any
    texts: tuple[RegisteringText, RegisteringText]
    is_cells: bool = False

    @property
    def depth(self) -> int:
        """How many calls it takes to register something."""
        return self.texts[0].depth


def find_changed(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the functions and methods that are otherwise now, and may put something into a container."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        for attribute, before in copy_space(space).items():
            after = now.get(attribute)
            if type(before) is type(after) is FunctionType:
                if before.__globals__ is space and after.__globals__ is now and _puts_otherwise(before, after):
                    yield (id(after), ""), before, after
            else:
                yield from _changed_methods(before, after, name)


def _changed_methods(before: Any, after: Any, home: str) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the methods of a class of a module, or of an instance of one that the module has, as calls bind them."""
    is_class = issubclass(type(before), type)
    old, new = (before, after) if is_class else (type(before), type(after))
    if after is None or issubclass(type(after), type) is not is_class or home_of(old) != home or home_of(new) != home:
        return
    for name, part in copy_space(vars(old)).items():
        other = vars(new).get(name)
        is_bound = type(part) is type(other) and (type(part) is classmethod if is_class else type(part) is FunctionType)
        functions = functions_in(part)[:1] + functions_in(other)[:1] if is_bound else []
        if functions and _puts_otherwise(*functions):
            yield (id(after), name), MethodType(functions[0], before), MethodType(functions[1], after)


def _puts_otherwise(before: FunctionType, now: FunctionType) -> bool:
    """Say whether a function may put something into a container, and its counterpart does so otherwise, maybe."""
    codes = before.__code__, now.__code__
    return codes[0] is not codes[1] and any(map(fills, whole(codes[0]))) and not runs_alike(*codes)


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


def read_both(before: Any, now: Any) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did and does, as their texts say it; None where one of them doesn't."""
    first, second = _read(before), _read(now)
    return None if first is None or second is None else (first, second)


def _read(called: Any) -> RegisteringText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it."""
    owner = called.__self__ if type(called) is MethodType else None
    function: Any = getattr(called, "__func__", called)
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
    is_class = issubclass(type(owner), type)
    own = copy_space(vars(owner)) if is_class else dict(attributes_of(owner))
    text = read_text(RegisteringText, (function, node), own, (given[0], *owners))
    if text is None or not text.places() or text.attributes:
        return None
    text.depth = depth
    return text
