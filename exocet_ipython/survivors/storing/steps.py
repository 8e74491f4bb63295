"""Steps from one state to the next, which calls make: `turn = "O" if turn == "X" else "X"`, `size[b] = size[a] + 1`.

What a step leaves follows from what was there, what the caller gave and what the function says itself. So where a
function is what it was and began with what it begins with now, what its calls have left is what they would leave again.
A cache is no such thing: what it keeps comes from elsewhere. It shows in what the function calls.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exocet_ipython.reloading.ladder.operations import words
from exocet_ipython.survivors.storing.certain import assigned_by, name_of, names_of
from exocet_ipython.survivors.storing.containers import HARMLESS, container_of
from exocet_ipython.survivors.storing.functions import Function
from exocet_ipython.survivors.storing.given import is_given

__all__ = ["Steps"]

_COMPUTING = words(
    "abs bool divmod enumerate float int len list max min pow range reversed round set sorted str sum tuple zip"
)
_ASSIGNING = (ast.Assign, ast.AnnAssign)
_DISPLAYS = (ast.Dict, ast.DictComp, ast.JoinedStr, ast.List, ast.ListComp, ast.Set, ast.SetComp)
_RENEWING = words("_replace evolve model_copy replace")  # a copy of something with other values
_KINDS = words("Counter OrderedDict defaultdict deque dict list set")
_ELSEWHERE = (ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Import, ast.ImportFrom, ast.With, ast.Yield, ast.YieldFrom)


@dataclass(frozen=True, slots=True)
class Steps:
    r"""What is needed of a whole text to tell what its functions step on.

    Attributes:
        containers: the names that have containers of Python's own, wherever the text gives them a value.
        functions: its functions by their paths.

    >>> from exocet_ipython.survivors.storing.functions import find_functions
    >>> def stepped(text):
    ...     tree = ast.parse(text)
    ...     return [sorted(Steps.of(find_functions(tree), tree).of_function(one)) for one in find_functions(tree)]
    >>> stepped("def f(x): self.on = not self.on; self.best = x if x < self.best else self.best; self.seen = True")
    [['best', 'on', 'seen']]
    >>> stepped("size = {}\ndef f(x): size[x] = size.get(x, 1) + size[same(x)]\ndef same(x): return x")
    [['size'], []]
    >>> stepped("ids = {}\ndef f(x):\n if x not in ids: n = len(ids); ids[x] = n\n return ids[x]")
    [['ids']]
    >>> stepped("def f(x): conn = conn or connect(); seen = True"), stepped("def f(x): seen = x * 2")
    ([[]], [[]])
    """

    containers: frozenset[str]
    functions: Mapping[str, Function]

    @classmethod
    def of(cls, functions: Sequence[Function], tree: ast.AST) -> Steps:
        """Return what a text says of it.

        Args:
            functions: those of the text.
            tree: the whole.
        """
        nodes = [node for node in ast.walk(tree) if type(node) in _ASSIGNING]  # few of all
        assigned = [pair for node in nodes for pair in assigned_by(node)]
        containers = {name_of(target) for target, value in assigned if _is_container(value)}
        containers -= {name_of(target) for target, value in assigned if not _is_container(value)}
        return cls(frozenset(containers), {one.path: one for one in reversed(functions)})

    def is_harmless(self, function: Function) -> bool:
        """Say whether a function calls nothing that could get something from elsewhere, or do something there.

        That is what Python has to compute with, and functions of the text that call no more than that.
        """
        waiting, seen = [function], {function.path}
        while waiting:
            one = waiting.pop()
            for node in one.nodes:
                if isinstance(node, _ELSEWHERE):
                    return False
                if not isinstance(node, ast.Call):
                    continue
                own = self.functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
                if own is None or own.path in one.given:
                    if not self._is_call_harmless(node, one):
                        return False
                elif own.path not in seen:
                    seen.add(own.path)
                    waiting.append(own)
        return True

    def of_function(self, function: Function) -> set[str]:
        """Return the names, of variables, attributes and containers, that a function gives nothing but a next state."""
        if not self.is_harmless(function):
            return set()
        stepped, others = set[str](), set[str]()
        pairs = [pair for node in function.nodes for pair in _assigned(node)]
        known = Counter(name for name, _ in pairs)
        own = known.keys() - function.given
        variables = {name: values[0] for name, values in pairs if name in own and known[name] == len(values) == 1}
        for name, given in pairs:
            # `number = len(IDS); IDS[word] = number`
            values = [variables.get(value.id, value) if isinstance(value, ast.Name) else value for value in given]
            goes_on = all(is_given(value, function.given) or _is_step(name, value, function.given) for value in values)
            (stepped if goes_on else others).add(name)
        return stepped - others

    def _is_call_harmless(self, call: ast.Call, function: Function) -> bool:
        match call.func:
            case ast.Name(id=name):
                return (name in _COMPUTING | _RENEWING or name[-5:] == "Error") and name not in function.given
            case ast.Attribute(value=ast.Constant(), attr=name):
                return name in HARMLESS
            case ast.Attribute(attr=name) if name in _RENEWING:
                return True
            case ast.Attribute(value=held, attr=name):
                is_given_it = isinstance(held, ast.Name) and held.id in function.given
                return name in HARMLESS and (is_given_it or not container_of(held).isdisjoint(self.containers))
        return False


def _is_container(value: ast.expr) -> bool:
    is_made = isinstance(value, ast.Call) and name_of(value.func) in _KINDS
    return is_made or isinstance(value, _DISPLAYS)


def _assigned(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield the names to which a statement assigns, or into which it puts something, each with the values."""
    for target, value in assigned_by(node):
        if isinstance(target, ast.Subscript):
            yield from ((name, [value]) for name in container_of(target))
        elif not isinstance(target, (ast.Tuple, ast.List)):
            yield name_of(target), [value]
        elif not isinstance(value, ast.Tuple):  # what is taken apart
            yield from ((name_of(part), [value]) for part in target.elts)
    match node:
        case ast.AugAssign(target=ast.Subscript() as held):
            yield from ((name, []) for name in container_of(held))
        case ast.Call(func=ast.Attribute(value=held), args=values):
            yield from ((name, values) for name in container_of(held))
        case ast.For(target=target, iter=value) | ast.NamedExpr(target=target, value=value):
            yield from ((name_of(part), [value]) for part in ast.walk(target) if isinstance(part, ast.expr))


def _is_step(name: str, value: ast.expr, given: frozenset[str]) -> bool:
    """Say whether a value is made of what has a name: by itself, or as each of several that it may be."""
    match value:
        case ast.IfExp(body=body, orelse=other):
            parts = [body, other]
        case ast.BoolOp(values=parts):
            pass
        case _:
            return any(known.lstrip(".") == name for known in names_of(value))
    return all(is_given(part, given) or _is_step(name, part, given) for part in parts)
