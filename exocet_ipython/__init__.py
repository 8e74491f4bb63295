"""Live reloading for IPython and Jupyter: new module objects, replaced names, old instances tracked.

This module holds public names only. `load_ipython_extension` imports the part that knows IPython when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exocet_ipython.errors import (
    ExcludedImportError,
    ExocetError,
    ExtensionPackageError,
    ModuleNotLoadedError,
    NotInMapperError,
    SourceNotFoundError,
)
from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.mapper import (
    CallableMapper,
    DictMapper,
    ExclusiveMapper,
    Mapper,
    StackedMapper,
    empty_mapper,
    pep302_mapper,
    proxy_module,
)
from exocet_ipython.loading.modules import get_module, load

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = [
    "CallableMapper",
    "DictMapper",
    "ExcludedImportError",
    "ExclusiveMapper",
    "ExocetError",
    "ExtensionPackageError",
    "Mapper",
    "ModuleNotLoadedError",
    "NotInMapperError",
    "SourceNotFoundError",
    "StackedMapper",
    "empty_mapper",
    "get_module",
    "load",
    "load_ipython_extension",
    "load_named",
    "load_package_named",
    "pep302_mapper",
    "proxy_module",
    "unload_ipython_extension",
]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Attach to an IPython shell: what `%load_ext exocet_ipython` calls."""
    from exocet_ipython.notebook.shell import attach

    attach(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything of ours off an IPython shell: what `%unload_ext exocet_ipython` calls."""
    from exocet_ipython.notebook.shell import detach

    detach(shell)
