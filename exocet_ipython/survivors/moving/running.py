"""What code that has begun to run looks up: it goes on in the globals of the retired module, and shares the new state.

A loop in a thread puts its results where the notebook finds them, then, and ends when the notebook tells it to.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from weakref import WeakSet

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import is_shared
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import RetiredModule, living_retired
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["note_running", "share_state"]

_running = WeakSet[RetiredModule]()  # whose code ran when they retired; it is taken to do so as long as they live


def note_running(used: Collection[int], succession: Succession, journal: Journal) -> None:
    """Note the retired modules whose code runs on.

    Args:
        used: ids of the globals in which code has begun to run.
        succession: which modules retire.
        journal: how it is taken back.
    """
    for retired in living_retired(*succession.old) if used else ():
        if id(globals_of(retired.record.module)) in used and retired not in _running:
            _running.add(retired)
            journal.add(partial(_running.discard, retired))


def share_state(succession: Succession, journal: Journal) -> None:
    """Have retired modules whose code runs on hold what the new ones have: containers, events, instances.

    Functions and classes stay: they call the new ones. Numbers and the like can be assigned to one module only.

    Args:
        succession: which modules retire, and which are current now.
        journal: how it is taken back.
    """
    for retired in [*_running]:
        if (module := succession.new.get(retired.record.name)) is None or retired.record.module is module:
            continue
        space, now = globals_of(retired.record.module), globals_of(module)
        for key, value in copy_space(space).items():
            new = now.get(key)
            if type(new) is not type(value) or new is value or is_dunder(key):
                continue  # code that expects another kind would fail
            if not (is_shared(value) or is_definition(value)):
                journal.set_item(space, key, new)
