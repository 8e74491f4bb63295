"""What the functions of a session's modules store: each text is read once, whoever asks."""

from __future__ import annotations

from types import ModuleType

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.recording import record_module
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.stores import read_stores


def test_what_cells_assign_counts_in_their_session_only() -> None:
    """A name that cells have assigned is theirs, and still the functions' where the same text is read otherwise."""
    text = b"def load():\n    global LEVEL\n    LEVEL = compute()\n"
    record = record_module(ModuleType("m"), Snapshot("m", data=text), None, name="m", order=0, number=1, seconds=0.0)
    assert ReadStores({"m": record}, {"m": {"LEVEL"}}).of(("m",)).globals == set()
    assert ReadStores({"m": record}).of(("m",)).globals == {"LEVEL"}


def test_what_a_lambda_only_adds_to_is_no_cache() -> None:
    """`on_close(lambda: LOG.append(...))` looks at nothing, as the statement in a function doesn't."""
    assert read_stores(b"on_close(lambda: LOG.append(VERSION + 1))\n").caches == set()
    assert read_stores(b"last = lambda: LOG.append(VERSION + 1) or LOG[-1]\n").caches == {"LOG"}


def test_a_text_with_a_long_constant_is_read_in_one_go() -> None:
    """A program that is generated may have a line of a megabyte: no expression begins anew at each letter of it."""
    long = b"a" * 1_000_000 + b"_" * 1_000_000
    text = b"DATA = '%s'\nN = 0\ndef ask():\n    global N; N = N + 1\n    return N" % long
    assert read_stores(text).counted == {"N"}
