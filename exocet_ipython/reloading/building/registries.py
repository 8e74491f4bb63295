"""Registries that a build fills: containers of modules that it imports and doesn't make anew.

A module that runs again adds its entries again: to a list twice, under a new name beside the old one. What is a class
or a function shows where it comes from, and its registry is made anew with it, or has the new one in its place; a name,
a number, a weak reference or a library's own record of it doesn't. So containers are looked at before and after a
build, and where one was given such entries, its module must be made anew as well; and where one has an entry whose name
an edit has taken out of the text.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from inspect import CO_OPTIMIZED
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.contents import ATOMS
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.paths import value_at
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Registries", "container_at", "containers_of"]

_MANY = 1_000
_KINDS = (dict, defaultdict, OrderedDict, list, set, deque)


class Registries:
    """The containers of living modules that a plan's modules import, as they are before a build.

    Args:
        plan: what is to be made anew.
        current: the generation whose other modules go on.
    """

    def __init__(self, plan: Plan, current: Generation) -> None:
        self._made = plan.names
        self._records = current.records
        self._imported = self._imported_by([current.records[name] for name in self._made if name in current.records])
        self._before: list[tuple[str, Any, Any]] = [
            (name, container, dict(container) if isinstance(container, dict) else list(container))
            for name in self._imported
            for _, container in containers_of(current.records[name])
        ]

    def filled(self, made: Iterable[ModuleRecord]) -> frozenset[str]:
        """Return the names of the modules whose containers have entries of what was made that don't tell it.

        Those that they were given now, and those of a name that only what was made had in its text, and has no more.

        Args:
            made: records of the modules that were made.
        """
        filled = {name for name, container, before in self._before if _was_filled(container, before, self._made)}
        entries = [(name, item) for name, _, before in self._before for item in before if type(item) is str]
        codes = {record.name: record.code for record in made}
        edited = [name for name in self._made & self._records.keys() if codes.get(name) is not self._records[name].code]
        dropped = self._names_in(edited).intersection(item for _, item in entries) if entries else frozenset()
        if dropped:  # hardly ever: what else names them is only looked at then
            dropped = dropped.difference(*map(_literals, codes.values()))
            filled |= {name for name, item in entries if item in dropped and item not in self._names_in((name,))}
        return frozenset(filled)

    def _names_in(self, modules: Iterable[str]) -> frozenset[str]:
        """Return the strings that the bodies of living modules name."""
        codes = (self._records[name].readable_code for name in modules if name in self._records)
        return frozenset[str]().union(*map(_literals, codes))

    def look_again(self, made: Iterable[ModuleRecord]) -> None:
        """Have the modules that may have been given something be asked anew what they hold.

        Args:
            made: records of the modules that were made.
        """
        for name, container, before in self._before:
            if not _has_still(container, before):
                self._records[name].look_again(_given(container, before))
        for name in self._imported_by(made) - self._imported:  # no earlier version of theirs could put anything there
            record = self._records[name]
            record.look_again({part: True for _, container in containers_of(record) for part in _given(container, ())})

    def _imported_by(self, records: Iterable[ModuleRecord]) -> set[str]:
        """Return the modules that go on and that others import, directly or through others."""
        known = self._records.keys() - self._made
        found: set[str] = set()
        waiting = list(records)
        while waiting:
            new = (waiting.pop().needs.keys() & known) - found
            waiting += [self._records[name] for name in new]
            found |= new
        return found

    def restore(self) -> None:
        """Put the containers back: what was built is dropped, and made together with their modules."""
        for _, container, before in self._before:
            if isinstance(container, dict):
                for key in container.keys() - before.keys():
                    del container[key]
                container.update(before)
            elif isinstance(container, set):
                container.intersection_update(before)
            else:
                while len(container) > len(before):
                    container.pop()


def containers_of(record: ModuleRecord) -> Iterator[tuple[str, Any]]:
    """Yield the containers that a module, its classes and its instances had when its body had run, and still have.

    Each with its path in the module.
    """
    for path in record.contents:
        if (container := container_at(record.module, path)) is not None:
            yield path, container


def container_at(module: ModuleType | None, path: str) -> Any:
    """Return the container that a path in a module leads to; None where there is none, or a very large one."""
    found = value_at(getattr(module, "__dict__", {}), path)
    return found if type(found) in _KINDS and len(found) <= _MANY else None


def _literals(code: CodeType | None) -> frozenset[str]:
    r"""Return the strings in the code of a body, and of the bodies of its classes; functions are not looked into.

    >>> sorted(_literals(compile("TABLE['a'] = f('b')\ndef g(): return 'c'", "m.py", "exec")))
    ['a', 'b']
    """
    if code is None:
        return frozenset()
    bodies = [const for const in code.co_consts if isinstance(const, CodeType) and not const.co_flags & CO_OPTIMIZED]
    parts = (part for const in code.co_consts for part in (const if type(const) is tuple else (const,)))
    return frozenset(part for part in parts if type(part) is str).union(*map(_literals, bodies))


def _given(container: Any, before: Any) -> dict[int, bool]:
    """Return the ids of what a container has gained, and whether it had nothing of that name before.

    >>> sum(_given({"a": len, "b": max}, {"a": len}).values()), sum(_given([max, min], [max, 1]).values())
    (1, 1)
    """
    known = {id(part): _trait(part) for part in _parts(before)}
    traits = set(known.values())
    return {id(part): _trait(part) not in traits for part in _parts(container) if id(part) not in known}


def _parts(container: Any) -> Iterable[Any]:
    """Return the items of a container, the keys and values of a dict."""
    return [*container, *container.values()] if isinstance(container, dict) else container


def _has_still(container: Any, before: Any) -> bool:
    """Say whether a container has the very entries that it had."""
    if isinstance(container, dict):
        return list(map(id, container.values())) == list(map(id, before.values()))
    return list(map(id, container)) == list(map(id, before))


def _was_filled(container: Any, before: Any, made: Collection[str]) -> bool:
    """Say whether a container has gained what it had before in another form, as far as one can tell.

    Args:
        container: as it is now.
        before: what was in it before the build.
        made: dotted names of the modules that were made anew.
    """
    if isinstance(container, dict):
        gained = [container[key] for key in container.keys() - before.keys()]
        known = list(before.values())
    elif isinstance(container, set):
        gained, known = list(container.difference(before)), before
    else:
        gained, known = list(container)[len(before) :], before
    if any(type(item) in ATOMS for item in gained):
        return True
    traits = {_trait(item) for item in known} if gained else set()
    is_map = isinstance(container, dict)
    return any(_trait(item) in traits for item in gained if is_map or _definition(item).__module__ not in made)


def _definition(item: Any) -> Any:
    """Return the function or class that an item is, or is a method of, or the class of an instance."""
    found = item.__func__ if type(item) is MethodType else item
    return found if issubclass(type(found), (type, FunctionType)) else type(found)


def _trait(item: Any) -> tuple[str, str]:
    """Return what tells an item that was registered again: the dotted name of what it is, or is an instance of."""
    definition = _definition(item)
    return definition.__module__, definition.__qualname__
