"""Which detector serves on this system."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from exocet_ipython.reloading.noticing.changes import Detector, StatSweep
from exocet_ipython.reloading.noticing.watch import InotifyWatch

__all__ = ["make_detector"]


def make_detector() -> Detector:
    """Return the detector for this system: watches on Linux, the stat sweep everywhere else.

    >>> detector = make_detector()
    >>> bool(detector.suspects())
    False
    >>> detector.close()
    """
    if sys.platform != "linux":
        return StatSweep()
    if find_spec("inotify_simple") is None:  # a dependency on Linux only, imported when there is something to watch
        return StatSweep(
            ("the files are looked at one by one, since inotify_simple is missing: pip install inotify_simple",)
        )
    return InotifyWatch()
