"""Errors: each says what happened, where, and what to do next, as text and as fields.

Every error subclasses the standard exception that a person already catches for that case, and pickles.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ExcludedImportError",
    "ExocetError",
    "ExtensionPackageError",
    "ModuleNotLoadedError",
    "NotInMapperError",
    "NotInModuleBodyError",
    "NothingOldError",
    "SourceNotFoundError",
    "WishTwiceError",
    "WishTypeError",
]


class ExocetError(Exception):
    """The base of all errors of this package.

    Args:
        what: what happened, one sentence without its full stop.
        where: the file, module or cell it happened in; empty when `what` says it.
        advice: what to do next, one sentence without its full stop.
        standard: keyword arguments of the standard exception that a subclass also is.

    >>> error = ExocetError("nothing is loaded", where="In[3]", advice="load a module with %exoload NAME")
    >>> print(error)
    nothing is loaded (In[3]); load a module with %exoload NAME
    """

    def __init__(self, what: str, *, where: str = "", advice: str = "", **standard: Any) -> None:
        super().__init__(what, **standard)
        self.what = what
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.what}{where}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException.__reduce__ would call the class with `args` alone and lose the keyword-only fields.
        return (_rebuild_error, (type(self), self.args, self.__dict__ | _import_fields(self)))


class NotInMapperError(ExocetError, ModuleNotFoundError):
    """A mapper was asked for a name that it does not have; `name` is the dotted name."""


class ExcludedImportError(ExocetError, ImportError):
    """A name was asked for that the mapper excludes on purpose; `name` is the dotted name."""


class SourceNotFoundError(ExocetError, ModuleNotFoundError):
    """No finder on `sys.meta_path` knows where the source of `name` is."""


class ExtensionPackageError(ExocetError, ImportError):
    """The package can't be copied: its own core is the extension module at `path`, which loads once per process."""


class ModuleNotLoadedError(ExocetError, LookupError):
    """A verb was given the name of a module that the session never loaded."""


class NothingOldError(ExocetError, LookupError):
    """A verb was given the name of something of which nothing old is alive."""


class NotInModuleBodyError(ExocetError, RuntimeError):
    """`keep`, `on_retire` or `depends_on` was called where no module's body runs."""


class WishTypeError(ExocetError, TypeError):
    """A module says for itself what makes no sense: of a wrong type, or under a wrong name."""


class WishTwiceError(ExocetError, ValueError):
    """One version of a module keeps two values under one name."""


def _import_fields(error: ExocetError) -> dict[str, Any]:
    """Return the fields that ImportError keeps outside of `__dict__`."""
    if isinstance(error, ImportError):
        return {"msg": error.msg, "name": error.name, "path": error.path}
    return {}


def _rebuild_error(kind: type[ExocetError], args: tuple[Any, ...], fields: dict[str, Any]) -> ExocetError:
    """Make the error that `ExocetError.__reduce__` described."""
    error = kind.__new__(kind, *args)
    error.args = args
    for name, value in fields.items():
        setattr(error, name, value)
    return error
