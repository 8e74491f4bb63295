"""Classes that functions make and keep for who asks again: those that they would make in the same way now go on.

`if kind not in TYPES: class Typed(Base): item = kind`: these are renewed as closures are, and get the new bases. So do
those that a call makes: `TYPES[kind] = type(name, (Base,), {"item": kind})`.
"""

from __future__ import annotations

import dis
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import attributes_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.inner import operations_of
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.storing.constructing.constructions import read_constructor
from exocet_ipython.survivors.storing.constructing.constructors import find_added
from exocet_ipython.survivors.storing.readings import ReadStores, codes_in

__all__ = ["goes_on"]

_CALLS = {number for name, number in dis.opmap.items() if name in ("CALL", "CALL_KW")}
_ANY_CALL = {dis.opmap["CALL_FUNCTION_EX"]}
_PARTS = 3  # a class is made of


def goes_on(value: Any, read: ReadStores) -> bool:
    """Say whether a value is an instance of the session's classes, or a class that its functions would make alike now.

    Methods of that may be others, as it gets these. What else its statement does is done again where it has methods.
    An instance that lacks what the new constructor makes is not for others, who would meet it.

    Args:
        value: it.
        read: what the functions of the session's modules store, and which of these retire.
    """
    if is_instance_of(value, read.session):
        return not _lacks_attributes(value, read.after)
    return issubclass(type(value), type) and _is_made_alike(value, read)


def _lacks_attributes(instance: Any, after: Mapping[str, ModuleType | None]) -> bool:
    """Say whether the new constructor sets what the old one did not, and nothing gives that to an old instance."""
    before = type(instance)
    now = attribute_at(after.get(str(module_said_by(before))), before.__qualname__)
    if not issubclass(type(now), type) or now is before:
        return False
    old, new = read_constructor(mro_of(before)), read_constructor(mro_of(now))
    if old is None or new is None:
        return False
    set_now = {made.attribute for made in new.made} - {made.attribute for made in old.made}
    return not set_now <= {*find_added(before, now), *(name for name, _ in attributes_of(instance))}


def _is_made_alike(cls: type, read: ReadStores) -> bool:
    if module_said_by(cls) not in read.session:
        return False
    home = read.session[module_said_by(cls)].module
    modules = home, read.after.get(module_said_by(cls), home)
    if "<locals>" not in cls.__qualname__:
        before, now = (_callers({kind.__name__ for kind in mro_of(type(cls))[:-1]}, module) for module in modules)
        return attribute_at(home, cls.__qualname__) is None and bool(before) and before == now
    (before_maker, body), (maker, new_body) = (_codes_of_maker(cls, module) for module in modules)
    if body is None or new_body is None or operations_of(before_maker) != operations_of(maker):
        return False
    return bool(functions_of(cls)) or operations_of(body) == operations_of(new_body)


def _codes_of_maker(cls: type, module: ModuleType | None) -> tuple[CodeType | None, CodeType | None]:
    """Return the code of the function of a module that makes a class, and of the body of its statement there."""
    codes = codes_in(attribute_at(module, cls.__qualname__.partition(".<locals>")[0]))
    body = next((code for code in codes if code.co_qualname == cls.__qualname__), None)
    return codes[0] if codes else None, body


def _callers(names: set[str], module: ModuleType | None) -> dict[str, list[tuple[int, Any]]]:
    """Return what the functions and methods of a module do that may call what has one of the names for a class."""
    parts = [part for part in copy_space(globals_of(module)).values() if home_of(part) == vars(module)["__name__"]]
    for cls in [part for part in parts if issubclass(type(part), type)]:
        parts += copy_space(vars(cls)).values()
    codes = [code for part in parts for code in codes_in(part) if not names.isdisjoint(code.co_names)]
    return {code.co_qualname: operations_of(code) for code in codes if any(map(_may_make, iter_operations(code)))}


def _may_make(operation: tuple[int, int, Any]) -> bool:
    """Say whether an operation is a call that takes a name, bases and attributes: no `type(self)`."""
    _, number, argument = operation
    return number in _ANY_CALL or (number in _CALLS and argument >= _PARTS)
