"""Numbers that functions give to what they meet for the first time: `IDS[word] = len(IDS)`.

None of these is an answer that is kept: asked again, having forgotten, they would give another one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from exocet_ipython.survivors.storing.certain import assigned_by
from exocet_ipython.survivors.storing.containers import container_of
from exocet_ipython.survivors.storing.given import is_given

__all__ = ["numbered_by"]

_COUNTED = frozenset(("add", "append", "appendleft"))


def numbered_by(nodes: Sequence[ast.AST], given: frozenset[str]) -> set[str]:
    r"""Return the names of the maps in which a function numbers what it is asked for, and puts nothing else.

    The number is how many there are, in the map or in what the function adds to along with it. Where that is something
    that it has computed, the number tells where the answer is, and goes with it.

    Args:
        nodes: of the function.
        given: the names that it is given.

    >>> def numbered(text):
    ...     return sorted(numbered_by(list(ast.walk(ast.parse(text))), frozenset("w")))
    >>> numbered("if w not in IDS: IDS[w] = len(WORDS); WORDS.append(w)"), numbered("IDS.setdefault(w, len(IDS) + 1)")
    (['IDS'], ['IDS'])
    >>> numbered("n = len(IDS); IDS[w] = n"), numbered("text = read(w); SIZES[w] = len(text)")
    (['IDS'], [])
    >>> numbered("PLACE[w] = len(ANSWERS); ANSWERS.append(ask(w))")
    []
    """
    pairs = [pair for node in nodes for pair in assigned_by(node)]
    variables = {target.id: value for target, value in pairs if isinstance(target, ast.Name)}
    added = [(name, values) for node in nodes for name, values in _added_by(node)]
    if not all(is_given(value, given) for _, values in added for value in values):
        return set()
    numbered, others = set[str](), set[str]()
    for held, value in [pair for node in nodes for pair in _put_by(node)]:
        number = variables.get(value.id, value) if isinstance(value, ast.Name) else value
        names = container_of(held)
        if not _counts(number).isdisjoint(names.union(name for name, _ in added)):
            numbered |= names
        elif not is_given(value, given):
            others |= names
    return numbered - others


def _put_by(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the maps into which a node puts something, each with that."""
    for target, value in assigned_by(node):
        if isinstance(target, ast.Subscript):
            yield target.value, value
    match node:
        case ast.Call(func=ast.Attribute(value=held, attr="setdefault"), args=[_, value]):
            yield held, value


def _added_by(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    match node:
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=values) if method in _COUNTED:
            yield from ((name, values) for name in container_of(held))


def _counts(value: ast.expr) -> set[str]:
    """Return the names of the container of which an expression is the size, or one more; none of another."""
    match value:
        case ast.BinOp(left=size, right=ast.Constant()):
            return _counts(size)
        case ast.Call(func=ast.Name(id="len"), args=[held]):
            return container_of(held)
    return set()
