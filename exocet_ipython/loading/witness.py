"""What has run of the person's own code: the interpreter says of each function when it is called for the first time.

Since Python 3.12 a tool can ask for that, code object by code object (PEP 669, `sys.monitoring`). A function's code is
watched from before the body that defines it runs. Its first call while modules are loaded is noted, and its first call
at another time; any other one costs nothing. On Python 3.11, or where other tools have taken all numbers, nothing is
known of any: it may have run.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any
from weakref import KeyedRef

from exocet_ipython.loading.trees import whole

__all__ = ["WITNESS", "Witness"]

_MONITORING: Any = getattr(sys, "monitoring", None)
_NUMBERS = (4, 3)  # of tools; the others are a debugger's, a profiler's, and for what measures coverage or optimizes
_NAME = "exocet_ipython"
_STARTS = _MONITORING.events.PY_START if _MONITORING is not None else 0
_NEVER = _MONITORING.events.PY_YIELD if _MONITORING is not None else 0  # what a body can't do


class Witness:
    """Watches code, for as long as somebody wants it to.

    There is one for the process (`WITNESS`): the numbers of tools are the interpreter's. What it knows of code is
    known by identity, and it holds none alive.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer may import something, anywhere
        self._tool: int | None = None
        self._wanted = 0
        self._loads = 0
        self._watched = _Codes()  # each with all that is inside of it
        self._at_import = _Codes()
        self._later = _Codes()
        self._silent = _Codes()  # what has run since a load has begun or ended, and would not be told of again

    def __repr__(self) -> str:
        return f"<witness of {len(self._watched)} codes>"

    @property
    def is_open(self) -> bool:
        """Whether it watches: Python can, and a number was free."""
        return self._tool is not None

    def open(self) -> None:
        """Begin to watch, if a number is free; each call asks for one of `close`."""
        with self._lock:
            self._wanted += 1
            if self._tool is None and _MONITORING is not None:
                self._tool = next((number for number in _NUMBERS if _MONITORING.get_tool(number) is None), None)
                if self._tool is not None:
                    _MONITORING.use_tool_id(self._tool, _NAME)
                    _MONITORING.register_callback(self._tool, _STARTS, self._note)

    def close(self) -> None:
        """End what `open` began; when nobody wants it any more, nothing is watched or known."""
        with self._lock:
            self._wanted -= 1
            if self._wanted or self._tool is None:
                return
            for root in self._watched:
                for code in whole(root):
                    _MONITORING.set_local_events(self._tool, code, 0)
            _MONITORING.register_callback(self._tool, _STARTS, None)
            _MONITORING.free_tool_id(self._tool)
            self._tool = None
            self._watched, self._at_import, self._later, self._silent = _Codes(), _Codes(), _Codes(), _Codes()

    def watch(self, code: CodeType, before: CodeType | None = None) -> None:
        """Watch a module's code from now on, which is about to run: what was noted of an earlier run may happen again.

        Args:
            code: of its body, with all that is inside.
            before: that of an earlier version, of whose state something may stay: where a function of it has run since
                its import, the one in its place counts as one that has.
        """
        if self._tool is None:
            return
        with self._lock:
            self._watched.add(code)
            self._watch(code)
            if before is not None and before is not code and self.watches(before):
                ran = {part.co_qualname for part in whole(before) if part in self._later}
                for part in whole(code) if ran else ():
                    if part.co_qualname in ran:
                        self._later.add(part)

    def begin_load(self) -> None:
        """Note that a module's body begins to run; `end_load` ends that. What has run before is told of again."""
        if _MONITORING is None:
            return
        with self._lock:
            self._loads += 1
            if self._loads == 1:
                self._listen_again()

    def end_load(self) -> None:
        """Note that a module's body has ended. After the last one what has run at import is told of again."""
        if _MONITORING is None:
            return
        with self._lock:
            self._loads -= 1
            if not self._loads:
                self._listen_again()

    def watches(self, code: CodeType) -> bool:
        """Say whether it is known when a code object has run."""
        tool = self._tool
        return tool is not None and _MONITORING.get_local_events(tool, code) != 0

    def ran_at_import(self, code: CodeType) -> bool:
        """Say whether a function may have been called while a module was loaded."""
        return code in self._at_import or not self.watches(code)

    def ran_later(self, code: CodeType) -> bool:
        """Say whether a function may have been called while no module was loaded."""
        return code in self._later or not self.watches(code)

    def follow(self, old: CodeType, new: CodeType) -> None:
        """Watch code that takes the place of another's in living functions; what is known of that holds of it."""
        with self._lock:
            if not self.watches(old):
                return
            if not self.watches(new):
                self._watched.add(new)
                self._watch(new)
            for known in (self._at_import, self._later):
                if old in known:
                    known.add(new)

    def _watch(self, code: CodeType) -> None:
        """Watch code with all that is inside of it; what is watched already is told of again.

        A body is only called by a load; of that nothing need be told, but it must be marked as watched.
        """
        is_function = code.co_flags & inspect.CO_OPTIMIZED
        self._listen(code, _STARTS if is_function else _NEVER)
        for inner in code.co_consts:  # no generator: each first import waits for this
            if type(inner) is CodeType:
                self._watch(inner)

    def _listen(self, code: CodeType, events: int) -> None:
        if (tool := self._tool) is not None:
            if _MONITORING.get_local_events(tool, code):
                _MONITORING.set_local_events(tool, code, 0)  # what was disabled is enabled when it is set anew
            _MONITORING.set_local_events(tool, code, events)

    def _listen_again(self) -> None:
        silent, self._silent = self._silent, _Codes()
        for code in silent:
            self._listen(code, _STARTS)

    def _note(self, code: CodeType, _: int) -> Any:
        (self._at_import if self._loads else self._later).add(code)
        self._silent.add(code)
        return _MONITORING.DISABLE


class _Codes:
    """A set of code objects by identity, held weakly: equal ones are not the same function."""

    __slots__ = ("_forget", "_references")

    def __init__(self) -> None:
        references: dict[int, KeyedRef[int, CodeType]] = {}

        def forget(reference: KeyedRef[int, CodeType]) -> None:
            if references.get(reference.key) is reference:  # else the number is another one's by now
                del references[reference.key]

        self._references = references
        self._forget = forget

    def __len__(self) -> int:
        return len(self._references)

    def __iter__(self) -> Iterator[CodeType]:
        for reference in list(self._references.values()):
            if (code := reference()) is not None:
                yield code

    def __contains__(self, code: CodeType) -> bool:
        reference = self._references.get(id(code))
        return reference is not None and reference() is code

    def add(self, code: CodeType) -> None:
        """Add one."""
        self._references[id(code)] = KeyedRef(code, self._forget, id(code))


WITNESS = Witness()
