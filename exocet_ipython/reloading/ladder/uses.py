"""What the code of a module names: the functions that import-time code defines, with all that each may use, by name.

Read from code objects, and no further than asked: that a name is in a module's code is known for all of them, where it
stands in a module's body is looked up when it matters.
"""

from __future__ import annotations

import dis
import weakref
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import NamedTuple

from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.ladder.bodies import Body, alive, names_in
from exocet_ipython.reloading.ladder.computed import COMPUTING, computes_names
from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations, mangled, words

__all__ = ["Definition", "Method", "Reached", "Storing", "Uses", "read_uses"]

_PUSH_NULL = dis.opmap["PUSH_NULL"]
_STORE_ATTR, _STORE_GLOBAL, _STORE_DEREF = (dis.opmap[name] for name in ("STORE_ATTR", "STORE_GLOBAL", "STORE_DEREF"))
_FILLS = frozenset(dis.opmap[name] for name in ("STORE_SUBSCR", "DELETE_SUBSCR"))
_FILLING = words(
    "add append appendleft clear discard extend extendleft insert pop popitem popleft put remove set setdefault "
    "setattr update __setitem__"
)
_ASSIGNS = frozenset((_STORE_ATTR, _STORE_GLOBAL))
_OF_CLASS = frozenset(("__call__", "__init__", "__new__", "__post_init__"))
_FACTS = frozenset(("calls_unknown", "keeps_in_closure", "writes"))  # of a definition, read when they are asked for


@dataclass(eq=False)
class Definition:
    """One function that import-time code defines, with all that is inside of it.

    Attributes:
        module: dotted name of the module.
        path: where it is defined there.
        name: under which it is found; of a private method, the mangled one.
        body: the code that defines it.
    """

    module: str
    path: str
    name: str
    _code: weakref.ref[CodeType]
    body: Body

    @property
    def code(self) -> CodeType:
        """Its code; held weakly, as that of a body is."""
        return alive(self._code)

    def is_like(self, other: Definition) -> bool:
        """Say whether another version of it has the same names in it; those of this one must have been read in time."""
        if (self.path, self.name) != (other.path, other.name):
            return False
        if self._code() is other.code:
            return True
        return self.names == other.names and self.computes_names == other.computes_names

    def renew(self, other: Definition) -> bool:
        """Take the code of another version that is like it; say whether it does the same with the names."""
        if self._code() is other.code:
            return True
        self._code = other._code
        known = {fact: vars(self)[fact] for fact in _FACTS & vars(self).keys()}
        vars(self).update((fact, getattr(other, fact)) for fact in known)
        return all(vars(self)[fact] == before for fact, before in known.items())

    @property
    def called_by(self) -> tuple[str, ...]:
        """The names by which others call it: its own, and that of its class where it makes or calls an instance."""
        owner = self.path.rpartition(".")[0].rpartition(".")[2]
        return (self.name, owner) if self.name in _OF_CLASS and owner else (self.name,)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that it may use: globals, attributes, imports, and strings that read like one."""
        return frozenset(names_in(self.code))

    @cached_property
    def computes_names(self) -> bool:
        """Whether it may call a function whose name it doesn't spell."""
        return not self.names.isdisjoint(COMPUTING) and computes_names(self.code, whole=True)

    @cached_property
    def decorators(self) -> frozenset[str] | None:
        """The names in its decorators; None where it has none."""
        return self.body.decorators(self.code)

    @cached_property
    def writes(self) -> frozenset[str]:
        """The names of what it may change: what it assigns, and where it fills a container, whatever it names."""
        found: set[str] = set()
        for code in whole(self.code):
            operations = set(code.co_code[::2])
            if operations & _FILLS or not _FILLING.isdisjoint(code.co_names):
                found |= self.names
            elif _STORE_ATTR in operations or _STORE_GLOBAL in operations:
                found |= {name for _, operation, name in iter_operations(code) if operation in _ASSIGNS}
        return frozenset(found)

    @property
    def keepers(self) -> list[CodeType]:
        """The code of functions inside that change what they have from this one."""
        return [code for code in whole(self.code) if code is not self.code and code.co_freevars and _keeps(code)]

    @cached_property
    def keeps_in_closure(self) -> bool:
        """Whether a function inside changes what it has from this one."""
        return bool(self.keepers)

    @cached_property
    def calls_unknown(self) -> bool:
        """Whether it calls what has no name: an argument, a variable, an item.

        The compiler pushes a null below such a callable only; for a global or a method it is part of the load.
        """
        return any(_PUSH_NULL in code.co_code[::2] for code in whole(self.code))


@dataclass(frozen=True, slots=True)
class Reached:
    """Why import time can have run a function: the module and line that say so, and the names on the way to it.

    Attributes:
        module: dotted name; of the function itself where the reason is the function's own.
        line: of the statement, 0 where it is none.
        names: from the one that import time names to that of the function.
        why: the reason where it is no statement.
    """

    module: str
    line: int
    names: tuple[str, ...] = ()
    why: str = ""


class Method(NamedTuple):
    """A function that is defined in a class: the path of that, its own name there, and the class's decorators."""

    definition: Definition
    owner: str
    name: str
    decorators: frozenset[str]


class Storing(NamedTuple):
    """Functions that may have stored answers.

    Attributes:
        closure: one that may keep them in what it shares with a function inside of it; None where none does.
        called: those that may change something, among the callers and all that these can name.
        filling: those of all that may change something and call what has no name.
    """

    closure: Definition | None
    called: tuple[Definition, ...]
    filling: tuple[Definition, ...]


@dataclass(eq=False)
class Uses:
    """What one module's code names: what runs at import, and the functions that it defines."""

    bodies: list[Body] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)

    def is_of(self, code: CodeType | None) -> bool:
        """Say whether this is about a module's code object, and not about that of another version."""
        return not self.bodies or self.bodies[0].is_of(code)

    def read(self) -> None:
        """Read all on which kept answers depend, while the code is in use."""
        for body in self.bodies:
            _ = body.shape
        for one in self.definitions:
            _ = one.computes_names

    def is_like(self, new: Uses) -> bool:
        """Say whether a new text names the same things in the same places; this one must have been read in time.

        What decorates a function follows from the shape of the body that defines it.
        """
        bodies, definitions = (self.bodies, new.bodies), (self.definitions, new.definitions)
        if any(len(old) != len(now) for old, now in (bodies, definitions)):
            return False
        return all(map(Body.is_like, *bodies)) and all(map(Definition.is_like, *definitions))

    def take_over(self, new: Uses) -> bool:
        """Take the code of a new text that is like this one; say whether its functions do the same with the names."""
        for body, now in zip(self.bodies, new.bodies, strict=True):
            body.renew(now)
        renewed = [old.renew(other) for old, other in zip(self.definitions, new.definitions, strict=True)]
        if all(renewed):
            return True
        vars(self).pop("filling", None)
        return False

    @cached_property
    def filling(self) -> tuple[Definition, ...]:
        """The functions that may change something and call what has no name."""
        return tuple(one for one in self.definitions if one.calls_unknown and one.writes)

    @cached_property
    def class_decorators(self) -> dict[str, frozenset[str]]:
        """The names in the decorators of each class, by its path."""
        return {body.code.co_qualname: body.own_decorators for body in self.bodies if body.outer is not None}


def _keeps(code: CodeType) -> bool:
    operations = set(code.co_code[::2])
    return _STORE_DEREF in operations or bool(operations & _FILLS) or not _FILLING.isdisjoint(code.co_names)


def read_uses(module: str, code: CodeType) -> Uses:
    r"""Return what the code of a module names.

    >>> code = compile("def f(): return g()\nX = [f]\nY = f()", "m.py", "exec")
    >>> uses = read_uses("m", code)
    >>> [(definition.path, sorted(definition.names)) for definition in uses.definitions]
    [('f', ['g'])]
    >>> [(mention.targets, mention.only_names) for mention in uses.bodies[0].mentions("f")]
    [(('X',), True), (('Y',), False)]
    """
    found = Uses()
    waiting = [Body(module, weakref.ref(code))]
    while waiting:
        body = waiting.pop()
        found.bodies.append(body)
        for inner in nested(body.code):
            if is_class_body(inner):
                waiting.append(Body(module, weakref.ref(inner), body))
            elif inner.co_name.startswith("<"):
                waiting.append(Body(module, weakref.ref(inner), body, is_hot=True))
            else:
                name = mangled(inner.co_name, body.code.co_name)
                found.definitions.append(Definition(module, inner.co_qualname, name, weakref.ref(inner), body))
    return found
