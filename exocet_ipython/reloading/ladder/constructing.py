"""Constructors that give an instance more than those of before: old ones get that when their class is made anew."""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["gives_more", "stored_attributes"]

_CONSTRUCTORS = ("__init__", "__post_init__", "__attrs_post_init__")
_STORE_ATTR = dis.opmap["STORE_ATTR"]


def gives_more(pairs: Iterable[CodePair], records: Mapping[str, ModuleRecord]) -> str:
    """Return the path of a constructor that sets an attribute which it did not set before; nothing for none.

    Args:
        pairs: what an edit changes.
        records: the modules of the session, whose constructors may call one of the functions: `self.reset()`.
    """
    changed = (pair for pair in pairs if pair.changed)
    more = [pair for pair in changed if {*stored_attributes(pair.new)} - {*stored_attributes(pair.old)}]
    called = _named_by_constructors(records) if more else set()
    return next((pair.path for pair in more if pair.path.rpartition(".")[2] in called.union(_CONSTRUCTORS)), "")


def _named_by_constructors(records: Mapping[str, ModuleRecord]) -> set[str]:
    codes = (part for record in records.values() if record.code is not None for part in whole(record.code))
    return {name for code in codes if code.co_name in _CONSTRUCTORS for name in code.co_names}


def stored_attributes(code: CodeType) -> Iterator[str]:
    """Yield the names of the attributes that code sets, each time; those that it may set by `object.__setattr__` once.

    >>> def make(self): self.x = self.x = 1; object.__setattr__(self, "y", "2")
    >>> [*stored_attributes(make.__code__)]
    ['x', 'x', 'y']
    """
    for part in whole(code):
        yield from (name for _, operation, name in iter_operations(part) if operation == _STORE_ATTR)
        if "__setattr__" in part.co_names:
            yield from (one for one in part.co_consts if isinstance(one, str) and one.isidentifier())
