"""What IPython holds, as places where a hold path may begin, and what of it nobody wishes: outputs, the last errors."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from exocet_ipython.survivors.finding.reaching import leads_to_old
from exocet_ipython.survivors.finding.roots import Root

__all__ = ["Leftover", "find_leftovers", "shell_roots"]

_OUTPUT_NAME = re.compile(r"_{1,3}|_\d+")
_LAST = ("last_exc", "last_value", "last_type", "last_traceback")  # what Python keeps of an error that nobody caught


@dataclass(frozen=True, slots=True, eq=False)
class Leftover:
    """One value that IPython or Python keeps: how a person would write it, its type, and how it is let go of.

    It holds the value's holder, and never the value.
    """

    label: str
    kind: str
    let_go: Callable[[], object]

    def __str__(self) -> str:
        return f"{self.label}: {self.kind}"


def find_leftovers(shell: Any, old: Collection[int]) -> list[Leftover]:
    """Return what a shell keeps that leads to old objects, and that no name of the person's stands for.

    Args:
        shell: an `InteractiveShell`.
        old: ids of the retired modules, classes and functions that are alive.
    """
    spaces = {id(vars(module)) for module in list(sys.modules.values()) if hasattr(module, "__dict__")}
    spaces |= {id(shell.user_ns), id(shell.user_global_ns), id(sys.modules)}
    # The frames of each error lead to the shell, which is no reason to let go of the error.
    hook = shell.displayhook
    spaces |= {id(shell), id(hook), id(vars(hook)), id(shell.user_ns_hidden), id(shell.user_ns.get("Out"))}
    return [
        Leftover(label, type(values[0]).__qualname__, let_go)
        for label, values, let_go in _kept(shell)
        if any(leads_to_old(value, old, spaces) for value in values)
    ]


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


def _kept(shell: Any) -> Iterator[tuple[str, list[Any], Callable[[], object]]]:
    """Yield all that a shell keeps: how it is written, the values that go together, and how they are let go of."""
    # IPython compares them with its own notes, which differ where another program has put `_` into the builtins.
    spaces = [shell.user_ns, shell.user_ns_hidden, vars(shell.displayhook)]
    names = dict.fromkeys(name for space in spaces for name in list(space) if _OUTPUT_NAME.fullmatch(name))
    outputs = shell.user_ns.get("Out")
    if isinstance(outputs, dict):
        for number, value in list(outputs.items()):
            # `_5` is the same entry once more, unless the person has assigned it.
            same = f"_{number}" if all(space.get(f"_{number}", value) is value for space in spaces) else ""
            names.pop(same, None)
            yield f"Out[{number}]", [value], partial(_forget_entry, outputs, number, spaces, same)
    for name in names:
        # What is not what IPython has put there is the person's; what it has noted under the same name is its own.
        is_theirs = name in shell.user_ns and shell.user_ns[name] is not shell.user_ns_hidden.get(name)
        holding = [space for space in spaces[is_theirs:] if name in space]
        label = f"IPython's own {name}" if is_theirs else name
        yield label, [space[name] for space in holding], partial(_forget_output, holding, name)
    # IPython asks for all of them where one is there.
    yield "the last error", [value for name in _LAST if (value := getattr(sys, name, None)) is not None], _forget_error
    for label, owner, name in (
        ("the result of the last cell", shell, "last_execution_result"),
        ("the last traceback", shell.InteractiveTB, "tb"),
        ("the last debugger", shell.InteractiveTB, "pdb"),
        ("the last syntax error", shell.SyntaxTB, "last_syntax_error"),
    ):
        yield label, [getattr(owner, name, None)], partial(setattr, owner, name, None)


def _forget_entry(outputs: dict[Any, Any], number: Any, spaces: list[dict[str, Any]], name: str) -> None:
    outputs.pop(number, None)
    _forget_output(spaces, name)


def _forget_output(spaces: list[dict[str, Any]], name: str) -> None:
    """Take a name of the output cache away; `_`, `__` and `___` are empty then, as IPython begins.

    IPython compares them with its own notes, and stops updating them where they differ.
    """
    for space in spaces:
        if name in space:
            if name.strip("_"):
                del space[name]
            else:
                space[name] = ""


def _forget_error() -> None:
    for name in _LAST:
        if hasattr(sys, name):
            delattr(sys, name)
