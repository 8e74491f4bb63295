"""Describes packages as plain data: all that a person, or code, could tell of their state.

Run in the long-lived session and in a fresh interpreter alike, by `session.py`; not imported by the tests. The state
of the interpreter is only read: no attribute of an instance is asked for, no `__getattr__` runs.
"""

from __future__ import annotations

import builtins
import collections
import decimal
import enum
import functools
import gc
import hashlib
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from types import (
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GenericAlias,
    MappingProxyType,
    MethodType,
    ModuleType,
    UnionType,
)
from typing import Any

__all__ = ["Description", "mask"]

_ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...), type(NotImplemented))
_SEQUENCES = (list, tuple, collections.deque)
_SETS = (set, frozenset)
_SHAREABLE = (list, dict, set, functools.partial, functools._lru_cache_wrapper)  # that two names share one tells
_READABLE = (range, slice, PurePath, decimal.Decimal)  # their texts tell all, and run nothing of the package
_TYPING = ("typing", "typing_extensions")
_DEEP = 8  # how far containers in containers are shown
# What is described under another word: here, in `_describe_import` and in `_describe_class`.
_MODULE_FURNITURE = {"__builtins__", "__cached__", "__loader__", "__spec__"}
_CLASS_FURNITURE = {"__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__", "_abc_impl"}
_CLASS_FURNITURE |= {"__static_attributes__", "__annotations_cache__", "__annotate_func__"}
_CLASS_FURNITURE |= {"__replace__"}  # attrs gives one function to all classes, and it the name of the latest one
_CLASS_FURNITURE |= {"__slotnames__"}  # `copyreg` keeps it, once an instance was copied
_PASSING = {"__warningregistry__"}  # which warnings were shown already: the notebook has lived longer


class Description:
    """Describes what some top-level packages have loaded.

    Args:
        roots: their names.
        folder: where they lie; it is left out of what is described.
        numbered: a pattern of names that end in a number of how much happened before; it ends before the number,
            which is left out. Globals of such a name are left out: which are there depends on what was called.
        counters: names of attributes and globals that count what happened, or tell when; their values are left out.

    Attributes:
        found: path of a module, class, function -> what is said of it: aspect -> plain data.
    """

    def __init__(self, roots: Iterable[str], folder: str, numbered: str = "", counters: Iterable[str] = ()) -> None:
        self._numbered = re.compile(rf"((?:{numbered or '(?!)'}))\d+")
        self._counters = frozenset(counters)
        self._roots = frozenset(roots)
        self._folder = folder
        self._paths: dict[int, str] = {}
        self._running: set[CodeType] = set()  # code of the held functions that are as they should be
        self._kept: list[Any] = []  # what was seen, so that no id is used twice
        self.found: dict[str, dict[str, Any]] = {}

    def describe_modules(self) -> None:
        """Describe all modules of the packages that are loaded."""
        modules = {name: module for name, module in sys.modules.items() if self._is_ours(name)}
        for name in sorted(modules):
            self._name(modules[name], f"module {name}")
        for name in sorted(modules):
            self._describe_module(name, modules[name])

    def show(self, value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one case a kind of value
        """Return a value as plain data: atoms as they read, classes and functions by name, instances by class."""
        kind = type(value)
        if kind in _ATOMS:
            return self._mask(repr(value))
        if issubclass(kind, enum.Enum):
            return f"{self._class_name(kind)} member {value._name_}"
        if issubclass(kind, type):
            return f"class {self._class_name(value)}"
        if kind is FunctionType:
            return f"function {self._function_name(value)}"
        if issubclass(kind, ModuleType):
            name = object.__getattribute__(value, "__name__")
            return f"module {name}" + ("" if sys.modules.get(name) is value else _STALE)
        if kind is re.Pattern:
            return f"pattern {value.pattern!r} {value.flags}"
        if issubclass(kind, _READABLE):
            return self._mask(repr(value))
        if kind.__module__ in _TYPING or kind in (GenericAlias, UnionType):
            return f"{self._class_name(kind)} {self._show_typing(value)}"
        shown = self._show_container(value, depth + 1) if depth < _DEEP else None
        if shown is None:
            return f"instance of {self._class_name(kind)}"
        return shown if kind.__module__ == "builtins" else {f"instance of {self._class_name(kind)}": shown}

    def _show_typing(self, value: Any) -> str:
        if typing.get_args(value):
            return self._annotation(value)
        limits = [getattr(value, "__bound__", None), *getattr(value, "__constraints__", ())]
        return " ".join([self._mask(repr(value)), *map(self._annotation, limits)])

    def _show_container(self, value: Any, depth: int) -> Any:
        kind = type(value)
        name = str(value.get("__name__")) if kind is dict else ""
        if name and value is getattr(sys.modules.get(name), "__dict__", None):
            return f"namespace of module {name}"
        if kind is MappingProxyType:
            return {"mapping": self._show_container(dict(value), depth)}
        if issubclass(kind, dict):
            # By key: what only the other release imports stays loaded, and so registers earlier than in a restart.
            entries = [[self.show(key, depth), self.show(part, depth)] for key, part in dict.items(value)]
            return {"dict": sorted(entries, key=lambda entry: repr(entry[0]))}
        base: Any = next((base for base in (*_SEQUENCES, *_SETS) if issubclass(kind, base)), None)
        if base in _SEQUENCES:
            return {base.__name__: [self.show(part, depth) for part in base.__iter__(value)]}
        if base in _SETS:
            return {base.__name__: sorted(repr(self.show(part, depth)) for part in base.__iter__(value))}
        parts = self._attributes_of_wrapper(value)
        return {name: self.show(part, depth) for name, part in parts.items()} or None

    @staticmethod
    def _attributes_of_wrapper(value: Any) -> dict[str, Any]:  # noqa: PLR0911 - one case a kind of wrapper
        """Return what Python's own wrappers of functions are made of."""
        kind = type(value)
        if kind is functools.partial:
            return {"partial": value.func, "args": value.args, "keywords": value.keywords}
        if kind is MethodType:
            return {"method": value.__func__, "of": value.__self__}
        if issubclass(kind, property):
            return {"get": value.fget, "set": value.fset, "delete": value.fdel, "doc": value.__doc__}
        if kind in (staticmethod, classmethod):
            return {kind.__name__: value.__func__}
        if kind is functools.cached_property:
            return {"cached": value.func, "as": value.attrname, "doc": value.__doc__}
        if kind is functools._lru_cache_wrapper:
            return {"cached": value.__wrapped__, **value.cache_parameters()}
        return {}

    def stale(self, values: Iterable[Any]) -> list[str]:
        """Return what can be reached from some values and is not, or has not the class, that its module has now.

        What the release has no more has nothing to become: a held object goes on holding it.
        """
        found: list[tuple[str, Any]] = []
        self._running.clear()
        waiting, seen = list(values), {id(vars(module)) for module in list(sys.modules.values())}
        while waiting:
            value = waiting.pop()
            if id(value) in seen or type(value) in _ATOMS or issubclass(type(value), ModuleType):
                continue
            seen.add(id(value))
            self._kept.append(value)
            shown = self.show(value, _DEEP)
            if isinstance(shown, str) and _STALE in shown:
                found.append((shown, value))
            elif type(value) is FunctionType:
                self._running.add(value.__code__)
            waiting += self._reached(value)
        return sorted({shown for shown, value in found if self._has_counterpart(value)})

    def _reached(self, value: Any) -> list[Any]:
        """Return what a value refers to; of classes and functions those of the notebook, and without its names."""
        if issubclass(type(value), type):
            is_own = type.__getattribute__(value, "__module__") == "__main__"
            return [*value.__bases__, *dict(type.__getattribute__(value, "__dict__")).values()] if is_own else []
        if type(value) is FunctionType:
            is_own = value.__globals__.get("__name__") == "__main__"
            cells = [_contents(cell) for cell in value.__closure__ or ()]
            return [*cells, value.__defaults__, value.__kwdefaults__, vars(value)] if is_own else []
        # A frame of a traceback tells what ran when something was raised.
        return [] if type(value) in (CodeType, FrameType) else gc.get_referents(value)

    # -- modules, classes, functions -----------------------------------------------------------------------------

    def _describe_module(self, name: str, module: Any) -> None:
        space: Mapping[str, Any] = getattr(module, "__dict__", {})
        entry = self._enter(f"module {name}")
        entry["kind"] = self._class_name(type(module))
        names = sorted(key for key in space.keys() - _MODULE_FURNITURE - _PASSING if not self._is_numbered(key))
        entry["names"] = names
        entry["doc"] = self.show(space.get("__doc__"))
        entry["file"] = self._mask(str(space.get("__file__")))
        entry["import"] = self._describe_import(module)
        for key in names:
            value = type(space[key]) if key in self._counters else space[key]
            entry[f"name {key}"] = self._describe(value, f"{name}:{key}")

    def _describe_import(self, module: Any) -> Any:
        """Describe what the import system has written on a module."""
        spec = getattr(module, "__spec__", None)
        if spec is None:  # one that a body has made, and put into `sys.modules`
            return None
        facts = [spec.name, spec.origin, spec.parent, spec.cached, [*(spec.submodule_search_locations or ())]]
        facts += [[*getattr(module, "__path__", ())], getattr(module, "__cached__", None)]
        facts += [type(spec.loader).__qualname__, module.__loader__ is spec.loader]
        return [self.show(fact) for fact in facts] + [
            getattr(module, "__builtins__", builtins) in (builtins, vars(builtins))
        ]

    def _describe(self, value: Any, path: str) -> Any:
        """Describe what is met first under a path; return how it is shown: by that path when it is met again."""
        known = self._paths.get(id(value))
        if known is not None:
            return known
        kind = type(value)
        if issubclass(kind, type):
            if self._is_ours(type.__getattribute__(value, "__module__")):
                self._name(value, path)
                self._describe_class(value, path)
                return path
        elif kind is FunctionType:
            if self._is_ours(value.__globals__.get("__name__")):
                self._name(value, path)
                self._describe_function(value, path)
                return path
        else:
            if self._is_ours(kind.__module__) or kind in _SHAREABLE:
                self._name(value, path)
            for step, part in self._parts(value):
                self._describe(part, f"{path}{step}")
        return self.show(value)

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the functions and classes behind a value that is neither."""
        wrapped = self._attributes_of_wrapper(value)
        if not wrapped and self._is_ours(type(value).__module__):
            wrapped = dict(sorted(_attributes(value).items()))
        for name, part in wrapped.items():
            if type(part) is FunctionType or issubclass(type(part), type):
                yield f".{name}", part

    def _describe_class(self, cls: Any, path: str) -> None:
        entry = self._enter(path)
        space = dict(type.__getattribute__(cls, "__dict__"))
        entry["class"] = self._class_name(cls)
        entry["metaclass"] = self._class_name(type(cls))
        entry["bases"] = [self._class_name(base) for base in cls.__bases__]
        entry["mro"] = [self._class_name(base) for base in type.__dict__["__mro__"].__get__(cls)]
        entry["subclasses"] = sorted(
            self._class_name(sub) for sub in type.__subclasses__(cls) if self._is_ours(sub.__module__)
        )
        entry["doc"] = self.show(space.get("__doc__"))
        entry["signature"] = self._signature(cls)
        entry["names"] = sorted(space.keys() - _CLASS_FURNITURE)
        entry["layout"] = [cls.__basicsize__, cls.__dictoffset__ != 0, cls.__flags__ & ~_CACHED_FLAGS]
        entry["abstract"] = sorted(space.get("__abstractmethods__", ()))
        entry["assigned"] = sorted(space.get("__static_attributes__", ()))
        if "_abc_impl" in space:
            entry["registered"] = sorted(
                self._class_name(sub) for weak in _registry_of(cls) if (sub := weak()) is not None
            )
        if "__dataclass_fields__" in space:
            fields = space["__dataclass_fields__"].values()
            entry["fields"] = [{name: self.show(getattr(f, name)) for name in f.__slots__} for f in fields]
        if issubclass(cls, enum.Enum):
            members = list(cls.__members__.items())
            entry["members"] = [[name, self.show(member._value_), type(member) is cls] for name, member in members]
        if type(space.get("__attrs_attrs__")).__name__.endswith("Attributes"):
            entry["fields"] = [
                {name: self.show(getattr(a, name, "<none>")) for name in a.__slots__} for a in space["__attrs_attrs__"]
            ]
        for key in entry["names"]:
            value = type(space[key]) if key in self._counters else space[key]
            entry[f"name {key}"] = self._describe(value, f"{path}.{key}")

    def _describe_function(self, function: FunctionType, path: str) -> None:
        entry = self._enter(path)
        entry["function"] = self._function_name(function)
        entry["doc"] = self.show(function.__doc__)
        entry["signature"] = self._signature(function)
        entry["defaults"] = [self.show(function.__defaults__), self.show(function.__kwdefaults__)]
        entry["annotations"] = {key: self._annotation(part) for key, part in inspect.get_annotations(function).items()}
        entry["code"] = self._code(function.__code__)
        entry["attributes"] = {name: self.show(value) for name, value in vars(function).items()}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            entry[f"variable {name}"] = self._describe(_contents(cell), f"{path}<{name}>")
        if "__wrapped__" in vars(function):
            entry["wraps"] = self._describe(vars(function)["__wrapped__"], f"{path}<wrapped>")

    def _code(self, code: CodeType) -> str:
        """Return a digest of code, with the code in it, its names and its lines."""
        parts: list[Any] = [code.co_qualname, code.co_code, code.co_names, code.co_varnames, code.co_freevars]
        parts += [code.co_cellvars, code.co_flags, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount]
        parts += [code.co_firstlineno, code.co_exceptiontable]
        # attrs counts the texts of one name that it has made: `<attrs generated init x.Y-2>`.
        parts.append(re.sub(r"-\d+>$", ">", code.co_filename.replace(self._folder, "<FOLDER>")))
        for const in code.co_consts:
            if isinstance(const, frozenset):
                parts.append(sorted(map(repr, const)))
            else:
                parts.append(self._code(const) if isinstance(const, CodeType) else const)
        text, numbered = self._numbered.subn(r"\1#", repr(parts))
        if not numbered:  # else it tells how long the numbers are
            text += repr(code.co_linetable)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _signature(self, value: Any) -> Any:
        try:
            signature = inspect.signature(value)
        except Exception as error:  # noqa: BLE001 - no signature is an answer as well
            return f"{type(error).__name__}: {self._mask(str(error))}"
        found = [
            [str(part.replace(annotation=inspect.Signature.empty)), part.annotation]
            for part in signature.parameters.values()
        ]
        return [
            [self._mask(text), self._annotation(value)] for text, value in [*found, ["->", signature.return_annotation]]
        ]

    def _annotation(self, value: Any) -> str:
        """Return an annotation as text; `typing` gives a union of the same parts in the order it first met them."""
        origin, args = typing.get_origin(value), typing.get_args(value)
        if isinstance(value, list):
            return f"[{', '.join(map(self._annotation, value))}]"
        if not args:
            shown = self.show(value)
            return shown if isinstance(shown, str) and not shown.startswith("instance") else self._mask(repr(value))
        parts = [self._annotation(part) for part in args]
        if origin in (typing.Union, UnionType):
            return f"Union[{', '.join(sorted(parts))}]"
        return f"{self.show(origin)}[{', '.join(parts)}]"

    # -- names ---------------------------------------------------------------------------------------------------

    def _class_name(self, cls: Any) -> str:
        module, path = type.__getattribute__(cls, "__module__"), type.__getattribute__(cls, "__qualname__")
        name = f"{module}.{path}"
        return name + ("" if not self._is_ours(module) or self._is_current(cls, module, path) else _STALE)

    def _function_name(self, function: FunctionType) -> str:
        home = function.__globals__.get("__name__")
        name = self._mask(f"{function.__module__}.{function.__qualname__}")
        if (
            not isinstance(home, str)
            or not self._is_ours(home)
            or function.__globals__ is vars(sys.modules.get(home, _NOWHERE))
        ):
            return name
        return name + _STALE

    def _is_current(self, cls: Any, module: Any, path: str) -> bool:
        """Say whether a class is what is found under its name; one made in a function only has to know its module."""
        if sys.modules.get(module) is None:
            return False
        if "<locals>" in path:
            return all(
                part.__globals__ is vars(sys.modules.get(part.__globals__.get("__name__", ""), _NOWHERE))
                for part in type.__getattribute__(cls, "__dict__").values()
                if type(part) is FunctionType and self._is_ours(part.__globals__.get("__name__"))
            )
        value: Any = sys.modules[module]
        for part in path.split("."):
            value = getattr(value, "__dict__", {}).get(part, _NOWHERE)
        return value is cls

    def _has_counterpart(self, value: Any) -> bool:
        kind = type(value)
        defined = value if issubclass(kind, type) else kind
        home, path = defined.__module__, defined.__qualname__
        if kind is FunctionType:  # its own name may be what a decorator gave it
            home, path = value.__globals__["__name__"], value.__code__.co_qualname
        now: Any = sys.modules.get(home)
        outer, _, inner = path.partition(".<locals>.")
        for part in outer.split("."):
            now = getattr(now, "__dict__", {}).get(part)
        code = getattr(inspect.unwrap(now), "__code__", None) if callable(now) else None
        if kind is FunctionType and code is not None and inner and "." not in inner:
            # Of several lambdas those are not its counterpart that other held ones run.
            made = [const for const in code.co_consts if isinstance(const, CodeType) and const.co_name == inner]
            return not self._running.issuperset(made)
        return now is not None

    def _is_ours(self, name: Any) -> bool:
        return isinstance(name, str) and name.partition(".")[0] in self._roots

    def _is_numbered(self, name: str) -> bool:
        return self._numbered.fullmatch(name) is not None

    def _name(self, value: Any, path: str) -> bool:
        """Name an object by the path where it is met first; say whether that is here."""
        if id(value) in self._paths:
            return False
        self._paths[id(value)] = path
        self._kept.append(value)
        return True

    def _enter(self, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.found[path] = entry
        return entry

    def _mask(self, text: str) -> str:
        return self._numbered.sub(r"\1#", mask(text, self._folder))


def mask(text: str, folder: str) -> str:
    """Return a text without a folder's name, and without addresses, which some write as decimal numbers."""
    places = text.replace(folder, "<FOLDER>").replace(str(PurePath(folder).parent), "<PARENT>")
    return re.sub(r"0x[0-9a-f]{6,}|-?\d{14,}", "0x...", places)


_STALE = " (not the current one)"
_NOWHERE = ModuleType("nowhere")
_CACHED_FLAGS = 1 << 19 | 1 << 12  # "ready" and "version tag given": what differs as a class is used


def _attributes(value: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def _registry_of(cls: Any) -> set[Any]:
    """Return weak references to the classes that are registered with an abstract one."""
    found: set[Any] = importlib.import_module("_abc")._get_dump(cls)[0]
    return found


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "<empty>"
