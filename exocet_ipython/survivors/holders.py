"""Replacing references: whatever holds a retired object holds its counterpart instead.

One pass over the heap finds the holders (`gc.get_referrers` is a C loop of about 20 ns an object). Each is changed in
the way that its type allows; none is ever emptied and refilled, since other threads look at it. What can't be changed
in place, a tuple or a bound method, is made anew and its own holders are found in another pass.
"""

from __future__ import annotations

import functools
import gc
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import CellType, FrameType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from exocet_ipython.reloading.generation import Journal

__all__ = ["Replacement", "replace_references"]

_PASSES = 3  # a tuple in a tuple in a tuple; deeper nests keep the retired object, and forwarders answer for it
_missing = object()

Replacement = Mapping[int, tuple[Any, Any]]


def replace_references(replacement: Replacement, own: set[int], holders: list[Any], journal: Journal) -> None:
    """Replace retired objects by their counterparts in everything that holds them.

    Args:
        replacement: id of a retired object -> the object and its counterpart.
        own: ids of holders to leave alone: the retired side itself, and our own records.
        holders: what refers to any of the retired objects, as `gc.get_referrers` found it.
        journal: how each write is taken back.
    """
    for _ in range(_PASSES):
        rebuilt: dict[int, tuple[Any, Any]] = {}
        for holder in holders:
            if id(holder) not in own and id(holder) not in replacement:
                replaced = _replace_in(holder, replacement, journal)
                if replaced is not None:
                    rebuilt[id(holder)] = holder, replaced
        if not rebuilt:
            return
        olds = [old for old, _ in rebuilt.values()]
        holders = gc.get_referrers(*olds)
        own = own | {id(olds), id(rebuilt), *(id(pair) for pair in rebuilt.values())}
        replacement = rebuilt


def _replace_in(holder: Any, replacement: Replacement, journal: Journal) -> Any:
    """Replace what one holder holds; return what must take the holder's own place where it can't be changed."""
    kind = type(holder)
    for base, change in _CHANGES:
        if issubclass(kind, base):
            return change(holder, replacement, journal)
    if not issubclass(kind, (FrameType, type, ModuleType)):
        _replace_attributes(holder, replacement, journal)
    return None


def _counterpart(value: Any, replacement: Replacement) -> Any:
    found = replacement.get(id(value))
    return _missing if found is None else found[1]


def _replace_in_dict(holder: dict[Any, Any], replacement: Replacement, journal: Journal) -> None:
    owner = _class_of(holder)
    for key, value in list(holder.items()):
        now = _counterpart(value, replacement)
        if now is not _missing:
            if owner is None:
                journal.set_item(holder, key, now)
            else:
                # Writing the dict itself would bypass the type's cache of methods.
                _set_class_attribute(owner, key, value, now, journal)
        new_key = _counterpart(key, replacement)
        if new_key is not _missing and owner is None:
            item = holder[key]
            journal.delete_item(holder, key)
            if new_key not in holder:
                journal.set_item(holder, new_key, item)


def _replace_in_list(holder: Any, replacement: Replacement, journal: Journal) -> None:
    """Replace items by index; where the new object is there already, it was registered again: the old one goes."""
    present = {id(item) for item in holder}
    for index in range(len(holder) - 1, -1, -1):
        value = holder[index]
        now = _counterpart(value, replacement)
        if now is _missing:
            continue
        if id(now) in present:
            del holder[index]
            journal.add(functools.partial(holder.insert, index, value))
        else:
            holder[index] = now
            journal.add(functools.partial(holder.__setitem__, index, value))


def _replace_in_set(holder: set[Any], replacement: Replacement, journal: Journal) -> None:
    for value in list(holder):
        now = _counterpart(value, replacement)
        if now is not _missing:
            holder.discard(value)
            holder.add(now)
            journal.add(functools.partial(holder.add, value))
            journal.add(functools.partial(holder.discard, now))


def _replace_in_cell(holder: CellType, replacement: Replacement, journal: Journal) -> None:
    before = holder.cell_contents
    now = _counterpart(before, replacement)
    if now is not _missing:
        holder.cell_contents = now
        journal.add(lambda: setattr(holder, "cell_contents", before))


def _replace_in_partial(holder: functools.partial[Any], replacement: Replacement, journal: Journal) -> None:
    # `__reduce__` and `__setstate__` are how a partial is copied and pickled: its whole state, to be read and set.
    before: Any = holder.__reduce__()[2]
    set_state: Callable[[Any], None] = getattr(holder, "__setstate__")  # noqa: B009 - typeshed doesn't know it
    function, args, keywords, attributes = before
    changed = tuple(_or_same(arg, replacement) for arg in args)
    set_state((_or_same(function, replacement), changed, keywords, attributes))
    journal.add(lambda: set_state(before))


def _replace_in_function(holder: FunctionType, replacement: Replacement, journal: Journal) -> None:
    """Replace a function's tuple of defaults; its other parts are holders of their own."""
    before = holder.__defaults__
    now = _counterpart(before, replacement)
    if now is not _missing:
        holder.__defaults__ = now
        journal.add(lambda: setattr(holder, "__defaults__", before))


def _rebuild_tuple(holder: tuple[Any, ...], replacement: Replacement, journal: Journal) -> Any:  # noqa: ARG001 - as all
    if type(holder) is not tuple:
        return None  # a named tuple is an instance: it moves to its new class
    made = tuple(_or_same(item, replacement) for item in holder)
    return made if any(now is not before for now, before in zip(made, holder, strict=True)) else None


def _rebuild_frozenset(holder: frozenset[Any], replacement: Replacement, journal: Journal) -> Any:  # noqa: ARG001
    return frozenset(_or_same(item, replacement) for item in holder) if type(holder) is frozenset else None


def _rebuild_method(holder: MethodType, replacement: Replacement, journal: Journal) -> Any:  # noqa: ARG001 - as all
    function = _counterpart(holder.__func__, replacement)
    target = _or_same(holder.__self__, replacement)
    if function is _missing and target is holder.__self__:
        return None
    return MethodType(holder.__func__ if not callable(function) else function, target)


_Change = Callable[[Any, Replacement, Journal], Any]
_CHANGES: tuple[tuple[type | tuple[type, ...], _Change], ...] = (
    (dict, _replace_in_dict),
    ((list, deque), _replace_in_list),
    (set, _replace_in_set),
    (CellType, _replace_in_cell),
    (functools.partial, _replace_in_partial),
    (FunctionType, _replace_in_function),
    (tuple, _rebuild_tuple),
    (frozenset, _rebuild_frozenset),
    (MethodType, _rebuild_method),
)


def _replace_attributes(holder: Any, replacement: Replacement, journal: Journal) -> None:
    """Replace the attributes of an instance: those in its dict, which may be inline, and those in slots."""
    try:
        attributes = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        attributes = None
    if type(attributes) is dict:
        for name, value in list(attributes.items()):
            now = _counterpart(value, replacement)
            if now is not _missing:
                journal.set_item(attributes, name, now)
    for slot in _slots_of(type(holder)):
        try:
            value = slot.__get__(holder, type(holder))
        except AttributeError:
            continue
        now = _counterpart(value, replacement)
        if now is not _missing:
            slot.__set__(holder, now)
            journal.add(functools.partial(slot.__set__, holder, value))


def _slots_of(kind: type) -> Iterator[Any]:
    for base in kind.__mro__:
        if base.__module__ != "builtins":
            yield from (part for part in vars(base).values() if type(part) is MemberDescriptorType)


def _class_of(holder: dict[Any, Any]) -> type | None:
    """Return the class whose namespace a dict is, if it is one."""
    marks = holder.get("__dict__"), holder.get("__weakref__")
    for mark in marks:
        if type(mark) is GetSetDescriptorType:
            return mark.__objclass__
    if "__module__" in holder and "__doc__" in holder:
        for owner in gc.get_referrers(holder):
            if isinstance(owner, type):
                return owner
    return None


def _set_class_attribute(owner: type, name: str, before: Any, now: Any, journal: Journal) -> None:
    try:
        type.__setattr__(owner, name, now)
    except TypeError:
        return  # a built-in class: its attributes can't be set
    journal.add(functools.partial(type.__setattr__, owner, name, before))


def _or_same(value: Any, replacement: Replacement) -> Any:
    now = _counterpart(value, replacement)
    return value if now is _missing else now
