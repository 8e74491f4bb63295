"""What the functions of all of a session's modules store, and where what is in a module's containers comes from."""

from __future__ import annotations

import functools
import operator
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import CACHE, cell_values, is_registry
from exocet_ipython.reloading.holding.entries import place_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.paths import last_name_of, owner_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.comparison import Beside
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.origins import is_from_cell, is_instance_of
from exocet_ipython.survivors.storing.asking import as_written, find_asking
from exocet_ipython.survivors.storing.filling import may_fill
from exocet_ipython.survivors.storing.handing import filled_by_hand
from exocet_ipython.survivors.storing.libraries import read_library, text_of_library
from exocet_ipython.survivors.storing.stores import Stores, read_stores

__all__ = ["Part", "ReadStores", "codes_in"]

_NONE: Mapping[str, Collection[str]] = MappingProxyType({})


class Part(NamedTuple):
    """What a module or a class has that retires, with what takes its place, and the classes; `object` for none."""

    before: Any
    now: Any
    cls: type
    new_cls: type


class ReadStores:
    """What the functions of a session's modules store, each text read once, and only when it is asked for.

    Attributes:
        session: dotted name -> record.
        after: dotted name -> what takes the place of a module that retires; see `retiring`.
        moves: whether instances of classes that retire move to the new ones.
        new: dotted name -> record, of what is current from now on.

    Args:
        session: that.
        assigned: dotted name -> what cells have assigned to the module or its classes, and the paths of the entries
            that they have written: that is theirs, whoever else stores there.
        new: see above.
        moves: whether instances move.
    """

    def __init__(
        self,
        session: Mapping[str, ModuleRecord],
        assigned: Mapping[str, Collection[str]] = _NONE,
        new: Mapping[str, ModuleRecord] = MappingProxyType({}),
        *,
        moves: bool = False,
    ) -> None:
        self.session, self.moves, self.new = session, moves, new
        self.after: Mapping[str, ModuleType | None] = {}
        self._assigned = assigned
        self._known: dict[str, Stores] = {}
        self._together: dict[tuple[str, ...], Stores] = {}

    def retiring(self, after: Mapping[str, ModuleType | None]) -> ReadStores:
        """Return the same for modules that retire, each with what takes its place; what was read of texts is shared."""
        one = ReadStores(self.session, self._assigned, self.new, moves=self.moves)
        one.after, one._known, one._together = after, self._known, self._together
        return one

    @functools.cached_property
    def retired(self) -> list[ModuleRecord]:
        """The records of the modules that retire, as far as they are of the session."""
        return [self.session[name] for name in self.after if name in self.session]

    @functools.cached_property
    def beside(self) -> Beside:
        """What else is another now for code that is compared."""
        return Beside.of(self.retired, self.after)

    @functools.cached_property
    def renamed(self) -> Mapping[str, str]:
        """Names that modules which retire had for what has others in those of now, each with that one."""
        return {was: name for record in self.retired for was, name in self.renamed_in(record.name).items()}

    def renamed_in(self, name: str) -> Mapping[str, str]:
        """Return the same of one module."""
        return renamed_by(self.session[name].module)

    def with_new_names(self, names: Collection[str]) -> set[str]:
        """Return some names, and those that they are by now."""
        return {*names, *(self.renamed[name] for name in names if name in self.renamed)}

    def naming(self, name: str) -> list[Part]:
        """Return what modules that retire, and their classes, have of functions that use a global name or attribute."""
        return self._naming.get(name, [])

    @functools.cached_property
    def _naming(self) -> Mapping[str, list[Part]]:
        found: defaultdict[str, list[Part]] = defaultdict(list)
        for part in (part for record in self.retired for part in self._parts_of(record.name)):
            for used in {used for code in codes_in(part.before) for used in code.co_names}:
                found[used].append(part)
        return found

    def _parts_of(self, home: str) -> Iterator[Part]:
        """Yield what a module and its classes have, each with what takes its place."""
        spaces = [copy_space(globals_of(one)) for one in (self.session[home].module, self.after[home])]
        for key, before in spaces[0].items():
            now: Any = spaces[1].get(key)
            if (vars(before).get("__module__") if type(before) is CACHE else home_of(before)) != home:
                continue
            yield Part(before, now, object, object)
            if issubclass(type(before), type) and issubclass(type(now), type):
                others = under_old_names(vars(now), self.renamed)
                yield from (Part(one, others.get(name), before, now) for name, one in copy_space(vars(before)).items())

    def of(self, names: tuple[str, ...]) -> Stores:
        """Return what the functions of some modules store, given by their names; Python's own are not looked at."""
        if names not in self._together:
            self._together[names] = functools.reduce(operator.or_, map(self._read, dict.fromkeys(names)))
        return self._together[names]

    def text_now(self, name: str) -> bytes:
        """Return the text of a module as it is from now on; of one that is gone, the last one."""
        return self.new.get(name, self.session[name]).snapshot.data or b""

    def is_assigned(self, name: str, path: str) -> bool:
        """Say whether cells have written the entry of a module's container that a path leads to."""
        return path in self.assigned_in(name)

    def assigned_in(self, name: str) -> Collection[str]:
        """Return what cells have assigned to a module or its classes, and paths of entries that they wrote."""
        return self._assigned.get(name, ())

    def puts_itself(self, name: str, path: str, key: Any, value: Any) -> bool:
        """Say whether the own module of an entry has put it into a module's container, and does so when made anew.

        What came after the body of the container's own module had run, that body has not put there. Plain data shows
        nothing of who put it there: of a module that Python has imported since, unseen, its code does.

        Args:
            name: of the module that has the container.
            path: of the container in it.
            key: of the entry; an item is its own.
            value: of the entry.
        """
        if is_from_cell(key) or is_from_cell(value) or self.is_assigned(name, f"{path}{place_of(key)}"):
            return False
        parts = [part for part in (key, value) if is_definition(part)]
        homes = {home_of(part) for part in parts if not self._is_of_later_call(part)}
        if not parts:
            later = [one for one in self._unseen if one.order > self.session[name].order]
            homes = {one.name for one in later if may_fill(one.body_code, last_name_of(path), key)}
        return any(self.can_import(home, name) for home in homes - {name})

    def fills(self, name: str, owner: str, path: str, container: Any) -> bool:
        """Say whether functions of a module put answers into a container of another one, and answer from it.

        Args:
            name: of the module.
            owner: of the one that has the container.
            path: of the container in that one.
            container: itself; what the first one has under its name is another one, if it is not this.
        """
        part, text = last_name_of(path), self.session[name].snapshot.data or b""
        if part.encode() not in text or not self.can_import(name, owner):  # most texts name no such thing
            return False
        space = globals_of(self.session[name].module)
        # Of an attribute only the name is known; a global is none of an instance.
        is_meant = space[part] is container if part in space else part != path or _is_of_others(part, text)
        return is_meant and part in self.of((name,)).caches

    def hands(self, name: str, owner: str, path: str) -> bool:
        """Say whether a module has functions of another one answer from a container there what it has computed.

        By handing these what computes it, as to a decorator that remembers, or what it has computed itself.

        Args:
            name: of the first one.
            owner: of the one that has the container.
            path: of the container in that one.
        """
        part, text = last_name_of(path), self.session[name].snapshot.data or b""
        asking = find_asking(self.session[owner].snapshot.data or b"")
        putting, root = self.of((owner,)).handing, owner_of(path)
        names = {known for container, known in asking if container == as_written(part)}
        keeping = {one.name for one in putting if part in one.keeps}
        if root != part and not _names_any(text, {root, *(one.name for one in putting if root in one.looked_at)}):
            return False  # another one's attribute of that name is meant
        is_handed = bool(names) and (root != part or _names_any(text, names))
        if not is_handed and _names_any(text, keeping):
            both = self.of((name, owner)).handing
            is_handed = part in filled_by_hand(both) - filled_by_hand(putting)
        return is_handed and self.can_import(name, owner)

    def find_origin(self, record: ModuleRecord, name: str, value: Any) -> tuple[ModuleRecord, str] | None:
        """Return the record that knows what a global held at first, and its name there: of the module it comes from.

        That is another one where it was imported from one that has it no more; None where that one has it still.

        Args:
            record: of the module that has it.
            name: of the global.
            value: what it is.
        """
        origin = record, name
        is_made = is_definition(value) and "<locals>" in value.__qualname__
        if is_definition(value) and not is_made:
            if home_of(value) != record.name and home_of(value) in self.after:
                origin = self.session[home_of(value)], value.__qualname__
        elif is_made or is_registry(value) or is_instance_of(value, self.session):
            homes = [self.session[need] for need in record.needs if need in self.after and need in self.session]
            spaces = [(home, globals_of(home.module)) for home in homes if record.name not in home.needs]
            found = ((home, key) for home, space in spaces for key in copy_space(space) if space.get(key) is value)
            origin = next(found, origin)
        home, path = origin
        return origin if home is record or path not in globals_of(self.after[home.name]) else None

    def answer_for_others(self, homes: Collection[str], names: Collection[str]) -> bool:
        """Say whether functions of libraries put into a container what functions that they were given have answered.

        Args:
            homes: names of the libraries' modules.
            names: on the way to the container.
        """
        written = set(map(as_written, names))
        return any(name in written for home in homes for name, _ in find_asking(text_of_library(home)))

    def can_import(self, importer: str, imported: str) -> bool:
        """Say whether a module of the session is another one, or imports it, directly or through others."""
        waiting, seen = [importer] if importer in self.session else [], {importer}
        while waiting:
            name = waiting.pop()
            if name == imported:
                return True
            statements = self.session[name].imports if name in self.session else ()
            names = {found for statement in statements for found in statement.names}
            waiting += names - seen
            seen |= names
        return False

    def _is_of_later_call(self, definition: Any) -> bool:
        """Say whether a closure was made by a call that came after the body of its module, which was seen to run."""
        record = self.session.get(home_of(definition))
        is_closure = type(definition) is FunctionType and "<locals>" in definition.__code__.co_qualname
        return is_closure and record is not None and not record.is_adopted

    @functools.cached_property
    def _unseen(self) -> list[ModuleRecord]:
        """The modules that Python has imported by itself."""
        return [record for record in self.session.values() if record.is_adopted]

    def _read(self, name: str) -> Stores:
        if name not in self._known:
            record = self.session.get(name)
            if record is None:
                return read_library(name)
            found = Stores() | read_stores(record.snapshot.data or b"")
            for names in (found.globals, found.attributes, found.counted):
                names.difference_update(self._assigned.get(name, ()))
            self._known[name] = found
        return self._known[name]


def _names_any(text: bytes, names: Collection[str]) -> bool:
    """Say whether a text has one of some names."""
    return any(re.search(rb"\b%s\b" % name.encode(), text) for name in names)


def _is_of_others(name: str, text: bytes) -> bool:
    """Say whether a text has a name otherwise than as an attribute of a method's own instance or class."""
    return re.search(rb"(?<!\bself\.)(?<!\bcls\.)\b%s\b" % name.encode(), text) is not None


def codes_in(part: Any) -> list[CodeType]:
    """Return the code of a function or method, cached or decorated or not, and of what is inside of it.

    >>> [code.co_name for code in codes_in(functools.cache(codes_in))][:1], codes_in(1)
    (['codes_in'], [])
    """
    functions = functions_in(vars(part).get("__wrapped__") if type(part) is CACHE else part)
    functions += [one for function in functions for one in cell_values(function) if type(one) is FunctionType]
    return [code for function in functions for code in whole(function.__code__)]
