"""Giving a library's object made anew what the old one holds where no attribute shows it; see `reloading/marks.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exocet_ipython.reloading.marks import kind_of, mark_of

__all__ = ["fill"]


def fill(before: Any, now: Any) -> bool:
    """Have an object hold what another one of its class does; say whether it does then.

    >>> text = bytearray(b"a")
    >>> fill(bytearray(b"abc"), text), text
    (True, bytearray(b'abc'))
    """
    try:
        _FILLS[kind_of(before)](before, now)
    except Exception:  # noqa: BLE001 - an array of another shape, a full queue: the library's to say, and it stays new
        return False
    return mark_of(before) == mark_of(now)


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
    ("threading", "Event"): _fill_event,
}
