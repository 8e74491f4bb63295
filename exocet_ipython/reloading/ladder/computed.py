"""Code that computes a name: `getattr(x, name)`, `eval`, `globals()`. What it calls can't be read from it."""

from __future__ import annotations

import dis
from types import CodeType

from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.ladder.operations import argument_at, iter_operations, words

__all__ = ["COMPUTING", "computes_names"]

# What gives access to anything by a name that need not be written anywhere.
_ANY = words("__dict__ __getattribute__ __import__ dir eval exec f_globals f_locals getmembers globals locals vars")
# What takes a name as the argument of this number, from 0; with a constant there the name is known.
_ASKING = {"getattr": 1, "hasattr": 1, "attrgetter": 0, "methodcaller": 0}
COMPUTING = _ANY | _ASKING.keys()  # code without any of these names computes none
_CALLS = frozenset(dis.opmap[name] for name in ("PRECALL", "CALL") if name in dis.opmap)
_CALL_KW = dis.opmap.get("CALL_KW", -1)  # 3.13
_PUSH_NULL = dis.opmap["PUSH_NULL"]
_CONSTANTS = frozenset(dis.hasconst)
_JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_KW_NAMES = dis.opmap.get("KW_NAMES", -1)
_STORES = frozenset(number for name, number in dis.opmap.items() if name.startswith(("STORE_", "RETURN_")))


def computes_names(code: CodeType, *, whole: bool) -> bool:
    """Say whether code may call a function whose name it doesn't spell.

    Args:
        code: a function's or a body's.
        whole: whether the functions inside count as well.

    >>> [computes_names(compile(text, "m.py", "exec"), whole=True) for text in ("getattr(x, 'f')()", "getattr(x, n)()")]
    [False, True]
    """
    names = frozenset(code.co_names)
    if names & _ANY or (not names.isdisjoint(_ASKING) and _asks_computed(code)):
        return True
    return whole and any(computes_names(inner, whole=True) for inner in nested(code))


def _asks_computed(code: CodeType) -> bool:
    operations = list(iter_operations(code))
    for place, (_, _, argument) in enumerate(operations):
        name = argument[0] if type(argument) is tuple and argument else argument
        if type(name) is str and name in _ASKING and not _is_constant(code, operations, place, _ASKING[name]):
            return True
    return False


def _is_constant(code: CodeType, operations: list[tuple[int, int, object]], place: int, number: int) -> bool:
    """Say whether an argument of the call that follows is a constant: the last thing that made the stack that deep.

    Stored or handed on (`g = getattr`), and with a branch between its arguments, a call's arguments aren't known.
    """
    if operations[place][1] in _CONSTANTS:
        return True  # a string that reads like it
    if operations[place + 1][1] == _PUSH_NULL:
        place += 1  # where the null comes after what is called (3.13)
    depth, last = 0, -1
    for offset, operation, _ in operations[place + 1 :]:
        argument = argument_at(code.co_code, offset) if operation >= dis.HAVE_ARGUMENT else None
        if (operation in _CALLS and depth == argument) or (operation == _CALL_KW and depth - 1 == argument):
            return last in _CONSTANTS
        if operation in _JUMPS or operation in _STORES or depth < 0:
            return False
        if operation != _KW_NAMES:
            depth += dis.stack_effect(operation, argument, jump=False)
            if depth == number + 1:
                last = operation
    return False
