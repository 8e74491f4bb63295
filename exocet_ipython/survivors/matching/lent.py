"""What a module only has from elsewhere: a logger, `sys.stdout`.

Where the module names another one in the next edit, the first goes on to be what it is for everybody else: its
references are not replaced.
"""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.collector import own_referents_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.holding.parts import parts_of
from exocet_ipython.reloading.holding.paths import value_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.arrays import is_array, items_of
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.counting import count_outside
from exocet_ipython.survivors.finding.freed import own_parts
from exocet_ipython.survivors.finding.patterns import cells_may_compile, pattern_caches, spaces_with_patterns

__all__ = ["Staying", "find_lent", "home_first", "is_foreign"]

_PLAIN = (CELLS, "builtins", "collections", "functools", "types", "typing")  # of the last, aliases
# What is its module's own as a class is, however many aliases `typing` remembers that have it; `type X = ...` is, too.
_NAMES = ("TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType")
_NAMED = frozenset(id(getattr(typing, name)) for name in _NAMES if hasattr(typing, name))
_MANY = 1_000


class Staying:
    """The ids of what modules that stay have, in their globals and in these; looked at when first asked for.

    These are the modules of the session, and those that the retiring ones import: looking at all that are loaded would
    take longer than a reload. What cells assigned there is no module's own, and the notebook's names aren't either.

    Attributes:
        made: dotted names of the modules that are new, in a retiring one's place or in none's.
        names: the notebook's namespace, and the records of what is put there: by these nobody else knows a value.

    Args:
        old: dotted name -> record of a module that retires.
        records: dotted name -> record of each module of the session that is current.
        made: those that are new.
    """

    def __init__(
        self,
        old: Mapping[str, ModuleRecord] = MappingProxyType({}),
        records: Mapping[str, ModuleRecord] = MappingProxyType({}),
        made: Collection[str] = (),
    ) -> None:
        self._old = old
        self.made = made
        self._records = records
        self._left: frozenset[Any] | None = None
        self._ids: frozenset[int] | None = None
        self._inner: dict[int, tuple[Any, Any]] = {}
        self.names: list[object] = []

    def __contains__(self, key: object) -> bool:
        if self._left is None:
            self._left = frozenset(self._left_by_bodies())
        if key not in self._left:
            return False
        if self._ids is None:  # hardly ever: it takes a look at what is there by now
            self._ids = frozenset(self._found())
        return key in self._ids or (key in self._inner and _is_as_it_was(*self._inner[key]))

    def _spaces(self) -> Iterator[tuple[dict[str, Any], ModuleRecord | None]]:
        """Yield the globals of the modules that stay, with the record of what a body has left there, if any."""
        needs = (name for record in self._old.values() for name in record.needs)
        for name in dict.fromkeys((*self._records, *needs)):
            module = PRESENCE.current(name)
            space = getattr(module, "__dict__", None)
            if name in self._old or name in self.made or name == CELLS or type(space) is not dict:
                continue
            record = self._records.get(name)
            yield space, record if record is not None and record.module is module else None

    def _left_by_bodies(self) -> set[Any]:
        """Return the ids of all that bodies have left, of which some may be gone, and others are there in its place.

        No value is looked at: most of what is asked for is none of these.
        """
        found: set[Any] = set()
        for space, record in self._spaces():
            if record is None:
                found.update(map(id, list(space.values())))
                continue
            found.update(record.values.values())
            for parts in record.contents.values():
                found.update(parts, parts.values())
        return found

    def _found(self) -> Iterator[int]:
        for space, record in self._spaces():
            assigned = {} if record is None else record.assigned()
            yield from (id(value) for key, value in copy_space(space).items() if key not in assigned)
            if record is not None:
                for path, parts in record.contents.items():  # members of an enumeration, entries of a table
                    entry = value_at(space, path), parts
                    self._inner |= dict.fromkeys((*parts, *parts.values()), entry)


def _is_as_it_was(container: Any, known: Mapping[Any, int]) -> bool:
    """Say whether a container or class has what it had: else what is in it may be a retiring module's registration."""
    return container is not None and parts_of(container) == {
        key: part for key, part in known.items() if type(key) is int or not is_dunder(key)
    }


def home_first(candidates: Sequence[tuple[ModuleRecord, str]]) -> int:
    """Return which of the names of one object is its own: in a module that imports none of the others.

    Args:
        candidates: the record of a module and the name there; of those of one module the first one counts.
    """
    names = {record.name for record, _ in candidates}
    if len(names) > 1:
        for index, (record, _) in enumerate(candidates):
            if not (names - {record.name}) & record.needs.keys():
                return index
    return 0


def is_foreign(value: Any, session: Container[str]) -> bool:
    """Say whether a value is an instance of a class that is neither the session's nor one of Python's plain ones.

    >>> import logging
    >>> is_foreign(logging.getLogger("app"), ()), is_foreign([1], ())
    (True, False)
    """
    kind = type(value)
    home = value.__module__ if id(kind) in _NAMED else module_said_by(kind)
    return not issubclass(kind, type) and home not in session and home not in _PLAIN


def find_lent(values: list[Any], modules: Iterable[ModuleType], names: Sequence[object]) -> frozenset[int]:
    """Return the ids of the values that somebody else knows too: not these modules, nor what only the values hold.

    Of that a thousand parts are looked at.

    Args:
        values: instances of libraries' classes.
        modules: what has them.
        names: what else refers to them and doesn't count.

    >>> import logging
    >>> mine, module = object(), ModuleType("module")
    >>> module.mine, module.log = mine, logging.getLogger("app")
    >>> del mine
    >>> find_lent([module.mine, module.log], [module], []) == {id(module.log)}
    True
    """
    spaces = [vars(module) for module in modules if hasattr(module, "__dict__")]
    homes = {space.get("__name__") for space in spaces}
    definitions = [part for space in spaces for part in list(space.values()) if is_definition(part)]
    definitions = [part for part in definitions if home_of(part) in homes]  # a library's class has its members
    known = set(map(id, values))
    parts = [
        part for part in own_parts(values, own_referents_of, (type, ModuleType), _MANY)[0] if id(part) not in known
    ]
    in_arrays = Counter(id(item) for space in spaces for item in _items_in(space))
    known_by_text = [] if cells_may_compile() else [*pattern_caches(), *spaces_with_patterns(values)]
    found = count_outside([*values, *definitions], [values, definitions, *spaces, *names, *parts, *known_by_text])
    # What an array holds the collector doesn't show.
    return frozenset(key for key, count in found.numbers.items() if not 0 < count <= in_arrays[key]) & known


def _items_in(space: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what is in the arrays of a module."""
    for value in copy_space(space).values():
        if is_array(type(value)):
            yield from items_of(value)
