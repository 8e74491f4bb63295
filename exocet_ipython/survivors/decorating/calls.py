"""The calls by which cells have handed something to functions of modules: decorators, and statements that only call.

What a statement gives is seen by running it with stand-ins for what it calls. That is done only where it does nothing
else: loops, comprehensions, functions of cells, and what Python's own functions compute.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections.abc import Collection, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, Generic, Protocol, TypeGuard, TypeVar

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.classes import defines
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.survivors.decorating.called import Call, Decorated
from exocet_ipython.survivors.rebasing.hooks import FUNCTIONS, METHODS
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["Key", "find_calls", "words_of_cells", "words_of_decorators"]

Key = tuple[int, str]  # id of a function and "", or that of what has a method, and the method's name
Target = TypeVar("Target", bound="Depth")
_missing = object()
_STANDIN = "__exo_called__"
_GIVEN = "__exo_given__"
# What a statement may consist of beside expressions.
_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.Expr, ast.For, ast.If, ast.Pass, ast.FunctionDef, ast.Return)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CELLS_KNOWN = 2_000  # cells of which is remembered what is in them
_OTHERS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


class Depth(Protocol):
    """What is called."""

    @property
    def depth(self) -> int:
        """How many calls it takes: `register(Mine)` one, `register("mine")(Mine)` two; 0: as a decorator shows it."""


def words_of_cells() -> list[frozenset[str]]:
    """Return the names that the text of each cell has anywhere: a look at these is cheaper than reading them."""
    return [_words_in(tuple(lines)) for _, lines in texts_of_cells()]


def words_of_decorators(namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that decorators in cells have anywhere, and what the functions of cells name that decorate.

    Args:
        namespace: the notebook's.
    """
    words, waiting = set[str](), {word for _, lines in texts_of_cells() for word in _words_decorating(tuple(lines))}
    while waiting:
        words |= waiting
        own = [value for word in waiting if _is_of_cell(value := namespace.get(word))]
        waiting = {name for one in own for code in whole(one.__code__) for name in code.co_names} - words
    return words


@functools.lru_cache(_CELLS_KNOWN)
def _words_in(lines: tuple[str, ...]) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", "".join(lines)))


@functools.lru_cache(_CELLS_KNOWN)
def _words_decorating(lines: tuple[str, ...]) -> frozenset[str]:
    r"""Return the names in decorators that the lines of a cell begin with: those of all lines, where one goes on.

    >>> sorted(_words_decorating(("@deco.trace(3)\n", "def f():\n", "    return 4\n")))
    ['3', 'deco', 'trace']
    """
    decorators = [line for line in lines if line.lstrip().startswith("@")]
    is_whole = all(re.search(r"\w", line) for line in decorators)
    return frozenset(word for line in (decorators if is_whole else lines) for word in re.findall(r"\w+", line))


def find_calls(
    targets: Mapping[Key, Target],
    names: Collection[str],
    namespace: Mapping[str, Any],
    *,
    decorators_only: bool = False,
) -> Iterator[tuple[Call, Target]]:
    """Yield the calls in statements of cells, each with what stands for what it calls, in the order of the cells.

    Args:
        targets: what stands for functions and methods.
        names: what cells may call these.
        namespace: the notebook's.
        decorators_only: whether only decorators are asked for.
    """
    if not targets:
        return
    reader = _Reader(targets, namespace, names)
    words_in = _words_decorating if decorators_only else _words_in
    for file, lines in reversed([*texts_of_cells()]):
        if not reader.names.isdisjoint(words_in(tuple(lines))):
            for statement in parse_text("".join(lines)).body:
                if isinstance(statement, _DEFINITIONS) or not decorators_only:
                    yield from reader.calls_in(statement, file)


class _Reader(Generic[Target]):
    """Reads statements of cells that call functions, and runs them with stand-ins for these."""

    def __init__(self, targets: Mapping[Key, Target], namespace: Mapping[str, Any], names: Collection[str]) -> None:
        self._targets, self._namespace = targets, copy_space(namespace)
        asked = frozenset(names)
        own = (value for value in self._namespace.values() if _is_of_cell(value))
        self._helpers = {
            one.__name__: one
            for one in own
            if self._namespace.get(one.__name__) is one
            if any(not asked.isdisjoint(code.co_names) for code in whole(one.__code__))
        }
        self.names = {*asked, *self._helpers}

    def calls_in(self, statement: ast.stmt, file: str) -> Iterator[tuple[Call, Target]]:
        """Yield the calls of a statement in a cell with a file name."""
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for decorated, decorator in self._decorated(statement):
                    call = ast.Expr(ast.Call(decorator, [ast.Name(_GIVEN, ast.Load())], []))
                    made = self._run(ast.copy_location(call, decorator), file, decorated)
                    yield from ((Call(one.arguments, decorated), target) for one, target in made)
            case _:
                yield from self._run(statement, file)

    def _decorated(
        self, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> Iterator[tuple[Decorated, ast.expr]]:
        """Yield what is decorated by a definition, and with what: methods before their class."""
        if (defined := self._namespace.get(statement.name, _missing)) is _missing:
            return
        if isinstance(statement, ast.ClassDef) and issubclass(type(defined), type):
            parts = copy_space(vars(defined))
            for part in (part for part in statement.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)):
                if part.name in parts:
                    decorated = Decorated(statement.name, part.name, len(part.decorator_list))
                    yield from ((decorated, one) for one in part.decorator_list[::-1])
        decorated = Decorated("", statement.name, len(statement.decorator_list))
        yield from ((decorated, one) for one in statement.decorator_list[::-1])

    def _run(self, statement: ast.stmt, file: str, decorated: Decorated | None = None) -> list[tuple[Call, Target]]:
        """Return the calls that a statement makes, if it does nothing else; it runs aside."""
        calls: list[tuple[Call, Target]] = []
        standins = _Standins(self, calls, 0 if decorated is None else _depth_of(statement))
        tree = ast.Module([standins.visit(statement)], [])
        if not (standins.found and standins.only_calls):
            return []
        space = {**self._namespace, "__builtins__": builtins, "print": _say_nothing, **standins.made}
        if decorated is not None:
            space[_GIVEN] = decorated.find(self._namespace)
        try:
            for code in standins.helpers.values():
                exec(code, space)  # noqa: S102 - a function of a cell
            exec(compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True), space)  # noqa: S102 - a cell's
        except Exception:  # noqa: BLE001 - what it names is another by now: nothing tells what it has given
            return []
        finally:
            space.clear()  # functions in it would keep it, and what it holds
        return calls

    def helper(self, name: str) -> FunctionType | None:
        """Return the function of a cell with a name, if it may call what is looked for."""
        return self._helpers.get(name)

    def target(self, node: ast.expr) -> Target | None:
        """Return what stands for the function or method that an expression names."""
        found = self._targets.get((id(self.value(node)), ""))
        if found is None and isinstance(node, ast.Attribute):
            found = self._targets.get((id(self.value(node.value)), node.attr))
        return found

    def value(self, node: ast.expr) -> Any:
        """Return what an expression is that names something; nothing else is asked for."""
        match node:
            case ast.Name(id=name):
                return self._namespace.get(name, _missing)
            case ast.Attribute(value=owner, attr=name):
                held = self.value(owner)
                if issubclass(type(held), ModuleType):
                    return globals_of(held).get(name, _missing)
                return (dict_of(held) or {}).get(name, _missing) if held is not _missing else _missing
            case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
                held = self.value(owner)
                is_there = type(held) is dict and key in held
                return held[key] if is_there else _missing
        return _missing


class _Standins(ast.NodeTransformer, Generic[Target]):
    """Puts stand-ins in the place of what is called, and looks whether a statement does anything else.

    Attributes:
        found: whether there is any.
        only_calls: whether it does nothing else.
        made: the stand-ins, by name.
        helpers: the code that defines functions of cells which call them, by name.
    """

    def __init__(self, reader: _Reader[Target], calls: list[tuple[Call, Target]], depth: int) -> None:
        self.found, self.only_calls = False, True
        self.made: dict[str, Any] = {}
        self.helpers: dict[str, CodeType] = {}
        self._reader, self._calls, self._depth = reader, calls, depth
        self._defined: set[str] = set()

    def visit(self, node: ast.AST) -> Any:
        """Return what is in the place of a node."""
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            target = self._reader.target(node)
            if target is not None:
                return self._standin(node, target)
            if isinstance(node, ast.Name) and defines(type(self._reader.value(node)), "__next__"):
                self.only_calls = False  # it has given what it gives
        if isinstance(node, ast.Call):
            self.only_calls &= self._is_harmless(node.func)
        elif isinstance(node, ast.stmt):
            self.only_calls &= isinstance(node, _STATEMENTS)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            self.only_calls &= isinstance(node.ctx, ast.Load)
        self.only_calls &= not isinstance(node, _OTHERS)
        return self.generic_visit(node)

    def _standin(self, node: ast.expr, target: Target) -> ast.expr:
        name = f"{_STANDIN}{len(self.made)}"
        self.made[name] = _Called(target, self._calls, target.depth or self._depth)
        self.found = True
        return ast.copy_location(ast.Name(name, ast.Load()), node)

    def _is_harmless(self, node: ast.expr) -> bool:
        """Say whether a call of what an expression is does no more than to compute something, or is looked for."""
        match node:
            case ast.Call(func=func):
                return self._reader.target(func) is not None
            case ast.Name(id=name) if (helper := self._reader.helper(name)) is not None:
                return name in self._defined or self._define(helper)
            case ast.Name(id=name) if name in FUNCTIONS or name == "print":
                return self._reader.value(node) is _missing
            case ast.Attribute(attr=name) if name in METHODS:
                return True
        return self._reader.target(node) is not None

    def _define(self, helper: FunctionType) -> bool:
        """Have a function of a cell call the stand-ins; say whether its text is there and it does nothing else."""
        node = definition_of(helper)
        if not isinstance(node, ast.FunctionDef) or helper.__closure__ or helper.__defaults__ or helper.__kwdefaults__:
            return False
        self._defined.add(helper.__name__)  # it may call itself
        node.decorator_list = []
        module = ast.fix_missing_locations(ast.Module([self.visit(node)], []))
        if self.only_calls:
            self.helpers[helper.__name__] = compile(module, helper.__code__.co_filename, "exec", dont_inherit=True)
        return self.only_calls


def _is_of_cell(value: Any) -> TypeGuard[FunctionType]:
    return type(value) is FunctionType and value.__module__ == CELLS


def _depth_of(statement: ast.stmt) -> int:
    """Return how many calls a decorator takes: `@trace` one, `@trace(3)` two."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Call())):
            return 2
    return 1


def _say_nothing(*_args: object, **_keywords: object) -> None:
    """Stand for `print`."""


class _Called(Generic[Target]):
    """Stands for what is called, and notes what it is given; it returns that, as most of these do."""

    def __init__(
        self,
        target: Target,
        calls: list[tuple[Call, Target]],
        depth: int,
        before: tuple[tuple[list[Any], dict[str, Any]], ...] = (),
    ) -> None:
        self._target, self._calls, self._depth, self._before = target, calls, depth, before

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        arguments = (*self._before, ([*args], keywords))
        if len(arguments) < self._depth:
            return _Called(self._target, self._calls, self._depth, arguments)
        self._calls.append((Call(arguments), self._target))
        return args[0] if args else None
