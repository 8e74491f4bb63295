"""Live reloading for IPython and Jupyter: new module objects, replaced names, old instances tracked.

This module holds public names only, each imported when it is first asked for. `load_ipython_extension` imports the part
that knows IPython when it is called.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of typing costs more than all else here
if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from exocet_ipython.errors import (
        ExcludedImportError,
        ExocetError,
        ExtensionPackageError,
        ModuleNotLoadedError,
        NothingOldError,
        NotInMapperError,
        NotInModuleBodyError,
        SourceNotFoundError,
        WishTwiceError,
        WishTypeError,
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
    from exocet_ipython.reloading.wishes import depends_on, keep, on_retire

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
    "NotInModuleBodyError",
    "NothingOldError",
    "SourceNotFoundError",
    "StackedMapper",
    "WishTwiceError",
    "WishTypeError",
    "depends_on",
    "empty_mapper",
    "get_module",
    "keep",
    "load",
    "load_ipython_extension",
    "load_named",
    "load_package_named",
    "on_retire",
    "pep302_mapper",
    "proxy_module",
    "unload_ipython_extension",
]


_HOMES = {
    "CallableMapper": "exocet_ipython.loading.mapper",
    "DictMapper": "exocet_ipython.loading.mapper",
    "ExcludedImportError": "exocet_ipython.errors",
    "ExclusiveMapper": "exocet_ipython.loading.mapper",
    "ExocetError": "exocet_ipython.errors",
    "ExtensionPackageError": "exocet_ipython.errors",
    "Mapper": "exocet_ipython.loading.mapper",
    "ModuleNotLoadedError": "exocet_ipython.errors",
    "NotInMapperError": "exocet_ipython.errors",
    "NotInModuleBodyError": "exocet_ipython.errors",
    "NothingOldError": "exocet_ipython.errors",
    "SourceNotFoundError": "exocet_ipython.errors",
    "StackedMapper": "exocet_ipython.loading.mapper",
    "WishTwiceError": "exocet_ipython.errors",
    "WishTypeError": "exocet_ipython.errors",
    "depends_on": "exocet_ipython.reloading.wishes",
    "empty_mapper": "exocet_ipython.loading.mapper",
    "get_module": "exocet_ipython.loading.modules",
    "keep": "exocet_ipython.reloading.wishes",
    "load": "exocet_ipython.loading.modules",
    "load_named": "exocet_ipython.loading.isolated",
    "load_package_named": "exocet_ipython.loading.isolated",
    "on_retire": "exocet_ipython.reloading.wishes",
    "pep302_mapper": "exocet_ipython.loading.mapper",
    "proxy_module": "exocet_ipython.loading.mapper",
}


def __getattr__(name: str) -> object:
    """Import a public name where it is first asked for: notebooks that only load the extension need none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    """Return the public names, whether or not they were asked for."""
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Attach to an IPython shell: what `%load_ext exocet_ipython` calls."""
    from exocet_ipython.reloading.collector import paused_collector

    with paused_collector():  # all that is imported stays
        from exocet_ipython.notebook.shell import attach

        attach(shell, load_ipython_extension)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything of ours off an IPython shell: what `%unload_ext exocet_ipython` calls."""
    from exocet_ipython.notebook.shell import detach

    detach(shell, load_ipython_extension)
