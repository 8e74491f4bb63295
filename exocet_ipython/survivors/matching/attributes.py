"""What classes have by themselves and from bases: a member may be another class's by now."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cached_property, partialmethod, singledispatchmethod
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import defines, first_named, module_said_by, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import BOUND_IDS, CACHE
from exocet_ipython.reloading.holding.held import dotted_name, home_of
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.wrapped import functions_held

__all__ = ["Member", "binds", "lost_methods", "pulled_up", "pushed_down"]

# A retired class, its counterpart, the name of a member, what the first one had, and what answers for it now.
Member = tuple[type, type, str, Any, Any]

_WRAPPERS = BOUND_IDS.union(map(id, (property, cached_property, partialmethod, singledispatchmethod, CACHE)))


def binds(value: Any, modules: Container[str]) -> bool:
    """Say whether a class has a descriptor that others may hold: what it has bound does, and so may a library.

    Args:
        value: what the class has.
        modules: dotted names of own modules, whose classes of descriptors count.

    >>> binds(property(), ()), binds(1, ())
    (True, False)
    """
    kind = type(value)
    return id(kind) in _WRAPPERS or (
        defines(kind, "__get__") and (module_said_by(kind) in modules or bool(functions_held(value)))
    )


def pulled_up(attribute: str, before: Any, new: type) -> Any:
    """Return what a class has from a base in the place of a method, property or the like of its own; None if nothing.

    >>> class Base:
    ...     @property
    ...     def name(self): return "base"
    >>> class Cat(Base): pass
    >>> pulled_up("name", property(lambda self: "own"), Cat) is Base.name
    True
    """
    if attribute[:2] == "__" or not functions_in(before):
        return None
    return first_named(attribute, mro_of(new)[1:-1])


def pushed_down(pairs: Pairs, retiring: Container[str], succession: Succession) -> Iterator[Member]:
    """Yield what bases had that are gone, where all classes that had it from them have one and the same thing now.

    Args:
        pairs: what was matched so far, all classes that have a counterpart among it.
        retiring: dotted names of modules that retire, or did.
        succession: what is current.
    """
    found: dict[int, list[Member]] = {}
    for old, new in pairs.classes:
        for base in mro_of(old)[1:-1]:
            if id(base) in pairs.objects or home_of(base) not in retiring or _is_there(base, succession):
                continue
            for attribute, before in copy_space(vars(base)).items():
                if (
                    attribute[:2] == "__"
                    or not functions_in(before)
                    or first_named(attribute, mro_of(old)) is not before
                ):
                    continue
                if (now := first_named(attribute, mro_of(new)[:-1])) is not None:
                    found.setdefault(id(before), []).append((old, new, attribute, before, now))
    for members in found.values():
        if len({id(now) for *_, now in members}) == 1:
            yield members[0]


def lost_methods(pairs: Pairs) -> Iterator[FunctionType]:
    """Yield the methods that retired classes have, and their counterparts have not, nor anything in their place.

    Args:
        pairs: what was matched.
    """
    for old, new in pairs.classes:
        space = vars(old)
        for name in space.keys() - vars(new).keys():
            part = space[name]
            if type(part) is FunctionType and id(part) not in pairs.objects and home_of(part) == home_of(old):
                yield part


def _is_there(base: type, succession: Succession) -> bool:
    """Say whether a class is not gone: it has a name still, or never had one, as a function has made it."""
    return "<locals>" in base.__qualname__ or succession.find(dotted_name(base)) is not None
