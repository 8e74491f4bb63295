"""Taking classes off the lists of subclasses of their bases: a registry by inheritance reads them.

A class refers to itself, so it is there until the collector comes by, though nobody has it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import methodcaller
from types import new_class
from typing import Any

from exocet_ipython.loading.classes import is_of_python, is_static, set_attribute
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.retired import own_classes

__all__ = ["abandon", "detach"]


def abandon(modules: Iterable[tuple[str, Any]]) -> None:
    """Take the classes of modules that were made in vain off the lists of bases that go on.

    Args:
        modules: dotted name and module of each.
    """
    classes = [cls for name, module in modules for cls in own_classes(globals_of(module), name)]
    made = set(map(id, classes))
    for cls in classes:
        if any(base is not object and id(base) not in made for base in type.__getattribute__(cls, "__bases__")):
            detach(cls)


def detach(cls: type) -> bool:
    """Give a class a base that nobody else has; say whether Python lets it have one.

    >>> class Shape: pass
    >>> class Circle(Shape): pass
    >>> detach(Circle), Shape.__subclasses__()
    (True, [])
    """
    standard = _standard_base(cls)
    for layout in ({}, {"__slots__": ()}, {"__slots__": _slots_above(cls)}):
        try:
            body = {"__orig_bases__": (), **layout}  # `Generic` asks for them
            # As a class statement does: an enumeration takes no other namespace than its own.
            nothing = new_class("Retired", standard, exec_body=methodcaller("update", body))
            set_attribute(cls, "__bases__", (nothing,))
        except TypeError:
            continue  # another layout
        return True
    return False


def _standard_base(cls: type) -> tuple[type, ...]:
    """Return the class of Python's own, or one made in C, that a class is laid out like; none where that is `object`.

    >>> import abc
    >>> class Shape(abc.ABC): pass
    >>> _standard_base(Shape), _standard_base(type("Circle", (), {}))
    ((<class 'abc.ABC'>,), ())
    """
    # No hook of one that is made in C asks to be told of what derives from it.
    found = next((base for base in _line_of(cls) if is_static(base) or is_of_python(base)), None)
    return () if found is None else (found,)


def _slots_above(cls: type) -> tuple[str, ...]:
    """Return the slots of the next base that has some: a class only changes to bases that have the same.

    >>> class Point: __slots__ = ("x", "y")
    >>> _slots_above(type("Named", (Point,), {"__slots__": ()}))
    ('x', 'y')
    """
    slots: Iterator[Any] = (vars(base).get("__slots__", ()) for base in _line_of(cls))
    found = next(filter(None, slots), ())
    return (found,) if type(found) is str else tuple(found)


def _line_of(cls: type) -> Iterator[type]:
    """Yield the bases that give a class its layout, without `object`."""
    base: Any = type.__getattribute__(cls, "__base__")
    while base is not object:
        yield base
        base = type.__getattribute__(base, "__base__")
