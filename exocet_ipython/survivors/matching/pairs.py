"""Pairs of retired objects and what took their place: matched by where they are defined, never by how they look."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from itertools import product
from types import FunctionType, GetSetDescriptorType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import BOUND_IDS, dict_of, is_shared, variables_around
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.retired import functions_in, retired_module
from exocet_ipython.reloading.wishes import wishes_of
from exocet_ipython.survivors.carrying.registrations import DISPATCHING, dispatcher_of
from exocet_ipython.survivors.classes import classes_made, is_made
from exocet_ipython.survivors.definitions import is_definition, is_machinery, own_parts
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.inner import match_inner
from exocet_ipython.survivors.matching.attributes import binds, lost_methods, pulled_up, pushed_down
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.covered import covered_functions
from exocet_ipython.survivors.matching.members import composed_members, find_by_members, renamed_members
from exocet_ipython.survivors.matching.moved import (
    find_back,
    find_moved,
    find_own,
    have_one_name,
    is_decorated_now,
    is_imported,
    is_made_by_call,
    name_of,
    own_name,
    stands_for_another,
)
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.matching.values import Value, Values, parts_beside
from exocet_ipython.survivors.wrapped import classes_within, functions_within, may_hold, partials_within, space_of

__all__ = ["pair_modules"]


def pair_modules(succession: Succession, older: Iterable[RetiredGeneration] = ()) -> Pairs:
    """Match what the retired modules define with what the current ones do.

    Args:
        succession: which modules retire, and which are current now.
        older: what lives of earlier generations, which were only tracked until now.
    """
    matcher = _Matcher(succession)
    for version in succession.versions():
        matcher.match_version(version)
    for survivor in ((*found, generation.number) for generation in older for found in generation.living()):
        matcher.match_survivor(*survivor)
    matcher.match_pushed_down()
    matcher.match_values()
    known = {*matcher.pairs.objects, *map(id, matcher.pairs.orphans)}
    matcher.pairs.made += classes_made((before for before, _ in matcher.pairs.classes), known, succession.new)
    return matcher.pairs


class _Matcher:
    """Walks the retired modules beside the new ones."""

    def __init__(self, succession: Succession) -> None:
        self.pairs = Pairs()
        self._succession, self._old, self._new = succession, succession.old, succession.new
        self._space: dict[str, Any] = {}  # globals of the module that is being matched
        self._gone: list[tuple[str, Any]] = []  # module, what it had there: defined there, and without a counterpart
        self._bound: list[tuple[dict[str, Any], Any, Any]] = []  # globals, a descriptor that others may hold, another
        self._values = Values(succession)
        self._retiring = set(self._old)  # what others define and these only import stays what it is

    def match_version(self, version: Succession) -> None:
        """Match what one version of the modules defines; all else is about the latest one."""
        latest, self._succession, self._old, self._gone = self._succession, version, version.old, []
        for record in self._old.values():
            self.pairs.own.add(id(getattr(record.module, "__dict__", None)))
            if (wishes := wishes_of(record.module)) is not None:  # its callbacks are about the retired side
                self.pairs.own |= set(map(id, wishes.own_parts()))
        for imported, name in product((False, True), self._old.keys() & self._new.keys()):
            self.match_module(name, imported=imported)
        for name in self._old.keys() - self._new.keys():
            for before in copy_space(globals_of(self._old[name].module)).values():
                self._note_gone(before, name)
        for before, now in covered_functions(version):
            self.match_function(before, now)
            self.pairs.spent.add(id(before.__globals__))
        self.match_moved()
        self._succession, self._old = latest, latest.old

    def match_module(self, name: str, *, imported: bool) -> None:
        """Match what a module names: what it imported, or all else, which counts before that."""
        record, new = self._old[name], self._new[name]
        self._add(record.module, new)
        self._space = globals_of(record.module)
        if not issubclass(type(record.module), ModuleType) and home_of(record.module) == name:
            self._match_class(type(record.module), type(new))  # an instance in the module's stead
        there = under_old_names(globals_of(new), renamed_by(record.module))
        for attribute, before in copy_space(self._space).items():
            now = there.get(attribute)
            if is_machinery(attribute, before) or now is before or is_imported(before, name) is not imported:
                continue
            if now is None:
                self._note_gone(before, name)
            elif stands_for_another(attribute, before, now, self._succession):
                continue
            elif is_definition(before):
                self._match_definition(before, now)
                self._note_name(before, now)
            elif not is_shared(before):  # `Optional[Node]`: a cell that has it may have written it itself
                self._values.note(Value(record, attribute, before, now))
                self._match_within(before, now)

    def _note_gone(self, before: Any, home: str) -> None:
        if (name := own_name(before)) is None or name[0] != home:
            return
        self._gone.append((home, before))
        if is_definition(before):
            (self.pairs.lost if type(before) is FunctionType else self.pairs.orphans).append(before)
            self._leave_as_it_was(before)

    def match_moved(self) -> None:
        """Match what is gone and has a name of its own with what has appeared under that in other modules."""
        for home, before in (gone for gone in self._gone if id(gone[1]) not in self.pairs.objects):
            now = find_moved(before, self._succession) or find_back(before, self._succession)
            self._space = vars(self._old[home].module)
            if now is None and self._new.get(home) is not None:
                found = find_by_members(before, copy_space(self._space), globals_of(self._new[home]))
                now = None if self._values.is_elsewhere(found) else found
            if is_definition(before) and now is not None:
                self._match_definition(before, now)
            elif now is not None:
                self._add(before, now)
                self._match_within(before, now)
            self._note_name(before, now)

    def _note_name(self, before: Any, now: Any) -> None:
        """Note what something was called before; what still has that name is another's."""
        name, former = name_of(now), name_of(before)
        if name and former and name != former:
            self.pairs.former[name] = former

    def match_pushed_down(self) -> None:
        """Match what bases had that are gone with what the classes that derived from them have themselves by now."""
        for member in pushed_down(self.pairs, self._retiring, self._succession):
            record = self._old.get(home_of(member[0]))
            self._space = {} if record is None else globals_of(record.module)
            self._match_part(*member)
        for method in lost_methods(self.pairs):  # what has one bound may find another class's by now
            self.pairs.lost.append(method)
            self._leave_as_it_was(method)

    def match_values(self) -> None:
        """Match the instances and containers that modules and classes name, and what is in them."""
        for space, before, now in self._bound:  # all classes are known by now, in whichever order their modules came
            self._space = space
            if name_of(before) == name_of(now) != "" or self._class_now(now) is self._class_now(before):
                self._add(before, now)
                self._match_within(before, now)
        for value in self._values.own():
            self._space = globals_of(value.record.module)
            self._add(value.before, value.now)
            self._match_parts(value)
        for before, now in self._values.foreign():
            self._add(before, now)

    def _match_parts(self, value: Value) -> None:
        """Match what is in a container, by key or by place."""
        for part in parts_beside(value):
            before, now = part.before, part.now
            if is_definition(before):
                if have_one_name(before, now):
                    self._match_definition(before, now)
            elif (
                id(before) not in self.pairs.objects
                and self._class_now(now) is self._class_now(before)
                and self._values.is_own(part)
                and not self._values.note_foreign(before, now, value.now)
            ):
                self._add(before, now)
                self._match_parts(part)

    def _class_now(self, instance: Any) -> Any:
        """Return the class of an instance, or what has taken its place; what an undo brings back may have moved."""
        kind = type(instance)
        return self.pairs.objects.get(id(kind), (kind, kind))[1]

    def match_survivor(self, kind: str, name: str, value: Any, number: int) -> None:
        """Match a module, class, function or instance of an earlier generation, known by its dotted name."""
        self._space, (module, path) = {}, self._succession.place_of(name)
        self._retiring.add(module)
        now = self._succession.find_latest(name)
        if now is None and kind != "module":
            now = find_moved(value, self._succession, number)  # it went in a save before this one
            self._note_name(value, now)
        if kind == "module":
            self.pairs.own.add(id(getattr(value, "__dict__", None)))
            if now is not None and not path:
                self._add(value, now)
        elif issubclass(type(value), type):
            self._match_class(value, now)
        elif type(value) is FunctionType:
            self._space = space_of(value)
            self.match_function(value, now)
        elif now is not None and now is not value and not self._values.note_foreign(value, now):
            self._add(value, now)
            self._match_within(value, now)

    def _match_definition(self, old: Any, new: Any) -> None:
        (self.match_function if type(old) is FunctionType else self._match_class)(old, new)

    def _match_class(self, old: type, new: Any) -> None:
        if new is None or new is old or id(old) in self.pairs.objects:
            return
        if home_of(old) not in self._retiring and (self._values.is_elsewhere(old) or not is_made(old, self._new)):
            return  # not its module's own, unless a function of another module has made it
        self._add(old, new)
        if not issubclass(type(new), type):  # a function now, say: it answers under the name
            return
        self.pairs.classes.append((old, new))
        self._leave_as_it_was(old)
        counterparts = under_old_names(vars(new), renamed_by(old))
        for attribute, before in copy_space(vars(old)).items():
            if (now := counterparts.get(attribute)) is None:
                now = pulled_up(attribute, before, new)
            if now is not None and now is not before and type(before) is not GetSetDescriptorType:  # `__dict__`, say
                self._match_part(old, new, attribute, before, now)
        for before, now in (*renamed_members(old, new), *composed_members(old, new)):
            self._add(before, now)

    def _leave_as_it_was(self, definition: Any) -> None:
        """Note what makes up a retired class or function: nothing of the new generation may come into it."""
        self.pairs.own.update(map(id, own_parts(definition)))

    def _match_part(self, old: type, new: type, attribute: str, before: Any, now: Any) -> None:
        """Match what a class and its counterpart have under one name."""
        record = self._old.get(home_of(old))
        is_plain = type(before) is type(now) is FunctionType and not before.__dict__  # most are plain methods
        if is_plain or is_decorated_now(before, now):
            self.match_function(before, now)
        elif issubclass(type(before), type):
            is_for_it = find_own(self._old, before) is not before and have_one_name(before, now)
            if is_for_it or before.__qualname__ == f"{old.__qualname__}.{attribute}":
                self._match_class(before, now)
        elif issubclass(old, enum.Enum) and type(before) is old:
            if type(now) is new:
                self._add(before, now)
        elif not self._values.note_attribute(record, old, attribute, (before, now)):
            self._match_descriptor(old, new, attribute, before, now)

    def _match_descriptor(self, old: type, new: type, attribute: str, before: Any, now: Any) -> None:
        """Match a method, property or the like that is no plain function, and what it has."""
        record, both = self._old.get(home_of(old)), (before, now)
        within = [part.__func__ if id(type(part)) in BOUND_IDS else None for part in both]
        if (type(before), type(now)) == (staticmethod, staticmethod):
            self._values.note_attribute(record, old, attribute, (within[0], within[1]), before)
        self._bound += [(self._space, one, other) for one, other in (both, within) if binds(one, self._new)]
        if type(within[0]) is FunctionType is not type(within[1]):
            self.match_function(within[0], within[1])  # a decorator makes something else of it by now
        dispatchers = [dispatcher_of(part) for part in both]
        for first, second in [*zip(functions_in(before), functions_in(now), strict=False), dispatchers]:
            if type(first) is FunctionType:
                self.match_function(first, second)
        if (type(before), type(now)) == (staticmethod, classmethod) and id(before.__func__) in self.pairs.objects:
            self.pairs.objects[id(before.__func__)] = before.__func__, now.__get__(None, new)  # as it is looked up

    def _match_within(self, old: Any, new: Any) -> None:
        """Match the functions and classes that decorators have wrapped; what has them stays as it was."""
        self.pairs.own.update(map(id, (dict_of(old), *partials_within(old)) if may_hold(old) else ()))
        for before, now in functions_within(old, new):
            self.match_function(before, now)
        for cls, other in classes_within(old, new):
            self._match_class(cls, other)

    def match_function(self, old: FunctionType, new: Any) -> None:
        """Match a function, and what it has wrapped."""
        is_done = new is None or new is old or id(old) in self.pairs.objects
        if is_done or (old.__module__ not in self._retiring and not is_made_by_call(old)):
            return
        self._add(old, new)
        self._leave_as_it_was(old)
        if old.__code__ is DISPATCHING and getattr(new, "__code__", None) is DISPATCHING:
            for name in ("dispatch", "register"):
                self._add(vars(old)[name], vars(new)[name])
            held = variables_around(vars(old)["dispatch"])  # the registry among them, and the cache of answers
            self.pairs.own |= {id(getattr(part, "data", part)) for part in held.values()}
        self._match_within(old, new)
        if type(new) is FunctionType:
            self.pairs.functions.append((old, new, self._space))
        if type(new) is FunctionType or issubclass(type(new), type):  # a class may decorate as a function did
            retired = retired_module(old.__globals__)
            for code in [old.__code__] if retired is None else retired.codes(old):
                self.pairs.add_inner(match_inner(old, new, code))

    def _add(self, old: Any, new: Any) -> None:
        self.pairs.objects.setdefault(id(old), (old, new))
