"""The functions that a function makes, by their code: which of the old ones is which of the new ones."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.holding.contents import variables_around
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.ladder.defaults import DefaultsMade, Operation
from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations, parameters_of
from exocet_ipython.reloading.ladder.pairing import pair_nested
from exocet_ipython.survivors.dropped import dropped_values

__all__ = [
    "LABELS",
    "Inner",
    "is_stored",
    "match_inner",
    "operations_of",
]

# What a class is called and where it stands: the body of its statement assigns that as well.
LABELS = frozenset(("__module__", "__qualname__", "__firstlineno__", "__static_attributes__"))

# What computes the defaults of a function, by parameter; None where that can't be told.
_Computed = Mapping[str, tuple[Operation, ...]] | None

_STORE_NAME = dis.opmap["STORE_NAME"]
_STORES = {dis.opmap["STORE_DEREF"], dis.opmap["DELETE_DEREF"]}


class Inner(NamedTuple):
    """Code of functions that a retired function made.

    Attributes:
        old: the code.
        new: its counterpart; None where the new function makes none.
        namespace: globals of the new module.
        renamed: new name of a variable -> the old one, of the parameters of the functions around it.
        maker: the new function that it is in, however deep; or the class that makes instances instead.
        before: the retired one.
        outer: what it is in that is inside of these as well; None where they make it themselves.
        makers: of the old code that makes it, and of the new.
        memo: what computes the defaults in these, once that was read: a tuple can't note it otherwise.
    """

    old: CodeType
    new: CodeType | None
    namespace: dict[str, Any]
    renamed: Mapping[str, str]
    maker: Any
    before: Any
    outer: Inner | None
    makers: tuple[DefaultsMade, DefaultsMade | None]
    memo: list[tuple[_Computed, _Computed]]

    def default_of(self, name: str) -> CellType:
        """Return what a variable of the maker is that is a parameter by now, for a call that didn't know of it.

        Raises:
            KeyError: it is none, has no default, or is assigned to: then only the call can tell.
        """
        if self.outer is not None or is_stored(name, self.maker.__code__):
            raise KeyError(name)
        return CellType(defaults_of(self.maker)[name])

    def is_given(self, name: str) -> bool:
        """Say whether a variable is a parameter of a function around the new code, and nothing else assigns to it."""
        around = self.maker.__code__ if self.outer is None else self.outer.new
        if around is not None and name in parameters_of(around, with_stars=True):
            return not is_stored(name, around)
        return self.outer is not None and self.outer.is_given(name)

    def renewed_defaults(self, old: FunctionType, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the defaults of an old one's parameters as the new code of the maker computes them.

        Where that is done as before, the old values stay: they may be of the call that made it, or its own by now.

        Args:
            old: a function of the old code.
            given: parameter -> default, where a call of the maker has told.

        Raises:
            NameError: only such a call can tell.
        """
        known = defaults_of(old)
        if self.makers[1] is None or self.new is None:
            return known
        before, now = self._computed()
        if now is None:
            if given or parameters_of(self.old, with_stars=True) == parameters_of(self.new, with_stars=True):
                return {**known, **given}
            raise NameError(f"its new code needs the defaults of {self.new.co_qualname}; make it again")
        made = {}
        for name, parts in now.items():
            if name in known and before is not None and before.get(name) == parts:
                made[name] = known[name]
            elif name in given:
                made[name] = given[name]
            elif (value := self._looked_up(parts)) is not self:
                made[name] = value
            else:
                raise NameError(f"its new code needs the default of {name}; make it again")
        return made

    def _looked_up(self, parts: tuple[Operation, ...]) -> Any:
        """Return what operations give that load a constant, or a global and of modules and classes what they define.

        Itself where they do anything else.
        """
        first, *rest = parts
        value = first.argument if first.name == "LOAD_CONST" and not rest else self
        if first.name == "LOAD_GLOBAL":
            value = self.namespace.get(first.argument, self)
        for part in rest:
            is_module = issubclass(type(value), ModuleType)
            is_told = part.name == "LOAD_ATTR" and (is_module or issubclass(type(value), type))
            value = inspect.getattr_static(value, part.argument, self) if is_told else self
            if not is_module and hasattr(type(value), "__get__"):
                return self
        return value

    def variables_of(self, old: FunctionType) -> dict[str, Any]:
        """Return the variables of the maker that an old one has, or had: around it, or as what its defaults were."""
        defaults, found = defaults_of(old), dict[str, Any]()
        for name, parts in (self._computed()[0] or {}).items():
            if len(parts) == 1 and parts[0].name == "LOAD_FAST" and name in defaults:
                found[parts[0].argument] = defaults[name]
        return {**dropped_values(old), **found, **variables_around(old)}

    def _computed(self) -> tuple[_Computed, _Computed]:
        """Return what computes the defaults in the old code and in the new, read once for all functions of it."""
        if not self.memo:
            around, maker = self.makers
            now = None if maker is None or self.new is None else maker.of(self.new)
            self.memo.append((around.of(self.old), now))
        return self.memo[0]

    def path(self) -> list[CodeType]:
        """Return the old code of the functions inside of the retired one that lead to it, and its own last."""
        return [*(self.outer.path() if self.outer is not None else ()), self.old]


def match_inner(old: FunctionType, new: FunctionType | type, code: CodeType) -> dict[int, Inner]:
    """Match the functions that a function makes.

    Args:
        old: the retired function.
        new: its counterpart; a class makes instances instead, and none of them.
        code: what the retired one ran when it made them.

    Returns:
        Id of an old code object -> it and its counterpart; those deeper inside as well.
    """
    if next(nested(code), None) is None:  # most make none
        return {}
    now: CodeType | None = None
    if isinstance(new, FunctionType):
        now, namespace = new.__code__, new.__globals__
    else:
        namespace = globals_of(sys.modules.get(module_said_by(new)))
    root = Inner(code, now, namespace, {}, new, old, None, (DefaultsMade(code), None), [])
    return _match_nested(root, None)


def _match_nested(around: Inner, outer: Inner | None) -> dict[int, Inner]:
    found: dict[int, Inner] = {}
    pairs = [] if around.new is None else list(pair_nested(around.old, around.new))
    renamed = around.renamed
    if pairs and around.new is not None:
        renamed = {**renamed, **dict(_renamed_parameters(around.old, around.new))}
    known = {id(before) for before, _ in pairs}
    gone = [(code, None) for code in nested(around.old) if id(code) not in known and not is_class_body(code)]
    makers = DefaultsMade(around.old), None if around.new is None else DefaultsMade(around.new)
    for before, now in [*pairs, *gone]:
        inner = Inner(before, now, around.namespace, renamed, around.maker, around.before, outer, makers, [])
        found[id(before)] = inner
        found |= _match_nested(inner, inner)
    return found


def is_stored(name: str, code: CodeType) -> bool:
    """Say whether a function, or one inside of it, gives a variable another value than it came with."""
    stores = (part.argval for inner in whole(code) for part in dis.get_instructions(inner) if part.opcode in _STORES)
    return name in stores


def _renamed_parameters(old: CodeType, new: CodeType) -> Iterator[tuple[str, str]]:
    """Yield the parameters that only have another name now, each as new and old name."""
    names, before = (parameters_of(code, with_stars=True) for code in (new, old))
    if len(names) != len(before):
        return
    for now, name in zip(names, before, strict=True):
        if now not in {*old.co_varnames, *old.co_cellvars} and name not in {*new.co_varnames, *new.co_cellvars}:
            yield now, name


def operations_of(code: CodeType | None) -> list[tuple[int, Any]]:
    """Return what code does, without what the functions in it are made of and the labels that a class gives itself.

    >>> operations_of((lambda: lambda: 1).__code__) == operations_of((lambda: lambda: 2).__code__)
    True
    """
    parts = [] if code is None else list(iter_operations(code))
    found: list[tuple[int, Any]] = []
    for place, (_, operation, argument) in enumerate(parts):
        after = parts[place + 1][1:] if place + 1 < len(parts) else (0, None)
        if after[0] == _STORE_NAME and after[1] in LABELS:
            continue
        found.append((operation, repr(argument.co_name if isinstance(argument, CodeType) else argument)))
    return found
