"""What a library expects of an instance whose class is another now: defaults of new fields, a mapper's bookkeeping.

No library is imported for it: each is known by the marks it leaves on its classes.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from exocet_ipython.loading.classes import defines, module_said_by, mro_of, set_attribute
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.journal import Journal

__all__ = [
    "adapters_of",
    "bring_up_to_date",
    "fields_alone",
    "is_adapter",
    "is_looked_after",
    "lacks",
    "renew_adapters",
]

# What a class has whose instances are changed when they move to it.
_MARKS = (
    "__exo_migrate__",
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__pydantic_fields__",
    "_sa_class_manager",
    "_instance_inits",
)


def is_looked_after(cls: type) -> bool:
    """Say whether an author's hook or a library changes the instances that move to a class.

    >>> is_looked_after(int)
    False
    """
    return any(mark in vars(base) for base in mro_of(cls) for mark in _MARKS)


def fields_alone(cls: type) -> tuple[str, ...] | None:
    """Return the fields with defaults that alone an instance may lack when it moves to a class; else None.

    It is looked for in the dict of its attributes, since neither slots nor descriptors have any of them.

    >>> fields_alone(dataclasses.make_dataclass("Point", [("x", int), ("y", int, 0)])), fields_alone(int)
    (('y',), ())
    """
    marks = {mark for base in mro_of(cls) for mark in _MARKS if mark in vars(base)}
    fields = dataclasses.fields(cls) if "__dataclass_fields__" in marks and dataclasses.is_dataclass(cls) else ()
    absent = dataclasses.MISSING
    names = tuple(one.name for one in fields if not (one.default is absent and one.default_factory is absent))
    is_alone = marks <= {"__dataclass_fields__"} and not any(
        defines(type(getattr(cls, name, None)), "__set__") for name in names
    )
    return names if is_alone else None


def bring_up_to_date(instance: Any, cls: type) -> None:
    """Give an instance what its new class expects it to have.

    New fields of dataclasses, attrs classes and pydantic models get their defaults, and so do private attributes of
    models; SQLAlchemy's state of a mapped instance is handed to the new class's mapper; what traits an instance
    observes and validates is what its class says.

    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: int
    ...     tags: list = dataclasses.field(default_factory=list)
    >>> point = Point.__new__(Point)
    >>> bring_up_to_date(point, Point)
    >>> point.tags
    []
    """
    for name, value in chain(_dataclass_defaults(instance, cls), _attrs_defaults(instance, cls)):
        set_attribute(instance, name, value)
    added = dict(_pydantic_defaults(instance, cls))
    if added:
        values = vars(instance)
        values |= added
        for name in [name for name in getattr(cls, "__pydantic_fields__", ()) if name in values]:
            values[name] = values.pop(name)  # in the order of the fields, as a model is shown and dumped
    private = dict(_private_defaults(instance, cls))
    if private:
        object.__setattr__(instance, "__pydantic_private__", (instance.__pydantic_private__ or {}) | private)
    _renew_handlers(instance, cls)
    manager = vars(cls).get("_sa_class_manager")
    # Only a mapped instance is asked: another's `__getattr__` may raise anything.
    state = getattr(instance, "_sa_instance_state", None) if manager is not None else None
    if state is not None:
        state.manager, state.class_ = manager, cls
        sys.modules["sqlalchemy.orm"].configure_mappers()


def is_adapter(kind: type) -> bool:
    """Say whether a class is pydantic's of what validates any type: it keeps what it has made of that."""
    return bool(module_said_by(kind) == "pydantic.type_adapter")


def adapters_of(names: Mapping[str, Any], classes: Iterable[type]) -> list[Any]:
    """Return the adapters with a name whose type is made of one of these classes: `TypeAdapter(Union[Line, Point])`.

    An alias of `typing` is changed in place, and so is a class of a cell that has fields of such a type: nothing is
    replaced in the adapter itself.

    >>> adapters_of({"a": 1}, [int])
    []
    """
    found = [value for value in list(names.values()) if is_adapter(type(value))]
    ids = set(map(id, classes)) if found else set[int]()
    return [adapter for adapter in found if _is_made_of(vars(adapter).get("_type"), ids, set())]


def _is_made_of(alias: Any, ids: Collection[int], seen: set[int]) -> bool:
    if id(alias) in ids or id(alias) in seen:
        return id(alias) in ids
    seen.add(id(alias))
    lineage = mro_of(alias) if issubclass(type(alias), type) else ()
    fields = [part for base in lineage for part in getattr(base, "__annotations__", {}).values()]
    return any(_is_made_of(part, ids, seen) for part in (*typing.get_args(alias), *fields))


def renew_adapters(adapters: Iterable[Any], journal: Journal, note: Callable[[str, Exception], object]) -> None:
    """Have adapters whose type was replaced make their validators and serializers anew; what fails is noted."""
    for adapter in adapters:
        journal.add(partial(vars(adapter).update, {**vars(adapter)}))
        try:
            adapter.rebuild(force=True, raise_errors=False)
        except Exception as error:  # noqa: BLE001 - the schema of a person's type may raise anything
            note("pydantic.TypeAdapter", error)


def _dataclass_defaults(instance: Any, cls: type) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if lacks(instance, field.name):
            if field.default is not dataclasses.MISSING:
                yield field.name, field.default
            elif field.default_factory is not dataclasses.MISSING:
                yield field.name, field.default_factory()


def _attrs_defaults(instance: Any, cls: type) -> Iterator[tuple[str, Any]]:
    for attribute in getattr(cls, "__attrs_attrs__", ()):
        default = attribute.default
        if not lacks(instance, attribute.name) or type(default).__name__ == "_Nothing":
            continue
        factory = getattr(default, "factory", None)
        if factory is not None:
            default = factory(instance) if default.takes_self else factory()
        yield attribute.name, _converted(default, attribute, instance)


def _converted(value: Any, attribute: Any, instance: Any) -> Any:
    """Return what attrs makes of a value that it gives to an attribute."""
    converter = attribute.converter
    if converter is None:
        return value
    more = {"takes_self": instance, "takes_field": attribute}  # what an `attrs.Converter` may ask for beside the value
    asked = [part for name, part in more.items() if getattr(converter, name, False)]
    return getattr(converter, "converter", converter)(value, *asked)


def _pydantic_defaults(instance: Any, cls: type) -> Iterator[tuple[str, Any]]:
    fields = getattr(cls, "__pydantic_fields__", None)
    for name, field in fields.items() if isinstance(fields, dict) else ():
        if lacks(instance, name) and not field.is_required():
            yield name, field.get_default(call_default_factory=True)


def _private_defaults(instance: Any, cls: type) -> Iterator[tuple[str, Any]]:
    attributes = getattr(cls, "__private_attributes__", None) if "__pydantic_fields__" in vars(cls) else None
    for name, attribute in attributes.items() if isinstance(attributes, dict) else ():
        if name not in (instance.__pydantic_private__ or {}):
            make = attribute.default_factory or partial(copy.deepcopy, attribute.default)
            if type(value := make()).__name__ != "PydanticUndefinedType":
                yield name, value


def _renew_handlers(instance: Any, cls: type) -> None:
    """Have traits call the observers and validators of a class, and then those that others have given the instance.

    An instance gets its class's when it is made.
    """
    if not hasattr(cls, "_instance_inits"):
        return
    space = dict_of(instance) or {}
    before = space.get("_trait_notifiers")
    if before is None:
        return
    space["_trait_notifiers"], space["_trait_validators"] = {}, {}
    for init in cls._instance_inits:
        init(instance)
    for name, kinds in before.items():
        for kind, handlers in kinds.items():
            for handler in handlers:
                if not defines(type(handler), "instance_init"):
                    instance.observe(handler, name, kind)


def lacks(instance: Any, name: str) -> bool:
    """Say whether an instance has no value of its own for a field, in its dict or in a slot."""
    descriptor: Any = getattr(type(instance), name, None)
    if hasattr(descriptor, "__set__"):
        try:
            descriptor.__get__(instance, type(instance))
        except AttributeError:  # an empty slot, which a `__getattr__` may answer for
            return True
        return False
    return name not in (dict_of(instance) or {})
