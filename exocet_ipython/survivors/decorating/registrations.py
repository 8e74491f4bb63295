"""What the texts of functions say that they register of what they are given, beside giving it back."""

from __future__ import annotations

import ast
from collections.abc import Collection
from types import FunctionType, MethodType
from typing import Any, cast

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.former import renamed_by
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.retelling import do_alike
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = [
    "RegisteringText",
    "filled_by",
    "function_of",
    "functions_called",
    "read_both",
    "read_maker",
    "run_alike",
]

_NOTHING = cast("ast.FunctionDef", ast.parse("def nothing(): pass").body[0])


def function_of(called: Any) -> FunctionType:
    """Return what is called in the end: a function, that of a method, or that of the instances of a class."""
    return functions_called(called)[0]


def functions_called(called: Any) -> list[FunctionType]:
    """Return what runs at a call: of a class what its instances are called by, and what they are made by."""
    if type(called) is FunctionType:
        return [called]
    if issubclass(type(called), type):
        found = (first_named(name, mro_of(called)) for name in ("__call__", "__init__", "__post_init__"))
        return [function for function in found if type(function) is FunctionType]
    return [getattr(called, "__func__", called)]


def _is_of_dataclass(function: FunctionType, cls: type) -> bool:
    """Say whether it is `dataclass` that has written a method of a class: that has no text, and sets the fields."""
    return function.__code__.co_filename == "<string>" and first_named("__dataclass_fields__", mro_of(cls)) is not None


def run_alike(before: Any, now: Any) -> bool:
    """Say whether two run the same code, with the same data as defaults."""
    functions = functions_called(before), functions_called(now)
    return len(functions[0]) == len(functions[1]) and all(map(_is_same, *functions))


def _is_same(before: FunctionType, now: FunctionType) -> bool:
    is_same = before.__code__ is now.__code__ and before.__defaults__ is now.__defaults__
    if is_same and before.__kwdefaults__ is now.__kwdefaults__:
        return True  # most: what an edit leaves alone is not compiled again
    old, new = ((*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()) for one in (before, now))
    has_others = is_plain((old, new)) and old != new
    if before.__code__ is not now.__code__ and not runs_alike(before.__code__, now.__code__, renamed_by(before)):
        return False
    return not has_others


class RegisteringText(HookText):
    """What the text of a function does with what it is given, beside returning it.

    Attributes:
        depth: how many calls it takes: two where it returns a function that does it.
        gives: whether it returns what it was given.
        defines: whether it makes functions, which it may set as attributes.
    """

    depth = 1
    gives = False
    defines = False

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.FunctionDef(decorator_list=[]):
                self.defines = True
                return True
            case ast.Return(value=ast.Name(id=name)):
                self.gives = name == self._names[0]
                return self.gives
        return super().reads(node)

    def finds_its_own(self, function: ast.FunctionDef) -> bool:
        """Say whether it reads attributes that it sets: it has found those that were there when it first ran."""
        parts = [node for node in ast.walk(function) if isinstance(node, ast.Attribute)]
        return any(part.attr in self.attributes and isinstance(part.ctx, ast.Load) for part in parts)

    def _computes(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Lambda):
            self.defines = True
            return True
        return super()._computes(node)


def read_both(before: Any, now: Any, otherwise: Collection[str]) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did and does, as their texts say it; None where one of them doesn't, or they do alike.

    One of them may register nothing.
    """
    first, second = _read(before), _read(now)
    if first is None or second is None or not any(text.places() or text.attributes for text in (first, second)):
        return None
    return None if run_alike(before, now) and do_alike([first], [second], otherwise) else (first, second)


def read_maker(before: Any, now: Any) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did that gave what it was given, where its text of now makes something else of that.

    What it registers now is not read: its call does that.
    """
    if type(before) is not FunctionType or (text := _read(before)) is None or not text.gives:
        return None
    functions = functions_called(now)
    if not (functions and all(map(definition_of, functions))) or (type(now) is FunctionType and _read(now) is not None):
        return None
    nothing = read_text(RegisteringText, (functions[0], _NOTHING), None, ("",))
    return None if nothing is None else (text, nothing)


def filled_by(decorator: Any, calls: int) -> list[Any] | None:
    """Return the containers in which so many calls of a decorator put what they give back; None where they do more."""
    text = _read(decorator)
    return [*text.places().values()] if text is not None and text.gives and text.depth == calls else None


def _read(called: Any) -> RegisteringText | None:
    """Return what is done by a call, or by a call of what that returns; None where no text says it."""
    if issubclass(type(called), type) and type(first_named("__call__", mro_of(called))) is not FunctionType:
        return None
    function, *makers = functions_called(called)
    if not issubclass(type(called), type):
        return _read_body(function, *((called.__self__, 1) if type(called) is MethodType else (None, 0)))
    text = _read_body(function, None, 1)
    if text is None or text.depth > 1:
        return None
    for maker in makers:
        if _is_of_dataclass(maker, called):
            text.functions = [*text.functions, maker]
            continue
        made = _read_body(maker, None, 0)  # it is itself given the instance
        if made is None or made.depth > 1 or made.places():
            return None
        text.functions = [*text.functions, *made.functions]
    text.depth = 2
    return text


def _read_body(function: FunctionType, owner: Any, owners: int) -> RegisteringText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it.

    Args:
        function: it.
        owner: the class or instance of which it is a method; None where it is of none, or of one yet to be made.
        owners: how many arguments there are before the one that it is told of: 1 in a method.
    """
    node = definition_of(function)
    if not isinstance(node, ast.FunctionDef) or function.__closure__:
        return None
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    arguments = [part.arg for part in (*node.args.posonlyargs, *node.args.args)]
    own, given, depth = arguments[:owners], arguments[owners:], 1
    match body:
        case [ast.FunctionDef(name=inner, decorator_list=[]) as made, ast.Return(value=ast.Name(id=name))] if (
            name == inner
        ):
            node, given, depth = made, [part.arg for part in (*made.args.posonlyargs, *made.args.args)], 2
    if not given or node.args.vararg or node.args.kwarg:
        return None
    text = read_text(RegisteringText, (function, node), owner, (given[0], *own))
    if text is None or (text.defines and text.finds_its_own(node)):
        return None
    text.depth = depth
    return text
