"""Objects of libraries that call the person's functions: an application with its routes, a dispatcher.

What such an object notes of itself when it is used, that it has begun to serve or what it has put together of its
handlers, is no work of a person's: it is what a new one would note as well.
"""

from __future__ import annotations

import enum
import os
import sys
from collections import deque
from collections.abc import Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from exocet_ipython.loading.classes import defines, first_named, library_of, module_said_by, mro_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, attributes_of, cell_values, dict_of, fingerprint
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import is_own_folder

__all__ = ["is_as_made"]

_MANY = 2_000  # objects that are looked at; what has more in it is kept for its person
_LARGE = 100_000  # parts of a description


def is_as_made(record: ModuleRecord, path: str, value: Any) -> bool:
    """Say whether an instance or container, known by its fingerprint, is what the body of its module left.

    Args:
        record: of the module.
        path: where in the module it was.
        value: what it is.
    """
    if fingerprint(value) == record.fingerprints[path]:
        return True
    return _is_only_used(value, record.contents.get(path, {}))


def _is_only_used(value: Any, baseline: Mapping[Any, int]) -> bool:
    """Say whether an instance of a library's class has only noted its use, as a client that has connected does.

    That is in private attributes, and in answers that it keeps; where it calls functions of the person's, it has also
    put these together. What a model has learnt, libraries show in public ones.
    """
    if not baseline or not _is_of_library(type(value)):
        return False
    changed = [
        (name, part)
        for name, part in attributes_of(value)
        if baseline.get(name) != id(part) and not _is_kept_answer(type(value), name)
    ]
    library, was_none = library_of(type(value)), {name for name, was in baseline.items() if was == id(None)}
    if all(
        name[0] == "_" and (_is_data(part, library) or (name in was_none and library_of(type(part)) == library))
        for name, part in changed
    ):
        return True
    return _calls_own(value) and all(
        id(type(part)) in ATOM_IDS
        or _calls_own(part)
        or (name[0] == "_" and _is_data(part, library))
        or (name in was_none and _is_data(part))
        for name, part in changed
    )


def _is_kept_answer(kind: type, name: str) -> bool:
    """Say whether an attribute is what a descriptor of a class has put there when it was first asked for.

    >>> from functools import cached_property
    >>> class Client: chat = cached_property(len)
    >>> _is_kept_answer(Client, "chat"), _is_kept_answer(Client, "url")
    (True, False)
    """
    found = type(first_named(name, mro_of(kind)))
    return found is not FunctionType and defines(found, "__get__") and not defines(found, "__set__")


def _is_data(value: Any, library: str | None = None) -> bool:
    """Say whether a value is plain data all the way down: a description that was made when somebody asked for it.

    Args:
        value: what it is.
        library: the package whose own instances count as well, with its classes and functions: what an application
            has under a private name, such as the option that shows its help, was made by nobody else.

    >>> _is_data({"paths": ["/a", "/b"]}), _is_data([object()])
    (True, False)
    """
    waiting, seen = [value], dict[int, Any]()
    while waiting and len(seen) < _LARGE:
        part = waiting.pop()
        kind = type(part)
        if id(kind) in ATOM_IDS or id(part) in seen:
            continue
        seen[id(part)] = part
        if kind is dict or (issubclass(kind, dict) and library_of(kind) == library):
            waiting += [*dict.keys(part), *dict.values(part)]
        elif kind is list or kind is tuple:
            waiting += part
        elif library is None:
            return False
        elif kind is FunctionType or issubclass(kind, (type, enum.Enum)):
            if home_of(part).partition(".")[0] != library:
                return False
        elif library_of(kind) == library and dict_of(part) is not None:
            waiting += [held for _, held in attributes_of(part)]
        else:
            return False
    return not waiting


def _is_of_library(kind: Any) -> bool:
    file = getattr(sys.modules.get(module_said_by(kind)), "__file__", None)
    return file is not None and not is_own_folder(os.path.dirname(file))


def _calls_own(value: Any) -> bool:
    """Say whether an object has a function of the person's in it, however deep."""
    seen: dict[int, Any] = {id(value): value}
    waiting = deque([value])
    while waiting and len(seen) < _MANY:
        thing = waiting.popleft()
        if type(thing) is FunctionType and is_own_folder(os.path.dirname(thing.__code__.co_filename)):
            return True
        for part in _parts(thing):
            if id(part) not in seen and id(type(part)) not in ATOM_IDS:
                seen[id(part)] = part
                waiting.append(part)
    return False


def _parts(thing: Any) -> list[Any]:
    kind = type(thing)
    if issubclass(kind, dict):
        return list(dict.values(thing))
    if issubclass(kind, (list, tuple, set, frozenset, deque)):
        return list(thing)
    if kind is FunctionType:  # a library's decorator made it of one of the person's, perhaps
        return cell_values(thing)
    if kind is MethodType:
        return [thing.__func__, thing.__self__]
    if kind is partial:
        return [thing.func, *thing.args]
    return [] if issubclass(kind, type) else [part for _, part in attributes_of(thing)]
