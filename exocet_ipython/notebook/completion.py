"""Tab completion for the arguments of the magics; nothing is imported to find them."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from exocet_ipython.loading.modules import get_module
from exocet_ipython.notebook.session import Session

__all__ = ["make_matcher"]

# The percent sign may be missing: automagic.
_LINE = re.compile(r"\s*(?:[^=%]+=\s*%|%?)(exo\w+)\s(.*)", re.DOTALL)
_SEPARATORS = re.compile(r"[\s,()]+")
_OPTIONS = {
    "exoreload": ("--dry-run", "--force", "--migrate"),
    "exomigrate": ("--rebuild",),
    "exocollect": ("--yes",),
    "exostatus": ("--scan",),
}


def make_matcher(session: Session) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return a matcher for IPython's completer: modules for `%exoload`, loaded ones and options for `%exoreload`."""

    @context_matcher(identifier="exocet_ipython")  # type: ignore[untyped-decorator]  # IPython has no types for it
    def exocet_matcher(context: CompletionContext) -> SimpleMatcherResult:
        found = _LINE.match(context.text_until_cursor)
        if found is None:
            return SimpleMatcherResult(completions=[])
        magic, rest = found.groups()
        words = _SEPARATORS.split(rest.lstrip())
        names = sorted(set(_candidates(session, magic, words)))
        completions = [SimpleCompletion(text=name, type="module") for name in names if name.startswith(words[-1])]
        return SimpleMatcherResult(completions=completions, suppress=bool(completions), matched_fragment=words[-1])

    matcher: Callable[[CompletionContext], SimpleMatcherResult] = exocet_matcher
    return matcher


def _candidates(session: Session, magic: str, words: list[str]) -> Iterable[str]:
    """Return what may stand at the last of the words."""
    found: Iterable[str] = []
    match magic, words:
        case "exoreload", _:
            found = [*session.managed.names(), *_OPTIONS[magic]]
        case "exomigrate", _:
            found = [*_named(session.old.classes(), words[-1]), *_OPTIONS[magic]]
        case "exowhy", [_]:
            found = session.old.askable()
        case (("exocollect" | "exostatus"), [_]):
            found = _OPTIONS[magic]
        case "exoauto", [_]:
            found = ["on", "off"]
        case "exoload", _:
            found = _candidates_to_load(words)
    return found


def _named(classes: Iterable[str], start: str) -> Iterable[str]:
    """Return what classes are called: by their dotted names, and by their own ones once something is typed."""
    dotted = [*classes]
    return [*dotted, *(name.rpartition(".")[2] for name in dotted)] if start else dotted


def _candidates_to_load(words: list[str]) -> Iterable[str]:
    """Return what may stand at the last of the words of an import."""
    found: Iterable[str] = []
    match words:
        case [start]:
            found = [*_modules_below(start), "from"]
        case ["from", start]:
            found = _modules_below(start)
        case ["from", _, _]:
            found = ["import"]
        case ["from", name, "import", *_]:
            found = _names_in(name)
        case [_, _]:
            found = ["as"]
    return found


def _modules_below(start: str) -> Iterable[str]:
    """Return the modules that a dotted name may go on to."""
    parent = start.rpartition(".")[0]
    if not parent:
        # An installer puts modules there that no import statement can name.
        return [module.name for module in pkgutil.iter_modules() if module.name.isidentifier()]
    try:
        return [module.name for module in get_module(parent).iter_modules()]
    except ImportError:
        return []


def _names_in(name: str) -> Iterable[str]:
    """Return what can be imported from a module, read from its source."""
    try:
        module = get_module(name)
        return [*module.iter_export_names(), *(child.name.rpartition(".")[2] for child in module.iter_modules())]
    except (ImportError, SyntaxError, ValueError, OSError):
        return []  # nothing can be read there; loading it will say why
