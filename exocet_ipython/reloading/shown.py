"""Texts that tracebacks show in place of what is on disk: of modules that go on running what their files said before.

So it is after a reload that failed or was left undone. `linecache` looks at the disk whenever the size or the time of a
file differs; what it has without a time it takes as it is (CPython `Lib/linecache.py`, `checkcache`).
"""

from __future__ import annotations

import importlib.util
import io
import linecache
from collections.abc import Iterable
from typing import Any

from exocet_ipython.loading.source import Snapshot

__all__ = ["ShownTexts"]


class ShownTexts:
    r"""The texts that `linecache` has of modules whose files say something else by now.

    Attributes:
        is_due: whether there are texts that `show` would show: the error of the reload is to show the other ones.

    >>> shown = ShownTexts()
    >>> shown.prepare([Snapshot("app", "/nowhere/app.py", b"x = 1\n")])
    >>> shown.show()
    >>> linecache.getline("/nowhere/app.py", 1)
    'x = 1\n'
    >>> shown.prepare([])
    >>> linecache.getline("/nowhere/app.py", 1)
    ''
    """

    def __init__(self) -> None:
        self.is_due = False
        self._waiting: list[Snapshot] = []
        self._shown: dict[str, Any] = {}  # path of a file -> the entry of `linecache`

    def __repr__(self) -> str:
        return f"<{len(self._shown)} texts in place of those on disk>"

    def prepare(self, snapshots: Iterable[Snapshot]) -> None:
        """Note which texts, and no others, are to be shown when it is asked for.

        Args:
            snapshots: of the modules; what has no text is left out.
        """
        self.let_go()
        self._waiting = [snapshot for snapshot in snapshots if snapshot.data and snapshot.path]
        self.is_due = bool(self._waiting)

    def show(self) -> None:
        """Have `linecache` show what was prepared."""
        for snapshot in self._waiting:
            path, text = snapshot.path or "", importlib.util.decode_source(snapshot.data or b"")
            entry = len(text), None, [*io.StringIO(text)], path  # by the lines that the compiler counts
            self._shown[path] = linecache.cache[path] = entry
        self._waiting, self.is_due = [], False

    def let_go(self) -> None:
        """Have `linecache` look at the disk again; harmless when nothing is shown."""
        for path, entry in self._shown.items():
            if linecache.cache.get(path) is entry:
                del linecache.cache[path]
        self._shown.clear()
