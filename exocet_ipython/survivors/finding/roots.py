"""Where a person can look for an object: names, module globals, frames that run, callbacks that Python itself holds."""

from __future__ import annotations

import contextvars
import gc
import re
import signal
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.lasting.exits import exit_functions
from exocet_ipython.survivors.finding.frames import OWN_PACKAGE, running_frames
from exocet_ipython.survivors.finding.records import HIDDEN_NAMES
from exocet_ipython.survivors.finding.steps import attribute_of

__all__ = ["Root", "RootKind", "Roots", "Start"]

RootKind = Literal[
    "name", "output", "global", "frame", "task", "callback", "context", "traceback", "shell", "generator", "code"
]
_OUTPUTS = re.compile(r"_{1,3}|_\d+|_oh|Out")


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """One object that a person can reach without knowing what refers to it.

    Attributes:
        kind: what sort of place it is.
        expression: the Python expression that gives it; for a namespace what stands before its names.
        value: the object; the dict of a namespace.
        where: what else there is to say: of a frame, its thread, function, file and line.
        is_space: whether `value` is a namespace, in which a name leads to each value.
        is_end: whether nobody asks what holds the root itself.
    """

    kind: RootKind
    expression: str
    value: Any
    where: str = ""
    is_space: bool = False
    is_end: bool = True


@dataclass(frozen=True, slots=True)
class Start:
    """Where a path begins: what gives the first object on it, or the root that refers to that."""

    kind: RootKind
    expression: str
    where: str = ""
    root: Root | None = None


class Roots:
    """All roots there are at a moment.

    It refers to what may be old objects, so `let_go` is to be called after a search.

    Args:
        namespace: the notebook's names.
        known: further roots, of the shell that is around.
    """

    def __init__(self, namespace: dict[str, Any], known: Iterable[Root] = ()) -> None:
        self.own: set[int] = set()  # ids of namespaces that are no root, since they are ours
        self._roots: dict[int, Root] = {}
        self._locals: dict[int, list[Root]] = {}
        self._add(Root("name", "", namespace, is_space=True))
        outputs = namespace.get("Out")
        if isinstance(outputs, dict):
            self._add(Root("output", "Out", outputs))
        for root in known:
            self._add(root)
        self._add_modules(namespace)
        for root in (*_callbacks(), *_context(), *_loop()):
            self._add(root)
        self._add_frames()

    def is_root(self, value: Any) -> bool:
        """Say whether an object is a root that nobody asks further from."""
        root = self._roots.get(id(value))
        return root is not None and root.is_end

    def containers(self) -> Iterator[object]:
        """Yield what in here refers to roots and to what frames hold: no path leads through these."""
        yield from (self._roots, self._locals, *self._roots.values())
        for roots in list(self._locals.values()):
            yield roots
            yield from roots

    def count_references(self, value: Any) -> int:
        """Return how many references to an object are known here: of variables, of what is in C, and our own to it."""
        root = self._roots.get(id(value))
        return 2 * (len(self._locals.get(id(value), ())) + (root is not None and not root.is_end))

    def starts_at(self, value: Any) -> Iterator[Start]:
        """Yield the ways in that lead to an object itself: it is a root, a variable of a running frame, a task."""
        for root in (*self._locals.get(id(value), ()), *filter(None, [self._roots.get(id(value))])):
            if not root.is_space:
                yield Start(root.kind, root.expression, root.where)
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and issubclass(type(value), asyncio.Task) and not value.done():
            yield _task(value, asyncio)

    def starts_in(self, holder: Any, wanted: Container[int]) -> Iterator[tuple[Start, int]]:
        """Yield the ways in through a root to each of the objects, given by id, that it refers to; with that id."""
        root = self._roots[id(holder)]
        if not root.is_space:
            for part in {id(part) for part in referents_of(holder) if id(part) in wanted}:
                yield Start(root.kind, root.expression, root.where, root), part
            return
        for name, value in list(root.value.items()):
            if id(value) in wanted:
                expression = attribute_of(root.expression, name) if root.expression else str(name)
                yield Start(_kind_of(root, str(name)), expression, root.where), id(value)

    def spaces(self) -> list[Any]:
        """Return the namespaces in which names lead to values."""
        return [root.value for root in self._roots.values() if root.is_space]

    def let_go(self) -> None:
        """Refer to nothing any more."""
        self._roots.clear()
        self._locals.clear()

    def _add(self, root: Root) -> None:
        self._roots.setdefault(id(root.value), root)

    def _add_modules(self, namespace: Mapping[str, Any]) -> None:
        aliases = {
            id(value): name for name, value in copy_space(namespace).items() if issubclass(type(value), ModuleType)
        }
        for name, module in copy_space(sys.modules).items():
            space = getattr(module, "__dict__", None)
            if name.partition(".")[0] == OWN_PACKAGE:
                self.own |= {id(module), id(space)}
                continue
            expression = aliases.get(id(module)) or ("sys" if name == "sys" else f'sys.modules["{name}"]')
            self._add(Root("global", expression, space, is_space=True))
            self._add(Root("global", expression, module))  # an extension's state is in the module, not in its dict

    def _add_frames(self) -> None:
        for frame in running_frames():
            if id(frame.space) not in self.own:
                self._add(Root("frame", f"{frame.expression}.f_globals", frame.space, frame.where))
            for name, value in frame.values.items():
                expression = f'{frame.expression}.f_locals["{name}"]'
                root = Root("frame", expression, value, frame.where, is_end=False)
                self._locals.setdefault(id(value), []).append(root)


def _kind_of(root: Root, name: str) -> RootKind:
    if root.expression == "sys" and name.startswith("last_"):
        return "traceback"
    return "output" if root.kind == "name" and _OUTPUTS.fullmatch(name) and HIDDEN_NAMES.fullmatch(name) else root.kind


def _task(task: Any, asyncio: Any) -> Start:
    """Return the way in by a task: by its name where the loop that runs has one of that name, else by its identity."""
    name, loop = task.get_name(), task.get_loop()
    is_known = loop is asyncio._get_running_loop()  # noqa: SLF001 - documented, and raises nothing
    if is_known and sum(other.get_name() == name for other in asyncio.all_tasks(loop)) == 1:
        return Start("task", f"next(t for t in asyncio.all_tasks() if t.get_name() == {name!r})")
    return Start(
        "task", f"next(t for t in gc.get_objects() if id(t) == {id(task)})", f"{name}, a task that is not done"
    )


def _callbacks() -> Iterator[Root]:
    """Yield what Python calls and keeps where no object refers to it."""
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler) and not isinstance(handler, signal.Handlers):
            name = getattr(number, "name", None)
            expression = f"signal.getsignal({f'signal.{name}' if name else int(number)})"
            yield Root("callback", expression, handler, is_end=False)
    for expression, hook in (("sys.gettrace()", sys.gettrace()), ("sys.getprofile()", sys.getprofile())):
        if hook is not None:
            yield Root("callback", expression, hook, is_end=False)
    for place, function in enumerate(exit_functions()):
        yield Root("callback", f"<function {place} of atexit>", function, is_end=False)


def _context() -> Iterator[Root]:
    for variable, value in contextvars.copy_context().items():
        if gc.is_tracked(value):
            found = f"v for k, v in contextvars.copy_context().items() if k.name == {variable.name!r}"
            yield Root("context", f"next({found})", value, is_end=False)


def _loop() -> Iterator[Root]:
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - documented, and raises nothing
    if loop is not None:
        yield Root("callback", "asyncio.get_running_loop()", loop)
