"""Loading, unloading and reloading the extension: everything of ours goes, everything of the person's stays."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import re
import signal
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from exocet_ipython.notebook import shell as attaching
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop

MAGICS = ("load_ext", "unload_ext", "reload_ext", "config")
MINE = """
from IPython.core.magic import register_line_cell_magic, register_line_magic

@register_line_magic
def exostatus(line):
    return "mine: " + line

@register_line_cell_magic
def exoload(line, cell=None):
    return f"mine: {line} {cell}"
"""


def state_of(shell: InteractiveShell) -> dict[str, Any]:
    """Return all that attaching to a shell could change, in this process and in the shell."""
    manager = shell.magics_manager
    manager_of_extensions: Any = shell.extension_manager
    inputs = shell.input_transformer_manager
    return {
        "meta_path": list(sys.meta_path),
        "path_hooks": list(sys.path_hooks),
        "path": list(sys.path),
        "events": {event: list(callbacks) for event, callbacks in shell.events.callbacks.items()},
        "magics": {kind: dict(table) for kind, table in manager.magics.items()},
        "registry": dict(manager.registry),
        "custom matchers": list(shell.Completer.custom_matchers),
        "matchers": [repr(matcher) for matcher in shell.Completer.matchers],
        "configurables": list(shell.configurables),
        "cleanup": list(inputs.cleanup_transforms),
        "lines": list(inputs.line_transforms),
        "tokens": list(inputs.token_transformers),
        "post": list(shell.input_transformers_post),
        "ast": list(shell.ast_transformers),
        "errors": (shell.custom_exceptions, shell.CustomTB),
        "observers": repr([shell._trait_notifiers, shell.Completer._trait_notifiers, manager._trait_notifiers]),
        "config": repr(shell.config),
        "extensions": set(manager_of_extensions.loaded),
        "attributes": sorted(vars(shell)),
        "names": {name for name in shell.user_ns if not name.startswith("_")},
        "threads": set(threading.enumerate()),
        "descriptors": sorted(_descriptors()),
        "builtins": {name: value for name, value in vars(builtins).items() if name != "_"},
        "hooks": (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook),
        "signal": signal.getsignal(signal.SIGINT),
        "atexit": atexit._ncallbacks(),
        "gc": list(gc.callbacks),
    }


def _descriptors() -> list[str]:
    """Say what each open file descriptor leads to; that of this very listing is gone by then."""
    found = []
    for link in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):
            found.append(f"{link.name} {link.readlink()}")
    return found


@pytest.fixture
def warm(plain: Notebook) -> Notebook:
    """A notebook in which IPython has loaded its own magics for extensions, and nothing of ours."""
    for name in MAGICS:
        assert plain.shell.find_line_magic(name) is not None
    plain.shell.magics_manager.lsmagic_docs()  # IPython's own magics load themselves when they are first looked at
    plain.run("None")
    gc.collect()  # shells of earlier tests, with what their detectors have open
    return plain


def work(notebook: Notebook, workshop: Workshop) -> None:
    """Use every verb once, an error included."""
    workshop.write({"model.py": "RATE = 1\nclass Model: pass", "wrong.py": "1 / 0"})
    notebook.run("%exoload from model import Model, RATE\n%exoload model\nm = Model()")
    workshop.edit("model.py", "RATE = 2\nclass Model: pass")
    notebook.run("%exoreload\n%exostatus")
    notebook.run("%%exoload\nimport model as again")
    notebook.fail("%exoload wrong", ZeroDivisionError)


def test_unloading_takes_off_everything_of_ours(warm: Notebook, workshop: Workshop) -> None:
    """Hooks, magics, matchers, settings, observers, threads and descriptors are those from before loading."""
    before = state_of(warm.shell)
    warm.run("%load_ext exocet_ipython")
    during = state_of(warm.shell)
    changed = {key for key in before if during[key] != before[key]}
    assert {"events", "magics", "registry", "custom matchers", "matchers", "configurables", "extensions"} <= changed
    assert not changed & {"path", "path_hooks", "errors", "builtins", "hooks", "signal", "atexit", "names"}
    work(warm, workshop)
    warm.run("%unload_ext exocet_ipython")
    after = state_of(warm.shell)
    assert after.pop("names") - before.pop("names") == {"Model", "RATE", "model", "m", "again"}
    assert {key: value for key, value in after.items() if value != before[key]} == {}


def test_reloading_the_extension_many_times_leaves_one_of_everything(warm: Notebook, workshop: Workshop) -> None:
    """After 20 times `%reload_ext` the shell is as after one, and after unloading as before."""
    before = state_of(warm.shell)
    warm.run("%load_ext exocet_ipython")
    work(warm, workshop)
    warm.run("%reload_ext exocet_ipython")
    once = {key: _sizes(value) for key, value in state_of(warm.shell).items()}
    for _ in range(20):
        warm.run("%reload_ext exocet_ipython")
    again = {key: _sizes(value) for key, value in state_of(warm.shell).items()}
    assert again == once
    warm.run("%unload_ext exocet_ipython")
    after = state_of(warm.shell)
    assert {key for key in before if after[key] != before[key]} == {"names"}


def _sizes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: len(found) if isinstance(found, list | dict) else 1 for key, found in value.items()}
    return len(value) if isinstance(value, list | set) else str(type(value))


def test_unloading_loads_no_lazy_magics(plain: Notebook) -> None:
    """A magic that IPython is to load when it is first used isn't loaded by our coming and going."""
    manager: Any = plain.shell.magics_manager
    manager.register_lazy("lazily", "no_such_module")
    before = {kind: dict.get(table, "lazily") for kind, table in manager.magics.items()}
    plain.run("%load_ext exocet_ipython")
    plain.run("%unload_ext exocet_ipython")
    assert all(dict.get(table, "lazily") is before[kind] for kind, table in manager.magics.items())
    assert "no_such_module" in plain.fail("%lazily", Exception)


def test_what_the_person_loaded_stays_after_unloading(notebook: Notebook, workshop: Workshop) -> None:
    """Names, modules and their parents' attributes are those that the person has, and go on working."""
    workshop.write({"pkg/__init__.py": "", "pkg/model.py": "import pkg\nclass Model: pass\ndef make(): return Model()"})
    notebook.run("%exoload pkg.model\n%exoload from pkg.model import Model")
    model = notebook["model"]
    notebook.run("%unload_ext exocet_ipython")
    assert notebook["model"] is model is sys.modules["pkg.model"] is sys.modules["pkg"].model
    assert isinstance(model.make(), notebook["Model"])
    notebook.run("import pkg.model as same")
    assert notebook["same"] is model


def test_an_unloaded_session_is_gone(notebook: Notebook, workshop: Workshop) -> None:
    """Nothing holds the session, its settings or its magics after unloading."""
    workshop.write({"model.py": "class Model: pass"})
    for cell in ("%exoload model", "%exoreload", "%exostatus", "%exoauto on", "%exoauto"):
        notebook.run(cell)
    attachment = attaching.attach(notebook.shell)
    left = [weakref.ref(thing) for thing in (attachment, attachment.session, attachment.settings)]
    del attachment
    notebook.run("%unload_ext exocet_ipython")
    notebook.run("None")  # IPython keeps the last result
    gc.collect()
    assert [reference() for reference in left] == [None] * 3


def test_loading_twice_is_harmless(warm: Notebook, workshop: Workshop) -> None:
    """A second `%load_ext` changes nothing, neither through IPython nor called directly; so does a second unload."""
    workshop.write({"model.py": "X = 1"})
    warm.run("%load_ext exocet_ipython\n%exoload model")
    once = state_of(warm.shell)
    assert "already loaded" in warm.run("%load_ext exocet_ipython")
    warm.run("import exocet_ipython\nexocet_ipython.load_ipython_extension(get_ipython())\ndel exocet_ipython")
    assert state_of(warm.shell) == once
    assert "model" in repr(warm.value("%exostatus"))
    warm.run("%unload_ext exocet_ipython")
    none = state_of(warm.shell)
    assert "not loaded" in warm.run("%unload_ext exocet_ipython")
    warm.run("import exocet_ipython\nexocet_ipython.unload_ipython_extension(get_ipython())\ndel exocet_ipython")
    assert state_of(warm.shell) == none


def test_the_persons_magics_of_the_same_name_come_back(warm: Notebook) -> None:
    """A magic that the person had defined is shadowed while the extension is loaded, and there again afterwards."""
    warm.run(MINE)
    assert warm.value("%exostatus x") == "mine: x"
    warm.run("%load_ext exocet_ipython")
    assert repr(warm.value("%exostatus")).startswith("nothing is loaded")
    warm.run("%unload_ext exocet_ipython")
    assert warm.value("%exostatus x") == "mine: x"
    assert warm.value("%%exoload x\ny") == "mine: x y\n"
    assert warm.shell.find_line_magic("exoreload") is None


def test_a_magic_that_the_person_defines_later_is_not_taken_off(notebook: Notebook) -> None:
    """Who defines a magic over ours keeps it."""
    notebook.run(MINE)
    notebook.run("%unload_ext exocet_ipython")
    assert notebook.value("%exostatus x") == "mine: x"


def test_hooks_of_the_person_stay(notebook: Notebook) -> None:
    """Events, matchers and error handlers that came while the extension was loaded are there after unloading."""
    ran: list[str] = []

    def before_cell(_info: object) -> None:
        ran.append("cell")

    def matcher(_text: str) -> list[str]:
        return []

    def handler(*_given: object, **_named: object) -> None:
        ran.append("error")

    shell = notebook.shell
    shell.events.register("pre_run_cell", before_cell)
    shell.Completer.custom_matchers.append(matcher)
    shell.set_custom_exc((ZeroDivisionError,), handler)
    notebook.run("%unload_ext exocet_ipython")
    assert before_cell in shell.events.callbacks["pre_run_cell"]
    assert shell.Completer.custom_matchers == [matcher]
    notebook.fail("1 / 0", ZeroDivisionError)
    assert ran[-2:] == ["cell", "error"]


def test_an_error_handler_set_after_a_caught_failure_stays(notebook: Notebook) -> None:
    """`set_custom_exc` in the cell in which one of our magics failed is not undone at its end."""
    notebook.run(
        "try:\n    get_ipython().run_line_magic('exoload', 'nope')\nexcept ImportError:\n    pass\n"
        "seen = []\n"
        "get_ipython().set_custom_exc((ZeroDivisionError,), lambda *given, **named: seen.append(1))\n"
    )
    notebook.fail("1 / 0", ZeroDivisionError)
    assert notebook["seen"] == [1]


def test_the_extension_loads_again_after_unloading(notebook: Notebook, workshop: Workshop) -> None:
    """A new session takes up the modules that the one before had loaded, edits made meanwhile included."""
    workshop.write({"model.py": "X = 1"})
    notebook.run("%exoload model")
    notebook.run("%unload_ext exocet_ipython\n%load_ext exocet_ipython")
    assert repr(notebook.value("%exostatus")).startswith("nothing is loaded")
    workshop.edit("model.py", "X = 2")
    notebook.run("%exoload model")
    assert notebook.value("model.X") == 2
    workshop.edit("model.py", "X = 3")
    notebook.run("%exoreload")
    assert notebook.value("model.X") == 3


def test_two_shells_have_two_sessions(notebook: Notebook, workshop: Workshop, tmp_path: Path) -> None:
    """What one shell loads and unloads is not the other's; a reload in one leaves the names of the other alone."""
    workshop.write({"model.py": "X = 1\nclass Model: pass", "other.py": "Y = 1"})
    second = Notebook(InteractiveShell(config=notebook.shell.config, ipython_dir=str(tmp_path / "second"), user_ns={}))
    try:
        second.run("%load_ext exocet_ipython")
        notebook.run("%exoload from model import Model, X")
        second.run("%exoload other")
        assert "other" not in repr(notebook.value("%exostatus"))
        assert "model" not in repr(second.value("%exostatus"))
        second.run("from model import X")
        workshop.edit("model.py", "X = 2\nclass Model: pass")
        notebook.run("%exoreload")
        assert (notebook["X"], second["X"]) == (2, 1)
        second.run("%unload_ext exocet_ipython")
        workshop.edit("model.py", "X = 3")
        notebook.run("%exoreload")
        assert notebook["X"] == 3
        assert second.shell.find_line_magic("exoreload") is None
    finally:
        atexit.unregister(second.shell.atexit_operations)
        second.shell.atexit_operations()


@pytest.mark.parametrize("line", ["%exoload model", "%exoauto on\nimport model"])
def test_a_shell_that_is_dropped_takes_its_session_along(workshop: Workshop, tmp_path: Path, line: str) -> None:
    """Without `%unload_ext`: an embedded shell ends like that. Its finder goes, too, and its detector."""
    with open_shell(tmp_path / "first"):
        pass  # IPython keeps the first shell of a process
    workshop.write({"model.py": "X = 1"})
    finders = list(sys.meta_path)
    with open_shell(tmp_path / "second") as shell:
        notebook = Notebook(shell)
        notebook.run("%load_ext exocet_ipython")
        notebook.run(line)
        session = attaching.attach(shell).session
        assert list(session.generation.records) or session.managed.names() == ["model"]
        ours = [weakref.ref(part) for part in (shell, session, session.managed)]
    del shell, notebook, session
    gc.collect()
    gc.collect()  # the first one took off the finder, which held the modules
    assert [reference() for reference in ours] == [None] * 3
    assert sys.meta_path == finders


def test_an_attachment_counts_its_hooks_and_comes_off_twice(plain: Notebook) -> None:
    """Its repr says the count and no contents; `take_off` may be called again."""
    attachment = attaching.Attachment(plain.shell)
    before = state_of(plain.shell)
    assert re.search(r": [1-9]\d* hooks>$", repr(attachment))
    attachment.take_off()
    once = state_of(plain.shell)
    attachment.take_off()
    assert "0 hooks" in repr(attachment)
    assert state_of(plain.shell) == once != before
