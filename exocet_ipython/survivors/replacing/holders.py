"""Holders: each is changed in the way that its type allows, and none is ever emptied and refilled.

Other threads look at them meanwhile. `references.py` finds them and says what takes the place of what.
"""

from __future__ import annotations

import functools
import gc
import inspect
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from threading import local
from types import CellType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import class_for, is_static, mro_of, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import CACHE, dict_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.slots import filled_slots
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.arrays import is_array
from exocet_ipython.survivors.classes import class_of
from exocet_ipython.survivors.rebuilt import MISSING, REBUILDS, Replacement, counterpart, or_same
from exocet_ipython.survivors.replacing.contexts import is_of_context, remake_variable, replace_in_contexts
from exocet_ipython.survivors.replacing.hidden import replace_in_array
from exocet_ipython.survivors.replacing.lists import replace_in_list
from exocet_ipython.survivors.replacing.owners import remember_owner

__all__ = ["has_attributes_only", "replace_in"]

# An author's class may have others.
_OF_ERRORS = tuple(vars(BaseException)[name] for name in ("args", "__cause__", "__context__"))

_TUPLES = ("__defaults__", "__type_params__")  # of a function


def has_attributes_only(kind: type) -> bool:
    """Say whether attributes are all that is ever replaced in an instance of a class."""
    return not (issubclass(kind, _WITH_MORE) or is_array(kind) or is_of_context(kind))


def replace_in(
    holder: Any,
    replacement: Replacement,
    journal: Journal,
    note: Callable[[Any], object],
    was_there: Callable[[Any], bool] | None = None,
) -> Any:
    """Replace what one holder holds; return what must take the holder's own place where it can't be changed."""
    kind = type(holder)
    for base, change in _CHANGES:
        if issubclass(kind, base):
            if change is replace_in_list:
                replace_in_list(holder, replacement, journal, was_there)
            else:
                change(holder, replacement, journal)
            if id(kind) not in _PYTHONS:  # a subclass has attributes beside
                _replace_attributes(holder, replacement, journal, note)
            return None
    for base, rebuild in _REBUILDS:
        if issubclass(kind, base) and ((made := rebuild(holder, replacement)) is not None or kind is base):
            return made  # what a subclass has beside, in its dict or in slots, can be changed
    if is_array(kind):
        replace_in_array(holder, replacement, journal)
    elif is_of_context(kind):
        replace_in_contexts(holder, replacement, journal)
    elif not issubclass(kind, _WITHOUT):
        return _replace_attributes(holder, replacement, journal, note)
    return None


def _replace_in_dict(holder: dict[Any, Any], replacement: Replacement, journal: Journal) -> None:
    if _is_cache(holder):
        for cache in gc.get_referrers(holder):
            if isinstance(cache, CACHE):
                cache.cache_clear()
        return
    owner = class_of(holder)
    # A subclass may leave out or change what it shows of its items.
    items = copy_space(holder).items() if type(holder) is dict else list(dict.items(holder))
    for key, value in items:
        now = counterpart(value, replacement)
        if now is MISSING:
            continue
        if owner is None:
            # Not by a method of a subclass: it may refuse, or act as if the person had assigned something.
            dict.__setitem__(holder, key, now)
            journal.add(functools.partial(dict.__setitem__, holder, key, value))
        else:
            # Writing the dict itself would bypass the type's cache of methods.
            _set_class_attribute(owner, key, value, now, journal)
    if owner is None:
        found = {id(key): now for key in dict.keys(holder) if (now := counterpart(key, replacement)) is not MISSING}
        answers = [entry for entry in dict.items(holder) if id(entry[0]) in found and _is_answer(*entry)]
        for key, value in answers if answers and _is_sqlalchemys(holder) else ():
            dict.pop(holder, key)
            journal.add(functools.partial(dict.__setitem__, holder, key, value))
            del found[id(key)]
        _replace_keys(holder, found, journal)
    if isinstance(holder, defaultdict):
        _replace_attribute(holder, "default_factory", replacement, journal)


def _is_cache(holder: dict[Any, Any]) -> bool:
    """Say whether a dict is the inside of a bounded `functools.lru_cache`: its answers come from the old code."""
    return type(holder) is dict and type(next(iter(holder.values()), None)).__qualname__ == "_lru_list_elem"


def _is_answer(key: Any, value: Any) -> bool:
    """Say whether an entry is as those of SQLAlchemy's caches, of what it compiled: `(key, answer, [when asked])`."""
    return type(value) is tuple and len(value) == 3 and value[0] is key and type(value[2]) is list  # noqa: PLR2004


def _is_sqlalchemys(holder: dict[Any, Any]) -> bool:
    return any(home_of(type(one)).startswith("sqlalchemy.") for one in (holder, *gc.get_referrers(holder)))


def _replace_keys(holder: dict[Any, Any], keys: Mapping[int, Any], journal: Journal) -> None:
    """Replace keys of a dict, which stays in order: what comes after a replaced key is moved behind it, one by one.

    Args:
        holder: the dict.
        keys: id of a key -> its counterpart. Where that is in the dict already, and later, it was registered again, and
            stays; where it is earlier, what was put there later is its value, as a cell's is that was carried over.
        journal: how it is taken back.
    """
    if not [hash(key) for key in keys.values()]:  # what can't be a key refuses before anything is taken out
        return
    kind = OrderedDict if isinstance(holder, OrderedDict) else dict  # what a subclass makes of its items is its own
    concerned = {*keys, *map(id, keys.values())}
    members = list(kind.keys(holder))
    first = next(place for place, key in enumerate(members) if id(key) in concerned)
    before = [(key, kind.__getitem__(holder, key)) for key in members[first:]]
    after = [(keys.get(id(key), key), value) for key, value in before]
    _move_items(kind, holder, before, after)
    journal.add(functools.partial(_move_items, kind, holder, after, before))


def _move_items(kind: Any, holder: Any, before: list[tuple[Any, Any]], after: list[tuple[Any, Any]]) -> None:
    known, placed = set(map(id, kind.keys(holder))), dict[Any, None]()
    for (old, _), (now, value) in zip(before, after, strict=True):
        if old not in placed:
            kind.pop(holder, old, None)
        if now is old or id(now) not in known or now in placed:
            if now not in placed:
                kind.pop(holder, now, None)  # it only equals a later key: the first of two is what a dict has
            counted = dict.__getitem__(holder, now) if now in placed and isinstance(holder, Counter) else 0
            kind.__setitem__(holder, now, value + counted if counted else value)
            placed[now] = None


def _replace_in_set(holder: set[Any], replacement: Replacement, journal: Journal) -> None:
    for value in set(holder):
        now = counterpart(value, replacement)
        if now is not MISSING and hash(now) is not None:  # what can't be an item refuses before anything is taken out
            set.discard(holder, value)
            journal.add(functools.partial(set.add, holder, value))
            if not set.__contains__(holder, now):
                set.add(holder, now)
                journal.add(functools.partial(set.discard, holder, now))


def _replace_in_cell(holder: CellType, replacement: Replacement, journal: Journal) -> None:
    _replace_attribute(holder, "cell_contents", replacement, journal)


def _replace_attribute(holder: Any, name: str, replacement: Replacement, journal: Journal) -> None:
    before = getattr(holder, name)
    now = counterpart(before, replacement)
    if now is not MISSING:
        setattr(holder, name, now)
        journal.add(functools.partial(setattr, holder, name, before))


def _replace_in_partial(holder: functools.partial[Any], replacement: Replacement, journal: Journal) -> None:
    # `__reduce__` and `__setstate__` are how a partial is copied and pickled: its whole state, to be read and set.
    before: Any = holder.__reduce__()[2]
    set_state: Callable[[Any], None] = getattr(holder, "__setstate__")  # noqa: B009 - typeshed doesn't know it
    function, args, keywords, attributes = before
    if attributes and "__self__" in attributes and type(function) is MethodType:
        args, keywords = _given_by_method(function, args, keywords, replacement)
    # What an argument is replaced by is in a tuple made anew, which takes the place of the one that the partial has.
    changed = tuple(or_same(arg, replacement) for arg in or_same(args, replacement))
    set_state((or_same(function, replacement), changed, keywords, attributes))
    journal.add(lambda: set_state(before))


def _given_by_method(
    method: MethodType, args: tuple[Any, ...], keywords: dict[str, Any], replacement: Replacement
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what the new class gives beforehand in place of what a `partialmethod` of the old one has given."""
    given = _shown(method, args, keywords)
    for base in mro_of(class_for(method.__self__)):
        for name, part in copy_space(vars(base)).items():
            if type(part) is functools.partialmethod and given == _shown(part.func, part.args, part.keywords):
                now = vars(or_same(base, replacement)).get(name)
                return (now.args, now.keywords) if type(now) is functools.partialmethod else (args, keywords)
    return args, keywords


def _shown(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells what a partial is of; a function by its name, as it may have been replaced already."""
    name = getattr(getattr(function, "__func__", function), "__qualname__", "")
    return name, [*map(id, args)], {keyword: id(value) for keyword, value in keywords.items()}


def _replace_in_function(holder: FunctionType, replacement: Replacement, journal: Journal) -> None:
    """Replace a function's tuples of defaults, types and annotations; its other parts are holders of their own."""
    for part in gc.get_referents(holder):
        now = counterpart(part, replacement)
        if type(part) is not tuple or now is MISSING:
            continue
        name = next((name for name in _TUPLES if getattr(holder, name, None) is part), None)
        if name is not None:
            setattr(holder, name, now)
            journal.add(functools.partial(setattr, holder, name, part))
        elif all(type(name) is str for name in part[::2]):
            # Annotations that nobody has asked for yet are kept as name, value, name, value.
            before = holder.__annotations__
            values = [or_same(value, replacement) for value in now[1::2]]  # some are only made anew by now
            holder.__annotations__ = dict(zip(now[::2], values, strict=True))
            journal.add(functools.partial(setattr, holder, "__annotations__", before))


_CHANGES: tuple[tuple[type | tuple[type, ...], Callable[[Any, Replacement, Journal], None]], ...] = (
    (dict, _replace_in_dict),
    ((list, deque), replace_in_list),
    (set, _replace_in_set),
    (CellType, _replace_in_cell),
    (functools.partial, _replace_in_partial),
    (FunctionType, _replace_in_function),
)
_REBUILDS = (*REBUILDS, (ContextVar, remake_variable))
_WITHOUT = FrameType, type, ModuleType
_WITH_MORE = (dict, list, deque, *(base for base, _ in (*_CHANGES[2:], *_REBUILDS)), *_WITHOUT, local, BaseException)
_PYTHONS = {*map(id, (dict, defaultdict, OrderedDict, list, deque, set, CellType, functools.partial, FunctionType))}


def _replace_attributes(holder: Any, replacement: Replacement, journal: Journal, note: Callable[[Any], object]) -> Any:
    """Replace the attributes of an instance: those in its dict, which may be inline, and those in slots.

    An exception has its arguments beside them, and the exceptions that it came from.

    Returns:
        What takes the place of an instance that can't be changed: one that is given the new attributes, and reads them.
    """
    for part in _OF_ERRORS if issubclass(type(holder), BaseException) else ():
        before = part.__get__(holder)
        if (now := counterpart(before, replacement)) is not MISSING:
            part.__set__(holder, now)
            journal.add(functools.partial(part.__set__, holder, before))
    space = dict_of(holder)
    if (now := counterpart(space, replacement)) is not MISSING:  # `self.__dict__ = STATE`: one for all that do so
        object.__setattr__(holder, "__dict__", now)
        journal.add(functools.partial(object.__setattr__, holder, "__dict__", space))
        space = now
    attributes = space or {}
    found = [(name, counterpart(value, replacement)) for name, value in copy_space(attributes).items()]
    changed = [(name, now) for name, now in found if now is not MISSING]
    filled = [(slot, value, counterpart(value, replacement)) for slot, value in filled_slots(holder)]
    slots = [(slot, value, now) for slot, value, now in filled if now is not MISSING]
    if changed or slots:
        note(holder)
    if changed:
        remember_owner(attributes, holder)
    for name, now in changed:
        journal.set_item(attributes, name, now)
    for slot, value, now in slots:
        try:
            slot.__set__(holder, now)
        except AttributeError:
            if (made := _made_of_its_attributes(holder, replacement)) is None:
                raise
            return made
        journal.add(functools.partial(slot.__set__, holder, value))
    return None


def _made_of_its_attributes(holder: Any, replacement: Replacement) -> Any:
    """Return what a class in C makes of what it has been given before, all of which it shows; None where it doesn't.

    A decoder of msgspec is such (`Decoder(list[Item])`), which has compiled what it shows as its `type`.
    """
    kind = type(holder)
    names = inspect.signature(kind).parameters if is_static(kind) and kind.__text_signature__ else {}
    if not names or not all(hasattr(holder, name) for name in names):
        return None
    return kind(**{name: or_same(getattr(holder, name), replacement) for name in names})


def _set_class_attribute(owner: type, name: str, before: Any, now: Any, journal: Journal) -> None:
    try:
        set_attribute(owner, name, now)
    except TypeError:
        return  # a built-in class: its attributes can't be set
    journal.add(functools.partial(set_attribute, owner, name, before))
