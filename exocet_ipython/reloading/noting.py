"""Noting what a module runs from while Python's own import loads it: its text, its code, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.loader import bytecode_is_safe, compile_module
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.contents import Baseline
from exocet_ipython.reloading.effects import Effects, EffectsNote

__all__ = ["LoadNotes"]


class LoadNotes:
    """What is known of one load.

    Attributes:
        snapshot: the text that was on disk before the module ran.
        code: what ran; None for a loader that runs its module in its own way.
        seconds: how long the body took, without the modules it imported.
        ended: whether its body is known to have run, to its end or not.
        effects: what the body added to lists of the whole process.
        baseline: what the module held when the outermost import was done.
    """

    __slots__ = (
        "_loader",
        "_nested",
        "_settle",
        "_spec",
        "_tell",
        "baseline",
        "code",
        "effects",
        "ended",
        "seconds",
        "snapshot",
    )

    def __init__(self, snapshot: Snapshot, code: CodeType | None = None) -> None:
        self.snapshot = snapshot
        self.code = code
        self.seconds = 0.0
        self.ended = False
        self.effects = Effects()
        self.baseline: Baseline | None = None

    def watch(
        self, spec: ModuleSpec, nested: list[float], tell: Callable[[], None], settle: Callable[[], None]
    ) -> None:
        """Have the loader of a module that is about to be loaded hand us its code and its time, once.

        The loader is the finder's own object, made for this spec; two of its methods are shadowed until each is called.

        Args:
            spec: of the module.
            nested: for each module that the thread is running, the seconds that those it imports took so far.
            tell: called when the body has run.
            settle: called when the outermost of the bodies that the thread is running has run.
        """
        loader: Any = spec.loader
        if getattr(type(loader), "exec_module", None) is SourceFileLoader.exec_module:
            self._loader, self._spec, self._nested, self._tell, self._settle = loader, spec, nested, tell, settle
            loader.get_code = self._get_code
            loader.exec_module = self._call_with_frames_removed

    def _get_code(self, name: str) -> CodeType | None:
        """Return the module's code; a `.pyc` that could be older than the text is passed over, as Python would not."""
        del self._loader.get_code
        self.code = self._loader.get_code(name) if bytecode_is_safe(self._spec) else self._compile()
        return self.code

    def _compile(self) -> CodeType | None:
        return compile_module(self._spec, self.snapshot)

    def _call_with_frames_removed(self, module: ModuleType) -> None:
        loader, nested = self._loader, self._nested
        del loader.exec_module
        nested.append(0.0)
        note = EffectsNote()
        began = time.perf_counter()
        try:
            loader.exec_module(module)
        finally:
            took = time.perf_counter() - began
            self.seconds = took - nested.pop()
            nested[-1] += took
            self.effects = note.effects()
            self.ended = True
            self._tell()
            if len(nested) == 1:  # the thread itself
                self._settle()


# Under this file name and its own name, the frame is taken for importlib's caller of module bodies, and left out of the
# tracebacks of imports that fail (CPython Python/import.c, remove_importlib_frames).
_caller = LoadNotes._call_with_frames_removed  # noqa: SLF001 - its own class
_caller.__code__ = _caller.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
