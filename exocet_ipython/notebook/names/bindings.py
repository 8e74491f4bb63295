"""Which notebook names point where: learned from import statements, planned as a value, applied in one pass.

Modules, functions, classes, enum members and module-level instances are known by their identity. Atoms (numbers,
strings, None and the like) could be anybody's: they follow by provenance only, which import statement bound the name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.notebook.names.cells import read_cell
from exocet_ipython.notebook.names.choices import read_choices
from exocet_ipython.notebook.names.events import CellAssignment, CellImport, Perhaps
from exocet_ipython.notebook.names.identities import find_lent_ids, identities
from exocet_ipython.notebook.names.orphans import Orphans
from exocet_ipython.notebook.names.sources import (
    MISSING,
    Source,
    given_by,
    is_bound,
    latest_meant,
    loaded,
    may_have_given,
    resolve,
    star_names,
    was_changed,
)
from exocet_ipython.notebook.names.unread import UnreadCells
from exocet_ipython.reloading.moves import Choice, Wanted
from exocet_ipython.survivors.finding.records import HIDDEN_NAMES
from exocet_ipython.survivors.matching.moved import find_moved, name_of
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["Bindings", "Kept", "Rebinding"]

_GONE = "is no longer defined and keeps its old value"
_PublicNames = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rebinding:
    """One notebook name that gets the current value of its source."""

    name: str
    source: Source
    value: Any

    def __repr__(self) -> str:
        return f"<{self.name} = {self.source}>"


@dataclass(frozen=True, slots=True)
class Kept:
    """One notebook name that stays as it is although its source was replaced, and why."""

    name: str
    source: Source
    reason: str
    gone: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.source}) {self.reason}"


class Bindings:
    """What is known of the names of one namespace.

    >>> bindings = Bindings()
    >>> bindings.learn("from config import LR as rate", lambda module: ("LR",))
    >>> bindings.sources("rate")
    (Source(module='config', attribute='LR'),)
    """

    def __init__(self) -> None:
        self._sources: dict[str, tuple[Source, ...]] = {}
        self._modules: dict[str, bool] = {}
        self._stars: tuple[str, ...] = ()
        self._later: dict[str, set[str]] = {}  # name -> the stars after which a cell has bound it by itself
        self._assigned: dict[str, set[str]] = {}
        self._orphans = Orphans()
        self._choices: dict[str, tuple[tuple[Source, ...], int]] = {}  # name -> its sources, and when a cell chose
        self._unread = UnreadCells()

    def modules(self) -> Mapping[str, bool]:
        """Return what cells may have imported, in order: dotted name -> whether a cell would fail without it."""
        self._unread.catch_up()
        return self._modules

    def wanted(self) -> Wanted:
        """Return what cells have imported, and where they took what could be imported."""
        modules = self.modules()
        found = {sources: at for name, (sources, at) in self._choices.items() if self._sources.get(name) == sources}
        choices = [Choice(tuple(one.module for one in sources[::-1]), at) for sources, at in found.items()]
        return Wanted(modules, tuple(dict.fromkeys(choices)))

    def imported(self) -> list[tuple[str, str | None]]:
        """Return what cells have imported: the dotted name of a module, and an attribute, `*`, or None for itself."""
        self._unread.catch_up()
        given = dict.fromkeys((one.module, one.attribute) for sources in self._sources.values() for one in sources)
        return [*((star, "*") for star in self._stars), *given]

    def assigned(self) -> Mapping[str, Collection[str]]:
        """Return which attributes cells have assigned to modules or their classes, by the dotted name of a module."""
        self._unread.catch_up()
        return self._assigned

    def sources(self, name: str) -> tuple[Source, ...]:
        """Return where a name's value came from, the latest source last; several only after star imports."""
        self._unread.catch_up()
        return self._sources.get(name, ())

    def learn(
        self,
        cell: str,
        public_names: _PublicNames,
        namespace: Mapping[str, Any] = MappingProxyType({}),
        *,
        failed: bool = False,
    ) -> None:
        """Learn from the text of a cell that ran which names it imported and which it assigned.

        Args:
            cell: Python source; one that doesn't parse teaches nothing.
            public_names: the names that `from MODULE import *` binds, for a module's dotted name.
            namespace: the notebook's names; tells which of several imports of one name was reached.
            failed: whether the cell raised: then only what the namespace confirms was reached.
        """
        read = partial(self._read, cell, public_names, namespace, failed, time.time_ns())
        self._unread.add(0 if failed else len(cell), read)

    def _read(
        self,
        cell: str,
        public_names: _PublicNames,
        namespace: Mapping[str, Any],
        failed: bool,  # noqa: FBT001 - as given
        moment: int,
    ) -> None:
        for found in read_cell(cell):
            event, in_doubt = (found.event, True) if isinstance(found, Perhaps) else (found, failed)
            if isinstance(event, CellAssignment):
                if target := event.target(namespace, self.sources):
                    self._assigned.setdefault(target[0], set()).update(target[1])
                continue
            name = event if isinstance(event, str) else event.name
            # A name that still has what it had from its source has not been given anything since.
            goes_on = in_doubt and any(is_bound(namespace, name, source) for source in self.sources(name))
            if isinstance(event, str):
                if not goes_on:
                    self._sources.pop(name, None)
                self._later[name] = set(self._stars)
                continue
            is_certain = not (failed or goes_on or (in_doubt and name == "*"))
            if is_certain or self._was_reached(event, public_names, namespace):
                self.add(event, public_names, is_needed=not in_doubt)
        for choice in read_choices(cell):
            name, sources = choice[0].name, tuple(Source(one.module, one.attribute) for one in reversed(choice))
            if not {*self.sources(name)[-1:]}.isdisjoint(sources):
                self._sources[name], self._choices[name] = sources, (sources, moment)

    def _was_reached(self, event: CellImport, public_names: _PublicNames, namespace: Mapping[str, Any]) -> bool:
        """Say whether the namespace has what an import statement gives.

        Of a star import, one of its names, beside those that it has given last.
        """
        if event.attribute != "*":
            return is_bound(namespace, event.name, Source(event.module, event.attribute))
        given = [(name, Source(event.module, name)) for name in public_names(event.module)]
        new = [(name, source) for name, source in given if self.sources(name)[-1:] != (source,)]
        gives = not new or any(is_bound(namespace, name, source) for name, source in new)
        return gives and event.module in loaded([event.module])

    def add(self, bound: CellImport, public_names: _PublicNames, *, is_needed: bool = True) -> None:
        """Learn one import, which is needed where the cell would fail without it."""
        self._unread.catch_up()
        self._modules |= {module: is_needed or self._modules.get(module, False) for module in bound.modules}
        if bound.attribute != "*":
            self._later[bound.name] = set(self._stars)
            self._sources[bound.name] = (Source(bound.module, bound.attribute),)
            return
        self._stars = (*(name for name in self._stars if name != bound.module), bound.module)
        for stars in self._later.values():
            stars.discard(bound.module)
        covered = (name for one in loaded([bound.module]).values() for name in star_names(one) if name in self._sources)
        for name in public_names(bound.module) or tuple(covered):
            source = Source(bound.module, name)
            self._sources[name] = (*(known for known in self.sources(name) if known != source), source)

    def plan(
        self, namespace: Mapping[str, Any], succession: Succession
    ) -> tuple[tuple[Rebinding, ...], tuple[Kept, ...]]:
        """Return which names get a new value, and which keep theirs although its source was replaced.

        Args:
            namespace: the notebook's names.
            succession: which modules retire, and which are current then.
        """
        self._unread.catch_up()
        old, new = succession.old, succession.new
        sought = set(map(id, values := list(namespace.values())))
        known = {id(value): (source, value) for source, value in identities(succession, sought)}
        lent = find_lent_ids(values, known, succession)
        before = {**new, **{name: record.module for name, record in old.items()}}
        current = {**loaded(star for star in self._stars if star not in before), **new}
        exports = {star: frozenset(star_names(current[star])) for star in self._stars if star in current}
        rebound, kept = list[Rebinding](), list[Kept]()
        for name, value in copy_space(namespace).items():
            if HIDDEN_NAMES.fullmatch(name) and not self._sources.get(name):  # `from app import __version__`
                continue
            sources = self._valid_sources(name, value, before)
            is_found = not sources and id(value) in known
            if is_found:
                sources = (known[id(value)][0],)
            if not sources:
                continue
            exported = [source for source in sources if self._is_given(source, exports)]
            source, now = latest_meant([*reversed(exported or sources)], current, old)
            if now is value and id(value) in known:  # `from package import module`: the package goes on
                source = known[id(value)][0]
                now = resolve(source, new)
            if now is value or (is_found and id(now) in lent):
                continue
            if now is MISSING:
                moved = find_moved(value, succession)
                reason = _GONE if moved is None else f"has moved to {name_of(moved)}"
                kept.append(Kept(name, given_by(sources, value, before), reason, gone=True))
            elif id(value) not in succession.whole and was_changed(given_by(sources, value, before), value, old):
                kept.append(Kept(name, source, f"was changed since it was made and stays; {source} is the new one"))
            else:
                rebound.append(Rebinding(name, source, now))
        rebound += self._gained(namespace, before, succession)
        return tuple({found.name: found for found in rebound}.values()), tuple(kept)

    def confirm(
        self, rebound: Iterable[Rebinding], kept: Iterable[Kept], namespace: Mapping[str, Any]
    ) -> tuple[Kept, ...]:
        """Learn the star-imported names that a publish has bound, and which names it left without a definition.

        Returns:
            The names that keep their values, without those that have been known to have no definition any more.
        """
        news = [one for one in kept if not one.gone or self._orphans.add(one.name, one.source, namespace[one.name])]
        self._orphans.keep({entry.name for entry in kept if entry.gone})
        for binding in rebound:
            known = self.sources(binding.name)
            if binding.source not in known and binding.source.module in self._stars:
                given = (Source(star, binding.name) for star in self._stars if self._gives(star, binding.name))
                self._sources[binding.name] = self._in_star_order((*dict.fromkeys((*known, *given)),))
        return tuple(news)

    def _gives(self, star: str, name: str) -> bool:
        """Say whether a star import gives a name by now, and no import statement of its own came after it."""
        return star not in self._later.get(name, ()) and any(name in star_names(one) for one in loaded([star]).values())

    def _valid_sources(self, name: str, value: Any, before: Mapping[str, ModuleType]) -> tuple[Source, ...]:
        """Return the sources of a name, if the value is what one of them gave it, now or before it was gone."""
        sources = self.sources(name)
        if any(resolve(source, before) is value or may_have_given(value, source, before) for source in sources):
            return sources
        orphaned = self._orphans.source(name, value)
        return () if orphaned is None else sources or (orphaned,)

    def _is_given(self, source: Source, exports: Mapping[str, Collection[str]]) -> bool:
        """Say whether its own import statement gives a name, or a star import of the source's module still would."""
        if source.attribute is None or source.module not in self._stars:
            return True
        return source.attribute in exports.get(source.module, ())

    def _gained(
        self, namespace: Mapping[str, Any], before: Mapping[str, ModuleType], succession: Succession
    ) -> Iterator[Rebinding]:
        """Find the public names that star-imported modules have gained; a name that is the person's is left alone."""
        old, new = succession.old, succession.new
        for star in self._stars:
            if star not in old or star not in new:
                continue
            had = {*star_names(old[star].module)}
            for name in star_names(new[star]):
                if name in had or star in self._later.get(name, ()):
                    continue
                source = Source(star, name)
                known = self.sources(name)
                if known:
                    is_last = self._in_star_order((*known, source))[-1] == source
                    is_known = any(is_bound(namespace, name, one) for one in known)  # `import json`, of no module here
                    is_shadowed = is_last and (is_known or bool(self._valid_sources(name, namespace.get(name), before)))
                else:
                    is_shadowed = name in self._later  # a cell has bound it, before it imported all of the module
                if name not in namespace or is_shadowed:
                    yield Rebinding(name, source, getattr(new[star], name))

    def _in_star_order(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        order = {module: place for place, module in enumerate(self._stars)}
        return tuple(sorted(sources, key=lambda source: order.get(source.module, -1)))
