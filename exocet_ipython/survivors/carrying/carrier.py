"""What the person's cells put into one module's state, carried to the module that takes its place."""

from __future__ import annotations

import sys
import weakref
from collections import defaultdict
from collections.abc import Collection, Container, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.contents import ATOMS, CARRIERS, attributes_of, entries_beside, is_registry, place_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.held import home_of
from exocet_ipython.reloading.paths import path_behind
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.answers import carry_answers, gives_again
from exocet_ipython.survivors.carrying.contexts import CONTEXTS
from exocet_ipython.survivors.carrying.entries import assign, inherited, is_as_before, names_in, place_in, put_into
from exocet_ipython.survivors.carrying.readings import ReadStores
from exocet_ipython.survivors.carrying.refilled import emptied, entries, is_map, is_of_one_kind, take_whole
from exocet_ipython.survivors.carrying.registrations import carry_registrations, is_from_cell, is_instance_of
from exocet_ipython.survivors.carrying.stores import Stores, begins_alike
from exocet_ipython.survivors.comparison import Comparison
from exocet_ipython.survivors.finding.elsewhere import held_elsewhere
from exocet_ipython.survivors.rebuilt import CACHE

__all__ = ["MANY", "Carrier"]

MANY = 1_000
_missing = object()
# Attributes of a class in which `enum` and SQLAlchemy keep what they have made of it.
_LIBRARIES = frozenset(("_value2member_map_", "_sa_class_manager", "_sa_registry"))
# References to a global's or attribute's value, and to an item of a weak set, that nobody else holds.
_UNASKED, _UNREFERRED = 5, 3
_STATELESS = frozenset((*ATOMS, ModuleType, BuiltinFunctionType))


class Carrier:
    """Carries the state of one module."""

    def __init__(self, record: ModuleRecord, read: ReadStores, journal: Journal, *, returned: bool) -> None:
        self._record = record
        self._session = read.session
        self._journal = journal
        self._returned = returned
        self._read = read
        self._after: Mapping[str, ModuleType | None] = {}
        self._homes = (record.name,)  # of the functions that may have stored what is looked at

    def carry(self, module: ModuleType, after: Mapping[str, ModuleType | None]) -> set[int]:
        """Carry to the new module, one of those `after`; return the ids of what was carried whole."""
        namespace, whole = getattr(module, "__dict__", {}), set[int]()
        self._after = after
        self._carry_assigned(module, namespace)
        space = copy_space(getattr(self._record.module, "__dict__", {}))
        for name, value in space.items():
            kind = type(value)
            if kind in _STATELESS or name[:2] == "__" or (kind is FunctionType and not vars(value)):
                continue  # nearly all
            now = namespace.get(name)
            if now is None or now is value:
                continue
            if kind is type(now) is MethodType:
                path = path_behind(space, value)
                if path not in namespace and path in self._record.contents:
                    whole |= self._carry_value(path, value.__self__, now.__self__)
            elif (origin := self._read.find_origin(self._record, name, value, after)) is not None:
                record, path = origin
                carrier = Carrier(record, self._read, self._journal, returned=self._returned)
                carrier._after = after
                whole |= carrier._carry_value(path, value, now)
            carry_registrations(value, now, self._session)
            if kind is CACHE:
                carry_answers(value, now, self._session, after)
        return whole

    def _carry_assigned(self, module: ModuleType, namespace: Mapping[str, Any]) -> None:
        """Carry the globals that were assigned since."""
        assigned = [*self._record.assigned().items()] if namespace else []  # an object in its stead has none
        for name, value in assigned:
            if name.startswith("__") or not self._is_assigned(name, value):
                continue
            may_assign = self._may_assign(self._stores.globals, self._record.values, name, value, namespace)
            if may_assign or self._is_set_up(name, value, namespace):
                self._journal.set_attribute(module, name, value)

    def _carry_value(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry the state of one of the module's values; return the ids of what was carried whole."""
        kind = type(before)
        if kind is type(now) and kind in CONTEXTS:
            CONTEXTS[kind](before, now, self._returned)
        elif is_registry(before):
            return self._carry_items(path, before, now)
        elif self._has_parts(path, before, now):
            return self._carry_parts(path, before, now)
        return set()

    def _has_parts(self, name: str, value: Any, now: Any) -> bool:
        """Say whether a value is a class, an instance or a function of the module's own, and its counterpart too."""
        if type(value) is FunctionType:
            return type(now) is FunctionType and value.__module__ == self._record.name
        return name in self._record.contents and issubclass(type(value), type) == issubclass(type(now), type)

    @property
    def _stores(self) -> Stores:
        """What the old texts store; read when something was stored."""
        return self._read.of(self._homes)

    def _is_assigned(self, name: str, value: Any) -> bool:
        """Say whether a global that is there since the body ran was assigned, not imported or kept as a cache."""
        is_submodule = issubclass(type(value), ModuleType) and value.__name__ == f"{self._record.name}.{name}"
        return not (is_submodule or self._record.snapshot.data is None or self._is_cached(name, value))

    def _is_set_up(self, name: str, value: Any, known: Mapping[str, Any]) -> bool:
        """Say whether cells had a function set a global up that does the same now, or made an instance, which moves."""
        setters = self._stores.setters(name) if name in known else []
        space, compared = vars(self._record.module), Comparison(but=self._record.assigned())
        is_same = all(path in space and compared.is_same(space[path], known.get(path)) for path in setters)
        return bool(setters) and (is_same or self._is_survivor(value))

    def _is_cached(self, name: str, value: Any) -> bool:
        """Say whether a global is a definition, or a value of another module, that functions keep as `globals()`."""
        if not self._stores.any_global:
            return False
        others = (record.module for record in self._session.values() if record is not self._record)
        return (not self._is_survivor(value) and home_of(value) in self._session) or any(
            getattr(other, "__dict__", {}).get(name, _missing) is value for other in others
        )

    def _carry_parts(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry the attributes of a class or instance that were assigned since, and the items of its containers."""
        baseline = self._record.contents.get(path, {})
        parts = attributes_of(before)
        known = dict(attributes_of(now)) if parts else {}
        is_class = issubclass(type(before), type)
        lines = type.__getattribute__(before if is_class else type(before), "__mro__")
        outer, whole = self._homes, set[int]()
        self._homes = (*outer, *(type.__getattribute__(cls, "__module__") for cls in lines))
        for name, value in parts:
            if name in _LIBRARIES or name.startswith("_abc_"):
                continue
            if baseline.get(name) == id(value):
                above = inherited(now, name, self._session) if is_class and name not in known else None
                whole |= self._carry_part(f"{path}.{name}", value, known.get(name, above))
            elif self._may_assign(self._stores.attributes, baseline, name, value, known):
                assign(now, name, value, self._journal)
        if not is_class and self._is_as_it_was(before, baseline):
            whole.add(id(before))
        self._homes = outer
        return whole

    def _carry_part(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry what is in a container or an instance that was in another one when the body ran.

        Not in an instance of a library's class: it changes that itself.
        """
        if (kind := type(before)) is type(now) and kind in CONTEXTS:
            CONTEXTS[kind](before, now, self._returned)
        if path not in self._record.contents or now is None or now is before:
            return set()
        if is_registry(before):
            return self._carry_items(path, before, now)
        if (kind in CARRIERS and kind is type(now)) or (self._is_survivor(before) and self._is_survivor(now)):
            return self._carry_parts(path, before, now)
        return set()

    def _may_assign(
        self, stored: Collection[str], baseline: Mapping[Any, int], name: str, value: Any, known: Mapping[str, Any]
    ) -> bool:
        """Say whether a global or an attribute that was assigned since is the cells', or a count, or kept for somebody.

        The module's functions have assigned to the `stored` names. `known` is what is there in the new module.
        """
        if self._stores.only_counts(name):
            return begins_alike(name, baseline, known)
        return name not in stored or self._is_kept(baseline, name, value, known)

    def _is_kept(self, baseline: Container[Any], name: str, value: Any, known: Mapping[str, Any]) -> bool:
        """Say whether the module's functions have put away an instance that somebody has: asked again, they give it.

        Not under a name that only the old text gives a value, and where nobody has it, the new code makes its own.
        """
        is_asked = known.get(name) is None and (name in known or name not in baseline)
        if not is_asked or not held_elsewhere([value], (), _UNASKED):
            return False
        homes = [self._session[home] for home in self._homes if home in self._session]
        return self._is_survivor(value) or gives_again(name, value, homes, self._after)

    def _is_as_it_was(self, before: Any, baseline: Mapping[Any, int]) -> bool:
        """Say whether no function of the module changed an instance: cells' assignments are with its successor."""
        changed = {name for name, value in attributes_of(before) if baseline.get(name) != id(value)}
        return bool(changed) and self._stores.attributes.isdisjoint(changed)

    def _carry_items(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry the entries of a container that weren't there after the body ran; say whether that was all of them."""
        baseline = self._record.contents.get(path, {})
        if not is_of_one_kind(before, now) or len(before) > MANY:
            return set()
        own = names_in(path)
        changed = [entry for entry in entries(before) if not is_as_before(entry, baseline, is_map(before))]
        count = len(changed)
        changed = [entry for entry in changed if not self._was_given(*entry, before)]
        if len(changed) == count and self._takes_whole(own, before, now, baseline, changed):
            return {id(before)}
        carried = sum(self._carry_entry(path, entry, before, now, baseline) for entry in changed)
        if is_map(before):
            self._carry_held(before, now, changed)
        whole = self._carry_nested(path, before, now)
        if count and carried == len(changed) and len(before) >= len(baseline):
            whole.add(id(before))
        return whole

    def _was_given(self, key: Any, value: Any, before: Any) -> bool:
        """Say whether other modules have put an entry into a container when they were made anew: they do it again."""
        return id(value if is_map(before) else key) in self._record.given and not is_registry(value)

    def _carry_entry(
        self, path: str, entry: tuple[Any, Any], before: Any, now: Any, baseline: Mapping[Any, int]
    ) -> bool:
        """Carry one entry of a container; say whether the new one has it, or will have it from its own module."""
        key, value = entry
        is_modules = self._is_modules(value if id(key) in baseline else key, value)  # the key was there before
        is_alive = type(before) is WeakSet and sys.getrefcount(key) > _UNREFERRED  # since the person has it
        is_theirs = not is_modules and (is_alive or self._is_persons(path, key, value))
        is_new = is_registry(value) and id(key) not in baseline
        if is_new and self._begins(path, before) and (key in now or not is_theirs):
            self._carry_begun(f"{path}{place_of(key)}", value, now, key)
            return key in now
        if is_theirs:
            if not is_map(before) or key not in now or id(key) in baseline or home_of(value) not in self._session:
                put_into(now, key, value, self._journal, place_in(before, key, baseline))
            return True
        return is_modules

    def _begins(self, path: str, container: Any) -> bool:
        """Say whether functions of the module begin containers in one, for the first who registers something there."""
        begins = isinstance(container, defaultdict) or not self._stores.begun.isdisjoint(names_in(path))
        return begins and is_map(container)

    def _carry_begun(self, path: str, before: Any, now: Any, key: Any) -> set[int]:
        """Carry what is in such a container, into the one under its key in the new map, or into another one."""
        counterpart = now[key] if key in now else emptied(before)
        whole = self._carry_items(path, before, counterpart)
        if counterpart and key not in now:
            self._journal.set_item(now, key, counterpart)
        return whole

    def _carry_held(self, before: Any, now: Any, changed: list[tuple[Any, Any]]) -> None:
        """Carry the instances of a map that somebody has, singletons say: asked again, it is to give the very ones."""
        asked = [entry for entry in changed if entry[0] not in now and self._is_survivor(entry[1])]
        held = held_elsewhere([value for _, value in asked], [before, changed, asked])
        for key, value in asked:
            if type(before) is WeakValueDictionary or id(value) in held:
                self._journal.set_item(now, key, value)

    def _takes_whole(
        self, own: frozenset[str], before: Any, now: Any, baseline: Mapping[Any, int], changed: list[tuple[Any, Any]]
    ) -> bool:
        """Have a container that the edit left as it was take what cells made of the old one; say whether it has."""
        if not changed and len(before) == len(baseline):
            return False
        if not self._stores.leaves_alone(own) or any(self._is_modules(*entry) for entry in changed):
            return False
        return take_whole(before, now, baseline, self._record.code, self._journal)

    def _carry_nested(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry what was put into the containers and instances that a container has had since the body ran."""
        baseline = self._record.contents.get(path, {})
        places = [] if is_map(before) else list(baseline)
        whole: set[int] = set()
        for key, part, known in entries_beside(before, now):
            if places and (key >= len(places) or places[key] != id(part)):
                continue  # others come before it by now
            inner = f"{path}{place_of(key)}"
            if known is None and is_map(before) and is_registry(part) and inner in self._record.contents:
                whole |= self._carry_begun(inner, part, now, key)
            else:
                whole |= self._carry_part(inner, part, known)
        return whole

    def _is_persons(self, path: str, key: Any, value: Any) -> bool:
        """Say whether an entry comes from a cell, directly or by a function that was told to put it there or make it.

        What is only referred to weakly lives since the person has it.
        """
        caches, parts = self._stores.caches & names_in(path), (key, value)
        if self._read.is_assigned(self._record.name, f"{path}{place_of(key)}"):
            return True
        if any(is_from_cell(part) or issubclass(type(part), weakref.ref) for part in parts):
            return True
        return not caches or (all(map(self._stores.setters, caches)) and any(map(self._is_survivor, parts)))

    def _is_modules(self, key: Any, value: Any) -> bool:
        return self._read.puts_itself(self._record.name, key, value)

    def _is_survivor(self, value: Any) -> bool:
        return is_instance_of(value, self._session)
