"""Names of before: what an edit has only given another name has the old one in all that retires."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType, MappingProxyType
from typing import Any, TypeVar

from exocet_ipython.reloading.retired import retired_class, retired_module, retired_of

__all__ = ["renamed_by", "under_old_names"]

_Value = TypeVar("_Value")
_NONE: Mapping[str, str] = MappingProxyType({})


def renamed_by(before: Any) -> Mapping[str, str]:
    """Return the names of globals and attributes that are others in what has taken the place of a module, each with it.

    Args:
        before: the module, or a function or class of it; of what is current there are none.

    >>> renamed_by(renamed_by)
    mappingproxy({})
    """
    kind = type(before)
    if kind is FunctionType:
        retired = retired_module(before.__globals__)
    else:
        retired = retired_class(before) if issubclass(kind, type) else retired_of(before)
    return _NONE if retired is None else retired.renamed


def under_old_names(space: Mapping[str, _Value], renamed: Mapping[str, str]) -> Mapping[str, _Value]:
    """Return what has names by now under those that it had.

    Args:
        space: the globals of a module, or attributes.
        renamed: what names were -> what they are.

    >>> under_old_names({"TOTAL": 1, "LIMIT": 9}, {"COUNT": "TOTAL", "ITEMS": "ENTRIES"})
    {'COUNT': 1, 'LIMIT': 9}
    """
    former = {name: was for was, name in renamed.items() if name in space and was not in space}
    return {former.get(name, name): value for name, value in space.items()} if former else space
