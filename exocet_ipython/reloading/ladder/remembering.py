"""Methods that put what they compute into their instance, and answer from it when they are asked again.

`if key not in self.memo: self.memo[key] = compute(key)`, `if self._rows is None: self._rows = load()`. Nothing says so
but their text. Where any other method puts something there, or changes what is in it, it is no memory of answers.
"""

from __future__ import annotations

import ast
import dis
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType
from typing import Literal

from exocet_ipython.loading.parsing import parse_text

__all__ = ["Memory", "find_remembering", "may_remember", "remembered_by"]

# How it is told that an answer is not there: among the entries of a container, by `None`, by a missing attribute.
Memory = Literal["entries", "none", "absent"]

_STORE_SUBSCR, _STORE_ATTR, _CONTAINS = map(dis.opmap.__getitem__, ("STORE_SUBSCR", "STORE_ATTR", "CONTAINS_OP"))
_NONE = tuple(number for name, number in dis.opmap.items() if "NONE" in name or name == "IS_OP")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CHANGING = frozenset(("add", "append", "extend", "insert", "setdefault", "update", "__setitem__"))
_BEGINNING = frozenset(("dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict"))


def may_remember(code: CodeType) -> bool:
    """Say whether the code of a function may do so, by its operations alone: most texts need not be read.

    >>> [may_remember(one.__code__) for one in (may_remember, ast.NodeVisitor.visit_Constant)]
    [False, False]
    """
    operations, names = code.co_code[::2], code.co_names
    if _STORE_SUBSCR in operations or "setdefault" in names:
        return _CONTAINS in operations or bool(code.co_exceptiontable) or "get" in names or "setdefault" in names
    if _STORE_ATTR not in operations:
        return False
    return "hasattr" in names or bool(code.co_exceptiontable) or any(one in operations for one in _NONE)


@functools.lru_cache(100)
def find_remembering(text: bytes) -> Mapping[str, Mapping[str, Memory]]:
    r"""Return the attributes from which methods in a text answer again, by the path of what defines the method.

    >>> text = b'''
    ... class Shop:
    ...     def __init__(self): self.known, self._rows, self.log = {}, None, []
    ...     def price(self, item):
    ...         if item not in self.known: self.known[item] = self.ask(item)
    ...         return self.known[item]
    ...     @property
    ...     def rows(self):
    ...         if self._rows is None: self._rows = load()
    ...         return self._rows
    ... '''
    >>> find_remembering(text)
    {'Shop.price': {'known': 'entries'}, 'Shop.rows': {'_rows': 'none'}}
    """
    together: dict[str, dict[ast.AST, str]] = {}  # what is in one class, or in one decorator
    for path, node in _functions(parse_text(text), ""):
        together.setdefault(path.rpartition(".")[0], {})[node] = path
    return {paths[node]: names for paths in together.values() for node, names in remembered_by(paths).items()}


def remembered_by(functions: Iterable[ast.AST]) -> dict[ast.AST, dict[str, Memory]]:
    """Return the attributes from which functions answer again, for each that does, given all that may change these."""
    uses = {node: _Uses(node) for node in functions if isinstance(node, _FUNCTIONS) and node.args.args}
    filled = Counter(name for one in uses.values() for name in one.filled)
    spoiled = {name for one in uses.values() for name in one.spoiled}
    found = {
        node: {name: kind for name, kind in one.remembered().items() if filled[name] == 1 and name not in spoiled}
        for node, one in uses.items()
    }
    return {node: names for node, names in found.items() if names}


def _functions(node: ast.AST, path: str) -> Iterator[tuple[str, ast.AST]]:
    for part in ast.iter_child_nodes(node):
        inner = f"{path}.{part.name}".lstrip(".") if isinstance(part, (*_FUNCTIONS, ast.ClassDef)) else path
        if isinstance(part, _FUNCTIONS):
            yield inner, part
        yield from _functions(part, inner)


class _Uses:
    """What a function does with attributes of its first argument.

    Attributes:
        filled: the names of what it fills, or has in the place of a constant or an empty container.
        spoiled: the names of what it changes in other ways: what is there is more than what one function answers.
    """

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._owner, *given = (one.arg for one in function.args.args)
        self._given = {*given, *(one.arg for one in function.args.kwonlyargs)}
        self._nodes = list(ast.walk(function))
        self._variables: dict[str, set[str]] = {}  # name of an attribute -> those of variables that have what is there
        self.filled: set[str] = set()
        self.spoiled: set[str] = set()
        for node in self._nodes:
            self._note(node)

    def remembered(self) -> dict[str, Memory]:
        """Return the names of what it has computed where it isn't there yet, and gives back; and how that is told."""
        given = [node.value for node in self._nodes if isinstance(node, ast.Return) and node.value is not None]
        looked_up = {found for node in self._nodes if (found := self._looked_up(node)) is not None} if given else set()
        ways = Counter(name for name, _ in looked_up)  # what is told in two ways is begun, and filled step by step
        return {
            name: kind
            for name, kind in looked_up
            if name in self.filled and ways[name] == 1 and any(self._is_from(name, value) for value in given)
        }

    def _name(self, node: ast.AST) -> str:
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == self._owner:
                return name
        return ""

    def _is_from(self, name: str, value: ast.AST) -> bool:
        """Say whether an expression gives what an attribute is, or what is in it."""
        match value:
            case ast.Name(id=variable):
                return variable in self._variables.get(name, ())
            case ast.Subscript(value=held) | ast.Call(func=ast.Attribute(value=held, attr="get" | "setdefault")):
                return self._name(held) == name
        return self._name(value) == name

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                names = [name for target in targets for name in self._note_target(target, value)]
                variables = {target.id for target in targets if isinstance(target, ast.Name)}
                variables |= {value.id} if isinstance(value, ast.Name) else set()
                for name in names:
                    self._variables.setdefault(name, set()).update(variables - self._given)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                for name in self._note_target(target, value):
                    self._variables.setdefault(name, set()).update({value.id} if isinstance(value, ast.Name) else ())
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], comparators=[right]):
                self.spoiled |= {self._name(left), self._name(right)}  # the best so far
            case ast.AugAssign(target=ast.Subscript(value=target)) | ast.AugAssign(target=target):
                self.spoiled.add(self._name(target))
            case ast.Call(func=ast.Attribute(value=held, attr="setdefault"), args=[_, value]):
                self._fill(self._name(held), value)
            case ast.Call(func=ast.Attribute(value=held, attr=method)) if method in _CHANGING:
                self.spoiled.add(self._name(held.value if isinstance(held, ast.Subscript) else held))

    def _note_target(self, target: ast.AST, value: ast.AST) -> list[str]:
        """Note what is assigned; return the names of the attributes that have it, or have it in them."""
        match target:
            case ast.Subscript(value=held) if name := self._name(held):
                self._fill(name, value)
                return [name]
            case ast.Attribute() if name := self._name(target):
                if not _begins(value):
                    self._fill(name, value)
                return [name]
            case ast.Tuple(elts=parts) if isinstance(value, ast.Tuple) and len(parts) == len(value.elts):
                return [name for pair in zip(parts, value.elts, strict=True) for name in self._note_target(*pair)]
            case ast.Tuple(elts=parts):
                self.spoiled |= {self._name(part) for part in parts}
        return []

    def _fill(self, name: str, value: ast.AST) -> None:
        """Note that an attribute has a value in it: what was given, or begins there, is no answer."""
        is_given = isinstance(value, ast.Name) and value.id in self._given
        follows = any(self._name(part) == name for part in ast.walk(value))  # as a number for what is new does
        (self.spoiled if is_given or follows or _begins(value) else self.filled).add(name)

    def _looked_up(self, node: ast.AST) -> tuple[str, Memory] | None:
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
                return self._name(held), "entries"
            case ast.Call(func=ast.Attribute(value=held, attr="get" | "setdefault")):
                return self._name(held), "entries"
            case ast.Try(body=[*_, ast.Return(value=ast.Subscript(value=held))], handlers=[_, *_]):
                return self._name(held), "entries"
            case ast.Compare(left=held, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return self._name(held), "none"
        return self._found_absent(node)

    def _found_absent(self, node: ast.AST) -> tuple[str, Memory] | None:
        match node:
            case ast.Try(body=[*_, ast.Return(value=ast.Attribute() as held)], handlers=[_, *_]):
                return self._name(held), "absent"
            case ast.Call(func=ast.Name(id="hasattr"), args=[ast.Name(id=owner), ast.Constant(value=str(name))]):
                return (name, "absent") if owner == self._owner else None
        return None


def _begins(value: ast.AST) -> bool:
    """Say whether an expression is a constant or an empty container, from which something begins."""
    match value:
        case ast.Constant() | ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Tuple(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _BEGINNING
    return False
