"""Successors: what takes the place of an instance whose class can't be exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import (
    BuiltinFunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import Any

from exocet_ipython.loading.classes import module_said_by, mro_of, set_attribute
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.slots import slots_of
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, or_same
from exocet_ipython.survivors.replacing.finalisers import silence
from exocet_ipython.survivors.replacing.states import attributes_of_instance

__all__ = ["make_successor", "require_values"]

# How an instance of an immutable type gives the plain value that it is, whatever its own class makes of it.
_VALUES: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (frozenset, frozenset.union),
    (complex, complex.__pos__),
)


def _add_items(made: Any, instance: Any) -> None:
    """Put the items of a dict into its successor, by what C code has for them: a kind of dict may keep their order."""
    put = _in_c(type(made), "__setitem__")
    for key, value in _in_c(type(instance), "items")(instance):
        put(made, key, value)


def _in_c(cls: type, name: str) -> Any:
    """Return the method that the C code of a class, or of one that it derives from, has."""
    found = (vars(base).get(name) for base in mro_of(cls))
    return next(method for method in found if type(method) in (MethodDescriptorType, WrapperDescriptorType))


# How the contents of a mutable one get into its successor.
_CONTENTS: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
    (dict, _add_items),
    (list, list.extend),
    (set, set.update),
)


def make_successor(instance: Any, before: type, now: type, replacement: Replacement) -> Any:
    """Return an instance of the new class with the value, the items and the attributes of an old one.

    The fields of a named tuple are its attributes, and become those where its class is another one, or the fields.

    Args:
        instance: the old one.
        before: its class.
        now: the new one.
        replacement: what takes the place of items that can't be replaced in it.

    Raises:
        TypeError: instances of the new class can't be made so.
    """
    if _is_other_map(before, now):
        return _with_same_items(instance, now)
    made = _bare_successor(instance, before, now, replacement)
    space, given = dict_of(made), dict(attributes_of_instance(made))
    fields = _fields_of(instance, replacement) if not issubclass(now, tuple) else {}
    for name, value in (*fields.items(), *attributes_of_instance(instance)):
        if name in (space or ()) or _has_slot(now, name):
            if given.get(name, made) is not value:  # a frozen struct has what its constructor was given for good
                set_attribute(made, name, value)
        elif space is not None:
            space[name] = value
    return made


def require_values(instance: Any, before: type, now: type) -> None:
    """See that an instance has what its successor would be made of.

    Raises:
        TypeError: it lacks a field, or is no value of the kind that its class is of now.
    """
    if not _is_other_map(before, now):
        silence(_bare_successor(instance, before, now, {}))


def _is_other_map(before: type, now: type) -> bool:
    """Say whether one of two classes of maps is a dict and the other one is not."""
    return issubclass(before, dict) != issubclass(now, dict) and all(issubclass(cls, Mapping) for cls in (before, now))


def _bare_successor(instance: Any, before: type, now: Any, replacement: Replacement) -> Any:
    if (made := _with_same_value(instance, before, now, replacement)) is not None:
        return made
    if issubclass(before, BaseException) and issubclass(now, BaseException):
        return _exception_like(instance, now)
    fields = getattr(now, "__struct_fields__", None)
    if fields is not None:  # a struct of msgspec, which only its constructor makes
        return now(**{name: getattr(instance, name) for name in fields if hasattr(instance, name)})
    if issubclass(now, tuple) and hasattr(now, "_fields"):
        return tuple.__new__(now, _in_order(dict(attributes_of_instance(instance)), now))
    # The two of which an instance has all that it has in its attributes.
    base = SimpleNamespace if issubclass(now, SimpleNamespace) else object
    try:
        return base.__new__(now)
    except TypeError:  # `object.__new__(Name) is not safe, use Name.__new__()`
        kind = next(cls for cls in mro_of(now) if type(vars(cls).get("__new__")) is BuiltinFunctionType)
        name = kind.__name__
        why = f"its class is a kind of {name} now, which it can't become"
        if issubclass(before, kind):
            why = f"its layout is another one by now, and what it has as a {name} can't be taken over"
        raise TypeError(f"{why}: make a new object instead").with_traceback(None) from None


def _with_same_value(instance: Any, before: type, now: Any, replacement: Replacement) -> Any:
    """Return an instance of the new class with the value or the items of an old one; None where there are none to take.

    Raises:
        TypeError: they would be lost.
    """
    for kind, value_of in _VALUES:
        if issubclass(now, kind) and issubclass(before, kind):
            value = value_of(instance)
            if kind is tuple:
                value = tuple(or_same(item, replacement) for item in value)
                if (fields := getattr(now, "_fields", None)) is not None and fields != getattr(before, "_fields", ()):
                    value = _in_order(_fields_of(instance, replacement), now)
            return kind.__new__(now, value)
    for kind, add in _CONTENTS:
        if issubclass(now, kind) and issubclass(before, kind):
            made = kind.__new__(now)
            add(made, instance)
            return made
    lost = next((kind for kind, _ in (*_VALUES, *_CONTENTS) if issubclass(before, kind)), None)
    is_empty = lost in (dict, list, set) and lost.__len__(instance) == 0
    if lost is not None and not is_empty and not hasattr(before, "_fields"):
        message = f"its class is no kind of {lost.__name__} by now, and what it has as one would be lost"
        raise TypeError(message)
    return None


def _exception_like(error: Any, now: Any) -> Any:
    """Return an exception with the arguments of another one, the traceback, and what else Python's own keep in C."""
    kind: Any = next(cls for cls in mro_of(now) if module_said_by(cls) == "builtins")
    made = kind.__new__(now, *error.args)
    kind.__init__(made, *error.args)
    shared = [cls for cls in mro_of(kind) if cls is not object and issubclass(type(error), cls)]
    parts = [part for cls in shared for name, part in vars(cls).items() if name != "__dict__"]
    # In this order: with a cause, an exception notes by itself that it doesn't show its context.
    for kind in (GetSetDescriptorType, MemberDescriptorType):
        for part in (part for part in parts if type(part) is kind):
            value = _part_of(error, part)
            if value is not MISSING and value is not _part_of(made, part):
                with suppress(AttributeError):  # the arguments have said it for good
                    part.__set__(made, value)
    return made


def _part_of(error: Any, part: Any) -> Any:
    try:
        return part.__get__(error)
    except AttributeError:  # it has none
        return MISSING


def _fields_of(instance: Any, replacement: Replacement) -> dict[str, Any]:
    """Return the fields of a named tuple; none of anything else."""
    names = getattr(type(instance), "_fields", ()) if issubclass(type(instance), tuple) else ()
    items = tuple.__getitem__(instance, slice(None)) if names else ()
    return dict(zip(names, (or_same(item, replacement) for item in items), strict=False))


def _in_order(values: Mapping[str, Any], now: Any) -> tuple[Any, ...]:
    """Return the items of a named tuple that has these values under its names; others need a default.

    A field that stands where one stood that is gone is the same one, with another name.
    """
    places = zip(now._fields, values.items(), strict=True) if len(now._fields) == len(values) else ()
    moved = {name: value for name, (old, value) in places if name not in values and old not in now._fields}
    known = {**getattr(now, "_field_defaults", {}), **values, **moved}
    missing = [name for name in now._fields if name not in known]
    if missing:
        message = f"the new field {missing[0]!r} has no default"
        raise TypeError(message)
    return tuple(known[name] for name in now._fields)


def _has_slot(cls: type, name: str) -> bool:
    return any(slot.__name__ == name for slot in slots_of(cls))


def _with_same_items(instance: Any, now: type) -> Any:
    """Return a map that its class makes of the items of another one: a dict's are elsewhere than another map's.

    Raises:
        TypeError: it makes another one of them.
    """
    items = dict(instance)
    made: Any = now(items)
    if dict(made) != items:
        message = "its items are kept in another way by now"
        raise TypeError(message)
    return made
