"""What the functions of a module assign: what they were given, or what they have found out.

`def use(name): global THEME; THEME = name` keeps what a cell has said; so does `def enable(): global ON; ON = True`. A
function that assigns what it has computed keeps an answer of the code. So does one that assigns what it was given
beside an answer, as the question to it, or that a function of the module calls with an answer.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from exocet_ipython.survivors.storing.certain import END, assigned_by, begin_of, certain_in, name_of
from exocet_ipython.survivors.storing.counting import goes_on
from exocet_ipython.survivors.storing.functions import FUNCTIONS
from exocet_ipython.survivors.storing.given import is_given
from exocet_ipython.survivors.storing.handing import handed_by

__all__ = ["Assigning", "read_assigning"]

_READ = frozenset(
    (ast.AnnAssign, ast.Assign, ast.Attribute, ast.AugAssign, ast.Call, ast.Global, ast.Name, ast.Nonlocal, ast.Return)
)
_NAMED = (ast.Name, ast.Attribute)
_INITIAL = {"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__set_name__"}


@dataclass(slots=True)
class Assigning:
    """What one function assigns.

    Attributes:
        path: where it is defined in its module.
        globals: the global names.
        given: the names, of globals and attributes, to which it assigns what it was given.
        fixed: those to which it assigns a constant.
        computed: those to which it assigns anything else.
        counted: those that it changes by `+=` and its like.
        onward: those to which it assigns what comes next after what is there.
        anew: those to which it assigns what it has computed otherwise.
        names: all that it names otherwise.
        plain: those of them that are no attributes, and no variables of its own: `names.append(x)` doesn't call a
            function `append`, nor `[note.text for note in NOTES]` one that is called `note`.
        asked: those of them that are attributes, or variables of what is around it: a class `Pool` is not the attribute
            of that name.
        registered: those that it only hands to others, to be called by them some time.
        handed: the functions that it calls with what it has computed, and the attributes to which it assigns such.
        filled: the containers into which it puts what it has computed.
        looked_at: all that it names otherwise than to put something into it.
        stepped: names to which, or into which, it puts nothing but the next state.
        called: the names of what it calls.
        renewed: the names of what it assigns whatever it finds.
        calls: the names of what it calls whatever it finds.
        is_harmless: whether it calls nothing that could get something from elsewhere.
    """

    path: str
    globals: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    onward: set[str] = field(default_factory=set)
    anew: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)
    stepped: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    is_harmless: bool = False

    @property
    def answers(self) -> bool:
        """Whether it keeps anything that it has computed."""
        return bool(self.computed or self.filled)

    @property
    def looks_back(self) -> bool:
        """Whether it looks at anything to which, or into which, it puts something."""
        return not (self.computed | self.fixed | self.filled).isdisjoint(self.names | self.looked_at)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.rpartition(".")[2]


def read_assigning(
    function: ast.AST, nodes: Iterable[ast.AST], given: frozenset[str], path: str, sure: Iterable[ast.AST]
) -> Assigning:
    """Read what a function assigns, but not what it fills.

    Args:
        function: it.
        nodes: all that is in it, but for other functions.
        given: the names that it and those around it are given.
        path: where it is defined.
        sure: what of it runs whatever it finds.
    """
    nodes = list(nodes)
    registered = {id(value) for node in nodes for value in _registered_by(node)}
    inner = {node.name for node in nodes if isinstance(node, FUNCTIONS)}
    nodes = [node for node in nodes if type(node) in _READ]
    sure = list(sure)
    found = Assigning(path, renewed={name_of(target) for node in sure for target, _ in assigned_by(node)})
    found.calls = {name_of(node.func) for node in sure if isinstance(node, ast.Call)}
    called = {name_of(node) for node in nodes if isinstance(node, _NAMED) and id(node) not in registered}
    values = {id(target): value for node in nodes for target, value in assigned_by(node)}
    counted = {id(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
    declared = {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    around = {name for node in nodes if isinstance(node, ast.Nonlocal) for name in node.names}
    is_named = {id(node): node.id for node in nodes if isinstance(node, ast.Name) and not _is_load(node)}
    variables = {*given, *is_named.values()} - declared
    certain = certain_in(function, nodes)
    given -= {name for key, name in is_named.items() if not (key in values and is_given(values[key], given))}
    for node in nodes:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) if begin_of(node) > certain.get(f".{name}", END):
                pass
            case ast.Name(id=name, ctx=ast.Load()) if name in declared and begin_of(node) > certain.get(name, END):
                pass  # what it has just assigned: `_conn = connect(url); return _conn` looks at nothing that was there
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                is_attribute = isinstance(node, ast.Attribute)
                _look(found, name, is_attribute=is_attribute, variables=variables)
                found.asked |= {name} if is_attribute or name in declared else set()
            case ast.Name(id=name) if name in declared:
                found.globals |= {name} - around
                _assign(found, name, values.get(id(node)), given, is_counted=id(node) in counted)
            case ast.Attribute(value=owner, attr=name, ctx=ast.Store()) if not _is_first(owner, function, inner):
                _assign(found, name, values.get(id(node)), given, is_counted=id(node) in counted)
                found.handed |= {name} & found.computed
            case ast.Attribute(attr=name, ctx=ast.Store()) if id(node) in counted:
                found.counted.add(name)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                found.called.add(name)
    found.handed |= handed_by(nodes, given)
    found.registered = found.names - called
    _note_next(found, (pair for node in nodes for pair in assigned_by(node)), given, variables)
    return found


def _look(found: Assigning, name: str, *, is_attribute: bool, variables: Collection[str]) -> None:
    """Note that a function looks at an attribute or at what has a name; not one of its own variables."""
    if is_attribute or name not in variables:
        found.names.add(name)
        found.plain |= set() if is_attribute else {name}


def _assign(found: Assigning, name: str, value: ast.expr | None, given: frozenset[str], *, is_counted: bool) -> None:
    """Note that a function assigns a value; None for one that is not known."""
    if is_counted:
        found.counted.add(name)
    elif value is None or not is_given(value, given):
        found.computed.add(name)
    elif any(isinstance(node, ast.Name) for node in ast.walk(value)):
        found.given.add(name)
    else:
        found.fixed.add(name)


def _note_next(
    found: Assigning, assigned: Iterable[tuple[ast.expr, ast.expr]], given: frozenset[str], variables: Collection[str]
) -> None:
    """Note what a function assigns of what comes next after what is there, and of what it has computed otherwise."""
    for target, value in assigned:
        if isinstance(target, _NAMED) and not is_given(value, given):
            name = name_of(target)
            if goes_on(target, value):
                found.onward.add(name)
            elif name not in variables and not _is_taken(value, variables):
                found.anew.add(name)


def _is_taken(value: ast.expr, variables: Collection[str]) -> bool:
    """Say whether a value is only taken from what a global names: `state = State.IDLE`."""
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id not in variables


def _registered_by(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a statement puts into a container, hands to a function whose answer it drops, or gives back.

    And that of which it sets or asks for an attribute: a function may keep its own count (`tick.n += 1`).
    """
    match node:
        case ast.Return(value=ast.Tuple(elts=values) | ast.Dict(values=values)):
            yield from values
        case ast.Return(value=ast.expr() as value):
            yield value
        case ast.Assign(targets=[ast.Subscript(), *_], value=value):
            yield value
        case ast.Assign(targets=[ast.Attribute()], value=value):
            yield value
        case ast.Attribute(value=ast.Name() as owner):
            yield owner
        case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[owner, *_]):
            yield owner
        case ast.Expr(value=ast.Call(args=values, keywords=keywords)):
            yield from (*values, *(keyword.value for keyword in keywords))


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _is_first(owner: ast.expr, function: ast.AST, inner: set[str]) -> bool:
    """Say whether an attribute is one of the first that something gets: `self`, or a function, where it is made."""
    if isinstance(owner, ast.Name) and owner.id in inner:
        return True
    if not isinstance(function, ast.FunctionDef) or function.name not in _INITIAL:
        return False
    parameters = [*function.args.posonlyargs, *function.args.args]
    is_parameter = bool(parameters) and isinstance(owner, ast.Name) and owner.id == parameters[0].arg
    return is_parameter != (function.name == "__new__")  # that is given the class, and makes the instance
