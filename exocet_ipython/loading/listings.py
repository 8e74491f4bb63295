"""What finders remember of folders and archives: forgotten before it is asked for, since files may be new there."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

__all__ = ["forget_listings"]

_FORGETTING = threading.Lock()


def forget_listings() -> None:
    """Have the finders list their folders anew: a file saved a moment ago may not be in the lists that they keep.

    CPython's PathFinder deletes entries of a dict that it has just listed; two threads that do so at once find them
    deleted. Ours take turns, and where it was somebody else, the entries are gone, as they should be.
    """
    with _FORGETTING:
        _renew_relative()
        try:
            importlib.invalidate_caches()
        except KeyError:
            importlib.invalidate_caches()


def _renew_relative() -> None:
    """Have the finders of relative entries of `sys.path` look again: CPython drops them instead.

    The next one that is made for an archive is given the list that the last one had.
    """
    for place in sys.path:
        if place and not os.path.isabs(place):
            import pkgutil  # noqa: PLC0415 - hardly anybody has such entries

            finder: Any = pkgutil.get_importer(place)
            if hasattr(finder, "invalidate_caches"):
                finder.invalidate_caches()
