"""The magics. Each parses, calls the session once, and returns a value."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, output_can_be_silenced
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from exocet_ipython.notebook.arguments import parse_arguments, parse_load, require_dotted_names
from exocet_ipython.notebook.cells.auto import AutoReload, AutoState, as_in_cell
from exocet_ipython.notebook.cells.autoreload import AutoreloadGuard
from exocet_ipython.notebook.cells.awaited import say_bound
from exocet_ipython.notebook.cells.within import shown_below
from exocet_ipython.notebook.failures import Failures
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.session import Session
from exocet_ipython.notebook.settings import Exocet

if TYPE_CHECKING:
    from exocet_ipython.notebook.old.collecting import CollectReport
    from exocet_ipython.notebook.old.leftovers import Leftover
    from exocet_ipython.notebook.old.moving import MigrationReport
    from exocet_ipython.notebook.old.status import StatusReport
    from exocet_ipython.notebook.old.why import WhyReport

__all__ = ["ExocetMagics"]


@magics_class
class ExocetMagics(Magics):
    """Load modules as new objects, reload what changed, and see what is still old."""

    def __init__(self, shell: Any, session: Session, settings: Exocet) -> None:
        super().__init__(shell)
        self.session = session
        self.settings = settings
        self.failures = Failures(shell)
        self.auto = AutoReload(
            session,
            settings,
            self._show,
            self.failures.show,
            partial(as_in_cell, shell),
            AutoreloadGuard(shell),
            shell.ast_transformers,
        )

    @magic_arguments()
    @argument("statement", nargs="*", help="NAME [as ALIAS], or: from NAME import A, B as C (or *)")
    @line_cell_magic
    @output_can_be_silenced
    def exoload(self, line: str, cell: str | None = None) -> ModuleType | None:
        """Load a module as a new object and bind it; as a cell magic, let what the cell imports be reloaded as well.

        The loaded modules that import it are made anew too, so that all go on seeing the same one.

        Examples::

            %exoload game.commands.general               binds general
            %exoload game.commands.general as commands
            %exoload from game.world import Room, DIRECTIONS as DIRS

            %%exoload
            import game
            from game.world import Room
        """
        __tracebackhide__ = True  # for %%time and the like, which show the errors of a magic themselves
        with self.failures.watched():
            if cell is not None:
                if line.strip():
                    raise UsageError("%%exoload takes no arguments on its line; put the import statements below it.")
                self._run_cell(cell)
                return None
            match parse_load(parse_arguments(self.exoload, line).statement):
                case ast.Import(names=[alias]):
                    module = self.session.load(alias.name)
                    if alias.name not in self.session.generation.records:
                        print(f"{alias.name} is compiled and loads once: this is the one that is shared by all.")  # noqa: T201 - for the person
                    self.session.bind(alias.asname or alias.name.rpartition(".")[2], alias.name)
                    return module
                case ast.ImportFrom(module=str(name), names=names):
                    self.session.load_from(name, [(alias.name, alias.asname or alias.name) for alias in names])
            return None

    @magic_arguments()
    @argument("names", nargs="*", metavar="NAME", help="modules or packages to look at; all loaded ones by default")
    @argument("--force", action="store_true", help="make them anew whether or not their files changed")
    @argument("--migrate", action="store_true", help="move living old instances and functions to the new code")
    @argument("--dry-run", action="store_true", help="say what would be made anew, and why; do nothing")
    @line_magic
    @output_can_be_silenced
    def exoreload(self, line: str) -> ReloadReport:
        """Make the modules whose files changed, and all that import them, anew; replace the notebook's names.

        Everything runs aside first: after an error nothing at all has changed.

        Examples::

            %exoreload
            %exoreload game.world --dry-run
            report = %exoreload --force
        """
        __tracebackhide__ = True
        with self.failures.watched():
            given = parse_arguments(self.exoreload, line)
            require_dotted_names("%exoreload", "modules", given.names)
            migrate = given.migrate or self.settings.instances == "migrate"
            report = self.session.reload(given.names, force=given.force, dry_run=given.dry_run, migrate=migrate)
            if not given.dry_run and self.session.awaits:
                with self.session.managed.claiming():
                    say_bound(self.session.import_awaited())
        if report.error is not None:
            self.failures.show(report.error)
        return replace(report, full=self.settings.report == "full")

    @magic_arguments()
    @argument("state", nargs="?", choices=("on", "off"), help="on or off; without it, say which it is")
    @line_magic
    @output_can_be_silenced
    def exoauto(self, line: str) -> AutoState:
        """Reload before each cell what changed on disk, of all own code that ordinary statements import.

        What is alive of the old code moves to the new one: instances change class, functions run the new bodies. With
        c.Exocet.instances = "track" it is only tracked.

        Examples::

            %exoauto on
            %exoauto
            %exoauto off
        """
        __tracebackhide__ = True
        with self.failures.watched():
            state = parse_arguments(self.exoauto, line).state
            if state is not None:
                self.settings.auto = state == "on"  # what observes the setting does it
            if state == "on" and (error := self.auto.catch_up()) is not None:
                self.failures.expect(error, was_shown=True)
                raise error
            waits = state == "on" and self.settings.instances != "track"
            old = self.session.survivors() if waits else ()
            return AutoState(self.auto.is_on, tuple(one for one in old if one.kind == "instance"))

    @magic_arguments()
    @argument(
        "classes", nargs="*", metavar="CLASS", help="dotted or plain names of classes; all old objects by default"
    )
    @argument(
        "--rebuild", action="store_true", help="put a new object in the place of one whose class can't be changed"
    )
    @line_magic
    @output_can_be_silenced
    def exomigrate(self, line: str) -> MigrationReport:
        """Move the old objects that are alive to the current code, after reloads that only tracked them.

        Each moves whole or stays as it was, with the reason.

        Examples::

            %exomigrate
            %exomigrate game.world.Room Player
            %exomigrate Point --rebuild
        """
        __tracebackhide__ = True
        with self.failures.watched():
            given = parse_arguments(self.exomigrate, line)
            require_dotted_names("%exomigrate", "classes", given.classes)
            return self.session.old.migrate(given.classes, rebuild=given.rebuild)

    @magic_arguments()
    @argument("--scan", action="store_true", help="count all that is old, with one scan of the heap")
    @line_magic
    @output_can_be_silenced
    def exostatus(self, line: str) -> StatusReport:
        """List the loaded modules with their state on disk, and what is alive of the generations before.

        Without --scan, old instances are counted where your names lead to them, and old definitions wherever they are.

        Examples::

            %exostatus
            %exostatus --scan
        """
        __tracebackhide__ = True
        with self.failures.watched():
            return self.session.status(scan=parse_arguments(self.exostatus, line).scan)

    @magic_arguments()
    @argument("what", nargs="*", metavar="NAME|CLASS|GENERATION", help="what is old; %%exostatus lists it")
    @line_magic
    @output_can_be_silenced
    def exowhy(self, line: str) -> WhyReport:
        """Say what keeps an old object alive: the shortest paths to it, as the Python that reaches it.

        Examples::

            %exowhy model                 an old object, by a name or an expression: Out[5], app.model
            %exowhy game.world.Room       the replaced classes, functions or modules of that name
            %exowhy 2                     all that is alive of generation 2
        """
        from exocet_ipython.notebook.old.leftovers import shell_roots  # noqa: PLC0415 - what only commands need

        __tracebackhide__ = True
        with self.failures.watched():
            parse_arguments(self.exowhy, line)
            what = line.rstrip().removesuffix(";").strip()
            if not what:
                raise UsageError("%exowhy needs a name, a class or the number of a generation; see %exostatus.")
            return self.session.old.why(what, shell_roots(self.shell), _say_progress)

    @magic_arguments()
    @argument("--yes", action="store_true", help="don't ask before letting go")
    @line_magic
    @output_can_be_silenced
    def exocollect(self, line: str) -> CollectReport:
        """Let go of the old objects that IPython itself keeps (`Out`, `_`, tracebacks), and collect what nobody holds.

        What is let go of is listed first. Nothing that a name of yours holds is touched.

        Examples::

            %exocollect
            %exocollect --yes
        """
        from exocet_ipython.notebook.old.leftovers import find_leftovers  # noqa: PLC0415 - what only commands need

        __tracebackhide__ = True
        with self.failures.watched():
            given = parse_arguments(self.exocollect, line)
            leftovers = find_leftovers(self.shell, self.session.old.ids())
            if leftovers and not given.yes and not self._may_let_go(leftovers):
                leftovers = []
            return self.session.old.collect(leftovers)

    def _may_let_go(self, leftovers: list[Leftover]) -> bool:
        """List what IPython keeps, and ask."""
        shell: Any = self.shell
        print("IPython keeps these, which hold old objects:")  # noqa: T201 - for the person
        for leftover in leftovers:
            print(f"  {leftover}")  # noqa: T201 - likewise
        try:
            return bool(shell.ask_yes_no("Let go of them? [y/N]", "n", "n"))
        except StdinNotImplementedError:
            raise UsageError("%exocollect can't ask here; %exocollect --yes lets go of what is listed.") from None

    def _show(self, report: ReloadReport) -> None:
        """Show the report of an automatic reload, as text and as HTML."""
        shown = replace(report, full=self.settings.report == "full")
        shell: Any = self.shell
        if type(shell.display_pub) is DisplayPublisher and not getattr(shell, "mime_renderers", None):
            # A terminal shows the text alone, but IPython would make and keep all forms of each report for ever.
            print(shown)  # noqa: T201 - the display layer
        else:
            display(shown)

    def _run_cell(self, cell: str) -> None:
        """Run a cell as IPython does; its error was shown then, and is raised so that the cell counts as failed."""
        shell: Any = self.shell
        if _is_awaited(shell, cell):
            raise UsageError("%%exoload can't await in a notebook; put the imports alone, and await in the next cell.")
        with self.session.managed.claiming(cell), shown_below(shell, "exoload"):
            result = shell.run_cell(cell, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            self.failures.expect(error, was_shown=True)
            raise error


def _say_progress(passes: int, seconds: float) -> None:
    """Say on standard error that a search goes on."""
    from exocet_ipython.notebook.old.why import progress_line  # noqa: PLC0415 - what only commands need

    sys.stderr.write(progress_line(passes, seconds) + "\n")


def _is_awaited(shell: Any, cell: str) -> bool:
    """Say whether a cell awaits something while the loop that would do it is busy with running this magic."""
    asyncio = sys.modules.get("asyncio")  # importing it would take a sixth of the time of `%load_ext`
    if asyncio is None:  # no loop runs then
        return False
    try:
        asyncio.get_running_loop()
        return bool(shell.should_run_async(cell, transformed_cell=shell.transform_cell(cell)))
    except (RuntimeError, SyntaxError):  # no loop runs here; or nonsense, which IPython will show
        return False
