"""How the error of a magic is shown: the person's own frames and none of ours, and once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from IPython.core import interactiveshell
from IPython.core.error import UsageError

from exocet_ipython.loading.tracebacks import related_errors, trim_traceback, without_frames

__all__ = ["Failures"]


class Failures:
    """Has one shell show the error that a magic is about to raise without frames of ours, or not a second time.

    IPython shows an error after it has left the magic: the magic's own frame is in the traceback by then, and
    `__tracebackhide__` serves neither a SyntaxError nor the last frame. `set_custom_exc` is IPython's hook for it. It
    is on the shell from the moment a magic fails to the end of the cell, and whatever was there before is put back.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._before: tuple[tuple[type[BaseException], ...], Any] | None = None
        self._ours: Any = None
        self._error: BaseException | None = None
        self._was_shown = False

    def __repr__(self) -> str:
        return f"<failures: {'nothing expected' if self._error is None else type(self._error).__name__ + ' expected'}>"

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Expect whatever the block raises; a UsageError is one line already and is left to IPython."""
        try:
            yield
        except UsageError:
            raise
        except BaseException as error:
            if error is not self._error:
                self.expect(error)
            raise

    def expect(self, error: BaseException, *, was_shown: bool = False) -> None:
        """Take charge of showing `error`, which the caller is about to raise; not at all where it was shown before."""
        shell = self._shell
        if self._before is None:
            self._before = shell.custom_exceptions, shell.CustomTB
        self._error, self._was_shown = error, was_shown
        shell.set_custom_exc((*self._before[0], type(error)), self._handle)
        self._ours = shell.CustomTB

    def settle(self) -> None:
        """Put back what was on the shell before; harmless when nothing is expected."""
        if self._before is not None and self._shell.CustomTB is self._ours:
            self._shell.custom_exceptions, self._shell.CustomTB = self._before
        self._before = self._ours = self._error = None

    def show(self, error: BaseException) -> None:
        """Show an error as IPython does, and let go of all that it holds: a report may keep it for long."""
        trim_traceback(error)
        try:
            raise error  # noqa: TRY301 - showtraceback of a SyntaxError looks at the exception that is being handled only
        except BaseException:  # noqa: BLE001 - it is shown
            trim_traceback(error)
            self._display(error)
        _let_go(error)

    def _handle(self, shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:  # noqa: ARG002 - protocol
        """Show an error that left a cell; IPython calls it for each whose type is that of the expected one."""
        expected, was_shown, before = error is self._error, self._was_shown, self._before
        self.settle()
        if expected and was_shown:
            return
        if expected:
            trim_traceback(error)
        if before is not None and isinstance(error, before[0]):
            before[1](kind, error, error.__traceback__, tb_offset)
        elif expected:
            self._display(error)
        else:
            shell.showtraceback(running_compiled_code=True)

    def _display(self, error: BaseException) -> None:
        # The frames that run a cell and call a magic are not the person's either.
        error.__traceback__ = without_frames(error.__traceback__, interactiveshell.__file__.__eq__)
        self._shell.showtraceback((type(error), error, error.__traceback__), tb_offset=0, running_compiled_code=True)


def _let_go(error: BaseException) -> None:
    """Drop the frames and objects that an error and its causes hold; what they say stays."""
    for found in related_errors(error):
        found.__traceback__ = None
        if isinstance(found, AttributeError):
            found.obj = None  # the object without the attribute: perhaps a module that retires
