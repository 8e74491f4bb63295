"""One session of a replay: a notebook that uses a package, whose next release is laid over its files meanwhile.

`python session.py JOB ANSWER` reads a job and writes what it came to, both JSON. The modes: `fresh` has no extension
of ours and finds the next release from the start, `auto` turns `%exoauto` on, `explicit` loads with `%%exoload` and
reloads with `%exoreload --migrate`. Not imported by the tests: it needs nothing but IPython and the project.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import re
import runpy
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_PRELUDES = {
    "fresh": (),
    "auto": ("%load_ext exocet_ipython", "%exoauto on"),
    "explicit": ("%load_ext exocet_ipython",),
}
_UNIMPORTED = re.compile(r"\.(tests|conftest|__main__|_hypothesis_plugin)\b")  # what only other tools import


class Session:
    """A notebook in a real shell.

    Attributes:
        failed: what went wrong in a cell, as text.
    """

    def __init__(self, folder: Path, mode: str, mask: Callable[[str, str], str]) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
        self.shell: Any = InteractiveShell.instance(config=config)
        self.failed: list[str] = []
        self._folder = folder
        self._mode = mode
        self._mask = mask
        self._imports: dict[str, tuple[str, str]] = {}
        for line in _PRELUDES[mode]:
            self.run(line)

    @property
    def names(self) -> dict[str, Any]:
        """The names that the notebook has bound, with their values."""
        hidden = self.shell.user_ns_hidden
        return {
            name: value
            for name, value in sorted(self.shell.user_ns.items())
            if not name.startswith("_") and (name not in hidden or hidden[name] is not value)
        }

    def run(self, code: str) -> None:
        """Run a cell, under `%%exoload` where that is the mode and the cell consists of imports."""
        body = ast.parse(code).body if not code.startswith("%") else []
        is_imports = bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)
        if is_imports:
            self._imports |= dict(_bound(body))
        result = self.shell.run_cell(f"%%exoload\n{code}" if is_imports and self._mode == "explicit" else code)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            self.failed.append(f"{code.splitlines()[0]}: {error!r}")

    def answers(self, name: str) -> dict[str, str]:
        """Make the calls that the notebook keeps under a name; return what each gave, or raised, and printed."""
        found = {}
        for title, call in self.shell.user_ns[name].items():
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    answer = repr(call())
            except Exception as error:  # noqa: BLE001 - what a call raises is its answer
                answer = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
                traceback.print_exc()
            found[title] = self._mask(f"{answer} {printed.getvalue()}".strip(), str(self._folder))
        return found

    def imported(self) -> Iterator[tuple[str, bool]]:
        """Yield each name that the notebook has imported, and whether it is what its module has under that name."""
        for alias, (module, attribute) in sorted(self._imports.items()):
            now = sys.modules.get(module)
            if attribute:
                now = getattr(now, "__dict__", {}).get(attribute, sys.modules.get(f"{module}.{attribute}"))
            yield alias, self.shell.user_ns.get(alias) is now


def lay(releases: list[str], folder: Path, laid: set[Path]) -> set[Path]:
    """Write the files of some releases into a folder and remove what was laid before and is in none of them.

    Returns:
        What is laid now.
    """
    files = {path.relative_to(release): path for release in map(Path, releases) for path in release.rglob("*")}
    files = {name: path for name, path in files.items() if path.is_file()}
    for name in laid - files.keys():
        (folder / name).unlink()
    for parent in sorted({parent for name in laid for parent in name.parents}, reverse=True):
        # As pip does: a folder that holds nothing but caches goes with its last file.
        if parent != Path() and all(path.name == "__pycache__" for path in (folder / parent).iterdir()):
            shutil.rmtree(folder / parent)
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
    return set(files)


def replay(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a session; return what is to be compared."""
    mode, folder, roots = job["mode"], Path(job["folder"]), job["roots"]
    tools = runpy.run_path(str(Path(__file__).with_name("description.py")))
    *before, after = job["laid"]
    laid = lay(after if mode == "fresh" else before[0], folder, set())
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    session = Session(folder, mode, tools["mask"])
    for cell in job["cells"]:
        session.run(cell)
    if session.failed:
        return {"failed": session.failed}
    session.answers("calls")
    session.answers("held_calls")
    for releases in (*before[1:], after):
        session.failed.clear()  # what is only there for a while may be broken
        if mode != "fresh":
            laid = lay(releases, folder, laid)
        session.run("%exoreload --migrate" if mode == "explicit" else "pass")
    answers = {name: session.answers(name) for name in ("calls", "held_calls")}
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] in roots)
    unloadable = import_rest(folder, roots)
    gc.collect()
    description = tools["Description"](roots, str(folder), job["numbered"], job["counters"])
    description.describe_modules()
    notebook = {name: description.show(value) for name, value in session.names.items()}
    return {
        "failed": session.failed,
        "loaded": loaded,
        "compared": {
            "unloadable": unloadable,
            "answers": answers,
            "imported": dict(session.imported()),
            "notebook": {name: value for name, value in notebook.items() if name not in ("calls", "held_calls")},
            "stale": description.stale(session.names.values()),
            **description.found,
        },
    }


def import_rest(folder: Path, roots: list[str]) -> dict[str, str]:
    """Import all modules of the packages that are not loaded yet; return what some raise."""
    raised = {}
    for root in roots:
        package = importlib.import_module(root)
        for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{root}.", onerror=lambda _: None):
            if _UNIMPORTED.search(found.name) or found.name in sys.modules:
                continue
            try:
                importlib.import_module(found.name)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - that it can't be imported has to be the same as well
                raised[found.name] = f"{type(error).__name__}: {error}".replace(str(folder), "<FOLDER>")
    return raised


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the names that import statements bind, each with its module and attribute."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, (name, "")
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, (node.module or "", alias.name)) for alias in node.names)


if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    answer = replay(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(answer), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # what the package registered for the exit is not of interest
