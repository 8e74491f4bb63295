"""The package's floors: what its files may import, and how long they may be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import floors

Check = Callable[[tuple[floors.File, ...]], list[str]]

FILES = floors.read_package(Path(__file__).parents[1] / floors.PACKAGE)

# Imports the package in an interpreter that has loaded nothing else and prints the packages that came with it.
FRESH_IMPORT = """
import sys
before = set(sys.modules)
import exocet_ipython
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""
FRESH_EXTENSION = """
import sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_line_magic("load_ext", "exocet_ipython")
print(*(name.rpartition(".")[2] for name in sys.modules if name.startswith("exocet_ipython.notebook.")))
"""


def no_problem(problems: list[str]) -> None:
    """Fail with one problem per line."""
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def test_every_file_stands_on_a_floor() -> None:
    """Each file of the package stands on a floor or is the facade, so that no new file escapes the other checks."""
    assert FILES, "no source file was found: where has the package gone?"
    no_problem(floors.files_on_no_floor(FILES))


def test_imports_run_downward() -> None:
    """No file imports from a higher floor, not in a function and not for the type checker either."""
    no_problem(floors.upward_imports(FILES))


def test_imports_run_downward_within_a_floor() -> None:
    """No file imports from a higher folder of its own floor, and each folder has its place there."""
    no_problem(floors.upward_imports_on_a_floor(FILES))


def test_integrations_and_facade_are_leaves() -> None:
    """No file imports the facade, and none imports an integration from another floor."""
    no_problem(floors.imports_of_leaves(FILES))


def test_facade_is_lazy_about_the_notebook() -> None:
    """The facade imports the notebook floor inside functions only."""
    no_problem(floors.heavy_facade_imports(FILES))


def test_outside_packages_stay_where_they_belong() -> None:
    """Only the notebook floor and the integrations import IPython and the like, only reloading imports inotify."""
    no_problem(floors.outside_imports(FILES))


def test_no_cycles() -> None:
    """The files of one floor do not import each other in a circle."""
    no_problem(floors.import_cycles(FILES))


def test_no_file_is_two_things() -> None:
    """No file of the package has more than 300 lines."""
    no_problem(floors.long_files(FILES))


def test_import_is_light() -> None:
    """Importing the package in a fresh interpreter loads no IPython and no optional package."""
    run = subprocess.run([sys.executable, "-c", FRESH_IMPORT], stdout=subprocess.PIPE, text=True, check=True)
    # On Linux inotify_simple is a dependency of its own: one small file that needs nothing else.
    assert set(run.stdout.split()) - {"inotify_simple"} == {floors.PACKAGE}


def test_loading_the_extension_spares_what_only_commands_need() -> None:
    """`%load_ext` loads no file that serves only a command which the person may never type."""
    run = subprocess.run([sys.executable, "-c", FRESH_EXTENSION], stdout=subprocess.PIPE, text=True, check=True)
    assert "session" in run.stdout.split()
    assert not {"status", "why", "collecting", "leftovers", "subjects"} & set(run.stdout.split())


def problems_of(tmp_path: Path, check: Check, tree: dict[str, str]) -> list[str]:
    """Write a made-up package, given as path -> source, and run one check on it."""
    for path, source in tree.items():
        file = tmp_path / floors.PACKAGE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return check(floors.read_package(tmp_path / floors.PACKAGE))


# Each case: a check, a tree that it must refuse, and the start of the problem.
REFUSED: dict[str, tuple[Check, dict[str, str], str]] = {
    "upward": (
        floors.upward_imports,
        {"loading/mapper.py": "import os\nfrom exocet_ipython.reloading import graph", "reloading/graph.py": ""},
        "exocet_ipython/loading/mapper.py:2: `from exocet_ipython.reloading import graph` runs upward, from loading to",
    ),
    "upward, relative": (
        floors.upward_imports,
        {"loading/deep/mapper.py": "from ...survivors.paths import path_to"},
        "exocet_ipython/loading/deep/mapper.py:1: `from ...survivors.paths import path_to` runs upward",
    ),
    "upward, relative, from a package file": (
        floors.upward_imports,
        {"loading/__init__.py": "from ..survivors import paths", "survivors/paths.py": ""},
        "exocet_ipython/loading/__init__.py:1: `from ..survivors import paths` runs upward",
    ),
    "upward, in a function": (
        floors.upward_imports,
        {"errors.py": "def show():\n    import exocet_ipython.loading.source"},
        "exocet_ipython/errors.py:2: `import exocet_ipython.loading.source` runs upward, from errors to loading",
    ),
    "upward, for the type checker": (
        floors.upward_imports,
        {"reloading/plan.py": "if TYPE_CHECKING:\n    from exocet_ipython.notebook.session import Session"},
        "exocet_ipython/reloading/plan.py:2: `from exocet_ipython.notebook.session import Session` runs upward",
    ),
    "upward on a floor": (
        floors.upward_imports_on_a_floor,
        {
            "survivors/finding/paths.py": "from exocet_ipython.survivors.moving.holders import replace",
            "survivors/moving/holders.py": "from exocet_ipython.survivors.finding import roots",
        },
        (
            "exocet_ipython/survivors/finding/paths.py:1: "
            "`from exocet_ipython.survivors.moving.holders import replace` runs upward, from finding to moving"
        ),
    ),
    "folder without a place": (
        floors.upward_imports_on_a_floor,
        {"loading/deep/mapper.py": ""},
        "exocet_ipython/loading/deep/mapper.py: deep is no folder of loading; add it to STOREYS",
    ),
    "integration imported": (
        floors.imports_of_leaves,
        {"__init__.py": "def f():\n    from exocet_ipython.integrations import dask", "integrations/dask.py": ""},
        "exocet_ipython/__init__.py:2: `from exocet_ipython.integrations import dask` imports what nothing may",
    ),
    "facade imported": (
        floors.imports_of_leaves,
        {"notebook/live.py": "from exocet_ipython import load_named", "__init__.py": ""},
        "exocet_ipython/notebook/live.py:1: `from exocet_ipython import load_named` imports what nothing may",
    ),
    "heavy facade": (
        floors.heavy_facade_imports,
        {"compat.py": "class A:\n    from exocet_ipython.notebook import session"},
        "exocet_ipython/compat.py:2: `from exocet_ipython.notebook import session` makes the facade load the notebook",
    ),
    "IPython below the notebook": (
        floors.outside_imports,
        {"survivors/records.py": "def f():\n    import IPython.core"},
        "exocet_ipython/survivors/records.py:2: `import IPython.core` is not for survivors",
    ),
    "inotify above reloading": (
        floors.outside_imports,
        {"notebook/session.py": "from inotify_simple import INotify"},
        "exocet_ipython/notebook/session.py:1: `from inotify_simple import INotify` is not for notebook",
    ),
    "circle": (
        floors.import_cycles,
        {
            "loading/a.py": "from exocet_ipython.loading.b import x",
            "loading/b.py": "def f():\n    from exocet_ipython.loading import c",
            "loading/c.py": "from . import a",
        },
        (
            "exocet_ipython/loading/c.py:1: `from . import a` closes a circle: exocet_ipython.loading.a -> "
            "exocet_ipython.loading.b -> exocet_ipython.loading.c -> exocet_ipython.loading.a;"
        ),
    ),
    "unknown file": (
        floors.files_on_no_floor,
        {"helpers.py": ""},
        "exocet_ipython/helpers.py: is on no floor; move it to",
    ),
    "unknown folder": (
        floors.files_on_no_floor,
        {"attic/helpers.py": ""},
        "exocet_ipython/attic/helpers.py: is on no floor; move it to",
    ),
    "long file": (
        floors.long_files,
        {"errors.py": "\n" * 301},
        "exocet_ipython/errors.py:301: the file has 301 lines",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_checks_refuse(tmp_path: Path, case: str) -> None:
    """Each check finds what it is for, exactly once, and says where."""
    check, tree, start = REFUSED[case]
    problems = problems_of(tmp_path, check, tree)
    assert [problem[: len(start)] for problem in problems] == [start]


def test_checks_accept_what_is_right(tmp_path: Path) -> None:
    """A tree that uses all that is allowed has no problem, whichever check looks."""
    tree = {
        "__init__.py": (
            "from exocet_ipython.loading.loader import load_named\n"
            "def load_ipython_extension(shell):\n"
            "    from exocet_ipython.notebook import magics\n"
        ),
        "compat.py": "from exocet_ipython.loading import loader",
        "integrations/dask.py": "import dask\nfrom exocet_ipython.notebook.magics import run",
        "notebook/magics.py": "import IPython\nfrom traitlets import Bool\nfrom exocet_ipython import errors",
        "survivors/paths.py": "import gc",
        "reloading/changes.py": "import inotify_simple",
        "loading/__init__.py": "from exocet_ipython.loading.loader import load_named",
        "loading/loader.py": "import sys\nfrom . import mapper\nfrom ..errors import ExocetError",
        "loading/mapper.py": "from __future__ import annotations\nimport os.path",
        "errors.py": "\n" * 300,
    }
    checks = {check for check, _, _ in REFUSED.values()}
    assert [problem for check in checks for problem in problems_of(tmp_path, check, tree)] == []
