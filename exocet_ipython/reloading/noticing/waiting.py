"""What is to be watched when the next question is asked: an import only costs what it costs.

A file's stamp tells what happened to it meanwhile. No stamp tells which entries of a folder came and went, so the
folders are watched at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.followed import absolute_path
from exocet_ipython.reloading.noticing.listeners import Place
from exocet_ipython.reloading.noticing.places import Places

__all__ = ["Waiting"]


class Waiting:
    """Snapshots whose files are followed and not yet watched, and the places of their folders.

    Attributes:
        snapshots: by their `id`.
    """

    def __init__(self) -> None:
        self.snapshots: dict[int, Snapshot] = {}
        self._folders: dict[str, Place] = {}

    def __bool__(self) -> bool:
        return bool(self.snapshots)

    def __repr__(self) -> str:
        return f"<{len(self.snapshots)} files that wait to be watched>"

    def add(self, snapshots: Iterable[Snapshot], places: Places) -> None:
        """Let snapshots wait, and have the folders of their files watched."""
        folders: dict[str, None] = {}
        for snapshot in snapshots:
            if snapshot.path is not None:
                self.snapshots[id(snapshot)] = snapshot
                folders[os.path.dirname(snapshot.path)] = None
        for path in map(absolute_path, folders):
            if path not in self._folders:
                self._folders[path] = places.search(path)

    def take(self) -> list[Snapshot]:
        """Return what waits, which then waits no more; its folders are kept until `leave`."""
        taken, self.snapshots = list(self.snapshots.values()), {}
        return taken

    def leave(self, places: Places) -> None:
        """Give up the folders, unless something waits."""
        if not self.snapshots:
            for place in self._folders.values():
                places.leave(place)
            self._folders = {}
