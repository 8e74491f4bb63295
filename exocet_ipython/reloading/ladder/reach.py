"""What import time can have run: the argument on which new code in old functions rests.

A function may be given new code in place of a restart when nothing that stays can be an answer of its old code. What
stays is what import time made, and what has been stored since (`stored.py`). Import time can have run a function

1. when code that runs at import names it: module and class bodies, decorators, defaults, annotations, comprehensions;
   or when a function that import time can have run names it. Names are compared as names, wherever they stand: a
   global, an attribute, an import, a string that reads like one. So an object that is handed around makes no gap: who
   calls its method names it. A statement that only gives a value another name (`X = f`, `T = (f, g)`,
   `from m import f as g`) runs nothing; the function is then as reached as the other name is;
2. through the interpreter or a library: so every `__dunder__` and `_sunder_` counts as reached, what a decorator was
   given (unless the decorator is known), every method that a base class from outside the scope has too or may look for,
   methods of metaclasses, and methods with names of Python's own protocols (`write`, `keys`, `emit`);
3. through a name that is computed: `getattr(x, name)`, `eval`, `globals()`. Where such code can have run at import
   itself, anything can have.

The closure is taken backwards, from the function that changed to whoever can name it, since that is small: a leaf of
a thousand modules is named by its few importers. All of the scope is searched, also what imports nothing of the module:
it can have been handed an object.
"""

from __future__ import annotations

import weakref
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from exocet_ipython.reloading.ladder.bodies import Body
from exocet_ipython.reloading.ladder.computed import COMPUTING, computes_names
from exocet_ipython.reloading.ladder.methods import Methods
from exocet_ipython.reloading.ladder.operations import is_special, words
from exocet_ipython.reloading.ladder.uses import Definition, Method, Reached, Storing, Uses
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["KNOWN_DECORATORS", "Reach"]

# Decorators that call nothing of what they are given, and keep no answers of it.
KNOWN_DECORATORS = words(
    "abc abstractmethod classmethod contextlib contextmanager asynccontextmanager deleter final functools getter "
    "no_type_check overload override property setter staticmethod typing typing_extensions"
)
# Methods that Python itself, or the standard library, calls on any object that has them.
_PROTOCOL = words(
    "acquire close create_module emit exec_module fileno filter find_spec flush handle invalidate_caches isatty keys "
    "read readable readinto readline readlines release seek seekable send tell throw truncate writable write "
    "writelines"
)
_NONE: frozenset[str] = frozenset()
_LISTS = frozenset(("__all__", "__match_args__", "__slots__"))  # of names, not of functions
_COMPUTES = "it computes which function it calls"


class Reach:
    """The names in the code of a set of modules, kept up as modules come and go."""

    def __init__(self) -> None:
        self._records: dict[str, weakref.ref[ModuleRecord]] = {}  # a record holds its module
        self._uses: dict[str, Uses] = {}
        self._defined: defaultdict[str, list[Definition]] = defaultdict(list)
        self._named: defaultdict[str, list[Definition]] = defaultdict(list)
        self._bodies: defaultdict[str, list[Body]] = defaultdict(list)
        self._computing: dict[int, Definition | Body] = {}
        # Answers that stand until the names of a module change; most edits of a body leave them.
        self._callers: dict[frozenset[int], dict[int, Definition]] = {}
        self._called: dict[frozenset[int], dict[int, Definition]] = {}
        self._methods: dict[int, Methods] = {}  # by the id of one of `_callers`
        self._storing: dict[int, Storing] = {}  # likewise

    def update(self, records: Mapping[str, ModuleRecord]) -> None:
        """Take over the modules of a generation; only what is new of them is read."""
        if records.keys() != self._records.keys():
            for name in self._records.keys() - records.keys():
                self._remove(name)
        known = self._records
        others = [name for name, record in records.items() if known.get(name, _unknown)() is not record]
        for name in others:
            record = records[name]
            for methods in self._methods.values():
                methods.forget(name)
            if "uses" in vars(record) and not record.uses.is_of(record.readable_code):
                del vars(record)["uses"]  # a later text of the module took it over; this one is current again
            uses = self._uses.get(name)
            if uses is None:
                self._add(record)
            elif uses is record.uses:
                known[name] = weakref.ref(record)  # it ran again from the same code
            elif uses.is_like(record.uses):
                known[name] = weakref.ref(record)
                if not uses.take_over(record.uses):
                    self._storing.clear()
                vars(record)["uses"] = uses
            else:
                self._remove(name)
                self._add(record)

    def keep(self, names: Iterable[str]) -> None:
        """Read of modules that are to change what kept answers depend on, while their code is there to be read."""
        for name in names:
            if (known := self._records.get(name)) is not None and known() is not None:
                self._uses[name].read()

    def definitions(self, module: str, path: str) -> list[Definition]:
        """Return the functions that a module's import-time code defines under a path; each of several branches one."""
        return [one for one in self._uses.get(module, Uses()).definitions if one.path == path]

    def class_decorators(self, module: str, path: str) -> frozenset[str]:
        """Return the names in the decorators of a class."""
        uses = self._uses.get(module)
        return uses.class_decorators.get(path, _NONE) if uses is not None else _NONE

    def callers(self, starts: Iterable[Definition]) -> dict[int, Definition] | Reached:
        """Return the functions and all that can name them, directly or through others, by id.

        Where import time is among these, the answer is why.
        """
        starts = list(starts)
        key = frozenset(map(id, starts))
        if key not in self._callers:
            found = self._search(starts)
            if isinstance(found, Reached):
                return found
            self._callers[key] = found
        return self._callers[key]

    def _search(self, starts: Iterable[Definition]) -> dict[int, Definition] | Reached:  # noqa: C901 - one search
        found: dict[int, Definition] = {}
        before: dict[str, str] = {}  # name -> the one through which it was come to
        waiting: deque[str] = deque()

        def come_to(name: str, through: str) -> None:
            if name not in before:
                before[name] = through
                waiting.append(name)

        def add(definition: Definition, through: str) -> Reached | None:
            if id(definition) in found:
                return None
            found[id(definition)] = definition
            come_to(definition.name, through)
            return self._own_reason(definition)

        for start in starts:
            if (reason := add(start, "")) is not None:
                return reason
        while waiting:
            name = waiting.popleft()
            for body, mention in ((one, mention) for one in self.bodies_naming(name) for mention in one.mentions(name)):
                if not mention.only_names or any(map(_is_called_by_python, mention.targets)):
                    return Reached(body.module, body.line(mention, name), _way(before, name))
                for target in mention.targets:
                    come_to(target, name)
            for caller in self._named.get(name, ()):
                if (reason := add(caller, name)) is not None:
                    return Reached(reason.module, reason.line, (caller.path, *_way(before, name)), reason.why)
        return found

    def bodies_naming(self, name: str) -> Iterable[Body]:
        """Return the bodies in which a name stands."""
        return self._bodies.get(name, ())

    def defines(self, name: str) -> bool:
        """Say whether a function of that name is defined in the scope."""
        return bool(self._defined.get(name))

    def computing_places(self) -> Iterable[Definition | Body]:
        """Return the functions and bodies that compute a name."""
        return self._computing.values()

    def definitions_of_all(self) -> Iterator[Definition]:
        """Yield the functions that are defined in the scope."""
        return chain.from_iterable(uses.definitions for uses in self._uses.values())

    def naming(self, names: Iterable[str]) -> list[Definition]:
        """Return the functions in which one of the names stands."""
        return list({id(one): one for name in names for one in self._named.get(name, ())}.values())

    def called(self, starts: Iterable[Definition]) -> dict[int, Definition]:
        """Return the functions and all that they can name, directly or through others, by id."""
        found = {id(start): start for start in starts}
        key = frozenset(found)
        if key in self._called:
            return self._called[key]
        self._called[key] = found
        waiting = list(found.values())
        names: set[str] = set()
        while waiting:
            new = waiting.pop().names - names
            names |= new
            for name in new:
                for definition in self._defined.get(name, ()):
                    if id(definition) not in found:
                        found[id(definition)] = definition
                        waiting.append(definition)
        return found

    def computing(self) -> dict[int, Definition] | Reached:
        """Return the functions that compute a name and all that can name them; why, where import time is among them."""
        for place in self._computing.values():
            if isinstance(place, Body):
                return Reached(place.module, place.code.co_firstlineno, why=_COMPUTES)
        found = self.callers(place for place in self._computing.values() if isinstance(place, Definition))
        return Reached(found.module, found.line, found.names, _COMPUTES) if isinstance(found, Reached) else found

    def method(self, definition: Definition) -> Method | None:
        """Return what a function is to the class that it is defined in; None where it is in no class."""
        owner, _, name = definition.path.rpartition(".")
        if not owner:
            return None
        return Method(definition, owner, name, self.class_decorators(definition.module, owner))

    def methods(self, callers: Mapping[int, Definition]) -> Methods:
        """Return those of the callers of something, as `callers` gave them, that are methods."""
        key = id(callers)
        if key not in self._methods:
            found = map(self.method, callers.values())
            self._methods[key] = Methods([method for method in found if method is not None])
        return self._methods[key]

    def storing(self, callers: Mapping[int, Definition]) -> Storing:
        """Return which functions may have stored what the callers of something, as `callers` gave them, answered."""
        key = id(callers)
        if key not in self._storing:
            closure = next((caller for caller in callers.values() if caller.keeps_in_closure), None)
            called = [one for one in self.called(callers.values()).values() if one.writes]
            filling = chain.from_iterable(uses.filling for uses in self._uses.values())
            self._storing[key] = Storing(closure, tuple(called), tuple(filling))
        return self._storing[key]

    def _own_reason(self, definition: Definition) -> Reached | None:
        """Return why import time can have run a function whoever names it."""
        name = definition.name
        why = ""
        if _is_called_by_python(name) and (name not in _PROTOCOL or "." in definition.path):
            why = "Python itself may call it"
        elif definition.decorators is not None and not self._is_known(definition):
            why = "its decorator may call it, or keep its answers"
        return Reached(definition.module, definition.code.co_firstlineno, (definition.path,), why) if why else None

    def _is_known(self, definition: Definition) -> bool:
        names = (definition.decorators or frozenset()) - {definition.name}
        return (
            bool(names or definition.decorators)
            and names <= KNOWN_DECORATORS
            and not any(map(self._defined.get, names))
        )

    def _add(self, record: ModuleRecord) -> None:
        self._forget()
        self._records[record.name] = weakref.ref(record)
        uses = self._uses[record.name] = record.uses
        for body in uses.bodies:
            for name in body.names:
                self._bodies[name].append(body)
            if not body.names.isdisjoint(COMPUTING) and computes_names(body.code, whole=body.is_hot):
                self._computing[id(body)] = body
        for definition in uses.definitions:
            for name in definition.called_by:
                self._defined[name].append(definition)
            for name in definition.names:
                self._named[name].append(definition)
            if definition.computes_names:
                self._computing[id(definition)] = definition

    def _forget(self) -> None:
        for answers in (self._callers, self._called, self._methods, self._storing):
            answers.clear()

    def _remove(self, name: str) -> None:
        self._forget()
        del self._records[name]
        uses = self._uses.pop(name)
        for body in uses.bodies:
            self._computing.pop(id(body), None)
            for mentioned in body.names:
                self._bodies[mentioned].remove(body)
        for definition in uses.definitions:
            self._computing.pop(id(definition), None)
            for called in definition.called_by:
                self._defined[called].remove(definition)
            for mentioned in definition.names:
                self._named[mentioned].remove(definition)


def _unknown() -> None:
    """Answer for the record of a module that was never read."""


def _is_called_by_python(name: str) -> bool:
    return name in _PROTOCOL or (is_special(name) and name not in _LISTS)


def _way(before: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the names from one that import time names to that of the function that was asked about."""
    found = [name]
    while before[found[-1]]:
        found.append(before[found[-1]])
    return tuple(found)
