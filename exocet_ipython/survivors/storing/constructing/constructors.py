"""What constructors say themselves that an instance has: a constant, an empty container, the default of a parameter.

An instance that the old constructor has made gets what the new one says beside that, and what is only called otherwise
now. Nothing is called for it, and what a constructor computes otherwise only a call would tell.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from inspect import Parameter, signature
from types import CodeType, FunctionType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import defines, first_named, mro_of
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.ladder.constructing import stored_attributes
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.comparison import Making, runs_alike
from exocet_ipython.survivors.storing.certain import assigned_by
from exocet_ipython.survivors.storing.constructing.arguments import Remade, find_remade, set_alike
from exocet_ipython.survivors.storing.constructing.constructions import AFTERWARDS
from exocet_ipython.survivors.storing.constructing.settled import settled_attributes
from exocet_ipython.survivors.storing.functions import definition_of
from exocet_ipython.survivors.storing.pruning import pruned
from exocet_ipython.survivors.storing.renamed import find_renamed

__all__ = ["Maker", "MakingMore", "added_between", "find_added"]

# What gives an attribute to a new instance in the place of an old one, or to the old one itself: called with that.
Maker = Callable[[Any], Any]
_WRITTEN = (
    *(ast.BinOp, ast.Call, ast.Constant, ast.Dict, ast.List, ast.Set, ast.Tuple, ast.UnaryOp),
    *(ast.Name, ast.expr_context, ast.operator, ast.unaryop),
)
_KINDS = frozenset(map(id, (Counter, OrderedDict, defaultdict, deque, dict, list, set)))


def find_added(before: type, now: type) -> Mapping[str, Maker]:
    """Return the attributes that a class's constructor says to have and the old one never set, each with its maker.

    Args:
        before: a retired class.
        now: the new one.

    >>> class Bus: pass
    >>> find_added(Bus, Bus)
    {}
    """
    return added_between(mro_of(before), mro_of(now))


def added_between(before: Sequence[type], now: Sequence[type]) -> Mapping[str, Maker]:
    """Return the same for the instances of a class that had one order of bases, itself first, and has another one now.

    >>> class Bus: pass
    >>> added_between(Bus.__mro__, Bus.__mro__)
    {}
    """
    old, new = ([part for cls in order if (part := _constructor_of(cls))] for order in (before, now))
    former = {function.__qualname__: function for function in old}
    pairs = [(former.get(function.__qualname__), function) for function in new]
    alike = [
        was is not None and _run_alike([was, *_called_by(was, before)], [one, *_called_by(one, now)])
        for was, one in pairs
    ]
    if len(old) == len(new) and all(alike):
        return {} if set_alike(before, now) else find_remade(before, now)
    functions, others = ([one for cls in order[:-1] for one in functions_of(cls)] for order in (before, now))
    had = {name for one in old for part in (one, *_called_by(one, before)) for name in _stored_by(part)}
    found: dict[str, Maker] = {}
    for place, (was, function) in enumerate(pairs):
        # What no call has known yet: nor has one by a subclass, that is what it was.
        known = was.__code__.co_varnames if was is not None else ()
        is_unknown = all(alike[:place]) and (was is not None or not place)
        given = {name: value for name, value in defaults_of(function).items() if is_unknown and name not in known}
        said = _said_by(function, given)
        for called in _called_by(function, now):
            said = {name: make for name, make in _said_by(called, {}).items() if name not in had} | said
        if was is not None and not alike[place]:
            renamed = find_renamed(was, function, (functions, others))
            said |= {name: Remade.renamed(old_name, before) for name, old_name in renamed.items()}
        found = {name: make for name, make in said.items() if name not in had and _is_free(name, now[0])} | found
        if "super" not in function.__code__.co_names:
            break
    return found | find_remade(before, now)


class MakingMore(Making):
    """Compares how instances are made, but for what the new constructor says beside: an old instance gets that."""

    _added: Mapping[str, Maker] = MappingProxyType({})
    _left_out: Collection[str] = ()  # parameters

    def _is_same_class(self, before: type, now: type) -> bool:
        around = self._added, self._left_out
        self._added = find_added(before, now)
        asked = (before, now) if self._added or is_dataclass(now) else ()
        parameters = [_parameters_of(cls) for cls in asked] or [{}, {}]
        new = parameters[1].keys() - parameters[0].keys()
        self._left_out = [name for name in new if parameters[1][name].default is not Parameter.empty]
        is_same = super()._is_same_class(before, now)
        self._added, self._left_out = around
        return is_same

    def _parts_of(self, cls: type) -> dict[str, Any]:
        parts = super()._parts_of(cls)
        if self._left_out:
            left = [part for name, part in _parameters_of(cls).items() if name not in self._left_out]
            parts["__signature__"] = ", ".join(map(str, left))
            # What `dataclass` has written is what the signature says; the new fields get their defaults.
            written = {f"{base.__qualname__}.__init__" for base in mro_of(cls) if _is_written(base)}
            dropped = {*self._left_out, *written}
            parts = {name: part for name, part in parts.items() if name not in dropped}
            made = fields(cls) if is_dataclass(cls) else ()
            parts |= {field.name: field.default_factory for field in made if field.name not in dropped}
        return parts

    def _is_same_function(self, before: FunctionType, now: FunctionType) -> bool:
        if self._added and before.__name__ == now.__name__ == "__init__":
            shorter = [pruned(function, self._without_added) for function in (before, now)]
            if shorter[0] is not None and shorter[1] is not None:
                before, now = shorter[0], shorter[1]
        return super()._is_same_function(before, now)

    def _without_added(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Return the statements of a constructor but for those that give an instance nothing but what is added."""
        return [one for one in statements if not self._only_adds(one)]

    def _only_adds(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return True  # its docstring
        targets = [target for target, _ in assigned_by(statement)]
        parts = [part for one in targets for part in (one.elts if isinstance(one, ast.Tuple) else [one])]
        return bool(parts) and all(isinstance(part, ast.Attribute) and part.attr in self._added for part in parts)


def _parameters_of(cls: type) -> Mapping[str, Parameter]:
    """Return what a class takes; nothing of one that doesn't say it."""
    try:
        return signature(cls).parameters
    except Exception:  # noqa: BLE001 - a person's metaclass may raise anything
        return {}


def _constructor_of(cls: type) -> FunctionType | None:
    found = vars(cls).get("__init__")
    return found if type(found) is FunctionType else None


def _is_written(cls: type) -> bool:
    """Say whether it was `dataclass` that wrote the constructor of a class."""
    made = _constructor_of(cls) if "__dataclass_fields__" in vars(cls) else None
    return made is not None and made.__code__.co_filename == "<string>"


def _stored_by(function: FunctionType) -> Iterator[str]:
    return stored_attributes(function.__code__)


def _called_by(function: FunctionType, classes: Sequence[type]) -> list[FunctionType]:
    """Return the methods that a constructor calls whatever happens, and with nothing: `self.reset()`."""
    code = function.__code__
    may_be_written, own = code.co_filename.startswith("<"), code.co_varnames[:1]
    may_call = any(type(first_named(name, classes)) is FunctionType for name in code.co_names)
    tree = definition_of(function) if may_call or may_be_written else None  # most call none, and reading takes long
    is_written = tree is None and may_be_written  # by `dataclass`, or attrs
    found = [first_named(name, classes) for name in AFTERWARDS if is_written]
    for statement in tree.body if tree is not None and own else ():
        match statement:
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[], keywords=[])) if (
                name == own[0]
            ):
                found.append(first_named(method, classes))
    return [method for method in found if type(method) is FunctionType]


def _run_alike(before: Sequence[FunctionType], now: Sequence[FunctionType]) -> bool:
    pairs = zip(before, now, strict=False)
    return len(before) == len(now) and all(runs_alike(was.__code__, one.__code__) for was, one in pairs)


def _is_free(name: str, cls: type) -> bool:
    """Say whether an instance of a class has an attribute in its dict or in a slot, and not by a property."""
    kind = type(first_named(name, mro_of(cls)))
    return kind is MemberDescriptorType or not defines(kind, "__set__")


def _said_by(function: FunctionType, given: Mapping[str, Any]) -> dict[str, Maker]:
    """Return what a constructor gives an instance whatever happens, and nothing else, by name, each with its maker.

    Args:
        function: it.
        given: the defaults of those of its parameters that no call has known.
    """
    tree = definition_of(function)
    counts = Counter(_stored_by(function))
    if tree is None or not function.__code__.co_argcount:
        return {}
    own, said = function.__code__.co_varnames[0], dict[str, Maker]()
    for attribute, value in settled_attributes(tree, own, given):
        if counts[attribute] == 1 and all(_is_said(node, function, given) for node in ast.walk(value)):
            code = compile(ast.Expression(value), "<constructor>", "eval")
            said[attribute] = partial(_evaluate, code, function.__globals__, dict(given))
    return said


def _evaluate(code: CodeType, namespace: dict[str, Any], given: dict[str, Any], _: object) -> Any:
    return eval(code, namespace, given)  # noqa: S307 - a person's own text


def _is_said(node: ast.AST, function: FunctionType, given: Mapping[str, Any]) -> bool:
    """Say whether a part of an expression is written there, or stands for what is known without a call."""
    match node:
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return id(_named(name, function)) in _KINDS
        case ast.Call():
            return False
        case ast.Name(id=name) if name in given:
            return is_plain(given[name])
        case ast.Name(id=name):
            value = _named(name, function)
            return name not in function.__code__.co_varnames and (is_plain(value) or isinstance(value, type))
    return isinstance(node, _WRITTEN)


def _named(name: str, function: FunctionType) -> Any:
    return function.__globals__.get(name, getattr(builtins, name, ModuleType))
