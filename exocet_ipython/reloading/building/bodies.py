"""What the bodies of a batch's modules run with, builtins of their own, the loader and the spec of each; and how."""

from __future__ import annotations

import builtins
import contextlib
import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.interrupts import interruptible
from exocet_ipython.loading.running import compile_module
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.failed import FailedLoad, lacks_module
from exocet_ipython.reloading.lasting.effects import NO_EFFECTS, Effects, EffectsNote
from exocet_ipython.reloading.lasting.originals import Originals

__all__ = ["BodyBuiltins", "Run", "Runs", "copied", "run_by_loader"]


@interruptible
def run_by_loader(loader: Any, module: ModuleType) -> None:
    """Run a module as its loader does."""
    loader.exec_module(module)


class BodyBuiltins(dict[str, Any]):
    """The builtins of a module's body: the batch's `__import__`, all else as it is in the real ones at that moment.

    A copy would miss what a body puts there, as `gettext.install` does. Only bodies pay for the detour, no function.
    Who looks at the frame of a body sees them as well: `@register_line_magic` asks it for `get_ipython`.
    """

    def __missing__(self, key: str) -> Any:
        return vars(builtins)[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in vars(builtins)

    def get(self, key: str, default: Any = None) -> Any:
        """Return what a body's frame finds under a name, as `dict.get` does."""
        return super().get(key, vars(builtins).get(key, default))


def copied(spec: ModuleSpec) -> ModuleSpec:
    """Return a spec of the same contents; `copy.copy` takes as long as a small module to run."""
    if type(spec) is not ModuleSpec:
        return copy.copy(spec)
    made = object.__new__(ModuleSpec)
    vars(made).update(vars(spec))
    return made


@dataclass
class Run:
    """One run of a body.

    Attributes:
        snapshot: the text.
        code: what ran; None for a loader that runs its module in its own way.
        effects: what the body added to lists of the whole process.
        seconds: how long it took, without the modules that it imported.
        error: the type of what it raised; None where it ran to its end.
        failed: what it could not import and went on without, and what that could not.
        is_nested: whether another body has brought the module.
        inner: how long the modules took that it imported, in seconds.
    """

    snapshot: Snapshot
    code: CodeType | None
    effects: Effects = NO_EFFECTS
    seconds: float = 0.0
    error: type[BaseException] | None = None
    failed: list[FailedLoad] = field(default_factory=list)
    is_nested: bool = False
    inner: float = 0.0


class Runs:
    """The bodies that a batch runs, one within another.

    Attributes:
        of: dotted name -> the last run of the body, as they began.
        failed: dotted name and module of each whose body has raised.
    """

    def __init__(self) -> None:
        self.of: dict[str, Run] = {}
        self.failed: list[tuple[str, ModuleType]] = []
        self._running = [Run(Snapshot(""), None)]  # whoever asks the batch for the outermost modules

    @contextlib.contextmanager
    def noting(self, name: str, module: ModuleType, snapshot: Snapshot, code: CodeType | None) -> Iterator[None]:
        """Note how the body of a module runs, in the block."""
        self.of.pop(name, None)
        importer = self._running[-1]
        run = self.of[name] = Run(snapshot, code, is_nested=len(self._running) > 1)
        self._running.append(run)
        originals = Originals()
        originals.read(code, lambda: snapshot.data)
        note = EffectsNote(originals)
        began = time.perf_counter()
        try:
            yield
        except BaseException as error:
            run.error = type(error)
            self.failed.append((name, module))
            importer.failed += [FailedLoad(name, snapshot, code, lacks_module=lacks_module(error)), *run.failed]
            raise
        finally:
            took = time.perf_counter() - began
            run.effects = note.effects()
            run.seconds = took - run.inner
            importer.inner += took
            self._running.pop()

    def compile(self, spec: ModuleSpec, snapshot: Snapshot) -> CodeType | None:
        """Return the code of a text; see `compile_module`."""
        try:
            return compile_module(spec, snapshot)
        except SyntaxError:
            self._running[-1].failed.append(FailedLoad(spec.name, snapshot, None))
            raise
