"""Attaching to one IPython shell, and detaching so that nothing of ours is left."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, finalize, ref

from exocet_ipython.notebook.completion import make_matcher
from exocet_ipython.notebook.magics import ExocetMagics
from exocet_ipython.notebook.names.scripts import scripts_run
from exocet_ipython.notebook.old.verbs import Remains
from exocet_ipython.notebook.session import Session
from exocet_ipython.notebook.settings import read_settings
from exocet_ipython.reloading.joining.adoption import leave_modules
from exocet_ipython.reloading.noticing.detectors import make_detector

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Attachment", "attach", "detach"]

# The shell's own callbacks hold the attachment, so that a shell that is dropped takes its session along.
_ATTACHED: WeakKeyDictionary[InteractiveShell, ref[Attachment]] = WeakKeyDictionary()
# Whether automatic reloading was on when an attachment was taken off, and the function that had made it.
_LEFT: WeakKeyDictionary[InteractiveShell, tuple[bool, Callable[..., object]]] = WeakKeyDictionary()
# What the next attachment goes on from; it leads to no shell.
_REMAINS: WeakKeyDictionary[InteractiveShell, Remains] = WeakKeyDictionary()


class Attachment:
    """All that ties a session to one shell; `take_off` unties it, as often as it is called.

    Attributes:
        session: the session whose namespace is the shell's.
        settings: what `%config Exocet` shows.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.settings = read_settings(shell)
        mirrors = (shell.user_ns_hidden, vars(shell.displayhook))
        self.session = Session(
            shell.user_ns,
            mirrors=mirrors,
            detector=make_detector(),
            show_error=self._show_error,
            remains=_REMAINS.get(shell),
        )
        self._take_off: list[Callable[[], object]] = []
        self._hook_list(shell.configurables, self.settings)
        self._magics = ExocetMagics(shell, self.session, self.settings)
        self._hook_magics(shell, self._magics)
        self._hook_event(shell, "pre_run_cell", self._magics.auto.before_cell)
        self._hook_event(shell, "post_run_cell", self._after_cell)
        self._take_off.append(self._magics.auto.stopper.take_off)
        self._take_off.append(self.session.managed.close)
        self._take_off.append(lambda: leave_modules(self.session.generation.records.values()))
        self._take_off.append(self._magics.auto.turn_off)
        self._apply_settings()
        self.settings.observe(self._apply_settings, ["include", "exclude", "frozen", "rerun_limit"])
        self.settings.observe(self._switch, "auto")
        self._take_off.append(self.settings.unobserve_all)
        self._switch()
        history = shell.history_manager
        for cell in () if history is None else history.input_hist_parsed:
            self._learn(cell, failed=True)  # it may have failed: what the names confirm is learned
        self._hook_list(shell.Completer.custom_matchers, make_matcher(self.session))
        self.session.managed.note_imports()  # the rest of the cell that loads the extension
        finalize(self, self.session.managed.abandon).atexit = False

    def __repr__(self) -> str:
        return f"<attachment of {self.session!r}: {len(self._take_off)} hooks>"

    def take_off(self) -> None:
        """Take every hook off the shell, newest first."""
        while self._take_off:
            self._take_off.pop()()

    def _apply_settings(self, change: Any = None) -> None:
        self.session.managed.configure(self.settings.include, self.settings.exclude, self.settings.frozen)
        if change is not None:
            self._magics.auto.reconsider()

    def _switch(self, change: Any = None) -> None:  # noqa: ARG002 - the setting says it all
        if self.settings.auto:
            self._magics.auto.turn_on()
        else:
            self._magics.auto.turn_off()

    def _show_error(self, error: BaseException) -> None:
        self._magics.failures.show(error)

    def _after_cell(self, result: Any) -> None:
        self._magics.failures.settle()
        if (shown := self.session.managed.files.shown).is_due:
            shown.show()
        # ipykernel has no result of a cell that awaited something and was interrupted.
        if result is not None and result.error_before_exec is None and result.info.raw_cell:
            shell: Any = self._magics.shell
            # Before 9.5 IPython doesn't say what it has made of magics.
            text = getattr(result.info, "transformed_cell", None) or shell.transform_cell(result.info.raw_cell)
            self._learn(text, error=result.error_in_exec)
        self._magics.auto.after_cell(result)

    def _learn(self, cell: str, *, failed: bool = False, error: BaseException | None = None) -> None:
        """Learn what a cell that ran has bound, and before that, what the scripts have that it has run."""
        for script in scripts_run(cell):
            self.session.learn(script, failed=True)  # IPython shows its error, and tells nobody
        self.session.learn(cell, failed=failed, error=error)

    def _hook_list(self, items: list[Any], item: object) -> None:
        items.append(item)
        self._take_off.append(lambda: _discard(items, item))

    def _hook_event(self, shell: InteractiveShell, event: str, callback: Callable[[Any], None]) -> None:
        shell.events.register(event, callback)
        self._take_off.append(lambda: shell.events.unregister(event, callback))

    def _hook_magics(self, shell: InteractiveShell, magics: ExocetMagics) -> None:
        manager = shell.magics_manager
        before = {kind: dict(table) for kind, table in manager.magics.items()}
        manager.register(magics)

        def unregister() -> None:
            manager.registry.pop(type(magics).__name__, None)
            _discard(shell.configurables, magics)  # Magics puts itself there
            for kind, table in manager.magics.items():
                for name, function in list(table.items()):
                    # IPython loads a magic that is lazy when it is asked for any attribute.
                    if type(function) is not MethodType or function.__self__ is not magics:
                        continue
                    if name in before[kind]:
                        table[name] = before[kind][name]
                    else:
                        del table[name]

        self._take_off.append(unregister)


def attach(shell: InteractiveShell, entry: Callable[..., object] | None = None) -> Attachment:
    """Attach a session to a shell; a shell that has one keeps it.

    Args:
        shell: the shell.
        entry: the function that IPython calls to load the extension. `%reload_ext` makes it anew, and keeps what the
            person has chosen by `%exoauto`.
    """
    attachment = _attached(shell)
    if attachment is None:
        attachment = Attachment(shell)
        _ATTACHED[shell] = ref(attachment)
        was_on, before = _LEFT.pop(shell, (False, entry))
        if before is not entry:
            attachment.settings.auto = was_on
    return attachment


def detach(shell: InteractiveShell, entry: Callable[..., object] | None = None) -> None:
    """Take everything of ours off a shell; what the person loaded stays as it is.

    Args:
        shell: the shell.
        entry: the function that IPython would call to load the extension again.
    """
    attachment = _attached(shell)
    if attachment is not None:
        del _ATTACHED[shell]
        _REMAINS[shell] = attachment.session.old.remains()
        if entry is not None:
            _LEFT[shell] = attachment.settings.auto, entry
        attachment.take_off()


def _attached(shell: InteractiveShell) -> Attachment | None:
    known = _ATTACHED.get(shell)
    return None if known is None else known()


def _discard(items: list[Any], item: object) -> None:
    """Remove an item from a list by identity, where it is in it."""
    items[:] = [other for other in items if other is not item]
