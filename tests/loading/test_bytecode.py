"""Byte code that is only read when it is certain to be of a text."""

from __future__ import annotations

import importlib.util
import os
import py_compile
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from exocet_ipython.loading.bytecode import read_bytecode
from exocet_ipython.loading.files import stamp_file

INVALIDATION = py_compile.PycInvalidationMode


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A module whose file has been there for a while."""
    path = tmp_path / "mod.py"
    path.write_text("x = 1\n")
    return path


def spec_of(path: Path) -> ModuleSpec:
    """Return the spec that Python's own finder would give."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    return spec


def cache_of(path: Path) -> Path:
    """Return where the `.pyc` of a module is."""
    return Path(str(spec_of(path).cached))


def compile_later(path: Path, invalidation: INVALIDATION = INVALIDATION.TIMESTAMP) -> None:
    """Write the `.pyc` of a module when the clock of the file system shows that it is younger."""
    cached = cache_of(path)
    while not cached.exists() or cached.stat().st_ctime_ns <= path.stat().st_ctime_ns:
        py_compile.compile(str(path), doraise=True, invalidation_mode=invalidation)


def names_in(path: Path) -> tuple[str, ...] | None:
    """Return the names in the code that is read for the text that is there now; None where none is."""
    code = read_bytecode(spec_of(path), stamp_file(str(path)))
    return None if code is None else code.co_names


def test_code_of_the_text(source: Path) -> None:
    """A `.pyc` made after the source last changed is read, as importlib would."""
    compile_later(source)
    assert names_in(source) == ("x",)


def test_an_edit_of_the_same_size_and_time_is_another_text(source: Path) -> None:
    """A header that still fits proves nothing when the source was changed after the `.pyc` was made."""
    compile_later(source)
    before = source.stat()
    cached = cache_of(source)
    while source.stat().st_ctime_ns <= cached.stat().st_ctime_ns:
        source.write_text("y = 1\n")
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert names_in(source) is None


@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "of another Python", "no code"])
def test_what_can_not_be_trusted_is_not_read(source: Path, damage: str) -> None:
    """No `.pyc`, or one that importlib would refuse: there is no code, and no error."""
    compile_later(source)
    cached = cache_of(source)
    whole = cached.read_bytes()
    match damage:
        case "missing":
            cached.unlink()
        case "empty":
            cached.write_bytes(b"")
        case "cut short":
            cached.write_bytes(whole[:30])
        case "of another Python":
            cached.write_bytes(b"\0\0\r\n" + whole[4:])
        case _:
            cached.write_bytes(whole[:16] + b"N")  # None, in marshal's format
    assert names_in(source) is None


def test_hashes_are_left_to_importlib(source: Path) -> None:
    """A `.pyc` that is validated by a hash of the source is importlib's to read."""
    compile_later(source, INVALIDATION.CHECKED_HASH)
    assert names_in(source) is None


def test_a_file_moved_with_its_bytecode_is_left_to_importlib(source: Path, tmp_path: Path) -> None:
    """Code that still has the file name of before would be wrong in tracebacks; importlib mends it."""
    compile_later(source)
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    try:
        path = moved / source.name
        assert cache_of(path).exists()
        assert names_in(path) is None
    finally:
        moved.rename(tmp_path)
