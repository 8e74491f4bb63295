"""After random edits of bodies, docstrings, layout and import-time code, a migrated session equals a fresh process."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.plain_notebook import PlainNotebook
from tests.reloading.programs import CALLS, STATEMENTS, Program, programs
from tests.workshop import Workshop

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the truth is found in a forked child")

Edit = tuple[str, int, int]
KINDS = ("value", "value", "doc", "space", "call", "statement", "raise")
edits = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=4)


def apply(program: Program, edit: Edit) -> None:
    """Edit a program: what one function returns, says, names or raises, where it stands, what runs at import."""
    kind, which, number = edit
    modules = [(module, name) for module, own in program.functions.items() for name in own]
    module, name = modules[which % len(modules)]
    earlier = [target for _, target in modules[: modules.index((module, name))]]
    match kind:
        case "value":
            program.values[name] = (name, number)
        case "doc":
            program.docs[name] = f"Says {number}."
        case "space":
            program.spaces[name] = number % 5
        case "raise":
            program.functions[module][name] = "raise ArithmeticError" if number % 2 else "None"
        case "call" if earlier:
            program.functions[module][name] = CALLS[number % len(CALLS)].format(t=earlier[which % len(earlier)])
        case "statement":
            call = CALLS[number % len(CALLS)].format(t=name)
            program.statements["high"] = [STATEMENTS[which % len(STATEMENTS)].format(n=number, call=call)]


def observe(modules: dict[str, Any]) -> dict[str, str]:
    """Return what the modules' functions and classes answer, and where they say that they stand."""
    found: dict[str, str] = {}
    for module, value in modules.items():
        for name, thing in sorted(vars(value).items()):
            if name.startswith("__"):
                continue
            key = f"{module}.{name}"
            found[key] = mask(repr(thing))
            if inspect.isfunction(thing) and thing.__module__ == module:
                found[f"{key} stands"] = mask(repr((inspect.signature(thing), *place(thing))))
                if not inspect.signature(thing).parameters:
                    found[f"{key} answers"] = outcome(thing)
            elif inspect.isclass(thing) and thing.__module__ == module and name.startswith("K_"):
                own = name.removeprefix("K_")
                found[f"{key} stands"] = repr(
                    (place(thing.__dict__[f"run_{own}"]), getattr(thing, "__firstlineno__", 0))
                )
                for ask in (f"run_{own}", f"static_{own}", f"class_{own}"):
                    found[f"{key}.{ask} answers"] = outcome(getattr(thing(), ask))
                found[f"{key}.source"] = inspect.getsource(thing)
    return found


def place(function: Any) -> tuple[object, ...]:
    """Return the docstring of a function, and all positions of its code."""
    return function.__doc__, function.__code__.co_firstlineno, list(function.__code__.co_positions())


def outcome(function: Callable[[], object]) -> str:
    """Return what a function answers, or what it raises and in which lines."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return mask(repr(function()))
    except Exception as error:  # noqa: BLE001 - whatever the program does is what is compared
        lines = [(frame.name, frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__)[1:]]
        return mask(f"{type(error).__name__}: {error} at {lines}")


def mask(text: str) -> str:
    """Return a text without addresses."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x", text)


def in_fresh_process() -> dict[str, str] | None:
    """Return what a process observes that imports the modules for the first time; None where it can't import them."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer: dict[str, str] | None = None
        try:
            for name in ("low", "high"):
                sys.modules.pop(name, None)
            importlib.invalidate_caches()
            typed = {name: entry for name, entry in linecache.cache.items() if name.startswith("<")}  # 3.13: of `-c`
            linecache.clearcache()
            linecache.cache.update(typed)
            with contextlib.redirect_stdout(io.StringIO()):
                answer = observe({name: importlib.import_module(name) for name in ("low", "high")})
        finally:
            with os.fdopen(writing, "w") as pipe:
                json.dump(answer, pipe)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    found: dict[str, str] | None = json.loads(text or "null")
    return found


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(programs(), st.lists(edits, min_size=1, max_size=4))
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # the child only imports
def test_reloads_equal_a_fresh_process(
    tmp_path_factory: pytest.TempPathFactory, program: Program, steps: list[list[Edit]]
) -> None:
    """Answers, docstrings, signatures, lines, sources and tracebacks are those of a process that starts now."""
    with Workshop(tmp_path_factory.mktemp("program")) as workshop, contextlib.redirect_stdout(io.StringIO()):
        workshop.write(program.files())
        if in_fresh_process() is None:
            return
        notebook = PlainNotebook()
        notebook.run("import low, high")
        for step in steps:
            for edit in step:
                apply(program, edit)
            workshop.write(program.files())
            truth = in_fresh_process()
            report = notebook.session.reload(migrate=True)
            assert (report.error is None) == (truth is not None)
            if truth is not None:
                event(f"rung {report.rung}" if report else "no change")
                assert observe({name: notebook[name] for name in ("low", "high")}) == truth, report
