"""The scope: own code, and what was named."""

from __future__ import annotations

import json
import sys
import sysconfig
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from exocet_ipython.loading.source import find_spec
from exocet_ipython.reloading.scope import Scope


def test_own_code_is_what_is_not_installed(tmp_path: Path) -> None:
    """A file outside of Python and of site-packages is own code; those inside are not."""
    assert Scope().includes("mine", str(tmp_path / "mine.py"))
    assert Scope().includes("mine", str(tmp_path / "mine" / "__init__.py"))
    for kind in ("stdlib", "purelib", "platlib"):
        assert not Scope().includes("other", str(Path(sysconfig.get_path(kind)) / "other.py"))
    for folder in ("site-packages", "dist-packages"):
        assert not Scope().includes("other", str(tmp_path / folder / "other.py"))
    assert not Scope().includes("builtin", None)


def test_named_roots_belong(tmp_path: Path) -> None:
    """A package that was named belongs wherever it is, with all its modules and nothing else."""
    installed = str(tmp_path / "site-packages" / "lib" / "a.py")
    scope = Scope().with_root("lib.a.b")
    assert scope.includes("lib", installed)
    assert scope.includes("lib.other", installed)
    assert not scope.includes("library", installed)
    assert not Scope().includes("lib", installed)
    assert scope.with_root("x").roots == {"lib", "x"}


@pytest.mark.parametrize("name", ["__main__", "exocet_ipython", "exocet_ipython.errors"])
def test_the_machinery_never_belongs(tmp_path: Path, name: str) -> None:
    """What a reload runs on is never made anew, although its files may be the person's own, or named."""
    assert not Scope().includes(name, str(tmp_path / "x.py"))
    with pytest.raises(ImportError, match="can't be loaded anew while it runs") as caught:
        Scope().with_root(name)
    assert caught.value.name == name.partition(".")[0]


def test_a_module_that_shadows_the_standard_library(tmp_path: Path) -> None:
    """A name of the standard library is own code where the module is; Python's own is not, in an archive either."""
    assert Scope().includes("json", str(tmp_path / "json.py"))
    assert not Scope().includes("json", json.__file__)
    assert not Scope().includes_module("json", json)


def test_an_archive_on_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in an archive that is given by a relative path is own code; a name that is no place at all is not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "packed.zip").touch()
    assert Scope().includes("mine", "libs/packed.zip/mine.py")
    assert not Scope().includes("mine", "libs/nothing.zip/mine.py")
    assert not Scope().includes("mine", "<made up>")


def test_links_are_resolved(tmp_path: Path) -> None:
    """A link from a project to an installed folder doesn't make it own code."""
    link = tmp_path / "linked"
    link.symlink_to(sysconfig.get_path("stdlib"))
    assert not Scope().includes("other", str(link / "other.py"))


def test_specs_and_modules(tmp_path: Path) -> None:
    """A namespace package counts by its folder; modules without a spec, or under another's name, don't count."""
    spec = ModuleSpec("space", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "space")]
    assert Scope().includes_spec(spec)
    assert not Scope().includes_module("json", json)
    assert not Scope().includes_module("json", None)
    module = ModuleType("mine")
    assert not Scope().includes_module("mine", module)
    module.__spec__ = ModuleSpec("mine", None, origin=str(tmp_path / "mine.py"))
    module.__spec__.has_location = True
    assert Scope().includes_module("mine", module)
    assert not Scope().includes_module("alias", module)
    builtin = find_spec("sys")
    assert builtin is not None
    assert not Scope().includes_spec(builtin)
    assert not Scope().includes_module("sys", sys)
