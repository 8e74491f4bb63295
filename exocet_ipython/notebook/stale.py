"""Modules that were frozen while what they import was made anew: they run again once they may."""

from __future__ import annotations

from collections.abc import Mapping

from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.graph import ImportEdge
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["StaleModules"]


class StaleModules:
    """The names of these modules.

    >>> from exocet_ipython.reloading.building.plan import Step
    >>> stale = StaleModules()
    >>> stale.note(Plan(skipped=(Step("app", ImportEdge("app", "lib", "app.py", 3, "import lib")),)))
    >>> stale
    <stale modules: app>
    >>> stale.note(Plan((Step("app"),)))
    >>> stale.changes({})
    []
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __repr__(self) -> str:
        return f"<stale modules: {', '.join(sorted(self._names)) or 'none'}>"

    def note(self, plan: Plan) -> None:
        """Note which modules a plan that was carried out has left stale, and which are stale no more."""
        left = {step.name for step in plan.skipped if isinstance(step.because, ImportEdge)}
        self._names = (self._names - plan.names) | left

    def changes(self, records: Mapping[str, ModuleRecord]) -> list[Change]:
        """Return those among the modules of a generation, given its records, each as a change of its own kind."""
        return [Change(name, "stale", records[name].snapshot.path or "") for name in records if name in self._names]
