"""Carrying over what the person's cells put into a module's state: a restart would run those cells again.

Registrations of functions and classes that cells define, and attributes that cells assign, are theirs. What the
module's own functions stored while running is a cache of the old code, and is not carried.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["carry_over"]

_CELLS = "__main__"
_STORE_GLOBAL = dis.opmap["STORE_GLOBAL"]


def carry_over(old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleType], journal: Journal) -> None:
    """Bring what cells put into retiring modules into the new ones.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> the module that takes its place; only these are written.
        journal: how each write is taken back.
    """
    for name, record in old.items():
        module = new.get(name)
        if module is None:
            continue
        _carry_attributes(record, module, journal)
        for before, now in _containers(record.module, module):
            _carry_items(before, now)
        for before, now in _dispatchers(record.module, module):
            _carry_registrations(before, now)


def _carry_attributes(record: ModuleRecord, module: ModuleType, journal: Journal) -> None:
    """Carry the globals that were assigned since the module's body ran, and not by a function of its own."""
    own = {name for code in _codes(record.code) for name in _stored_globals(code)} if record.code is not None else set()
    for name, value in list(getattr(record.module, "__dict__", {}).items()):
        if name.startswith("__") or name in own or record.values.get(name, 0) == id(value):
            continue
        if not issubclass(type(value), ModuleType) and record.code is not None:
            journal.set_attribute(module, name, value)


def _containers(old: ModuleType, new: ModuleType) -> Iterator[tuple[Any, Any]]:
    """Yield the module-level and class-level containers of the old module with those of the new one."""
    namespace = getattr(new, "__dict__", {})
    for name, before in list(getattr(old, "__dict__", {}).items()):
        now = namespace.get(name)
        if type(before) is type(now) and issubclass(type(before), (dict, list, set)) and not name.startswith("__"):
            yield before, now
        elif issubclass(type(before), type) and isinstance(now, type) and before is not now:
            for attribute, value in list(vars(before).items()):
                counterpart = vars(now).get(attribute)
                if type(value) is type(counterpart) and issubclass(type(value), (dict, list, set)):
                    yield value, counterpart


def _carry_items(before: Any, now: Any) -> None:
    if before is now:
        return
    if issubclass(type(before), dict):
        for key, value in list(before.items()):
            if key not in now and (_is_from_cell(value) or _is_from_cell(key)):
                now[key] = value
    elif issubclass(type(before), list):
        now.extend(item for item in before if _is_from_cell(item) and not any(item is other for other in now))
    else:
        now.update(item for item in before if _is_from_cell(item))


def _dispatchers(old: ModuleType, new: ModuleType) -> Iterator[tuple[Any, Any]]:
    """Yield the `functools.singledispatch` functions of both modules."""
    for name, before in list(getattr(old, "__dict__", {}).items()):
        now = getattr(new, name, None)
        if before is not now and _registry(before) is not None and _registry(now) is not None:
            yield before, now


def _registry(value: Any) -> Mapping[type, Any] | None:
    found = vars(value).get("registry") if type(value) is FunctionType else None
    return found if type(found) is MappingProxyType else None


def _carry_registrations(before: Any, now: Any) -> None:
    for cls, function in list(before.registry.items()):
        if _is_from_cell(function) or _is_from_cell(cls):
            now.register(cls, function)


def _is_from_cell(value: Any) -> bool:
    """Say whether a value is, or is an instance of, what a cell defined."""
    if issubclass(type(value), (type, FunctionType)):
        return bool(value.__module__ == _CELLS)
    return type(value).__module__ == _CELLS


def _codes(code: CodeType | None) -> Iterator[CodeType]:
    """Yield the code of every function below a module's code."""
    for const in code.co_consts if code is not None else ():
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def _stored_globals(code: CodeType) -> Iterator[str]:
    if _STORE_GLOBAL not in code.co_code[::2]:
        return
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_GLOBAL":
            yield str(instruction.argval)
