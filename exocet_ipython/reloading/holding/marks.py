"""What libraries' objects keep where no attribute shows it: the numbers of an array, the items of a queue.

A mark tells whether it has changed, and whether two objects have the same. It holds nothing alive, and takes no longer
than a look at some thousands of numbers.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable
from typing import Any

from exocet_ipython.loading.classes import library_of

__all__ = ["connection_of", "is_marked", "is_theirs", "kind_of", "mark_of", "may_go_on"]

_MANY = 1 << 16  # numbers of an array; of a larger one, so many are looked at
_LARGE = 1 << 26  # bytes of a database; of a larger one, only the tables and the size are looked at
_ROWS = 1_000


def _mark_array(value: Any) -> int:
    some = value.flat[:: max(1, value.size // _MANY)]
    return zlib.crc32(some.tobytes()) ^ hash((value.shape, str(value.dtype)))


def _mark_table(value: Any) -> int:
    some = value.iloc[:: max(1, len(value) // _ROWS)]
    total = sys.modules["pandas"].util.hash_pandas_object(some).sum()
    return hash((int(total), value.shape, str(getattr(value, "dtypes", "")), repr(getattr(value, "name", ""))))


def _mark_variable(value: Any) -> int:
    held = value.get(None)
    return hash(held) if isinstance(held, (str, int, float, type(None))) else id(held)


def _mark_sorted(value: Any) -> int:
    return hash((len(value), repr(value[:: max(1, len(value) // _ROWS)])))


def _mark_database(value: Any) -> int:
    """Return the mark of a database that is in memory; one in a file is there for all that open it."""
    cursor = value.cursor()
    cursor.row_factory = None

    def ask(what: str) -> list[Any]:
        return list(cursor.execute(what))

    if any(file for _, _, file in ask("pragma database_list")):
        return hash("file")
    (pages,), (size,) = *ask("pragma page_count"), *ask("pragma page_size")
    if not pages:
        return hash("empty")
    if pages * size > _LARGE:
        return hash((pages, str(ask("select sql from sqlite_master"))))
    return zlib.crc32(value.serialize())


def _mark_engine(value: Any) -> int:
    if value.dialect.name != "sqlite" or value.url.database not in (None, "", ":memory:"):
        return hash("file")
    connection = connection_of(value)
    return hash("empty") if connection is None else _mark_database(connection)


def connection_of(engine: Any) -> Any:
    """Return the connection that an engine of SQLAlchemy has to its database in memory; None where it has none yet."""
    pool = vars(engine.pool)  # asking it for a connection would begin and end what a session does
    records = [*pool.get("_all_conns", ()), *filter(None, [pool.get("connection")])]
    return records[0].dbapi_connection if records else None


_BUFFERS: dict[tuple[str, str], Callable[[Any], int]] = {
    ("builtins", "bytearray"): zlib.crc32,
    ("array", "array"): zlib.crc32,
    ("numpy", "ndarray"): _mark_array,
    ("pandas", "DataFrame"): _mark_table,
    ("pandas", "Series"): _mark_table,
}


def _mark_queue(value: Any) -> int:
    return hash((value.qsize(), value.maxsize))


def _mark_buffer(value: Any) -> int:
    return zlib.crc32(value.getvalue().encode() if value.__class__.__name__ == "StringIO" else value.getbuffer())


def _mark_memory(value: Any) -> int:
    return zlib.crc32(value[:_LARGE]) ^ len(value)


def _mark_element(value: Any) -> int:
    some = [part for part, _ in zip(value.iter(), range(_ROWS), strict=False)]
    return hash(tuple((part.tag, part.text, part.tail, *part.attrib.items(), len(part)) for part in some))


def _mark_file(value: Any) -> int:
    """Return the mark of a file that is read, or has no name; another is written, and begun anew by who opens it."""
    if isinstance(value.name, int):
        return hash((value.mode,))
    if value.mode not in ("r", "rb"):
        return id(value)
    known = os.fstat(value.fileno())
    return hash((value.name, known.st_ino, known.st_size, known.st_mtime_ns))


# Threads and tasks wait at some of these: whoever wakes them has to have the very object. What others hold they give to
# nobody. So the old ones go on in the new module; two that have the same mark have begun alike.
_GOING_ON: dict[tuple[str, str], Callable[[Any], int]] = {
    ("_blake2", "blake2b"): lambda value: hash(value.hexdigest()),
    ("_blake2", "blake2s"): lambda value: hash(value.hexdigest()),
    ("_hashlib", "HASH"): lambda value: hash((value.name, value.hexdigest())),
    ("_io", "BufferedRandom"): _mark_file,
    ("_io", "BufferedReader"): _mark_file,
    ("_io", "BytesIO"): _mark_buffer,
    ("_io", "StringIO"): _mark_buffer,
    ("_io", "TextIOWrapper"): _mark_file,
    ("_queue", "SimpleQueue"): lambda value: hash((value.qsize(),)),
    ("_thread", "RLock"): lambda value: hash("unlocked" in repr(value)),
    ("_thread", "lock"): lambda value: hash((value.locked(),)),
    ("asyncio", "Condition"): lambda value: hash((value.locked(),)),
    ("asyncio", "Event"): lambda value: hash((value.is_set(),)),
    ("asyncio", "LifoQueue"): _mark_queue,
    ("asyncio", "Lock"): lambda value: hash((value.locked(),)),
    ("asyncio", "PriorityQueue"): _mark_queue,
    ("asyncio", "Queue"): _mark_queue,
    ("asyncio", "Semaphore"): lambda value: hash((value._value,)),  # noqa: SLF001 - nothing else tells it
    ("asyncio", "_UnixSelectorEventLoop"): lambda value: hash((value.is_closed(),)),
    ("decimal", "Context"): lambda value: hash(repr(value)),
    ("mmap", "mmap"): _mark_memory,
    ("queue", "LifoQueue"): _mark_queue,
    ("queue", "PriorityQueue"): _mark_queue,
    ("queue", "Queue"): _mark_queue,
    ("socket", "socket"): lambda value: hash((value.family, value.type, value.proto)),
    ("tempfile", "SpooledTemporaryFile"): lambda value: hash((value._max_size,)),  # noqa: SLF001 - as above
    ("tempfile", "TemporaryDirectory"): lambda value: hash(type(value).__qualname__),
    ("tempfile", "_TemporaryFileWrapper"): lambda value: hash((value.mode,)),
    ("threading", "Barrier"): lambda value: hash((value.parties, value.broken)),
    ("threading", "BoundedSemaphore"): lambda value: hash((value._value, value._initial_value)),  # noqa: SLF001 - as above
    ("threading", "Condition"): lambda value: hash(type(value).__qualname__),
    ("threading", "Event"): lambda value: hash((value.is_set(),)),
    ("threading", "Semaphore"): lambda value: hash((value._value,)),  # noqa: SLF001 - as above
    ("xml", "Element"): _mark_element,
}
_READERS: dict[tuple[str, str], Callable[[Any], int]] = {
    **_BUFFERS,
    **_GOING_ON,
    ("_contextvars", "ContextVar"): _mark_variable,
    ("argparse", "Namespace"): lambda value: hash(repr(value)),
    ("configparser", "ConfigParser"): lambda value: hash(repr(value._sections)),  # noqa: SLF001 - else it interpolates
    ("itertools", "count"): lambda value: hash(repr(value)),
    ("numpy", "Generator"): lambda value: hash(repr(value.bit_generator.state)),
    ("random", "Random"): lambda value: hash(value.getstate()),
    ("sortedcontainers", "SortedKeyList"): _mark_sorted,
    ("sortedcontainers", "SortedList"): _mark_sorted,
    ("sortedcontainers", "SortedSet"): _mark_sorted,
    ("sqlalchemy", "Engine"): _mark_engine,
    ("sqlite3", "Connection"): _mark_database,
}


# Of all that modules have, hardly anything has a mark: the names tell that in a fifth of the time.
_NAMES = frozenset(name for _, name in _READERS)


def kind_of(value: Any) -> tuple[str, str]:
    """Return the library that the class of a value is of, and its name there."""
    kind = type(value)
    return library_of(kind), kind.__qualname__


def is_marked(value: Any) -> bool:
    """Say whether a value is of a class that has marks."""
    return type(value).__qualname__ in _NAMES and kind_of(value) in _READERS


def is_theirs(value: Any) -> bool:
    """Say whether a value that has changed is the person's: what it holds is work of theirs, and not where one is."""
    return type(value).__qualname__ in _NAMES and kind_of(value) in _BUFFERS


def may_go_on(value: Any) -> bool:
    """Say whether a value is of a kind of which the old one goes on in a new module: threads may wait at it, say.

    >>> import threading
    >>> may_go_on(threading.Event()), may_go_on(threading.Lock()), may_go_on([])
    (True, True, False)
    """
    return type(value).__qualname__ in _NAMES and kind_of(value) in _GOING_ON


def mark_of(value: Any) -> int:
    """Return a number that changes with what a marked value holds; 0 where it can't be told.

    >>> text = bytearray(b"a")
    >>> before = mark_of(text)
    >>> text.append(98)
    >>> mark_of(text) == before, mark_of(bytearray(b"ab")) == mark_of(text)
    (False, True)
    """
    try:
        return _READERS[kind_of(value)](value)
    except Exception:  # noqa: BLE001 - cells of a table that have no hash: the library's to say
        return 0
