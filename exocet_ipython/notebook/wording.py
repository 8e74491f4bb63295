"""The words of reports: counts with their nouns, lists that fit a line, durations, and the HTML form of it all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["format_seconds", "join_names", "plural", "say_gone", "say_moved", "to_html", "without_empty"]

# Front ends give <pre> a look of their own; here it is aligned text, and long lines wrap.
_LINES_STYLE = (
    "margin: 0 0 0 1em; padding: 0; border: 0; background: none; color: inherit; "
    "white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere"
)


def format_seconds(seconds: float) -> str:
    """Return a duration as people say it.

    >>> format_seconds(0.0123), format_seconds(41.2)
    ('12 ms', '41.2 s')
    """
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def join_names(names: Sequence[str], most: int = 4, *, further: int = 0) -> str:
    """Return names as a list that fits a line; `further` is how many there are beside these.

    >>> join_names(list("abcdef")), join_names(["a"], further=3)
    ('a, b, c, d and 2 more', 'a and 3 more')
    """
    more = max(0, len(names) - most) + further
    return ", ".join(names[:most]) + (f" and {more} more" if more else "")


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun, of which the plural can be given.

    >>> plural(1, "name"), plural(2, "name"), plural(2, "class", "classes")
    ('1 name', '2 names', '2 classes')
    """
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def say_moved(moved: Iterable[tuple[str, int]]) -> list[str]:
    """Return how many instances of each class have moved, given by its dotted name.

    >>> say_moved([("zoo.Cat", 2)])
    ['2 instances of zoo.Cat']
    """
    return [f"{plural(count, 'instance')} of {name}" for name, count in moved]


def say_gone(generations: Sequence[int]) -> list[str]:
    """Return the half line that says which generations are gone, if any.

    >>> say_gone([1]), say_gone([1, 2]), say_gone([])
    (['generation 1 is gone'], ['generations 1, 2 are gone'], [])
    """
    if not generations:
        return []
    numbers = join_names([str(number) for number in generations])
    return [f"generation {numbers} is gone" if len(generations) == 1 else f"generations {numbers} are gone"]


def without_empty(details: Iterable[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Leave out the titles that have no lines.

    >>> without_empty([("gone", []), ("made anew", ["app"])])
    [('made anew', ['app'])]
    """
    return [(title, lines) for title, lines in details if lines]


def to_html(headline: str, details: Iterable[tuple[str, list[str]]], *, opened: bool = False) -> str:
    """Return a report as HTML that a person opens for the details; all text is escaped, colours are the theme's.

    >>> to_html("a < b", [])
    '<div class="exocet-report">a &lt; b</div>'
    """
    import html  # noqa: PLC0415 - its table of entities takes a twentieth of the time of `%load_ext`

    body = "".join(
        f'<div style="margin: 0.5em 0 0 1em"><em>{html.escape(title)}</em>'
        f'<pre style="{_LINES_STYLE}">{html.escape(chr(10).join(lines))}</pre></div>'
        for title, lines in details
    )
    if not body:
        return f'<div class="exocet-report">{html.escape(headline)}</div>'
    tag = f'<details class="exocet-report"{" open" if opened else ""}>'
    return f"{tag}<summary>{html.escape(headline)}</summary>{body}</details>"
