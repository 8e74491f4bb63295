"""Code objects compared part by part: where two texts of a module differ in more than their layout.

Code that runs at import (the body of a module or class) has had its effect, so it must be the same but for where it
stands. Functions are matched by name, and by place among those of one name: several lambdas share `<lambda>`.
"""

from __future__ import annotations

import dis
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.ladder.computations import assigned_name
from exocet_ipython.reloading.ladder.defaults import DefaultsMade
from exocet_ipython.reloading.ladder.operations import is_class_body, is_same_constant, iter_operations
from exocet_ipython.reloading.ladder.pairing import pair_nested
from exocet_ipython.reloading.ladder.sameness import do_alike, interface_of, is_equal

__all__ = ["AT_IMPORT", "ClassFacts", "CodePair", "Difference", "Match", "match_codes"]

_STORE_NAME = dis.opmap["STORE_NAME"]
AT_IMPORT = "code that runs at import"
# What the compiler notes in a class body since 3.13: where the class stands, and what its methods assign.
_NOTED = ("__firstlineno__", "__static_attributes__")


@dataclass(frozen=True, slots=True, eq=False)
class CodePair:
    """The code of one function, and what takes its place.

    Attributes:
        path: where the function is defined, as `__qualname__` says it.
        old: what it ran.
        new: what it is to run.
        changed: whether they differ in more than positions, in their own part or in a function inside.
        fits: whether a function that exists can take the new code: it is called alike, and has the same free variables
            and defaults that are computed alike.
        outer: the path of the function that import-time code defines, and this one is or is inside of.
    """

    path: str
    old: CodeType
    new: CodeType
    changed: bool
    fits: bool
    outer: str

    @property
    def differs_itself(self) -> bool:
        """Whether they differ in more than positions in their own part."""
        return not do_alike(self.old, self.new)


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What a class says of its own text since 3.13: its path, and the attributes to be set on it."""

    path: str
    facts: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Why the code of one text can't take the place of another's.

    Attributes:
        path: of the function or class, empty for the module.
        line: of the new text.
        what: differs.
    """

    path: str
    line: int
    what: str


@dataclass(slots=True)
class Match:
    """What two code trees have in common.

    Attributes:
        pairs: the functions whose code is not equal in all, inner ones included, outer ones first.
        classes: the classes whose own facts are others now.
        values: the global names to which the module's body gives other constants, by statements that only compute.
        gone: the code of functions inside of others that make them no more, or make them under another name.
        code: the new tree, with the old code objects wherever they are equal, so that it goes on being what lives.
    """

    code: CodeType
    pairs: list[CodePair] = field(default_factory=list)
    classes: list[ClassFacts] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict)
    gone: list[CodeType] = field(default_factory=list)

    @property
    def changed(self) -> list[CodePair]:
        """The functions that do something else now."""
        return [pair for pair in self.pairs if pair.changed]


def match_codes(
    old: CodeType, new: CodeType, *, with_values: bool = False, only_layout: bool = False
) -> Match | Difference:
    r"""Match the code of two texts of one module.

    Args:
        old: the module's code as it is.
        new: that of the new text.
        with_values: whether other constants in the module's body are no difference, but noted.
        only_layout: whether a function that does something else is a difference, and ends the search.

    Returns:
        A difference where import-time code is another, or a function can't go on with the new code.

    >>> old = compile("X = 1\ndef f(): return X", "m.py", "exec")
    >>> match_codes(old, compile("X = 1\n\n\ndef f(): return X + 1", "m.py", "exec")).changed[0].path
    'f'
    >>> match_codes(old, compile("X = 2\ndef f(): return X", "m.py", "exec"))
    Difference(path='', line=1, what='code that runs at import')
    """
    match = Match(new)
    try:
        matcher = _Matcher(match, with_values=with_values, only_layout=only_layout)
        match.code = matcher.match_body(old, new, "", "")
    except _DiffersError as differs:
        return differs.difference
    return match


class _DiffersError(Exception):
    def __init__(self, difference: Difference) -> None:
        super().__init__(difference)
        self.difference = difference


class _Matcher:
    """Walks two code trees side by side."""

    def __init__(self, match: Match, *, with_values: bool, only_layout: bool) -> None:
        self._match = match
        self._with_values = with_values
        self._only_layout = only_layout

    def match_body(self, old: CodeType, new: CodeType, path: str, outer: str) -> CodeType:
        """Match code that runs as soon as it is reached: the body of a module or class, a comprehension of one.

        Returns the new code with the old code objects in it wherever they are equal.
        """
        if is_equal(old, new):
            return old
        if (old.co_filename, old.co_flags, old.co_name) != (new.co_filename, new.co_flags, new.co_name):
            raise _DiffersError(Difference(path, new.co_firstlineno, "how its text is compiled"))
        if do_alike(old, new):
            inner = list(zip(nested(old), nested(new), strict=True))
        else:
            inner = self._match_operations(old, new, path)
        return _with_inner(new, {id(now): self._match_inner(before, now, outer) for before, now in inner})

    def _match_operations(self, old: CodeType, new: CodeType, path: str) -> list[tuple[CodeType, CodeType]]:
        """Match two bodies whose constants may be numbered otherwise; return the code objects inside in pairs."""
        noted: dict[str, Any] = {}
        inner: dict[int, tuple[CodeType, CodeType]] = {}
        first, second = list(iter_operations(old)), list(iter_operations(new))
        for place, ((_, operation, before), (offset, other, now)) in enumerate(zip(first, second, strict=False)):
            if operation == other:
                if type(before) is CodeType and type(now) is CodeType:
                    if inner.setdefault(id(before), (before, now))[1] is now:
                        continue
                elif is_same_constant(before, now):
                    continue
                elif name := _noted_name(first, second, place):
                    noted[name] = now
                    continue
                elif self._with_values and not path and (name := assigned_name(second, place)):
                    self._match.values[name] = None
                    continue
            raise _DiffersError(Difference(path, _line_at(new, offset), AT_IMPORT))
        if len(first) != len(second) or old.co_exceptiontable != new.co_exceptiontable:
            raise _DiffersError(Difference(path, new.co_firstlineno, AT_IMPORT))
        if noted:
            self._match.classes.append(ClassFacts(path, tuple(noted.items())))
        return list(inner.values())

    def _match_inner(self, old: CodeType, new: CodeType, outer: str) -> CodeType:
        path = new.co_qualname
        if old.co_name != new.co_name:
            raise _DiffersError(Difference(path, new.co_firstlineno, "its name"))
        if is_class_body(old) or is_class_body(new):
            return self.match_body(old, new, path, outer)
        if not outer and old.co_name.startswith("<") and old.co_name != "<lambda>":
            return self.match_body(old, new, path, outer)  # a comprehension, or what makes a generic function
        return self._match_function(old, new, path, outer)[0]

    def _match_function(self, old: CodeType, new: CodeType, path: str, outer: str) -> tuple[CodeType, bool]:
        """Match a function and those inside; return its code, and whether it differs in more than positions."""
        if is_equal(old, new):
            return old, False
        fits = interface_of(old) == interface_of(new)
        if not fits and not outer:
            raise _DiffersError(Difference(path, new.co_firstlineno, "how it is called"))
        changed = not do_alike(old, new)
        if changed and self._only_layout:
            raise _DiffersError(Difference(path, new.co_firstlineno, "what it does"))
        place = len(self._match.pairs)
        made: dict[int, CodeType] = {}
        defaults, defaults_now = DefaultsMade(old), DefaultsMade(new)
        inner = pair_nested(old, new) if changed else zip(nested(old), nested(new), strict=True)
        pairs = [(before, now) for before, now in inner if before.co_name == now.co_name]
        if changed:
            known = {id(before) for before, _ in pairs}
            self._match.gone += (code for one in nested(old) if id(one) not in known for code in whole(one))
        for before, now in pairs:
            if is_class_body(now):
                made[id(now)] = self.match_body(before, now, now.co_qualname, outer or path)
                changed |= any(pair.changed for pair in self._match.pairs[place:])
            else:
                made[id(now)], differs = self._match_function(before, now, now.co_qualname, outer or path)
                changed |= differs
                if changed and defaults.of(before) != defaults_now.of(now):  # closures have the old ones
                    unfit = CodePair(now.co_qualname, before, made[id(now)], differs, fits=False, outer=outer or path)
                    self._match.pairs.append(unfit)
        code = _with_inner(new, made)
        self._match.pairs.insert(place, CodePair(path, old, code, changed, fits, outer or path))
        return code, changed


def _noted_name(first: list[tuple[int, int, Any]], second: list[tuple[int, int, Any]], place: int) -> str:
    """Return the name under which the compiler itself stores the constant at a place of a class body."""
    after = [operations[place + 1] if place + 1 < len(operations) else (0, 0, None) for operations in (first, second)]
    if all(operation == _STORE_NAME and name in _NOTED for _, operation, name in after):
        return str(after[0][2])
    return ""


def _line_at(code: CodeType, offset: int) -> int:
    return next((line for start, end, line in code.co_lines() if start <= offset < end and line), code.co_firstlineno)


def _with_inner(code: CodeType, made: dict[int, CodeType]) -> CodeType:
    """Return code with other code objects inside; `made` has them by the id of what they replace."""
    consts = tuple(made.get(id(const), const) for const in code.co_consts)
    same = all(before is now for before, now in zip(code.co_consts, consts, strict=True))
    return code if same else code.replace(co_consts=consts)
