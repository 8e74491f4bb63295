"""Generated programs: modules whose functions call one another in all the ways that Python has for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

__all__ = ["Program", "programs"]

# How a statement comes to call the function {t}; what it needs beside it is made by `_helpers`.
CALLS = (
    "{t}()",
    "[{t}][0]()",
    "{{'k': {t}}}['k']()",
    "(lambda: {t}())()",
    "list(map(lambda _: {t}(), 'a'))",
    "[{t}() for _ in 'a']",
    "next({t}() for _ in 'a')",
    "sorted('ba', key=lambda _: {t}())",
    "functools.partial({t})()",
    "functools.reduce(lambda a, b: {t}(), 'ab')",
    "alias_{t}()",
    "TABLE_{t}[0]()",
    "[call() for call in TABLE_{t}]",
    "K_{t}().run_{t}()",
    "K_{t}.static_{t}()",
    "K_{t}.class_{t}()",
    "K_{t}().prop_{t}",
    "str(D_{t}())",
    "len(D_{t}())",
    "D_{t}() < D_{t}()",
    "sorted([D_{t}(), D_{t}()])",
    "f'{{D_{t}()}}'",
    "json.dumps({{1}}, cls=E_{t})",
    "operator.methodcaller('run_{t}')(K_{t}())",
    "operator.attrgetter('prop_{t}')(K_{t}())",
    "getattr(K_{t}(), 'run_{t}')()",
    "getattr(K_{t}(), 'run_' + '{t}')()",
    "globals()['{t}']()",
    "eval('{t}()')",
    "vars(K_{t})['run_{t}'](0)",
    "[sub().run_{t}() for sub in K_{t}.__subclasses__()]",
    "print(end='', file=W_{t}())",
    "give({t})",
    "ignore(alias_{t}, TABLE_{t})",
    "None",
    "None",
    "None",
    "None",
)
STATEMENTS = (
    "X{n} = {call}",
    "{call}",
    "if {call}: pass",
    "for _{n} in str({call}): pass",
    "def d{n}(x={call}): pass",
    "def a{n}(x: {call}) -> {call}: pass",
    "class B{n}:\n    x = {call}",
    "class B{n}(base({call})): pass",
    "@decorate({call})\ndef e{n}(): pass",
    "@give\ndef g{n}():\n    return {call}",
    "Y{n} = lambda: {call}",
    "assert not {call} or True",
    "try:\n    {call}\nexcept ArithmeticError:\n    pass",
    "with contextlib.suppress(ArithmeticError):\n    {call}",
    "if __name__ == '__main__':\n    {call}",
)
_HEAD = """\
import contextlib, functools, json, operator, sys
def give(call):
    call()
    return call
def ignore(*calls):
    return calls
def base(value):
    return object
def decorate(value):
    return lambda function: function
"""
# What calls need beside a function: always there, or only when one of them needs it, since Python itself calls it.
_HELPERS = {
    "alias": "alias_{t} = {t}\n",
    "TABLE": "TABLE_{t} = ({t},)\n",
    "K": """\
class K_{t}:
    def run_{t}(self): return {t}()
    @staticmethod
    def static_{t}(): return {t}()
    @classmethod
    def class_{t}(cls): return {t}()
    @property
    def prop_{t}(self): return {t}()
""",
    "S": """\
class S_{t}(K_{t}):
    def run_{t}(self): return super().run_{t}()
""",
}
_SPECIAL = {
    "D": """\
@functools.total_ordering
class D_{t}:
    def __str__(self): return str({t}())
    def __len__(self): return len(str({t}()))
    def __lt__(self, other): return bool({t}())
    def __eq__(self, other): return True
    __hash__ = None
""",
    "E": """\
class E_{t}(json.JSONEncoder):
    def default(self, value): return {t}()
""",
    "W": """\
class W_{t}:
    def write(self, text): return {t}()
    def flush(self): return {t}()
""",
}


@dataclass
class Program:
    """Two modules, `low` and `high`; the second imports the first.

    Attributes:
        functions: name -> the statement that its body ends with, by module.
        statements: what runs at import, by module.
        imports: how `high` imports `low`: `*`, or `names`.
        values: name -> what the function returns.
        docs: name -> its docstring.
        spaces: name -> how many lines of comment stand before it.
    """

    functions: dict[str, dict[str, str]]
    statements: dict[str, list[str]]
    imports: str
    values: dict[str, object] = field(default_factory=dict)
    docs: dict[str, str] = field(default_factory=dict)
    spaces: dict[str, int] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """Return the texts of the modules."""
        return {f"{name}.py": self._text(name) for name in self.functions}

    def _text(self, module: str) -> str:
        parts = [_HEAD]
        if module == "high":
            own = [name for name in self.functions["low"] if name not in self.functions["high"]]
            names = [*own, *(f"{part}_{name}" for name in own for part in self._parts(name))]
            parts.append(f"from low import {'*' if self.imports == '*' else ', '.join(names)}\n")
        for name, call in self.functions[module].items():
            parts += ["# moved\n" * self.spaces.get(name, 0), f"def {name}():\n"]
            if name in self.docs:
                parts.append(f"    {self.docs[name]!r}\n")
            parts += [f"    {call}\n", f"    return {self.values.get(name, name)!r}\n"]
            parts += [text.format(t=name) for text in self._parts(name).values()]
        return "".join([*parts, *(f"{statement}\n" for statement in self.statements[module])])

    def _parts(self, name: str) -> dict[str, str]:
        """Return the texts of what is there beside a function."""
        calls = [call for own in self.functions.values() for call in own.values()]
        calls += [statement for own in self.statements.values() for statement in own]
        special = {part: text for part, text in _SPECIAL.items() if any(f"{part}_{name}(" in call for call in calls)}
        encoder = {"E": _SPECIAL["E"]} if any(f"cls=E_{name}" in call for call in calls) else {}
        return {**_HELPERS, **special, **encoder}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Make programs."""
    names = {"low": ["f0", "f1", "f2"], "high": ["h0", "h1"]}
    functions: dict[str, dict[str, str]] = {}
    statements: dict[str, list[str]] = {}
    known: list[str] = []
    for module, own in names.items():
        functions[module] = {}
        for name in own:
            targets = [target for target in known if target != name]
            call = draw(st.sampled_from(CALLS)).format(t=draw(st.sampled_from(targets))) if targets else "None"
            functions[module][name] = call
            known.append(name)
        statements[module] = [
            draw(st.sampled_from(STATEMENTS)).format(
                n=number, call=draw(st.sampled_from(CALLS)).format(t=draw(st.sampled_from(known)))
            )
            for number in range(draw(st.integers(0, 2)))
        ]
    return Program(functions, statements, draw(st.sampled_from(["*", "names"])))
