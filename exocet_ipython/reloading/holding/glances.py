"""Glances at what known modules hold, before others are imported: what those have put into it shows in a second one.

One takes a part of the time for a baseline, which also looks for what is new. Each module that a late import leads to,
directly or through others, is looked at, so that in a large project the same containers are met under hundreds of
paths: each object is looked at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.baseline import Baseline, add_entries
from exocet_ipython.reloading.holding.contents import fingerprint
from exocet_ipython.reloading.holding.parts import Copy, copy_of
from exocet_ipython.reloading.holding.paths import parent_of, values_at

__all__ = ["Glances"]


class _Moment:
    """What objects hold at one moment, each of which is looked at once.

    Attributes:
        prints: id of an object -> its fingerprint, of those that have one in a baseline.
    """

    def __init__(self) -> None:
        self._copies: dict[int, Copy] = {}
        self.prints: dict[int, int] = {}

    def copy(self, value: Any) -> Copy:
        """Return what an object holds."""
        found = self._copies.get(id(value))
        if found is None:
            found = self._copies[id(value)] = copy_of(value)
        return found

    def fingerprint(self, value: Any) -> int:
        """Return the fingerprint of an object."""
        if id(value) not in self.prints:
            self.prints[id(value)] = fingerprint(value)
        return self.prints[id(value)]


@dataclass(frozen=True, slots=True)
class _Glance:
    """What a module held at one moment of what it held before: its globals, and what is at the paths of its baseline.

    Attributes:
        module: which.
        baseline: of the module.
        space: its globals.
        values: path -> value.
    """

    module: ModuleType
    baseline: Baseline
    space: dict[str, Any]
    values: dict[str, Any]


class Glances:
    """What some modules hold before others are imported; it is held alive until `add_changes`.

    What is freed meanwhile would give its number to another object, which would look like the same.

    >>> module = ModuleType("m")
    >>> module.CONFIG = {"a": 1}
    >>> from exocet_ipython.reloading.holding.inventory import take_baseline
    >>> baseline, glances = take_baseline(module), Glances()
    >>> glances.take(module, baseline)
    >>> module.CONFIG["a"] = 2
    >>> glances.add_changes()
    >>> baseline[:3] == take_baseline(module)[:3]
    True
    """

    def __init__(self) -> None:
        self._then = _Moment()
        self._taken: list[_Glance] = []
        self._alike: dict[int, bool] = {}

    def take(self, module: ModuleType, baseline: Baseline) -> None:
        """Take a glance at a module, whose baseline is known."""
        space = copy_space(globals_of(module))
        values = values_at(space, baseline.without_gone().contents)
        self._taken.append(_Glance(module, baseline, space, values))
        for path, value in values.items():
            self._then.copy(value)
            if path in baseline.fingerprints:
                self._then.fingerprint(value)

    def add_changes(self) -> None:
        """Take into the baselines what has changed since, and be done with the modules; see `baseline.add_changes`."""
        now = _Moment()
        for glance in self._taken:
            space = copy_space(globals_of(glance.module))
            before, after = _by_id(glance.space), _by_id(space)
            if before != after:
                add_entries(glance.baseline.values, before, after)
                glance.baseline.ties.hold([part for name, part in space.items() if part is not glance.space.get(name)])
            changed = self._changed(glance, space, now)
            for path, value in values_at(space, changed).items() if changed else ():
                if path in glance.baseline.contents:
                    self._add(glance, path, value, now)
        self._taken.clear()
        self._then, self._alike = _Moment(), {}

    def _changed(self, glance: _Glance, space: dict[str, Any], now: _Moment) -> list[str]:
        """Return the paths at which there may be another object by now, or the same one that holds something else."""
        known: dict[str, bool] = {}
        return [path for path in glance.baseline.contents if not self._is_same(path, glance, space, now, known)]

    def _is_same(self, path: str, glance: _Glance, space: dict[str, Any], now: _Moment, known: dict[str, bool]) -> bool:
        """Say whether the same object is at a path and holds the same ones: each of them is at its path then."""
        found = known.get(path)
        if found is None:
            value = glance.values.get(path)
            before, is_entry = parent_of(path)
            if before == path:
                found = space.get(path) is value
            else:
                is_there = self._is_same(before, glance, space, now, known)
                found = is_there and self._then.copy(glance.values.get(before)).tells(entries=is_entry)
            found = known[path] = found and self._is_alike(value, now)
        return found

    def _is_alike(self, value: Any, now: _Moment) -> bool:
        found = self._alike.get(id(value))
        if found is None:
            found = self._alike[id(value)] = self._then.copy(value).is_like(now.copy(value))
        return found

    def _add(self, glance: _Glance, path: str, value: Any, now: _Moment) -> None:
        baseline, known = glance.baseline, glance.values.get(path)
        if known is value and self._is_alike(value, now):
            return
        if path in baseline.fingerprints and self._then.prints.get(id(known)) == baseline.fingerprints[path]:
            baseline.fingerprints[path] = now.fingerprint(value)
        parts, copy = {} if known is None else self._then.copy(known).parts(), now.copy(value)
        there = {*baseline.contents[path], *baseline.contents[path].values()}
        add_entries(baseline.contents[path], parts, copy.parts())
        added = [part for part in copy.held if id(part) not in there] if type(copy.held) is list else []
        baseline.ties.hold(added)
        for part in added:
            baseline.ties.refer(part)


def _by_id(space: dict[str, Any]) -> dict[str, int]:
    return dict(zip(space, map(id, space.values()), strict=True))
