"""The order of what modules and cells registered, in registries that go on: a restart runs the modules first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from exocet_ipython.reloading.building.registries import containers_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.origins import is_from_cell
from exocet_ipython.survivors.repeating.entries import entries, is_map

__all__ = ["put_cells_last"]


def put_cells_last(after: Mapping[str, ModuleRecord], journal: Journal) -> None:
    """Have what cells registered follow what modules that were made anew have put behind it.

    Args:
        after: dotted name -> record of a module that is current then.
        journal: how it is taken back.
    """
    for record in after.values():
        for _, container in containers_of(record) if record.given else ():
            if not isinstance(container, set):
                _reorder(container, record.given, journal)


def _reorder(container: Any, given: Collection[int], journal: Journal) -> None:
    """Put the cells' entries at the end of a list or a dict behind those given, as far as no other stands between.

    >>> mine, journal = type("Mine", (), {"__module__": "__main__"}), Journal()
    >>> items, table = [len, mine, max], {"a": len, "b": mine, "c": max}
    >>> _reorder(items, {id(max)}, journal), _reorder(table, {id(max)}, journal)
    (None, None)
    >>> items == [len, max, mine], list(table)
    (True, ['a', 'c', 'b'])
    >>> journal.undo()
    >>> items == [len, mine, max], list(table)
    (True, ['a', 'b', 'c'])
    """
    of_map, theirs, others, before = is_map(container), list[Any](), list[Any](), list[Any]()
    for key, value in reversed(list(entries(container))):
        if id(value if of_map else key) in given:
            others.insert(0, key)
        elif is_from_cell(key) or is_from_cell(value):
            theirs.insert(0, key)
        else:
            break
        before.insert(0, key)
    ordered = [*others, *theirs]
    if list(map(id, ordered)) != list(map(id, before)):
        write = _move_last if of_map else _write_last
        journal.add(partial(write, container, before))
        write(container, ordered)


def _write_last(items: Any, ordered: list[Any]) -> None:
    """Write what is at the end of a list in another order; of a `list` in one step, for threads that look."""
    begin = len(items) - len(ordered)
    if isinstance(items, list):
        items[begin:] = ordered
    else:
        for place, item in enumerate(ordered, begin):
            items[place] = item


def _move_last(table: dict[Any, Any], ordered: list[Any]) -> None:
    for key in ordered:
        if key in table:
            table[key] = table.pop(key)
