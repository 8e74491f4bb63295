"""A cell that a cell magic runs, shown as what it is: the rest of the person's cell, with its number and its lines."""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["shown_below"]


@contextmanager
def shown_below(shell: Any, magic: str) -> Iterator[None]:
    """Let the next cell that this thread runs be what stands below `%%magic` in the cell that is running.

    `run_cell` takes what it is given for a cell of its own: its tracebacks have the number of the next one, and count
    lines from below the magic. Its compiler is asked for a file name and for a tree, once each; here it gives those of
    the running cell. Where that does not begin with the magic, all is as IPython has it.
    """
    name = _running_cell(shell, f"get_ipython().run_cell_magic({magic!r}, ")
    if name is None:
        yield
        return

    def cache(text: str, number: int = 0, raw_code: str | None = None) -> str:  # noqa: ARG001 - the compiler's
        whole = f"# %%{magic}\n{text}"  # tracebacks mark what failed where this parses
        linecache.cache[name] = len(whole), None, whole.splitlines(keepends=True), name
        return name

    def ast_parse(source: str, *args: Any, **options: Any) -> Any:
        return type(shell.compile).ast_parse(shell.compile, f"\n{source}", *args, **options)

    hooks = [_once(shell.compile, cache), _once(shell.compile, ast_parse)]
    try:
        yield
    finally:
        for take_off in hooks:
            take_off()


def _once(owner: Any, instead: Callable[..., Any]) -> Callable[[], None]:
    """Have the next call that this thread makes to a method of an object go elsewhere; return what takes it back."""
    before, thread = getattr(owner, instead.__name__), threading.get_ident()

    def hook(*args: Any, **options: Any) -> Any:
        if threading.get_ident() != thread:
            return before(*args, **options)
        take_off()
        return instead(*args, **options)

    def take_off() -> None:
        if vars(owner).get(instead.__name__) is hook:
            delattr(owner, instead.__name__)

    setattr(owner, instead.__name__, hook)
    return take_off


def _running_cell(shell: Any, begin: str) -> str | None:
    """Return the file name that the running cell has for tracebacks, if its code begins so."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the documented way to the callers
    while frame is not None and shell.compile.format_code_name(frame.f_code.co_filename) is None:
        frame = frame.f_back
    name = None if frame is None else frame.f_code.co_filename
    return name if name is not None and linecache.getline(name, 1).startswith(begin) else None
