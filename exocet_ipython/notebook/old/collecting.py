"""Letting the collector have what nobody wants: `%exocollect`."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exocet_ipython.notebook.old.leftovers import Leftover
from exocet_ipython.notebook.wording import join_names, plural, to_html
from exocet_ipython.survivors.finding.census import Census, Count, take_census
from exocet_ipython.survivors.finding.records import Retirement

__all__ = ["CollectReport", "collect_old"]


# Kinds of old definitions, with their plurals.
_KINDS = {"subclass": "subclasses", "class": "classes", "function": "functions", "module": "modules"}


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What was let go of, and what went.

    Attributes:
        let_go: what IPython kept and keeps no longer, as a person would write it.
        gone: dotted name of a class, or a kind of definition -> how many went, and their size in bytes.
        left: how many old objects are alive still: held by something else.
        freed: bytes that went with them, what only they held included: an estimate.
    """

    let_go: tuple[str, ...] = ()
    gone: tuple[tuple[str, Count], ...] = ()
    left: int = 0
    freed: int = 0

    def __bool__(self) -> bool:
        return bool(self.let_go or self.gone)

    def __repr__(self) -> str:
        return "\n".join([self.headline, *(f"  {line}" for line in self.lines())])

    def _repr_html_(self) -> str:
        return to_html(self.headline, [("what went", self.lines())] if self.gone else [], opened=True)

    @property
    def size(self) -> int:
        """The size of all that went, in bytes, with what only it held: an estimate."""
        return max(self.freed, sum(count.size for _, count in self.gone))

    @property
    def headline(self) -> str:
        """The one line that says what happened.

        >>> CollectReport(("Out[3]",), (("zoo.Cat", Count(2, 128)),), left=1).headline
        'let go of Out[3]; 2 old objects gone, 128 bytes; 1 old object alive still, %exowhy NAME says why'
        >>> CollectReport().headline
        'no old object is alive'
        """
        parts = [f"let go of {join_names(self.let_go)}"] if self.let_go else []
        if self.gone:
            number = sum(count.number for _, count in self.gone)
            parts.append(f"{plural(number, 'old object')} gone, {format_bytes(self.size)}")
        if self.left:
            parts.append(f"{plural(self.left, 'old object')} alive still, %exowhy NAME says why")
        return "; ".join(parts) or "no old object is alive"

    def lines(self) -> list[str]:
        """Return what went, one line a class or kind; kinds are no names of the person's.

        >>> CollectReport(gone=(("zoo.Cat", Count(2, 128)), ("class", Count(1, 900)))).lines()
        ['2 x zoo.Cat, 128 bytes', '1 class, 900 bytes']
        """
        return [f"{_say(count.number, name)}, {format_bytes(count.size)}" for name, count in self.gone]


def collect_old(retirement: Retirement, leftovers: Iterable[Leftover]) -> CollectReport:
    """Let go of what IPython keeps, run the collector, and say what went of the retired generations.

    Args:
        retirement: the retired generations.
        leftovers: what to let go of.
    """
    earlier = take_census(retirement.living())
    before = _by_name(earlier)
    let_go = []
    for leftover in leftovers:
        leftover.let_go()
        let_go.append(leftover.label)
    gc.collect()
    later = take_census(retirement.living())
    after = _by_name(later)
    gone = {name: count - after.get(name, Count()) for name, count in before.items()}
    return CollectReport(
        tuple(dict.fromkeys(let_go)),
        tuple((name, count) for name, count in gone.items() if count.number > 0),
        sum(count.number for count in after.values()),
        _freed_of(earlier) - _freed_of(later),
    )


def _freed_of(censuses: Sequence[Census]) -> int:
    return sum(census.freed.size for census in censuses if census.freed is not None)


def _by_name(censuses: Sequence[Census]) -> dict[str, Count]:
    """Return what a census says, by what a person calls it, over all generations."""
    found: dict[str, Count] = {}
    for census in censuses:
        kinds = (
            ("subclass", census.subclasses),
            ("class", census.classes),
            ("function", census.functions),
            ("module", census.modules),
        )
        for name, count in (*census.instances.items(), *kinds):
            found[name] = found.get(name, Count()) + count
    return found


def _say(number: int, name: str) -> str:
    return plural(number, name, _KINDS[name]) if name in _KINDS else f"{number} x {name}"


def format_bytes(size: int) -> str:
    """Return a size as people say it.

    >>> format_bytes(900), format_bytes(1_200_000)
    ('900 bytes', '1.2 MB')
    """
    if size < 1000:  # noqa: PLR2004 - SI prefixes
        return f"{size} bytes"
    for unit in ("kB", "MB"):
        size_in_unit = size / (1000 if unit == "kB" else 1_000_000)
        if size_in_unit < 1000:  # noqa: PLR2004 - likewise
            return f"{size_in_unit:.1f} {unit}"
    return f"{size / 1_000_000_000:.1f} GB"
