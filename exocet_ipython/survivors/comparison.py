"""Whether a function would still answer the same.

What a function answers depends on its own code and on what that names: functions, classes and values of its module and
of others, and attributes of its class. Where all of that is the same before and after, so is the answer.
"""

from __future__ import annotations

import dis
import inspect
import threading
from collections import deque
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import PurePath
from types import CodeType, FunctionType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import is_of_python, mro_of
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.datafiles.readers import READING
from exocet_ipython.reloading.datafiles.snapshots import has_changed
from exocet_ipython.reloading.holding.contents import ATOM_IDS, cell_values, dict_of, is_plain, is_registry
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.marks import is_marked, mark_of
from exocet_ipython.reloading.ladder.operations import is_same_constant, iter_operations, words
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.former import renamed_by, under_old_names

__all__ = ["Answering", "Beside", "Comparison", "Hashing", "Making", "class_attributes", "reread_of", "runs_alike"]

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "model_post_init")
_MANY = 10_000  # beyond so many parts they count as others
_ANY_NAME = frozenset(("__annotations__", "__dict__", "dir", "getattr", "hasattr", "setattr", "vars"))
# What finds files, names or classes that the code doesn't say.
_LOOKING = (_ANY_NAME | READING) | words(
    "__subclasses__ entry_points environ eval exec getenv getmembers glob globals import_module iter_modules "
    "iterdir listdir locals modules rglob scandir walk walk_packages"
)
_LOADS = frozenset(dis.opmap[name] for name in ("LOAD_GLOBAL", "LOAD_NAME"))
_STORE_ATTR = dis.opmap["STORE_ATTR"]
_PLAIN = frozenset(name for kind in (dict, list, set, str, tuple) for name in dir(kind))
_CONTAINERS = (dict, list, tuple, deque, set, frozenset)
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_OWN_CLASS = frozenset(("__class__", "type"))
_missing = object()


@dataclass(frozen=True, eq=False)
class Beside:
    """What else is another now, wherever code that is compared finds it.

    Attributes:
        reread: dotted names of the modules whose data files are others: what their functions read is another text.
        classes: retired classes, each with the new one: what code asks for may be of any. `gone`: ids of those without.
    """

    reread: Collection[str] = ()
    classes: Sequence[tuple[type, type]] = ()
    gone: Collection[int] = ()

    @classmethod
    def of(cls, retiring: Collection[ModuleRecord], after: Mapping[str, ModuleType | None]) -> Beside:
        """Return what is another when modules have been made anew, before anybody sees them.

        Args:
            retiring: their records until now.
            after: dotted name -> what takes the place of a module that retires.
        """
        classes: list[tuple[type, type]] = []
        for record in retiring:
            for name, before in copy_space(globals_of(record.module)).items():
                now: Any = globals_of(after.get(record.name)).get(name)
                if issubclass(type(before), type) and issubclass(type(now), type) and home_of(before) == record.name:
                    classes.append((before, now))
        return cls(reread_of(retiring), classes)

    @cached_property
    def parts(self) -> Mapping[str, list[tuple[Any, Any]]]:
        """What the classes define, by name, but for names that Python's containers have as well: before, and now."""
        found: dict[str, list[tuple[Any, Any]]] = {}
        for before, now in self.classes:
            counterparts = under_old_names(class_attributes(now), renamed_by(before))
            for name, part in copy_space(vars(before)).items():
                if not is_dunder(name) and name not in _PLAIN and part is not counterparts.get(name, _missing):
                    found.setdefault(name, []).append((part, counterparts.get(name, _missing)))
        return found


class Comparison:
    """Compares what a function, or a method of a class, can reach with what its counterpart can.

    Args:
        before: the retired class; `object` for none.
        now: the new one.
        but: names of globals and attributes that don't count.
        beside: what else is another now.
    """

    _most = _MANY

    def __init__(
        self, before: type = object, now: type = object, but: Container[str] = (), beside: Beside | None = None
    ) -> None:
        self._attributes = class_attributes(before), class_attributes(now)
        self._but, self._beside = but, beside or Beside()
        self._seen: set[tuple[int, int]] = set()

    def is_same(self, before: Any, now: Any) -> bool:
        """Say whether two values are the same to those who use them, as far as one can tell."""
        if before is now or (id(before), id(now)) in self._seen:
            return True
        if id(type(before)) in ATOM_IDS or issubclass(type(before), PurePath):
            return type(now) is type(before) and bool(before == now)
        self._seen.add((id(before), id(now)))
        if len(self._seen) > self._most:
            return False
        if type(before) is FunctionType:
            return type(now) is FunctionType and self._is_same_function(before, now)
        if issubclass(type(before), type):
            return issubclass(type(now), type) and self._is_same_class(before, now)
        name = type(before).__qualname__
        is_one_kind = renamed_by(type(before)).get(name, name) == type(now).__qualname__
        return is_one_kind and self._is_same_value(before, now)

    def _is_same_function(self, before: FunctionType, now: FunctionType) -> bool:
        renamed = renamed_by(before)
        if not runs_alike(before.__code__, now.__code__, renamed):
            return False
        pairs = [(before.__defaults__, now.__defaults__), (before.__kwdefaults__, now.__kwdefaults__)]
        pairs += zip(cell_values(before), cell_values(now), strict=False)
        names = {name for name in set(_names_of(before)) - _only_owners(before) if name not in self._but}
        if before.__module__ in self._beside.reread and not READING.isdisjoint(names):
            return False
        spaces: list[tuple[Any, Any]] = [(before.__globals__, now.__globals__), self._attributes]
        for name in names:
            pairs += self._beside.parts.get(name, ())
            for old, new in spaces:
                first, second = old.get(name, _missing), new.get(renamed.get(name, name), _missing)
                if first is not second and isinstance(first, ModuleType) and isinstance(second, ModuleType):
                    spaced = vars(first), under_old_names(vars(second), renamed_by(first))
                    pairs += [(spaced[0].get(inner), spaced[1].get(inner)) for inner in names]
                else:
                    pairs.append((first, second))
        return all(self.is_same(first, second) for first, second in pairs)

    def _is_same_class(self, before: type, now: type) -> bool:
        # Its methods answer from its tables: where these are others, they may answer otherwise.
        tables = {name for name, part in copy_space(vars(before)).items() if is_registry(part)}
        return self._is_same_space(self._parts_of(before), self._parts_of(now), renamed_by(before), tables)

    def _parts_of(self, cls: type) -> dict[str, Any]:
        """Return what of a class counts."""
        return class_attributes(cls)

    def _is_same_value(self, before: Any, now: Any) -> bool:
        if isinstance(before, (list, tuple, deque)):
            return len(before) == len(now) <= _MANY and all(map(self.is_same, before, now))
        if isinstance(before, (set, frozenset)):
            return len(before) == len(now) <= _MANY and all(map(is_plain, [*before, *now])) and bool(before == now)
        if isinstance(before, dict):
            return before.keys() == now.keys() and all(self.is_same(value, now[key]) for key, value in before.items())
        functions = functions_in(before), functions_in(now)
        if any(functions):
            return len(functions[0]) == len(functions[1]) and all(map(self.is_same, *functions))
        return self._is_same_instance(before, now)

    def _is_same_instance(self, before: Any, now: Any) -> bool:
        if is_marked(before) and is_marked(now) and (mark := mark_of(before)) and mark == mark_of(now):
            return True
        if isinstance(before, MemberDescriptorType):  # of a slot
            return bool(before.__name__ == now.__name__)
        spaces = dict_of(before), dict_of(now)
        if type(spaces[0]) is dict:
            return self._is_same_space(spaces[0], spaces[1] or {}, renamed_by(type(before)))
        is_pythons = type(before) is type(now) and is_of_python(type(before))
        return is_pythons and (isinstance(before, _LOCKS) or bool(before == now))  # a date, a pattern

    def _is_same_space(self, before: Any, now: Any, renamed: Mapping[str, str], also: Container[str] = ()) -> bool:
        """Say whether an instance or a class has the same attributes, but for those that don't count."""
        spaces = [
            {name: part for name, part in copy_space(space).items() if name in also or name not in self._but}
            for space in (before, under_old_names(now, renamed))
        ]
        return self._is_same_value(*spaces)  # by no ids: these dicts are soon gone


class Answering(Comparison):
    """Compares what functions answer again by themselves: not those that read a file, or look around what there is."""

    _most = 1_000  # many functions may be asked about

    def _is_same_function(self, before: FunctionType, now: FunctionType) -> bool:
        return _LOOKING.isdisjoint(_names_of(before)) and super()._is_same_function(before, now)


class Hashing(Comparison):
    """Compares how instances are hashed: where that asks for a class, as `type(self)`, it is another one.

    So is what a class has that hashes by what it is: a descriptor, say, which an instance shows for what it lacks.
    """

    def _is_same_function(self, before: FunctionType, now: FunctionType) -> bool:
        return (_OWN_CLASS | _ANY_NAME).isdisjoint(_names_of(before)) and super()._is_same_function(before, now)

    def _is_same_value(self, before: Any, now: Any) -> bool:
        has_parts = isinstance(before, _CONTAINERS) or bool(functions_in(before))
        return has_parts and super()._is_same_value(before, now)

    def _is_same_class(self, _before: type, _now: type) -> bool:
        return False


class Making(Comparison):
    """Compares how instances are made: of classes only what they begin with counts, not what their methods do later.

    The values of a class are found by its name (`Settings.debug`) or by its instances, whenever they were made: only
    those that a constructor asks for count, or all where it doesn't say which, or the class is made in a library's way.
    """

    def _parts_of(self, cls: type) -> dict[str, Any]:
        """Return the constructors and the values of a class, and what it says that it takes."""
        makers = {
            f"{base.__qualname__}.{name}": part
            for base in mro_of(cls)[:-1]
            for name, part in copy_space(vars(base)).items()
            if name in _CONSTRUCTORS
        }
        names = {name for part in makers.values() for one in functions_in(part) for name in _names_of(one)}
        counts_all = type(cls) is not type or not names.isdisjoint(_ANY_NAME)
        values = {
            name: part
            for name, part in class_attributes(cls).items()
            if (counts_all or name in names) and name[:5] != "_abc_" and not functions_in(part)
        }
        return makers | values | {"__signature__": _signature(cls)}


def _names_of(function: FunctionType) -> Iterator[str]:
    return (name for code in whole(function.__code__) for name in code.co_names)


def _only_owners(function: FunctionType) -> set[str]:
    """Return the global names of what a function only sets attributes of: what else that has doesn't count."""
    owners, others = set[str](), set[str]()
    for code in whole(function.__code__):
        if _STORE_ATTR in code.co_code[::2]:
            operations = [(operation, argument) for _, operation, argument in iter_operations(code)]
            for (operation, argument), (following, _) in pairwise(operations):
                name = argument[0] if type(argument) is tuple and argument else argument
                is_owner = operation in _LOADS and following == _STORE_ATTR
                if type(name) is str:  # a text counts as a name: so much the worse for that
                    (owners if is_owner else others).add(name)
        else:
            others.update(code.co_names)
    return owners - others


def _signature(cls: type) -> str:
    """Return what a class takes, fields of its library's included; of one that doesn't say it nothing."""
    try:
        return str(inspect.signature(cls))
    except Exception:  # noqa: BLE001 - a person's metaclass may raise anything
        return ""


def reread_of(records: Iterable[ModuleRecord]) -> set[str]:
    """Return the dotted names of the modules among these whose data files are others now than when they ran."""
    return {record.name for record in records if any(map(has_changed, record.data))}


def runs_alike(before: CodeType, now: CodeType, renamed: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Say whether two codes do the same, wherever their lines are, and with names that only are others in the second.

    >>> runs_alike((lambda: 1).__code__, (lambda: 2).__code__)
    False
    """
    names = tuple(renamed.get(name, name) for name in before.co_names) if renamed else before.co_names
    if (before.co_code, names, len(before.co_consts)) != (now.co_code, now.co_names, len(now.co_consts)):
        return False
    return all(
        runs_alike(first, second, renamed)
        if isinstance(first, CodeType) and isinstance(second, CodeType)
        else is_same_constant(first, second)
        for first, second in zip(before.co_consts, now.co_consts, strict=True)
    )


def class_attributes(cls: type) -> dict[str, Any]:
    """Return what a class and its bases define, but for Python's own."""
    found: dict[str, Any] = {}
    for base in reversed(mro_of(cls)[:-1]):
        space = copy_space(vars(base))
        found |= {name: part for name, part in space.items() if not is_dunder(name) or type(part) is FunctionType}
    return found
