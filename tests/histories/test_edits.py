"""The edits that are drawn: that each kind can be made, and leaves a text that compiles."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.histories.edits import KINDS, edit_files
from tests.histories.holding import draw_held
from tests.histories.moves import MOVES
from tests.histories.sources import Source

TEXT = '''\
"""A module."""

import enum
from functools import lru_cache

LIMITS = [1, 2, 3]
STRICT = True


class Base:
    """What others derive from."""

    name = "é"

    def one(self, value, other=None):
        """One of two methods."""
        if value < 3:
            value = "less"
        return value

    def two(self):
        return self.one(2)


    @property
    def three(self):
        return 3


class Derived(Base):
    more = ("a", "b")


class Slotted:
    __slots__ = ("value",)


class Kind(enum.Enum):
    ONE = 1


@lru_cache
def helper(value):
    value = [value]
    return value
'''


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_made(kind: str) -> None:
    """Each kind of edit changes a module that has everything, however chance falls, and it compiles."""
    for seed in range(8):
        after = KINDS[kind](Source(TEXT), random.Random(seed))  # noqa: S311 - no secret
        assert after, "no place was found"
        assert after != TEXT
        compile(after, "edited.py", "exec")


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"a global", "an import"}))
def test_edits_need_a_place(kind: str) -> None:
    """Where a module has nothing to edit, no edit is made."""
    assert KINDS[kind](Source("'A module.'\n"), random.Random(0)) is None  # noqa: S311 - no secret


@pytest.mark.parametrize("kind", MOVES)
def test_each_move_can_be_made(kind: str, tmp_path: Path) -> None:
    """Each move changes what files there are, and leaves what a module has to whoever imports it."""
    (tmp_path / "__init__.py").write_text("", "utf-8")
    path = tmp_path / "part.py"
    path.write_text(TEXT, "utf-8")
    for seed in range(8):
        texts = MOVES[kind](path, random.Random(seed))  # noqa: S311 - no secret
        assert texts is not None
        assert len(texts) == 2
        for text in texts.values():
            compile(text or "", "edited.py", "exec")


def test_modules_are_held(tmp_path: Path) -> None:
    """The cells that are drawn are Python, and each has a title and something that can be asked."""
    path = tmp_path / "part.py"
    path.write_text(TEXT, "utf-8")
    for seed in range(8):
        for held in draw_held({"part": path}, 20, random.Random(seed)):  # noqa: S311 - no secret
            compile(held.cell, "cell.py", "exec")
            compile(held.asked, "asked.py", "eval")
            assert held.title.startswith("# held_")
    assert draw_held({}, 20, random.Random(0)) == []  # noqa: S311 - no secret


def test_edits_are_drawn(tmp_path: Path) -> None:
    """As many edits as are asked for are written, the same ones from the same chance."""
    said, texts = [], []
    for again in ("a.py", "b.py"):
        (tmp_path / again).write_text(TEXT, "utf-8")
        said.append(edit_files([tmp_path / again], 3, random.Random(7)))  # noqa: S311 - no secret
        texts.append((tmp_path / again).read_text("utf-8"))
    assert len(said[0]) == 3
    assert texts[0] == texts[1] != TEXT
