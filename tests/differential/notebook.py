"""Cells of a random notebook: imports, what holds a project's objects, what is derived from them and registered.

A cell comes with the expressions that show whether it holds what it would hold after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.differential.classes import Enumeration, Error, Instance, Klass, Meta, Record
from tests.differential.definitions import Constant, Definition, Ref, Table
from tests.differential.functions import Decorator, Dispatch, Factory, Function, Kept, Registration, Registry
from tests.differential.project import Module, Project

__all__ = ["Cell", "Target", "holding_cells", "import_cells", "marking_cell", "other_cells", "targets"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, the expressions that show what it made, and what of the project it is about.

    Attributes:
        modules: what it imports by dotted name.
        given: definitions that it gives a notebook name, with that name.
        adds: whether what it shows is what it has put into a module.
        hashes: whether it has that as a key, or in a set.
        returns: expressions that show whether the very objects of the moment are there again, once the files are.
    """

    code: str
    probes: tuple[str, ...] = ()
    about: Ref | None = None
    modules: tuple[str, ...] = ()
    given: tuple[tuple[Ref, str], ...] = ()
    adds: bool = False
    hashes: bool = False
    returns: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a holder can hold: an expression of it, and what to ask it, with `{}` for it."""

    it: str
    asked: str
    about: Ref
    same: str = "is"
    hashable: bool = True


# How something is held, and how it is reached again; `{it}` is the thing, `{h}` the name of the holder.
HOLDERS: tuple[tuple[str, str], ...] = (
    ("[{it}]", "{h}[0]"),
    ("{{'k': {it}}}", "{h}['k']"),
    ("({it}, 1)", "{h}[0]"),
    ("{{{it}: 1}}", "next(iter({h}))"),
    ("{{{it}}}", "next(iter({h}))"),
    ("frozenset([{it}])", "next(iter({h}))"),
    ("functools.partial({it}, 1)", "{h}.func"),
    ("functools.partial(print, {it})", "{h}.args[0]"),
    ("functools.partial(dict, at={it})", "{h}.keywords['at']"),
    ("(lambda held: lambda: held)({it})", "{h}()"),
    ("(lambda held={it}: held)", "{h}()"),
    ("types.SimpleNamespace(at={it})", "{h}.at"),
    ("type('Holder', (), {{'at': [{it}]}})", "{h}.at[0]"),
    ("collections.deque([{it}])", "{h}[0]"),
    ("collections.OrderedDict([({it}, 1), ('z', 2)])", "list({h})[0]"),
    ("collections.defaultdict(list, a=[{it}])", "{h}['a'][0]"),
    ("{{'a': {{'b': [({it}, 2)]}}}}", "{h}['a']['b'][0][0]"),
    ("[(1, (2, {it}))]", "{h}[0][1][1]"),
    ("{{(1, {it}): 2}}", "list({h})[0][1]"),
)
_CALLED = "functools.partial({it}"
_HASHING = ("{{{it}", "frozenset", "OrderedDict", "{{(1")


def import_cells(project: Project, number: int) -> Iterator[Cell]:
    """Yield import statements that a notebook could have."""
    for module in project.modules:
        yield Cell(f"import {module.name}", modules=(module.name,))
        for name, definition in _provided(project, module):
            alias = f"{name}_{number}" if number % 2 else name
            yield Cell(
                f"from {module.name} import {name}" + (f" as {alias}" if alias != name else ""),
                (f"{alias} is sys.modules[{module.name!r}].{name}",),
                definition,
                given=((definition, alias),),
            )
        given = tuple((ref, name) for name, ref in _provided(project, module))
        stars = tuple(f"{name} is sys.modules[{module.name!r}].{name}" for _, name in given)
        yield Cell(f"from {module.name} import *", stars, given=given)


def _provided(project: Project, module: Module) -> Iterator[tuple[str, Ref]]:
    for definition in module.definitions:
        yield definition.name, Ref(module.name, definition.name)
    for ref in module.exports:
        if project.find(ref) is not None:
            yield ref.name, ref


def marking_cell(project: Project, modules: Iterable[str], number: int) -> Cell:
    """Return a cell that notes which objects modules have, and keeps them alive where nothing is migrated: a frame."""
    names = sorted(name for name in modules if name in project.named)
    held = sorted(project.named)
    paths: list[tuple[str, ...]] = [(name,) for name in names]
    for name in names:
        for found in project.named[name].definitions:
            more = {Klass: [("ask",)], Enumeration: [("A",)], Constant: None}.get(type(found), [])
            paths += [(name, found.name, *rest) for rest in [(), *more]] if more is not None else []
    code = (
        f"def hold{number}(*modules):\n    yield\n\n"
        f"def ids{number}():\n    part = lambda value, name: getattr(value, name, None)\n"
        f"    return [id(functools.reduce(part, path[1:], sys.modules.get(path[0]))) for path in {paths!r}]\n\n"
        f"held{number} = hold{number}(*(sys.modules[name] for name in {held!r} if name in sys.modules))\n"
        f"next(held{number})\nknown{number} = ids{number}()"
    )
    return Cell(code, returns=f"[now == before for now, before in zip(ids{number}(), known{number})]")


def targets(definition: Definition, ref: Ref, it: str) -> Iterator[Target]:  # noqa: C901, PLR0912 - one case a kind
    """Yield what a notebook can hold of a definition."""
    match definition:
        case Function() | Registration():
            yield Target(it, "{}(1)", ref)
        case Decorator():
            yield Target(it, "{}(repr)(1)", ref)
        case Dispatch():
            yield Target(it, "{}(1)", ref)
        case Factory():
            yield Target(f"{it}(1)", "{}(2)", ref, same="")
            yield Target(it, "{}(1)(2)", ref)
        case Enumeration():
            yield Target(f"{it}.A", "({0}.value, {0}.ask(1))", ref)
            yield Target(it, "[member.name for member in {}]", ref)
        case Klass():
            hashable = definition.flavour != "dataclass"
            asked = "({0}.ask(2), {0}.n, {0}.slow)" if "cached" in definition.parts else "({0}.ask(2), {0}.n)"
            yield Target(f"{it}(1)", asked, ref, same="type", hashable=hashable)
            yield Target(it, "{}(1).ask(2)", ref)
            yield Target(f"{it}(1).ask", "{}(2)", ref, same="", hashable=hashable)
            yield Target(f"{it}.ask", "{}.__qualname__", ref)
            if "static" in definition.parts:
                yield Target(f"{it}.plain", "{}(1)", ref)
            if "maker" in definition.parts:
                yield Target(f"{it}.make", "{}(1).ask(2)", ref, same="==")
            if "nested" in definition.parts:
                yield Target(f"{it}.Inner()", "{}.ask(1)", ref, same="type")
                yield Target(f"{it}.Inner", "{}().ask(1)", ref)
        case Record() | Error():
            yield Target(f"{it}(1)", "{}.ask(2)", ref, same="type")
            yield Target(it, "{}(1).ask(2)", ref)
        case Instance():
            yield Target(it, "{}.ask(2)", ref, hashable=False)
        case Meta():
            yield Target(it, "{}.__name__", ref)
        case Table(form=form, items=items):
            yield Target(it, "len({})", ref, hashable=form == "tuple" and bool(items))


def holding_cells(target: Target, number: int) -> Iterator[Cell]:
    """Yield cells that hold something in each kind of holder."""
    name = f"h{number}"
    for form, way in ((("{it}"), "{h}"), *HOLDERS):
        hashes = any(mark in form for mark in _HASHING)
        if hashes and not target.hashable:
            continue
        if form.startswith(_CALLED) and not target.asked.startswith("{}("):
            continue  # not to be called: the cell would fail
        held = way.format(h=name)
        probes = [target.asked.format(held)]
        match target.same:
            case "is" | "==":
                probes.append(f"{held} {target.same} {target.it}")
            case "type":
                cls = target.it.rpartition("(")[0]
                probes += [f"type({held}) is {cls}", f"isinstance({held}, {cls})", f"repr({held})"]
        if any(mark in form for mark in _HASHING[:2]) and target.same in ("is", "=="):
            probes.append(f"{target.it} in {name}")
        elif any(mark in form for mark in _HASHING[:2]):
            probes.append(f"{held} in {name}")
        yield Cell(f"{name} = {form.format(it=target.it)}", tuple(probes), target.about, hashes=hashes)


def other_cells(definition: Definition, ref: Ref, it: str, number: int) -> Iterator[Cell]:  # noqa: C901 - one case a kind
    """Yield cells that derive from a definition, register with it, use it, catch it, assign to its module."""
    match definition:
        case Klass(flavour=flavour):
            own = f"Own{number}"
            body = f"class {own}({it}):\n    def ask(self, x):\n        return ({own!r}, super().ask(x))\n\n"
            body += f"x{number} = {own}(1)"
            heads = [""] if flavour != "dataclass" else ["", "@dataclasses.dataclass\n"]
            probes = (
                f"({own}.__mro__[1] is {it}, issubclass({own}, {it}), type({own}) is type({it}))",
                f"(x{number}.ask(2), isinstance(x{number}, {it}))",
                f"{own}(2).ask(3)",
                f"[base.__qualname__ for base in {own}.__mro__]",
            )
            yield from (Cell(head + body, probes, ref) for head in heads)
        case Meta():
            yield Cell(
                f"class Own{number}(metaclass={it}):\n    pass",
                (f"type(Own{number}) is {it}", f"Own{number}.kind()"),
                ref,
            )
        case Registry():
            module, _, name = it.rpartition(".")
            if module:
                code = f"@{module}.add_{name}\ndef g{number}(x):\n    return ('g{number}', x)"
                yield Cell(code, (f"len({it})",), ref, adds=True)
        case Dispatch():
            kind = ("list", "dict", "bytes")[number % 3]
            yield Cell(
                f"@{it}.register({kind})\ndef g{number}(x):\n    return 'g{number}'",
                (f"{it}({kind}())",),
                ref,
                adds=True,
            )
            code = f"class Own{number}:\n    pass\n\n{it}.register(Own{number}, lambda x: 'own {number}')"
            yield Cell(code, (f"{it}(Own{number}())",), ref, adds=True)
        case Error():
            code = (
                f"def caught{number}(error):\n    try:\n        raise error\n    except {it}:\n        return True\n"
                f"    except Exception:\n        return False\n\nx{number} = {it}(1)"
            )
            yield Cell(code, (f"caught{number}(x{number})", f"caught{number}({it}(2))"), ref)
        case Function():
            yield Cell(f"def use{number}(x):\n    return {it}(x)", (f"use{number}(1)",), ref)
            yield Cell(f"@functools.cache\ndef use{number}(x):\n    return {it}(x)", (f"use{number}(1)",), ref)
        case Kept():
            yield Cell(f"{it}.append({number})", (it,), ref, adds=True)
        case Constant():
            if "." in it:
                yield Cell(f"{it} = 'the cell {number}'", (it,), ref, adds=True)
        case Enumeration():
            code = f"def use{number}(x):\n    return {{{it}.A: 'a'}}.get(x, 'other')\n\nx{number} = {it}.A"
            yield Cell(code, (f"use{number}(x{number})",), ref)
