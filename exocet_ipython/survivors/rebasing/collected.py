"""What a metaclass or a hook has collected in a cell's class of what its bases had: fields, their names, hooks.

`Form.declared_fields` of Django, `Schema._declared_fields` of marshmallow, `Model._fields` of one's own: a restart runs
the cell's `class` statement, which collects what the bases have now. Here each such container is merged of three: what
the bases had, what they have, and what the class has, whose own part is the difference (the three-way merge of version
control). That a container is collected shows in it: it has all that those of the bases had. Where these were empty,
other classes show it, or the text of the metaclass or the hook.
"""

from __future__ import annotations

import dis
import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import CodeType, MethodType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of, set_attribute
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.rebasing.statements import names_said
from exocet_ipython.survivors.rebasing.told import hooked
from exocet_ipython.survivors.rebuilt import Replacement, or_same
from exocet_ipython.survivors.repeating.entries import emptied

__all__ = ["collect_again"]

_MAPPINGS = (dict, OrderedDict, defaultdict)
_SEQUENCES = (list, tuple)
_SETS = (set, frozenset)
_KINDS = {*_MAPPINGS, *_SEQUENCES, *_SETS}
_PLAIN = {str, bytes, int, float, complex, bool, type(None), *_KINDS}


def collect_again(
    classes: Collection[type], retired: Mapping[int, type], replaced: Replacement
) -> Iterator[tuple[type, Callable[[type], None]]]:
    """Yield classes of cells, each with what gives it its containers as its statement would fill them now.

    One comes after its bases, and is found out about when these have theirs.

    Args:
        classes: those whose bases are others now.
        retired: id of a class that is current -> the one whose place it took.
        replaced: what has taken the place of others already.

    >>> class Before: fields = {"id": int}
    >>> class Now: fields = {"id": int, "name": str}
    >>> class Mine(Now): pass
    >>> Mine.fields = {"id": int, "mail": str}  # as its metaclass has collected them, before its base was replaced
    >>> [change(cls) for cls, change in collect_again([Mine], {id(Now): Before}, {})]
    [None]
    >>> list(Mine.fields)
    ['id', 'name', 'mail']
    """
    collected = _Collected(classes, retired, replaced)
    for cls in sorted(classes, key=lambda cls: len(mro_of(cls))):
        if (change := collected.find(cls)) is not None:
            yield cls, change


class _Collected:
    """What classes of cells have collected of what their bases had."""

    def __init__(self, classes: Iterable[type], retired: Mapping[int, type], replaced: Replacement) -> None:
        self._classes = set(map(id, classes))
        self._retired = retired
        self._replaced = replaced
        self._before: dict[int, dict[str, Any]] = {}  # id of a class of a cell -> the containers that it had

    def find(self, cls: type) -> Callable[[type], None] | None:
        """Return what gives a class its containers as its statement would fill them now; None where they are right.

        Args:
            cls: the class, with the bases of now; what it has is noted for those that derive from it.
        """
        space = copy_space(vars(cls))
        had = {name: value for name, value in space.items() if type(value) in _KINDS and not is_dunder(name)}
        self._before[id(cls)] = had
        pairs = {name: self._of_bases(cls, name) for name in had}
        news = {name: pair for name, pair in pairs.items() if not all(map(_is_equal, *pair))}
        if not news:
            return None
        said = names_said(cls)
        merged: dict[int, Any] = {}  # by the id of what a class may have under two names
        for name, (olds, nows) in news.items():
            mine = had[name]
            if name in (said or ()) or not (any(olds) or (said is not None and self._is_collected(cls, name))):
                continue
            found = self._merged(mine, olds, nows)
            if found is not None and not _is_equal(found, mine):
                merged[id(mine)] = found
        named = {name: merged[id(value)] for name, value in had.items() if id(value) in merged}
        return functools.partial(_assign, values=named) if named else None

    def _of_bases(self, cls: type, name: str) -> tuple[list[Any], list[Any]]:
        """Return the containers of a name that the bases of a class had, and those that they have."""
        olds, nows = [], []
        for base in cls.__bases__:
            old, now = self._before_of(base, name), first_named(name, mro_of(base))
            if type(old) in _KINDS and type(now) in _KINDS:
                olds.append(old)
                nows.append(now)
        return olds, nows

    def _before_of(self, base: type, name: str) -> Any:
        for cls in mro_of(base):
            space = self._before.get(id(cls)) or vars(self._retired.get(id(cls), cls))
            if name in space:
                return space[name]
        return None

    def _is_collected(self, cls: type, name: str) -> bool:
        """Say whether classes collect what their bases have under a name, as others show, or else the text."""
        top = [base for base in mro_of(cls) if name in vars(base)][-1]
        shown = {
            self._merged(mine, [theirs], [theirs]) is not None
            for other in with_subclasses([top])
            if id(other) not in self._classes and type(mine := vars(other).get(name)) in _KINDS
            for base in other.__bases__
            if (theirs := first_named(name, mro_of(base))) and type(theirs) is type(mine) and theirs is not mine
        }
        return shown == {True} or (not shown and _is_read(cls, name))

    def _merged(self, mine: Any, olds: Iterable[Any], nows: Iterable[Any]) -> Any:
        """Return a container of one's own with what others have now; None where it lacks what these had."""
        kind = type(mine)
        if any(type(one) is not kind for one in (*olds, *nows)):
            return None
        if kind in _MAPPINGS:
            return self._merged_mapping(mine, _united(olds), _united(nows))
        if kind in _SETS:
            old, now = set().union(*olds), set().union(*nows)
            theirs = {or_same(item, self._replaced) for item in old} | old
            return (
                kind((mine - theirs) | now)
                if all(mine & {item, or_same(item, self._replaced)} for item in old)
                else None
            )
        return self._merged_sequence(mine, _joined(olds), _joined(nows))

    def _merged_mapping(self, mine: dict[Any, Any], old: dict[Any, Any], now: dict[Any, Any]) -> dict[Any, Any] | None:
        if not old.keys() <= mine.keys():
            return None
        theirs: dict[Any, Any] = {}
        for key, value in now.items():
            is_theirs = key not in mine or (key in old and self._is_same(old[key], mine[key]))
            # Who asks a `defaultdict` puts an empty container there.
            before = old[key] if key in old else _empty(value) if type(mine) is defaultdict else None
            theirs[key] = value if is_theirs else self._inner(mine[key], before, value)
        own = {
            key: self._inner(value, old[key], _empty(value)) if key in old else value
            for key, value in mine.items()
            if key not in theirs and not (key in old and self._is_same(old[key], value))
        }
        merged: dict[Any, Any] = emptied(mine)
        is_first = bool(old) and next(iter(mine)) in own
        for part in (own, theirs) if is_first else (theirs, own):
            merged.update(part)
        return merged

    def _inner(self, mine: Any, old: Any, now: Any) -> Any:
        """Return a value of one's own for a key that others have too: containers are merged as well."""
        if type(mine) not in _KINDS or type(old) is not type(mine):
            return mine
        found = self._merged(mine, [old], [now])
        return mine if found is None else found

    def _merged_sequence(self, mine: Any, old: list[Any], now: list[Any]) -> Any:
        places: list[int] = []
        for item in old:
            start = places[-1] + 1 if places else 0
            place = next((place for place in range(start, len(mine)) if self._is_same(item, mine[place])), None)
            if place is None:
                return None
            places.append(place)
        own = [item for place, item in enumerate(mine) if place not in places and not _is_among(item, now)]
        is_first = bool(own) and bool(places) and places[-1] == len(mine) - 1
        return type(mine)([*own, *now] if is_first else [*now, *own])

    def _is_same(self, old: Any, mine: Any) -> bool:
        if type(old) is type(mine) is MethodType:
            return old.__func__ is mine.__func__ and self._is_same(old.__self__, mine.__self__)
        return or_same(old, self._replaced) is mine or _is_equal(old, mine)


def _empty(value: Any) -> Any:
    return type(value)() if type(value) in _KINDS else None


def _assign(cls: type, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        set_attribute(cls, name, value)


def _is_read(cls: type, name: str) -> bool:
    """Say whether the functions of a metaclass, or of a base that is told of its subclasses, read the name."""
    tellers = (*(base for base in mro_of(type(cls)) if base is not type), *hooked(cls.__bases__))
    codes = [function.__code__ for teller in tellers for function in functions_of(teller)]
    return any(_reads(code, name) for code in codes)


def _reads(code: CodeType, name: str) -> bool:
    loaded = (part.argval for part in dis.get_instructions(code) if part.opname in ("LOAD_ATTR", "LOAD_METHOD"))
    return name in code.co_consts or name in loaded or any(_reads(part, name) for part in nested(code))


def _united(mappings: Iterable[Mapping[Any, Any]]) -> dict[Any, Any]:
    return {key: value for mapping in mappings for key, value in mapping.items()}


def _joined(sequences: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the items of all, each once: bases may have collected those of the same one."""
    found: list[Any] = []
    for sequence in sequences:
        known = list(found)
        found += [item for item in sequence if not _is_among(item, known)]
    return found


def _is_among(item: Any, items: Collection[Any]) -> bool:
    return any(_is_equal(item, one) for one in items)


def _is_equal(one: Any, other: Any) -> bool:
    """Say whether two values of Python's own types are equal, and of one order; nobody else's is asked."""
    kind = type(one)
    if one is other or kind is not type(other) or kind not in _PLAIN:
        return one is other
    if kind in _SETS or kind not in _KINDS:
        return bool(one == other)
    parts = [list(part.items() if kind in _MAPPINGS else part) for part in (one, other)]
    return len(parts[0]) == len(parts[1]) and all(map(_is_equal, *parts))
