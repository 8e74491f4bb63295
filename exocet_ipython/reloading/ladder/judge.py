"""Whether new code may be put into old functions, and in words why not: the rules of rung 1 put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.constructing import gives_more
from exocet_ipython.reloading.ladder.decorating import decorates_otherwise
from exocet_ipython.reloading.ladder.evidence import Evidence
from exocet_ipython.reloading.ladder.exposure import exposed, find_exposed
from exocet_ipython.reloading.ladder.propagation import propagate
from exocet_ipython.reloading.ladder.reach import Reach
from exocet_ipython.reloading.ladder.routes import Notes, Starts, UnfitError
from exocet_ipython.reloading.ladder.stored import find_kept
from exocet_ipython.reloading.ladder.uses import Definition, Reached
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Judge"]


class Judge:
    """Answers for the modules of a session; it remembers what their code names."""

    def __init__(self) -> None:
        self._reach = Reach()
        self._evidence = Evidence(self._reach)
        self._computations = Notes()

    def keep(self, names: Iterable[str]) -> None:
        """Note what answers about modules depend on that are about to change."""
        self._reach.keep(names)

    def why_not(self, records: Mapping[str, ModuleRecord], record: ModuleRecord, pairs: Sequence[CodePair]) -> str:
        """Say why functions of a module must not be given new code in place; nothing where they may.

        Args:
            records: all modules of the generation.
            record: of the module.
            pairs: what changed in it.
        """
        if not pairs:
            return ""
        if decorator := decorates_otherwise(pairs):
            return f"`{decorator}` has decorated what cells define"
        if constructor := gives_more(pairs, records):
            return f"`{constructor}` sets what instances of before lack"
        self._reach.update(records)
        self._reach.keep([record.name])
        starts: list[Definition] = []
        for path in dict.fromkeys(pair.outer for pair in pairs):
            found = self._reach.definitions(record.name, path)
            if not found:
                return f"`{path}` is made by code that runs at import"
            starts += found
        callers = self._reach.callers(starts)
        reason = self._may_have_run(starts, callers, record, records)
        if not reason and not isinstance(callers, Reached):
            return self._stored(callers, records)
        kept = self._evidence.of_codes(starts, pairs, records)
        return reason if kept is None else kept

    def _may_have_run(
        self,
        starts: Sequence[Definition],
        callers: dict[int, Definition] | Reached,
        record: ModuleRecord,
        records: Mapping[str, ModuleRecord],
    ) -> str:
        """Say by which names import time may have come to one of the functions."""
        for start in starts:
            method = self._reach.method(start)
            if method is not None and (reason := exposed(method, record, records)):
                return f"`{start.path}` may have run at import: {reason}"
        reason = self._run_at_import(callers, record, records)
        reason = reason or self._run_at_import(self._reach.computing(), record, records)
        return f"`{starts[0].path}` may have run at import: {reason}" if reason else ""

    def find_values(self, records: Mapping[str, ModuleRecord], starts: Starts) -> dict[str, dict[str, Any]]:
        """Return the new values of global names, by module, that follow from other constants in modules' bodies.

        Args:
            records: all modules of the generation.
            starts: dotted name -> the new code of a module, and the names to which it gives other constants.

        Raises:
            UnfitError: import time may have made more of the values than can be put in place; in words what.
        """
        self._computations.require_computed(records, starts)
        self._reach.update(records)
        self._reach.keep(starts)
        values = propagate(self._computations, records, starts, self._reach.bodies_naming)
        names = {name for changed in values.values() for name in changed}
        users = self._reach.naming(names)
        callers = self._reach.callers(users) if users else {}
        record = records[next(iter(starts))]
        reason = self._run_at_import(self._reach.computing(), record, records)
        reason = reason or self._run_at_import(callers, record, records)
        if reason or isinstance(callers, Reached):
            kept = self._evidence.of_users(users, names, records)
            reason = reason if kept is None else kept
        else:
            reason = self._stored(callers, records)
        if reason:
            raise UnfitError(reason)
        return values

    def _run_at_import(
        self, callers: dict[int, Definition] | Reached, record: ModuleRecord, records: Mapping[str, ModuleRecord]
    ) -> str:
        """Say why import time can have run one of these functions, by itself or by way of a library."""
        if isinstance(callers, Reached):
            return _describe(callers, record, records)
        found = find_exposed(self._reach.methods(callers), records)
        return "" if found is None else f"`{found[0].definition.path}` leads to it, and {found[1]}"

    def _stored(self, callers: Mapping[int, Definition], records: Mapping[str, ModuleRecord]) -> str:
        """Say where answers of the old code may be kept that the new code would give otherwise."""
        storing = self._reach.storing(callers)
        if storing.closure is not None:
            return f"`{storing.closure.path}` may keep old answers in a closure"
        return find_kept(storing.called, records, storing.filling)


def _describe(reached: Reached, record: ModuleRecord, records: Mapping[str, ModuleRecord]) -> str:
    """Return a reason in words, with the line that shows it."""
    other = f"{reached.module}, " if reached.module != record.name else ""
    way = f" (through {', '.join(reached.names[:-1])})" if len(reached.names) > 1 else ""
    if reached.why:
        who = f"`{reached.names[0]}`" if reached.names else "code"
        return f"{other}line {reached.line}: {who}: {reached.why}{way}"
    return f"{other}line {reached.line}: `{records[reached.module].snapshot.line(reached.line)}`{way}"
