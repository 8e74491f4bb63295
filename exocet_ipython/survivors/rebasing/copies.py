"""What classes of cells have copied from their bases when they were made: dataclasses, attrs classes, pydantic models.

They are made again in place, for what their bases have now. No library is imported for it.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
from collections.abc import Mapping
from types import MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, module_said_by, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.survivors.classes import with_subclasses

__all__ = [
    "decorate_again",
    "define_again",
    "notebook_models",
    "own_config",
    "rebuild_model",
]

_GENERATED = "__create_fn__.<locals>."  # what the code of each method that dataclasses writes is called, and its name
_OPTIONS = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
_FIELD = ("init", "repr", "hash", "compare", "metadata", "kw_only")
_PLAIN: Any = getattr(dataclasses, "_FIELD", None)  # what marks a field that is neither a ClassVar nor an InitVar
_OF_CLASS = ("__dict__", "__doc__", "__slots__", "__weakref__")
_ATTRIBUTE = ("default", "validator", "repr", "hash", "init", "converter", "kw_only", "on_setattr", "alias")


def decorate_again(cls: Any) -> None:
    """Have a dataclass make its methods for the fields that its bases have now."""
    slots = _slots_of(cls)
    options = {name: getattr(cls.__dataclass_params__, name) for name in _OPTIONS}
    for name in vars(cls).get("__annotations__", {}):
        field = cls.__dataclass_fields__.get(name)
        if field is None or getattr(field, "_field_type", None) is not _PLAIN:
            continue
        spec = {part: getattr(field, part) for part in _FIELD}
        for part in ("default", "default_factory"):
            if getattr(field, part) is not dataclasses.MISSING:
                spec[part] = getattr(field, part)
        set_attribute(cls, name, dataclasses.field(**spec))
    for name, value in copy_space(vars(cls)).items():
        made = getattr(value, "__wrapped__", value)
        code = getattr(made, "__code__", None)
        is_generated = code is not None and code.co_qualname.startswith(_GENERATED)
        if name.startswith("__") and (is_generated or name == "__match_args__" or (name == "__hash__" and not value)):
            delete_attribute(cls, name)
    params = cls.__dataclass_params__
    dataclasses.dataclass(cls, **options)
    for name, part in {**slots, "__dataclass_params__": params}.items():
        set_attribute(cls, name, part)


def define_again(cls: Any) -> None:
    """Have an attrs class make its methods for the attributes that its bases have now."""
    known, annotated, these = cls.__attrs_props__, inspect.get_annotations(cls), {}
    for one in cls.__attrs_attrs__:
        if not one.inherited:
            spec: dict[str, Any] = {part: getattr(one, part) for part in _ATTRIBUTE}
            spec |= {"eq": one.eq_key or one.eq, "order": one.order_key or one.order, "metadata": {**one.metadata}}
            spec |= {} if one.name in annotated else {"type": one.type}
            these[one.name] = sys.modules["attr"].ib(**spec)
    hashed = {"hashable": True, "hashable_cache": True, "leave_alone": False}.get(known.hashability.value)
    slots, is_apart = _slots_of(cls), known.is_slotted and known.is_frozen
    define = sys.modules["attr"].s(
        these=these,
        slots=is_apart,
        init=known.added_init,
        repr=known.added_repr,
        eq=known.added_eq,
        order=known.added_ordering,
        unsafe_hash=hashed,
        cache_hash=known.hashability.value == "hashable_cache",
        frozen=known.is_frozen,
        str=known.added_str,
        auto_exc=known.is_exception,
        collect_by_mro=known.collected_fields_by_mro,
        on_setattr=known.on_setattr_hook,
        field_transformer=known.field_transformer,
        match_args=known.added_match_args,
    )
    made: dict[str, Any] = {}
    if is_apart:  # its methods write past what refuses that, into slots: those of another class with such do
        space = {"__module__": module_said_by(cls), "__qualname__": cls.__qualname__, "__annotations__": annotated}
        other = define(
            types.new_class(cls.__name__, cls.__bases__, exec_body=lambda namespace: namespace.update(space))
        )
        made = {name: part for name, part in copy_space(vars(other)).items() if name not in (*space, *_OF_CLASS)}
    else:
        define(cls)
    for name, part in {**made, **slots, "__attrs_props__": known}.items():
        set_attribute(cls, name, part)


def _slots_of(cls: type) -> dict[str, Any]:
    """Return the slots of a class: decorated with them it would be another one, and so they take their place again."""
    return {name: part for name, part in copy_space(vars(cls)).items() if type(part) is MemberDescriptorType}


def notebook_models() -> list[type]:
    """Return the pydantic models that cells define, each after its bases, and after what it is a generic one of."""
    pydantic = sys.modules.get("pydantic")
    base = vars(pydantic).get("BaseModel") if pydantic is not None else None
    if base is None:
        return []
    models = [
        cls for cls in with_subclasses([base]) if module_said_by(cls) == CELLS and "__pydantic_fields__" in vars(cls)
    ]
    return sorted(models, key=lambda cls: bool(_parameters_of(cls)))


def _parameters_of(cls: Any) -> tuple[Any, ...]:
    """Return for which parameters a generic model has given a class; none for another one."""
    found: tuple[Any, ...] = (vars(cls).get("__pydantic_generic_metadata__") or {}).get("args", ())
    return found


def own_config(cls: Any, retired: Mapping[int, Any]) -> dict[str, Any]:
    """Return what the statement of a model has set itself of its configuration, which has that of its bases as well.

    Args:
        cls: the model; its bases are the new ones, and have theirs.
        retired: id of a class -> the one whose place it took.
    """
    known: dict[str, Any] = {}
    for base in cls.__bases__:
        known |= getattr(retired.get(id(base), base), "model_config", {})
    return {name: value for name, value in cls.model_config.items() if name not in known or known[name] != value}


def rebuild_model(cls: Any, config: Mapping[str, Any]) -> None:
    """Have a model take its bases' fields, private attributes, validators, serializers and settings as they are now.

    What its own statement has decorated is its own attribute. A field of a generic one has the type of its parameters.

    Args:
        cls: the model.
        config: what its own statement has set.
    """
    inherited: dict[str, Any] = {}
    for base in cls.__bases__:
        inherited |= getattr(base, "model_config", {})
    set_attribute(cls, "model_config", {**inherited, **config})
    own = vars(cls).get("__annotations__", {})
    fields: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= vars(base).get("__pydantic_fields__", {})
    if _parameters_of(cls):
        known = ((name, field) for name, field in cls.__pydantic_fields__.items() if name in fields)
        own = {name for name, field in known if field.annotation != fields[name].annotation}
    mine = {name: field for name, field in cls.__pydantic_fields__.items() if name in own}
    set_attribute(cls, "__pydantic_fields__", {**fields, **mine})
    before = cls.__pydantic_decorators__
    decorators = type(before).build(cls)
    for kind in dataclasses.fields(before):
        known = getattr(before, kind.name)
        getattr(decorators, kind.name).update({name: known[name] for name in known if name in vars(cls)})
    set_attribute(cls, "__pydantic_decorators__", decorators)
    private = dict(cls.__private_attributes__)
    for base in reversed(cls.__mro__[1:]):
        others = vars(base).get("__private_attributes__", {})
        private |= {name: attribute for name, attribute in others.items() if name not in own}
    set_attribute(cls, "__private_attributes__", private)
    is_told = cls.model_post_init is not sys.modules["pydantic"].BaseModel.model_post_init  # it makes the private ones
    set_attribute(cls, "__pydantic_post_init__", "model_post_init" if is_told else None)
    cls.model_rebuild(force=True)
