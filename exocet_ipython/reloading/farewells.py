"""Calling what retired modules have registered with `on_retire`: newest first, each whatever the others raise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from exocet_ipython.loading.interrupts import interruptible
from exocet_ipython.loading.tracebacks import trim_traceback
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.wishes import wishes_of

__all__ = ["call_farewells", "print_error"]


def call_farewells(retired: Iterable[ModuleRecord], show: Callable[[BaseException], object]) -> None:
    """Call what the modules have registered, the newest registration first; each callback once.

    Args:
        retired: the records of the modules that were replaced, or whose source is gone.
        show: shows a person the error of a callback.

    Raises:
        KeyboardInterrupt: one of the callbacks was interrupted; the others were called all the same.
    """
    interrupt: KeyboardInterrupt | None = None
    told = {record.name: wishes for record in retired if (wishes := wishes_of(record.module)) is not None}
    waiting = sorted(((number, name) for name, wishes in told.items() for number in wishes.callbacks), reverse=True)
    for number, name in waiting:
        told[name].is_retired = True
        callback = told[name].callbacks.pop(number, None)
        if callback is not None:
            try:
                _call(callback)
            except KeyboardInterrupt as error:
                interrupt = error
            except BaseException as error:  # noqa: BLE001 - SystemExit too: a callback stops nothing
                error.add_note(f"on_retire of {name}: the reload is done all the same")
                trim_traceback(error)
                show(error)
    if interrupt is not None:
        raise interrupt


def print_error(error: BaseException) -> None:
    """Show an error on standard error, as the interpreter shows one that ends it."""
    sys.excepthook(type(error), error, error.__traceback__)


@interruptible
def _call(callback: Callable[[], object]) -> None:
    callback()
