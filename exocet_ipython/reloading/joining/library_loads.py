"""What a library adds to the process while it is loaded, and has then, for a body that imports it first."""

from __future__ import annotations

from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.loading.tracebacks import as_importlibs
from exocet_ipython.reloading.joining.noting import can_be_shadowed
from exocet_ipython.reloading.lasting.effects import are_noted, librarys_effects, read_loaded

__all__ = ["leave_out_effects"]


def leave_out_effects(spec: ModuleSpec) -> None:
    """Have what a library's module adds to the process count for none of the bodies that the present thread runs.

    These run again one day, and what they had added is taken off before; the library's would be lost. What it loads
    itself is part of that. The loader is the finder's own object, made for this spec, as in `LoadNotes.watch`.

    Args:
        spec: of the module, which is not own code.
    """
    loader: Any = spec.loader
    if are_noted() and can_be_shadowed(loader):
        loader.exec_module = partial(_run, loader)


@as_importlibs
def _run(loader: Any, module: ModuleType) -> None:
    del loader.exec_module
    with librarys_effects():
        loader.exec_module(module)
    read_loaded(module.__name__)
