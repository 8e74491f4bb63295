"""The functions that a function makes, by their code: which of the old ones is which of the new ones."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator, Mapping
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

from exocet_ipython.reloading.ladder.operations import whole
from exocet_ipython.reloading.ladder.pairing import pair_nested

__all__ = ["Inner", "match_inner"]

_STORES = {dis.opmap["STORE_DEREF"], dis.opmap["DELETE_DEREF"]}


class Inner(NamedTuple):
    """Code of functions that a retired function made.

    Attributes:
        old: the code.
        new: its counterpart.
        namespace: globals of the new module.
        renamed: new name of a variable -> the old one, of the parameters of the functions around it.
        maker: the new function that makes it; None of what is deeper inside.
    """

    old: CodeType
    new: CodeType
    namespace: dict[str, Any]
    renamed: Mapping[str, str]
    maker: Any = None

    def default_of(self, name: str) -> CellType:
        """Return what a variable of the maker is that is a parameter by now, for a call that didn't know of it.

        Raises:
            KeyError: it is none, has no default, or is assigned to: then only the call can tell.
        """
        if self.maker is None or _is_stored(name, self.maker.__code__):
            raise KeyError(name)
        return CellType(_defaults_of(self.maker)[name])


def match_inner(old: CodeType, new: FunctionType) -> dict[int, Inner]:
    """Match the functions that a function makes.

    Args:
        old: code of the retired function.
        new: its counterpart.

    Returns:
        Id of an old code object -> it and its counterpart; those deeper inside as well.
    """
    return _match_nested(old, new.__code__, new.__globals__, {}, new)


def _match_nested(
    old: CodeType, new: CodeType, namespace: dict[str, Any], renamed: Mapping[str, str], maker: FunctionType | None
) -> dict[int, Inner]:
    found: dict[int, Inner] = {}
    pairs = list(pair_nested(old, new))
    if pairs:
        renamed = {**renamed, **dict(_renamed_parameters(old, new))}
    for before, now in pairs:
        found[id(before)] = Inner(before, now, namespace, renamed, maker)
        found |= _match_nested(before, now, namespace, renamed, None)
    return found


def _defaults_of(function: FunctionType) -> dict[str, Any]:
    defaults, code = function.__defaults__ or (), function.__code__
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(defaults) :]
    return {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}


def _is_stored(name: str, code: CodeType) -> bool:
    """Say whether a function, or one inside of it, gives a variable another value than it came with."""
    stores = (part.argval for inner in whole(code) for part in dis.get_instructions(inner) if part.opcode in _STORES)
    return name in stores


def _renamed_parameters(old: CodeType, new: CodeType) -> Iterator[tuple[str, str]]:
    """Yield the parameters that only have another name now, each as new and old name."""
    names, before = _parameters(new), _parameters(old)
    if len(names) != len(before):
        return
    for now, name in zip(names, before, strict=True):
        if now not in {*old.co_varnames, *old.co_cellvars} and name not in {*new.co_varnames, *new.co_cellvars}:
            yield now, name


def _parameters(code: CodeType) -> tuple[str, ...]:
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]
