"""Random import statements: modules that import each other in whatever way, circles and broken ones included.

What a module is, is its lines. Whether they can be imported, and what comes of them, a fresh interpreter knows.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.differential.machine import Machine
from tests.differential.script import Script

__all__ = ["ImportMachine"]

_MODULES = ("one", "two", "sea", "ten", "p", "p.a", "p.b", "p.q", "p.q.c", "r", "r.a")
_NAMES = "ABCDE"
_LINES = ("import",) * 6 + ("halfway",) * 3 + ("try", "late", "value", "there", "here", "broken")
_TRIES = 12
_SHOW = """\
import sys

def show(name):
    def shown(value):
        return getattr(value, "__name__", value)

    # A package has the submodules that somebody has loaded by then, and its star imports give these.
    parts = {key: value for key, value in vars(sys.modules[name]).items() if key[0] != "_"}
    loaded = {key for key, value in parts.items() if getattr(value, "__name__", "").endswith(f".{key}")}
    return [(key, shown(parts[key])) for key in sorted(parts.keys() - loaded)]
"""


@dataclass(frozen=True)
class Files:
    """The modules and their lines, and the number of the next new value."""

    modules: Mapping[str, tuple[str, ...]]
    folders: frozenset[str] = frozenset()
    following: int = 0

    @cached_property
    def texts(self) -> dict[str, str]:
        """Path -> source text."""
        above = {name.rpartition(".")[0] for name in self.modules} | self.folders
        return {
            name.replace(".", "/") + ("/__init__.py" if name in above else ".py"): "\n".join(lines)
            for name, lines in self.modules.items()
        }

    def having(self, name: str, lines: tuple[str, ...]) -> Files:
        """Return them with other lines of one module."""
        return replace(self, modules={**self.modules, name: lines}, following=self.following + 1)

    def without(self, name: str, *, mentioned: bool) -> Files:
        """Return them without a module and those in it, and without the lines that mention these, or with them."""
        kept = {key: lines for key, lines in self.modules.items() if not f"{key}.".startswith(f"{name}.")}
        said = re.compile(rf"\b{re.escape(name)}\b|import {name.rpartition('.')[2]}\b|\.{name.rpartition('.')[2]}\b")
        if not mentioned:
            kept = {key: tuple(line for line in lines if not said.search(line)) for key, lines in kept.items()}
        return replace(self, modules=kept, folders=self.folders - {name})


def _statements(files: Files, module: str) -> Iterator[str]:
    """Yield import statements that a module or, where it has no name, a cell could have."""
    package = module if any(name.startswith(f"{module}.") for name in files.modules) else module.rpartition(".")[0]
    for name in files.modules:
        if name == module:
            continue
        parent, _, last = name.rpartition(".")
        yield f"import {name}"
        yield f"import {name} as {last}_"
        if parent:
            yield f"from {parent} import {last}"
        sources = [name]
        if module and package and parent == package:
            yield f"from . import {last}"
            sources.append(f".{last}")
        for source in sources:
            yield from (f"from {source} import {key}" for key in _NAMES if _gives(files, name, key))
            yield f"from {source} import *"


def _gives(files: Files, module: str, name: str) -> bool:
    return any(re.search(rf"^{name} = |import {name}\b|import \*", line) for line in files.modules[module])


class ImportMachine(Machine):
    """A person's work with modules whose import statements change."""

    def __init__(self) -> None:
        super().__init__()
        self._files = Files({})
        self._cells: list[str] = []
        self._good: list[Files] = []

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Write the first files, import them."""
        self._draw = data.draw
        files = Files({})
        for name in sorted({self._pick(_MODULES) for _ in range(self._draw(st.integers(4, 7)))}):
            parents = [name[: found.start()] for found in re.finditer(r"\.", name)]
            for missing in [*parents, name]:
                if missing not in files.modules:
                    files = files.having(missing, (f"{self._pick(_NAMES)} = {files.following}",))
        cells = list(
            dict.fromkeys(self._pick(list(_statements(files, ""))) for _ in range(self._draw(st.integers(2, 4))))
        )
        if _attempt(files, cells):
            return
        for _ in range(self._draw(st.integers(8, 24))):
            after = self._with_line(files)
            if not _attempt(after, cells):
                files = after
        self._files, self._cells, self._good = files, cells, [files]
        self.script = Script(files.texts)
        for cell in (_SHOW, *cells):
            self.script.run(cell)
        self._ask()

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Save some edits, each looked at."""
        self._draw = data.draw
        for _ in range(self._draw(st.integers(1, 3)) if self.script is not None else 0):
            self._save_one()

    @rule(data=st.data())
    def import_more(self, data: st.DataObject) -> None:
        """Run a cell that imports more, and save an edit."""
        self._draw = data.draw
        if self.script is not None and self._files is self._good[-1]:
            cell = self._pick(list(_statements(self._files, "")))
            if not _attempt(self._files, [*self._cells, cell]):
                self._cells.append(cell)
                self.script.run(cell)
                self._ask()
        self.edit(data)

    def _save_one(self) -> None:
        """Save an edit, or two at once; now and then one that can't be imported, or one that repairs that."""
        assert self.script is not None
        is_broken = self._files is not self._good[-1]
        for _ in range(_TRIES):
            after = self._edited(self._files)
            if self._is_one_of(4):
                after = self._edited(after)
            if self._is_one_of(2 if is_broken else 8):
                after = self._pick(self._good)
            failed = _attempt(after, self._cells)
            if failed == "cell" or (failed and not self._is_one_of(6)):
                continue
            self.script.save(after.texts, "edit", rejected=bool(failed))
            self._files = after
            self._good += [] if failed else [after]
            self._ask()
            return

    def _ask(self) -> None:
        assert self.script is not None
        named = dict.fromkeys(cell.split()[1] for cell in self._cells)
        given = [key for key in _NAMES if any(cell.endswith(("*", f" {key}")) for cell in self._cells)]
        self.script.ask([*(f"show({name!r})" for name in named), *given])

    # -- drawing -------------------------------------------------------------------------------------------------

    def _edited(self, files: Files) -> Files:
        if self._is_one_of(5):
            return self._with_other_modules(files)
        name = self._pick(list(files.modules))
        lines = files.modules[name]
        if not lines or self._is_one_of(3):
            return self._with_line(files)
        at = self._draw(st.integers(0, len(lines) - 1))
        others = (*lines[:at], *lines[at + 1 :])
        match self._pick(("value", "delete", "move", "replace")):
            case "value":
                lines = (*lines[:at], re.sub(r"\d+$", str(files.following), lines[at]), *lines[at + 1 :])
            case "delete":
                lines = others
            case "move":
                to = self._draw(st.integers(0, len(others)))
                lines = (*others[:to], lines[at], *others[to:])
            case "replace":
                lines = (*lines[:at], self._line(files, name), *lines[at + 1 :])
        return files.having(name, lines)

    def _with_other_modules(self, files: Files) -> Files:
        """Have a module come, go, or become a package or no package."""
        name = self._pick(list(files.modules))
        match self._pick(("new", "new", "gone", "gone and mentioned", "folder")):
            case "new":
                new = self._pick(_MODULES)
                if new not in files.modules and (not (parent := new.rpartition(".")[0]) or parent in files.modules):
                    files = files.having(new, (f"{self._pick(_NAMES)} = {files.following}",))
                    new_line = self._pick([line for line in _statements(files, name) if new in line] or ["pass"])
                    return files.having(name, (*files.modules[name], new_line)) if name != new else files
                return files
            case "folder":
                return replace(files, folders=files.folders ^ {name})
            case how:
                left = files.without(name, mentioned=how != "gone")
                return left if left.modules else files

    def _with_line(self, files: Files) -> Files:
        name = self._pick(list(files.modules))
        lines = files.modules[name]
        at = self._draw(st.integers(0, len(lines)))
        return files.having(name, (*lines[:at], self._line(files, name), *lines[at:]))

    def _line(self, files: Files, module: str) -> str:
        """Return a line: an import statement mostly."""
        key, other, value = self._pick(_NAMES), self._pick(_NAMES), files.following
        statement = self._pick(list(_statements(files, module)) or [f"{key} = {value}"])
        used = self._pick([name for line in files.modules[module] if (name := _bound_module(line))] or ["broken"])
        taken = f"{statement}\n{key} = getattr({_bound_module(statement)}, {other!r}, None)"
        lines = {
            "import": statement,
            "try": f"try:\n    {statement}\nexcept ImportError:\n    pass",
            "late": f"def late{value}():\n    {statement.replace('*', other)}\n    return {value}",
            "value": f"{key} = {value}",
            "here": f"{key} = ({other}, {value})",
            "there": f"{key} = {used}.{other}",
            "halfway": taken if _bound_module(statement) else statement,
            "broken": self._pick(("def broken(:", "import nowhere", "broken = not_there")),
        }
        return lines[self._pick(_LINES)]


def _bound_module(line: str) -> str:
    """Return the expression of the module that an import statement gives."""
    found = re.match(r"import \S+ as (\w+)|import (\S+)|from \S+ import ([a-z]\w*)", line)
    return next((group for group in found.groups() if group), "") if found else ""


def _attempt(files: Files, cells: Iterable[str]) -> str:
    """Return what a restart says to these files: "" if the cells can run, else who fails, a "cell" or a "module"."""
    known, place = set(sys.modules), list(sys.path)
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.texts.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(text, "utf-8")
        try:
            sys.path.insert(0, folder)
            for cell in cells:
                exec(cell, {})
        except Exception as error:  # noqa: BLE001 - whatever the bodies raise
            inside = error.__traceback__ and error.__traceback__.tb_next and error.__traceback__.tb_next.tb_next
            return "module" if inside else "cell"
        finally:
            sys.path[:] = place
            for name in sys.modules.keys() - known:
                del sys.modules[name]
    return ""
