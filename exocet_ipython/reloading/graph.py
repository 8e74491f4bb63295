"""Who imports whom: edges with their evidence, and what depends on what along them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from exocet_ipython.reloading.imports import COMPUTED, expand

__all__ = ["ImportEdge", "ImportGraph"]


@dataclass(frozen=True, slots=True)
class ImportEdge:
    """One module's need of another, with its evidence: the file, the line and what is written there."""

    importer: str
    imported: str
    path: str = ""
    line: int = 0
    text: str = ""

    def __str__(self) -> str:
        place = f" ({self.path}:{self.line}: {self.text})" if self.line else ""
        return f"{self.importer} imports {self.imported}{place}"


class ImportGraph:
    """Who imports whom among a set of modules.

    >>> graph = ImportGraph([ImportEdge("app", "lib"), ImportEdge("main", "app")])
    >>> {name: edge.imported for name, edge in graph.dependants(["lib"]).items()}
    {'app': 'lib', 'main': 'app'}
    """

    def __init__(
        self,
        edges: Iterable[ImportEdge] = (),
        *,
        locate: Callable[[str, int], tuple[str, str]] | None = None,
        absent: AbstractSet[str] = frozenset(),
    ) -> None:
        self.absent = absent  # modules whose load failed: what imports them depends on what they import
        # Imported name -> importer -> the edge, or its line: most edges are only followed, and never shown.
        self._importers: defaultdict[str, dict[str, ImportEdge | int]] = defaultdict(dict)
        self._imported: defaultdict[str, list[str]] = defaultdict(list)
        self._locate = locate
        for edge in edges:
            self._add(edge.importer, edge.imported, edge)

    @classmethod
    def of(
        cls,
        needs: Mapping[str, Mapping[str, int]],
        held: Mapping[str, Iterable[str]],
        locate: Callable[[str, int], tuple[str, str]],
        absent: AbstractSet[str] = frozenset(),
    ) -> ImportGraph:
        """Build the graph of the modules that are the keys of `needs`.

        Args:
            needs: module name -> the names that its source may import, each with the line; see `lines_of`.
            held: module name -> the modules whose objects its globals hold.
            locate: module name and line -> the path and the text of that line.
            absent: those of the keys that are not there, since their load failed.
        """
        graph = cls(locate=locate, absent=absent)
        for importer, lines in needs.items():
            for imported in (lines.keys() | held.get(importer, ())) & needs.keys():
                graph._add(importer, imported, lines.get(imported, 0))
            for name in [name for name in lines if name[1:].endswith("*")] if COMPUTED in lines else ():
                for imported in expand(name, needs):
                    if imported != importer:
                        graph._add(importer, imported, lines[name])
        return graph

    def with_texts(self, locate: Callable[[str, int], tuple[str, str]], importers: Iterable[str]) -> ImportGraph:
        """Return the same graph where some modules have another text, whose imports are in the same lines.

        Args:
            locate: module name and line -> the path and the text of that line.
            importers: those modules.

        >>> needs = {"app": {"lib": 3}, "lib": {}}
        >>> graph = ImportGraph.of(needs, {}, lambda name, line: (f"{name}.py", "import lib"))
        >>> graph.dependants(["lib"])["app"].text
        'import lib'
        >>> now = graph.with_texts(lambda name, line: (f"{name}.py", "import lib  # ours"), ["app"])
        >>> str(now.dependants(["lib"])["app"])
        'app imports lib (app.py:3: import lib  # ours)'
        """
        graph = ImportGraph(locate=locate, absent=self.absent)
        graph._importers, graph._imported = self._importers.copy(), self._imported
        for importer in importers:
            for imported in self._imported.get(importer, ()):
                edge = graph._importers[imported][importer]
                line = edge.line if isinstance(edge, ImportEdge) else edge
                graph._importers[imported] = {**graph._importers[imported], importer: line}
        return graph

    def _add(self, importer: str, imported: str, edge: ImportEdge | int) -> None:
        self._importers[imported][importer] = edge
        self._imported[importer].append(imported)

    def _edge(self, importer: str, imported: str) -> ImportEdge:
        edge = self._importers[imported][importer]
        if not isinstance(edge, ImportEdge):
            path, text = self._locate(importer, edge) if edge and self._locate is not None else ("", "")
            edge = self._importers[imported][importer] = ImportEdge(importer, imported, path, edge, text)
        return edge

    def related(self, names: Iterable[str]) -> set[str]:
        """Return the names, and every module that imports or is imported by one of them, directly or through others.

        >>> sorted(ImportGraph([ImportEdge("a", "c"), ImportEdge("b", "c"), ImportEdge("x", "y")]).related(["a"]))
        ['a', 'b', 'c']
        """
        found = set(names)
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            near = {*self._imported.get(name, ()), *self._importers.get(name, ())}
            waiting += near - found
            found |= near
        return found.difference(self.absent)

    def dependants(self, names: Iterable[str], stop: Collection[str] = ()) -> dict[str, ImportEdge]:
        """Return every module that imports one of `names`, directly or through others, with the edge that says so.

        The modules of `names` themselves are left out. The edge is one of a shortest chain. What imports a module of
        `stop`, and nothing else that is found, is not.
        """
        found = self._dependants(names, stop)
        return {name: self._edge(name, imported) for name, imported in found.items() if name not in self.absent}

    def dependant_names(self, names: Iterable[str]) -> set[str]:
        """Return the same without what says so, whose text is a third of the work.

        >>> ImportGraph([ImportEdge("app", "lib")]).dependant_names(["lib"])
        {'app'}
        """
        return {*self._dependants(names)}.difference(self.absent)

    def with_dependants(self, names: Collection[str]) -> set[str]:
        """Return the names, and every module that imports one of them, directly or through others."""
        return {*names, *self.dependant_names(names)}

    def importers(self, name: str) -> AbstractSet[str]:
        """Return every module that imports this one directly."""
        return self._importers.get(name, {}).keys()

    def absent_dependants(self, names: Iterable[str]) -> set[str]:
        """Return every module whose load failed and that imports one of `names`, directly or through others."""
        return {*self._dependants(names)}.intersection(self.absent) if self.absent else set()

    def _dependants(self, names: Iterable[str], stop: Collection[str] = ()) -> dict[str, str]:
        """Return what depends on modules, each with the one that it imports."""
        start = dict.fromkeys(names)
        found: dict[str, str] = {}
        waiting = deque(start)
        while waiting:
            imported = waiting.popleft()
            for importer in self._importers.get(imported, ()):
                if importer not in found and importer not in start:
                    found[importer] = imported
                    if importer not in stop:
                        waiting.append(importer)
        return found
