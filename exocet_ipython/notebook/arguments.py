"""What is written after the name of a magic, read."""

from __future__ import annotations

import ast
import keyword
import re
from argparse import Namespace
from collections.abc import Iterable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import parse_argstring

__all__ = ["parse_arguments", "parse_load", "require_dotted_names"]

_COMMENT = re.compile(r"(?:^|\s)#.*")
_LOAD_USAGE = "%exoload NAME [as ALIAS], or: %exoload from NAME import A, B as C"


def parse_arguments(magic: Any, line: str) -> Namespace:
    """Return the parsed arguments of a magic's line.

    It may end in a comment, and in a semicolon, which silences the output.

    Args:
        magic: the method, with its `magic_arguments`.
        line: what was written after its name.

    Raises:
        UsageError: an option is unknown, or a quote is not closed.
    """
    try:
        written = _COMMENT.sub("", line).rstrip()
        parsed: Namespace = parse_argstring(magic, written.removesuffix(";"))
    except (UsageError, ValueError) as error:
        raise UsageError(f"%{magic.__name__}: {error}; see %{magic.__name__}?") from None
    return parsed


def require_dotted_names(magic: str, kind: str, words: Iterable[str]) -> None:
    """Let pass what may be dotted names of things of a kind, given in the plural.

    Raises:
        UsageError: a word can't be one: it has quotes, slashes or commas in it, or is a keyword.

    >>> require_dotted_names("%exoreload", "modules", ["game.world"])
    """
    for word in words:
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in word.split(".")):
            raise UsageError(f"{magic} can't read {word!r}: it takes dotted names of {kind}; %exostatus lists them")


def parse_load(words: list[str]) -> ast.Import | ast.ImportFrom:
    """Parse what `%exoload` was given as the import statement that it is.

    Raises:
        UsageError: it is none, or not of one module with a whole name.

    >>> ast.unparse(parse_load(["game.world", "as", "w"]))
    'import game.world as w'
    """
    text = " ".join(words)
    if not text:
        raise UsageError(f"%exoload needs a module. Use: {_LOAD_USAGE}")
    try:
        statements = ast.parse(text if text.startswith("from ") else f"import {text}").body
    except SyntaxError:
        statements = []
    match statements:
        case [ast.Import(names=[_]) as statement]:
            return statement
        case [ast.ImportFrom(level=0) as statement]:
            return statement
        case [ast.Import()]:
            raise UsageError(f"%exoload takes one module at a time, not {text!r}. Use: {_LOAD_USAGE}")
    if text.startswith((".", "from .")):
        raise UsageError(f"%exoload needs whole names: {text!r} is relative to nothing here. Use: {_LOAD_USAGE}")
    raise UsageError(f"%exoload can't read {text!r}. Use: {_LOAD_USAGE}")
