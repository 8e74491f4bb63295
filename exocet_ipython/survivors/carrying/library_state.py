"""Giving a library's object made anew what the old one holds where no attribute shows it; see `reloading/marks.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.reloading.contents import is_registry
from exocet_ipython.reloading.marks import is_marked, kind_of, mark_of
from exocet_ipython.reloading.paths import split_entry, value_at
from exocet_ipython.reloading.settings import is_librarys
from exocet_ipython.survivors.carrying.entries import is_of_one_kind

__all__ = ["fill", "write_again"]


def fill(before: Any, now: Any) -> bool:
    """Have an object hold what another one of its class does; say whether it does then.

    >>> text = bytearray(b"a")
    >>> fill(bytearray(b"abc"), text), text
    (True, bytearray(b'abc'))
    """
    fill_in = _FILLS[kind_of(before)]
    try:
        fill_in(before, now)
    except Exception:  # noqa: BLE001 - an array of another shape, a full queue: the library's to say, and it stays new
        return False
    return mark_of(before) == mark_of(now)


def write_again(paths: Iterable[str], before: dict[str, Any], now: dict[str, Any]) -> None:
    """Write what cells have written into what libraries look after into what was made anew.

    These are entries of their maps (`session.headers["key"] = ...`), and attributes that descriptors set, as traits.

    Args:
        paths: of the entries and the attributes, as cells have written them.
        before: the globals of the retired module.
        now: those of the new one.
    """
    for path in paths:
        entry = split_entry(path)
        owner, key = entry or path.rpartition(".")[::2]
        old, new = value_at(before, owner), value_at(now, owner)
        if old is None or old is new or not is_of_one_kind(old, new):
            continue
        try:
            if entry is None and all(_is_set_by_library(type(one), key) for one in (old, new)):
                setattr(new, key, getattr(old, key))
            elif entry is not None and _is_map_of_library(old) and key in old:
                new[key] = old[key]
        except Exception:  # noqa: BLE001, S112 - the library refuses: it stays as its module has made it
            continue


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
    ("configparser", "ConfigParser"): _fill_parser,
    ("numpy", "Generator"): _fill_generator,
    ("queue", "LifoQueue"): _fill_queue,
    ("queue", "Queue"): _fill_queue,
    ("random", "Random"): lambda before, now: now.setstate(before.getstate()),
    ("sortedcontainers", "SortedKeyList"): _fill_sorted,
    ("sortedcontainers", "SortedList"): _fill_sorted,
    ("sortedcontainers", "SortedSet"): _fill_sorted,
    ("threading", "Event"): _fill_event,
}
