"""Random things done to files, folders and links, and whether a detector notices all of it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.reloading.followed_project import FollowedProject


class Chaos:
    """Random things that happen to a small tree of files, folders and links."""

    def __init__(self, project: FollowedProject, seed: int) -> None:
        self.project = project
        self.chance = random.Random(seed)  # noqa: S311 - not for secrets
        self.count = 0

    def path(self) -> Path:
        """Return a path of the tree, there or not."""
        return self.project.folder.joinpath(*(self.chance.choice("pqr") for _ in range(self.chance.randint(0, 2))))

    def file(self) -> Path:
        """Return the path of a file, there or not."""
        return self.path() / self.chance.choice(("a.py", "b.py"))

    def step(self) -> None:
        """Do one thing; what can't be done isn't."""
        self.count += 1
        acts = (self.save, self.save, self.make, self.remove, self.move, self.link, self.hard_link)
        with contextlib.suppress(OSError, shutil.Error, ValueError):
            self.chance.choice(acts)()
        self.project.folder.mkdir(exist_ok=True)

    def save(self) -> None:
        """Write a text of the same size, and set the time stamp back."""
        path = self.file()
        path.write_text(f"{self.count:06}")
        os.utime(path, (1, 1))

    def make(self) -> None:
        """Make folders."""
        self.path().mkdir(parents=True)

    def remove(self) -> None:
        """Remove a file, a link or a tree."""
        path = self.chance.choice((self.path, self.file))()
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path != self.project.folder or self.chance.random() < 0.1:
            shutil.rmtree(path)

    def move(self) -> None:
        """Rename a file, a link or a tree."""
        self.chance.choice((self.path, self.file))().rename(self.chance.choice((self.path, self.file))())

    def link(self) -> None:
        """Make a link, at times into a circle or to nothing."""
        path, target = (self.chance.choice((self.path, self.file))() for _ in range(2))
        if self.chance.random() < 0.5:
            path.unlink()
        path.symlink_to(self.chance.choice((target, os.path.relpath(target, path.parent))))

    def hard_link(self) -> None:
        """Give a file another name."""
        os.link(self.file(), self.file())


@pytest.mark.parametrize("seed", range(5))
def test_chaos(project: FollowedProject, seed: int) -> None:
    """Whatever is done to the tree, each file whose text differs is suspected, and each module that came or went."""
    chaos = Chaos(project, seed)
    folders = [project.folder.joinpath(*parts) for parts in ((), ("p",), ("q",), ("p", "q"), ("q", "r"), ("r", "p"))]
    names = [str((folder / name).relative_to(project.folder)) for folder in folders for name in ("a.py", "b.py")]
    for name in names:
        project.write(name, "000000")
    project.follow(*names, folders=folders)

    def modules() -> dict[Path, str]:
        found = {}
        for entry in (entry for folder in folders if folder.is_dir() for entry in folder.iterdir()):
            if entry.is_symlink():
                found[entry] = "link"  # whether it leads to a folder may change far away
            elif entry.is_dir() or entry.suffix == ".py":
                found[entry] = "module"
        return found

    texts, there = {name: project.text(name) for name in names}, modules()
    for _ in range(400):
        for _ in range(chaos.chance.choice((1, 1, 1, 4))):
            chaos.step()
        suspicion = project.detector.suspects()
        now, there_now = {name: project.text(name) for name in names}, modules()
        assert {name for name in names if now[name] != texts[name]} <= suspicion.names, chaos.count
        moved = {entry for entry in there | there_now if {there.get(entry), there_now.get(entry)} == {"module", None}}
        assert not moved or suspicion.appeared, (chaos.count, moved)
        texts, there = now, there_now
