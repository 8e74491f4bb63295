"""Classes that functions make and keep for who asks again: those that they would make in the same way now go on.

`if kind not in TYPES: class Typed(Base): item = kind`: these are renewed as closures are, and get the new bases.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import CACHE
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.ladder.operations import whole
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.inner import operations_of
from exocet_ipython.survivors.origins import is_instance_of

__all__ = ["goes_on"]


def goes_on(value: Any, session: Mapping[str, ModuleRecord], after: Mapping[str, ModuleType | None]) -> bool:
    """Say whether a value is an instance of the session's classes, or a class that its functions would make alike now.

    Methods of that may be others, as it gets these. What else its statement does is done again where it has methods.

    Args:
        value: it.
        session: dotted name -> record, of all modules until now.
        after: dotted name -> what takes the place of a module that retires.
    """
    return is_instance_of(value, session) or (issubclass(type(value), type) and _is_made_alike(value, session, after))


def _is_made_alike(cls: type, session: Mapping[str, ModuleRecord], after: Mapping[str, ModuleType | None]) -> bool:
    if "<locals>" not in cls.__qualname__ or cls.__module__ not in session:
        return False
    home = session[cls.__module__].module
    makers = [_codes_of_maker(cls, module) for module in (home, after.get(cls.__module__, home))]
    (before, body), (now, new_body) = makers
    if before is None or body is None or new_body is None or operations_of(before) != operations_of(now):
        return False
    has_methods = any(functions_in(part) for part in copy_space(vars(cls)).values())
    return has_methods or operations_of(body) == operations_of(new_body)


def _codes_of_maker(cls: type, module: ModuleType | None) -> tuple[CodeType | None, CodeType | None]:
    """Return the code of the function of a module that makes a class, and of the body of its statement there."""
    path = cls.__qualname__.partition(".<locals>")[0]
    maker = attribute_at(module, path)
    functions = functions_in(vars(maker).get("__wrapped__") if type(maker) is CACHE else maker)
    codes = [code for function in functions for code in whole(function.__code__)]
    body = next((code for code in codes if code.co_qualname == cls.__qualname__), None)
    return codes[0] if codes else None, body
