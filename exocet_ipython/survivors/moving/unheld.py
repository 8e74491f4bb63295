"""What nothing holds of the modules that retire: it needs no moving, and is let go of at once."""

from __future__ import annotations

from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import is_shared
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import retired_of
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.matching.moved import was_made
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.matching.values import inner_values
from exocet_ipython.survivors.moving.detached import detach_retired
from exocet_ipython.survivors.moving.weakly import meant_weakly

__all__ = ["let_go"]


def let_go(retired: RetiredGeneration, succession: Succession, journal: Journal, *, may_be_meant: bool = False) -> bool:
    """Say whether nothing holds anything of what retires, so that nothing can move; then its classes are detached.

    Most reloads of many modules are of this kind, and need neither pairs nor a look at the heap.

    Args:
        retired: all that retires.
        succession: which modules retire, and which are current now.
        journal: how it is taken back; it refers to what retires for our own sake.
        may_be_meant: whether what somebody only refers to weakly is to move as well: a `WeakSet` of its classes, say.
    """
    old = succession.old
    ours = [*old.values(), *map(vars, old.values()), *journal.references()]
    meant = meant_weakly(value for _, _, value in retired.living()) if may_be_meant else []
    if retired.is_held([*ours, meant], [*_replaced_values(succession), *meant]):
        return False
    for record in old.values():
        if (found := retired_of(record.module)) is not None:
            found.migrated = True
    detach_retired([value for kind, _, value in retired.living() if kind == "class"], succession.new, journal)
    return True


def _replaced_values(succession: Succession) -> list[Any]:
    """Return the instances and containers that retired modules have and that the new ones have made anew.

    And the classes and functions that a function of another module has made for them, as `make_dataclass` does: these
    are no definitions of theirs. What the new ones have as well, a logger, say, is somebody else's.
    """
    old, new = succession.old, succession.new
    modules = [(record.module, new[name]) for name, record in old.items() if name in new]
    spaces = [tuple(globals_of(module) for module in pair) for pair in modules]
    found = [
        (value, now[name])
        for before, now in spaces
        for name, value in copy_space(before).items()
        if not is_dunder(name) and name in now and now[name] is not value and not is_shared(value)
        if not is_definition(value) or was_made(value, new)
    ]
    others = {id(part) for part in inner_values(value for _, value in found)}
    values = [value for value, _ in found]
    return [*values, *(part for part in inner_values(values) if id(part) not in others)]
