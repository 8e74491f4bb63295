"""IPython's own `%autoreload` beside ours: it leaves alone the modules that we reload, and the person is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["AutoreloadGuard"]


class AutoreloadGuard:
    """Has the `%autoreload` of one shell pass over modules for a while.

    Two reloaders of one module undo each other's work: `%autoreload` would patch in place what we have made anew.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._reloader: Any = None
        self._marked: dict[str, bool] = {}  # name -> whether the person had named it with %aimport
        self._was_told = False

    def __repr__(self) -> str:
        return f"<guard of {len(self._marked)} modules against %autoreload>"

    def keep_off(self, names: Callable[[], Iterable[str]]) -> None:
        """Have `%autoreload` pass over these modules, too, if it is there; they are only asked for then."""
        magics = self._shell.magics_manager.registry.get("AutoreloadMagics")
        reloader = getattr(magics, "_reloader", None)
        if reloader is None:
            return
        if reloader is not self._reloader:
            self._reloader, self._marked = reloader, {}
        for name in names():
            if name not in reloader.skip_modules:
                self._marked[name] = name in reloader.modules or self._marked.get(name, False)
                reloader.mark_module_skipped(name)
        if self._marked and reloader.enabled and not self._was_told:
            self._was_told = True
            print(  # noqa: T201 - for the person, once
                "%autoreload is on as well: it now passes over the modules that %exoauto reloads, "
                "and goes on with the others."
            )

    def looked_at(self) -> set[str]:
        """Return the dotted names of the modules that `%autoreload` may have patched in place."""
        magics = self._shell.magics_manager.registry.get("AutoreloadMagics")
        return {*getattr(getattr(magics, "_reloader", None), "modules_mtimes", ())}

    def let_go(self) -> None:
        """Give `%autoreload` back what it had; harmless when it was never kept off."""
        for name, was_named in self._marked.items():
            self._reloader.skip_modules.pop(name, None)
            if was_named:
                self._reloader.mark_module_reloadable(name)
        self._reloader, self._marked = None, {}
