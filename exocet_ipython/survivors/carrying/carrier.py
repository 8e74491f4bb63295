"""Carrying over what the person's cells put into a module's state: a restart would run those cells again.

Theirs are registrations of functions, classes and instances that cells made, attributes that cells assigned, and
entries of containers: those that were not there when the module's body had run. What the module's own functions
computed and put away is a cache of the old code, and is not carried (`stores.py` tells the two apart).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakSet

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import (
    ATOMS,
    CACHE,
    dict_of,
    is_pythons,
    is_registry,
    state_of,
    unbound,
)
from exocet_ipython.reloading.holding.entries import entries_beside, place_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.items import count_of
from exocet_ipython.reloading.holding.marks import is_marked
from exocet_ipython.reloading.holding.parts import ids_by_name, ids_in_order, size_of
from exocet_ipython.reloading.holding.paths import owner_of, path_behind
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.assigning import assign
from exocet_ipython.survivors.carrying.beside import carry_beside
from exocet_ipython.survivors.carrying.components import carry_registered, has_parts, have_parts
from exocet_ipython.survivors.carrying.contexts import carry_context
from exocet_ipython.survivors.carrying.copies import (
    carry_longer,
    is_another,
    is_changed_copy,
    takes_content,
    takes_whole,
)
from exocet_ipython.survivors.carrying.earlier import earlier_at
from exocet_ipython.survivors.carrying.fitted import Beginning, hand_over, is_of_library, is_tensor
from exocet_ipython.survivors.carrying.going_on import GoingOn
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.carrying.places import carry_places, in_first_order, reorder
from exocet_ipython.survivors.carrying.registrations import carry_registrations
from exocet_ipython.survivors.carrying.removals import take_out_again
from exocet_ipython.survivors.former import under_old_names
from exocet_ipython.survivors.origins import has_own_attributes, is_instance_of, is_put_again, special_parts_of_cells
from exocet_ipython.survivors.repeating.answers import carry_answers
from exocet_ipython.survivors.repeating.beginnings import as_begun
from exocet_ipython.survivors.repeating.entries import (
    MANY,
    changed_entries,
    count_in,
    emptied,
    held_entries,
    hold_alike,
    inherited,
    is_map,
    is_of_one_kind,
    item_in,
    names_in,
    place_in,
    put_into,
)
from exocet_ipython.survivors.repeating.untouched import is_alike
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.wrapped import may_hold

__all__ = ["Carrier"]

# Attributes of a class in which `enum` and SQLAlchemy keep what they have made of it.
_LIBRARIES = frozenset(("_value2member_map_", "_sa_class_manager", "_sa_registry"))
_UNREFERRED = 3  # references to an item of a weak set that nobody else holds
_STATELESS = frozenset(map(id, (*ATOMS, ModuleType, BuiltinFunctionType)))


class Carrier:
    """Carries the state of one module, whose record it has; `again` is that of one which returns with its values."""

    def __init__(
        self, record: ModuleRecord, read: ReadStores, journal: Journal, again: ModuleRecord | None = None
    ) -> None:
        self._record = record
        self._session = read.session
        self._read = read
        self._journal = journal
        self._again = again
        self._owned = Ownership(record, read)
        self._going_on = GoingOn(None, (), journal)

    def carry(self, module: ModuleType, names: Collection[str] | None = None, alone: Collection[int] = ()) -> set[int]:
        """Carry what the module has under all names, or some, to a new one; return the ids of what is carried whole."""
        namespace, whole = under_old_names(globals_of(module), self._read.renamed), set[int]()
        self._going_on = GoingOn(self._read.new.get(self._record.name), alone, self._journal)
        self._carry_assigned(module, self._as_begun(namespace), names)
        space = copy_space(globals_of(self._record.module))
        space = space if names is None else {name: space[name] for name in names}
        for name, value in space.items():
            kind = type(value)
            is_stateless = id(kind) in _STATELESS or is_pythons(name, value) or not may_hold(value)
            if is_stateless or (now := namespace.get(name)) is None or now is value:
                continue
            if kind is type(now) is MethodType:
                path = path_behind(space, value)
                if path not in namespace and path in self._record.contents:
                    whole |= self._carry_value(path, value.__self__, now.__self__)
            elif (origin := self._read.find_origin(self._record, name, value)) is not None:
                record, path = origin
                carrier = Carrier(record, self._read, self._journal, self._again)
                carrier._going_on = self._going_on
                whole |= (found := carrier._carry_value(path, value, now))
                self._going_on.put("", (module, self._name_now(name)), (value, now), found)
            carry_registrations(value, now, self._read, self._record.code)
            if kind is CACHE:
                carry_answers(value, now, self._read, earlier_at(self._record, name))
        return whole

    def _carry_assigned(self, module: ModuleType, namespace: Mapping[str, Any], names: Collection[str] | None) -> None:
        """Carry the globals that were assigned since."""
        meant, space = self._read.assigned_in(self._record.name), globals_of(self._record.module)
        again = {name: space[name] for name in space.keys() & meant if is_put_again(name, space[name], meant)}
        for name, value in [*(self._record.assigned() | again).items()] if namespace else ():  # a dict refers to each
            is_meant = (not is_dunder(name) or name in meant) if names is None else name in names
            if is_meant and is_changed_copy(name, value, self._owned):
                place = module, self._name_now(name)
                carry_longer(place, name, (value, namespace.get(name)), self._carry_items, self._journal)
            elif is_meant and self._owned.is_assigned(name, value, namespace):
                self._journal.set_attribute(module, self._name_now(name), value)

    def _as_begun(self, known: Mapping[str, Any], path: str = "") -> Mapping[str, Any]:
        """Return what has some names, globals or on a path; in what returns as its body has left it."""
        return known if self._again is None else as_begun(known, path, self._again, self._read.renamed)

    def _name_now(self, name: str) -> str:
        return self._read.renamed.get(name, name)

    def _carry_value(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry the state of one of the module's values; return the ids of what was carried whole."""
        carry_context(before, now, returned=self._again is not None)
        return self._carry_state(path, before, now, has_parts=has_parts(self._record, path, before, now))

    def _carry_parts(self, path: str, before: Any, now: Any, baseline: Mapping[Any, int]) -> set[int]:
        """Carry the attributes of a class or instance that are not in the baseline, and the items of its containers."""
        meant = self._read.assigned_in(self._record.name)
        parts = state_of(before) + special_parts_of_cells(before, meant)
        known = under_old_names(dict(state_of(now)), self._read.renamed) if parts else {}
        if type(before) is FunctionType:  # a variable that the new one has not around it becomes no attribute
            parts = [part for part in parts if part[0] in known or part[0] in before.__dict__]
        is_class = issubclass(type(before), type)
        begun = self._as_begun(known, path)
        outer, whole = self._owned, set[int]()
        self._owned = outer.with_makers(before, now, path)
        for name, value in parts:
            if name in _LIBRARIES or name.startswith("_abc_"):
                continue
            inner = f"{path}.{name}"
            is_left = baseline.get(name) == id(value) and not is_another(inner, value, self._record, self._owned)
            is_left = is_left and not is_put_again(inner, value, meant)
            if is_left and name in known and not may_hold(value):
                continue
            if is_left or is_changed_copy(inner, value, self._owned):
                above = inherited(now, name, self._session) if is_class and name not in known else None
                if is_class and has_own_attributes(value, self._record.name) and type(known.get(name)) is FunctionType:
                    self._carry_state(inner, value, known[name], has_parts=True)
                else:
                    both = value, known.get(name, above)
                    whole |= (found := self._carry_part(inner, *both))
                    self._going_on.put(path, (now, self._name_now(name)), both, found)
                longer = None if is_left else known.get(name, above)
                place = now, self._name_now(name)
                carry_longer(place, inner, (value, longer), self._carry_items, self._journal)
            elif self._owned.is_attribute_assigned(baseline, name, value, begun):
                assign(now, self._name_now(name), value, self._journal)
        if not is_class:
            carry_beside(parts, known, self._journal)
        if not is_class and self._owned.is_with(before, now, baseline, self._read.renamed):
            whole.add(id(before))
        self._owned = outer
        return whole

    def _carry_part(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry what is in a container or an instance that was in another one when the body ran.

        Of an instance of a library's class, which that changes itself, all of it, or what is a cell's own.
        """
        carry_context(before, now, returned=self._again is not None)
        before, now = unbound(before), unbound(now)
        if not (type(before) is tuple or path in self._record.contents) or now is None or now is before:
            return set()
        return self._carry_state(path, before, now, has_parts=have_parts(before, now, self._read))

    def _carry_state(self, path: str, before: Any, now: Any, *, has_parts: bool) -> set[int]:
        """Carry what a value holds, in the way of its kind; what it has for `parts` one by one."""
        if is_marked(before):
            how = {"returns": self._again is not None, "goes_on": self._going_on.replaces(now)}
            return {id(before)} if takes_content(path, before, now, self._owned, **how) else set()
        if is_registry(before):
            whole = self._carry_items(path, before, now)
            if count_of(before) <= MANY and is_alike(before, now, self._read.after):
                whole.add(id(before))
            if (space := dict_of(before)) and is_of_one_kind(before, now):  # of a class of somebody's own
                baseline = ids_by_name(space, self._record.contents.get(f"{path}.__dict__"))
                whole |= self._carry_parts(path, before, now, baseline) - {id(before)}
            return whole
        if type(before) is tuple:
            return self._carry_nested(path, before, now) if type(now) is tuple else set()
        if self._takes_state(path, before, now):
            return {id(before)}
        if has_parts:
            return self._carry_parts(path, before, now, self._record.contents.get(path, {}))
        carry_registered(path, (before, now), self._record, self._read, self._journal)
        return set()

    def _takes_state(self, path: str, before: Any, now: Any) -> bool:
        """Have an object of a library take what the library has made of the old one since; say whether it has."""
        root = globals_of(self._record.module).get(owner_of(path))
        is_whole = root is before or is_registry(root) or is_instance_of(root, self._session)
        read, owned = self._read, self._owned
        answers = (lambda homes, at: read.answer_for_others(homes, names_in(at))) if is_whole else owned.answers
        beginning = Beginning(path, self._record.contents, answers)
        may_take = is_of_library(before, self._session) and not self._owned.is_answered_from(path)
        return may_take and hand_over(before, now, beginning, self._session, self._journal)

    def _carry_items(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry the entries of a container that weren't there after the body ran; say whether that was all of them."""
        if not hold_alike(before, now) or count_of(before) > MANY:
            return set()
        baseline = self._record.contents.get(path, {})
        count = len(changed := changed_entries(before, baseline, now, self._read.after))
        changed = [entry for entry in changed if not self._owned.was_given(*entry, before)]
        if len(changed) == count and takes_whole(path, (before, now), changed, self._owned, self._journal):
            return {id(before)}
        if (first := in_first_order(before, now, baseline)) is not None and self._owned.leaves_alone(path):
            whole = self._carry_nested(path, first, now)
            reorder(before, first, now, self._journal)
            return whole | {id(before)}
        placed = carry_places(path, before, now, self._owned, self._journal)
        if placed is not None:
            return self._carry_nested(path, before, now) | ({id(before)} if placed else set())
        is_told = take_out_again(path, before, now, self._owned, self._journal)
        carried = sum(self._carry_entry(path, entry, before, now, baseline) for entry in changed)
        for entry in held_entries(before, now, changed, self._read, earlier_at(self._record, path)):
            if is_map(before) or not self._owned.is_modules(path, *entry):  # a new map has theirs already
                put_into(now, *entry, self._journal)
        self._owned.put_in_order(path, now if changed else None, self._journal)
        whole = self._carry_nested(path, before, now)
        if (is_told or (count and count_of(before) >= size_of(baseline))) and carried == len(changed):
            whole.add(id(before))
        return whole

    def _carry_entry(
        self, path: str, entry: tuple[Any, Any], before: Any, now: Any, baseline: Mapping[Any, int]
    ) -> bool:
        """Carry one entry of a container; say whether the new one has it, or will have it from its own module."""
        key, value = entry
        is_modules = self._owned.is_modules(path, value if id(key) in baseline else key, value)  # the key was there
        is_alive = type(before) is WeakSet and sys.getrefcount(key) > _UNREFERRED  # since the person has it
        is_theirs = not is_modules and (is_alive or self._owned.is_persons(path, key, value))
        is_new = is_registry(value) and id(key) not in baseline
        if is_new and self._owned.begins(path, before) and (key in now or not is_theirs):
            self._carry_begun(f"{path}{place_of(key)}", value, now, key)
            return key in now
        is_put = is_map(before) and key in now and id(key) not in baseline and home_of(value) in self._session
        if is_theirs and not is_put:
            place, count = place_in(before, key, baseline), count_in(before, key)
            put_into(now, item_in(now, key, self._read.after), value, self._journal, place=place, count=count)
        return is_theirs or is_modules

    def _carry_begun(self, path: str, before: Any, now: Any, key: Any) -> set[int]:
        """Carry what is in such a container, into the one under its key in the new map, or into another one."""
        counterpart = now[key] if key in now else emptied(before)
        whole = self._carry_items(path, before, counterpart)
        if counterpart and key not in now:
            self._journal.set_item(now, key, counterpart)
        return whole

    def _carry_nested(self, path: str, before: Any, now: Any) -> set[int]:
        """Carry what was put into the containers and instances that a container has had since the body ran."""
        places = [] if is_map(before) else ids_in_order(self._record.contents.get(path, {}))
        whole: set[int] = set()
        for key, part, known in entries_beside(before, now):
            if places and (key >= len(places) or places[key] != id(part)):
                continue  # others come before it by now
            inner = f"{path}{place_of(key)}"
            if known is None and is_map(before) and is_registry(part) and inner in self._record.contents:
                whole |= self._carry_begun(inner, part, now, key)
            else:
                whole |= (found := self._carry_part(inner, part, known))
                if found and is_tensor(part):  # who trains it holds it
                    self._journal.set_item(now, key, part)
        return whole
