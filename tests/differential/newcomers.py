"""New definitions and modules: alone, or made for what a project has."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.classes import Enumeration, Error, Instance, Klass, Meta, Record
from tests.differential.definitions import Alias, Constant, Definition, Ref, Table, Use
from tests.differential.functions import Decorator, Dispatch, Factory, Function, Kept, Registration, Registry
from tests.differential.project import Module, Project

__all__ = ["new_definitions", "new_module"]


def new_definitions(project: Project) -> Iterator[Definition]:
    """Yield definitions with a new name."""
    number = project.following
    yield Function(f"f{number}")
    yield Klass(f"C{number}")
    yield Constant(f"K{number}")
    yield Enumeration(f"E{number}")
    yield Klass(f"C{number}", flavour="dataclass", fields=1)
    yield Klass(f"C{number}", flavour="frozen")
    yield Klass(f"C{number}", flavour="slots")
    yield Klass(f"C{number}", parts=("hash", "static"))
    yield Klass(f"C{number}", parts=("property", "maker", "nested"))
    yield Klass(f"C{number}", parts=("cached", "known"))
    yield Factory(f"make{number}")
    yield Registry(f"R{number}")
    yield Registry(f"R{number}", "list")
    yield Registry(f"R{number}", "set")
    yield Kept(f"S{number}")
    yield Meta(f"Meta{number}")
    yield Dispatch(f"show{number}")
    yield Record(f"P{number}", fields=1)
    yield Error(f"X{number}")
    yield Decorator(f"deco{number}")
    yield Function(f"f{number}", wrap="functools.cache")
    for ref in project.refs():
        yield from _related(project, number, ref)


def _related(project: Project, number: int, ref: Ref) -> Iterator[Definition]:  # noqa: C901 - one case a kind
    """Yield new definitions that need one that is there."""
    target = project.find(ref)
    match target:
        case Klass(flavour=flavour):
            yield Klass(f"C{number}", base=ref, flavour=flavour)
            yield Instance(f"thing{number}", cls=ref)
            yield Alias(f"alias{number}", of=ref)
        case Function():
            yield Table(f"T{number}", items=(ref,))
            yield Table(f"T{number}", items=(ref,), form="tuple")
            yield Function(f"f{number}", default=ref)
            yield Alias(f"alias{number}", of=ref)
        case Meta():
            yield Klass(f"C{number}", meta=ref)
        case Error():
            yield Error(f"X{number}", base=ref)
        case Registry():
            yield Function(f"f{number}", decorator=Ref(ref.module, f"add_{ref.name}"))
        case Decorator():
            yield Function(f"f{number}", decorator=ref)
        case Dispatch():
            yield Registration(f"g{number}", dispatch=ref)
            for other in project.refs():
                if isinstance(project.find(other), Klass):
                    yield Registration(f"g{number}", dispatch=ref, cls=other)
    if target is not None:
        yield Function(f"f{number}", uses=Use(ref, target.USE))
        yield Function(f"f{number}", uses=Use(ref, target.USE, late=True))
        yield Klass(f"C{number}", uses=Use(ref, target.USE))


def new_module(project: Project, name: str) -> Module:
    """Return a module with one function."""
    return Module(name, (Function(f"f{project.following + 1}"),))
