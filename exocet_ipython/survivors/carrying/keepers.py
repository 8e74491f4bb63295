"""Modules that go on and hold answers of those that are made anew.

`use.py` keeps what it has computed in a dict of `base.py`. An edit of `use.py` doesn't reach `base.py`, and what is
there would answer for the new code. So the module that has the container is made anew with the one that fills it. So is
one that has found out itself what to do with classes of theirs, and keeps that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from exocet_ipython.reloading.building.registries import containers_of
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.repeating.entries import changed_entries
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["find_filled"]


def find_filled(names: Collection[str], read: ReadStores) -> frozenset[str]:
    """Return the modules that go on and have in a container what functions of others have computed and put away.

    Args:
        names: of the modules that are to be made anew.
        read: what the functions of the session's modules store.
    """
    retiring = read.retiring(dict.fromkeys(names))
    owned = (Ownership(read.session[name], retiring) for name in _imported_by(names, read))
    return frozenset(one.record.name for one in owned if _is_filled(one))


def _is_filled(owned: Ownership) -> bool:
    """Say whether a module has such answers."""
    record = owned.record
    entries = [
        (path, *entry)
        for path, container in containers_of(record)
        for entry in changed_entries(container, record.contents[path])
        if not owned.was_given(*entry, container)
    ]
    if any(owned.is_answer_of_others(*entry) for entry in entries if not owned.is_modules(*entry)):
        return True
    # Made anew, a module makes another instance than it has given to everybody, unless somebody holds that.
    makes_once = any(owned.makes_once(path, value) for path, _, value in entries)
    return not makes_once and any(owned.is_answer_for_others(*entry) for entry in entries)


def _imported_by(names: Collection[str], read: ReadStores) -> Iterator[str]:
    """Yield the modules that go on and that others import, directly or through others."""
    waiting, seen = list(names), set(names)
    while waiting:
        record = read.session.get(waiting.pop())
        new = [] if record is None else [name for name in record.needs if name in read.session and name not in seen]
        seen.update(new)
        waiting += new
        yield from new
