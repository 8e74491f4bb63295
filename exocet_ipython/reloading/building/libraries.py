"""What own modules have put into the registries of libraries that take nothing twice.

`Duplicated timeseries in CollectorRegistry` is what a library says of a module that runs again and registers again.
After a restart the registry would be empty. So what retires is taken out of the containers of the library that refuses
it, for one more attempt, and put back if that fails as well. What failed attempts have left there goes for good.
A library that keeps copies, or something of its own, has nothing of the module: there go also the names that the text
of what retires says, out of the dict that has the one which was to be registered when the error was raised.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from traceback import walk_tb
from types import FrameType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.building.registries import CONTAINERS, has_still, literals_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, WEAK_IDS, dict_of, refill
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["TakenOut", "take_out"]

_DEEP = 4  # steps from a global of a library to a container: an instance, its dict of dicts, the inner dict
_MANY = 50_000  # parts of a library that are looked at
# What imports modules, and the shell: it keeps what the person has made.
_LEFT_ALONE = ("exocet_ipython", "importlib", "_frozen_importlib", "_frozen_importlib_external", "IPython", "ipykernel")


@dataclass(frozen=True, slots=True)
class _Names:
    """Names under which a library may have something.

    Attributes:
        at_hand: the strings that its functions had in their variables when they raised an error.
        in_text: those in the bodies of the modules that retire.
    """

    at_hand: frozenset[str]
    in_text: frozenset[str]

    def taken_out_of(self, content: Any) -> Any:
        """Return the content of a container, without these names from the first on that was at hand.

        What was there before is the library's own: a text names some of that as well.

        >>> names = _Names(frozenset(["brand"]), frozenset(["gray", "brand", "accent"]))
        >>> names.taken_out_of({"gray": 0, "brand": 1, "other": 2, "accent": 3})
        {'gray': 0, 'other': 2}
        """
        if not isinstance(content, dict):
            return content
        keys = list(content)
        start = next((place for place, key in enumerate(keys) if type(key) is str and key in self.at_hand), len(keys))
        gone = {key for key in keys[start:] if type(key) is str and key in self.in_text}
        return {key: value for key, value in content.items() if key not in gone}


class TakenOut:
    """Entries that were taken out of a library's containers.

    >>> registry = {"hits": len, "own": abs}
    >>> taken = TakenOut([registry], frozenset([id(len)]), frozenset())
    >>> registry
    {'own': <built-in function abs>}
    >>> taken.put_back()
    >>> registry
    {'hits': <built-in function len>, 'own': <built-in function abs>}

    Args:
        containers: where to look.
        retiring: the ids of what is put back when the attempt fails.
        failed: the ids of what goes for good.
        names: those that may be taken, which are put back as well.
    """

    def __init__(
        self, containers: Iterable[Any], retiring: frozenset[int], failed: frozenset[int], names: _Names | None = None
    ) -> None:
        self._before: list[tuple[Any, Any]] = []
        self._is_any = False
        for container in containers:
            left = _without(container, failed)
            kept = _without(left, retiring)
            kept = kept if names is None else names.taken_out_of(kept)
            is_less = len(kept) < len(container)
            # What a library has under a name may be in several places, of which one tells that the name is taken.
            if is_less or names is not None:
                self._before.append((container, left))
            if is_less:
                self._is_any = True
                _refill(container, kept)

    def __bool__(self) -> bool:
        return self._is_any

    def put_back(self) -> None:
        """Give the containers back what was there, and nothing that was put there since."""
        for container, content in self._before:
            if not has_still(container, content):
                _refill(container, content)


def take_out(
    errors: Collection[BaseException], names: Collection[str], current: Mapping[str, ModuleRecord]
) -> TakenOut:
    """Take out of the libraries that have raised these errors what modules have registered there that are made anew.

    Args:
        errors: of the attempts to make them.
        names: their dotted names.
        current: dotted name -> record of each module that is current.
    """
    frames = [frame for error in errors for frame, _ in walk_tb(error.__traceback__)]
    bodies = [frame.f_globals for frame in frames if frame.f_code.co_name == "<module>"]
    roots = {_root(str(frame.f_globals.get("__name__"))) for frame in frames}
    roots -= {_root(name) for name in (*current, *names, *_LEFT_ALONE)}
    libraries = [module for name, module in list(sys.modules.items()) if _root(name) in roots]
    staying = [record.module for name, record in current.items() if name not in names]
    shared = {id(value) for module in (*libraries, *staying) for value in copy_space(globals_of(module)).values()}
    retiring = {name: globals_of(record.module) for name, record in current.items() if name in names}
    failed = [space for space in bodies if space.get("__name__") in names]
    old = frozenset(_registrable(retiring.values(), roots)) - shared
    new = frozenset(_registrable(failed, roots)) - shared - old
    said = _Names(_names_at_hand(frames, roots), _names_in(current, names))
    is_named = not said.at_hand.isdisjoint(said.in_text)
    containers = list(_containers(libraries, roots)) if old or new or is_named else ()
    return TakenOut(containers, old, new, said if is_named else None)


def _names_at_hand(frames: Iterable[FrameType], roots: Collection[str]) -> frozenset[str]:
    """Return the strings that functions of libraries had in their variables when they raised an error."""
    spaces = [frame.f_locals for frame in frames if _root(str(frame.f_globals.get("__name__"))) in roots]
    return frozenset(value for space in spaces for value in space.values() if type(value) is str)


def _names_in(current: Mapping[str, ModuleRecord], names: Iterable[str]) -> frozenset[str]:
    """Return the strings in the bodies of modules that are current."""
    return frozenset[str]().union(*(literals_of(current[name].readable_code) for name in names if name in current))


def _registrable(spaces: Iterable[dict[str, Any]], roots: Collection[str]) -> Iterator[int]:
    """Yield the ids of what modules and their classes have of their own, or have made of a library's classes.

    The id of a module's dict stands for its functions.
    """
    for space in spaces:
        yield id(space)
        home = space.get("__name__")
        values = [value for name, value in copy_space(space).items() if not is_dunder(name)]
        classes = [value for value in values if issubclass(type(value), type) and home_of(value) == home]
        yield from map(id, classes)
        for value in [*values, *(part for cls in classes for part in copy_space(vars(cls)).values())]:
            kind = type(value)
            is_instance = (
                id(kind) not in ATOM_IDS and id(kind) not in CONTAINERS and not issubclass(kind, (type, ModuleType))
            )
            if is_instance and (home_of(kind) == home or _root(home_of(kind)) in roots):
                yield id(value)


def _containers(libraries: Iterable[ModuleType], roots: Collection[str]) -> Iterator[Any]:
    """Yield the containers that libraries have in globals, classes and instances of theirs, and in one another."""
    seen: set[int] = set()
    layer = [value for module in libraries for value in copy_space(globals_of(module)).values()]
    for _ in range(_DEEP):
        inner: list[Any] = []
        for value in layer:
            if id(value) in seen or len(seen) > _MANY:
                continue
            seen.add(id(value))
            kind = type(value)
            if kind is dict and "__builtins__" in value:
                continue  # globals, that somebody's code runs in
            if id(kind) in CONTAINERS or (issubclass(kind, dict) and _root(home_of(kind)) in roots):
                yield value
                inner += [part for part in _values(value) if id(type(part)) not in ATOM_IDS]
            elif id(kind) in WEAK_IDS:
                inner += (dict_of(value) or {}).values()  # references are in one of Python's own
            elif issubclass(kind, type):
                inner += copy_space(vars(value)).values() if _root(home_of(value)) in roots else ()
            elif _root(home_of(kind)) in roots:
                inner += (dict_of(value) or {}).values()
        layer = inner


def _refill(container: Any, content: Any) -> None:
    if id(type(container)) in CONTAINERS:
        refill(container, content)
        return
    for key in container.keys() - content.keys():
        dict.__delitem__(container, key)  # a library's own kind of dict may refuse this to all but itself
    if list(container) != list(content):
        dict.clear(container)
    dict.update(container, content)


def _root(name: str) -> str:
    return name.partition(".")[0]


def _values(container: Any) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else list(container)


def _without(container: Any, ids: frozenset[int]) -> Any:
    """Return the content of a container but for the entries that are, or have in a tuple or list, one of these."""
    if isinstance(container, dict):
        return {key: value for key, value in container.items() if not (_has(key, ids) or _has(value, ids))}
    return [item for item in container if not _has(item, ids)]


def _has(item: Any, ids: frozenset[int]) -> bool:
    parts: Any = item if type(item) is tuple or type(item) is list else (item,)
    parts = (part() if issubclass(type(part), weakref.ref) else part for part in parts)
    return any(id(part) in ids or (type(part) is FunctionType and id(part.__globals__) in ids) for part in parts)
