"""The baseline of a module: what its globals held when its body had run, by identity.

What is there later and not in the baseline was put there since: by a cell, by a function that a cell called.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from exocet_ipython.reloading.holding.parts import without
from exocet_ipython.reloading.holding.paths import owner_of
from exocet_ipython.reloading.holding.ties import Ties

__all__ = ["NO_FINGERPRINT", "Baseline", "add_changes", "add_entries", "renew_baseline"]

NO_FINGERPRINT = -1


class Baseline(NamedTuple):
    """What the globals of a module held at one moment.

    Attributes:
        values: global name -> id of its value.
        fingerprints: global name -> a shallow fingerprint, of the instances and containers.
        contents: path -> what a container, one of the module's own classes or an instance holds, by identity, as
            `parts_of` gives it. Paths are `CONFIG`, `CONFIG['db']`, `Plugin`, `Plugin.registry`, `settings.db.items`,
            `signal.__self__` of what a bound method is bound to, and `CONFIG.__dict__` of a container's attributes.
        ties: what the ids name.
        constants: values that are constants of the body, by id, where it isn't known which very objects these were.
    """

    values: dict[str, int]
    fingerprints: dict[str, int]
    contents: dict[str, dict[Any, int]]
    ties: Ties
    constants: Mapping[int, Any] = MappingProxyType({})

    def without_gone(self) -> Baseline:
        """Return it, once no id in it stands for what is gone: another object may have that by now."""
        if gone := self.ties.take_gone():
            self.values.update({name: 0 for name, known in self.values.items() if known in gone})
            for path, parts in list(self.contents.items()):
                if not (gone.isdisjoint(parts) and gone.isdisjoint(parts.values())):
                    self.contents[path] = without(parts, gone)  # another dict: somebody may be reading that one
                    self.fingerprints[path] = NO_FINGERPRINT
        return self


def renew_baseline(before: Baseline, now: Baseline, names: Container[str]) -> Baseline:
    """Return the baseline of a module that was run again in place: what its text names is its own as it is now.

    >>> before, now = Baseline({"N": 1}, {}, {}, Ties()), Baseline({"N": 2, "EXTRA": 3}, {}, {}, Ties())
    >>> renew_baseline(before, now, {"N"}).values
    {'N': 2}
    """
    return Baseline(
        before.values | {name: value for name, value in now.values.items() if name in names},
        before.fingerprints | {path: value for path, value in now.fingerprints.items() if owner_of(path) in names},
        before.contents | {path: value for path, value in now.contents.items() if owner_of(path) in names},
        Ties(before.ties, now.ties),
        {**before.constants, **now.constants},
    )


def add_changes(baseline: Baseline, before: Baseline, after: Baseline) -> None:
    """Take into a baseline what has changed between two moments: modules that were imported meanwhile have done it.

    Without it what they register, at an import later than the module's own, would look like a cell's doing.

    >>> baseline, before, after = (
    ...     Baseline({}, {}, {"TABLE": dict.fromkeys(keys, 0)}, Ties()) for keys in ("", "x", "xy")
    ... )
    >>> add_changes(baseline, before, after)
    >>> baseline.contents
    {'TABLE': {'y': 0}}
    """
    add_entries(baseline.values, before.values, after.values)
    for name, now in after.fingerprints.items():
        if before.fingerprints.get(name) == baseline.fingerprints.get(name):
            baseline.fingerprints[name] = now
    for path, entries in after.contents.items():
        add_entries(baseline.contents.setdefault(path, {}), before.contents.get(path, {}), entries)
    baseline.ties.add(after.ties)


def add_entries(known: dict[Any, int], before: dict[Any, int], after: dict[Any, int]) -> None:
    """Take into what is known of entries, by identity, what has changed of them between two moments.

    >>> known = {"a": 1, "b": 2, "c": 3}
    >>> add_entries(known, {"a": 1, "b": 2}, {"a": 1, "d": 4})
    >>> known
    {'a': 1, 'c': 3, 'd': 4}
    """
    if before == after:
        return
    for key in before.keys() - after.keys():
        known.pop(key, None)
    known.update((key, value) for key, value in after.items() if before.get(key) != value)
