"""The entries of a folder that may be modules."""

from __future__ import annotations

import os
from importlib.machinery import all_suffixes

__all__ = ["list_modules", "may_be_module", "module_stem"]

_MODULE_SUFFIXES = frozenset((*all_suffixes(), ".pyw"))


def may_be_module(entry: str) -> bool:
    """Say whether a folder's entry of this name may be imported; without a dot only a folder can be.

    >>> [may_be_module(name) for name in ("a.py", "pkg", "a.abi3.so", "a.pyc")]
    [True, True, True, True]
    >>> [may_be_module(name) for name in (".a.py.swp", "4913", "a.py~", ".#a.py", "a.py.tmp", "__pycache__", "a-b.py")]
    [False, False, False, False, False, False, False]
    """
    stem, dot, rest = entry.partition(".")
    return stem.isidentifier() and stem != "__pycache__" and (not dot or dot + rest in _MODULE_SUFFIXES)


def module_stem(folder: str, entry: str) -> str:
    """Return the part of a dotted name that an entry of a folder may be.

    >>> module_stem("/src/pkg", "mod.py"), module_stem("/src/pkg", "__init__.py"), module_stem("/src", "pkg")
    ('mod', 'pkg', 'pkg')
    """
    stem = entry.partition(".")[0]
    return os.path.basename(folder) if stem == "__init__" else stem


def list_modules(folder: str) -> frozenset[str] | None:
    """Return the entries of a folder that may be modules; None where it can't be listed."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(
                entry.name for entry in entries if may_be_module(entry.name) and ("." in entry.name or entry.is_dir())
            )
    except (OSError, ValueError):
        return None
