"""Errors of isolated loading are those of Python's own import: type, name, text, and the person's own frames."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from exocet_ipython.errors import ExocetError
from exocet_ipython.loading.isolated import load_named, load_package_named
from tests.workshop import Workshop

# In a fresh Python: import a name in the ordinary way and describe the error, without this script's own frame.
PLAIN = """
import importlib, json, sys, traceback
sys.path.insert(0, sys.argv[1])
try:
    importlib.import_module(sys.argv[2])
except BaseException as error:
    frames = [list(frame)[:3] for frame in traceback.extract_tb(error.__traceback__)]
    theirs = [frame for frame in frames if frame[0].startswith(sys.argv[1])]
    name = getattr(error, "name", None)
    line = [getattr(error, field, None) for field in ("filename", "lineno", "offset", "text")]
    print(json.dumps([type(error).__name__, str(error), name, line, theirs]))
"""

CASES = {
    "syntax": ({"bad.py": "x = 1\ndef f(:\n    pass"}, "bad"),
    "syntax in a submodule": ({"pkg/__init__.py": "\nfrom . import bad", "pkg/bad.py": "if 1:\nx"}, "pkg"),
    "null bytes": ({"bad.py": "x = 1\0"}, "bad"),
    "coding": ({"bad.py": "# -*- coding: no-such-coding -*-\n"}, "bad"),
    "body": ({"bad.py": "def f():\n    return 1 / 0\n\nf()"}, "bad"),
    "body of a submodule": (
        {"pkg/__init__.py": "import pkg.a", "pkg/a.py": "from . import b", "pkg/b.py": "\n\n{}['x']"},
        "pkg",
    ),
    "raised with a cause": (
        {"bad.py": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('no') from e"},
        "bad",
    ),
    "exit": ({"bad.py": "import sys\nsys.exit('bye')"}, "bad"),
    "import error": ({"bad.py": "raise ImportError('no good')"}, "bad"),
    "missing import": ({"bad.py": "\nimport no_such_module"}, "bad"),
    "missing import in a submodule": (
        {"pkg/__init__.py": "from . import a", "pkg/a.py": "import no_such_module.x"},
        "pkg",
    ),
    "missing name": ({"bad.py": "from good import nothing", "good.py": ""}, "bad"),
    "missing name in the package": ({"pkg/__init__.py": "from .a import nothing", "pkg/a.py": ""}, "pkg"),
    "missing relative": ({"pkg/__init__.py": "\nfrom .nothing import x"}, "pkg"),
    "missing sibling": ({"pkg/__init__.py": "from . import nothing"}, "pkg"),
    "beyond the top": ({"pkg/__init__.py": "from ..other import x"}, "pkg"),
    "relative without a package": ({"bad.py": "from . import x"}, "bad"),
    "a module is no package": ({"bad.py": "import good.part", "good.py": ""}, "bad"),
    "missing star": ({"bad.py": "from good import *", "good.py": "__all__ = ['nothing']"}, "bad"),
    "star of a package": ({"pkg/__init__.py": "from .a import *", "pkg/a.py": "__all__ = ['nothing']"}, "pkg"),
    "circular": (
        {"pkg/__init__.py": "from . import a", "pkg/a.py": "from .b import x", "pkg/b.py": "from .a import y"},
        "pkg",
    ),
    "no such module": ({}, "no_such_module"),
    "no such submodule": ({"pkg/__init__.py": ""}, "pkg.nothing"),
    "no such package": ({}, "no_such_package.part.leaf"),
    "part of a plain module": ({"good.py": ""}, "good.part"),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_are_pythons_own(workshop: Workshop, case: str) -> None:
    """An error while a copy is made has the type, text, name, line and frames that a plain import gives."""
    files, name = CASES[case]
    workshop.write(files)
    before = dict(sys.modules)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the comparison below is precise
        load_named(name)
    kept = sys.modules.keys() & before.keys()
    assert {key: sys.modules[key] for key in kept} == before
    kind, text, missing, line, frames = plain_error(workshop, name)
    error = caught.value
    trace = traceback.extract_tb(error.__traceback__)

    assert kind in [base.__name__ for base in type(error).__mro__]
    if isinstance(error, ExocetError):  # it is Python's error, and says what to do as well
        assert str(error).startswith(text)
    else:
        assert (type(error).__name__, str(error)) == (kind, text)
    assert getattr(error, "name", None) == missing
    assert [getattr(error, field, None) for field in ("filename", "lineno", "offset", "text")] == line
    assert trace[0].filename == __file__
    assert [list(frame)[:3] for frame in trace[1:]] == frames


def plain_error(workshop: Workshop, name: str) -> Any:
    """Import a name in a fresh Python and return what its error says."""
    command = [sys.executable, "-c", PLAIN, str(workshop.folder), name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_causes_show_the_persons_frames_only(workshop: Workshop) -> None:
    """The cause and the context of an error are free of this package's frames too."""
    workshop.write(
        {
            "pkg/__init__.py": "try:\n    from . import a\nexcept KeyError as e:\n    raise ValueError from e",
            "pkg/a.py": "import pkg.b",
            "pkg/b.py": "try:\n    import no_such_module\nexcept ImportError:\n    raise KeyError",
        }
    )
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it has no text
        load_named("pkg")
    chain: list[BaseException] = [caught.value]
    while (following := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(following)
    assert [type(error) for error in chain[:2]] == [ValueError, KeyError]
    assert isinstance(chain[2], ModuleNotFoundError)
    shown = [traceback.extract_tb(error.__traceback__) for error in chain]
    files = [[Path(frame.filename).name for frame in frames] for frames in shown]
    assert files == [["test_isolated_errors.py", "__init__.py"], ["__init__.py", "a.py", "b.py"], ["b.py"]]


def test_errors_in_late_imports(workshop: Workshop) -> None:
    """An import that fails in a function of a copy, long after it was loaded, shows the person's own frames."""
    workshop.write({"pkg/__init__.py": "def late():\n    from . import bad", "pkg/bad.py": "pass\n1 / 0"})
    copy = load_named("pkg")
    with pytest.raises(ZeroDivisionError) as caught:
        copy.late()
    trace = traceback.extract_tb(caught.value.__traceback__)
    assert [(Path(frame.filename).name, frame.lineno) for frame in trace][1:] == [("__init__.py", 2), ("bad.py", 2)]


@pytest.mark.parametrize("name", ["", ".", "pkg.", ".pkg", "pkg..part"])
def test_names_that_are_no_names(workshop: Workshop, name: str) -> None:
    """A name that can't be a module's is reported as missing, with itself in the text."""
    workshop.write({"pkg/__init__.py": "", "pkg/part.py": ""})
    for load in (load_named, load_package_named):
        with pytest.raises(ModuleNotFoundError, match="No module named"):
            load(name)


def test_a_folder_without_permission(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be read gives the operating system's error, and nothing has changed."""
    workshop.write({"secret.py": ""})
    from importlib.machinery import SourceFileLoader

    def refuse(self: SourceFileLoader, path: str) -> bytes:  # noqa: ARG001 - get_data's signature
        raise PermissionError(13, "Permission denied", path)

    # Root reads every file, so the refusal is the loader's.
    monkeypatch.setattr(SourceFileLoader, "get_data", refuse)
    before = dict(sys.modules)
    with pytest.raises(PermissionError) as caught:
        load_named("secret")
    assert caught.value.filename == workshop.path("secret.py")
    assert dict(sys.modules) == before
