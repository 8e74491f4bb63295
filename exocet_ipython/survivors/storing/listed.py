"""Caches that a function lists elsewhere: `CACHES[f.__name__] = cache`, `ALL.append(cache)`, to clear them all."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from exocet_ipython.survivors.storing.containers import container_of
from exocet_ipython.survivors.storing.functions import Function

__all__ = ["listing_caches"]


def listing_caches(functions: Iterable[Function], caches: Mapping[str, set[str]]) -> set[str]:
    r"""Return the names of containers into which functions put what functions inside of them answer from.

    Args:
        functions: those of a text.
        caches: path of a function -> the names, not its own, of containers from which it answers with what it computes.

    >>> from exocet_ipython.survivors.storing.functions import find_functions
    >>> tree = ast.parse("def memo(f):\n cache = {}\n ALL.append(cache)\n def asked(x): ...")
    >>> listing_caches(find_functions(tree), {"memo.asked": {"cache"}}), listing_caches(find_functions(tree), {})
    ({'ALL'}, set())
    """
    found = set[str]()
    for one in functions if any(caches.values()) else ():
        inside = {name for path, names in caches.items() if path.startswith(f"{one.path}.") for name in names}
        for node in one.nodes if inside else ():
            match node:
                case ast.Assign(targets=[ast.Subscript(value=held)], value=ast.Name(id=name)) if name in inside:
                    found |= container_of(held)
                case ast.Call(func=ast.Attribute(value=held), args=[ast.Name(id=name)]) if name in inside:
                    found |= container_of(held)
    return found
