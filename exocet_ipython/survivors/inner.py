"""The functions that a function makes, by their code: which of the old ones is which of the new ones."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import CodeType, MappingProxyType
from typing import Any, NamedTuple

from exocet_ipython.reloading.pairing import pair_nested

__all__ = ["Inner", "match_inner"]

_NONE: Mapping[str, str] = MappingProxyType({})


class Inner(NamedTuple):
    """Code of functions that a retired function made.

    Attributes:
        old: the code.
        new: its counterpart.
        namespace: globals of the new module.
        renamed: new name of a variable -> the old one, of the parameters of the functions around it.
    """

    old: CodeType
    new: CodeType
    namespace: dict[str, Any]
    renamed: Mapping[str, str]


def match_inner(
    old: CodeType, new: CodeType, namespace: dict[str, Any], renamed: Mapping[str, str] = _NONE
) -> dict[int, Inner]:
    """Match the functions that a function makes.

    Args:
        old: code of the retired function.
        new: code of its counterpart.
        namespace: globals of the new module.
        renamed: as in `Inner`.

    Returns:
        Id of an old code object -> it and its counterpart; those deeper inside as well.
    """
    renamed = {**renamed, **dict(_renamed_parameters(old, new))}
    found = {}
    for before, now in pair_nested(old, new):
        found[id(before)] = Inner(before, now, namespace, renamed)
        found |= match_inner(before, now, namespace, renamed)
    return found


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
