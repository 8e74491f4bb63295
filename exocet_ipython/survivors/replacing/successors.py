"""Successors: what takes the place of an instance whose class can't be exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, SimpleNamespace
from typing import Any

from exocet_ipython.loading.classes import mro_of, set_attribute
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.classes import slots_of
from exocet_ipython.survivors.rebuilt import Replacement, or_same
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
# How the contents of a mutable one get into its successor.
_CONTENTS: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
    (dict, dict.update),
    (list, list.extend),
    (set, set.update),
)


def make_successor(instance: Any, before: type, now: type, replacement: Replacement) -> Any:
    """Return an instance of the new class with the value, the items and the attributes of an old one.

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
    space = dict_of(made)
    for name, value in attributes_of_instance(instance):
        if name in (space or ()) or _has_slot(now, name):
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
        _bare_successor(instance, before, now, {})


def _is_other_map(before: type, now: type) -> bool:
    """Say whether one of two classes of maps is a dict and the other one is not."""
    return issubclass(before, dict) != issubclass(now, dict) and all(issubclass(cls, Mapping) for cls in (before, now))


def _bare_successor(instance: Any, before: type, now: Any, replacement: Replacement) -> Any:
    for kind, value_of in _VALUES:
        if issubclass(now, kind) and issubclass(before, kind):
            value = value_of(instance)
            if kind is tuple:
                value = _fitted(tuple(or_same(item, replacement) for item in value), before, now)
            return kind.__new__(now, value)
    for kind, add in _CONTENTS:
        if issubclass(now, kind) and issubclass(before, kind):
            made = kind.__new__(now)
            add(made, instance)
            return made
    if issubclass(before, BaseException) and issubclass(now, BaseException):
        return _exception_like(instance, now)
    fields = getattr(now, "__struct_fields__", None)
    if fields is not None:  # a struct of msgspec, which only its constructor makes
        return now(**{name: getattr(instance, name) for name in fields if hasattr(instance, name)})
    # The two of which an instance has all that it has in its attributes.
    base = SimpleNamespace if issubclass(now, SimpleNamespace) else object
    try:
        return base.__new__(now)
    except TypeError:  # `object.__new__(Name) is not safe, use Name.__new__()`
        kind = next(cls for cls in mro_of(now) if type(vars(cls).get("__new__")) is BuiltinFunctionType)
        message = f"its class is a kind of {kind.__name__} now, which it can't become: make a new object instead"
        raise TypeError(message).with_traceback(None) from None


def _exception_like(error: Any, now: Any) -> Any:
    """Return an exception with the arguments of another one, the traceback, and what it was raised from."""
    kind: Any = next(cls for cls in mro_of(now) if cls.__module__ == "builtins")
    made = kind.__new__(now, *error.args)
    kind.__init__(made, *error.args)
    for name in ("__cause__", "__context__", "__suppress_context__", "__traceback__"):
        setattr(made, name, getattr(error, name))
    return made


def _fitted(items: tuple[Any, ...], before: Any, now: Any) -> tuple[Any, ...]:
    """Return the items of a named tuple for the fields of the new class; new ones need a default."""
    fields = getattr(now, "_fields", None)
    if fields is None or fields == getattr(before, "_fields", ()):
        return items
    known = dict(getattr(now, "_field_defaults", {})) | dict(zip(before._fields, items, strict=False))
    missing = [name for name in fields if name not in known]
    if missing:
        message = f"the new field {missing[0]!r} has no default"
        raise TypeError(message)
    return tuple(known[name] for name in fields)


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
