"""Paths into what a module holds, as its baseline writes them: `CONFIG['db']`, `Plugin.registry`, `signal.__self__`."""

from __future__ import annotations

import ast
import functools
import re
from collections import deque
from collections.abc import Iterable
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

from exocet_ipython.reloading.holding.contents import dict_of, is_registry, state_of, unbound
from exocet_ipython.reloading.holding.entries import values_by_place
from exocet_ipython.reloading.holding.slots import with_slots

__all__ = [
    "attribute_at",
    "last_name_of",
    "maker_at",
    "owner_of",
    "parent_of",
    "path_behind",
    "split_entry",
    "value_at",
    "values_at",
]

_NESTING = (dict, list, tuple, deque)
# One step: an attribute, or a key in brackets; a string may have brackets of its own.
_STEP = re.compile(r"""\.(\w+)|(\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^]])*])""")

_Step = tuple[str, str | None, Any]


def value_at(space: dict[str, Any], path: str) -> Any:
    """Return what a path leads to in a module's globals; None where there is nothing.

    >>> value_at({"CONFIG": {"a.b": [{}, {1}]}}, "CONFIG['a.b'][1]")
    {1}
    """
    if (found := space.get(path)) is not None:  # most paths are a name
        return found
    before, step = _split(path)
    return None if step is None else _follow(value_at(space, before), step)


def values_at(space: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return what paths lead to in a module's globals, by path, and what is on the way; but for what is not there.

    >>> values_at({"CONFIG": {"db": [{}]}}, ["CONFIG['db'][0]", "CONFIG['web']"])
    {'CONFIG': {'db': [{}]}, "CONFIG['db']": [{}], "CONFIG['db'][0]": {}}
    """
    known: dict[str, Any] = {}
    places: dict[str, dict[str, Any]] = {}
    for path in paths:
        _find(space, path, known, places)
    return {path: value for path, value in known.items() if value is not None}


def _find(space: dict[str, Any], path: str, known: dict[str, Any], places: dict[str, dict[str, Any]]) -> Any:
    """Return what a path leads to, and note it; no function in a function, which would hold it all in a circle."""
    if path not in known:
        before, step = _split(path)
        if step is None:
            known[path] = space.get(path)
        else:
            holder = _find(space, before, known, places)
            if step[2] is None and step[1] is not None and issubclass(type(holder), dict):
                if before not in places:
                    places[before] = values_by_place(holder)
                known[path] = places[before].get(step[1])
            else:
                known[path] = _follow(holder, step)
    return known[path]


def parent_of(path: str) -> tuple[str, bool]:
    """Return a path without its last step, and whether that is an entry of a container; of a global it is itself.

    >>> parent_of("CONFIG['a.b']"), parent_of("CONFIG.items"), parent_of("CONFIG")
    (('CONFIG', True), ('CONFIG', False), ('CONFIG', False))
    """
    before, step = _split(path)
    return before, step is not None and step[1] is not None


def _follow(value: Any, step: _Step) -> Any:
    """Return what is one step from a value; None where there is nothing."""
    name, place, key = step
    value = unbound(value)
    kind = type(value)
    if place is not None:
        return _entry_at(value, place, key) if issubclass(kind, _NESTING) else None
    if kind is MethodType:
        return value.__self__ if name == "__self__" else None
    if kind is FunctionType:
        return dict(state_of(value)).get(name)
    if issubclass(kind, type):
        return type.__getattribute__(value, "__dict__").get(name)
    attributes = dict_of(value)
    if name == "__dict__" and is_registry(value):  # as the baseline writes it of a container
        return attributes
    return (with_slots(value, attributes) or {}).get(name)


@functools.lru_cache(1 << 17)
def _split(path: str) -> tuple[str, _Step | None]:
    """Return a path without its last step, and that: an attribute's name, or a place, and the key that it shows."""
    last = deque(_STEP.finditer(path, len(owner_of(path))), 1)
    if not last:
        return path, None
    name, place = last[0].groups()
    return path[: last[0].start()], (name, place, place and _literal(place[1:-1]))


def _literal(text: str) -> Any:
    """Return the value that a text writes; None where it writes none: of a class it is the name."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return None


def _entry_at(container: Any, place: str, key: Any) -> Any:
    """Return what a container has at a place; None where there is nothing."""
    if not issubclass(type(container), dict):
        return container[key] if type(key) is int and key < len(container) else None
    if key is not None:
        return dict.get(container, key)  # a subclass may make an entry of what it is asked for
    return values_by_place(container).get(place)


def attribute_at(owner: Any, path: str) -> Any:
    """Return what a module or a class itself has under a dotted path; None where there is nothing.

    The owner itself where the path is empty. What a `__getattr__` gives, or a class inherits, is not there.

    >>> import json
    >>> attribute_at(json, "JSONDecoder.decode").__name__, attribute_at(json, "JSONDecoder.mro"), attribute_at(None, "")
    ('decode', None, None)
    """
    for name in path.split(".") if path else ():
        space = getattr(owner, "__dict__", None)  # of a library in C it may be whatever that makes of any name
        owner = space.get(name) if isinstance(space, (dict, MappingProxyType)) else None
    return owner


def maker_at(owner: Any, path: str) -> Any:
    """Return the function on a dotted path; of one that another one makes, that: its code has all of it.

    >>> from types import SimpleNamespace
    >>> space = SimpleNamespace(owner_of=owner_of)
    >>> maker_at(space, "owner_of.inner") is owner_of, maker_at(space, "other")
    (True, None)
    """
    names = path.split(".")
    ends = (end for end in range(1, len(names)) if type(attribute_at(owner, ".".join(names[:end]))) is FunctionType)
    return attribute_at(owner, ".".join(names[: next(ends, len(names))]))


def owner_of(path: str) -> str:
    """Return the name of the global that a path begins with.

    >>> owner_of("CONFIG['a.b'].items")
    'CONFIG'
    """
    return path.partition(".")[0].partition("[")[0]


def last_name_of(path: str) -> str:
    """Return the last name on a path, by which code that is led to it names what it leads to.

    >>> last_name_of("CONFIG['a.b'].items[0]"), last_name_of("CONFIG['a.b']")
    ('items', 'CONFIG')
    """
    attributes = [name for name, _ in _STEP.findall(path) if name]
    return attributes[-1] if attributes else owner_of(path)


def split_entry(path: str) -> tuple[str, Any] | None:
    """Return the path of a container and the key of the entry that a path leads to; None where it leads to no entry.

    >>> split_entry("SESSION.headers['key']"), split_entry("SESSION.headers")
    (('SESSION.headers', 'key'), None)
    """
    before, step = _split(path)
    return None if step is None or step[2] is None else (before, step[2])


def path_behind(space: dict[str, Any], method: MethodType) -> str:
    """Return the path of what a module's bound method is bound to: its own name, or that of the first such method.

    >>> class Bell:
    ...     def ring(self): pass
    >>> bell = Bell()
    >>> path_behind({"ring": bell.ring}, bell.ring), path_behind({"ring": bell.ring, "bell": bell}, bell.ring)
    ('ring.__self__', 'bell')
    """
    target = method.__self__
    names = [name for name, value in space.items() if value is target]
    methods = (name for name, value in space.items() if type(value) is MethodType and value.__self__ is target)
    return names[0] if names else f"{next(methods)}.__self__"
