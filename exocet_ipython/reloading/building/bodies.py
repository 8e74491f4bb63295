"""What the bodies of a batch's modules run with: builtins of their own, and the loader and the spec of each."""

from __future__ import annotations

import builtins
import copy
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.loading.interrupts import interruptible

__all__ = ["BodyBuiltins", "copied", "run_by_loader"]


@interruptible
def run_by_loader(loader: Any, module: ModuleType) -> None:
    """Run a module as its loader does."""
    loader.exec_module(module)


class BodyBuiltins(dict[str, Any]):
    """The builtins of a module's body: the batch's `__import__`, all else as it is in the real ones at that moment.

    A copy would miss what a body puts there, as `gettext.install` does. Only bodies pay for the detour, no function.
    Who looks at the frame of a body sees them as well: `@register_line_magic` asks it for `get_ipython`.
    """

    def __missing__(self, key: str) -> Any:
        return vars(builtins)[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in vars(builtins)

    def get(self, key: str, default: Any = None) -> Any:
        """Return what a body's frame finds under a name, as `dict.get` does."""
        return super().get(key, vars(builtins).get(key, default))


def copied(spec: ModuleSpec) -> ModuleSpec:
    """Return a spec of the same contents; `copy.copy` takes as long as a small module to run."""
    if type(spec) is not ModuleSpec:
        return copy.copy(spec)
    made = object.__new__(ModuleSpec)
    vars(made).update(vars(spec))
    return made
