"""Who stores into a module's state: read from its text, and only when something was stored.

What a module's functions compute and put away is a cache of the old code. What they are given by their caller and put
away, as a decorator does that registers, is the caller's; so is what no function of the module stores at all. What
they only count (`CALLS += 1`), or only add to and never look at (`LOG.append(...)`), is no cache: nothing is answered
from it.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.contents import is_registry
from exocet_ipython.reloading.ladder.operations import mangled
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.assigning import is_given, judge, read_assigning
from exocet_ipython.survivors.carrying.registrations import home_of, is_from_cell, is_instance_of
from exocet_ipython.survivors.definitions import is_definition

__all__ = ["ReadStores", "Stores", "begins_alike", "read_stores"]

_NONE: Mapping[str, Collection[str]] = MappingProxyType({})
_ADDING = {"add", "append", "appendleft", "extend", "insert", "setdefault", "update"}
_NAMESPACES = {"globals", "__globals__"}
_REMOVING = {"clear", "discard", "pop", "popitem", "popleft", "remove"}


@dataclass(slots=True)
class Stores:
    """What the functions of a module store.

    Attributes:
        globals: global names to which they assign what they have computed.
        attributes: names of attributes to which they do, but for an instance's first ones.
        computed: names, global or of attributes, of containers into which they put what they have computed.
        emptied: names of containers out of which they take something.
        counted: names, global or of attributes, that they only ever change by `+=` and its like.
        looked_at: names that they use in any other way than to add something to them.
        set_up: globals and containers that a function assigns or fills without a look at them, and that function's
            path, where no other function of the module names it: it is cells that call it.
        found_out: names to which, or into which, any other one puts what it has computed.
    """

    globals: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)
    set_up: set[tuple[str, str]] = field(default_factory=set)
    found_out: set[str] = field(default_factory=set)

    def setters(self, name: str) -> list[str]:
        """Return the paths of the functions that set up what has a name, where only these compute what goes there."""
        return [] if name in self.found_out else [path for known, path in self.set_up if known == name]

    def leaves_alone(self, names: frozenset[str]) -> bool:
        """Say whether no function changes containers of these names but with what it is given."""
        return self.caches.isdisjoint(names) and names.isdisjoint(self.emptied)

    @property
    def caches(self) -> set[str]:
        """The names of containers from which they may answer with what they have computed."""
        return self.computed & (self.looked_at | _NAMESPACES)

    def only_counts(self, name: str) -> bool:
        """Say whether all that they ever do to a global or an attribute is to count it up or down."""
        return name in self.counted and name not in self.globals and name not in self.attributes

    def __or__(self, other: Stores) -> Stores:
        names = (part.name for part in fields(self))
        return Stores(*(getattr(self, name) | getattr(other, name) for name in names))

    @property
    def any_global(self) -> bool:
        """Whether they put what they have computed among the globals, under names that the text doesn't show."""
        return not self.computed.isdisjoint(_NAMESPACES)


def begins_alike(name: str, baseline: Mapping[Any, int], known: Mapping[str, Any]) -> bool:
    """Say whether the new text begins to count where the old one did, so that the count can go on.

    >>> begins_alike("CALLS", {"CALLS": id(0)}, {"CALLS": 0}), begins_alike("CALLS", {"CALLS": id(0)}, {"CALLS": 9})
    (True, False)
    """
    return baseline.get(name) == (id(known[name]) if name in known else None)


class ReadStores:
    """What the functions of a session's modules store, each text read once, and only when it is asked for.

    Attributes:
        session: dotted name -> record.

    Args:
        session: that.
        assigned: dotted name -> what cells have assigned to the module or its classes: that is theirs, whoever else
            stores there.
    """

    def __init__(self, session: Mapping[str, ModuleRecord], assigned: Mapping[str, Collection[str]] = _NONE) -> None:
        self.session = session
        self._assigned = assigned
        self._known: dict[str, Stores] = {}
        self._together: dict[tuple[str, ...], Stores] = {}

    def of(self, names: tuple[str, ...]) -> Stores:
        """Return what the functions of some modules store, given by their names; others' are not known."""
        if names not in self._together:
            self._together[names] = functools.reduce(operator.or_, map(self._read, dict.fromkeys(names)))
        return self._together[names]

    def puts_itself(self, name: str, key: Any, value: Any) -> bool:
        """Say whether the own module of an entry has put it into a module's container, and does so when made anew."""
        if is_from_cell(key) or is_from_cell(value):
            return False
        return any(self.can_import(home_of(part), name) for part in (key, value) if is_definition(part))

    def find_origin(
        self, record: ModuleRecord, name: str, value: Any, after: Mapping[str, ModuleType | None]
    ) -> tuple[ModuleRecord, str] | None:
        """Return the record that knows what a global held at first, and its name there: of the module it comes from.

        That is another one where it was imported from one that has it no more; None where that one has it still.

        Args:
            record: of the module that has it.
            name: of the global.
            value: what it is.
            after: dotted name -> what takes the place of a module that retires.
        """
        origin = record, name
        if is_definition(value):
            if home_of(value) != record.name and home_of(value) in after:
                origin = self.session[home_of(value)], value.__qualname__
        elif is_registry(value) or is_instance_of(value, self.session):
            homes = [self.session[need] for need in record.needs if need in after and need in self.session]
            spaces = [(home, getattr(home.module, "__dict__", {})) for home in homes if record.name not in home.needs]
            found = ((home, key) for home, space in spaces for key in copy_space(space) if space.get(key) is value)
            origin = next(found, origin)
        home, path = origin
        return origin if home is record or path not in getattr(after[home.name], "__dict__", {}) else None

    def can_import(self, importer: str, imported: str) -> bool:
        """Say whether a module of the session is another one, or imports it, directly or through others."""
        waiting, seen = [importer] if importer in self.session else [], {importer}
        while waiting:
            name = waiting.pop()
            if name == imported:
                return True
            statements = self.session[name].imports if name in self.session else ()
            names = {found for statement in statements for found in statement.names}
            waiting += names - seen
            seen |= names
        return False

    def _read(self, name: str) -> Stores:
        if name not in self._known:
            record = self.session.get(name)
            found = Stores() if record is None else read_stores(record.snapshot.data or b"")
            for names in (found.globals, found.attributes, found.counted):
                names.difference_update(self._assigned.get(name, ()))
            self._known[name] = found
        return self._known[name]


def read_stores(text: bytes) -> Stores:
    """Read a module's text; one that doesn't parse stores nothing.

    >>> text = b'''
    ... def register(f): TABLE[f.__name__] = f; return f
    ... def ask(x): CACHE[x] = x * 2; LOG.append(x * 2); return CACHE[x]
    ... '''
    >>> read_stores(text).caches
    {'CACHE'}
    """
    found = Stores()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return found
    _mangle(tree, "<module>")
    assigning = []
    for function, given, path in _functions(tree, frozenset(), ""):
        nodes, one = list(_own_nodes(function)), Stores()
        added = {id(_named(held)) for node in nodes for held in _added_to(node)}
        for node in nodes:
            _read_node(node, given, one)
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    if id(node) not in added:
                        one.looked_at.add(name)
        _follow_names(nodes, one)
        assigning.append(read_assigning(function, nodes, given, path))
        assigning[-1].filled, assigning[-1].looked_at = one.computed, one.looked_at
        one.counted = assigning[-1].counted
        found |= one
    assigned = judge(assigning)
    found.globals, found.attributes = assigned.globals, assigned.attributes
    found.set_up, found.found_out = assigned.set_up, assigned.found_out
    return found


def _read_node(node: ast.AST, given: frozenset[str], found: Stores) -> None:  # noqa: C901 - one case a kind of node
    """Note what a node of a function puts into containers and takes out of them."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Subscript) and not is_given(value, given):
                    found.computed |= _container(target.value)
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Subscript) and not is_given(target.slice, given):
                    found.emptied |= _container(target)
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=values) if method in _REMOVING:
            if not (values and is_given(values[0], given)):
                found.emptied |= _container(held)
        case ast.AugAssign(target=target, value=value):
            held = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(target, ast.Subscript) or not is_given(value, given):
                found.computed |= _container(held)
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=values) if method in _ADDING:
            if not all(is_given(value, given) for value in values):
                found.computed |= _container(held)


def _follow_names(nodes: list[ast.AST], found: Stores) -> None:
    """Have what a function does with a local name count for the container, or part of one, that it has so named."""
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Attribute() | ast.Subscript() | ast.Call(func=ast.Attribute(attr="get" | "setdefault")),
            ):
                for names in (found.computed, found.emptied):
                    names.update(_container(node.value) if name in names else ())


def _added_to(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the containers to which a statement only adds something."""
    match node:
        case ast.Assign(targets=targets):
            yield from (target.value for target in targets if isinstance(target, ast.Subscript))
        case ast.AugAssign(target=ast.Subscript(value=held)):
            yield held
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr=method))) if method in _ADDING:
            yield held


def _mangle(node: ast.AST, owner: str) -> None:
    """Write the private names in classes as the compiler does: what is there has these."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Attribute):
            child.attr = mangled(child.attr, owner)
        _mangle(child, child.name if isinstance(child, ast.ClassDef) else owner)


def _functions(node: ast.AST, given: frozenset[str], path: str) -> Iterator[tuple[ast.AST, frozenset[str], str]]:
    """Yield each function below a node, with the names that it and those around it are given, and its path."""
    for child in ast.iter_child_nodes(node):
        inner, way = given, path
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            way = f"{path}.{child.name}" if path else child.name
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = given | {part.arg for part in ast.walk(child.args) if isinstance(part, ast.arg)}
            yield child, inner, way
        yield from _functions(child, inner, way)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _own_nodes(child)


def _named(held: ast.expr) -> ast.expr:
    """Return the outermost part of an expression that has a name: of `a.table[key].setdefault(k, [])`, `a.table`."""
    while isinstance(held, (ast.Subscript, ast.Call)):
        if isinstance(held, ast.Call) and not isinstance(held.func, ast.Attribute):
            break
        held = held.value if isinstance(held, ast.Subscript) else held.func.value  # type: ignore[attr-defined]
    return held


def _container(held: ast.expr) -> set[str]:
    """Return the name of the container that an expression means."""
    match _named(held):
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.Call(func=ast.Name(id=name)):
            return {name} & _NAMESPACES
    return set()
