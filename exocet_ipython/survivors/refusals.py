"""What could not move to the new code, or be done again with it, and why: it is said in the report."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from exocet_ipython.loading.tracebacks import OWN_FOLDER

__all__ = ["Refusals", "Stuck"]


@dataclass(frozen=True, slots=True)
class Stuck:
    """Objects of one class that could not move: its dotted name, how many, and why."""

    name: str
    count: int
    reason: str

    def __str__(self) -> str:
        stay = "stays as it was" if self.count == 1 else "stay as they were"
        return f"{self.count} of {self.name} {stay}: {self.reason}"


class Refusals:
    """What refuses while old objects move, with what it raised.

    >>> refusals = Refusals()
    >>> refusals.note("zoo.Cat", TypeError("layout differs"))
    >>> refusals.note("zoo.Cat", TypeError("layout differs"))
    >>> print(*refusals.stuck)
    2 of zoo.Cat stay as they were: TypeError: layout differs
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}  # by name and reason

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """What refused, in the order of the names."""
        return tuple(Stuck(name, count, reason) for (name, reason), count in sorted(self._counts.items()))

    def note(self, name: str, error: Exception) -> None:
        """Note that an object could not move."""
        reason = name, f"{type(error).__name__}: {error}{_place(error.__traceback__)}"
        self._counts[reason] = self._counts.get(reason, 0) + 1


def _place(trace: TracebackType | None) -> str:
    """Say where a person's code raised: the innermost line that is in no file of ours; nothing where there is none."""
    found = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(OWN_FOLDER):
            found = f" ({file}, line {trace.tb_lineno}, in {trace.tb_frame.f_code.co_name})"
        trace = trace.tb_next
    return found
