"""What may make a module appear or vanish, and what is no reason to look; the same for every detector."""

from __future__ import annotations

import py_compile
import shutil

import pytest

from exocet_ipython.reloading.noticing.changes import Suspicion
from tests.reloading.followed_project import (
    VIM_SAVE,
    Act,
    FollowedProject,
    makes,
    moves,
    points,
    removes,
    replaces,
    writes,
)


def ask(project: FollowedProject) -> None:
    """Ask in between, so that what was done so far is no news."""
    project.detector.suspects()


def copied(project: FollowedProject) -> None:
    """Rename the folder, and make it again with equal contents."""
    before = project.folder.rename(project.folder.with_name("before"))
    shutil.copytree(before, project.folder)


def compiled(name: str) -> Act:
    """Write a module's byte code, as importing it does."""
    return lambda project: py_compile.compile(str(project.folder / name))


APPEARING: dict[str, tuple[Act, ...]] = {
    "a module": (writes("new.py"),),
    "a module in a followed file's folder": (writes("pkg/new.py"),),
    "a module, by a rename": (replaces("new.py"),),
    "a folder": (makes("new"),),
    "a package beside a module": (writes("pkg/a/__init__.py"),),
    "a link to a folder": (writes("../far/__init__.py"), ask, points("linked", "../far")),
    "an extension module": (writes("new.abi3.so"),),
    "a module in a folder that was missing": (writes("../root/deep/inside/new.py"),),
    "a folder that was missing, moved there": (
        writes("../aside/deep/inside/new.py"),
        ask,
        moves("../aside", "../root"),
    ),
    "no module any more": (removes("optional.py"),),
    "a module moved away": (moves("optional.py", "optional.txt"),),
    "a link to a folder gone": (removes("portion"),),
    "a followed file gone": (removes("pkg/a.py"),),
    "the folder gone": (removes("."),),
    "the folder another one": (copied,),
}


@pytest.mark.parametrize("case", APPEARING)
def test_appearing_is_noticed(project: FollowedProject, case: str) -> None:
    """What may make a module out of nothing, or nothing out of one, is noticed where modules are looked for."""
    project.do(
        writes("pkg/a.py"), writes("optional.py"), writes("../elsewhere/mod.py"), points("portion", "../elsewhere")
    )
    project.follow("pkg/a.py", folders=[project.folder, project.folder.with_name("root") / "deep/inside"])
    assert not project.detector.suspects()
    project.do(*APPEARING[case])
    assert project.detector.suspects().appeared
    assert not project.detector.suspects().appeared
    project.do(writes("../root/deep/inside/later.py"), writes("later.py"))
    assert project.detector.suspects().appeared


def test_returned_twice(project: FollowedProject) -> None:
    """A file that came, was followed, went and is followed no longer is news when it is back."""
    project.do(writes("a.py"), writes("b.py"))
    project.follow("a.py", "b.py", folders=[project.folder])
    for _ in range(3):
        project.do(removes("a.py"))
        assert "a" in (project.detector.suspects().stems or ())
        del project.loaded["a.py"]
        project.follow("b.py")
        assert not project.detector.suspects()
        project.do(writes("a.py"))
        assert "a" in (project.detector.suspects().stems or ())
        project.follow("a.py", "b.py")
        assert not project.detector.suspects()


def test_vanished_and_returned(project: FollowedProject) -> None:
    """A module that goes and comes is noticed each time, by whatever name it came and went before."""
    project.follow(folders=[project.folder])
    for act in (writes("m.py"), removes("m.py"), makes("m"), removes("m"), writes("m.py"), moves("m.py", "n.py")):
        project.do(act)
        assert project.detector.suspects() == Suspicion(appeared=True)


HARMLESS: dict[str, tuple[Act, ...]] = {
    "byte code is written": (compiled("pkg/a.py"), compiled("pkg/b.py"), compiled("pkg/a.py")),
    "swap and temporary files come and go": (
        *(writes(f"pkg/{name}") for name in (".a.py.swp", "a.py~", ".#a.py", "#a.py#", "a.py.tmp12", "4913", "sedQ1x")),
        removes("pkg/4913"),
        moves("pkg/sedQ1x", "pkg/Makefile"),
    ),
    "data and logs are written": tuple(writes(f"pkg/{name}") for name in ("log.txt", "data.csv", "x.db-wal")),
    "a folder is made and removed": (makes("tmpabc"), removes("tmpabc")),
    "files are read": tuple(lambda p, n=name: p.text(n) for name in ("pkg/a.py", "pkg/b.py")),  # type: ignore[misc]
    "a repository works": tuple(writes(f".git/{name}") for name in ("index", "index.lock", "HEAD")),
    "another module is edited": (writes("pkg/b.py", "not followed"),),
    "another module goes and comes": (removes("pkg/b.py"), writes("pkg/b.py", "not followed")),
    "something happens elsewhere": (writes("../elsewhere/a.py"),),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_no_false_alarm(project: FollowedProject, case: str) -> None:
    """What changes no followed file and can make no module raises no suspicion."""
    project.do(writes("pkg/a.py"), writes("pkg/b.py"), writes("pkg/__pycache__/keep"))
    project.follow("pkg/a.py", folders=[project.folder])
    project.do(*HARMLESS[case])
    assert project.detector.suspects() == Suspicion()


@pytest.mark.parametrize("acts", [VIM_SAVE, (replaces("pkg/a.py"),), (removes("pkg/a.py"), writes("pkg/a.py"))])
def test_saving_is_no_appearing(project: FollowedProject, acts: tuple[Act, ...]) -> None:
    """A save by way of other files and renames is a change of the file, and no module that appeared."""
    project.write("pkg/a.py", "old")
    project.follow("pkg/a.py")
    assert not project.detector.suspects()
    project.do(*acts)
    assert project.detector.suspects() == Suspicion(frozenset({"pkg/a.py"}))


STEMS: dict[str, tuple[Act, frozenset[str] | None]] = {
    "a module": (writes("pkg/new.py"), frozenset({"new"})),
    "an extension module": (writes("new.abi3.so"), frozenset({"new"})),
    "a package": (writes("new/__init__.py"), frozenset({"new"})),
    "a namespace becomes a package": (writes("pkg/__init__.py"), frozenset({"pkg"})),
    "a followed file gone": (removes("pkg/a.py"), frozenset({"a"})),
    "a module renamed": (moves("pkg/b.py", "pkg/c.py"), frozenset({"b", "c"})),
    "the folder another one": (copied, None),
}


@pytest.mark.parametrize("case", STEMS)
def test_what_appeared_is_told(project: FollowedProject, case: str) -> None:
    """The parts of the names that a module may have which appeared or vanished; None where it may be anything."""
    project.do(writes("pkg/a.py"), writes("pkg/b.py"))
    project.follow("pkg/a.py", folders=[project.folder])
    act, stems = STEMS[case]
    project.do(act)
    suspicion = project.detector.suspects()
    assert suspicion.appeared
    assert suspicion.stems == stems
