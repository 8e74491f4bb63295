"""Weak references to what retires, of whoever made them, and what takes their place."""

from __future__ import annotations

import gc
import inspect
import sys
import weakref
from collections.abc import Iterator
from types import MethodType
from typing import Any

__all__ = ["references_to", "renewed_references"]

_REFERENCES = (weakref.ProxyType, weakref.CallableProxyType, weakref.KeyedRef, weakref.WeakMethod)
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
        elif kind is weakref.WeakMethod:
            if (method := reference()) is not None:
                yield reference, _renewed_method(reference, method, now)
        else:  # a proxy passes on all that it is asked
            yield reference, weakref.proxy(now, *gc.get_referents(reference))


def _renewed_method(reference: weakref.WeakMethod[Any], method: MethodType, now: Any) -> weakref.WeakMethod[Any]:
    """Return the counterpart of a weak reference to a bound method: what an object has under its name by now.

    >>> class Point:
    ...     def total(self): return 1
    >>> old, now, gone = Point(), Point(), []
    >>> renewed = _renewed_method(weakref.WeakMethod(old.total, gone.append), old.total, now)
    >>> renewed() == now.total
    True
    >>> del now
    >>> len(gone)
    1
    """
    found = inspect.getattr_static(now, method.__name__, None)
    function = getattr(found, "__func__", found)  # that of a class method
    called = inspect.getclosurevars(reference.__callback__).nonlocals["callback"]  # by a function of the reference's
    return weakref.WeakMethod(MethodType(function if callable(function) else method.__func__, now), called)


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
