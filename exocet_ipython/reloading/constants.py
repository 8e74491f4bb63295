"""What the constants of code say: its strings, and which of them read like the name of a module."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

__all__ = ["is_dotted", "strings_of"]


def strings_of(code: CodeType) -> Iterator[str]:
    """Yield the strings that are constants of code, those in tuples included: `for name in ("fast", "slow"):`.

    >>> list(strings_of(compile("for name in ('fast', 'slow'): load(name, 'r')", "m.py", "exec")))
    ['fast', 'slow', 'r']
    """
    for const in code.co_consts:
        yield from (part for part in (const if type(const) is tuple else (const,)) if type(part) is str)


def is_dotted(text: str) -> bool:
    """Say whether a text is a dotted name.

    >>> is_dotted("app.models"), is_dotted("models/"), is_dotted(".models")
    (True, False, False)
    """
    return all(part.isidentifier() for part in text.split("."))
