"""What the bodies of modules put into containers in place: nothing but their code says it where nobody saw them run."""

from __future__ import annotations

import enum
import functools
from inspect import CO_OPTIMIZED
from types import CodeType
from typing import Any

from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.holding.contents import ATOM_IDS

__all__ = ["may_fill"]


def may_fill(code: CodeType | None, name: str, item: Any) -> bool:
    r"""Say whether the body of a module names a container, and plain data or a member of an enumeration that is in it.

    Args:
        code: of the body; None where it is not known.
        name: of the container.
        item: what is in it.

    >>> code = compile("class Query:\n    KINDS['int'] |= {Kind.BIG}\n    def f(self): SEEN.add('x')", "", "exec")
    >>> may_fill(code, "KINDS", "int"), may_fill(code, "KINDS", "text"), may_fill(code, "SEEN", "x")
    (True, False, False)
    """
    names, constants = _named_at_import(code) if code is not None else (frozenset(), frozenset())
    if name not in names:
        return False
    kind = type(item)
    if issubclass(kind, enum.Enum):
        return vars(item).get("_name_") in names
    return id(kind) in ATOM_IDS and repr(item) in constants


@functools.lru_cache(100)
def _named_at_import(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names in a body and in the bodies of its classes, and their constants as they are written."""
    waiting, names, constants = [code], set[str](), list[Any]()
    while waiting:
        body = waiting.pop()
        names.update(body.co_names)
        constants += body.co_consts
        waiting += [part for part in nested(body) if not part.co_flags & CO_OPTIMIZED]
    within = [item for part in constants if type(part) in (tuple, frozenset) for item in part]
    return frozenset(names), frozenset(map(repr, [*constants, *within]))
