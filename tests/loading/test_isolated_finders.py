"""Isolated copies of code that other finders and loaders bring: namespace packages, archives, import hooks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, ClassVar

import pytest

from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.mapper import pep302_mapper
from tests.workshop import Workshop


def test_namespace_packages(workshop: Workshop) -> None:
    """A namespace package is one package, nested ones and their portions in several folders included."""
    workshop.write(
        {
            "space/one.py": "from space import two\nimport space.deep.left as left\nfrom .deep import right",
            "space/deep/left.py": "side = 'left'",
            "second/space/two.py": "number = 2",
            "second/space/deep/right.py": "side = 'right'",
        }
    )
    sys.path.append(workshop.path("second"))
    for _ in range(2):
        with load_package_named("space") as copy:
            one = copy.load_named("space.one")
            assert (one.two.number, one.left.side, one.right.side) == (2, "left", "right")
            assert copy.load_named("space.deep.right") is one.right
            assert load_named("space").__path__ == [workshop.path("space"), workshop.path("second/space")]
        assert one.two is not importlib.import_module("space.two")


def test_a_portion_added_later(workshop: Workshop) -> None:
    """A folder put on `sys.path` later adds to the copies of a namespace package that are made from then on."""
    workshop.write({"space/one.py": "", "second/space/two.py": "number = 2"})
    load_named("space")
    sys.path.append(workshop.path("second"))
    assert load_package_named("space").load_named("space.two").number == 2


def test_zip_files(workshop: Workshop) -> None:
    """Packages inside an archive are loaded like those in folders, and an archive written anew is read anew."""
    archive = Path(workshop.path("lib.zip"))
    sys.path.insert(0, str(archive))
    for number in range(2):
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(
                "zipped/__init__.py", "from . import part\ndef late():\n    import zipped.part as it\n    return it"
            )
            file.writestr("zipped/part.py", f"number = {number}")
        copy = load_named("zipped")
        assert copy.part.number == number
        assert copy.late() is copy.part
        assert copy.__file__ == str(archive / "zipped/__init__.py")
    assert "zipped" not in sys.modules


class EditableFinder:
    """What setuptools installs for `pip install --editable`: names that are mapped to folders elsewhere."""

    MAPPING: ClassVar[dict[str, str]] = {}

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG003 - protocol
        """Find what this finder is for."""
        folder = cls.MAPPING.get(name)
        return None if folder is None else importlib.util.spec_from_file_location(name, f"{folder}/__init__.py")


def test_editable_installs(workshop: Workshop, tmp_path: Path) -> None:
    """A package that only a custom finder on `sys.meta_path` knows is loaded, with its submodules."""
    source = tmp_path / "elsewhere" / "src-tree"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("from .part import number\nimport edited.part", encoding="utf-8")
    (source / "part.py").write_text("number = 5", encoding="utf-8")
    with installed(sys.meta_path, type("Finder", (EditableFinder,), {"MAPPING": {"edited": str(source)}}), at=None):
        copy = load_named("edited")
        assert copy.number == 5
        assert copy.part is not load_named("edited").part
        assert [name for name in sys.modules if name.startswith("edited")] == []
    assert workshop.find_leaks() == []


LAZY = {
    "lazy/__init__.py": """
        def __getattr__(name):
            if name == "heavy":
                import lazy.heavy as heavy
                return heavy
            if name == "light":
                import importlib
                return importlib.import_module(".light", __name__)
            if name == "size":
                from importlib import import_module
                return import_module("lazy.heavy").size
            raise AttributeError(name)
        """,
    "lazy/heavy.py": "import weights\nsize = weights.size",
    "lazy/light.py": "from lazy import heavy\nsize = heavy.size + 1",
    "weights.py": "size = 1",
}


@pytest.mark.parametrize("name", ["heavy", "light", "size"])
def test_lazy_packages(workshop: Workshop, name: str) -> None:
    """A package whose `__getattr__` imports its parts gives those of its own copy, read through the same mapper."""
    workshop.write(LAZY)
    weights = ModuleType("weights")
    vars(weights)["size"] = 99
    copy = load_named("lazy", pep302_mapper.with_overrides({"weights": weights}))
    found = getattr(copy, name)
    assert getattr(found, "size", found) == (100 if name == "light" else 99)
    assert copy.heavy is copy.heavy
    assert copy.light.heavy is copy.heavy
    assert "lazy" not in sys.modules
    assert "weights" not in sys.modules


def test_import_module_while_loading(workshop: Workshop) -> None:
    """`importlib.import_module`, however it was imported, stays in the copy while the module loads and afterwards."""
    workshop.write(
        {
            "plugins/__init__.py": """
            import importlib
            import importlib as machinery
            from importlib import import_module
            import importlib.util
            found = [importlib.import_module("plugins.a"), import_module(".a", __name__)]
            found.append(machinery.import_module(".a", "plugins"))
            def late():
                return import_module("plugins.a")
            nothing = importlib.util.find_spec("plugins.nothing")
            something = importlib.util.find_spec("plugins.b")
            """,
            "plugins/a.py": "class Plugin: ...",
            "plugins/b.py": "raise AssertionError('ran')",
        }
    )
    copy = load_named("plugins")
    assert [module is copy.a for module in [*copy.found, copy.late()]] == [True] * 4
    assert copy.nothing is None
    assert copy.something.origin == workshop.path("plugins/b.py")
    assert not hasattr(copy, "b")
    assert "plugins.a" not in sys.modules


class SourceHook(SourceFileLoader):
    """A hook that rewrites the text, as a preprocessor does."""

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        """Compile the rewritten text."""
        return super().source_to_code(bytes(data).replace(b"'plain'", b"'hooked'"), path, _optimize=_optimize)


class CodeHook(SourceFileLoader):
    """A hook that compiles by itself and never looks at a `.pyc`."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the rewritten text, without a cache."""
        path = self.get_filename(fullname)
        return compile(self.get_data(path).replace(b"'plain'", b"'hooked'"), path, "exec")


class ExecHook(SourceFileLoader):
    """A hook that runs the module by itself, as pytest's does for assertions."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module."""
        super().exec_module(module)
        if hasattr(module, "value"):
            vars(module)["value"] = "hooked"


PART = "number = {}\nvalue = 'plain'\ndef late():\n    import colours\n    return colours"


@pytest.mark.parametrize("hook", [SourceHook, CodeHook, ExecHook])
def test_import_hooks(workshop: Workshop, hook: type[SourceFileLoader]) -> None:
    """Loaders that override `source_to_code`, `get_code` or `exec_module` do their work on copies, every time."""
    workshop.write(
        {
            "pkg/__init__.py": "from . import part\nimport colours",
            "pkg/part.py": PART.format(1),
            "colours.py": "",
        }
    )
    with installed(sys.path_hooks, FileFinder.path_hook((hook, [".py"])), at=0):
        sys.path_importer_cache.clear()
        colours = ModuleType("colours")
        for number in range(1, 4):
            copy = load_named("pkg", pep302_mapper.with_overrides({"colours": colours}))
            assert copy.part.value == "hooked"
            assert copy.colours is copy.part.late() is colours
            assert copy.part.number == number
            workshop.edit("pkg/part.py", PART.format(number + 1))
    sys.path_importer_cache.clear()


class TextLoader(Loader):
    """A loader of texts that are in no file, with `exec_module` alone."""

    TEXTS: ClassVar[dict[str, str]] = {
        "spoken": "from spoken import part\ndef late():\n    import spoken.part\n    return spoken.part",
        "spoken.part": "value = []",
    }

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG003 - protocol
        """Find what this finder is for."""
        return ModuleSpec(name, cls(), is_package="." not in name) if name in cls.TEXTS else None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module."""
        exec(self.TEXTS[module.__name__], vars(module))


def test_modules_in_no_file(workshop: Workshop) -> None:
    """Modules that a loader makes from something other than files are copied too, and import in their copy."""
    with installed(sys.meta_path, TextLoader, at=None):
        copy, other = load_named("spoken"), load_named("spoken")
        assert copy.late() is copy.part
        assert copy.part.value is not other.part.value
    assert workshop.find_leaks() == []


TYPED = {"typed/__init__.py": "from .part import half", "typed/part.py": "def half(x: int) -> int:\n    return x // 2"}


@pytest.mark.proof
@pytest.mark.parametrize("name", ["typeguard", "beartype", "jaxtyping"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of these packages themselves, on the newest Python
def test_checkers_that_hook_imports(workshop: Workshop, name: str) -> None:
    """Type checkers that rewrite modules on import check the code of copies as well."""
    pytest.importorskip(name)
    workshop.write(TYPED)
    with ExitStack() as stack:
        if name == "typeguard":
            stack.enter_context(importlib.import_module("typeguard").install_import_hook("typed"))
        elif name == "jaxtyping":
            stack.enter_context(importlib.import_module("jaxtyping").install_import_hook("typed", "beartype.beartype"))
        else:
            stack.callback(sys.path_hooks.__setitem__, slice(None), list(sys.path_hooks))  # it leaves its hook there
            stack.enter_context(importlib.import_module("beartype.claw").beartyping())
        copies = [load_named("typed"), load_named("typed")]
    for copy in copies:
        assert copy.half(8) == 4
        with pytest.raises(Exception, match=r"(?i)int") as caught:
            copy.half("8")
        assert "Typ" in caught.type.__name__ or "Violation" in caught.type.__name__
        assert "//" not in str(caught.value)  # Python's own TypeError: unsupported operand type(s) for //
    assert copies[0].half is not copies[1].half


@contextmanager
def installed(hooks: list[Any], hook: Any, *, at: int | None) -> Iterator[None]:
    """Have a hook in a list of hooks for a while, at an index or at the end."""
    hooks.insert(len(hooks) if at is None else at, hook)
    try:
        yield
    finally:
        hooks.remove(hook)
