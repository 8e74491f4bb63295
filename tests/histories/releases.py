"""Release histories of packages: which releases follow each other, and how they get here from the registry.

Versions are pinned, so that what is replayed is the same everywhere. The wheels are unpacked, not installed: a replay
lays their files in a project folder, where they are somebody's own code.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.histories.holding import Held, cell_of_imports

__all__ = ["HISTORIES", "History", "Replay", "fetch_releases", "replays_of"]

NOTEBOOKS = Path(__file__).with_name("notebooks")
_CACHE = Path(__file__).parents[2] / ".histories"


@dataclass(frozen=True, slots=True)
class History:
    """One package and releases of it that follow each other.

    Attributes:
        package: its name in the registry; `notebooks/PACKAGE.cells` is the notebook that uses it.
        roots: the top-level names that it installs.
        versions: from old to new.
        beside: what it needs in a certain release, as `NAME==VERSION`; the rest comes from the environment.
        numbered: a pattern of names that end in the number of definitions or calls before them, up to the number: a
            notebook's cells don't run again, so that it differs by nature.
        counters: names of the class attributes that count these, and of globals that differ from one process to the
            next; their values are not compared.
        held: more cells, which hold definitions of the package.
    """

    package: str
    roots: tuple[str, ...]
    versions: tuple[str, ...]
    beside: tuple[str, ...] = ()
    numbered: str = ""
    counters: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def notebook(self) -> str:
        """The text of the notebook that uses the package."""
        text = (NOTEBOOKS / f"{self.package}.cells").read_text("utf-8")
        if not self.held:
            return text
        asked = [f"held_calls[{held.asked!r}] = lambda: {held.asked}" for held in self.held]
        return "\n# %%\n".join([text, cell_of_imports(), *(held.cell for held in self.held), *asked])


@dataclass(frozen=True, slots=True)
class Replay:
    """One upgrade or downgrade of a package under a running notebook, and what is laid over its files meanwhile.

    >>> str(Replay(HISTORIES[0], "8.1.7", "8.1.8"))
    'click-8.1.7-8.1.8'
    """

    history: History
    before: str
    after: str
    between: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.history.package}-{self.before}-{self.after}"

    @property
    def older(self) -> str:
        """The older one of the two releases, whichever comes first here."""
        return min(self.before, self.after, key=self.history.versions.index)


HISTORIES = (
    History("click", ("click",), ("8.1.7", "8.1.8", "8.2.1", "8.3.1", "8.4.2")),
    History("attrs", ("attr", "attrs"), ("22.2.0", "23.1.0", "23.2.0", "24.2.0", "25.3.0"), counters=("cls_counter",)),
    History("rich", ("rich",), ("13.7.1", "13.9.4", "14.0.0", "14.2.0")),
    History(
        "networkx",
        ("networkx",),
        ("3.2.1", "3.3", "3.4.2"),
        numbered=r"\bargmap_\w+_|\bargmap'> compilation ",  # functions that it makes at their first call
        counters=("_argmap__count",),
    ),
    History("jinja2", ("jinja2",), ("3.0.3", "3.1.2", "3.1.3", "3.1.4", "3.1.6")),
    History("httpx", ("httpx",), ("0.25.2", "0.26.0", "0.27.2", "0.28.1")),
    History("typer", ("typer",), ("0.12.5", "0.15.4", "0.16.1", "0.20.1"), ("click==8.1.8",)),
    History("more-itertools", ("more_itertools",), ("9.1.0", "10.1.0", "10.5.0", "10.8.0")),
    History("werkzeug", ("werkzeug",), ("2.3.8", "3.0.6", "3.1.3")),
    History("marshmallow", ("marshmallow",), ("3.21.3", "3.22.0", "3.26.1", "4.0.1")),
    History("tomlkit", ("tomlkit",), ("0.11.8", "0.12.5", "0.13.3", "0.14.0")),
    History("packaging", ("packaging",), ("22.0", "23.2", "24.2", "25.0")),
    History("pluggy", ("pluggy",), ("1.2.0", "1.3.0", "1.5.0", "1.6.0")),
    History("structlog", ("structlog",), ("22.3.0", "23.3.0", "24.4.0", "25.4.0")),
    History("tabulate", ("tabulate",), ("0.8.10", "0.9.0")),
    History("itsdangerous", ("itsdangerous",), ("2.0.1", "2.1.2", "2.2.0")),
    History("h11", ("h11",), ("0.12.0", "0.13.0", "0.14.0", "0.16.0")),
    History("idna", ("idna",), ("3.4", "3.7", "3.10")),
    History("pyparsing", ("pyparsing",), ("3.0.9", "3.1.4", "3.2.3", "3.2.5")),
    History("sqlglot", ("sqlglot",), ("25.34.1", "26.33.0", "27.20.0")),
    History("anyio", ("anyio",), ("4.2.0", "4.4.0", "4.6.2.post1", "4.9.0", "4.12.0")),
    History("lark", ("lark",), ("1.1.9", "1.2.2", "1.3.0", "1.3.1")),
    History("cattrs", ("cattr", "cattrs"), ("23.2.3", "24.1.3", "25.1.1", "25.3.0")),
    History("beautifulsoup4", ("bs4",), ("4.11.2", "4.12.3", "4.13.4", "4.14.3")),
    History("mistune", ("mistune",), ("3.0.2", "3.1.0", "3.1.4", "3.2.0")),
    History("pydantic", ("pydantic",), ("1.10.2", "1.10.13", "1.10.21")),
    History("flask", ("flask",), ("3.0.0", "3.0.3", "3.1.0"), ("werkzeug==3.1.3",)),
    History("starlette", ("starlette",), ("0.37.2", "0.41.3", "0.46.2")),
    History("sqlparse", ("sqlparse",), ("0.4.4", "0.5.0", "0.5.3")),
    History("toolz", ("toolz", "tlz"), ("0.12.0", "0.12.1", "1.0.0")),
    History("blinker", ("blinker",), ("1.6.2", "1.7.0", "1.8.2", "1.9.0")),
    History("tenacity", ("tenacity",), ("8.5.0", "9.0.0", "9.1.2")),
    History(
        "boltons",
        ("boltons",),
        ("23.0.0", "23.1.1", "24.0.0", "25.0.0"),
        counters=("INSTANCE_ID", "START_TIME_INFO"),
    ),
    History("mako", ("mako",), ("1.2.4", "1.3.0", "1.3.5", "1.3.10")),
    History("simpy", ("simpy",), ("4.1.0", "4.1.1")),
    History("jsonschema", ("jsonschema",), ("4.19.2", "4.23.0", "4.25.1")),
    History("docutils", ("docutils",), ("0.21.2", "0.22")),
    History("wcwidth", ("wcwidth",), ("0.2.8", "0.2.12", "0.2.13")),
    History("python-dateutil", ("dateutil",), ("2.8.1", "2.8.2", "2.9.0.post0")),
    History("wtforms", ("wtforms",), ("3.0.1", "3.1.2", "3.2.1")),
    History("urllib3", ("urllib3",), ("2.0.7", "2.1.0", "2.2.3", "2.3.0")),
    History("markdown-it-py", ("markdown_it",), ("2.2.0", "3.0.0", "4.0.0")),
    History("parso", ("parso",), ("0.8.3", "0.8.4", "0.8.5", "0.8.6")),
    History("platformdirs", ("platformdirs",), ("3.11.0", "4.2.2", "4.3.8", "4.5.0")),
    History("babel", ("babel",), ("2.13.1", "2.14.0", "2.16.0", "2.17.0")),
    History("websockets", ("websockets",), ("12.0", "13.1", "14.2", "15.0.1")),
    History("trio", ("trio",), ("0.26.2", "0.28.0", "0.29.0", "0.30.0")),
    History("prompt_toolkit", ("prompt_toolkit",), ("3.0.43", "3.0.47", "3.0.48", "3.0.51")),
    History(
        "jedi",
        ("jedi",),
        ("0.18.2", "0.19.0", "0.19.1", "0.19.2"),
        ("parso==0.8.5",),
        counters=("_start_time",),
    ),
    History("tinydb", ("tinydb",), ("4.7.1", "4.8.0", "4.8.2")),
    History("tqdm", ("tqdm",), ("4.66.5", "4.67.1")),
    # The last one of all loaded modules, as `mod`.
    History("requests", ("requests",), ("2.30.0", "2.31.0", "2.32.3", "2.32.5"), counters=("mod",)),
    # Tokens of instances are made of the number of the process.
    History(
        "fsspec",
        ("fsspec",),
        ("2023.12.2", "2024.6.1", "2025.3.2", "2025.9.0"),
        counters=("_pid", "_latest", "_cache"),
    ),
    History("transitions", ("transitions",), ("0.9.1", "0.9.2", "0.9.3")),
    History("faker", ("faker",), ("30.8.2", "33.1.0")),
    History("arrow", ("arrow",), ("1.2.0", "1.2.3", "1.3.0")),
    History("pyjwt", ("jwt",), ("2.7.0", "2.8.0", "2.9.0")),
    History("openpyxl", ("openpyxl", "et_xmlfile"), ("3.1.2", "3.1.5"), ("et_xmlfile==1.1.0",)),
    History(
        "glom",
        ("glom",),
        ("23.5.0", "24.11.0", "25.12.0"),
        ("boltons==24.0.0", "face==20.1.1"),
        counters=("_UNASSIGNABLE_BASE_TYPES",),  # a tuple of classes in the order of their addresses
    ),
    History("rdflib", ("rdflib",), ("6.3.2", "7.0.0", "7.1.1"), ("isodate==0.6.1",), counters=("nextu",)),
    History("voluptuous", ("voluptuous",), ("0.14.1", "0.14.2")),
    History("humanize", ("humanize",), ("4.9.0", "4.11.0", "4.12.3")),
    History("jmespath", ("jmespath",), ("0.10.0", "1.0.0", "1.0.1")),
    History("fastapi", ("fastapi",), ("0.110.0", "0.112.4", "0.115.12"), ("starlette==0.37.2",)),
    History("markdown", ("markdown",), ("3.5.2", "3.6", "3.7", "3.8")),
    History("prometheus-client", ("prometheus_client",), ("0.19.0", "0.20.0", "0.21.1")),
    History("oauthlib", ("oauthlib",), ("3.2.1", "3.2.2")),
    History("deepdiff", ("deepdiff",), ("6.7.1", "7.0.1"), ("ordered-set==4.1.0",)),
    History("pypdf", ("pypdf",), ("4.3.1", "5.1.0")),
    History("textual", ("textual",), ("0.80.0", "0.85.2")),
    History("isodate", ("isodate",), ("0.6.1", "0.7.2")),
    History("parse", ("parse",), ("1.19.1", "1.20.0", "1.20.2")),
    History("zipp", ("zipp",), ("3.17.0", "3.19.2", "3.21.0")),
    History("hyperlink", ("hyperlink",), ("20.0.1", "21.0.0")),
    History("configobj", ("configobj", "validate"), ("5.0.8", "5.0.9")),
    History("webcolors", ("webcolors",), ("1.13", "24.6.0", "24.11.1")),
    History("dacite", ("dacite",), ("1.8.1", "1.9.1", "1.9.2")),
    History("sortedcontainers", ("sortedcontainers",), ("2.2.2", "2.3.0", "2.4.0")),
    History("invoke", ("invoke",), ("2.1.3", "2.2.0", "2.2.1")),
    History("cssselect", ("cssselect",), ("1.1.0", "1.2.0", "1.3.0")),
    History("prettytable", ("prettytable",), ("3.9.0", "3.11.0", "3.16.0")),
    History("bidict", ("bidict",), ("0.22.1", "0.23.0", "0.23.1")),
    History("dnspython", ("dns",), ("2.7.0", "2.8.0")),
    History("pyrsistent", ("pyrsistent",), ("0.19.3", "0.20.0")),
    History("graphql-core", ("graphql",), ("3.2.3", "3.2.6")),
    History("parsy", ("parsy",), ("2.0", "2.1", "2.2")),
    History("simpleeval", ("simpleeval",), ("0.9.13", "1.0.0", "1.0.3")),
    History("semver", ("semver",), ("3.0.1", "3.0.2", "3.0.4")),
    History("pyee", ("pyee",), ("11.0.1", "11.1.1", "12.0.0", "12.1.1")),
    History("injector", ("injector",), ("0.20.1", "0.21.0", "0.22.0")),
    History("schema", ("schema",), ("0.7.5", "0.7.7")),
    History("loguru", ("loguru",), ("0.7.2", "0.7.3"), counters=("start_time",)),
    History("kombu", ("kombu",), ("5.3.7", "5.4.2"), ("amqp==5.2.0", "vine==5.1.0")),
    History("ruamel.yaml", ("ruamel",), ("0.18.6", "0.18.10")),
    History("construct", ("construct",), ("2.10.69", "2.10.70")),
    History("automat", ("automat",), ("22.10.0", "24.8.1")),
    History(
        "factory_boy",
        ("factory",),
        ("3.2.1", "3.3.0", "3.3.1"),
        ("faker==33.1.0",),
        counters=("_creation_counter",),  # a class in a cell's class that a metaclass took out is made twice
    ),
    History("python-box", ("box",), ("7.2.0", "7.3.2")),
    History("passlib", ("passlib",), ("1.7.2", "1.7.3", "1.7.4")),
    History("elementpath", ("elementpath",), ("4.4.0", "4.7.0", "4.8.0")),
    History("dramatiq", ("dramatiq",), ("1.15.0", "1.17.1", "1.18.0")),
    History("pyasn1", ("pyasn1",), ("0.4.8", "0.5.1", "0.6.1")),
    History("returns", ("returns",), ("0.23.0", "0.25.0")),
    History("aenum", ("aenum",), ("3.1.12", "3.1.15", "3.1.16")),
    History("apscheduler", ("apscheduler",), ("3.11.0", "3.11.1", "3.11.2"), ("tzlocal==5.2",)),
    History("asn1crypto", ("asn1crypto",), ("1.3.0", "1.4.0", "1.5.1")),
    History("anytree", ("anytree",), ("2.8.0", "2.9.0", "2.12.1", "2.13.0")),
    History("dogpile.cache", ("dogpile",), ("1.2.2", "1.3.3", "1.4.0"), ("decorator==5.1.1", "stevedore==5.4.0")),
    History("pycodestyle", ("pycodestyle",), ("2.10.0", "2.11.1", "2.12.1", "2.14.0")),
    History("pyflakes", ("pyflakes",), ("3.0.1", "3.2.0", "3.4.0")),
    History("svcs", ("svcs",), ("23.21.0", "24.1.0", "25.1.0")),
    History("testfixtures", ("testfixtures",), ("8.2.0", "8.3.0", "9.0.1")),
    History("respx", ("respx",), ("0.21.1", "0.22.0")),
    History("webargs", ("webargs",), ("8.4.0", "8.6.0")),
    History("limits", ("limits",), ("3.14.1", "4.2"), ("deprecated==1.2.14",)),
    History("environs", ("environs",), ("11.2.1", "14.1.1"), ("python-dotenv==1.0.1",)),
    History("reactivex", ("reactivex",), ("4.1.0", "5.0.0")),
    History("peewee", ("peewee", "playhouse"), ("3.19.0", "4.0.0")),
)


def replays_of(history: History) -> list[Replay]:
    """Return the upgrades from each release to the next, and the downgrades back."""
    steps = itertools.pairwise(history.versions)
    return [Replay(history, *pair) for old, new in steps for pair in ((old, new), (new, old))]


def fetch_releases(histories: Iterable[History], cache: Path = _CACHE) -> Path:
    """Have the releases of some packages unpacked in a folder, as `NAME==VERSION/`; return the folder.

    What is there already is not fetched again. Several processes may fetch at the same time.

    Args:
        histories: the packages.
        cache: the folder; made when it is missing.

    Raises:
        subprocess.CalledProcessError: the registry can't be reached, or has no such release.
    """
    wanted = {f"{history.package}=={version}" for history in histories for version in history.versions}
    wanted |= {requirement for history in histories for requirement in history.beside}
    missing = sorted(requirement for requirement in wanted if not (cache / requirement).is_dir())
    for together in _one_release_each(missing):
        _fetch(together, cache)
    return cache


def _one_release_each(requirements: Collection[str]) -> list[list[str]]:
    """Return the requirements in groups that pip takes in one go: a package at most once."""
    groups: list[dict[str, str]] = []
    for requirement in requirements:
        name = requirement.partition("==")[0]
        group = next((known for known in groups if name not in known), None)
        if group is None:
            group = {}
            groups.append(group)
        group[name] = requirement
    return [[*group.values()] for group in groups]


def _fetch(requirements: list[str], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any"]
        subprocess.run([*command, f"--dest={folder}", *requirements], check=True)
        wheels = {_normalized(wheel.name.split("-")[0]): wheel for wheel in Path(folder).glob("*.whl")}
        for requirement in requirements:
            unpacked = Path(folder) / "unpacked" / requirement
            with zipfile.ZipFile(wheels[_normalized(requirement.partition("==")[0])]) as wheel:
                wheel.extractall(unpacked)
            try:
                unpacked.rename(cache / requirement)
            except OSError:  # another process was faster
                shutil.rmtree(unpacked)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lower())
