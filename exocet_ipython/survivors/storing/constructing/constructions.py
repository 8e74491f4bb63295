"""What constructors make of what they are given, as their texts say it, and those that dataclasses and attrs write."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import fields
from types import FunctionType, MappingProxyType
from typing import Any, NamedTuple

from exocet_ipython.loading.classes import first_named
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.ladder.operations import parameters_of, words
from exocet_ipython.survivors.storing.certain import attributes_assigned
from exocet_ipython.survivors.storing.constructing.settled import settled_attributes
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["AFTERWARDS", "CONVERSIONS", "NO_DEFAULT", "Construction", "Made", "read_constructor"]

AFTERWARDS = ("__post_init__", "__attrs_post_init__")  # what a written constructor calls
NO_DEFAULT = object()
# Of what type a field has one where it has no default: of `dataclasses`, of attrs, and what makes one there.
_NO_DEFAULTS = ("_MISSING_TYPE", "_Nothing", "Factory")
# What calls of an equal value give back, and Python's own functions that only compute something.
CONVERSIONS = words("bool bytes complex dict float frozenset int list set str tuple")
_FUNCTIONS = CONVERSIONS | words(
    "abs all any ascii bin chr divmod enumerate filter format getattr hasattr hash hex isinstance issubclass len map "
    "max min oct ord pow range repr reversed round slice sorted sum type zip"
)
_COMPUTING = words("cmath math operator re statistics")  # modules of such functions
_READING = (
    *(ast.Attribute, ast.BinOp, ast.BoolOp, ast.Compare, ast.Constant, ast.Dict, ast.FormattedValue, ast.IfExp),
    *(ast.JoinedStr, ast.List, ast.Set, ast.Slice, ast.Starred, ast.Subscript, ast.Tuple, ast.UnaryOp),
    *(ast.boolop, ast.cmpop, ast.expr_context, ast.keyword, ast.operator, ast.unaryop),
)


class Made(NamedTuple):
    """An attribute that a constructor makes, or one that a constructor of a base makes for it.

    Attributes:
        attribute: its name, as instances have it.
        value: the expression; None where it is just the parameter of a field.
        function: what evaluates it; None for a field.
        names: what the names in it mean: parameters of the constructor that is called.
        is_plain: whether it only reads, computes, and calls functions of Python's own.
        fixed: the names in it that always mean one value: what a constructor hands to that of a base, or leaves out.
    """

    attribute: str
    value: ast.expr | None
    function: Any  # mypy takes a function in a class for a method
    names: Mapping[str, str]
    is_plain: bool = True
    fixed: Mapping[str, Any] = MappingProxyType({})

    @property
    def own(self) -> str:
        """What the function calls the instance."""
        return self.function.__code__.co_varnames[0] if self.function is not None else ""

    @property
    def asks_itself(self) -> bool:
        """Whether it is made of other attributes of the instance."""
        nodes = ast.walk(self.value) if self.value is not None else ()
        return any(isinstance(node, ast.Name) and node.id == self.own for node in nodes)


class Construction(NamedTuple):
    """What the constructor of a class takes, with the defaults, and what it makes.

    Attributes:
        parameters: those that it names.
        defaults: of all that it takes.
        made: what it makes.
        handed_on: the parameters of bases' constructors that it takes as well, by `**attrs`.
    """

    parameters: tuple[str, ...]
    defaults: Mapping[str, Any]
    made: Sequence[Made]
    handed_on: Collection[str] = ()


class _HandedOn(NamedTuple):
    """What `**attrs` may have when the constructor of a base gets it: all names but those of parameters on the way."""

    taken: frozenset[str]
    found: dict[str, Any]  # the parameters that it gives values to, with their defaults

    def given(self, names: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, str]:
        """Return what the parameters of a base's constructor mean, and note them: what they are called there."""
        free = [name for name in names if name not in self.taken]
        self.found.update((name, defaults.get(name, NO_DEFAULT)) for name in free)
        return {name: name for name in free}


def read_constructor(classes: Sequence[type]) -> Construction | None:
    """Return what the constructor that a class has, or inherits, takes and makes; None where its text is unknown."""
    for place, cls in enumerate(classes):
        function = vars(cls).get("__init__")
        if type(function) is not FunctionType:
            if function is not None:
                return None
            continue
        known = _fields_of(cls) if function.__code__.co_filename.startswith("<") else None
        if known is not None:
            made = [Made(name, None, None, {name: parameter}) for name, parameter, _ in known]
            for after in (first_named(name, classes) for name in AFTERWARDS):
                made += _made_by(after, {}, {}, classes[place:]) if type(after) is FunctionType else ()
            defaults = {parameter: default for _, parameter, default in known if default is not NO_DEFAULT}
            return Construction(tuple(parameter for _, parameter, _ in known), defaults, made)
        names = parameters_of(function.__code__)[1:]
        handed_on = _HandedOn(frozenset(), {})
        made = list(_made_by(function, {name: name for name in names}, {}, classes[place:], handed_on))
        given = {name: value for name, value in handed_on.found.items() if value is not NO_DEFAULT}
        return Construction(names, {**given, **defaults_of(function)}, made, handed_on.found)
    return None


def _fields_of(cls: type) -> list[tuple[str, str, Any]] | None:
    """Return the fields that a constructor takes which `dataclass` or attrs has written: name, parameter, default."""
    space = vars(cls)
    if "__dataclass_fields__" in space:
        known = [(field.name, field.name, field) for field in fields(cls) if field.init]
    elif "__attrs_attrs__" in space:
        all_fields = [field for field in space["__attrs_attrs__"] if field.init]
        known = [(field.name, getattr(field, "alias", None) or field.name.lstrip("_"), field) for field in all_fields]
    else:
        return None
    has_none = (type(field.default).__name__ in _NO_DEFAULTS for _, _, field in known)
    return [
        (name, parameter, NO_DEFAULT if is_without else field.default)
        for (name, parameter, field), is_without in zip(known, has_none, strict=True)
    ]


def _made_by(
    function: FunctionType,
    names: Mapping[str, str],
    fixed: Mapping[str, Any],
    classes: Sequence[type],
    handed_on: _HandedOn | None = None,
) -> Iterator[Made]:
    """Yield what a constructor makes whatever happens, and what those of bases make that it hands its parameters to.

    Args:
        function: it.
        names: what its parameters are, as those of the constructor that is called.
        fixed: those that always mean one value.
        classes: its class, and those behind that.
        handed_on: what its `**attrs` may have; None where nothing of it is known.
    """
    tree, own = definition_of(function), function.__code__.co_varnames[:1]
    if tree is None or not own:
        return
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    settled = {name: value for name, value in fixed.items() if name in stored}
    written = dict(settled_attributes(tree, own[0], settled)) if settled else {}
    names = {name: meant for name, meant in names.items() if name not in stored}
    fixed = {name: value for name, value in fixed.items() if name not in stored}
    if handed_on is not None:
        taken = handed_on.taken.union(parameters_of(function.__code__))
        handed_on = handed_on._replace(taken=taken) if _only_hands_on(tree) else None
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield from _made_by_base(statement.value, own[0], names, classes, handed_on)
        for attribute, value in attributes_assigned(statement, own[0]):
            used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
            meant = {name: names[name] for name in used if name in names}
            is_settled = attribute in written and not used.isdisjoint(settled) and not meant
            made = written[attribute] if is_settled else value
            known = {**fixed, **settled} if is_settled else fixed
            is_plain = all(_only_reads(node, function, {*own, *names, *known}) for node in ast.walk(made))
            given = {name: known[name] for name in used if name in known}
            yield Made(_mangled(attribute, classes[0]), made, function, meant, is_plain, given)


def _made_by_base(
    call: ast.Call, own: str, names: Mapping[str, str], classes: Sequence[type], handed_on: _HandedOn | None
) -> Iterator[Made]:
    """Yield what the constructor of a base makes, where a call is one of it."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
            given = call.args
        case ast.Attribute(value=ast.Name(), attr="__init__") if call.args and _is_name(call.args[0], own):
            given = call.args[1:]
        case _:
            return
    for place, cls in enumerate(classes[1:], 1):
        function = vars(cls).get("__init__")
        if type(function) is FunctionType and not function.__code__.co_filename.startswith("<"):
            said = dict(zip(parameters_of(function.__code__)[1:], given, strict=False))
            said |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            known = ((name, value.id) for name, value in said.items() if isinstance(value, ast.Name))
            meant = {name: names[value] for name, value in known if value in names}
            constants = {name: value.value for name, value in said.items() if isinstance(value, ast.Constant)}
            left_out = {name: value for name, value in defaults_of(function).items() if name not in said}
            rest = [keyword for keyword in call.keywords if not keyword.arg]
            handed_on = handed_on if rest else None
            is_whole = not any(isinstance(value, ast.Starred) for value in given) and len(rest) == bool(handed_on)
            if is_whole and handed_on is not None:
                free = [name for name in parameters_of(function.__code__)[1:] if name not in said]
                meant |= handed_on.given(free, left_out)
                left_out = {name: value for name, value in left_out.items() if name not in meant}
            fixed = {**left_out, **constants} if is_whole else {}
            yield from _made_by(function, meant, fixed, classes[place:], handed_on if is_whole else None)
        if function is not None:
            return


def _only_hands_on(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Say whether all that a function does with its `**attrs` is to look there and to hand it on."""
    rest = function.args.kwarg.arg if function.args.kwarg is not None else ""
    nodes = [*ast.walk(function)]
    used = [node for node in nodes if isinstance(node, ast.Name) and node.id == rest]
    known = list[ast.AST]()
    for node in nodes:
        match node:
            case ast.keyword(arg=None, value=held) | ast.Attribute(value=held, attr="get"):
                known.append(held)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
                known.append(held)
            case ast.Subscript(value=held, ctx=ast.Load()):
                known.append(held)
    return all(any(node is held for held in known) for node in used)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _mangled(name: str, cls: type) -> str:
    """Return what an attribute with two underscores is called outside of its class."""
    return f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name


def _only_reads(node: ast.AST, function: FunctionType, names: Container[str]) -> bool:
    """Say whether a part of an expression reads what is known, computes, or calls a function of Python's own."""
    space = function.__globals__
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _FUNCTIONS and name not in space and name not in names
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
            return getattr(space.get(name), "__name__", "") in _COMPUTING and name not in names
        case ast.Call():
            return False
        case ast.Name(id=name):
            is_known = name in space or hasattr(builtins, name)
            return name in names or (is_known and name not in function.__code__.co_varnames)
    return isinstance(node, _READING)
