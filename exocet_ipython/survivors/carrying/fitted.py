"""Objects of libraries that cells have had changed: a model that was fitted, layers and tensors that were trained.

The library does it, and its code stays what it is: to a new object that has begun as the old one did, it would do the
same. So that one is given the state of the old one, where that is nothing but data.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import library_of, module_said_by, mro_of, shows_its_state
from exocet_ipython.reloading.holding.contents import ATOM_IDS, dict_of, refill
from exocet_ipython.reloading.holding.entries import place_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.holding.items import items_of, values_of
from exocet_ipython.reloading.holding.marks import is_marked, mark_of
from exocet_ipython.reloading.holding.slots import has_slots
from exocet_ipython.reloading.journal import Journal

__all__ = ["Beginning", "hand_over", "is_of_library", "is_tensor"]

_MANY = 20_000  # parts that are looked at
_LISTS = frozenset(map(id, (list, tuple, deque)))
_DICTS = frozenset(map(id, (dict, OrderedDict, defaultdict)))
_DEFINITIONS = (type, FunctionType, MethodType, ModuleType)
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)


class _UnlikeError(Exception):
    """The new object has begun otherwise, or what the old one holds is more than data."""


def is_of_library(value: Any, session: Collection[str]) -> bool:
    """Say whether a value is an instance with attributes of a library's class; a map of its own is none.

    >>> is_of_library([], ()), is_of_library(OrderedDict(), ())
    (False, False)
    """
    kind = type(value)
    if home_of(value) in session or home_of(value) == CELLS or not shows_its_state(kind):
        return False
    has_attributes = dict_of(value) is not None or has_slots(kind)
    return has_attributes and not issubclass(kind, _DEFINITIONS)


def hand_over(before: Any, now: Any, beginning: Beginning, session: Collection[str], journal: Journal) -> bool:
    """Give a library's object the state that another one of its class has got since; say whether it has it.

    Args:
        before: the object of the retired module.
        now: that of the new one.
        beginning: what the first was when its module's body had run.
        session: the names of the modules whose classes and functions are no library's.
        journal: how it is taken back.
    """
    try:
        beginning.compare(before, now)
        if not beginning.has_changed:
            return False
        _require_data(before, session)
        if is_tensor(now):
            journal.add(partial(setattr, now, "data", now.detach().clone()))
            now.detach().copy_(before)  # which counts as written
            return True
    except Exception:  # noqa: BLE001 - it is unlike, or the library refuses: it stays as its module has made it
        return False
    _merge(before, now, journal, set())
    return True


def is_tensor(value: Any) -> bool:
    """Say whether a value is a tensor, which counts how often it was written.

    >>> is_tensor([])
    False
    """
    return any(base.__qualname__ == "Tensor" and module_said_by(base) == "torch" for base in mro_of(type(value)))


class Beginning:
    """What an object was when its module's body had run, as far as that is known.

    Args:
        path: where in the module it is.
        contents: of the module's baseline; see `Baseline`.
        answers: says whether methods of classes of some modules answer from what they have put where a path leads.
    """

    def __init__(
        self,
        path: str,
        contents: Mapping[str, Mapping[Any, int]],
        answers: Callable[[tuple[str, ...], str], bool],
    ) -> None:
        self._path = path
        self._contents = contents
        self._answers = answers
        self._homes: dict[str, None] = {}
        self._seen: set[int] = set()
        self.has_changed = False

    def compare(self, before: Any, now: Any) -> None:
        """Compare a new object with it, and note whether the old one has changed since.

        Raises:
            _UnlikeError: the new one has begun otherwise.
        """
        self._compare(before, now, self._path, None)

    def _compare(self, before: Any, now: Any, path: str, then: int | None) -> None:
        """Compare what is on a path; `then` is the id of what was there."""
        if before is now or id(now) in self._seen:
            return
        kind = type(now)
        if id(kind) in ATOM_IDS or type(before) is not kind or issubclass(kind, _DEFINITIONS):
            self._compare_plain(before, now, then)
            return
        self._seen.add(id(now))
        if is_tensor(now):
            self._compare_tensors(before, now)
        elif is_marked(now):
            self._compare_marks(before, now, path)
        elif id(kind) in _DICTS:
            self._require_no_cache(before, now, path)
            self._compare_maps(before, now, path, lambda key: f"{path}{place_of(key)}")
        elif id(kind) in _LISTS:
            self._compare_maps(dict(enumerate(before)), dict(enumerate(now)), path, lambda key: f"{path}[{key}]")
        elif (space := dict_of(now)) is not None and not issubclass(kind, _CONTAINERS):
            self._homes |= dict.fromkeys(home_of(base) for base in mro_of(kind))
            self._compare_maps(dict_of(before) or {}, space, path, lambda key: f"{path}.{key}")
        elif repr(before) != repr(now):
            raise _UnlikeError

    def _compare_maps(self, before: Any, now: Any, path: str, place: Callable[[Any], str]) -> None:
        if not now.keys() <= before.keys() or len(self._seen) > _MANY:
            raise _UnlikeError
        self.has_changed |= len(before) > len(now)
        known = self._contents.get(path, {})
        for key, part in list(now.items()):
            self._compare(before[key], part, place(key), known.get(key, known.get(id(key))))

    def _require_no_cache(self, before: dict[Any, Any], now: dict[Any, Any], path: str) -> None:
        """Refuse a map that has new keys, where the library answers from it: what it gives may be of the old code."""
        asked = [key for key in before.keys() - now.keys() if id(type(key)) in ATOM_IDS or type(key) is tuple]
        if asked and self._answers(tuple(self._homes), path):
            raise _UnlikeError

    def _compare_plain(self, before: Any, now: Any, then: int | None) -> None:
        if type(before) is type(now) and id(type(now)) in ATOM_IDS and before == now:
            return
        if then != id(now):
            raise _UnlikeError
        self.has_changed = True

    def _compare_tensors(self, before: Any, now: Any) -> None:
        """Compare tensors by how often they have been written: what random numbers they began with can't be told."""
        if (before.shape, before.dtype, before.device) != (now.shape, now.dtype, now.device):
            raise _UnlikeError
        self.has_changed |= before._version != now._version  # noqa: SLF001 - torch documents it, and has no other name

    def _compare_marks(self, before: Any, now: Any, path: str) -> None:
        mark = mark_of(now)
        if mark != mark_of(before):
            if mark != self._contents.get(path, {}).get(""):
                raise _UnlikeError
            self.has_changed = True


def _require_data(value: Any, session: Collection[str]) -> None:
    """Look at all that an object holds.

    Raises:
        _UnlikeError: it holds a class, function or instance of the session's, itself, or what the standard library has
            for more than data: a lock, a file, a connection.
    """
    seen = {id(value): value}
    waiting = [value]
    while waiting:
        for part in _parts(waiting.pop()):
            if len(seen) > _MANY:
                raise _UnlikeError
            kind = type(part)
            if id(kind) in ATOM_IDS or id(part) in seen:
                continue
            home = home_of(kind)
            is_definition = issubclass(kind, _DEFINITIONS)
            if home in session or (is_definition and home_of(part) in session) or kind is MethodType:
                raise _UnlikeError
            if not is_definition and _is_resource(kind):
                raise _UnlikeError
            seen[id(part)] = part
            if not is_definition:
                waiting.append(part)


def _is_resource(kind: type) -> bool:
    home = library_of(kind)
    return home.startswith("_") or home in {"asyncio", "concurrent", "io", "queue", "socket", "sqlite3", "threading"}


def _parts(value: Any) -> Iterator[Any]:
    if issubclass(type(value), _CONTAINERS):
        yield from items_of(value)
        yield from values_of(value) if issubclass(type(value), dict) else ()
    yield from (dict_of(value) or {}).values()


def _merge(before: Any, now: Any, journal: Journal, seen: set[int]) -> Any:
    """Give a new part what the old one has got; return what is to be in its place, the new part wherever that can be.

    What its module had begun with is as before, so that a later reload can tell what has changed since. Tensors are the
    old ones: who trains them holds these.
    """
    kind = type(now)
    if before is now or id(now) in seen:
        return now
    if id(kind) in ATOM_IDS or type(before) is not kind or issubclass(kind, _DEFINITIONS) or is_tensor(now):
        return before
    if is_marked(now):
        return now if mark_of(now) == mark_of(before) else before
    seen.add(id(now))
    space = now if id(kind) in _DICTS else dict_of(now)
    if id(kind) in _LISTS:
        merged = [_merge(part, now[index], journal, seen) for index, part in enumerate(before) if index < len(now)]
        content = kind([*merged, *list(before)[len(now) :]])
        if kind is tuple:
            return now if list(map(id, content)) == list(map(id, now)) else content
        journal.add(partial(refill, now, kind(now)))
        refill(now, content)
    elif space is not None and (id(kind) in _DICTS or not issubclass(kind, _CONTAINERS)):
        for key, part in list((before if space is now else dict_of(before) or {}).items()):
            journal.set_item(space, key, _merge(part, space[key], journal, seen) if key in space else part)
    return now
