"""Containers from which something answers what functions that it was given have answered before.

Nothing says so but its text: where it finds nothing in a container, it puts there what the function gives
(`self.cache[key] = self.f(key)`).
"""

from __future__ import annotations

import ast
import functools

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.survivors.storing.containers import container_of, looked_up_by
from exocet_ipython.survivors.storing.functions import find_functions

__all__ = ["Answers", "as_written", "find_asking"]


class Answers:
    """What functions of some names have given, in the text of one that calls them."""

    def __init__(self, asked: frozenset[str]) -> None:
        self._asked = asked
        self._variables: set[str] = set()

    def kept_by(self, function: ast.AST) -> set[str]:
        """Return the names of the containers into which a function puts them where it has not found them there."""
        nodes, kept, count = list(ast.walk(function)), set[str](), -1
        self._variables.clear()
        while count != len(self._variables):
            count = len(self._variables)
            kept |= {name for node in nodes for name in self._put_by(node)}
        return kept & {name for node in nodes for name in looked_up_by(node)}

    def _are_in(self, node: ast.AST) -> bool:
        return any(map(self._is_one, ast.walk(node)))

    def _is_one(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in self._asked
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self._variables
        return False

    def _put_by(self, node: ast.AST) -> set[str]:
        match node:
            case ast.Assign(targets=targets, value=value) if self._are_in(value):
                self._variables |= {target.id for target in targets if isinstance(target, ast.Name)}
                return {name for part in targets if isinstance(part, ast.Subscript) for name in container_of(part)}
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if self._are_in(value):
                self._variables.add(name)
            case ast.Call(func=ast.Attribute(value=held, attr="setdefault"), args=[_, value]) if self._are_in(value):
                return container_of(held)
        return set()


@functools.lru_cache(100)
def find_asking(text: bytes) -> frozenset[tuple[str, str]]:
    """Return the containers into which the functions of a text put what functions that they were given have answered.

    Each with the name of the global definition that does. A part of a container that has a name of its own counts for
    the container, and what an instance was given for what its methods are.

    >>> text = b'''
    ... def remember(f):
    ...     known = KNOWN.setdefault(f.__name__, {})
    ...     def ask(x):
    ...         if x not in known: known[x] = f(x)
    ...         return known[x]
    ...     return ask
    ... '''
    >>> sorted(find_asking(text))
    [('KNOWN', 'remember'), ('known', 'remember')]
    """
    functions = find_functions(parse_text(text))
    given, parts, found = set[str](), dict[str, set[str]](), set[tuple[str, str]]()
    for one in functions:
        for node in one.nodes:
            match node:
                case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Name(id=value)) if value in one.given:
                    given.add(name)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.Call() as value):
                    parts[name] = container_of(value)
    for one in functions:
        kept = Answers(one.given | given).kept_by(one.node)
        found |= {(name, one.path.partition(".")[0]) for part in kept for name in {part} | parts.get(part, set())}
    return frozenset(found)


def as_written(name: str) -> str:
    """Return how a name is written within its class: a private one without that.

    >>> as_written("_Memo__known"), as_written("_known"), as_written("__wrapped__")
    ('__known', '_known', '__wrapped__')
    """
    before, mark, private = name.partition("__")
    return f"__{private}" if mark and before[:1] == "_" else name
