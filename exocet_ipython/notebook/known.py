"""Where IPython itself holds objects, as places from which a hold path may begin."""

from __future__ import annotations

from typing import Any

from exocet_ipython.survivors.finding.roots import Root

__all__ = ["shell_roots"]


def shell_roots(shell: Any) -> list[Root]:
    """Return the places of an `InteractiveShell` that hold what cells made: callbacks, tracebacks, outputs, itself."""
    ip = "get_ipython()"
    callbacks = shell.events.callbacks
    return [
        Root("shell", ip, shell),
        *(Root("callback", f'{ip}.events.callbacks["{event}"]', callbacks[event]) for event in callbacks),
        Root("traceback", f"{ip}.InteractiveTB", shell.InteractiveTB),
        Root("traceback", f"{ip}.SyntaxTB", shell.SyntaxTB),
        Root("output", f"{ip}.displayhook", shell.displayhook),
        Root("output", f"{ip}.user_ns_hidden", shell.user_ns_hidden),
    ]
