"""Methods that code from outside of the scope can call without naming them where we read: by overriding, by looking up.

A library that is given an instance calls the methods that its own base class has, or looks for names that it puts
together (`visit_Name`, `do_GET`). So it depends on what a class inherits from, and what decorates it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.ladder.exchange import find_class
from exocet_ipython.reloading.ladder.methods import PLAIN_DECORATORS, Methods
from exocet_ipython.reloading.ladder.operations import words
from exocet_ipython.reloading.ladder.uses import Method
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["calling_base", "exposed", "find_exposed"]

# Base classes and metaclasses from these call methods by names that they have themselves, and by no others.
_PLAIN_BASES = words(
    "abc builtins collections collections.abc enum peewee pydantic._internal._model_construction pydantic.main "
    "pydantic_settings.main sqlalchemy.inspection sqlalchemy.orm.decl_api sqlalchemy.util.langhelpers sqlmodel.main "
    "typing typing_extensions"
)
_NOTHING_ELSE = (object,)


def find_exposed(methods: Methods, records: Mapping[str, ModuleRecord]) -> tuple[Method, str] | None:
    """Return the first of some methods that code from outside of the scope can have called at import, and why.

    A thousand may be asked about at an edit: as a rule nothing of any of their classes comes from elsewhere, which few
    passes over all of them show.
    """
    if methods.are_alone(records):
        return None
    reasons = ((method, exposed(method, records[method.definition.module], records)) for method in methods)
    return next(((method, reason) for method, reason in reasons if reason), None)


def exposed(method: Method, record: ModuleRecord, records: Mapping[str, ModuleRecord]) -> str:
    """Say why code from outside of the scope can have called a method at import; nothing where none can.

    Args:
        method: as the reach has it; a function has no class, and is never exposed.
        record: of the module that defines it.
        records: the modules of the scope.
    """
    owner = method.owner
    cls = find_class(record.module, owner)
    if cls is None:
        return f"its class {owner} is not what the module has under that name"
    if not PLAIN_DECORATORS.issuperset(method.decorators):
        return f"what decorates {owner} may call it"
    if type(cls) is type and cls.__bases__ == _NOTHING_ELSE and not type.__subclasses__(cls):
        return ""  # nothing of it comes from elsewhere
    return _exposing_base(cls, method.name, records)


def _exposing_base(cls: type, name: str, records: Mapping[str, ModuleRecord]) -> str:
    """Say which base or metaclass from outside of the scope may call a method of a class, or of one below it."""
    if issubclass(cls, type):
        return f"{cls.__qualname__} is a metaclass"
    for sub in _with_subclasses(cls):
        for base in sub.__mro__:
            if base is not object and module_said_by(base) not in records and name in vars(base):
                return f"{base.__qualname__} has a method of that name"
    return calling_base(cls, records)


def calling_base(cls: type, records: Mapping[str, ModuleRecord]) -> str:
    """Say which base or metaclass from outside of the scope may call any method of a class, or of one below it."""
    for sub in _with_subclasses(cls):
        for kind in (type(sub), *sub.__mro__):
            if module_said_by(kind) not in records and module_said_by(kind) not in _PLAIN_BASES:
                return f"{kind.__qualname__}, from outside, may call it"
    return ""


def _with_subclasses(cls: type) -> Iterator[type]:
    yield cls
    below: list[type] = type.__subclasses__(cls)
    for sub in below:
        yield from _with_subclasses(sub)
