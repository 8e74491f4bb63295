"""What is compiled where only a few functions of a text differ: never to anything but what the compiler makes of it."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import exocet_ipython
from exocet_ipython.reloading.ladder.recompiling import recompile

HEAD = b'"""A module."""\nfrom __future__ import annotations\nimport os.path as paths, json\n\n'
TAIL = b"\ndef last(x: Missing = 1):\n    return paths.join(x), json.dumps(x)\n" + b"".join(
    b"\nclass Box%d:\n    line = %d\n    def size(self):\n        return lambda: paths.sep.join(self)\n"
    % (number, number)
    for number in range(12)
)
FUNCTION = b"def work(a, b=2):\n    return paths.join(a, b)\n"


def told(code: CodeType) -> Iterator[Any]:
    """Yield all that a code object consists of, its constants with their types and what is inside of it included."""
    for name in dir(code):
        if name.startswith("co_") and name not in ("co_consts", "co_lnotab") and not callable(getattr(code, name)):
            yield name, getattr(code, name)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from told(const)
        else:
            yield type(const), repr(sorted(const, key=repr) if isinstance(const, frozenset) else const)


def whole(text: bytes) -> CodeType:
    """Compile a text whole."""
    return compile(text, "m.py", "exec", dont_inherit=True)


def is_recompiled(before: bytes, after: bytes) -> bool:
    """Say whether only parts of a text were compiled; what that gave must be what the whole gives."""
    code = recompile(whole(before), before, after)
    if code is None:
        return False
    assert list(told(code)) == list(told(whole(after)))
    return True


@pytest.mark.parametrize(
    "after",
    [
        FUNCTION.replace(b"join", b"split"),
        FUNCTION.replace(b"    return", b"    # why\n\n    return"),
        FUNCTION.replace(b", b)", b"," + b" " * 200 + b"b)"),
        b"def work(a, b=2): return [x for x in a]\n",
        b"async def work(a, b=2):\n    return b\n",
        "def work(a, b=2):\n    é = 'ñ' + a\n    return é\n".encode(),
        b"def work(a, b=2):\r\n    return b\r\n",
    ],
)
def test_a_function_that_does_something_else_is_compiled_alone(after: bytes) -> None:
    """The lines after it move, an import is called as in the module, and columns may be anything."""
    assert is_recompiled(HEAD + FUNCTION + TAIL, HEAD + after + TAIL)
    assert is_recompiled(HEAD + TAIL + FUNCTION, HEAD + TAIL + after)
    assert is_recompiled(FUNCTION + TAIL, after + TAIL)


@pytest.mark.parametrize(
    "after",
    [
        b"def work(a, b=3):\n    return b\n",  # its default is computed at import
        b"def other(a, b=2):\n    return b\n",
        b"class work:\n    b = 2\n",
        b"@print\n" + FUNCTION,
        FUNCTION + b"LIMIT = 3\n",
        FUNCTION + FUNCTION.replace(b"work", b"more"),
        b"def work(a, b=2):\n    global a_name\n    a_name = b\n",
        b'def work(a, b=2):\n    """A docstring:\ndef no_function():\n"""\n    return b\n',
        b"def work(a, b=2):\n    return b\n@json.dumps\n",
        b"",
    ],
)
def test_a_text_whose_body_does_something_else_is_compiled_whole(after: bytes) -> None:
    """What is run at import, and which names there are, isn't decided by one function."""
    assert not is_recompiled(HEAD + FUNCTION + TAIL, HEAD + after + TAIL)


@pytest.mark.parametrize(
    "after",
    [
        b'def work(a, b=2):\n    return """\n',
        b"def work(a, b=2):\n    return (\n",
        b"def work(a, b=2):\n",
        b"def work(a, b=2):\n    return b\0\n",
        b"def work(a, b=2):\n    return '\xff'\n",
        b"def work(a, b=2):\n    return b\nif a:\n",
    ],
)
def test_a_broken_text_is_left_to_the_compiler(after: bytes) -> None:
    """It may be broken, or mean something else, only together with what follows."""
    with pytest.raises((SyntaxError, ValueError)):
        whole(HEAD + after + TAIL)
    assert recompile(whole(HEAD + FUNCTION + TAIL), HEAD + FUNCTION + TAIL, HEAD + after + TAIL) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b'X = """\ndef f():\n    return 1\n"""\nY = """\n"""\n',
            b'X = """\ndef f():\n    return 2\n"""\nY = """\n"""\n',
        ),
        (b'X = """\ndef f(): """; g = lambda: 1\n', b'X = """\ndef f(): """; g = lambda: 2\n'),
        (b"# coding: latin-1\ndef f():\n    return '\xe9'\n", b"# coding: latin-1\ndef f():\n    return '\xe8'\n"),
        (b"def f():\n    return 1\x0c\n", b"def f():\n    return 2\x0c\n"),
        (b"def f():\r    return 1\n", b"def f():\r    return 2\n"),
    ],
)
def test_what_only_looks_like_a_definition_is_not_taken_for_one(before: bytes, after: bytes) -> None:
    """A line of a string may begin like one; in other encodings and line ends nothing is certain."""
    assert not is_recompiled(before + TAIL, after + TAIL)


def test_equal_lambdas_in_one_line_stay_as_many_constants_as_the_compiler_makes() -> None:
    """Whether two are one depends on the version of Python."""
    before = FUNCTION + b"x = lambda: 0; y = lambda: 1\n" + TAIL
    is_recompiled(before, before.replace(b"lambda: 1\n", b"lambda: 0\n"))


def test_random_edits_of_real_modules_give_what_the_compiler_gives() -> None:
    """Whatever is inserted, deleted or changed, in thousands of lines; and in many cases only a part is compiled."""
    choose = random.Random(20261128)  # noqa: S311 - not for secrets
    paths = sorted(Path(exocet_ipython.__file__).parent.rglob("*.py"))
    paths += [Path(random.__file__), Path(warnings.__file__), Path(__file__)]
    alone = broken = 0
    for before in choose.sample([text for path in paths if (text := path.read_bytes())], 60):
        for _ in range(8):
            after = b"".join(_edited(before.splitlines(keepends=True), choose))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                try:
                    whole(after)
                except (SyntaxError, ValueError):
                    broken += 1
                    assert recompile(whole(before), before, after) is None
                    continue
                alone += is_recompiled(before, after)
    assert alone > 100
    assert broken > 100


LINES = (
    b"    x = 1\n",
    b"\n",
    b'    """\n',
    b"def f(): pass\n",
    b"    global name\n",
    b"X = (1,\n",
    b")\n",
    b"    y = 'abc' * \\\n",
    b"    def inner(self):\n",
    b"\\\n",
    b"else:\n",
    b"@dec\n",
    b"    x = [i for i in y]; z = lambda: 0\n",
    b"_\n",
)


def _edited(lines: list[bytes], choose: random.Random) -> list[bytes]:
    """Return the lines of a text after one to three edits."""
    for _ in range(choose.choice((1, 1, 2, 3)) if len(lines) > 3 else 0):
        place = choose.randrange(len(lines))
        line = lines[place]
        indent = line[: len(line) - len(line.lstrip())]
        lines[place : place + 1] = choose.choice(
            (
                [line.rstrip(b"\n") + b"  # said\n"],
                [line.replace(b"1", b"12").replace(b"self", b"this")],
                [],
                [line, b"\n"],
                [choose.choice(LINES), line],
                [indent + choose.choice((b"x = 1", b"print(x, 3.5)", b"y: int = 3")) + b"\n", line],
                [choose.choice(lines)],
            )
        )
    return lines
