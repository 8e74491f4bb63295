"""What an import leaves to be done: in a thread, while the person reads, and before the next cell at the latest."""

from __future__ import annotations

import ast
import functools
import re
import sys
import threading
from collections.abc import Callable

from exocet_ipython.loading.parsing import parse_text

__all__ = ["Afterwards", "may_load", "only_imports"]

_IMPORT = re.compile(r"(?:^|[;:])[ \t]*(?:from[ \t]+([.\w]+)[ \t]+)?import\b([^;\n#]*)", re.MULTILINE)


class Afterwards:
    """One function at a time that runs beside the person's thinking, and is waited for.

    It is no daemon: a kernel that ends meanwhile waits for it, which takes milliseconds.

    >>> done, afterwards = [], Afterwards()
    >>> afterwards.start(lambda: done.append("read"))
    >>> afterwards.wait()
    >>> done
    ['read']
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Run something in a thread, when what was started before is done."""
        with self._lock:
            self._wait()
            self._thread = threading.Thread(target=self._run, args=(work,), name="exocet_ipython, after imports")
            self._thread.start()

    def wait(self) -> None:
        """Wait until what was started is done; what it raised is raised here, once."""
        if self._thread is not None:
            with self._lock:
                self._wait()

    def _wait(self) -> None:
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        if (error := self._error) is not None:
            self._error = None
            raise error

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error


@functools.lru_cache(4)  # asked at the end of each import
def only_imports(cell: str) -> bool:
    r"""Say whether a cell does nothing but import: what its modules hold when it ends is what the imports left there.

    >>> only_imports("import a\nfrom b import c"), only_imports("import a\na.SIZE = 3")
    (True, False)
    """
    body = parse_text(cell).body
    return bool(body) and all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in body)


def may_load(cell: str) -> bool:
    r"""Say whether an import statement of a cell may name what is not loaded yet.

    >>> may_load("import sys; from os import path"), may_load("import sys, nowhere"), may_load("x = 1")
    (False, True, False)
    """
    if "import" not in cell:  # most have none
        return False
    return any(not _is_there(package, name) for package, names in _IMPORT.findall(cell) for name in names.split(","))


def _is_there(package: str, name: str) -> bool:
    """Say whether a module is loaded, or what is imported from one is there; nothing is asked for it."""
    words = name.split(maxsplit=1) or [""]
    if not package:
        return words[0] in sys.modules
    return words[0] in getattr(sys.modules.get(package), "__dict__", ()) or f"{package}.{words[0]}" in sys.modules
