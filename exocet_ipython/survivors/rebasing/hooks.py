"""What the text of `__init_subclass__` says that it does with a class that it is told of."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Collection, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import attributes_of, is_registry
from exocet_ipython.reloading.ladder.operations import parameters_of
from exocet_ipython.survivors.rebasing.told import HOOK
from exocet_ipython.survivors.repeating.entries import entries
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["FUNCTIONS", "METHODS", "HookText", "options_of", "read_hook", "read_text"]

Text = TypeVar("Text", bound="HookText")

# Functions of Python's own that do more than to compute something, and the methods that do no more.
_DOING = ("__build_class__", "__import__", "anext", "breakpoint", "delattr", "eval", "exec", "exit", "help", "input")
FUNCTIONS = frozenset(vars(builtins)).difference(_DOING, ("next", "open", "print", "quit", "setattr"))
_COMPUTING = frozenset(("inspect", "operator", "re", "textwrap", "types", "typing"))  # modules of such functions
METHODS = frozenset((*dir(str), *dir(tuple), *dir(frozenset), "get", "items", "keys", "mro", "values"))


def read_hook(teller: type) -> HookText | None:
    """Return what the hook of a class does; None where its text doesn't say it, or it takes more than the class."""
    function = getattr(vars(teller)[HOOK], "__func__", None)
    if type(function) is not FunctionType:
        return None
    code, node = function.__code__, definition_of(function)
    options = options_of(code)
    given = len(function.__defaults__ or ()) + len(function.__kwdefaults__ or ())
    if len(options) != given or code.co_flags & inspect.CO_VARARGS or not isinstance(node, ast.FunctionDef):
        return None
    names = code.co_varnames[0], teller.__name__
    return read_text(HookText, (function, node), teller, names, options)


def read_text(
    kind: type[Text],
    hook: tuple[FunctionType, ast.FunctionDef],
    owner: Any,
    names: tuple[str, ...],
    options: tuple[str, ...] = (),
) -> Text | None:
    """Return what a function does with what it is given; None where its text doesn't say it.

    Args:
        kind: of text.
        hook: that function, and its text as a tree.
        owner: the class or instance that has it; None where none does.
        names: what it calls that which it is given, and its own class or instance.
        options: the names of the keywords that it takes of its own.
    """
    function, node = hook
    places = {name: part for name, part in copy_space(function.__globals__).items() if is_registry(part)}
    places |= {f".{name}": part for name, part in attributes_of(owner) if is_registry(part)}
    helpers = {name for name in function.__code__.co_names if _only_computes(function.__globals__.get(name))}
    text = kind(places, names, node.args.kwarg.arg if node.args.kwarg else "", options, helpers)
    text.functions, text.owner = [function], owner
    return text if all(map(text.reads, node.body)) else None


def options_of(code: CodeType) -> tuple[str, ...]:
    """Return the names of the keywords that the hook with a code takes of its own."""
    return parameters_of(code)[1:]


def _only_computes(value: Any) -> bool:
    """Say whether a value is a function of Python's that does no more than to compute something."""
    return type(value) is FunctionType and value.__module__ in _COMPUTING


def _has(container: Any, cls: type) -> bool:
    return any(cls is key or cls is value for key, value in entries(container))


class HookText:
    """What the text of a hook says that it does.

    Args:
        places: the containers that it may mean, by name; those of its own class with a dot before it.
        names: what it calls the class that it is told of, and its own.
        keywords: what it calls the keywords that it hands on.
        options: the names of the keywords that it takes of its own.
        helpers: what it calls functions that do no more than to compute something, beside the built-in ones.

    Attributes:
        attributes: the names of the attributes of the class that it sets.
        known: the containers that it may mean.
        functions: the hook, and what it calls, each after what calls it.
        owner: the class or instance that has it; None where none does.
    """

    functions: Sequence[FunctionType] = ()
    owner: Any = None

    def __init__(
        self,
        places: Mapping[str, Any],
        names: tuple[str, ...],
        keywords: str,
        options: tuple[str, ...],
        helpers: Collection[str],
    ) -> None:
        self.attributes, self.options = set[str](), options
        self.known, self._names, self._keywords = {**places}, names, keywords
        self._functions = FUNCTIONS.union(helpers)
        self._containers: set[str] = set()
        self._asked: set[str] = set()

    @property
    def asks(self) -> bool:
        """Whether it computes something of what is in containers that it fills: numbers of classes, say."""
        return not self._asked.isdisjoint(self._containers)

    def names(self, cls: type) -> bool:
        """Say whether each container into which it puts classes has this one."""
        return all(_has(place, cls) for place in self.places().values())

    def is_without(self, cls: type) -> bool:
        """Say whether it puts classes into containers, and none of these has this one."""
        return bool(self._containers) and not any(_has(place, cls) for place in self.places().values())

    def places(self) -> dict[str, Any]:
        """Return the containers into which it puts something, by what it calls them."""
        return {name: self.known[name] for name in self._containers}

    def lists(self) -> list[Any]:
        """Return the lists and queues into which it puts something: they have it twice when it is told twice."""
        return [place for place in self.places().values() if hasattr(place, "append")]

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Pass() | ast.Return(value=None) | ast.Raise() | ast.Assert() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr=attr))) if attr == HOOK:
                return isinstance(held, ast.Call) and ast.unparse(held.func) == "super"
            case ast.Expr(value=ast.Call() as call):
                return self._puts(call) or self._follows(call)
            case ast.Assign(targets=targets, value=value):
                return all(self._sets(target, value) for target in targets)
            case ast.If(test=value, body=body, orelse=others) | ast.For(iter=value, body=body, orelse=others):
                return self._computes(value) and all(map(self.reads, [*body, *others]))
        return False

    def _puts(self, call: ast.Call) -> bool:
        match call.func:
            case ast.Attribute(value=held, attr="append" | "add"):
                return all(map(self._computes, call.args)) and self._is_filled(held)
        return False

    def _sets(self, target: ast.expr, value: ast.expr) -> bool:
        match target:
            case ast.Tuple(elts=targets):
                return all(self._sets(one, value) for one in targets)
            case ast.Attribute(value=owner, attr=name) if self._is_class(owner):
                self.attributes.add(name)
                return self._computes(value)
            case ast.Subscript(value=held, slice=key):
                return self._is_container(held) and self._computes(key) and self._computes(value)
        return isinstance(target, ast.Name) and self._computes(value)

    def _follows(self, call: ast.Call) -> bool:
        """Say whether a function or method that is called does nothing else either, and note what it does."""
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        return self._enters(call) and all(map(self._computes, values))

    def _enters(self, call: ast.Call) -> bool:
        """Say the same, whatever it is given."""
        function, owner = self._called(call.func)
        if type(function) is not FunctionType:
            return False
        node, code = definition_of(function), function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        own, taken = ((), names) if owner is None else (names[:1], names[1:])
        is_plain = not (function.__closure__ or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS))
        if not isinstance(node, ast.FunctionDef) or not is_plain or len(call.args) > len(taken):
            return False
        given = dict(zip(taken, call.args, strict=False)) | {one.arg or "": one.value for one in call.keywords}
        classes = [name for name, value in given.items() if self._is_class(value)]
        kind = _LastText if isinstance(self, _CalledText) else _CalledText
        inner = read_text(kind, (function, node), owner, (*(classes or [""]), *own))
        if inner is None:
            return False
        self.attributes |= inner.attributes
        self.functions = [*self.functions, *inner.functions]
        where = "" if owner is self.owner else ast.unparse(getattr(call.func, "value", call.func))
        is_near = function.__globals__ is self.functions[0].__globals__
        for name, part in inner.known.items():
            outer = f"{where}{name}" if name[0] == "." else name if is_near else f"{function.__module__}:{name}"
            self.known.setdefault(outer, part)
            if name in inner.places():
                self._containers.add(outer)
        return True

    def _called(self, node: ast.expr) -> tuple[Any, Any]:
        """Return the function that an expression names, and the class or instance of which it is a method, if any."""
        if not isinstance(node, ast.Attribute):
            return self._held(node), None
        held = self._held(node.value)
        if issubclass(type(held), ModuleType):
            return globals_of(held).get(node.attr), None
        is_class = issubclass(type(held), type)
        found = first_named(node.attr, mro_of(held if is_class else type(held)))
        if type(found) is staticmethod:
            return found.__func__, None
        if type(found) is classmethod:
            return found.__func__, held if is_class else type(held)
        return (None if is_class else found), held

    def _held(self, node: ast.expr) -> Any:
        """Return what an expression names: a global, what the owner is or has, or an attribute of such."""
        match node:
            case ast.Name(id=name) if name in self._names:
                return self.owner if name in self._names[1:] else None
            case ast.Name(id=name):
                return self.functions[0].__globals__.get(name)
            case ast.Attribute(value=held, attr=name):
                owner = self.owner if self._is_class(held) else self._held(held)
                if issubclass(type(owner), ModuleType):
                    return globals_of(owner).get(name)
                return dict(attributes_of(owner)).get(name) if owner is not None else None
        return None

    def _is_filled(self, node: ast.expr) -> bool:
        """Say whether an expression is a container, or one in it that is made where there is none yet."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=held, attr="setdefault"), args=[key, ast.List() | ast.Call() as made]
            ):
                return self._computes(made) and self._computes(key) and self._is_container(held)
            case ast.Subscript(value=held, slice=key):
                return self._computes(key) and self._is_container(held)
        return self._is_container(node)

    def _is_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._names[0]

    def _is_container(self, node: ast.expr) -> bool:
        place = self._place_of(node)
        self._containers.update([place] if place else [])
        return bool(place)

    def _place_of(self, node: ast.AST) -> str:
        """Return what it calls the container that an expression is; nothing where it is none."""
        match node:
            case ast.Name(id=name):
                place = name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self._names:
                place = f".{name}"
            case ast.Attribute() if is_registry(held := self._held(node)):
                place = ast.unparse(node)
                self.known.setdefault(place, held)
            case _:
                return ""
        return place if place in self.known else ""

    def _computes(self, node: ast.expr) -> bool:
        self._asked |= set(map(self._place_of, ast.walk(node)))
        return all(map(self._is_plain, ast.walk(node)))

    def _is_plain(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name)):
                return name in self._functions or self._enters(node)
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in METHODS or self._enters(node)
            case ast.Name(id=name):
                return name != self._keywords
        return not isinstance(node, (ast.Await, ast.Call, ast.NamedExpr, ast.Yield, ast.YieldFrom))


class _CalledText(HookText):
    """What the text of a function does that a hook calls."""

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        if isinstance(node, ast.Return) and node.value is not None:
            return self._computes(node.value)
        return super().reads(node)


class _LastText(_CalledText):
    """What the text of a function does that such a one calls: no more are entered."""

    def _enters(self, call: ast.Call) -> bool:
        del call
        return False
