"""Compiling and running a module's body: with its loader, and never with byte code that may be older than the text."""

from __future__ import annotations

import builtins
import contextlib
import os
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.interrupts import interruptible
from exocet_ipython.loading.source import Snapshot

__all__ = ["bytecode_is_safe", "compile_for_reading", "compile_module", "run_body", "run_module", "without_bytecode"]


def compile_module(spec: ModuleSpec, snapshot: Snapshot) -> CodeType | None:
    """Return the code of a module from the very text of its snapshot; None when its loader must run it itself.

    A `.pyc` is never read: it is validated by whole seconds and the size, so two edits within one second that keep
    the length would give the older code. Import hooks that override `source_to_code` or `get_code` are respected.
    """
    loader: Any = spec.loader
    kind = type(loader)
    if getattr(kind, "exec_module", None) is not SourceFileLoader.exec_module:
        return None
    if kind.get_code is SourceFileLoader.get_code and snapshot.data is not None:
        try:
            code: CodeType = loader.source_to_code(snapshot.data, snapshot.path)
        except SyntaxError as error:
            if error.filename is None:  # Python says of null bytes only that there are some
                error.filename = snapshot.path
                error.lineno = snapshot.data.partition(b"\0")[0].count(b"\n") + 1
            raise
        return code
    with without_bytecode(loader):
        compiled: CodeType | None = loader.get_code(spec.name)
    return compiled


def compile_for_reading(snapshot: Snapshot) -> CodeType | None:
    """Compile a text to read its imports; None where there is none, or where it was broken since the module ran."""
    if snapshot.data is None or snapshot.path is None:
        return None
    try:
        return compile(snapshot.data, snapshot.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None


def run_module(module: ModuleType, spec: ModuleSpec) -> None:
    """Run a module's body as its loader does, with whatever `__builtins__` its dict holds."""
    loader: Any = spec.loader
    if loader is None:
        return  # a namespace package
    if getattr(type(loader), "get_code", None) is not SourceFileLoader.get_code or bytecode_is_safe(spec):
        with contextlib.nullcontext() if bytecode_is_safe(spec) else without_bytecode(loader):
            loader.exec_module(module)
        return
    with without_bytecode(loader):
        loader.exec_module(module)


@interruptible
def run_body(code: CodeType, module: ModuleType, body_builtins: dict[str, Any]) -> None:
    """Run a module's code so that only the frame of its body has `body_builtins`.

    A frame's builtins are fixed when it is made, a function's when it is defined: both from `__builtins__` at that
    moment. So the import statements of the body itself are ours, and every function and class it defines has the
    real builtins for good (CPython `Objects/funcobject.c`, `_PyEval_BuiltinsFromGlobals`).
    """
    namespace = vars(module)
    namespace["__builtins__"] = body_builtins
    body = FunctionType(code, namespace)
    namespace["__builtins__"] = vars(builtins)
    body()


@contextlib.contextmanager
def without_bytecode(loader: Any) -> Iterator[None]:
    """Keep a source loader from reading and writing `.pyc` files for a while.

    importlib skips the cache when the source's statistics are not to be had (`SourceLoader.get_code`).
    """

    def refuse(path: str) -> Any:
        raise OSError(f"the byte code of {path} is not used")

    if not hasattr(loader, "path_stats"):
        yield
        return
    loader.path_stats = refuse
    try:
        yield
    finally:
        with contextlib.suppress(AttributeError):  # a loader shared with another thread's load: already off
            del loader.path_stats


def bytecode_is_safe(spec: ModuleSpec) -> bool:
    """Say whether the module's `.pyc` can't be older than its source.

    Its header holds whole seconds and the size, so an edit within that second that keeps the length goes unnoticed.
    The change time of a file can't be set by any program: source last changed before its `.pyc` was made is safe.
    """
    if spec.cached is None or spec.origin is None:
        return True
    try:
        return os.stat(spec.origin).st_ctime_ns < os.stat(spec.cached).st_ctime_ns
    except OSError:
        return True  # no .pyc yet, or no file at all
