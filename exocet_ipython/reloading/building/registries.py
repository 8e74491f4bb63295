"""Registries that a build fills: containers of modules that it imports and doesn't make anew.

A module that runs again adds its entries again: to a list twice, under a new name beside the old one. What is, or has,
a class or a function shows where it comes from, and its registry is made anew with it, or has the new one in its place;
a name, a number, a weak reference or a library's own record of it doesn't. So containers are looked at before and after
a build, and where one was given such entries, its module must be made anew as well; and where one has an entry whose
name an edit has taken out of the text.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by, set_attribute
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.building.attributes import Attributes
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.contents import ATOM_IDS, attributes_of, refill
from exocet_ipython.reloading.holding.held import definitions_shown, home_of
from exocet_ipython.reloading.holding.paths import value_at
from exocet_ipython.reloading.imports import lines_of
from exocet_ipython.reloading.ladder.operations import is_class_body, strings_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.texts import Texts

__all__ = ["CONTAINERS", "Registries", "container_at", "containers_of", "has_still", "literals_of"]

_MANY = 1_000
CONTAINERS = frozenset(map(id, (dict, defaultdict, OrderedDict, Counter, list, set, deque)))


class Registries:
    """The containers of living modules that a plan's modules import, and all attributes, as they are before a build.

    Args:
        plan: what is to be made anew.
        current: the generation whose other modules go on.
        texts: what has been read of the plan's modules already: these may import others than before.
    """

    def __init__(self, plan: Plan, current: Generation, texts: Texts) -> None:
        self._made = plan.names
        self._records = current.records
        old = [current.records[name] for name in self._made if name in current.records]
        new = [lines_of(texts[record.name].imports, record.name) for record in old if record.name in texts]
        self._known = self._imported_by(record.needs for record in old)
        self._imported = self._imported_by(new, self._known)
        values = [(name, value) for name in self._imported for _, value in _values_of(current.records[name])]
        self._before: list[tuple[str, Any, Any]] = [
            (name, value, dict(value) if isinstance(value, dict) else list(value))
            for name, value in values
            if _is_container(value)
        ]
        self._homes = [(name, value, module_said_by(value)) for name, value in values if issubclass(type(value), type)]
        modules = [current.records[name].module for name in self._imported]
        self._attributes = Attributes([*modules, *(value for _, value in values)])

    def filled(self, made: Collection[ModuleRecord]) -> frozenset[str]:
        """Return the names of the modules whose containers have entries of what was made that don't tell it.

        Those that they were given now, and those of a name that only what was made had in its text, and has no more.
        And of the modules whose classes were said to be of another one: `Room.__module__ = "app"`.

        Args:
            made: records of the modules that were made.
        """
        names = self._made.union(record.name for record in made)
        filled = {name for name, container, before in self._before if _was_filled(container, before, names)}
        filled |= {name for name, cls, home in self._homes if module_said_by(cls) != home}
        entries = [(name, item) for name, _, before in self._before for item in _names_in(before)]
        codes = {record.name: record.code for record in made}
        edited = [name for name in self._made & self._records.keys() if codes.get(name) is not self._records[name].code]
        dropped = self._words_of(edited).intersection(item for _, item in entries) if entries else frozenset()
        if dropped:  # hardly ever: what else names them is only looked at then
            dropped = dropped.difference(*map(literals_of, codes.values()))
            filled |= {name for name, item in entries if item in dropped and item not in self._words_of((name,))}
        return frozenset(filled)

    def _words_of(self, modules: Iterable[str]) -> frozenset[str]:
        """Return the strings that the bodies of living modules name."""
        codes = (self._records[name].readable_code for name in modules if name in self._records)
        return frozenset[str]().union(*map(literals_of, codes))

    def look_again(self, made: Collection[ModuleRecord]) -> bool:
        """Have the modules that may have been given something be asked anew what they hold.

        Args:
            made: records of the modules that were made.

        Returns:
            Whether they have set attributes: no undo does so again, unless their bodies run.
        """
        for name, container, before in self._before:
            if not has_still(container, before):
                self._records[name].look_again(_given(container, before))
        names = frozenset(record.name for record in made)
        for name in self._imported_by((record.needs for record in made), self._known) - self._known:
            record = self._records[name]
            containers = [container for _, container in containers_of(record)] if name not in self._imported else ()
            items = [item for container in containers for item in _parts(container) if _is_told(item, names)]
            record.look_again(dict.fromkeys(map(id, items), True))  # no earlier version could put anything there
        changed = [*self._attributes.changed()]
        for record in self._records.values() if changed else ():
            space = globals_of(record.module)
            record.values.update({key: id(space[key]) for owner, key in changed if owner is record.module})  # no cell's
        return bool(changed)

    def _imported_by(self, needs: Iterable[Mapping[str, int]], found: Collection[str] = ()) -> set[str]:
        """Return the modules that go on and that others need, directly or through others.

        Args:
            needs: what each of the others needs.
            found: modules that are known to be such already, with all that they need.
        """
        left = self._records.keys() - self._made
        left.difference_update(found)
        new = set(found)
        waiting = list(needs)
        while waiting:
            for name in waiting.pop():
                if name in left:
                    left.remove(name)
                    new.add(name)
                    waiting.append(self._records[name].needs)
        return new

    def restore(self) -> None:
        """Put all back: what was built is dropped, since it failed, or is made together with these modules."""
        for _, container, before in self._before:
            refill(container, before)
        for _, cls, home in self._homes:
            if module_said_by(cls) != home:
                set_attribute(cls, "__module__", home)
        self._attributes.restore()


def containers_of(record: ModuleRecord) -> Iterator[tuple[str, Any]]:
    """Return the containers that a module, its classes and its instances had when its body had run, and still have.

    Each with its path in the module.
    """
    return (entry for entry in _values_of(record) if _is_container(entry[1]))


def container_at(module: ModuleType | None, path: str) -> Any:
    """Return the container that a path in a module leads to; None where there is none, or a very large one."""
    found = value_at(globals_of(module), path)
    return found if _is_container(found) else None


def _values_of(record: ModuleRecord) -> Iterator[tuple[str, Any]]:
    """Return the containers, classes and instances that paths in a module led to when its body had run, as by now."""
    space = globals_of(record.module)
    return ((path, value_at(space, path)) for path in record.contents)


def _is_container(value: Any) -> bool:
    return id(type(value)) in CONTAINERS and len(value) <= _MANY


def literals_of(code: CodeType | None) -> frozenset[str]:
    r"""Return the strings in a body and those of its classes, and the names of what they define: `f.__name__` is one.

    >>> sorted(literals_of(compile("TABLE['a'] = f('b')\ndef g(): return 'c'", "m.py", "exec")))
    ['a', 'b', 'g']
    """
    if code is None:
        return frozenset()
    inside = list(nested(code))
    own = (*strings_of(code), *(part.co_name for part in inside))
    return frozenset(own).union(*map(literals_of, filter(is_class_body, inside)))


def _given(container: Any, before: Any) -> dict[int, bool]:
    """Return the ids of what a container has gained, and whether it had nothing of that name before.

    >>> sorted(_given([len, 2, dict], [len, 1]).values())
    [False, True]
    """
    known = {id(part): _trait(part) for part in _parts(before)}
    traits = set(known.values())
    return {id(part): _trait(part) not in traits for part in _parts(container) if id(part) not in known}


def _parts(container: Any) -> Iterable[Any]:
    """Return the items of a container, the keys and values of a dict."""
    return [*container, *container.values()] if isinstance(container, dict) else container


def has_still(container: Any, before: Any) -> bool:
    """Say whether a container has the very entries that it had, in the same order.

    >>> has_still({"a": len}, {"a": len}), has_still([len, abs], [abs, len])
    (True, False)
    """
    is_same = list(map(id, container)) == list(map(id, before))
    if isinstance(container, dict):
        return is_same and list(map(id, container.values())) == list(map(id, before.values()))
    return is_same


def _was_filled(container: Any, before: Any, made: frozenset[str]) -> bool:
    """Say whether a container has gained what it had before in another form, as far as one can tell.

    Args:
        container: as it is now.
        before: what was in it before the build.
        made: dotted names of the modules that were made anew.
    """
    if isinstance(container, dict):
        gained = [container[key] for key in container.keys() - before.keys()]
        known = list(before.values())
    elif isinstance(container, set):
        gained, known = list(container.difference(before)), before
    else:
        had = Counter(map(id, before))
        gained, known = [item for item in container if not _took(had, id(item))], before
    if not all(_is_told(item, made) for item in gained):
        return True
    traits = {_trait(item) for item in known} if gained and isinstance(container, dict) else set()
    return any(_trait(item) in traits for item in gained)


def _took(counts: Counter[int], key: int) -> bool:
    """Take one of a kind away, where there is one; say whether there was."""
    counts[key] -= 1
    return counts[key] >= 0


def _is_told(item: Any, made: frozenset[str]) -> bool:
    """Say whether an item shows that it comes from a module that was made anew."""
    return not made.isdisjoint(map(home_of, definitions_shown(item)))


def _trait(item: Any) -> tuple[Any, ...]:
    """Return what tells an item that was registered again: the dotted names of the definitions that it shows."""
    return tuple((home_of(definition), definition.__qualname__) for definition in definitions_shown(item))


def _names_in(container: Any) -> Iterator[str]:
    """Yield the names in a container: keys and items that are strings, and those that instances in it have."""
    yield from (item for item in container if type(item) is str)
    for item in _parts(container):
        if id(type(item)) not in ATOM_IDS and type(item) is definitions_shown(item)[0]:
            yield from (part for _, part in attributes_of(item) if type(part) is str)
