"""What a function was given, or says itself, and has not computed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.survivors.storing.certain import names_of

__all__ = ["is_given", "with_looped"]

_COPYING = {"Counter", "OrderedDict", "defaultdict", "deque", "dict", "list", "set", "tuple"}
_DEFAULTS = {"dict", "float", "int", "list", "set", "str"}  # `defaultdict(list)`
_PASSING = {"enumerate", "list", "reversed", "set", "sorted", "tuple", "zip"}  # they give what they were given
_VIEWS = {"copy", "items", "keys", "values"}


def is_given(value: ast.expr, given: frozenset[str]) -> bool:  # noqa: PLR0911 - one case a kind of node
    """Say whether a value is what the function was given, what that says of itself (`fn.__doc__`), or empty.

    A list or a dict of what it was given is, too, a copy, and an item: `{"title": title, "tags": set(tags)}`, `row[0]`.
    """
    match value:
        case ast.Name(id=name):
            return name in given
        case ast.Attribute(value=inner, attr=name):
            return is_dunder(name) and is_given(inner, given)
        case ast.Constant() | ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Tuple(elts=[]):
            return True
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(is_given(item, given) for item in items)
        case ast.Dict(keys=keys, values=values):
            parts = [part for part in (*keys, *values) if part is not None]  # `{**options}` has None
            return not given.isdisjoint(names_of(value)) and all(is_given(part, given) for part in parts)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(ast.Name("collections"), name)) if name in _COPYING:
            return _is_copy(value, given)
        case ast.Starred(value=inner):
            return is_given(inner, given)
        case ast.Subscript(value=inner, slice=key):
            return is_given(inner, given) and is_given(key, given)
    return False


def _is_copy(made: ast.Call, given: frozenset[str]) -> bool:
    """Say whether a call of a container's class makes an empty one, or one of what the function was given.

    How long it may get, and what it makes of what is missing, is no part of what is in it.
    """
    items = [part for part in made.args if not (isinstance(part, ast.Name) and part.id in _DEFAULTS)]
    named = [keyword.value for keyword in made.keywords if keyword.arg != "maxlen"]
    return all(is_given(part, given) for part in (*items, *named))


def with_looped(given: frozenset[str], nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return what a function was given, with what its loops take out of that one by one.

    >>> tree = ast.parse("for key, value in options.items(): TABLE[key] = value")
    >>> sorted(with_looped(frozenset(["options"]), ast.walk(tree)))
    ['key', 'options', 'value']
    """
    loops, stored = list[tuple[ast.expr, ast.expr]](), Counter[str]()
    for node in nodes:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            loops.append((node.target, node.iter))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored[node.id] += 1
    for target, source in loops:
        names = [name for part in ast.walk(target) if isinstance(part, ast.Name) for name in [part.id]]
        if _is_out_of(source, given) and all(stored[name] == 1 for name in names):
            given |= {*names}
    return given


def _is_out_of(source: ast.expr, given: frozenset[str]) -> bool:
    """Say whether an expression gives what was given, one by one."""
    match source:
        case ast.Name(id=name):
            return name in given
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=[]) if method in _VIEWS:
            return _is_out_of(held, given)
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as values) if name in _PASSING:
            return all(_is_out_of(value, given) for value in values)
    return False
