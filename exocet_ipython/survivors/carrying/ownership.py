"""Whose the state of a module is: its body's, its own functions', other modules', or the person's cells'."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Collection, Container, Mapping
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import class_for, first_named, mro_of
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.datafiles.snapshots import has_changed
from exocet_ipython.reloading.holding.contents import attributes_of, is_registry
from exocet_ipython.reloading.holding.entries import place_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.paths import last_name_of, value_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.earlier import count_earlier
from exocet_ipython.survivors.comparison import Comparison
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.elsewhere import held_elsewhere
from exocet_ipython.survivors.origins import is_from_cell, is_instance_of, is_of_lost_maker
from exocet_ipython.survivors.repeating.accounts import is_account
from exocet_ipython.survivors.repeating.answers import gives_again
from exocet_ipython.survivors.repeating.entries import containers_in, is_map, names_in
from exocet_ipython.survivors.repeating.kept import are_instances, is_data, is_plain_or_told, is_told, kept_answers_of
from exocet_ipython.survivors.repeating.repeats import Repeats
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.sorting import find_sorted, put_in_order
from exocet_ipython.survivors.storing.stores import Stores

__all__ = ["Ownership"]

_missing = object()
_UNASKED = 6  # references to the value of a global or an attribute that nobody else holds


class Ownership:
    """Tells of what is in one module whose it is.

    Attributes:
        record: of the module.
        session: dotted name -> record, of all modules.
        after: what takes the place of modules that retire.

    Args:
        record: of the module.
        read: what the functions of the session's modules store, and what cells have assigned there.
        homes: names of the modules whose functions may have stored what is asked about; by default its own.
    """

    def __init__(self, record: ModuleRecord, read: ReadStores, homes: tuple[str, ...] = ()) -> None:
        self.record = record
        self._read = read
        self.session, self.after = read.session, read.after
        self._homes = homes or (record.name,)
        self._repeats = Repeats(record, read)
        self._others: dict[str, list[Ownership]] = {}
        self._handed: dict[str, bool] = {}
        self._instances: tuple[Any, Any] = (None, None)  # of which attributes are asked about, and their successor
        self._path = ""  # of the first of these

    def with_makers(self, value: Any, now: Any, path: str) -> Ownership:
        """Return what tells it of a value: methods of its classes may have stored it too, and a function's own code.

        Args:
            value: it.
            now: what takes its place.
            path: of it in the module.
        """
        lines = mro_of(class_for(value))
        homes = [home_of(cls) for cls in lines]
        if type(value) is FunctionType:
            homes.append(value.__globals__.get("__name__", ""))  # a decorator of another module may have made it
        owned = Ownership(self.record, self._read, (*self._homes, *homes))
        owned._instances, owned._path = (value, now), path
        owned._repeats = Repeats(self.record, self._read, (value, now, f"{path}."))
        return owned

    @property
    def stores(self) -> Stores:
        """What the old texts store; read when something was stored."""
        return self._read.of(self._homes)

    def is_assigned(self, name: str, value: Any, known: Mapping[str, Any]) -> bool:
        """Say whether a global that is there since the body ran is to be carried; `known` are those of the new module.

        It is where cells have assigned it, or had it set up or counted, or where somebody has it; not where it was
        imported or is kept as a cache.
        """
        is_submodule = issubclass(type(value), ModuleType) and value.__name__ == f"{self.record.name}.{name}"
        if is_submodule or self._is_cached(name, value):
            return False
        may_assign = self._may_assign(self.stores.globals, self.record.values, name, value, known)
        is_kept = name in known or name not in self.record.values
        return may_assign or (is_kept and self._is_set_up(self.record.values, name, value, known))

    def is_attribute_assigned(
        self, baseline: Mapping[Any, int], name: str, value: Any, known: Mapping[str, Any]
    ) -> bool:
        """Say the same of an attribute that was assigned since."""
        if self._is_stale_answer(baseline, name, known) or is_of_lost_maker(value, self.after):
            return False
        may_assign = self._may_assign(self.stores.attributes, baseline, name, value, known)
        is_kept = name in known or name not in baseline
        return may_assign or (is_kept and self._is_set_up(baseline, name, value, known))

    def _is_stale_answer(self, baseline: Mapping[Any, int], name: str, known: Mapping[str, Any]) -> bool:
        """Say whether an attribute is the answer of a `cached_property`, say, and what that looked at is other now."""
        before, now = self._instances
        pairs = [kept_answers_of(first_named(name, mro_of(type(one)))) for one in self._instances]
        if not any(pairs):
            return False
        is_same = Comparison(type(before), type(now), beside=self._read.beside).is_same
        if len(pairs[0]) != len(pairs[1]) or not all(map(is_same, *pairs)):
            return True
        return not all(is_same(part, known.get(other)) for other, part in attributes_of(before) if other in baseline)

    def is_with(self, instance: Any, now: Any, baseline: Mapping[Any, int], renamed: Mapping[str, str]) -> bool:
        """Say whether an instance has changed, and all that functions of the module have put there was carried."""
        changed = {name: value for name, value in attributes_of(instance) if baseline.get(name) != id(value)}
        stored, known = self.stores.attributes & changed.keys(), dict(attributes_of(now))
        return bool(changed) and all(known.get(renamed.get(name, name), now) is changed[name] for name in stored)

    def was_given(self, key: Any, value: Any, container: Any) -> bool:
        """Say whether other modules have put an entry into a container when they were made anew: they do it again."""
        return id(value if is_map(container) else key) in self.record.given and not is_registry(value)

    def begins(self, path: str, container: Any) -> bool:
        """Say whether functions of the module begin containers in one, for the first who registers something there."""
        begins = isinstance(container, defaultdict) or not self.stores.begun.isdisjoint(names_in(path))
        return begins and is_map(container)

    def leaves_alone(self, path: str) -> bool:
        """Say whether no function of the module changes a container but with what it is given, nor one of others."""
        return self.stores.leaves_alone(names_in(path)) and not (self._fillers(path) or self._is_handed(path))

    def put_in_order(self, path: str, items: Any, journal: Journal) -> None:
        """Put what is in a list in the order in which functions of the module keep it; what is no list stays."""
        homes = [self.session[home] for home in self._homes if type(items) is list and home in self.session]
        for home in homes:
            code = find_sorted(self._read.text_now(home.name)).get(last_name_of(path))
            module = self.after.get(home.name) or home.module
            if code is not None:
                put_in_order(items, code, globals_of(module), journal)

    def makes_no_room(self, path: str, container: Any) -> bool:
        """Say whether no function takes something out of a container for what it has computed: else cells did."""
        out = set[str]() if is_map(container) else self.stores.placed & self.stores.computed
        return (out | (self.stores.emptied & self.stores.caches)).isdisjoint(names_in(path))

    def puts_in_place(self, path: str) -> bool:
        """Say whether functions put something in the place of items of a list, the module's or of others."""
        return any(owner.places(path) for owner in (self, *self._fillers(path)))

    def places(self, path: str) -> bool:
        """Say whether functions of the module put something under keys of a container, or in the place of its items."""
        return not self.stores.placed.isdisjoint(names_in(path))

    def is_written(self, path: str) -> bool:
        """Say whether cells have written an entry of a container, given its own path."""
        return self._read.is_assigned(self.record.name, path)

    def is_answered_from(self, path: str) -> bool:
        """Say whether functions of the session's modules put there what they have computed, to answer from it."""
        return self.answers(tuple(home for home in self._homes if home in self.session), path)

    def answers(self, homes: tuple[str, ...], path: str) -> bool:
        """Say the same of the functions of some modules."""
        return not self._read.of(homes).caches.isdisjoint(containers_in(path, self.record.module, self.session))

    def is_modules(self, path: str, key: Any, value: Any) -> bool:
        """Say whether a module of the session has put an entry into a container, and does so when made anew."""
        return self._read.puts_itself(self.record.name, path, key, value)

    def is_persons(self, path: str, key: Any, value: Any) -> bool:
        """Say whether an entry comes from a cell, directly or by a function that was told to put it there or make it.

        What is only referred to weakly lives since the person has it. What a function has computed for a cell counts
        while it would compute the same, and where it is nothing that is computed when it isn't there.
        """
        if self._is_put_by_cells(path, key, value):
            return True
        may_keep = all(owner.may_keep(path, key, value, self) for owner in (self, *self._fillers(path)))
        return may_keep and not self._is_handed_answer(path, value)

    def is_answer_of_others(self, path: str, key: Any, value: Any) -> bool:
        """Say whether functions of other modules that retire have computed an entry, and put it away in this module."""
        if self._is_put_by_cells(path, key, value):
            return False
        return not all(owner.may_keep(path, key, value, self) for owner in self._fillers(path))

    def is_answer_for_others(self, path: str, key: Any, value: Any) -> bool:
        """Say whether functions of the module have put away an answer for other modules that retire.

        They were handed what computes it, or have found out about classes and functions of these what is an entry: in a
        table of methods by the classes of what they were called with, say. Instances are migrated.
        """
        if self._is_survivor(value) or self._is_put_by_cells(path, key, value):
            return False
        parts = [item for part in (key, value) for item in (part if type(part) is tuple else (part,))]
        is_about = any(is_definition(part) and home_of(part) in self._retiring for part in parts)
        return self._is_handed_answer(path, value) or (is_about and self.is_answered_from(path))

    def makes_once(self, path: str, value: Any) -> bool:
        """Say whether an entry is an instance that functions of the module have made once, for all who ask."""
        return self._is_survivor(value) and self.is_answered_from(path)

    def may_keep(self, path: str, key: Any, value: Any, home: Ownership) -> bool:
        """Say whether an entry of a container is no answer of the module's functions, or one that they give again."""
        caches = self.stores.caches & containers_in(path, self.record.module, self.session)
        if not caches or not all(map(self.stores.setters, caches)):
            stores, read = self.stores, self._read
            is_told = not caches or (self._is_survivor(value) and is_account(key, value, stores))
            return is_told or (self._repeats.fills_alike(caches) and is_plain_or_told(key, value, stores, read))
        does_alike = (self._repeats.does_alike(cache, self.stores) for cache in caches)
        is_again = any(map(self._is_survivor, (key, value))) or all(does_alike)
        answered = caches & (self.stores.answered | self.stores.stepped | home.stores.answered)
        return is_again or not (answered or any(map(has_changed, self.record.data)))

    def _is_put_by_cells(self, path: str, key: Any, value: Any) -> bool:
        owners = path, path.rpartition(".")[0]  # they also call methods of what has it: `notes.put("key", value)`
        is_written = any(self.is_written(f"{owner}{place_of(key)}") for owner in owners)
        return is_written or any(is_from_cell(part) or issubclass(type(part), weakref.ref) for part in (key, value))

    def _fillers(self, path: str) -> list[Ownership]:
        """Return what tells of each other module that retires, and whose functions put away answers in a container."""
        if path not in self._others:
            container = value_at(globals_of(self.record.module), path)
            fills = [name for name in self._retiring if self._read.fills(name, self.record.name, path, container)]
            self._others[path] = [Ownership(self.session[name], self._read) for name in fills]
        return self._others[path]

    def _is_handed_answer(self, path: str, value: Any) -> bool:
        """Say whether what is put away in a container has been handed there by other modules that retire.

        An instance of the session's classes is migrated, and an empty container answers nothing.
        """
        return not (self._is_survivor(value) or (is_registry(value) and not value)) and self._is_handed(path)

    def _is_handed(self, path: str) -> bool:
        """Say whether other modules that retire hand what they compute to the functions that fill a container."""
        if path not in self._handed:
            self._handed[path] = any(self._read.hands(name, self.record.name, path) for name in self._retiring)
        return self._handed[path]

    @cached_property
    def _retiring(self) -> list[str]:
        return [name for name in self.after if name in self.session and name not in self._homes]  # other modules

    def _may_assign(
        self, stored: Collection[str], baseline: Mapping[Any, int], name: str, value: Any, known: Mapping[str, Any]
    ) -> bool:
        """Say whether a global or an attribute that was assigned since is the cells', or a count, or kept for somebody.

        The module's functions have assigned to the `stored` names. `known` is what is there in the new module.
        """
        if self.stores.goes_on(name) and self._repeats.begins_alike(name, baseline, known):
            return True
        return self._is_kept(baseline, name, value, known) if name in stored else not self.stores.only_counts(name)

    def _is_kept(self, baseline: Container[Any], name: str, value: Any, known: Mapping[str, Any]) -> bool:
        """Say whether the module's functions have put away an instance that somebody has: asked again, they give it.

        Not under a name that only the old text gives a value, and where nobody has it, the new code makes its own.
        """
        is_asked = known.get(name) is None and (name in known or name not in baseline)
        if not is_asked:
            return False
        unasked = _UNASKED + count_earlier(self.record, self._path, name, value)
        is_held = bool(held_elsewhere([value], self._read.beside.parts.get(name, ()), unasked))
        if not (is_held or is_data(value, self.session) or is_told(value, self._read)):
            return False
        homes = [self.session[home] for home in self._homes if home in self.session]
        return (is_held and self._is_survivor(value)) or gives_again(name, value, homes, self._read)

    def _is_set_up(self, baseline: Mapping[Any, int], name: str, value: Any, known: Mapping[str, Any]) -> bool:
        """Say whether cells had a function set something up that does the same now, or had it make an instance."""
        if not self.stores.setters(name):
            return False
        if name in self.stores.stepped:
            return self._repeats.steps_alike(name, self.stores, baseline, known)
        is_again = self._repeats.does_alike(name, self.stores) or are_instances(value, self.session)
        return is_again or (is_definition(value) and home_of(value) in self.session)  # it is what it is now

    def _is_cached(self, name: str, value: Any) -> bool:
        """Say whether a global is a definition, or a value of another module, that functions keep as `globals()`."""
        if not self.stores.any_global:
            return False
        others = (record.module for record in self.session.values() if record is not self.record)
        return (not self._is_survivor(value) and home_of(value) in self.session) or any(
            globals_of(other).get(name, _missing) is value for other in others
        )

    def _is_survivor(self, value: Any) -> bool:
        return is_instance_of(value, self.session)
