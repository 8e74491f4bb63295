"""Constructors that give an instance more than those of before: old ones get that when their class is made anew."""

from __future__ import annotations

import dis
from collections.abc import Iterable
from types import CodeType

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.operations import iter_operations

__all__ = ["gives_more"]

_CONSTRUCTORS = ("__init__", "__post_init__")
_STORE_ATTR = dis.opmap["STORE_ATTR"]


def gives_more(pairs: Iterable[CodePair]) -> str:
    """Return the path of a constructor that sets an attribute which it did not set before; nothing for none."""
    made = (pair for pair in pairs if pair.changed and pair.path.rpartition(".")[2] in _CONSTRUCTORS)
    return next((pair.path for pair in made if not _stored_by(pair.new) <= _stored_by(pair.old)), "")


def _stored_by(code: CodeType) -> set[str]:
    return {name for part in whole(code) for _, operation, name in iter_operations(part) if operation == _STORE_ATTR}
