"""What the functions of libraries' modules store: their texts stay as they are."""

from __future__ import annotations

import functools
import sys

from exocet_ipython.loading.files import read_file
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.survivors.storing.stores import Stores, read_stores

__all__ = ["read_library", "text_of_library"]


@functools.cache
def read_library(name: str) -> Stores:
    """Return what the functions of a library's module store."""
    return read_stores(text_of_library(name))


@functools.cache
def text_of_library(name: str) -> bytes:
    """Return the text of a library's module; nothing of what is Python's own, or has none."""
    path = getattr(sys.modules.get(name), "__file__", None) or ""
    if name.partition(".")[0] in (*sys.stdlib_module_names, CELLS) or not path.endswith(".py"):
        return b""
    try:
        return read_file(path)[1]
    except OSError:
        return b""
