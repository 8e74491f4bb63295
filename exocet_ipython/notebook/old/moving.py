"""Moving what survives of earlier generations to the current one, when the person asks for it: `%exomigrate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exocet_ipython.errors import NothingOldError
from exocet_ipython.notebook.published import Published
from exocet_ipython.notebook.wording import join_names, plural, say_moved, to_html, without_empty
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.refusals import Stuck

__all__ = ["MigrationReport", "choose_survivors", "describe_migration"]


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What moving old objects did.

    Attributes:
        generation: the number of the current one, to which they moved.
        moved: dotted name of a class -> how many instances now belong to it.
        stuck: instances that could not move, and why.
        replaced: how many old modules, classes, functions and members are replaced in what held them.
        rebound: the notebook names that have a new value otherwise.
        kept: the notebook names that keep theirs although its source was replaced, and why, as far as that is news.
        is_old_alive: whether any was alive, with something current in its place or not.
    """

    generation: int
    moved: tuple[tuple[str, int], ...] = ()
    stuck: tuple[Stuck, ...] = ()
    replaced: int = 0
    rebound: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    is_old_alive: bool = False

    def __bool__(self) -> bool:
        return bool(self.moved or self.replaced or self.rebound)

    def __repr__(self) -> str:
        return "\n".join([self.headline, *(f"  {line}" for line in (*self.stuck, *self.kept))])

    def _repr_html_(self) -> str:
        details = [
            ("instances moved", say_moved(self.moved)),
            ("instances not moved", [str(stuck) for stuck in self.stuck]),
            ("names kept", list(self.kept)),
        ]
        return to_html(self.headline, without_empty(details), opened=bool(self.stuck or self.kept))

    @property
    def headline(self) -> str:
        """The one line that says what happened.

        >>> MigrationReport(2).headline
        'nothing to move: no old object is alive'
        >>> MigrationReport(2, (("zoo.Cat", 3),), replaced=2).headline
        'moved 3 instances of zoo.Cat to generation 2; 2 old definitions replaced in what held them'
        >>> MigrationReport(2, rebound=("TABLE",)).headline
        '1 name replaced: TABLE'
        >>> MigrationReport(2, is_old_alive=True).headline
        'nothing to move: the current code has nothing in the place of what is alive; see %exostatus'
        """
        parts = []
        if self.moved:
            parts.append(f"moved {join_names(say_moved(self.moved))} to generation {self.generation}")
        if self.replaced:
            held = "it" if self.replaced == 1 else "them"
            parts.append(f"{plural(self.replaced, 'old definition')} replaced in what held {held}")
        if self.rebound:
            parts.append(f"{plural(len(self.rebound), 'name')} replaced: {join_names(self.rebound)}")
        if self.stuck:
            parts.append(f"{plural(sum(stuck.count for stuck in self.stuck), 'instance')} not moved")
        if parts:
            return "; ".join(parts)
        if self.is_old_alive:
            return "nothing to move: the current code has nothing in the place of what is alive; see %exostatus"
        return "nothing to move: no old object is alive"


def choose_survivors(living: Sequence[RetiredGeneration], names: Sequence[str]) -> list[RetiredGeneration]:
    """Return what lives of generations under some names, or all where there are none.

    Args:
        living: what lives of the generations.
        names: of classes, dotted or by their own name.

    Raises:
        NothingOldError: nothing old is alive of one of the names.
    """
    for name in names:
        if not any(_is_meant(name, entry) for generation in living for _, entry, _ in generation.living()):
            raise NothingOldError(
                f"no old object of {name!r} is alive",
                advice="see what is with %exostatus; a class is named as in game.world.Room, or Room",
            )
    return [_only(generation, names) for generation in living] if names else list(living)


def describe_migration(done: Published, chosen: Sequence[RetiredGeneration]) -> MigrationReport:
    """Return the report of what was done to what lived of generations."""
    return MigrationReport(
        done.generation.number,
        tuple(done.migration.moved.items()),
        done.migration.stuck,
        done.migration.replaced,
        tuple(binding.name for binding in done.rebound),
        tuple(map(str, done.kept)),
        is_old_alive=any(True for generation in chosen for _ in generation.living()),
    )


def _only(generation: RetiredGeneration, names: Sequence[str]) -> RetiredGeneration:
    """Return what lives of a generation under some names."""
    wanted = [entry for entry in generation.references if any(_is_meant(name, entry[1]) for name in names)]
    return RetiredGeneration(generation.number, wanted)


def _is_meant(name: str, entry: str) -> bool:
    """Say whether a name stands for a definition: its dotted name, the end of that, or a class that it is in.

    >>> _is_meant("Room", "game.world.Room"), _is_meant("game.world", "game.world.Room"), _is_meant("oom", "a.Room")
    (True, True, False)
    """
    return f".{name}." in f".{entry}."
