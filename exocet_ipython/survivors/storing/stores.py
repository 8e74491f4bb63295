"""Who stores into a module's state: read from its text, and only when something was stored.

What a module's functions compute and put away is a cache of the old code. What they are given by their caller and put
away, as a decorator does that registers, is the caller's; so is what no function of the module stores at all. What
they only count (`CALLS += 1`), or only add to and never look at (`LOG.append(...)`), is no cache: nothing is answered
from it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.reloading.ladder.operations import mangled
from exocet_ipython.survivors.storing.assigning import Assigning, read_assigning
from exocet_ipython.survivors.storing.certain import certain_parts, name_of
from exocet_ipython.survivors.storing.containers import NAMESPACES, answered_by, container_of, named_part
from exocet_ipython.survivors.storing.copying import write_in_place
from exocet_ipython.survivors.storing.counting import BEST, shorten_counting
from exocet_ipython.survivors.storing.functions import FUNCTIONS, Function, find_functions, parts_of
from exocet_ipython.survivors.storing.given import is_given, with_looped
from exocet_ipython.survivors.storing.handing import Handing, filled_by_hand, handed_by
from exocet_ipython.survivors.storing.judging import Assigned, judge
from exocet_ipython.survivors.storing.listed import listing_caches
from exocet_ipython.survivors.storing.numbering import numbered_by
from exocet_ipython.survivors.storing.spelling import spell_assignments
from exocet_ipython.survivors.storing.steps import Steps
from exocet_ipython.survivors.storing.writing import written_down

__all__ = ["Stores", "read_stores"]

_ADDING = {"add", "append", "appendleft", "extend", "insert", "setdefault", "update"}
_BLINDLY = _ADDING | {"clear"}  # these don't depend on what is there
_STORING = frozenset((ast.Assign, ast.AugAssign, ast.Call, ast.Delete))
_PRIVATE = re.compile(rb"\b__\w+")
_REMOVING = {"clear", "discard", "pop", "popitem", "popleft", "remove"}


@dataclass(slots=True)
class Stores(Assigned):
    """What the functions of a module store: what they assign, and what they do with containers.

    Attributes:
        computed: names, global or of attributes, of containers into which they put what they have computed.
        begun: names of containers in which they begin further ones (`subs.setdefault(topic, [])`).
        told: names of containers to which they add what they are given.
        emptied: names of containers out of which they take something.
        placed: names of containers in which they put something under a key, or in the place of an item.
        counted: names, global or of attributes, that they only ever change by `+=` and its like.
        looked_at: names that they use in any other way than to add something to them, or to count what is there.
        answered: names of containers in which they look up what they may compute where it isn't there.
        handing: what each of them hands to others to be put away.
        copied: names in whose place they put a changed copy of what is there, which is read as changing that.
    """

    computed: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    handing: frozenset[Handing] = frozenset()
    copied: set[str] = field(default_factory=set)

    def setters(self, name: str) -> list[str]:
        """Return the paths of the functions that set up what has a name, where only these compute what goes there."""
        if name in self.found_out or name in filled_by_hand(self.handing):
            return []
        return [path for known, path in self.set_up if known == name]

    def leaves_alone(self, names: frozenset[str]) -> bool:
        """Say whether no function puts what it has computed into containers of these names, to answer from it."""
        return self.caches.isdisjoint(names)

    @property
    def caches(self) -> set[str]:
        """The names of containers from which they may answer with what they have computed."""
        return (self.computed & (self.looked_at | NAMESPACES)) | filled_by_hand(self.handing)

    @property
    def changing(self) -> set[str]:
        """The names of what cells have set up, filled or counted: what is there is no part of what functions do."""
        return self.counted | self.computed | self.globals | self.attributes | {name for name, _ in self.set_up}

    def only_counts(self, name: str) -> bool:
        """Say whether all that they ever do to a global or an attribute is to count it up or down."""
        return name in self.counted and name not in self.globals and name not in self.attributes

    def goes_on(self, name: str) -> bool:
        """Say whether what they assign under a name follows from what was there: a count, a next state."""
        return self.only_counts(name) or (name in self.onward and name not in self.anew | self.caches)

    def __or__(self, other: Stores) -> Stores:
        names = (part.name for part in fields(self))
        return Stores(*(getattr(self, name) | getattr(other, name) for name in names))

    @property
    def any_global(self) -> bool:
        """Whether they put what they have computed among the globals, under names that the text doesn't show."""
        return not self.computed.isdisjoint(NAMESPACES)


@functools.lru_cache(100)  # in a package, most of what an edit makes anew has the text that it had
def read_stores(text: bytes) -> Stores:
    """Read a module's text; one that doesn't parse stores nothing. What is returned is not to be changed.

    >>> text = b'''
    ... def register(f): TABLE[f.__name__] = f; return f
    ... def ask(x): CACHE[x] = x * 2; LOG.append(x * 2); return CACHE[x]
    ... '''
    >>> read_stores(text).caches
    {'CACHE'}
    """
    found, assigning = Stores(), list[Assigning]()
    tree: ast.AST = parse_text(text)
    if not all(name.endswith(b"__") for name in _PRIVATE.findall(text)):
        _mangle(tree, "<module>")
    tree = spell_assignments(tree, text)
    found.copied = write_in_place(tree, text)
    tree = shorten_counting(tree, text)
    functions, caches = find_functions(tree), dict[str, set[str]]()
    for part in functions:
        one, assigns, caches[part.path] = _read_function(part, functions)
        assigning.append(assigns)
        found |= one
    listing = listing_caches(functions, caches)
    found.computed |= listing
    found.looked_at |= listing
    if any(assigns.looks_back for assigns in assigning):
        steps = Steps.of(functions, tree)
        for part, assigns in zip(functions, assigning, strict=True):
            assigns.stepped = steps.of_function(part) if assigns.looks_back else set()
            assigns.is_harmless = steps.is_harmless(part)
    judge(assigning, found)
    return found


def _read_function(part: Function, functions: Sequence[Function]) -> tuple[Stores, Assigning, set[str]]:
    """Return what one of the functions of a text stores, what it assigns, and its caches that are no variables."""
    function, nodes, found = part.node, part.nodes, Stores()
    given = with_looped(part.given, nodes)
    statements = [*nodes, ast.Expr(function.body)] if isinstance(function, ast.Lambda) else nodes
    added = {id(named_part(held)) for node in statements for held in _added_to(node)}
    storing = [node for node in nodes if type(node) in _STORING]
    for node in storing:
        _read_node(node, given, found)
    found.computed -= numbered_by(nodes, given) if found.computed else set()
    found.looked_at |= {
        name_of(node)
        for node in nodes
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and id(node) not in added
    }
    found.answered = answered_by(statements)
    _follow_names(storing, local := _only_local(nodes, given), found)
    if _registers(function, nodes, given):
        found.computed.clear()
    certain = certain_parts(function, nodes)
    assigns = read_assigning(function, nodes, given, part.path, certain.values())
    found.computed -= written_down(part, certain.keys(), functions) if found.computed else set()
    others = [node for node in nodes if id(node) not in certain]
    looks = found.looked_at - _filled_for_certain(nodes, certain.values(), others, given)
    found.computed &= looks | _filled_by(storing, given | found.looked_at - local)  # else `TABLE.update(DEFAULTS)`
    assigns.filled, assigns.looked_at, found.counted = found.computed, looks, assigns.counted
    kept = _filled_by(storing, frozenset()) - _filled_by(storing, given)
    handed = assigns.handed - (handed_by(certain.values(), given) - handed_by(others, given))
    parts = (handed, found.looked_at - local, kept)
    found.handing = frozenset([Handing(assigns.name, *map(frozenset, parts))])
    return found, assigns, found.caches - local


def _read_node(  # noqa: C901, PLR0912 - one case a kind of node
    node: ast.AST, given: frozenset[str], found: Stores
) -> None:
    """Note what a node of a function puts into containers and takes out of them."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Subscript) and not is_given(value, given):
                    found.computed |= container_of(target.value)
                elif isinstance(target, ast.Subscript) and _is_beginning(value):
                    found.begun |= container_of(target.value)
                found.placed |= container_of(target.value) if isinstance(target, ast.Subscript) else set()
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Subscript) and not is_given(target.slice, given):
                    found.emptied |= container_of(target)
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=values) if method in _REMOVING:
            if not (values and is_given(values[0], given)):
                found.emptied |= container_of(held)
        case ast.AugAssign(target=target, op=op, value=value):
            held = target.value if isinstance(target, ast.Subscript) else target
            found.placed |= container_of(held) if held is not target else set()
            # `COUNTS[name] += 1` only counts, and so does `RATES[name] += step * (x - RATES[name])`.
            if held is target and not (is_given(value, given) or isinstance(op, BEST)):
                found.computed |= container_of(held)
        case ast.Call(func=ast.Attribute(value=held, attr=method), args=values) if method in _ADDING:
            put = values[1:] if method == "setdefault" else values  # a key tells nothing of who made what is under it
            if not all(is_given(value, given) for value in put):
                found.computed |= container_of(held)
            elif any(map(_is_beginning, values)):
                found.begun |= container_of(held)
            else:
                found.told |= container_of(held)


def _filled_for_certain(
    nodes: list[ast.AST], certain: Iterable[ast.AST], others: list[ast.AST], given: frozenset[str]
) -> set[str]:
    """Return the names of containers that a function fills whatever is in them: looking at them decides nothing.

    Not where the value may be one that was there, or where it fills them otherwise too.
    """
    filled = _filled_by(certain, given) - _filled_by(others, given)
    values = [node.value for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    return filled - {part.id for value in values for part in ast.walk(value) if isinstance(part, ast.Name)}


def _filled_by(nodes: Iterable[ast.AST], given: frozenset[str]) -> set[str]:
    found = Stores()
    for node in nodes:
        _read_node(node, given, found)
    return found.computed


def _registers(function: ast.AST, nodes: list[ast.AST], given: frozenset[str]) -> bool:
    """Say whether a function is only called with what is defined, once each, and answers nothing that it computes.

    A decorator that gives back what it was given, or a function that calls that, and what Python calls at a class
    statement.
    """
    match function:
        case ast.FunctionDef(name="__init_subclass__" | "__set_name__"):
            return True
        case ast.FunctionDef(name="__new__" | "__init__", args=ast.arguments(args=[_, _, ast.arg(arg="bases"), *_])):
            return True
    known = given | {node.name for node in nodes if isinstance(node, FUNCTIONS) and _calls_one_of(node, given)}
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    return bool(returned) and all(isinstance(value, ast.Name) and value.id in known for value in returned)


def _calls_one_of(function: ast.AST, names: frozenset[str]) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Name) and called.id in names for called in calls)


def _only_local(nodes: list[ast.AST], given: frozenset[str]) -> set[str]:
    """Return the names that mean a function's own variables, and nothing else in it."""
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    others = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    others |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return (assigned | given) - others


def _is_beginning(value: ast.expr) -> bool:
    """Say whether a value is an empty container that changes."""
    return isinstance(value, (ast.List, ast.Dict, ast.Call)) and is_given(value, frozenset())


def _follow_names(nodes: list[ast.AST], local: set[str], found: Stores) -> None:
    """Have what a function does with a local name count for the container, or part of one, that it has so named."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=held)):
                meant = {held} - local
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Attribute() | ast.Subscript() | ast.Call(func=ast.Attribute(attr="get" | "setdefault")),
            ):
                meant = container_of(node.value)
            case _:
                continue
        for names in (found.computed, found.begun, found.emptied, found.placed):
            names.update(meant if name in names else ())


def _added_to(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the containers to which a statement only adds something, or whose items are counted: none answers."""
    match node:
        case ast.Assign(targets=targets):
            yield from (target.value for target in targets if isinstance(target, ast.Subscript))
        case ast.AugAssign(target=ast.Subscript(value=held)):
            yield held
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr=method))) if method in _BLINDLY:
            yield held
        case ast.Call(func=ast.Name(id="len"), args=[held]):
            yield held


def _mangle(node: ast.AST, owner: str) -> None:
    """Write the private names in classes as the compiler does: what is there has these."""
    for child in parts_of(node):
        if isinstance(child, ast.Attribute):
            child.attr = mangled(child.attr, owner)
        _mangle(child, child.name if isinstance(child, ast.ClassDef) else owner)
