"""Weak references to what retires, of whoever made them, and what takes their place."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

__all__ = ["references_to", "renewed_references"]

_REFERENCES = (weakref.ProxyType, weakref.CallableProxyType, weakref.KeyedRef)
_OURS = 3  # references: the list, the variable, the argument of getrefcount


def renewed_references(old: Any, now: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the weak references and proxies to an object, each with one of its kind to the counterpart.

    Those of `references_to`; none to what can't be referred to weakly.

    Args:
        old: the object.
        now: its counterpart.
    """
    for reference in references_to(old) if type(now).__weakrefoffset__ else ():
        kind = type(reference)
        if kind is weakref.KeyedRef:
            yield reference, weakref.KeyedRef(now, reference.__callback__, reference.key)
        elif kind is weakref.ref:
            yield reference, weakref.ref(now, reference.__callback__)
        else:  # a proxy passes on all that it is asked
            yield reference, weakref.proxy(now, *gc.get_referents(reference))


def references_to(thing: Any) -> Iterator[Any]:
    """Yield the weak references and proxies to an object that are Python's own.

    Not ours, nor the plain one by which the bases of a class know it, where nobody else has got it.
    """
    bases = len(type.__getattribute__(thing, "__bases__")) if issubclass(type(thing), type) else 0
    references = weakref.getweakrefs(thing)
    for reference in references:
        kind = type(reference)
        if kind is weakref.ref:
            if reference.__callback__ is not None or sys.getrefcount(reference) > bases + _OURS:
                yield reference
        elif kind in _REFERENCES:
            yield reference
