"""How a module was when it retired, for the person who moves what lives of it later.

What its successor has been given of it then is no state of the person's that only it has; what was changed after that
nobody has seen but those who hold it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.baseline import NO_FINGERPRINT, Baseline
from exocet_ipython.reloading.holding.contents import fingerprint
from exocet_ipython.reloading.holding.parts import parts_of
from exocet_ipython.reloading.holding.paths import parent_of, value_at, values_at
from exocet_ipython.reloading.holding.ties import Ties
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Leaving"]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a module held when it retired; ids, which hold nothing alive.

    Attributes:
        held: that, as far as it was there when its body had run.
        given: the paths of what its successor has all of.
    """

    held: Baseline
    given: frozenset[str]

    @classmethod
    def of(cls, record: ModuleRecord, given: Container[int]) -> Leaving:
        """Return how a module is left that retires.

        Args:
            record: of the module.
            given: the ids of the containers and instances of which its successor has all that was put into them.
        """
        values = _values_of(record)
        paths = {*record.baseline.contents, *record.baseline.fingerprints} & values.keys()
        return cls(_look(record, values), frozenset(path for path in paths if id(values[path]) in given))

    def passed_on(self, record: ModuleRecord, given: Container[int]) -> Leaving:
        """Return the same when the module's successor, which has a record, retires in turn.

        What that one was given is only given on where its own successor has all of it.
        """
        space = copy_space(globals_of(record.module))
        return replace(self, given=frozenset(path for path in self.given if id(value_at(space, path)) in given))

    def since(self, record: ModuleRecord) -> ModuleRecord:
        """Return the record of the module by now, in which what has changed since it retired is the person's.

        What its successor has been given counts as what its body left. What has changed has no baseline any more, nor
        has what it is in.
        """
        baseline = record.baseline
        known = Baseline(
            record.values,
            baseline.fingerprints
            | {path: known for path, known in self.held.fingerprints.items() if path in self.given},
            baseline.contents | {path: known for path, known in self.held.contents.items() if path in self.given},
            baseline.ties,
        )
        values = _values_of(record)
        for path in _changed(self.held, _look(record, values)):
            for outer in _around(path):
                if issubclass(type(values.get(outer)), (type, FunctionType)):
                    break  # each of its attributes is its own
                known.fingerprints[outer], known.contents[outer] = NO_FINGERPRINT, {}
        return replace(record, baseline=known)


def _values_of(record: ModuleRecord) -> dict[str, Any]:
    """Return what is at the paths of a module's baseline by now, and on the way to it."""
    paths = [*record.baseline.contents, *record.baseline.fingerprints]
    return values_at(copy_space(globals_of(record.module)), paths)


def _look(record: ModuleRecord, values: dict[str, Any]) -> Baseline:
    """Return what these values hold, as a baseline; its globals themselves nobody asks for."""
    known = record.baseline
    return Baseline(
        {},
        {path: fingerprint(values[path]) for path in known.fingerprints if path in values},
        {path: parts_of(values[path]) for path in known.contents if path in values},
        Ties(),
    )


def _changed(before: Baseline, now: Baseline) -> Iterator[str]:
    """Yield the paths of what is another, or holds something else, than before."""
    yield from (path for path, known in before.fingerprints.items() if now.fingerprints.get(path) != known)
    yield from (path for path, known in before.contents.items() if now.contents.get(path) != known)


def _around(path: str) -> Iterator[str]:
    """Yield a path, and those of what it leads through.

    >>> list(_around("CONFIG['a.b'].items"))
    ["CONFIG['a.b'].items", "CONFIG['a.b']", 'CONFIG']
    """
    yield path
    while (before := parent_of(path)[0]) != path:
        path = before
        yield path
