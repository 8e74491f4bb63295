"""Giving a library's object made anew what the old one holds where no attribute shows it; see `reloading/marks.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.holding.marks import connection_of, is_marked, kind_of, mark_of
from exocet_ipython.reloading.holding.paths import split_entry, value_at
from exocet_ipython.reloading.lasting.settings import is_librarys
from exocet_ipython.survivors.refusals import Refusals
from exocet_ipython.survivors.repeating.entries import is_of_one_kind

__all__ = ["fill", "write_again"]


def fill(before: Any, now: Any, after: Mapping[str, ModuleType | None] = MappingProxyType({})) -> bool:
    """Have an object hold what another one of its class does; say whether it does then.

    Args:
        before: the other one.
        now: the object.
        after: dotted name -> what takes the place of a module that retires: a database with other tables than theirs
            is not taken over, since a restart would make it of these.

    >>> text = bytearray(b"a")
    >>> fill(bytearray(b"abc"), text), text
    (True, bytearray(b'abc'))
    """
    fill_in = _FILLS.get(kind_of(before))
    if fill_in is None:  # a lock, say
        return False
    try:
        if fill_in is _fill_engine and not all(map(_Fits(before), after.values())):
            return False
        fill_in(before, now)
    except Exception:  # noqa: BLE001 - an array of another shape, a full queue: the library's to say, and it stays new
        return False
    return mark_of(before) == mark_of(now)


def write_again(
    module: str, paths: Iterable[str], before: dict[str, Any], now: dict[str, Any], refusals: Refusals
) -> None:
    """Write what cells have written into what libraries look after into what was made anew.

    These are entries of their maps (`session.headers["key"] = ...`), also where they are written as attributes
    (`config.optimizer.rate = 0.1`), and attributes that descriptors set, as traits.

    Args:
        module: dotted name of the one in which cells have written it.
        paths: of the entries and the attributes, as cells have written them.
        before: the globals of the retired module.
        now: those of the new one.
        refusals: what is noted of what a library refuses.
    """
    for path in paths:
        entry = split_entry(path)
        owner, key = entry or path.rpartition(".")[::2]
        try:
            old, new = _find(before, owner), _find(now, owner)
            if old is None or old is new or not is_of_one_kind(old, new):
                continue
            if _is_map_of_library(old) and key in old:
                new[key] = old[key]
            elif entry is None and all(_is_set_by_library(type(one), key) for one in (old, new)):
                setattr(new, key, getattr(old, key))
        except Exception as error:  # noqa: BLE001 - the library refuses: it stays as its module has made it
            refusals.note(f"{module}.{path}", error)


def _find(space: dict[str, Any], path: str) -> Any:
    """Return what a path leads to in a module's globals, also by entries of libraries' maps; None where it ends."""
    if (found := value_at(space, path)) is not None or not path:
        return found
    owner, key = split_entry(path) or path.rpartition(".")[::2]
    above = _find(space, owner)
    return above[key] if _is_map_of_library(above) and key in above else None


def _is_set_by_library(kind: type, name: str) -> bool:
    """Say whether an attribute of instances of a class is set by a library's descriptor, as a trait of traitlets is."""
    setter = first_named("__set__", mro_of(type(first_named(name, mro_of(kind)))))
    return type(setter) is FunctionType and is_librarys(setter)


def _is_map_of_library(value: Any) -> bool:
    return isinstance(value, MutableMapping) and not is_registry(value) and not is_marked(value)


def _fill_items(before: Any, now: Any) -> None:
    now[:] = before


def _fill_array(before: Any, now: Any) -> None:
    now[...] = before


def _fill_table(before: Any, now: Any) -> None:
    now.__setstate__(before.copy(deep=False).__getstate__())


def _fill_parser(before: Any, now: Any) -> None:
    now.clear()
    now.read_dict({name: dict(before._sections.get(name, {})) for name in before.sections()})  # noqa: SLF001 - as written


def _fill_queue(before: Any, now: Any) -> None:
    with before.mutex:
        items = list(before.queue)
    now.queue.clear()
    for item in items:
        now.put_nowait(item)


def _fill_queue_of_tasks(before: Any, now: Any) -> None:
    items = list(before._queue)  # noqa: SLF001 - getting them would wake who waits for room
    while not now.empty():
        now.get_nowait()
    for item in items:
        now.put_nowait(item)


def _fill_database(before: Any, now: Any) -> None:
    now.rollback()
    now.deserialize(before.serialize())  # `backup` waits for the end of what is not committed yet


class _Fits:
    """Says whether the tables of a module are as they are in the database of an engine, as far as they are there."""

    def __init__(self, engine: Any) -> None:
        self._cursor = connection_of(engine).cursor()

    def __call__(self, module: ModuleType | None) -> bool:
        parts = copy_space(globals_of(module)).values()
        tables = [type.__getattribute__(part, "__dict__").get("__table__") for part in parts if _is_class(part)]
        mapped = [table for table in tables if table is not None]  # asked whether it is true, it raises
        return all(map(self._has, [*mapped, *filter(_is_table, parts)]))

    def _has(self, table: Any) -> bool:
        columns = {row[1] for row in self._cursor.execute("select * from pragma_table_info(?)", (table.name,))}
        return not columns or columns == {column.name for column in table.columns}


def _is_class(value: Any) -> bool:
    return issubclass(type(value), type)


def _is_table(value: Any) -> bool:
    return kind_of(value) == ("sqlalchemy", "Table")


def _fill_engine(before: Any, now: Any) -> None:
    now.dispose()
    now.pool = before.pool  # and with it the database, which sessions of cells may be at


def _fill_sorted(before: Any, now: Any) -> None:
    items = list(before)
    now.clear()
    now.update(items)


def _fill_event(before: Any, now: Any) -> None:
    (now.set if before.is_set() else now.clear)()


def _fill_generator(before: Any, now: Any) -> None:
    now.bit_generator.state = before.bit_generator.state


_FILLS: dict[tuple[str, str], Callable[[Any, Any], object]] = {
    ("builtins", "bytearray"): _fill_items,
    ("array", "array"): _fill_items,
    ("numpy", "ndarray"): _fill_array,
    ("pandas", "DataFrame"): _fill_table,
    ("pandas", "Series"): _fill_table,
    ("_contextvars", "ContextVar"): lambda before, now: now.set(before.get()),
    ("argparse", "Namespace"): lambda before, now: vars(now).update(vars(before)),
    ("asyncio", "Event"): _fill_event,
    ("asyncio", "LifoQueue"): _fill_queue_of_tasks,
    ("asyncio", "PriorityQueue"): _fill_queue_of_tasks,
    ("asyncio", "Queue"): _fill_queue_of_tasks,
    ("configparser", "ConfigParser"): _fill_parser,
    ("itertools", "count"): lambda _before, _now: None,  # it was taken on already, as iterators are
    ("numpy", "Generator"): _fill_generator,
    ("queue", "LifoQueue"): _fill_queue,
    ("queue", "PriorityQueue"): _fill_queue,
    ("queue", "Queue"): _fill_queue,
    ("random", "Random"): lambda before, now: now.setstate(before.getstate()),
    ("sortedcontainers", "SortedKeyList"): _fill_sorted,
    ("sortedcontainers", "SortedList"): _fill_sorted,
    ("sortedcontainers", "SortedSet"): _fill_sorted,
    ("sqlalchemy", "Engine"): _fill_engine,
    ("sqlite3", "Connection"): _fill_database,
    ("threading", "Event"): _fill_event,
}
