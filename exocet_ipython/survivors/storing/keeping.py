"""Modules whose functions have read a data file for another one, and may answer with what they have read then."""

from __future__ import annotations

import os
from collections.abc import Mapping

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.datafiles.readers import readers_at_import
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.storing.stores import read_stores

__all__ = ["find_keepers"]


def find_keepers(name: str, session: Mapping[str, ModuleRecord]) -> list[str]:
    """Return the other modules whose functions a module calls when it is imported, and that keep what these give.

    By `functools.cache`, in a dict or a global that they look into first, or in an instance.

    Args:
        name: dotted name of the module that has read a file.
        session: dotted name -> record.
    """
    record = session[name]
    if record.readable_code is None:
        return []
    folder = os.path.dirname(record.snapshot.path or "")
    readers = readers_at_import(record.readable_code, folder, globals_of(record.module))
    homes = dict[str, None]()
    for function in readers.functions:
        home = session.get(function.__globals__.get("__name__", ""))
        if home is None or home is record:
            continue
        stores = read_stores(home.snapshot.data or b"")
        names = set(function.__code__.co_names)
        if id(function) in readers.keeping or not names.isdisjoint(stores.caches | stores.globals):
            homes[home.name] = None
    return [*homes]
