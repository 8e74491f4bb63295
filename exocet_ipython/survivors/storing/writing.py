"""Lists in which functions write down what they do: whatever is in them, another item comes to it.

None of it is an answer that is kept, though what is written down was computed. It would be one where somebody looks
into the list, and calls the function only where that has not been called yet (`if not SQUARES: build()`).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from exocet_ipython.survivors.storing.certain import certain_parts
from exocet_ipython.survivors.storing.containers import container_of
from exocet_ipython.survivors.storing.functions import Function

__all__ = ["written_down"]

_WRITING = frozenset(("append", "appendleft", "extend"))


def written_down(part: Function, certain: Collection[int], functions: Iterable[Function]) -> set[str]:
    r"""Return the names of the lists in which a function writes something down for certain, and nowhere else.

    Args:
        part: the function.
        certain: the ids of what is in it that it does whatever it finds.
        functions: all functions of the text.

    >>> from exocet_ipython.survivors.storing.functions import find_functions
    >>> text = "def note(x): LOG.append(f(x))\ndef build(): ALL.append(f(1))\ndef get():\n if not ALL: build()"
    >>> found = find_functions(ast.parse(text))
    >>> [sorted(written_down(one, certain_parts(one.node, one.nodes), found)) for one in found]
    [['LOG'], [], []]
    """
    written = _written_by(node for node in part.nodes if id(node) in certain)
    written -= _written_by(node for node in part.nodes if id(node) not in certain) if written else set()
    name = part.path.rpartition(".")[2]
    for other in functions if written else ():
        if other is not part and name in _called_by(other):
            written -= {key for node in other.nodes for key in _looked_at_by(node)}
    return written


def _written_by(nodes: Iterable[ast.AST]) -> set[str]:
    names = set[str]()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=held, attr=method)) if method in _WRITING:
                names |= container_of(held)
    return names


def _called_by(part: Function) -> set[str]:
    """Return the names of what a function calls, but for what it calls whatever it finds."""
    certain = certain_parts(part.node, part.nodes)
    calls = [node for node in part.nodes if isinstance(node, ast.Call) and id(node) not in certain]
    return {key for node in calls for key in _looked_at_by(node.func)}


def _looked_at_by(node: ast.AST) -> set[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
    return set()
