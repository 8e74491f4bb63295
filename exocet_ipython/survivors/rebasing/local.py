"""Classes that functions have made when they were called: they get what the new text of their statement gives.

A method that the old text has as well is a closure like any other. What else the body of a `class` statement does is
found by running it, the old one and the new, with the variables that the class was made with. No class is made for
that, and so no base is told of one.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

from exocet_ipython.loading.classes import delete_attribute, first_named, mro_of, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import is_shared
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.ladder.operations import is_class_body, is_same_constant
from exocet_ipython.reloading.retired import functions_in, functions_of
from exocet_ipython.survivors.classes import class_of
from exocet_ipython.survivors.dropped import dropped_by
from exocet_ipython.survivors.inner import LABELS, Inner, operations_of
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.constants import any_other
from exocet_ipython.survivors.rebasing.copies import decorate_again
from exocet_ipython.survivors.rebasing.keeping import change_class
from exocet_ipython.survivors.replacing.instances import Moving

__all__ = ["LocalClass", "find_local_classes", "renew_local_classes"]

_missing: Any = object()
_OF_CLASS = LABELS | {"__classcell__", "__classdictcell__", "__slots__", "__dict__", "__weakref__"}
_PREPARE = vars(type)["__prepare__"]  # a metaclass with another one makes something else of what a body assigns
_PLAIN = (dict, list, set)
_IMPLIED = {"__new__": staticmethod, "__init_subclass__": classmethod, "__class_getitem__": classmethod}


class LocalClass(NamedTuple):
    """A class that a retired function has made, and the body of its statement, with its counterpart."""

    cls: type
    body: Inner


def find_local_classes(closures: Iterable[FunctionType], pairs: Pairs) -> list[LocalClass]:
    """Return the classes that have some of these functions, where the body of their statement does something else now.

    Args:
        closures: the functions that retired ones have made.
        pairs: what retired. A class that has a counterpart is left as it is.
    """
    edited: dict[int, bool] = {}  # id of the code of a body; one may have hundreds of methods
    bodies: dict[int, Inner] = {}  # id of a function -> the body that it is in
    methods: list[FunctionType] = []
    for closure in closures:
        body = pairs.inner_of(closure).outer
        if body is None or body.new is None or not is_class_body(body.old):
            continue
        if id(body.old) not in edited:
            is_other = operations_of(body.old) != operations_of(body.new)
            names = {*body.new.co_names}
            edited[id(body.old)] = is_other or any_other(names, body.before.__globals__, body.namespace)
        if edited[id(body.old)]:
            bodies[id(closure)] = body
            methods.append(closure)
    spaces = [holder for holder in referrers_of(methods) if type(holder) is dict] if methods else []
    classes = {
        id(cls): cls for space in spaces if (cls := class_of(space)) is not None and id(cls) not in pairs.objects
    }
    return [
        LocalClass(cls, body)
        for cls in classes.values()
        if (body := next((bodies[id(part)] for part in vars(cls).values() if id(part) in bodies), None)) is not None
    ]


def renew_local_classes(found: Iterable[LocalClass], inner: Mapping[int, Inner], moving: Moving) -> None:
    """Have classes gain, lose and change what their statement does now, when their methods are closures of now.

    Args:
        found: the classes.
        inner: the code in retired functions, by its id.
        moving: what is moved.
    """
    for cls, body in found:
        try:
            _require_plain(cls)
            variables = _variables_of(cls, body)
            before = _run(body.old, body.before.__globals__, variables)
            now = _run(body.new, body.namespace, variables)
        except Exception as error:  # noqa: BLE001 - a person's statement, which may need what only the call had
            moving.note(dotted_name(cls), error)
            continue
        changes = dict(_changes(cls, before, now, inner))
        if changes:
            change_class(cls, partial(_change, changes=changes, cell=now.get("__classcell__")), moving)


def _require_plain(cls: type) -> None:
    """Require that the attributes of a class are what its body assigns; raises TypeError for an enum, say."""
    if first_named("__prepare__", mro_of(type(cls))) is not _PREPARE:
        raise TypeError("its metaclass makes something else of what its body assigns; make it again")


def _variables_of(cls: type, body: Inner) -> dict[str, CellType]:
    """Return the variables of the function that the new body and the old one need, as the methods have them.

    Raises:
        NameError: no method has one, and it is no parameter with a default.
    """
    functions = list(functions_of(cls))
    known = {name: cell for function in functions for name, cell in dropped_by(function).items()} | {
        name: cell
        for function in functions
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    }
    needed = {*body.old.co_freevars, *(body.new.co_freevars if body.new is not None else ())}
    for name in needed - known.keys():
        try:
            known[name] = body.default_of(name)
        except KeyError:
            raise NameError(f"its new text needs {name} of the function that made it; make it again") from None
    return known


def _run(code: CodeType | None, namespace: dict[str, Any], variables: Mapping[str, CellType]) -> dict[str, Any]:
    """Run the body of a `class` statement, and return what it assigns, with what Python makes of that in a class."""
    space: dict[str, Any] = {"__doc__": None}
    if code is not None:
        exec(code, namespace, space, closure=tuple(variables[name] for name in code.co_freevars) or None)  # noqa: S102 - the person's own module
    if "__eq__" in space:
        space.setdefault("__hash__", None)
    for name, kind in _IMPLIED.items():
        if type(space.get(name)) is FunctionType:
            space[name] = kind(space[name])
    return space


def _changes(
    cls: type, before: Mapping[str, Any], now: Mapping[str, Any], inner: Mapping[int, Inner]
) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that the new body gives otherwise, if the class has what the old one gave."""
    space = copy_space(vars(cls))
    for name in sorted({*before, *now} - _OF_CLASS):
        was, given, has = (place.get(name, _missing) for place in (before, now, space))
        if not _is_same(was, given, inner) and (was is has or _is_same(was, has, inner)):
            yield name, given


def _is_same(before: Any, now: Any, inner: Mapping[int, Inner]) -> bool:
    """Say whether two attributes are the same; of what only its class tells, that is taken for granted."""
    if type(before) is not type(now):
        return False
    if is_shared(before) or type(before) in _PLAIN:
        return is_same_constant(before, now)
    codes = [[function.__code__ for function in functions_in(part)] for part in (before, now)]
    return len(codes[0]) == len(codes[1]) and all(
        first is second or (id(first) in inner and inner[id(first)].new in (second, None))
        for first, second in zip(*codes, strict=True)
    )


def _change(cls: Any, *, changes: Mapping[str, Any], cell: CellType | None) -> None:
    if cell is not None:
        cell.cell_contents = cls  # what `super()` in the new methods means
    for name, value in changes.items():
        if value is _missing:
            delete_attribute(cls, name)
            continue
        set_attribute(cls, name, value)
        tell = first_named("__set_name__", mro_of(type(value)))
        if tell is not None:
            tell(value, cls, name)
    if "__dataclass_fields__" in vars(cls):
        annotated = vars(cls).get("__annotations__", {})
        fields = {name: field for name, field in cls.__dataclass_fields__.items() if name not in changes}
        set_attribute(cls, "__dataclass_fields__", {name: fields[name] for name in fields if name in annotated})
        decorate_again(cls)
    if issubclass(type(cls), abc.ABCMeta):
        abc.update_abstractmethods(cls)
