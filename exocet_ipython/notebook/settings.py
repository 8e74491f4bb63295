"""The settings of one session: traitlets, so that a configuration file, `%config` and the command line reach them."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from traitlets import Bool, Enum, Float, List, TraitError, Unicode
from traitlets.config import Configurable

__all__ = ["Exocet", "read_settings"]


_PATTERNS = (
    " Each is a dotted name (game.world, game.*), or a file or folder: game/world.py, */vendored, ~/lib, ./game in the "
    "working folder."
)


class Exocet(Configurable):
    """Live reloading of modules.

    The class is named for the person: `c.Exocet.report = "full"` in a configuration file, `%config Exocet.report`.
    """

    report = Enum(
        ["quiet", "brief", "full"],
        default_value="brief",
        help="What a report shows as text: one line, or each module, name and old object. "
        "quiet: an automatic reload shows nothing unless it fails.",
    ).tag(config=True)
    auto = Bool(default_value=False, help="Whether %exoauto is on from the start.").tag(config=True)
    include = List(
        Unicode(), help=f"Patterns of modules that are reloaded although they are installed.{_PATTERNS}"
    ).tag(config=True)
    exclude = List(Unicode(), help=f"Patterns of modules that are never reloaded.{_PATTERNS}").tag(config=True)
    frozen = List(
        Unicode(),
        help="Patterns of modules that never run again, even when their file changes, unless they are named. "
        f"A module can say so itself with __exo_frozen__ = True.{_PATTERNS}",
    ).tag(config=True)
    rerun_limit = Float(
        default_value=30.0,
        min=0.0,
        allow_none=True,
        help="Seconds. An automatic reload of modules that took longer when they ran last waits for %exoreload. "
        "None: never.",
    ).tag(config=True)
    instances = Enum(
        ["track", "migrate"],
        default_value=None,
        allow_none=True,
        help="What becomes of old instances and functions after a reload: they are only tracked, or moved to the new "
        "code. Unless set, %exoload and %exoreload track, and %exoauto migrates.",
    ).tag(config=True)
    on_error = Enum(
        ["run", "stop"],
        default_value="run",
        help="What happens to a cell when the automatic reload before it failed: it runs on the old code, or it "
        "doesn't run.",
    ).tag(config=True)


def read_settings(shell: Any) -> Exocet:
    """Return the settings as the configuration of a shell has them.

    Raises:
        UsageError: one of the values is none that the setting can have.
    """
    try:
        return Exocet(parent=shell)
    except TraitError as error:
        raise UsageError(
            f"exocet_ipython is not loaded: {error} Correct it where it is set (ipython_config.py, the command line, "
            "%config), or forget all that is set in this session: del get_ipython().config.Exocet"
        ) from None
