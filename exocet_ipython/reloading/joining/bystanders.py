"""Which of the loaded modules are own code: each is judged once, for there are thousands and few are own."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import Scope

__all__ = ["Bystanders"]


class Bystanders:
    """The loaded modules that are none of the person's business: not own, or there before and related to nothing.

    It holds none of them alive.

    >>> bystanders = Bystanders()
    >>> "sys" in bystanders.find_own(Scope())
    False
    """

    def __init__(self) -> None:
        self._before = frozenset(sys.modules)
        self._scope: Scope | None = None
        self._foreign: dict[str, weakref.ref[Any]] = {}
        self._left: Hashable = None

    def find_own(self, scope: Scope, known: Mapping[str, ModuleRecord] = MappingProxyType({})) -> dict[str, Any]:
        """Return the modules of `sys.modules` that belong to the scope and are not known, by dotted name.

        What was judged is not judged again while the scope is the same and the name has the same module.
        """
        foreign = self._foreign
        if scope != self._scope:
            before, self._scope = self._scope, scope
            if before is not None and scope == replace(before, roots=scope.roots) and before.roots <= scope.roots:
                new = scope.roots - before.roots  # what a person names joins, and all else is as it was
                for name in [name for name in foreign if name.partition(".")[0] in new]:
                    del foreign[name]
            else:
                foreign.clear()
        own: dict[str, Any] = {}
        # Not a list of the items: making their tuples may run the collector, and another thread that imports.
        for name, module in copy_space(sys.modules).items():
            judged = foreign.get(name)
            if judged is not None and judged() is module:
                continue
            record = known.get(name)
            if record is not None and record.module is module:  # else it was taken out of here and imported again
                continue
            if scope.includes_module(name, module):
                own[name] = module
            elif getattr(getattr(module, "__spec__", None), "name", None) == name:  # else it may get its spec yet
                try:
                    foreign[name] = OwnReference(module)
                except TypeError:
                    continue  # no module, but what a library has put there: judged each time
        return own

    def find_newcomers(self, names: Iterable[str]) -> set[str]:
        """Return which modules Python imported since this object was made; no other session's."""
        new = set(names) - self._before
        return {name for name in new if not PRESENCE.is_published(sys.modules.get(name))}

    def leave(self, case: Hashable) -> None:
        """Note a case in which no own module was found to have to do with the session."""
        self._left = case

    def is_left(self, case: Hashable) -> bool:
        """Say whether the last look had the same case, so that looking again would find nothing."""
        return case == self._left
