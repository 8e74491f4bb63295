"""Import statements of cells, made again: whether they could come to something else by now, and what they bind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from exocet_ipython.loading.files import stamp_file
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.source import find_spec_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.notebook.names.events import CellImport

__all__ = ["import_again", "import_state", "is_loaded"]


def import_again(statement: CellImport) -> Any:
    """Return what an import statement of a cell binds.

    Args:
        statement: no star import.

    Raises:
        Exception: whatever comes of importing it.

    >>> import_again(CellImport("names", "keyword", "kwlist"))[0]
    'False'
    """
    space: dict[str, Any] = {}
    name, module, attribute = statement.name, statement.module, statement.attribute
    text = f"import {module} as {name}" if attribute is None else f"from {module} import {attribute} as {name}"
    exec(f"import {statement.submodule}" if statement.submodule else text, space)  # noqa: S102 - the cell's statement
    return space[name]


def is_loaded(statement: CellImport) -> bool:
    """Say whether the submodule is there that an import statement loads below the package that it binds, if any.

    >>> import os.path
    >>> [is_loaded(CellImport("os", "os", submodule=name)) for name in ("", "os.path", "os.nothing")]
    [True, True, False]
    """
    return not statement.submodule or PRESENCE.current(statement.submodule) is not None


def import_state(names: Iterable[str], is_own: Callable[[str], bool], files: Iterable[str] = ()) -> frozenset[object]:
    """Return what is equal as long as an import would come to the same, by the stamps of the person's files.

    Args:
        names: dotted names of the modules that it may load.
        is_own: says of a file whether it is the person's.
        files: further ones.
    """
    forget_listings()
    specs = map(find_spec_of, names)
    origins = (spec.origin for spec in specs if spec is not None and spec.origin is not None)
    return frozenset((file, _stamp(file)) for file in {*files, *filter(is_own, origins)})


def _stamp(file: str) -> object:
    try:
        return stamp_file(file) if os.path.isabs(file) else None
    except OSError:
        return None
