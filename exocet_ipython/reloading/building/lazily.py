"""What is imported only when something is asked for it: by the `__getattr__` of a package, or by a function.

Asked later, it would bring a module that has no part in what follows from the batch: nothing would take the place of
what the old one had.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from inspect import CO_OPTIMIZED
from types import FunctionType

from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.spaces import attribute_of, copy_space, globals_of, is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.building.batch import Batch
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.imports import read_imports
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Lost", "ask_lazily", "load_late"]

Lost = tuple[str, str]  # the module that a class or function was of, which has it no more, and its name there


def ask_lazily(
    batch: Batch, imported: Iterable[tuple[str, str | None]], gone: Iterable[ModuleRecord], lost: Iterable[Lost]
) -> None:
    """Have the modules of a batch give what others take from them, so that what they import for it is made as well.

    Args:
        batch: whose modules have run.
        imported: what cells have imported: the dotted name of a module, and an attribute, `*` or None.
        gone: the modules whose source is no more; the packages they were in may have what they defined from elsewhere.
        lost: what was gone before, and lives; the same is asked of those packages that are made anew.
    """
    for name, attribute in imported:
        if name in batch.modules and attribute == "*":
            batch.import_(name, fromlist=("*",))
        elif name in batch.modules and attribute is not None:
            _ask(batch, name, attribute)
    for home, attribute in (found for record in gone for found in _defined_by(record)):
        for name in with_packages(home)[:-1]:
            _ask(batch, name, attribute)
    for home, attribute in lost:
        for name in with_packages(home)[:-1]:
            if name in batch.modules:
                _ask(batch, name, attribute)


def load_late(batch: Batch, gone: Iterable[ModuleRecord], lost: Iterable[Lost], current: Generation) -> None:
    """Load what functions import in place of what is gone, and nobody has called for yet.

    That is a module that nobody has loaded, where a function imports it and names something that is called like a class
    or function that is gone, and no module of the batch has that.

    Args:
        batch: whose modules have run.
        gone: the modules whose source is no more.
        lost: what was gone before, and lives.
        current: the present generation; its modules that go on count as well.
    """
    names = {attribute for _, attribute in (*lost, *(found for record in gone for found in _defined_by(record)))}
    names = names.difference(*map(globals_of, batch.modules.values())) if names else names
    for name in dict.fromkeys(_imported_late(batch, names, current)) if names else ():
        with contextlib.suppress(Exception):  # whoever calls the function will see it; a restart goes on until then
            if name not in batch.modules and batch.claims(name):
                batch.load(name)


def _imported_late(batch: Batch, lost: set[str], current: Generation) -> Iterator[str]:
    """Yield the modules that functions import which name something that is lost."""
    words = [name.encode() for name in lost if name.isascii()]  # an identifier with other letters is written variously
    going_on = (one for name, one in current.records.items() if name not in batch.modules and _has_word(one, words))
    codes = [(one.name, one.readable_code, is_package(one.module)) for one in going_on]
    for name, code, is_folder in (*codes, *batch.codes()):
        for part in whole(code) if code is not None else ():
            if part.co_flags & CO_OPTIMIZED and not lost.isdisjoint(part.co_names):
                for statement in read_imports(part, name, is_package=is_folder):
                    yield from (found for found in statement.names if not found.endswith("*"))


def _has_word(record: ModuleRecord, words: Iterable[bytes]) -> bool:
    text = record.snapshot.data
    return text is not None and any(word in text for word in words)


def _defined_by(record: ModuleRecord) -> Iterator[Lost]:
    """Yield the classes and functions that a module defines."""
    for name, value in copy_space(globals_of(record.module)).items():
        if isinstance(value, (type, FunctionType)) and home_of(value) == record.name:
            yield record.name, name


def _ask(batch: Batch, name: str, attribute: str) -> None:
    module = batch.modules.get(name) or PRESENCE.current(name)
    if module is not None and attribute not in globals_of(module):
        attribute_of(module, attribute, None)
