"""Numbers that functions give to what they meet for the first time: `IDS[word] = len(IDS)`.

None of these is an answer that is kept: asked again, having forgotten, they would give another one. Nor is what they
put under such a number: `self.last += 1; self.subs[self.last] = Subscription(f)`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from exocet_ipython.survivors.storing.certain import assigned_by, name_of
from exocet_ipython.survivors.storing.containers import container_of
from exocet_ipython.survivors.storing.given import is_given

__all__ = ["numbered_by"]

_COUNTED = frozenset(("add", "append", "appendleft"))
_MADE_UP = frozenset(("uuid1", "uuid4", "uuid7", "token_bytes", "token_hex", "token_urlsafe"))


def numbered_by(nodes: Sequence[ast.AST], given: frozenset[str]) -> set[str]:
    r"""Return the names of the maps in which a function numbers what it is asked for, and puts nothing else.

    The number is how many there are, in the map or in what the function adds to along with it. Where that is something
    that it has computed, the number tells where the answer is, and goes with it. And those in which it puts things
    under such numbers, or other keys that are new each time.

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
    >>> numbered("n = self.last; self.last += 1; self.subs[n] = Subscription(w)"), numbered("SUBS[next(IDS)] = Sub(w)")
    (['subs'], ['SUBS'])
    >>> numbered("self.last += 1; n = self.last; ANSWERS[n] = ask(w); PLACE[w] = n")
    []
    """
    pairs = [pair for node in nodes for pair in assigned_by(node)]
    variables = {target.id: value for target, value in pairs if isinstance(target, ast.Name)}
    counted = {ast.unparse(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
    added = [(name, values) for node in nodes for name, values in _added_by(node)]
    is_told = all(is_given(value, given) for _, values in added for value in values)
    put = [entry for node in nodes for entry in _put_by(node)]
    noted = {value.id for _, _, value in put if isinstance(value, ast.Name)}  # `PLACE[w] = n` tells where an answer is
    numbered, others = set[str](), set[str]()
    for held, key, value in put:
        number = variables.get(value.id, value) if isinstance(value, ast.Name) else value
        known = variables.get(key.id, key) if isinstance(key, ast.Name) and key.id not in noted else key
        names = container_of(held)
        counts = is_told and not _counts(number).isdisjoint(names.union(name for name, _ in added))
        if counts or _is_new(known, value, counted) or not _counts(known).isdisjoint(names):
            numbered |= names
        elif not is_given(value, given):
            others |= names
    return numbered - others


def _is_new(key: ast.expr, value: ast.expr, counted: Collection[str]) -> bool:
    """Say whether nothing can be under a key yet: it is counted up, or made up, or what is put there itself."""
    if ast.unparse(key) in counted:
        return True
    match key:
        case ast.Call(func=ast.Name(id="next"), args=[ast.Name() | ast.Attribute()]):
            return True
        case ast.Call(func=ast.Name(id="id"), args=[held]):
            return ast.unparse(held) == ast.unparse(value)
    return any(isinstance(part, (ast.Name, ast.Attribute)) and name_of(part) in _MADE_UP for part in ast.walk(key))


def _put_by(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Yield the maps into which a node puts something, each with the key and with that."""
    for target, value in assigned_by(node):
        if isinstance(target, ast.Subscript):
            yield target.value, target.slice, value
    match node:
        case ast.Call(func=ast.Attribute(value=held, attr="setdefault"), args=[key, value]):
            yield held, key, value


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
