"""Byte code that is certain to be of a text: read with the stamp of the text in hand, and never when in doubt."""

from __future__ import annotations

import marshal
import struct
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from types import CodeType

from exocet_ipython.loading.files import FileStamp, read_file

__all__ = ["HEADER", "has_stamp", "read_bytecode"]

HEADER = 16  # bytes
_BY_TIME = MAGIC_NUMBER + bytes(4)  # flags: validated by time and size, not by a hash


def read_bytecode(spec: ModuleSpec, stamp: FileStamp) -> CodeType | None:
    """Return the code in a module's `.pyc`; None where there is none, or where it can be of another text.

    As importlib reads it (PEP 552; CPython `Lib/importlib/_bootstrap_external.py`, `SourceLoader.get_code`), but with
    no look at the source, since its stamp is known. The header holds whole seconds and the size, so an edit within
    that second that keeps the length would go unnoticed: a source that last changed before its `.pyc` was made is safe,
    for no program can set a change time.

    Args:
        spec: of a module that a plain `SourceFileLoader` loads.
        stamp: of its source.
    """
    try:
        made, data = read_file(spec.cached or "")
    except OSError:
        return None
    if not has_stamp(data, stamp) or stamp.changed >= made.changed:
        return None
    try:
        code = marshal.loads(memoryview(data)[HEADER:])  # noqa: S302 - the file that Python itself would run
    except (EOFError, ValueError, TypeError):
        return None
    # Moved with its source, it has the file name of before; importlib knows how to mend that.
    return code if isinstance(code, CodeType) and code.co_filename == spec.origin else None


def has_stamp(data: bytes, stamp: FileStamp) -> bool:
    """Say whether a `.pyc` of this Python has a file's time and size in its header (PEP 552)."""
    return data[:HEADER] == _BY_TIME + struct.pack("<II", stamp.modified // 10**9 & 0xFFFFFFFF, stamp.size & 0xFFFFFFFF)
