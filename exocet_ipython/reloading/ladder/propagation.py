"""New values in place: an edit of constants that only goes as far as what import time computed of them.

A module's body need not run again for an edit of `RATE = 0.1`, nor need the bodies of its importers, where all that
import time did with the value is known: `from` statements took it over, and statements that only compute a value made
others of it (`computations.py`). These are evaluated again, in the order in which they ran, up to where a value stays
what it was. Everything else that mentions one of the names at import is a reason not to do it. So is a function that
names one, where import time can have run it, or may have stored since what it made of it: the argument is that of new
code in old functions (`reach.py`, `stored.py`), with the names of values in place of those of functions.

What a person has assigned in a module's stead is none of the body's, so a value that is not what the body left is a
reason as well.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import attribute_of, globals_of
from exocet_ipython.reloading.collector import counts_are_exact
from exocet_ipython.reloading.holding.contents import ATOM_IDS, fingerprint, is_plain, is_shared
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.bodies import Body
from exocet_ipython.reloading.ladder.computations import Computation, Computations
from exocet_ipython.reloading.ladder.operations import is_same_constant
from exocet_ipython.reloading.ladder.routes import Notes, Route, Starts, Step, UnfitError, find_route
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["has_stale_values", "note_values", "propagate", "set_values"]

_EXACT = frozenset(map(id, (int, str, bool, bytes)))  # equal ones of a kind are the same: most constants are of these


def set_values(module: ModuleType, values: Mapping[str, Any], journal: Journal) -> Mapping[str, Any]:
    """Give global names of a module other values, in one step; return those that they had."""
    space = vars(module)
    then = {name: space[name] for name in values}
    journal.add(partial(space.update, then))
    space.update(values)
    return then


def note_values(record: ModuleRecord, values: Mapping[str, Any]) -> None:
    """Take new values as what a module's body has left."""
    baseline = record.baseline
    baseline.values.update(zip(values, map(id, values.values()), strict=True))
    baseline.ties.hold_latest(values)
    for name, value in values.items():
        if id(type(value)) not in ATOM_IDS:
            baseline.fingerprints[name] = fingerprint(value)
        elif name in baseline.fingerprints:
            del baseline.fingerprints[name]


def has_stale_values(
    record: ModuleRecord, modules: Mapping[str, ModuleType], changed: Mapping[str, Container[str]]
) -> bool:
    """Say whether a module that retired holds a value from another one that is not what that one has now.

    Args:
        record: of the module.
        modules: dotted name -> what is, or will be, the current module.
        changed: dotted name -> the global names whose values were ever put in place.
    """
    if not changed or record.code is None:
        return False
    space = vars(record.module)
    body = Body(record.name, weakref.ref(record.code))
    sources = Computations.of(body, is_package="__path__" in space).sources
    return any(
        not _is_same(space.get(name), attribute_of(modules.get(source[0]), source[1], None))
        for name, source in sources.items()
        if source[1] in changed.get(source[0], ())
    )


def propagate(
    notes: Notes,
    records: Mapping[str, ModuleRecord],
    starts: Starts,
    bodies_naming: Callable[[str], Iterable[Body]],
) -> dict[str, dict[str, Any]]:
    """Return the new values of global names, by module, that follow from an edit of constants.

    Args:
        notes: what is remembered of modules.
        records: the modules of the generation.
        starts: dotted name -> the new code of a module, and the names that it gives other values.
        bodies_naming: returns the bodies of the scope that mention a name.

    Raises:
        UnfitError: import time may have made more of the values than can be put in place.
    """
    if notes.route is None or not notes.route.leads_from(starts, records):
        notes.route = find_route(notes, records, starts, bodies_naming)
    values = _Evaluation(notes.route, notes, records, starts).run()
    notes.route.arrive(starts)
    return values


class _Evaluation:
    """One edit: the names on its route are evaluated, as far as values differ."""

    def __init__(self, route: Route, notes: Notes, records: Mapping[str, ModuleRecord], starts: Starts) -> None:
        self._route = route
        self._records = records
        self._started = {name: notes.of(records[name], code) for name, (code, _) in starts.items()}
        self._values: dict[str, dict[str, Any]] = {}

    def run(self) -> dict[str, dict[str, Any]]:
        due = set(self._route.starts)
        for step in self._route.steps:
            if step.key in due and self._renew(step):
                due.update(step.following)
        self._require_unheld()
        return self._values

    def _renew(self, step: Step) -> bool:
        """Evaluate one name anew, and say whether it has another value now."""
        name, target = step.key
        source = step.source
        value = self._evaluate(name, target, step.computed) if source is None else self._values[source[0]][source[1]]
        record = self._records[name]
        space = globals_of(record.module)
        before = space.get(target)
        if record.baseline.values.get(target) != id(before) or target not in space:
            raise UnfitError(f"{name}.{target} is not what the import has made")
        if _is_same(before, value):
            return False
        if step.unfit:
            raise UnfitError(step.unfit)
        if id(type(before)) not in ATOM_IDS and type(before) is not tuple and not is_plain(before):
            raise UnfitError(f"{name}.{target} may be known by its identity")
        changed = self._values.get(name)
        if changed is None:
            module: object = record.module
            if type(module) is not ModuleType or record.is_adopted or "__exo_keep__" in space:
                raise UnfitError(f"{name} has a say in what it holds")
            changed = self._values[name] = {}
        changed[target] = value
        return True

    def _evaluate(self, name: str, target: str, computed: Computation | None) -> Any:
        if name in self._started:
            computed = self._started[name].computed.get(target)
        if computed is None:
            raise UnfitError(f"{name}.{target} is not computed by one statement")
        record = self._records[name]
        space, new, made = vars(record.module), self._values.get(name, {}), record.baseline.values
        values = {}
        for load in computed.loads:
            if load in new:
                values[load] = new[load]
            elif load in space and made.get(load) == id(space[load]):
                values[load] = space[load]
            else:
                raise UnfitError(f"{name}.{load} is not what the import has made")
        if not (computed.only_names or all(map(is_plain, values.values()))):
            raise UnfitError(f"{name}.{target} is computed of what may have operators of its own")
        try:
            return computed.evaluate(values)
        except Exception:  # noqa: BLE001 - running the module will show the error
            raise UnfitError(f"{name}.{target} can't be computed") from None

    def _require_unheld(self) -> None:
        """Refuse where somebody else holds a tuple of functions or classes: it would have to be replaced there."""
        held = []
        for name, values in self._values.items():
            space = vars(self._records[name].module)
            before = map(space.__getitem__, values)
            held += [value for value in before if id(type(value)) not in ATOM_IDS and not is_shared(value)]
        if held and not counts_are_exact():
            raise UnfitError("who holds a tuple can't be told")
        own = Counter(map(id, held))
        alone: list[object] = [object()]
        beside = sys.getrefcount(alone[0]) - 1
        for place in range(len(held)):
            if sys.getrefcount(held[place]) > beside + 2 * own[id(held[place])]:
                raise UnfitError("a tuple of functions is held elsewhere")


def _is_same(before: Any, now: Any) -> bool:
    if before is now:
        return True
    kind = type(before)
    if id(kind) in _EXACT and kind is type(now):
        return bool(before == now)
    if type(before) is tuple and type(now) is tuple and len(before) == len(now):
        return all(map(_is_same, before, now))
    return is_plain(before) and is_plain(now) and is_same_constant(before, now)
