"""Metaclasses that are told of a cell's class again, where they do something else with it now.

A restart runs the `class` statement, and with it the metaclass. Its `__new__` and `__init__` are told again under the
rules for hooks (see `retelling`); instead of making a class, `__new__` is given the one that is there.
"""

from __future__ import annotations

import abc
import ast
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, mro_of, set_attribute
from exocet_ipython.loading.parsing import copy_node
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.classes import changed_constants, living_classes
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.retelling import Retelling, do_alike, plan_from
from exocet_ipython.survivors.rebasing.statements import names_said
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["made_by_metaclasses", "plan_metaclass"]

_MAKING = ("__new__", "__init__")
_PYTHONS = (type, abc.ABCMeta, object)
_TOLD = "__told__"  # what `__new__` is to make, in its stead
_ARGUMENTS = 4  # the class or the metaclass, a name, bases, a namespace
# What Python binds in a body.
_SAID = ("__module__", "__qualname__", "__firstlineno__", "__doc__", "__annotations__", "__static_attributes__")


@dataclass(frozen=True, slots=True)
class _Telling:
    """How a metaclass is told of a class that is there.

    Attributes:
        metaclass: that.
        functions: what it does, in order; each takes the class, its name, its bases and a namespace.
        space: what the body of the statement has bound.
    """

    metaclass: type
    functions: tuple[Callable[[Any, str, tuple[type, ...], dict[str, Any]], object], ...]
    space: Mapping[str, Any]

    def tell(self, cls: Any, attributes: Collection[str]) -> None:
        """Tell it of a class, which has none of these attributes then but those that its body has bound."""
        for name in attributes:
            if name in vars(cls) and name not in self.space:
                delete_attribute(cls, name)
        space = dict(self.space)
        for function in self.functions:
            function(cls, cls.__name__, cls.__bases__, space)
            for name, value in space.items():
                if value is not self.space.get(name):  # what it has put into the namespace
                    set_attribute(cls, name, value)


def made_by_metaclasses(counterparts: Mapping[int, type]) -> list[type]:
    """Return the classes that retired metaclasses have made, and that have not retired, nor any of their bases.

    Args:
        counterparts: id of a retired class -> what takes its place.
    """
    if not any(issubclass(now, type) for now in counterparts.values()):
        return []
    found = [cls for cls in living_classes() if id(type(cls)) in counterparts and retired_class(cls) is None]
    return [cls for cls in found if counterparts.keys().isdisjoint(map(id, mro_of(cls)))]


def plan_metaclass(cls: Any, now: type, replaced: Replacement) -> Retelling | None:
    """Return how the metaclass of a class is to be told of it again; None where it isn't.

    Args:
        cls: the class, as it is.
        now: the metaclass that it gets.
        replaced: what has taken the place of others already.
    """
    before = type(cls)
    if before is now or before in _PYTHONS or (said := names_said(cls)) is None:
        return None
    texts = _read_metaclass(before), _read_metaclass(now)
    bases = (replaced[id(base)] for base in mro_of(cls) if id(base) in replaced)
    otherwise = {name for pair in bases for name in changed_constants(*pair)}
    if texts[0] is None or texts[1] is None or do_alike(texts[0], texts[1], otherwise):
        return None
    known = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, **copy_space(vars(cls))}
    space = {name: part for name, part in known.items() if name in said or name in _SAID}
    tellings = (
        _Telling(before, tuple(map(_told_of, texts[0])), space),
        _Telling(now, tuple(map(_told_of, texts[1])), space),
    )
    return plan_from(cls, (before, now), (texts[0], texts[1]), tellings, replaced)


def _function_of(metaclass: type, name: str) -> Any:
    found = vars(metaclass).get(name)
    return getattr(found, "__func__", found)


def _read_metaclass(metaclass: type) -> list[_MakingText] | None:
    """Return what the functions of a metaclass do; None where their texts don't say it, or it has more bases."""
    if metaclass in _PYTHONS:
        return []
    if not all(base in _PYTHONS for base in mro_of(metaclass)[1:]):
        return None
    functions = [found for name in _MAKING if (found := _function_of(metaclass, name)) is not None]
    texts = [_read(function, metaclass) for function in functions]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(texts) else None


def _read(function: Any, metaclass: type) -> _MakingText | None:
    if type(function) is not FunctionType or {*function.__code__.co_freevars} - {"__class__"}:
        return None
    code, node = function.__code__, definition_of(function)
    if (
        not isinstance(node, ast.FunctionDef)
        or code.co_argcount != _ARGUMENTS
        or code.co_kwonlyargcount
        or code.co_flags & inspect.CO_VARARGS
    ):
        return None
    making = [part for part in node.body if isinstance(part, ast.Assign) and _makes(part.value)]
    made = making[0].targets[0] if len(making) == 1 else None
    arguments = code.co_varnames[:_ARGUMENTS]
    is_new = function.__name__ == "__new__"
    name = (made.id if isinstance(made, ast.Name) else "") if is_new else arguments[0]
    names = (name, metaclass.__name__, arguments[0])
    text = read_text(_MakingText, (function, node), metaclass, names)
    if text is not None:
        text.function, text.node = function, node if is_new else None
    return text


def _makes(node: ast.expr | None) -> bool:
    """Say whether an expression makes the class: `super().__new__(...)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__new__")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="type"), attr="__new__")):
            return True
    return False


class _MakingText(HookText):
    """What the text of a metaclass's `__new__` or `__init__` does with the class, beside making it.

    Attributes:
        function: whose text it is.
        node: the text, of `__new__`.
    """

    function: Callable[..., object]
    node: ast.FunctionDef | None

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=attr))):
                return attr == "__init__"
            case ast.Assign(value=value) | ast.Return(value=value) if _makes(value):
                return True
            case ast.Return(value=ast.Name(id=name)):
                return name == self._names[0]
        return super().reads(node)

    def _sets(self, target: ast.expr, value: ast.expr) -> bool:
        match target:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if self._is_space(name):
                self.attributes.add(key)
                return self._computes(value)
        return super()._sets(target, value)

    def _is_space(self, name: str) -> bool:
        return name not in self.known and name not in self._names


def _told_of(text: _MakingText) -> Callable[[Any, str, tuple[type, ...], dict[str, Any]], object]:
    """Return a function that does with a class what the one with a text does with the one that it makes."""
    function: Any = text.function
    if text.node is None:
        return text.function
    node = _Given().visit(copy_node(text.node))
    node.args.kwonlyargs.append(ast.arg(_TOLD))
    node.args.kw_defaults.append(None)
    node.decorator_list, node.returns = [], None
    module = ast.fix_missing_locations(ast.Module([node], []))
    compiled = compile(module, function.__code__.co_filename, "exec", dont_inherit=True)
    code = next(part for part in compiled.co_consts if type(part) is CodeType and part.co_name == node.name)
    made = FunctionType(code, function.__globals__)

    def told(cls: Any, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> object:
        return made(type(cls), name, bases, space, **{_TOLD: cls})

    return told


class _Given(ast.NodeTransformer):
    """Puts what is given in the place of what makes the class."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace what makes the class; nothing else in such a text calls it."""
        return ast.Name(_TOLD, ast.Load()) if _makes(node) else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Leave out the annotation, which is of no use here."""
        return ast.arg(node.arg)
